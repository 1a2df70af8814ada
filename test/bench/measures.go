package main

import (
	"slices"
	"time"

	"github.com/tocsin-noc/tocsin/simulate"
)

// What a scenario may measure. Sizes are in MB of 1e6 bytes, latencies in ms.
const (
	cpuPerMillion   = "cpu_s_per_million"
	rss             = "rss_mb"
	rssEmpty        = "rss_empty_mb"
	rssPeak         = "rss_peak_mb"
	pss             = "pss_mb"
	rate            = "alerts_per_second"
	p50             = "p50_ms"
	p99             = "p99_ms"
	p999            = "p999_ms"
	slowest         = "max_ms"
	refused         = "refused_percent"
	bytesPerAlert   = "bytes_per_alert"
	recoverySeconds = "recovery_s"
	lost            = "sampled_alerts_lost"
	coldCache       = "cold_cache"
	generatorCPU    = "generator_cpu_s_per_million"
)

// measures holds the figures of one trial or, as medians, of several.
type measures map[string]float64

func (m measures) latencies(h *simulate.Histogram) {
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	m[p50], m[p99], m[p999], m[slowest] = ms(h.Quantile(.5)), ms(h.Quantile(.99)), ms(h.Quantile(.999)), ms(h.Max())
}

func (m measures) memory(u usage) {
	m[rss], m[rssPeak], m[pss] = u.rss/1e6, u.peak/1e6, u.pss/1e6
}

// medians takes the median of each measure over the runs that have it; of an
// even number the mean of the middle two.
func medians(runs []measures) measures {
	values := map[string][]float64{}
	for _, run := range runs {
		for key, v := range run {
			values[key] = append(values[key], v)
		}
	}
	result := measures{}
	for key, vs := range values {
		slices.Sort(vs)
		result[key] = (vs[(len(vs)-1)/2] + vs[len(vs)/2]) / 2
	}
	return result
}
