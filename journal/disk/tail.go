package disk

import (
	"errors"
	"io/fs"
	"math"
	"sync"
	"sync/atomic"

	"github.com/tocsin-noc/tocsin/journal/vfs"
)

const fillChunk = 1 << 20

var zeros [fillChunk]byte

// tail is the file being appended to. The writer writes at the durable end of
// its segment; the filler writes zeros ahead of it, because a sync of bytes
// that exist already costs half of one that makes the file grow.
type tail struct {
	seg  *segment
	file vfs.File
	salt uint32

	mu     sync.Mutex   // held to write at or beyond filled
	filled atomic.Int64 // the file is zero from the end of the log to here
}

func newTail(seg *segment, file vfs.File, salt uint32, filled int64) *tail {
	t := &tail{seg: seg, file: file, salt: salt}
	t.filled.Store(filled)
	return t
}

// write puts b at the end of the log; it is not durable yet.
func (t *tail) write(b []byte) error {
	off := t.seg.size.Load()
	end := off + int64(len(b))
	if end > t.filled.Load() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.filled.Store(max(end, t.filled.Load()))
	}
	_, err := t.file.WriteAt(b, off)
	return err
}

// undo removes what a failed write left behind the end of the log.
func (t *tail) undo() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	end := t.seg.size.Load()
	if err := t.file.Truncate(end); err != nil {
		return err
	}
	t.filled.Store(end)
	return t.file.Sync()
}

// due returns how many zeros to write next, given that ahead bytes shall be
// ready but the segment not grow over limit; 0: none yet.
func (t *tail) due(ahead, limit int64) int64 {
	filled := t.filled.Load()
	goal := min(t.seg.size.Load()+ahead, limit)
	chunk := min(fillChunk, ahead)
	if n := goal - filled; n >= chunk || (n > 0 && goal == limit) {
		return min(n, chunk)
	}
	return 0
}

// fill writes the zeros that are due and makes them durable. The sync is
// outside the lock: an append must not wait for it.
func (t *tail) fill(ahead, limit int64) (more bool, err error) {
	t.mu.Lock()
	n := t.due(ahead, limit)
	if n == 0 {
		t.mu.Unlock()
		return false, nil
	}
	filled := t.filled.Load()
	written, err := t.file.WriteAt(zeros[:n], filled)
	t.filled.Store(filled + int64(written))
	t.mu.Unlock()
	if err != nil {
		// A full disk is found again, and told, by the append that needs
		// the room.
		return false, nil
	}
	if err := t.file.Sync(); err != nil && !errors.Is(err, fs.ErrClosed) {
		return false, err
	}
	return true, nil
}

// seal ends writing: the zeros go and the file is closed. A file that keeps
// them, or that a crash makes keep them, reads the same.
func (t *tail) seal() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.filled.Store(math.MaxInt64)
	return errors.Join(t.file.Truncate(t.seg.size.Load()), t.file.Close())
}

// close leaves the zeros for the next opening.
func (t *tail) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.filled.Store(math.MaxInt64)
	return t.file.Close()
}
