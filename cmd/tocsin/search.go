package main

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

// newSearchCommand finds incidents by their words.
func newSearchCommand() *cobra.Command {
	var status, severity, team []string
	var since string
	var limit int
	cmd := &cobra.Command{
		Use:   "search [WORD]...",
		Short: "Find incidents by the words in them, notes included",
		Long: `Find incidents by the words in them: titles, labels, notes, reasons, updates, reports, tasks and tickets. The best come first.

Words must all be there; "a phrase", a prefix*, -without, and field:value narrow (title:, note:, reason:, update:, report:,
task:, ticket:, team:, status:, priority:, ci:, or any label, as in service:shop).`,
		Example: `  tocsin search disk full
  tocsin search '"replication lag" service:shop -vendor' --since 30d
  tocsin search note:firmware --status resolved,closed`,
	}
	fl := cmd.Flags()
	fl.StringSliceVar(&status, "status", nil, "`STATUS`: open, acknowledged, snoozed, held, resolved, closed, cancelled or merged")
	fl.StringSliceVar(&severity, "severity", nil, "`SEVERITY`: critical, major, minor, warning or info")
	fl.StringSliceVar(&team, "team", nil, "of this `TEAM`")
	fl.StringVar(&since, "since", "", "`WHEN` it changed last, or later: a span such as 8h, or 2026-11-21T03:00:00Z")
	fl.IntVar(&limit, "limit", 20, "`N` incidents at most, up to 200")
	complete(cmd, "status", "open", "acknowledged", "snoozed", "held", "resolved", "closed", "cancelled", "merged")
	complete(cmd, "severity", "critical", "major", "minor", "warning", "info")
	cmd.RunE = addRemote(fl).run(func(ctx context.Context, t *tool, args []string) error {
		q := url.Values{"status": status, "severity": severity, "team": team, "limit": {strconv.Itoa(limit)}}
		setText(q, "q", strings.Join(args, " "), "since", since)
		text, found, err := fetch[api.SearchResult](ctx, t.api, q, "search")
		if err != nil {
			return err
		}
		if t.json {
			return t.raw(text)
		}
		showFound(t.printer, found)
		return nil
	})
	return cmd
}

func showFound(p *printer, found *api.SearchResult) {
	for i := range found.Hits {
		h := &found.Hits[i]
		tenant := ""
		if p.wide {
			tenant = h.Tenant + "  "
		}
		p.line("%s%s  %s  %s  %s", tenant, p.paint(terminal.Bold, h.Incident), p.paint(terminal.StatusStyle(h.Status), h.Status), p.time(h.UpdatedAt), h.Title)
		for j := range h.Matches {
			if m := &h.Matches[j]; m.Field != "title" {
				p.line("    %s %s", p.paint(terminal.Dim, matchOf(p, m)), marked(p, m))
			}
		}
	}
	switch {
	case found.Total == 0:
		p.note("no incident holds that")
	case found.Total > len(found.Hits):
		p.note("%d of %d incidents; --limit shows more", len(found.Hits), found.Total)
	}
	if found.Behind.Building {
		p.note("the index is being filled: more will be found later")
	} else if found.Behind.Seconds > 60 {
		p.note("the index is %d changes behind", int(found.Behind.Entries))
	}
}

// matchOf says where a text stands, by whom and when.
func matchOf(p *printer, m *api.SearchMatch) string {
	words := []string{m.Field}
	if m.Label != "" {
		words = []string{"label", m.Label}
	}
	if m.By != "" {
		words = append(words, "by", m.By)
	}
	if m.At != nil {
		words = append(words, p.time(*m.At))
	}
	return strings.Join(words, " ") + ":"
}

// marked is a text with what was found in bold; where there is no colour it stands as it is.
func marked(p *printer, m *api.SearchMatch) painted {
	text := []rune(m.Text)
	var b strings.Builder
	if m.Before {
		b.WriteString("… ")
	}
	last := 0
	for _, mark := range m.Marks {
		from, to := min(max(mark[0], last), len(text)), min(mark[1], len(text))
		if to <= from {
			continue
		}
		b.WriteString(terminal.Clean(string(text[last:from])))
		b.WriteString(string(p.paint(terminal.Bold, string(text[from:to]))))
		last = to
	}
	b.WriteString(terminal.Clean(string(text[last:])))
	if m.After {
		b.WriteString(" …")
	}
	return painted(b.String())
}
