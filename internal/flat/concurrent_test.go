package flat

import (
	"io"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// sum reads everything that a view shows.
func (v *views) sum() (total uint64) {
	for i := uint32(1); i < v.slab.Len(); i++ {
		total += v.slab.At(i).a
		if ref, ok := v.index.Find(uint64(i)*0xD6E8FEB86659FD93, func(r uint32) bool { return r == i }); ok {
			total += uint64(ref)
		}
	}
	if sym, ok := v.text.Lookup("text 7"); ok {
		total += uint64(len(v.text.String(sym)))
	}
	return total
}

func TestReadersOfViewsAndTheOwnerDoNotMeet(t *testing.T) {
	s := newState()
	s.run(8, 5_000)
	type frozen struct {
		views *views
		sum   uint64
	}
	const readers = 3
	handed := make(chan frozen)
	var done sync.WaitGroup
	for range readers {
		done.Go(func() {
			for f := range handed {
				for range 3 {
					if got := f.views.sum(); got != f.sum {
						t.Errorf("view changed: sum %d, was %d", got, f.sum)
					}
				}
				if err := f.views.save(io.Discard); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for n := range uint64(30) {
		v := s.view()
		handed <- frozen{v, v.sum()}
		s.run(n, 1_000)
	}
	close(handed)
	done.Wait()
	require.NotZero(t, s.slab.Stats().Used)
}
