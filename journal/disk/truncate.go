package disk

import (
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/tocsin-noc/tocsin/journal"
)

// Truncate drops the segments whose records are all below before. The
// checkpoint is durable before the first file goes, so a crash in between
// leaves files that the next Open removes.
func (l *Log) Truncate(before uint64) (segments int, err error) {
	l.maintenance.Lock()
	defer l.maintenance.Unlock()
	list := *l.segments.Load()
	n := 0
	for n+1 < len(list) && list[n+1].base <= before {
		n++
	}
	if n == 0 {
		return 0, nil
	}
	if err := l.maintainable(); err != nil {
		return 0, err
	}
	kept := list[n].header.encode()
	err = l.replace(filepath.Join(l.dir, checkpointName), func(w io.Writer) error {
		_, err := w.Write(kept)
		return err
	}, func() {})
	if err != nil {
		return 0, err
	}
	return n, l.drop(n)
}

// maintainable returns why segments cannot be changed.
func (l *Log) maintainable() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.usableLocked()
}

// drop removes the n oldest segments.
func (l *Log) drop(n int) error {
	l.files.Lock()
	list := *l.segments.Load()
	l.publish(list[n:])
	for _, s := range list[:n] {
		if err := l.o.FS.Remove(s.path); err != nil {
			l.o.Logger.Warn("segment not removed", "file", s.path, "err", err, "hint", "the next start removes it")
		}
	}
	l.files.Unlock()
	if err := l.o.FS.SyncDir(l.dir); err != nil {
		return l.fail(err)
	}
	return nil
}

// Retain truncates what r no longer asks for at now, but nothing at or above
// cursor.
func (l *Log) Retain(r journal.Retention, now int64, cursor uint64) (segments int, err error) {
	if r.MaxAge < 0 || r.MaxBytes < 0 {
		return 0, fmt.Errorf("journal: retention: negative bound %v", r)
	}
	return l.Truncate(min(cursor, l.expired(r, now)))
}

// expired returns the lowest sequence number that r still asks for. The last
// time in a segment stands in the header of the next.
func (l *Log) expired(r journal.Retention, now int64) uint64 {
	list := *l.segments.Load()
	size := l.Size()
	for i, s := range list[:len(list)-1] {
		next := list[i+1]
		old := r.MaxAge > 0 && next.at < now-int64(r.MaxAge/time.Millisecond)
		large := r.MaxBytes > 0 && size > r.MaxBytes
		if !old && !large {
			return s.base
		}
		size -= s.size.Load()
	}
	return list[len(list)-1].base
}
