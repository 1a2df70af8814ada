package itsm

import (
	"bytes"
	"iter"
	"math/bits"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
	"github.com/tocsin-noc/tocsin/internal/labelset"
)

// Table holds every incident by its number, the first being 1. Its text lies in a store that the owner shares.
//
//	entry, by number ─┬─▶ running   times that decide; only while it is not over
//	                  └─▶ body      all else, packed
//
// What is over (closed, cancelled, merged) is an entry and a body: a million of them have to be affordable.
type Table struct {
	text    *labelset.Store
	entries *flat.Slab[entry]
	running *flat.Slab[running]
	open    *flat.Slab[uint64] // bit n%64 of word n/64+1: incident n is open
	words   *flat.Slab[uint32] // of the bodies of what is over, the latest by hash: what comes twice becomes a symbol
	scratch []byte
}

// entry is what lists ask of every incident.
type entry struct {
	updated                event.Time // of what is over; else it follows from running
	tenant, team, assignee flat.Sym
	running                uint32 // 0: it is over
	body                   flat.Ref
	phase                  event.IncidentPhase
	severity               event.Severity
	priority               uint8
	flags                  uint8
}

const (
	flagUnbound uint8 = 1 << iota
	flagSignalLost
	flagRecovered
	flagDossier
	flagBounded
)

// running is what decisions ask of an incident that is not over.
type running struct {
	openedAt, lastOnset, clearSince, ackedAt, resolvedAt event.Time
	worseAt, snoozedUntil, heldUntil, begunAt            event.Time
}

// NewTable returns an empty table whose text lies in text.
func NewTable(text *labelset.Store) *Table {
	return &Table{text: text, entries: flat.NewSlab[entry](), running: flat.NewSlab[running](), open: flat.NewSlab[uint64](), words: flat.NewSlab[uint32]()}
}

// Next returns the number that the next incident gets.
func (t *Table) Next() event.IncidentID { return event.IncidentID(t.entries.Len()) }

// Has tells whether there is an incident of that number.
func (t *Table) Has(id event.IncidentID) bool { return id > 0 && id < t.Next() }

// State returns an incident's state; its strings alias the table.
func (t *Table) State(id event.IncidentID) event.IncidentState {
	e := t.entries.At(uint32(id))
	return e.state(id, t.running.At(e.running), t.text, false)
}

// Outline is State without the dossier, which can be long. It must not be put back.
func (t *Table) Outline(id event.IncidentID) event.IncidentState {
	e := t.entries.At(uint32(id))
	return e.state(id, t.running.At(e.running), t.text, true)
}

// Phase returns where an incident is in its life: what all incidents can be asked.
func (t *Table) Phase(id event.IncidentID) event.IncidentPhase { return t.entries.At(uint32(id)).phase }

// Brief returns what decisions ask for most often, without building the whole state.
func (t *Table) Brief(id event.IncidentID) Brief {
	e := t.entries.At(uint32(id))
	return e.brief(t.running.At(e.running), t.text)
}

// Brief is the part of an incident that decides where alerts go, and by which lists are filtered and sorted.
type Brief struct {
	Phase        event.IncidentPhase
	Severity     event.Severity
	Priority     uint8
	Unbound      bool
	SignalLost   bool
	Recovered    bool
	Dossier      bool // there is one
	Bounded      bool // rules have a say in its severity or priority
	OpenedAt     event.Time
	LastOnset    event.Time
	ClearSince   event.Time
	AckedAt      event.Time
	WorseAt      event.Time
	BegunAt      event.Time
	ResolvedAt   event.Time
	ClosedAt     event.Time
	SnoozedUntil event.Time
	HeldUntil    event.Time
}

// over tells whether an incident has ended for good, as far as its table goes: most such never move again.
func over(p event.IncidentPhase) bool {
	return p == event.PhaseClosed || p == event.PhaseCancelled || p == event.PhaseMerged
}

// UpdatedAt returns when an incident's own state moved last.
func UpdatedAt(i *event.IncidentState) event.Time {
	return max(i.OpenedAt, i.LastOnset, i.ClearSince, i.AckedAt, i.WorseAt, i.BegunAt, i.ResolvedAt, i.ClosedAt)
}

// SetLastOnset moves the time of the latest onset; it follows from the alerts and is no change of its own.
func (t *Table) SetLastOnset(id event.IncidentID, at event.Time) {
	if slot := t.entries.At(uint32(id)).running; slot != 0 {
		t.running.Mut(slot).lastOnset = at
		return
	}
	state := t.State(id)
	state.LastOnset = at
	t.Put(&state)
}

