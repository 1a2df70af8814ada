package flat

import (
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

type record struct {
	live uint32
	a    uint64
	b    [3]uint32
}

// slabModel is the dumb alternative: a map, and copies of it for the views.
type slabModel map[uint32]record

func (m slabModel) equal(t *testing.T, length uint32, at func(uint32) *record) {
	t.Helper()
	live := 0
	for i := uint32(1); i < length; i++ {
		r := *at(i)
		if r.live != 0 {
			live++
			require.Equal(t, m[i], r)
		} else {
			require.Zero(t, r)
		}
	}
	require.Len(t, m, live)
}

func (m slabModel) clone() slabModel {
	c := make(slabModel, len(m))
	maps.Copy(c, m)
	return c
}

func TestSlabBehavesLikeAMapAndItsViewsKeepTheirContent(t *testing.T) {
	for seed := range seeds(3, 8) {
		rng := rand.New(rand.NewPCG(seed, 1))
		s, model := NewSlab[record](), slabModel{}
		var ids []uint32
		var views []SlabView[record]
		var copies []slabModel
		for step := range 20_000 {
			switch k := rng.IntN(100); {
			case k < 40 || len(ids) == 0:
				i := s.Alloc()
				require.NotZero(t, i)
				require.Zero(t, *s.At(i))
				r := record{live: 1, a: rng.Uint64()}
				*s.Mut(i), model[i] = r, r
				ids = append(ids, i)
			case k < 65:
				n := rng.IntN(len(ids))
				s.Free(ids[n])
				delete(model, ids[n])
				ids[n] = ids[len(ids)-1]
				ids = ids[:len(ids)-1]
			default:
				i := ids[rng.IntN(len(ids))]
				s.Mut(i).b[k%3] = uint32(step)
				r := model[i]
				r.b[k%3] = uint32(step)
				model[i] = r
			}
			if step%2_000 == 1_999 {
				views, copies = append(views, s.View()), append(copies, model.clone())
			}
		}
		model.equal(t, s.Len(), s.At)
		for n := range views {
			copies[n].equal(t, views[n].Len(), views[n].At)
		}
		require.EqualValues(t, len(ids), s.Stats().Used)
	}
}

func TestSlabHandsOutTheLastFreedSlotFirst(t *testing.T) {
	s := NewSlab[record]()
	for want := range uint32(3) {
		require.Equal(t, want+1, s.Alloc())
	}
	s.Free(1)
	s.Free(3)
	require.EqualValues(t, 3, s.Alloc())
	require.EqualValues(t, 1, s.Alloc())
	require.EqualValues(t, 4, s.Alloc())
}

func TestSlabCopiesNothingWithoutAViewAndAPageOnceWithOne(t *testing.T) {
	s := NewSlab[record]()
	i := s.Alloc()
	p := s.Mut(i)
	require.Same(t, p, s.Mut(i))
	v := s.View()
	q := s.Mut(i)
	require.NotSame(t, p, q)
	require.Same(t, q, s.Mut(i))
	require.Same(t, p, v.At(i))
}

func TestSlabRefusesPointersAndBadFrees(t *testing.T) {
	require.PanicsWithValue(t, "flat: struct { A [2]struct { S string } } holds a pointer: A S string", func() {
		NewSlab[struct{ A [2]struct{ S string } }]()
	})
	require.Panics(t, func() { NewSlab[*int]() })
	require.Panics(t, func() { NewSlab[struct{}]() })
	s := NewSlab[record]()
	require.Panics(t, func() { s.Free(0) })
	require.Panics(t, func() { s.Free(1) })
}

func TestSlabTakesRecordsOfAnySize(t *testing.T) {
	fill[[1]byte](t)
	fill[[20]byte](t)
	fill[[1000]byte](t)
	fill[[8193]byte](t)
	fill[[40_000]byte](t)
}

func fill[T comparable](t *testing.T) {
	t.Helper()
	var zero T
	s := NewSlab[T]()
	for want := range uint32(70) {
		i := s.Alloc()
		require.Equal(t, want+1, i)
		require.Equal(t, *s.Mut(i), zero)
	}
	require.EqualValues(t, 71, s.Len())
}
