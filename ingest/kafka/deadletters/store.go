package deadletters

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Bounds limits a Store; a field that is 0 stands for its default.
type Bounds struct {
	Bytes int64         // of all files, 1 GB
	Age   time.Duration // of a letter, 7 days
}

// A file is closed when it holds this share of the bounds, so that the oldest can go without being rewritten.
const share = 16

// Store is a folder of letters.
type Store struct {
	dir    string
	bounds Bounds

	mu    sync.Mutex
	files []file // oldest first; the last is written to when open is not nil
	open  *os.File
	next  int // number of the next file
}

type file struct {
	path        string
	bytes       int64
	first, last time.Time // when its first and last letters were added
}

// Open returns the store in dir, which is made when it is not there.
func Open(dir string, bounds Bounds) (*Store, error) {
	if bounds.Bytes == 0 {
		bounds.Bytes = 1e9
	}
	if bounds.Age == 0 {
		bounds.Age = 7 * 24 * time.Hour
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("dead letters: open: %w", err)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.ndjson"))
	if err != nil {
		return nil, fmt.Errorf("dead letters: open: %w", err)
	}
	s := &Store{dir: dir, bounds: bounds, next: 1}
	slices.Sort(paths)
	for _, path := range paths {
		if err := s.found(path); err != nil {
			return nil, fmt.Errorf("dead letters: open: %w", err)
		}
	}
	return s, nil
}

// found takes a file of an earlier run and passes over one that is not the store's own. When its first letter came, only the
// file itself tells; its last change is near enough, as a file spans a share of the age only.
func (s *Store) found(path string) error {
	var number int
	if _, err := fmt.Sscanf(filepath.Base(path), "%08d.ndjson", &number); err != nil {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	s.files = append(s.files, file{path: path, bytes: info.Size(), first: info.ModTime(), last: info.ModTime()})
	s.next = number + 1
	return nil
}

// Add keeps letters and returns when they are on disk. On an error some may be there nevertheless.
func (s *Store) Add(letters ...Letter) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range letters {
		if err := s.addLocked(&letters[i]); err != nil {
			return errors.Join(fmt.Errorf("dead letters: add: %w", err), s.closeLocked())
		}
	}
	if s.open == nil {
		return nil
	}
	if err := s.open.Sync(); err != nil {
		return errors.Join(fmt.Errorf("dead letters: sync: %w", err), s.closeLocked())
	}
	return nil
}

func (s *Store) addLocked(l *Letter) error {
	line, err := json.Marshal(l)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	if err := s.makeRoomLocked(l.Time, int64(len(line))); err != nil {
		return err
	}
	n, err := s.open.Write(line)
	f := &s.files[len(s.files)-1]
	f.bytes += int64(n)
	f.last = l.Time
	return err
}

// makeRoomLocked drops what is over the bounds with n more bytes, and opens a file to write them to.
func (s *Store) makeRoomLocked(now time.Time, n int64) error {
	if s.open != nil {
		f := s.files[len(s.files)-1]
		if f.bytes+n > s.bounds.Bytes/share || now.Sub(f.first) > s.bounds.Age/share {
			if err := s.closeLocked(); err != nil {
				return err
			}
		}
	}
	if err := s.pruneLocked(now, n); err != nil {
		return err
	}
	if s.open != nil {
		return nil
	}
	path := filepath.Join(s.dir, fmt.Sprintf("%08d.ndjson", s.next))
	open, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	s.next++
	s.open = open
	s.files = append(s.files, file{path: path, first: now})
	return nil
}

// Prune drops what is older than the store keeps.
func (s *Store) Prune(now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pruneLocked(now, 0)
}

// pruneLocked drops the oldest files until n more bytes fit and none is too old.
func (s *Store) pruneLocked(now time.Time, n int64) error {
	for len(s.files) > 0 {
		oldest := s.files[0]
		if s.bytesLocked()+n <= s.bounds.Bytes && now.Sub(oldest.last) <= s.bounds.Age {
			return nil
		}
		if len(s.files) == 1 {
			if err := s.closeLocked(); err != nil {
				return err
			}
		}
		if err := os.Remove(oldest.path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("dead letters: prune: %w", err)
		}
		s.files = s.files[1:]
	}
	return nil
}

// Bytes returns the size of all files.
func (s *Store) Bytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytesLocked()
}

func (s *Store) bytesLocked() (sum int64) {
	for _, f := range s.files {
		sum += f.bytes
	}
	return sum
}

// Close ends writing; a later Add begins a new file.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closeLocked()
}

func (s *Store) closeLocked() error {
	if s.open == nil {
		return nil
	}
	open := s.open
	s.open = nil
	return open.Close()
}
