package evaluate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/simulate/scenario"
)

// packed moves the faults of a scenario together, so that each begins so long before the last alert of the one before.
func packed(s *scenario.Scenario, overlap event.Time) *scenario.Scenario {
	type span struct{ first, last event.Time }
	spans, order := map[string]span{}, []string{}
	for i, f := range s.Truth {
		at := s.Alerts[i].At
		known, ok := spans[f]
		if !ok {
			known, order = span{at, at}, append(order, f)
		}
		spans[f] = span{min(known.first, at), max(known.last, at)}
	}
	shift, end := map[string]event.Time{}, event.Time(0)
	for _, f := range order {
		if end != 0 {
			shift[f] = end - overlap - spans[f].first
		}
		end = spans[f].last + shift[f]
	}
	return moved(s, func(i int) event.Time { return shift[s.Truth[i]] }, nil)
}

// noisy adds alerts on random items that have nothing to do with any fault: percent of those there are.
func noisy(s *scenario.Scenario, percent int) *scenario.Scenario {
	r := rand.New(rand.NewPCG(5, uint64(percent)))
	first, last := s.Alerts[0].At, s.Alerts[len(s.Alerts)-1].At
	var noise []scenario.Alert
	for range len(s.Alerts) * percent / 100 {
		at := first + event.Time(r.Int64N(int64(last-first)))
		noise = append(noise, scenario.Alert{At: at, StartsAt: at, Labels: event.Labels{
			{Name: "alertname", Value: fmt.Sprintf("Noise%d", r.IntN(40))}, {Name: "ci", Value: s.Topology.CIs[r.IntN(len(s.Topology.CIs))].ID},
			{Name: "source", Value: "noise"}, {Name: "system", Value: s.Alerts[0].Labels.Get("system")},
		}})
	}
	return moved(s, func(int) event.Time { return 0 }, noise)
}

// moved is a scenario with its lines moved in time, and others among them.
func moved(s *scenario.Scenario, by func(line int) event.Time, noise []scenario.Alert) *scenario.Scenario {
	type line struct {
		alert scenario.Alert
		truth string
	}
	var lines []line
	for i, a := range s.Alerts {
		a.At, a.StartsAt = a.At+by(i), a.StartsAt+by(i)
		lines = append(lines, line{a, s.Truth[i]})
	}
	for _, a := range noise {
		lines = append(lines, line{a, ""})
	}
	slices.SortStableFunc(lines, func(a, b line) int { return int(a.alert.At - b.alert.At) })
	out := &scenario.Scenario{Topology: s.Topology, Faults: s.Faults}
	for _, l := range lines {
		out.Alerts, out.Truth = append(out.Alerts, l.alert), append(out.Truth, l.truth)
	}
	return out
}

// A real system's faults, made harder: back to back, overlapping, and among alerts that mean nothing.
func TestGroupingHoldsWhenFaultsOverlapAndNoiseIsAdded(t *testing.T) {
	if testing.Short() || underRace {
		t.Skip("replays whole scenarios: make test runs it by itself, without the race detector")
	}
	s := open(t, "cloudbed-1")
	for _, c := range []struct {
		name  string
		s     *scenario.Scenario
		floor float64
	}{
		{"back to back", packed(s, 0), .95},
		{"overlapping by 60 s", packed(s, event.Minute), .90},
		{"1 % noise", noisy(s, 1), .975},
		{"5 % noise", noisy(s, 5), .94},
		{"10 % noise", noisy(s, 10), .90},
	} {
		out, err := Replay(c.s, Options{})
		require.NoError(t, err)
		f1 := Judge(c.s, out).Pairwise.F1
		t.Logf("%s: pairwise F1 %.3f", c.name, f1)
		require.GreaterOrEqual(t, f1, c.floor, c.name)
	}
}
