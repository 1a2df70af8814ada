package disk

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of one log; the label log tells several apart.
type metrics struct {
	records, bytes, commits prometheus.Counter
	full                    prometheus.Counter
	sync                    prometheus.Histogram
	failed                  prometheus.Gauge
	cut                     prometheus.Gauge
	all                     []prometheus.Collector
}

func newMetrics(l *Log) *metrics {
	labels := prometheus.Labels{"log": l.o.Name}
	name := func(what string) string { return "tocsin_journal_" + what }
	m := &metrics{
		records: prometheus.NewCounter(prometheus.CounterOpts{Name: name("records_total"), Help: "Records made durable.", ConstLabels: labels}),
		bytes:   prometheus.NewCounter(prometheus.CounterOpts{Name: name("written_bytes_total"), Help: "Bytes made durable, frames included.", ConstLabels: labels}),
		commits: prometheus.NewCounter(prometheus.CounterOpts{Name: name("commits_total"), Help: "Commits, each one write and one sync.", ConstLabels: labels}),
		full:    prometheus.NewCounter(prometheus.CounterOpts{Name: name("full_total"), Help: "Writes refused because the disk or quota is full.", ConstLabels: labels}),
		sync: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: name("sync_seconds"), Help: "Duration of the sync of a commit.", ConstLabels: labels,
			Buckets: prometheus.ExponentialBuckets(50e-6, 2.5, 12),
		}),
		failed: prometheus.NewGauge(prometheus.GaugeOpts{Name: name("failed"), Help: "1 after a failed sync: the log refuses to write until reopened.", ConstLabels: labels}),
		cut:    prometheus.NewGauge(prometheus.GaugeOpts{Name: name("repair_cut_bytes"), Help: "Bytes of an unfinished commit that opening the log cleared.", ConstLabels: labels}),
	}
	gauge := func(what, help string, f func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name(what), Help: help, ConstLabels: labels}, f)
	}
	m.all = []prometheus.Collector{
		m.records, m.bytes, m.commits, m.full, m.sync, m.failed, m.cut,
		gauge("size_bytes", "Bytes held in all segments.", func() float64 { return float64(l.Size()) }),
		gauge("segments", "Segment files.", func() float64 { return float64(l.Segments()) }),
		gauge("first_seq", "Lowest sequence number that can be read.", func() float64 { return float64(l.First()) }),
		gauge("last_seq", "Sequence number of the last durable record.", func() float64 { return float64(l.Last()) }),
	}
	return m
}

func (m *metrics) register(r prometheus.Registerer) error {
	if r == nil {
		return nil
	}
	for _, c := range m.all {
		if err := r.Register(c); err != nil {
			m.unregister(r)
			return err
		}
	}
	return nil
}

// unregister lets the log be opened again in the same process.
func (m *metrics) unregister(r prometheus.Registerer) {
	if r == nil {
		return
	}
	for _, c := range m.all {
		r.Unregister(c)
	}
}

func (m *metrics) appended(records, bytes int) {
	m.commits.Inc()
	m.records.Add(float64(records))
	m.bytes.Add(float64(bytes))
}

func (m *metrics) synced(d time.Duration) { m.sync.Observe(d.Seconds()) }
