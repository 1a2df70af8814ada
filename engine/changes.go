package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/journal"
)

const (
	// lazyChanges is how long changes that nobody waits for may stay in memory; after a crash they are made again from
	// the journal.
	lazyChanges = 50 * time.Millisecond
	// maxChangesBytes is how many of them may.
	maxChangesBytes = 8 << 20
	// retryFull is how often a full disk is tried again.
	retryFull = 250 * time.Millisecond
)

// changesLoop makes changes durable, and only then lets anybody see them.
func (e *Engine) changesLoop() {
	for first := range e.toLog {
		group := e.gather(first)
		if !e.write(group) {
			for range e.toLog { // the engine is done for: let the stepper end
			}
			return
		}
		e.settled.Store(group[len(group)-1].through)
		for _, c := range group {
			for _, r := range c.replies {
				r.reply <- r.result
			}
			e.commits.Put(c)
		}
	}
}

// gather adds what comes within lazyChanges, unless somebody waits.
func (e *Engine) gather(first *commit) []*commit {
	group, size, hurry := []*commit{first}, len(first.buf), first.hurry
	deadline := time.NewTimer(lazyChanges)
	defer deadline.Stop()
	for !hurry && size < maxChangesBytes {
		select {
		case c, open := <-e.toLog:
			if !open {
				return group
			}
			group, size, hurry = append(group, c), size+len(c.buf), c.hurry
		case <-deadline.C:
			return group
		}
	}
	return group
}

// write appends a group to the changes log, for as long as it takes. It returns false when the log is broken.
func (e *Engine) write(group []*commit) bool {
	var recs []journal.Record
	size := 0
	for _, c := range group {
		recs = append(recs, c.recs...)
		size += len(c.buf)
	}
	if len(recs) == 0 {
		return true
	}
	for {
		err := e.appendChanges(recs, size)
		switch {
		case err == nil:
			e.stalled.Store(false)
			return true
		case !errors.Is(err, journal.ErrFull):
			e.fail(fmt.Errorf("engine: changes log: %w", err))
			return false
		}
		if !e.stalled.Swap(true) {
			e.log.Warn("disk is full, changes wait", "error", err)
		}
		time.Sleep(retryFull)
	}
}

func (e *Engine) appendChanges(recs []journal.Record, size int) error {
	if _, err := e.changes.Prepare(size); err != nil {
		return err
	}
	return e.changes.Append(recs)
}

// logged returns the changes that the log holds for the inputs from first on, by seq.
type logged struct {
	r    journal.Reader
	next journal.Record
	have bool
	err  error
}

func (e *Engine) loggedFrom(first uint64) *logged {
	l := &logged{r: e.changes.Reader(max(first, e.changes.First()))}
	l.advance()
	return l
}

func (l *logged) advance() {
	rec, _, err := l.r.Next()
	l.have = err == nil
	l.next = rec
	l.next.Payload = append([]byte(nil), rec.Payload...)
	l.err = err
}

// of returns the record for seq, nil when the log has none, and whether the log reaches that far at all.
func (l *logged) of(seq uint64) (payload []byte, reached bool) {
	for l.have && l.next.Seq < seq {
		l.advance()
	}
	if !l.have {
		return nil, false
	}
	if l.next.Seq == seq {
		return l.next.Payload, true
	}
	return nil, true
}

// feed gives the record store what it has missed.
func (e *Engine) feed() error {
	seq, n := e.records.Cursor()
	r := e.changes.Reader(max(seq, e.changes.First()))
	defer r.Close()
	for {
		rec, _, err := r.Next()
		if err != nil {
			return ignoreEOF(err)
		}
		changes, err := event.DecodeChanges(rec.Payload, rec.Seq, event.Time(rec.At))
		if err != nil {
			return err
		}
		for i := range changes {
			if rec.Seq == seq && changes[i].N <= n {
				continue
			}
			if err := e.records.Append(&changes[i]); err != nil {
				return err
			}
		}
		if err := e.records.Flush(); err != nil {
			return err
		}
	}
}
