package correlate

import (
	"fmt"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
	"github.com/tocsin-noc/tocsin/rules"
)

// maxPairs bounds the alerts to which rules tie one that begins.
const maxPairs = 16

// pair is an alert in memory to which a rule ties one that begins.
type pair struct {
	slot uint32
	kind event.TraceKind // TraceSequence or TraceJoin
	rule int
}

func (p *pair) head(set *rules.Set) *rules.Head {
	if p.kind == event.TraceSequence {
		return &set.SequenceRules[p.rule].Head
	}
	return &set.LinkRules[p.rule].Head
}

// partners finds the alerts to which rules tie one that began at at, the latest first.
func (s *State) partners(tenant string, in *rules.Input, self event.AlertID, at event.Time) (found []pair) {
	r := &s.work.reading
	r.sides = s.rules.Sequences(in, r.sides[:0])
	for _, side := range r.sides {
		q := &s.rules.SequenceRules[side.Rule]
		t := event.Trace{Kind: event.TraceSequence, Tenant: tenant, Rule: q.Name, Second: !side.Second, Key: string(q.AppendKey(nil, in.Labels))}
		found = s.partnersOf(found, &t, pair{kind: event.TraceSequence, rule: side.Rule}, self, func(other event.Time) bool {
			gap := at - other
			if !side.Second {
				gap = -gap
			}
			return gap >= 0 && gap <= q.Within
		})
	}
	r.sides = s.rules.Links(in, r.sides[:0])
	for _, side := range r.sides {
		l := &s.rules.LinkRules[side.Rule]
		if l.KeepApart {
			continue
		}
		t := event.Trace{Kind: event.TraceJoin, Tenant: tenant, Rule: l.Name, Second: !side.Second, Key: string(l.AppendKey(nil, in.Labels))}
		found = s.partnersOf(found, &t, pair{kind: event.TraceJoin, rule: side.Rule}, self, func(other event.Time) bool { return near(at, other, l.Within) })
	}
	return found
}

func near(a, b, within event.Time) bool { return a-b <= within && b-a <= within }

func (s *State) partnersOf(found []pair, t *event.Trace, p pair, self event.AlertID, matches func(at event.Time) bool) []pair {
	slot, _ := s.findTrace(t)
	if slot == 0 {
		return found
	}
	for id := s.traces.recs.At(slot).tail; id != 0 && len(found) < maxPairs; id = s.traces.nodes.At(id).prev {
		n := s.traces.nodes.At(id)
		alert, known := s.inMemory(n.alert)
		if !known || n.alert == self || !matches(n.at) {
			continue
		}
		p.slot = alert
		found = append(found, p)
	}
	return found
}

// pairsOf is partners for an alert that is about to be placed.
func (s *State) pairsOf(a *event.AlertState, tenant string) []pair {
	if !s.remembers() || a.Suppressed || ownAbsence(&s.work.reading.input) {
		return nil
	}
	return s.partners(tenant, &s.work.reading.input, a.ID, s.eventTime(a.StartsAt))
}

// paired tells whether a rule ties an alert that is about to be placed to one in an open incident, and puts it there.
func (s *State) paired(p *place) bool {
	for i := range s.work.partners {
		id := s.alerts.At(s.work.partners[i].slot).incident
		if id == 0 || s.incidents.Phase(id) != event.IncidentOpen || s.cannotJoin(s.work.onset, id) {
			continue
		}
		p.reason, p.incident = event.ReasonPaired, id
		return true
	}
	return false
}

// completes returns the sequence that an alert which is about to be placed completes, nil when there is none.
func (s *State) completes() *rules.Sequence {
	for i := range s.work.partners {
		if s.work.partners[i].kind == event.TraceSequence {
			return &s.rules.SequenceRules[s.work.partners[i].rule]
		}
	}
	return nil
}

// tie makes one incident of those of an alert and of its partners.
func (s *State) tie(slot uint32, found []pair) {
	for i := range found {
		p := &found[i]
		joined := s.alerts.At(slot).reason == event.ReasonPaired && s.alerts.At(slot).firingAt == s.meta.At
		mine, theirs := s.alerts.At(slot).incident, s.alerts.At(p.slot).incident
		switch {
		case mine == theirs:
		case theirs == 0:
			joined = s.pullIn(p.slot, mine, p.kind == event.TraceSequence)
		case mine == 0:
			joined = s.pullIn(slot, theirs, false)
		case s.incidents.Phase(mine) == event.IncidentOpen && s.incidents.Phase(theirs) == event.IncidentOpen:
			joined = !s.keptApart(mine, theirs) && s.machineMerge(min(mine, theirs), max(mine, theirs), "rule "+p.head(s.rules).Name)
		}
		if id := s.alerts.At(slot).incident; id != 0 && id == s.alerts.At(p.slot).incident {
			s.sayTied(slot, p, id, joined)
		}
	}
}

