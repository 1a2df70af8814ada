package correlate

import (
	"github.com/tocsin-noc/tocsin/event"
)

// newAlert begins an alert. One that is over before it was seen firing is kept as a ghost, so that a firing of the same
// occurrence that is still on its way does not raise it from the dead.
func (s *State) newAlert(b *event.Batch, source uint32, ev *event.Event, h heard) {
	slot := s.alerts.Alloc()
	a := event.AlertState{ID: event.NewAlertID(slot, s.meta.Born+1), FirstAt: h.at, StartsAt: h.startsAt, Severity: ev.Severity}
	claim := s.fullClaim(s.claims.Alloc(), source, ev, first(h))
	if h.cleared {
		a.Phase, a.Ghost, a.EndedAt, a.Reason = event.Cleared, true, h.at, event.ReasonOver
		s.emit(event.Change{Kind: event.AlertCleared, Alert: s.named(a, ev.Labels), Claim: claim})
		return
	}
	s.onset(b, a, claim)
}

// fullClaim returns a claim with its text, and what quiets it.
func (s *State) fullClaim(slot, source uint32, ev *event.Event, c event.ClaimState) event.ClaimState {
	c.ID, c.Full, c.Source, c.Content = slot, true, source, ev.Content
	c.Labels, c.Annotations, c.GeneratorURL = ev.Labels, ev.Annotations, ev.GeneratorURL
	c.Severity, c.SeverityUnknown = ev.Severity, ev.SeverityUnknown
	if c.Phase == event.Firing {
		s.read(&c, ev.Labels, ev.Annotations)
		s.quiet(&c, ev.Labels)
	}
	return c
}

// quiet fills in what suppresses a claim that begins to fire.
func (s *State) quiet(c *event.ClaimState, ls event.Labels) {
	c.Silences = s.silences.count(s.tenantOf(c.Source), ls)
	c.Inhibited = s.inhibited(s.tenantOf(c.Source), ls)
	c.Maintenance = s.inWindow(s.tenantOf(c.Source), ls)
}

// named adds the names by which people know the alert.
func (s *State) named(a event.AlertState, ls event.Labels) event.AlertState {
	a.Name, a.Resource = ls.Get("alertname"), ls.CI().Name
	return a
}

// alertState returns the alert's state with its names.
func (s *State) alertState(slot uint32) event.AlertState {
	a := s.alerts.At(slot)
	state := a.state(slot)
	state.Flap = flapOf(a, s.flaps.At(a.flap))
	return s.named(state, s.plainLabels(a.claims))
}

// newClaim adds one more source, or one more label set, to an alert that is known. Its slot is new, or that of a claim that ended.
func (s *State) newClaim(b *event.Batch, alert uint32, claim event.ClaimState, h heard) {
	a := s.alertState(alert)
	switch {
	case h.cleared:
		s.emit(event.Change{Kind: event.ClaimEnded, Alert: a, Claim: claim})
	case a.Phase == event.Firing:
		s.treat(&a, &claim)
		s.inherit(&claim, alert)
		raise(&a, claim.Severity)
		a.StartsAt = min(a.StartsAt, claim.StartsAt)
		a.Suppressed = a.Suppressed && suppressed(&claim)
		s.emit(event.Change{Kind: event.AlertUpdated, Alert: a, Claim: claim})
		s.settled(alert, claim.ID)
	default:
		s.onset(b, a, claim)
	}
}

// stepClaim takes word of a claim that is known.
func (s *State) stepClaim(b *event.Batch, alert, slot uint32, ev *event.Event, h heard) {
	if rec := s.claims.At(slot); endedUnsaid(rec, s.alerts.At(alert).firingAt, h) {
		ended := rec.state(slot)
		ended.Phase, ended.EndsAt, ended.Timeout = event.Expired, rec.seenAt, false
		s.claimEnds(alert, ended, event.Expired)
	}
	claim := s.claims.At(slot).state(slot)
	what := merge(&claim, h)
	if claim.Content != ev.Content && (what != effectNone || !h.cleared) {
		what = s.newText(&claim, ev, what)
	}
	switch what {
	case effectNone, effectMoved:
		s.emit(event.Change{Kind: event.AlertSeen, Alert: s.brief(alert), Claim: claim})
		s.heard(alert)
	case effectOnset, effectReturn:
		s.claimFires(b, alert, claim, ev.Labels, what)
	case effectEnd:
		s.claimEnds(alert, claim, event.Cleared)
	case effectText:
		a := s.alertState(alert)
		a.StartsAt = min(a.StartsAt, claim.StartsAt)
		s.emit(event.Change{Kind: event.AlertUpdated, Alert: a, Claim: claim})
		s.heard(alert)
		s.settle(a.Incident)
	}
}

// newText takes over other annotations or another URL: the newest win, and they are outside the claim's merge.
func (s *State) newText(c *event.ClaimState, ev *event.Event, what effect) effect {
	c.Full, c.Content = true, ev.Content
	c.Labels, c.Annotations, c.GeneratorURL = ev.Labels, ev.Annotations, ev.GeneratorURL
	if what == effectNone || what == effectMoved {
		return effectText
	}
	return what
}

// brief is all that a repeat says of its alert.
func (s *State) brief(slot uint32) event.AlertState {
	a := s.alerts.At(slot)
	return event.AlertState{ID: event.NewAlertID(slot, a.number), Incident: a.incident}
}

