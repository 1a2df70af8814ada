package records

import (
	"errors"
	"fmt"
)

// What callers decide on, with errors.Is.
var (
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("records: closed")
	// ErrTooLarge: one change is larger than the format allows; the store keeps nothing of it and its cursor stays.
	ErrTooLarge = errors.New("records: change too large")
	// ErrActive: the entry is in the segment being written; EndSegment and a Flush end it.
	ErrActive = errors.New("records: segment still written to")
	// ErrCorrupt matches every CorruptError.
	ErrCorrupt = errors.New("records: corrupt")
)

// CorruptError says where bytes are not what was written there.
type CorruptError struct {
	File   string // path of the segment
	Offset int64  // bytes from its start to the frame
	Reason string
}

// Error returns the place, the reason and what the operator can do.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("records: %s: corrupt at byte %d: %s (%s)", e.File, e.Offset, e.Reason, e.Hint())
}

// Hint says what the operator can do.
func (e *CorruptError) Hint() string {
	return "stop the daemon and remove the folder: it is filled again from the changes log, as far back as that reaches"
}

// Is makes errors.Is(err, ErrCorrupt) true.
func (e *CorruptError) Is(target error) bool { return target == ErrCorrupt }
