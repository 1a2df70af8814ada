package contrast

import (
	"slices"
	"strings"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
)

// World is what one set of rules makes of alerts.
type World struct {
	alerts      map[event.AlertID]*alert
	byIdentity  map[uint64]event.AlertID
	occurrences []occurrence
	incidents   map[event.IncidentID]*incident
	causes      map[event.IncidentID]verdict
	tenants     []string // of the sources, in the order of their slots

	began    []begun          // since the last Settle
	changes  int              // since then
	byHand   event.IncidentID // opened by a person since then
	openings int              // by the machine, for the first time
	again    int              // reopenings by the machine
	pages    int
	scratch  []byte
}

// alert is one in memory.
type alert struct {
	identities []uint64 // of the label sets that sources have said of it; mostly one
	occurrence int32    // the latest, -1 before the first
	incident   event.IncidentID
}

// begun is an occurrence that has just begun.
type begun struct {
	of         *alert
	occurrence int32
}

// occurrence is one time that an alert fired.
type occurrence struct {
	machine event.IncidentID // where the machine put it
	now     event.IncidentID // where it is, after what people moved
	reason  event.Reason
	before  bool // it fired already when the world began
}

// incident is what is remembered of one.
type incident struct {
	Incident
	into      event.IncidentID // it went into that one
	byMachine bool             // and the machine did it
	corrected bool             // people merged or split it, or refused to
	members   map[event.AlertID]bool
	proposals []event.Proposal
}

// Incident is one of either world, for people.
type Incident struct {
	ID       event.IncidentID
	Tenant   string
	Title    string
	Team     string
	Priority uint8
	Phase    event.IncidentPhase
	OpenedAt event.Time
	Alerts   int  // occurrences of alerts that are in it
	Fresh    bool // it opened while the world was watched
}

// verdict is what the machine thinks of an incident's cause.
type verdict struct {
	first     string // ID of the first candidate
	confident bool
}

// NewWorld returns the world as it is in a view, which may be of an empty state.
func NewWorld(v *correlate.View) *World {
	w := &World{
		alerts: map[event.AlertID]*alert{}, byIdentity: map[uint64]event.AlertID{},
		incidents: map[event.IncidentID]*incident{}, causes: map[event.IncidentID]verdict{},
	}
	for s := range v.Sources() {
		w.tenants = append(w.tenants, s.Tenant)
	}
	for a := range v.Alerts() {
		w.takeOver(v, a)
	}
	w.began = nil
	return w
}

// takeOver takes down an alert that was there before.
func (w *World) takeOver(v *correlate.View, a correlate.Alert) {
	rec := w.alert(a.ID())
	for c := range a.Claims() {
		w.learn(a.ID(), rec, c.Labels, a.Tenant())
	}
	if a.Phase() == event.Firing || a.Incident() != 0 {
		w.begin(rec)
		o := &w.occurrences[rec.occurrence]
		o.before, o.reason = true, a.State().Reason
		o.machine = a.Incident()
	}
	if id := a.Incident(); id != 0 && w.incidents[id] == nil {
		i, _ := v.Incident(id)
		w.incident(id).put(&i.IncidentState)
		if c, ok := v.Causes(id); ok {
			w.weigh(&c)
		}
	}
	w.place(a.ID(), rec, a.Incident())
}

func (w *World) alert(id event.AlertID) *alert {
	rec := w.alerts[id]
	if rec == nil {
		rec = &alert{occurrence: -1}
		w.alerts[id] = rec
	}
	return rec
}

func (w *World) incident(id event.IncidentID) *incident {
	i := w.incidents[id]
	if i == nil {
		i = &incident{Incident: Incident{ID: id}, members: map[event.AlertID]bool{}}
		w.incidents[id] = i
	}
	return i
}

// put takes over an incident's state; the state's texts may not last.
func (i *incident) put(s *event.IncidentState) {
	for _, text := range []struct {
		to   *string
		from string
	}{{&i.Title, s.Title}, {&i.Team, s.Team}, {&i.Tenant, s.Tenant}} {
		if *text.to != text.from {
			*text.to = strings.Clone(text.from)
		}
	}
	i.Priority, i.Phase, i.OpenedAt, i.into, i.proposals = s.Priority, s.Phase, s.OpenedAt, s.MergedInto, nil
	if s.Dossier == nil {
		return
	}
	for _, p := range s.Dossier.Proposals {
		i.proposals = append(i.proposals, event.Proposal{Number: p.Number, Other: p.Other, Answer: p.Answer})
	}
}

// learn takes down whose a label set is.
func (w *World) learn(id event.AlertID, rec *alert, ls event.Labels, tenant string) {
	identity, scratch := ls.Identity(tenant, w.scratch)
	w.scratch = scratch
	w.byIdentity[identity] = id
	if !slices.Contains(rec.identities, identity) {
		rec.identities = append(rec.identities, identity)
	}
}

func (w *World) begin(rec *alert) {
	rec.occurrence = int32(len(w.occurrences))
	w.occurrences = append(w.occurrences, occurrence{})
	w.began = append(w.began, begun{rec, rec.occurrence})
}

