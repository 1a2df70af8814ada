package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/engine/contrast"
	"github.com/tocsin-noc/tocsin/evaluate"
	"github.com/tocsin-noc/tocsin/internal/terminal"
	"github.com/tocsin-noc/tocsin/rulecheck"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// rulesBacktest says what to hold against what.
type rulesBacktest struct {
	data, since, until string
	rules              []string
	limit              int
	json               bool
}

func newRulesBacktestCommand() *cobra.Command {
	f := &rulesBacktest{}
	cmd := &cobra.Command{
		Use:   "backtest --rules FILE|FOLDER…",
		Short: "Say what other rules would have made of the alerts of a data directory",
		Long: `Step the journal of a data directory twice, in virtual time: under the rules as they were in force, and under other rules in place of all
of them, settings and all. Then hold both side by side: incidents, pages, what stays quiet, how well each fits what people merged, split and
said of causes, and the incidents that would differ, the most different first. It only reads and may run beside the daemon; nobody is told
anything. What people did to an incident is done to the one that holds most of the same alerts; what cannot be done is counted.`,
		Example: `  tocsin rules backtest --data /var/lib/tocsin --rules rules/
  tocsin rules backtest --data /var/lib/tocsin --rules new.yml --since 7d
  tocsin rules backtest --rules new.yml --since 2026-11-01T00:00:00Z --until 2026-11-08T00:00:00Z --json`,
		Args: cobra.NoArgs,
		RunE: f.do,
	}
	cmd.Flags().StringVar(&f.data, "data", "data", "the daemon's data `DIR`")
	cmd.Flags().StringSliceVar(&f.rules, "rules", nil, "rule `FILES` or folders to try; all of them together, over the shipped rules")
	cmd.Flags().StringVar(&f.since, "since", "", "`WHEN` the new rules take effect and the count begins: a time, or so long ago (7d); default the beginning of the journal")
	cmd.Flags().StringVar(&f.until, "until", "", "`WHEN` to stop: a time, or so long ago; default the journal's end")
	cmd.Flags().IntVar(&f.limit, "limit", 20, "show at most `N` differences, 0 for all")
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON: one object")
	cmd.MarkFlagsOneRequired("rules")
	return cmd
}

func (f *rulesBacktest) do(cmd *cobra.Command, _ []string) error {
	if err := mustBeDir(f.data); err != nil {
		return err
	}
	p := newPrinter(cmd, f.json, false)
	o := rulecheck.BacktestOptions{Dir: f.data, Version: coreVersion()}
	patterns := rulePatterns(f.rules)
	if len(patterns) == 0 {
		return usage("no rule file in "+f.rules[0], "rule files end in .yml or .yaml")
	}
	var err error
	if o.Rules, err = (&evaluateFlags{rules: patterns}).ruleFiles(); err != nil {
		return err
	}
	if o.Since, err = whenBack("--since", f.since, p.now); err != nil {
		return err
	}
	if o.Until, err = whenBack("--until", f.until, p.now); err != nil {
		return err
	}
	bar := newBar(p)
	o.Progress = func(done, of uint64) { bar.show("backtest", int(done), int(of)) }
	r, err := rulecheck.Backtest(o)
	bar.clear()
	if errors.Is(err, rulecheck.ErrNothing) {
		return &fault{code: exitNotFound, message: "the journal holds nothing of that time", hint: "journal.retention says how long it is kept", cause: err}
	}
	if err != nil {
		return err
	}
	if f.json {
		return p.value(f.forMachines(r))
	}
	return f.show(p, r)
}

// whenBack reads a time, or how long ago it was.
func whenBack(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	d, err := strict.ParseDuration(text, time.Second, 10*365*24*time.Hour)
	if err != nil {
		return time.Time{}, usage(flag+": "+quote(text)+" is no time", "write a time such as 2026-11-01T00:00:00Z, or how long ago, such as 7d")
	}
	return now.Add(-d), nil
}

