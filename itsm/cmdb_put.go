package itsm

import (
	"encoding/binary"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
)

// maxCIVersions bounds the statements about one CI that stay in memory; the oldest goes first.
const maxCIVersions = 100

// Put folds in a CI that is new, that was changed, or that was planned and whose time has come. Attributes
// and pins are sorted.
func (m *CMDB) Put(ci *event.CI) {
	slot := m.reach(ci.Tenant, ci.ID)
	if plan := m.planned(slot, ci); plan != 0 {
		m.dropPlan(plan)
		m.hold(slot, plan)
		return
	}
	s := m.say(slot, ci)
	m.overtake(s)
	if ci.ValidFrom <= ci.KnownAt {
		m.hold(slot, s)
	} else {
		m.addPlan(s)
	}
	m.cutVersions(slot)
}

// reach returns the slot of an ID, which is made when it is new.
func (m *CMDB) reach(tenant, id string) uint32 {
	if slot := m.place(tenant, id); slot != 0 {
		return slot
	}
	slot := m.recs.Alloc()
	r := m.recs.Mut(slot)
	r.tenant, r.id, r.status = m.text.Intern(tenant), m.text.Intern(id), StatusUp
	m.byID.Insert(ciHash(tenant, id), slot)
	return slot
}

// leave frees a slot that nothing would miss.
func (m *CMDB) leave(slot uint32) {
	r := m.recs.At(slot)
	if r.id == 0 || !r.alone() {
		return
	}
	m.byID.Delete(ciHash(m.text.String(r.tenant), m.text.String(r.id)), slot)
	m.text.Release(r.tenant)
	m.text.Release(r.id)
	m.recs.Free(slot)
}

// planned returns the plan that ci repeats, 0 when it is news.
func (m *CMDB) planned(slot uint32, ci *event.CI) uint32 {
	if ci.ValidFrom <= ci.KnownAt {
		return 0
	}
	for at := m.recs.At(slot).head; at != 0; at = m.statements.At(at).older {
		s := m.statements.At(at)
		if s.plan != 0 && s.knownAt == ci.KnownAt && s.validFrom == ci.ValidFrom {
			if said := m.statement(at); sameCI(&said, ci) {
				return at
			}
		}
	}
	return 0
}

// say puts a statement in front of the others about the CI.
func (m *CMDB) say(slot uint32, ci *event.CI) uint32 {
	at := m.statements.Alloc()
	s := m.statements.Mut(at)
	*s = ciStatement{
		knownAt: ci.KnownAt, validFrom: ci.ValidFrom, class: m.text.Intern(ci.Class), name: m.text.Intern(ci.Name),
		source: m.text.Intern(ci.Source), attributes: m.text.Put(ci.Attributes), ci: slot, needs: ci.Needs, state: ci.State,
		confidence: ci.Confidence,
	}
	s.relations, s.kinds = m.keepRelations(ci.Relations)
	s.pinned = m.keepTexts(ci.Pinned)
	r := m.recs.Mut(slot)
	if r.head == 0 {
		m.meta.Count++
	} else {
		m.statements.Mut(r.head).newer = at
	}
	s.older, r.head = r.head, at
	r.versions++
	return at
}

// keepRelations cuts what is too much, should a log of a version with other bounds hold it, the same way at every replay.
func (m *CMDB) keepRelations(relations []event.Relation) (flat.Ref, [5]uint16) {
	var kinds [5]uint16
	b := m.work.bytes[:0]
	relations = inOrder(relations)
	for i := range relations[:min(len(relations), MaxCIRelations)] {
		r := &relations[i]
		kinds[r.Kind-1]++
		b = binary.LittleEndian.AppendUint32(b, uint32(m.text.Intern(r.To)))
		b = binary.LittleEndian.AppendUint32(b, uint32(m.text.Intern(r.Source)))
	}
	m.work.bytes = b
	return m.text.Blobs.Put(b), kinds
}

