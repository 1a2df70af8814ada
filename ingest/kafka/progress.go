package kafka

import (
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
)

// inHand notes messages that were read and are not durable yet. It returns how many before or among them were deleted unread.
// Offsets that are missing for another reason (a compacted topic) lie after the log's first.
func (p *partition) inHand(group []kafka.Message) (lost int64) {
	last := &group[len(group)-1]
	p.mu.Lock()
	defer p.mu.Unlock()
	expected := p.next
	for i := range group {
		if expected >= 0 {
			lost += max(0, min(p.first, group[i].Offset)-expected)
		}
		expected = group[i].Offset + 1
	}
	p.next = group[0].Offset
	p.head = group[0].Time
	p.end = max(p.end, last.HighWaterMark, last.Offset+1)
	return lost
}

// durable notes that the messages in hand are dealt with: alerts are durable, and what was bad is a dead letter.
func (p *partition) durable(group []kafka.Message, alerts int, bad []rejected) {
	now := time.Now()
	p.mu.Lock()
	p.peak = max(p.peak, age(now, p.head))
	p.head = time.Time{}
	p.next = group[len(group)-1].Offset + 1
	p.fault = fault{}
	if p.next >= p.end {
		p.caughtUp = now
	}
	p.mu.Unlock()
	p.book(now, len(group), alerts, bad)
}

// book adds to the figures of the topic and its source.
func (p *partition) book(now time.Time, messages, alerts int, bad []rejected) {
	t := p.topic
	p.c.metrics.messages.WithLabelValues(t.name).Add(float64(messages))
	p.c.metrics.alerts.WithLabelValues(t.name).Add(float64(alerts))
	if alerts > 0 {
		t.account.Took(alerts, now)
	}
	for i := range bad {
		bad[i].book(t.account, now)
	}
	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	t.lastWord = now
	t.messages += uint64(messages)
	t.alerts += uint64(alerts)
	t.refused += uint64(len(bad))
}

// uncommitted returns the offset to commit, and whether it is not committed already.
func (p *partition) uncommitted() (next int64, moved bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// While a message is in hand next is its own offset: what lies before it is durable.
	return p.next, p.next >= 0 && p.next != p.committed
}

func (p *partition) setCommitted(next int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.committed = next
}

// bounds notes where the log begins and ends, as the broker says. asked is p.next as it was before the broker was asked.
func (p *partition) bounds(now time.Time, asked, first, end int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if asked > end {
		p.end, p.fault = end, fault{recreated(asked, end), now}
		return
	}
	p.first = first
	if p.next < 0 {
		p.next = first
	}
	p.end = max(end, p.next)
	if p.next == p.end && p.head.IsZero() {
		p.caughtUp, p.fault = now, fault{}
	}
}

func recreated(next, end int64) string {
	return fmt.Sprintf("the log ends at offset %d, but was read up to %d before; "+
		"if the topic was created anew, give the cluster another name and group in the configuration", end, next)
}

// position returns the offset of the first record that is not durable, -1 while it is unknown.
func (p *partition) position() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.next
}

// behind returns how many records are not durable, and for how many seconds the oldest of them has been waiting.
func (p *partition) behind(now time.Time) (messages int64, seconds float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next < 0 || p.end <= p.next {
		return 0, 0
	}
	since := p.head
	if since.IsZero() {
		since = p.caughtUp // zero at first: unknown until a message is in hand
	}
	return p.end - p.next, age(now, since)
}

// takePeak returns the highest age since the last call, in seconds.
func (p *partition) takePeak() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	peak := p.peak
	p.peak = 0
	return peak
}

func (p *partition) noteFault(err error) {
	p.c.log.Debug("partition delayed", "topic", p.topic.name, "partition", p.id, "err", err)
	now := time.Now()
	p.mu.Lock()
	p.fault = fault{err.Error(), now}
	p.mu.Unlock()
}

// age returns the seconds from then to now; a time that is unknown or to come is of no age.
func age(now, then time.Time) float64 {
	if then.UnixMilli() <= 0 {
		return 0
	}
	return max(0, now.Sub(then).Seconds())
}
