package rules

import "github.com/tocsin-noc/tocsin/event"

// Set is everything that rules say. It does not change.
type Set struct {
	Settings       Settings
	Tables         []Table
	NormaliseRules []Normalise
	Ignore         []string // labels that identity leaves out besides the volatile ones, sorted
	BindRules      []Binding
	Grouping       []Grouping // in the order they are tried; at the end the built-in rules "own" and "alone"
	LinkRules      []Link
	ThresholdRules []Threshold
	SequenceRules  []Sequence
	AbsenceRules   []Absence
	Inhibit        []Inhibit
	SuppressRules  []Suppress
	PriorityRules  []Priority
	TeamRules      []Team
	Heartbeats     []Heartbeat
	Warnings       Errors // what was accepted and looks wrong

	// Version is a short hash of all texts, shipped and not: decisions cite it.
	Version string

	disable []disabled
	listed  []Listed

	normalise, bind, grouping, sources, targets, thresholds, suppress, priorities, teams, heartbeats index
	links, sequences, absences                                                                       pairIndex
}

// pairIndex finds rules with two sides.
type pairIndex struct{ first, second index }

// compile builds the indexes.
func (s *Set) compile() {
	s.normalise, s.bind, s.grouping = indexRules(s.NormaliseRules), indexRules(s.BindRules), indexRules(s.Grouping)
	s.thresholds, s.suppress, s.priorities = indexRules(s.ThresholdRules), indexRules(s.SuppressRules), indexRules(s.PriorityRules)
	s.teams, s.heartbeats = indexRules(s.TeamRules), indexRules(s.Heartbeats)
	s.links, s.sequences, s.absences = indexPairs(s.LinkRules), indexPairs(s.SequenceRules), indexPairs(s.AbsenceRules)
	sources, targets := make([]*Side, len(s.Inhibit)), make([]*Side, len(s.Inhibit))
	for i := range s.Inhibit {
		sources[i], targets[i] = &s.Inhibit[i].source, &s.Inhibit[i].target
	}
	s.sources, s.targets = newIndex(sources), newIndex(targets)
}

func indexRules[T any, P interface {
	*T
	entry
}](list []T) index {
	sides := make([]*Side, len(list))
	for i := range list {
		sides[i] = P(&list[i]).sides()[0]
	}
	return newIndex(sides)
}

func indexPairs[T any, P interface {
	*T
	entry
}](list []T) pairIndex {
	first, second := make([]*Side, len(list)), make([]*Side, len(list))
	for i := range list {
		both := P(&list[i]).sides()
		first[i], second[i] = both[0], both[1]
	}
	return pairIndex{newIndex(first), newIndex(second)}
}

func always(int) bool { return true }

// HasNormalise tells whether any rule changes labels.
func (s *Set) HasNormalise() bool { return len(s.NormaliseRules) > 0 }

// Normalise returns the labels as all other rules see them, and whether they differ from in.Labels, which it returns where no rule
// applies. The rules apply in their order, each to what those before it made. The labels lie in scratch until its next use.
func (s *Set) Normalise(in *Input, scratch *Scratch) (ls event.Labels, changed bool) {
	none := len(s.NormaliseRules)
	next := s.normalise.first(in, 0, none, always)
	if next == none {
		return in.Labels, false
	}
	now := *in
	now.Labels = append(scratch.labels[:0], in.Labels...)
	for next < none {
		now.Labels = s.NormaliseRules[next].apply(now.Labels, scratch)
		next = s.normalise.first(&now, next+1, none, always)
	}
	scratch.labels = now.Labels
	if now.Labels.Equal(in.Labels) {
		return in.Labels, false
	}
	return now.Labels, true
}

// IdentityLabels returns the labels that identity leaves out besides the volatile ones, sorted.
func (s *Set) IdentityLabels() []string { return s.Ignore }

// Bindings appends what the rules for binding make of an alert, in the order in which it is tried: the first whose item exists
// wins. A rule that asks for a label which the alert lacks makes nothing.
func (s *Set) Bindings(in *Input, dst []Bind) []Bind {
	for next := 0; ; next++ {
		none := len(s.BindRules)
		if next = s.bind.first(in, next, none, always); next == none {
			return dst
		}
		if ref, all := s.BindRules[next].CI.append(nil, in.Labels, nil); all {
			dst = append(dst, Bind{next, string(ref)})
		}
	}
}

// Component returns the label that names the environment or system of an alert, the first of those in the settings that it has.
func (s *Set) Component(ls event.Labels) (name, value string) {
	for _, name := range s.Settings.ComponentLabels {
		if value := ls.Get(name); value != "" {
			return name, value
		}
	}
	return "", ""
}

