package itsm

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
)

// Where an incident is in its life, as people say it. What the machine finds besides (signal lost, recovered, worse) is no
// station of its own.
//
//	new ─▶ acknowledged ─▶ in progress ◀─▶ on hold      any of them ─▶ cancelled, merged
//	 └──────────┴───────────────┴─────────────┴─▶ resolved ─▶ closed
const (
	StatusNew          = "new"
	StatusAcknowledged = "acknowledged"
	StatusInProgress   = "in_progress"
	StatusOnHold       = "on_hold"
	StatusResolved     = "resolved"
	StatusClosed       = "closed"
	StatusCancelled    = "cancelled"
	StatusMerged       = "merged"
)

// Statuses lists every status in the order of an incident's life.
func Statuses() []string {
	return []string{StatusNew, StatusAcknowledged, StatusInProgress, StatusOnHold, StatusResolved, StatusClosed, StatusCancelled, StatusMerged}
}

// StatusOf derives the status from the state.
func StatusOf(i *event.IncidentState) string {
	switch i.Phase {
	case event.IncidentDone:
		return StatusResolved
	case event.PhaseClosed:
		return StatusClosed
	case event.PhaseCancelled:
		return StatusCancelled
	case event.PhaseMerged:
		return StatusMerged
	case event.IncidentOpen:
	}
	switch {
	case i.HeldUntil != 0:
		return StatusOnHold
	case i.BegunAt != 0:
		return StatusInProgress
	case i.AckedAt != 0:
		return StatusAcknowledged
	}
	return StatusNew
}

// Next returns the steps that an incident's life can take from here, by the names of their commands. A closed incident reopens
// only until grace has passed.
func Next(i *event.IncidentState, grace, at event.Time) []string {
	switch StatusOf(i) {
	case StatusNew:
		return []string{"acknowledge", "begin", "hold", "resolve", "cancel"}
	case StatusAcknowledged:
		return []string{"begin", "hold", "resolve", "cancel"}
	case StatusInProgress:
		return []string{"hold", "resolve", "cancel"}
	case StatusOnHold:
		return []string{"begin", "unhold", "resolve", "cancel"}
	case StatusResolved:
		return []string{"close", "reopen"}
	case StatusClosed:
		if at <= i.ClosedAt+grace {
			return []string{"reopen"}
		}
	case StatusMerged:
		return []string{"unmerge"}
	}
	return nil
}

// done says what an incident is after a step, in the words of a sentence.
func done(step string) string {
	switch step {
	case "begin":
		return "begun"
	case "hold":
		return "put on hold"
	case "unhold":
		return "taken off hold"
	case "cancel":
		return "cancelled"
	case "reopen":
		return "reopened"
	case "unmerge":
		return "taken out again"
	}
	return strings.TrimSuffix(step, "e") + "ed"
}

// illegal refuses a step that cannot be taken from where the incident is, and names those that can.
func illegal(i *event.IncidentState, what string) *event.Refusal {
	status := StatusOf(i)
	r := &event.Refusal{
		Code:    event.Conflict,
		Message: fmt.Sprintf("%s is %s and cannot be %s", i.ID, strings.ReplaceAll(status, "_", " "), what),
	}
	var steps []string
	for _, step := range Next(i, 0, i.ClosedAt) {
		steps = append(steps, done(step))
	}
	last := len(steps) - 1
	if last >= 0 {
		r.Hint = "it can be " + steps[0]
	}
	if last > 0 {
		r.Hint = "it can be " + strings.Join(steps[:last], ", ") + " or " + steps[last]
	}
	switch status {
	case StatusResolved:
		r.Hint += ", and reopens by itself when its alerts fire again soon; later a new incident opens"
	case StatusClosed:
		r.Hint += " for a while; a recurrence opens a new incident"
	case StatusCancelled:
		r.Hint = "what fires anew opens a new incident"
	case StatusMerged:
		r.Message = fmt.Sprintf("%s went into %s and cannot be %s", i.ID, i.MergedInto, what)
		r.Hint = "say it of " + i.MergedInto.String() + ", or undo the merge"
	}
	return r
}

