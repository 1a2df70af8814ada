package itsm

import (
	"slices"

	"github.com/tocsin-noc/tocsin/event"
)

// Plans wait in a heap, the earliest on top. It lies in a slab whose freed slots come back last first, so that place n of the heap
// is slot n.

// NextDue returns when the next planned CI becomes what it was planned to be, event.Never when none is planned.
func (m *CMDB) NextDue() event.Time {
	if m.meta.Plans == 0 {
		return event.Never
	}
	return m.statements.At(*m.plans.At(1)).validFrom
}

// Due returns the planned CIs whose time has come, to be Put again, the earliest first. It moves nothing.
func (m *CMDB) Due(at event.Time) []event.CI {
	var due []uint32
	for open := []uint32{1}; len(open) > 0; {
		place := open[0]
		open = open[1:]
		if place > m.meta.Plans || m.statements.At(*m.plans.At(place)).validFrom > at {
			continue
		}
		due = append(due, *m.plans.At(place))
		open = append(open, 2*place, 2*place+1)
	}
	slices.SortFunc(due, func(a, b uint32) int {
		if m.sooner(a, b) {
			return -1
		}
		return 1
	})
	out := make([]event.CI, len(due))
	for i, plan := range due {
		out[i] = m.statement(plan)
	}
	return out
}

// sooner orders plans; a CI has no two for the same time.
func (m *CMDB) sooner(a, b uint32) bool {
	x, y := m.statements.At(a), m.statements.At(b)
	return x.validFrom < y.validFrom || x.validFrom == y.validFrom && x.ci < y.ci
}

func (m *CMDB) addPlan(at uint32) {
	m.meta.Plans++
	m.settle(m.plans.Alloc(), at)
	m.rise(m.meta.Plans)
}

// settle puts a statement into a place of the heap.
func (m *CMDB) settle(place, at uint32) {
	*m.plans.Mut(place) = at
	m.statements.Mut(at).plan = place
}

// dropPlan takes a statement out of the heap, if it is there.
func (m *CMDB) dropPlan(at uint32) {
	place := m.statements.At(at).plan
	if place == 0 {
		return
	}
	m.statements.Mut(at).plan = 0
	end := m.meta.Plans
	last := *m.plans.At(end)
	m.plans.Free(end)
	m.meta.Plans--
	if place != end {
		m.settle(place, last)
		m.sink(place)
		m.rise(place)
	}
}

func (m *CMDB) rise(place uint32) {
	for place > 1 && m.sooner(*m.plans.At(place), *m.plans.At(place / 2)) {
		m.swap(place, place/2)
		place /= 2
	}
}

func (m *CMDB) sink(place uint32) {
	for {
		least := place
		for child := 2 * place; child <= min(2*place+1, m.meta.Plans); child++ {
			if m.sooner(*m.plans.At(child), *m.plans.At(least)) {
				least = child
			}
		}
		if least == place {
			return
		}
		m.swap(place, least)
		place = least
	}
}

func (m *CMDB) swap(a, b uint32) {
	x, y := *m.plans.At(a), *m.plans.At(b)
	m.settle(a, y)
	m.settle(b, x)
}

// overtake ends the plans that a newer statement stands in front of: those for its time and later.
func (m *CMDB) overtake(by uint32) {
	news := m.statements.At(by)
	from, at := news.validFrom, news.knownAt
	for older := news.older; older != 0; older = m.statements.At(older).older {
		if s := m.statements.At(older); s.plan != 0 && s.validFrom >= from {
			m.dropPlan(older)
			m.supersede(older, at)
		}
	}
}

// maxPruned bounds the statements that one Prune forgets.
const maxPruned = 1000

// CIMemory is how long a statement stays in memory after another took its place.
const CIMemory = 30 * event.Day

// Prune forgets statements that were superseded 30 days ago or earlier, at most 1,000, and returns how many.
func (m *CMDB) Prune(at event.Time) int {
	n := 0
	for ; n < maxPruned && m.meta.Oldest != 0; n++ {
		s := m.statements.At(m.meta.Oldest)
		if s.overAt+CIMemory > at {
			break
		}
		oldest := m.meta.Oldest
		m.unqueue(oldest)
		m.forget(oldest)
	}
	return n
}

// supersede puts a statement that no longer holds at the end of the queue of those to be forgotten.
func (m *CMDB) supersede(at uint32, since event.Time) {
	s := m.statements.Mut(at)
	s.isOver, s.overAt, s.earlier = true, since, m.meta.Newest
	if m.meta.Newest == 0 {
		m.meta.Oldest = at
	} else {
		m.statements.Mut(m.meta.Newest).later = at
	}
	m.meta.Newest = at
}

// unqueue takes a statement out of the queue, if it is there.
func (m *CMDB) unqueue(at uint32) {
	s := *m.statements.At(at)
	if !s.isOver {
		return
	}
	if s.earlier == 0 {
		m.meta.Oldest = s.later
	} else {
		m.statements.Mut(s.earlier).later = s.later
	}
	if s.later == 0 {
		m.meta.Newest = s.earlier
	} else {
		m.statements.Mut(s.later).earlier = s.earlier
	}
	u := m.statements.Mut(at)
	u.isOver, u.earlier, u.later = false, 0, 0
}

// cutVersions forgets what is too much: the oldest statement that neither holds nor is planned.
func (m *CMDB) cutVersions(slot uint32) {
	if m.recs.At(slot).versions <= maxCIVersions {
		return
	}
	oldest := uint32(0)
	for at := m.recs.At(slot).head; at != 0; at = m.statements.At(at).older {
		if m.statements.At(at).isOver {
			oldest = at
		}
	}
	if oldest != 0 {
		m.unqueue(oldest)
		m.forget(oldest)
	}
}
