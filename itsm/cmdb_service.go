package itsm

import (
	"fmt"

	"github.com/tocsin-noc/tocsin/event"
)

// Service is what a CI of class service says of itself, typed.
type Service struct {
	ID           string
	Name         string
	State        event.CIState
	Criticality  uint8 // 1–4
	ValuePerHour int64 // of downtime, in 1/10,000 of the currency
	Currency     string
	Owner        string
	Team         string
	Contact      string
	Users        uint64
	RTO          event.Time // a difference, 0 when not given
	RPO          event.Time // a difference, 0 when not given
	Tier         string
	SLA          string
	Calendar     string
	Runbook      string
	PlanTested   event.Time // 00:00 UTC of the day, 0 when not given
	Description  string
}

// ServiceOf reads a service from its CI. What is not given, or is no value of its kind, is zero.
func ServiceOf(ci *event.CI) Service {
	get := ci.Attributes.Get
	s := Service{
		ID: ci.ID, Name: ci.Name, State: ci.State, Criticality: criticalityOf(get(criticalityName)), Currency: get("currency"),
		Owner: get("owner"), Team: get("team"), Contact: get("contact"), Tier: get("tier"), SLA: get("sla"),
		Calendar: get("calendar"), Runbook: get("runbook"), Description: get("description"),
	}
	s.ValuePerHour, _ = parseDecimal(get("value_per_hour"))
	s.Users, _ = parseCount(get("users"))
	s.RTO, _ = parseDuration(get("rto"))
	s.RPO, _ = parseDuration(get("rpo"))
	s.PlanTested, _ = parseDate(get("plan_tested"))
	return s
}

// ServiceFacts is what the CMDB and the alerts know of what a service rests on.
type ServiceFacts struct {
	RestsOn int // CIs
	Live    int // of these, in use
	Bound   int // of these, with an alert or a source of alerts bound to them; counted by whoever knows the alerts
}

// maxFacts bounds the CIs that are looked at for a service's readiness.
const maxFacts = 10_000

// FactsOf counts what a service rests on; Bound stays 0.
func (g *cmdbReads) FactsOf(slot uint32) ServiceFacts {
	hits, _ := g.Deps(slot, maxFacts, maxFacts)
	f := ServiceFacts{RestsOn: len(hits)}
	for i := range hits {
		if g.recs.At(hits[i].Slot).state == event.CILive {
			f.Live++
		}
	}
	return f
}

// ReadyCheck is one thing that a service needs before people rely on it.
type ReadyCheck struct {
	Name    string
	OK      bool
	Missing string // what to do, "" when it is there
}

// planFresh is for how long the test of a plan says anything.
const planFresh = 366 * event.Day

// Ready checks whether a service is fit to be relied on, at a time.
func Ready(s *Service, f ServiceFacts, at event.Time) []ReadyCheck {
	attribute := func(name, value string) ReadyCheck { return readyCheck(name, value != "", "set the attribute "+name) }
	return []ReadyCheck{
		attribute("owner", s.Owner),
		attribute("sla", s.SLA),
		attribute("contact", s.Contact),
		attribute("runbook", s.Runbook),
		readyCheck("monitored", f.RestsOn > 0 && f.Live+f.Bound > 0, unmonitored(f)),
		readyCheck("plan", planHolds(s.PlanTested, at), untested(s.PlanTested)),
	}
}

func readyCheck(name string, ok bool, missing string) ReadyCheck {
	if ok {
		missing = ""
	}
	return ReadyCheck{Name: name, OK: ok, Missing: missing}
}

func unmonitored(f ServiceFacts) string {
	if f.RestsOn == 0 {
		return "relate it to the CIs it rests on"
	}
	return fmt.Sprintf("none of the %d CIs it rests on is live, or has a source of alerts", f.RestsOn)
}

// planHolds tells whether a test lies at most a year back; tomorrow's date is somebody's today.
func planHolds(tested, at event.Time) bool {
	return tested != 0 && tested <= at+event.Day && tested+planFresh >= at
}

func untested(tested event.Time) string {
	if tested == 0 {
		return "test its recovery plan and set the attribute plan_tested"
	}
	return fmt.Sprintf("its recovery plan was tested on %s: not within the last year", tested.Time().Format("2006-01-02"))
}
