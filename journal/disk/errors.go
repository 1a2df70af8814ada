package disk

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/tocsin-noc/tocsin/journal"
)

func readError(err error) error { return fmt.Errorf("journal: read: %w", err) }

// full turns the errors of a full disk or quota into ErrFull and leaves others
// as they are.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("%w (%w)", journal.ErrFull, err)
	}
	return err
}
