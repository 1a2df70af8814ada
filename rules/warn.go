package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// warnings reports rules that can have no effect, or too much of it.
func (s *Set) warnings() (found Errors) {
	warn := func(h *Head, key, message, hint string) {
		found = append(found, strict.Problem{Place: h.Place, Key: key, Message: message, Hint: hint})
	}
	for _, k := range s.kinds() {
		for i, h := range k.heads {
			for _, side := range k.sides[i] {
				if label := side.contradicts(); label != "" {
					warn(h, k.name, fmt.Sprintf("this rule can never match: nothing satisfies all it asks of the label %q", label), "")
				}
				if len(k.sides[i]) > 1 && side.everything() {
					warn(h, k.name, "one side of this rule takes every alert", "give it match or if")
				}
			}
		}
		switch k.name {
		case "grouping", "suppress", "priorities", "teams":
			found = append(found, s.shadowed(&k)...)
		}
	}
	for i := range s.Inhibit {
		if in := &s.Inhibit[i]; len(in.Source) == 0 || len(in.Target) == 0 {
			warn(&in.Head, "inhibit_rules", "an inhibition rule without source or target matchers matches every alert on that side", "")
		}
	}
	for i := range s.SuppressRules {
		if x := &s.SuppressRules[i]; x.everything() {
			warn(&x.Head, "suppress", "this rule keeps every alert quiet", "give it match or if")
		}
	}
	for i := range s.Grouping {
		for _, k := range s.Grouping[i].parts {
			if slices.Contains(s.Ignore, k.name) {
				warn(&s.Grouping[i].Head, "group_by", fmt.Sprintf("identity.ignore names %q: reports of one alert differ in it", k.name), "group by another label")
			}
		}
	}
	found = append(found, s.inhibitionWarnings()...)
	found = append(found, s.linkWarnings()...)
	found = append(found, s.lookedUpWarnings()...)
	found = append(found, s.titleWarnings()...)
	found = append(found, s.templateWarnings()...)
	found = append(found, s.spanWarnings()...)
	found.Sort()
	return found
}

// everything tells whether the side takes every alert.
func (s *Side) everything() bool { return len(s.Match) == 0 && s.If == nil }

// contradicts returns a label of which the side asks for what no alert can have; "": none.
func (s *Side) contradicts() string {
	for i := range s.tests {
		t := &s.tests[i]
		if t.words == nil {
			continue
		}
		possible := slices.ContainsFunc(t.words, func(word string) bool {
			for j := range s.tests {
				if s.tests[j].Name == t.Name && !s.tests[j].matches(word) {
					return false
				}
			}
			return true
		})
		if !possible {
			return t.Name
		}
	}
	return ""
}

// shadowed reports rules that are never tried, because one before them takes all that they match.
func (s *Set) shadowed(k *kind) (found Errors) {
	earlier := map[string]*Head{} // by what a rule asks for, of rules without a condition
	for i, h := range k.heads {
		side := k.sides[i][0]
		asks := make([]string, len(side.Match))
		for j, m := range side.Match {
			asks[j] = m.String()
		}
		slices.Sort(asks)
		all := strings.Join(asks, "\n")
		by := earlier[all]
		for _, one := range asks {
			if by == nil {
				by = earlier[one]
			}
		}
		if by != nil && !h.Shipped {
			found = append(found, strict.Problem{Place: h.Place, Key: k.name, Message: fmt.Sprintf("this rule is never tried: %q at %s takes all that it matches", by.Name, by.Place), Hint: "move it before that"})
		}
		if side.If != nil || k.name == "grouping" && len(s.Grouping[i].GroupBy) > 0 {
			continue // what it does not take, others may
		}
		if side.everything() {
			if rest := k.heads[i+1:]; len(rest) > 0 && !rest[0].Shipped {
				found = append(found, strict.Problem{Place: h.Place, Key: k.name, Message: "this rule takes every alert; the rules after it are never tried", Hint: "move it to the end"})
			}
			return found
		}
		if earlier[all] == nil {
			earlier[all] = h
		}
	}
	return found
}

