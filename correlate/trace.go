package correlate

import (
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
	"github.com/tocsin-noc/tocsin/rules"
)

// traces is what rules that look at several alerts remember: for each rule, side and key the latest alerts, in the order in which they
// began. Other rules coming into force begin it anew, from the alerts in memory.
//
//	rule, side, key ─▶ traceRec ─▶ traceNode … traceNode     oldest first
type traces struct {
	recs  *flat.Slab[traceRec]
	nodes *flat.Slab[traceNode]
	byKey *flat.Index
}

type traceRec struct {
	hash         uint64
	due          event.Time // of an absence: when what is expected must have come
	rule, tenant flat.Sym
	key          flat.Ref
	head, tail   uint32
	count        uint32
	timer        uint32
	kind         event.TraceKind // 0: the slot is free
	second       bool
}

type traceNode struct {
	at         event.Time
	alert      event.AlertID
	next, prev uint32
}

const (
	// maxTraces bounds what all rules together remember. Beyond it nothing new is noted, which is reported, and no threshold holds.
	maxTraces = 500_000
	// maxRetraced bounds the alerts in memory, the latest, with which other rules begin.
	maxRetraced = 50_000
	// keptPartners bounds what a rule remembers under one key, but for thresholds, which remember what they count. Where a rule that keeps
	// apart forgets one that counts still, that is reported: an incident of nothing but such is not kept apart any more.
	keptPartners = 64
	// farBack bounds how many alerts one that is read late passes to its place among those that a rule remembers.
	farBack = 256
	// ruleSource speaks for rules that found something by themselves.
	ruleSource = "tocsin-rules"
)

func newTraces() traces {
	return traces{recs: flat.NewSlab[traceRec](), nodes: flat.NewSlab[traceNode](), byKey: flat.NewIndex()}
}

// ruleName names a rule among those that remember.
type ruleName struct {
	kind event.TraceKind
	name string
}

// tracePlaces lists where the rules that remember stand.
func tracePlaces(set *rules.Set) map[ruleName]int {
	m := map[ruleName]int{}
	for i := range set.ThresholdRules {
		m[ruleName{event.TraceThreshold, set.ThresholdRules[i].Name}] = i
	}
	for i := range set.SequenceRules {
		m[ruleName{event.TraceSequence, set.SequenceRules[i].Name}] = i
	}
	for i := range set.AbsenceRules {
		m[ruleName{event.TraceAbsence, set.AbsenceRules[i].Name}] = i
	}
	for i := range set.LinkRules {
		m[ruleName{linkKind(&set.LinkRules[i]), set.LinkRules[i].Name}] = i
	}
	return m
}

func linkKind(l *rules.Link) event.TraceKind {
	if l.KeepApart {
		return event.TraceApart
	}
	return event.TraceJoin
}

// ruleAt returns where a rule stands among those of its kind, -1 when it is not in force.
func (s *State) ruleAt(kind event.TraceKind, name string) int {
	if i, ok := s.work.reading.places[ruleName{kind, name}]; ok {
		return i
	}
	return -1
}

// remembers tells whether any rule in force looks at several alerts.
func (s *State) remembers() bool { return len(s.work.reading.places) > 0 }

// traceSpan returns over what time a rule looks, and how many alerts it remembers under one key.
func (s *State) traceSpan(kind event.TraceKind, name string) (within event.Time, most uint32) {
	i := s.ruleAt(kind, name)
	if i < 0 {
		return 0, 0
	}
	switch kind {
	case event.TraceThreshold:
		return s.rules.ThresholdRules[i].Within, uint32(s.rules.ThresholdRules[i].Count)
	case event.TraceSequence:
		return s.rules.SequenceRules[i].Within, keptPartners
	case event.TraceAbsence:
		return s.rules.AbsenceRules[i].Within, keptPartners
	default:
		return s.rules.LinkRules[i].Within, keptPartners
	}
}

func traceHash(scratch []byte, t *event.Trace) (uint64, []byte) {
	b := append(scratch[:0], byte(t.Kind), 0)
	if t.Second {
		b[1] = 1
	}
	b = join(b, t.Tenant, t.Rule, t.Key)
	return xxhash.Sum64(b), b
}

