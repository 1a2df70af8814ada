package main

import (
	"context"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

// incidentsFlags say which incidents, and in which order.
type incidentsFlags struct {
	status, severity, priority   []string
	filter                       []string
	team, assignee, since, query string
	sort                         string
	limit                        int
	watch                        bool
	interval                     time.Duration
}

func newIncidentsCommand() *cobra.Command {
	f := &incidentsFlags{}
	cmd := &cobra.Command{
		Use:   "incidents",
		Short: "List incidents",
		Long:  "List incidents: without flags those that are not resolved, the newest first.",
		Example: `  tocsin incidents
  tocsin incidents --priority P1,P2 --status unacknowledged --watch
  tocsin incidents --filter 'service=~"shop|cart"' --since 8h --status all --json`,
		Args: cobra.NoArgs,
	}
	fl := cmd.Flags()
	fl.StringSliceVar(&f.status, "status", []string{"open"}, "`STATUS`: open (all that are not resolved), acknowledged, unacknowledged, worse, snoozed, held, flapping, signal_lost, resolved or all")
	fl.StringSliceVar(&f.severity, "severity", nil, "`SEVERITY`: critical, major, minor, warning or info")
	fl.StringSliceVar(&f.priority, "priority", nil, "`PRIORITY`: P1 to P5")
	fl.StringVar(&f.team, "team", "", "assigned to this `TEAM`")
	fl.StringVar(&f.assignee, "assignee", "", "assigned to this `PERSON`")
	fl.StringArrayVar(&f.filter, "filter", nil, "`MATCHER` over the incident's labels, as in 'service=\"shop\"'; may be repeated")
	fl.StringVarP(&f.query, "search", "q", "", "`TEXT` in the id, the title or a label's value")
	fl.StringVar(&f.since, "since", "", "`WHEN` it was updated last, or later: a span such as 8h, or 2026-11-21T03:00:00Z")
	fl.StringVar(&f.sort, "sort", "-opened_at", "`ORDER`: opened_at, updated, severity or priority; - in front turns it round")
	fl.IntVar(&f.limit, "limit", 50, "`N` entries at most, 0 for all")
	fl.BoolVar(&f.watch, "watch", false, "go on, and show the list again whenever it changes")
	fl.DurationVar(&f.interval, "interval", 2*time.Second, "how often --watch looks")
	complete(cmd, "status", "open", "acknowledged", "unacknowledged", "worse", "snoozed", "held", "flapping", "signal_lost", "resolved", "all")
	complete(cmd, "severity", "critical", "major", "minor", "warning", "info")
	complete(cmd, "priority", "P1", "P2", "P3", "P4", "P5")
	complete(cmd, "sort", "opened_at", "-opened_at", "updated", "-updated", "severity", "-severity", "priority", "-priority")
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
	v := url.Values{"severity": f.severity, "priority": f.priority, "filter": f.filter, "sort": {f.sort}}
	for _, s := range f.status {
		if s == "all" {
			v.Del("status")
			break
		}
		v.Add("status", s)
	}
	setText(v, "team", f.team, "assignee", f.assignee, "since", f.since, "q", f.query)
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
	table := terminal.NewTable("ID", "PRI", "SEVERITY", "STATUS", "ALERTS", "OPENED", "OWNER", "TITLE")
	for i := range incidents {
		n := &incidents[i]
		table.Add(
			terminal.Text(n.ID), terminal.Text(priority(n.Priority)),
			terminal.Cell{Text: n.Severity, Style: terminal.SeverityStyle(n.Severity)},
			terminal.Cell{Text: statusText(n), Style: terminal.StatusStyle(n.Status)},
			terminal.Text(counts(n.Alerts)), terminal.Text(t.time(n.OpenedAt)), terminal.Text(owner(n)), terminal.Text(n.Title),
		)
	}
	if err := t.table(table, ""); err != nil {
		return err
	}
	t.more(len(found.items), found.total, "incidents")
	return nil
}
