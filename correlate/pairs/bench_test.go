package pairs

import (
	"math/rand/v2"
	"testing"
)

// The benchmarks observe storms of alerts on 20,000 CIs with up to 8 types each, of 400 in all.
//
//	go test -run - -bench . ./correlate/pairs
func benchmark(b *testing.B, gap int64, neighbours int, cis uint32) {
	rng, learned := rand.New(rand.NewPCG(1, 1)), New(Default())
	all := make([]Observation, 1<<18)
	for i := range all {
		ci := 1 + rng.Uint32N(cis)
		all[i] = Observation{Type: uint64(ci%50*8 + rng.Uint32N(8)), Name: "a type", CI: ci}
		for hops := range uint32(neighbours) {
			all[i].Neighbours = append(all[i].Neighbours, Neighbour{1 + (ci+hops)%cis, 1 + hops/2})
		}
	}
	at := int64(start)
	for i := range all {
		at += gap
		all[i].At = at
		learned.Observe(&all[i])
	}
	b.ReportAllocs()
	before := learned.Counters()
	n := 0
	for b.Loop() {
		at += gap
		o := &all[n%len(all)]
		o.At = at
		learned.Observe(o)
		n++
	}
	after := learned.Counters()
	b.ReportMetric(float64(after.Onsets-before.Onsets)/float64(n), "onsets/op")
}

func BenchmarkObserveAStorm(b *testing.B)                   { benchmark(b, 1, 0, 20_000) }
func BenchmarkObserveAStormWithNeighbours(b *testing.B)     { benchmark(b, 1, 6, 20_000) }
func BenchmarkObserveOneAlertInTenBegins(b *testing.B)      { benchmark(b, 16, 0, 2_000) }
func BenchmarkObserveWhereEveryAlertBegins(b *testing.B)    { benchmark(b, 60, 0, 20_000) }
func BenchmarkObserveNeighboursWhereAllBegins(b *testing.B) { benchmark(b, 60, 6, 20_000) }
