// Package disk is the journal on a local file system: segments of checksummed
// frames, one write and one fdatasync per commit, a hash chain over all
// commits. README.md draws the bytes and walks through each crash.
//
// It is not a database: there is no index but the segments' names, and no
// record is found without reading its segment.
//
// One goroutine calls Prepare, Append and Roll; Roll may also come from another
// one where no payload depends on its segment. All else may be called from any
// goroutine at any time. A goroutine of the log's own writes zeros ahead
// of the writer; Close ends it.
package disk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tocsin-noc/tocsin/journal"
	"github.com/tocsin-noc/tocsin/journal/vfs"
)

// Options of a log. The zero value works.
type Options struct {
	FS           vfs.FS // default: the operating system
	SegmentBytes int64  // a segment is ended before it grows over this; default 256 MiB
	Ahead        int64  // bytes zero-filled ahead of the writer; default 8 MiB, negative: none
	FillInline   bool   // zero-fill inside Append: for tests that need one order of calls
	Shard        uint32 // written into each segment; a log of another shard is refused
	Name         string // of this log, in metrics and logs; default "journal"
	Logger       *slog.Logger
	Registerer   prometheus.Registerer
}

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = vfs.OS{}
	}
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = 256 << 20
	}
	if o.Ahead == 0 {
		o.Ahead = 8 << 20
	}
	if o.Name == "" {
		o.Name = "journal"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Logger = o.Logger.With("log", o.Name)
	return o
}

// Log is an open log.
type Log struct {
	dir     string
	o       Options
	metrics *metrics
	lock    io.Closer
	repair  Repair

	segments atomic.Pointer[[]*segment] // oldest first, the last is written to; replaced, never changed
	files    sync.RWMutex               // read-held to look up and open a segment, held to replace or remove one
	progress progress
	failure  atomic.Pointer[error]
	ending   atomic.Bool // the next Prepare ends the current segment

	mu     sync.Mutex // the writer's calls and Close
	tail   *tail      // nil once closed
	buf    []byte
	chain  chain
	filler *filler // nil when zeros are written inline or not at all

	maintenance sync.Mutex // Truncate and Redact, one at a time
}

var _ journal.Log = (*Log)(nil)

// segment is one file of the log.
type segment struct {
	header
	path string
	size atomic.Int64 // durable bytes; grows only in the last segment
}

// Repaired says what Open had to repair.
func (l *Log) Repaired() Repair { return l.repair }

// First is the lowest sequence number a reader may start at.
func (l *Log) First() uint64 { return (*l.segments.Load())[0].base }

// Last is the sequence number of the last durable record.
func (l *Log) Last() uint64 { return l.Head().Seq }

// Head is the place in the hash chain after the last commit.
func (l *Log) Head() journal.Head {
	head, _ := l.progress.load()
	return head
}

// LastAt is the time of the last durable record, ms since the Unix epoch.
func (l *Log) LastAt() int64 {
	_, at := l.progress.load()
	return at
}

// Size is the number of bytes held, without zeros written ahead.
func (l *Log) Size() int64 {
	var sum int64
	for _, s := range *l.segments.Load() {
		sum += s.size.Load()
	}
	return sum
}

// Segments is the number of segment files.
func (l *Log) Segments() int { return len(*l.segments.Load()) }

// Wait blocks until a durable record above seq exists.
func (l *Log) Wait(ctx context.Context, seq uint64) error { return l.progress.wait(ctx, seq) }

// Close ends the log. Readers may go on reading what was durable.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tail == nil {
		return nil
	}
	err := l.tail.close()
	l.tail = nil
	if l.filler != nil {
		l.filler.stop()
	}
	l.progress.close()
	l.metrics.unregister(l.o.Registerer)
	return errors.Join(err, l.lock.Close())
}

// usableLocked returns why the log cannot be written to.
func (l *Log) usableLocked() error {
	if l.tail == nil {
		return journal.ErrClosed
	}
	if err := l.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// fail makes the log refuse all further writing, because it is no longer known
// what the disk holds.
func (l *Log) fail(cause error) error {
	err := fmt.Errorf("%w: %w", journal.ErrFailed, cause)
	if l.failure.CompareAndSwap(nil, &err) {
		l.metrics.failed.Set(1)
		l.o.Logger.Error("journal failed", "err", cause, "hint", "check the disk; the log works again once reopened")
	}
	return err
}

// publish makes list the segments that readers see.
func (l *Log) publish(list []*segment) {
	l.segments.Store(&list)
}
