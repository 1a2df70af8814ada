package main

import (
	"context"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

// alertsFlags say which alerts.
type alertsFlags struct {
	state, severity, filter  []string
	incident, source, search string
	suppressed               string
	limit                    int
}

func newAlertsCommand() *cobra.Command {
	f := &alertsFlags{}
	cmd := &cobra.Command{
		Use:   "alerts",
		Short: "List alerts",
		Long:  "List alerts: without flags those that fire, the worst first.",
		Example: `  tocsin alerts --filter 'instance=~"db-.*"'
  tocsin alerts --incident none --severity critical
  tocsin alerts --json --limit 0 | jq -r .labels.instance | sort | uniq -c`,
		Args: cobra.NoArgs,
	}
	fl := cmd.Flags()
	fl.StringSliceVar(&f.state, "state", []string{"firing"}, "`STATE`: firing, cleared or expired")
	fl.StringSliceVar(&f.severity, "severity", nil, "`SEVERITY`: critical, major, minor, warning or info")
	fl.StringArrayVar(&f.filter, "filter", nil, "`MATCHER` over the labels, as in 'job=\"node\"'; may be repeated")
	fl.StringVarP(&f.search, "search", "q", "", "`TEXT` in a label's value")
	fl.StringVar(&f.incident, "incident", "", "in this `INC-1`, or none")
	fl.StringVar(&f.source, "source", "", "`SOURCE` that speaks of it")
	fl.StringVar(&f.suppressed, "quiet", "", "`BOOL`: true: kept quiet by a silence, a window or another alert; false: not")
	fl.IntVar(&f.limit, "limit", 50, "`N` entries at most, 0 for all")
	complete(cmd, "state", "firing", "cleared", "expired")
	complete(cmd, "severity", "critical", "major", "minor", "warning", "info")
	complete(cmd, "quiet", "true", "false")
	cmd.RunE = addRemote(fl).run(f.run)
	return cmd
}

func (f *alertsFlags) run(ctx context.Context, t *tool, _ []string) error {
	if f.limit < 0 {
		return usage("--limit must not be negative", "")
	}
	v := url.Values{"state": f.state, "severity": f.severity, "filter": f.filter}
	setText(v, "incident", f.incident, "source", f.source, "suppressed", f.suppressed, "q", f.search)
	found, err := t.api.list(ctx, "alerts", f.limit, v, "alerts")
	if err != nil {
		return err
	}
	if t.json {
		return t.rawList(found.items)
	}
	if len(found.items) == 0 {
		t.note("no alert matches")
		return nil
	}
	alerts, err := decodeAll[api.Alert](found.items)
	if err != nil {
		return err
	}
	if err := t.table(t.alertTable(alerts), ""); err != nil {
		return err
	}
	t.more(len(alerts), found.total, "alerts")
	return nil
}

func (p *printer) alertTable(alerts []api.Alert) *grid {
	table := p.grid("ID", "SEVERITY", "STATE", "SINCE", "INCIDENT", "ALERT")
	for i := range alerts {
		a := &alerts[i]
		since := p.at(a.FiringAt)
		if a.EndedAt != nil {
			since = p.at(a.EndedAt)
		}
		table.add(a.Tenant,
			terminal.Text(a.ID), terminal.Cell{Text: a.Severity, Style: terminal.SeverityStyle(a.Severity)},
			terminal.Cell{Text: alertState(a), Style: terminal.StatusStyle(a.State)},
			terminal.Text(since), terminal.Text(a.Incident), terminal.Text(alertName(a.Name, a.Resource)),
		)
	}
	return table
}

func alertState(a *api.Alert) string {
	state := a.State
	if a.Suppressed {
		state += ", quiet"
	}
	if a.Flapping != nil && a.Flapping.Damped {
		state += ", flapping"
	}
	return state
}
