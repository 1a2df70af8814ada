package correlate

import (
	"strings"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/labelset"
	"github.com/tocsin-noc/tocsin/rules"
)

// A threshold is a group whose alerts wait until there are enough of them: the first such rule that takes an alert groups it. Each onset
// counts, whether the alert still fires or not, for as long as the rule looks back.

// thresholdGroup is put in front of the rule's name in the names of groups.
const thresholdGroup = "threshold "

// threshold returns the rule that counts an alert, nil when none does.
func (s *State) threshold(in *rules.Input) *rules.Threshold {
	if len(s.rules.ThresholdRules) == 0 {
		return nil
	}
	r := &s.work.reading
	r.numbers = s.rules.Thresholds(in, r.numbers[:0])
	if len(r.numbers) == 0 {
		return nil
	}
	return &s.rules.ThresholdRules[r.numbers[0]]
}

// thresholdKey is the key of an alert's group under a threshold.
func (s *State) thresholdKey(tenant string, t *rules.Threshold, ls event.Labels) groupKey {
	key := s.work.key[:0]
	for _, name := range t.GroupBy {
		key = append(key, event.Label{Name: name, Value: ls.Get(name)})
	}
	s.work.key = key
	rule := thresholdGroup + t.Name
	return groupKey{hash: s.groupHash(tenant, rule, key), tenant: tenant, rule: rule, place: t.Place, labels: key}
}

// ofThreshold returns the threshold whose group a key is, nil when it is none's.
func (s *State) ofThreshold(rule string) *rules.Threshold {
	name, ok := strings.CutPrefix(rule, thresholdGroup)
	if !ok {
		return nil
	}
	if i := s.ruleAt(event.TraceThreshold, name); i >= 0 {
		return &s.rules.ThresholdRules[i]
	}
	return nil
}

// tooFew tells whether a threshold has an alert wait that begins, or begins to count, now.
func (s *State) tooFew(k *groupKey, a *event.AlertState) bool {
	t := s.ofThreshold(k.rule)
	if t == nil || s.meta.Traces >= maxTraces {
		return false
	}
	at := s.eventTime(a.StartsAt)
	self := uint32(1)
	if rec := s.alerts.At(a.ID.Slot()); rec.firstAt != 0 && rec.flags&flagTraced != 0 && rec.occurrences == a.Occurrences {
		at, self = 0, 0 // it counts already
	}
	return self+s.tally(k, t, at) < uint32(t.Count)
}

// tally counts what a threshold remembers under a key, over the time that ends with the latest onset.
func (s *State) tally(k *groupKey, t *rules.Threshold, at event.Time) uint32 {
	slot, _ := s.findTrace(&event.Trace{Kind: event.TraceThreshold, Tenant: k.tenant, Rule: t.Name, Key: string(t.AppendKey(nil, k.labels))})
	if slot == 0 {
		return 0
	}
	r := s.traces.recs.At(slot)
	count, last := r.count, max(at, s.traces.nodes.At(r.tail).at)
	for n := r.head; n != 0 && s.traces.nodes.At(n).at+t.Within < last; n = s.traces.nodes.At(n).next {
		count--
	}
	return count
}

// adoptCounted takes those into a threshold's new incident that count and are over.
func (s *State) adoptCounted(group uint32, id event.IncidentID) {
	g := s.groups.At(group)
	t := s.ofThreshold(s.text.String(g.rule))
	if t == nil {
		return
	}
	key := labelset.Labels(s.text, g.key)
	slot, _ := s.findTrace(&event.Trace{Kind: event.TraceThreshold, Tenant: s.text.String(g.tenant), Rule: t.Name, Key: string(t.AppendKey(nil, key))})
	if slot == 0 {
		return
	}
	var slots []uint32
	for n := s.traces.recs.At(slot).head; n != 0; n = s.traces.nodes.At(n).next {
		if alert, known := s.inMemory(s.traces.nodes.At(n).alert); known && s.alerts.At(alert).incident == 0 && s.alerts.At(alert).phase != event.Firing {
			slots = append(slots, alert)
		}
	}
	for _, alert := range slots {
		if a := s.alertState(alert); a.Incident == 0 { // one that counts twice joins once
			a.Incident, a.Reason = id, event.ReasonEvidence
			s.emit(event.Change{Kind: event.AlertJoined, Alert: a})
		}
	}
}

// severalSay tells what rules that look at several alerts say of when one opens an incident: not yet, at once, or nothing (0).
func (s *State) severalSay(a *event.AlertState, c *event.ClaimState) event.Reason {
	in := &s.work.reading.input
	if t := s.threshold(in); t != nil {
		if k := s.thresholdKey(s.tenantOf(c.Source), t, in.Labels); s.tooFew(&k, a) {
			return event.ReasonBelowThreshold
		}
		return event.ReasonOpened
	}
	if ownAbsence(in) || s.completes() != nil {
		return event.ReasonOpened
	}
	return 0
}
