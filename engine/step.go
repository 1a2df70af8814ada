package engine

import (
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/journal"
)

// commit is what one hand-over of inputs has changed, on its way into the changes log.
type commit struct {
	recs    []journal.Record
	ends    []int
	buf     []byte
	replies []*request
	through uint64 // the last input stepped
	hurry   bool   // somebody waits, or something happened that people watch for
}

func (e *Engine) newCommit() *commit {
	c, ok := e.commits.Get().(*commit)
	if !ok || cap(c.buf) > maxChangesBytes {
		return new(commit)
	}
	*c = commit{recs: c.recs[:0], ends: c.ends[:0], buf: c.buf[:0], replies: c.replies[:0]}
	return c
}

// ask is a query's wish for a view that includes seq.
type ask struct {
	seq   uint64
	at    time.Time
	reply chan *correlate.View
}

// stepper owns the state.
type stepper struct {
	e       *Engine
	changes []event.Change
	asks    []ask
	timer   *time.Timer
	ticking *request // the tick under way, nil when none is
}

const (
	// minTick bounds how often ticks are journaled.
	minTick = 10 * time.Millisecond
	// maxKeptChanges is how many changes' memory is used again; a silence over a million alerts makes a million.
	maxKeptChanges = 1 << 14
	// patience is how long a query waits for what was acknowledged before it while a full disk holds decisions up.
	patience = 2 * time.Second
	// maxSleep bounds how late a change of the wall clock is noticed.
	maxSleep = 10 * time.Second
)

func (e *Engine) stepLoop() {
	defer close(e.toLog)
	s := &stepper{e: e, timer: time.NewTimer(0)}
	defer s.timer.Stop()
	for {
		select {
		case reqs, open := <-e.stepped:
			if !open {
				s.answerAll()
				return
			}
			s.step(reqs)
			s.answer()
			s.schedule()
		case q := <-e.asks:
			s.asks = append(s.asks, q)
			s.answer()
		case <-s.timer.C:
			s.tick()
		}
	}
}

// step carries out inputs in their order.
func (s *stepper) step(reqs []*request) {
	c := s.e.newCommit()
	began := time.Now()
	for _, r := range reqs {
		if r == s.ticking {
			s.ticking = nil
		}
		for i := range r.inputs {
			s.stepOne(&r.inputs[i], r, c)
		}
		if r.reply != nil {
			c.replies = append(c.replies, r)
			c.hurry = true
		}
	}
	s.e.metrics.stepped(time.Since(began))
	if cap(s.changes) > maxKeptChanges {
		s.changes = nil
	}
	c.finish()
	if err := s.e.records.Flush(); err != nil {
		s.e.log.Error("record store", "error", err)
	}
	c.through = s.e.state.Seq()
	if len(c.recs) > 0 || len(c.replies) > 0 || s.e.shadowed.Load() {
		s.hand(c)
	} else {
		s.e.commits.Put(c)
	}
}

// hand passes a commit on to the changes log. When that waits for room on the disk, queries are still answered, in the end
// with what there is, which may lack the last few inputs.
func (s *stepper) hand(c *commit) {
	select {
	case s.e.toLog <- c:
		return
	default:
	}
	for {
		select {
		case s.e.toLog <- c:
			return
		case q := <-s.e.asks:
			s.asks = append(s.asks, q)
		case <-time.After(100 * time.Millisecond):
		}
		s.answer()
	}
}

func (s *stepper) stepOne(in *event.Input, r *request, c *commit) {
	s.changes, r.result = s.e.state.Step(in, s.changes[:0])
	if len(s.changes) > 0 {
		c.buf = event.AppendChanges(c.buf, s.changes)
		c.ends = append(c.ends, len(c.buf))
		c.recs = append(c.recs, journal.Record{Seq: in.Seq, At: int64(in.At)})
		c.hurry = c.hurry || urgent(s.changes)
		s.keep()
	}
	if in.Batch != nil {
		s.e.Recycle(in.Batch)
		in.Batch = nil
	}
}

// keep feeds the record store.
func (s *stepper) keep() {
	for i := range s.changes {
		if err := s.e.records.Append(&s.changes[i]); err != nil {
			s.e.log.Error("record store", "error", err)
			return
		}
	}
}

// urgent tells whether people watch for any of these changes.
func urgent(changes []event.Change) bool {
	for i := range changes {
		if changes[i].Incident != nil {
			return true
		}
	}
	return false
}

// finish cuts the buffer into the records' payloads, once it no longer moves.
func (c *commit) finish() {
	start := 0
	for i, end := range c.ends {
		c.recs[i].Payload = c.buf[start:end]
		start = end
	}
}

// answer gives a view to every query whose inputs have been stepped.
func (s *stepper) answer() {
	kept := s.asks[:0]
	for _, q := range s.asks {
		if q.seq > s.e.state.Seq() && !(s.e.stalled.Load() && time.Since(q.at) > patience) {
			kept = append(kept, q)
			continue
		}
		q.reply <- s.current()
	}
	s.asks = kept
}

// answerAll serves what waits when the engine stops: nothing newer will come.
func (s *stepper) answerAll() {
	for _, q := range s.asks {
		q.reply <- s.current()
	}
}

// current returns a view of the state as it is, the last one taken when nothing has moved since.
func (s *stepper) current() *correlate.View {
	v := s.e.view.Load()
	if v == nil || v.Seq != s.e.state.Seq() {
		v = s.e.state.View()
		s.e.metrics.views.Inc()
		s.e.view.Store(v)
	}
	return v
}

// schedule sets the timer for the earliest deadline.
func (s *stepper) schedule() {
	next := s.e.state.Next()
	if next == event.Never || s.ticking != nil {
		return
	}
	s.timer.Reset(min(max((next-s.e.clock.now()).Duration(), minTick), maxSleep))
}

// tick submits a Tick when a deadline is due. While the wall clock is in doubt nothing becomes due.
func (s *stepper) tick() {
	if s.waitsForTick() {
		s.timer.Reset(time.Second)
		return
	}
	if s.e.clock.jumped() != 0 {
		s.timer.Reset(time.Second)
		return
	}
	if s.e.state.Next() > s.e.clock.now() {
		s.schedule()
		return
	}
	r := single(event.Input{Kind: event.InputTick})
	if err := s.e.enqueue(r); err != nil {
		s.timer.Reset(time.Second) // the queue is full; deadlines can wait
		return
	}
	s.ticking = r
	s.timer.Reset(time.Second)
}

// waitsForTick tells whether a tick is under way; one that the journal refused is not.
func (s *stepper) waitsForTick() bool {
	if s.ticking == nil {
		return false
	}
	select {
	case err := <-s.ticking.done:
		if err != nil {
			s.ticking = nil
		}
	default:
	}
	return s.ticking != nil
}
