package api

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/alertmanager/timeinterval"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
	"github.com/tocsin-noc/tocsin/internal/zoneinfo"
)

// Window is a maintenance window: what begins in one of its occurrences rings nobody, for as long as the occurrence runs.
type Window struct {
	ID        string     `json:"id"`
	Tenant    string     `json:"tenant"`
	Name      string     `json:"name"`
	State     string     `json:"state" enum:"running,scheduled,over"`
	Matchers  []Matcher  `json:"matchers" doc:"all must match"`
	CIs       []string   `json:"cis" doc:"the alert's configuration item must be one of them; none: any"`
	StartsAt  time.Time  `json:"starts_at" doc:"of a recurring window: no occurrence begins before"`
	EndsAt    *time.Time `json:"ends_at" doc:"null: it recurs until somebody ends it"`
	Intervals []Interval `json:"intervals" doc:"when it recurs; none: once, from starts_at to ends_at"`
	Zone      string     `json:"zone" doc:"of the intervals"`
	Reason    string     `json:"reason"`
	CreatedBy string     `json:"created_by" doc:"what the client said"`
	Actor     string     `json:"actor" doc:"who the client was"`
	UpdatedAt time.Time  `json:"updated_at"`
	OpenAt    *time.Time `json:"open_at" doc:"begin of the occurrence that runs; null: none does"`
	CloseAt   *time.Time `json:"close_at" doc:"its end"`
	NextAt    *time.Time `json:"next_at" doc:"when the next occurrence begins, looked for a week ahead; null: none, or one runs"`
}

// WindowBrief names a window that runs.
type WindowBrief struct {
	ID    string     `json:"id"`
	Name  string     `json:"name"`
	Until *time.Time `json:"until" doc:"end of the occurrence that runs"`
}

// Interval is one of Alertmanager's time intervals: every field that is given must hold, and of its list one entry.
type Interval struct {
	Times       []TimeRange `json:"times,omitempty" minItems:"1" maxItems:"50"`
	Weekdays    []string    `json:"weekdays,omitempty" minItems:"1" maxItems:"7" example:"[\"monday:friday\"]"`
	DaysOfMonth []string    `json:"days_of_month,omitempty" minItems:"1" maxItems:"31" example:"[\"1:7\", \"-1\"]"`
	Months      []string    `json:"months,omitempty" minItems:"1" maxItems:"12" example:"[\"january:march\"]"`
	Years       []string    `json:"years,omitempty" minItems:"1" maxItems:"50" example:"[\"2026:2027\"]"`
	Location    string      `json:"location,omitempty" doc:"refused: a window has one zone"`
}

// TimeRange is a part of a day, half-open.
type TimeRange struct {
	StartTime string `json:"start_time" example:"02:00"`
	EndTime   string `json:"end_time" example:"04:00"`
}

func windowOf(w *event.Window, now event.Time) Window {
	out := Window{
		ID: w.ID, Tenant: w.Tenant, Name: w.Name, State: windowState(w, now), CIs: append([]string{}, w.CIs...), Intervals: []Interval{},
		StartsAt: w.StartsAt.Time(), EndsAt: stamp(w.EndsAt), Zone: w.Zone, Reason: w.Reason, CreatedBy: w.CreatedBy, Actor: w.Actor,
		UpdatedAt: w.UpdatedAt.Time(), OpenAt: stamp(w.OpenAt), CloseAt: stamp(w.CloseAt), Matchers: make([]Matcher, len(w.Matchers)),
	}
	for i, m := range w.Matchers {
		out.Matchers[i] = Matcher{m.Name, operator(m), m.Value}
	}
	if w.Intervals != "" { // what is in the state was read before it came there
		_ = json.Unmarshal([]byte(w.Intervals), &out.Intervals)
	}
	return out
}

func windowState(w *event.Window, now event.Time) string {
	switch {
	case w.Runs():
		return "running"
	case w.EndsAt != 0 && w.EndsAt <= now:
		return "over"
	}
	return "scheduled"
}

// windowSoon is windowOf with the next occurrence, which takes a walk through the minutes of up to a week.
func windowSoon(w correlate.Window, now event.Time) Window {
	out := windowOf(&w.Window, now)
	for _, ahead := range []event.Time{event.Day, 7 * event.Day} {
		if out.State != "scheduled" || out.NextAt != nil {
			break
		}
		if next := w.Occurrences(now, now+ahead); len(next) > 0 {
			out.NextAt = stamp(next[0].From)
		}
	}
	return out
}

// WindowDraft is a window to be made.
type WindowDraft struct {
	ID        string     `json:"id,omitempty" doc:"of the window to change; empty: a new one"`
	Name      string     `json:"name" minLength:"1" maxLength:"200"`
	Reason    string     `json:"reason" minLength:"1" maxLength:"4096"`
	Matchers  []Matcher  `json:"matchers,omitempty" maxItems:"64" doc:"these, cis, or both"`
	CIs       []string   `json:"cis,omitempty" maxItems:"1000" doc:"configuration items"`
	StartsAt  time.Time  `json:"starts_at,omitzero" doc:"now, if not given"`
	EndsAt    time.Time  `json:"ends_at,omitzero" doc:"a window that does not recur needs this or duration"`
	Duration  string     `json:"duration,omitempty" example:"2h" doc:"from the start, as Prometheus writes it"`
	Intervals []Interval `json:"intervals,omitempty" maxItems:"50" doc:"it recurs whenever one of these holds"`
	Zone      string     `json:"zone,omitempty" example:"Europe/Berlin" doc:"IANA zone of the intervals; UTC, if not given"`
	CreatedBy string     `json:"created_by,omitempty" maxLength:"200" doc:"the principal, if not given"`
}

