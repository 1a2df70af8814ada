package kafka

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are a consumer's. The topics are those of the configuration; the gauges of partitions are made when they are
// asked for, so that none outlives its assignment.
type metrics struct {
	messages, alerts, retries, lost, letters *prometheus.CounterVec
	commitErrors                             prometheus.Counter

	c                                     *Consumer
	lagMessages, lagSeconds, errors, seen *prometheus.Desc
}

func newMetrics(c *Consumer) *metrics {
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tocsin_kafka_" + name, Help: help}, append([]string{"topic"}, labels...))
	}
	m := &metrics{
		c:        c,
		messages: vec("messages_total", "Messages that were dealt with."),
		alerts:   vec("alerts_total", "Alerts that were made durable."),
		retries:  vec("retries_total", "Tries that the engine refused because it was busy or full; nothing is lost by them."),
		lost:     vec("deleted_unread_messages_total", "Messages that the broker deleted before they were read."),
		letters:  vec("dead_letters_total", "Messages refused in whole or in part, by where they ended: topic, disk, lost.", "where"),
		commitErrors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tocsin_kafka_commit_errors_total", Help: "Offset commits that failed; a later one makes up for them.",
		}),
		lagMessages: prometheus.NewDesc("tocsin_kafka_lag_messages", "Messages of an assigned partition that are not durable yet.",
			[]string{"topic", "partition"}, nil),
		lagSeconds: prometheus.NewDesc("tocsin_kafka_lag_seconds", "How long the oldest of them has been waiting.",
			[]string{"topic", "partition"}, nil),
		errors: prometheus.NewDesc("tocsin_kafka_partition_failing", "1 while an assigned partition cannot be read or its messages are not taken.",
			[]string{"topic", "partition"}, nil),
		seen: prometheus.NewDesc("tocsin_kafka_last_contact_timestamp_seconds", "When the cluster answered last.", nil, nil),
	}
	for name := range c.topics {
		for _, v := range []*prometheus.CounterVec{m.messages, m.alerts, m.retries, m.lost} {
			v.WithLabelValues(name)
		}
		for _, where := range []string{toTopic, toDisk, nowhere} {
			m.letters.WithLabelValues(name, where)
		}
	}
	return m
}

// register registers all or nothing.
func (m *metrics) register(r prometheus.Registerer) error {
	var done []prometheus.Collector
	for _, c := range []prometheus.Collector{m, m.messages, m.alerts, m.retries, m.lost, m.letters, m.commitErrors} {
		if err := r.Register(c); err != nil {
			for _, c := range done {
				r.Unregister(c)
			}
			return err
		}
		done = append(done, c)
	}
	return nil
}

// Describe implements prometheus.Collector for the gauges.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.lagMessages, m.lagSeconds, m.errors, m.seen} {
		ch <- d
	}
}

// Collect implements prometheus.Collector for the gauges.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	status := m.c.Status()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	if !status.LastContact.IsZero() {
		gauge(m.seen, float64(status.LastContact.UnixMilli())/float64(time.Second/time.Millisecond))
	}
	for _, t := range status.Topics {
		for _, p := range t.Partitions {
			id := strconv.Itoa(p.Partition)
			gauge(m.lagMessages, float64(p.LagMessages), t.Topic, id)
			gauge(m.lagSeconds, p.LagSeconds, t.Topic, id)
			failing := 0.0
			if p.LastError != "" {
				failing = 1
			}
			gauge(m.errors, failing, t.Topic, id)
		}
	}
}