// place moves an alert's latest occurrence to an incident.
func (w *World) place(id event.AlertID, rec *alert, to event.IncidentID) {
	if rec.incident != to {
		if old := w.incidents[rec.incident]; old != nil {
			delete(old.members, id)
		}
		rec.incident = to
	}
	if to != 0 {
		w.incident(to).members[id] = true
	}
	if rec.occurrence >= 0 && to != 0 {
		w.occurrences[rec.occurrence].now = to
	}
}

// Change follows one change. Its texts need not last.
func (w *World) Change(ch *event.Change) {
	w.changes++
	switch {
	case ch.Kind == event.SourceAdded:
		w.tenants = append(w.tenants, strings.Clone(ch.Source.Tenant))
	case ch.Kind == event.AlertDropped:
		w.drop(ch.Alert.ID)
	case ch.Kind == event.IncidentCauses:
		w.weigh(ch.Causes)
	case ch.Incident != nil:
		w.changeIncident(ch)
	case ch.Alert.ID != 0:
		w.changeAlert(ch)
	}
}

// tenant returns the tenant of a source, by its slot.
func (w *World) tenant(source uint32) string {
	if source == 0 || int(source) > len(w.tenants) {
		return ""
	}
	return w.tenants[source-1]
}

func (w *World) changeAlert(ch *event.Change) {
	id := ch.Alert.ID
	rec := w.alert(id)
	if ch.Claim.Full {
		w.learn(id, rec, ch.Claim.Labels, w.tenant(ch.Claim.Source))
	}
	if len(rec.identities) == 0 { // it was over before it was seen to begin, and is in both worlds from before
		rec.identities = []uint64{^uint64(id)}
		w.byIdentity[rec.identities[0]] = id
	}
	if ch.Alert.Phase == 0 || ch.Alert.Ghost {
		return // it says nothing of the alert but its id, or the alert was over before it was seen to begin
	}
	if ch.Kind == event.AlertFiring {
		w.begin(rec)
	}
	if rec.occurrence < 0 {
		return
	}
	o := &w.occurrences[rec.occurrence]
	if ch.Alert.Phase == event.Firing || ch.Alert.Reason == event.ReasonOver {
		o.reason = ch.Alert.Reason
	}
	byPerson := ch.Kind == event.AlertMoved && ch.Actor != ""
	if to := ch.Alert.Incident; to != 0 && !byPerson && (o.machine == 0 || o.machine == o.now) {
		o.machine = to
	}
	w.place(id, rec, ch.Alert.Incident)
}

func (w *World) drop(id event.AlertID) {
	rec := w.alerts[id]
	if rec == nil {
		return
	}
	if i := w.incidents[rec.incident]; i != nil {
		delete(i.members, id)
	}
	for _, identity := range rec.identities {
		if w.byIdentity[identity] == id {
			delete(w.byIdentity, identity)
		}
	}
	delete(w.alerts, id)
}

func (w *World) weigh(c *event.Causes) {
	v := verdict{confident: c.Confident}
	if len(c.Candidates) > 0 {
		v.first = strings.Clone(c.Candidates[0].CI)
	}
	w.causes[c.Incident] = v
}

func (w *World) changeIncident(ch *event.Change) {
	i := w.incident(ch.Incident.ID)
	i.put(ch.Incident)
	byMachine := ch.Actor == ""
	switch ch.Kind {
	case event.IncidentOpened:
		i.Fresh = true
		if byMachine {
			w.openings++
			w.ring(ch.Incident)
		} else {
			w.byHand = i.ID
			i.corrected = ch.Incident.OpenedBy == "" // a part that was split off
		}
	case event.IncidentReopened:
		if byMachine {
			w.again++
			w.ring(ch.Incident)
		}
	case event.IncidentMerged:
		i.byMachine = byMachine
		w.correct(ch)
	case event.IncidentAbsorbed, event.IncidentUnmerged, event.IncidentSplit, event.IncidentAnswered:
		w.correct(ch)
	default: // says nothing of where alerts belong
	}
}

// correct takes down that a person said what belongs together, and what does not.
func (w *World) correct(ch *event.Change) {
	if ch.Actor == "" {
		return
	}
	i := w.incident(ch.Incident.ID)
	if ch.Kind != event.IncidentAnswered {
		i.corrected = true
		return
	}
	for _, p := range i.proposals {
		if p.Other != 0 && p.Answer == event.ProposalRejected {
			i.corrected, w.incident(p.Other).corrected = true, true
		}
	}
}

// rings is the lowest priority that wakes somebody.
const rings = 2

// ring counts what would have rung somebody: urgent, and not told of as part of a storm.
func (w *World) ring(i *event.IncidentState) {
	if i.Priority <= rings && i.Storm == 0 {
		w.pages++
	}
}

// survivor follows merges to the incident in which another lives on; machineOnly leaves those of people out.
func (w *World) survivor(id event.IncidentID, machineOnly bool) event.IncidentID {
	for range len(w.incidents) {
		i := w.incidents[id]
		if i == nil || i.into == 0 || machineOnly && !i.byMachine {
			break
		}
		id = i.into
	}
	return id
}