// build returns what the draft means at now; by is the id of who makes it.
func (w *WindowDraft) build(now event.Time, by string) (*event.Window, error) {
	out := &event.Window{
		ID: w.ID, Name: w.Name, Reason: w.Reason, CIs: w.CIs, Zone: w.Zone, CreatedBy: by,
	}
	if slices.Contains(w.CIs, "") {
		return nil, invalid("cis: a name is empty", "")
	}
	var err error
	if len(w.Matchers) > 0 {
		if out.Matchers, err = matchers(w.Matchers); err != nil {
			return nil, err
		}
	}
	if w.Duration != "" && len(w.Intervals) > 0 {
		return nil, invalid("duration: a window that recurs lasts as long as its intervals", "leave duration out; ends_at says when it recurs no more")
	}
	if out.StartsAt, out.EndsAt, err = lasting(now, w.StartsAt, w.EndsAt, w.Duration, "window"); err != nil {
		return nil, err
	}
	return out, w.recur(out)
}

// recur sets when the window recurs, with its zone as it is known today: the core reads it from the journal for ever.
func (w *WindowDraft) recur(out *event.Window) error {
	_, data, err := zoneinfo.Load(w.Zone)
	if err != nil {
		return invalid("zone: "+err.Error(), "write an IANA name such as Europe/Berlin")
	}
	if len(w.Intervals) == 0 {
		return nil
	}
	out.ZoneData = data
	for i := range w.Intervals {
		if err := w.Intervals[i].check(); err != nil {
			return invalid(fmt.Sprintf("intervals[%d]: %s", i, err.Detail), err.Hint)
		}
	}
	text, err := json.Marshal(w.Intervals)
	out.Intervals = string(text)
	return err
}

// check reads the interval as the core will.
func (i *Interval) check() *auth.Problem {
	if i.Location != "" {
		return invalid("location: a window has one zone for all its intervals", "give it as zone")
	}
	if len(i.Times)+len(i.Weekdays)+len(i.DaysOfMonth)+len(i.Months)+len(i.Years) == 0 {
		return invalid("it would hold always", "give times, weekdays, days_of_month, months or years")
	}
	text, err := json.Marshal(i)
	if err == nil {
		err = json.Unmarshal(text, &timeinterval.TimeInterval{})
	}
	if err != nil {
		return invalid(err.Error(), `as in {"weekdays": ["sunday"], "times": [{"start_time": "02:00", "end_time": "04:00"}]}; an end after midnight is an interval of its own`)
	}
	return nil
}

// SetWindow makes or changes a window and returns its id.
func (d *Desk) SetWindow(ctx context.Context, draft *WindowDraft) (string, error) {
	by, err := d.creator(ctx, draft.CreatedBy)
	if err != nil {
		return "", err
	}
	w, err := draft.build(d.now(), by)
	if err != nil {
		return "", err
	}
	res, err := d.do(ctx, event.Command{Kind: event.SetWindow, Window: w})
	return res.WindowID, err
}

// EndWindow ends a window for good; what it quieted rings if it still fires.
func (d *Desk) EndWindow(ctx context.Context, id string) error {
	_, err := d.do(ctx, event.Command{Kind: event.EndWindow, WindowID: id})
	return err
}

// WindowQuery is how the list of windows is asked for.
type WindowQuery struct {
	State []string `query:"state,explode" doc:"any of running, scheduled, over; without it: running and scheduled"`
}

// WindowList holds all windows that match: those that run first, then by what comes next.
type WindowList struct {
	Windows []Window `json:"windows"`
}

// Windows returns the maintenance windows of ctx's tenant.
func (d *Desk) Windows(ctx context.Context, q *WindowQuery) (*WindowList, error) {
	states := words(q.State)
	if err := oneOf("state", states, "running", "scheduled", "over"); err != nil {
		return nil, err
	}
	if len(states) == 0 {
		states = []string{"running", "scheduled"}
	}
	v, err := d.engine.View(ctx)
	if err != nil {
		return nil, failure(err)
	}
	out, now := &WindowList{Windows: []Window{}}, d.now()
	for w := range v.Windows(auth.FromContext(ctx).Tenant) {
		if slices.Contains(states, windowState(&w.Window, now)) {
			out.Windows = append(out.Windows, *d.namedWindow(windowSoon(w, now)))
		}
	}
	slices.SortStableFunc(out.Windows, func(a, b Window) int {
		if by := compareTimes(a.CloseAt, b.CloseAt); by != 0 {
			return by
		}
		return compareTimes(a.NextAt, b.NextAt)
	})
	return out, nil
}

// namedWindow puts names in place of ids.
func (d *Desk) namedWindow(w Window) *Window {
	w.CreatedBy, w.Actor = d.name(w.CreatedBy), d.name(w.Actor)
	return &w
}

// Window returns one maintenance window of ctx's tenant.
func (d *Desk) Window(ctx context.Context, id string) (*Window, error) {
	v, err := d.engine.View(ctx)
	if err != nil {
		return nil, failure(err)
	}
	for w := range v.Windows(auth.FromContext(ctx).Tenant) {
		if w.ID == id {
			return d.namedWindow(windowSoon(w, d.now())), nil
		}
	}
	return nil, notFound("window " + strconv.Quote(id))
}
