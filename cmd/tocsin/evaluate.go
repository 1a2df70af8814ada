package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/evaluate"
	"github.com/tocsin-noc/tocsin/internal/terminal"
	"github.com/tocsin-noc/tocsin/rules"
	"github.com/tocsin-noc/tocsin/simulate/scenario"
)

// evaluateFlags say how to evaluate.
type evaluateFlags struct {
	rules           []string
	baselines, json bool
}

func newEvaluateCommand() *cobra.Command {
	f := &evaluateFlags{}
	cmd := &cobra.Command{
		Use:   "evaluate DIR…",
		Short: "Measure grouping and root causes on scenarios whose truth is known",
		Long: `Replay scenarios - alerts whose faults are known - through decoder, journal codec and correlator in virtual time, and say how well the
incidents and root causes fit the truth. No daemon is needed and none is touched. Each scenario is replayed twice; exit code 1 when the
second replay differs by a byte. ` + "`tocsin simulate`" + ` makes scenarios.`,
		Example: `  tocsin evaluate runs/heavy-7
  tocsin evaluate runs/heavy-7 runs/late-7 --rules rules/db.yml
  tocsin evaluate runs/heavy-7 --baselines --json`,
		Args: cobra.MinimumNArgs(1),
		RunE: f.run,
	}
	cmd.Flags().StringSliceVar(&f.rules, "rules", nil, "rule `FILES` or folders to use instead of the scenario's rules.yml")
	cmd.Flags().BoolVar(&f.baselines, "baselines", false, "measure simple ways of grouping too, to compare with")
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON: one scenario per line")
	return cmd
}

// evaluated is a report for machines.
type evaluated struct {
	Scenario string `json:"scenario"`
	*evaluate.Report
}

func (f *evaluateFlags) run(cmd *cobra.Command, args []string) error {
	p := newPrinter(cmd, f.json, false)
	files, err := f.ruleFiles()
	if err != nil {
		return err
	}
	list, differs := make([]evaluated, 0, len(args)), false
	for _, dir := range args {
		r, err := f.one(p, dir, files)
		if err != nil {
			return err
		}
		differs = differs || !*r.ReplayIdentical
		list = append(list, evaluated{dir, r})
		if f.json {
			if err := p.value(list[len(list)-1]); err != nil {
				return err
			}
		}
	}
	if !f.json {
		if err := showEvaluated(p, list); err != nil {
			return err
		}
	}
	if differs {
		p.note("a second replay decided otherwise")
		return said(exitFailed)
	}
	return nil
}

func (f *evaluateFlags) ruleFiles() (files []rules.File, err error) {
	names := rulePatterns(f.rules)
	if len(f.rules) > 0 && len(names) == 0 {
		return nil, usage("no rule file in "+f.rules[0], "rule files end in .yml or .yaml")
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, usage("--rules: "+err.Error(), "")
		}
		files = append(files, rules.File{Name: name, Text: text})
	}
	if _, err := rules.Parse(files); err != nil {
		return nil, wrongRules("--rules", err)
	}
	return files, nil
}

func (f *evaluateFlags) one(p *printer, dir string, files []rules.File) (*evaluate.Report, error) {
	s, err := readScenario(dir)
	if err != nil {
		return nil, err
	}
	for _, doubt := range s.Doubts() {
		p.note("%s", filepath.Join(dir, doubt))
	}
	bar := newBar(p)
	r, out, err := evaluate.Evaluate(s, evaluate.Request{Rules: files, Baselines: f.baselines, Progress: func(part string, done, of int) {
		bar.show(filepath.Base(dir)+": "+part, done, of)
	}})
	bar.clear()
	if _, ok := errors.AsType[rules.Errors](err); ok {
		return nil, wrongRules(filepath.Join(dir, scenario.RulesFile), err)
	}
	if err != nil {
		return nil, &fault{code: exitUsage, message: dir + ": " + err.Error(), cause: err}
	}
	if out.Early > 0 {
		p.note("%s: %s before the line above; taken as arriving with it", filepath.Join(dir, scenario.AlertsFile), plural(out.Early, "line arrives", "lines arrive"))
	}
	return r, nil
}

// wrongRules says what is wrong with rules, each problem in a line of its own.
func wrongRules(what string, err error) *fault {
	several, ok := errors.AsType[rules.Errors](err)
	if !ok {
		return &fault{code: exitUsage, message: what + ": " + err.Error(), cause: err}
	}
	f := &fault{code: exitUsage, message: what + ": " + plural(len(several), "problem", "problems"), hint: "`tocsin rules check FILE` checks rules alone; docs/rules.md says how they are written", cause: err}
	for _, problem := range several {
		f.details = append(f.details, problem.String())
	}
	return f
}

