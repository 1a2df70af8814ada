package search

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	faults   prometheus.Counter
	rebuilds prometheus.Counter
	refused  prometheus.Counter
	queries  prometheus.Histogram
}

func newMetrics(x *Index) *metrics {
	f := promauto.With(x.o.Registerer)
	gauge := func(name, help string, read func() float64) {
		f.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read)
	}
	gauge("tocsin_search_lag_entries", "Entries of the changes log that the search index has not read.", func() float64 { return float64(x.Behind().Entries) })
	gauge("tocsin_search_lag_seconds", "Time since the search index was even with the changes log, 0 while it is.", func() float64 { return x.Behind().Lag.Seconds() })
	gauge("tocsin_search_documents", "Incidents in the search index.", func() float64 { return float64(x.Status().Documents) })
	gauge("tocsin_search_incomplete_documents", "Incidents with notes that the search index could not find: older than what is kept.", func() float64 { return float64(x.Status().Incomplete) })
	gauge("tocsin_search_bytes", "Size of the search index's files.", func() float64 { return float64(x.Status().Bytes) })
	return &metrics{
		faults:   f.NewCounter(prometheus.CounterOpts{Name: "tocsin_search_faults_total", Help: "Faults of the search index: changes that could not be read or written, damage found."}),
		rebuilds: f.NewCounter(prometheus.CounterOpts{Name: "tocsin_search_rebuilds_total", Help: "Times the search index was begun anew."}),
		refused:  f.NewCounter(prometheus.CounterOpts{Name: "tocsin_search_refused_total", Help: "Queries that could not be read."}),
		queries:  f.NewHistogram(prometheus.HistogramOpts{Name: "tocsin_search_query_seconds", Help: "Time to answer a query.", Buckets: prometheus.ExponentialBuckets(5e-4, 3, 9)}),
	}
}

// searched counts a query.
func (m *metrics) searched(took time.Duration, err error) {
	m.queries.Observe(took.Seconds())
	if _, bad := errors.AsType[*QueryError](err); bad {
		m.refused.Inc()
	}
}
