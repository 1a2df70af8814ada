package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/journal"
)

// NewBatch returns an empty batch to fill and Submit; Recycle gives back one that is not submitted.
func (e *Engine) NewBatch() *event.Batch { return e.batches.Get().(*event.Batch) }

// Recycle takes a batch back. Nothing may point into it.
func (e *Engine) Recycle(b *event.Batch) {
	if cap(b.Body) <= 1<<20 { // a rare giant is left to the collector
		b.Reset()
		e.batches.Put(b)
	}
}

// Submit appends a batch to the journal and returns when it is durable. The batch is the engine's from here on, whatever the
// outcome. ErrBusy, ErrFull and ErrClosed mean that it was not accepted; when ctx ends first, nobody knows.
func (e *Engine) Submit(ctx context.Context, b *event.Batch) error {
	return e.submit(ctx, single(event.Input{Kind: event.InputEvents, Batch: b}))
}

// SubmitAll is Submit for batches that must keep their order; they are durable together or not at all.
func (e *Engine) SubmitAll(ctx context.Context, batches []*event.Batch) error {
	if len(batches) == 0 {
		return nil
	}
	r := &request{done: make(chan error, 1)}
	for _, b := range batches {
		r.inputs = append(r.inputs, event.Input{Kind: event.InputEvents, Batch: b})
	}
	return e.submit(ctx, r)
}

// weight is what a request counts in the queue: its alerts and something for the request itself, and its bytes.
func (r *request) weight() (alerts, bytes int64) {
	alerts = 1
	for i := range r.inputs {
		if b := r.inputs[i].Batch; b != nil {
			alerts += int64(len(b.Events))
			bytes += int64(b.Size())
		}
	}
	return alerts, bytes
}

func (e *Engine) submit(ctx context.Context, r *request) error {
	if err := e.enqueue(r); err != nil {
		e.drop(r)
		return err
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("engine: not known whether it was accepted: %w", ctx.Err())
	case <-e.done:
		select {
		case err := <-r.done:
			return err
		default:
			return ErrClosed
		}
	}
}

func (e *Engine) enqueue(r *request) error {
	alerts, bytes := r.weight()
	queued, size := e.queued.Add(alerts), e.queuedBytes.Add(bytes)
	if queued > int64(e.o.QueueAlerts)+alerts || size > maxQueueBytes+bytes { // what comes first is let in, however large
		return e.unqueue(r, ErrBusy)
	}
	select {
	case <-e.done:
		return e.unqueue(r, ErrClosed)
	case e.queue <- r:
		return nil
	default:
		return e.unqueue(r, ErrBusy)
	}
}

// unqueue takes back what a refused request counted.
func (e *Engine) unqueue(r *request, why error) error {
	alerts, bytes := r.weight()
	e.queued.Add(-alerts)
	e.queuedBytes.Add(-bytes)
	if errors.Is(why, ErrBusy) {
		e.refuse()
	}
	return why
}

// drop recycles what was not accepted.
func (e *Engine) drop(r *request) {
	for i := range r.inputs {
		if b := r.inputs[i].Batch; b != nil {
			e.Recycle(b)
		}
	}
}

// refusals remembers since when senders are being turned away: what expires meanwhile is not their fault.
type refusals struct{ first, last atomic.Int64 } // ms

func (e *Engine) refuse() {
	e.metrics.refused.Inc()
	now := time.Now().UnixMilli()
	e.refused.first.CompareAndSwap(0, now)
	e.refused.last.Store(now)
}

// over returns for how long senders were turned away, once that has ended and was long enough to matter.
func (r *refusals) over() event.Time {
	first, last := r.first.Load(), r.last.Load()
	if first == 0 || time.Now().UnixMilli()-last < 2000 {
		return 0
	}
	r.first.Store(0)
	if last-first < 5000 {
		return 0
	}
	return event.Time(last - first)
}

const (
	// Bounds of one commit; a request is never split.
	maxCommitRequests = 1024
	maxCommitBytes    = 8 << 20
	// maxQueueBytes bounds the memory of what waits to become durable.
	maxQueueBytes = 256 << 20
)

// committer owns the journal's writing end.
type committer struct {
	e       *Engine
	enc     *event.Encoder
	segment uint64
	roll    bool // the encoder and the segment no longer agree on what was written
	reqs    []*request
	recs    []journal.Record
	ends    []int // of each record in buf
	buf     []byte
	seq     uint64
}

