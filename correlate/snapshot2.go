package correlate

import (
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
)

// What follows reads the records of format 2, which knew no configuration items and kept every incident the same way.

func (s *State) loadAlerts(r *flat.Reader, old bool) error {
	if !old {
		return s.alerts.Load(r, "alerts")
	}
	slab := flat.NewSlab[alertRec2]()
	if err := slab.Load(r, "alerts"); err != nil {
		return err
	}
	s.alerts = flat.Convert(slab, func(o *alertRec2) alertRec {
		return alertRec{
			identity: o.Identity, startsAt: o.StartsAt, firingAt: o.FiringAt, endedAt: o.EndedAt, easesAt: o.EasesAt, firstAt: o.FirstAt,
			number: o.Number, group: o.Group, incident: o.Incident, next: o.Next, prev: o.Prev, claims: o.Claims, timer: o.Timer,
			occurrences: o.Occurrences, flap: o.Flap, phase: o.Phase, severity: o.Severity, reason: o.Reason, flags: o.Flags,
		}
	})
	return nil
}

func (s *State) loadIncidents(r *flat.Reader, old bool) error {
	if old {
		return s.incidents.LoadFormat2(r)
	}
	return s.incidents.Load(r)
}

// loadMembers counts the alerts of each incident anew: what counts as firing has changed since.
func (s *State) loadMembers(r *flat.Reader, format int) error {
	switch {
	case format > 3:
		return s.members.Load(r)
	case format == 3:
		return s.members.loadFormat3(r)
	}
	slab := flat.NewSlab[memberRec2]()
	if err := slab.Load(r, "members"); err != nil {
		return err
	}
	for id := uint32(1); id < slab.Len(); id++ {
		o := slab.At(id)
		s.members.Alloc()
		*s.members.Mut(id) = memberRec{head: o.Head, tail: o.Tail, group: o.Group, timer: o.Timer}
	}
	for slot := uint32(1); slot < s.alerts.Len(); slot++ {
		if a := s.alerts.At(slot); a.incident != 0 {
			s.members.Mut(uint32(a.incident)).count(a, 1)
		}
	}
	s.members.sweep()
	return nil
}

type alertRec2 struct {
	Identity                                      uint64
	StartsAt, FiringAt, EndedAt, EasesAt, FirstAt event.Time
	Number, Group                                 uint32
	Incident                                      event.IncidentID
	Next, Prev, Claims, Timer, Occurrences, Flap  uint32
	Phase                                         event.AlertPhase
	Severity                                      event.Severity
	Reason                                        event.Reason
	Flags                                         uint8
}

type memberRec2 struct {
	Head, Tail, Group, Timer, Alerts, Firing, Expired, Suppressed, Damped uint32
	Worst                                                                 [6]uint32
}

// loadFormat3 reads the records of format 3, which counted nothing that rules keep apart.
func (m *members) loadFormat3(r *flat.Reader) error {
	if err := m.slots.Load(r, "member_slots"); err != nil {
		return err
	}
	slab := flat.NewSlab[memberRec3]()
	if err := slab.Load(r, "members"); err != nil {
		return err
	}
	m.recs = flat.Convert(slab, func(o *memberRec3) memberRec {
		return memberRec{
			head: o.Head, tail: o.Tail, group: o.Group, timer: o.Timer, alerts: o.Alerts, firing: o.Firing, expired: o.Expired,
			suppressed: o.Suppressed, damped: o.Damped, worst: o.Worst,
		}
	})
	return nil
}

// memberRec3 is laid out as memberRec2 was.
type memberRec3 memberRec2
