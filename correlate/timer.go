package correlate

import (
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
)

// A timer only says "look again": the deadline itself is computed from the state, so a deadline that moved (every repeat
// moves one) costs nothing until the old one is due.
const (
	timerClaim uint8 = iota + 1
	timerAlert
	timerIncident
	timerSilence
	timerWatch
	timerCI
	timerCluster
	timerTrace
)

// due is a timer that went off.
type due struct {
	kind uint8
	ref  uint32
}

// maxDue bounds the deadlines one tick carries out; what is left is due at the next.
const maxDue = 4096

// Next returns the earliest deadline, Never when there is none. A Tick at or after it makes it due.
func (s *State) Next() event.Time {
	if at, ok := s.timers.Next(); ok {
		return event.Time(at)
	}
	return event.Never
}

func (s *State) stepTick() {
	list := s.work.due[:0]
	s.timers.Due(int64(s.meta.At), maxDue, func(kind uint8, ref uint32) { list = append(list, due{kind, ref}) })
	s.work.due = list
	// First every timer forgets its id: carrying one out may cancel or set others.
	for _, d := range list {
		*s.timerOf(d) = 0
	}
	for _, d := range list {
		switch d.kind {
		case timerClaim:
			s.claimDue(d.ref)
		case timerAlert:
			s.alertDue(d.ref)
		case timerIncident:
			s.incidentDue(event.IncidentID(d.ref))
		case timerSilence:
			s.silencesDue(d.ref)
		case timerWatch:
			s.watchDue()
		case timerCI:
			s.ciDue(d.ref)
		case timerCluster:
			s.clusterDue(d.ref)
		case timerTrace:
			s.traceDue(d.ref)
		}
	}
}

// timerOf returns where the id of a timer is kept.
func (s *State) timerOf(d due) *uint32 {
	switch d.kind {
	case timerClaim:
		return &s.claims.Mut(d.ref).timer
	case timerAlert:
		return &s.alerts.Mut(d.ref).timer
	case timerIncident:
		return &s.members.Mut(d.ref).timer
	case timerWatch:
		return &s.meta.Watch
	case timerCI:
		return &s.cis.Mut(d.ref).timer
	case timerCluster:
		return s.clusterTimer(d.ref)
	case timerTrace:
		return &s.traces.recs.Mut(d.ref).timer
	}
	return s.silences.timers.Mut(d.ref)
}

// schedule replaces the timer whose id lies at id by one at deadline; Never means none.
func (s *State) schedule(id *uint32, kind uint8, ref uint32, deadline event.Time) {
	s.timers.Cancel(*id)
	*id = 0
	if deadline != event.Never {
		*id = s.timers.Set(kind, ref, int64(max(deadline, s.meta.At)))
	}
}

func (s *State) scheduleClaim(slot uint32) {
	c := s.claims.Mut(slot)
	s.schedule(&c.timer, timerClaim, slot, wholeSecond(s.claimDeadline(c)))
}

// wholeSecond rounds up, so that a million claims that expire one by one share a tick a second.
func wholeSecond(t event.Time) event.Time {
	if t == event.Never {
		return t
	}
	return (t + event.Second - 1) / event.Second * event.Second
}

// claimDeadline is when a claim has gone unheard for too long. After the daemon was away, or behind, a claim that was not
// heard of since gets the time that its source needs to speak up.
func (s *State) claimDeadline(c *claimRec) event.Time {
	src := s.sources.At(c.source)
	switch {
	case c.phase == event.Cleared && c.staleAt != 0 && src.kind == event.SendOnce:
		return c.staleAt + s.settings().StaleConfirm
	case c.phase != event.Firing:
		return event.Never
	case src.kind == event.SendOnce && c.flags&flagUnconfirmed != 0:
		return event.Never
	case src.kind == event.SendOnce:
		return c.seenAt + s.settings().UnconfirmedAfter
	}
	deadline := c.endsAt
	if c.seenAt <= s.meta.Resumed {
		deadline = max(deadline, s.meta.Grace)
	}
	if c.seenAt <= src.graceFrom {
		deadline = max(deadline, src.graceUntil)
	}
	return deadline
}