func (m *CMDB) keepTexts(texts []string) flat.Ref {
	b := m.work.bytes[:0]
	for _, text := range texts {
		b = binary.LittleEndian.AppendUint32(b, uint32(m.text.Intern(text)))
	}
	m.work.bytes = b
	return m.text.Blobs.Put(b)
}

// forget frees a statement that is neither in the queue nor a plan.
func (m *CMDB) forget(at uint32) {
	s := m.statements.At(at)
	r := m.recs.Mut(s.ci)
	if s.newer == 0 {
		r.head = s.older
	} else {
		m.statements.Mut(s.newer).older = s.older
	}
	if s.older != 0 {
		m.statements.Mut(s.older).newer = s.newer
	}
	r.versions--
	for _, sym := range [...]flat.Sym{s.class, s.name, s.source} {
		m.text.Release(sym)
	}
	for _, ref := range [...]flat.Ref{s.attributes, s.relations, s.pinned} {
		m.text.Free(ref)
	}
	m.statements.Free(at)
}

// hold makes a statement the one that holds now.
func (m *CMDB) hold(slot, at uint32) {
	s := m.statements.At(at)
	if was := m.recs.At(slot).now; was != 0 {
		m.supersede(was, max(s.knownAt, s.validFrom))
	}
	m.turn(slot, at)
}

// turn moves index, edges and statuses from the statement that held to another, 0 for none.
func (m *CMDB) turn(slot, at uint32) {
	was := *m.recs.At(slot)
	m.rename(slot, at)
	r := m.recs.Mut(slot)
	r.now = at
	state, criticality := m.standing(at)
	if was.active() == (&ciRec{state: state}).active() && m.sameTies(was.now, at) {
		r.state, r.criticality = state, criticality
		return
	}
	targets := m.resolve(slot, at)
	seeds := m.touched(slot, at, targets)
	m.calm(seeds)
	m.unlink(slot)
	r = m.recs.Mut(slot)
	r.state, r.criticality = state, criticality
	m.link(slot, at, targets)
	m.rouse(seeds)
	for _, target := range m.work.lost {
		m.leave(target)
	}
}

// standing is what the record keeps of a statement.
func (m *CMDB) standing(at uint32) (state event.CIState, criticality uint8) {
	if at == 0 {
		return 0, 0
	}
	s := m.statements.At(at)
	if m.text.String(s.class) == event.ServiceClass && (s.state == event.CILive || s.state == event.CIMaintenance) {
		criticality = criticalityIn(m.text, s.attributes)
	}
	return s.state, criticality
}

// rename moves the CI in the index of names, which holds those not retired whose name is not their ID.
func (m *CMDB) rename(slot, at uint32) {
	r := m.recs.At(slot)
	was, is := m.indexName(slot, r.now), m.indexName(slot, at)
	if was == is {
		return
	}
	tenant := m.text.String(r.tenant)
	if was != 0 {
		m.byName.Delete(ciHash(tenant, m.text.String(was)), slot)
	}
	if is != 0 {
		m.byName.Insert(ciHash(tenant, m.text.String(is)), slot)
	}
}

func (m *CMDB) indexName(slot, at uint32) flat.Sym {
	if at == 0 {
		return 0
	}
	s := m.statements.At(at)
	if s.state == event.CIRetired || s.name == m.recs.At(slot).id {
		return 0
	}
	return s.name
}

// Drop folds in that a CI leaves memory, with all that was said of it. What points to it keeps pointing to the bare name.
func (m *CMDB) Drop(tenant, id string) {
	slot := m.Find(tenant, id)
	if slot == 0 {
		return
	}
	m.turn(slot, 0)
	for at := m.recs.At(slot).head; at != 0; at = m.recs.At(slot).head {
		m.dropPlan(at)
		m.unqueue(at)
		m.forget(at)
	}
	m.meta.Count--
	m.leave(slot)
}