// claimFires takes a claim that begins to fire, anew or again.
func (s *State) claimFires(b *event.Batch, alert uint32, claim event.ClaimState, ls event.Labels, what effect) {
	a := s.alertState(alert)
	s.readAgain(&claim, ls)
	s.quiet(&claim, ls)
	s.treat(&a, &claim)
	if a.Phase == event.Firing {
		s.inherit(&claim, alert)
		raise(&a, claim.Severity)
		a.StartsAt = min(a.StartsAt, claim.StartsAt)
		a.Suppressed = a.Suppressed && suppressed(&claim)
		s.emit(event.Change{Kind: event.AlertUpdated, Alert: a, Claim: claim})
		s.settled(alert, claim.ID)
		return
	}
	if what == effectReturn && a.Phase == event.Expired {
		s.emit(event.Change{Kind: event.AlertFiring, Alert: s.returned(a, &claim), Claim: claim})
		s.settled(alert, claim.ID)
		return
	}
	a.StartsAt = claim.StartsAt
	s.onset(b, a, claim)
}

// returned is an alert whose source was only out of reach: the same occurrence goes on where it was.
func (s *State) returned(a event.AlertState, claim *event.ClaimState) event.AlertState {
	a.Phase, a.EndedAt, a.EasesAt = event.Firing, 0, 0
	a.StartsAt = min(a.StartsAt, claim.StartsAt)
	a.Severity, a.Suppressed = claim.Severity, suppressed(claim)
	return a
}

// claimEnds takes a claim whose source said it is over, or fell silent.
func (s *State) claimEnds(alert uint32, claim event.ClaimState, how event.AlertPhase) {
	a := s.alertState(alert)
	wasFiring := a.Phase == event.Firing
	left := s.liveClaims(alert, claim.ID)
	switch {
	case left.firing > 0:
		a.Suppressed = left.suppressed == left.firing
		s.ease(&a, left.worst)
		s.emit(event.Change{Kind: event.ClaimEnded, Alert: a, Claim: claim})
	case wasFiring || a.Phase == event.Expired && how == event.Cleared && left.expired == 0:
		s.alertEnds(a, claim, how, left.expired > 0)
	default:
		s.emit(event.Change{Kind: event.ClaimEnded, Alert: a, Claim: claim})
	}
	s.settled(alert, claim.ID)
	if rec := s.alerts.At(alert); rec.kind == event.KindDown && rec.phase != event.Firing && rec.incident != 0 {
		s.reviewSymptoms(rec.incident)
	}
}

// alertEnds emits the end of an alert's last live claim. One source's silence outweighs another's clear: nobody knows.
func (s *State) alertEnds(a event.AlertState, claim event.ClaimState, how event.AlertPhase, othersExpired bool) {
	a.EndedAt, a.EasesAt, a.Suppressed = s.meta.At, 0, false
	if a.Incident == 0 {
		a.Reason = event.ReasonOver
	}
	a.Phase = event.Cleared
	kind := event.AlertCleared
	if how == event.Expired || othersExpired {
		a.Phase, kind = event.Expired, event.AlertExpired
	} else {
		a.Flap = flapped(a.Flap, s.meta.At)
	}
	s.emit(event.Change{Kind: kind, Alert: a, Claim: claim})
	s.damp(a.ID.Slot())
}

// live sums up an alert's claims but one.
type live struct {
	firing, suppressed, expired int
	worst                       event.Severity
}

func (s *State) liveClaims(alert, but uint32) (l live) {
	for c := s.alerts.At(alert).claims; c != 0; c = s.claims.At(c).next {
		rec := s.claims.At(c)
		if c == but {
			continue
		}
		switch rec.phase {
		case event.Firing:
			l.firing++
			if rec.silences > 0 || rec.flags&(flagInhibited|flagMaintenance|flagSymptom|flagFiltered) != 0 {
				l.suppressed++
			}
			if l.worst == event.Clear || rec.severity < l.worst {
				l.worst = rec.severity
			}
		case event.Expired:
			l.expired++
		case event.Cleared:
		}
	}
	return l
}

func suppressed(c *event.ClaimState) bool {
	return c.Silences > 0 || c.Inhibited || c.Maintenance || c.Symptom || c.Filtered
}

// ease moves the alert's severity towards worst, the worst of its live claims: up at once, down after a hold.
func (s *State) ease(a *event.AlertState, worst event.Severity) {
	switch {
	case worst == event.Clear:
	case worst <= a.Severity:
		a.Severity, a.EasesAt = worst, 0
	case a.EasesAt == 0:
		a.EasesAt = s.meta.At + s.settings().SeverityHold
	}
}

// raise takes in the severity of one more live claim.
func raise(a *event.AlertState, sev event.Severity) {
	if sev <= a.Severity {
		a.Severity, a.EasesAt = sev, 0
	}
}

// settled does what follows from a claim that began or ceased to fire: alerts that it inhibits, the alert's own place, and
// its incident's phase.
func (s *State) settled(alert, claim uint32) {
	s.reviewTargets(claim)
	if s.claims.At(claim).phase != event.Expired { // its source said something
		s.heard(alert)
	}
	s.reconsider(alert)
	s.reviewHurt(alert, true)
	s.settle(s.alerts.At(alert).incident)
}