func (s *State) claimDue(slot uint32) {
	c := s.claims.At(slot)
	if c.alert == 0 || c.timer != 0 || s.claimDeadline(c) == event.Never {
		return
	}
	if deadline := s.claimDeadline(c); deadline > s.meta.At {
		s.scheduleClaim(slot)
		return
	}
	state, alert := c.state(slot), c.alert
	if state.Phase == event.Cleared {
		s.believe(alert, state)
		return
	}
	if s.sources.At(c.source).kind == event.SendOnce {
		state.Unconfirmed = true
		s.emit(event.Change{Kind: event.AlertUnconfirmed, Alert: s.brief(alert), Claim: state})
		return
	}
	state.Phase = event.Expired
	if s.text.String(s.sources.At(c.source).name) == ownSource {
		state.Phase, state.EndsAt = event.Cleared, s.meta.At
	}
	s.claimEnds(alert, state, state.Phase)
}

// believe takes up the firing that a send-once source said after an end that seemed to be later than it: the source would not
// say it again, and has not said that it is over.
func (s *State) believe(alert uint32, c event.ClaimState) {
	src := s.sources.At(c.Source)
	b := event.Batch{Source: event.Source{Name: s.text.String(src.name), Tenant: s.text.String(src.tenant), Kind: src.kind}}
	ls := s.claimLabels(c.ID).Clone()
	begin(&c, heard{at: s.meta.At, startsAt: c.StaleAt, endsAt: event.Never})
	c.ClearedAt = 0
	s.claimFires(&b, alert, c, ls, effectOnset)
}

func (s *State) scheduleAlert(slot uint32) {
	a := s.alerts.Mut(slot)
	s.schedule(&a.timer, timerAlert, slot, s.alertDeadline(a))
}

// alertDeadline is when an alert that waits has waited enough, when its severity falls, or when one that ended is forgotten.
func (s *State) alertDeadline(a *alertRec) event.Time {
	set := s.settings()
	deadline := event.Never
	if a.flags&flagDamped != 0 {
		f := flapOf(a, s.flaps.At(a.flap))
		deadline = calmAt(&f)
	}
	if a.phase != event.Firing {
		if a.flags&flagGhost != 0 {
			return min(deadline, a.endedAt+set.ReopenWithin)
		}
		return min(deadline, a.endedAt+set.RetainCleared)
	}
	if after := set.OpenAfter[a.severity]; a.incident == 0 && a.flags&flagSuppressed == 0 && after != event.Never {
		if a.reason == event.ReasonLate {
			after = max(after, set.LagThreshold)
		}
		if a.reason == event.ReasonFlapping {
			after = max(after, set.FlapSteady)
		}
		if a.reason != event.ReasonHeartbeat && a.reason != event.ReasonBelowThreshold {
			deadline = min(deadline, a.firingAt+after)
		}
	}
	if a.easesAt != 0 {
		deadline = min(deadline, a.easesAt)
	}
	if a.quiet&event.QuietFilter != 0 {
		deadline = min(deadline, s.filterEnd(a))
	}
	return min(deadline, s.symptomUntil(a))
}

func (s *State) alertDue(slot uint32) {
	a := s.alerts.At(slot)
	switch {
	case a.firstAt == 0 || a.timer != 0:
		return // dropped or rescheduled earlier in this tick
	case a.flags&flagDamped != 0 && s.isCalm(a):
		s.calm(slot)
		s.settle(s.alerts.At(slot).incident)
		return
	case a.phase != event.Firing:
		s.forget(slot)
		return
	case a.easesAt != 0 && a.easesAt <= s.meta.At:
		state := s.alertState(slot)
		state.Severity, state.EasesAt = s.liveClaims(slot, 0).worst, 0
		s.emit(event.Change{Kind: event.AlertSeverity, Alert: state})
	}
	s.symptomDue(slot)
	s.filterDue(slot)
	s.reconsider(slot)
	s.settle(s.alerts.At(slot).incident)
	if a := s.alerts.Mut(slot); a.timer == 0 {
		deadline := s.alertDeadline(a)
		if deadline <= s.meta.At {
			deadline = s.meta.At + event.Minute
		}
		if a.incident == 0 || a.easesAt != 0 || a.flags&flagDamped != 0 || a.quiet&event.QuietFilter != 0 || s.symptomUntil(a) != event.Never {
			s.schedule(&a.timer, timerAlert, slot, deadline)
		}
	}
}

