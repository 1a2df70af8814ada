package correlate

import (
	"fmt"
	"unicode/utf8"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
)

// stepCommand carries out what somebody asked for, or says why not.
func (s *State) stepCommand(c *event.Command) event.Result {
	switch c.Kind {
	case event.SetSilence:
		return s.setSilence(c)
	case event.ExpireSilence:
		return s.expireSilence(c)
	case event.SetWindow:
		return s.setWindow(c)
	case event.EndWindow:
		return s.endWindow(c)
	case event.EditCIs:
		return s.editCIs(c)
	case event.SetOutage:
		return s.setOutage(c)
	case event.NoteHandover, event.SignHandover:
		return event.Result{Err: s.stepHandover(c)}
	case event.OpenIncident:
		return s.openByPerson(c)
	case event.AnswerPair:
		return s.answerPair(c)
	case event.Redact:
		return s.redact(c)
	case event.Acknowledge, event.Resolve, event.Assign, event.Note, event.Snooze, event.Hold, event.Begin, event.Cancel,
		event.CloseIncident, event.ReopenIncident, event.EditIncident, event.Watch, event.Unwatch, event.SetTask, event.SetParent,
		event.Relate, event.Unrelate, event.Merge, event.Split, event.Unmerge, event.AnswerProposal, event.SetMajor, event.TellUpdate,
		event.SetReview, event.TakeReport, event.SetTicket, event.Rate, event.JudgeCause:
		return s.stepIncidentCommand(c)
	}
	return event.Result{Err: &event.Refusal{Code: event.Invalid, Message: fmt.Sprintf("unknown command %d", c.Kind)}}
}

// stepIncidentCommand carries out what was asked of one incident. One that went into another takes nothing but being taken out.
func (s *State) stepIncidentCommand(c *event.Command) event.Result {
	state, refusal := s.incidentOf(c.Incident, c.Tenant)
	if refusal == nil && state.Phase == event.PhaseMerged && c.Kind != event.Unmerge {
		refusal = s.wentInto(&state)
	}
	if refusal == nil {
		refusal = complete(c)
	}
	if refusal != nil {
		return event.Result{Err: refusal}
	}
	switch c.Kind {
	case event.JudgeCause:
		return s.judgeCause(c, &state)
	case event.Merge:
		return s.mergeByHand(c, state)
	case event.Split:
		return s.split(c, state)
	case event.Unmerge:
		return event.Result{Err: s.unmerge(c, state)}
	case event.AnswerProposal:
		return s.answer(c, state)
	case event.SetParent:
		return event.Result{Err: s.setParent(c, state)}
	case event.Relate, event.Unrelate:
		return event.Result{Err: s.relate(c, state)}
	default:
		return s.edit(c, state)
	}
}

// incidentOf returns the incident of a number in a tenant.
func (s *State) incidentOf(number uint64, tenant string) (event.IncidentState, *event.Refusal) {
	id := event.IncidentID(number)
	if uint64(id) == number && s.incidents.Has(id) {
		if state := s.incidents.State(id); state.Tenant == tenant {
			return state, nil
		}
	}
	return event.IncidentState{}, &event.Refusal{
		Code: event.NotFound, Message: fmt.Sprintf("there is no INC-%d", number), Hint: "`tocsin incidents` lists those there are",
	}
}

// wentInto refuses a command to an incident that was merged, and names the one it lives on in.
func (s *State) wentInto(i *event.IncidentState) *event.Refusal {
	return &event.Refusal{
		Code: event.Conflict, Message: fmt.Sprintf("%s went into %s", i.ID, s.survivor(i.ID)),
		Hint: "say it of " + s.survivor(i.ID).String() + ", or undo the merge",
	}
}

// complete refuses a command that lacks what its kind needs, and texts that are longer than a note.
func complete(c *event.Command) *event.Refusal {
	lacks := false
	switch c.Kind {
	case event.OpenIncident, event.EditIncident:
		lacks = c.Edit == nil
	case event.SetTask:
		lacks = c.Task == nil
	case event.SetMajor:
		lacks = c.Major == nil
	case event.SetReview:
		lacks = c.Review == nil
	case event.TakeReport:
		lacks = c.Report == nil
	default: // its other fields say all
	}
	if lacks {
		return &event.Refusal{Code: event.Invalid, Message: "the command says nothing"}
	}
	if utf8.RuneCountInString(c.Text) > itsm.MaxNote {
		return &event.Refusal{Code: event.Invalid, Message: fmt.Sprintf("the text is longer than %d characters", itsm.MaxNote)}
	}
	return nil
}

// edit carries out a command that moves one incident only, and what follows from it.
func (s *State) edit(c *event.Command, state event.IncidentState) event.Result {
	did := s.edited(c, &state)
	if did.refusal != nil || did.kind == 0 {
		return event.Result{Err: did.refusal}
	}
	if did.text == "" {
		did.text = c.Text
	}
	s.emit(event.Change{Kind: did.kind, Incident: &state, Actor: c.Actor, Text: did.text})
	switch c.Kind {
	case event.Resolve:
		s.ended(state.ID, c.Actor)
	case event.ReopenIncident:
		if s.members.At(uint32(state.ID)).firing > 0 {
			s.settle(state.ID)
		}
	default: // nothing follows
	}
	return event.Result{Number: did.number}
}

