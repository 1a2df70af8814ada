package kafka

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/ingest"
	"github.com/tocsin-noc/tocsin/ingest/alertmanager"
	"github.com/tocsin-noc/tocsin/ingest/kafka/deadletters"
)

const (
	queueMessages = 100             // read ahead per partition, and taken in one commit of the journal at most
	groupBytes    = 4 << 20         // more is not put into one commit of the journal
	fetchWait     = time.Second / 2 // a broker holds an empty fetch for so long; so does the end of a generation
	fetchMaxBytes = 4 << 20         // a larger message still comes, alone
	retryMin      = 50 * time.Millisecond
	retryMax      = 2 * time.Second
)

// partition is one assigned partition, for one generation. One goroutine reads and submits; others look at its progress.
type partition struct {
	c     *Consumer
	topic *topic
	id    int
	start int64 // offset to begin at, or kafka.FirstOffset

	mu sync.Mutex
	progress
}

// progress is how far a partition was read. Offsets are -1 while they are not known.
type progress struct {
	next      int64     // first that is not durable
	committed int64     // of this generation
	first     int64     // of the log
	end       int64     // of the log: the offset that the next record will get
	head      time.Time // time of the record at next while it is in hand, else zero
	caughtUp  time.Time // when nothing was left to read, last
	peak      float64   // the highest age, in seconds, of a record that was not durable, since the last look
	fault     fault
}

func newPartition(c *Consumer, t *topic, id int, start int64) *partition {
	p := &partition{c: c, topic: t, id: id, start: start, progress: progress{next: -1, committed: -1, first: -1, end: -1}}
	if start >= 0 {
		p.next, p.committed = start, start
	}
	return p
}

// run reads until ctx ends.
func (p *partition) run(ctx context.Context) {
	p.look(ctx)
	r := kafka.NewReader(kafka.ReaderConfig{
		Brokers: p.c.cfg.Brokers, Topic: p.topic.name, Partition: p.id, Dialer: p.c.dialer,
		QueueCapacity: queueMessages, MaxBytes: fetchMaxBytes, MaxWait: fetchWait,
		ReadLagInterval: -1, ReadBackoffMax: time.Second, MaxAttempts: 1,
		ErrorLogger: kafka.LoggerFunc(func(format string, args ...any) { p.noteFault(fmt.Errorf(format, args...)) }),
	})
	defer r.Close() // always nil
	if err := r.SetOffset(p.start); err != nil {
		p.noteFault(err)
		return
	}
	for ctx.Err() == nil {
		group, err := fetch(ctx, r)
		if err != nil && ctx.Err() == nil {
			p.noteFault(err)
		}
		if len(group) > 0 && !p.take(ctx, group) {
			return
		}
	}
}

// look asks where the log begins and ends. Without an answer the reader, which asks too, goes on trying.
func (p *partition) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	for _, broker := range p.c.cfg.Brokers {
		conn, err := p.c.dialer.DialLeader(ctx, "tcp", broker, p.topic.name, p.id)
		if err != nil {
			p.noteFault(err)
			continue
		}
		defer conn.Close()
		deadline, _ := ctx.Deadline()
		if err := conn.SetDeadline(deadline); err != nil {
			return
		}
		if first, end, err := conn.ReadOffsets(); err == nil {
			p.bounds(time.Now(), p.start, first, end)
		}
		return
	}
}

// fetch waits for a message and returns it with those that have come meanwhile. The reader goes on fetching until its queue
// is full: while the sink takes nothing, nothing more is asked of the broker.
func fetch(ctx context.Context, r *kafka.Reader) (group []kafka.Message, err error) {
	m, err := r.FetchMessage(ctx)
	if err != nil {
		return nil, err
	}
	group, size := append(group, m), len(m.Value)
	for range r.Stats().QueueLength {
		if size >= groupBytes {
			break
		}
		if m, err = r.FetchMessage(ctx); err != nil {
			return group, err
		}
		group, size = append(group, m), size+len(m.Value)
	}
	return group, nil
}

// take makes the messages durable, however long it takes, and tells whether they are.
func (p *partition) take(ctx context.Context, group []kafka.Message) bool {
	if lost := p.inHand(group); lost > 0 {
		p.c.metrics.lost.WithLabelValues(p.topic.name).Add(float64(lost))
		p.c.log.Error("records deleted before they were read", "topic", p.topic.name, "partition", p.id, "records", lost)
	}
	for wait := retryMin; ; wait = min(2*wait, retryMax) {
		batches, rejected := p.decode(group)
		alerts := countAlerts(batches)
		err := p.submit(ctx, batches)
		if err == nil {
			p.c.box.post(ctx, rejected)
			p.durable(group, alerts, rejected)
			return true
		}
		if !p.pause(ctx, wait, err) {
			return false
		}
	}
}

func (p *partition) submit(ctx context.Context, batches []*event.Batch) error {
	if len(batches) == 0 {
		return nil
	}
	return p.c.sink.SubmitAll(ctx, batches)
}

// pause waits before the next try, and tells whether there is to be one.
func (p *partition) pause(ctx context.Context, wait time.Duration, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	p.c.metrics.retries.WithLabelValues(p.topic.name).Inc()
	p.topic.account.Failed(ingest.Overload, err.Error(), time.Now())
	p.noteFault(fmt.Errorf("not taken in, trying again: %w", err))
	select {
	case <-ctx.Done():
		return false
	case <-time.After(wait):
		return true
	}
}

// rejected is a message that is bad in whole or in part.
type rejected struct {
	deadletters.Letter
	code int // of the Rejection; 0 when only single alerts were refused
}

// decode makes a batch of each message that holds alerts. It is done anew for every try, as the sink keeps the batches of the
// last.
func (p *partition) decode(group []kafka.Message) (batches []*event.Batch, bad []rejected) {
	for i := range group {
		m := &group[i]
		switch {
		case blank(m):
			continue
		case len(m.Value) > p.c.opts.MaxMessageBytes:
			bad = append(bad, p.reject(m, tooLarge(m, p.c.opts.MaxMessageBytes)))
			continue
		}
		b, rejection := p.batch(m)
		if rejection != nil {
			bad = append(bad, p.reject(m, rejection))
		}
		if len(b.Events) == 0 {
			p.c.sink.Recycle(b)
			continue
		}
		batches = append(batches, b)
	}
	return batches, bad
}

// batch reads a message.
func (p *partition) batch(m *kafka.Message) (*event.Batch, *alertmanager.Rejection) {
	now := event.FromTime(time.Now())
	b := p.c.sink.NewBatch()
	b.Source = p.topic.source
	b.Position = event.Position{Cluster: p.c.cfg.Name, Topic: p.topic.name, Partition: int32(p.id), Offset: m.Offset}
	b.Sent = min(event.FromTime(m.Time), now) // a sender's clock may run ahead
	b.Body = append(b.Body[:0], m.Value...)
	return b, p.topic.decode(b, cmp.Or(b.Sent, now), p.c.opts.Limits)
}

// blank tells whether a message is none: a tombstone of a compacted topic, or the mark that ends a transaction, which
// kafka-go hands out like a message (a key of version 0 and type 0 or 1, a value of version 0 and the coordinator's epoch).
func blank(m *kafka.Message) bool {
	mark := len(m.Key) == 4 && len(m.Value) == 6 && m.Key[0] == 0 && m.Key[1] == 0 && m.Key[2] == 0 && m.Value[0] == 0 && m.Value[1] == 0
	return len(m.Value) == 0 || mark
}

func countAlerts(batches []*event.Batch) (n int) {
	for _, b := range batches {
		n += len(b.Events)
	}
	return n
}
