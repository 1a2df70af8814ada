package engine

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/journal"
)

const (
	snapshotDir    = "snapshots"
	snapshotSuffix = ".snapshot"
)

// Saved says what the last snapshot was.
type Saved struct {
	Seq   uint64
	Bytes int64
	At    time.Time
	Took  time.Duration
}

// Snapshot writes the state as it is now. Steps go on meanwhile.
func (e *Engine) Snapshot(ctx context.Context) error {
	v, err := e.View(ctx)
	if err != nil {
		return err
	}
	return e.save(v)
}

func (e *Engine) snapshotLoop(ctx context.Context) {
	t := time.NewTicker(e.o.SnapshotInterval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if err := e.Snapshot(ctx); err != nil && ctx.Err() == nil {
			e.metrics.snapshotErrors.Inc()
			e.log.Error("snapshot failed, the next one is tried in time", "error", err)
		}
	}
}

// save writes a view and lets go of what only older snapshots needed.
func (e *Engine) save(v *correlate.View) error {
	e.saving.Lock()
	defer e.saving.Unlock()
	if last := e.lastSaved.Load(); last != nil && last.Seq == v.Seq {
		return nil
	}
	began := time.Now()
	path := filepath.Join(e.o.Dir, snapshotDir, fmt.Sprintf("%020d%s", v.Seq, snapshotSuffix))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("engine: snapshot: %w", err)
	}
	var size int64
	if err := writeDurably(path, func(w io.Writer) error {
		counted := &counter{w: w}
		err := v.Save(counted)
		size = counted.n
		return err
	}); err != nil {
		return fmt.Errorf("engine: snapshot: %w", err)
	}
	e.lastSaved.Store(&Saved{Seq: v.Seq, Bytes: size, At: time.Now(), Took: time.Since(began)})
	debug.FreeOSMemory() // pages that were copied beside the snapshot's are no longer needed
	return e.prune()
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// writeDurably writes a file so that after a crash it is there whole, or not at all.
func writeDurably(path string, write func(io.Writer) error) error {
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	err = write(w)
	for _, step := range []func() error{w.Flush, f.Sync} {
		if err == nil {
			err = step()
		}
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		_ = os.Remove(tmp)
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// prune removes snapshots and log segments that recovery no longer needs.
func (e *Engine) prune() error {
	names, err := snapshots(e.o.Dir)
	if err != nil {
		return err
	}
	for len(names) > e.o.SnapshotKeep {
		if err := os.Remove(names[0]); err != nil {
			return fmt.Errorf("engine: snapshot: %w", err)
		}
		names = names[1:]
	}
	settled, err := e.records.Settle()
	if err != nil {
		return err
	}
	oldest, now := min(seqOf(names[0]), settled)+1, time.Now().UnixMilli()
	if _, err := e.journal.Retain(e.o.JournalRetention, now, oldest); err != nil {
		return err
	}
	kept := journal.Retention{MaxAge: e.o.JournalRetention.MaxAge, MaxBytes: e.o.ChangesBytes}
	_, err = e.changes.Retain(kept, now, oldest)
	return err
}

// snapshots returns the paths of the snapshots, the oldest first.
func snapshots(dir string) ([]string, error) {
	names, err := filepath.Glob(filepath.Join(dir, snapshotDir, "*"+snapshotSuffix))
	if err != nil {
		return nil, fmt.Errorf("engine: snapshots: %w", err)
	}
	slices.Sort(names)
	return names, nil
}

func seqOf(path string) uint64 {
	base := filepath.Base(path)
	seq, err := strconv.ParseUint(base[:len(base)-len(snapshotSuffix)], 10, 64)
	if err != nil {
		return 0
	}
	return seq
}

func loadSnapshot(path string) (*correlate.State, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return correlate.Load(bufio.NewReaderSize(f, 1<<20))
}
