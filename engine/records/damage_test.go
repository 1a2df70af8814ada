package records

import (
	"bytes"
	"log/slog"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// damagedStore has 300 entries of incident 1 in several segments; one byte of the frame of ordinal 70 is wrong. It returns
// where that lies.
func damagedStore(t *testing.T, dir string, keepCheckpoint bool) position {
	t.Helper()
	s := open(t, dir, Options{SegmentBytes: 6000})
	var pos position
	for seq := range uint64(300) {
		add(t, s, alert(seq+1, 1))
		if seq == 70 {
			pos = s.index.at(1).last
		}
	}
	require.NoError(t, s.Close())
	require.Less(t, pos.segment(), s.tail.number)
	if !keepCheckpoint {
		require.NoError(t, os.Remove(checkpointPath(dir)))
	}
	path := segmentPath(dir, pos.segment())
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	content[pos.offset()+frameHead+entrySize] ^= 1
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return pos
}

func TestADamagedEntryFailsOnlyThePagesThatNeedIt(t *testing.T) {
	dir := t.TempDir()
	pos := damagedStore(t, dir, true)
	s := open(t, dir, Options{SegmentBytes: 6000})
	_, _, _, err := s.Timeline(1, 0, 0, 100)
	require.ErrorIs(t, err, ErrCorrupt)
	var place *CorruptError
	require.ErrorAs(t, err, &place)
	require.Equal(t, segmentPath(dir, pos.segment()), place.File)
	require.Equal(t, pos.offset(), place.Offset)
	require.ErrorContains(t, err, "remove the folder")
	require.InDelta(t, 1, value(t, s.metrics.damaged), 0)

	entries, _, more, err := s.Timeline(1, 0, 0, 60)
	require.NoError(t, err)
	require.Len(t, entries, 60)
	require.True(t, more)
	entries, _, more, err = s.Timeline(1, 129, 0, 1000)
	require.NoError(t, err)
	require.Len(t, entries, 171)
	require.False(t, more)
}

func TestAScanLeavesOutWhatFollowsDamageInItsSegmentAndReportsIt(t *testing.T) {
	dir := t.TempDir()
	pos := damagedStore(t, dir, false)
	var log bytes.Buffer
	s := open(t, dir, Options{SegmentBytes: 6000, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.Contains(t, log.String(), "timelines damaged, rest of segment left out")
	require.Contains(t, log.String(), segmentPath(dir, pos.segment()))
	require.InDelta(t, 1, value(t, s.metrics.damaged), 0)
	require.Equal(t, cursor{300, 0}, cursorOf(s))
	require.Equal(t, 300, s.Total(1))
	require.True(t, s.Dropped(1), "entries are missing")
	entries, _, _, err := s.Timeline(1, 200, 0, 1000)
	require.NoError(t, err)
	require.Len(t, entries, 100)
	add(t, s, alert(301, 1))
	require.Equal(t, 301, s.Total(1))
}

func TestALinkToTheWrongPlaceIsRecognised(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	add(t, s, alert(1, 1), alert(2, 2), alert(3, 1))
	require.NoError(t, s.Flush())
	one, two := s.index.at(1), s.index.at(2)
	for name, slot := range map[string]slot{
		"another incident": {last: two.last, milestone: one.milestone, count: 2},
		"within a frame":   {last: one.last + 3, milestone: one.milestone, count: 2},
		"beyond the end":   {last: one.last + 1<<20, milestone: one.milestone, count: 2},
		"no milestone":     {last: one.last, milestone: one.last, count: 2},
		"another group":    {last: one.last, milestone: one.milestone, count: 200},
	} {
		c := chain{id: 1, slot: slot, near: reader{s: s, back: readBack}, far: reader{s: s}}
		_, _, err := c.page(cursor{1, 0}, 10)
		require.ErrorIs(t, err, ErrCorrupt, name)
	}
}

func TestAChangeOfAnotherVersionIsNamed(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	c := chain{id: 9, near: reader{s: s}}
	_, err := c.decode(&frame{cursor: cursor{4, 2}, change: []byte{0xff}})
	require.ErrorIs(t, err, event.ErrMalformed)
	require.ErrorContains(t, err, "INC-9, change 4.2")
	_, err = c.decode(&frame{change: event.AppendChanges(nil, nil)})
	require.ErrorContains(t, err, "0 changes in one entry")
}
