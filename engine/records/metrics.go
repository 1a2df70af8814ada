package records

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	entries, droppedSegments, damaged prometheus.Counter
	all                               []prometheus.Collector
}

func newMetrics(s *Store) *metrics {
	name := func(what string) string { return "tocsin_records_" + what }
	counter := func(what, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name(what), Help: help})
	}
	gauge := func(what, help string, f func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name(what), Help: help}, f)
	}
	m := &metrics{
		entries:         counter("entries_total", "Timeline entries written."),
		droppedSegments: counter("dropped_segments_total", "Oldest segments removed at the bound."),
		damaged:         counter("damaged_total", "Places found that do not hold what was written there."),
	}
	m.all = []prometheus.Collector{
		m.entries, m.droppedSegments, m.damaged,
		gauge("size_bytes", "Bytes held in all segments.", func() float64 {
			s.mu.Lock()
			defer s.mu.Unlock()
			return float64(s.bytes())
		}),
		gauge("capacity_bytes", "Bound on the bytes of all segments.", func() float64 { return float64(s.o.MaxBytes) }),
		gauge("incidents", "Incidents in the index.", func() float64 {
			s.mu.Lock()
			defer s.mu.Unlock()
			return float64(s.index.used)
		}),
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

// unregister lets the store be opened again in the same process.
func (m *metrics) unregister(r prometheus.Registerer) {
	if r == nil {
		return
	}
	for _, c := range m.all {
		r.Unregister(c)
	}
}
