package correlate

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
)

const (
	// maxOutages bounds those that are kept; the oldest that are over go first. All of them are in the changes log.
	maxOutages = 20_000
	dropAtOnce = 1000
	// maxOutageIncidents bounds the incidents that the machine links to one outage. Each that hurts a service says so itself, and the change
	// that links the last says that it is the last.
	maxOutageIncidents = 100
	// keptOutages is how long one that is over is kept for the live figures.
	keptOutages = 400 * event.Day
)

// outageOf proposes an outage of a service whose redundancy is exhausted, or links the incident to the one that runs.
func (s *State) outageOf(service, alert uint32, incident event.IncidentID) {
	if running := s.desk.runningOutage(s.cmdb.Tenant(service), s.cmdb.ID(service)); running != nil {
		s.linkOutage(running, incident)
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

// linkOutage links an incident to an outage that lasts.
func (s *State) linkOutage(running *event.Outage, incident event.IncidentID) {
	if len(running.Incidents) >= maxOutageIncidents {
		return
	}
	o, why := *running, ""
	if !itsm.AddIncident(&o, incident) {
		return
	}
	if len(o.Incidents) == maxOutageIncidents {
		why = fmt.Sprintf("%d incidents are linked to it; what comes later is linked by the service that it hurts", maxOutageIncidents)
	}
	s.emit(event.Change{Kind: event.OutageSet, Outage: &o, Text: why})
}

// reviewOutages ends those whose service is up again, once in an input in which something got better.
func (s *State) reviewOutages() {
	s.work.risen = s.cmdb.Risen(s.work.risen[:0])
	if !s.work.mended {
		return
	}
	s.work.mended = false
	over := s.work.over[:0]
	if s.work.mendAll {
		s.work.mendAll = false
		over = s.upAgain(over, s.desk.lasting)
	} else {
		for _, slot := range s.work.risen {
			if s.cmdb.Status(slot) != itsm.StatusDown {
				over = s.upAgain(over, s.desk.byService[[2]string{s.cmdb.Tenant(slot), s.cmdb.ID(slot)}])
			}
		}
		slices.SortFunc(over, func(a, b *event.Outage) int { return cmp.Compare(a.Number, b.Number) })
		over = slices.Compact(over)
	}
	for _, o := range over {
		ended, why := *o, ""
		if slot := s.cmdb.Find(o.Tenant, o.Service); slot == 0 || !s.cmdb.InUse(slot) {
			why = "the service is not in use any more"
		}
		itsm.EndOutage(&ended, s.meta.At)
		s.emit(event.Change{Kind: event.OutageEnded, Outage: &ended, Text: why})
	}
	clear(over)
	s.work.over = over
}

// upAgain appends those of a list that the machine looks after and whose service is not down.
func (s *State) upAgain(over, list []*event.Outage) []*event.Outage {
	for _, o := range list {
		if !o.ByMachine {
			continue
		}
		if slot := s.cmdb.Find(o.Tenant, o.Service); slot == 0 || s.cmdb.Status(slot) != itsm.StatusDown {
			over = append(over, o)
		}
	}
	return over
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

// outage returns where an outage lies, negative when nowhere: they are in the order of their numbers.
func (d *desk) outage(number uint32) int {
	i, found := slices.BinarySearchFunc(d.Outages, number, byNumber)
	if !found {
		return -1
	}
	return i
}

// countLasting lists anew the outages that last.
func (d *desk) countLasting() {
	d.lasting, d.byService, d.endedFirst = nil, map[[2]string][]*event.Outage{}, event.Never
	for _, o := range d.Outages {
		d.countOutage(o)
	}
}

// countOutage takes an outage, new or changed, into the lists of those that last, or out of them.
func (d *desk) countOutage(o *event.Outage) {
	lasts := o.EndedAt == 0 && o.Kind != event.OutagePlanned
	d.lasting = listed(d.lasting, o, lasts && o.ByMachine)
	of := [2]string{o.Tenant, o.Service}
	if list := listed(d.byService[of], o, lasts && (o.ByMachine || o.Kind == event.OutageDown)); len(list) > 0 {
		d.byService[of] = list
	} else {
		delete(d.byService, of)
	}
	if o.EndedAt != 0 {
		d.endedFirst = min(d.endedFirst, o.EndedAt)
	}
}

// listed returns a list in the order of numbers with an outage in it, or without.
func listed(list []*event.Outage, o *event.Outage, in bool) []*event.Outage {
	i, known := slices.BinarySearchFunc(list, o.Number, byNumber)
	switch {
	case in && known:
		list[i] = o
	case in:
		return slices.Insert(list, i, o)
	case known:
		return slices.Delete(list, i, i+1)
	}
	return list
}

func byNumber(o *event.Outage, number uint32) int { return cmp.Compare(o.Number, number) }

// runningOutage returns the outage of a service that lasts, nil when there is none: one that the machine proposed, whatever people made of it,
// or one that people reported as down. While it lasts none is proposed anew.
func (d *desk) runningOutage(tenant, service string) *event.Outage {
	list := d.byService[[2]string{tenant, service}]
	if len(list) == 0 {
		return nil
	}
	return list[len(list)-1]
}

func (s *State) applyOutage(ch *event.Change) {
	o, before := *ch.Outage, event.Outage{}
	i := s.desk.outage(o.Number)
	if i >= 0 {
		before = *s.desk.Outages[i]
	}
	o.Tenant, o.Service = ownText(before.Tenant, o.Tenant), ownText(before.Service, o.Service)
	o.Cause, o.ConfirmedBy = ownText(before.Cause, o.Cause), ownText(before.ConfirmedBy, o.ConfirmedBy)
	o.Incidents = slices.Clone(o.Incidents)
	s.desk.putOutage(i, &o)
	s.work.moves++
	s.desk.OutageNumber = max(s.desk.OutageNumber, o.Number)
	s.desk.countOutage(&o)
	s.work.mendAll = s.work.mendAll || ch.Actor != ""
	if i < 0 {
		s.desk.dropOutages(ch.At)
	}
}

// ownText returns a text in memory of its own: that of before when it is the same.
func ownText(before, text string) string {
	if text == before {
		return before
	}
	return clone(text)
}

// putOutage replaces the outage at i, or appends one when i is negative. What a view shows stays as it is.
func (d *desk) putOutage(i int, o *event.Outage) {
	switch {
	case i < 0: // behind the end of what any view has
		d.Outages = append(d.Outages, o)
		return
	case d.outagesShared:
		d.Outages, d.outagesShared = slices.Clone(d.Outages), false
	}
	d.Outages[i] = o
}

// dropOutages forgets those that have been over for long and, when there are too many, the first that are over: a good many at once, so
// that it is seldom done.
func (d *desk) dropOutages(at event.Time) {
	if d.endedFirst >= at-keptOutages && (len(d.Outages) <= maxOutages || d.endedFirst == event.Never) {
		return
	}
	tooMany := 0
	if len(d.Outages) > maxOutages {
		tooMany = len(d.Outages) - maxOutages + dropAtOnce
	}
	kept := make([]*event.Outage, 0, len(d.Outages))
	d.endedFirst = event.Never
	for _, o := range d.Outages {
		switch {
		case o.EndedAt == 0:
			kept = append(kept, o)
		case o.EndedAt < at-keptOutages || tooMany > 0:
			tooMany--
		default:
			kept = append(kept, o)
			d.endedFirst = min(d.endedFirst, o.EndedAt)
		}
	}
	d.Outages, d.outagesShared = kept, false
}
