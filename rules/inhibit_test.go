package rules

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func TestAlertmanagersInhibitRulesAreReadInEveryForm(t *testing.T) {
	s := mustParse(t, `
inhibit_rules:
  - name: severity
    source_matchers: [severity="critical"]
    target_matchers: ['severity =~ "warning|info"', '{team=db, kind!~"x.*"}']
    equal: [namespace, alertname, namespace]
  - source_match: {alertname: NodeDown, code: 500}
    source_match_re: {instance: "db-[0-9]+"}
    target_match: {job: node}
    target_match_re: {severity: warning|info}
    equal: ['zone 🙂']
  - source_matchers: ['foo=bar,dings!=bums', 'path=C:\dir']
    target_matchers: ['🙂="x"']
`)
	show := func(ms []*labels.Matcher) string {
		var each []string
		for _, m := range ms {
			each = append(each, m.String())
		}
		return strings.Join(each, " ")
	}
	require.Equal(t, `severity=~"warning|info" team="db" kind!~"x.*"`, show(s.Inhibit[0].Target))
	require.Equal(t, []string{"alertname", "namespace"}, s.Inhibit[0].Equal)
	require.Equal(t, `alertname="NodeDown" code="500" instance=~"db-[0-9]+"`, show(s.Inhibit[1].Source))
	require.Equal(t, `job="node" severity=~"warning|info"`, show(s.Inhibit[1].Target))
	require.Equal(t, `foo="bar" dings!="bums" path="C:\\dir"`, show(s.Inhibit[2].Source), "the classic syntax where the newer parser fails")
	require.Equal(t, `🙂="x"`, show(s.Inhibit[2].Target))
	require.True(t, s.Inhibit[1].MatchesSource(labelSet(t, "alertname", "NodeDown", "code", "500", "instance", "db-12")))
	require.False(t, s.Inhibit[1].MatchesSource(labelSet(t, "alertname", "NodeDown", "code", "500", "instance", "db-12x")), "anchored")
}

func TestMissingAndEmptyLabelsAreEqual(t *testing.T) {
	s := mustParse(t, "inhibit_rules: [{source_matchers: [a=b], target_matchers: [a=c], equal: [x, y]}]")
	key := func(pairs ...string) string { return string(s.Inhibit[0].AppendEqual(nil, labelSet(t, pairs...))) }
	require.Equal(t, key("a", "b"), key("a", "c", "x", ""))
	require.NotEqual(t, key("x", "1"), key("y", "1"))
	require.NotEqual(t, key("x", "1", "y", "2"), key("x", "12"))
}

// The plain meaning of a rule list is the model: look at every rule, ask every matcher.
func TestTheIndexFindsExactlyTheRulesThatALinearSearchFinds(t *testing.T) {
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		s := mustParse(t, randomRules(rnd))
		for range 50 {
			ls := randomLabels(t, rnd)
			var sources, targets []int
			for i, in := range s.Inhibit {
				if plainMatch(in.Source, ls) {
					sources = append(sources, i)
				}
				if plainMatch(in.Target, ls) {
					targets = append(targets, i)
				}
			}
			group := 0
			for g := s.Grouping; group < len(g)-1 && !(plainMatch(g[group].Match, ls) && g[group].complete(ls)); group++ {
			}
			require.Equal(t, sources, s.SourceRules(ls, nil), "seed %d, %s", seed, ls)
			require.Equal(t, targets, s.TargetRules(ls, nil), "seed %d, %s", seed, ls)
			got, _ := s.Group(ls, nil)
			require.Equal(t, group, got, "seed %d, %s", seed, ls)
		}
	}
}

func plainMatch(ms []*labels.Matcher, ls event.Labels) bool {
	for _, m := range ms {
		if !m.Matches(ls.Get(m.Name)) {
			return false
		}
	}
	return true
}

func randomRules(rnd *rand.Rand) string {
	var b strings.Builder
	b.WriteString("inhibit_rules:\n")
	for range 1 + rnd.IntN(20) {
		fmt.Fprintf(&b, "- {source_matchers: %s, target_matchers: %s}\n", randomMatchers(rnd), randomMatchers(rnd))
	}
	b.WriteString("grouping:\n")
	for i := range 1 + rnd.IntN(20) {
		fmt.Fprintf(&b, "- {name: g%d, match: %s, group_by: [%c]}\n", i, randomMatchers(rnd), 'a'+rune(rnd.IntN(4)))
	}
	return b.String()
}

