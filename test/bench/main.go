// Command bench measures Tocsin beside Alertmanager on this machine:
//
//	go run ./test/bench [-short] [-only a,b] [-runs N] [-history] [-json FILE] [-md FILE]
//
// Both are real processes on loopback with their data on disk, started fresh
// for every scenario, one scenario of the one right after that of the other.
// The load comes from this process, so that its CPU time is not theirs.
// It measures and prints; it judges only by the targets in scenarios.go.
// Linux only: the figures come from /proc. Everything runs on the main
// goroutine but for what simulate.Load starts.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

type options struct {
	short   bool
	only    string
	runs    int
	json    string
	md      string
	tocsin  string
	peer    string
	history bool
	dir     string
	seed    uint64
	sizes   sizes // set from short; a test has its own
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = bench(ctx, o, os.Stdout, os.Stderr)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&o.short, "short", false, "a tenth of everything, steps of 10 s")
	flags.StringVar(&o.only, "only", "", "scenarios to run, such as a,c2; c stands for c1 and c2")
	flags.IntVar(&o.runs, "runs", 1, "repeat everything `N` times and show medians")
	flags.StringVar(&o.json, "json", "", "write all runs to `FILE`")
	flags.StringVar(&o.md, "md", "", "write the table into `FILE`, between its markers")
	flags.StringVar(&o.tocsin, "tocsin", "", "`BINARY` to measure; built from this tree when empty")
	flags.StringVar(&o.peer, "alertmanager", "", "`BINARY` to compare with; the installed one when empty")
	flags.BoolVar(&o.history, "history", false, "let Tocsin keep its history in the embedded engine meanwhile, to compare with a run without")
	flags.StringVar(&o.dir, "dir", "", "`FOLDER` on a real disk for the servers' data (default: the system's for temporary files)")
	flags.Uint64Var(&o.seed, "seed", 1, "of the generated alerts")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.runs < 1 || flags.NArg() > 0 {
		return o, errors.New("want -runs of at least 1 and no arguments")
	}
	o.sizes = fullSizes
	if o.short {
		o.sizes = shortSizes
	}
	return o, nil
}

// bench runs what o asks for and writes the table to out, progress to progress.
// The error is that of the first scenario that could not be measured; the
// others are measured and written all the same.
func bench(ctx context.Context, o options, out, progress io.Writer) error {
	chosen, err := choose(scenarios(o.sizes), o.only)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(o.dir, "tocsin-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a leftover folder spoils no figure
	warnTmpfs(progress, dir)
	subjects, err := findSubjects(ctx, o, dir, progress)
	if err != nil {
		return err
	}
	report, failed := measureAll(ctx, o, chosen, subjects, dir, progress)
	return errors.Join(failed, report.write(o, out))
}

// measureAll interleaves: run by run, scenario by scenario, server by server.
func measureAll(ctx context.Context, o options, chosen []scenario, subjects []subject, dir string, progress io.Writer) (*report, error) {
	report := newReport(ctx, o, chosen, subjects)
	warnBusy(progress, report.Load)
	var failed error
	for run := range o.runs {
		for _, s := range chosen {
			for _, subject := range subjects {
				if s.tocsinOnly && subject.name != tocsinName || ctx.Err() != nil {
					continue
				}
				trial := &trial{sizes: o.sizes, subject: subject, seed: o.seed, base: dir, progress: progress}
				fmt.Fprintf(progress, "run %d/%d  %s %s  %s ...\n", run+1, o.runs, s.id, s.title, subject.name)
				got, err := trial.run(ctx, s)
				if err != nil {
					err = fmt.Errorf("%s on %s: %w", s.id, subject.name, err)
					fmt.Fprintln(progress, "FAILED", err)
					failed = errors.Join(failed, err)
				}
				report.add(s.id, subject.name, got)
			}
		}
	}
	return report, errors.Join(failed, context.Cause(ctx))
}

// choose picks scenarios by id or by the letter their id begins with.
func choose(all []scenario, only string) ([]scenario, error) {
	if only == "" {
		return all, nil
	}
	var chosen []scenario
	for id := range strings.SplitSeq(only, ",") {
		id = strings.TrimSpace(id)
		before := len(chosen)
		for _, s := range all {
			if id != "" && strings.HasPrefix(s.id, id) {
				chosen = append(chosen, s)
			}
		}
		if len(chosen) == before {
			return nil, fmt.Errorf("-only: no scenario %q", id)
		}
	}
	slices.SortStableFunc(chosen, func(a, b scenario) int { return strings.Compare(a.id, b.id) })
	return slices.CompactFunc(chosen, func(a, b scenario) bool { return a.id == b.id }), nil
}
