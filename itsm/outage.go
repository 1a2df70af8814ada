package itsm

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tocsin-noc/tocsin/event"
)

const (
	// maxCause bounds the words on an outage, in bytes.
	maxCause = 2000
	// maxPlannedAhead bounds how far ahead a planned outage can lie.
	maxPlannedAhead = 2 * 366 * event.Day
)

// ProposeOutage returns the outage that the machine proposes when the redundancy of a service is exhausted. It began with the
// first event that said so.
func ProposeOutage(number uint32, tenant, service, cause string, began, at event.Time, incident event.IncidentID) event.Outage {
	o := event.Outage{
		Number: number, Tenant: tenant, Service: service, Kind: event.OutageDown, State: event.OutageProposed,
		BeganAt: min(began, at), Cause: cause, ByMachine: true, Known: at,
	}
	AddIncident(&o, incident)
	return o
}

// AddIncident links an incident to an outage. It tells whether that is new.
func AddIncident(o *event.Outage, id event.IncidentID) bool {
	i, known := slices.BinarySearch(o.Incidents, id)
	if known || id == 0 {
		return false
	}
	o.Incidents = slices.Insert(slices.Clone(o.Incidents), i, id)
	return true
}

// EndOutage ends an outage with the last clear.
func EndOutage(o *event.Outage, at event.Time) { o.EndedAt = max(at, o.BeganAt) }

// ReportOutage returns the outage that a person tells of: what they say is confirmed by them.
func ReportOutage(number uint32, want *event.Outage, actor string, at event.Time) (event.Outage, *event.Refusal) {
	o := *want
	o.Number, o.Known, o.ByMachine = number, at, false
	o.State, o.ConfirmedBy, o.ConfirmedAt = event.OutageConfirmed, actor, at
	if o.BeganAt == 0 {
		o.BeganAt = at
	}
	o.Incidents = sortedIncidents(o.Incidents)
	return o, checkOutage(&o, at)
}

// ChangeOutage returns an outage with what a person says of it: zero fields of want stay as they are. Whoever changes its facts
// without a word on its state has confirmed it.
func ChangeOutage(before, want *event.Outage, actor string, at event.Time) (event.Outage, *event.Refusal) {
	o := *before
	facts := false
	if want.Kind != 0 && want.Kind != o.Kind {
		o.Kind, facts = want.Kind, true
	}
	if want.BeganAt != 0 && want.BeganAt != o.BeganAt {
		o.BeganAt, facts = want.BeganAt, true
	}
	if want.EndedAt != 0 && want.EndedAt != o.EndedAt {
		o.EndedAt, facts = want.EndedAt, true
	}
	if want.Cause != "" && want.Cause != o.Cause {
		o.Cause, facts = want.Cause, true
	}
	for _, id := range want.Incidents {
		AddIncident(&o, id)
	}
	state := want.State
	if state == 0 && facts {
		state = event.OutageConfirmed
	}
	switch {
	case state == event.OutageProposed:
		return o, &event.Refusal{Code: event.Invalid, Message: "a person confirms or rejects an outage", Hint: "only the machine proposes"}
	case state != 0 && (state != o.State || facts):
		o.State, o.ConfirmedBy, o.ConfirmedAt = state, actor, at
	}
	return o, checkOutage(&o, at)
}

func checkOutage(o *event.Outage, at event.Time) *event.Refusal {
	invalid := func(message, hint string) *event.Refusal {
		return &event.Refusal{Code: event.Invalid, Message: message, Hint: hint}
	}
	switch {
	case o.Kind == 0:
		return invalid("an outage needs a kind", "down, degraded or planned")
	case o.BeganAt < 0 || o.BeganAt > at && o.Kind != event.OutagePlanned:
		return invalid("an outage that is not planned cannot begin ahead", "give when it began, or the kind planned")
	case o.BeganAt > at+maxPlannedAhead:
		return invalid("an outage can be planned two years ahead", "")
	case o.EndedAt != 0 && o.EndedAt <= o.BeganAt:
		return invalid("an outage must end after it began", "")
	case o.EndedAt > at && o.Kind != event.OutagePlanned:
		return invalid("an outage that is not planned cannot end ahead", "end it when it is over")
	case o.Kind == event.OutagePlanned && o.EndedAt == 0:
		return invalid("a planned outage needs an end", "")
	case len(o.Cause) > maxCause:
		return invalid(fmt.Sprintf("the cause is %d bytes long; at most %d", len(o.Cause), maxCause), "put the story into a note")
	}
	return nil
}

func sortedIncidents(ids []event.IncidentID) []event.IncidentID {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Availability is how a service did in a period. All times are in milliseconds; each moment counts once, with the first of these
// that holds in it: planned, down, unconfirmed, degraded.
type Availability struct {
	Period      event.Time // from the beginning to the end, or to now
	Planned     event.Time // agreed before it began: outside of what was committed
	Down        event.Time // confirmed
	Unconfirmed event.Time // proposed, and nobody has said yet
	Degraded    event.Time
	Outages     int // confirmed ones that overlap the period and are not planned
}

// Committed is the time in which the service had to be up.
func (a Availability) Committed() event.Time { return a.Period - a.Planned }

// AvailabilityOf adds up a service's outages between two moments. One that lasts counts until until. Rejected ones do not count, and
// what was called planned only after it had begun counts as down.
func AvailabilityOf(outages []*event.Outage, from, until event.Time) Availability {
	a := Availability{Period: max(until-from, 0)}
	if a.Period == 0 {
		return a
	}
	var edges []edge
	for _, o := range outages {
		c := classOf(o)
		begin, end := max(o.BeganAt, from), until
		if o.EndedAt != 0 {
			end = min(o.EndedAt, until)
		}
		if c == notCounted || begin >= end {
			continue
		}
		if o.State == event.OutageConfirmed && c != planned {
			a.Outages++
		}
		edges = append(edges, edge{begin, c, 1}, edge{end, c, -1})
	}
	slices.SortFunc(edges, func(x, y edge) int { return cmp.Compare(x.at, y.at) })
	var open [notCounted]int
	for i, e := range edges {
		if i > 0 {
			a.add(open, e.at-edges[i-1].at)
		}
		open[e.class] += e.by
	}
	return a
}

// class is what a moment of an outage counts as; the first that holds in a moment wins.
type class int

const (
	planned class = iota
	down
	unconfirmed
	degraded
	notCounted
)

type edge struct {
	at    event.Time
	class class
	by    int
}

func classOf(o *event.Outage) class {
	switch {
	case o.State == event.OutageRejected:
		return notCounted
	case o.Kind == event.OutagePlanned && o.Known < o.BeganAt:
		return planned
	case o.State == event.OutageProposed:
		return unconfirmed
	case o.Kind == event.OutageDegraded:
		return degraded
	}
	return down
}

func (a *Availability) add(open [notCounted]int, span event.Time) {
	for c, sum := range [...]*event.Time{&a.Planned, &a.Down, &a.Unconfirmed, &a.Degraded} {
		if open[c] > 0 {
			*sum += span
			return
		}
	}
}
