package engine

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	refused        prometheus.Counter
	inputs         prometheus.Counter
	bytes          prometheus.Counter
	commits        prometheus.Counter
	stepSeconds    prometheus.Histogram
	views          prometheus.Counter
	snapshotErrors prometheus.Counter
}

func newMetrics(e *Engine) *metrics {
	f := promauto.With(e.o.Registerer)
	gauge := func(name, help string, read func() float64) {
		f.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read)
	}
	gauge("tocsin_engine_queue_alerts", "Alerts accepted and not yet durable.", func() float64 { return float64(e.queued.Load()) })
	gauge("tocsin_engine_queue_limit_alerts", "Alerts that may wait to become durable; beyond it senders get 503.", func() float64 { return float64(e.o.QueueAlerts) })
	gauge("tocsin_engine_changes_lag_inputs", "Inputs acknowledged whose changes are not yet durable.", func() float64 { return max(0, float64(e.acked.Load())-float64(e.changes.Last())) })
	gauge("tocsin_engine_clock_jump_seconds", "How far the wall clock is off after a jump; deadlines wait while it is not 0.", func() float64 { return e.clock.jumped().Seconds() })
	gauge("tocsin_engine_start_replayed_inputs", "Inputs stepped again at the last start.", func() float64 { return float64(e.started.Replayed) })
	gauge("tocsin_engine_start_differences", "Decisions that came out otherwise than logged at the last start; must be 0.", func() float64 { return float64(e.started.Differences) })
	gauge("tocsin_engine_shadow_behind_inputs", "Inputs that the shadow of other rules has yet to step, -1 when none runs.", func() float64 {
		if s := e.Shadow(); s.Running {
			return float64(s.Behind)
		}
		return -1
	})
	gauge("tocsin_engine_snapshot_age_seconds", "Age of the last snapshot of this run, -1 before the first.", func() float64 {
		if s := e.lastSaved.Load(); s != nil {
			return time.Since(s.At).Seconds()
		}
		return -1
	})
	return &metrics{
		refused:        f.NewCounter(prometheus.CounterOpts{Name: "tocsin_engine_refused_total", Help: "Requests refused because the queue or the disk was full."}),
		inputs:         f.NewCounter(prometheus.CounterOpts{Name: "tocsin_engine_inputs_total", Help: "Inputs made durable."}),
		bytes:          f.NewCounter(prometheus.CounterOpts{Name: "tocsin_engine_inputs_bytes_total", Help: "Bytes of inputs made durable."}),
		commits:        f.NewCounter(prometheus.CounterOpts{Name: "tocsin_engine_commits_total", Help: "Commits, each one write and one sync for all that waited."}),
		stepSeconds:    f.NewHistogram(prometheus.HistogramOpts{Name: "tocsin_engine_step_seconds", Help: "Time to step what one commit held.", Buckets: prometheus.ExponentialBuckets(1e-5, 4, 9)}),
		views:          f.NewCounter(prometheus.CounterOpts{Name: "tocsin_engine_views_total", Help: "Views taken of the state."}),
		snapshotErrors: f.NewCounter(prometheus.CounterOpts{Name: "tocsin_engine_snapshot_errors_total", Help: "Snapshots that could not be written."}),
	}
}

func (m *metrics) committed(inputs, bytes int) {
	m.commits.Inc()
	m.inputs.Add(float64(inputs))
	m.bytes.Add(float64(bytes))
}

func (m *metrics) stepped(took time.Duration) { m.stepSeconds.Observe(took.Seconds()) }
