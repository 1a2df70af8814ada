package disk

import (
	"io"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/journal"
	"github.com/tocsin-noc/tocsin/journal/vfs"
)

func TestAReaderStartsAnywhereAndGoesOnAfterTheEnd(t *testing.T) {
	l := open(t, small(vfs.NewMem()))
	all := fill(t, l, 4)
	for from := range len(all) + 2 {
		recs, err := drain(l.Reader(uint64(from)))
		require.NoError(t, err)
		require.Equal(t, all[min(max(0, from-1), len(all)):], append([]journal.Record{}, recs...), "from %d", from)
	}
	r := l.Reader(l.Last() + 2)
	defer r.Close()
	_, _, err := r.Next()
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, l.Append(batch(l.Last()+1, 1, 10)))
	_, _, err = r.Next()
	require.ErrorIs(t, err, io.EOF, "not yet the one asked for")
	_, err = l.Roll()
	require.NoError(t, err)
	require.NoError(t, l.Append(batch(l.Last()+1, 1, 10)))
	rec, segment, err := r.Next()
	require.NoError(t, err)
	require.Equal(t, l.Last(), rec.Seq)
	require.Equal(t, l.Last(), segment)
}

func TestASegmentReaderStartsAtTheBeginningOfTheSegment(t *testing.T) {
	l := open(t, small(vfs.NewMem()))
	all := fill(t, l, 4)
	for _, s := range *l.segments.Load() {
		if s.base > l.Last() {
			continue
		}
		recs, err := drain(l.SegmentReader(s.base + 1))
		require.NoError(t, err)
		require.Equal(t, all[s.base-1:], recs)
	}
}

// TestReadersRunWhileTheWriterAppends uses the real disk and the real filler.
func TestReadersRunWhileTheWriterAppendsTruncatesAndRedacts(t *testing.T) {
	l, err := Open(t.TempDir(), Options{SegmentBytes: 64 << 10, Ahead: 16 << 10})
	require.NoError(t, err)
	defer l.Close()
	const total = 5000
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() { follow(t, l, total) })
	}
	for l.Last() < total {
		if err := write(l, batch(l.Last()+1, 10, 100)); err != nil {
			t.Error(err)
			break
		}
		if l.Last() == 2500 {
			if err := l.Redact(1, nil, "while reading"); err != nil {
				t.Error(err)
			}
		}
	}
	readers.Wait()
	_, err = l.Truncate(total)
	require.NoError(t, err)
	recs := readAll(t, l)
	require.Equal(t, batch(l.First(), total-int(l.First())+1, 100), recs)
}

// follow reads as records come, up to total.
func follow(t *testing.T, l *Log, total uint64) {
	r := l.Reader(1)
	defer r.Close()
	for seq := uint64(0); seq < total; {
		rec, _, err := r.Next()
		if err == io.EOF {
			if err := l.Wait(t.Context(), seq); err != nil {
				t.Error(err)
				return
			}
			continue
		}
		if err != nil || rec.Seq != seq+1 {
			t.Errorf("after %d: %d, %v", seq, rec.Seq, err)
			return
		}
		seq = rec.Seq
	}
}

func TestAReaderDoesNotLeaveASegmentThatGrewBeforeItWasSealed(t *testing.T) {
	l := open(t, small(vfs.NewMem()))
	require.NoError(t, l.Append(batch(1, 1, 10)))
	r := l.Reader(1).(*reader)
	defer r.Close()
	_, _, err := r.Next()
	require.NoError(t, err)
	_, _, err = r.Next()
	require.ErrorIs(t, err, io.EOF)
	// The writer overtakes a reader that has just seen the end.
	require.NoError(t, l.Append(batch(2, 1, 10)))
	_, err = l.Roll()
	require.NoError(t, err)
	next, err := r.follow(*l.segments.Load(), false)
	require.NoError(t, err)
	require.Equal(t, r.seg, next)
	rec, _, err := r.Next()
	require.NoError(t, err)
	require.EqualValues(t, 2, rec.Seq)
}
