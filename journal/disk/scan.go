package disk

import (
	"errors"
	"io"

	"github.com/tocsin-noc/tocsin/journal"
	"github.com/tocsin-noc/tocsin/journal/vfs"
)

// errBadFrame: the bytes at the scanner's offset are no right frame.
var errBadFrame = errors.New("no valid frame")

const readSize = 256 << 10

// scanner walks the frames of one segment up to a bound, checking each frame,
// the order of the records and that each commit frame counts what stands
// before it.
type scanner struct {
	file vfs.File
	salt uint32
	off  int64 // of the next frame
	buf  []byte
	data []byte // unread part of buf, begins at off

	seq     uint64 // of the last record
	at      int64
	count   uint32 // records since the last commit frame
	pending int64  // offset of the first of them
	prior   int64  // offset where the last whole commit began
}

// newScanner reads and checks the header and stands before the first frame.
func newScanner(file vfs.File, path string) (*scanner, header, error) {
	var raw [headerSize]byte
	if n, err := file.ReadAt(raw[:], 0); err != nil && !(errors.Is(err, io.EOF) && n < headerSize) {
		return nil, header{}, readError(err)
	}
	h, salt, err := decodeHeader(raw[:])
	if err != nil {
		return nil, h, corrupt(path, 0, err.Error())
	}
	return &scanner{
		file: file, salt: salt, off: headerSize, seq: h.base - 1, at: h.at,
		pending: headerSize, prior: headerSize,
	}, h, nil
}

// next returns the frame at off and moves past it. It reads nothing at or
// beyond limit. io.EOF: limit was reached at the end of a frame; errBadFrame:
// off stands before bytes that are no right frame.
func (s *scanner) next(limit int64) (frame, error) {
	if s.off >= limit {
		return frame{}, io.EOF
	}
	if err := s.need(frameSize, limit); err != nil {
		return frame{}, err
	}
	n, ok := plausible(s.data)
	if !ok {
		return frame{}, errBadFrame
	}
	if err := s.need(frameSize+n, limit); err != nil {
		return frame{}, err
	}
	f, ok := decodeFrame(s.data, s.salt, s.off)
	if !ok || !s.accept(f) {
		return frame{}, errBadFrame
	}
	s.data = s.data[frameSize+n:]
	s.off = f.end()
	return f, nil
}

// accept checks f against what came before it and remembers it.
func (s *scanner) accept(f frame) bool {
	if f.kind != kindCommit {
		if f.seq <= s.seq || f.at < s.at {
			return false
		}
		s.seq, s.at = f.seq, f.at
		s.count++
		return true
	}
	c := decodeCommit(f.payload)
	if c.count != s.count || s.count == 0 || c.bytes != uint64(f.off-s.pending) || f.seq != s.seq || f.at != s.at {
		return false
	}
	s.count, s.prior, s.pending = 0, s.pending, f.end()
	return true
}

// need makes at least n bytes from off available.
func (s *scanner) need(n int, limit int64) error {
	if len(s.data) >= n {
		return nil
	}
	if int64(n) > limit-s.off {
		return errBadFrame
	}
	size := int(min(int64(max(n, readSize)), limit-s.off))
	if cap(s.buf) < size {
		s.buf = make([]byte, size)
	}
	got, err := s.file.ReadAt(s.buf[:size], s.off)
	s.data = s.buf[:got]
	if got >= n {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return errBadFrame
	}
	return readError(err)
}

// corrupt is the error for bytes that were acknowledged and are not there.
func corrupt(path string, off int64, reason string) error {
	return &journal.CorruptError{
		File: path, Offset: off, Reason: reason,
		Hint: "run `tocsin journal verify` for the extent, then put the file back from a copy",
	}
}
