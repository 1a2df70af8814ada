package engine

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/journal/disk"
)

// ReadOptions say where a reading of a journal begins.
type ReadOptions struct {
	Since event.Time // begin with the newest snapshot before, where there is one; 0: as early as the journal goes
	// Begin is told the state that the first input follows, and the journal's last seq.
	Begin func(state *correlate.State, last uint64)
}

// ReadInputs hands the inputs of the data in dir to take, in their order. It only reads, and may run beside the daemon; what the
// daemon appends meanwhile may be read or not.
func ReadInputs(dir string, o ReadOptions, take func(*event.Input) error) error {
	log, err := disk.OpenReadOnly(filepath.Join(dir, "journal"), disk.Options{})
	if err != nil {
		return fmt.Errorf("engine: read: %w", err)
	}
	state, err := stateBefore(dir, log.First(), o.Since)
	if err != nil {
		return err
	}
	o.Begin(state, log.Last())
	return readInputs(log.SegmentReader(state.Seq()+1), state.Seq(), take)
}

// stateBefore returns the newest state that a snapshot holds of a time before since, else the earliest that inputs from first on can
// follow.
func stateBefore(dir string, first uint64, since event.Time) (*correlate.State, error) {
	earliest, err := replayStart(dir, first)
	if since == 0 {
		return earliest, err
	}
	names, listErr := snapshots(dir)
	if listErr != nil {
		return nil, listErr
	}
	for _, name := range slices.Backward(names) {
		if seqOf(name)+1 < first {
			break
		}
		s, loadErr := loadSnapshot(name)
		if loadErr == nil && s.At() < since && (earliest == nil || s.Seq() > earliest.Seq()) {
			return s, nil
		}
	}
	return earliest, err
}
