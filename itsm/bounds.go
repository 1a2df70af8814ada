package itsm

import "github.com/tocsin-noc/tocsin/event"

// Govern sets what rules make of an incident's severity and priority. The machine lowers neither after somebody acknowledged. It tells
// whether anything moved.
func Govern(i *event.IncidentState, b event.Bounds) bool {
	before := *i
	i.Bounds = b
	if s := ruled(i, i.Severity); s < i.Severity || i.AckedAt == 0 {
		i.Severity = s
	}
	prioritise(i)
	if i.AckedAt != 0 {
		i.Priority = min(i.Priority, before.Priority)
	}
	return i.Bounds != before.Bounds || i.Severity != before.Severity || i.Priority != before.Priority
}

// ruled returns the severity of an incident whose alerts make it s: a rule's own where there is one, but for an alert that is worse than
// the rule had seen.
func ruled(i *event.IncidentState, s event.Severity) event.Severity {
	b := i.Bounds
	if s == event.Clear || b.Severity == event.Clear || s < b.Seen && s < b.Severity {
		return s
	}
	return b.Severity
}

// bounded keeps a priority within what rules allow, unless a person has set what it follows from. The most urgent is 1.
func bounded(i *event.IncidentState, priority uint8) uint8 {
	if i.Pins&(event.PinImpact|event.PinUrgency) != 0 {
		return priority
	}
	if i.Bounds.Least != 0 {
		priority = min(priority, i.Bounds.Least)
	}
	return max(priority, i.Bounds.Most)
}

// Widen takes in what a rule says of one more alert of an incident, or that none says anything: an upper bound holds as long as all its
// alerts have one, a lower one as soon as one of them has.
func Widen(b event.Bounds, most, least uint8) event.Bounds {
	b.Most = min(b.Most, most)
	if b.Least == 0 || least != 0 && least < b.Least {
		b.Least = least
	}
	if b.Least != 0 && b.Most > b.Least {
		b.Most = b.Least
	}
	return b
}

// widest takes in the bounds of an incident that came into another.
func widest(b, other event.Bounds) event.Bounds {
	b = Widen(b, other.Most, other.Least)
	if other.Severity != event.Clear && (b.Severity == event.Clear || other.Severity < b.Severity) {
		b.Severity, b.Seen = other.Severity, other.Seen
	}
	return b
}
