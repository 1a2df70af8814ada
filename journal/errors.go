package journal

import (
	"errors"
	"fmt"
)

// What callers decide on, with errors.Is.
var (
	// ErrFull: the disk or quota is full; nothing of the call was kept; try
	// later.
	ErrFull = errors.New("journal: disk full")
	// ErrFailed: a sync failed, so what is on disk is unknown. The log
	// refuses to write until reopened.
	ErrFailed = errors.New("journal: failed, reopen it")
	// ErrClosed: the log or reader was closed.
	ErrClosed = errors.New("journal: closed")
	// ErrLocked: another process has the log open.
	ErrLocked = errors.New("journal: in use by another process")
	// ErrTruncated: the record asked for is older than the oldest kept.
	ErrTruncated = errors.New("journal: truncated, the record is older than the oldest kept")
	// ErrActive: the record is in the segment being written.
	ErrActive = errors.New("journal: record is in the active segment, roll first")
	// ErrUnknown: no record has that sequence number.
	ErrUnknown = errors.New("journal: no such record")
	// ErrTooLarge: a payload is larger than the format allows.
	ErrTooLarge = errors.New("journal: payload too large")
	// ErrOrder: a sequence number is not above the last.
	ErrOrder = errors.New("journal: sequence numbers must increase")
	// ErrCorrupt matches every CorruptError.
	ErrCorrupt = errors.New("journal: corrupt")
)

// CorruptError says where bytes are not what was written there.
type CorruptError struct {
	File   string // path of the file
	Offset int64  // bytes from its start to the first place that differs
	Reason string
	Hint   string // what the operator can do, may be empty
}

func (e *CorruptError) Error() string {
	s := fmt.Sprintf("journal: corrupt: %s: offset %d: %s", e.File, e.Offset, e.Reason)
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// Is makes errors.Is(err, ErrCorrupt) true.
func (e *CorruptError) Is(target error) bool { return target == ErrCorrupt }
