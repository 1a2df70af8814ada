package records

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func TestReadersSeeWholeTimelinesWhileTheOwnerAppendsAndDrops(t *testing.T) {
	s := open(t, t.TempDir(), Options{MaxBytes: 100_000, SegmentBytes: 10_000})
	var done atomic.Bool
	var readers sync.WaitGroup
	for reader := range 3 {
		readers.Go(func() {
			id := event.IncidentID(reader + 1)
			for !done.Load() {
				if !assert.NoError(t, readInOrder(s, id)) {
					return
				}
			}
		})
	}
	for seq := range uint64(5_000) {
		ch := alert(seq+1, event.IncidentID(seq%3+1))
		require.NoError(t, s.Append(&ch))
		if seq%7 == 0 {
			require.NoError(t, s.Flush())
		}
	}
	done.Store(true)
	readers.Wait()
	require.True(t, s.Dropped(1))
}

// readInOrder pages through a timeline of every third seq and fails at a gap that is not the bound's.
func readInOrder(s *Store, id event.IncidentID) error {
	var after event.Change
	for {
		entries, _, more, err := s.Timeline(id, after.Seq, after.N, 40)
		if err != nil {
			return err
		}
		for i, e := range entries {
			if i > 0 && e.Seq != entries[i-1].Seq+3 {
				return fmt.Errorf("hole in a page: %d after %d", e.Seq, entries[i-1].Seq)
			}
		}
		if !more {
			s.Cursor()
			return nil
		}
		after = entries[len(entries)-1]
	}
}

func TestAReaderMeetsACloseWithItsName(t *testing.T) {
	s := open(t, t.TempDir(), Options{SegmentBytes: 10_000})
	for seq := range uint64(2000) {
		add(t, s, alert(seq+1, 1))
	}
	started := make(chan struct{})
	var reader sync.WaitGroup
	var err error
	reader.Go(func() {
		close(started)
		for err == nil {
			_, _, _, err = s.Timeline(1, 0, 0, 2000)
		}
	})
	<-started
	require.NoError(t, s.Close())
	reader.Wait()
	require.ErrorIs(t, err, ErrClosed)
}
