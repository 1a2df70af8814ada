package itsm

import (
	"github.com/tocsin-noc/tocsin/event"
)

// CIStatus is whether a CI does what it is there for.
type CIStatus uint8

// Statuses, from good to bad. A CI is down while alerts on it fail, or what it rests on does; degraded while redundancy holds.
const (
	StatusUp CIStatus = iota + 1
	StatusDegraded
	StatusDown
)

// String returns the status as the API shows it.
func (s CIStatus) String() string {
	switch s {
	case StatusDegraded:
		return "degraded"
	case StatusDown:
		return "down"
	default:
		return "up"
	}
}

// ciWalk evaluates who is up, over a CMDB that it does not change. What it finds to be otherwise than recorded it keeps as marks.
//
// Failure only ever spreads: a status gets worse by raise, a CI is looked at once for each status it gets, and then all that hangs
// on it is. So cycles end, and the work is bounded by the relations, whatever their form.
type ciWalk struct {
	g     *cmdbReads
	marks []ciMark
	table []uint64 // open addressing by slot: the stamp in the upper half, the place in marks below
	stamp uint64
	queue []uint32 // slots that got worse

	via   uint32 // of the hit before: its ID is that of the next one more often than not
	viaID string
}

// ciMark is what a walk knows of a CI.
type ciMark struct {
	slot                               uint32
	membersDown, membersIll, backersUp uint32
	via                                uint32
	hops                               uint32
	kind                               event.RelationKind
	status                             CIStatus
	moved                              bool // otherwise than recorded
	reached                            bool
}

const minWalk = 512 // marks, before the table grows

func newWalk(g *cmdbReads) *ciWalk {
	return &ciWalk{g: g, marks: make([]ciMark, 0, 128), table: make([]uint64, 2*minWalk), stamp: 1}
}

// reset forgets all marks.
func (w *ciWalk) reset() {
	if w.stamp++; w.stamp>>32 != 0 {
		clear(w.table)
		w.stamp = 1
	}
	w.marks, w.queue = w.marks[:0], w.queue[:0]
}

// seek returns the place in the table where a slot is, or belongs.
func (w *ciWalk) seek(slot uint32) (place uint32, found bool) {
	mask := uint32(len(w.table) - 1)
	for place = slot * 0x9E3779B1 & mask; ; place = (place + 1) & mask {
		e := w.table[place]
		if e>>32 != w.stamp {
			return place, false
		}
		if w.marks[uint32(e)].slot == slot {
			return place, true
		}
	}
}

// mark returns the mark of a slot, which is made when there is none. It is valid until the next mark is made.
func (w *ciWalk) mark(slot uint32) *ciMark {
	place, found := w.seek(slot)
	if found {
		return &w.marks[uint32(w.table[place])]
	}
	if 2*len(w.marks) >= len(w.table) {
		w.grow()
		place, _ = w.seek(slot)
	}
	r := w.g.recs.At(slot)
	w.table[place] = w.stamp<<32 | uint64(len(w.marks))
	w.marks = append(w.marks, ciMark{
		slot: slot, status: r.status, membersDown: r.membersDown, membersIll: r.membersIll, backersUp: r.backersUp,
	})
	return &w.marks[len(w.marks)-1]
}

func (w *ciWalk) grow() {
	w.table = make([]uint64, 2*len(w.table))
	for i := range w.marks {
		place, _ := w.seek(w.marks[i].slot)
		w.table[place] = w.stamp<<32 | uint64(i)
	}
}

// status returns what the walk has found, else what is recorded.
func (w *ciWalk) status(slot uint32) CIStatus {
	if place, found := w.seek(slot); found {
		return w.marks[uint32(w.table[place])].status
	}
	return w.g.recs.At(slot).status
}

func (w *ciWalk) backersUp(slot uint32) uint32 {
	if place, found := w.seek(slot); found {
		return w.marks[uint32(w.table[place])].backersUp
	}
	return w.g.recs.At(slot).backersUp
}

// raise makes a status worse, and remembers to look at what hangs on it.
func (w *ciWalk) raise(slot uint32, s CIStatus) {
	if m := w.mark(slot); s > m.status && w.g.recs.At(slot).active() {
		w.set(m, s)
		w.queue = append(w.queue, slot)
	}
}

