package correlate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules"
)

// benchmarkRules steps alerts that begin and end under n rules, a tenth of each kind, each about alerts of one name; one rule of each kind
// is about the alerts that are stepped.
func benchmarkRules(b *testing.B, n int) {
	var text strings.Builder
	section := func(name, format string) {
		fmt.Fprintf(&text, "%s:\n", name)
		for i := range n / 10 {
			fmt.Fprintf(&text, format, i, i, i)
		}
	}
	section("normalise", "- {name: n%d, match: [alertname=\"Alert%d\"], set: {area: area%d}}\n")
	section("bind", "- {name: b%d, match: [alertname=\"Alert%d\"], ci: $namespace/thing%d}\n")
	section("grouping", "- {name: g%d, if: 'labels.alertname == \"Alert%d\" && labels.team != \"t%d\"', group_by: [cluster]}\n")
	section("links", "- {name: l%d, effect: join, a: {match: [alertname=\"Alert%d\"]}, b: {match: [alertname=\"Other%d\"]}, equal: [cluster]}\n")
	section("thresholds", "- {name: t%d, match: [alertname=\"Alert%d\", team=\"t%d\"], count: 3}\n")
	section("sequences", "- {name: s%d, first: {match: [alertname=\"Alert%d\"]}, then: {match: [alertname=\"Other%d\"]}}\n")
	section("absences", "- {name: a%d, after: {match: [alertname=\"Late%d\"]}, expect: {match: [alertname=\"Alert%d\"]}}\n")
	section("suppress", "- {name: q%d, if: 'labels.alertname == \"Alert%d\" && annotations.summary.contains(\"test%d\")', reason: a test}\n")
	section("priorities", "- {name: p%d, match: ['alertname=~\"Alert%d|Alarm%d\"'], severity: major}\n")
	section("teams", "- {name: m%d, match: [alertname=\"Alert%d\"], team: t%d}\n")
	steps(b, text.String())
}

// steps measures what an alert costs that begins, is repeated once, and ends.
func steps(b *testing.B, text string) {
	s := New()
	in := event.Input{Kind: event.InputRules, At: scriptStart, Rules: rules.Bundle([]rules.File{{Name: "r.yml", Text: []byte(text)}})}
	out, _ := s.Step(&in, nil)
	require.NotEmpty(b, out)
	var batches [3]*event.Batch
	for i := range batches {
		batches[i] = &event.Batch{Source: event.Source{Name: "s", Tenant: "main", Kind: event.SendOnce}}
		for n := range 1000 {
			ls := event.Labels{
				{Name: "alertname", Value: "Alert0"}, {Name: "cluster", Value: fmt.Sprint("eu-", n%20)}, {Name: "instance", Value: fmt.Sprint("10.0.0.", n)},
				{Name: "job", Value: "shop"}, {Name: "namespace", Value: "prod"}, {Name: "severity", Value: "warning"}, {Name: "team", Value: "web"},
			}
			batches[i].Add(event.Event{Labels: ls, Annotations: event.Labels{{Name: "summary", Value: "a disk is full"}}, Cleared: i == 2})
		}
	}
	at, seq, cpu := scriptStart, uint64(1), cpuTime()
	for b.Loop() {
		for _, batch := range batches {
			at += 5 * event.Minute
			seq++
			in := event.Input{Kind: event.InputTick, At: at, Seq: seq}
			out, _ = s.Step(&in, out[:0])
			in = event.Input{Kind: event.InputEvents, At: at, Seq: seq, Batch: batch}
			out, _ = s.Step(&in, out[:0])
		}
	}
	b.ReportMetric(float64((cpuTime()-cpu).Nanoseconds())/float64(b.N)/3000, "cpu-ns/event")
}

func BenchmarkStepUnderTheShippedRules(b *testing.B) { steps(b, "settings: {}") }
func BenchmarkStepUnder10Rules(b *testing.B)         { benchmarkRules(b, 10) }
func BenchmarkStepUnder10000Rules(b *testing.B)      { benchmarkRules(b, 10_000) }