// readScenario reads a scenario; what is wrong with it is a mistake of who gave it.
func readScenario(dir string) (*scenario.Scenario, error) {
	s, err := scenario.Read(dir)
	if err == nil {
		return s, nil
	}
	f := usage(dir+" is no scenario", "docs/evaluation.md says how one is written; `tocsin simulate` makes one")
	f.cause = err
	if several, ok := errors.AsType[scenario.Errors](err); ok {
		for _, problem := range several {
			f.details = append(f.details, problem.String())
		}
	}
	return nil, f
}

func ratio(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }

func shareText(v float64) string { return strconv.FormatFloat(100*v, 'f', 1, 64) + " %" }

// showEvaluated shows one scenario at length, or several with a line each.
func showEvaluated(p *printer, list []evaluated) error {
	if len(list) == 1 {
		return p.evaluation(&list[0])
	}
	t := terminal.NewTable("SCENARIO", "ALERTS", "INCIDENTS", "FAULTS", "PAIR F1", "B3 F1", "AMI", "FRAGM", "FAULTS/INC", "TOP1", "TOP3", "ANSWERED", "RIGHT", "CHURN", "EV/S", "P99 µs")
	for i := range list {
		r, c := list[i].Report, &list[i].RootCause
		row := []string{
			list[i].Scenario, number(r.Alerts), number(r.Incidents), number(r.Faults), ratio(r.Pairwise.F1), ratio(r.BCubed.F1), ratio(r.AMI),
			ratio(r.FragmentsPerFault), ratio(r.FaultsPerIncident), ratio(c.Top1), ratio(c.Top3), ratio(c.Answered), ratio(c.PrecisionAnswered),
			shareText(r.Churn), number(int(r.EventsPerSecond)), ratio(r.DecisionP99),
		}
		cells := make([]terminal.Cell, len(row))
		for i, text := range row {
			cells[i] = terminal.Text(text)
		}
		t.Add(cells...)
	}
	return p.table(t, "")
}

// evaluation shows all figures of a scenario.
func (p *printer) evaluation(e *evaluated) error {
	r := e.Report
	p.line("%s: %s of %s in %s; %s of the lines need no look of their own", e.Scenario, plural(r.Alerts, "alert", "alerts"),
		plural(r.Faults, "fault", "faults"), plural(r.Incidents, "incident", "incidents"), shareText(r.Compression))
	p.section("Grouping")
	if err := p.agreements(r); err != nil {
		return err
	}
	if err := p.pairs("  ",
		"fragments per fault", ratio(r.FragmentsPerFault), "faults per incident", ratio(r.FaultsPerIncident),
		"in no incident", shareText(r.NoIncident), "noise joined to others", shareText(r.FalseJoins), "ids changed after 60 s", shareText(r.Churn)); err != nil {
		return err
	}
	if c := &r.RootCause; c.Cases > 0 {
		p.section("Root cause")
		if err := p.pairs("  ", "faults", number(c.Cases), "first is right", shareText(c.Top1), "among the first three", shareText(c.Top3), "mean 1/place", ratio(c.MRR),
			"confident", shareText(c.Answered), "and then right", shareText(c.PrecisionAnswered)); err != nil {
			return err
		}
	}
	p.section("Speed")
	return p.pairs("  ", "alerts per second", number(int(r.EventsPerSecond)), "99 % of decisions within", fmt.Sprintf("%.1f µs", r.DecisionP99),
		"second replay", map[bool]string{true: "identical", false: "DIFFERS"}[*r.ReplayIdentical])
}

// agreements shows how the incidents, and the baselines, fit the truth.
func (p *printer) agreements(r *evaluate.Report) error {
	t := terminal.NewTable("", "PAIR P", "PAIR R", "PAIR F1", "B3 P", "B3 R", "B3 F1", "ARI", "AMI", "HOMOG", "COMPL")
	add := func(name string, a *evaluate.Agreement) {
		row := []float64{
			a.Pairwise.Precision, a.Pairwise.Recall, a.Pairwise.F1, a.BCubed.Precision, a.BCubed.Recall, a.BCubed.F1, a.ARI, a.AMI, a.Homogeneity, a.Completeness,
		}
		cells := []terminal.Cell{terminal.Text(name)}
		for _, v := range row {
			cells = append(cells, terminal.Text(ratio(v)))
		}
		t.Add(cells...)
	}
	add("tocsin", &r.Agreement)
	for _, b := range evaluate.Baselines() {
		if a := r.Baselines[b.Name]; a != nil {
			add(b.Words, a)
		}
	}
	return p.table(t, "  ")
}
