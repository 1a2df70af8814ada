package itsm

import (
	"fmt"

	"github.com/tocsin-noc/tocsin/event"
)

// Opening is what an incident is opened with.
type Opening struct {
	ID        event.IncidentID
	Tenant    string
	Title     string
	Rule      string
	Labels    event.Labels
	Severity  event.Severity
	Recurs    event.IncidentID
	Storm     uint32
	Heartbeat uint32
	At        event.Time
}

// Open returns a new incident's state.
func Open(o Opening) event.IncidentState {
	return event.IncidentState{
		ID: o.ID, Tenant: o.Tenant, Phase: event.IncidentOpen, Severity: o.Severity, Priority: Priority(o.Severity), Unbound: true,
		Title: o.Title, Rule: o.Rule, Labels: o.Labels, OpenedAt: o.At, LastOnset: o.At, Recurs: o.Recurs,
		Storm: o.Storm, Heartbeat: o.Heartbeat,
	}
}

// Priority is the priority of an incident on whose configuration items no service is known to rest:
// critical is P2, major P3, all else P4.
func Priority(s event.Severity) uint8 {
	switch s {
	case event.Critical:
		return 2
	case event.Major:
		return 3
	default:
		return 4
	}
}

// Reassess sets the severity and the priority that follows from it. The machine raises at any time, and lowers only before
// somebody acknowledged. It tells whether anything moved.
func Reassess(i *event.IncidentState, s event.Severity) bool {
	s = ruled(i, s)
	if s == event.Clear || s == i.Severity {
		return false
	}
	if s > i.Severity && i.AckedAt != 0 {
		return false
	}
	before := i.Priority
	i.Severity = s
	prioritise(i)
	if i.AckedAt != 0 {
		i.Priority = min(i.Priority, before)
	}
	return true
}

// Settled tells for sure that Reassess would move nothing; where rules have a say it does not know.
func (b *Brief) Settled(s event.Severity) bool {
	return !b.Bounded && (s == event.Clear || s == b.Severity || s > b.Severity && b.AckedAt != 0)
}

// Acknowledge records that actor has taken notice of all there is by now. It tells whether that says anything new: a second
// acknowledgement of the same evidence does not, and the first name stays until the incident gets worse.
func Acknowledge(i *event.IncidentState, actor string, at event.Time) (bool, *event.Refusal) {
	if r := mustBeOpen(i, "acknowledged"); r != nil {
		return false, r
	}
	if i.AckedAt != 0 && i.WorseAt == 0 && i.LastOnset <= i.AckedAt && i.SnoozedUntil == 0 {
		return false, nil
	}
	if i.AckedAt == 0 || i.WorseAt != 0 || i.SnoozedUntil != 0 {
		i.AckedBy = actor
	}
	i.AckedAt, i.WorseAt, i.SnoozedUntil = at, 0, 0
	return true, nil
}

// MaxPause bounds a snooze and a hold: every mute has an end that people live to see.
const MaxPause = 90 * event.Day

// Snooze acknowledges the incident until a time; then, or when it gets worse, it rings again.
func Snooze(i *event.IncidentState, actor string, until, at event.Time) *event.Refusal {
	if r := mustBeOpen(i, "snoozed"); r != nil {
		return r
	}
	if r := mustLieAhead("snooze", until, at); r != nil {
		return r
	}
	i.AckedAt, i.AckedBy, i.WorseAt, i.SnoozedUntil = at, actor, 0, until
	return nil
}

// Wake ends a snooze whose time has come: nobody has the incident any more.
func Wake(i *event.IncidentState) {
	i.SnoozedUntil, i.AckedAt, i.AckedBy, i.WorseAt, i.BegunAt = 0, 0, "", 0, 0
}

// Worsen marks that there is more to an incident than what was acknowledged. It tells whether anybody had acknowledged it.
func Worsen(i *event.IncidentState, at event.Time) bool {
	if i.Phase != event.IncidentOpen || i.AckedAt == 0 {
		return false
	}
	i.WorseAt, i.SnoozedUntil = at, 0
	return true
}

