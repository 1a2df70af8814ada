package main

import (
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

// incidentsFlags say which incidents, and in which order.
type incidentsFlags struct {
	status, state, severity, priority []string
	filter                            []string
	team, assignee, since, query      string
	watcher, tasks, openedBy, parent  string
	service, ci                       string
	major                             bool
	sort                              string
	limit                             int
	watch                             bool
	interval                          time.Duration
}

func newIncidentsCommand() *cobra.Command {
	f := &incidentsFlags{}
	cmd := &cobra.Command{
		Use:   "incidents",
		Short: "List incidents",
		Long:  "List incidents: without flags those that are open, the newest first.",
		Example: `  tocsin incidents
  tocsin incidents --priority P1,P2 --status unacknowledged --watch
  tocsin incidents --filter 'service=~"shop|cart"' --since 8h --status all --json`,
		Args: cobra.NoArgs,
	}
	fl := cmd.Flags()
	fl.StringSliceVar(&f.status, "status", []string{"open"}, "`STATUS`: open (all that are not over), acknowledged, unacknowledged, worse, snoozed, held, flapping, signal_lost, resolved, closed, cancelled, merged or all")
	fl.StringSliceVar(&f.state, "state", nil, "`STATE`: new, acknowledged, in_progress, on_hold, resolved, closed, cancelled or merged")
	fl.StringSliceVar(&f.severity, "severity", nil, "`SEVERITY`: critical, major, minor, warning or info")
	fl.StringSliceVar(&f.priority, "priority", nil, "`PRIORITY`: P1 to P5")
	fl.StringVar(&f.team, "team", "", "assigned to this `TEAM`")
	fl.StringVar(&f.assignee, "assignee", "", "assigned to this `PERSON`; me: you")
	fl.StringVar(&f.watcher, "watcher", "", "watched by this `PERSON`; me: you")
	fl.StringVar(&f.tasks, "tasks", "", "with an open task of this `PERSON`; me: you")
	fl.StringVar(&f.openedBy, "opened-by", "", "opened by this `PERSON`; me: you; machine: by alerts")
	fl.StringVar(&f.service, "service", "", "hurting the service of this `ID`")
	fl.StringVar(&f.ci, "ci", "", "about the configuration item of this `ID`")
	fl.StringVar(&f.parent, "parent", "", "children of this `INCIDENT`")
	fl.BoolVar(&f.major, "major", false, "major incidents only")
	fl.StringArrayVar(&f.filter, "filter", nil, "`MATCHER` over the incident's labels, as in 'service=\"shop\"'; may be repeated")
	fl.StringVarP(&f.query, "search", "q", "", "`TEXT` in the id, the title or a label's value")
	fl.StringVar(&f.since, "since", "", "`WHEN` it was updated last, or later: a span such as 8h, or 2026-11-21T03:00:00Z")
	fl.StringVar(&f.sort, "sort", "-opened_at", "`ORDER`: opened_at, updated, severity or priority; - in front turns it round")
	fl.IntVar(&f.limit, "limit", 50, "`N` entries at most, 0 for all")
	fl.BoolVar(&f.watch, "watch", false, "go on, and show the list again whenever it changes")
	fl.DurationVar(&f.interval, "interval", 2*time.Second, "how often --watch looks")
	complete(cmd, "status", "open", "acknowledged", "unacknowledged", "worse", "snoozed", "held", "flapping", "signal_lost", "resolved", "closed", "cancelled", "merged", "all")
	complete(cmd, "state", "new", "acknowledged", "in_progress", "on_hold", "resolved", "closed", "cancelled", "merged")
	complete(cmd, "severity", "critical", "major", "minor", "warning", "info")
	complete(cmd, "priority", "P1", "P2", "P3", "P4", "P5")
	complete(cmd, "sort", "opened_at", "-opened_at", "updated", "-updated", "severity", "-severity", "priority", "-priority")
	cmd.PreRun = func(*cobra.Command, []string) {
		if len(f.state) > 0 && !fl.Changed("status") {
			f.status = nil // a state says all
		}
	}
	cmd.RunE = addRemote(fl).run(f.run)
	return cmd
}

// complete makes the shell offer values for a flag.
func complete(cmd *cobra.Command, flag string, values ...string) {
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag does not exist: a mistake in this file
	}
}

func (f *incidentsFlags) run(ctx context.Context, t *tool, _ []string) error {
	if f.limit < 0 || f.interval <= 0 {
		return usage("--limit and --interval must not be negative", "")
	}
	if f.watch {
		return f.follow(ctx, t)
	}
	found, err := t.api.list(ctx, "incidents", f.limit, f.values(), "incidents")
	if err != nil {
		return err
	}
	return f.show(t, found)
}

func (f *incidentsFlags) values() url.Values {
	v := url.Values{"status": f.status, "state": f.state, "severity": f.severity, "priority": f.priority, "filter": f.filter, "sort": {f.sort}}
	setText(v, "team", f.team, "assignee", f.assignee, "since", f.since, "q", f.query, "watcher", f.watcher, "tasks", f.tasks,
		"opened_by", f.openedBy, "service", f.service, "ci", f.ci, "parent", f.parent)
	if f.major {
		v.Set("major", "true")
	}
	return v
}

// setText sets the parameters that are not empty, given as name and value in turn.
func setText(v url.Values, namesAndValues ...string) {
	for i := 0; i < len(namesAndValues); i += 2 {
		if namesAndValues[i+1] != "" {
			v.Set(namesAndValues[i], namesAndValues[i+1])
		}
	}
}

func (f *incidentsFlags) show(t *tool, found listing) error {
	if t.json {
		return t.rawList(found.items)
	}
	if len(found.items) == 0 {
		t.note("no incident matches")
		return nil
	}
	incidents, err := decodeAll[api.Incident](found.items)
	if err != nil {
		return err
	}
	headings := []string{"ID", "PRI", "SEVERITY", "STATUS", "ALERTS", "OPENED", "OWNER", "CAUSE", "TITLE"}
	causes := slices.ContainsFunc(incidents, func(i api.Incident) bool { return causeCell(&i) != "" })
	if !causes { // no column for what nobody knows
		headings = slices.Delete(headings, 7, 8)
	}
	table := t.grid(headings...)
	for i := range incidents {
		n := &incidents[i]
		cells := []terminal.Cell{
			terminal.Text(n.ID), terminal.Text(priority(n.Priority)),
			{Text: n.Severity, Style: terminal.SeverityStyle(n.Severity)}, {Text: statusText(n), Style: terminal.StatusStyle(n.Status)},
			terminal.Text(counts(n.Alerts)), terminal.Text(t.time(n.OpenedAt)), terminal.Text(owner(n)), terminal.Text(causeCell(n)), terminal.Text(n.Title),
		}
		if !causes {
			cells = slices.Delete(cells, 7, 8)
		}
		table.add(n.Tenant, cells...)
	}
	if err := t.table(table, ""); err != nil {
		return err
	}
	t.more(len(found.items), found.total, "incidents")
	return nil
}