func randomMatchers(rnd *rand.Rand) string {
	values := []string{"", "0", "1", "2", "0|1", "1|2|1", "0|", "[01]", "1.*", ".*", ".+"}
	var each []string
	for range rnd.IntN(4) {
		op := []string{"=", "=", "=", "!=", "=~", "!~"}[rnd.IntN(6)]
		each = append(each, fmt.Sprintf(`'%c%s"%s"'`, 'a'+rune(rnd.IntN(4)), op, values[rnd.IntN(len(values))]))
	}
	return "[" + strings.Join(each, ", ") + "]"
}

func randomLabels(t *testing.T, rnd *rand.Rand) event.Labels {
	var pairs []string
	for _, name := range []string{"a", "b", "c", "d"} {
		pairs = append(pairs, name, []string{"", "0", "1", "2", "12", "0|1"}[rnd.IntN(6)])
	}
	return labelSet(t, pairs...)
}

func BenchmarkFindingTheRulesOfOneAlertAmongAThousand(b *testing.B) {
	var text strings.Builder
	text.WriteString("inhibit_rules:\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "- {source_matchers: [alertname=\"Down%d\"], target_matchers: ['severity=~\"warning|info\"', team=\"t%d\"], equal: [instance]}\n", i, i)
	}
	s := mustParse(b, text.String())
	ls := labelSet(b, "alertname", "Down7", "instance", "i", "job", "node", "severity", "warning", "team", "t3")
	dst := make([]int, 0, 8)
	for b.Loop() {
		dst = s.SourceRules(ls, dst[:0])
		dst = s.TargetRules(ls, dst)
	}
	require.Equal(b, []int{7, 3}, dst)
}

func BenchmarkGroupingOneAlertByTheShippedRules(b *testing.B) {
	s := mustParse(b)
	ls := labelSet(b, "alertname", "HighLatency", "cluster", "eu-1", "instance", "10.0.0.1:9100", "job", "shop", "namespace", "prod",
		"pod", "shop-5d4f", "service", "shop", "severity", "warning")
	var key event.Labels
	for b.Loop() {
		_, key = s.Group(ls, key)
	}
	require.Len(b, key, 3)
}

func TestInhibitionsInACircleAndThoseThatMuteNothingAreWarnedAbout(t *testing.T) {
	rule := func(source, target string) string {
		return fmt.Sprintf("  - {source_matchers: [%s], target_matchers: [%s], equal: [cluster]}\n", source, target)
	}
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"two that mute each other", rule(`a="A"`, `a="B"`) + rule(`a="B"`, `a="A"`), []string{"a.yml:2:5: inhibit_rules: this rule and a.yml:3:5 mute each other's alerts in a circle"}},
		{"three that may be a circle", rule(`a="A", x="y"`, `a="B"`) + rule(`a="B"`, `a="C"`) + rule(`a="C"`, `a="A"`), nil},
		{"a sure circle of three", rule(`a="A"`, `a="B"`) + rule(`a="B"`, `'a="C"', 'x="y"'`) + rule(`a="C"`, `a="A"`), []string{"a.yml:2:5: inhibit_rules: this rule and a.yml:3:5, a.yml:4:5 mute"}},
		{"one whose targets are some of its sources", rule(`a="A"`, `a="A", x="y"`), nil},
		{"one whose targets are its sources", rule(`a="A", x="y"`, `x="y", a="A"`), []string{"a.yml:2:5: inhibit_rules: this rule mutes nothing"}},
		{"a ladder", rule(`s="critical"`, `s=~"warning|info"`) + rule(`s="warning"`, `s="info"`), nil},
	} {
		s := mustParse(t, "inhibit_rules:\n"+c.text)
		require.Len(t, s.Warnings, len(c.want), "%s: %s", c.name, s.Warnings)
		for i, want := range c.want {
			require.Contains(t, s.Warnings[i].String(), want, c.name)
		}
	}
}

func TestLinksThatContradictEachOtherAreWarnedAbout(t *testing.T) {
	s := mustParse(t, `
links:
  - {name: a, effect: join, a: {match: [x="1"]}, b: {match: [x="2"]}}
  - {name: b, effect: keep_apart, a: {match: [x="2"]}, b: {match: [x="1"]}}
  - {name: c, effect: keep_apart, a: {match: [x="1"]}, b: {match: [x="2"]}, equal: [rack]}
`)
	require.Len(t, s.Warnings, 1)
	require.Contains(t, s.Warnings[0].String(), `a.yml:4:5: links: "a" at a.yml:3:5 says the contrary of the same alerts`)
}
