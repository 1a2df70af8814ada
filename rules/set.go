package rules

import "github.com/tocsin-noc/tocsin/event"

// Set is everything that rules say. It does not change.
type Set struct {
	Settings   Settings
	Grouping   []Grouping // in the order they are tried; at the end the built-in rules "own" and "alone"
	Inhibit    []Inhibit
	Heartbeats []Heartbeat
	Warnings   Errors // what was accepted and looks wrong

	grouping, sources, targets, heartbeats index
}

// compile builds the indexes.
func (s *Set) compile() {
	grouping := make([][]test, len(s.Grouping))
	for i := range s.Grouping {
		grouping[i] = newTests(s.Grouping[i].Match)
	}
	sources, targets := make([][]test, len(s.Inhibit)), make([][]test, len(s.Inhibit))
	for i := range s.Inhibit {
		sources[i], targets[i] = s.Inhibit[i].source, s.Inhibit[i].target
	}
	heartbeats := make([][]test, len(s.Heartbeats))
	for i := range s.Heartbeats {
		heartbeats[i] = newTests(s.Heartbeats[i].Match)
	}
	s.grouping, s.sources, s.targets, s.heartbeats = newIndex(grouping), newIndex(sources), newIndex(targets), newIndex(heartbeats)
}

// Group returns the rule that groups an alert with the labels ls, as an index into s.Grouping: the first that matches and whose
// group_by labels ls all has. key holds the alert's key under that rule, sorted by name, in the memory of the slice handed
// in; its strings are those of ls and of the rule.
func (s *Set) Group(ls, key event.Labels) (rule int, k event.Labels) {
	last := len(s.Grouping) - 1
	if name := ls.Get("alertname"); (name == BlindName || name == OverCapName) && ls.Get("source") != "" {
		return last - 1, s.Grouping[last-1].appendKey(key[:0], ls)
	}
	rule = s.grouping.first(ls, last, func(i int) bool { return s.Grouping[i].complete(ls) })
	return rule, s.Grouping[rule].appendKey(key[:0], ls)
}

// SourceRules appends to dst the indexes into s.Inhibit of the rules by which an alert with the labels ls mutes others, in
// ascending order.
func (s *Set) SourceRules(ls event.Labels, dst []int) []int { return s.sources.appendAll(dst, ls) }

// TargetRules appends to dst the indexes into s.Inhibit of the rules by which an alert with the labels ls can be muted, in
// ascending order.
func (s *Set) TargetRules(ls event.Labels, dst []int) []int { return s.targets.appendAll(dst, ls) }
