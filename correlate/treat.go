package correlate

import (
	"fmt"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
	"github.com/tocsin-noc/tocsin/rules"
)

// bindByRule finds the configuration item that rules make of an alert's labels: the first that is there. rule is -1 when none is.
func (s *State) bindByRule(tenant string, in *rules.Input) (b binding, rule int) {
	r := &s.work.reading
	r.binds = s.rules.Bindings(in, r.binds[:0])
	for _, made := range r.binds {
		if slot := s.cmdb.Find(tenant, made.Ref); slot != 0 && s.cmdb.InUse(slot) {
			return binding{ci: slot, bound: event.BoundByRule}, made.Rule
		}
		if slot, n := s.cmdb.Named(tenant, made.Ref); n == 1 {
			return binding{ci: slot, bound: event.BoundByRule}, made.Rule
		}
	}
	return binding{}, -1
}

// bindLedger cites the rule that binds an alert, as the rules are now.
func (s *State) bindLedger(a *event.AlertState, tenant string) event.LedgerEntry {
	e := event.LedgerEntry{Kind: "bound", Operands: []string{clone(s.cmdb.ID(a.CI)), "", a.Bound.String()}}
	if _, rule := s.bindByRule(tenant, &s.work.reading.input); rule >= 0 {
		e.Operands[1], e.RuleSource = s.rules.BindRules[rule].Name, s.rules.BindRules[rule].Place.String()
	}
	return e
}

// treat fills in what rules make of a claim that begins to fire, now that its alert's item is known: whether it is quiet, and how severe.
func (s *State) treat(a *event.AlertState, c *event.ClaimState) {
	in := s.onItem(&s.work.reading.input, a.CI)
	c.Filtered = s.filters(in, min(a.StartsAt, a.FiringAt))
	if rule := s.rules.Priority(in); rule >= 0 {
		c.Severity = s.rules.PriorityRules[rule].Severity(c.Severity)
	}
}

// govern gives an incident that opens what rules make of its first alert: severity, priority, title and team. It returns why.
func (s *State) govern(i *event.IncidentState, a *event.AlertState, k *groupKey) (ledger []event.LedgerEntry) {
	in := &s.work.reading.input
	if rule := s.rules.Priority(in); rule >= 0 {
		x := &s.rules.PriorityRules[rule]
		before := i.Priority
		itsm.Govern(i, event.Bounds{Most: x.MinPriority, Least: x.MaxPriority})
		ledger = append(ledger, event.LedgerEntry{Kind: "priority_rule", RuleSource: x.Place.String(), Operands: []string{
			x.Name, alertWords(a), fmt.Sprintf("P%d", before), fmt.Sprintf("P%d", i.Priority),
		}})
	}
	if o, kind, worst := s.outcomeOf(a, k); o != nil {
		labels := k.labels
		if kind != event.TraceThreshold {
			labels = in.Labels
		}
		s.dispose(i, o, worst, labels)
		ledger = append(ledger, event.LedgerEntry{Kind: kind.String(), RuleSource: o.head.Place.String(), Operands: s.outcomeWords(o, kind, a, k)})
	}
	if rule := s.rules.Team(in); rule >= 0 && i.Team == "" {
		x := &s.rules.TeamRules[rule]
		i.Team = x.Team
		ledger = append(ledger, event.LedgerEntry{Kind: "team", RuleSource: x.Place.String(), Operands: []string{x.Team, x.Name}})
	}
	return ledger
}

// outcomeOf returns what a rule about several alerts makes of the incident that one of them opens, nil when none does, and how severe the
// worst of them is.
func (s *State) outcomeOf(a *event.AlertState, k *groupKey) (*outcome, event.TraceKind, event.Severity) {
	if t := s.ofThreshold(k.rule); t != nil {
		return &outcome{t.Severity, t.Priority, t.Title, &t.Head}, event.TraceThreshold, s.worstOf(k, a.Severity)
	}
	if x := s.absenceOf(k.labels); x != nil && k.rule == ownRule {
		return &outcome{x.Severity, x.Priority, x.Title, &x.Head}, event.TraceAbsence, a.Severity
	}
	if q := s.completes(); q != nil {
		worst := a.Severity
		for _, p := range s.work.partners {
			worst = min(worst, s.alerts.At(p.slot).severity)
		}
		return &outcome{q.Severity, q.Priority, q.Title, &q.Head}, event.TraceSequence, worst
	}
	return nil, 0, event.Clear
}