func mustBeOpen(i *event.IncidentState, what string) *event.Refusal {
	if i.Phase == event.IncidentOpen {
		return nil
	}
	return illegal(i, what)
}

// mustLive refuses what makes sense only until the incident is closed.
func mustLive(i *event.IncidentState, what string) *event.Refusal {
	if i.Phase == event.IncidentOpen || i.Phase == event.IncidentDone {
		return nil
	}
	return illegal(i, what)
}

func invalid(message, hint string) *event.Refusal {
	return &event.Refusal{Code: event.Invalid, Message: message, Hint: hint}
}

// Begin records that somebody works on the incident. That acknowledges it and ends a hold. It tells whether it says anything new.
func Begin(i *event.IncidentState, actor string, at event.Time) (bool, *event.Refusal) {
	news, r := Acknowledge(i, actor, at)
	if r != nil {
		return false, illegal(i, "begun")
	}
	if i.BegunAt != 0 && i.HeldUntil == 0 {
		return news, nil
	}
	if i.BegunAt == 0 {
		i.BegunAt = at
	}
	unhold(i)
	return true, nil
}

func unhold(i *event.IncidentState) { i.HeldUntil, i.HeldFor, i.HeldAs = 0, "", 0 }

// Cancel ends the incident because it was none. What somebody else has taken on is theirs to cancel.
func Cancel(i *event.IncidentState, actor, reason string, at event.Time) *event.Refusal {
	if r := mustBeOpen(i, "cancelled"); r != nil {
		return r
	}
	if reason == "" {
		return invalid("cancelling needs a reason", "say why it was no incident")
	}
	if owner := Owner(i); owner != "" && owner != actor {
		return &event.Refusal{
			Code: event.Conflict, Message: i.ID.String() + " is somebody else's and cannot be cancelled over their head",
			Hint: "assign it to yourself first, or resolve it",
		}
	}
	if majorRuns(i) {
		return &event.Refusal{
			Code: event.Conflict, Message: i.ID.String() + " is a major incident and cannot be cancelled",
			Hint: "end the major incident first",
		}
	}
	calm(i)
	i.Phase, i.ClosedAt = event.PhaseCancelled, at
	return nil
}

// calm takes back what only means something while the incident is open.
func calm(i *event.IncidentState) {
	i.SignalLost, i.Recovered, i.SnoozedUntil = false, false, 0
	unhold(i)
}

// CloseByHand closes a resolved incident. While tasks are open it takes a reason; those of the review do not count, they outlive it.
func CloseByHand(i *event.IncidentState, reason string, at event.Time) *event.Refusal {
	if i.Phase != event.IncidentDone {
		return illegal(i, "closed")
	}
	if open := openTasks(i); len(open) > 0 && reason == "" {
		return &event.Refusal{
			Code: event.Conflict, Message: fmt.Sprintf("%s still has open tasks: %s", i.ID, strings.Join(open, ", ")),
			Hint: "finish them, or close it with a reason",
		}
	}
	Close(i, at)
	return nil
}

// Close ends the life of a resolved incident: it does not reopen by itself any more.
func Close(i *event.IncidentState, at event.Time) { i.Phase, i.ClosedAt = event.PhaseClosed, at }

// ReopenByHand takes a resolved incident back, or one that was closed no longer than grace ago. It is its actor's from then on: it
// stays open, though all be clear, until somebody resolves it or its alerts clear anew.
func ReopenByHand(i *event.IncidentState, actor, reason string, grace, at event.Time) *event.Refusal {
	if !slices.Contains(Next(i, grace, at), "reopen") {
		if i.Phase == event.PhaseClosed {
			return &event.Refusal{
				Code: event.Conflict, Message: i.ID.String() + " was closed too long ago and cannot be reopened",
				Hint: "a recurrence opens a new incident; open one yourself and relate the two",
			}
		}
		return illegal(i, "reopened")
	}
	if reason == "" {
		return invalid("reopening needs a reason", "say what is not over")
	}
	Reopen(i, at)
	i.AckedAt, i.AckedBy = at, actor
	return nil
}
