package itsm

import (
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
	"github.com/tocsin-noc/tocsin/internal/labelset"
)

// Table holds every incident by its number, the first being 1. Its text lies in a store that the owner shares.
type Table struct {
	text *labelset.Store
	recs *flat.Slab[record]
}

// record is event.IncidentState without pointers.
type record struct {
	openedAt, lastOnset, clearSince, ackedAt, resolvedAt              event.Time
	worseAt, snoozedUntil, heldUntil                                  event.Time
	tenant, title, rule, ackedBy, assignee, team, resolvedBy, heldFor flat.Sym
	labels                                                            flat.Ref
	recurs                                                            event.IncidentID
	reopened, notes, storm, heartbeat                                 uint32
	phase                                                             event.IncidentPhase
	severity                                                          event.Severity
	priority                                                          uint8
	unbound, signalLost, recovered                                    bool
}

// NewTable returns an empty table whose text lies in text.
func NewTable(text *labelset.Store) *Table {
	return &Table{text: text, recs: flat.NewSlab[record]()}
}

// Next returns the number that the next incident gets.
func (t *Table) Next() event.IncidentID { return event.IncidentID(t.recs.Len()) }

// Has tells whether there is an incident of that number.
func (t *Table) Has(id event.IncidentID) bool { return id > 0 && id < t.Next() }

// State returns an incident's state; its strings alias the table.
func (t *Table) State(id event.IncidentID) event.IncidentState {
	return t.recs.At(uint32(id)).state(id, t.text)
}

// Brief returns what decisions ask for most often, without building the whole state.
func (t *Table) Brief(id event.IncidentID) Brief {
	r := t.recs.At(uint32(id))
	return Brief{
		Phase: r.phase, Severity: r.severity, SignalLost: r.signalLost, Recovered: r.recovered, LastOnset: r.lastOnset,
		ClearSince: r.clearSince, ResolvedAt: r.resolvedAt, AckedAt: r.ackedAt, WorseAt: r.worseAt,
		SnoozedUntil: r.snoozedUntil, HeldUntil: r.heldUntil,
	}
}

// Brief is the part of an incident that decides where alerts go.
type Brief struct {
	Phase        event.IncidentPhase
	Severity     event.Severity
	SignalLost   bool
	Recovered    bool
	LastOnset    event.Time
	ClearSince   event.Time
	ResolvedAt   event.Time
	AckedAt      event.Time
	WorseAt      event.Time
	SnoozedUntil event.Time
	HeldUntil    event.Time
}

// SetLastOnset moves the time of the latest onset; it follows from the alerts and is no change of its own.
func (t *Table) SetLastOnset(id event.IncidentID, at event.Time) {
	t.recs.Mut(uint32(id)).lastOnset = at
}

// Put stores an incident's state as a change gives it. A new number must be the next one.
func (t *Table) Put(i *event.IncidentState) {
	if i.ID == t.Next() {
		t.recs.Alloc()
	}
	r := t.recs.Mut(uint32(i.ID))
	old := *r
	*r = record{
		openedAt: i.OpenedAt, lastOnset: i.LastOnset, clearSince: i.ClearSince, ackedAt: i.AckedAt, resolvedAt: i.ResolvedAt,
		tenant: t.text.Intern(i.Tenant), title: t.text.Intern(i.Title), rule: t.text.Intern(i.Rule),
		ackedBy: t.text.Intern(i.AckedBy), assignee: t.text.Intern(i.Assignee),
		team: t.text.Intern(i.Team), resolvedBy: t.text.Intern(i.ResolvedBy),
		labels: t.text.Put(i.Labels), recurs: i.Recurs, reopened: i.Reopened, notes: i.Notes,
		phase: i.Phase, severity: i.Severity, priority: i.Priority,
		unbound: i.Unbound, signalLost: i.SignalLost, recovered: i.Recovered,
		worseAt: i.WorseAt, snoozedUntil: i.SnoozedUntil, heldUntil: i.HeldUntil, heldFor: t.text.Intern(i.HeldFor),
		storm: i.Storm, heartbeat: i.Heartbeat,
	}
	t.release(&old)
}

