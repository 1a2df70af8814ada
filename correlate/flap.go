package correlate

import (
	"fmt"
	"time"

	"github.com/tocsin-noc/tocsin/event"
)

// Flap damping after RFC 2439: each change of an alert between firing and cleared adds to a penalty, which halves every ten
// minutes. At 3,000 the alert is damped, at 1,000 it is released. Penalties are in thousandths, so that decay loses nothing
// that matters.
const (
	flapHalfLife = 10 * event.Minute
	flapApart    = 10 * event.Second // of changes closer than this only the first counts
	flapStep     = 1000 * 1000
	flapMost     = 8000 * 1000
	flapDamp     = 3000 * 1000
	flapRelease  = 1000 * 1000
	flapForget   = 30 * event.Minute // after so long without a change a new bout begins
)

// halving[i] is 2^(−1/2^(i+1)) in 32 fractional bits, rounded.
var halving = [16]uint64{
	3037000500, 3611622603, 3938502376, 4112874773, 4202935003, 4248701965, 4271771996, 4283353945,
	4289156690, 4292061010, 4293513907, 4294240540, 4294603903, 4294785595, 4294876445, 4294921870,
}

// decayed returns a penalty after dt: p·2^(−dt/10 min).
func decayed(p uint32, dt event.Time) uint32 {
	if dt <= 0 {
		return p
	}
	halvings := dt / flapHalfLife
	if halvings >= 32 {
		return 0
	}
	v := uint64(p) >> halvings
	part := uint64(dt%flapHalfLife) << len(halving) / uint64(flapHalfLife) // a fraction of the half-life in 16 bits
	for i, factor := range halving {
		if part&(1<<(len(halving)-1-i)) != 0 {
			v = (v*factor + 1<<31) >> 32
		}
	}
	return uint32(v)
}

