package correlate

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules"
)

// underRules is a state under some rules, and a function that says an alert to it.
func underRules(t *testing.T, text string) (*State, func(labels ...string) []event.Change) {
	s, seq := New(), uint64(1)
	s.Step(&event.Input{Kind: event.InputRules, Seq: seq, At: scriptStart, Rules: rules.Bundle([]rules.File{{Name: "r.yml", Text: []byte(text)}})}, nil)
	require.NotNil(t, s.meta.Rules)
	return s, func(labels ...string) []event.Change {
		var ls event.Labels
		for i := 0; i < len(labels); i += 2 {
			ls = append(ls, event.Label{Name: labels[i], Value: labels[i+1]})
		}
		ls, _ = event.SortLabels(ls)
		b := &event.Batch{Source: event.Source{Name: "s", Tenant: "main", Kind: event.SendOnce}}
		b.Add(event.Event{Labels: ls})
		seq++
		out, _ := s.Step(&event.Input{Kind: event.InputEvents, Seq: seq, At: scriptStart + event.Time(seq)*event.Second, Batch: b}, nil)
		return out
	}
}

func kindsOf(changes []event.Change) (kinds []string) {
	for i := range changes {
		kinds = append(kinds, changes[i].Kind.String())
	}
	return kinds
}

func TestWhenRulesRememberAllTheyCanNoThresholdHolds(t *testing.T) {
	s, fire := underRules(t, "thresholds: [{name: many, count: 3}]")
	require.Contains(t, kindsOf(fire("alertname", "A", "severity", "critical")), "trace_noted")
	s.meta.Traces = maxTraces
	kinds := kindsOf(fire("alertname", "B", "severity", "critical"))
	require.Contains(t, kinds, "incident_opened")
	require.Contains(t, kinds, "source_over_cap")
	require.NotContains(t, kinds, "trace_noted")
	require.Equal(t, RuleMemory{Alerts: maxTraces, Limit: maxTraces, PerKey: keptPartners, Over: 1}, s.View().RuleMemory())
}

func TestARuleThatForgetsWhatItKeepsApartSaysSo(t *testing.T) {
	s, fire := underRules(t, "links: [{name: l, effect: keep_apart, a: {match: [stage=prod]}, b: {match: [stage=test]}, within: 1m}]")
	for i := range keptPartners { // one a second: those older than a minute count no more
		require.NotContains(t, kindsOf(fire("alertname", "A", "severity", "info", "stage", "prod", "n", fmt.Sprint(i))), "source_over_cap")
	}
	require.Zero(t, s.View().RuleMemory().Forgotten)
	s, fire = underRules(t, "links: [{name: l, effect: keep_apart, a: {match: [stage=prod]}, b: {match: [stage=test]}, within: 1h}]")
	for i := range keptPartners {
		require.NotContains(t, kindsOf(fire("alertname", "A", "severity", "info", "stage", "prod", "n", fmt.Sprint(i))), "source_over_cap")
	}
	for i := range 3 {
		changes := fire("alertname", "B", "severity", "info", "stage", "prod", "n", fmt.Sprint(i))
		at := slices.Index(kindsOf(changes), "source_over_cap")
		require.GreaterOrEqual(t, at, 0)
		require.Equal(t, []any{ruleSource, uint64(keptPartners)}, []any{changes[at].Source.Name, changes[at].Limit})
	}
	require.Equal(t, RuleMemory{Alerts: keptPartners, Limit: maxTraces, PerKey: keptPartners, Forgotten: 3}, s.View().RuleMemory())
	fire("alertname", "A", "severity", "info", "stage", "test")
	require.EqualValues(t, 3, s.View().RuleMemory().Forgotten, "the other side is another key")
}

func TestWhatARuleRemembersOfOneKeyIsBounded(t *testing.T) {
	s, fire := underRules(t, "sequences: [{name: q, first: {match: [alertname=A]}, then: {match: [alertname=B]}, within: 1d}]\nthresholds: [{name: many, match: [alertname=C], count: 5, within: 1d}]")
	for i := range 3 * keptPartners {
		fire("alertname", "A", "severity", "info", "n", fmt.Sprint(i))
		fire("alertname", "C", "severity", "info", "n", fmt.Sprint(i))
	}
	require.EqualValues(t, keptPartners+5, s.meta.Traces)
}

func TestSchemesOfIdentityThatNobodyUsesAreForgotten(t *testing.T) {
	s := New()
	load := func(text string) {
		s.Step(&event.Input{Kind: event.InputRules, Seq: s.meta.Seq + 1, At: scriptStart, Rules: rules.Bundle([]rules.File{{Name: "r.yml", Text: []byte(text)}})}, nil)
	}
	for i := range 20 {
		load(fmt.Sprintf("identity: {ignore: [pod%d]}", i))
	}
	require.LessOrEqual(t, len(s.desk.Schemes), 2)
	require.Equal(t, []string{"pod19"}, s.ignored(s.work.reading.scheme))
	load("settings: {}")
	require.Zero(t, s.work.reading.scheme)
}

func TestConditionsThatCostTooMuchAreCounted(t *testing.T) {
	s, fire := underRules(t, "suppress: [{name: dear, if: 'labels.text.matches(\"(a|b|c|d|e|f|g|h)+x(a|b|c|d|e|f|g|h)+y\")', reason: none}]")
	long := make([]byte, 20_000)
	for i := range long {
		long[i] = 'a'
	}
	fire("alertname", "A", "text", string(long))
	sum := uint64(0)
	for _, n := range s.Overruns() {
		sum += n
	}
	require.NotZero(t, sum)
}

func TestAlertsAreKnownByEveryIdentityTheyCanHave(t *testing.T) {
	s, fire := underRules(t, "identity: {ignore: [pod]}")
	fire("alertname", "A", "pod", "1")
	b := &event.Batch{Source: event.Source{Name: "s", Tenant: "main"}}
	b.Add(event.Event{Labels: event.Labels{{Name: "alertname", Value: "A"}, {Name: "pod", Value: "2"}}})
	b.Add(event.Event{Labels: event.Labels{{Name: "alertname", Value: "B"}, {Name: "pod", Value: "2"}}})
	require.True(t, s.View().Known("main", &b.Events[0]))
	require.False(t, s.View().Known("main", &b.Events[1]))
}
