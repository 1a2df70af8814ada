package projection

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	rows    *prometheus.CounterVec
	batches prometheus.Counter
	errors  prometheus.Counter
	gaps    prometheus.Counter
	took    prometheus.Histogram
}

func newMetrics(p *Projector) *metrics {
	f := promauto.With(p.o.Registerer)
	gauge := func(name, help string, read func() float64) {
		f.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read)
	}
	gauge("tocsin_history_lag_entries", "Inputs whose changes are not in the history yet.", func() float64 { return float64(p.Status().Entries()) })
	gauge("tocsin_history_lag_seconds", "Time since the history was even with the changes log, 0 while it is.", func() float64 { return p.Status().Lag.Seconds() })
	gauge("tocsin_history_up", "1 while the history's database answers.", func() float64 {
		if p.Status().Up {
			return 1
		}
		return 0
	})
	counter := func(name, help string) prometheus.Counter {
		return f.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	return &metrics{
		rows:    f.NewCounterVec(prometheus.CounterOpts{Name: "tocsin_history_rows_total", Help: "Rows inserted into the history, by table."}, []string{"table"}),
		batches: counter("tocsin_history_batches_total", "Batches inserted into the history."),
		errors:  counter("tocsin_history_errors_total", "Batches that could not be inserted into the history, and were tried again."),
		gaps:    counter("tocsin_history_gap_entries_total", "Inputs whose changes were dropped before they were in the history."),
		took: f.NewHistogram(prometheus.HistogramOpts{
			Name: "tocsin_history_batch_seconds", Help: "Time to insert a batch and recompute what is derived from it.", Buckets: prometheus.ExponentialBuckets(5e-3, 3, 9),
		}),
	}
}
