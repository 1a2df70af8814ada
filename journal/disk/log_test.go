package disk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/journal"
	"github.com/tocsin-noc/tocsin/journal/vfs"
)

const dir = "/log"

// small makes many segments out of few records, in one order of calls.
func small(fsys vfs.FS) Options {
	return Options{FS: fsys, SegmentBytes: 2048, Ahead: 700, FillInline: true}
}

func open(t testing.TB, o Options) *Log {
	t.Helper()
	l, err := Open(dir, o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// record makes a record whose content follows from its number.
func record(seq uint64, size int) journal.Record {
	text := fmt.Appendf(nil, "record %d;", seq)
	payload := bytes.Repeat(text, size/len(text)+1)[:size]
	return journal.Record{Seq: seq, At: int64(1000 * seq), Payload: payload}
}

func batch(first uint64, n, size int) []journal.Record {
	recs := make([]journal.Record, n)
	for i := range recs {
		recs[i] = record(first+uint64(i), size)
	}
	return recs
}

// write prepares and appends one commit.
func write(l *Log, recs []journal.Record) error {
	n := 0
	for _, r := range recs {
		n += len(r.Payload)
	}
	if _, err := l.Prepare(n); err != nil {
		return err
	}
	return l.Append(recs)
}

// drain reads to the durable end.
func drain(r journal.Reader) ([]journal.Record, error) {
	defer r.Close()
	var recs []journal.Record
	for {
		rec, _, err := r.Next()
		if errors.Is(err, io.EOF) {
			return recs, nil
		}
		if err != nil {
			return recs, err
		}
		rec.Payload = bytes.Clone(rec.Payload)
		recs = append(recs, rec)
	}
}

func readAll(t testing.TB, l *Log) []journal.Record {
	t.Helper()
	recs, err := drain(l.Reader(l.First()))
	require.NoError(t, err)
	return recs
}

// fill appends commits until the log holds n segments and returns all records.
func fill(t testing.TB, l *Log, segments int) []journal.Record {
	t.Helper()
	var all []journal.Record
	for l.Segments() < segments {
		recs := batch(l.Last()+1, 3, 200)
		require.NoError(t, write(l, recs))
		all = append(all, recs...)
	}
	return all
}

func TestWhatIsAppendedIsReadBackAlsoAfterReopening(t *testing.T) {
	for name, o := range map[string]Options{"memory": small(vfs.NewMem()), "disk": {SegmentBytes: 2048}} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a", "b")
			l, err := Open(path, o)
			require.NoError(t, err)
			all := fill(t, l, 4)
			require.Equal(t, all, readAll(t, l))
			require.Equal(t, all[len(all)-1].Seq, l.Last())
			head, at, size := l.Head(), l.LastAt(), l.Size()
			require.NoError(t, l.Close())
			require.NoError(t, l.Close(), "closing twice")

			l, err = Open(path, o)
			require.NoError(t, err)
			defer l.Close()
			require.False(t, l.Repaired().Needed())
			require.Equal(t, all, readAll(t, l))
			require.Equal(t, head, l.Head())
			require.Equal(t, at, l.LastAt())
			require.Equal(t, size, l.Size())
			more := batch(l.Last()+10, 2, 100)
			require.NoError(t, write(l, more))
			require.Equal(t, append(all, more...), readAll(t, l))
		})
	}
}

func TestPrepareBeginsANewSegmentOnlyWhenTheBatchWouldNotFit(t *testing.T) {
	l := open(t, small(vfs.NewMem()))
	first, err := l.Prepare(10_000)
	require.NoError(t, err)
	require.EqualValues(t, 1, first, "an empty segment takes any batch")
	require.NoError(t, l.Append(batch(5, 1, 1000)))
	same, err := l.Prepare(100)
	require.NoError(t, err)
	require.Equal(t, first, same)
	next, err := l.Prepare(1500)
	require.NoError(t, err)
	require.EqualValues(t, 6, next)
	rolled, err := l.Roll()
	require.NoError(t, err)
	require.Equal(t, next, rolled, "an empty segment is not ended")
}

func TestTimeIsRaisedToThatOfTheRecordBefore(t *testing.T) {
	l := open(t, small(vfs.NewMem()))
	recs := []journal.Record{{Seq: 1, At: 50}, {Seq: 2, At: 40}, {Seq: 3, At: 60}}
	require.NoError(t, l.Append(recs))
	require.EqualValues(t, 50, recs[1].At)
	_, err := l.Roll()
	require.NoError(t, err)
	late := []journal.Record{{Seq: 4, At: 1}}
	require.NoError(t, l.Append(late))
	require.EqualValues(t, 60, late[0].At)
	require.Equal(t, []int64{50, 50, 60, 60}, times(readAll(t, l)))
}

func times(recs []journal.Record) []int64 {
	var at []int64
	for _, r := range recs {
		at = append(at, r.At)
	}
	return at
}

