package correlate

import (
	"fmt"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
)

// openByPerson opens an incident that nobody's alert opened. It belongs to no group, so no alert finds its way into it by itself.
func (s *State) openByPerson(c *event.Command) event.Result {
	if refusal := complete(c); refusal != nil {
		return event.Result{Err: refusal}
	}
	state, refusal := itsm.OpenByPerson(s.incidents.Next(), c.Tenant, c.Actor, c.Edit, s.meta.At)
	if refusal != nil {
		return event.Result{Err: refusal}
	}
	s.about(&state, c.Edit)
	s.emit(event.Change{Kind: event.IncidentOpened, Incident: &state, Actor: c.Actor})
	if c.Text != "" {
		state := s.incidents.State(state.ID)
		state.Notes++
		s.emit(event.Change{Kind: event.IncidentNoted, Incident: &state, Actor: c.Actor, Text: c.Text})
	}
	return event.Result{Incident: state.ID}
}

// about takes in the services that rest on the configuration item that a person says the incident is about. One that nobody knows yet
// is taken down as it is said: a desk without a catalogue names things too.
func (s *State) about(i *event.IncidentState, e *event.IncidentEdit) {
	if e.Fields&event.PinCI == 0 {
		return
	}
	if hits := s.services(i.Tenant, s.cmdb.Find(i.Tenant, e.CI), nil); len(hits) > 0 {
		itsm.Hurt(i, affected(hits, s.isDown))
	}
}

// followUp proposes, after any change that leaves an incident with the highest priority, that it be made a major one.
func (s *State) followUp(i *event.IncidentState) {
	state := *i
	if itsm.ProposeMajor(&state, s.meta.At) {
		s.emit(event.Change{Kind: event.IncidentProposed, Incident: &state, Text: "a major incident: its priority is P1"})
	}
}

// ended does what follows from an incident's end: a major incident ends with it and gets its review, and its children end too.
func (s *State) ended(id event.IncidentID, actor string) {
	state := s.incidents.State(id)
	if itsm.MajorRuns(&state) {
		itsm.EndMajor(&state, s.meta.At)
		s.emit(event.Change{Kind: event.IncidentMajor, Incident: &state, Actor: actor, Text: "ended: the incident is resolved"})
		due := s.meta.At + s.settings().ReviewAfter
		if state = s.incidents.State(id); itsm.BeginReview(&state, due) {
			s.emit(event.Change{Kind: event.IncidentReviewed, Incident: &state, Text: "begun: due on " + due.Time().Format("2006-01-02")})
		}
	}
	if state.Dossier == nil {
		return
	}
	for _, child := range state.Dossier.Children {
		s.endsWith(child, id, actor)
	}
}

// endsWith resolves a child with its parent, unless it has something of its own to wait for.
func (s *State) endsWith(id, parent event.IncidentID, actor string) {
	child := s.incidents.State(id)
	if child.Phase != event.IncidentOpen {
		return
	}
	why := ""
	switch firing := s.members.At(uint32(id)).firing; {
	case firing > 0:
		why = fmt.Sprintf("%d of its alerts still fire", firing)
	case child.SignalLost:
		why = "nobody knows whether its alerts are over"
	case child.HeldUntil != 0:
		why = "it is on hold"
	}
	if why != "" {
		child.Notes++
		s.emit(event.Change{Kind: event.IncidentNoted, Incident: &child, Text: "its parent " + parent.String() + " was resolved; it stays open, because " + why})
		return
	}
	itsm.Finish(&child, actor, s.meta.At)
	s.emit(event.Change{Kind: event.IncidentResolved, Incident: &child, Actor: actor, Text: "with its parent " + parent.String()})
	s.ended(id, actor)
}

// remindDue says that the next update of a major incident is due, or that a supplier should be asked. It tells whether one was.
func (s *State) remindDue(id event.IncidentID) bool {
	state := s.incidents.State(id)
	update, chase := itsm.UpdateAt(&state) <= s.meta.At, itsm.ChaseAt(&state) <= s.meta.At
	if update {
		itsm.UpdateDue(&state)
		s.emit(event.Change{Kind: event.IncidentUpdateDue, Incident: &state})
	}
	if chase {
		state = s.incidents.State(id)
		text := itsm.Chase(&state)
		s.emit(event.Change{Kind: event.IncidentChase, Incident: &state, Text: text})
	}
	return update || chase
}

// closeDue closes an incident that has been resolved for long enough.
func (s *State) closeDue(id event.IncidentID) {
	state := s.incidents.State(id)
	text := fmt.Sprintf("resolved %d days ago", (s.meta.At-state.ResolvedAt)/event.Day)
	itsm.Close(&state, s.meta.At)
	s.emit(event.Change{Kind: event.IncidentClosed, Incident: &state, Text: text})
}

// unclear stops the hold of an open incident that nothing clears any more, because alerts left it or came into it. Where none is left
// nobody waits for a signal either.
func (s *State) unclear(id event.IncidentID) {
	inc, empty := s.incidents.Brief(id), s.members.At(uint32(id)).alerts == 0
	if inc.ClearSince == 0 && !(inc.SignalLost && empty) {
		return
	}
	s.change(id, event.IncidentUpdated, func(i *event.IncidentState) {
		i.ClearSince, i.Recovered, i.SignalLost = 0, false, i.SignalLost && !empty
	})
}

