package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/auth"
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
		text, found, err := fetch[api.SimilarIncidents](ctx, t.api.patient(), q, "incidents", args[0], "similar")
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
			p.line("%s: %s in 90 days, %s in all%s", c.what, number(c.count.Days90), number(c.count.All), p.lastOf(s, c.same))
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

// lastOf tells of the latest incident that was the same in something, as far as it is listed.
func (p *printer) lastOf(s *api.SimilarIncidents, same string) string {
	var last *api.SimilarIncident
	for i := range s.Incidents {
		if one := &s.Incidents[i]; strings.Contains(strings.Join(one.Same, " "), same) && (last == nil || one.OpenedAt.After(last.OpenedAt)) {
			last = one
		}
	}
	if last == nil {
		return ""
	}
	return "; last time: " + pastWords(last)
}

// pastWords say when an incident of the past was, how long it took, and who resolved it.
func pastWords(i *api.SimilarIncident) string {
	text := i.OpenedAt.Local().Format("2 Jan 2006")
	if i.Seconds != nil {
		text += ", " + tookOf(i)
	}
	if i.ResolvedBy != "" {
		text += ", resolved by " + i.ResolvedBy
	}
	return text
}

// lastTimeWithin is how long an incident's page waits for the history: whoever looks at it now has no time.
const lastTimeWithin = 2 * time.Second

// lastTime says in a line what was most like an incident before, or why that is not known. Empty: nothing was, or the daemon cannot say.
func (t *tool) lastTime(ctx context.Context, incident string) string {
	ctx, stop := context.WithTimeout(ctx, lastTimeWithin)
	defer stop()
	_, found, err := fetch[api.SimilarIncidents](ctx, t.api, url.Values{"limit": {"1"}}, "incidents", incident, "similar")
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("not known: no word from the history within %s; `tocsin similar %s` waits longer", lastTimeWithin, incident)
	}
	if p, ok := errors.AsType[*auth.Problem](err); ok && p.Status == http.StatusServiceUnavailable {
		return "not known: " + p.Detail + unless(p.Hint == "", "; "+p.Hint)
	}
	if err != nil || len(found.Incidents) == 0 {
		return ""
	}
	last := &found.Incidents[0]
	text := pastWords(last) + unless(last.How == "", ": "+last.How)
	kind, count := "the same trouble elsewhere", &found.Name
	switch {
	case slices.Contains(last.Same, "trouble"):
		kind, count = "the same trouble", &found.Signature
	case slices.Contains(last.Same, "item"):
		kind, count = "something else on "+found.CI, &found.Item
	}
	return fmt.Sprintf("%s (%s, %s; %s in 90 days)", text, last.Incident+unless(last.Origin == "", " of "+last.Origin), kind, number(count.Days90))
}

func tookOf(i *api.SimilarIncident) string {
	if i.Seconds == nil {
		return "-"
	}
	return terminal.Span(time.Duration(*i.Seconds * float64(time.Second)))
}