// deed is what a command did to an incident's state. No kind of change: it says nothing new.
type deed struct {
	kind    event.ChangeKind
	text    string // "": the command's
	number  uint32
	refusal *event.Refusal
}

// when is a deed that is one only if it says something new.
func when(news bool, kind event.ChangeKind, refusal *event.Refusal) deed {
	if !news {
		kind = 0
	}
	return deed{kind: kind, refusal: refusal}
}

// edited applies a command to an incident's state: the steps of its life, and who has it.
func (s *State) edited(c *event.Command, i *event.IncidentState) deed {
	at, set := s.meta.At, s.settings()
	switch c.Kind {
	case event.Acknowledge:
		news, refusal := itsm.Acknowledge(i, c.Actor, at)
		return when(news, event.IncidentAcknowledged, refusal)
	case event.Begin:
		news, refusal := itsm.Begin(i, c.Actor, at)
		return when(news, event.IncidentBegun, refusal)
	case event.Snooze:
		return deed{kind: event.IncidentSnoozed, refusal: itsm.Snooze(i, c.Actor, c.Until, at)}
	case event.Hold:
		if c.Until == 0 {
			return deed{kind: event.IncidentUnheld, refusal: itsm.Hold(i, 0, 0, "", at)}
		}
		return deed{kind: event.IncidentHeld, text: waitsFor(c), refusal: itsm.Hold(i, c.Until, c.HeldAs, c.Text, at)}
	case event.Assign:
		return deed{kind: event.IncidentAssigned, refusal: itsm.Assign(i, c.Assignee, c.Team)}
	case event.Resolve:
		return deed{kind: event.IncidentResolved, refusal: itsm.Resolve(i, c.Actor, c.Text, int(s.members.At(uint32(i.ID)).firing), at)}
	case event.Cancel:
		return deed{kind: event.IncidentCancelled, refusal: itsm.Cancel(i, c.Actor, c.Text, at)}
	case event.CloseIncident:
		return deed{kind: event.IncidentClosed, refusal: itsm.CloseByHand(i, c.Text, at)}
	case event.ReopenIncident:
		return deed{kind: event.IncidentReopened, refusal: itsm.ReopenByHand(i, c.Actor, c.Text, set.ReopenClosed, at)}
	case event.EditIncident:
		text, refusal := itsm.Edit(i, c.Edit)
		if refusal == nil {
			s.about(i, c.Edit)
		}
		return deed{kind: event.IncidentEdited, text: text, refusal: refusal}
	case event.Note:
		return deed{kind: event.IncidentNoted, refusal: itsm.Note(i, c.Text)}
	default:
		return s.filed(c, i)
	}
}

// filed applies a command to what people keep on an incident.
func (s *State) filed(c *event.Command, i *event.IncidentState) deed {
	at, set := s.meta.At, s.settings()
	switch c.Kind {
	case event.Watch:
		news, refusal := itsm.Watch(i, c.Assignee)
		d := when(news, event.IncidentWatched, refusal)
		d.text = c.Assignee + " watches it"
		return d
	case event.Unwatch:
		d := when(itsm.Unwatch(i, c.Assignee), event.IncidentWatched, nil)
		d.text = c.Assignee + " watches it no longer"
		return d
	case event.SetTask:
		number, text, refusal := itsm.SetTask(i, *c.Task, c.Actor, at)
		return deed{kind: event.IncidentTasked, text: text, number: number, refusal: refusal}
	case event.SetMajor:
		verb, refusal := itsm.SetMajor(i, *c.Major, c.Actor, set.UpdateEvery, at)
		return deed{kind: event.IncidentMajor, text: said(verb, c.Text), refusal: refusal}
	case event.TellUpdate:
		return deed{kind: event.IncidentTold, refusal: itsm.TellUpdate(i, c.Text, c.Until, set.UpdateEvery, at)}
	case event.SetReview:
		verb, refusal := itsm.SetReview(i, *c.Review, c.Actor, at+set.ReviewAfter, at)
		return deed{kind: event.IncidentReviewed, text: said(verb, c.Review.Summary), refusal: refusal}
	case event.TakeReport:
		return deed{kind: event.IncidentReported, text: said(c.Report.Caller, c.Report.Text), refusal: itsm.TakeReport(i, *c.Report, c.Actor, at)}
	case event.SetTicket:
		text, refusal := itsm.SetTicket(i, c.Ticket, at)
		return deed{kind: event.IncidentTicket, text: said(text, c.Text), refusal: refusal}
	default:
		return deed{kind: event.IncidentRated, text: said(fmt.Sprintf("%d of 5", c.Number), c.Text), refusal: itsm.Rate(i, c.Number, c.Text)}
	}
}

// waitsFor says what a hold waits for.
func waitsFor(c *event.Command) string {
	if c.HeldAs == 0 || c.HeldAs == event.HoldOther {
		return c.Text
	}
	return said("it waits for the "+c.HeldAs.String(), c.Text)
}

// said joins what was done with what was said about it.
func said(did, text string) string {
	if text == "" {
		return did
	}
	return did + ": " + text
}