func TestARefusedBatchLeavesNoTrace(t *testing.T) {
	l := open(t, small(vfs.NewMem()))
	require.NoError(t, l.Append(batch(1, 2, 10)))
	head := l.Head()
	require.ErrorIs(t, l.Append(batch(2, 1, 10)), journal.ErrOrder)
	require.ErrorIs(t, l.Append([]journal.Record{record(3, 10), record(3, 10)}), journal.ErrOrder)
	great, err := syscall.Mmap(-1, 0, MaxPayload+1, syscall.PROT_READ, syscall.MAP_ANON|syscall.MAP_PRIVATE) // no page of it is ever there
	require.NoError(t, err)
	defer func() { require.NoError(t, syscall.Munmap(great)) }()
	require.ErrorIs(t, l.Append([]journal.Record{{Seq: 3, Payload: great}}), journal.ErrTooLarge)
	require.NoError(t, l.Append(nil))
	require.Equal(t, head, l.Head())
	require.NoError(t, l.Append(batch(3, 1, 10)))
	require.Len(t, readAll(t, l), 3)
}

func TestASecondOpeningIsRefused(t *testing.T) {
	for name, o := range map[string]Options{"memory": small(vfs.NewMem()), "disk": {}} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			l, err := Open(path, o)
			require.NoError(t, err)
			_, err = Open(path, o)
			require.ErrorIs(t, err, journal.ErrLocked)
			require.NoError(t, l.Close())
			l, err = Open(path, o)
			require.NoError(t, err)
			require.NoError(t, l.Close())
		})
	}
}

func TestALogOfAnotherShardIsRefused(t *testing.T) {
	o := small(vfs.NewMem())
	require.NoError(t, open(t, o).Close())
	o.Shard = 7
	_, err := Open(dir, o)
	require.ErrorContains(t, err, "belongs to shard 0, not 7")
}

func TestAClosedLogSaysSo(t *testing.T) {
	l := open(t, small(vfs.NewMem()))
	all := fill(t, l, 3)
	before := l.Reader(1)
	require.NoError(t, l.Close())
	_, err := l.Prepare(1)
	require.ErrorIs(t, err, journal.ErrClosed)
	_, err = l.Roll()
	require.ErrorIs(t, err, journal.ErrClosed)
	require.ErrorIs(t, l.Append(batch(l.Last()+1, 1, 1)), journal.ErrClosed)
	_, err = l.Truncate(l.Last())
	require.ErrorIs(t, err, journal.ErrClosed)
	require.ErrorIs(t, l.Redact(1, nil, "x"), journal.ErrClosed)
	require.ErrorIs(t, l.Wait(context.Background(), l.Last()), journal.ErrClosed)
	recs, err := drain(before)
	require.NoError(t, err, "what was durable can still be read")
	require.Equal(t, all, recs)
	_, _, err = before.Next()
	require.ErrorIs(t, err, journal.ErrClosed)
}

func TestWaitReturnsOnTheNextRecordOnCancelAndOnClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := open(t, small(vfs.NewMem()))
		require.NoError(t, l.Append(batch(1, 1, 10)))
		require.NoError(t, l.Wait(t.Context(), 0), "already there")

		done := make(chan error)
		go func() { done <- l.Wait(t.Context(), 1) }()
		synctest.Wait()
		require.NoError(t, l.Append(batch(2, 1, 10)))
		require.NoError(t, <-done)

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, l.Wait(ctx, 2), context.DeadlineExceeded)

		go func() { done <- l.Wait(t.Context(), 2) }()
		synctest.Wait()
		require.NoError(t, l.Close())
		require.ErrorIs(t, <-done, journal.ErrClosed)
	})
}

func TestMetricsCountAndGoWithTheLog(t *testing.T) {
	registry := prometheus.NewRegistry()
	o := small(vfs.NewMem())
	o.Registerer = registry
	l := open(t, o)
	require.NoError(t, l.Append(batch(1, 3, 10)))
	families, err := registry.Gather()
	require.NoError(t, err)
	values := map[string]float64{}
	for _, f := range families {
		m := f.GetMetric()[0]
		values[f.GetName()] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	require.EqualValues(t, 3, values["tocsin_journal_records_total"])
	require.EqualValues(t, 1, values["tocsin_journal_commits_total"])
	require.EqualValues(t, 3, values["tocsin_journal_last_seq"])
	require.EqualValues(t, l.Size(), values["tocsin_journal_size_bytes"])
	_, err = Open("/other", o)
	require.Error(t, err, "two logs of one name")
	require.NoError(t, l.Close())
	l = open(t, o)
	require.EqualValues(t, 3, l.Last())
}

func TestAppendAllocatesNothingPerRecord(t *testing.T) {
	l, err := Open(t.TempDir(), Options{})
	require.NoError(t, err)
	defer l.Close()
	recs := batch(1, 1000, 300)
	next := uint64(1)
	allocs := testing.AllocsPerRun(5, func() {
		for i := range recs {
			recs[i].Seq = next
			next++
		}
		require.NoError(t, l.Append(recs))
	})
	require.Less(t, allocs, 20.0)
}