// findTrace returns the record of a rule's side and key, 0 when it remembers nothing there.
func (s *State) findTrace(t *event.Trace) (slot uint32, hash uint64) {
	hash, s.work.bytes = traceHash(s.work.bytes, t)
	slot, _ = s.traces.byKey.Find(hash, func(ref uint32) bool {
		r := s.traces.recs.At(ref)
		return r.kind == t.Kind && r.second == t.Second && s.text.String(r.rule) == t.Rule && s.text.String(r.tenant) == t.Tenant && string(s.text.Bytes(r.key)) == t.Key
	})
	return slot, hash
}

// note remembers an alert for a rule, unless there is too much already.
func (s *State) note(t event.Trace) {
	if s.meta.Traces >= maxTraces {
		s.overTraces(t.Tenant, maxTraces)
		return
	}
	if t.Kind == event.TraceApart && s.crowded(&t) {
		s.overTraces(t.Tenant, keptPartners)
	}
	s.emit(event.Change{Kind: event.TraceNoted, Trace: &t})
}

// crowded tells whether a rule must forget an alert that counts still to remember one more under its key.
func (s *State) crowded(t *event.Trace) bool {
	slot, _ := s.findTrace(t)
	within, most := s.traceSpan(t.Kind, t.Rule)
	r := s.traces.recs.At(slot)
	return r.count >= most && s.traces.nodes.At(r.head).at+within >= t.At
}

// overTraces reports, once for each input, that rules were to remember more than they can.
func (s *State) overTraces(tenant string, limit uint64) {
	if s.work.overTraces == s.meta.Seq {
		return
	}
	s.work.overTraces = s.meta.Seq
	s.emit(event.Change{Kind: event.SourceOverCap, Source: event.Source{Name: ruleSource, Tenant: tenant, Kind: event.SendOnce}, Count: 1, Limit: limit})
}

// countOverCap counts what could not be taken in at a bound. What a rule forgets of one key is counted where it does.
func (s *State) countOverCap(ch *event.Change) {
	s.meta.Refused += ch.Count
	if ch.Source.Name == ruleSource && ch.Limit != keptPartners {
		s.meta.OverTraces += ch.Count
	}
}

func (s *State) applyTrace(ch *event.Change) {
	t := ch.Trace
	slot, hash := s.findTrace(t)
	if ch.Kind != event.TraceNoted {
		if slot != 0 {
			s.dropTrace(slot)
		}
		return
	}
	if slot == 0 {
		slot = s.traces.recs.Alloc()
		*s.traces.recs.Mut(slot) = traceRec{
			hash: hash, kind: t.Kind, second: t.Second, rule: s.text.Intern(t.Rule), tenant: s.text.Intern(t.Tenant), key: s.text.Blobs.Put([]byte(t.Key)),
		}
		s.traces.byKey.Insert(hash, slot)
	}
	s.addTraceNode(slot, t)
	within, most := s.traceSpan(t.Kind, t.Rule)
	for r := s.traces.recs.At(slot); r.count > most && r.count > 1 || s.traces.nodes.At(r.head).at+within < s.traces.nodes.At(r.tail).at; r = s.traces.recs.At(slot) {
		if t.Kind == event.TraceApart && s.traces.nodes.At(r.head).at+within >= s.traces.nodes.At(r.tail).at {
			s.meta.Unkept++
		}
		s.dropOldest(slot)
	}
	s.traces.recs.Mut(slot).due = t.Due
	s.flagTraced(t)
	s.scheduleTrace(slot)
}

// addTraceNode enters an alert where it belongs by its time; most come last.
func (s *State) addTraceNode(slot uint32, t *event.Trace) {
	x, r := &s.traces, s.traces.recs.Mut(slot)
	after := r.tail
	at, steps := t.At, 0
	for ; after != 0 && x.nodes.At(after).at > at; after = x.nodes.At(after).prev {
		if steps++; steps > farBack { // so late that it is not worth the way
			at = x.nodes.At(after).at
		}
	}
	id := x.nodes.Alloc()
	n := traceNode{at: at, alert: t.Alert, prev: after, next: r.head}
	if after != 0 {
		n.next = x.nodes.At(after).next
		x.nodes.Mut(after).next = id
	} else {
		r.head = id
	}
	if n.next != 0 {
		x.nodes.Mut(n.next).prev = id
	} else {
		r.tail = id
	}
	*x.nodes.Mut(id) = n
	r.count++
	s.meta.Traces++
}

