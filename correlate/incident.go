package correlate

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
)

// onset begins an occurrence of an alert and finds it its place: its incident, the open one of its group, one of its own, or
// the bench of those who wait.
func (s *State) onset(b *event.Batch, a event.AlertState, claim event.ClaimState) {
	ended, left := a.EndedAt, a.Incident
	a.Phase, a.Ghost, a.FiringAt, a.EndedAt, a.EasesAt, a.Reason = event.Firing, false, s.meta.At, 0, 0, 0
	a.StartsAt, a.Severity, a.Suppressed = claim.StartsAt, claim.Severity, suppressed(&claim)
	if a.Occurrences++; a.Occurrences > 1 {
		a.Flap = flapped(a.Flap, s.meta.At)
	}
	ls := s.onsetLabels()
	a = s.named(a, ls)
	s.bindOnset(&a, b.Source.Tenant, ls)
	s.treat(&a, &claim)
	a.Severity, a.Suppressed = claim.Severity, suppressed(&claim)
	cut := s.bindSymptom(&a, &claim, ls)
	ruling := s.rulingOn(&s.work.reading.input)
	where := s.placeBelow(&a, cut)
	if cut == 0 && !s.own(ruling) {
		if where = s.byHand(&a, ended); where == nil {
			where = s.locate(&a, ended, b.Source.Tenant, ls, s.annotationsOf(&claim))
		}
	}
	s.work.partners = s.pairsOf(&a, b.Source.Tenant)
	p := s.placeOf(&a, &claim, where, s.whither(b.Source.Tenant, where, ruling), s.late(b))
	s.placeSymptom(cut, &p)
	a.Reason, a.Incident = p.reason, p.incident
	gap := event.Time(0)
	switch p.reason {
	case event.ReasonOpened:
		if p.previous == 0 {
			p.previous = s.survivor(left)
		}
		a.Incident = s.open(&a, p)
	case event.ReasonReopened:
		s.reopen(&a, p)
	case event.ReasonJoined, event.ReasonPaired:
		gap = s.meta.At - s.incidents.Brief(a.Incident).LastOnset
	default: // it waits
	}
	s.emit(event.Change{Kind: event.AlertFiring, Alert: a, Claim: claim, Place: s.orNone(a.ID.Slot(), where)})
	if p.reason == event.ReasonOpened {
		s.adopt(a.Incident)
	}
	if where != nil && where.Kind != event.PlaceHand {
		s.branch(a.ID.Slot(), where)
	}
	if a.Kind == event.KindDown && !a.Suppressed && s.alerts.At(a.ID.Slot()).incident != 0 {
		s.reviewSymptoms(s.alerts.At(a.ID.Slot()).incident)
	}
	s.damp(a.ID.Slot())
	s.follow(a.ID.Slot())
	s.settled(a.ID.Slot(), claim.ID)
	if left != 0 && s.alerts.At(a.ID.Slot()).incident != left { // what it was in may have lost the last that spoke for it
		s.settle(left)
		s.endUnheard(left)
	}
	if !s.late(b) {
		s.secondOnset(&a, gap)
	}
	if p.reason == event.ReasonHeartbeat {
		s.expect(a.ID.Slot())
	}
}

// secondOnset rings an acknowledged incident again when an alert joins it after a time in which none did: who acknowledged
// it has not seen that.
func (s *State) secondOnset(a *event.AlertState, gap event.Time) {
	if a.Incident == 0 || gap <= s.settings().OnsetGap || a.Suppressed || a.Flap.Damped || !s.opens(a) {
		return
	}
	s.worse(a.Incident, fmt.Sprintf("a second onset after %s: %s", roughly(gap), a.Name), false)
}

