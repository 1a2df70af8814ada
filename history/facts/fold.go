package facts

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tocsin-noc/tocsin/event"
)

// Fold makes rows of changes, which it is given in their order, all changes of an input together.
type Fold struct {
	shard   uint32
	senders []event.Source // by number, from 1

	sources     *sources
	alerts      *alerts
	transitions *transitions
	members     *members
	moves       *moves
	repeats     *counts
	versions    *incidentVersions
	causes      *causes
	cis         *cis
	outages     *outages
	log         *logbook

	seq     uint64
	at      event.Time
	touched map[event.IncidentID]struct{}
	hours   map[event.Time]struct{}
	redacts []Redacted
}

// Redacted is an attribute of an item that was taken away in every version. What stands in its place is event.RedactedAs of the value with
// the key, as everywhere else.
type Redacted struct {
	Tenant, CI, Attribute string
	Key                   uint64
	Seq                   uint64 // of the change that says so, with its place N among the input's
	N                     uint32
}

// Batch is what a Fold has made since the last one. Its memory is the Fold's until Done.
type Batch struct {
	Shard     uint32
	Seq       uint64 // of the last input in it
	At        event.Time
	Tables    []Table            // those that have rows
	Incidents []event.IncidentID // of which something is in it; sorted
	Hours     []event.Time       // in which alerts did something; sorted
	Redacted  []Redacted
}

// Rows counts the rows of all tables.
func (b *Batch) Rows() (rows int) {
	for _, t := range b.Tables {
		rows += t.Rows
	}
	return rows
}

// New returns a Fold that knows the senders of a shard by their numbers, from 1, and goes on with counts of repeats.
func New(shard uint32, senders []event.Source, counts []Count) *Fold {
	f := &Fold{
		shard: shard, senders: slices.Clone(senders),
		sources: newSources(), alerts: newAlerts(), transitions: newTransitions(), members: newMembers(), moves: newMoves(), repeats: newCounts(),
		versions: newIncidentVersions(), causes: newCauses(), cis: newCIs(), outages: newOutages(), log: newLogbook(),
		touched: map[event.IncidentID]struct{}{}, hours: map[event.Time]struct{}{},
	}
	for _, c := range counts {
		f.repeats.resume(c)
	}
	return f
}

// Known adds the rows of the senders that New was given, which no change may tell of any more.
func (f *Fold) Known() {
	for i, s := range f.senders {
		f.sources.add(&event.Change{Shard: f.shard}, uint32(i+1), s)
	}
}

// Add makes rows of one change.
func (f *Fold) Add(ch *event.Change) {
	f.seq, f.at = ch.Seq, ch.At
	switch {
	case ch.Alert.ID != 0:
		f.addAlert(ch)
	case ch.Incident != nil:
		f.versions.add(ch)
		f.touched[ch.Incident.ID] = struct{}{}
	case ch.Causes != nil:
		f.causes.add(ch)
		f.touched[ch.Causes.Incident] = struct{}{}
	case ch.CI != nil && ch.Kind == event.CIRedacted:
		f.redacts = append(f.redacts, Redacted{ch.CI.Tenant, ch.CI.ID, ch.Text, ch.Count, ch.Seq, ch.N})
	case ch.CI != nil:
		f.cis.add(ch)
	case ch.Outage != nil:
		f.outages.add(ch)
	case ch.Kind == event.SourceAdded:
		f.sources.add(ch, f.number(ch.Source), ch.Source)
	case logged(ch.Kind):
		f.log.add(ch)
	}
}

// logged tells whether a kind of change that has no table of its own is of interest to people: places in topics, traces of rules and what
// grouping rests on are not.
func logged(k event.ChangeKind) bool {
	switch k {
	case event.PositionMoved, event.TraceNoted, event.TraceDropped, event.ItemPlaced, event.ClusterParted, event.ClusterSettled, event.ComponentAdded:
		return false
	default:
		return true
	}
}

func (f *Fold) addAlert(ch *event.Change) {
	from := f.sender(ch.Alert.Source)
	if ch.Kind == event.AlertSeen {
		f.repeats.add(ch, from)
		return
	}
	if begins(ch) {
		f.alerts.add(ch, from)
	}
	f.transitions.add(ch, from)
	f.hours[ch.At-ch.At%event.Hour] = struct{}{}
	if ch.Alert.Incident == 0 || ch.Kind == event.AlertUnconfirmed {
		return
	}
	f.members.add(ch)
	f.touched[ch.Alert.Incident] = struct{}{}
	if ch.Kind == event.AlertMoved {
		f.moves.add(ch)
	}
}

// sender returns who has a number; of one that was never told of nothing is known, not even the tenant.
func (f *Fold) sender(number uint32) event.Source {
	if number == 0 || int(number) > len(f.senders) {
		return event.Source{}
	}
	return f.senders[number-1]
}

// number returns a sender's number, which is the next for one that is new.
func (f *Fold) number(s event.Source) uint32 {
	for i := range f.senders {
		if f.senders[i].Name == s.Name && f.senders[i].Tenant == s.Tenant {
			return uint32(i + 1)
		}
	}
	f.senders = append(f.senders, s)
	return uint32(len(f.senders))
}

// Rows counts the rows that a batch would have now.
func (f *Fold) Rows() int {
	rows := f.repeats.changed
	for _, t := range f.tables() {
		rows += t.rows
	}
	return rows
}

func (f *Fold) tables() []*table {
	return []*table{
		&f.sources.table, &f.alerts.table, &f.transitions.table, &f.members.table, &f.moves.table,
		&f.versions.table, &f.causes.table, &f.cis.table, &f.outages.table, &f.log.table,
	}
}

// Take returns what has been made since the last Done. It may be asked for again.
func (f *Fold) Take() Batch {
	b := Batch{Shard: f.shard, Seq: f.seq, At: f.at, Redacted: f.redacts}
	for _, t := range f.tables() {
		if t.rows > 0 {
			b.Tables = append(b.Tables, t.take())
		}
	}
	if t := f.repeats.take(f.shard); t.Rows > 0 {
		b.Tables = append(b.Tables, t)
	}
	b.Incidents = slices.SortedFunc(maps.Keys(f.touched), cmp.Compare[event.IncidentID])
	b.Hours = slices.SortedFunc(maps.Keys(f.hours), cmp.Compare[event.Time])
	return b
}

// Done says that what Take returned is kept: the memory serves the next batch.
func (f *Fold) Done() {
	for _, t := range f.tables() {
		t.reset()
	}
	f.repeats.done(f.seq / BlockInputs)
	clear(f.touched)
	clear(f.hours)
	f.redacts = nil
}
