package search

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const benchIncidents = 100_000 // SEARCH_INCIDENTS=n: so many

// BenchmarkIndexAndSearch100000IncidentsWith3NotesEach fills an index, asks it, redacts a note, and rebuilds it.
func BenchmarkIndexAndSearch100000IncidentsWith3NotesEach(b *testing.B) {
	f := newFeed()
	incidents := benchIncidents
	if n, err := strconv.Atoi(os.Getenv("SEARCH_INCIDENTS")); err == nil {
		incidents = n
	}
	f.fill(incidents, 7)
	x := open(b, b.TempDir(), f)
	began := time.Now()
	catchUp(b, x)
	took := time.Since(began)
	st := x.Status()
	if os.Getenv("SEARCH_REDACT") != "" {
		began = time.Now()
		require.NoError(b, x.Redact(b.Context(), Entry{1, 2, 0}))
		b.Logf("redacted in %s, %d bytes", time.Since(began), x.Status().Bytes)
	}
	r := rand.New(rand.NewPCG(3, 3))
	kinds := map[string]func() string{
		"rare word":       func() string { return fmt.Sprintf("w%x", r.IntN(60_000)) },
		"host":            func() string { return fmt.Sprintf("host-%d", r.IntN(20_000)) },
		"common word":     func() string { return "disk" },
		"two common":      func() string { return "disk database" },
		"common phrase":   func() string { return `"disk full"` },
		"prefix":          func() string { return fmt.Sprintf("w%x*", r.IntN(500)+0x100) },
		"label":           func() string { return fmt.Sprintf("service:shop-%d failover", r.IntN(300)) },
		"field and not":   func() string { return fmt.Sprintf("note:checkout -vendor team:dba w%x*", 0x10+r.IntN(0xef)) },
		"filters alone":   func() string { return "status:resolved team:dba" },
		"number":          func() string { return fmt.Sprintf("INC-%d", 1+r.IntN(incidents)) },
		"long phrase":     func() string { return `"disk full on the"` },
		"note phrase":     func() string { return `note:"disk full"` },
		"three with host": func() string { return fmt.Sprintf("disk full host-%d", r.IntN(20_000)) },
	}
	var all []time.Duration
	for b.Loop() {
		for name, text := range kinds {
			var took []time.Duration
			for range 40 {
				began := time.Now()
				_, err := x.Search(b.Context(), Query{Tenant: "main", Text: text()})
				require.NoError(b, err)
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			all = append(all, took...)
			fmt.Fprintf(os.Stderr, "%-16s p50 %6.1f ms  p99 %6.1f ms\n", name, took[20].Seconds()*1e3, took[39].Seconds()*1e3)
		}
	}
	slices.Sort(all)
	b.ReportMetric(all[len(all)*99/100].Seconds()*1e3, "p99-ms")
	b.ReportMetric(all[len(all)/2].Seconds()*1e3, "p50-ms")
	b.ReportMetric(float64(st.Documents)/took.Seconds(), "incidents/s")
	b.ReportMetric(float64(len(f.log))/took.Seconds(), "changes/s")
	b.ReportMetric(float64(st.Bytes)/1e6, "MB")
}
