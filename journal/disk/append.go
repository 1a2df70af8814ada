package disk

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tocsin-noc/tocsin/journal"
)

// keepBuffer bounds what Append keeps allocated between calls, in bytes.
const keepBuffer = 16 << 20

// Prepare ends the current segment if n more payload bytes would make it too
// large, and returns the number of the one Append will write to. A segment's
// number is the lowest sequence number it may hold.
func (l *Log) Prepare(n int) (segment uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usableLocked(); err != nil {
		return 0, err
	}
	if l.ending.Swap(false) {
		segment, err := l.rollLocked()
		if !errors.Is(err, journal.ErrFull) {
			return segment, err
		}
		l.o.Logger.Warn("segment not ended as asked", "err", err)
	}
	seg := l.tail.seg
	if seg.size.Load()+int64(n) <= l.o.SegmentBytes {
		return seg.base, nil
	}
	return l.rollLocked()
}

// EndSegment asks that the next Prepare end the current segment, so that what
// it holds can be redacted. Unlike Roll it is for any goroutine: a codec whose
// dictionary builds up over a segment learns of it as of any other new one. A
// disk too full for it stops nobody: the segment then goes on.
func (l *Log) EndSegment() { l.ending.Store(true) }

// Roll ends the current segment unless it is empty.
func (l *Log) Roll() (segment uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usableLocked(); err != nil {
		return 0, err
	}
	return l.rollLocked()
}

func (l *Log) rollLocked() (uint64, error) {
	head, at := l.progress.load()
	if head.Seq < l.tail.seg.base {
		return l.tail.seg.base, nil
	}
	next, err := l.create(header{shard: l.o.Shard, base: head.Seq + 1, at: at, link: head.Link})
	if err != nil {
		return 0, l.refused(err)
	}
	sealed := l.tail
	l.tail = next
	if err := sealed.seal(); err != nil {
		l.o.Logger.Warn("segment not trimmed", "file", sealed.seg.path, "err", err)
	}
	l.refillLocked()
	return next.seg.base, nil
}

// Append writes recs as one commit and returns once they are durable.
func (l *Log) Append(recs []journal.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usableLocked(); err != nil {
		return err
	}
	if len(recs) == 0 {
		return nil
	}
	head, at, err := l.encodeLocked(recs)
	if err != nil {
		return err
	}
	if err := l.commitLocked(); err != nil {
		return l.refused(err)
	}
	l.progress.advance(head, at)
	l.metrics.appended(len(recs), len(l.buf))
	l.refillLocked()
	if cap(l.buf) > keepBuffer {
		l.buf, l.chain.covered = nil, nil
	}
	return nil
}

// refused counts a refusal for want of space.
func (l *Log) refused(err error) error {
	if errors.Is(err, journal.ErrFull) {
		l.metrics.full.Inc()
	}
	return err
}

// encodeLocked fills l.buf with the frames of recs and their commit frame.
func (l *Log) encodeLocked(recs []journal.Record) (journal.Head, int64, error) {
	head, at := l.progress.load()
	l.chain.start(head.Link)
	for i := range recs { // before there is room made for them
		if n := len(recs[i].Payload); n > MaxPayload {
			return head, at, fmt.Errorf("%w: %d bytes, at most %d", journal.ErrTooLarge, n, MaxPayload)
		}
	}
	l.buf = slices.Grow(l.buf[:0], encodedSize(recs))
	for i := range recs {
		r := &recs[i]
		if r.Seq <= head.Seq {
			return head, at, fmt.Errorf("%w: %d after %d", journal.ErrOrder, r.Seq, head.Seq)
		}
		at = max(at, r.At)
		head.Seq, r.At = r.Seq, at
		l.buf = appendFrame(l.buf, l.tail.salt, kindRecord, r.Seq, at, r.Payload)
		l.chain.add(r.Seq, at, sha256.Sum256(r.Payload))
	}
	head.Link = l.chain.link()
	end := commit{link: head.Link, count: uint32(len(recs)), bytes: uint64(len(l.buf))}.encode()
	l.buf = appendFrame(l.buf, l.tail.salt, kindCommit, head.Seq, at, end[:])
	return head, at, nil
}

func encodedSize(recs []journal.Record) int {
	n := frameSize + commitSize
	for i := range recs {
		n += frameSize + len(recs[i].Payload)
	}
	return n
}

// commitLocked makes l.buf durable at the end of the log.
func (l *Log) commitLocked() error {
	if err := l.tail.write(l.buf); err != nil {
		if undone := l.tail.undo(); undone != nil {
			return l.fail(errors.Join(err, undone))
		}
		return fmt.Errorf("journal: write: %w", full(err))
	}
	start := time.Now()
	if err := l.tail.file.Sync(); err != nil {
		return l.fail(err)
	}
	l.metrics.synced(time.Since(start))
	l.tail.seg.size.Add(int64(len(l.buf)))
	return nil
}
