package records

import (
	"bytes"
	"log/slog"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func TestACutAtAnyByteOfTheLastFrameLosesThatFrameAlone(t *testing.T) {
	lasts := map[string]event.Change{"an entry": note(9, 5, "a text"), "a mark": seen(9, 5)}
	for name, last := range lasts {
		dir := t.TempDir()
		s := open(t, dir, Options{})
		add(t, s, alert(1, 5), note(2, 6, "first"))
		require.NoError(t, s.Flush())
		whole := s.tail.size
		add(t, s, last)
		require.NoError(t, s.Flush())
		content, err := os.ReadFile(tailFile(s))
		require.NoError(t, err)
		crash(t, s)
		for cut := whole; cut < int64(len(content)); cut++ {
			torn := copyDir(t, dir)
			require.NoError(t, os.Truncate(segmentPath(torn, 1), cut))
			s := open(t, torn, Options{})
			require.Equal(t, cursor{2, 0}, cursorOf(s), "%s cut at %d", name, cut)
			require.Equal(t, whole, s.tail.size)
			add(t, s, alert(1, 5), note(2, 6, "first"), last)
			require.NoError(t, s.Close())
			again, err := os.ReadFile(segmentPath(torn, 1))
			require.NoError(t, err)
			require.Equal(t, content, again, "fed again, the same bytes: %s cut at %d", name, cut)
		}
	}
}

func TestAFlippedBitInTheTailCutsFromThereOn(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	var want []event.Change
	for seq := range uint64(4) {
		want = append(want, alert(seq+1, 5))
	}
	add(t, s, want...)
	require.NoError(t, s.Flush())
	content, err := os.ReadFile(tailFile(s))
	require.NoError(t, err)
	crash(t, s)
	var log bytes.Buffer
	o := Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	for i := headerSize; i < len(content); i++ {
		damaged := bytes.Clone(content)
		damaged[i] ^= 1 << (i % 8)
		require.NoError(t, os.WriteFile(segmentPath(dir, 1), damaged, 0o600))
		log.Reset()
		s := open(t, dir, o)
		require.Contains(t, log.String(), "unfinished write of timelines cut")
		held, _ := s.Cursor()
		require.Less(t, held, uint64(4))
		add(t, s, want...)
		require.Equal(t, want, pages(t, s, 5, 10), "byte %d", i)
		crash(t, s)
	}
}

func TestReopeningGivesTheSameTimelinesWithAndWithoutACheckpoint(t *testing.T) {
	for seed := range uint64(4) {
		m, r := model{}, rand.New(rand.NewPCG(seed, 5))
		dir := t.TempDir()
		o := Options{SegmentBytes: 15_000}
		s := open(t, dir, o)
		for range 6 {
			m.grow(r, 400)
			m.feed(t, s, r)
			switch r.IntN(4) {
			case 0: // a clean end
				require.NoError(t, s.Close())
			case 1: // a process that dies
				crash(t, s)
			case 2: // a clean end, and the checkpoint gone
				require.NoError(t, s.Close())
				require.NoError(t, os.Remove(checkpointPath(dir)))
			case 3: // an older checkpoint
				require.NoError(t, s.Sync()) // before which no checkpoint is written
				require.NoError(t, s.checkpoint())
				m.grow(r, 100)
				m.feed(t, s, r)
				crash(t, s)
			}
			s = open(t, dir, o)
			m.feed(t, s, r)
			m.check(t, s, 1+r.IntN(100))
		}
	}
}

func TestAfterACloseNothingIsScanned(t *testing.T) {
	m, r := model{}, rand.New(rand.NewPCG(1, 6))
	dir := t.TempDir()
	s := open(t, dir, Options{SegmentBytes: 15_000})
	m.grow(r, 1000)
	m.feed(t, s, r)
	add(t, s, seen(5000, 1))
	require.NoError(t, s.Close())
	s = open(t, dir, Options{SegmentBytes: 15_000})
	from, err := s.loadCheckpoint()
	require.NoError(t, err)
	require.Equal(t, at(s.tail.number, s.tail.size), from)
	require.Equal(t, cursor{5000, 0}, cursorOf(s))
	m.check(t, s, 64)
}

func TestADamagedCheckpointIsReportedAndScannedAround(t *testing.T) {
	m, r := model{}, rand.New(rand.NewPCG(1, 7))
	dir := t.TempDir()
	s := open(t, dir, Options{SegmentBytes: 15_000})
	m.grow(r, 500)
	m.feed(t, s, r)
	require.NoError(t, s.Close())
	content, err := os.ReadFile(checkpointPath(dir))
	require.NoError(t, err)
	for i := 0; i < len(content); i += 7 {
		damaged := bytes.Clone(content)
		damaged[i] ^= 0x40
		require.NoError(t, os.WriteFile(checkpointPath(dir), damaged, 0o600))
		var log bytes.Buffer
		s := open(t, dir, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		require.Contains(t, log.String(), "checkpoint of timelines unusable")
		require.Equal(t, cursor{m.changes[499].Seq, m.changes[499].N}, cursorOf(s))
		m.check(t, s, 64)
		crash(t, s)
	}
}

func TestASegmentWhoseCreationWasCutShortIsBegunAnew(t *testing.T) {
	for _, content := range []string{"", "TOC", "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"} {
		m, r := model{}, rand.New(rand.NewPCG(1, 8))
		dir := t.TempDir()
		s := open(t, dir, Options{SegmentBytes: 15_000})
		m.grow(r, 500)
		m.feed(t, s, r)
		require.NoError(t, s.Close())
		next := s.tail.number + 1
		require.NoError(t, os.WriteFile(segmentPath(dir, next), []byte(content), 0o600))
		s = open(t, dir, Options{SegmentBytes: 15_000})
		require.Equal(t, next, s.tail.number)
		m.grow(r, 100)
		m.feed(t, s, r)
		m.check(t, s, 64)
	}
}