// pullIn takes an alert that is in no incident into one. One that is over comes only with a sequence: there both count.
func (s *State) pullIn(slot uint32, id event.IncidentID, over bool) bool {
	a := s.alertState(slot)
	if s.incidents.Phase(id) != event.IncidentOpen || a.Phase != event.Firing && !over || a.Reason == event.ReasonHeartbeat || s.heldApart(slot, id) {
		return false
	}
	a.Incident, a.Reason = id, event.ReasonPaired
	s.emit(event.Change{Kind: event.AlertJoined, Alert: a})
	s.reviewHurt(slot, true)
	s.settle(id)
	return true
}

// sayTied notes by which rule two alerts are in one incident, and what a sequence makes of that.
func (s *State) sayTied(slot uint32, p *pair, id event.IncidentID, joined bool) {
	if !joined && p.kind != event.TraceSequence {
		return
	}
	state := s.incidents.State(id)
	before := state.Priority
	if p.kind == event.TraceSequence && state.Phase == event.IncidentOpen {
		q := &s.rules.SequenceRules[p.rule]
		joined = s.dispose(&state, &outcome{q.Severity, q.Priority, q.Title, &q.Head}, s.members.At(uint32(id)).severity(), s.lookAtAlert(slot).Labels) || joined
	}
	if !joined {
		return
	}
	one, other, head := s.alertState(p.slot), s.alertState(slot), p.head(s.rules)
	s.emit(event.Change{Kind: event.IncidentUpdated, Incident: &state, Ledger: []event.LedgerEntry{{
		Kind: p.kind.String(), Operands: []string{head.Name, alertWords(&one), alertWords(&other)}, RuleSource: head.Place.String(),
	}}})
	if state.Priority < before {
		s.worse(id, fmt.Sprintf("the priority rose from P%d to P%d", before, state.Priority), true)
	}
}

func alertWords(a *event.AlertState) string {
	if a.Resource == "" {
		return clone(a.Name)
	}
	return a.Name + " on " + a.Resource
}

// The alert that Tocsin raises itself when what a rule expects did not come.
const (
	AbsenceName  = "TocsinAbsence"
	absenceLabel = "absence" // names the rule
)

// ownAbsence tells whether an alert is that of something that did not come.
func ownAbsence(in *rules.Input) bool {
	return in.Labels.Get("alertname") == AbsenceName && in.Labels.Get(absenceLabel) != ""
}

// absenceKey is the key of the group of such an alert: each is an incident of its own.
func (s *State) absenceKey(tenant string, in *rules.Input) groupKey {
	key := s.work.key[:0]
	for _, l := range in.Labels {
		if !event.VolatileLabel(l.Name) {
			key = append(key, l)
		}
	}
	s.work.key = key
	k := groupKey{hash: s.groupHash(tenant, ownRule, key), tenant: tenant, rule: ownRule, labels: key}
	if r := s.absenceOf(key); r != nil {
		k.place = r.Place
	}
	return k
}

// absenceOf returns the rule that an own alert, or its group, tells of; nil when it is not in force, or the alert none of ours.
func (s *State) absenceOf(ls event.Labels) *rules.Absence {
	if ls.Get("alertname") != AbsenceName {
		return nil
	}
	if i := s.ruleAt(event.TraceAbsence, ls.Get(absenceLabel)); i >= 0 {
		return &s.rules.AbsenceRules[i]
	}
	return nil
}

// expectations adds what an alert means for rules about absences: what it lets them expect, and that it was there.
func (s *State) expectations(list []event.Trace, slot uint32, tenant string, in *rules.Input) []event.Trace {
	a, r := s.alerts.At(slot), &s.work.reading
	at := s.traceAt(a)
	r.sides = s.rules.Absences(in, r.sides[:0])
	for _, side := range r.sides {
		x := &s.rules.AbsenceRules[side.Rule]
		t := event.Trace{
			Kind: event.TraceAbsence, Tenant: tenant, Rule: x.Name, Second: side.Second, Key: string(x.AppendKey(nil, in.Labels)),
			Alert: event.NewAlertID(slot, a.number), At: at,
		}
		if !side.Second {
			if t.Due = s.expectedBy(a, at+x.Within); t.Due == 0 || s.met(t, x.Within) {
				continue
			}
		}
		list = append(list, t)
	}
	return list
}

// expectedBy is when what follows an alert must have come: 0 when that time was over before the rule came into force. For what is read
// late the other may lie in the queue as well.
func (s *State) expectedBy(a *alertRec, due event.Time) event.Time {
	switch {
	case due > s.meta.At:
		return due
	case a.firingAt < s.meta.At:
		return 0
	}
	return s.meta.At + s.settings().ResolveTimeout
}

