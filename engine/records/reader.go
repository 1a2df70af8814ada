package records

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/tocsin-noc/tocsin/event"
)

// ahead is how many bytes a reader loads from a position on before it knows the length of the frame there: most fit.
const ahead = 512

// reader reads frames at positions through a window of one segment. One goroutine uses it.
type reader struct {
	s    *Store
	back int64 // bytes to load in front of a position as well, for who reads a chain backwards

	window  []byte
	segment uint32
	start   int64 // offset of window in the segment
}

// frame returns the entry of id at pos, which aliases the window until the next call. kept is false when it was dropped.
func (r *reader) frame(id event.IncidentID, pos position) (f frame, kept bool, err error) {
	need := int64(frameHead)
	for {
		if b := r.loaded(pos, need); b != nil {
			n, ok := payloadLen(b)
			if !ok {
				return frame{}, false, r.corrupt(pos, "no frame has this length")
			}
			if whole := frameHead + n; whole > need {
				need = whole
				continue
			}
			return r.decode(id, pos, b)
		}
		kept, err := r.load(pos, max(need, ahead))
		if !kept || err != nil {
			return frame{}, false, err
		}
		if r.loaded(pos, need) == nil {
			return frame{}, false, r.corrupt(pos, "frame reaches beyond the end")
		}
	}
}

// loaded returns the window from pos on if it holds need bytes there.
func (r *reader) loaded(pos position, need int64) []byte {
	i := pos.offset() - r.start
	if pos.segment() != r.segment || i < 0 || i+need > int64(len(r.window)) {
		return nil
	}
	return r.window[i:]
}

func (r *reader) decode(id event.IncidentID, pos position, b []byte) (f frame, kept bool, err error) {
	f, _, ok := decodeFrame(b)
	if !ok {
		return frame{}, false, r.corrupt(pos, "checksum does not match")
	}
	if !f.isEntry() || f.id != id {
		return frame{}, false, r.corrupt(pos, fmt.Sprintf("no entry of %v", id))
	}
	return f, true, nil
}

// load makes the window hold up to n bytes from pos on. kept is false when its segment was dropped.
func (r *reader) load(pos position, n int64) (kept bool, err error) {
	s := r.s
	for {
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			return false, ErrClosed
		}
		seg := s.lookup(pos.segment())
		if seg == nil {
			s.mu.Unlock()
			return false, nil
		}
		if i := pos.offset() - seg.size; i >= 0 {
			r.loadBufferLocked(seg, i, n)
			s.mu.Unlock()
			return true, nil
		}
		now := *seg
		s.mu.Unlock()
		kept, err := r.loadFile(now, pos.offset(), n)
		if !errors.Is(err, errReplaced) {
			return kept, err
		}
	}
}

// loadBufferLocked copies from what is not yet in the file; i is counted from its beginning.
func (r *reader) loadBufferLocked(seg *segment, i, n int64) {
	r.segment, r.start, r.window = seg.number, seg.size, r.window[:0]
	if buf := r.s.buf; seg == r.s.tail && i < int64(len(buf)) {
		from := max(0, i-r.back)
		r.start += from
		r.window = append(r.window, buf[from:min(i+n, int64(len(buf)))]...)
	}
}

// loadFile reads the n bytes from offset on, and back bytes in front of it, of a segment as it was when looked up.
func (r *reader) loadFile(seg segment, offset, n int64) (kept bool, err error) {
	from, to := max(0, offset-r.back), min(offset+n, seg.size)
	r.segment, r.start = seg.number, from
	r.window = slices.Grow(r.window[:0], int(to-from))[:to-from]
	if _, err := seg.file.ReadAt(r.window, from); err != nil {
		r.window = r.window[:0]
		return false, r.gone(seg, err)
	}
	return true, nil
}

// errReplaced: the segment's file is another one since it was looked up.
var errReplaced = errors.New("records: replaced")

// gone explains why reading a segment failed: nil when it was dropped since it was looked up.
func (r *reader) gone(seg segment, err error) error {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	now := r.s.lookup(seg.number)
	switch {
	case r.s.closed:
		return ErrClosed
	case now == nil:
		return nil
	case now.file != seg.file && errors.Is(err, os.ErrClosed):
		return errReplaced
	default:
		return fmt.Errorf("records: read: %w", err)
	}
}

func (r *reader) corrupt(pos position, reason string) error {
	r.s.metrics.damaged.Inc()
	return &CorruptError{File: segmentPath(r.s.dir, pos.segment()), Offset: pos.offset(), Reason: reason}
}
