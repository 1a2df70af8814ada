package kafka

import (
	"cmp"
	"slices"
	"time"

	"github.com/tocsin-noc/tocsin/event"
)

// Status is what is known of a cluster and its topics. Times are zero for never, errors "" for none.
type Status struct {
	Cluster     string
	LastContact time.Time // when it answered last; before the first answer, when Run began
	LastError   string    // why it cannot be reached or joined; "" while it can
	LastErrorAt time.Time
	Topics      []TopicStatus // as configured
}

// TopicStatus is what is known of a topic.
type TopicStatus struct {
	Topic       string
	Source      event.Source
	LastWord    time.Time // when a message of it became durable last
	Messages    uint64    // dealt with since the start
	Alerts      uint64    // that became durable since then
	DeadLetters uint64    // messages that were refused in whole or in part since then
	LastError   string    // of the topic, or of the partition that failed last; "" when all is well
	LastErrorAt time.Time
	Lagging     bool              // more than a minute behind, and not caught up yet
	LagMessages int64             // of all partitions here
	LagSeconds  float64           // of the worst partition here
	Partitions  []PartitionStatus // those assigned to this daemon
}

// PartitionStatus is what is known of a partition. Offsets are -1 while unknown.
type PartitionStatus struct {
	Partition   int
	NextOffset  int64 // the first that is not durable
	EndOffset   int64 // what the next record will get
	LagMessages int64
	LagSeconds  float64 // how long the oldest message that is not durable has been waiting
	LastError   string
	LastErrorAt time.Time
}

// Status returns what is known now. It asks nobody.
func (c *Consumer) Status() Status {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	worst := cmp.Or(c.away, c.outside)
	s := Status{Cluster: c.cfg.Name, LastContact: c.contact, LastError: worst.text, LastErrorAt: worst.at}
	for _, cfg := range c.cfg.Topics {
		s.Topics = append(s.Topics, c.topicStatusLocked(now, c.topics[cfg.Topic]))
	}
	return s
}

func (c *Consumer) topicStatusLocked(now time.Time, t *topic) TopicStatus {
	s := TopicStatus{
		Topic: t.name, Source: t.source, LastWord: t.lastWord, Messages: t.messages, Alerts: t.alerts, DeadLetters: t.refused,
		LastError: t.fault.text, LastErrorAt: t.fault.at, Lagging: t.lag.gap > 0,
	}
	for _, p := range c.partitions {
		if p.topic != t {
			continue
		}
		part := p.status(now)
		s.Partitions = append(s.Partitions, part)
		s.LagMessages += part.LagMessages
		s.LagSeconds = max(s.LagSeconds, part.LagSeconds)
		if part.LastErrorAt.After(s.LastErrorAt) {
			s.LastError, s.LastErrorAt = part.LastError, part.LastErrorAt
		}
	}
	slices.SortFunc(s.Partitions, func(a, b PartitionStatus) int { return cmp.Compare(a.Partition, b.Partition) })
	return s
}

func (p *partition) status(now time.Time) PartitionStatus {
	messages, seconds := p.behind(now)
	p.mu.Lock()
	defer p.mu.Unlock()
	return PartitionStatus{
		Partition: p.id, NextOffset: p.next, EndOffset: p.end, LagMessages: messages, LagSeconds: seconds,
		LastError: p.fault.text, LastErrorAt: p.fault.at,
	}
}
