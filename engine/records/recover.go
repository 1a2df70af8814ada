package records

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
)

// restore brings the index and the cursor up to the end of the last segment, and cuts that where it stops making sense.
func (s *Store) restore() error {
	if err := s.ensureTail(); err != nil {
		return err
	}
	from, err := s.loadCheckpoint()
	if err != nil {
		return err
	}
	s.last = s.held
	for _, seg := range s.segs {
		start := int64(headerSize)
		if seg.number < from.segment() {
			continue
		}
		if seg.number == from.segment() {
			start = from.offset()
		}
		if err := s.scan(seg, start); err != nil {
			return err
		}
	}
	s.saved = s.held
	return s.drop()
}

// ensureTail makes the first segment, and makes the last one anew when a crash cut its creation short.
func (s *Store) ensureTail() error {
	number := uint32(1)
	if n := len(s.segs); n > 0 {
		s.tail = s.segs[n-1]
		if s.tail.hasHeader() {
			return nil
		}
		number = s.tail.number
		s.o.Logger.Warn("last segment of timelines has no header, begun anew", "segment", number, "bytes", s.tail.size)
		s.segs = s.segs[:n-1]
		if err := s.tail.file.Close(); err != nil {
			return fmt.Errorf("records: open: %w", err)
		}
	}
	seg, err := createSegment(s.dir, number)
	if err != nil {
		return err
	}
	s.segs, s.tail = append(s.segs, seg), seg
	return nil
}

func (g *segment) hasHeader() bool {
	var b [headerSize]byte
	_, err := g.file.ReadAt(b[:], 0)
	return err == nil && string(b[:]) == magic
}

// scan takes the frames of seg from start on into the index. What follows the first frame that does not check is cut from the
// last segment, where a crash explains it, and left alone in others.
func (s *Store) scan(seg *segment, start int64) error {
	end, entries := start, start // of the last whole frame, of the last entry
	in := bufio.NewReaderSize(io.NewSectionReader(seg.file, start, seg.size-start), 1<<18)
	var buf []byte
	for {
		f, size, err := readFrame(in, seg.size-end, &buf)
		if err != nil {
			return fmt.Errorf("records: scan: %w", err)
		}
		if size == 0 {
			break
		}
		s.scanned(&f, at(seg.number, end))
		end += int64(size)
		if f.isEntry() {
			entries = end
		}
	}
	if lost := seg.size - end; lost > 0 {
		if err := s.lose(seg, end, lost); err != nil {
			return err
		}
	}
	if seg == s.tail {
		seg.size = entries
	}
	return nil
}

// scanned takes in one frame found at pos.
func (s *Store) scanned(f *frame, pos position) {
	if s.held.before(f.cursor) {
		s.held = f.cursor
	}
	if f.isEntry() {
		s.last = f.cursor
		s.index.set(f.id, s.index.at(f.id).next(f, pos))
	}
}

// lose reports that the last lost bytes of seg, from end on, make no sense, and cuts them from the last segment.
func (s *Store) lose(seg *segment, end, lost int64) error {
	s.metrics.damaged.Inc()
	if seg != s.tail {
		s.o.Logger.Error("timelines damaged, rest of segment left out", "file", seg.file.Name(), "offset", end, "bytes", lost)
		return nil
	}
	s.o.Logger.Warn("unfinished write of timelines cut", "file", seg.file.Name(), "offset", end, "bytes", lost,
		"seq", s.held.seq, "n", s.held.n)
	if err := seg.file.Truncate(end); err != nil {
		return fmt.Errorf("records: repair: %w", err)
	}
	return nil
}

// readFrame reads the next of at most left bytes. size is 0 when no whole frame that checks follows; err is of reading.
func readFrame(in *bufio.Reader, left int64, buf *[]byte) (f frame, size int, err error) {
	head, err := in.Peek(frameHead)
	if errors.Is(err, io.EOF) {
		return frame{}, 0, nil
	}
	if err != nil {
		return frame{}, 0, err
	}
	n, ok := payloadLen(head)
	if !ok || n > left-frameHead {
		return frame{}, 0, nil
	}
	*buf = slices.Grow((*buf)[:0], frameHead+int(n))[:frameHead+int(n)]
	if _, err := io.ReadFull(in, *buf); err != nil {
		return frame{}, 0, err
	}
	f, size, ok = decodeFrame(*buf)
	if !ok {
		return frame{}, 0, nil
	}
	return f, size, nil
}
