package correlate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/labelset"
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
	items, moved := map[string]bool{}, false // one may have changed at several times
	for i := range set {
		items[set[i].ID] = true
		moved = moved || s.moves(&set[i])
		s.emit(event.Change{Kind: event.CISet, CI: &set[i], Actor: c.Actor, Text: c.Text})
	}
	if moved {
		s.rebind(c.Tenant)
	}
	return event.Result{Changed: uint32(len(items))}
}

// moves tells whether what is said of an item can bind alerts otherwise, or change what they hurt: more than a fact about it moves.
func (s *State) moves(ci *event.CI) bool {
	slot := s.cmdb.Find(ci.Tenant, ci.ID)
	if slot == 0 {
		return true
	}
	old := s.cmdb.State(slot)
	return old.Name != ci.Name || old.Class != ci.Class || old.State != ci.State || old.Needs != ci.Needs ||
		old.Attributes.Get("criticality") != ci.Attributes.Get("criticality") || !slices.Equal(old.Relations, ci.Relations)
}

func (s *State) applyCI(ch *event.Change) {
	s.work.mended = true
	slot := s.cmdb.Find(ch.CI.Tenant, ch.CI.ID)
	s.work.mendAll = s.work.mendAll || slot != 0
	s.work.moves++
	s.work.itemMoves++
	s.forgetShape(slot, ch)
	s.countDiscovered(slot, -1)
	if ch.Kind == event.CIDropped {
		s.timers.Cancel(s.use(slot).timer)
		*s.use(slot) = ciUse{}
		s.pairs.ForgetCI(slot)
		s.forgetItem(slot)
		s.cmdb.Drop(ch.CI.Tenant, ch.CI.ID)
		return
	}
	class := ""
	if slot != 0 {
		class = clone(s.cmdb.Class(slot))
	}
	s.cmdb.Put(ch.CI)
	s.recountClasses(slot != 0, class, s.cmdb.Find(ch.CI.Tenant, ch.CI.ID))
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
	if was, is := s.failing(before), s.failing(after); was != is || before.ci != after.ci {
		if was {
			s.cmdb.AddFailing(before.ci, -1)
			s.work.mended = true
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

// failing tells whether an alert says that its item does not work: it is critical or major, and fires. That its sender fell silent is no
// all-clear: while its incident is open it counts as before.
func (s *State) failing(a *alertRec) bool {
	if a.ci == 0 || a.firstAt == 0 || a.flags&flagGhost != 0 || a.severity == event.Clear || a.severity > event.Major {
		return false
	}
	return a.phase == event.Firing || a.phase == event.Expired && a.incident != 0 && s.incidents.Brief(a.incident).Phase == event.IncidentOpen
}

// recountLost moves what follows from the alerts of an incident whose senders fell silent, when it ends or is open again.
func (s *State) recountLost(id event.IncidentID, by int32) {
	m := s.members.At(uint32(id))
	if m.expired == 0 {
		return
	}
	for slot := m.head; slot != 0; slot = s.alerts.At(slot).next {
		if a := s.alerts.At(slot); a.phase == event.Expired && s.failing(a) {
			s.cmdb.AddFailing(a.ci, by)
			s.work.mended = true
		}
	}
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
	for _, said := range s.cmdb.Versions(state.Tenant, state.ID) {
		if said.Source != event.AlertSource {
			return // somebody has plans with it
		}
	}
	s.emit(event.Change{Kind: event.CIDropped, CI: &state, Text: "not seen any more"})
}

// cmdbDue lets planned versions take effect whose time has come.
func (s *State) cmdbDue() {
	due := s.cmdb.Due(s.meta.At)
	for i := range due {
		s.emit(event.Change{Kind: event.CISet, CI: &due[i], Text: "planned"})
	}
	var tenants []string
	for i := range due {
		if !slices.Contains(tenants, due[i].Tenant) {
			tenants = append(tenants, due[i].Tenant)
			s.rebind(due[i].Tenant)
		}
	}
}

// reviewHurt looks which services an alert's incident hurts, after the alert joined it, was bound, is quiet no more, or got worse. Who
// acknowledged the incident hears of a service that it did not hurt then; what only was not known then (joined is false) rings for
// incidents of which services were known.
func (s *State) reviewHurt(alert uint32, joined bool) {
	a := s.alerts.At(alert)
	if a.phase != event.Firing || a.incident == 0 || a.flags&flagSuppressed != 0 || s.incidents.Phase(a.incident) != event.IncidentOpen {
		return
	}
	s.reviewBounds(alert)
	a = s.alerts.At(alert)
	now := hurtMark{s.motion(), a.incident, a.ci}
	said := labelset.Get(s.text, s.claims.At(a.claims).labels, "service")
	kept := &s.work.hurt[a.ci%hurtKept]
	if said == "" && *kept == now {
		return
	}
	s.lookHurt(alert, joined)
	if said == "" && s.motion() == now.moves { // it changed nothing, and so would not the next time
		*kept = now
	}
}

// hurtMark says for which item and incident it was looked what they hurt, while no status, item, incident or outage moved. In a storm,
// what an item hurts is asked for with every alert of it.
type hurtMark struct {
	moves    uint64
	incident event.IncidentID
	ci       uint32
}

// hurtKept is how many of them are kept: a megabyte.
const hurtKept = 1 << 16

// motion returns a number that is another after any status, item, incident or outage moved.
func (s *State) motion() uint64 { return s.cmdb.Moves() + s.work.moves }

func (s *State) lookHurt(alert uint32, joined bool) {
	a := s.alerts.At(alert)
	id := a.incident
	hits := s.services(s.tenantOf(s.claims.At(a.claims).source), a.ci, s.seenLabels(a.claims))
	if len(hits) == 0 {
		return
	}
	state := s.incidents.Outline(id)
	known, before := len(state.Services) > 0, state.Priority
	fresh, moved := itsm.Hurt(&state, s.aliased(hits))
	if moved {
		whole, by := s.incidents.State(id), s.alertState(alert)
		itsm.Hurt(&whole, affected(hits, s.isDown))
		s.emit(event.Change{Kind: event.IncidentHit, Incident: &whole, Ledger: s.hurtLedger(&whole, &by)})
	}
	switch {
	case state.Priority < before:
		s.worse(id, fmt.Sprintf("the priority rose from P%d to P%d", before, state.Priority), true)
	case (known || joined) && len(fresh) > 0:
		s.worse(id, "it hurts "+words(fresh)+" now", false)
	}
	for i := range hits {
		if s.isDown(&hits[i]) {
			s.outageOf(hits[i].Slot, alert, id)
		}
	}
}

func (s *State) isDown(h *itsm.ServiceHit) bool { return s.cmdb.Status(h.Slot) == itsm.StatusDown }

// reviewMembers is reviewHurt for all that fires in an incident, after alerts left it or it became open again.
func (s *State) reviewMembers(id event.IncidentID) {
	s.reviewArrivals(s.members.At(uint32(id)).head, func(slot uint32) uint32 { return s.alerts.At(slot).next })
}

// reviewArrivals is reviewHurt for alerts that came into an incident, from the first on as next leads; each item is looked at once.
func (s *State) reviewArrivals(first uint32, next func(uint32) uint32) {
	walked := map[[2]uint32]bool{} // item, and the service that the alert names
	var slots []uint32
	for slot := first; slot != 0; slot = next(slot) {
		a := s.alerts.At(slot)
		seen := [2]uint32{a.ci, s.saidService(s.tenantOf(s.claims.At(a.claims).source), s.seenLabels(a.claims))}
		if a.phase == event.Firing && a.flags&flagSuppressed == 0 && !walked[seen] {
			walked[seen] = true
			slots = append(slots, slot)
		}
	}
	for _, slot := range slots {
		s.reviewHurt(slot, false)
	}
}

// services returns the live services that rest on an item, and the one that the alert's label service names, the most critical first.
func (s *State) services(tenant string, ci uint32, ls event.Labels) (hits []itsm.ServiceHit) {
	if ci != 0 {
		hits = s.servicesOver(ci)
	}
	said := s.saidService(tenant, ls)
	if said != 0 && !slices.ContainsFunc(hits, func(h itsm.ServiceHit) bool { return h.Slot == said }) {
		hits = append(hits, itsm.ServiceHit{Slot: said, ID: s.cmdb.ID(said), Criticality: s.cmdb.Criticality(said)})
	}
	slices.SortStableFunc(hits, func(a, b itsm.ServiceHit) int { return int(a.Criticality) - int(b.Criticality) })
	return hits
}

// servicesOver returns the live services that rest on an item. It is asked for by the incident that an alert opens, and by the alert.
func (s *State) servicesOver(ci uint32) []itsm.ServiceHit {
	kept, now := &s.work.services, [2]uint64{s.cmdb.Moves(), s.work.itemMoves}
	if kept.ci != ci || kept.moves != now {
		kept.ci, kept.moves, kept.hits = ci, now, s.cmdb.ServicesOver([]uint32{ci})
	}
	return slices.Clone(kept.hits)
}

// servicesKept is what was asked for last.
type servicesKept struct {
	ci    uint32
	moves [2]uint64
	hits  []itsm.ServiceHit
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

// aliased is affected in memory that the next call overwrites, for a look at whether anything moves.
func (s *State) aliased(hits []itsm.ServiceHit) []event.Affected {
	list := s.work.affected[:0]
	for i := range hits {
		h := &hits[i]
		list = append(list, event.Affected{
			Service: h.ID, Impact: itsm.ImpactOf(h.Criticality), Down: s.isDown(h), Spare: h.Status == itsm.StatusDegraded,
		})
	}
	s.work.affected = list
	return list
}

// hurtFirst fills in what the alert that opens an incident says of items and services, before it is told of.
func (s *State) hurtFirst(i *event.IncidentState, a *event.AlertState, ls event.Labels) {
	if a.CI != 0 {
		i.CI = clone(s.cmdb.ID(a.CI))
	}
	if hits := s.services(i.Tenant, a.CI, ls); len(hits) > 0 {
		itsm.Hurt(i, affected(hits, func(h *itsm.ServiceHit) bool { return h.Status == itsm.StatusDown && a.Severity <= event.Major }))
	}
}

// hurtLedger says what an incident is tied to, and what that makes of its priority.
func (s *State) hurtLedger(i *event.IncidentState, a *event.AlertState) (out []event.LedgerEntry) {
	if a.Bound == event.BoundByRule && a.CI != 0 {
		out = append(out, s.bindLedger(a, i.Tenant))
	}
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

// forgetShape lets what follows from the configuration items be found anew, when a change moves it. One that is new and has no relations,
// as each that is discovered, moves no component.
func (s *State) forgetShape(slot uint32, ch *event.Change) {
	if ch.Kind == event.CIDropped {
		s.work.classes = nil
	}
	if slot != 0 && s.cmdb.Linked(slot) || len(ch.CI.Relations) > 0 {
		s.work.components = nil
		s.topology.forget()
	}
}

// recountClasses counts an item that is new, and has all counted anew when one is of another class now.
func (s *State) recountClasses(known bool, class string, slot uint32) {
	switch {
	case s.work.classes == nil:
	case !known:
		s.countClass(slot)
	case class != s.cmdb.Class(slot):
		s.work.classes = nil
	}
}
