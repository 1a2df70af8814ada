package correlate

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// BenchmarkCauseOfAHugeIncident: all that rests on one thing alarmed, more than 10,000 items of 50,000, and its cause is weighed anew.
func BenchmarkCauseOfAHugeIncident(b *testing.B) {
	d := newBench(b, "")
	e := d.estate(benchCIs, "site-1")
	hit := e.cascade(rand.New(rand.NewPCG(1, 5)), len(e.cis)-1, 9, 1<<30)
	for i := range hit {
		at := d.timeOf(i, 10_000)
		d.add(at, e.alertOn(i, hit[i].ci, at, 0))
	}
	d.flush()
	cluster, most := uint32(0), uint32(0)
	for slot := uint32(1); slot < d.s.clusters.Len(); slot++ {
		if _, of := d.s.causes.Suspects(slot); of > most {
			cluster, most = slot, of
		}
	}
	require.NotZero(b, cluster)
	for b.Loop() {
		list, _ := d.s.causes.Rank(cluster, suspects{d.s}, d.s.shape(cluster), &d.s.work.cause, event.MaxCauses)
		require.NotEmpty(b, list)
	}
	b.ReportMetric(float64(most), "items")
}
