package people

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"go.etcd.io/bbolt"
)

// Store is the table.
type Store struct {
	path string
	now  func() time.Time

	writing sync.Mutex // held by every change, around the disk; db is its owner's
	db      *bbolt.DB

	mu      sync.RWMutex       // held for moments; who changes the maps holds writing too, and may read them without it
	byID    map[string]*Person // entries are replaced, never written
	byLogin map[string]*Person
	tokens  map[[sha256.Size]byte]*Person
}

const (
	bucket      = "people"
	freshSuffix = ".fresh" // a file on its way to take the place of the old one
)

// Open opens the table, which is made when it is not there.
func Open(path string) (*Store, error) {
	s := &Store{path: path, now: time.Now, byID: map[string]*Person{}, byLogin: map[string]*Person{}, tokens: map[[sha256.Size]byte]*Person{}}
	if err := os.Remove(path + freshSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a run that ended amid Forget
		return nil, fmt.Errorf("people: %w", err)
	}
	var err error
	if s.db, err = openFile(path); err != nil {
		return nil, err
	}
	if err := s.db.View(s.load); err != nil {
		return nil, errors.Join(fmt.Errorf("people: %s: %w", path, err), s.db.Close())
	}
	return s, nil
}

func openFile(path string) (*bbolt.DB, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		return nil, fmt.Errorf("people: %s: %w", path, err)
	}
	if err := db.Update(func(t *bbolt.Tx) error {
		_, err := t.CreateBucketIfNotExists([]byte(bucket))
		return err
	}); err != nil {
		return nil, errors.Join(fmt.Errorf("people: %s: %w", path, err), db.Close())
	}
	return db, nil
}

func (s *Store) load(t *bbolt.Tx) error {
	return t.Bucket([]byte(bucket)).ForEach(func(id, text []byte) error {
		p := &Person{}
		if err := json.Unmarshal(text, p); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		s.show(p)
		return nil
	})
}

// Close closes the file.
func (s *Store) Close() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.db.Close()
}

// show puts p in the place of who had its id.
func (s *Store) show(p *Person) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.byID[p.ID]; old != nil {
		delete(s.byLogin, old.Login)
		for i := range old.Tokens {
			delete(s.tokens, old.Tokens[i].Digest)
		}
	}
	s.byID[p.ID] = p
	if p.Login != "" {
		s.byLogin[p.Login] = p
	}
	for i := range p.Tokens {
		s.tokens[p.Tokens[i].Digest] = p
	}
}

// putLocked stores p and then shows it. The caller holds writing.
func (s *Store) putLocked(p *Person) error {
	if err := s.db.Update(func(t *bbolt.Tx) error { return put(t, p) }); err != nil {
		return fmt.Errorf("people: %w", err)
	}
	s.show(p)
	return nil
}

func put(t *bbolt.Tx, p *Person) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return t.Bucket([]byte(bucket)).Put([]byte(p.ID), text)
}

// rewriteLocked stores p by writing the whole file anew, and then shows p: pages that bbolt has freed still hold what was in them.
// Whenever the machine stops, the file is either the old one or the new one. The caller holds writing.
func (s *Store) rewriteLocked(p *Person) error {
	fresh := s.path + freshSuffix
	db, err := openFile(fresh)
	if err != nil {
		return err
	}
	err = db.Update(func(t *bbolt.Tx) error {
		for _, id := range slices.Sorted(maps.Keys(s.byID)) { // otherwise each goes into the middle of all before it
			known := s.byID[id]
			if id == p.ID {
				known = p
			}
			if err := put(t, known); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = os.Rename(fresh, s.path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("people: %w", err), db.Close(), os.Remove(fresh))
	}
	old := s.db
	s.db = db
	s.show(p)
	if err := errors.Join(syncFolder(filepath.Dir(s.path)), old.Close()); err != nil {
		return fmt.Errorf("people: %w", err)
	}
	return nil
}

// syncFolder makes a change of names in a folder durable.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