// set moves a status and what is counted of it at the wholes it is part of and the CIs it backs up. When nothing is left that
// backs up what is down, its dependents have to be looked at again.
func (w *ciWalk) set(m *ciMark, s CIStatus) {
	slot, was := m.slot, m.status
	m.status, m.moved = s, true
	down, ill := one(s == StatusDown)-one(was == StatusDown), one(s > StatusUp)-one(was > StatusUp)
	for e := w.g.recs.At(slot).out; e != 0; {
		edge := w.g.edges.At(e)
		e = edge.nextOut
		if edge.echo || edge.kind != event.PartOf && edge.kind != event.BacksUp {
			continue
		}
		to := w.mark(edge.to)
		to.moved = true
		if edge.kind == event.PartOf {
			to.membersDown += down
			to.membersIll += ill
			continue
		}
		to.backersUp -= down
		if down == 1 && to.backersUp == 0 && to.status == StatusDown {
			w.queue = append(w.queue, edge.to)
		}
	}
}

func one(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

// spread carries what got worse to all that hangs on it, until nothing gets worse any more.
func (w *ciWalk) spread() {
	for i := 0; i < len(w.queue); i++ {
		slot := w.queue[i]
		r := w.g.recs.At(slot)
		passed := w.passed(slot)
		for e := r.dependents; e != 0; e = w.g.edges.At(e).nextIn {
			w.raise(w.g.edges.At(e).from, passed)
		}
		for e := r.out; e != 0; e = w.g.edges.At(e).nextOut {
			if edge := w.g.edges.At(e); edge.kind == event.PartOf {
				w.raise(edge.to, w.whole(edge.to))
			}
		}
	}
	w.queue = w.queue[:0]
}

// passed is the status of those who depend on a CI, as far as that CI goes.
func (w *ciWalk) passed(slot uint32) CIStatus {
	s := w.status(slot)
	if s == StatusDown && w.backersUp(slot) > 0 {
		return StatusDegraded
	}
	return s
}

// whole is the status of a CI as far as its members go. Members that are missing without one being down are no failure.
func (w *ciWalk) whole(slot uint32) CIStatus {
	m, r := w.mark(slot), w.g.recs.At(slot)
	switch {
	case m.membersIll == 0 || r.now == 0:
		return StatusUp
	case m.membersDown > 0 && r.membersActive-m.membersDown < uint32(max(w.g.said.At(r.now).needs, 1)):
		return StatusDown
	default:
		return StatusDegraded
	}
}

// pull returns a CI's status as it follows from its failing alerts and from what it rests on.
func (w *ciWalk) pull(slot uint32) CIStatus {
	r := w.g.recs.At(slot)
	if r.failing > 0 {
		return StatusDown
	}
	s := w.whole(slot)
	for e := r.out; e != 0; e = w.g.edges.At(e).nextOut {
		if edge := w.g.edges.At(e); edge.kind == event.DependsOn || edge.kind == event.HostedOn {
			s = max(s, w.passed(edge.to))
		}
	}
	return s
}

// calm makes the seeds, and all that is ill and hangs on them, up again. region is what was, for rouse to judge anew.
func (w *ciWalk) calm(seeds, region []uint32) []uint32 {
	for _, slot := range seeds {
		region = w.calmOne(slot, region)
	}
	for i := 0; i < len(region); i++ {
		r := w.g.recs.At(region[i])
		region = w.calmDependents(r, region)
		for e := r.out; e != 0; e = w.g.edges.At(e).nextOut {
			switch edge := w.g.edges.At(e); edge.kind {
			case event.PartOf:
				region = w.calmOne(edge.to, region)
			case event.BacksUp:
				region = w.calmDependents(w.g.recs.At(edge.to), region)
			default: // failure does not come up there
			}
		}
	}
	return region
}

func (w *ciWalk) calmDependents(r *ciRec, region []uint32) []uint32 {
	for e := r.dependents; e != 0; e = w.g.edges.At(e).nextIn {
		region = w.calmOne(w.g.edges.At(e).from, region)
	}
	return region
}

func (w *ciWalk) calmOne(slot uint32, region []uint32) []uint32 {
	m := w.mark(slot)
	if m.status <= StatusUp {
		return region
	}
	w.set(m, StatusUp)
	return append(region, slot)
}
