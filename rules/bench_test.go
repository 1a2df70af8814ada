package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func BenchmarkParsingTheShippedRules(b *testing.B) {
	for b.Loop() {
		_, err := parseAnew(nil)
		require.NoError(b, err)
	}
}

// manyRules writes n rules, a tenth of each kind, as an operator with n alerts by name would.
func manyRules(n int) string {
	var b strings.Builder
	section := func(name, format string) {
		fmt.Fprintf(&b, "%s:\n", name)
		for i := range n / 10 {
			fmt.Fprintf(&b, format, i, i, i)
		}
	}
	section("normalise", "- {name: n%d, match: [alertname=\"Alert%d\"], set: {area: area%d}}\n")
	section("bind", "- {name: b%d, match: [alertname=\"Alert%d\"], ci: $namespace/thing%d}\n")
	section("grouping", "- {name: g%d, if: 'labels.alertname == \"Alert%d\" && severity != \"info\" && labels.team != \"t%d\"', group_by: [cluster]}\n")
	section("links", "- {name: l%d, effect: join, a: {match: [alertname=\"Alert%d\"]}, b: {match: [alertname=\"Other%d\"]}, equal: [cluster]}\n")
	section("thresholds", "- {name: t%d, match: [alertname=\"Alert%d\", team!=\"t%d\"], count: 3}\n")
	section("sequences", "- {name: s%d, first: {match: [alertname=\"Alert%d\"]}, then: {match: [alertname=\"Other%d\"]}}\n")
	section("absences", "- {name: a%d, after: {if: 'labels.alertname in [\"Alert%d\"]'}, expect: {match: [alertname=\"Other%d\"]}}\n")
	section("suppress", "- {name: q%d, if: 'labels.alertname == \"Alert%d\" && annotations.summary.contains(\"test%d\")', reason: a test}\n")
	section("priorities", "- {name: p%d, match: ['alertname=~\"Alert%d|Alarm%d\"'], severity: major}\n")
	section("teams", "- {name: m%d, match: [alertname=\"Alert%d\"], team: t%d}\n")
	return b.String()
}

func benchmarkRules(b *testing.B, n int) {
	s := mustParse(b, manyRules(n))
	require.Empty(b, s.Warnings)
	ls := labelSet(b, "alertname", "Alert0", "cluster", "eu-1", "instance", "10.0.0.1:9100", "job", "shop", "namespace", "prod", "severity", "warning", "team", "web")
	var scratch Scratch
	var binds []Bind
	var numbers []int
	var sides []SideMatch
	var key event.Labels
	for b.Loop() {
		in := Input{Labels: ls, Annotations: event.Labels{{Name: "summary", Value: "a disk is full"}}, Severity: event.Warning, CI: "db-3", Class: "host"}
		in.Labels, _ = s.Normalise(&in, &scratch)
		binds = s.Bindings(&in, binds[:0])
		_, key = s.GroupOf(&in, key)
		sides = s.Absences(&in, s.Sequences(&in, s.Links(&in, sides[:0])))
		numbers = s.Thresholds(&in, numbers[:0])
		numbers = append(numbers, s.Suppress(&in), s.Priority(&in), s.Team(&in))
	}
	require.Len(b, binds, 1)
	require.Len(b, sides, 3)
	require.Equal(b, []int{0, -1, 0, 0}, numbers)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/alert")
}

func BenchmarkRules10(b *testing.B)    { benchmarkRules(b, 10) }
func BenchmarkRules10000(b *testing.B) { benchmarkRules(b, 10_000) }

func BenchmarkParsing10000Rules(b *testing.B) {
	files := []File{{Name: "a.yml", Text: []byte(manyRules(10_000))}}
	for b.Loop() {
		_, err := parseAnew(files)
		require.NoError(b, err)
	}
}

func BenchmarkAnAlertThatOnlyTheShippedRulesKnow(b *testing.B) {
	s := mustParse(b)
	in := &Input{Labels: labelSet(b, "alertname", "HighLatency", "cluster", "eu-1", "instance", "10.0.0.1:9100", "job", "shop", "service", "shop", "severity", "warning"), Severity: event.Warning}
	var scratch Scratch
	var binds []Bind
	var numbers []int
	var sides []SideMatch
	var key event.Labels
	for b.Loop() {
		in.Labels, _ = s.Normalise(in, &scratch)
		binds = s.Bindings(in, binds[:0])
		_, key = s.GroupOf(in, key)
		sides = s.Absences(in, s.Sequences(in, s.Links(in, sides[:0])))
		numbers = append(s.Thresholds(in, numbers[:0]), s.Suppress(in), s.Priority(in), s.Team(in))
	}
	require.Equal(b, []int{-1, -1, -1}, numbers)
	require.Empty(b, binds)
}