// Hold keeps the incident open, waiting for something, until a time; an until of 0 ends the hold. What it waits for may be said by
// its kind, in words, or both.
func Hold(i *event.IncidentState, until event.Time, as event.HoldReason, reason string, at event.Time) *event.Refusal {
	if r := mustBeOpen(i, "put on hold"); r != nil {
		return r
	}
	if until == 0 {
		if i.HeldUntil == 0 {
			return &event.Refusal{Code: event.Conflict, Message: i.ID.String() + " is not on hold"}
		}
		unhold(i)
		return nil
	}
	if r := mustLieAhead("hold", until, at); r != nil {
		return r
	}
	if as == 0 {
		as = event.HoldOther
	}
	if as > event.HoldProblem {
		return invalid("there is no such reason for a hold", "caller, vendor, change, problem or other")
	}
	if reason == "" && as == event.HoldOther {
		return invalid("a hold needs a reason", "say what it waits for: the vendor, a change, the caller")
	}
	i.HeldUntil, i.HeldFor, i.HeldAs = until, reason, as
	return nil
}

func mustLieAhead(what string, until, at event.Time) *event.Refusal {
	switch {
	case until <= at:
		return &event.Refusal{Code: event.Invalid, Message: "the end of a " + what + " must lie ahead"}
	case until > at+MaxPause:
		return &event.Refusal{Code: event.Invalid, Message: fmt.Sprintf("a %s lasts at most %d days", what, MaxPause/event.Day)}
	}
	return nil
}

// Assign sets who works on it; empty strings take it back.
func Assign(i *event.IncidentState, assignee, team string) *event.Refusal {
	if r := mustBeOpen(i, "assigned"); r != nil {
		return r
	}
	i.Assignee, i.Team = assignee, team
	return nil
}

// Owned tells whether a person has taken the incident on, or opened it.
func Owned(i *event.IncidentState) bool {
	return i.AckedAt != 0 || i.Assignee != "" || i.OpenedBy != ""
}

// Resolve ends the incident on a person's word. While alerts fire it takes a reason.
func Resolve(i *event.IncidentState, actor, reason string, firing int, at event.Time) *event.Refusal {
	if r := mustBeOpen(i, "resolved"); r != nil {
		return r
	}
	if firing > 0 && reason == "" {
		many := "s"
		if firing == 1 {
			many = ""
		}
		return &event.Refusal{
			Code:    event.Conflict,
			Message: fmt.Sprintf("%s still has %d firing alert%s", i.ID, firing, many),
			Hint:    "resolve it with a reason, or wait until they clear",
		}
	}
	Finish(i, actor, at)
	return nil
}

// Finish sets the incident to resolved.
func Finish(i *event.IncidentState, actor string, at event.Time) {
	i.Phase, i.ResolvedAt, i.ResolvedBy = event.IncidentDone, at, actor
	calm(i)
}

// Reopen takes the incident back. Who had acknowledged it has not seen what comes now, so the acknowledgement goes; the
// assignment stays.
func Reopen(i *event.IncidentState, at event.Time) {
	i.Phase, i.ResolvedAt, i.ResolvedBy, i.ClosedAt = event.IncidentOpen, 0, "", 0
	i.AckedAt, i.AckedBy, i.WorseAt, i.BegunAt = 0, "", 0, 0
	i.ClearSince, i.SignalLost, i.Recovered = 0, false, false
	i.LastOnset = at
	i.Reopened++
}

// Note counts a work note; its text goes with the change into the record store. A resolved incident takes notes too.
func Note(i *event.IncidentState, text string) *event.Refusal {
	if text == "" {
		return &event.Refusal{Code: event.Invalid, Message: "a note needs a text"}
	}
	i.Notes++
	return nil
}
