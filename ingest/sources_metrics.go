package ingest

import "github.com/prometheus/client_golang/prometheus"

// seenSources is the label of all sources that no configuration names: their names are the senders' own words, without bound.
const seenSources = "without_key"

type metrics struct {
	events, overCap *prometheus.CounterVec
	errors          *prometheus.CounterVec
}

// sourceMetrics are one label value's counters, looked up once.
type sourceMetrics struct {
	events, overCap prometheus.Counter
	errors          [maxClass]prometheus.Counter // by Class
}

func newMetrics(reg prometheus.Registerer, s *Sources) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "tocsin", Subsystem: "ingest", Name: name, Help: help}, labels)
	}
	m := &metrics{
		events:  counter("events_total", "Events that became durable, by configured source.", "source"),
		overCap: counter("over_cap_total", "Alerts refused because their source had limits.alerts_per_source active ones.", "source"),
		errors:  counter("errors_total", "Requests and alerts that were refused, by configured source and class.", "source", "class"),
	}
	known := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "tocsin", Subsystem: "ingest", Name: "seen_sources", Help: "Sources without a key that are told apart.",
	}, func() float64 {
		s.mu.RLock()
		defer s.mu.RUnlock()
		return float64(s.seen)
	})
	capacity := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "tocsin", Subsystem: "ingest", Name: "seen_sources_capacity", Help: "Sources without a key that can be told apart.",
	}, func() float64 { return maxSeen })
	for _, c := range []prometheus.Collector{m.events, m.overCap, m.errors, known, capacity} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) of(source string) *sourceMetrics {
	out := &sourceMetrics{events: m.events.WithLabelValues(source), overCap: m.overCap.WithLabelValues(source)}
	for class := Malformed; class < maxClass; class++ {
		out.errors[class] = m.errors.WithLabelValues(source, class.String())
	}
	return out
}
