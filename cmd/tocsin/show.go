package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

const (
	shownEntries = 20     // alerts, and entries of the timeline, without --all
	mostEntries  = 10_000 // of a timeline that are looked at
)

func newShowCommand(r *remote) *cobra.Command {
	var all, itself, timeline bool
	cmd := &cobra.Command{
		Use:   "show INC-1",
		Short: "Show an incident: why it is there, its alerts, what people do about it, what happened",
		Long: `Show an incident: why it is there, its alerts, what people do about it, what happened, and what was like it last time, where the history
answers within two seconds. In place of one that was merged it shows the one it went into. --timeline shows all that happened, each entry
with the id by which "tocsin redact" knows it. --json prints the incident as it is, with its timeline.`,
		Example: "  tocsin incident show INC-42",
		Args:    cobra.ExactArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			text, i, err := fetch[api.Incident](ctx, t.api, nil, "incidents", args[0])
			if err != nil {
				return err
			}
			if !t.json && !timeline {
				for hops := 0; i.MergedInto != "" && !itself && hops < 10; hops++ {
					t.line("%s was merged into %s", i.ID, i.MergedInto)
					if _, i, err = fetch[api.Incident](ctx, t.api, nil, "incidents", i.MergedInto); err != nil {
						return err
					}
				}
				return showIncident(ctx, t, i, all)
			}
			past, err := t.api.list(ctx, "entries", mostEntries, nil, "incidents", i.ID, "timeline")
			switch {
			case err != nil:
				return err
			case t.json && timeline:
				return t.rawList(past.items)
			case t.json:
				return t.raw(withTimeline(text, past.items))
			}
			t.line("%s  %s", t.paint(terminal.Bold, i.ID), t.paint(terminal.Bold, i.Title))
			return t.entries(past)
		}),
	}
	cmd.Flags().BoolVar(&timeline, "timeline", false, "the whole timeline alone, with the ids of its entries")
	cmd.Flags().BoolVar(&all, "all", false, fmt.Sprintf("all alerts and the whole timeline, not %d of each", shownEntries))
	cmd.Flags().BoolVar(&itself, "itself", false, "one that was merged, not the one it went into")
	cmd.MarkFlagsMutuallyExclusive("all", "timeline")
	return cmd
}

// withTimeline adds the timeline to an incident as it came.
func withTimeline(incident []byte, entries []json.RawMessage) []byte {
	list, err := json.Marshal(entries)
	if err != nil {
		panic(err) // they were read as JSON
	}
	return fmt.Appendf(bytes.TrimSuffix(bytes.TrimSpace(incident), []byte("}")), `, "timeline": %s}`, list)
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
	if err := t.header(i, t.lastTime(ctx, i.ID)); err != nil {
		return err
	}
	if err := t.dossier(i); err != nil {
		return err
	}
	if i.Cause != nil {
		t.cause(i)
	}
	t.section("Why")
	t.decisions(why.Decisions)
	t.quiet(why.Quiet)
	if err := t.members(alerts); err != nil {
		return err
	}
	return t.timeline(past, limit)
}

