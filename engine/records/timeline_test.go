package records

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func TestAnyPageFromAnywhereIsThatOfTheModel(t *testing.T) {
	for seed := range uint64(3) {
		m, r := model{}, rand.New(rand.NewPCG(seed, 1))
		s := open(t, t.TempDir(), Options{SegmentBytes: 20_000})
		m.grow(r, 2500)
		m.feed(t, s, r)
		require.Greater(t, len(s.segs), 3)
		m.check(t, s, 1+r.IntN(200))
		for range 200 {
			id := event.IncidentID(r.IntN(7))
			after := m.changes[r.IntN(len(m.changes))]
			limit := r.IntN(100)
			want := m.of[id]
			for len(want) > 0 && !(cursor{after.Seq, after.N}).before(cursor{want[0].Seq, want[0].N}) {
				want = want[1:]
			}
			entries, total, more, err := s.Timeline(id, after.Seq, after.N, limit)
			require.NoError(t, err)
			require.Equal(t, len(m.of[id]), total)
			require.Equal(t, len(want) > limit, more)
			require.Len(t, entries, min(limit, len(want)))
			require.ElementsMatch(t, want[:len(entries)], entries)
		}
	}
}

func TestPagesOfEverySizeAroundAGroupAreComplete(t *testing.T) {
	for _, n := range []int{1, 63, 64, 65, 127, 128, 129, 300} {
		s := open(t, t.TempDir(), Options{})
		var want []event.Change
		for i := range n {
			want = append(want, alert(uint64(i+1), 1))
		}
		add(t, s, want...)
		for _, limit := range []int{1, 63, 64, 65, 1000} {
			require.Equal(t, want, pages(t, s, 1, limit), "%d entries, pages of %d", n, limit)
		}
	}
}

func TestTheFirstPageOfALongTimelineNeedsFewReads(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	const n = 100_000
	for seq := range uint64(n) {
		ch := alert(seq+1, 1)
		require.NoError(t, s.Append(&ch))
	}
	c := chain{id: 1, slot: s.index.at(1), near: reader{s: s, back: readBack}, far: reader{s: s}}
	for range 200 {
		after := cursor{uint64(rand.IntN(n)), 0}
		visited := 0
		_, _, err := c.descend(func(f *frame) bool {
			visited++
			return !after.before(f.cursor)
		})
		require.NoError(t, err)
		require.Less(t, visited, 200, "of %d milestones, looking for %v", n/groupSize, after)
	}
}

func TestAPageStaysCompleteWhileEntriesAreAdded(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	add(t, s, alert(1, 1), alert(2, 1))
	entries, _, more, err := s.Timeline(1, 0, 0, 1)
	require.NoError(t, err)
	require.True(t, more)
	add(t, s, alert(3, 1))
	rest, total, more, err := s.Timeline(1, entries[0].Seq, entries[0].N, 10)
	require.NoError(t, err)
	require.False(t, more)
	require.Equal(t, 3, total)
	require.Equal(t, []event.Change{alert(2, 1), alert(3, 1)}, rest)
}
