package rules

import (
	"fmt"
	"slices"
	"strings"

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
