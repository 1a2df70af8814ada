package itsm

import (
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
	"github.com/tocsin-noc/tocsin/internal/labelset"
)

// LoadFormat2 reads the table from a snapshot of format 2, which held one record an incident. The text store is loaded by then.
func (t *Table) LoadFormat2(r *flat.Reader) error {
	old := flat.NewSlab[record2]()
	if err := old.Load(r, "incidents"); err != nil {
		return err
	}
	for slot := uint32(1); slot < old.Len(); slot++ {
		rec := old.At(slot)
		state := rec.state(event.IncidentID(slot), t.text)
		t.Put(&state)
		for _, sym := range [...]flat.Sym{rec.Tenant, rec.Title, rec.Rule, rec.AckedBy, rec.Assignee, rec.Team, rec.ResolvedBy, rec.HeldFor} {
			t.text.Release(sym)
		}
		t.text.Free(rec.Labels)
	}
	t.text.Sweep()
	return nil
}

// record2 is an incident as format 2 had it.
type record2 struct {
	OpenedAt, LastOnset, ClearSince, AckedAt, ResolvedAt              event.Time
	WorseAt, SnoozedUntil, HeldUntil                                  event.Time
	Tenant, Title, Rule, AckedBy, Assignee, Team, ResolvedBy, HeldFor flat.Sym
	Labels                                                            flat.Ref
	Recurs                                                            event.IncidentID
	Reopened, Notes, Storm, Heartbeat                                 uint32
	Phase                                                             event.IncidentPhase
	Severity                                                          event.Severity
	Priority                                                          uint8
	Unbound, SignalLost, Recovered                                    bool
}

func (r *record2) state(id event.IncidentID, text labelset.Reader) event.IncidentState {
	return event.IncidentState{
		ID: id, Tenant: text.String(r.Tenant), Phase: r.Phase, Severity: r.Severity, Priority: r.Priority,
		Unbound: r.Unbound, SignalLost: r.SignalLost, Recovered: r.Recovered,
		Title: text.String(r.Title), Rule: text.String(r.Rule), Labels: labelset.Labels(text, r.Labels),
		OpenedAt: r.OpenedAt, LastOnset: r.LastOnset, ClearSince: r.ClearSince,
		AckedAt: r.AckedAt, AckedBy: text.String(r.AckedBy), Assignee: text.String(r.Assignee), Team: text.String(r.Team),
		ResolvedAt: r.ResolvedAt, ResolvedBy: text.String(r.ResolvedBy),
		Reopened: r.Reopened, Recurs: r.Recurs, Notes: r.Notes,
		WorseAt: r.WorseAt, SnoozedUntil: r.SnoozedUntil, HeldUntil: r.HeldUntil, HeldFor: text.String(r.HeldFor),
		Storm: r.Storm, Heartbeat: r.Heartbeat,
	}
}
