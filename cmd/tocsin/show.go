package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

const (
	shownEntries = 20     // alerts, and entries of the timeline, without --all
	mostEntries  = 10_000 // of a timeline that are looked at
)

func newShowCommand(r *remote) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:     "show INC-1",
		Short:   "Show an incident: why it is there, its alerts, what happened",
		Long:    "Show an incident: why it is there, its alerts, what happened. --json prints the incident alone.",
		Example: "  tocsin incident show INC-42",
		Args:    cobra.ExactArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			text, i, err := fetch[api.Incident](ctx, t.api, nil, "incidents", args[0])
			if err != nil {
				return err
			}
			if t.json {
				return t.raw(text)
			}
			return showIncident(ctx, t, i, all)
		}),
	}
	cmd.Flags().BoolVar(&all, "all", false, fmt.Sprintf("all alerts and the whole timeline, not %d of each", shownEntries))
	return cmd
}

func showIncident(ctx context.Context, t *tool, i *api.Incident, all bool) error {
	limit := shownEntries
	if all {
		limit = 0
	}
	_, why, err := fetch[api.Why](ctx, t.api, nil, "incidents", i.ID, "why")
	if err != nil {
		return err
	}
	alerts, err := t.api.list(ctx, "alerts", limit, nil, "incidents", i.ID, "alerts")
	if err != nil {
		return err
	}
	past, err := t.api.list(ctx, "entries", mostEntries, nil, "incidents", i.ID, "timeline")
	if err != nil {
		return err
	}
	if err := t.header(i); err != nil {
		return err
	}
	t.section("Why")
	t.decisions(why.Decisions)
	t.quiet(why.Quiet)
	if err := t.members(alerts); err != nil {
		return err
	}
	return t.timeline(past, limit)
}

func (p *printer) header(i *api.Incident) error {
	p.line("%s  %s", p.paint(terminal.Bold, i.ID), p.paint(terminal.Bold, i.Title))
	severity := i.Severity + ", " + priority(i.Priority)
	if i.Unbound {
		severity += " by its severity alone: no affected service is known"
	}
	status := statusText(i)
	if i.Recovered {
		status += ", recovered"
	}
	return p.pairs("  ",
		"Status", status, "Severity", severity, "Opened", p.time(i.OpenedAt),
		"Clear since", unless(i.ClearSince == nil, p.at(i.ClearSince)),
		"Acknowledged", unless(i.AcknowledgedAt == nil, p.at(i.AcknowledgedAt)+" by "+i.AcknowledgedBy),
		"Worse", unless(i.WorseAt == nil, p.at(i.WorseAt)+": it rings again until somebody acknowledges it anew"),
		"New since then", newAlerts(i),
		"Snoozed until", unless(i.SnoozedUntil == nil, p.clock(i.SnoozedUntil)),
		"On hold until", unless(i.HeldUntil == nil, p.clock(i.HeldUntil)+": "+i.HeldFor),
		"Assigned to", unless(i.Assignee == "" && i.Team == "", owner(i)),
		"Resolved", unless(i.ResolvedAt == nil, p.at(i.ResolvedAt)+by(i.ResolvedBy)),
		"Alerts", fmt.Sprintf("%d, of which %d fire, %d expired, %d quiet", i.Alerts.Total, i.Alerts.Firing, i.Alerts.Expired, i.Alerts.Suppressed)+flappingText(i),
		"Storm", unless(i.Storm == "", i.Storm+": it was told of together with others"),
		"Labels", labelsOrNone(i.Labels), "Rule", i.Rule, "Recurs", i.Recurs,
		"Reopened", unless(i.Reopened == 0, strconv.Itoa(int(i.Reopened))+"×"), "Link", i.Link,
	)
}

func newAlerts(i *api.Incident) string {
	if i.New == nil || *i.New == 0 {
		return ""
	}
	return plural(int(*i.New), "alert", "alerts")
}

func flappingText(i *api.Incident) string {
	if i.Alerts.Flapping == 0 {
		return ""
	}
	return fmt.Sprintf(", %d flapping", i.Alerts.Flapping)
}

// unless returns s, or nothing when a field has no meaning.
func unless(without bool, s string) string {
	if without {
		return ""
	}
	return s
}

func by(who string) string {
	if who == "" {
		return " by itself"
	}
	return " by " + who
}

func (p *printer) members(found listing) error {
	p.section(fmt.Sprintf("Alerts (%d)", found.total))
	alerts, err := decodeAll[api.Alert](found.items)
	if err != nil {
		return err
	}
	if err := p.table(p.alertTable(alerts), "  "); err != nil {
		return err
	}
	if more := found.total - len(alerts); more > 0 {
		p.line("  and %d more; --all shows them", more)
	}
	return nil
}

// timeline prints the last entries, limit 0: all.
func (p *printer) timeline(past listing, limit int) error {
	p.section("Timeline")
	entries, err := decodeAll[api.Change](past.items)
	if err != nil {
		return err
	}
	if early := len(entries) - limit; limit > 0 && early > 0 {
		p.line("  %d earlier; --all shows them", early)
		entries = entries[early:]
	}
	width := 0
	for i := range entries {
		width = max(width, terminal.Width(p.time(entries[i].At)))
	}
	for i := range entries {
		p.line("  %*s  %s", width, p.time(entries[i].At), entryText(&entries[i]))
		if entries[i].Kind == "incident_noted" {
			p.text("    │ ", entries[i].Text)
		}
	}
	return nil
}
