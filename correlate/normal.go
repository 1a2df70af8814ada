package correlate

import (
	"slices"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/labelset"
	"github.com/tocsin-noc/tocsin/rules"
)

// reading is memory in which rules look at one alert. What lies in it lasts until the next look.
type reading struct {
	input       rules.Input
	claim       uint32       // that input is about, 0: none in memory
	event       *event.Label // the first label of the event that is stepped
	said        bool         // input is about that event
	scratch     rules.Scratch
	raw         event.Labels
	annotations event.Labels
	binds       []rules.Bind
	sides       []rules.SideMatch
	numbers     []int
	ids         []identity
	conditions  bool // some rule has a condition, which may ask for annotations
	scheme      uint8
	schemes     [maxSchemes + 1]uint32 // claims by the scheme of their identity
	places      map[ruleName]int       // of rules that remember, by their names
	overruns    []uint64
}

// look fills in what rules see of a label set: the labels as the rules for normalising make them, and the severity that these say.
// Inhibition, silences and windows see what was sent: they mean here what they mean in Alertmanager.
func (s *State) look(raw, annotations event.Labels) *rules.Input {
	r := &s.work.reading
	said := r.tells(raw)
	if said && r.said {
		r.input.CI, r.input.Class = "", ""
		return &r.input
	}
	in := s.lookIn(r, raw, annotations)
	r.said = said
	return in
}

// tells tells whether labels are those of the event that is stepped.
func (r *reading) tells(ls event.Labels) bool { return len(ls) > 0 && r.event == &ls[0] }

func (s *State) lookIn(r *reading, raw, annotations event.Labels) *rules.Input {
	in := &r.input
	r.claim, r.said = 0, false
	*in = rules.Input{Labels: raw, Annotations: annotations, Overruns: s.work.reading.overruns}
	in.Severity, _ = event.ParseSeverity(raw.Get("severity"))
	if ls, changed := s.rules.Normalise(in, &r.scratch); changed {
		in.Labels = ls
		in.Severity, _ = event.ParseSeverity(ls.Get("severity"))
	}
	return in
}

// onItem adds the configuration item of the alert.
func (s *State) onItem(in *rules.Input, ci uint32) *rules.Input {
	in.CI, in.Class = "", ""
	if ci != 0 {
		in.CI, in.Class = s.cmdb.ID(ci), s.cmdb.Class(ci)
	}
	return in
}

// lookAt is look for a claim in memory.
func (s *State) lookAt(claim uint32) *rules.Input { return s.lookAtIn(&s.work.reading, claim) }

func (s *State) lookAtIn(r *reading, claim uint32) *rules.Input {
	if claim == r.claim {
		r.input.CI, r.input.Class = "", ""
		return &r.input
	}
	c := s.claims.At(claim)
	r.raw = labelset.Append(s.text, r.raw[:0], c.labels)
	r.annotations = r.annotations[:0]
	if s.work.reading.conditions {
		r.annotations = labelset.Append(s.text, r.annotations, c.annotations)
	}
	in := s.lookIn(r, r.raw, r.annotations)
	r.claim = claim
	return in
}

// forgetLooks lets claims be looked at anew: their texts, or the rules, have changed.
func (s *State) forgetLooks() {
	s.work.reading.claim, s.work.names.claim, s.work.claimed.claim = 0, 0, 0
}

// hear begins with an event. What was looked at of the one before must go: its memory is the sender's.
func (r *reading) hear(ls event.Labels) {
	if r.said {
		r.said, r.claim = false, 0
	}
	r.event = nil
	if len(ls) > 0 {
		r.event = &ls[0]
	}
}

// plainLabels is seenLabels in memory of its own: it disturbs nobody who looks at another alert.
func (s *State) plainLabels(claim uint32) event.Labels {
	if s.work.reading.claim == claim {
		return s.work.reading.input.Labels
	}
	return s.lookAtIn(&s.work.names, claim).Labels
}

// onsetLabels returns the labels of the claim that was read last, as those of an alert that begins.
func (s *State) onsetLabels() event.Labels {
	in := &s.work.reading.input
	s.work.onset = append(s.work.onset[:0], in.Labels...)
	in.Labels = s.work.onset
	return in.Labels
}

// onsetOfAlert is onsetLabels for an alert in memory that is looked at as if it began.
func (s *State) onsetOfAlert(slot uint32) {
	s.lookAtAlert(slot)
	s.onsetLabels()
	s.work.partners = nil
}

// lookAtAlert is look for an alert in memory, by the claim that was heard of last.
func (s *State) lookAtAlert(slot uint32) *rules.Input {
	a := s.alerts.At(slot)
	return s.onItem(s.lookAt(a.claims), a.ci)
}

// seenLabels returns the label set of a claim as rules see it, in memory that the next look overwrites.
func (s *State) seenLabels(claim uint32) event.Labels { return s.lookAt(claim).Labels }

// read fills in what the rules make of the severity of a claim that begins to fire.
func (s *State) read(c *event.ClaimState, raw, annotations event.Labels) {
	in := s.look(raw, annotations)
	_, known := event.ParseSeverity(in.Labels.Get("severity"))
	c.Severity, c.SeverityUnknown = in.Severity, !known
}

// readAgain is read for a claim that is known, as it is now.
func (s *State) readAgain(c *event.ClaimState, ls event.Labels) {
	annotations := c.Annotations
	if !c.Full && s.work.reading.conditions {
		r := &s.work.reading
		r.annotations = labelset.Append(s.text, r.annotations[:0], s.claims.At(c.ID).annotations)
		annotations = r.annotations
	}
	s.read(c, ls, annotations)
}

// useReading makes ready what depends on the rules in force.
func (s *State) useReading() {
	s.forgetLooks()
	r := &s.work.reading
	r.conditions = conditional(s.rules)
	r.overruns = make([]uint64, len(s.rules.Rules()))
	r.scheme = s.schemeOf(s.rules.Ignore)
	r.places = tracePlaces(s.rules)
}

// conditional tells whether any rule has a condition.
func conditional(set *rules.Set) bool {
	return slices.ContainsFunc(set.NormaliseRules, func(r rules.Normalise) bool { return r.If != nil }) ||
		slices.ContainsFunc(set.BindRules, func(r rules.Binding) bool { return r.If != nil }) ||
		slices.ContainsFunc(set.Grouping, func(r rules.Grouping) bool { return r.If != nil }) ||
		slices.ContainsFunc(set.LinkRules, func(r rules.Link) bool { return r.A.If != nil || r.B.If != nil }) ||
		slices.ContainsFunc(set.ThresholdRules, func(r rules.Threshold) bool { return r.If != nil }) ||
		slices.ContainsFunc(set.SequenceRules, func(r rules.Sequence) bool { return r.First.If != nil || r.Then.If != nil }) ||
		slices.ContainsFunc(set.AbsenceRules, func(r rules.Absence) bool { return r.After.If != nil || r.Expect.If != nil }) ||
		slices.ContainsFunc(set.SuppressRules, func(r rules.Suppress) bool { return r.If != nil }) ||
		slices.ContainsFunc(set.PriorityRules, func(r rules.Priority) bool { return r.If != nil }) ||
		slices.ContainsFunc(set.TeamRules, func(r rules.Team) bool { return r.If != nil }) ||
		slices.ContainsFunc(set.Heartbeats, func(r rules.Heartbeat) bool { return r.If != nil })
}

// Overruns returns how often the condition of each rule was given up for its cost since the rules came into force, in the order of the
// rules. The owner calls it between steps.
func (s *State) Overruns() []uint64 { return append([]uint64(nil), s.work.reading.overruns...) }
