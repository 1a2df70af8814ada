package api

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

const (
	maxCalendar  = 92 * event.Day
	maxOccasions = 1_000
)

// CalendarQuery is what part of the calendar is asked for.
type CalendarQuery struct {
	From  time.Time `query:"from" doc:"now, if not given"`
	Until time.Time `query:"until" doc:"7 days later, if not given; 92 days at most"`
}

// Calendar holds the times at which something is quiet, in the order in which they begin.
type Calendar struct {
	From    time.Time  `json:"from"`
	Until   time.Time  `json:"until"`
	Entries []Occasion `json:"entries"`
	More    bool       `json:"more" doc:"there are more than 1000: ask for less"`
}

// Occasion is one occurrence of a window, or a silence.
type Occasion struct {
	Kind     string    `json:"kind" enum:"window,silence"`
	ID       string    `json:"id"`
	Tenant   string    `json:"tenant"`
	Name     string    `json:"name" doc:"of a window"`
	Reason   string    `json:"reason" doc:"of a silence its comment"`
	StartsAt time.Time `json:"starts_at" doc:"that of a window that recurs is cut at from, unless it runs now"`
	EndsAt   time.Time `json:"ends_at"`
	Zone     string    `json:"zone" doc:"in which the window's times are meant; empty: UTC"`
	Matchers []Matcher `json:"matchers"`
	CIs      []string  `json:"cis"`
}

// Calendar returns the windows' occurrences and the silences of ctx's tenant between two times.
func (d *Desk) Calendar(ctx context.Context, q *CalendarQuery) (*Calendar, error) {
	from, until := d.now(), event.FromTime(q.Until)
	if !q.From.IsZero() {
		from = event.FromTime(q.From)
	}
	if q.Until.IsZero() {
		until = from + 7*event.Day
	}
	if until <= from || until-from > maxCalendar {
		return nil, invalid("until must lie after from, and at most 92 days", "")
	}
	v, err := d.engine.View(ctx)
	if err != nil {
		return nil, failure(err)
	}
	entries, err := occasions(ctx, v, from, until)
	if err != nil {
		return nil, err
	}
	out := &Calendar{From: from.Time(), Until: until.Time(), Entries: entries, More: len(entries) > maxOccasions}
	out.Entries = out.Entries[:min(len(entries), maxOccasions)]
	return out, nil
}

// occasions returns what is quiet between two times, sorted. It walks through the minutes of every window that recurs.
func occasions(ctx context.Context, v *correlate.View, from, until event.Time) ([]Occasion, error) {
	out, tenant := []Occasion{}, auth.FromContext(ctx).Tenant
	for w := range v.Windows(tenant) {
		if err := ctx.Err(); err != nil {
			return nil, failure(err)
		}
		shape := windowOf(&w.Window, from)
		for _, o := range w.Occurrences(from, until) {
			out = append(out, Occasion{
				Kind: "window", ID: w.ID, Tenant: w.Tenant, Name: w.Name, Reason: w.Reason, StartsAt: beganAt(&w.Window, o).Time(), EndsAt: o.Until.Time(),
				Zone: w.Zone, Matchers: shape.Matchers, CIs: shape.CIs,
			})
		}
	}
	for s := range v.Silences(tenant) {
		if s.StartsAt < until && s.EndsAt > from {
			shape := silence(s, from)
			out = append(out, Occasion{
				Kind: "silence", ID: s.ID, Tenant: s.Tenant, Reason: s.Comment, StartsAt: shape.StartsAt, EndsAt: shape.EndsAt, Matchers: shape.Matchers, CIs: []string{},
			})
		}
	}
	slices.SortStableFunc(out, func(a, b Occasion) int {
		return cmp.Or(a.StartsAt.Compare(b.StartsAt), a.EndsAt.Compare(b.EndsAt), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// beganAt returns when an occurrence began: one that runs at the moment asked for was cut there.
func beganAt(w *event.Window, o correlate.Occurrence) event.Time {
	switch {
	case w.Intervals == "":
		return w.StartsAt
	case w.Runs() && w.OpenAt <= o.From && o.From < w.CloseAt:
		return w.OpenAt
	}
	return o.From
}
