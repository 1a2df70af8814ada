package rules

import (
	"slices"

	"github.com/prometheus/alertmanager/pkg/labels"
	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Inhibit is one of Alertmanager's inhibition rules: while an alert that Source matches is firing, alerts that Target matches
// are muted if both have the same values of the labels Equal. An alert that matches both sides is not muted by another that
// does as well.
type Inhibit struct {
	Head   // the name is "" when the rule has none
	Source []*labels.Matcher
	Target []*labels.Matcher
	Equal  []string // sorted, no name twice

	source, target Side
}

func (in *Inhibit) keys(*parsing) []key {
	return []key{
		{name: "name", kind: "text", help: "for people", value: strict.Text(&in.Name)},
		{name: "source_matchers", kind: "list of matchers", otherwise: "every alert", help: "the alerts that mute others while they fire", value: matcherList(&in.Source)},
		{name: "target_matchers", kind: "list of matchers", otherwise: "every alert", help: "the alerts that are muted", value: matcherList(&in.Target)},
		{name: "equal", kind: "list of labels", help: "labels that must have the same value on both; a missing one and an empty one are the same", value: strict.List(&in.Equal, func(dst *string) strict.Value { return strict.Word(dst) })},
		{name: "source_match", kind: "label: value", help: "the older form of `source_matchers`", value: matcherPairs(&in.Source, labels.MatchEqual)},
		{name: "source_match_re", kind: "label: regular expression", help: "the older form of `source_matchers`", value: matcherPairs(&in.Source, labels.MatchRegexp)},
		{name: "target_match", kind: "label: value", help: "the older form of `target_matchers`", value: matcherPairs(&in.Target, labels.MatchEqual)},
		{name: "target_match_re", kind: "label: regular expression", help: "the older form of `target_matchers`", value: matcherPairs(&in.Target, labels.MatchRegexp)},
	}
}

func (in *Inhibit) sides() []*Side { return nil }

func (in *Inhibit) check(*strict.Reader, *yaml.Node) {
	slices.Sort(in.Equal)
	in.Equal = slices.Compact(in.Equal)
	in.source, in.target = Side{Match: in.Source}, Side{Match: in.Target}
	in.source.prepare()
	in.target.prepare()
}

// MatchesSource tells whether an alert with these labels mutes others by this rule.
func (in *Inhibit) MatchesSource(ls event.Labels) bool { return matchAll(in.source.tests, ls) }

// MatchesTarget tells whether an alert with these labels can be muted by this rule.
func (in *Inhibit) MatchesTarget(ls event.Labels) bool { return matchAll(in.target.tests, ls) }

// AppendEqual appends ls's values of the labels Equal: two alerts are equal in them iff the appended bytes are. A missing
// label has the value "".
func (in *Inhibit) AppendEqual(dst []byte, ls event.Labels) []byte {
	return appendValues(dst, in.Equal, ls)
}
