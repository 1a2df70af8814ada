package itsm

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tocsin-noc/tocsin/event"
)

// Lengths of what people write, in runes, as the API admits it. A dossier goes with every change of its incident, so what lies in one is
// kept shorter than a note, which goes once.
const (
	MaxNote  = 16384
	MaxText  = 1000 // in a dossier
	MaxTitle = 200
	MaxName  = 200
)

// tooLong refuses a text over its bound.
func tooLong(bound int, what, text string) *event.Refusal {
	if utf8.RuneCountInString(text) <= bound {
		return nil
	}
	return invalid(fmt.Sprintf("%s is longer than %d characters", what, bound), "")
}

// named refuses names that are too long; what comes before each says whose it is.
func named(whoseAndName ...string) *event.Refusal {
	for n := 0; n+1 < len(whoseAndName); n += 2 {
		if r := tooLong(MaxName, whoseAndName[n], whoseAndName[n+1]); r != nil {
			return r
		}
	}
	return nil
}

// OpenByPerson returns the incident that a person opens. No alert is in it, so only people end it. What they say of it is theirs:
// the machine leaves it alone.
func OpenByPerson(id event.IncidentID, tenant, actor string, e *event.IncidentEdit, at event.Time) (event.IncidentState, *event.Refusal) {
	if r := checkFields(e); r != nil {
		return event.IncidentState{}, r
	}
	if e.Fields&event.PinTitle == 0 {
		return event.IncidentState{}, invalid("an incident needs a title", "")
	}
	both := event.PinImpact | event.PinUrgency
	if e.Severity == event.Clear && e.Fields&both != both {
		return event.IncidentState{}, invalid("how bad is it?", "give impact and urgency, or a severity")
	}
	severity := e.Severity
	if severity == event.Clear {
		severity = event.Severity(e.Urgency)
	}
	i := Open(Opening{ID: id, Tenant: tenant, Title: e.Title, Severity: severity, At: at})
	i.OpenedBy = actor
	set(&i, e)
	return i, nil
}

// Edit sets the fields of an incident that a person names, which the machine leaves alone from then on, and hands back those that
// they release. It returns what was done, in words.
func Edit(i *event.IncidentState, e *event.IncidentEdit) (string, *event.Refusal) {
	if r := mustLive(i, "edited"); r != nil {
		return "", r
	}
	if r := checkFields(e); r != nil {
		return "", r
	}
	if e.Fields == 0 && e.Release == 0 {
		return "", invalid("there is nothing to change", "name a field to set, or one to hand back to the machine")
	}
	before := *i
	set(i, e)
	handBack(i, e.Release)
	return edited(&before, i, e), nil
}

// set takes a person's fields over and pins them.
func set(i *event.IncidentState, e *event.IncidentEdit) {
	if e.Fields&event.PinTitle != 0 {
		i.Title = e.Title
	}
	if e.Fields&event.PinCI != 0 {
		i.CI = e.CI
	}
	if e.Fields&event.PinImpact != 0 {
		i.Impact, i.Unbound = e.Impact, false
	}
	if e.Fields&event.PinUrgency != 0 {
		i.Urgency = e.Urgency
	}
	i.Pins |= e.Fields
	if e.Fields&(event.PinImpact|event.PinUrgency) != 0 {
		prioritise(i)
	}
}

// handBack leaves fields to the machine again: impact and urgency are at once what it makes of the services and the severity.
func handBack(i *event.IncidentState, fields event.Pin) {
	fields &= i.Pins
	i.Pins &^= fields
	if fields&event.PinImpact != 0 {
		i.Impact, i.Unbound = 0, len(i.Services) == 0
		for _, a := range i.Services {
			if i.Impact == 0 || a.Impact < i.Impact {
				i.Impact = a.Impact
			}
		}
	}
	if fields&event.PinUrgency != 0 {
		i.Urgency = 0
	}
	if fields&(event.PinImpact|event.PinUrgency) != 0 {
		prioritise(i)
	}
}

// prioritise sets the priority that follows from impact and urgency; what is not known of either follows from the severity. An impact
// that no person has set is that of each service by itself: the one that is hit the worst counts.
func prioritise(i *event.IncidentState) {
	i.Priority = bounded(i, natural(i))
}

// natural is the priority that no rule bounds.
func natural(i *event.IncidentState) uint8 {
	impact, urgency := i.Impact, i.Urgency
	if urgency == 0 {
		urgency = UrgencyOf(i.Severity)
	}
	switch {
	case i.Pins&event.PinImpact == 0 && len(i.Services) > 0:
		return worstOf(i.Services, urgency)
	case impact == 0:
		impact = unknownImpact
	}
	return PriorityOf(impact, urgency)
}

func checkFields(e *event.IncidentEdit) *event.Refusal {
	all := event.PinTitle | event.PinImpact | event.PinUrgency | event.PinCI
	level := func(field event.Pin, v uint8) bool { return e.Fields&field == 0 || v >= 1 && v <= 3 }
	switch {
	case (e.Fields|e.Release)&^all != 0 || e.Severity > event.Info:
		return invalid("there is no such field or severity", "")
	case e.Fields&e.Release != 0:
		return invalid("a field cannot be set and handed back at once", "")
	case e.Fields&event.PinTitle != 0 && strings.TrimSpace(e.Title) == "":
		return invalid("an incident needs a title", "")
	case !level(event.PinImpact, e.Impact) || !level(event.PinUrgency, e.Urgency):
		return invalid("impact and urgency are 1 (high), 2 or 3 (low)", "")
	}
	if r := tooLong(MaxTitle, "the title", e.Title); r != nil {
		return r
	}
	return tooLong(MaxName, "the configuration item's id", e.CI)
}

// edited says what an edit did: from, to.
func edited(before, after *event.IncidentState, e *event.IncidentEdit) string {
	var words []string
	for _, f := range [...]struct {
		pin      event.Pin
		name     string
		from, to string
	}{
		{event.PinTitle, "title", before.Title, after.Title},
		{event.PinImpact, "impact", level(before.Impact), level(after.Impact)},
		{event.PinUrgency, "urgency", level(before.Urgency), level(after.Urgency)},
		{event.PinCI, "configuration item", before.CI, after.CI},
	} {
		if e.Fields&f.pin != 0 {
			words = append(words, fmt.Sprintf("%s %q → %q", f.name, f.from, f.to))
		}
		if e.Release&f.pin != 0 {
			words = append(words, f.name+" handed back to the machine")
		}
	}
	return strings.Join(words, ", ")
}

func level(v uint8) string {
	if v == 0 {
		return "unknown"
	}
	return fmt.Sprint(v)
}
