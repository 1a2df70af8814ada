// Package journal defines the durable, ordered log of opaque records on which
// Tocsin stands: the inputs of the engine are one such log, its changes
// another. It holds the vocabulary (Record, Head), the contracts (Log, Reader)
// and the errors a caller decides on; the log itself lives in journal/disk.
//
// It is not a queue (nothing is consumed) and knows nothing of what a payload
// means: encoding is the caller's.
//
// One goroutine, the writer, calls Prepare, Append and Roll. Everything else
// may be called from any goroutine, and readers run while the writer appends.
package journal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Record is one durable entry.
type Record struct {
	Seq      uint64 // increases from record to record, starts at 1 or later, need not be dense
	At       int64  // ms since the Unix epoch, never below that of an earlier record
	Payload  []byte // opaque; after a redaction the replacement given there, possibly empty
	Redacted bool   // the payload was replaced; set by a Reader, ignored by Append
}

// Head names a place in the hash chain: the last record of a commit and the
// chain link after it. Kept elsewhere, it later proves that nothing up to it
// was changed (see Verify of the implementation).
type Head struct {
	Seq  uint64
	Link [sha256.Size]byte
}

// String renders the head as "seq:hex", the form ParseHead reads.
func (h Head) String() string {
	return strconv.FormatUint(h.Seq, 10) + ":" + hex.EncodeToString(h.Link[:])
}

// ParseHead reads the "seq:hex" form of a head.
func ParseHead(s string) (Head, error) {
	seq, link, found := strings.Cut(s, ":")
	if !found {
		return Head{}, fmt.Errorf("journal: head %q: want seq:hex", s)
	}
	var h Head
	var err error
	if h.Seq, err = strconv.ParseUint(seq, 10, 64); err != nil {
		return Head{}, fmt.Errorf("journal: head %q: sequence number: %w", s, err)
	}
	raw, err := hex.DecodeString(link)
	if err != nil || len(raw) != len(h.Link) {
		return Head{}, fmt.Errorf("journal: head %q: the link must be %d hex digits", s, 2*len(h.Link))
	}
	copy(h.Link[:], raw)
	return h, nil
}

// Retention bounds what a log keeps. A zero field sets no bound.
type Retention struct {
	MaxAge   time.Duration // a segment goes once its youngest record is older
	MaxBytes int64         // oldest segments go until the rest is no larger
}

// Log is the contract of a durable log. One goroutine writes, many read.
type Log interface {
	// Prepare makes room for n more payload bytes in the current segment,
	// beginning a new one when needed, and returns that segment's number.
	// A codec with a per-segment dictionary resets it when the number
	// differs from its last call (and after every opening of the log, or
	// calls Roll then). ErrFull: no room for a new segment, try later.
	Prepare(n int) (segment uint64, err error)

	// Append writes recs as one commit into the segment Prepare named and
	// returns only once they are durable. Sequence numbers must increase; an At
	// below that of an earlier record is raised in place. On an error nothing
	// is acknowledged; on ErrFull nothing was kept either, and the same
	// call may succeed later; after ErrFailed the log must be reopened.
	Append(recs []Record) error

	// Roll begins a new segment unless the current one is empty, and returns
	// its number.
	Roll() (segment uint64, err error)

	// First is the lowest sequence number a reader may start at; Last is
	// that of the last durable record, or First()-1 when there is none.
	First() uint64
	Last() uint64
	Head() Head
	Size() int64 // bytes held

	// Reader iterates the records with Seq >= from. SegmentReader does so
	// from the start of the segment that holds (or will hold) from, for
	// codecs whose dictionary builds up over a segment.
	Reader(from uint64) Reader
	SegmentReader(from uint64) Reader

	// Wait blocks until a durable record with a sequence number above seq
	// exists, ctx ends or the log is closed (ErrClosed).
	Wait(ctx context.Context, seq uint64) error

	// Truncate drops whole segments whose records are all below before and
	// returns their number. The current segment always stays.
	Truncate(before uint64) (segments int, err error)

	// Retain truncates what r, at now (ms since the Unix epoch), no longer
	// asks for, but nothing at or above cursor.
	Retain(r Retention, now int64, cursor uint64) (segments int, err error)

	// Redact replaces the payload of one record, leaving its digest in the
	// hash chain. ErrActive: the record is in the segment being written;
	// the writer must Roll first.
	Redact(seq uint64, replacement []byte, reason string) error

	Close() error
}

// Reader iterates records in order. It belongs to one goroutine.
type Reader interface {
	// Next returns the next durable record and the number of its segment.
	// The payload is valid until the next call. io.EOF means the durable
	// end was reached; a later call goes on from there. ErrTruncated: the
	// next record is gone. ErrCorrupt: see CorruptError.
	Next() (Record, uint64, error)
	Close() error
}
