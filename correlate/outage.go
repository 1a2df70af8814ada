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
	if running := s.desk.runningOutage(s.cmdb.Tenant(service), s.cmdb.ID(service)); running != nil {
		o := *running
		if itsm.AddIncident(&o, incident) {
			s.emit(event.Change{Kind: event.OutageSet, Outage: &o})
		}
		return
	}
	ci, a := s.cmdb.State(service), s.alertState(alert)
	cause := a.Name
	if a.Resource != "" {
		cause += " on " + a.Resource
	}
	began := max(a.StartsAt, ci.ValidFrom) // before that the service did not rest on what is ill
	o := itsm.ProposeOutage(s.desk.OutageNumber+1, ci.Tenant, ci.ID, clip(cause), began, s.meta.At, incident)
	s.emit(event.Change{Kind: event.OutageSet, Outage: &o})
}

// reviewOutages ends those whose service is up again, once in an input in which something got better.
func (s *State) reviewOutages() {
	if !s.work.mended {
		return
	}
	s.work.mended = false
	for _, o := range s.desk.lasting {
		slot := s.cmdb.Find(o.Tenant, o.Service)
		if slot != 0 && s.cmdb.Status(slot) == itsm.StatusDown {
			continue
		}
		ended, why := *o, ""
		if slot == 0 || !s.cmdb.InUse(slot) {
			why = "the service is not in use any more"
		}
		itsm.EndOutage(&ended, s.meta.At)
		s.emit(event.Change{Kind: event.OutageEnded, Outage: &ended, Text: why})
	}
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

// countLasting lists anew the outages that last.
func (d *desk) countLasting() {
	d.lasting, d.byService = nil, map[[2]string]*event.Outage{}
	for _, o := range d.Outages {
		if o.EndedAt != 0 || o.Kind == event.OutagePlanned {
			continue
		}
		if o.ByMachine {
			d.lasting = append(d.lasting, o)
		}
		if o.ByMachine || o.Kind == event.OutageDown {
			d.byService[[2]string{o.Tenant, o.Service}] = o
		}
	}
}

// runningOutage returns the outage of a service that lasts, nil when there is none: one that the machine proposed, whatever people made of it,
// or one that people reported as down. While it lasts none is proposed anew.
func (d *desk) runningOutage(tenant, service string) *event.Outage {
	return d.byService[[2]string{tenant, service}]
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