// worse rings an acknowledged incident again, once until it is acknowledged anew, but for a rise of its priority: each one
// rings.
func (s *State) worse(id event.IncidentID, why string, rise bool) {
	inc := s.incidents.Brief(id)
	if inc.WorseAt != 0 && !rise {
		return
	}
	state := s.incidents.State(id)
	if !itsm.Worsen(&state, s.meta.At) {
		return
	}
	s.emit(event.Change{Kind: event.IncidentWorse, Incident: &state, Text: why})
}

// place is where an alert goes, and why.
type place struct {
	reason   event.Reason
	incident event.IncidentID // 0: none, or a new one
	previous event.IncidentID // the group's incident before, when a new one opens
	key      groupKey
	ledger   []event.LedgerEntry
}

// placeOf decides where an alert that begins to fire goes.
func (s *State) placeOf(a *event.AlertState, c *event.ClaimState, where *event.Placement, k groupKey, late bool) place {
	p := place{key: k}
	if s.rules.Heartbeat(s.work.onset) >= 0 {
		p.reason = event.ReasonHeartbeat
		return p
	}
	if a.Flap.Damped && s.unheard(a, k) {
		a.Flap.Damped = false // it enters damping anew, and with that an incident
	}
	back := where == nil || where.Kind == event.PlaceHand || where.Kind == event.PlaceBack || where.Kind == event.PlaceSame && s.incidentOfCluster(where.Cluster) == a.Incident
	if a.Incident != 0 && back && s.stays(a.Incident, a, &p) && !(late && p.reason == event.ReasonReopened) {
		return p
	}
	if p.incident = 0; s.paired(&p) {
		return p
	}
	if g := s.findGroup(k); g != 0 {
		p.previous = s.leads(g)
	}
	s.stepAside(&p)
	if p.previous != 0 && s.takes(p.previous, a, &p) && !(late && p.reason == event.ReasonReopened) {
		return p
	}
	p.incident = 0
	p.reason = s.verdict(a, c, late)
	return p
}

// stays tells whether an alert that was in an incident fires in it again, and reopens it where it had ended.
func (s *State) stays(id event.IncidentID, a *event.AlertState, p *place) bool {
	inc := s.incidents.Brief(id)
	if inc.Phase == event.IncidentOpen {
		p.reason, p.incident = event.ReasonJoined, id
		return true
	}
	if inc.Phase == event.IncidentDone && s.meta.At-inc.ResolvedAt <= s.settings().ReopenWithin && !a.Suppressed && !s.unsteady(a) && !s.tooFew(&p.key, a) {
		p.reason, p.incident = event.ReasonReopened, id
		return true
	}
	return false
}

// unsteady tells whether an alert is damped and has not fired long enough without a break to count.
func (s *State) unsteady(a *event.AlertState) bool {
	return a.Flap.Damped && s.meta.At < a.FiringAt+s.settings().FlapSteady
}

// takes tells whether the group's latest incident takes the alert in.
func (s *State) takes(id event.IncidentID, a *event.AlertState, p *place) bool {
	inc := s.incidents.Brief(id)
	if inc.Phase == event.IncidentOpen {
		if full, why := s.full(id, &p.key); full {
			p.ledger = append(p.ledger, why)
			return false
		}
		idle := s.meta.At - inc.LastOnset
		if p.key.window == 0 || idle <= p.key.window {
			p.reason, p.incident = event.ReasonJoined, id
			return true
		}
		p.ledger = append(p.ledger, event.LedgerEntry{Kind: "window_passed", RuleSource: p.key.place.String(),
			Operands: []string{id.String(), idle.Duration().String(), p.key.window.Duration().String()}})
		return false
	}
	if inc.Phase == event.IncidentDone && s.meta.At-inc.ResolvedAt <= s.settings().ReopenWithin && !a.Suppressed && s.opens(a) && (!s.unsteady(a) || p.reason == event.ReasonFlapped) && !s.tooFew(&p.key, a) {
		p.reason, p.incident = event.ReasonReopened, id
		return true
	}
	return false
}

