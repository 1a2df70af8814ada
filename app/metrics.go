package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tocsin-noc/tocsin/internal/config"
)

// What became of the daemon's own sign of life when it was due.
const (
	beatTaken    = "taken"
	beatFailed   = "failed"   // refused, or nobody answered
	beatWithheld = "withheld" // the daemon was not ready
)

// ownMetrics are those of the wiring itself.
type ownMetrics struct {
	beats    *prometheus.CounterVec
	lastBeat prometheus.Gauge
}

// newOwnMetrics registers them. Those of a heartbeat and of a history that nobody wants are there too, and say nothing.
func newOwnMetrics(r prometheus.Registerer, a *App) *ownMetrics {
	m := &ownMetrics{
		beats: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tocsin_app_heartbeat_total", Help: "Times that the daemon's own sign of life was due, by what became of it.",
		}, []string{"outcome"}),
		lastBeat: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tocsin_app_heartbeat_taken_timestamp_seconds", Help: "When the daemon's own sign of life was last taken, 0 when it was not since the start.",
		}),
	}
	for _, outcome := range []string{beatTaken, beatFailed, beatWithheld} {
		m.beats.WithLabelValues(outcome)
	}
	r.MustRegister(m.beats, m.lastBeat, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "tocsin_history_missing", Help: "1 while a history is wanted and has not been opened since the start.",
	}, func() float64 {
		if a.settings.config.History.URL == config.HistoryNone || a.history.once.Load() {
			return 0
		}
		return 1
	}))
	return m
}
