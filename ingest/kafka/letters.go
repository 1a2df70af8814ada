package kafka

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/tocsin-noc/tocsin/ingest/alertmanager"
	"github.com/tocsin-noc/tocsin/ingest/kafka/deadletters"
)

const (
	postTimeout = 5 * time.Second
	postPause   = 30 * time.Second // after a failure, letters go to disk for so long: trying must not hold partitions up
)

// Where a dead letter ended, as the metric calls it.
const (
	toTopic = "topic"
	toDisk  = "disk"
	nowhere = "lost"
)

// letterBox takes dead letters of all partitions: to the topic when there is one that works, else to disk.
type letterBox struct {
	c *Consumer

	mu     sync.Mutex
	paused time.Time // until when the topic is not tried
}

// post returns when the letters are written. It never fails: what no place takes is counted and logged.
func (b *letterBox) post(ctx context.Context, bad []rejected) {
	if len(bad) == 0 {
		return
	}
	letters := make([]deadletters.Letter, len(bad))
	for i := range bad {
		l := bad[i].Letter
		letters[i] = l
		b.c.log.Debug("message refused", "topic", l.Topic, "partition", l.Partition, "offset", l.Offset,
			"reason", l.Reason, "place", l.Place, "alerts_kept", l.Kept, "alerts_refused", l.Refused)
	}
	rest := letters
	if b.usable() {
		rest = b.produce(ctx, letters)
	}
	b.count(letters, toTopic, len(letters)-len(rest))
	if len(rest) == 0 {
		return
	}
	if err := b.c.opts.DeadLetters.Add(rest...); err != nil {
		b.c.log.Error("dead letters lost", "letters", len(rest), "err", err)
		b.count(rest, nowhere, len(rest))
		return
	}
	b.count(rest, toDisk, len(rest))
}

// count counts n of the letters, which are all of one topic.
func (b *letterBox) count(letters []deadletters.Letter, where string, n int) {
	b.c.metrics.letters.WithLabelValues(letters[0].Topic, where).Add(float64(n))
}

func (b *letterBox) usable() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.c.cfg.DeadLetterTopic != "" && time.Now().After(b.paused)
}

// produce writes the letters to the topic and returns those that it did not take.
func (b *letterBox) produce(ctx context.Context, letters []deadletters.Letter) []deadletters.Letter {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), postTimeout) // the alerts of the message are durable already
	defer cancel()
	transport := b.c.transport([]string{b.c.cfg.DeadLetterTopic})
	defer transport.CloseIdleConnections()
	w := &kafka.Writer{
		Addr: kafka.TCP(b.c.cfg.Brokers...), Topic: b.c.cfg.DeadLetterTopic, Transport: transport,
		RequiredAcks: kafka.RequireAll, MaxAttempts: 3, BatchTimeout: time.Millisecond,
		BatchBytes:  2 * int64(defaultMaxMessageBytes), // the broker has its own idea, which counts
		ReadTimeout: postTimeout, WriteTimeout: postTimeout,
	}
	defer w.Close() // nothing is pending
	messages := make([]kafka.Message, len(letters))
	for i := range letters {
		messages[i] = message(&letters[i])
	}
	err := w.WriteMessages(ctx, messages...)
	if err == nil {
		return nil
	}
	b.c.log.Warn("dead letter topic not written, letters go to disk", "topic", b.c.cfg.DeadLetterTopic, "err", err)
	var each kafka.WriteErrors
	if !errors.As(err, &each) {
		b.pause()
		return letters
	}
	var rest []deadletters.Letter
	for i, err := range each {
		if err != nil {
			rest = append(rest, letters[i])
		}
		// A letter that is too large for the topic says nothing about the others.
		if err != nil && !errors.Is(err, kafka.MessageSizeTooLarge) {
			b.pause()
		}
	}
	return rest
}

// pause stops writing to the topic for a while.
func (b *letterBox) pause() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.paused = time.Now().Add(postPause)
}

// reject makes a dead letter of a message. The rejection's texts may lie in the batch's body, which is used again.
func (p *partition) reject(m *kafka.Message, r *alertmanager.Rejection) rejected {
	l := deadletters.Letter{
		Time: time.Now().UTC(), Cluster: p.c.cfg.Name, Topic: p.topic.name, Partition: p.id, Offset: m.Offset, Sent: m.Time.UTC(),
		Source: p.topic.source.Name, Tenant: p.topic.source.Tenant, Format: string(p.topic.format),
		Reason: strings.Clone(r.Message), Place: strings.Clone(r.Place), Hint: strings.Clone(r.Hint), Kept: r.Kept, Refused: r.Refused,
		Key: m.Key, Value: m.Value,
	}
	for _, h := range m.Headers {
		if !deadletters.Secret(h.Key) {
			l.Headers = append(l.Headers, deadletters.Header{Name: h.Key, Value: h.Value})
		}
	}
	return rejected{l, r.Code}
}

func tooLarge(m *kafka.Message, limit int) *alertmanager.Rejection {
	return &alertmanager.Rejection{
		Code:    http.StatusRequestEntityTooLarge,
		Message: fmt.Sprintf("message of %d bytes, at most %d are read (limits.body_bytes)", len(m.Value), limit),
		Hint:    "send smaller messages or raise limits.body_bytes",
	}
}

// message returns the letter as it stands in the dead letter topic: the message as it was, and the verdict in headers.
func message(l *deadletters.Letter) kafka.Message {
	m := kafka.Message{Key: l.Key, Value: l.Value}
	for _, h := range l.Headers {
		m.Headers = append(m.Headers, kafka.Header{Key: h.Name, Value: h.Value})
	}
	for _, h := range []struct{ name, value string }{
		{"tocsin-reason", l.Reason},
		{"tocsin-place", l.Place},
		{"tocsin-hint", l.Hint},
		{"tocsin-kept", strconv.Itoa(l.Kept)},
		{"tocsin-refused", strconv.Itoa(l.Refused)},
		{"tocsin-source-cluster", l.Cluster},
		{"tocsin-source-topic", l.Topic},
		{"tocsin-source-partition", strconv.Itoa(l.Partition)},
		{"tocsin-source-offset", strconv.FormatInt(l.Offset, 10)},
		{"tocsin-source-time", l.Sent.Format(time.RFC3339Nano)},
		{"tocsin-time", l.Time.Format(time.RFC3339Nano)},
	} {
		m.Headers = append(m.Headers, kafka.Header{Key: h.name, Value: []byte(h.value)})
	}
	return m
}
