package itsm

import (
	"slices"

	"github.com/tocsin-noc/tocsin/event"
)

// majorRuns tells whether it is a major incident now.
func majorRuns(i *event.IncidentState) bool {
	m := read(i).Major
	return m != nil && m.EndedAt == 0
}

// MajorRuns tells whether it is a major incident now.
func MajorRuns(i *event.IncidentState) bool { return majorRuns(i) }

// SetMajor promotes the incident to a major one, changes who does what in it, or ends that. While it runs there is always a next
// update due: without a time of its own, every after now. It returns what was done, in words.
func SetMajor(i *event.IncidentState, m event.MajorIncident, actor string, every, at event.Time) (string, *event.Refusal) {
	if m.EndedAt != 0 {
		if !majorRuns(i) {
			return "", &event.Refusal{Code: event.Conflict, Message: i.ID.String() + " is no major incident"}
		}
		EndMajor(i, at)
		return "ended", nil
	}
	if r := mustBeOpen(i, "made a major incident"); r != nil {
		return "", r
	}
	if r := named("the commander", m.Commander, "the communications lead", m.Comms, "the scribe", m.Scribe); r != nil {
		return "", r
	}
	if r := tooLong(MaxText, "the bridge", m.Bridge); r != nil {
		return "", r
	}
	if m.NextUpdate != 0 {
		if r := mustLieAhead("wait for the next update", m.NextUpdate, at); r != nil {
			return "", r
		}
	}
	verb := "changed"
	m.Updates = 0
	if before := read(i).Major; before != nil {
		m.Since, m.By, m.Updates = before.Since, before.By, before.Updates
		if m.NextUpdate == 0 {
			m.NextUpdate = before.NextUpdate
		}
	}
	if !majorRuns(i) {
		m.Since, m.By, verb = at, actor, "promoted"
		if m.NextUpdate == 0 {
			m.NextUpdate = at + every
		}
	}
	d := dossier(i)
	answered(d, 0, actor)
	d.Major = &m
	return verb, nil
}

// KeepMajor gives an incident that leaves another its major incident back as it is now, if that is the one it came with.
func KeepMajor(i, survivor *event.IncidentState) {
	if sameMajor(i, survivor) {
		dossier(i).Major = survivor.Dossier.Major
	}
}

// sameMajor tells whether two incidents hold one major incident, because one of them took it over from the other.
func sameMajor(a, b *event.IncidentState) bool {
	m, n := read(a).Major, read(b).Major
	return m != nil && n != nil && m.Since == n.Since && m.By == n.By
}

// EndMajor ends a major incident that runs.
func EndMajor(i *event.IncidentState, at event.Time) {
	d := dossier(i)
	m := *d.Major
	m.EndedAt, m.NextUpdate = at, 0
	d.Major = &m
}

// TellUpdate posts an update for those who are hit, and sets when the next is due.
func TellUpdate(i *event.IncidentState, text string, until, every, at event.Time) *event.Refusal {
	if read(i).Major == nil {
		return &event.Refusal{Code: event.Conflict, Message: i.ID.String() + " is no major incident", Hint: "make it one first; its watchers are told of it without"}
	}
	if r := mustLive(i, "told about"); r != nil {
		return r
	}
	if text == "" {
		return invalid("an update needs a text", "say what is known, what is done, and when they hear more")
	}
	if until != 0 {
		if r := mustLieAhead("wait for the next update", until, at); r != nil {
			return r
		}
	}
	d := dossier(i)
	m := *d.Major
	m.Updates++
	if m.EndedAt == 0 {
		if m.NextUpdate = until; until == 0 {
			m.NextUpdate = at + every
		}
	}
	d.Major = &m
	return nil
}

// UpdateAt is when those who are hit should hear more, Never when not at all.
func UpdateAt(i *event.IncidentState) event.Time {
	if majorRuns(i) && i.Phase == event.IncidentOpen && i.Dossier.Major.NextUpdate != 0 {
		return i.Dossier.Major.NextUpdate
	}
	return event.Never
}

// UpdateDue says, once, that an update is due: from then on none is planned until somebody posts one.
func UpdateDue(i *event.IncidentState) {
	d := dossier(i)
	m := *d.Major
	m.NextUpdate = 0
	d.Major = &m
}

// reviewActions are what a review begins with.
func reviewActions() [3]string {
	return [3]string{
		"write down what happened and when", "find what would have prevented it or ended it sooner", "agree on actions, each with an owner and a date",
	}
}

// BeginReview makes the review of a major incident that is over, with the actions that every review has. It tells whether there was
// none yet.
func BeginReview(i *event.IncidentState, due event.Time) bool {
	if i.Dossier == nil || i.Dossier.Major == nil || i.Dossier.Review != nil {
		return false
	}
	dossier(i).Review = &event.Review{DueAt: due}
	for _, title := range reviewActions() {
		_, _, refusal := addTask(i, event.Task{Title: title, Assignee: i.Dossier.Major.Commander, Team: i.Team, DueAt: due, Review: true})
		if refusal != nil {
			break // the list is full: the review is there all the same
		}
	}
	return true
}

// SetReview makes a review, changes what it says, or finishes it: a review with DoneAt set is finished. It returns what was done, in words.
func SetReview(i *event.IncidentState, r event.Review, actor string, due, at event.Time) (string, *event.Refusal) {
	if i.Phase != event.IncidentDone && i.Phase != event.PhaseClosed {
		return "", illegal(i, "reviewed")
	}
	if refusal := tooLong(MaxNote, "the summary", r.Summary); refusal != nil {
		return "", refusal
	}
	set, verb := event.Review{DueAt: due}, "begun"
	if before := read(i).Review; before != nil {
		if before.DoneAt != 0 {
			return "", &event.Refusal{Code: event.Conflict, Message: "the review of " + i.ID.String() + " is finished", Hint: "add a note, or a task"}
		}
		set, verb = *before, "changed"
	}
	if r.DueAt != 0 {
		set.DueAt = r.DueAt
	}
	if r.Summary != "" {
		set.Summary = r.Summary
	}
	if r.DoneAt != 0 {
		if set.Summary == "" {
			return "", invalid("a review needs a summary before it is finished", "what happened, why, and what changes because of it")
		}
		set.DoneBy, set.DoneAt, verb = actor, at, "finished"
	}
	dossier(i).Review = &set
	return verb, nil
}

// ProposeMajor proposes, once in its life, that an incident of the highest priority be made a major one. It tells whether it did.
func ProposeMajor(i *event.IncidentState, at event.Time) bool {
	d := read(i)
	said := slices.ContainsFunc(d.Proposals, func(p event.Proposal) bool { return p.Other == 0 })
	if i.Phase != event.IncidentOpen || i.Priority != 1 || d.Major != nil || said || len(d.Proposals) >= MaxProposals {
		return false
	}
	propose(i, event.Proposal{Why: "its priority is P1", At: at})
	return true
}
