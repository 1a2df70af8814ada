package correlate

import (
	"bytes"
	"math/bits"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules"
)

// everyKind are rule sets with rules of every kind about the alerts of gen.
var everyKind = []string{`
normalise:
  - {name: n, match: ['service="pay"'], set: {area: money}}
  - {name: m, match: ['severity=""'], set: {severity: warning}}
identity: {ignore: [service]}
grouping:
  - {name: area, match: ['area!=""'], group_by: [area]}
links:
  - {name: l, effect: join, a: {match: ['alertname="Down"']}, b: {match: ['alertname="Slow"']}, equal: [instance], within: 3m}
  - {name: k, effect: keep_apart, a: {match: ['instance="a"']}, b: {match: ['instance="b"']}, within: 5m}
thresholds:
  - {name: t, match: ['alertname="Disk"'], group_by: [instance], count: 2, within: 10m, severity: major, priority: P1, title: 'disks of $instance'}
sequences:
  - {name: s, first: {match: ['alertname="Slow"']}, then: {match: ['alertname="Down"']}, equal: [instance], within: 5m, priority: P2}
absences:
  - {name: x, after: {match: ['alertname="Slow"']}, expect: {match: ['alertname="Disk"']}, equal: [instance], within: 4m}
suppress:
  - {name: q, match: ['instance="c"'], for: 2m, reason: spikes}
  - {name: r, if: 'labels.instance == "d" && annotations.summary == "two"', reason: two}
priorities:
  - {name: p, match: ['service="shop"'], severity: {at_most: major}, priority: P5}
  - {name: o, match: ['service="pay"'], priority: {at_least: P2}}
teams:
  - {name: w, match: ['service=~".+"'], team: web}
`, `
identity: {ignore: [instance]}
links:
  - {name: k, effect: keep_apart, a: {match: ['instance="a"']}, b: {match: ['instance="b"']}, within: 5m}
thresholds:
  - {name: t, match: ['alertname=~"Disk|Slow"'], count: 4, within: 30m}
suppress:
  - {name: q, match: ['severity="info"'], reason: noise}
`, `
settings: {resolve_hold: 1m}
`}

func (g *gen) everyKind() *event.Input {
	in := &event.Input{Kind: event.InputRules, Rules: rules.Bundle([]rules.File{{Name: "r.yml", Text: []byte(everyKind[g.r.IntN(len(everyKind))])}})}
	g.seq++
	in.Seq, in.At, in.Writer = g.seq, g.now, event.Writer{ID: 7, Epoch: 1, N: g.seq}
	return in
}

func TestNothingOfRulesIsLostInAFoldOrASnapshot(t *testing.T) {
	for seed := range seeds(2, 5) {
		s, folded, g := New(), New(), newGen(seed+900)
		g.lively = seed%2 == 1
		for range 12 {
			step := func(in *event.Input, changes []event.Change) {
				require.NoError(t, folded.Fold(in, changes), "seed %d", seed)
				checkRules(t, s, seed)
			}
			in := g.everyKind()
			changes, _ := s.Step(in, nil)
			decoded, err := event.DecodeChanges(event.AppendChanges(nil, changes), in.Seq, in.At)
			require.NoError(t, err)
			step(in, decoded)
			g.run(t, s, 50, step)
			require.Equal(t, dump(s.View())+dumpRules(s.View()), dump(folded.View())+dumpRules(folded.View()), "seed %d: fold", seed)
		}
		check(t, s, seed)
		var b bytes.Buffer
		require.NoError(t, s.View().Save(&b))
		loaded, err := Load(&b)
		require.NoError(t, err)
		require.Equal(t, dump(s.View())+dumpRules(s.View()), dump(loaded.View())+dumpRules(loaded.View()), "seed %d: snapshot", seed)
		h := newGen(seed)
		h.seq, h.now = g.seq, g.now
		k := newGen(seed)
		k.seq, k.now = g.seq, g.now
		require.Equal(t, h.run(t, s, 100, nil), k.run(t, loaded, 100, nil), "seed %d: after the snapshot", seed)
	}
}

// checkRules compares what is counted along the way with a count from scratch.
func checkRules(t *testing.T, s *State, seed uint64) {
	nodes := uint32(0)
	for slot := uint32(1); slot < s.traces.recs.Len(); slot++ {
		r := s.traces.recs.At(slot)
		n := uint32(0)
		for id, last := r.head, event.Time(0); id != 0; id = s.traces.nodes.At(id).next {
			require.LessOrEqual(t, last, s.traces.nodes.At(id).at, "seed %d", seed)
			last = s.traces.nodes.At(id).at
			n++
		}
		require.Equal(t, r.count, n, "seed %d", seed)
		require.Equal(t, r.kind != 0, n > 0, "seed %d", seed)
		nodes += n
	}
	require.Equal(t, s.meta.Traces, nodes, "seed %d", seed)
	apart := map[event.IncidentID]uint32{}
	var quiet [event.QuietReasons]uint64
	var schemes [maxSchemes + 1]uint32
	for slot := uint32(1); slot < s.alerts.Len(); slot++ {
		a := s.alerts.At(slot)
		if a.firstAt == 0 {
			continue
		}
		if a.flags&flagApart != 0 {
			apart[a.incident]++
		}
		if first := a.quiet.First(); first != 0 {
			quiet[bits.TrailingZeros8(uint8(first))]++
		}
		require.Equal(t, a.phase == event.Firing && (a.flags&(flagSuppressed|flagDamped) != 0), a.quiet != 0, "seed %d: alert %d", seed, slot)
		for c := a.claims; c != 0; c = s.claims.At(c).next {
			require.Equal(t, s.claims.At(a.claims).scheme, s.claims.At(c).scheme, "seed %d", seed)
			schemes[s.claims.At(c).scheme]++
		}
	}
	for id := event.IncidentID(1); id < s.incidents.Next(); id++ {
		require.Equal(t, apart[id], s.members.At(uint32(id)).apart, "seed %d: %s", seed, id)
	}
	require.Equal(t, schemes, s.work.reading.schemes, "seed %d", seed)
	for i := range quiet {
		now := uint64(0)
		for slot := uint32(1); slot < s.quiets.Len(); slot++ {
			now += s.quiets.At(slot).books[i].now
		}
		require.Equal(t, quiet[i], now, "seed %d: %d", seed, i)
	}
}