// Group returns the rule that groups an alert with the labels ls, as an index into s.Grouping: the first that matches and whose
// group_by labels ls all has. key holds the alert's key under that rule, sorted by name, in the memory of the slice handed
// in; its strings are those of ls and of the rule. A condition sees the severity that the label says, and nothing else of the alert.
func (s *Set) Group(ls, key event.Labels) (rule int, k event.Labels) {
	return s.GroupOf(&Input{Labels: ls, Severity: severityOf(ls)}, key)
}

// GroupOf is Group for conditions that see all of the alert.
func (s *Set) GroupOf(in *Input, key event.Labels) (rule int, k event.Labels) {
	last := len(s.Grouping) - 1
	if raisedHere(in.Labels) {
		return last - 1, s.Grouping[last-1].appendKey(key[:0], in.Labels)
	}
	if rule = s.grouping.first(in, 0, last-1, func(i int) bool { return s.Grouping[i].complete(in.Labels) }); rule == last-1 {
		rule = last
	}
	return rule, s.Grouping[rule].appendKey(key[:0], in.Labels)
}

// raisedHere tells whether an alert is one that Tocsin raises itself.
func raisedHere(ls event.Labels) bool {
	name := ls.Get("alertname")
	return (name == BlindName || name == OverCapName) && ls.Get("source") != ""
}

// SourceRules appends to dst the indexes into s.Inhibit of the rules by which an alert with the labels ls mutes others, in
// ascending order.
func (s *Set) SourceRules(ls event.Labels, dst []int) []int {
	in := Input{Labels: ls}
	return s.sources.appendAll(dst, &in)
}

// TargetRules appends to dst the indexes into s.Inhibit of the rules by which an alert with the labels ls can be muted, in
// ascending order.
func (s *Set) TargetRules(ls event.Labels, dst []int) []int {
	in := Input{Labels: ls}
	return s.targets.appendAll(dst, &in)
}

// Thresholds appends the indexes into s.ThresholdRules of the rules that count an alert, in ascending order.
func (s *Set) Thresholds(in *Input, dst []int) []int {
	start := len(dst)
	dst = s.thresholds.appendAll(dst, in)
	kept := dst[:start]
	for _, i := range dst[start:] {
		if complete(s.ThresholdRules[i].GroupBy, in.Labels) {
			kept = append(kept, i)
		}
	}
	return kept
}

// Links appends the sides of s.LinkRules that an alert is on, in ascending order.
func (s *Set) Links(in *Input, dst []LinkSide) []LinkSide {
	return s.links.append(in, dst, len(s.LinkRules), func(i int) bool { return complete(s.LinkRules[i].Equal, in.Labels) })
}

// Sequences appends the sides of s.SequenceRules that an alert is on, in ascending order.
func (s *Set) Sequences(in *Input, dst []SequenceSide) []SequenceSide {
	return s.sequences.append(in, dst, len(s.SequenceRules), func(i int) bool { return complete(s.SequenceRules[i].Equal, in.Labels) })
}

// Absences appends the sides of s.AbsenceRules that an alert is on, in ascending order.
func (s *Set) Absences(in *Input, dst []AbsenceSide) []AbsenceSide {
	return s.absences.append(in, dst, len(s.AbsenceRules), func(i int) bool { return complete(s.AbsenceRules[i].Equal, in.Labels) })
}

// append lists the sides of all rules in their order, the first side of a rule before its second.
func (x *pairIndex) append(in *Input, dst []SideMatch, none int, accept func(rule int) bool) []SideMatch {
	a, b := x.first.first(in, 0, none, accept), x.second.first(in, 0, none, accept)
	for a < none || b < none {
		if a <= b {
			dst = append(dst, SideMatch{Rule: a})
			a = x.first.first(in, a+1, none, accept)
		} else {
			dst = append(dst, SideMatch{Rule: b, Second: true})
			b = x.second.first(in, b+1, none, accept)
		}
	}
	return dst
}

// Suppress returns the index into s.SuppressRules of the first rule that keeps an alert quiet; -1: none.
func (s *Set) Suppress(in *Input) int { return s.suppress.only(in) }

// Priority returns the index into s.PriorityRules of the first rule that is about an alert; -1: none.
func (s *Set) Priority(in *Input) int { return s.priorities.only(in) }

// Team returns the index into s.TeamRules of the first rule that is about an alert; -1: none.
func (s *Set) Team(in *Input) int { return s.teams.only(in) }

// only returns the first rule that matches, -1 when there is none.
func (x *index) only(in *Input) int {
	none := len(x.sides)
	if rule := x.first(in, 0, none, always); rule < none {
		return rule
	}
	return -1
}
