package disk

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/journal"
	"github.com/tocsin-noc/tocsin/journal/vfs"
)

func TestTruncateDropsWholeSegmentsAndLeavesTheChainVerifiable(t *testing.T) {
	o := small(vfs.NewMem())
	l := open(t, o)
	all := fill(t, l, 5)
	list := *l.segments.Load()
	slow := l.Reader(1)
	_, _, err := slow.Next()
	require.NoError(t, err)

	n, err := l.Truncate(list[3].base - 1)
	require.NoError(t, err)
	require.Equal(t, 2, n, "the third still holds a record that is asked for")
	require.Equal(t, list[2].base, l.First())
	require.Equal(t, all[l.First()-1:], readAll(t, l))
	_, err = drain(l.Reader(1))
	require.ErrorIs(t, err, journal.ErrTruncated)
	_, err = drain(slow)
	require.ErrorIs(t, err, journal.ErrTruncated, "a reader is told when it falls behind")

	_, err = Verify(dir, o, l.Head())
	require.NoError(t, err)
	n, err = l.Truncate(math.MaxUint64)
	require.NoError(t, err)
	require.Equal(t, 2, n, "the current segment stays")
	require.NoError(t, l.Close())
	l = open(t, o)
	require.Equal(t, list[4].base, l.First())
	require.Equal(t, 1, l.Segments())
}

func TestRetainKeepsWhatTheSlowestCursorNeeds(t *testing.T) {
	l := open(t, small(vfs.NewMem()))
	fill(t, l, 6)
	list := *l.segments.Load()
	ended := list[2].at // time of the last record of the second
	by := func(r journal.Retention, now int64, cursor uint64) int {
		n, err := l.Retain(r, now, cursor)
		require.NoError(t, err)
		return n
	}
	const never = math.MaxUint64
	require.Zero(t, by(journal.Retention{}, math.MaxInt64, never), "no bound")
	day := journal.Retention{MaxAge: 24 * time.Hour}
	require.Zero(t, by(day, ended+day.MaxAge.Milliseconds()+1, 1), "the cursor still needs them")
	require.Equal(t, 2, by(day, ended+day.MaxAge.Milliseconds()+1, never))
	require.Equal(t, 1, by(journal.Retention{MaxBytes: l.Size() - 1}, 0, never))
	require.Zero(t, by(journal.Retention{MaxBytes: l.Size()}, 0, never))
	_, err := l.Retain(journal.Retention{MaxBytes: -1}, 0, never)
	require.Error(t, err)
}

func TestRedactReplacesAPayloadAndKeepsTheChainVerifiable(t *testing.T) {
	o := small(vfs.NewMem())
	l := open(t, o)
	all := fill(t, l, 3)
	head := l.Head()
	reading := l.Reader(1)
	_, _, err := reading.Next()
	require.NoError(t, err)

	require.NoError(t, l.Redact(2, []byte("(removed)"), "request 7"))
	got := readAll(t, l)
	require.Equal(t, journal.Record{Seq: 2, At: all[1].At, Payload: []byte("(removed)"), Redacted: true}, got[1])
	require.Equal(t, all[2:], got[2:])
	rest, err := drain(reading)
	require.NoError(t, err, "a reader inside the old file reads on")
	require.Equal(t, all[1:], rest)

	require.NoError(t, l.Redact(2, nil, "request 8"))
	report, err := Verify(dir, o, head)
	require.NoError(t, err)
	require.Equal(t, []Redaction{{2, "request 8"}}, report.Redactions)
	raw, err := o.FS.(*vfs.Mem).ReadFile(segmentPath(dir, 1))
	require.NoError(t, err)
	require.False(t, bytes.Contains(raw, []byte("record 2;")))
	require.NoError(t, l.Close())
	l = open(t, o)
	require.True(t, readAll(t, l)[1].Redacted)
}

func TestRedactSaysWhyItCannot(t *testing.T) {
	l := open(t, small(vfs.NewMem()))
	require.NoError(t, l.Append([]journal.Record{{Seq: 5}, {Seq: 9}}))
	require.ErrorIs(t, l.Redact(9, nil, ""), journal.ErrActive)
	require.ErrorIs(t, l.Redact(10, nil, ""), journal.ErrUnknown)
	_, err := l.Roll()
	require.NoError(t, err)
	require.ErrorIs(t, l.Redact(7, nil, ""), journal.ErrUnknown)
	require.NoError(t, l.Redact(9, nil, ""))
	require.ErrorIs(t, l.Redact(9, nil, string(make([]byte, 1<<16))), journal.ErrTooLarge)
	require.NoError(t, l.Append([]journal.Record{{Seq: 11}}))
	_, err = l.Truncate(11)
	require.NoError(t, err)
	require.ErrorIs(t, l.Redact(9, nil, ""), journal.ErrTruncated)
}

func TestTheWriterEndsItsSegmentWhenAsked(t *testing.T) {
	l := open(t, small(vfs.NewMem()))
	require.NoError(t, l.Append([]journal.Record{{Seq: 1, Payload: []byte("a")}}))
	l.EndSegment()
	require.ErrorIs(t, l.Redact(1, nil, ""), journal.ErrActive, "nobody ends it but the writer")
	segment, err := l.Prepare(1)
	require.NoError(t, err)
	require.EqualValues(t, 2, segment)
	require.NoError(t, l.Redact(1, []byte("b"), "why"))
	require.NoError(t, l.Append([]journal.Record{{Seq: 2}}))
	segment, err = l.Prepare(1)
	require.NoError(t, err)
	require.EqualValues(t, 2, segment, "once is enough")
}

func TestRedactAllWritesEverySegmentThatHoldsOneOfThem(t *testing.T) {
	o := small(vfs.NewMem())
	l := open(t, o)
	all := fill(t, l, 4)
	list := *l.segments.Load()
	wanted := map[uint64][]byte{1: []byte("x"), 2: []byte("y"), list[2].base: []byte("z")}
	require.NoError(t, l.RedactAll(wanted, "request 9"))
	for i, rec := range readAll(t, l) {
		replacement, redacted := wanted[rec.Seq]
		require.Equal(t, redacted, rec.Redacted)
		if redacted {
			require.Equal(t, replacement, rec.Payload)
		} else {
			require.Equal(t, all[i], rec)
		}
	}
	report, err := Verify(dir, o, l.Head())
	require.NoError(t, err)
	require.Len(t, report.Redactions, 3)
	require.ErrorIs(t, l.RedactAll(map[uint64][]byte{3: nil, l.Last(): nil}, ""), journal.ErrActive)
	require.False(t, readAll(t, l)[2].Redacted, "all of them can be redacted, or nothing is")
}

func TestADiskTooFullForANewSegmentLetsTheOldOneGoOn(t *testing.T) {
	mem := vfs.NewMem()
	l := open(t, small(mem))
	require.NoError(t, l.Append([]journal.Record{{Seq: 1, Payload: []byte("a")}}))
	mem.SetCapacity(1)
	l.EndSegment()
	segment, err := l.Prepare(1)
	require.NoError(t, err)
	require.EqualValues(t, 1, segment)
	require.ErrorIs(t, l.Redact(1, nil, ""), journal.ErrActive)
	mem.SetCapacity(0)
	require.NoError(t, l.Append([]journal.Record{{Seq: 2}}))
	require.Len(t, readAll(t, l), 2)
}
