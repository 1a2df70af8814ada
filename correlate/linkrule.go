package correlate

import (
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules"
)

// apartLabel marks the group of alerts that a rule keeps out of the incident of their other group, and holds the rule and its side.
const apartLabel = "kept_apart"

// keptApart tells whether a rule keeps two incidents apart: an alert of one and an alert of the other must not be together. It costs a look
// at the alerts of the smaller one, and nothing where no such rule is about both.
func (s *State) keptApart(a, b event.IncidentID) bool {
	if a == 0 || b == 0 || a == b {
		return false
	}
	one, other := s.members.At(uint32(a)), s.members.At(uint32(b))
	if one.apart == 0 || other.apart == 0 {
		return false
	}
	if other.alerts < one.alerts {
		one, b = other, a
	}
	for slot := one.head; slot != 0; slot = s.alerts.At(slot).next {
		if s.heldApart(slot, b) {
			return true
		}
	}
	return false
}

// cannotJoin tells whether a rule keeps an alert with these labels, which begins now, out of an incident.
func (s *State) cannotJoin(ls event.Labels, id event.IncidentID) bool {
	if id == 0 || s.members.At(uint32(id)).apart == 0 {
		return false
	}
	in := &s.work.reading.input
	if len(ls) == 0 || len(in.Labels) == 0 || &ls[0] != &in.Labels[0] {
		in = &rules.Input{Labels: ls}
		in.Severity, _ = event.ParseSeverity(ls.Get("severity"))
	}
	l, _ := s.apartFrom(in, s.incidents.State(id).Tenant, s.meta.At, id)
	return l != nil
}

// heldApart is cannotJoin for an alert in memory.
func (s *State) heldApart(slot uint32, id event.IncidentID) bool {
	a := s.alerts.At(slot)
	if a.flags&flagApart == 0 || s.members.At(uint32(id)).apart == 0 {
		return false
	}
	l, _ := s.apartFrom(s.lookAtAlert(slot), s.tenantOf(s.claims.At(a.claims).source), s.traceAt(a), id)
	return l != nil
}

// apartFrom returns the rule that keeps an alert that began at at out of an incident, nil when none does, and on which side of it the
// alert is.
func (s *State) apartFrom(in *rules.Input, tenant string, at event.Time, id event.IncidentID) (l *rules.Link, second bool) {
	sides := s.rules.Links(in, nil)
	for _, side := range sides {
		l := &s.rules.LinkRules[side.Rule]
		if !l.KeepApart {
			continue
		}
		slot, _ := s.findTrace(&event.Trace{Kind: event.TraceApart, Tenant: tenant, Rule: l.Name, Second: !side.Second, Key: string(l.AppendKey(nil, in.Labels))})
		if slot == 0 {
			continue
		}
		for n := s.traces.recs.At(slot).tail; n != 0; n = s.traces.nodes.At(n).prev {
			node := s.traces.nodes.At(n)
			if alert, known := s.inMemory(node.alert); known && near(at, node.at, l.Within) && s.alerts.At(alert).incident == id {
				return l, side.Second
			}
		}
	}
	return nil, false
}

// stepAside gives an alert that a rule keeps out of its group's incident a group of its own side of that rule: alerts of that side then
// find each other there.
func (s *State) stepAside(p *place) {
	if p.previous == 0 || !s.cannotJoin(s.work.onset, p.previous) {
		return
	}
	l, second := s.apartFrom(&s.work.reading.input, p.key.tenant, s.meta.At, p.previous)
	if l == nil {
		return
	}
	side := l.Name + " (a)"
	if second {
		side = l.Name + " (b)"
	}
	p.ledger = append(p.ledger, event.LedgerEntry{Kind: "keep_apart", Operands: []string{l.Name, p.previous.String()}, RuleSource: l.Place.String()})
	labels, _ := event.SortLabels(append(event.Labels{{Name: apartLabel, Value: side}}, p.key.labels...))
	p.key.labels, p.key.hash = labels, s.groupHash(p.key.tenant, p.key.rule, labels)
	p.previous = 0
	if g := s.findGroup(p.key); g != 0 {
		p.previous = s.leads(g)
	}
	if p.previous != 0 && s.cannotJoin(s.work.onset, p.previous) {
		p.previous = 0
	}
}

// followIncident makes an alert one of its incident's group where that has no other: it was opened aside from the alert's own.
func (s *State) followIncident(slot uint32) {
	a := s.alerts.At(slot)
	g := s.members.At(uint32(a.incident)).group
	if g == 0 || g == a.group || s.groups.At(g).refs > 0 {
		return
	}
	s.leaveGroup(slot)
	s.groups.Mut(g).refs++
	s.alerts.Mut(slot).group = g
}
