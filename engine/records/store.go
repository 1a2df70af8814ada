package records

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tocsin-noc/tocsin/event"
)

const (
	defaultMaxBytes     = 4 << 30
	defaultSegmentBytes = 64 << 20
	largestSegment      = 1 << 30
	// maxBuffer bounds what Append collects without a Flush, in bytes; keepBuffer what stays allocated afterwards.
	maxBuffer  = 1 << 20
	keepBuffer = 4 << 20
)

// Options of a Store. The zero value is ready to use.
type Options struct {
	// MaxBytes bounds the segments together; the oldest is dropped at the bound. 0: 4 GiB. The checkpoint is not
	// counted: 28 bytes per incident.
	MaxBytes int64
	// SegmentBytes is the size at which a segment ends, at most a quarter of MaxBytes. 0: 64 MiB.
	SegmentBytes int64
	Logger       *slog.Logger          // nil: no logs
	Registerer   prometheus.Registerer // nil: no metrics
}

func (o Options) withDefaults() Options {
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = defaultSegmentBytes
	}
	o.SegmentBytes = min(o.SegmentBytes, o.MaxBytes/4, largestSegment)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Store keeps timelines. See the package comment for who may call what.
type Store struct {
	dir     string
	o       Options
	metrics *metrics

	// The owner writes these under mu and reads them without; readers read them under mu.
	mu     sync.Mutex
	segs   []*segment // by ascending number, never empty
	tail   *segment   // the last of segs
	index  index
	buf    []byte // whole frames that follow tail.size and are not yet in the file
	saved  cursor // the last change whose traces are all in the file
	closed bool

	ending    atomic.Bool // the next Flush ends the last segment
	redacting sync.Mutex  // one Redact at a time

	// The owner's alone.
	held    cursor          // the last change Append was given
	last    cursor          // of the last entry, in the file or in buf
	kept    int             // entries in buf
	scratch [1]event.Change // what Append encodes
	links   reader          // looks up milestones for new ones
}

// Open opens the store in dir, makes the folder where it is missing, and repairs what a crash left; see the package
// comment. Cursor then says from where the changes log has to be fed.
func Open(dir string, o Options) (*Store, error) {
	s := &Store{dir: dir, o: o.withDefaults()}
	s.links = reader{s: s}
	s.metrics = newMetrics(s)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("records: open: %w", err)
	}
	segs, err := openSegments(dir)
	if err != nil {
		return nil, err
	}
	s.segs = segs
	if err := s.restore(); err != nil {
		return nil, errors.Join(err, closeAll(s.segs))
	}
	if err := s.metrics.register(o.Registerer); err != nil {
		return nil, errors.Join(fmt.Errorf("records: metrics: %w", err), closeAll(s.segs))
	}
	return s, nil
}

// Cursor returns the last change whose traces are in the files: what was appended up to the last Flush. It is 0, 0 for
// an empty store. Changes up to it are skipped when they are appended again.
func (s *Store) Cursor() (seq uint64, n uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.saved.seq, s.saved.n
}

// Append takes the next change; (Seq, N) increases from (1, 0), and what is not after the last one is skipped. It keeps an
// entry of changes that belong to an incident, but not of repeats (AlertSeen); of an alert's claim it keeps the times
// and not the label sets. It keeps nothing of ch itself and may be called again with the same change after an error.
func (s *Store) Append(ch *event.Change) error {
	key := cursor{ch.Seq, ch.N}
	if !s.held.before(key) {
		return nil
	}
	if ch.Kind != event.AlertSeen {
		if id := ch.IncidentID(); id != 0 {
			if err := s.keep(ch, id); err != nil {
				return err
			}
		}
	}
	s.held = key
	return nil
}

