package vfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"sync"
)

// ErrPowerCut is what every call returns from the one CutPowerAt names until
// Crash.
var ErrPowerCut = errors.New("vfs: power cut")

// Call is one call that changes something, as Mem counts and records it.
type Call struct {
	N    int    // from 1
	Op   string // create, write, truncate, sync, rename, remove, syncdir
	Name string // base name
	Off  int64  // of a write; the size of a truncate
	Len  int    // of a write
}

func (c Call) String() string {
	switch c.Op {
	case "write":
		return fmt.Sprintf("write %s %d+%d", c.Name, c.Off, c.Len)
	case "truncate":
		return fmt.Sprintf("truncate %s %d", c.Name, c.Off)
	default:
		return c.Op + " " + c.Name
	}
}

// Mem is a file system in memory for tests. It keeps apart what the process
// sees and what a disk would hold, so Crash can lose the difference.
// Directories exist implicitly and are always durable.
type Mem struct {
	mu       sync.Mutex
	names    map[string]*inode // as the process sees them
	durable  map[string]*inode // as after a crash that loses all
	renames  []entryChange     // since the last SyncDir
	locks    map[string]bool
	life     int // number of crashes; a file from an earlier life is dead
	calls    []Call
	cutAt    int
	fail     func(Call) error
	capacity int64
}

var _ FS = (*Mem)(nil)

type inode struct {
	data    []byte
	synced  []byte
	pending []change // in order, since the last good sync
}

// change is one unsynced write, or a truncate to off when data is nil.
type change struct {
	call int
	off  int64
	data []byte
}

// entryChange is one unsynced change of a directory: name now means node, or
// nothing when node is nil, and the name gone is free.
type entryChange struct {
	call int
	name string
	node *inode
	gone string
}

// NewMem returns an empty file system.
func NewMem() *Mem {
	return &Mem{names: map[string]*inode{}, durable: map[string]*inode{}, locks: map[string]bool{}}
}

// CutPowerAt lets call n take effect in the cache only and fail, and every
// later call fail; 0 means never.
func (m *Mem) CutPowerAt(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cutAt = n
}

// FailWith asks f before each call. An error fails the call: a write first
// writes half of its bytes, a sync loses what it should have made durable
// while the process goes on seeing it, as Linux does.
func (m *Mem) FailWith(f func(Call) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = f
}

// SetCapacity bounds the bytes of all files; a write over it comes up short
// with ENOSPC. 0 means no bound.
func (m *Mem) SetCapacity(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.capacity = bytes
}

// Calls returns every call so far.
func (m *Mem) Calls() []Call {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.calls)
}

// ReadFile returns what the process sees of a file.
func (m *Mem) ReadFile(name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	node, ok := m.names[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return slices.Clone(node.data), nil
}

// WriteFile sets a file's content, durably and uncounted: for tests that
// damage a file.
func (m *Mem) WriteFile(name string, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	node := &inode{data: slices.Clone(data), synced: slices.Clone(data)}
	m.names[name], m.durable[name] = node, node
}

// record counts a call and says what becomes of it.
func (m *Mem) record(op, name string, off int64, n int) error {
	if m.cutAt > 0 && len(m.calls) >= m.cutAt {
		return ErrPowerCut
	}
	c := Call{N: len(m.calls) + 1, Op: op, Name: filepath.Base(name), Off: off, Len: n}
	m.calls = append(m.calls, c)
	if c.N == m.cutAt {
		return errCutNow
	}
	if m.fail != nil {
		return m.fail(c)
	}
	return nil
}

// errCutNow: the call still reaches the cache, then fails with ErrPowerCut.
var errCutNow = fmt.Errorf("%w now", ErrPowerCut)

func (m *Mem) MkdirAll(string) error { return nil }

func (m *Mem) Create(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.record("create", name, 0, 0)
	if err != nil && !errors.Is(err, errCutNow) {
		return nil, err
	}
	node := &inode{}
	m.change(entryChange{name: name, node: node})
	return m.handle(name, node), err
}

func (m *Mem) Open(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	node, ok := m.names[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return m.handle(name, node), nil
}

func (m *Mem) OpenWrite(name string) (File, error) { return m.Open(name) }

func (m *Mem) handle(name string, node *inode) File {
	return &memFile{m: m, name: name, node: node, life: m.life}
}

func (m *Mem) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.record("rename", to, 0, 0)
	if err != nil && !errors.Is(err, errCutNow) {
		return err
	}
	node, ok := m.names[from]
	if !ok {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	m.change(entryChange{name: to, node: node, gone: from})
	return err
}

func (m *Mem) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.record("remove", name, 0, 0)
	if err != nil && !errors.Is(err, errCutNow) {
		return err
	}
	if _, ok := m.names[name]; !ok {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	m.change(entryChange{gone: name})
	return err
}

func (m *Mem) change(e entryChange) {
	e.call = len(m.calls)
	e.apply(m.names)
	m.renames = append(m.renames, e)
}

func (e entryChange) apply(names map[string]*inode) {
	if e.gone != "" {
		delete(names, e.gone)
	}
	if e.node != nil {
		names[e.name] = e.node
	}
}

func (m *Mem) List(dir string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []string
	for name := range m.names {
		if filepath.Dir(name) == filepath.Clean(dir) {
			found = append(found, filepath.Base(name))
		}
	}
	slices.Sort(found)
	return found, nil
}

func (m *Mem) SyncDir(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.record("syncdir", dir, 0, 0); err != nil {
		return err
	}
	m.durable = maps.Clone(m.names)
	m.renames = nil
	return nil
}

func (m *Mem) Lock(name string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locks[name] {
		return nil, fmt.Errorf("%w: %s", ErrLocked, name)
	}
	m.locks[name] = true
	return &memLock{m, name, m.life}, nil
}

type memLock struct {
	m    *Mem
	name string
	life int
}

func (l *memLock) Close() error {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	if l.life == l.m.life {
		delete(l.m.locks, l.name)
	}
	return nil
}

// grow returns how many of n bytes at off fit, and makes room for them.
func (m *Mem) grow(node *inode, off int64, n int) int {
	need := off + int64(n) - int64(len(node.data))
	if need <= 0 {
		return n
	}
	if m.capacity > 0 {
		var used int64
		for _, other := range m.names {
			used += int64(len(other.data))
		}
		if short := used + need - m.capacity; short > 0 {
			n = max(0, n-int(min(short, int64(n))))
		}
	}
	if end := off + int64(n); n > 0 && end > int64(len(node.data)) {
		node.data = append(node.data, make([]byte, end-int64(len(node.data)))...)
	}
	return n
}
