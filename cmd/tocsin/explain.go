package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

func newExplainCommand() *cobra.Command {
	var cause, all bool
	var not string
	cmd := &cobra.Command{
		Use:   "explain INC-1|ALERT",
		Short: "Say why: why an incident opened, why each alert is in it or is not, what may be its cause, why something is quiet",
		Long: `Say why an incident opened and reopened, by which rule (file:line) or by which relation, why each item and alert is in it, what was merged into it
or taken out of it, what may be its root cause, and what keeps what quiet.
For an alert (its id, or the fingerprint of Alertmanager's clients): why it is in an incident, waits, or opens none; with --not why it is not in
another; and what keeps it from ringing, by whom and until when.
Scores say by how many times an explanation beats chance; --json has them in thousandths of a nat: that number is e^(score/1000).`,
		Example: "  tocsin explain INC-42\n  tocsin explain INC-42 --cause\n  tocsin explain 9c6e2b1f00d3a7e5 --not INC-41",
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().BoolVar(&cause, "cause", false, "what may be the incident's root cause, and the case for each candidate")
	cmd.Flags().StringVar(&not, "not", "", "`INCIDENT` in which the alert is not: say why")
	cmd.Flags().BoolVar(&all, "all", false, fmt.Sprintf("all members of an incident, not the first %d, and all turns of its life one by one", shownEntries))
	cmd.MarkFlagsMutuallyExclusive("cause", "not")
	cmd.RunE = addRemote(cmd.Flags()).run(func(ctx context.Context, t *tool, args []string) error {
		ofIncident := func() error {
			if not != "" {
				return usage("--not asks about an alert, and "+args[0]+" is an incident", "`tocsin alerts --incident "+args[0]+"` lists its alerts")
			}
			if cause {
				return showCause(ctx, t, args[0])
			}
			return explainIncident(ctx, t, args[0], all)
		}
		switch {
		case isIncident(args[0]) || cause:
			return ofIncident()
		case not != "" || !isNumber(args[0]):
			return explainAlert(ctx, t, args[0], not)
		}
		err := ofIncident() // digits alone may be either
		if f, ok := errors.AsType[*fault](err); ok && f.code == exitNotFound {
			return explainAlert(ctx, t, args[0], not)
		}
		return err
	})
	return cmd
}

func isIncident(ref string) bool { return len(ref) > 4 && strings.EqualFold(ref[:4], "INC-") }

func isNumber(ref string) bool { return strings.Trim(ref, "0123456789") == "" }

func explainIncident(ctx context.Context, t *tool, ref string, all bool) error {
	text, why, err := fetch[api.Why](ctx, t.api, nil, "incidents", ref, "why")
	if err != nil {
		return err
	}
	if t.json {
		return t.raw(text)
	}
	_, i, err := fetch[api.Incident](ctx, t.api, nil, "incidents", ref)
	if err != nil {
		return err
	}
	t.line("%s  %s  (%s, %s, %s)", t.paint(terminal.Bold, i.ID), t.paint(terminal.Bold, i.Title), priority(i.Priority), i.Severity, statusText(i))
	if i.Cause != nil {
		t.line("  Cause: %s", causeLine(i.Cause))
	}
	t.section("Why it is there")
	t.turns(why.Decisions, all)
	t.membersWhy(i, why, all)
	if i.Cause != nil {
		t.cause(i)
	}
	t.quiet(why.Quiet)
	if why.Cut {
		t.line("\n  Not all that was decided is kept, or it is too much for one answer: what is said here is what there is.")
	}
	return nil
}

// membersWhy says why each item, and each alert without one, is in an incident.
func (p *printer) membersWhy(i *api.Incident, why *api.Why, all bool) {
	total := len(why.Members) + why.Left
	if total == 0 {
		return
	}
	p.section(fmt.Sprintf("Why its members are in it (%s, %s)", plural(total, "member", "members"), plural(int(i.Alerts.Total), "alert", "alerts")))
	shown := why.Members
	if !all && len(shown) > shownEntries {
		shown = shown[:shownEntries]
	}
	for n := range shown {
		m := &shown[n]
		name := m.Name
		if m.Alerts > 1 {
			name += fmt.Sprintf(" (%d alerts)", m.Alerts)
		}
		p.line("  %s: %s", p.paint(terminal.Bold, name), m.Sentence)
		if m.Place == nil {
			continue
		}
		for _, other := range m.Place.Others {
			p.line("      %s", other)
		}
	}
	switch rest := total - len(shown); {
	case rest > 0 && len(shown) < len(why.Members):
		p.line("  and %d more; --all shows them", rest)
	case rest > 0:
		p.line("  and %d more; `tocsin alerts --incident %s --limit 0` lists their alerts", rest, i.ID)
	}
}

// shownTurns is how many turns of one kind are spelled out where there are many.
const shownTurns = 3

// turns prints the turns of an incident's life. What a storm repeats - symptoms that find their cause, incidents that are taken in, what
// the incident is tied to - stands where it began, once, unless all is asked for.
func (p *printer) turns(all []api.Decision, each bool) {
	kinds := map[string][]*api.Decision{}
	if !each {
		for n := range all {
			if kind := repeats(&all[n]); kind != "" {
				kinds[kind] = append(kinds[kind], &all[n])
			}
		}
	}
	for n := range all {
		d := &all[n]
		switch same := kinds[repeats(d)]; {
		case len(same) < 2:
			p.decision(d)
		case same[0] == d:
			p.repeated(same)
		}
	}
	if len(all) == 0 {
		p.line("  what was decided is no longer kept")
	}
}

// repeats says of which kind a turn is that comes again and again, "" when it is none of those. What people do always stands by itself.
func repeats(d *api.Decision) string {
	if d.By != "" {
		return ""
	}
	switch text := decisionText(d); text {
	case "was tied to more", "took another in", "a symptom found its cause":
		return text
	}
	return ""
}

// repeated prints turns of one kind: the first of them, or, of what an incident is tied to, the last, which says all.
func (p *printer) repeated(same []*api.Decision) {
	first, last := same[0], same[len(same)-1]
	times, shown := len(same), same[:min(shownTurns, len(same))]
	if first.What == "incident_hit" {
		shown = same[times-1:]
	}
	until := ""
	if a, b := p.time(first.At), p.time(last.At); a != b {
		until = ", the last " + b
	}
	p.line("  %s %s, %s in all%s", decisionText(first), p.time(first.At), plural(times, "time", "times"), until)
	for _, d := range shown {
		p.reasoning(d)
	}
	if rest := times - len(shown); rest > 0 {
		p.line("    - and %d more; `tocsin explain` shows them with --all", rest)
	}
}

// decisions prints the turns of an incident's life, what repeats once.
func (p *printer) decisions(all []api.Decision) { p.turns(all, false) }

func (p *printer) decision(d *api.Decision) {
	text := decisionText(d)
	if d.By != "" {
		text += " by " + d.By
	}
	p.line("  %s %s", text, p.time(d.At))
	p.reasoning(d)
}

func (p *printer) reasoning(d *api.Decision) {
	if d.Text != "" {
		p.line("    - %s", d.Text)
	}
	p.reasons("    - ", d.Why)
	if d.Move != nil {
		p.line("    - %s", d.Move.Sentence)
	}
}

// decisionText says what a turn was.
func decisionText(d *api.Decision) string {
	switch d.What {
	case "incident_hit":
		return "was tied to more"
	case "incident_updated":
		return "a rule had a say"
	case "incident_absorbed":
		return "took another in"
	case "incident_merged":
		return "went into another"
	case "incident_split":
		return "was split"
	case "incident_unmerged":
		return "was parted again"
	case "incident_proposed":
		return "a merge was proposed"
	case "incident_answered":
		return "a proposal was answered"
	case "cluster_parted":
		return "a second fault was seen"
	case "item_placed":
		if d.Move != nil && d.Move.Kind == "silent_root" {
			return "a silent cause was found"
		}
		return "a symptom found its cause"
	}
	return strings.TrimPrefix(d.What, "incident_")
}

func (p *printer) reasons(indent string, all []api.Reason) {
	for _, r := range all {
		place := ""
		if r.Rule != "" && r.Rule != "built in" && !strings.Contains(r.Sentence, r.Rule) {
			place = " (" + r.Rule + ")"
		}
		if r.MilliNats != 0 {
			place += " (" + nats(r.MilliNats) + ")"
		}
		p.line("%s%s%s", indent, r.Sentence, place)
	}
}

// quiet prints what is kept quiet now, nothing when nothing is.
func (p *printer) quiet(all []api.Quiet) {
	if len(all) == 0 {
		return
	}
	p.section(fmt.Sprintf("Kept quiet now (%d)", len(all)))
	for _, q := range all {
		p.line("  %s  %s", q.Alert, q.Sentence)
	}
}