// forget drops an alert that ended long ago, unless people still work on its incident.
func (s *State) forget(slot uint32) {
	a := s.alerts.Mut(slot)
	deadline := s.alertDeadline(a)
	if a.incident != 0 && s.incidents.Brief(a.incident).Phase == event.IncidentOpen {
		deadline = max(deadline, s.meta.At+event.Hour)
	}
	if deadline > s.meta.At {
		s.schedule(&a.timer, timerAlert, slot, deadline)
		return
	}
	s.emit(event.Change{Kind: event.AlertDropped, Alert: s.alertState(slot)})
}

func (s *State) scheduleIncident(id event.IncidentID) {
	m := s.members.Mut(uint32(id))
	s.schedule(&m.timer, timerIncident, uint32(id), s.incidentDeadline(id))
}

// incidentDeadline is when an incident whose alerts have cleared has been quiet for long enough, when something that people wait for
// is due, and when one that was resolved is closed.
func (s *State) incidentDeadline(id event.IncidentID) event.Time {
	inc := s.incidents.Brief(id)
	if after := s.settings().CloseAfter; inc.Phase == event.IncidentDone && after != 0 {
		return inc.ResolvedAt + after
	}
	if inc.Phase != event.IncidentOpen {
		return event.Never
	}
	deadline := event.Never
	if inc.ClearSince != 0 && inc.HeldUntil == 0 {
		deadline = inc.ClearSince + s.settings().ResolveHold
		if inc.Recovered {
			deadline += s.settings().RecoveredHold
		}
	}
	for _, pause := range [...]event.Time{inc.SnoozedUntil, inc.HeldUntil} {
		if pause != 0 {
			deadline = min(deadline, pause)
		}
	}
	if inc.Dossier {
		state := s.incidents.State(id)
		deadline = min(deadline, itsm.UpdateAt(&state), itsm.ChaseAt(&state))
	}
	return deadline
}

// pauseDue ends the snooze and the hold whose time has come. It tells whether there was one.
func (s *State) pauseDue(id event.IncidentID) bool {
	inc := s.incidents.Brief(id)
	snoozed := inc.SnoozedUntil != 0 && inc.SnoozedUntil <= s.meta.At
	held := inc.HeldUntil != 0 && inc.HeldUntil <= s.meta.At
	switch {
	case snoozed && inc.ClearSince == 0:
		s.change(id, event.IncidentWoke, itsm.Wake)
	case snoozed: // nothing fires that could wake anybody
		s.change(id, event.IncidentUpdated, func(i *event.IncidentState) { i.SnoozedUntil = 0 })
	}
	if held {
		state := s.incidents.State(id)
		state.HeldUntil, state.HeldFor, state.HeldAs = 0, "", 0
		if state.ClearSince != 0 { // whoever it is told to gets the time of a hold to say otherwise
			state.ClearSince = s.meta.At
		}
		s.emit(event.Change{Kind: event.IncidentUnheld, Incident: &state, Text: "due"})
	}
	return snoozed || held
}

func (s *State) incidentDue(id event.IncidentID) {
	deadline := s.incidentDeadline(id)
	if deadline == event.Never || s.members.At(uint32(id)).timer != 0 {
		return
	}
	if deadline > s.meta.At {
		s.scheduleIncident(id)
		return
	}
	if s.incidents.Brief(id).Phase == event.IncidentDone {
		s.closeDue(id)
		return
	}
	if s.pauseDue(id) || s.remindDue(id) {
		return
	}
	state := s.incidents.State(id)
	if itsm.Owned(&state) && !state.Recovered {
		state.Recovered = true
		s.emit(event.Change{Kind: event.IncidentRecovered, Incident: &state})
		return
	}
	itsm.Finish(&state, "", s.meta.At)
	s.emit(event.Change{Kind: event.IncidentResolved, Incident: &state, Text: "every alert has cleared"})
	s.ended(id, "")
}

// isCalm tells whether a damped alert has been quiet for long enough.
func (s *State) isCalm(a *alertRec) bool {
	f := flapOf(a, s.flaps.At(a.flap))
	return calmAt(&f) <= s.meta.At
}