// Put stores an incident's state as a change gives it. A new number must be the next one.
func (t *Table) Put(i *event.IncidentState) {
	if i.ID == t.Next() {
		t.entries.Alloc()
	}
	id := uint32(i.ID)
	old := *t.entries.At(id)
	e := entry{
		tenant: t.text.Intern(i.Tenant), team: t.text.Intern(i.Team), assignee: t.text.Intern(i.Assignee),
		phase: i.Phase, severity: i.Severity, priority: i.Priority, running: old.running, flags: flagsOf(i),
	}
	if over(i.Phase) {
		e.updated = UpdatedAt(i)
		if e.running != 0 {
			t.running.Free(e.running)
			e.running = 0
		}
	} else {
		if e.running == 0 {
			e.running = t.running.Alloc()
		}
		*t.running.Mut(e.running) = running{
			openedAt: i.OpenedAt, lastOnset: i.LastOnset, clearSince: i.ClearSince, ackedAt: i.AckedAt, resolvedAt: i.ResolvedAt,
			worseAt: i.WorseAt, snoozedUntil: i.SnoozedUntil, heldUntil: i.HeldUntil, begunAt: i.BegunAt,
		}
	}
	e.body = t.putBody(&e, &old, i)
	*t.entries.Mut(id) = e
	for _, sym := range [...]flat.Sym{old.tenant, old.team, old.assignee} {
		t.text.Release(sym)
	}
	t.setOpen(id, i.Phase == event.IncidentOpen)
}

func flagsOf(i *event.IncidentState) (flags uint8) {
	for bit, on := range [...]bool{i.Unbound, i.SignalLost, i.Recovered, i.Dossier != nil, i.Bounds != (event.Bounds{})} {
		if on {
			flags |= 1 << bit
		}
	}
	return flags
}

// putBody packs what lies outside the entry. A body that stays the same stays where it is.
func (t *Table) putBody(e, old *entry, i *event.IncidentState) flat.Ref {
	p := packer{mode: packing, base: e.base(i.OpenedAt), store: t.text, buf: append(t.scratch[:0], make([]byte, maskRoom)...)}
	if e.running == 0 {
		p.known = t.words
	}
	p.body(i, e.running == 0)
	b := p.packed()
	t.scratch = p.buf
	if old.body != 0 && (old.running == 0) == (e.running == 0) && bytes.Equal(joined(t.text, old.body), b) {
		t.release(b, e.running == 0)
		return old.body
	}
	if old.body != 0 {
		t.release(joined(t.text, old.body), old.running == 0)
		t.freeBody(old.body)
	}
	return t.keepBody(b)
}

// release gives back the symbols in a body.
func (t *Table) release(body []byte, over bool) {
	p := packer{mode: releasing, store: t.text, buf: body}
	p.open()
	p.body(new(event.IncidentState), over)
}

func (t *Table) setOpen(id uint32, open bool) {
	word, bit := id/64+1, uint64(1)<<(id%64)
	for t.open.Len() <= word {
		t.open.Alloc()
	}
	if was := *t.open.At(word)&bit != 0; was != open {
		*t.open.Mut(word) ^= bit
	}
}

// base is the time that the first of a body is told from.
func (e *entry) base(openedAt event.Time) event.Time {
	if e.running == 0 {
		return e.updated
	}
	return openedAt
}

func (e *entry) state(id event.IncidentID, r *running, text labelset.Reader, brief bool) event.IncidentState {
	i := event.IncidentState{
		ID: id, Tenant: text.String(e.tenant), Team: text.String(e.team), Assignee: text.String(e.assignee),
		Phase: e.phase, Severity: e.severity, Priority: e.priority,
		Unbound: e.flags&flagUnbound != 0, SignalLost: e.flags&flagSignalLost != 0, Recovered: e.flags&flagRecovered != 0,
	}
	if e.running != 0 {
		i.OpenedAt, i.LastOnset, i.ClearSince, i.AckedAt, i.ResolvedAt = r.openedAt, r.lastOnset, r.clearSince, r.ackedAt, r.resolvedAt
		i.WorseAt, i.SnoozedUntil, i.HeldUntil, i.BegunAt = r.worseAt, r.snoozedUntil, r.heldUntil, r.begunAt
	}
	p := packer{mode: unpacking, base: e.base(i.OpenedAt), text: text, buf: joined(text, e.body), brief: brief}
	p.open()
	p.body(&i, e.running == 0)
	return i
}

func (e *entry) brief(r *running, text labelset.Reader) Brief {
	b := Brief{
		Phase: e.phase, Severity: e.severity, Priority: e.priority, Dossier: e.flags&flagDossier != 0, Bounded: e.flags&flagBounded != 0,
		Unbound: e.flags&flagUnbound != 0, SignalLost: e.flags&flagSignalLost != 0, Recovered: e.flags&flagRecovered != 0,
	}
	if e.running != 0 {
		b.OpenedAt, b.LastOnset, b.ClearSince, b.AckedAt, b.ResolvedAt = r.openedAt, r.lastOnset, r.clearSince, r.ackedAt, r.resolvedAt
		b.WorseAt, b.SnoozedUntil, b.HeldUntil, b.BegunAt = r.worseAt, r.snoozedUntil, r.heldUntil, r.begunAt
		return b
	}
	var i event.IncidentState
	p := packer{mode: unpacking, base: e.updated, text: text, buf: text.Bytes(e.body)}
	p.open()
	p.times(&i)
	b.OpenedAt, b.LastOnset, b.ClearSince, b.AckedAt, b.ResolvedAt = i.OpenedAt, i.LastOnset, i.ClearSince, i.AckedAt, i.ResolvedAt
	b.WorseAt, b.SnoozedUntil, b.HeldUntil, b.BegunAt, b.ClosedAt = i.WorseAt, i.SnoozedUntil, i.HeldUntil, i.BegunAt, i.ClosedAt
	return b
}