// full tells whether an incident takes no more alerts: it holds as many as one may, or topology groups it and it is too old. The incident
// that goes on in its place says so.
func (s *State) full(id event.IncidentID, k *groupKey) (bool, event.LedgerEntry) {
	set, age := &s.settings().Correlation, s.meta.At-s.incidents.Brief(id).OpenedAt
	switch alerts := s.members.At(uint32(id)).alerts; {
	case alerts >= uint32(set.MaxIncidentAlerts):
		return true, event.LedgerEntry{Kind: "full", Operands: []string{id.String(), fmt.Sprint(alerts), fmt.Sprint(set.MaxIncidentAlerts)}}
	case k.rule == topologyRule && age > set.MaxIncidentAge:
		return true, event.LedgerEntry{Kind: "too_old", Operands: []string{id.String(), age.Duration().String(), set.MaxIncidentAge.Duration().String()}}
	}
	return false, event.LedgerEntry{}
}

// opens tells whether alerts of this severity can open an incident at all.
func (s *State) opens(a *event.AlertState) bool {
	return s.settings().OpenAfter[a.Severity] != event.Never
}

// verdict decides whether an alert that no incident takes opens one, and if not, why.
func (s *State) verdict(a *event.AlertState, c *event.ClaimState, late bool) event.Reason {
	after := s.settings().OpenAfter[a.Severity]
	ruled := s.severalSay(a, c)
	switch {
	case a.Suppressed && c.Filtered:
		return event.ReasonFiltered
	case a.Suppressed && c.Maintenance:
		return event.ReasonMaintenance
	case a.Suppressed && c.Silences > 0:
		return event.ReasonSilenced
	case a.Suppressed && c.Inhibited:
		return event.ReasonInhibited
	case a.Suppressed:
		return event.ReasonSymptom
	case ruled == event.ReasonBelowThreshold:
		return ruled
	case after == event.Never && ruled == 0:
		return event.ReasonNeverOpens
	case late:
		return event.ReasonLate
	case s.unsteady(a):
		return event.ReasonFlapping
	case ruled != 0:
		return ruled
	case s.meta.At < a.FiringAt+after:
		return event.ReasonWaiting
	case after > 0:
		return event.ReasonHeld
	}
	return event.ReasonOpened
}

// open emits a new incident for an alert.
func (s *State) open(a *event.AlertState, p place) event.IncidentID {
	beat := s.blindness(&p.key)
	if beat == nil {
		beat = &event.Heartbeat{}
	}
	state := itsm.Open(itsm.Opening{
		ID: s.incidents.Next(), Tenant: p.key.tenant, Title: title(a, p.key.labels), Rule: p.key.rule,
		Labels: p.key.labels.Clone(), Severity: a.Severity, Recurs: p.previous, At: s.meta.At, Heartbeat: beat.Number,
	})
	s.hurtFirst(&state, a, s.work.onset)
	ruled := s.govern(&state, a, &p.key)
	if beat.Number != 0 {
		state.Title = clip("Blind: " + beat.Name)
	} else {
		state.Storm = s.stormOf(p.key.tenant, state.Priority)
	}
	s.emit(event.Change{Kind: event.IncidentOpened, Incident: &state, Ledger: slices.Concat(s.openingLedger(a, p), s.hurtLedger(&state, a), ruled)})
	return state.ID
}

func (s *State) openingLedger(a *event.AlertState, p place) []event.LedgerEntry {
	after := s.settings().OpenAfter[a.Severity]
	ledger := append(p.ledger,
		event.LedgerEntry{Kind: "rule", Operands: []string{p.key.rule, p.key.labels.String()}, RuleSource: p.key.place.String()},
		event.LedgerEntry{Kind: "severity", Operands: []string{a.Severity.String(), after.Duration().String()}},
		event.LedgerEntry{Kind: "alert", Operands: []string{a.ID.String(), a.Name, a.Resource}})
	if p.previous != 0 {
		ledger = append(ledger, event.LedgerEntry{Kind: "recurrence", Operands: []string{p.previous.String()}})
	}
	return ledger
}

