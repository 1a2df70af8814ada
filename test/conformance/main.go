// Command conformance runs the acceptance suites of Prometheus Alertmanager, compiled from its own module, against
// `tocsin serve`, and fails when a test of expected.txt fails.
//
// It is a module of its own so that the suites' dependencies never reach Tocsin's. It is not a test of what the suites
// leave out; those tests lie beside the code.
package main

import (
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"
)

var (
	//go:embed expected.txt
	expected string
	//go:embed wrapper.sh
	wrapper string
)

// tries is how often a test may run: the reference itself fails one in some dozens on a busy machine.
const tries = 3

var errFailed = errors.New("listed tests failed")

type options struct {
	tocsin    string // the binary under test
	reference string // a real alertmanager to run instead
	amtool    string // of the suites' version
}

func main() {
	var o options
	flag.StringVar(&o.tocsin, "tocsin", "", "`path` of the binary under test")
	flag.StringVar(&o.reference, "reference", "", "`path` of a real alertmanager to run instead")
	flag.StringVar(&o.amtool, "amtool", "", "`path` of an amtool of the suites' version")
	flag.Parse()
	if err := run(o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func run(o options, out io.Writer) error {
	listed, err := parseExpected(expected)
	if err != nil {
		return err
	}
	if err := checkVersions(o.amtool); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "conformance-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := furnish(dir, o); err != nil {
		return err
	}
	var all []*result
	for _, s := range suites() {
		results, err := s.run(dir, listed[s.name], out)
		if err != nil {
			return err
		}
		all = append(all, results...)
	}
	return report(out, all)
}

// parseExpected returns the listed test names by suite.
func parseExpected(text string) (map[string][]string, error) {
	listed := map[string][]string{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0 || strings.HasPrefix(line, "#"):
		case len(fields) == 2:
			listed[fields[0]] = append(listed[fields[0]], fields[1])
		default:
			return nil, fmt.Errorf("expected.txt: %q is not a suite and a test", strings.TrimSpace(line))
		}
	}
	return listed, nil
}

// checkVersions refuses an amtool of another version than the suites: it would test something else.
func checkVersions(amtool string) error {
	module, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", alertmanagerModule).Output()
	if err != nil {
		return fmt.Errorf("go list -m: %w", err)
	}
	want := strings.TrimPrefix(strings.TrimSpace(string(module)), "v")
	got, err := exec.Command(amtool, "--version").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s --version: %w", amtool, err)
	}
	if !strings.HasPrefix(string(got), "amtool, version "+want+" ") {
		return fmt.Errorf("%s: not version %s", amtool, want)
	}
	return nil
}

// furnish puts the two programs where the suites look for them: three folders above their working directory.
func furnish(dir string, o options) error {
	amtool, err := filepath.Abs(o.amtool)
	if err != nil {
		return err
	}
	if err := os.Symlink(amtool, filepath.Join(dir, "amtool")); err != nil {
		return err
	}
	alertmanager := filepath.Join(dir, "alertmanager")
	if o.reference != "" {
		return os.Symlink(o.reference, alertmanager)
	}
	tocsin, err := filepath.Abs(o.tocsin)
	if err != nil {
		return err
	}
	if _, err := os.Stat(tocsin); err != nil {
		return err
	}
	if err := os.Setenv("TOCSIN", tocsin); err != nil {
		return err
	}
	return os.WriteFile(alertmanager, []byte(wrapper), 0o700)
}

// report prints one line per listed test and fails when one of them did.
func report(out io.Writer, all []*result) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SUITE\tTEST\tRESULT\tTRIES\tSECONDS")
	passed := 0
	for _, r := range all {
		word := "FAIL"
		if r.passed {
			word = "pass"
			passed++
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", r.suite, r.test, word, r.tries, r.seconds)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d of %d listed tests passed\n", passed, len(all))
	if passed != len(all) || passed == 0 {
		return errFailed
	}
	return nil
}