// worstOf returns the worst severity of those that wait in a group, and of one more.
func (s *State) worstOf(k *groupKey, worst event.Severity) event.Severity {
	if g := s.findGroup(*k); g != 0 {
		for slot := s.groups.At(g).head; slot != 0; slot = s.alerts.At(slot).next {
			worst = min(worst, s.alerts.At(slot).severity)
		}
	}
	return worst
}

func (s *State) outcomeWords(o *outcome, kind event.TraceKind, a *event.AlertState, k *groupKey) []string {
	out := []string{o.head.Name}
	switch kind {
	case event.TraceThreshold:
		t := s.ofThreshold(k.rule)
		return append(out, fmt.Sprint(t.Count), t.Within.Duration().String())
	case event.TraceSequence:
		for _, p := range s.work.partners {
			if p.kind == event.TraceSequence {
				other := s.alertState(p.slot)
				return append(out, alertWords(&other), alertWords(a))
			}
		}
	default:
	}
	return out
}

// reviewBounds takes in what rules say of the priority of an incident that one more alert speaks for, or speaks for again.
func (s *State) reviewBounds(slot uint32) {
	if len(s.rules.PriorityRules)+len(s.work.reading.places) == 0 {
		return
	}
	a := s.alerts.At(slot)
	state := s.incidents.State(a.incident)
	if state.Bounds.Seen != event.Clear && a.severity >= state.Bounds.Seen {
		return // the rule that set them had seen as bad
	}
	most, least, x := uint8(0), uint8(0), (*rules.Priority)(nil)
	if rule := s.rules.Priority(s.lookAtAlert(slot)); rule >= 0 {
		x = &s.rules.PriorityRules[rule]
		most, least = x.MinPriority, x.MaxPriority
	}
	next, before := itsm.Widen(state.Bounds, most, least), state.Priority
	if next == state.Bounds || !itsm.Govern(&state, next) {
		return
	}
	itsm.Reassess(&state, s.members.At(uint32(state.ID)).severity())
	by := s.alertState(slot)
	e := event.LedgerEntry{Kind: "priority_rule", Operands: []string{"", alertWords(&by), fmt.Sprintf("P%d", before), fmt.Sprintf("P%d", state.Priority)}}
	if x != nil {
		e.Operands[0], e.RuleSource = x.Name, x.Place.String()
	}
	s.emit(event.Change{Kind: event.IncidentUpdated, Incident: &state, Ledger: []event.LedgerEntry{e}})
	if state.Priority < before {
		s.worse(state.ID, fmt.Sprintf("the priority rose from P%d to P%d", before, state.Priority), true)
	}
}

// reviewAlert reads an alert that waits by the rules of today. Its severity moves at once: it is the rules that have changed.
func (s *State) reviewAlert(slot uint32) {
	a := s.alertState(slot)
	for c := s.alerts.At(slot).claims; c != 0; c = s.claims.At(c).next {
		if s.claims.At(c).phase != event.Firing {
			continue
		}
		claim := s.claims.At(c).state(c)
		before := claim
		s.readAgain(&claim, s.claimLabels(c).Clone())
		filtered := claim.Filtered
		s.treat(&a, &claim)
		claim.Filtered = filtered // that is looked at by itself
		if claim.Severity == before.Severity && claim.SeverityUnknown == before.SeverityUnknown {
			continue
		}
		a.Severity, a.EasesAt = min(claim.Severity, orLeast(s.liveClaims(slot, c).worst)), 0
		s.emit(event.Change{Kind: event.AlertReviewed, Alert: a, Claim: claim})
	}
}

func orLeast(sev event.Severity) event.Severity {
	if sev == event.Clear {
		return event.Info
	}
	return sev
}
