package correlate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// TestMutesFindWhatEachOfThemMatches compares the one pass for many silences and windows with a look at each alone.
func TestMutesFindWhatEachOfThemMatches(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	s := New()
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	tenants := []string{"main", "acme"}
	for seq := range uint64(40) {
		b := &event.Batch{Source: event.Source{Name: pick("p", "q"), Tenant: pick(tenants...), Kind: event.SendOnce}}
		for range 5 {
			ls, _ := event.SortLabels(event.Labels{
				{Name: "alertname", Value: pick("Down", "Slow")}, {Name: "instance", Value: pick("", "a", "b", "c")},
				{Name: "service", Value: pick("", "shop", "pay")}, {Name: "severity", Value: pick("info", "warning", "critical")},
			})
			b.Add(event.Event{Labels: ls, Cleared: r.IntN(4) == 0})
		}
		s.Step(&event.Input{Seq: seq + 1, At: scriptStart, Writer: event.Writer{ID: 1, Epoch: 1, N: seq + 1}, Kind: event.InputEvents, Batch: b}, nil)
	}
	var list []mute
	for range 200 {
		var ms []event.Matcher
		for range 1 + r.IntN(2) {
			ms = append(ms, event.Matcher{
				Name: pick("alertname", "instance", "service", "none"), Value: pick("", "Down", "a", "shop", "a|b|Slow"),
				IsRegex: r.IntN(3) == 0, IsEqual: r.IntN(4) > 0,
			})
		}
		if r.IntN(2) == 0 {
			sil, err := newSilence(event.Silence{Tenant: pick(tenants...), Matchers: ms})
			require.NoError(t, err)
			list = append(list, sil)
			continue
		}
		w, err := newWindow(event.Window{Tenant: pick(tenants...), Matchers: ms})
		require.NoError(t, err)
		if r.IntN(2) == 0 {
			w.CIs = []string{pick("a", "b"), pick("b", "shop")}
		}
		list = append(list, w)
	}
	found := 0
	for i, got := range s.firingUnder(list...) {
		var want []uint32
		for slot := uint32(1); slot < s.claims.Len(); slot++ {
			if c := s.claims.At(slot); c.phase == event.Firing && list[i].matches(s.tenantOf(c.source), s.claimLabels(slot)) {
				want = append(want, slot)
			}
		}
		require.True(t, slices.Equal(want, got), "%d: %v, want %v", i, got, want)
		found += len(got)
	}
	require.Greater(t, found, 100)
}

// BenchmarkWindowsThatBeginAtOnce: 400 windows, each of one configuration item, over 100,000 alerts.
func BenchmarkWindowsThatBeginAtOnce(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		d := newDriver("")
		d.say("Slow", "info", 100_000)
		for i := range 400 {
			w := event.Window{Name: "w", Reason: "r", StartsAt: d.now + event.Hour, EndsAt: d.now + 2*event.Hour}
			w.Matchers = []event.Matcher{{Name: "instance", Value: fmt.Sprint("Slow", i), IsEqual: true}}
			d.step(event.Input{Kind: event.InputCommand, Command: &event.Command{Kind: event.SetWindow, Tenant: "main", Actor: "a", Window: &w}})
		}
		d.now += event.Hour
		b.StartTimer()
		d.step(event.Input{Kind: event.InputTick})
	}
}

// BenchmarkHeartbeatsLostAtOnce: 4,000 heartbeats of a source that had reported 50,000 alerts.
func BenchmarkHeartbeatsLostAtOnce(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		d := newDriver("heartbeats:\n  - {name: pulse, match: ['alertname=\"Pulse\"'], interval: 1m}\n")
		d.say("Slow", "info", 50_000)
		d.say("Pulse", "info", 4_000)
		d.now += 10 * event.Minute
		b.StartTimer()
		d.step(event.Input{Kind: event.InputTick})
	}
}
