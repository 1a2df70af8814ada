package correlate

import (
	"github.com/cespare/xxhash/v2"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/labelset"
	"github.com/tocsin-noc/tocsin/rules"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// groupKey is what a grouping rule makes of a label set.
type groupKey struct {
	hash   uint64
	tenant string
	rule   string
	window event.Time
	place  strict.Place // of the rule
	labels event.Labels // in scratch memory
}

// ruling is which rule groups an alert: Tocsin's own for an absence, else the first threshold, or else the first grouping rule, that takes
// it.
type ruling struct {
	absence   bool
	threshold *rules.Threshold
	rule      int // in Grouping, where neither of those does
}

func (s *State) rulingOn(in *rules.Input) (r ruling) {
	if r.absence = ownAbsence(in); r.absence {
		return r
	}
	if r.threshold = s.threshold(in); r.threshold == nil {
		r.rule, s.work.key = s.rules.GroupOf(in, s.work.key)
	}
	return r
}

// own tells whether the rule is one that an operator wrote, or Tocsin's own for its own alerts. Shipped ones come after these.
func (s *State) own(r ruling) bool {
	return r.absence || r.threshold != nil || !s.rules.Grouping[r.rule].Shipped
}

// ruledKey is the key of an alert's group by the ruling that was made last.
func (s *State) ruledKey(tenant string, in *rules.Input, r ruling) groupKey {
	switch {
	case r.absence:
		return s.absenceKey(tenant, in)
	case r.threshold != nil:
		return s.thresholdKey(tenant, r.threshold, in.Labels)
	}
	g, key := &s.rules.Grouping[r.rule], s.work.key
	return groupKey{
		hash: s.groupHash(tenant, g.Name, key), tenant: tenant,
		rule: g.Name, window: g.Window, place: g.Place, labels: key,
	}
}

// groupOf is the key of an alert's group by the rules.
func (s *State) groupOf(tenant string, in *rules.Input) groupKey {
	return s.ruledKey(tenant, in, s.rulingOn(in))
}

func (s *State) groupHash(tenant, rule string, key event.Labels) uint64 {
	b := append(s.work.bytes[:0], tenant...)
	b = append(append(b, 255), rule...)
	for i := range key {
		b = append(append(b, 255), key[i].Name...)
		b = append(append(b, 255), key[i].Value...)
	}
	s.work.bytes = b
	return xxhash.Sum64(b)
}

// findGroup returns the slot of a key's group, 0 when no alert has that key.
func (s *State) findGroup(k groupKey) uint32 {
	slot, _ := s.byGroup.Find(k.hash, func(ref uint32) bool {
		g := s.groups.At(ref)
		if s.text.String(g.rule) != k.rule || s.text.String(g.tenant) != k.tenant {
			return false
		}
		s.work.labels = labelset.Append(s.text, s.work.labels[:0], g.key)
		return s.work.labels.Equal(k.labels)
	})
	return slot
}

// ensureGroup returns the slot of a key's group and makes it when needed.
func (s *State) ensureGroup(k groupKey) uint32 {
	if slot := s.findGroup(k); slot != 0 {
		return slot
	}
	slot := s.groups.Alloc()
	*s.groups.Mut(slot) = groupRec{
		hash: k.hash, rule: s.text.Intern(k.rule), tenant: s.text.Intern(k.tenant), key: s.text.Put(k.labels),
	}
	s.byGroup.Insert(k.hash, slot)
	return slot
}

// joinGroup makes an alert one of its key's.
func (s *State) joinGroup(alert uint32, k groupKey) { s.enterGroup(alert, s.ensureGroup(k)) }

// joinCluster makes an alert one of the group of a cluster.
func (s *State) joinCluster(alert, cluster uint32) {
	slot := s.groupOfCluster(cluster)
	if slot == 0 {
		slot = s.ensureGroup(s.numberKey(cluster))
	}
	s.enterGroup(alert, slot)
}

func (s *State) enterGroup(alert, slot uint32) {
	s.groups.Mut(slot).refs++
	s.alerts.Mut(alert).group = slot
}

// leaveGroup takes an alert out of its group, and forgets the group with its last alert.
func (s *State) leaveGroup(alert uint32) {
	slot := s.alerts.At(alert).group
	g := s.groups.Mut(slot)
	g.refs--
	s.alerts.Mut(alert).group = 0
	if g.refs > 0 {
		return
	}
	if g.incident != 0 {
		s.members.Mut(uint32(g.incident)).group = 0
	}
	s.byGroup.Delete(g.hash, slot)
	s.text.Release(g.rule)
	s.text.Release(g.tenant)
	s.text.Free(g.key)
	s.groups.Free(slot)
}

// regroup applies the rules of today to an alert that begins a new occurrence outside an incident, or puts it where its item was placed.
func (s *State) regroup(alert uint32, ch *event.Change) {
	place := ch.Place
	if place != nil && place.Kind != event.PlaceNone && place.Kind != event.PlaceHand {
		s.applyPlacement(place, alert)
		c := s.forest.ClusterOf(place.Item)
		s.leaveGroup(alert)
		s.joinCluster(alert, c)
		s.observe(alert, c)
		if place.Kind == event.PlaceBack && place.Cluster == 0 && ch.Alert.Incident != 0 { // what it was part of is over; its incident goes on here
			s.leadTo(s.alerts.At(alert).group, ch.Alert.Incident)
		}
		return
	}
	a := s.alerts.At(alert)
	if a.incident != 0 || place == nil && s.topological(a) {
		return
	}
	k := s.groupOf(s.tenantOf(s.claims.At(a.claims).source), s.onItem(s.lookAt(ch.Claim.ID), a.ci))
	if s.findGroup(k) == a.group {
		return
	}
	s.leaveGroup(alert)
	s.joinGroup(alert, k)
}

// bindGroup ties a new incident to the group it was opened for.
func (s *State) bindGroup(i *event.IncidentState) {
	k := groupKey{hash: s.groupHash(i.Tenant, i.Rule, i.Labels), tenant: i.Tenant, rule: i.Rule, labels: i.Labels}
	slot := s.ensureGroup(k)
	g := s.groups.Mut(slot)
	if g.incident != 0 {
		s.members.Mut(uint32(g.incident)).group = 0
	}
	g.incident = i.ID
	s.members.Mut(uint32(i.ID)).group = slot
}

// list is one of the two lists an alert can be in.
type list struct {
	group    uint32
	incident event.IncidentID
}

// listOf tells which list an alert belongs to: its incident's members, or those of its group who wait, or none.
func listOf(a *alertRec) list {
	switch {
	case a.incident != 0:
		return list{incident: a.incident}
	case a.phase == event.Firing:
		return list{group: a.group}
	}
	return list{}
}

// relink moves an alert to the list it belongs to now. before is its record as it was.
func (s *State) relink(slot uint32, before *alertRec) {
	from, to := listOf(before), listOf(s.alerts.At(slot))
	if from == to {
		return
	}
	if from != (list{}) {
		s.unlink(slot, from)
	}
	if to != (list{}) {
		s.link(slot, to)
	}
}

func (s *State) ends(l list) (head, tail *uint32) {
	if l.incident != 0 {
		m := s.members.Mut(uint32(l.incident))
		return &m.head, &m.tail
	}
	g := s.groups.Mut(l.group)
	return &g.head, &g.tail
}

func (s *State) link(slot uint32, l list) {
	head, tail := s.ends(l)
	a := s.alerts.Mut(slot)
	a.prev, a.next = *tail, 0
	if *tail == 0 {
		*head = slot
	} else {
		s.alerts.Mut(*tail).next = slot
	}
	*tail = slot
}

func (s *State) unlink(slot uint32, l list) {
	head, tail := s.ends(l)
	a := *s.alerts.At(slot)
	if a.prev == 0 {
		*head = a.next
	} else {
		s.alerts.Mut(a.prev).next = a.next
	}
	if a.next == 0 {
		*tail = a.prev
	} else {
		s.alerts.Mut(a.next).prev = a.prev
	}
}
