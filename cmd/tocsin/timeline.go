package main

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

// newTimelineCommand shows what happened to a configuration item.
func newTimelineCommand() *cobra.Command {
	var from, to string
	var limit int
	cmd := &cobra.Command{
		Use:   "timeline CI",
		Short: "Show what happened to a configuration item or service",
		Long:  "Show what happened to a configuration item or service, oldest first: alerts, incidents, outages, changes of the item, and maintenance windows that name it.",
		Example: `  tocsin timeline db-3
  tocsin timeline shop --from 2026-10-01 --to 2026-11-01`,
		Args: cobra.ExactArgs(1),
	}
	fl := cmd.Flags()
	fl.StringVar(&from, "from", "", "`WHEN`: a span before now such as 8h, a day as in 2026-10-01, or 2026-10-01T03:00:00Z (default 30 days before --to)")
	fl.StringVar(&to, "to", "", "`WHEN`, written as --from (default now)")
	fl.IntVar(&limit, "limit", 500, "`N` entries at most, the latest")
	cmd.RunE = addRemote(fl).run(func(ctx context.Context, t *tool, args []string) error {
		q := url.Values{"limit": {strconv.Itoa(limit)}}
		if err := setPeriod(q, from, to, t.now); err != nil {
			return err
		}
		text, found, err := fetch[api.CITimeline](ctx, t.api.patient(), q, "cis", args[0], "timeline")
		if err != nil {
			return err
		}
		if t.json {
			return t.raw(text)
		}
		return t.itemTimeline(found)
	})
	return cmd
}

// setPeriod puts the ends of a time into a query.
func setPeriod(q url.Values, from, to string, now time.Time) error {
	for name, text := range map[string]string{"from": from, "to": to} {
		if text == "" {
			continue
		}
		at, err := instant(text, now)
		if err != nil {
			return usage("--"+name+": "+quote(text)+" is no time", "write a span before now such as 8h or 30d, a day as in 2026-10-01, or 2026-10-01T03:00:00Z")
		}
		q.Set(name, at.UTC().Format(time.RFC3339Nano))
	}
	return nil
}

func (p *printer) itemTimeline(t *api.CITimeline) error {
	if len(t.Entries) == 0 {
		p.note("nothing happened to %s from %s to %s", t.CI, terminal.Clock(t.From.Local()), terminal.Clock(t.To.Local()))
		return nil
	}
	table := p.grid("WHEN", "TOOK", "WHAT", "STATE", "TITLE")
	for i := range t.Entries {
		e := &t.Entries[i]
		took := "-"
		if e.Until != nil {
			took = terminal.Span(e.Until.Sub(e.At))
		}
		what, title := e.Kind, e.Title
		if e.Ref != "" && e.Kind != "window" {
			what += " " + e.Ref
		}
		if e.Origin != "" {
			what += " (" + e.Origin + ")"
		}
		if e.Incident != "" {
			title += ", in " + e.Incident
		}
		if e.By != "" {
			title += ", by " + e.By
		}
		table.add(e.Tenant, terminal.Text(p.time(e.At)), terminal.Text(took), terminal.Text(what),
			terminal.Cell{Text: e.State, Style: terminal.StatusStyle(e.State)}, terminal.Text(title))
	}
	if err := p.table(table, ""); err != nil {
		return err
	}
	if t.Total > len(t.Entries) {
		p.note("the latest %d of %d entries; --limit or --from and --to show others", len(t.Entries), t.Total)
	}
	return nil
}