// calmAt returns when a damped alert will be released if it does not change again.
func calmAt(f *event.Flap) event.Time {
	low, high := event.Time(0), 4*flapHalfLife
	for low < high { // the penalty only falls: the first moment at which it is low enough
		mid := (low + high) / 2
		if decayed(f.Penalty, mid) <= flapRelease {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return f.At + low
}

// CalmAt returns when a damped alert will count as calm if it does not change again; 0 when it is not damped.
func CalmAt(f event.Flap) event.Time {
	if !f.Damped {
		return 0
	}
	return calmAt(&f)
}

// flapped counts a change of an alert at now.
func flapped(f event.Flap, now event.Time) event.Flap {
	if f.At != 0 && now-f.At < flapApart {
		return f
	}
	if !f.Damped && now-f.At > flapForget {
		f = event.Flap{Since: now}
	}
	f.Penalty = min(flapMost, decayed(f.Penalty, now-f.At)+flapStep)
	f.At = now
	f.Changes++
	return f
}

// restless tells whether an alert should enter damping. A critical one never does before its first incident: nobody would
// know of it.
func restless(f *event.Flap, sev event.Severity, incident event.IncidentID) bool {
	return !f.Damped && f.Penalty >= flapDamp && (sev != event.Critical || incident != 0)
}

// unheard tells whether a damped alert goes up and down without an incident that says so, because a person resolved it or
// something was quiet: a critical one is heard of at its next firing, any other when what was resolved would not reopen.
func (s *State) unheard(a *event.AlertState, k groupKey) bool {
	id := a.Incident
	if id == 0 {
		if g := s.findGroup(k); g != 0 {
			id = s.leads(g)
		}
	}
	if id == 0 {
		return !a.Suppressed
	}
	inc := s.incidents.Brief(id)
	return inc.Phase != event.IncidentOpen && !a.Suppressed &&
		(a.Severity == event.Critical || s.meta.At-inc.ResolvedAt > s.settings().ReopenWithin)
}

// damp puts a restless alert under damping. That opens an incident, or holds the one it is in open, and says so once.
func (s *State) damp(slot uint32) {
	rec := s.alerts.At(slot)
	if f := flapOf(rec, s.flaps.At(rec.flap)); !restless(&f, rec.severity, rec.incident) {
		return
	}
	a := s.alertState(slot)
	a.Flap.Damped = true
	if a.Incident == 0 || s.incidents.Brief(a.Incident).Phase != event.IncidentOpen {
		if !s.dampedOpens(&a) {
			s.emit(event.Change{Kind: event.AlertDamped, Alert: a})
			return
		}
		a.Reason = event.ReasonFlapped
	}
	s.emit(event.Change{Kind: event.AlertDamped, Alert: a})
	s.adopt(a.Incident)
	state := s.incidents.State(a.Incident)
	s.emit(event.Change{Kind: event.IncidentFlapping, Incident: &state, Text: s.flapWords(&a)})
	s.settle(a.Incident)
}

// dampedOpens finds an alert that enters damping its incident: the open one of its group, or a new one, unless something
// quiets it.
func (s *State) dampedOpens(a *event.AlertState) bool {
	first := s.alerts.At(a.ID.Slot()).claims
	c := s.claims.At(first).state(first)
	ls := s.claimLabels(first)
	s.onsetOfAlert(a.ID.Slot())
	if a.Phase != event.Firing { // what would quiet it if it fired
		s.quiet(&c, ls)
		a.Suppressed = suppressed(&c)
	}
	quieted := a.Suppressed || !s.opens(a) || a.Reason == event.ReasonHeartbeat
	if a.Phase != event.Firing {
		a.Suppressed = false
	}
	if quieted {
		return false
	}
	p := place{reason: event.ReasonFlapped, key: s.groupOf(s.tenantOf(c.Source), &s.work.reading.input)}
	if g := s.findGroup(p.key); g != 0 {
		p.previous = s.leads(g)
	}
	if p.previous != 0 && s.takes(p.previous, a, &p) {
		a.Incident = p.incident
		if p.reason == event.ReasonReopened {
			s.reopen(a, p)
		}
		return true
	}
	a.Incident = s.open(a, p)
	return true
}

// flapWords says how restless an alert is.
func (s *State) flapWords(a *event.AlertState) string {
	return fmt.Sprintf("flapping: %s changed %d times in %s", a.Name, a.Flap.Changes, roughly(s.meta.At-a.Flap.Since))
}

// roughly writes a span as people say it.
func roughly(t event.Time) string {
	if t < event.Minute {
		return t.Duration().Round(time.Second).String()
	}
	return fmt.Sprintf("%d min", (t+event.Minute/2)/event.Minute)
}

// calm lets a damped alert go that has been quiet for long enough.
func (s *State) calm(slot uint32) {
	a := s.alertState(slot)
	a.Flap.Damped = false
	s.emit(event.Change{Kind: event.AlertSteadied, Alert: a})
}

// flapRec is an alert's record of changes. Alerts that never changed have none.
type flapRec struct {
	at, since        event.Time
	penalty, changes uint32
}

// putFlap stores what a change says of an alert's flapping.
func (s *State) putFlap(slot uint32, f *event.Flap) {
	a := s.alerts.Mut(slot)
	if *f == (event.Flap{}) {
		if a.flap != 0 {
			s.flaps.Free(a.flap)
			a.flap = 0
		}
		return
	}
	if a.flap == 0 {
		a.flap = s.flaps.Alloc()
	}
	*s.flaps.Mut(a.flap) = flapRec{at: f.At, since: f.Since, penalty: f.Penalty, changes: f.Changes}
}

// flapOf is the inverse of putFlap.
func flapOf(a *alertRec, rec *flapRec) event.Flap {
	if a.flap == 0 {
		return event.Flap{}
	}
	return event.Flap{Penalty: rec.penalty, At: rec.at, Since: rec.since, Changes: rec.changes, Damped: a.flags&flagDamped != 0}
}