// Row is what a list of all incidents can be filtered and sorted by at a few nanoseconds each.
type Row struct {
	Phase      event.IncidentPhase
	Severity   event.Severity
	Priority   uint8
	Unbound    bool
	SignalLost bool
	Recovered  bool
	Dossier    bool       // there is one
	Updated    event.Time // as UpdatedAt
	TenantSym  flat.Sym
	TeamSym    flat.Sym
	PersonSym  flat.Sym // to whom it is assigned
}

// View is the table as it was at one moment; any goroutine may read it. Texts are read from the view of the same moment.
type View struct {
	entries flat.SlabView[entry]
	running flat.SlabView[running]
	open    flat.SlabView[uint64]
	words   flat.SlabView[uint32]
}

// View returns the table as it is now.
func (t *Table) View() *View {
	return &View{t.entries.View(), t.running.View(), t.open.View(), t.words.View()}
}

// Len returns how many incidents there are.
func (v *View) Len() int { return int(v.entries.Len()) - 1 }

// Has tells whether there is an incident of that number.
func (v *View) Has(id event.IncidentID) bool { return id > 0 && int(id) <= v.Len() }

// State returns an incident's state.
func (v *View) State(id event.IncidentID, text labelset.Reader) event.IncidentState {
	e := v.entries.At(uint32(id))
	return e.state(id, v.running.At(e.running), text, false)
}

// Brief returns an incident's times without building its texts.
func (v *View) Brief(id event.IncidentID, text labelset.Reader) Brief {
	e := v.entries.At(uint32(id))
	return e.brief(v.running.At(e.running), text)
}

// Words returns what people search an incident by, at half the price of its whole state.
func (v *View) Words(id event.IncidentID, text labelset.Reader) (title string, labels event.Labels) {
	e := v.entries.At(uint32(id))
	var i event.IncidentState
	p := packer{mode: unpacking, text: text, buf: joined(text, e.body)}
	p.open()
	p.words(&i, e.running == 0)
	return i.Title, i.Labels
}

// Row returns what lists ask of every incident; it reads no text at all.
func (v *View) Row(id event.IncidentID) Row {
	e := v.entries.At(uint32(id))
	row := Row{
		Phase: e.phase, Severity: e.severity, Priority: e.priority, Dossier: e.flags&flagDossier != 0,
		Unbound: e.flags&flagUnbound != 0, SignalLost: e.flags&flagSignalLost != 0, Recovered: e.flags&flagRecovered != 0,
		TenantSym: e.tenant, TeamSym: e.team, PersonSym: e.assignee, Updated: e.updated,
	}
	if e.running != 0 {
		r := v.running.At(e.running)
		row.Updated = max(r.openedAt, r.lastOnset, r.clearSince, r.ackedAt, r.worseAt, r.begunAt, r.resolvedAt)
	}
	return row
}

// Open yields the numbers of the open incidents, the newest first. What it costs follows from them: 64 of the others cost a
// nanosecond.
func (v *View) Open() iter.Seq[event.IncidentID] {
	return func(yield func(event.IncidentID) bool) {
		for word := v.open.Len() - 1; word > 0; word-- {
			for set := *v.open.At(word); set != 0; {
				bit := uint32(bits.Len64(set) - 1)
				set &^= 1 << bit
				if !yield(event.IncidentID((word-1)*64 + bit)) {
					return
				}
			}
		}
	}
}

// Save writes the table into a snapshot.
func (v *View) Save(w *flat.Writer) error {
	if err := v.entries.Save(w, "incidents"); err != nil {
		return err
	}
	if err := v.running.Save(w, "incidents_running"); err != nil {
		return err
	}
	if err := v.open.Save(w, "incidents_open"); err != nil {
		return err
	}
	return v.words.Save(w, "incidents_words")
}

// Load reads the table from a snapshot; the text store is loaded by its owner.
func (t *Table) Load(r *flat.Reader) error {
	if err := t.entries.Load(r, "incidents"); err != nil {
		return err
	}
	if err := t.running.Load(r, "incidents_running"); err != nil {
		return err
	}
	if err := t.open.Load(r, "incidents_open"); err != nil {
		return err
	}
	return t.words.Load(r, "incidents_words")
}
