package records

import (
	"bytes"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func TestEntriesComeBackAsTheyWereGiven(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	first, second := alert(1, 5), note(2, 5, "called the owner")
	second.N = 3
	add(t, s, first, second)
	for _, flushed := range []bool{false, true} {
		entries, total, more, err := s.Timeline(5, 0, 0, 10)
		require.NoError(t, err)
		require.Equal(t, []event.Change{first, second}, entries, "flushed: %v", flushed)
		require.Equal(t, 2, total)
		require.False(t, more)
		require.NoError(t, s.Flush())
	}
}

func TestClaimsKeepTheirTimesAndLoseTheirLabelSets(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	given := full(alert(1, 5))
	add(t, s, given)
	require.True(t, given.Claim.Full, "the caller's change is left alone")
	require.Equal(t, []event.Change{alert(1, 5)}, pages(t, s, 5, 10))
}

func TestRepeatsAndChangesOfNoIncidentLeaveNoEntry(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	add(t, s, alert(1, 5), seen(2, 5), alert(3, 0), event.Change{Seq: 4, Kind: event.RulesLoaded, Text: "v2"})
	require.NoError(t, s.Flush())
	require.Equal(t, []event.Change{alert(1, 5)}, pages(t, s, 5, 10))
	require.Equal(t, cursor{4, 0}, cursorOf(s))
}

func TestTheCursorIsThatOfTheLastFlush(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	require.Equal(t, cursor{}, cursorOf(s))
	add(t, s, alert(1, 5))
	require.Equal(t, cursor{}, cursorOf(s))
	require.NoError(t, s.Flush())
	require.Equal(t, cursor{1, 0}, cursorOf(s))
}

func TestWhatIsFedAgainIsSkipped(t *testing.T) {
	m, r := model{}, rand.New(rand.NewPCG(1, 1))
	s := open(t, t.TempDir(), Options{})
	m.grow(r, 200)
	m.feed(t, s, r)
	m.feed(t, s, r)
	m.check(t, s, 10)
}

func TestAQuietNightOfRepeatsTakesNoSpace(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	add(t, s, alert(1, 5))
	require.NoError(t, s.Flush())
	size := func() int64 {
		info, err := s.tail.file.Stat()
		require.NoError(t, err)
		return info.Size()
	}
	before := size()
	for seq := range uint64(500) {
		add(t, s, seen(seq+2, 5))
		require.NoError(t, s.Flush())
	}
	require.Equal(t, before+frameHead+markSize, size(), "one mark, written over and over")
	add(t, s, alert(600, 5))
	require.NoError(t, s.Flush())
	require.Equal(t, size(), s.tail.size, "an entry takes the mark's place")
	require.Len(t, pages(t, s, 5, 10), 2)
}

func TestAnUnknownIncidentHasAnEmptyTimeline(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	add(t, s, alert(1, 5))
	for _, id := range []event.IncidentID{0, 4, 6, 1 << 20, 1<<32 - 1} {
		entries, total, more, err := s.Timeline(id, 0, 0, 10)
		require.NoError(t, err)
		require.Empty(t, entries)
		require.Zero(t, total)
		require.False(t, more)
		require.Zero(t, s.Total(id))
		require.False(t, s.Dropped(id))
	}
}

func TestAClosedStoreSaysSo(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "closing twice is allowed")
	ch := alert(1, 5)
	require.ErrorIs(t, s.Append(&ch), ErrClosed)
	require.ErrorIs(t, s.Flush(), ErrClosed)
	require.ErrorIs(t, s.Sync(), ErrClosed)
	_, _, _, err := s.Timeline(5, 0, 0, 10)
	require.ErrorIs(t, err, ErrClosed)
}

func TestAChangeTooLargeIsRefusedAndLeavesTheRestAlone(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	add(t, s, note(1, 5, "short"))
	large := note(2, 5, strings.Repeat("x", maxPayload))
	require.ErrorIs(t, s.Append(&large), ErrTooLarge)
	add(t, s, note(2, 5, "short again"))
	require.NoError(t, s.Flush())
	require.Len(t, pages(t, s, 5, 10), 2)
	require.LessOrEqual(t, cap(s.buf), keepBuffer)
}

func TestALongBatchIsWrittenBeforeItsFlush(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	text := strings.Repeat("x", maxBuffer/8)
	for seq := range uint64(20) {
		add(t, s, note(seq+1, 5, text))
		require.Less(t, len(s.buf), maxBuffer+maxBuffer/4)
	}
	require.Len(t, pages(t, s, 5, 3), 20)
}

func TestAFailedWriteLosesNothingAndCanBeTriedAgain(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	add(t, s, alert(1, 5))
	working := s.tail.file
	broken, err := Open(t.TempDir(), Options{})
	require.NoError(t, err)
	require.NoError(t, broken.Close())
	s.tail.file = broken.tail.file
	require.ErrorContains(t, s.Flush(), "records: write: ")
	require.Equal(t, cursor{}, cursorOf(s))
	s.tail.file = working
	add(t, s, alert(2, 5))
	require.NoError(t, s.Flush())
	require.Len(t, pages(t, s, 5, 10), 2)
}

func TestMetricsShowWhatIsHeldAndLetTheStoreBeOpenedAgain(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	dir := t.TempDir()
	for round := range uint64(2) {
		s := open(t, dir, Options{MaxBytes: 1 << 20, Registerer: reg})
		add(t, s, alert(round+1, event.IncidentID(round+1)))
		require.NoError(t, s.Flush())
		require.InDelta(t, 1, value(t, s.metrics.entries), 0)
		families, err := reg.Gather()
		require.NoError(t, err)
		names := []string{}
		for _, f := range families {
			names = append(names, strings.TrimPrefix(f.GetName(), "tocsin_records_"))
		}
		require.Equal(t, []string{"capacity_bytes", "damaged_total", "dropped_segments_total", "entries_total", "incidents", "size_bytes"}, names)
		_, err = Open(dir, Options{Registerer: reg})
		require.ErrorContains(t, err, "records: metrics: ")
		require.NoError(t, s.Close())
	}
}

func TestAnUndisturbedStoreLogsNothing(t *testing.T) {
	var log bytes.Buffer
	dir := t.TempDir()
	for seq := range uint64(3) {
		s := open(t, dir, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		add(t, s, alert(seq+1, 5), seen(seq+1, 5))
		require.NoError(t, s.Close())
	}
	require.Empty(t, log.String())
}
