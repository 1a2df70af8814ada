// Package oncall tells who is on call: from rotations, their restrictions and people's overrides, in the zone of the team. It is a
// function of these and of the time; it reads no clock and keeps nothing. A Schedule does not change while it is used.
package oncall

import (
	"slices"
	"time"

	"github.com/prometheus/alertmanager/timeinterval"
)

// Rotation is one layer of a schedule: its members take turns.
//
//	start            start + length     start + 2·length
//	  ├── members[0] ───┼─── members[1] ───┼─── members[2] …
type Rotation struct {
	Members []string
	Zone    *time.Location              // of Start, Days and Only; nil: the schedule's
	Start   Wall                        // of the first shift
	Days    int                         // a shift's length in calendar days: hand-over is at the same hour of the wall clock
	Hours   int                         // or in hours of the clock that knows no summer
	Only    []timeinterval.TimeInterval // the layer is in force while one of these holds; none: always
}

// Wall is a moment on the wall clock of the schedule's zone.
type Wall struct {
	Year, Day, Hour, Minute int
	Month                   time.Month
}

// Override puts somebody on call, over all rotations, from From until Until (half-open).
type Override struct {
	ID          string
	Who         string
	From, Until time.Time
	By          string // who asked for it
}

// Schedule is what a team's on-call follows from.
type Schedule struct {
	Zone      *time.Location
	Layers    []Rotation // a later one wins
	Overrides []Override // a later one wins, and all win over layers
}

// Shift is a stretch of time with one person on call; Who is "" where nobody is. Half-open.
type Shift struct {
	Who         string
	From, Until time.Time
}

// At returns who is on call at t, "" when nobody is.
func (s *Schedule) At(t time.Time) string {
	for _, o := range slices.Backward(s.Overrides) {
		if !t.Before(o.From) && t.Before(o.Until) {
			return o.Who
		}
	}
	for i := len(s.Layers) - 1; i >= 0; i-- {
		if who := s.Layers[i].at(t, s.Zone); who != "" {
			return who
		}
	}
	return ""
}

func (r *Rotation) at(t time.Time, zone *time.Location) string {
	if r.Zone != nil {
		zone = r.Zone
	}
	if len(r.Members) == 0 || !holds(r.Only, t.In(zone)) {
		return ""
	}
	turn, begun := r.turn(t, zone)
	if !begun {
		return ""
	}
	return r.Members[turn%len(r.Members)]
}

func holds(only []timeinterval.TimeInterval, local time.Time) bool {
	return len(only) == 0 || slices.ContainsFunc(only, func(ti timeinterval.TimeInterval) bool { return ti.ContainsTime(local) })
}

// turn counts the shifts before t's, false when the rotation has not begun.
func (r *Rotation) turn(t time.Time, zone *time.Location) (int, bool) {
	first := r.handover(0, zone)
	if t.Before(first) {
		return 0, false
	}
	length := time.Duration(r.Days)*24*time.Hour + time.Duration(r.Hours)*time.Hour
	n := int(t.Sub(first) / length)
	for n > 0 && t.Before(r.handover(n, zone)) {
		n--
	}
	for !t.Before(r.handover(n+1, zone)) {
		n++
	}
	return n, true
}

// handover returns when the n-th shift begins.
func (r *Rotation) handover(n int, zone *time.Location) time.Time {
	w := r.Start
	w.Day += n * r.Days
	return w.In(zone).Add(time.Duration(n*r.Hours) * time.Hour)
}

// In returns the instant at which a clock on the wall of zone shows w. Where it shows w twice it is the first time; where it
// never does, because the hour is left out, it is the moment at which the clock jumps over it.
func (w Wall) In(zone *time.Location) time.Time {
	naive := time.Date(w.Year, w.Month, w.Day, w.Hour, w.Minute, 0, 0, time.UTC)
	_, before := naive.Add(-26 * time.Hour).In(zone).Zone()
	_, after := naive.Add(26 * time.Hour).In(zone).Zone()
	early, late := naive.Add(-time.Duration(max(before, after))*time.Second), naive.Add(-time.Duration(min(before, after))*time.Second)
	for _, t := range []time.Time{early, late} {
		if sameClock(t.In(zone), naive) {
			return t.In(zone)
		}
	}
	jump, _ := late.In(zone).ZoneBounds()
	return jump
}

