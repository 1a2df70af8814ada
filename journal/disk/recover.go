package disk

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/tocsin-noc/tocsin/journal"
	"github.com/tocsin-noc/tocsin/journal/vfs"
)

// sectorSize is what a disk writes whole or not at all; larger ones are
// multiples.
const sectorSize = 512

// Repair says what Open did to the end of the log. The zero value: nothing was
// amiss.
type Repair struct {
	File     string // path of the segment
	Offset   int64  // where its valid frames ended
	CutBytes int64  // bytes after that which were cleared
	Kept     int    // whole records of a commit nobody was told of; kept
}

// Needed reports whether anything was repaired.
func (r Repair) Needed() bool { return r.CutBytes > 0 || r.Kept > 0 }

// ending is where a log ends and the next commit goes.
type ending struct {
	salt   uint32
	end    int64 // offset of the next frame
	filled int64 // file size; zeros from end on
	head   journal.Head
	at     int64
	repair Repair
}

// recoverEnd finds the end of the last segment, clears what a crash left
// behind it and makes what stays durable.
func recoverEnd(file vfs.File, path string) (ending, error) {
	size, err := file.Size()
	if err != nil {
		return ending{}, readError(err)
	}
	s, h, err := newScanner(file, path)
	if err != nil {
		return ending{}, err
	}
	link, err := scanCommits(s, h, size)
	if err != nil {
		return ending{}, err
	}
	rest, used, err := readRest(file, s.off, size)
	if err != nil {
		return ending{}, err
	}
	if err := judge(s, rest, used, path); err != nil {
		return ending{}, err
	}
	e := ending{salt: s.salt, end: s.off, at: s.at, head: journal.Head{Seq: s.seq, Link: link}}
	e.repair = Repair{File: path, Offset: s.off, CutBytes: int64(used), Kept: int(s.count)}
	if err := e.settle(file, s, used); err != nil {
		return ending{}, fmt.Errorf("journal: repair: %w", full(err))
	}
	e.filled = max(size, e.end)
	return e, nil
}

// scanCommits walks all valid frames and returns the link of the last commit.
func scanCommits(s *scanner, h header, size int64) ([32]byte, error) {
	link := h.link
	for {
		f, err := s.next(size)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, errBadFrame):
			return link, nil
		case err != nil:
			return link, err
		case f.kind == kindCommit:
			link = decodeCommit(f.payload).link
		}
	}
}

// readRest returns the bytes from off on and how many of them there are up to
// the last that is not zero.
func readRest(file vfs.File, off, size int64) (rest []byte, used int, err error) {
	rest = make([]byte, max(0, size-off))
	n, err := file.ReadAt(rest, off)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, 0, readError(err)
	}
	return rest[:n], len(bytes.TrimRight(rest[:n], "\x00")), nil
}

// judge tells a torn tail (nil) from damage to what was acknowledged. Only one
// commit is ever under way, so a crash leaves holes in one commit at most, and
// a hole is at least the rest of a sector, still zero. Valid frames of a later
// commit, or a bad frame without a hole before valid ones, are damage.
func judge(s *scanner, rest []byte, used int, path string) error {
	first, ended := -1, false
	for i := 0; i < used; {
		f, ok := decodeFrame(rest[i:], s.salt, s.off+int64(i))
		if !ok || f.seq <= s.seq {
			i++
			continue
		}
		if first < 0 {
			first = i
		}
		foreign := f.kind == kindCommit && f.off-int64(decodeCommit(f.payload).bytes) != s.pending
		if ended || foreign {
			return corrupt(path, s.off, "bad frame before acknowledged records")
		}
		ended = f.kind == kindCommit
		i += int(f.end() - f.off)
	}
	if first >= 0 && !holed(rest[:first], s.off) {
		return corrupt(path, s.off, "bad frame, with no trace of a torn write, before valid frames")
	}
	return nil
}

// holed reports whether some sector, as far as it lies in b, ends in b and is
// all zero.
func holed(b []byte, off int64) bool {
	for len(b) > 0 {
		n := int(sectorSize - off%sectorSize)
		if n > len(b) {
			return false
		}
		if len(bytes.TrimRight(b[:n], "\x00")) == 0 {
			return true
		}
		b, off = b[n:], off+int64(n)
	}
	return false
}

// settle clears the used bytes after the last frame and makes the last commit durable, giving records that
// have none a commit frame. What it keeps it writes again: after a failed sync
// or the death of a process the pages may be clean in memory and not on disk.
// Clearing comes first, or a second crash could leave frames of the old commit
// after the new commit frame.
func (e *ending) settle(file vfs.File, s *scanner, used int) error {
	if used > 0 {
		if _, err := file.WriteAt(make([]byte, used), s.off); err != nil {
			return err
		}
		if err := file.Sync(); err != nil {
			return err
		}
	}
	from, to := s.prior, s.pending
	if s.count > 0 {
		from, to = s.pending, s.off
	}
	if from == to {
		return nil
	}
	last := make([]byte, to-from)
	if _, err := file.ReadAt(last, from); err != nil {
		return err
	}
	if s.count > 0 {
		last = e.adopt(last, s)
	}
	if _, err := file.WriteAt(last, from); err != nil {
		return err
	}
	return file.Sync()
}

// adopt appends the missing commit frame to record frames that have none.
func (e *ending) adopt(records []byte, s *scanner) []byte {
	var c chain
	c.start(e.head.Link)
	for at := 0; at < len(records); {
		f, _ := decodeFrame(records[at:], s.salt, s.pending+int64(at))
		c.add(f.seq, f.at, f.digest())
		at = int(f.end() - s.pending)
	}
	e.head.Link = c.link()
	payload := commit{link: e.head.Link, count: s.count, bytes: uint64(len(records))}.encode()
	records = appendFrame(records, s.salt, kindCommit, s.seq, s.at, payload[:])
	e.end = s.pending + int64(len(records))
	return records
}
