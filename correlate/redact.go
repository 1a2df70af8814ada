package correlate

import (
	"fmt"

	"github.com/tocsin-noc/tocsin/event"
)

// redact puts other words in the place of a person's. It is emitted though they stand there already: a replay of a journal that was
// redacted meets them, and says the same.
func (s *State) redact(c *event.Command) event.Result {
	r := c.Redaction
	switch {
	case r == nil:
		return refuse(event.Invalid, "the command says nothing", "")
	case r.CI != "":
		if s.cmdb.Find(c.Tenant, r.CI) == 0 {
			return refuse(event.NotFound, "there is no configuration item "+r.CI, "")
		}
		s.emit(event.Change{
			Kind: event.CIRedacted, CI: &event.CI{Tenant: c.Tenant, ID: r.CI}, Actor: c.Actor, Text: r.Attribute, Count: r.Key,
		})
		return event.Result{}
	case r.Outage != 0:
		i := s.desk.outage(r.Outage)
		if i < 0 || s.desk.Outages[i].Tenant != c.Tenant {
			return refuse(event.NotFound, "there is no such outage", "")
		}
		o := *s.desk.Outages[i]
		o.Cause = r.Words
		s.emit(event.Change{Kind: event.OutageSet, Outage: &o, Actor: c.Actor, Text: "cause redacted"})
		return event.Result{}
	}
	state, refusal := s.incidentOf(c.Incident, c.Tenant)
	if refusal != nil {
		return event.Result{Err: refusal}
	}
	found := false
	state.OwnTexts()
	state.Texts(func(p event.TextPlace, text *string) {
		if p == r.Place {
			*text, found = r.Words, true
		}
	})
	if !found {
		return refuse(event.NotFound, fmt.Sprintf("%s has no %s like that", state.ID, r.Place.Part.Field()), "")
	}
	s.emit(event.Change{Kind: event.IncidentEdited, Incident: &state, Actor: c.Actor, Text: r.Place.Part.Field() + " redacted"})
	return event.Result{}
}

// Clip shortens words as a title and the why of a proposal are.
func Clip(s string) string { return clip(s) }
