package correlate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
)

// ciUse is what the correlator keeps of a configuration item, by its slot in the CMDB; all of it follows from the alerts.
type ciUse struct {
	seenAt event.Time // when an alert of it began, changed or left last
	alerts uint32     // bound to it, in memory
	timer  uint32     // of one that is discovered
}

// use returns the record of an item to write.
func (s *State) use(ci uint32) *ciUse {
	for s.cis.Len() <= ci {
		s.cis.Alloc()
	}
	return s.cis.Mut(ci)
}

// editCIs carries out what an import or a person says of configuration items: all of it or nothing.
func (s *State) editCIs(c *event.Command) event.Result {
	if c.CIs == nil {
		return refuse(event.Invalid, "there is nothing to change", "")
	}
	set, refusal := s.cmdb.Check(c.Tenant, c.CIs, s.meta.At)
	if refusal != nil {
		return event.Result{Err: refusal}
	}
	items := map[string]bool{} // one may have changed at several times
	for i := range set {
		items[set[i].ID] = true
		s.emit(event.Change{Kind: event.CISet, CI: &set[i], Actor: c.Actor, Text: c.Text})
	}
	if len(set) > 0 {
		s.rebind(c.Tenant)
	}
	return event.Result{Changed: uint32(len(items))}
}

func (s *State) applyCI(ch *event.Change) {
	slot := s.cmdb.Find(ch.CI.Tenant, ch.CI.ID)
	s.countDiscovered(slot, -1)
	if ch.Kind == event.CIDropped {
		s.timers.Cancel(s.use(slot).timer)
		*s.use(slot) = ciUse{}
		s.cmdb.Drop(ch.CI.Tenant, ch.CI.ID)
		return
	}
	s.cmdb.Put(ch.CI)
	slot = s.cmdb.Find(ch.CI.Tenant, ch.CI.ID)
	s.countDiscovered(slot, 1)
	if u := s.use(slot); u.seenAt == 0 {
		u.seenAt = ch.At
	}
	s.scheduleCI(slot)
	s.cmdb.Prune(ch.At)
	if next := s.cmdb.NextDue(); next != event.Never {
		s.watchBy(next)
	}
}

// countDiscovered moves the count of discovered items by by if ci is one.
func (s *State) countDiscovered(ci uint32, by int32) {
	if ci != 0 && s.cmdb.Discovered(ci) {
		s.meta.Discovered += uint32(by)
	}
}

// recountCI moves what follows from an alert's state for the item it is bound to.
func (s *State) recountCI(before, after *alertRec) {
	if before.ci == 0 && after.ci == 0 {
		return
	}
	if before.ci != after.ci {
		if before.ci != 0 {
			s.use(before.ci).alerts--
		}
		if after.ci != 0 {
			s.use(after.ci).alerts++
		}
	}
	if was, is := failing(before), failing(after); was != is || before.ci != after.ci {
		if was {
			s.cmdb.AddFailing(before.ci, -1)
		}
		if is {
			s.cmdb.AddFailing(after.ci, 1)
		}
	}
	if after.ci != 0 {
		s.use(after.ci).seenAt = s.meta.At
	}
	if before.ci != 0 && s.use(before.ci).alerts == 0 {
		s.scheduleCI(before.ci)
	}
}

// failing tells whether an alert says that its item does not work: it is critical or major, and nobody said that it is over. That its
// sender fell silent says nothing.
func failing(a *alertRec) bool {
	return a.ci != 0 && a.firstAt != 0 && a.flags&flagGhost == 0 && a.phase != event.Cleared && a.severity != event.Clear && a.severity <= event.Major
}

// scheduleCI sets the timer of a discovered item of which no alert is left.
func (s *State) scheduleCI(ci uint32) {
	u := s.use(ci)
	deadline := event.Never
	if u.alerts == 0 && s.cmdb.Discovered(ci) {
		deadline = u.seenAt + s.settings().DiscoveredFor
	}
	s.schedule(&u.timer, timerCI, ci, wholeSecond(deadline))
}

// ciDue drops a discovered item that nobody has spoken of for long.
func (s *State) ciDue(ci uint32) {
	u := s.use(ci)
	if !s.cmdb.Discovered(ci) || u.timer != 0 || u.alerts > 0 {
		return
	}
	if u.seenAt+s.settings().DiscoveredFor > s.meta.At {
		s.scheduleCI(ci)
		return
	}
	state := s.cmdb.State(ci)
	s.emit(event.Change{Kind: event.CIDropped, CI: &state, Text: "not seen any more"})
}

// cmdbDue lets planned versions take effect whose time has come.
func (s *State) cmdbDue() {
	due := s.cmdb.Due(s.meta.At)
	for i := range due {
		s.emit(event.Change{Kind: event.CISet, CI: &due[i], Text: "planned"})
	}
	for i := range due {
		if i == 0 || due[i].Tenant != due[i-1].Tenant {
			s.rebind(due[i].Tenant)
		}
	}
}