// keep makes room for an entry and adds it.
func (s *Store) keep(ch *event.Change, id event.IncidentID) error {
	if s.closed {
		return ErrClosed
	}
	if s.tail.size+int64(len(s.buf)) >= s.o.SegmentBytes {
		if err := s.roll(); err != nil {
			return err
		}
	}
	if len(s.buf) >= maxBuffer {
		if err := s.Flush(); err != nil {
			return err
		}
	}
	old := s.index.at(id)
	f := frame{cursor: cursor{ch.Seq, ch.N}, at: ch.At, id: id, ordinal: old.count, prev: old.last}
	if f.milestone() && f.ordinal > 0 {
		f.skip, f.jump = old.milestone, s.jump(id, old.milestone, f.ordinal/groupSize)
	}
	s.scratch[0] = *ch
	s.scratch[0].Claim.Full = false
	return s.add(&f, old)
}

// add encodes the entry f of scratch's change and moves its incident's slot on from old.
func (s *Store) add(f *frame, old slot) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	pos := at(s.tail.number, s.tail.size+int64(len(s.buf)))
	buf, err := appendEntry(s.buf, f, s.scratch[:])
	s.buf = buf
	if err != nil {
		return err
	}
	s.index.set(f.id, old.next(f, pos))
	s.last = f.cursor
	s.kept++
	return nil
}

// jump returns the position of milestone number&(number-1), given that of the one before: clearing the lowest bits
// of number-1 one by one leads there. 0 when that is dropped or damaged: readers then go the long way.
func (s *Store) jump(id event.IncidentID, previous position, number uint32) position {
	pos := previous
	for target, m := number&(number-1), number-1; m != target; m &= m - 1 {
		f, kept, err := s.links.frame(id, pos)
		if !kept || err != nil {
			return 0
		}
		pos = f.jump
	}
	return pos
}

// Flush writes what Append collected, in one write, together with a mark of the cursor where the last change left no entry.
// After an error everything is still there and Flush may be called again.
func (s *Store) Flush() error {
	if s.closed {
		return ErrClosed
	}
	if s.ending.Swap(false) && (len(s.buf) > 0 || s.tail.size > int64(headerSize)) {
		return s.roll()
	}
	if s.held == s.saved && len(s.buf) == 0 {
		return nil
	}
	out := s.buf // what is appended lies beyond what readers see of s.buf
	if s.last.before(s.held) {
		out = appendMark(out, s.held)
	}
	if _, err := s.tail.file.WriteAt(out, s.tail.size); err != nil {
		return fmt.Errorf("records: write: %w", err)
	}
	s.metrics.entries.Add(float64(s.kept))
	s.kept = 0
	s.scratch[0] = event.Change{} // lets go of the batch it was part of
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tail.size += int64(len(s.buf))
	s.saved = s.held
	s.buf = s.buf[:0]
	if cap(s.buf) > keepBuffer {
		s.buf = nil
	}
	return nil
}

// Settle makes durable what Cursor says is in the files, and returns that cursor: the changes log may be trimmed up to it.
// Unlike Sync it may be called from any goroutine and never holds the owner up.
func (s *Store) Settle() (seq uint64, err error) {
	s.mu.Lock()
	saved, file := s.saved, s.tail.file
	s.mu.Unlock()
	if err := file.Sync(); err != nil {
		return 0, fmt.Errorf("records: sync: %w", err)
	}
	return saved.seq, nil
}

// Sync flushes and makes durable what was written.
func (s *Store) Sync() error {
	if err := s.Flush(); err != nil {
		return err
	}
	if err := s.tail.file.Sync(); err != nil {
		return fmt.Errorf("records: sync: %w", err)
	}
	return nil
}

// Close syncs, writes a checkpoint so that the next Open need not scan, and closes the files, which it does also after an error.
func (s *Store) Close() error {
	if s.closed {
		return nil
	}
	err := s.Sync()
	if err == nil {
		err = s.checkpoint()
	}
	s.metrics.unregister(s.o.Registerer)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return errors.Join(err, closeAll(s.segs))
}
