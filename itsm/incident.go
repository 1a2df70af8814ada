package itsm

import (
	"fmt"

	"github.com/tocsin-noc/tocsin/event"
)

// Opening is what an incident is opened with.
type Opening struct {
	ID       event.IncidentID
	Tenant   string
	Title    string
	Rule     string
	Labels   event.Labels
	Severity event.Severity
	Recurs   event.IncidentID
	At       event.Time
}

// Open returns a new incident's state.
func Open(o Opening) event.IncidentState {
	return event.IncidentState{
		ID: o.ID, Tenant: o.Tenant, Phase: event.IncidentOpen, Severity: o.Severity, Priority: Priority(o.Severity), Unbound: true,
		Title: o.Title, Rule: o.Rule, Labels: o.Labels, OpenedAt: o.At, LastOnset: o.At, Recurs: o.Recurs,
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
	if s == event.Clear || s == i.Severity {
		return false
	}
	if s > i.Severity && i.AckedAt != 0 {
		return false
	}
	i.Severity, i.Priority = s, Priority(s)
	return true
}

// Acknowledge records that actor has taken notice.
func Acknowledge(i *event.IncidentState, actor string, at event.Time) *event.Refusal {
	if r := mustBeOpen(i, "acknowledged"); r != nil {
		return r
	}
	i.AckedAt, i.AckedBy = at, actor
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

// Owned tells whether a person has taken the incident on.
func Owned(i *event.IncidentState) bool { return i.AckedAt != 0 || i.Assignee != "" }

// Resolve ends the incident on a person's word. While alerts fire it takes a reason.
func Resolve(i *event.IncidentState, actor, reason string, firing int, at event.Time) *event.Refusal {
	if r := mustBeOpen(i, "resolved"); r != nil {
		return r
	}
	if firing > 0 && reason == "" {
		return &event.Refusal{
			Code:    event.Conflict,
			Message: fmt.Sprintf("%s still has %d firing alerts", i.ID, firing),
			Hint:    "resolve it with a reason, or wait until they clear",
		}
	}
	Finish(i, actor, at)
	return nil
}

// Finish sets the incident to resolved.
func Finish(i *event.IncidentState, actor string, at event.Time) {
	i.Phase, i.ResolvedAt, i.ResolvedBy = event.IncidentDone, at, actor
	i.SignalLost, i.Recovered = false, false
}

// Reopen takes the incident back. Who had acknowledged it has not seen what comes now, so the acknowledgement goes; the
// assignment stays.
func Reopen(i *event.IncidentState, at event.Time) {
	i.Phase, i.ResolvedAt, i.ResolvedBy = event.IncidentOpen, 0, ""
	i.AckedAt, i.AckedBy = 0, ""
	i.ClearSince, i.SignalLost, i.Recovered = 0, false, false
	i.LastOnset = at
	i.Reopened++
}

func mustBeOpen(i *event.IncidentState, what string) *event.Refusal {
	if i.Phase == event.IncidentOpen {
		return nil
	}
	return &event.Refusal{
		Code:    event.Conflict,
		Message: fmt.Sprintf("%s is resolved and cannot be %s", i.ID, what),
		Hint:    "it reopens by itself when its alerts fire again; otherwise a new incident opens",
	}
}

// Note counts a work note; its text goes with the change into the record store. A resolved incident takes notes too.
func Note(i *event.IncidentState, text string) *event.Refusal {
	if text == "" {
		return &event.Refusal{Code: event.Invalid, Message: "a note needs a text"}
	}
	i.Notes++
	return nil
}
