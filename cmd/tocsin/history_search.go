package main

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

// newHistoryAlertsCommand searches the alerts of the past.
func newHistoryAlertsCommand() *cobra.Command {
	var from, to, ci, phase string
	var limit int
	cmd := &cobra.Command{
		Use:   "alerts [MATCHERS]...",
		Short: "Search the alerts of the past",
		Long: `Search the alerts of the past: each time that an alert began to fire, the latest first. Matchers are written as Alertmanager writes them, and
all must match.`,
		Example: `  tocsin history alerts '{alertname="DiskFull",env=~"p.*"}' --from 30d
  tocsin history alerts 'instance=~"db-.*"' --ci db-3 --phase cleared --from 2026-10-01 --to 2026-11-01`,
	}
	fl := cmd.Flags()
	fl.StringVar(&from, "from", "", "`WHEN` they began to fire, or later: a span before now such as 8h, a day as in 2026-10-01, or 2026-10-01T03:00:00Z (default 7 days before --to)")
	fl.StringVar(&to, "to", "", "`WHEN` at the latest, written as --from (default now)")
	fl.StringVar(&ci, "ci", "", "bound to this `CI`")
	fl.StringVar(&phase, "phase", "", "`PHASE` in which they were at the end of that time: firing, cleared or expired")
	fl.IntVar(&limit, "limit", 100, "`N` alerts at most, up to 10000")
	complete(cmd, "phase", "firing", "cleared", "expired")
	cmd.RunE = addRemote(fl).run(func(ctx context.Context, t *tool, args []string) error {
		q := url.Values{"limit": {strconv.Itoa(limit)}, "match": args}
		setText(q, "ci", ci, "phase", phase)
		if err := setPeriod(q, from, to, t.now); err != nil {
			return err
		}
		text, found, err := fetch[api.AlertHistory](ctx, t.api.patient(), q, "history", "alerts")
		if err != nil {
			return err
		}
		if t.json {
			return t.raw(text)
		}
		return t.alertHistory(found)
	})
	return cmd
}

// instant reads a span before now, a day in the local zone, or an instant.
func instant(text string, now time.Time) (time.Time, error) {
	if d, err := model.ParseDuration(text); err == nil {
		return now.Add(-time.Duration(d)), nil
	}
	if day, err := time.ParseInLocation(time.DateOnly, text, now.Location()); err == nil {
		return day, nil
	}
	return time.Parse(time.RFC3339Nano, text)
}

func (p *printer) alertHistory(h *api.AlertHistory) error {
	if len(h.Alerts) == 0 {
		p.note("no alert matches from %s to %s", terminal.Clock(h.From.Local()), terminal.Clock(h.To.Local()))
		return nil
	}
	table := p.grid("FIRED", "TOOK", "SEVERITY", "STATE", "INCIDENT", "ALERT")
	for i := range h.Alerts {
		a := &h.Alerts[i]
		took := "-"
		if a.EndedAt != nil {
			took = terminal.Span(a.EndedAt.Sub(a.FiringAt))
		}
		state := a.Phase
		if len(a.Quiet) > 0 {
			state += ", quiet"
		}
		table.add(a.Tenant, terminal.Text(p.time(a.FiringAt)), terminal.Text(took), terminal.Cell{Text: a.Severity, Style: terminal.SeverityStyle(a.Severity)},
			terminal.Cell{Text: state, Style: terminal.StatusStyle(a.Phase)}, terminal.Text(a.Incident), terminal.Text(alertName(a.Name, a.Resource)))
	}
	if err := p.table(table, ""); err != nil {
		return err
	}
	if h.Total > len(h.Alerts) {
		p.note("the latest %d of %d alerts; --limit shows more", len(h.Alerts), h.Total)
	}
	return nil
}
