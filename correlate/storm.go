package correlate

import (
	"slices"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules"
)

// storm is a tenant's storm, or what is known of the openings that may become one: then its Number is 0.
type storm struct {
	event.Storm
	Recent []event.Time // of openings, the latest last, at most storm_openings + 1
	HighAt event.Time   // when the rate was last above the limit
}

// deadline is when a storm is over if nothing more opens.
func (t *storm) deadline(set *rules.Settings) event.Time {
	if t.Number == 0 || t.EndedAt != 0 {
		return event.Never
	}
	return t.HighAt + set.StormCalm
}

// running returns the index of a tenant's storm, or of the list of its openings, that has not ended; -1 when there is none.
func (d *desk) running(tenant string) int {
	return slices.IndexFunc(d.Storms, func(t *storm) bool { return t.Tenant == tenant && t.EndedAt == 0 })
}

// stormOf returns the storm in which an incident that is about to open may be told of together with the others, 0 when it is told
// of by itself. The opening that makes the limit full begins the storm. Whose messages it holds back depends on who is told of what:
// that is not decided here.
func (s *State) stormOf(tenant string, priority uint8) uint32 {
	i := s.desk.running(tenant)
	if i < 0 {
		return 0
	}
	t := s.desk.Storms[i]
	if t.Number == 0 {
		set := s.settings()
		n := recentSince(t.Recent, s.meta.At-set.StormWithin)
		if n < set.StormOpenings {
			return 0
		}
		began := event.Storm{Number: s.desk.StormNumber + 1, Tenant: tenant, BeganAt: s.meta.At, Openings: uint32(n), Worst: priority}
		s.emit(event.Change{Kind: event.StormBegan, Storm: &began})
		i = s.desk.running(tenant)
	}
	return s.desk.Storms[i].Number
}

func recentSince(list []event.Time, from event.Time) (n int) {
	for _, at := range list {
		if at > from {
			n++
		}
	}
	return n
}

// countOpening notes an opening; storms follow from these.
func (s *State) countOpening(inc *event.IncidentState) {
	i := s.desk.running(inc.Tenant)
	t := storm{Storm: event.Storm{Tenant: clone(inc.Tenant)}}
	if i >= 0 {
		t = *s.desk.Storms[i]
	}
	set := s.settings()
	most := set.StormOpenings + 1
	t.Recent = append(slices.Clone(t.Recent[max(0, len(t.Recent)+1-most):]), s.meta.At)
	if t.Number != 0 {
		t.Openings++
		t.Worst = min(t.Worst, inc.Priority)
		if inc.Storm == t.Number && inc.Priority > 1 && inc.Impact != 1 { // what is that urgent rings singly
			t.Held++
		}
		if recentSince(t.Recent, s.meta.At-set.StormWithin) > set.StormOpenings {
			t.HighAt = s.meta.At
		}
	}
	s.desk.Storms = replaced(s.desk.Storms, i, &t)
}

// stormsDue ends the storms that have calmed down.
func (s *State) stormsDue() {
	for i := 0; i < len(s.desk.Storms); i++ {
		t := s.desk.Storms[i]
		if t.deadline(s.settings()) > s.meta.At {
			continue
		}
		over := t.Storm
		over.EndedAt = s.meta.At
		s.emit(event.Change{Kind: event.StormEnded, Storm: &over})
	}
}

func (s *State) applyStorm(ch *event.Change) {
	t := storm{Storm: *ch.Storm}
	t.Tenant = clone(t.Tenant)
	i := s.desk.running(t.Tenant)
	if i >= 0 {
		t.Recent, t.HighAt = s.desk.Storms[i].Recent, s.desk.Storms[i].HighAt
	}
	if ch.Kind == event.StormBegan {
		s.desk.StormNumber, t.HighAt = t.Number, ch.At
	} else {
		t.Recent = nil
	}
	s.desk.Storms = replaced(s.desk.Storms, i, &t)
	s.dropOldStorms()
	s.scheduleWatch()
}

// dropOldStorms keeps the latest of those that have ended.
func (s *State) dropOldStorms() {
	ended := 0
	for i, t := range slices.Backward(s.desk.Storms) {
		if t.EndedAt == 0 {
			continue
		}
		if ended++; ended > keptStorms {
			s.desk.Storms = without(s.desk.Storms, i)
		}
	}
}