func (t *Table) release(r *record) {
	for _, sym := range [...]flat.Sym{r.tenant, r.title, r.rule, r.ackedBy, r.assignee, r.team, r.resolvedBy, r.heldFor} {
		t.text.Release(sym)
	}
	t.text.Free(r.labels)
}

func (r *record) state(id event.IncidentID, text labelset.Reader) event.IncidentState {
	return event.IncidentState{
		ID: id, Tenant: text.String(r.tenant), Phase: r.phase, Severity: r.severity, Priority: r.priority,
		Unbound: r.unbound, SignalLost: r.signalLost, Recovered: r.recovered,
		Title: text.String(r.title), Rule: text.String(r.rule), Labels: labelset.Labels(text, r.labels),
		OpenedAt: r.openedAt, LastOnset: r.lastOnset, ClearSince: r.clearSince,
		AckedAt: r.ackedAt, AckedBy: text.String(r.ackedBy), Assignee: text.String(r.assignee), Team: text.String(r.team),
		ResolvedAt: r.resolvedAt, ResolvedBy: text.String(r.resolvedBy),
		Reopened: r.reopened, Recurs: r.recurs, Notes: r.notes,
		WorseAt: r.worseAt, SnoozedUntil: r.snoozedUntil, HeldUntil: r.heldUntil, HeldFor: text.String(r.heldFor),
		Storm: r.storm, Heartbeat: r.heartbeat,
	}
}

// View is the table as it was at one moment; any goroutine may read it.
type View struct {
	recs flat.SlabView[record]
}

// View returns the table as it is now.
func (t *Table) View() *View { return &View{t.recs.View()} }

// Len returns how many incidents there are.
func (v *View) Len() int { return int(v.recs.Len()) - 1 }

// Has tells whether there is an incident of that number.
func (v *View) Has(id event.IncidentID) bool { return id > 0 && int(id) <= v.Len() }

// State returns an incident's state, its text read from the view of the same moment.
func (v *View) State(id event.IncidentID, text labelset.Reader) event.IncidentState {
	return v.recs.At(uint32(id)).state(id, text)
}

// Save writes the table into a snapshot.
func (v *View) Save(w *flat.Writer) error { return v.recs.Save(w, "incidents") }

// Load reads the table from a snapshot; the text store is loaded by its owner.
func (t *Table) Load(r *flat.Reader) error { return t.recs.Load(r, "incidents") }

// LoadFormat1 reads the table from a snapshot of format 1, whose records ended before worseAt.
func (t *Table) LoadFormat1(r *flat.Reader) error {
	old := flat.NewSlab[record1]()
	if err := old.Load(r, "incidents"); err != nil {
		return err
	}
	t.recs = flat.Convert(old, func(o *record1) record {
		return record{
			openedAt: o.OpenedAt, lastOnset: o.LastOnset, clearSince: o.ClearSince, ackedAt: o.AckedAt, resolvedAt: o.ResolvedAt,
			tenant: o.Tenant, title: o.Title, rule: o.Rule, ackedBy: o.AckedBy, assignee: o.Assignee, team: o.Team, resolvedBy: o.ResolvedBy,
			labels: o.Labels, recurs: o.Recurs, reopened: o.Reopened, notes: o.Notes,
			phase: o.Phase, severity: o.Severity, priority: o.Priority,
			unbound: o.Unbound, signalLost: o.SignalLost, recovered: o.Recovered,
		}
	})
	return nil
}

// record1 is record as format 1 had it.
type record1 struct {
	OpenedAt, LastOnset, ClearSince, AckedAt, ResolvedAt     event.Time
	Tenant, Title, Rule, AckedBy, Assignee, Team, ResolvedBy flat.Sym
	Labels                                                   flat.Ref
	Recurs                                                   event.IncidentID
	Reopened, Notes                                          uint32
	Phase                                                    event.IncidentPhase
	Severity                                                 event.Severity
	Priority                                                 uint8
	Unbound, SignalLost, Recovered                           bool
}
