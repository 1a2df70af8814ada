package itsm

// ciWork is memory that one call hands to the next.
type ciWork struct {
	walk                         *ciWalk
	targets, seeds, lost, region []uint32
	risen                        []uint32 // what was down and is not, since that was taken
	moves                        uint64   // how often a status moved, or what is known of an item
	bytes                        []byte
}

// AddFailing counts failing alerts on a CI; one with any is down. A slot that was dropped meanwhile keeps its count, and is free
// when that is 0 again.
func (m *CMDB) AddFailing(slot uint32, delta int32) {
	if slot == 0 {
		return // an alert that is bound to none
	}
	r := m.recs.Mut(slot)
	was := r.failing > 0
	r.failing += delta
	is := r.failing > 0
	switch {
	case is && !was:
		w := m.walk()
		w.raise(slot, StatusDown)
		m.spread(w)
	case was && !is:
		m.work.seeds = append(m.work.seeds[:0], slot)
		m.calm(m.work.seeds)
		m.rouse(nil)
	}
	m.leave(slot)
}

// Moves returns a number that is another after any status moved, in memory only: as long as it stays, so does what rests on what is ill.
func (m *CMDB) Moves() uint64 { return m.work.moves }

// Risen appends the items that were down and, at some moment since it was asked last, were not; one may be named twice.
func (m *CMDB) Risen(dst []uint32) []uint32 {
	dst = append(dst, m.work.risen...)
	m.work.risen = m.work.risen[:0]
	return dst
}

// walk returns a fresh walk in memory that is used again.
func (m *CMDB) walk() *ciWalk {
	if m.work.walk == nil {
		m.work.walk = newWalk(&m.cmdbReads)
	}
	m.work.walk.reset()
	return m.work.walk
}

// calm takes back the statuses that may rest on seeds, before what they rest on is changed.
func (m *CMDB) calm(seeds []uint32) {
	w := m.walk()
	m.work.region = w.calm(seeds, m.work.region[:0])
	m.commit(w)
}

// rouse judges anew what calm took back, and the seeds.
func (m *CMDB) rouse(seeds []uint32) {
	w := m.walk()
	for _, slot := range m.work.region {
		w.raise(slot, w.pull(slot))
	}
	for _, slot := range seeds {
		w.raise(slot, w.pull(slot))
	}
	m.spread(w)
}

func (m *CMDB) spread(w *ciWalk) {
	w.spread()
	m.commit(w)
}

// commit writes into the records what a walk has found.
func (m *CMDB) commit(w *ciWalk) {
	for i := range w.marks {
		if mark := &w.marks[i]; mark.moved {
			m.work.moves++
			r := m.recs.Mut(mark.slot)
			if r.status == StatusDown && mark.status != StatusDown {
				m.work.risen = append(m.work.risen, mark.slot)
			}
			r.status, r.membersDown, r.membersIll, r.backersUp = mark.status, mark.membersDown, mark.membersIll, mark.backersUp
		}
	}
}
