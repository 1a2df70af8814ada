package disk

import (
	"errors"
	"fmt"
	"io"

	"github.com/tocsin-noc/tocsin/journal"
	"github.com/tocsin-noc/tocsin/journal/vfs"
)

// reader walks the log. It keeps its segment's file open, so truncation and
// redaction do not disturb it before it reaches the next segment.
type reader struct {
	log   *Log
	from  uint64 // records below are skipped
	whole bool   // but not those of the first segment

	seg    *segment // nil before the first record
	file   vfs.File
	scan   *scanner
	closed bool
}

// Reader iterates records from sequence number from on; see journal.Log.
func (l *Log) Reader(from uint64) journal.Reader {
	return &reader{log: l, from: from}
}

// SegmentReader iterates from the start of the segment that holds, or will
// hold, from.
func (l *Log) SegmentReader(from uint64) journal.Reader {
	return &reader{log: l, from: from, whole: true}
}

// Next returns the next durable record and the number of its segment.
func (r *reader) Next() (journal.Record, uint64, error) {
	if r.closed {
		return journal.Record{}, 0, journal.ErrClosed
	}
	for {
		f, err := r.frame()
		if err != nil {
			return journal.Record{}, 0, err
		}
		if f.kind != kindCommit && (r.whole || f.seq >= r.from) {
			return f.record(), r.seg.base, nil
		}
	}
}

// frame returns the next frame of any kind, going from segment to segment.
func (r *reader) frame() (frame, error) {
	if r.seg == nil {
		if err := r.open(r.find); err != nil {
			return frame{}, err
		}
	}
	for {
		f, err := r.scan.next(r.seg.size.Load())
		if err == nil || !(errors.Is(err, io.EOF) || errors.Is(err, errBadFrame)) {
			return f, err
		}
		bad := errors.Is(err, errBadFrame)
		if err := r.open(func(list []*segment) (*segment, error) { return r.follow(list, bad) }); err != nil {
			return frame{}, err
		}
	}
}

// find picks the segment to begin with.
func (r *reader) find(list []*segment) (*segment, error) {
	if r.from < list[0].base && list[0].base > 1 {
		return nil, fmt.Errorf("%w: asked for %d, oldest is %d", journal.ErrTruncated, r.from, list[0].base)
	}
	found := list[0]
	for _, s := range list[1:] {
		if s.base <= r.from {
			found = s
		}
	}
	return found, nil
}

// follow picks the segment after the current one, which ended, or holds a bad
// frame. What stands in a segment after the record before the next segment is
// a rest of zeros.
func (r *reader) follow(list []*segment, bad bool) (*segment, error) {
	for _, s := range list {
		if s.base <= r.seg.base {
			continue
		}
		switch {
		case !bad && r.scan.off < r.seg.size.Load():
			return r.seg, nil // grew between our look at its size and its end
		case s.base == r.scan.seq+1:
			return s, nil
		case s == list[0]:
			return nil, fmt.Errorf("%w: next is %d, oldest is %d", journal.ErrTruncated, r.scan.seq+1, s.base)
		}
		return nil, corrupt(r.seg.path, r.scan.off, "bad frame or missing records in the middle of the log")
	}
	if bad {
		return nil, corrupt(r.seg.path, r.scan.off, "bad frame before the durable end of the log")
	}
	return nil, io.EOF
}

// open picks a segment and opens its file unless it is the current one.
func (r *reader) open(pick func([]*segment) (*segment, error)) error {
	r.log.files.RLock()
	defer r.log.files.RUnlock()
	seg, err := pick(*r.log.segments.Load())
	if err != nil || seg == r.seg {
		return err
	}
	file, err := r.log.o.FS.Open(seg.path)
	if err != nil {
		return readError(err)
	}
	scan, _, err := newScanner(file, seg.path)
	if err != nil {
		return errors.Join(err, file.Close())
	}
	if r.scan != nil {
		scan.buf = r.scan.buf
		_ = r.file.Close() // was only read
	}
	r.seg, r.file, r.scan = seg, file, scan
	return nil
}

// Close releases the file.
func (r *reader) Close() error {
	r.closed = true
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	return err
}
