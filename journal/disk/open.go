package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tocsin-noc/tocsin/journal"
	"github.com/tocsin-noc/tocsin/journal/vfs"
)

const (
	lockName = "LOCK"
	// checkpointName is a copy of the header of the oldest segment that
	// Truncate kept: where the chain begins, and that the rest is gone
	// on purpose.
	checkpointName = "checkpoint"
	temporary      = ".tmp"
)

// Open opens the log in dir, making it if there is none, and repairs a torn
// tail. It returns ErrLocked when another process has it open and ErrCorrupt
// when acknowledged records are damaged.
func Open(dir string, o Options) (*Log, error) {
	l := &Log{dir: dir, o: o.withDefaults()}
	if err := l.o.FS.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("journal: open: %w", err)
	}
	var err error
	if l.lock, err = l.o.FS.Lock(filepath.Join(dir, lockName)); err != nil {
		if errors.Is(err, vfs.ErrLocked) {
			return nil, fmt.Errorf("%w: %w", journal.ErrLocked, err)
		}
		return nil, fmt.Errorf("journal: open: %w", err)
	}
	l.metrics = newMetrics(l)
	if err := l.open(); err != nil {
		return nil, errors.Join(err, l.lock.Close())
	}
	return l, nil
}

func (l *Log) open() error {
	if err := l.tidy(); err != nil {
		return err
	}
	segments, err := load(l.o, l.dir)
	if err != nil {
		return err
	}
	l.publish(segments)
	if err := l.openTail(); err != nil {
		return err
	}
	if err := l.metrics.register(l.o.Registerer); err != nil {
		return errors.Join(fmt.Errorf("journal: metrics: %w", err), l.tail.close())
	}
	if l.o.Ahead > 0 && !l.o.FillInline {
		l.startFiller()
	}
	l.refillLocked()
	return nil
}

// tidy removes what an interrupted call left and makes the directory durable
// as it is seen now.
func (l *Log) tidy() error {
	names, err := l.o.FS.List(l.dir)
	if err != nil {
		return fmt.Errorf("journal: open: %w", err)
	}
	keep, _, err := readCheckpoint(l.o.FS, l.dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		base, isSegment := segmentBase(name)
		if !strings.HasSuffix(name, temporary) && (!isSegment || base >= keep.base) {
			continue
		}
		if err := l.o.FS.Remove(filepath.Join(l.dir, name)); err != nil {
			return fmt.Errorf("journal: open: %w", err)
		}
	}
	if err := l.o.FS.SyncDir(l.dir); err != nil {
		return fmt.Errorf("journal: open: %w", err)
	}
	return nil
}

// load reads the headers of all segments, oldest first, and checks that none
// is missing at the beginning.
func load(o Options, dir string) ([]*segment, error) {
	names, err := o.FS.List(dir)
	if err != nil {
		return nil, fmt.Errorf("journal: open: %w", err)
	}
	keep, truncated, err := readCheckpoint(o.FS, dir)
	if err != nil {
		return nil, err
	}
	var segments []*segment
	for _, name := range names {
		base, ok := segmentBase(name)
		if !ok || base < keep.base {
			continue
		}
		s, err := loadSegment(o, filepath.Join(dir, name), base)
		if err != nil {
			return nil, err
		}
		segments = append(segments, s)
	}
	first := uint64(1)
	if truncated {
		first = keep.base
	}
	switch {
	case len(segments) == 0 && !truncated:
		return nil, nil
	case len(segments) == 0 || segments[0].base != first:
		return nil, corrupt(segmentPath(dir, first), 0, "the oldest segment is missing")
	case truncated && segments[0].link != keep.link:
		return nil, corrupt(segments[0].path, 0, "segment does not follow from the checkpoint")
	}
	return segments, nil
}