// backtested is a report for machines.
type backtested struct {
	Since         time.Time      `json:"since"`
	Until         time.Time      `json:"until"`
	Inputs        int            `json:"inputs"`
	Snapshot      uint64         `json:"snapshot"`
	OtherVersions int            `json:"other_versions"`
	Before        backtestedSide `json:"before"`
	After         backtestedSide `json:"after"`
	Corrected     int            `json:"corrected_alerts"`
	Judged        int            `json:"judged_causes"`
	Asked         struct {
		Commands int            `json:"commands"`
		Applied  int            `json:"applied"`
		Already  int            `json:"already"`
		Not      map[string]int `json:"not_applicable"`
	} `json:"asked"`
	Total       int           `json:"total"`
	Differences []*difference `json:"differences"`
}

type backtestedSide struct {
	Alerts      int             `json:"alerts"`
	Incidents   int             `json:"incidents"`
	Reopened    int             `json:"reopened"`
	Pages       int             `json:"pages"`
	PerIncident float64         `json:"alerts_per_incident"`
	Compression float64         `json:"compression"`
	Quiet       map[string]int  `json:"quiet"`
	People      *evaluate.Score `json:"people"` // null where nobody merged or split anything
	CausesRight int             `json:"causes_right"`
	Told        int             `json:"causes_told"`
	ToldRight   int             `json:"causes_told_right"`
}

func (f *rulesBacktest) forMachines(r *rulecheck.Report) *backtested {
	side := func(s *rulecheck.Side) backtestedSide {
		return backtestedSide{
			s.Alerts, s.Incidents, s.Reopened, s.Pages, s.PerIncident, s.Compression, s.Quiet, s.People, s.Causes.Right, s.Causes.Told, s.Causes.ToldRight,
		}
	}
	out := &backtested{
		Since: r.Since.Time(), Until: r.Until.Time(), Inputs: r.Inputs, Snapshot: r.Snapshot, OtherVersions: r.OtherVersions,
		Before: side(&r.Before), After: side(&r.After), Corrected: r.Corrected, Judged: r.Judged, Total: len(r.Differences), Differences: []*difference{},
	}
	out.Asked.Commands, out.Asked.Applied, out.Asked.Already, out.Asked.Not = r.Asked.Commands, r.Asked.Applied, r.Asked.Already, r.Asked.Not
	for i := range r.Differences {
		if f.limit == 0 || i < f.limit {
			out.Differences = append(out.Differences, differenceOf(&r.Differences[i]))
		}
	}
	return out
}

func (f *rulesBacktest) show(p *printer, r *rulecheck.Report) error {
	p.line("%s from %s to %s", plural(r.Inputs, "input", "inputs"), terminal.Clock(r.Since.Time().Local()), terminal.Clock(r.Until.Time().Local()))
	p.line("")
	if err := p.table(sides(r), ""); err != nil {
		return err
	}
	f.showPeople(p, r)
	p.section("What would differ")
	counts := map[contrast.Kind]int{}
	for i := range r.Differences {
		counts[r.Differences[i].Kind]++
	}
	var words []string
	for _, k := range contrast.Kinds() {
		if counts[k] > 0 {
			words = append(words, fmt.Sprintf("%d %s", counts[k], k))
		}
	}
	if len(words) == 0 {
		p.line("  nothing")
	} else {
		p.line("  %s", strings.Join(words, ", "))
	}
	for i := range r.Differences {
		if f.limit > 0 && i == f.limit {
			p.note("%d of %d differences; --limit 0 shows all", f.limit, len(r.Differences))
			break
		}
		showDifference(p, differenceOf(&r.Differences[i]))
	}
	return nil
}