// title names an incident after the alert that opened it and what its alerts share.
func title(a *event.AlertState, key event.Labels) string {
	name := strings.Clone(a.Name)
	if !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsControl(r) && !unicode.IsSpace(r) }) { // nothing that people see
		name = "Alert"
	}
	var where []string
	for _, l := range key {
		if l.Name != "alertname" && l.Name != treeLabel && l.Name != apartLabel && l.Name != a.Name && len(where) < 4 {
			where = append(where, l.Name+" "+l.Value)
		}
	}
	switch {
	case len(where) > 0:
		return clip(name + ": " + strings.Join(where, ", "))
	case a.Resource != "":
		return clip(name + " on " + a.Resource)
	}
	return clip(name)
}

// clip bounds a title in bytes, at a rune's boundary.
func clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// reopen emits an incident's return for an alert that fires again, or is new in its group.
func (s *State) reopen(a *event.AlertState, p place) {
	state := s.incidents.State(p.incident)
	ledger := []event.LedgerEntry{
		{Kind: "reopen_within", Operands: []string{(s.meta.At - state.ResolvedAt).Duration().String(), s.settings().ReopenWithin.Duration().String()}},
		{Kind: "alert", Operands: []string{a.ID.String(), a.Name, a.Resource}},
	}
	itsm.Reopen(&state, s.meta.At)
	worst := a.Severity
	if others := s.members.At(uint32(p.incident)).severity(); others != event.Clear {
		worst = min(worst, others)
	}
	itsm.Reassess(&state, worst)
	state.Storm = s.stormOf(state.Tenant, state.Priority)
	s.emit(event.Change{Kind: event.IncidentReopened, Incident: &state, Ledger: ledger})
}

// adopt takes those of the group who wait into its new incident.
func (s *State) adopt(id event.IncidentID) {
	g := s.members.At(uint32(id)).group
	s.adoptGroup(g, id)
	s.adoptCounted(g, id)
}

// adoptGroup takes those of a group who wait into an incident.
func (s *State) adoptGroup(g uint32, id event.IncidentID) {
	slots := s.work.slots[:0]
	for slot := s.groups.At(g).head; slot != 0; slot = s.alerts.At(slot).next {
		if s.alerts.At(slot).reason != event.ReasonHeartbeat && !s.heldApart(slot, id) { // a sign of life is evidence of nothing
			slots = append(slots, slot)
		}
	}
	s.work.slots = slots
	for _, slot := range slots {
		a := s.alertState(slot)
		a.Incident, a.Reason = id, event.ReasonEvidence
		s.emit(event.Change{Kind: event.AlertJoined, Alert: a})
	}
	for _, slot := range slots {
		s.reviewHurt(slot, true)
	}
}

// reconsider looks again at an alert that waits, after something about it changed: a silence ended, its severity rose, its
// time is up.
func (s *State) reconsider(slot uint32) {
	s.follow(slot)
	rec := s.alerts.At(slot)
	if rec.phase != event.Firing || rec.incident != 0 && !s.outgrown(rec) {
		return
	}
	a := s.alertState(slot)
	a.Incident = 0
	c := s.firstLive(slot)
	s.onsetOfAlert(slot)
	s.work.partners = s.pairsOf(&a, s.tenantOf(c.Source))
	reason := s.verdict(&a, &c, a.Reason == event.ReasonLate && s.meta.At < a.FiringAt+s.settings().LagThreshold)
	if s.rules.Heartbeat(s.work.onset) >= 0 {
		reason = event.ReasonHeartbeat
	}
	if reason != event.ReasonOpened && reason != event.ReasonHeld {
		if reason != a.Reason {
			a.Reason = reason
			s.emit(event.Change{Kind: event.AlertUpdated, Alert: a})
		}
		return
	}
	p := place{reason: reason, key: s.keyOf(slot, s.tenantOf(c.Source))}
	gap := event.Time(0)
	if g := s.findGroup(p.key); g != 0 {
		p.previous = s.leads(g)
	}
	s.stepAside(&p)
	if p.previous != 0 && s.takes(p.previous, &a, &p) {
		a.Reason, a.Incident = p.reason, p.incident
		if p.reason == event.ReasonReopened {
			s.reopen(&a, p)
		}
		gap = s.meta.At - s.incidents.Brief(a.Incident).LastOnset
	} else {
		a.Reason, a.Incident = reason, s.open(&a, p)
	}
	s.emit(event.Change{Kind: event.AlertJoined, Alert: a})
	s.adopt(a.Incident)
	s.reviewHurt(slot, true)
	s.secondOnset(&a, gap)
}

