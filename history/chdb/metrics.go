package chdb

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are asked when somebody scrapes.
type metrics struct {
	registerer prometheus.Registerer
	collectors []prometheus.Collector
}

func newMetrics(r prometheus.Registerer, e *Engine) (*metrics, error) {
	m := &metrics{registerer: r}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "tocsin_history_engine_up", Help: "Whether the embedded ClickHouse answered the last look at it.",
		}, func() float64 {
			if e.Healthy() != nil {
				return 0
			}
			return 1
		}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "tocsin_history_engine_restarts_total", Help: "How often the embedded ClickHouse was started again.",
		}, func() float64 { return float64(e.Restarts()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "tocsin_history_engine_rss_bytes", Help: "Resident memory of the embedded ClickHouse's process.",
		}, func() float64 { return float64(residentBytes(e.PID())) }),
	} {
		if err := r.Register(c); err != nil {
			m.unregister()
			return nil, fmt.Errorf("chdb: metrics: %w", err)
		}
		m.collectors = append(m.collectors, c)
	}
	return m, nil
}

func (m *metrics) unregister() {
	if m == nil {
		return
	}
	for _, c := range m.collectors {
		m.registerer.Unregister(c)
	}
}
