package correlate

import (
	"iter"

	"github.com/tocsin-noc/tocsin/correlate/cause"
	"github.com/tocsin-noc/tocsin/correlate/forest"
	"github.com/tocsin-noc/tocsin/correlate/pairs"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
	"github.com/tocsin-noc/tocsin/internal/labelset"
	"github.com/tocsin-noc/tocsin/itsm"
	"github.com/tocsin-noc/tocsin/rules"
)

// View is the state as it was after one input. It never changes; any goroutine may read it, for as long as it likes.
// Everything that it returns stays valid as long as the caller holds it.
type View struct {
	Seq    uint64
	At     event.Time
	Firing uint32
	Rules  *rules.Set

	text       *labelset.View
	alerts     flat.SlabView[alertRec]
	claims     flat.SlabView[claimRec]
	byIdentity flat.IndexView
	groups     flat.SlabView[groupRec]
	byGroup    flat.IndexView
	incidents  *itsm.View
	members    membersView
	timers     flat.WheelView
	buckets    flat.SlabView[bucketRec]
	byKey      flat.IndexView
	nodes      flat.SlabView[nodeRec]
	sources    flat.SlabView[sourceRec]
	positions  flat.SlabView[positionRec]
	byPosition flat.IndexView
	flaps      flat.SlabView[flapRec]
	silences   []*silence
	cmdb       *itsm.CMDBView
	cis        flat.SlabView[ciUse]
	forest     *forest.View
	causes     *cause.View
	pairs      *pairs.View
	placed     flat.SlabView[Placements]
	clusters   flat.SlabView[uint32]
	verdicts   flat.SlabView[verdictRec]
	byCauses   flat.IndexView
	traces     flat.SlabView[traceRec]
	traceNodes flat.SlabView[traceNode]
	byTrace    flat.IndexView
	quiets     flat.SlabView[quietRec]
	conditions bool // some rule has one
	desk       desk
	meta       meta

	silenceTimers flat.SlabView[uint32]
}

// View returns the state as it is now, in constant time. The owner calls it between steps.
func (s *State) View() *View {
	s.silences.shared, s.desk.outagesShared = true, true
	text := s.text.View()
	return &View{
		silenceTimers: s.silences.timers.View(),
		Seq:           s.meta.Seq, At: s.meta.At, Firing: s.meta.Firing, Rules: s.rules,
		text: text, alerts: s.alerts.View(), claims: s.claims.View(), byIdentity: s.byIdentity.View(),
		groups: s.groups.View(), byGroup: s.byGroup.View(), incidents: s.incidents.View(), members: s.members.View(),
		timers: s.timers.View(), buckets: s.inhibition.buckets.View(), byKey: s.inhibition.byKey.View(),
		nodes: s.inhibition.nodes.View(), sources: s.sources.View(), positions: s.positions.View(),
		byPosition: s.byPosition.View(), silences: s.silences.list, meta: s.meta,
		traces: s.traces.recs.View(), traceNodes: s.traces.nodes.View(), byTrace: s.traces.byKey.View(), quiets: s.quiets.View(), conditions: s.work.reading.conditions,
		flaps: s.flaps.View(), cmdb: s.cmdb.View(text), cis: s.cis.View(), desk: s.desk,
		forest: s.forest.View(), causes: s.causes.View(), pairs: s.pairs.View(), placed: s.placed.View(), clusters: s.clusters.View(), verdicts: s.verdicts.View(), byCauses: s.byCauses.View(),
	}
}

// Alert is one alert of a view.
type Alert struct {
	v    *View
	slot uint32
}

// Alerts yields every alert in memory that was ever seen firing, in no order that means anything.
func (v *View) Alerts() iter.Seq[Alert] {
	return func(yield func(Alert) bool) {
		for slot := uint32(1); slot < v.alerts.Len(); slot++ {
			if a := v.alerts.At(slot); a.firstAt != 0 && a.flags&flagGhost == 0 && !yield(Alert{v, slot}) {
				return
			}
		}
	}
}

// Alert returns the alert with that id, false when it is not in memory (any more).
func (v *View) Alert(id event.AlertID) (Alert, bool) {
	slot := id.Slot()
	if slot == 0 || slot >= v.alerts.Len() {
		return Alert{}, false
	}
	a := v.alerts.At(slot)
	return Alert{v, slot}, a.firstAt != 0 && a.flags&flagGhost == 0 && event.NewAlertID(slot, a.number) == id
}

// Known tells whether an event's alert is in memory, by any identity it can have: such an alert needs no new room.
func (v *View) Known(tenant string, ev *event.Event) bool {
	if v.knows(ev.Identity) {
		return true
	}
	var scratch []byte
	for _, ignore := range v.desk.Schemes {
		var hash uint64
		if hash, scratch = ev.Labels.IdentityBut(ignore, tenant, scratch); ignore != nil && v.knows(hash) {
			return true
		}
	}
	return false
}

