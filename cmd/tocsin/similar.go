package main

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

// newSimilarCommand finds what was like an incident before.
func newSimilarCommand() *cobra.Command {
	var origin string
	var days, limit int
	cmd := &cobra.Command{
		Use:   "similar INCIDENT",
		Short: "Find incidents of the past that were like one",
		Long: `Find incidents of the past that were like one: the same trouble on the same item, anything on the same item, or the same trouble
elsewhere. The likest come first.`,
		Example: "  tocsin similar INC-42\n  tocsin similar INC0012345 --origin servicenow-2025",
		Args:    cobra.ExactArgs(1),
	}
	fl := cmd.Flags()
	fl.StringVar(&origin, "origin", "", "`NAME` of the import that brought the incident (default Tocsin's own)")
	fl.IntVar(&days, "days", 400, "`N` days to look back from its opening")
	fl.IntVar(&limit, "limit", 10, "`N` incidents at most, up to 100")
	cmd.RunE = addRemote(fl).run(func(ctx context.Context, t *tool, args []string) error {
		q := url.Values{"days": {strconv.Itoa(days)}, "limit": {strconv.Itoa(limit)}}
		setText(q, "origin", origin)
		text, found, err := fetch[api.SimilarIncidents](ctx, t.api, q, "incidents", args[0], "similar")
		if err != nil {
			return err
		}
		if t.json {
			return t.raw(text)
		}
		return t.similar(found)
	})
	return cmd
}

func (p *printer) similar(s *api.SimilarIncidents) error {
	p.line("%s  %s", p.paint(terminal.Bold, s.Incident), s.Title)
	if s.Total == 0 {
		p.note("nothing was like it")
		return nil
	}
	for _, c := range []struct {
		what  string
		count *api.SimilarCount
		same  string
	}{
		{"this trouble on " + unless(s.CI == "", s.CI) + unless(s.CI != "", "no item"), &s.Signature, "trouble"},
		{"anything on " + s.CI, &s.Item, "item"}, {"this trouble anywhere", &s.Name, "alert"},
	} {
		if c.count.All > 0 {
			p.line("%s: %s in 90 days, %s in all%s", c.what, number(c.count.Days90), number(c.count.All), p.lastTime(s, c.same))
		}
	}
	table := terminal.NewTable("LAST", "TOOK", "INCIDENT", "SAME", "RESOLVED BY", "TITLE")
	for i := range s.Incidents {
		one := &s.Incidents[i]
		table.Add(terminal.Text(p.time(one.OpenedAt)), terminal.Text(tookOf(one)), terminal.Text(one.Incident+unless(one.Origin == "", " ("+one.Origin+")")),
			terminal.Text(strings.Join(one.Same, ", ")), terminal.Text(one.ResolvedBy), terminal.Text(one.Title+unless(one.How == "", " – "+one.How)))
	}
	if err := p.table(table, ""); err != nil {
		return err
	}
	if s.Total > len(s.Incidents) {
		p.note("%d of %d incidents; --limit shows more", len(s.Incidents), s.Total)
	}
	return nil
}

// lastTime tells of the latest incident that was the same in something, as far as it is listed.
func (p *printer) lastTime(s *api.SimilarIncidents, same string) string {
	var last *api.SimilarIncident
	for i := range s.Incidents {
		if one := &s.Incidents[i]; strings.Contains(strings.Join(one.Same, " "), same) && (last == nil || one.OpenedAt.After(last.OpenedAt)) {
			last = one
		}
	}
	if last == nil {
		return ""
	}
	text := "; last time: " + last.OpenedAt.Local().Format("2 Jan 2006")
	if last.Seconds != nil {
		text += ", " + tookOf(last)
	}
	if last.ResolvedBy != "" {
		text += ", resolved by " + last.ResolvedBy
	}
	return text
}

func tookOf(i *api.SimilarIncident) string {
	if i.Seconds == nil {
		return "-"
	}
	return terminal.Span(time.Duration(*i.Seconds * float64(time.Second)))
}