// outgrown tells whether an alert fires on after its incident was resolved, and is now worse than what was resolved: nobody has
// said anything about that.
func (s *State) outgrown(a *alertRec) bool {
	inc := s.incidents.Brief(a.incident)
	return inc.Phase != event.IncidentOpen && a.flags&flagSuppressed == 0 && a.severity < inc.Severity
}

// firstLive returns the first claim that fires.
func (s *State) firstLive(alert uint32) event.ClaimState {
	for c := s.alerts.At(alert).claims; c != 0; c = s.claims.At(c).next {
		if s.claims.At(c).phase == event.Firing {
			return s.claims.At(c).state(c)
		}
	}
	return event.ClaimState{}
}

// settle brings an open incident's own state in line with its alerts: severity, cleared, signal lost, relapsed.
func (s *State) settle(id event.IncidentID) {
	if id == 0 {
		return
	}
	inc, m := s.incidents.Brief(id), s.members.At(uint32(id))
	if inc.Phase != event.IncidentOpen {
		return
	}
	switch {
	case m.alerts == 0 || m.firing == 0 && m.damped > 0: // nobody speaks for it, or what goes up and down: what it is now says nothing
		s.unclear(id)
	case m.firing > 0 && (inc.ClearSince != 0 || inc.SignalLost):
		wasClear := inc.ClearSince != 0
		s.change(id, event.IncidentRelapsed, func(i *event.IncidentState) {
			i.ClearSince, i.SignalLost, i.Recovered = 0, false, false
		})
		s.reassess(id)
		if wasClear && m.firing > m.suppressed {
			s.worse(id, "it fires again after it had cleared", false)
		}
	case m.firing > 0:
		s.reassess(id)
	case m.firing == 0 && m.expired > 0 && !inc.SignalLost:
		s.change(id, event.IncidentSignalLost, func(i *event.IncidentState) { i.SignalLost, i.ClearSince, i.Recovered = true, 0, false })
	case m.firing == 0 && m.expired == 0 && inc.ClearSince == 0:
		s.change(id, event.IncidentCleared, func(i *event.IncidentState) { i.SignalLost, i.ClearSince = false, s.meta.At })
	}
}

// reassess brings an incident's severity and priority in line with the alerts that fire and are not quiet; a higher priority
// rings again where it had been acknowledged.
func (s *State) reassess(id event.IncidentID) {
	worst := s.members.At(uint32(id)).severity()
	if inc := s.incidents.Brief(id); inc.Settled(worst) {
		return
	}
	state := s.incidents.State(id)
	before := state.Priority
	if !itsm.Reassess(&state, worst) {
		return
	}
	s.emit(event.Change{Kind: event.IncidentUpdated, Incident: &state})
	if state.Priority < before {
		s.worse(id, fmt.Sprintf("the priority rose from P%d to P%d", before, state.Priority), true)
	}
}

// change emits an incident's state after edit.
func (s *State) change(id event.IncidentID, kind event.ChangeKind, edit func(*event.IncidentState)) {
	state := s.incidents.State(id)
	edit(&state)
	s.emit(event.Change{Kind: kind, Incident: &state})
}