func (v *View) knows(identity uint64) bool {
	_, found := v.byIdentity.Find(identity, func(ref uint32) bool { return v.alerts.At(ref).identity == identity })
	return found
}

// ID returns the alert's id.
func (a Alert) ID() event.AlertID { return event.NewAlertID(a.slot, a.rec().number) }

func (a Alert) rec() *alertRec { return a.v.alerts.At(a.slot) }

// Phase returns whether the alert is up.
func (a Alert) Phase() event.AlertPhase { return a.rec().phase }

// Severity returns the alert's severity.
func (a Alert) Severity() event.Severity { return a.rec().severity }

// Incident returns the incident the alert is in, 0 when in none.
func (a Alert) Incident() event.IncidentID { return a.rec().incident }

// Identity returns Tocsin's fingerprint of the alert.
func (a Alert) Identity() uint64 { return a.rec().identity }

// State returns the alert's state with its names.
func (a Alert) State() event.AlertState {
	st := a.rec().state(a.slot)
	st.Flap = flapOf(a.rec(), a.v.flaps.At(a.rec().flap))
	ls := a.nameLabels()
	st.Name, st.Resource = ls.Get("alertname"), ls.CI().Name
	return st
}

// Labels returns the label set that was heard of first.
func (a Alert) Labels() event.Labels {
	return labelset.Labels(a.v.text, a.v.claims.At(a.firstClaim()).labels)
}

// Label returns the value of one label of that set.
func (a Alert) Label(name string) string {
	return labelset.Get(a.v.text, a.v.claims.At(a.firstClaim()).labels, name)
}

// firstClaim is the last of the list: new claims are put in front.
func (a Alert) firstClaim() uint32 {
	c := a.rec().claims
	for next := a.v.claims.At(c).next; next != 0; next = a.v.claims.At(c).next {
		c = next
	}
	return c
}

// Tenant returns the tenant of the alert's sources.
func (a Alert) Tenant() string {
	return a.v.text.String(a.v.sources.At(a.v.claims.At(a.rec().claims).source).tenant)
}

// Group returns the rule and the key that group the alert.
func (a Alert) Group() (rule string, key event.Labels) {
	g := a.v.groups.At(a.rec().group)
	return a.v.text.String(g.rule), labelset.Labels(a.v.text, g.key)
}

// HasGroup tells whether a grouping rule has looked at the alert.
func (a Alert) HasGroup() bool { return a.rec().group != 0 }

// Claim is what one source says about one label set of an alert.
type Claim struct {
	event.ClaimState
	SourceName string
	SourceKind event.SourceKind
	SeenAt     event.Time // when the source spoke of it last
}

// Claims yields what each source says of the alert, the latest first.
func (a Alert) Claims() iter.Seq[Claim] {
	return func(yield func(Claim) bool) {
		for slot := a.rec().claims; slot != 0; slot = a.v.claims.At(slot).next {
			if !yield(a.v.claim(slot)) {
				return
			}
		}
	}
}

func (v *View) claim(slot uint32) Claim {
	rec := v.claims.At(slot)
	src := v.sources.At(rec.source)
	c := Claim{ClaimState: rec.state(slot), SourceName: v.text.String(src.name), SourceKind: src.kind, SeenAt: rec.seenAt}
	c.Full = true
	c.Labels, c.Annotations = labelset.Labels(v.text, rec.labels), labelset.Labels(v.text, rec.annotations)
	c.GeneratorURL = v.text.String(rec.url)
	return c
}

// Incident is one incident of a view, with the counts of its alerts.
type Incident struct {
	event.IncidentState
	Alerts     uint32 // in memory
	Firing     uint32
	Expired    uint32
	Suppressed uint32 // of those that fire
	Damped     uint32
}

// Incident returns the incident of that number.
func (v *View) Incident(id event.IncidentID) (Incident, bool) {
	if !v.incidents.Has(id) {
		return Incident{}, false
	}
	m := v.members.At(uint32(id))
	return Incident{v.incidents.State(id, v.text), m.alerts, m.firing, m.expired, m.suppressed, m.damped}, true
}

// Incidents yields every incident, the newest first.
func (v *View) Incidents() iter.Seq[Incident] {
	return func(yield func(Incident) bool) {
		for id := event.IncidentID(v.incidents.Len()); id > 0; id-- {
			if i, _ := v.Incident(id); !yield(i) {
				return
			}
		}
	}
}

// Members yields the alerts of an incident in the order they joined.
func (v *View) Members(id event.IncidentID) iter.Seq[Alert] {
	return func(yield func(Alert) bool) {
		if !v.incidents.Has(id) {
			return
		}
		for slot := v.members.At(uint32(id)).head; slot != 0; slot = v.alerts.At(slot).next {
			if !yield(Alert{v, slot}) {
				return
			}
		}
	}
}

