package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

const (
	markBegin = "<!-- bench:begin -->"
	markEnd   = "<!-- bench:end -->"
)

// report is all that was measured; its JSON is what -json writes.
type report struct {
	Time     time.Time                        `json:"time"`
	Machine  string                           `json:"machine"`
	Load     float64                          `json:"load_average"` // before the first scenario
	Versions map[string]string                `json:"versions"`
	Short    bool                             `json:"short"`
	Runs     int                              `json:"runs"`
	Trials   map[string]map[string][]measures `json:"trials"` // scenario, server, run

	scenarios []scenario
}

func newReport(ctx context.Context, o options, chosen []scenario, subjects []subject) *report {
	r := &report{
		Time: time.Now().UTC().Truncate(time.Second), Machine: machine(), Load: loadAverage(), Versions: map[string]string{},
		Short: o.short, Runs: o.runs, Trials: map[string]map[string][]measures{}, scenarios: chosen,
	}
	for _, s := range subjects {
		r.Versions[s.name] = s.version(ctx)
	}
	return r
}

func (r *report) add(scenario, subject string, m measures) {
	if r.Trials[scenario] == nil {
		r.Trials[scenario] = map[string][]measures{}
	}
	r.Trials[scenario][subject] = append(r.Trials[scenario][subject], m)
}

// write puts the table on out and into the files o names.
func (r *report) write(o options, out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, line := range r.lines() {
		fmt.Fprintln(table, strings.Join(line, "\t"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if o.json != "" {
		text, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(o.json, append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	if o.md == "" {
		return nil
	}
	return r.writeMarkdown(o.md)
}

// lines is the table: a head and one line per row that was measured.
func (r *report) lines() [][]string {
	lines := [][]string{{"scenario", "measure", "Tocsin", "Alertmanager", "ratio", "target", ""}}
	for _, s := range r.scenarios {
		title := s.id + " " + s.title
		for _, row := range s.rows {
			ours, okOurs := medians(r.Trials[s.id][tocsinName])[row.measure]
			theirs, okTheirs := medians(r.Trials[s.id][alertmanagerName])[row.measure]
			line := []string{title, row.unit, figure(ours, okOurs), figure(theirs, okTheirs),
				ratio(ours, theirs, okOurs && okTheirs), row.target.String(), row.verdict(ours, theirs, okOurs, okTheirs)}
			lines = append(lines, line)
			title = ""
		}
	}
	return lines
}

// verdict says whether the target was met; nothing where there is none.
func (w row) verdict(ours, theirs float64, okOurs, okTheirs bool) string {
	if w.target.ratio {
		okOurs = okOurs && okTheirs && theirs > 0
		ours /= max(theirs, 1e-9)
	}
	switch {
	case w.target == target{}:
		return ""
	case !okOurs:
		return "not measured"
	case w.target.met(ours):
		return "met"
	}
	return "MISSED"
}

// figure writes three significant digits, and numbers above 100 whole.
func figure(v float64, ok bool) string {
	switch {
	case !ok:
		return "–"
	case v >= 100 || v <= -100:
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

func ratio(ours, theirs float64, ok bool) string {
	if !ok || theirs == 0 {
		return "–"
	}
	return figure(ours/theirs, true) + " ×"
}

// writeMarkdown replaces what stands between the markers of a file, or makes
// the file.
func (r *report) writeMarkdown(path string) error {
	old, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		old, err = []byte("# Benchmarks\n\n"+markBegin+"\n"+markEnd+"\n"), nil
	}
	if err != nil {
		return err
	}
	before, rest, begun := strings.Cut(string(old), markBegin)
	_, after, ended := strings.Cut(rest, markEnd)
	if !begun || !ended {
		return fmt.Errorf("%s: no %s … %s to write between", path, markBegin, markEnd)
	}
	text := before + markBegin + "\n" + r.markdown() + markEnd + after
	return os.WriteFile(path, []byte(text), 0o644)
}

func (r *report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured %s on %s, load average %.1f before, medians of %d.", r.Time.Format(time.DateOnly), r.Machine, r.Load, r.Runs)
	if r.Short {
		b.WriteString(" A short run: a tenth of the sizes, so the targets do not quite apply.")
	}
	b.WriteString("\n")
	for _, name := range []string{tocsinName, alertmanagerName} {
		if version := r.Versions[name]; version != "" {
			fmt.Fprintf(&b, "- %s: %s\n", name, version)
		}
	}
	b.WriteString("\n")
	for i, line := range r.lines() {
		b.WriteString("| " + strings.Join(line, " | ") + " |\n")
		if i == 0 {
			b.WriteString("|---|---|---:|---:|---:|---|---|\n")
		}
	}
	return b.String()
}

// machine describes the one this runs on.
func machine() string {
	model := "unknown CPU"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%d × %s (%s/%s)", runtime.NumCPU(), model, runtime.GOOS, runtime.GOARCH)
}