// lookedUpWarnings reports tables that nothing looks up.
func (s *Set) lookedUpWarnings() (found Errors) {
	used := map[string]bool{}
	for i := range s.NormaliseRules {
		if l := s.NormaliseRules[i].LookUp; l != nil {
			used[l.Table] = true
		}
	}
	for i := range s.Tables {
		if t := &s.Tables[i]; !used[t.Name] && !t.Shipped {
			found = append(found, strict.Problem{Place: t.Place, Key: "tables", Message: "nothing looks this table up"})
		}
	}
	return found
}

// titleWarnings reports titles with labels that the alerts of an incident need not share.
func (s *Set) titleWarnings() (found Errors) {
	for i := range s.ThresholdRules {
		x := &s.ThresholdRules[i]
		found = append(found, x.Title.alien(x.Place, "title", append(x.fixed(), x.GroupBy...)...)...)
		if x.everything() && len(x.GroupBy) == 0 {
			found = append(found, strict.Problem{Place: x.Place, Key: "thresholds", Message: "this rule counts all alerts together", Hint: "give it match, if or group_by"})
		}
	}
	for i := range s.SequenceRules {
		x := &s.SequenceRules[i]
		found = append(found, x.Title.alien(x.Place, "title", append(x.First.fixed(), x.Equal...)...)...)
	}
	for i := range s.AbsenceRules {
		x := &s.AbsenceRules[i]
		found = append(found, x.Title.alien(x.Place, "title", append(x.After.fixed(), x.Equal...)...)...)
	}
	return found
}

// templateWarnings reports templates with labels that their rule's alerts never have.
func (s *Set) templateWarnings() (found Errors) {
	look := func(r *Rule, key string, t *Template) {
		for _, label := range t.Labels() {
			if slices.ContainsFunc(r.tests, func(t test) bool { return t.Name == label && len(t.words) == 1 && t.words[0] == "" }) {
				found = append(found, strict.Problem{Place: r.Place, Key: key, Message: fmt.Sprintf("$%s is never there: the rule matches alerts without that label", label)})
			}
		}
	}
	for i := range s.BindRules {
		look(&s.BindRules[i].Rule, "ci", s.BindRules[i].CI)
	}
	for i := range s.NormaliseRules {
		x := &s.NormaliseRules[i]
		if x.Derive == nil || x.Map != nil || len(x.Rename) > 0 {
			continue // what comes before can make the label
		}
		for _, d := range x.Derive.Labels {
			look(&x.Rule, d.Label, d.Text)
		}
	}
	return found
}

// fixed returns the labels of which the side asks for one value.
func (s *Side) fixed() (names []string) {
	for i := range s.tests {
		if len(s.tests[i].words) == 1 {
			names = append(names, s.tests[i].Name)
		}
	}
	return names
}

// spanWarnings reports rules that look back further than alerts are remembered.
func (s *Set) spanWarnings() (found Errors) {
	look := func(h *Head, within event.Time) {
		if within > s.Settings.RetainCleared {
			found = append(found, strict.Problem{Place: h.Place, Key: "within", Message: fmt.Sprintf("is longer than alerts that have cleared are remembered (retain_cleared: %s)", formatDuration(s.Settings.RetainCleared.Duration())),
				Hint: "make it shorter, or raise settings.retain_cleared"})
		}
	}
	for i := range s.ThresholdRules {
		look(&s.ThresholdRules[i].Head, s.ThresholdRules[i].Within)
	}
	for i := range s.LinkRules {
		look(&s.LinkRules[i].Head, s.LinkRules[i].Within)
	}
	for i := range s.SequenceRules {
		look(&s.SequenceRules[i].Head, s.SequenceRules[i].Within)
	}
	for i := range s.AbsenceRules {
		look(&s.AbsenceRules[i].Head, s.AbsenceRules[i].Within)
	}
	return found
}