func loadSegment(o Options, path string, base uint64) (*segment, error) {
	file, err := o.FS.Open(path)
	if err != nil {
		return nil, readError(err)
	}
	defer file.Close()
	_, h, err := newScanner(file, path)
	if err != nil {
		return nil, err
	}
	if h.base != base {
		return nil, corrupt(path, 0, fmt.Sprintf("file is named for %d and begins with %d", base, h.base))
	}
	if h.shard != o.Shard {
		return nil, fmt.Errorf("journal: open: %s belongs to shard %d, not %d", path, h.shard, o.Shard)
	}
	size, err := file.Size()
	if err != nil {
		return nil, readError(err)
	}
	s := &segment{header: h, path: path}
	s.size.Store(size)
	return s, nil
}

// readCheckpoint returns the header of the oldest segment kept, if one was
// ever dropped.
func readCheckpoint(fsys vfs.FS, dir string) (header, bool, error) {
	path := filepath.Join(dir, checkpointName)
	file, err := fsys.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return header{}, false, nil
	}
	if err != nil {
		return header{}, false, readError(err)
	}
	defer file.Close()
	_, h, err := newScanner(file, path)
	return h, err == nil, err
}

// openTail finds the end of the last segment, or makes the first one.
func (l *Log) openTail() error {
	segments := *l.segments.Load()
	if len(segments) == 0 {
		var err error
		l.tail, err = l.create(header{shard: l.o.Shard, base: 1})
		return err
	}
	seg := segments[len(segments)-1]
	file, err := l.o.FS.OpenWrite(seg.path)
	if err != nil {
		return fmt.Errorf("journal: open: %w", err)
	}
	e, err := recoverEnd(file, seg.path)
	if err != nil {
		return errors.Join(err, file.Close())
	}
	seg.size.Store(e.end)
	l.tail = newTail(seg, file, e.salt, e.filled)
	l.progress.advance(e.head, e.at)
	if l.repair = e.repair; l.repair.Needed() {
		l.metrics.cut.Set(float64(l.repair.CutBytes))
		l.o.Logger.Warn("torn tail repaired", "file", seg.path, "offset", l.repair.Offset,
			"cut_bytes", l.repair.CutBytes, "kept_records", l.repair.Kept)
	}
	return nil
}

// create makes an empty segment, durably, and publishes it.
func (l *Log) create(h header) (*tail, error) {
	seg := &segment{header: h, path: segmentPath(l.dir, h.base)}
	seg.size.Store(headerSize)
	raw := h.encode()
	err := l.replace(seg.path, func(w io.Writer) error {
		_, err := w.Write(raw)
		return err
	}, func() { l.publish(append(slices.Clone(*l.segments.Load()), seg)) })
	if err != nil {
		return nil, err
	}
	file, err := l.o.FS.OpenWrite(seg.path)
	if err != nil {
		return nil, l.fail(err)
	}
	_, salt, _ := decodeHeader(raw)
	return newTail(seg, file, salt, headerSize), nil
}

// replace writes a file beside path and renames it over path; it appears whole
// or not at all. publish runs together with the rename, shut off from readers
// that look up files.
func (l *Log) replace(path string, write func(io.Writer) error, publish func()) error {
	if err := writeFile(l.o.FS, path+temporary, write); err != nil {
		_ = l.o.FS.Remove(path + temporary) // Open does it otherwise
		return fmt.Errorf("journal: write: %w", full(err))
	}
	if err := l.place(path, publish); err != nil {
		_ = l.o.FS.Remove(path + temporary)
		return fmt.Errorf("journal: rename: %w", full(err))
	}
	if err := l.o.FS.SyncDir(l.dir); err != nil {
		return l.fail(err)
	}
	return nil
}

func (l *Log) place(path string, publish func()) error {
	l.files.Lock()
	defer l.files.Unlock()
	if err := l.o.FS.Rename(path+temporary, path); err != nil {
		return err
	}
	publish()
	return nil
}

func writeFile(fsys vfs.FS, path string, write func(io.Writer) error) error {
	file, err := fsys.Create(path)
	if err != nil {
		return err
	}
	if err := write(io.NewOffsetWriter(file, 0)); err != nil {
		return errors.Join(err, file.Close())
	}
	return errors.Join(file.Sync(), file.Close())
}