func (s *State) dropOldest(slot uint32) {
	x, r := &s.traces, s.traces.recs.Mut(slot)
	id := r.head
	r.head = x.nodes.At(id).next
	if r.head != 0 {
		x.nodes.Mut(r.head).prev = 0
	} else {
		r.tail = 0
	}
	x.nodes.Free(id)
	r.count--
	s.meta.Traces--
}

// dropTrace forgets all that a rule remembers under one key.
func (s *State) dropTrace(slot uint32) {
	for s.traces.recs.At(slot).count > 0 {
		s.dropOldest(slot)
	}
	r := s.traces.recs.At(slot)
	s.timers.Cancel(r.timer)
	s.traces.byKey.Delete(r.hash, slot)
	s.text.Release(r.rule)
	s.text.Release(r.tenant)
	s.text.FreeBytes(r.key)
	s.traces.recs.Free(slot)
}

// dropTraces forgets all that rules remember: others come into force.
func (s *State) dropTraces() {
	for slot := uint32(1); slot < s.traces.recs.Len(); slot++ {
		if s.traces.recs.At(slot).kind != 0 {
			s.dropTrace(slot)
		}
	}
	for slot := uint32(1); slot < s.alerts.Len(); slot++ {
		if a := s.alerts.At(slot); a.flags&(flagTraced|flagApart) != 0 {
			s.unflagTraced(slot)
		}
	}
}

// flagTraced marks an alert whose occurrence the rules remember.
func (s *State) flagTraced(t *event.Trace) {
	slot, known := s.inMemory(t.Alert)
	if !known {
		return
	}
	a := s.alerts.Mut(slot)
	a.flags |= flagTraced
	if t.Kind == event.TraceApart && a.flags&flagApart == 0 {
		a.flags |= flagApart
		if a.incident != 0 {
			s.members.Mut(uint32(a.incident)).apart++
		}
	}
}

func (s *State) unflagTraced(slot uint32) {
	a := s.alerts.Mut(slot)
	if a.flags&flagApart != 0 && a.incident != 0 {
		s.members.Mut(uint32(a.incident)).apart--
	}
	a.flags &^= flagTraced | flagApart
}

// inMemory returns the slot of an alert, false when it has left memory.
func (s *State) inMemory(id event.AlertID) (uint32, bool) {
	slot := id.Slot()
	if slot == 0 || slot >= s.alerts.Len() {
		return 0, false
	}
	a := s.alerts.At(slot)
	return slot, a.firstAt != 0 && event.NewAlertID(slot, a.number) == id
}

func (s *State) scheduleTrace(slot uint32) {
	r := s.traces.recs.Mut(slot)
	s.schedule(&r.timer, timerTrace, slot, wholeSecond(s.traceDeadline(r)))
}

// traceDeadline is when what is expected must have come, or when nothing that is remembered counts any more.
func (s *State) traceDeadline(r *traceRec) event.Time {
	if r.due != 0 {
		if s.traces.nodes.At(r.head).at <= s.meta.Resumed { // it may have come, and not yet been read
			return max(r.due, s.meta.Grace)
		}
		return r.due
	}
	within, _ := s.traceSpan(r.kind, s.text.String(r.rule))
	return s.traces.nodes.At(r.tail).at + within + event.Second
}

func (s *State) traceDue(slot uint32) {
	r := s.traces.recs.At(slot)
	if r.kind == 0 || r.timer != 0 {
		return
	}
	if s.traceDeadline(r) > s.meta.At {
		s.scheduleTrace(slot)
		return
	}
	t := event.Trace{
		Kind: r.kind, Tenant: clone(s.text.String(r.tenant)), Rule: clone(s.text.String(r.rule)), Second: r.second, Key: string(s.text.Bytes(r.key)),
		Alert: s.traces.nodes.At(r.head).alert, At: s.traces.nodes.At(r.head).at, Due: r.due,
	}
	if r.due == 0 {
		s.emit(event.Change{Kind: event.TraceDropped, Trace: &t})
		return
	}
	s.emit(event.Change{Kind: event.AbsenceRaised, Trace: &t})
	s.tellAbsence(&t, false)
}

