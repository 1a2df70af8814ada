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
	Name   string // "" when the rule has none
	Source []*labels.Matcher
	Target []*labels.Matcher
	Equal  []string     // sorted, no name twice
	Place  strict.Place // where the rule stands, for people

	source, target []test
}

func (in *Inhibit) read(r *strict.Reader, n *yaml.Node) {
	in.Place = r.Place(n)
	strict.Mapping(
		strict.Field{Key: "name", Value: strict.Text(&in.Name)},
		strict.Field{Key: "source_match", Value: matcherPairs(&in.Source, labels.MatchEqual)},
		strict.Field{Key: "source_match_re", Value: matcherPairs(&in.Source, labels.MatchRegexp)},
		strict.Field{Key: "source_matchers", Value: matcherList(&in.Source)},
		strict.Field{Key: "target_match", Value: matcherPairs(&in.Target, labels.MatchEqual)},
		strict.Field{Key: "target_match_re", Value: matcherPairs(&in.Target, labels.MatchRegexp)},
		strict.Field{Key: "target_matchers", Value: matcherList(&in.Target)},
		strict.Field{Key: "equal", Value: strict.List(&in.Equal, func(dst *string) strict.Value { return strict.Word(dst) })},
	)(r, n)
	slices.Sort(in.Equal)
	in.Equal = slices.Compact(in.Equal)
	in.source, in.target = newTests(in.Source), newTests(in.Target)
}

// MatchesSource tells whether an alert with these labels mutes others by this rule.
func (in *Inhibit) MatchesSource(ls event.Labels) bool { return matchAll(in.source, ls) }

// MatchesTarget tells whether an alert with these labels can be muted by this rule.
func (in *Inhibit) MatchesTarget(ls event.Labels) bool { return matchAll(in.target, ls) }

// AppendEqual appends ls's values of the labels Equal: two alerts are equal in them iff the appended bytes are. A missing
// label has the value "".
func (in *Inhibit) AppendEqual(dst []byte, ls event.Labels) []byte {
	for _, name := range in.Equal {
		dst = append(dst, ls.Get(name)...)
		dst = append(dst, 255) // a byte that no valid UTF-8 text holds
	}
	return dst
}