func sameClock(a, b time.Time) bool {
	return a.Day() == b.Day() && a.Hour() == b.Hour() && a.Minute() == b.Minute()
}

// Shifts returns who is on call from one moment until another: stretches that cover all of it, no two neighbours of one person.
func (s *Schedule) Shifts(from, until time.Time) []Shift {
	var out []Shift
	for t := from; t.Before(until); t = s.next(t) {
		who := s.At(t)
		if n := len(out); n > 0 && out[n-1].Who == who {
			continue
		} else if n > 0 {
			out[n-1].Until = t
		}
		out = append(out, Shift{Who: who, From: t, Until: until})
	}
	return out
}

// next returns a moment after t until which nothing changes.
func (s *Schedule) next(t time.Time) time.Time {
	next := t.Add(longest)
	sooner := func(at time.Time) {
		if at.After(t) && at.Before(next) {
			next = at
		}
	}
	for _, o := range s.Overrides {
		sooner(o.From)
		sooner(o.Until)
	}
	for i := range s.Layers {
		r, zone := &s.Layers[i], s.Zone
		if r.Zone != nil {
			zone = r.Zone
		}
		if turn, begun := r.turn(t, zone); begun {
			sooner(r.handover(turn+1, zone))
		} else {
			sooner(r.handover(0, zone))
		}
		if len(r.Only) > 0 {
			sooner(edge(r.Only, t.In(zone)))
		}
	}
	return next
}

// longest bounds a step of next.
const longest = 366 * 24 * time.Hour

// edge returns a moment after local until which each interval holds throughout or nowhere: the next time of day that one names,
// midnight, or a change of the zone's clock, after which the wall must be read anew.
func edge(only []timeinterval.TimeInterval, local time.Time) time.Time {
	const day = 24 * 60
	minute, left := local.Hour()*60+local.Minute(), day
	for _, ti := range only {
		for _, tr := range ti.Times {
			for _, m := range []int{tr.StartMinute, tr.EndMinute} {
				if m > minute {
					left = min(left, m)
				}
			}
		}
	}
	past := time.Duration(local.Second())*time.Second + time.Duration(local.Nanosecond())
	at := local.Add(time.Duration(left-minute)*time.Minute - past)
	if _, change := local.ZoneBounds(); !change.IsZero() && change.Before(at) {
		return change
	}
	return at
}

// Gaps returns when nobody is on call from one moment until another.
func (s *Schedule) Gaps(from, until time.Time) []Shift {
	return slices.DeleteFunc(s.Shifts(from, until), func(sh Shift) bool { return sh.Who != "" })
}

// Quiet says when a team wants to be told only of what is urgent.
type Quiet struct {
	Zone  *time.Location
	Hours []timeinterval.TimeInterval
	Rings int // priorities up to this one ring all the same
}

// maxQuiet bounds how long anything waits for the end of quiet hours.
const maxQuiet = 7 * 24 * time.Hour

// Holds tells whether t lies in quiet hours.
func (q *Quiet) Holds(t time.Time) bool { return len(q.Hours) > 0 && holds(q.Hours, t.In(q.Zone)) }

// Ends returns when the quiet hours around t end, t itself outside of them, and no later than a week after t.
func (q *Quiet) Ends(t time.Time) time.Time {
	end, last := t, t.Add(maxQuiet)
	for end.Before(last) && q.Holds(end) {
		end = edge(q.Hours, end.In(q.Zone))
	}
	if end.After(last) {
		return last
	}
	return end
}