func (e *Engine) commitLoop(ctx context.Context) {
	defer close(e.stepped)
	c := &committer{e: e, enc: newEncoder(), roll: true, seq: e.acked.Load()}
	for {
		select {
		case r := <-e.queue:
			c.collect(r)
			if !c.commit() {
				return
			}
		case <-ctx.Done():
			c.drain()
			return
		}
	}
}

// drain commits what was queued before the stop.
func (c *committer) drain() {
	for {
		select {
		case r := <-c.e.queue:
			c.collect(r)
			if !c.commit() {
				return
			}
		default:
			return
		}
	}
}

// collect gathers all that wait, up to the bounds of one commit.
func (c *committer) collect(first *request) {
	c.reqs = append(c.reqs[:0], first)
	_, size := first.weight()
	for len(c.reqs) < maxCommitRequests && size < maxCommitBytes {
		select {
		case r := <-c.e.queue:
			c.reqs = append(c.reqs, r)
			_, bytes := r.weight()
			size += bytes
		default:
			return
		}
	}
}

// commit makes what was collected durable, answers, and hands it to the stepper. It returns false when the engine is done for.
func (c *committer) commit() bool {
	e := c.e
	var alerts, bytes int64
	for _, r := range c.reqs {
		n, size := r.weight()
		alerts, bytes = alerts+n, bytes+size
	}
	err := c.append()
	e.queued.Add(-alerts)
	e.queuedBytes.Add(-bytes)
	if err != nil {
		return c.refuse(err)
	}
	e.acked.Store(c.seq)
	for _, r := range c.reqs {
		r.done <- nil
	}
	e.stepped <- slices.Clone(c.reqs)
	if gap := e.refused.over(); gap > 0 {
		c.reqs = append(c.reqs[:0], single(event.Input{Kind: event.InputResumed, Gap: gap}))
		return c.commit()
	}
	return true
}

func (c *committer) append() error {
	at, seq, writer := c.e.clock.now(), c.seq, c.e.writer
	for _, r := range c.reqs {
		for i := range r.inputs {
			seq++
			writer.N++
			r.inputs[i].Seq, r.inputs[i].At, r.inputs[i].Writer = seq, at, writer
		}
	}
	if err := c.encode(); err != nil {
		return err
	}
	if err := c.e.journal.Append(c.recs); err != nil {
		c.roll = true
		return err
	}
	c.seq, c.e.writer = seq, writer
	c.e.metrics.committed(len(c.recs), len(c.buf))
	return nil
}

// encode writes the inputs' records into c.buf. What the encoder remembers holds for one segment only: if the records do not
// fit into the current one they are encoded again for the next.
func (c *committer) encode() error {
	if c.roll {
		if _, err := c.e.journal.Roll(); err != nil {
			return err
		}
		c.roll, c.segment = false, 0
	}
	for {
		c.encodeAll()
		segment, err := c.e.journal.Prepare(len(c.buf))
		if err != nil {
			c.roll = true
			return err
		}
		if segment == c.segment {
			return nil
		}
		c.segment = segment
		c.enc.Reset()
	}
}

func (c *committer) encodeAll() {
	c.buf, c.ends, c.recs = c.buf[:0], c.ends[:0], c.recs[:0]
	for _, r := range c.reqs {
		for i := range r.inputs {
			c.buf = c.enc.Append(c.buf, &r.inputs[i])
			c.ends = append(c.ends, len(c.buf))
			c.recs = append(c.recs, journal.Record{Seq: r.inputs[i].Seq, At: int64(r.inputs[i].At)})
		}
	}
	start := 0
	for i, end := range c.ends {
		c.recs[i].Payload = c.buf[start:end]
		start = end
	}
}

// refuse answers a commit that failed: a full disk is back-pressure, anything else the end.
func (c *committer) refuse(err error) bool {
	e := c.e
	answer := ErrFull
	if !errors.Is(err, journal.ErrFull) {
		answer = ErrClosed
		e.fail(fmt.Errorf("engine: journal: %w", err))
	} else {
		e.log.Warn("disk is full, alerts are refused", "error", err)
	}
	e.refuse()
	for _, r := range c.reqs {
		e.drop(r)
		r.done <- answer
	}
	return errors.Is(answer, ErrFull)
}
