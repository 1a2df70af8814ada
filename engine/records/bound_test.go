package records

import (
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func diskBytes(t *testing.T, s *Store) (n int64) {
	t.Helper()
	for _, seg := range s.segs {
		info, err := os.Stat(segmentPath(s.dir, seg.number))
		require.NoError(t, err)
		n += info.Size()
	}
	return n
}

func TestTheOldestEntriesAreDroppedAtTheBound(t *testing.T) {
	for seed := range uint64(2) {
		m, r := model{}, rand.New(rand.NewPCG(seed, 2))
		o := Options{MaxBytes: 60_000, SegmentBytes: 6_000}
		dir := t.TempDir()
		s := open(t, dir, o)
		for range 5 {
			m.grow(r, 500)
			m.feed(t, s, r)
			require.NoError(t, s.Flush())
			require.LessOrEqual(t, diskBytes(t, s), o.MaxBytes+1500, "one frame over at most")
			m.check(t, s, 1+r.IntN(100))
		}
		require.True(t, s.Dropped(1))
		require.NotEmpty(t, pages(t, s, 1, 50))
		require.Positive(t, value(t, s.metrics.droppedSegments))
		require.NoError(t, s.Close())
		s = open(t, dir, o)
		require.True(t, s.Dropped(1))
		m.check(t, s, 50)
	}
}

func TestAnIncidentDroppedWholeKeepsItsTotalAndGoesOn(t *testing.T) {
	dir := t.TempDir()
	o := Options{MaxBytes: 8000, SegmentBytes: 1000}
	s := open(t, dir, o)
	add(t, s, alert(1, 1), alert(2, 1))
	for seq := range uint64(200) {
		add(t, s, alert(seq+3, 2))
	}
	for _, reopened := range []bool{false, true} {
		require.True(t, s.Dropped(1))
		require.Equal(t, 2, s.Total(1))
		require.Empty(t, pages(t, s, 1, 10))
		if !reopened {
			require.NoError(t, s.Close())
			s = open(t, dir, o)
		}
	}
	add(t, s, alert(1000, 1))
	require.Equal(t, []event.Change{alert(1000, 1)}, pages(t, s, 1, 10))
	require.Equal(t, 3, s.Total(1))
	require.True(t, s.Dropped(1))
}

func TestALowerBoundIsAppliedWhenOpening(t *testing.T) {
	m, r := model{}, rand.New(rand.NewPCG(1, 3))
	dir := t.TempDir()
	s := open(t, dir, Options{SegmentBytes: 4000})
	m.grow(r, 1000)
	m.feed(t, s, r)
	require.NoError(t, s.Close())
	s = open(t, dir, Options{MaxBytes: 30_000, SegmentBytes: 4000})
	require.LessOrEqual(t, diskBytes(t, s), int64(30_000))
	require.True(t, s.Dropped(1))
	m.check(t, s, 64)
}

func TestAScanAfterDroppingKnowsThatEntriesAreMissing(t *testing.T) {
	m, r := model{}, rand.New(rand.NewPCG(1, 4))
	dir := t.TempDir()
	o := Options{MaxBytes: 60_000, SegmentBytes: 6_000}
	s := open(t, dir, o)
	m.grow(r, 2500)
	m.feed(t, s, r)
	require.NoError(t, s.Close())
	require.NoError(t, os.Remove(checkpointPath(dir)))
	s = open(t, dir, o)
	require.True(t, s.Dropped(1))
	m.check(t, s, 64)
	m.grow(r, 300)
	m.feed(t, s, r)
	m.check(t, s, 64)
}
