package pack

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"slices"
	"sync"
	"time"

	"github.com/tocsin-noc/tocsin/history"
	"github.com/tocsin-noc/tocsin/history/reports"
	"github.com/tocsin-noc/tocsin/history/reports/render"
)

const (
	shownItems = 50 // rows of the list behind a report
	shownRows  = 25 // rows of a report's table for the whole period
	shownParts = 93 // rows of its table by bucket
	atOnce     = 2  // questions to the engine: it works on each with all it has
)

//go:embed page.html
var page string

//go:embed page.css
var style string

// section is one report of a pack.
type section struct {
	report *reports.Report
	now    *reports.Result
	before *reports.Result // of the period before, where a headline needs it
	items  *reports.Result
}

// Monthly returns the page of all reports that are in the monthly pack, about the period of p; it is compared with the one before.
func Monthly(ctx context.Context, q history.Querier, c *reports.Catalogue, p reports.Params) ([]byte, error) {
	start := time.Now()
	sections, err := collect(ctx, q, c, p)
	if err != nil {
		return nil, err
	}
	return write(sections, time.Since(start))
}

// collect asks all questions, some at once.
func collect(ctx context.Context, q history.Querier, c *reports.Catalogue, p reports.Params) ([]*section, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var work []func() error
	var sections []*section
	earlier := before(p)
	for _, r := range inOrder(c.Pack("monthly")) {
		s := &section{report: r}
		sections = append(sections, s)
		work = append(work,
			func() (err error) { s.now, err = c.Run(ctx, q, r.Name, p); return err },
			func() (err error) { s.items, err = c.Top(ctx, q, r.Name, p, shownItems); return err },
		)
		if headlined(r.Name) {
			work = append(work, func() (err error) { s.before, err = c.Run(ctx, q, r.Name, earlier); return err })
		}
	}
	queue := make(chan func() error)
	var workers sync.WaitGroup
	for range atOnce {
		workers.Go(func() {
			for one := range queue {
				if err := one(); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, one := range work {
		if ctx.Err() != nil {
			break
		}
		queue <- one
	}
	close(queue)
	workers.Wait()
	return sections, context.Cause(ctx)
}

// inOrder puts what the first page speaks of in front; the rest follows as the catalogue has it.
func inOrder(all []*reports.Report) []*reports.Report {
	front := []string{
		"availability", "mttr", "mtta", "detection", "recurrence", "backlog", "first_time_fix", "reopen_rate", "reassignment", "time_ownership", "interruptions",
	}
	place := func(r *reports.Report) int {
		if i := slices.Index(front, r.Name); i >= 0 {
			return i
		}
		return len(front)
	}
	slices.SortStableFunc(all, func(a, b *reports.Report) int { return cmp.Compare(place(a), place(b)) })
	return all
}

// before returns the period before: the months before where it is made of whole months of the zone, else the time of the same length.
func before(p reports.Params) reports.Params {
	zone, err := time.LoadLocation(p.Zone)
	if err != nil {
		return p // whoever runs it says what is wrong
	}
	from, to := p.From.In(zone), p.To.In(zone)
	p.To = p.From
	if months := (to.Year()-from.Year())*12 + int(to.Month()) - int(from.Month()); months > 0 && monthBegins(from) && monthBegins(to) {
		p.From = from.AddDate(0, -months, 0)
		return p
	}
	p.From = p.From.Add(-to.Sub(from))
	return p
}

// monthBegins tells whether a local time is the first instant of a month.
func monthBegins(t time.Time) bool {
	return t.Equal(time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, t.Location()))
}

// view is a section as the page shows it.
type view struct {
	Report     *reports.Report
	Anchor     string // of the page
	Charts     []template.HTML
	Whole      template.HTML // the table of the whole period
	WholeMore  int           // rows of it that are not shown
	Parts      template.HTML // the table by bucket
	PartsMore  int
	Bucket     string
	Definition [][2]string
	Items      template.HTML
	Shown      int
	Total      string
	Script     string
	ItemScript string
}

// write lays the page out.
func write(sections []*section, took time.Duration) ([]byte, error) {
	data := map[string]any{"Style": render.Style() + template.CSS(style), "Took": took.Round(time.Millisecond)} //nolint:gosec // our own file
	if len(sections) > 0 {
		r := sections[0].now
		data["Span"], data["Filters"], data["Title"] = render.Span(r), render.Filters(r.Params), title(r.Params)
		data["Before"] = name(before(r.Params))
	}
	figures := headlines(sections)
	data["Figures"], data["Sentences"] = figures, sentences(sections, figures)
	var views []view
	for _, s := range sections {
		v, err := s.view()
		if err != nil {
			return nil, err
		}
		views = append(views, v)
	}
	data["Sections"] = views
	t, err := template.New("").Parse(page)
	if err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, data); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	return out.Bytes(), nil
}

func (s *section) view() (view, error) {
	v := view{Report: s.report, Anchor: s.report.Name, Definition: render.Definition(s.report), Bucket: s.now.Params.Bucket, Shown: len(s.items.Table.Rows), Total: count(float64(s.items.Total))}
	for _, c := range s.report.Charts {
		if shows(s.now, c) {
			v.Charts = append(v.Charts, render.SVG(s.now, c))
		}
	}
	whole, parts := halves(s.now)
	v.Whole, v.WholeMore = render.Grid(slim(whole), shownRows), max(0, len(whole.Table.Rows)-shownRows)
	if len(parts.Table.Rows) > 0 {
		v.Parts, v.PartsMore = render.Grid(slim(parts), shownParts), max(0, len(parts.Table.Rows)-shownParts)
	}
	if len(s.items.Table.Rows) > 0 {
		v.Items = render.Grid(slim(s.items), shownItems)
	}
	var err error
	if v.Script, err = s.now.Params.Script(s.now.SQL); err != nil {
		return v, err
	}
	v.ItemScript, err = s.items.Params.Script(s.items.SQL)
	return v, err
}