// maxGenerations bounds how deep incidents can be children of children.
const maxGenerations = 8

// setParent makes an incident another's child, or takes that back.
func (s *State) setParent(c *event.Command, child event.IncidentState) *event.Refusal {
	if c.Other == 0 {
		if child.Parent == 0 {
			return &event.Refusal{Code: event.Conflict, Message: child.ID.String() + " has no parent"}
		}
		s.orphan(child.ID, c.Actor)
		return nil
	}
	parent, refusal := s.incidentOf(c.Other, c.Tenant)
	switch {
	case refusal != nil:
		return refusal
	case parent.Phase == event.PhaseMerged:
		return s.wentInto(&parent)
	case child.Parent == parent.ID:
		return nil
	case parent.ID == child.ID || s.descends(parent.ID, child.ID):
		return &event.Refusal{
			Code: event.Conflict, Message: fmt.Sprintf("%s cannot be a child of %s: that would make it its own ancestor", child.ID, parent.ID),
			Hint: "turn it round, or take a link back first",
		}
	case parent.Phase != event.IncidentOpen || child.Phase != event.IncidentOpen:
		return &event.Refusal{Code: event.Conflict, Message: "a parent and a child must both be open", Hint: "relate them instead"}
	case s.above(parent.ID)+1+s.below(child.ID) >= maxGenerations:
		return &event.Refusal{Code: event.Conflict, Message: fmt.Sprintf("more than %d generations", maxGenerations), Hint: "relate them instead"}
	}
	if refusal := itsm.Adopt(&parent, &child); refusal != nil {
		return refusal
	}
	if s.incidents.State(child.ID).Parent != 0 {
		s.orphan(child.ID, c.Actor)
	}
	s.adoptChild(parent.ID, child.ID, c.Actor)
	return nil
}

// adoptChild emits a child's new parent, on both sides, if there is room for it.
func (s *State) adoptChild(parentID, childID event.IncidentID, actor string) {
	parent, child := s.incidents.State(parentID), s.incidents.State(childID)
	if itsm.Adopt(&parent, &child) != nil {
		return
	}
	s.emit(event.Change{Kind: event.IncidentLinked, Incident: &child, Actor: actor, Text: "child of " + parentID.String()})
	s.emit(event.Change{Kind: event.IncidentLinked, Incident: &parent, Actor: actor, Text: "parent of " + childID.String()})
}

// orphan takes a child from its parent, on both sides.
func (s *State) orphan(id event.IncidentID, actor string) {
	child := s.incidents.State(id)
	parent := s.incidents.State(child.Parent)
	itsm.Disown(&parent, &child)
	s.emit(event.Change{Kind: event.IncidentLinked, Incident: &child, Actor: actor, Text: "no longer a child of " + parent.ID.String()})
	s.emit(event.Change{Kind: event.IncidentLinked, Incident: &parent, Actor: actor, Text: "no longer the parent of " + id.String()})
}

// descends tells whether an incident is a child of ancestor, or a child's child.
func (s *State) descends(id, ancestor event.IncidentID) bool {
	for up := s.incidents.State(id).Parent; up != 0; up = s.incidents.State(up).Parent {
		if up == ancestor {
			return true
		}
	}
	return false
}

// above counts the generations over an incident.
func (s *State) above(id event.IncidentID) (n int) {
	for up := s.incidents.State(id).Parent; up != 0; up = s.incidents.State(up).Parent {
		n++
	}
	return n
}

// below counts the generations under an incident.
func (s *State) below(id event.IncidentID) (n int) {
	state := s.incidents.State(id)
	if state.Dossier == nil {
		return 0
	}
	for _, child := range state.Dossier.Children {
		n = max(n, 1+s.below(child))
	}
	return n
}

// relate links two incidents, or takes that back, on both sides.
func (s *State) relate(c *event.Command, one event.IncidentState) *event.Refusal {
	two, refusal := s.incidentOf(c.Other, c.Tenant)
	switch {
	case refusal != nil:
		return refusal
	case one.ID == two.ID:
		return &event.Refusal{Code: event.Invalid, Message: one.ID.String() + " cannot be related to itself"}
	case two.Phase == event.PhaseMerged && c.Kind == event.Relate:
		return s.wentInto(&two)
	}
	text, news := "related to ", [2]bool{}
	if c.Kind == event.Unrelate {
		text, news = "no longer related to ", [2]bool{itsm.Unrelate(&one, two.ID), itsm.Unrelate(&two, one.ID)}
	} else if news[0], refusal = itsm.Relate(&one, two.ID); refusal == nil {
		news[1], refusal = itsm.Relate(&two, one.ID)
	}
	if refusal != nil {
		return refusal
	}
	if news[0] {
		s.emit(event.Change{Kind: event.IncidentLinked, Incident: &one, Actor: c.Actor, Text: said(text+two.ID.String(), c.Text)})
	}
	if news[1] {
		s.emit(event.Change{Kind: event.IncidentLinked, Incident: &two, Actor: c.Actor, Text: said(text+one.ID.String(), c.Text)})
	}
	return nil
}
