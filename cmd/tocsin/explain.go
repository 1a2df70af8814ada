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
	cmd := &cobra.Command{
		Use:   "explain INC-1|ALERT",
		Short: "Say why: why an incident opened, why each alert is in it, why an alert opened none",
		Long: `Say why an incident opened and reopened, by which rule (file:line), why each alert is in it, and what keeps what quiet.
For an alert (its id, or the fingerprint of Alertmanager's clients): why it is in an incident, waits, or opens none.`,
		Example: "  tocsin explain INC-42\n  tocsin explain 9c6e2b1f00d3a7e5",
		Args:    cobra.ExactArgs(1),
	}
	cmd.RunE = addRemote(cmd.Flags()).run(func(ctx context.Context, t *tool, args []string) error {
		if !isNumber(args[0]) {
			if isIncident(args[0]) {
				return explainIncident(ctx, t, args[0])
			}
			return explainAlert(ctx, t, args[0])
		}
		err := explainIncident(ctx, t, args[0]) // digits alone may be either
		if f, ok := errors.AsType[*fault](err); ok && f.code == exitNotFound {
			return explainAlert(ctx, t, args[0])
		}
		return err
	})
	return cmd
}

func isIncident(ref string) bool { return len(ref) > 4 && strings.EqualFold(ref[:4], "INC-") }

func isNumber(ref string) bool { return strings.Trim(ref, "0123456789") == "" }

func explainIncident(ctx context.Context, t *tool, ref string) error {
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
	t.section("Why it is there")
	t.decisions(why.Decisions)
	t.section(fmt.Sprintf("Why its alerts are in it (%d)", len(why.Alerts)+why.More))
	for _, a := range why.Alerts {
		t.line("  %s  %s (%s): %s", a.ID, alertName(a.Name, a.Resource), a.State, a.Sentence)
	}
	if why.More > 0 {
		t.line("  and %d more; `tocsin alerts --incident %s --limit 0` lists them", why.More, i.ID)
	}
	t.quiet(why.Quiet)
	return nil
}

// decisions prints the turns of an incident's life, each with its reasoning.
func (p *printer) decisions(all []api.Decision) {
	if len(all) == 0 {
		p.line("  what was decided is no longer kept")
	}
	for _, d := range all {
		what := strings.TrimPrefix(d.What, "incident_")
		if what == "hit" {
			what = "was tied to more"
		}
		p.line("  %s %s", what, p.time(d.At))
		p.reasons("    - ", d.Why)
	}
}

func (p *printer) reasons(indent string, all []api.Reason) {
	for _, r := range all {
		place := ""
		if r.Rule != "" && !strings.Contains(r.Sentence, r.Rule) {
			place = " (" + r.Rule + ")"
		}
		if r.MilliNats != 0 {
			place += fmt.Sprintf(" (%+.1f nats)", float64(r.MilliNats)/1000)
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

func explainAlert(ctx context.Context, t *tool, ref string) error {
	text, a, err := fetch[api.Alert](ctx, t.api, nil, "alerts", ref)
	if err != nil {
		return err
	}
	if t.json {
		return t.raw(text)
	}
	t.line("%s  %s  (%s, %s)", t.paint(terminal.Bold, a.ID), t.paint(terminal.Bold, alertName(a.Name, a.Resource)), a.Severity, alertState(a))
	t.section("Why it is where it is")
	t.line("  %s", a.Why)
	if a.Rule != "" {
		t.line("  Rule %s groups it by %s.", a.Rule, labelText(a.Key))
	}
	t.line("  Tocsin knows it as %s: all its labels but replica, prometheus_replica and severity.", a.Identity)
	for _, id := range a.SilencedBy {
		t.line("  The silence %s quiets it.", id)
	}
	if len(a.InhibitedBy) > 0 {
		t.line("  It is inhibited by %s.", labelText(a.InhibitedBy))
	}
	for _, w := range a.Maintenance {
		t.line("  The maintenance window %s (%s) quiets it until %s.", w.Name, w.ID, t.clock(w.Until))
	}
	if a.Flapping != nil {
		t.line("  %s.", a.Flapping.Sentence)
	}
	for i := range a.Claims {
		t.line("  %s", claimSentence(t.printer, &a.Claims[i]))
	}
	if a.Incident == "" {
		return nil
	}
	_, why, err := fetch[api.Why](ctx, t.api, nil, "incidents", a.Incident, "why")
	if err != nil {
		return err
	}
	t.section("Why " + terminal.Clean(a.Incident) + " is there")
	t.decisions(why.Decisions)
	return nil
}

// claimSentence says what one source says, and what will end it.
func claimSentence(p *printer, c *api.Claim) string {
	s := fmt.Sprintf("%s says %s (%s, last word %s)", c.Source, c.State, c.Severity, p.at(c.SeenAt))
	switch {
	case c.State != "firing":
		return s + "."
	case c.EndsAt == nil:
		return s + "; only an explicit clear ends it."
	}
	return s + "; it expires " + p.at(c.EndsAt) + " unless it is repeated."
}
