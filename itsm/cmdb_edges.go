package itsm

import (
	"bytes"

	"github.com/tocsin-noc/tocsin/event"
)

// sameTies tells whether two statements, 0 for none, have the same relations and needs.
func (m *CMDB) sameTies(a, b uint32) bool {
	if a == 0 || b == 0 {
		return a == b
	}
	x, y := m.statements.At(a), m.statements.At(b)
	return x.needs == y.needs && x.kinds == y.kinds && bytes.Equal(m.text.Bytes(x.relations), m.text.Bytes(y.relations))
}

// resolve returns the slots that a statement's relations lead to, in their order.
func (m *CMDB) resolve(slot, at uint32) []uint32 {
	targets := m.work.targets[:0]
	if at != 0 {
		tenant := m.text.String(m.recs.At(slot).tenant)
		b := m.text.Bytes(m.statements.At(at).relations)
		for ; len(b) >= 8; b = b[8:] {
			targets = append(targets, m.reach(tenant, m.text.String(symOf(b))))
		}
	}
	m.work.targets = targets
	return targets
}

// link makes the edges of a statement, 0 for none.
func (m *CMDB) link(slot, at uint32, targets []uint32) {
	if at == 0 {
		return
	}
	kinds := m.statements.At(at).kinds
	last := uint32(0)
	for kind, n := range kinds {
		for i := range n {
			e := m.edges.Alloc()
			edge := m.edges.Mut(e)
			edge.from, edge.to, edge.kind = slot, targets[i], event.RelationKind(kind+1)
			edge.echo = i > 0 && targets[i] == targets[i-1]
			if last == 0 {
				m.recs.Mut(slot).out = e
			} else {
				m.edges.Mut(last).nextOut = e
			}
			last = e
			m.enter(e)
		}
		targets = targets[n:]
	}
}

// enter puts an edge in front of the list of its target.
func (m *CMDB) enter(e uint32) {
	edge := m.edges.Mut(e)
	if m.recs.At(edge.from).active() {
		m.count(edge, 1)
	}
	first := m.recs.Mut(edge.to).incoming(edge.kind)
	edge.nextIn = *first
	if *first != 0 {
		m.edges.Mut(*first).prevIn = e
	}
	*first = e
}

// incoming is the list of edges to a CI for one kind of relation.
func (r *ciRec) incoming(kind event.RelationKind) *uint32 {
	switch kind {
	case event.PartOf:
		return &r.members
	case event.BacksUp:
		return &r.backers
	case event.ConnectsTo:
		return &r.others
	default:
		return &r.dependents
	}
}

// count adds an active CI that is up to, or takes it from, those its target counts.
func (m *CMDB) count(edge *ciEdge, by uint32) {
	if edge.echo {
		return
	}
	switch edge.kind {
	case event.PartOf:
		m.recs.Mut(edge.to).membersActive += by
	case event.BacksUp:
		m.recs.Mut(edge.to).backersUp += by
	default: // nothing is counted of the others
	}
}

// unlink frees the edges of a CI. The CI must be up. work.lost holds the targets that may be alone now.
func (m *CMDB) unlink(slot uint32) {
	lost := m.work.lost[:0]
	for e := m.recs.At(slot).out; e != 0; {
		edge := *m.edges.At(e)
		if m.recs.At(slot).active() {
			m.count(&edge, ^uint32(0))
		}
		if edge.prevIn != 0 {
			m.edges.Mut(edge.prevIn).nextIn = edge.nextIn
		} else {
			*m.recs.Mut(edge.to).incoming(edge.kind) = edge.nextIn
		}
		if edge.nextIn != 0 {
			m.edges.Mut(edge.nextIn).prevIn = edge.prevIn
		}
		if m.recs.At(edge.to).head == 0 {
			lost = append(lost, edge.to)
		}
		m.edges.Free(e)
		e = edge.nextOut
	}
	m.recs.Mut(slot).out = 0
	m.work.lost = lost
}

// touched returns the CIs whose status a change of slot's relations or state may move: itself, what it is or becomes part of,
// and who depends on what it backs up, or will, while that is down.
func (m *CMDB) touched(slot, at uint32, targets []uint32) []uint32 {
	seeds := append(m.work.seeds[:0], slot)
	for e := m.recs.At(slot).out; e != 0; e = m.edges.At(e).nextOut {
		seeds = m.touch(seeds, m.edges.At(e).kind, m.edges.At(e).to)
	}
	if at != 0 {
		for kind, n := range m.statements.At(at).kinds {
			for _, target := range targets[:n] {
				seeds = m.touch(seeds, event.RelationKind(kind+1), target)
			}
			targets = targets[n:]
		}
	}
	m.work.seeds = seeds
	return seeds
}

// touch adds those that may hang on one member or backer of a target. What is up hangs on none.
func (m *CMDB) touch(seeds []uint32, kind event.RelationKind, target uint32) []uint32 {
	r := m.recs.At(target)
	switch {
	case kind == event.PartOf && r.status > StatusUp:
		return append(seeds, target)
	case kind == event.BacksUp && r.status == StatusDown:
		for e := r.dependents; e != 0; e = m.edges.At(e).nextIn {
			seeds = append(seeds, m.edges.At(e).from)
		}
	}
	return seeds
}
