package correlate

import (
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
)

// What follows reads the records of format 1, which knew no flapping.

func (s *State) loadAlerts(r *flat.Reader, old bool) error {
	if !old {
		return s.alerts.Load(r, "alerts")
	}
	slab := flat.NewSlab[alertRec1]()
	if err := slab.Load(r, "alerts"); err != nil {
		return err
	}
	s.alerts = flat.Convert(slab, func(o *alertRec1) alertRec {
		return alertRec{
			identity: o.Identity, startsAt: o.StartsAt, firingAt: o.FiringAt, endedAt: o.EndedAt, easesAt: o.EasesAt, firstAt: o.FirstAt,
			number: o.Number, group: o.Group, incident: o.Incident, next: o.Next, prev: o.Prev, claims: o.Claims, timer: o.Timer,
			occurrences: o.Occurrences, phase: o.Phase, severity: o.Severity, reason: o.Reason, flags: o.Flags,
		}
	})
	return nil
}

func (s *State) loadIncidents(r *flat.Reader, old bool) error {
	if old {
		return s.incidents.LoadFormat1(r)
	}
	return s.incidents.Load(r)
}

func (s *State) loadMembers(r *flat.Reader, old bool) error {
	if !old {
		return s.members.Load(r, "members")
	}
	slab := flat.NewSlab[memberRec1]()
	if err := slab.Load(r, "members"); err != nil {
		return err
	}
	s.members = flat.Convert(slab, func(o *memberRec1) memberRec {
		return memberRec{
			head: o.Head, tail: o.Tail, group: o.Group, timer: o.Timer, alerts: o.Alerts, firing: o.Firing,
			expired: o.Expired, suppressed: o.Suppressed, worst: o.Worst,
		}
	})
	return nil
}

func (s *State) loadFlaps(r *flat.Reader, old bool) error {
	if old {
		return nil
	}
	return s.flaps.Load(r, "flaps")
}

type alertRec1 struct {
	Identity                                      uint64
	StartsAt, FiringAt, EndedAt, EasesAt, FirstAt event.Time
	Number, Group                                 uint32
	Incident                                      event.IncidentID
	Next, Prev, Claims, Timer, Occurrences        uint32
	Phase                                         event.AlertPhase
	Severity                                      event.Severity
	Reason                                        event.Reason
	Flags                                         uint8
}

type memberRec1 struct {
	Head, Tail, Group, Timer, Alerts, Firing, Expired, Suppressed uint32
	Worst                                                         [6]uint32
}