// follow does what the rules that look at several alerts make of one that began, or that nothing quiets any more: they remember it, and
// what they tie together becomes one incident.
func (s *State) follow(slot uint32) {
	a := s.alerts.At(slot)
	if !s.remembers() || a.phase != event.Firing || a.flags&flagTraced != 0 || a.reason == event.ReasonHeartbeat {
		return
	}
	in := s.lookAtAlert(slot)
	if ownAbsence(in) {
		return
	}
	tenant := clone(s.tenantOf(s.claims.At(a.claims).source))
	s.meetAbsences(slot, tenant, in)
	if a.flags&flagSuppressed != 0 {
		return
	}
	found := s.partners(tenant, in, event.NewAlertID(slot, a.number), s.traceAt(a))
	s.remember(slot, tenant)
	s.tie(slot, found)
}

// traceAt is the time by which an alert counts: when it began, as far as its source is to be believed.
func (s *State) traceAt(a *alertRec) event.Time {
	if a.startsAt > a.firingAt || a.startsAt < a.firingAt-maxLate {
		return a.firingAt
	}
	return a.startsAt
}

// remember notes an alert for every rule that looks at several.
func (s *State) remember(slot uint32, tenant string) {
	a := s.alerts.At(slot)
	at, in := s.traceAt(a), s.lookAtAlert(slot)
	var list []event.Trace
	add := func(kind event.TraceKind, rule string, second bool, key []byte) {
		list = append(list, event.Trace{Kind: kind, Tenant: tenant, Rule: rule, Second: second, Key: string(key), Alert: event.NewAlertID(slot, a.number), At: at})
	}
	if t := s.threshold(in); t != nil {
		add(event.TraceThreshold, t.Name, false, t.AppendKey(nil, in.Labels))
	}
	r := &s.work.reading
	r.sides = s.rules.Sequences(in, r.sides[:0])
	for _, side := range r.sides {
		q := &s.rules.SequenceRules[side.Rule]
		add(event.TraceSequence, q.Name, side.Second, q.AppendKey(nil, in.Labels))
	}
	r.sides = s.rules.Links(in, r.sides[:0])
	for _, side := range r.sides {
		l := &s.rules.LinkRules[side.Rule]
		add(linkKind(l), l.Name, side.Second, l.AppendKey(nil, in.Labels))
	}
	list = s.expectations(list, slot, tenant, in)
	for _, t := range list {
		s.note(t)
	}
}

// retrace lets the rules that have come into force remember the alerts that are in memory, in the order in which they began.
func (s *State) retrace() {
	if !s.remembers() {
		return
	}
	longest := event.Time(0)
	for name := range s.work.reading.places { // order-free: the longest counts
		within, _ := s.traceSpan(name.kind, name.name)
		longest = max(longest, within)
	}
	var slots []uint32
	for slot := uint32(1); slot < s.alerts.Len(); slot++ {
		a := s.alerts.At(slot)
		if a.firstAt == 0 || a.flags&(flagGhost|flagSuppressed|flagTraced) != 0 || a.reason == event.ReasonHeartbeat || s.traceAt(a)+longest < s.meta.At {
			continue
		}
		slots = append(slots, slot)
	}
	slices.SortStableFunc(slots, func(x, y uint32) int {
		return int(min(max(s.traceAt(s.alerts.At(x))-s.traceAt(s.alerts.At(y)), -1), 1))
	})
	if over := len(slots) - maxRetraced; over > 0 {
		s.overTraces(event.DefaultTenant, maxRetraced)
		slots = slots[over:]
	}
	for _, slot := range slots {
		if in := s.lookAtAlert(slot); !ownAbsence(in) {
			tenant := clone(s.tenantOf(s.claims.At(s.alerts.At(slot).claims).source))
			s.meetAbsences(slot, tenant, in)
			s.remember(slot, tenant)
		}
	}
}
