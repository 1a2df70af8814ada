package correlate

import (
	"fmt"

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
	case event.NoteHandover, event.SignHandover:
		return event.Result{Err: s.stepHandover(c)}
	case event.Acknowledge, event.Resolve, event.Assign, event.Note, event.Snooze, event.Hold:
		return event.Result{Err: s.stepIncidentCommand(c)}
	}
	return event.Result{Err: &event.Refusal{Code: event.Invalid, Message: fmt.Sprintf("unknown command %d", c.Kind)}}
}

func (s *State) stepIncidentCommand(c *event.Command) *event.Refusal {
	id := event.IncidentID(c.Incident)
	if uint64(id) != c.Incident || !s.incidents.Has(id) || s.incidents.State(id).Tenant != c.Tenant {
		return &event.Refusal{
			Code: event.NotFound, Message: fmt.Sprintf("there is no INC-%d", c.Incident), Hint: "`tocsin incidents` lists those there are",
		}
	}
	state := s.incidents.State(id)
	kind, refusal := edit(&state, c, int(s.members.At(uint32(id)).firing), s.meta.At)
	if refusal != nil || kind == 0 {
		return refusal
	}
	s.emit(event.Change{Kind: kind, Incident: &state, Actor: c.Actor, Text: c.Text})
	return nil
}

// edit applies an incident command to its state. No kind of change: it says nothing new.
func edit(state *event.IncidentState, c *event.Command, firing int, at event.Time) (event.ChangeKind, *event.Refusal) {
	switch c.Kind {
	case event.Acknowledge:
		news, refusal := itsm.Acknowledge(state, c.Actor, at)
		if !news {
			return 0, refusal
		}
		return event.IncidentAcknowledged, nil
	case event.Snooze:
		return event.IncidentSnoozed, itsm.Snooze(state, c.Actor, c.Until, at)
	case event.Hold:
		kind := event.IncidentHeld
		if c.Until == 0 {
			kind = event.IncidentUnheld
		}
		return kind, itsm.Hold(state, c.Until, c.Text, at)
	case event.Assign:
		return event.IncidentAssigned, itsm.Assign(state, c.Assignee, c.Team)
	case event.Resolve:
		return event.IncidentResolved, itsm.Resolve(state, c.Actor, c.Text, firing, at)
	default:
		return event.IncidentNoted, itsm.Note(state, c.Text)
	}
}
