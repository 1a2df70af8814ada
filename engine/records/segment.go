package records

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	suffix    = ".rec"
	temporary = ".tmp"
)

// segment is one file. number never changes; size is written by the owner under the store's mutex, and so is file by Redact,
// in segments that are not the last.
type segment struct {
	number uint32
	file   *os.File
	size   int64 // bytes from the start to the end of the last entry written to the file; a mark may follow
}

func segmentPath(dir string, number uint32) string {
	return filepath.Join(dir, fmt.Sprintf("%010d%s", number, suffix))
}

// createSegment makes segment number, or empties it, and writes its header.
func createSegment(dir string, number uint32) (*segment, error) {
	f, err := os.OpenFile(segmentPath(dir, number), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return nil, fmt.Errorf("records: create: %w", err)
	}
	_, err = f.WriteAt([]byte(magic), 0)
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("records: create: %w", err), f.Close())
	}
	return &segment{number: number, file: f, size: int64(headerSize)}, nil
}

// openSegments opens all segments of dir, by ascending number; size is that of the file.
func openSegments(dir string) (segs []*segment, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("records: open: %w", err)
	}
	for _, entry := range files {
		if strings.HasSuffix(entry.Name(), suffix+temporary) { // of a redaction that was cut short
			if err := os.Remove(filepath.Join(dir, entry.Name())); err != nil {
				return nil, errors.Join(fmt.Errorf("records: open: %w", err), closeAll(segs))
			}
		}
		name, isSegment := strings.CutSuffix(entry.Name(), suffix)
		number, err := strconv.ParseUint(name, 10, 32)
		if !isSegment || err != nil || number == 0 {
			continue
		}
		seg, err := openSegment(dir, uint32(number))
		if err != nil {
			return nil, errors.Join(err, closeAll(segs))
		}
		segs = append(segs, seg)
	}
	slices.SortFunc(segs, func(a, b *segment) int { return int(int64(a.number) - int64(b.number)) })
	return segs, nil
}

func openSegment(dir string, number uint32) (*segment, error) {
	f, err := os.OpenFile(segmentPath(dir, number), os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("records: open: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("records: open: %w", err), f.Close())
	}
	return &segment{number: number, file: f, size: info.Size()}, nil
}

func closeAll(segs []*segment) (err error) {
	for _, seg := range segs {
		err = errors.Join(err, seg.file.Close())
	}
	return err
}

// lookup returns segment number, nil when there is none. The caller is the owner or holds the mutex.
func (s *Store) lookup(number uint32) *segment {
	i, found := slices.BinarySearchFunc(s.segs, number, func(seg *segment, n uint32) int {
		return int(int64(seg.number) - int64(n))
	})
	if !found {
		return nil
	}
	return s.segs[i]
}

// roll ends the last segment durably, with a checkpoint, and begins the next. After an error it can be called again.
func (s *Store) roll() error {
	if err := s.Sync(); err != nil {
		return err
	}
	if err := s.checkpoint(); err != nil {
		return err
	}
	next, err := createSegment(s.dir, s.tail.number+1)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.segs = append(s.segs, next)
	s.tail = next
	s.mu.Unlock()
	return s.drop()
}

// drop removes the oldest segments until the others and one full last segment fit into MaxBytes.
func (s *Store) drop() error {
	for len(s.segs) > 1 && s.bytes()-s.tail.size+s.o.SegmentBytes > s.o.MaxBytes {
		oldest := s.segs[0]
		s.mu.Lock()
		s.segs = slices.Delete(s.segs, 0, 1)
		s.mu.Unlock()
		s.metrics.droppedSegments.Inc()
		s.o.Logger.Info("oldest timelines dropped", "segment", oldest.number, "bytes", oldest.size)
		// Readers that still use the file find it gone from the list and stop there.
		if err := errors.Join(oldest.file.Close(), os.Remove(segmentPath(s.dir, oldest.number))); err != nil {
			return fmt.Errorf("records: drop: %w", err)
		}
	}
	return nil
}

// bytes returns the size of all segments. The caller is the owner or holds the mutex.
func (s *Store) bytes() (n int64) {
	for _, seg := range s.segs {
		n += seg.size
	}
	return n
}
