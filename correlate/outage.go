package correlate

import (
	"slices"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
)

const (
	// maxOutages bounds those that are kept; the oldest that is over goes first. All of them are in the changes log.
	maxOutages = 20_000
	// keptOutages is how long one that is over is kept for the live figures.
	keptOutages = 400 * event.Day
)

// outageOf proposes an outage of a service whose redundancy is exhausted, or links the incident to the one that runs.
func (s *State) outageOf(service, alert uint32, incident event.IncidentID) {
	ci := s.cmdb.State(service)
	i := slices.IndexFunc(s.desk.Outages, func(o *event.Outage) bool {
		return o.Tenant == ci.Tenant && o.Service == ci.ID && runs(o) && o.Kind == event.OutageDown
	})
	if i >= 0 {
		o := *s.desk.Outages[i]
		if itsm.AddIncident(&o, incident) {
			s.emit(event.Change{Kind: event.OutageSet, Outage: &o})
		}
		return
	}
	a := s.alertState(alert)
	cause := a.Name
	if a.Resource != "" {
		cause += " on " + a.Resource
	}
	began := max(a.StartsAt, ci.ValidFrom) // before that the service did not rest on what is ill
	o := itsm.ProposeOutage(s.desk.OutageNumber+1, ci.Tenant, ci.ID, clip(cause), began, s.meta.At, incident)
	s.emit(event.Change{Kind: event.OutageSet, Outage: &o})
}

// runs tells whether an outage lasts, and the machine looks after its end. A rejected one lasts as long as what it was proposed for:
// it is not proposed anew meanwhile.
func runs(o *event.Outage) bool { return o.EndedAt == 0 && o.Kind != event.OutagePlanned }

// reviewOutages ends those whose service is up again, after something of it cleared, its incidents were resolved, or its relations changed.
func (s *State) reviewOutages() {
	for _, o := range s.desk.lasting {
		if s.stillDown(o) {
			continue
		}
		ended := *o
		itsm.EndOutage(&ended, s.meta.At)
		s.emit(event.Change{Kind: event.OutageEnded, Outage: &ended})
	}
}

// stillDown tells whether the reason for an outage holds: its service is down, and one of its incidents is not over.
func (s *State) stillDown(o *event.Outage) bool {
	slot := s.cmdb.Find(o.Tenant, o.Service)
	return slot != 0 && s.cmdb.Status(slot) == itsm.StatusDown && slices.ContainsFunc(o.Incidents, func(id event.IncidentID) bool {
		return s.incidents.Has(id) && s.incidents.Brief(id).Phase == event.IncidentOpen
	})
}

// setOutage carries out what a person says of an outage.
func (s *State) setOutage(c *event.Command) event.Result {
	if c.Outage == nil {
		return refuse(event.Invalid, "there is no outage to tell of", "")
	}
	for _, id := range c.Outage.Incidents {
		if !s.incidents.Has(id) || s.incidents.State(id).Tenant != c.Tenant {
			return refuse(event.NotFound, "there is no "+id.String(), "`tocsin incidents` lists those there are")
		}
	}
	var (
		out     event.Outage
		refusal *event.Refusal
	)
	if c.Outage.Number == 0 {
		want := *c.Outage
		want.Tenant = c.Tenant
		slot := s.cmdb.Find(c.Tenant, want.Service)
		if slot == 0 || s.cmdb.State(slot).Class != event.ServiceClass {
			return refuse(event.NotFound, "there is no service "+want.Service, "`tocsin service list` lists those there are")
		}
		out, refusal = itsm.ReportOutage(s.desk.OutageNumber+1, &want, c.Actor, s.meta.At)
	} else {
		i := s.desk.outage(c.Outage.Number)
		if i < 0 || s.desk.Outages[i].Tenant != c.Tenant {
			return refuse(event.NotFound, "there is no such outage", "`tocsin outage list` lists those there are")
		}
		out, refusal = itsm.ChangeOutage(s.desk.Outages[i], c.Outage, c.Actor, s.meta.At)
	}
	if refusal != nil {
		return event.Result{Err: refusal}
	}
	s.emit(event.Change{Kind: event.OutageSet, Outage: &out, Actor: c.Actor, Text: c.Text})
	return event.Result{Number: out.Number}
}

func (d *desk) outage(number uint32) int {
	return slices.IndexFunc(d.Outages, func(o *event.Outage) bool { return o.Number == number })
}

// countLasting lists anew those that the machine looks after.
func (d *desk) countLasting() {
	d.lasting = nil
	for _, o := range d.Outages {
		if runs(o) && o.ByMachine {
			d.lasting = append(d.lasting, o)
		}
	}
}

func (s *State) applyOutage(ch *event.Change) {
	o := *ch.Outage
	o.Tenant, o.Service, o.Cause, o.ConfirmedBy = clone(o.Tenant), clone(o.Service), clone(o.Cause), clone(o.ConfirmedBy)
	o.Incidents = slices.Clone(o.Incidents)
	i := s.desk.outage(o.Number)
	s.desk.Outages = replaced(s.desk.Outages, i, &o)
	s.desk.OutageNumber = max(s.desk.OutageNumber, o.Number)
	s.desk.countLasting()
	if i >= 0 {
		return
	}
	over := func(o *event.Outage) bool {
		return o.EndedAt != 0 && (o.EndedAt < ch.At-keptOutages || len(s.desk.Outages) > maxOutages)
	}
	if i := slices.IndexFunc(s.desk.Outages, over); i >= 0 {
		s.desk.Outages = without(s.desk.Outages, i)
	}
}
