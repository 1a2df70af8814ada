package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/internal/terminal"
	"github.com/tocsin-noc/tocsin/rulecheck"
)

// rulesTest says which tests to run, and how to tell of them.
type rulesTest struct {
	run, junit    string
	verbose, json bool
}

func newRulesTestCommand() *cobra.Command {
	f := &rulesTest{}
	cmd := &cobra.Command{
		Use:   "test FILE|FOLDER…",
		Short: "Test rules on alerts that files make up; exit code 1 when an expectation is not met",
		Long: `Test rules: play the alerts that test files make up, and what people do about them (acknowledge, resolve, merge, split, judge the cause,
silence, open a maintenance window), through journal codec and correlator in virtual time, and hold what comes out against what the files
expect of incidents, causes and alerts. A folder stands for the *.yml and *.yaml files in it. No daemon is needed and none is touched. Everything that
is not as expected comes at once, each as file:line:col of the expectation; exit code 1 when there is anything, 2 when a file or the rules
that it names are wrong. docs/rules-testing.md says how tests are written.`,
		Example: `  tocsin rules test examples/rules/tests/
  tocsin rules test shop_test.yml --run 'rack' --verbose
  tocsin rules test tests/ --junit report.xml`,
		RunE: f.do,
	}
	cmd.Flags().StringVar(&f.run, "run", "", "run only tests whose name `REGEXP` finds")
	cmd.Flags().StringVar(&f.junit, "junit", "", "write JUnit's XML to `FILE`, too")
	cmd.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "tell what happened in each test, decision by decision")
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON: one test per line")
	return cmd
}

func (f *rulesTest) do(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usage("which files?", "name files of tests or a folder of them, as in `tocsin rules test tests/`")
	}
	names := rulePatterns(args)
	if len(names) == 0 {
		return usage("no file of tests in "+args[0], "they end in .yml or .yaml")
	}
	o := rulecheck.Options{Story: f.verbose}
	if f.run != "" {
		var err error
		if o.Only, err = regexp.Compile(f.run); err != nil {
			return usage("--run: "+err.Error(), "")
		}
	}
	p := newPrinter(cmd, f.json, false)
	results, wrong, err := rulecheck.Run(names, o)
	if errors.Is(err, fs.ErrNotExist) {
		return &fault{code: exitUsage, message: err.Error(), cause: err}
	}
	if err != nil {
		return err
	}
	if len(wrong) > 0 {
		if _, err := showFindings(p, problems(wrong, ""), nil); err != nil {
			return err
		}
		p.note("%s; nothing was run", plural(len(wrong), "error", "errors"))
		return said(exitUsage)
	}
	if len(results) == 0 {
		return usage("no test is called so", "--run finds any part of a name; without it all tests run")
	}
	if f.junit != "" {
		if err := writeJUnit(f.junit, results); err != nil {
			return err
		}
	}
	return f.show(p, results)
}

func writeJUnit(name string, results []rulecheck.Result) error {
	var b bytes.Buffer
	if err := rulecheck.WriteJUnit(&b, results); err != nil {
		return err
	}
	if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
		return usage("--junit: "+err.Error(), "")
	}
	return nil
}

func (f *rulesTest) show(p *printer, results []rulecheck.Result) error {
	failed := 0
	for i := range results {
		r := &results[i]
		if !r.Passed {
			failed++
		}
		if f.json {
			if err := p.value(r); err != nil {
				return err
			}
			continue
		}
		f.showOne(p, r)
	}
	if failed > 0 {
		p.note("%d of %s failed", failed, plural(len(results), "test", "tests"))
		return said(exitFailed)
	}
	if !f.json {
		p.line("%s %s", p.paint(terminal.Green, "ok:"), plural(len(results), "test", "tests"))
	}
	return nil
}

func (f *rulesTest) showOne(p *printer, r *rulecheck.Result) {
	if r.Passed && !f.verbose {
		return
	}
	verdict := p.paint(terminal.Green, "PASS")
	if !r.Passed {
		verdict = p.paint(terminal.Red, "FAIL")
	}
	p.line("%s %s: %s", verdict, r.File, r.Name)
	for _, line := range r.Story {
		p.line("  | %s", line)
	}
	for _, line := range r.Lines() {
		p.line("  %s", line)
	}
}