// sides are the figures of both sets of rules.
func sides(r *rulecheck.Report) *terminal.Table {
	t := terminal.NewTable("", "AS IT WAS", "NEW RULES")
	row := func(name string, of func(s *rulecheck.Side) string) {
		t.Add(terminal.Text(name), terminal.Text(of(&r.Before)), terminal.Text(of(&r.After)))
	}
	row("times that an alert began", func(s *rulecheck.Side) string { return number(s.Alerts) })
	row("incidents opened", func(s *rulecheck.Side) string { return number(s.Incidents) })
	row("reopened", func(s *rulecheck.Side) string { return number(s.Reopened) })
	row("would have rung (P1, P2)", func(s *rulecheck.Side) string { return number(s.Pages) })
	row("alerts per incident", func(s *rulecheck.Side) string { return fmt.Sprintf("%.1f", s.PerIncident) })
	row("need no look of their own", func(s *rulecheck.Side) string { return shareText(s.Compression) })
	reasons := map[string]bool{}
	for _, s := range []*rulecheck.Side{&r.Before, &r.After} {
		for reason := range s.Quiet {
			reasons[reason] = true
		}
	}
	for _, reason := range sortedKeys(reasons) {
		row("in none: "+strings.ReplaceAll(reason, "_", " "), func(s *rulecheck.Side) string { return number(s.Quiet[reason]) })
	}
	if r.Before.People != nil {
		score := func(name string, of func(s *evaluate.Score) float64) {
			row(name, func(s *rulecheck.Side) string { return ratio(of(s.People)) })
		}
		score("people's incidents: precision", func(s *evaluate.Score) float64 { return s.Precision })
		score("people's incidents: recall", func(s *evaluate.Score) float64 { return s.Recall })
	}
	if r.Judged > 0 {
		row("causes: the first was right", func(s *rulecheck.Side) string { return fmt.Sprintf("%d of %d", s.Causes.Right, s.Causes.Cases) })
		row("causes: confident, and right", func(s *rulecheck.Side) string { return fmt.Sprintf("%d of %d", s.Causes.ToldRight, s.Causes.Told) })
	}
	return t
}

// showPeople says on what the comparison rests, and what it could not do.
func (f *rulesBacktest) showPeople(p *printer, r *rulecheck.Report) {
	p.line("")
	if r.Corrected == 0 {
		p.line("nobody merged or split an incident: nothing to hold the grouping against")
	} else {
		p.line("people merged or split incidents with %s", plural(r.Corrected, "alert", "alerts"))
	}
	if a := &r.Asked; a.Commands > 0 {
		line := fmt.Sprintf("of %s by people %d could be carried out", plural(a.Commands, "act", "acts"), a.Applied)
		if a.Already > 0 {
			line += fmt.Sprintf(", for %d there was nothing left to do", a.Already)
		}
		p.line("%s", line)
		for _, kind := range sortedKeys(a.Not) {
			p.line("  not applicable: %s, %s", kind, plural(a.Not[kind], "time", "times"))
		}
	}
	if r.OtherVersions > 0 {
		p.line("%s came while another version decided; both columns are what this version makes of them", plural(r.OtherVersions, "input", "inputs"))
	}
	if r.Snapshot > 0 {
		p.line("it begins with the snapshot at %d: what was open then had been grouped by the rules of that time", r.Snapshot)
	}
}

// difference is one for people and for machines.
type difference struct {
	Kind   string             `json:"kind"`
	Alerts int                `json:"alerts"`
	Moved  int                `json:"moved"`
	Before []differedIncident `json:"before"`
	After  []differedIncident `json:"after"`
	Words  []string           `json:"words"`
	More   int                `json:"more"` // incidents left out of both lists
}

type differedIncident struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Priority uint8  `json:"priority"`
	Team     string `json:"team"`
	Alerts   int    `json:"alerts"`
}

// maxDiffered bounds the incidents that one difference lists on each side.
const maxDiffered = 10

func differenceOf(d *contrast.Difference) *difference {
	out := &difference{Kind: d.Kind.String(), Alerts: d.Alerts, Moved: d.Moved, Words: append([]string{}, d.Words...)}
	list := func(of []contrast.Incident) (list []differedIncident) {
		list = []differedIncident{}
		for n, i := range of {
			if n == maxDiffered {
				out.More += len(of) - n
				break
			}
			list = append(list, differedIncident{i.ID.String(), i.Title, i.Priority, i.Team, i.Alerts})
		}
		return list
	}
	out.Before, out.After = list(d.Before), list(d.After)
	return out
}

func showDifference(p *printer, d *difference) {
	p.line("")
	p.line("  %s, %s, %d of them elsewhere", p.paint(terminal.Bold, d.Kind), plural(d.Alerts, "alert", "alerts"), d.Moved)
	for _, w := range d.Words {
		p.line("      %s", w)
	}
	for sign, of := range [][]differedIncident{d.Before, d.After} {
		for _, i := range of {
			p.line("    %s %s P%d %s (%s)", []string{"-", "+"}[sign], i.ID, i.Priority, i.Title, plural(i.Alerts, "alert", "alerts"))
		}
	}
	if d.More > 0 {
		p.line("      and %d more", d.More)
	}
}