// asked returns what matchers ask for, sorted, for a comparison.
func asked(ms []*labels.Matcher) []string {
	out := make([]string, len(ms))
	for i, m := range ms {
		out[i] = m.String()
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// within tells whether all that is asked for in part is asked for in whole, so that what satisfies whole satisfies part. Both are sorted.
func within(part, whole []string) bool {
	for _, one := range part {
		if _, ok := slices.BinarySearch(whole, one); !ok {
			return false
		}
	}
	return true
}

// inhibitionWarnings reports rules that mute nothing, and rules in a circle: while all that they are about fires, each alert is muted by
// another, and nobody is told of any. Only what is sure from the matchers as they are written is reported.
func (s *Set) inhibitionWarnings() (found Errors) {
	n := len(s.Inhibit)
	sources, targets := make([][]string, n), make([][]string, n)
	for i := range s.Inhibit {
		sources[i], targets[i] = asked(s.Inhibit[i].Source), asked(s.Inhibit[i].Target)
	}
	bySource := map[string][]int{} // by one of the matchers of a source; a rule is found by each
	for i, source := range sources {
		for _, one := range source {
			bySource[one] = append(bySource[one], i)
		}
	}
	next := func(i int) (out []int) { // the rules that are sure to take what rule i mutes for a source
		for _, one := range targets[i] {
			for _, j := range bySource[one] {
				if within(sources[j], targets[i]) && !slices.Contains(out, j) {
					out = append(out, j)
				}
			}
		}
		return out
	}
	told := make([]bool, n)
	for i := range s.Inhibit {
		in := &s.Inhibit[i]
		if len(sources[i]) == 0 || len(targets[i]) == 0 || in.Shipped {
			continue
		}
		if slices.Equal(sources[i], targets[i]) {
			found = append(found, strict.Problem{Place: in.Place, Key: "inhibit_rules",
				Message: "this rule mutes nothing: what it mutes would be a source too, and sources do not mute each other", Hint: "let the targets differ from the sources"})
			continue
		}
		if told[i] {
			continue
		}
		circle := circleFrom(i, next)
		for _, j := range circle {
			told[j] = true
		}
		if len(circle) > 1 {
			places := make([]string, len(circle)-1)
			for k, j := range circle[1:] {
				places[k] = s.Inhibit[j].Place.String()
			}
			found = append(found, strict.Problem{Place: in.Place, Key: "inhibit_rules",
				Message: "this rule and " + strings.Join(places, ", ") + " mute each other's alerts in a circle: while all of them fire nobody is told of any",
				Hint:    "let one of them mute nothing that mutes another"})
		}
	}
	return found
}

// circleFrom returns the shortest way from a rule back to itself, beginning with it; nil when there is none.
func circleFrom(start int, next func(int) []int) []int {
	from := map[int]int{}
	queue := []int{start}
	for len(queue) > 0 {
		i := queue[0]
		queue = queue[1:]
		for _, j := range next(i) {
			if j == start {
				way := []int{i}
				for way[0] != start {
					way = slices.Insert(way, 0, from[way[0]])
				}
				return way
			}
			if _, seen := from[j]; !seen {
				from[j] = i
				queue = append(queue, j)
			}
		}
	}
	return nil
}

// linkWarnings reports pairs of rules of which one joins what the other keeps apart.
func (s *Set) linkWarnings() (found Errors) {
	first := map[string]*Link{}
	for i := range s.LinkRules {
		l := &s.LinkRules[i]
		sides := make([]string, 2)
		for k, side := range l.sides() {
			sides[k] = strings.Join(asked(side.Match), ",")
			if side.If != nil {
				sides[k] += " if " + side.If.Text
			}
		}
		slices.Sort(sides) // which of the two comes first makes no difference
		same := strings.Join(append(sides, l.Equal...), "\n")
		other := first[same]
		if other == nil {
			first[same] = l
			continue
		}
		if other.KeepApart != l.KeepApart {
			found = append(found, strict.Problem{Place: l.Place, Key: "links", Message: fmt.Sprintf("%q at %s says the contrary of the same alerts", other.Name, other.Place), Hint: "keep one of the two"})
		}
	}
	return found
}