// reviewHurt looks which services an alert's incident hurts, after the alert joined it, was bound, or got worse. Who acknowledged the
// incident hears of a service that it did not hurt then.
func (s *State) reviewHurt(alert uint32) {
	a := s.alerts.At(alert)
	if a.phase != event.Firing || a.incident == 0 || s.incidents.Brief(a.incident).Phase != event.IncidentOpen {
		return
	}
	id, quiet := a.incident, a.flags&flagSuppressed != 0
	ls := s.claimLabels(a.claims)
	hits := s.services(s.tenantOf(s.claims.At(a.claims).source), a.ci, ls)
	if len(hits) == 0 {
		return
	}
	state := s.incidents.State(id)
	known := len(state.Services) > 0
	before := state.Priority
	fresh, moved := itsm.Hurt(&state, affected(hits, func(h *itsm.ServiceHit) bool { return s.cmdb.Status(h.Slot) == itsm.StatusDown }))
	if moved {
		by := s.alertState(alert)
		s.emit(event.Change{Kind: event.IncidentHit, Incident: &state, Ledger: s.hurtLedger(&state, &by)})
	}
	switch {
	case quiet:
	case state.Priority < before:
		s.worse(id, fmt.Sprintf("the priority rose from P%d to P%d", before, state.Priority), true)
	case known && len(fresh) > 0:
		s.worse(id, "it hurts "+words(fresh)+" now", false)
	}
	for _, h := range hits {
		if s.cmdb.Status(h.Slot) == itsm.StatusDown {
			s.outageOf(h.Slot, alert, id)
		}
	}
}

// services returns the live services that rest on an item, and the one that the alert's label service names, the most critical first.
func (s *State) services(tenant string, ci uint32, ls event.Labels) (hits []itsm.ServiceHit) {
	if ci != 0 {
		hits = s.cmdb.ServicesOver([]uint32{ci})
	}
	said := s.saidService(tenant, ls)
	if said != 0 && !slices.ContainsFunc(hits, func(h itsm.ServiceHit) bool { return h.Slot == said }) {
		hits = append(hits, itsm.ServiceHit{Slot: said, ID: s.cmdb.ID(said), Criticality: s.cmdb.Criticality(said)})
	}
	slices.SortStableFunc(hits, func(a, b itsm.ServiceHit) int { return int(a.Criticality) - int(b.Criticality) })
	return hits
}

// saidService returns the service in use that an alert's label service names, 0 when none.
func (s *State) saidService(tenant string, ls event.Labels) uint32 {
	name := ls.Get("service")
	if name == "" {
		return 0
	}
	slot, _ := s.lookUp(scope{tenant, ls.Get("cluster"), ls.Get("namespace")}, "service", name)
	if slot == 0 || s.cmdb.Criticality(slot) == 0 {
		return 0
	}
	return slot
}

// affected puts what a walk found into the words of an incident.
func affected(hits []itsm.ServiceHit, down func(*itsm.ServiceHit) bool) (list []event.Affected) {
	for i := range hits {
		h := &hits[i]
		list = append(list, event.Affected{
			Service: clone(h.ID), Impact: itsm.ImpactOf(h.Criticality), Down: down(h), Spare: h.Status == itsm.StatusDegraded,
		})
	}
	return list
}

// hurtFirst fills in what the alert that opens an incident says of items and services, before it is told of.
func (s *State) hurtFirst(i *event.IncidentState, a *event.AlertState) {
	if a.CI != 0 {
		i.CI = clone(s.cmdb.ID(a.CI))
	}
	if hits := s.services(i.Tenant, a.CI, s.work.onset); len(hits) > 0 {
		itsm.Hurt(i, affected(hits, func(h *itsm.ServiceHit) bool { return h.Status == itsm.StatusDown && a.Severity <= event.Major }))
	}
}

// hurtLedger says what an incident is tied to, and what that makes of its priority.
func (s *State) hurtLedger(i *event.IncidentState, a *event.AlertState) (out []event.LedgerEntry) {
	if a.CI != 0 && a.BoundBy != 0 {
		out = append(out, event.LedgerEntry{Kind: "bound", Operands: []string{clone(s.cmdb.ID(a.CI)), event.BindLabels[a.BoundBy-1], a.Bound.String()}})
	}
	for _, h := range i.Services {
		state := "hurt"
		switch {
		case h.Down:
			state = "down"
		case h.Spare:
			state = "redundant"
		}
		out = append(out, event.LedgerEntry{Kind: "service", Operands: []string{h.Service, fmt.Sprint(h.Impact), state}})
	}
	if len(i.Services) > 0 {
		out = append(out, event.LedgerEntry{Kind: "priority", Operands: []string{fmt.Sprint(i.Priority), fmt.Sprint(itsm.UrgencyOf(i.Severity))}})
	}
	return out
}

// words lists names for people, the first few of them.
func words(names []string) string {
	const most = 3
	out := strings.Join(names[:min(len(names), most)], ", ")
	if more := len(names) - most; more > 0 {
		out += fmt.Sprintf(" and %d more", more)
	}
	return out
}