// header prints what an incident is; lastTime is what was like it before, "" when nothing is said of that.
func (p *printer) header(i *api.Incident, lastTime string) error {
	p.line("%s  %s", p.paint(terminal.Bold, i.ID), p.paint(terminal.Bold, i.Title))
	severity := i.Severity + ", " + priority(i.Priority)
	if i.Unbound {
		severity += " by its severity alone"
		if i.Labels["service"] == "" {
			severity += ": no affected service is known"
		}
	}
	status := statusText(i)
	if i.Recovered {
		status += ", recovered"
	}
	return p.pairs("  ",
		"Tenant", unless(!p.wide, i.Tenant), "Status", status, "Severity", severity+urgencyText(i), "Opened", p.time(i.OpenedAt)+unless(i.OpenedBy == "", by(i.OpenedBy)),
		"Clear since", unless(i.ClearSince == nil, p.at(i.ClearSince)),
		"Acknowledged", unless(i.AcknowledgedAt == nil, p.at(i.AcknowledgedAt)+" by "+i.AcknowledgedBy),
		"Worse", unless(i.WorseAt == nil, p.at(i.WorseAt)+": it rings again until somebody acknowledges it anew"),
		"New since then", newAlerts(i),
		"Snoozed until", unless(i.SnoozedUntil == nil, p.clock(i.SnoozedUntil)),
		"In progress", unless(i.BegunAt == nil, "since "+p.at(i.BegunAt)),
		"On hold until", unless(i.HeldUntil == nil, p.clock(i.HeldUntil)+": "+held(i)),
		"Assigned to", unless(i.Assignee == "" && i.Team == "", owner(i)),
		"Resolved", unless(i.ResolvedAt == nil, p.at(i.ResolvedAt)+by(i.ResolvedBy)),
		"Closed", unless(i.ClosedAt == nil || i.MergedInto != "", p.at(i.ClosedAt)),
		"Merged", unless(i.MergedInto == "", p.at(i.ClosedAt)+" into "+i.MergedInto),
		"About", i.CI, "Parent", i.Parent, "Children", strings.Join(i.Children, ", "), "Related", strings.Join(i.Related, ", "),
		"Watchers", strings.Join(i.Watchers, ", "), "Rated", unless(i.Rating == 0, rated(i)),
		"Alerts", alertsText(i.Alerts),
		"Storm", unless(i.Storm == "", i.Storm+": it was told of together with others"),
		"Labels", labelsOrNone(i.Labels), "Rule", i.Rule, "Recurs", i.Recurs,
		"Reopened", unless(i.Reopened == 0, strconv.Itoa(int(i.Reopened))+"×"), "Last time", lastTime, "Link", i.Link,
	)
}

// urgencyText says where the priority comes from, where more than the severity counts.
func urgencyText(i *api.Incident) string {
	text := ""
	if i.Impact != 0 {
		text += fmt.Sprintf(", impact %d", i.Impact)
	}
	if i.Urgency != 0 {
		text += fmt.Sprintf(", urgency %d", i.Urgency)
	}
	if len(i.Pinned) > 0 {
		text += "; set by hand: " + strings.Join(i.Pinned, ", ")
	}
	return text
}

// held says what an incident on hold waits for.
func held(i *api.Incident) string {
	kind := heldAs(i.HeldAs)
	if kind == "" || i.HeldFor == "" {
		return kind + i.HeldFor
	}
	return kind + ", " + i.HeldFor
}

func rated(i *api.Incident) string {
	return fmt.Sprintf("%d of 5", i.Rating) + unless(i.RatedWith == "", ": "+i.RatedWith)
}

func newAlerts(i *api.Incident) string {
	if i.New == nil || *i.New == 0 {
		return ""
	}
	return plural(int(*i.New), "alert", "alerts")
}

// alertsText counts an incident's alerts.
func alertsText(c api.Counts) string {
	fires := "fire"
	if c.Firing == 1 {
		fires = "fires"
	}
	text := fmt.Sprintf("%d, of which %d %s, %d expired, %d quiet", c.Total, c.Firing, fires, c.Expired, c.Suppressed)
	if c.Flapping > 0 {
		text += fmt.Sprintf(", %d flapping", c.Flapping)
	}
	return text
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
	p.history(entries, "")
	return nil
}

// entries prints the whole timeline, each entry with its id.
func (p *printer) entries(past listing) error {
	entries, err := decodeAll[api.Change](past.items)
	if err != nil {
		return err
	}
	width := 0
	for i := range entries {
		width = max(width, len(entries[i].ID))
	}
	p.history(entries, "%-"+strconv.Itoa(width)+"s  ")
	return nil
}

// history prints entries; idFormat shows an entry's id, "" does not.
func (p *printer) history(entries []api.Change, idFormat string) {
	width := 0
	for i := range entries {
		width = max(width, terminal.Width(p.time(entries[i].At)))
	}
	for i := range entries {
		id := ""
		if idFormat != "" {
			id = fmt.Sprintf(idFormat, entries[i].ID)
		}
		p.line("  %s%*s  %s", id, width, p.time(entries[i].At), entryText(&entries[i]))
		if entries[i].Kind == "incident_noted" || entries[i].Kind == "incident_told" {
			p.text("    │ ", entries[i].Text)
		}
	}
}