// met tells whether nothing more has to be expected: it is already, or what was to come came first.
func (s *State) met(t event.Trace, within event.Time) bool {
	if pending, _ := s.findTrace(&t); pending != 0 {
		return true
	}
	from := t.At
	t.Second = true
	came, _ := s.findTrace(&t)
	if came == 0 {
		return false
	}
	for id := s.traces.recs.At(came).tail; id != 0; id = s.traces.nodes.At(id).prev {
		if n := s.traces.nodes.At(id); n.alert != t.Alert && n.at >= from && n.at <= from+within {
			return true
		}
	}
	return false
}

// meetAbsences ends what was expected, or told of as missing, and has come.
func (s *State) meetAbsences(slot uint32, tenant string, in *rules.Input) {
	at := s.traceAt(s.alerts.At(slot))
	var came []event.Trace
	r := &s.work.reading
	r.sides = s.rules.Absences(in, r.sides[:0])
	for _, side := range r.sides {
		if x := &s.rules.AbsenceRules[side.Rule]; side.Second {
			came = append(came, event.Trace{Kind: event.TraceAbsence, Tenant: tenant, Rule: x.Name, Key: string(x.AppendKey(nil, in.Labels))})
		}
	}
	for i := range came {
		t := &came[i]
		if pending, _ := s.findTrace(t); pending != 0 && s.traces.nodes.At(s.traces.recs.At(pending).head).at <= at {
			s.emit(event.Change{Kind: event.TraceDropped, Trace: t})
		}
		s.tellAbsence(t, true)
	}
	s.lookAtAlert(slot)
}

// tellAbsence raises, or takes back, the alert that what a rule expects did not come, so that it opens an incident like any other trouble.
func (s *State) tellAbsence(t *event.Trace, over bool) {
	i := s.ruleAt(event.TraceAbsence, t.Rule)
	if i < 0 {
		return
	}
	x := &s.rules.AbsenceRules[i]
	ls := event.Labels{{Name: "alertname", Value: AbsenceName}, {Name: absenceLabel, Value: x.Name}, {Name: "severity", Value: x.Severity.String()}}
	values := strings.Split(t.Key, "\xff")
	for n, name := range x.Equal {
		if name != "alertname" && name != absenceLabel && name != "severity" {
			ls = append(ls, event.Label{Name: name, Value: values[n]})
		}
	}
	ls, _ = event.SortLabels(ls)
	text := x.Name + ": it has come after all"
	if !over {
		text = fmt.Sprintf("%s: what was to come within %s after %s did not", x.Name, roughly(x.Within), t.At.Time().Format("2006-01-02 15:04:05 MST"))
	}
	s.sayAbsence(t.Tenant, ls, text, over)
}

func (s *State) sayAbsence(tenant string, ls event.Labels, text string, over bool) {
	batch := event.Batch{Source: event.Source{Name: ruleSource, Tenant: tenant, Kind: event.SendOnce}}
	batch.Add(event.Event{Labels: ls, Annotations: event.Labels{{Name: "summary", Value: text}}, Cleared: over})
	if over {
		ev, fires := &batch.Events[0], false
		for _, id := range s.identities(tenant, ev) {
			alert := s.findAlert(id, tenant, ls)
			fires = fires || alert != 0 && s.alerts.At(alert).phase == event.Firing
		}
		if !fires {
			return
		}
	}
	s.stepBatch(&batch)
}

// reviewAbsences takes back what rules tell of that are no longer in force.
func (s *State) reviewAbsences() {
	for slot := uint32(1); slot < s.alerts.Len(); slot++ {
		a := s.alerts.At(slot)
		if a.firstAt == 0 || a.phase != event.Firing || s.text.String(s.sources.At(s.claims.At(a.claims).source).name) != ruleSource {
			continue
		}
		ls := s.claimLabels(a.claims)
		if ls.Get("alertname") == AbsenceName && s.absenceOf(ls) == nil {
			s.sayAbsence(clone(s.tenantOf(s.claims.At(a.claims).source)), ls.Clone(), "the rule is no longer in force", true)
		}
	}
}

// outcome is what a rule about several alerts makes of their incident.
type outcome struct {
	severity event.Severity
	priority uint8
	title    *rules.Template
	head     *rules.Head
}

// dispose gives an incident what a rule makes of it. worst is the worst of the alerts that the rule had before it. It tells whether
// anything moved.
func (s *State) dispose(i *event.IncidentState, o *outcome, worst event.Severity, ls event.Labels) (moved bool) {
	if o.title != nil && i.Pins&event.PinTitle == 0 {
		if title := clip(o.title.Fill(ls)); title != i.Title {
			i.Title, moved = title, true
		}
	}
	b := i.Bounds
	if (o.severity == event.Clear || o.severity == b.Severity) && (o.priority == 0 || o.priority == b.Most) {
		return moved
	}
	if o.severity != event.Clear {
		b.Severity = o.severity
	}
	if o.priority != 0 {
		b.Most, b.Least = o.priority, o.priority
	}
	if b.Seen = worst; worst == event.Clear {
		b.Seen = i.Severity
	}
	return itsm.Govern(i, b) || moved
}
