package records

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// hideText takes the text of one change away.
func hideText(ch *event.Change) (hit, more bool) {
	hit = ch.Text != "" && ch.Text != Redacted
	if hit {
		ch.Text = Redacted
	}
	return hit, false
}

// endSegment ends the last segment as the engine does.
func endSegment(t testing.TB, s *Store) {
	t.Helper()
	s.EndSegment()
	require.NoError(t, s.Flush())
}

// absent fails when a file of dir holds text.
func absent(t testing.TB, dir, text string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		require.False(t, bytes.Contains(b, []byte(text)), name)
	}
}

func TestATextIsTakenAwayAndEverythingElseStays(t *testing.T) {
	for _, text := range []string{"x", "secret", "a secret of more than a hundred and twenty-eight bytes: " + string(bytes.Repeat([]byte("z"), 200))} {
		dir := t.TempDir()
		s := open(t, dir, Options{})
		m := model{}
		r := rand.New(rand.NewPCG(1, 2))
		m.grow(r, 300)
		at := m.changes[len(m.changes)-1].Seq + 1
		m.changes = append(m.changes, note(at, 2, text))
		m.of[2] = append(m.of[2], note(at, 2, text))
		m.grow(r, 300)
		m.feed(t, s, r)
		require.NoError(t, s.Flush())
		require.ErrorIs(t, s.Redact(2, at+1_000_000, 0, hideText), ErrActive)
		endSegment(t, s)
		require.NoError(t, s.Redact(2, at, 0, hideText))

		for i := range m.of[2] {
			if m.of[2][i].Seq == at {
				m.of[2][i].Text = Redacted
			}
		}
		m.check(t, s, 7)
		require.NoError(t, s.Redact(2, at, 0, hideText), "twice is once")
		m.check(t, s, 50)
		require.NoError(t, s.Close())
		require.NoError(t, os.Remove(checkpointPath(dir)))
		if len(text) > 1 {
			absent(t, dir, text)
		}
		m.check(t, open(t, dir, Options{}), 50)
	}
}

func TestARangeOfEntriesIsRedactedAcrossSegments(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{MaxBytes: 1 << 20, SegmentBytes: 4 << 10})
	held := func(seq uint64, text string) event.Change {
		ch := note(seq, 1, "as it was")
		ch.Incident.HeldFor = text
		return ch
	}
	for seq := range uint64(200) {
		text := "before"
		if seq >= 50 && seq < 150 {
			text = "for the caller"
		}
		add(t, s, held(seq+1, text))
		require.NoError(t, s.Flush())
	}
	endSegment(t, s)
	require.Greater(t, len(s.segs), 5)
	require.NoError(t, s.Redact(1, 51, 0, func(ch *event.Change) (hit, more bool) {
		if ch.Incident.HeldFor != "for the caller" {
			return false, false
		}
		ch.Incident.HeldFor = Redacted
		return true, true
	}))
	for _, ch := range pages(t, s, 1, 64) {
		want := "before"
		if ch.Seq > 50 && ch.Seq <= 150 {
			want = Redacted
		}
		require.Equal(t, want, ch.Incident.HeldFor, "%d", ch.Seq)
		require.Equal(t, "as it was", ch.Text)
	}
	absent(t, dir, "for the caller")
}

func TestReadersAndTheOwnerGoOnWhileEntriesAreRedacted(t *testing.T) {
	s := open(t, t.TempDir(), Options{MaxBytes: 1 << 20, SegmentBytes: 4 << 10})
	for seq := range uint64(100) {
		add(t, s, note(seq+1, 1, "words"))
	}
	endSegment(t, s)
	var wg sync.WaitGroup
	wg.Go(func() {
		for seq := range uint64(100) {
			require.NoError(t, s.Redact(1, seq+1, 0, hideText))
		}
	})
	wg.Go(func() {
		for range 50 {
			require.Len(t, pages(t, s, 1, 30)[:100], 100)
		}
	})
	for seq := uint64(101); seq < 500; seq++ {
		add(t, s, note(seq, 1, "more"))
		require.NoError(t, s.Flush())
	}
	wg.Wait()
	for i, ch := range pages(t, s, 1, 500) {
		want := Redacted
		if i >= 100 {
			want = "more"
		}
		require.Equal(t, want, ch.Text)
	}
}

func TestARedactionThatACrashCutShortIsTidiedAway(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	add(t, s, note(1, 1, "words"))
	require.NoError(t, s.Close())
	left := segmentPath(dir, 1) + temporary
	require.NoError(t, os.WriteFile(left, []byte("words"), 0o600))
	s = open(t, dir, Options{})
	require.NoFileExists(t, left)
	require.Len(t, pages(t, s, 1, 10), 1)
}

func TestRedactSaysWhereASegmentIsDamagedAndDoesWhatStandsBeforeThat(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	add(t, s, note(1, 1, "first"), note(2, 1, "second"), note(3, 1, "third"))
	endSegment(t, s)
	size := s.segs[0].size
	_, err := s.segs[0].file.WriteAt([]byte("damage"), size-20)
	require.NoError(t, err)
	all := func(ch *event.Change) (hit, more bool) {
		hit, _ = hideText(ch)
		return hit, true
	}
	require.ErrorIs(t, s.Redact(1, 1, 0, all), ErrCorrupt)
	entries, _, _, err := s.Timeline(1, 0, 0, 2)
	require.ErrorIs(t, err, ErrCorrupt)
	require.Empty(t, entries)
	absent(t, dir, "first")
	absent(t, dir, "second")
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.Redact(1, 1, 0, all), ErrClosed)
}