// Silences yields the silences of a tenant, or of all, in the order they were made.
func (v *View) Silences(tenant string) iter.Seq[*event.Silence] {
	return func(yield func(*event.Silence) bool) {
		for _, sil := range v.silences {
			if event.InTenant(tenant, sil.Tenant) && !yield(&sil.Silence) {
				return
			}
		}
	}
}

// SilencedBy returns the ids of the silences that are active at now and match the label set.
func (v *View) SilencedBy(tenant string, ls event.Labels, now event.Time) (ids []string) {
	for _, sil := range v.silences {
		if sil.State(now) == event.SilenceActive && sil.matches(tenant, ls) {
			ids = append(ids, sil.ID)
		}
	}
	return ids
}

// InhibitedBy returns the label set of one firing claim that inhibits an alert with these labels, nil when none does.
func (v *View) InhibitedBy(tenant string, ls event.Labels) event.Labels {
	if claim, _ := v.inhibitor(tenant, ls); claim != 0 {
		return labelset.Labels(v.text, v.claims.At(claim).labels)
	}
	return nil
}

// Inhibitor returns one firing alert that inhibits another with these labels, and the rule by which it does.
func (v *View) Inhibitor(tenant string, ls event.Labels) (by Alert, rule *rules.Inhibit, ok bool) {
	claim, rule := v.inhibitor(tenant, ls)
	if claim == 0 {
		return by, nil, false
	}
	return Alert{v, v.claims.At(claim).alert}, rule, true
}

// inhibitor returns the claim that inhibits an alert with these labels, 0 when none does.
func (v *View) inhibitor(tenant string, ls event.Labels) (claim uint32, by *rules.Inhibit) {
	for _, rule := range v.Rules.TargetRules(ls, nil) {
		in := &v.Rules.Inhibit[rule]
		hash, _ := inhibitHash(nil, rule, in, tenant, ls)
		slot, ok := v.byKey.Find(hash, func(ref uint32) bool {
			b := v.buckets.At(ref)
			if b.hash != hash || b.rule != uint32(rule) {
				return false
			}
			c := v.claims.At(v.nodes.At(b.someNode()).claim)
			return v.text.String(v.sources.At(c.source).tenant) == tenant && sameEqual(v.text, in, c.labels, ls)
		})
		if !ok {
			continue
		}
		plainOnly := in.MatchesSource(ls)
		for id := v.buckets.At(slot).heads[sourceSide]; id != 0; id = v.nodes.At(id).next {
			if n := v.nodes.At(id); n.plain || !plainOnly {
				return n.claim, in
			}
		}
	}
	return 0, nil
}

// Below returns the item beneath that of an alert which is down, and an alert that says so; ok is false where nothing cuts it off now.
func (a Alert) Below() (item string, by Alert, ok bool) {
	downs := map[uint32]uint32{}
	for slot := uint32(1); slot < a.v.alerts.Len(); slot++ {
		if rec := a.v.alerts.At(slot); saysDown(rec) && downs[rec.ci] == 0 {
			downs[rec.ci] = slot
		}
	}
	cut := a.v.cmdb.CutBy(a.rec().ci, func(ci uint32) bool { return downs[ci] != 0 })
	if cut == 0 {
		return "", by, false
	}
	return a.v.cmdb.ID(cut), Alert{a.v, downs[cut]}, true
}

// Source is a sender as the core knows it.
type Source struct {
	event.Source
	LastWord event.Time
	Active   uint32 // firing claims
}

// Sources yields every sender that was ever heard, in the order of its first word.
func (v *View) Sources() iter.Seq[Source] {
	return func(yield func(Source) bool) {
		for slot := uint32(1); slot < v.sources.Len(); slot++ {
			rec := v.sources.At(slot)
			src := event.Source{Name: v.text.String(rec.name), Tenant: v.text.String(rec.tenant), Kind: rec.kind}
			if !yield(Source{src, rec.lastWord, rec.active}) {
				return
			}
		}
	}
}

// Refused returns how many events were dropped at a bound since the beginning.
func (v *View) Refused() uint64 { return v.meta.Refused }

// Core returns the version of the core that made the view.
func (v *View) Core() string { return v.meta.Core }

// Causes returns what is known of an incident's cause, false when nothing is.
func (v *View) Causes(id event.IncidentID) (event.Causes, bool) {
	slot, _ := v.byCauses.Find(uint64(id), func(ref uint32) bool { return v.verdicts.At(ref).incident == id })
	if slot == 0 {
		return event.Causes{}, false
	}
	return unpackCauses(v.text.Bytes(v.verdicts.At(slot).body)), true
}
