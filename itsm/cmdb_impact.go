package itsm

import (
	"cmp"
	"slices"

	"github.com/tocsin-noc/tocsin/event"
)

// Hit is a CI that a walk came to.
type Hit struct {
	Slot   uint32
	ID     string
	Status CIStatus
	Hops   uint32
	Via    string             // ID of the CI it was reached from
	Kind   event.RelationKind // of the relation between the two
}

// ServiceHit is a service that rests on what failed.
type ServiceHit struct {
	Slot        uint32
	ID          string
	Status      CIStatus // degraded or down
	Criticality uint8    // 1–4
	Hops        uint32   // 0: it failed itself
}

// Impact returns what is down or degraded while the given CIs fail, besides all that fails already, and hangs on them: the nearest
// first, without themselves. It returns at most limit, and whether there is more.
func (g *cmdbReads) Impact(from []uint32, limit int) (hits []Hit, more bool) {
	w := newWalk(g)
	w.climb(from, func(m ciMark) bool {
		switch {
		case m.hops == 0:
			return true
		case hits == nil:
			hits = make([]Hit, 0, min(max(limit, 0), len(w.marks)))
		}
		if len(hits) >= limit {
			more = true
			return false
		}
		hits = append(hits, w.hit(&m))
		return true
	})
	return hits, more
}

// ServicesOver returns the services in use that are down or degraded while the given CIs fail, and hang on them or are among them:
// the most critical first, then by ID.
func (g *cmdbReads) ServicesOver(from []uint32) []ServiceHit { return newWalk(g).servicesOver(from) }

// ServicesOver is that of the owner, in memory that is used again.
func (m *CMDB) ServicesOver(from []uint32) []ServiceHit { return m.walk().servicesOver(from) }

func (w *ciWalk) servicesOver(from []uint32) []ServiceHit {
	var out []ServiceHit
	g := w.g
	w.climb(from, func(m ciMark) bool {
		if r := g.recs.At(m.slot); r.criticality > 0 {
			out = append(out, ServiceHit{Slot: m.slot, ID: g.text.String(r.id), Status: m.status, Criticality: r.criticality, Hops: m.hops})
		}
		return true
	})
	slices.SortFunc(out, func(a, b ServiceHit) int {
		return cmp.Or(cmp.Compare(a.Criticality, b.Criticality), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// Deps returns what a CI rests on: what it depends on or is hosted on, its members, and what backs these up; the nearest first, no
// farther than hops. What is not in use is listed, but not what lies behind it. It returns at most limit, and whether there is more.
func (g *cmdbReads) Deps(from uint32, hops, limit int) (hits []Hit, more bool) {
	w := newWalk(g)
	hits = make([]Hit, 0, min(max(limit, 0), 64))
	w.mark(from).reached = true
	for queue := []uint32{from}; len(queue) > 0; queue = queue[1:] {
		at := *w.mark(queue[0])
		if int(at.hops) >= hops || at.hops > 0 && !g.recs.At(at.slot).active() {
			continue
		}
		for e := range w.below(at.slot) {
			next := g.recs.At(e.slot)
			m := w.mark(e.slot)
			if next.head == 0 || m.reached {
				continue
			}
			if len(hits) >= limit {
				return hits, true
			}
			m.reach(&at, e.kind)
			hits = append(hits, w.hit(m))
			queue = append(queue, e.slot)
		}
	}
	return hits, false
}

// ciStep is one step of a walk.
type ciStep struct {
	slot uint32
	kind event.RelationKind
}

// below yields what a CI rests on.
func (w *ciWalk) below(slot uint32) func(func(ciStep) bool) {
	return func(yield func(ciStep) bool) {
		g := w.g
		r := g.recs.At(slot)
		for e := r.out; e != 0; e = g.edges.At(e).nextOut {
			if edge := g.edges.At(e); (edge.kind == event.DependsOn || edge.kind == event.HostedOn) && !yield(ciStep{edge.to, edge.kind}) {
				return
			}
		}
		for e := r.members; e != 0; e = g.edges.At(e).nextIn {
			if !yield(ciStep{g.edges.At(e).from, event.PartOf}) {
				return
			}
		}
		if w.mark(slot).hops == 0 {
			return
		}
		for e := r.backers; e != 0; e = g.edges.At(e).nextIn {
			if !yield(ciStep{g.edges.At(e).from, event.BacksUp}) {
				return
			}
		}
	}
}

// reach marks a CI as come to from another.
func (m *ciMark) reach(from *ciMark, kind event.RelationKind) {
	m.reached, m.hops, m.via, m.kind = true, from.hops+1, from.slot, kind
}

func (w *ciWalk) hit(m *ciMark) Hit {
	if m.via != w.via {
		w.via, w.viaID = m.via, w.g.ID(m.via)
	}
	return Hit{Slot: m.slot, ID: w.g.ID(m.slot), Status: max(m.status, StatusUp), Hops: m.hops, Via: w.viaID, Kind: m.kind}
}

// climb lets the given CIs fail and visits them and all that is ill and hangs on them, the nearest first, until visit returns false.
func (w *ciWalk) climb(from []uint32, visit func(ciMark) bool) {
	for _, slot := range from {
		w.raise(slot, StatusDown)
	}
	w.spread()
	queue := make([]uint32, 0, 64)
	for _, slot := range from {
		if m := w.mark(slot); !m.reached && m.status > StatusUp {
			m.reached = true
			queue = append(queue, slot)
		}
	}
	for ; len(queue) > 0; queue = queue[1:] {
		at := *w.mark(queue[0])
		if !visit(at) {
			return
		}
		queue = w.above(&at, queue)
	}
}

// above appends to the queue what is ill and hangs on a CI.
func (w *ciWalk) above(at *ciMark, queue []uint32) []uint32 {
	g := w.g
	r := g.recs.At(at.slot)
	queue = w.aboveDependents(at, r, 0, queue)
	for e := r.out; e != 0; e = g.edges.At(e).nextOut {
		edge := g.edges.At(e)
		switch {
		case edge.kind == event.PartOf:
			queue = w.come(at, edge.to, event.PartOf, queue)
		case edge.kind == event.BacksUp && at.status == StatusDown && w.status(edge.to) == StatusDown && w.backersUp(edge.to) == 0:
			queue = w.aboveDependents(at, g.recs.At(edge.to), event.BacksUp, queue)
		}
	}
	return queue
}

// aboveDependents appends those who depend on r; as is the kind to tell of, 0 the relation's own.
func (w *ciWalk) aboveDependents(at *ciMark, r *ciRec, as event.RelationKind, queue []uint32) []uint32 {
	for e := r.dependents; e != 0; e = w.g.edges.At(e).nextIn {
		edge := w.g.edges.At(e)
		kind := edge.kind
		if as != 0 {
			kind = as
		}
		queue = w.come(at, edge.from, kind, queue)
	}
	return queue
}

// come appends a CI that is ill and was not come to before.
func (w *ciWalk) come(at *ciMark, slot uint32, kind event.RelationKind, queue []uint32) []uint32 {
	m := w.mark(slot)
	if m.reached || m.status <= StatusUp {
		return queue
	}
	m.reach(at, kind)
	return append(queue, slot)
}
