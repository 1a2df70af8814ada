package disk

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/journal"
	"github.com/tocsin-noc/tocsin/journal/vfs"
)

// closedLog writes three commits of five records into one segment and returns
// its path and content.
func closedLog(t *testing.T, mem *vfs.Mem, size int) (path string, content []byte) {
	o := Options{FS: mem, Ahead: -1}
	l := open(t, o)
	for range 3 {
		require.NoError(t, l.Append(batch(l.Last()+1, 5, size)))
	}
	require.NoError(t, l.Close())
	path = segmentPath(dir, 1)
	content, err := mem.ReadFile(path)
	require.NoError(t, err)
	return path, content
}

// frames lists the frames of a segment.
func frames(t *testing.T, content []byte) []frame {
	_, salt, err := decodeHeader(content)
	require.NoError(t, err)
	var all []frame
	for off := headerSize; off < len(content); {
		f, ok := decodeFrame(content[off:], salt, int64(off))
		require.True(t, ok)
		all = append(all, f)
		off = int(f.end())
	}
	return all
}

func TestAFlippedBitAnywhereButInTheLastCommitIsRefusedWithItsPlace(t *testing.T) {
	mem := vfs.NewMem()
	path, content := closedLog(t, mem, 50)
	all := frames(t, content)
	lastCommit := all[11].end() // of the second
	for i := range int(lastCommit) {
		damaged := slices.Clone(content)
		damaged[i] ^= 1 << (i % 8)
		mem.WriteFile(path, damaged)
		_, err := Open(dir, Options{FS: mem, Ahead: -1})
		if i >= 68 && i < headerSize {
			require.NoError(t, err, "the padding of the header means nothing")
			mem.Crash(vfs.Everything)
			continue
		}
		require.ErrorIs(t, err, journal.ErrCorrupt, "byte %d", i)
		var at *journal.CorruptError
		require.ErrorAs(t, err, &at)
		require.Equal(t, path, at.File)
		require.LessOrEqual(t, at.Offset, int64(i))
		require.ErrorContains(t, err, "tocsin journal verify")
	}
}

func TestAFlippedBitInTheLastCommitNeverYieldsAWrongRecord(t *testing.T) {
	mem := vfs.NewMem()
	path, content := closedLog(t, mem, 50)
	all := frames(t, content)
	want := append(append(batch(1, 5, 50), batch(6, 5, 50)...), batch(11, 5, 50)...)
	for i := int(all[12].off); i < len(content); i++ {
		damaged := slices.Clone(content)
		damaged[i] ^= 1 << (i % 8)
		mem.WriteFile(path, damaged)
		l, err := Open(dir, Options{FS: mem, Ahead: -1})
		if i < int(all[17].off) {
			require.ErrorIs(t, err, journal.ErrCorrupt, "byte %d: a right frame follows and nothing is missing", i)
			continue
		}
		require.NoError(t, err, "byte %d: the commit frame can be made again", i)
		require.Equal(t, 5, l.Repaired().Kept)
		require.Equal(t, want, readAll(t, l))
		require.NoError(t, l.Close())
	}
}

func TestATornLastCommitKeepsItsWholeRecordsAndTakesAppends(t *testing.T) {
	mem := vfs.NewMem()
	path, content := closedLog(t, mem, 50)
	all := frames(t, content)
	o := Options{FS: mem, Ahead: -1}
	for cut := int(all[12].off); cut < len(content); cut++ {
		kept := 0
		for _, f := range all[12:17] {
			if f.end() <= int64(cut) {
				kept++
			}
		}
		if len(bytes.Trim(content[cut:], "\x00")) == 0 {
			break // the rest of the commit frame is zero
		}
		for name, torn := range map[string][]byte{
			"short file": content[:cut],
			"zeros":      append(slices.Clone(content[:cut]), make([]byte, 3000)...),
		} {
			mem.WriteFile(path, torn)
			l, err := Open(dir, o)
			require.NoError(t, err, "%s at %d", name, cut)
			require.EqualValues(t, 10+kept, l.Last())
			require.Equal(t, kept, l.Repaired().Kept)
			require.NoError(t, l.Append(batch(l.Last()+1, 2, 70)))
			require.Len(t, readAll(t, l), 12+kept)
			_, err = Verify(dir, o, l.Head())
			require.NoError(t, err)
			require.NoError(t, l.Close())
		}
	}
}

// holedCommit makes a log whose last commit lost one sector, in its second
// record of five.
func holedCommit(t *testing.T) (*vfs.Mem, string) {
	mem := vfs.NewMem()
	path, content := closedLog(t, mem, 1500)
	off := frames(t, content)[13].off
	hole := int(off+sectorSize-1) / sectorSize * sectorSize
	clear(content[hole : hole+sectorSize])
	mem.WriteFile(path, content)
	return mem, path
}

func TestASectorMissingInTheLastCommitIsATornWriteNotCorruption(t *testing.T) {
	mem, _ := holedCommit(t)
	l := open(t, Options{FS: mem, Ahead: -1})
	require.EqualValues(t, 11, l.Last(), "the record before the hole is kept, those after it are not")
	require.Equal(t, 1, l.Repaired().Kept)
	require.Positive(t, l.Repaired().CutBytes)
}

func TestTheRestIsClearedBeforeTheNewCommitFrameIsWritten(t *testing.T) {
	mem, _ := holedCommit(t)
	ops := func() (n int) {
		for _, c := range mem.Calls() {
			if c.Op == "write" || c.Op == "sync" {
				n = c.N
			}
		}
		return n
	}
	before := ops()
	mem.CutPowerAt(before + 5) // syncdir, clear, sync, write again, SYNC
	_, err := Open(dir, Options{FS: mem, Ahead: -1})
	require.ErrorIs(t, err, vfs.ErrPowerCut)
	require.Equal(t, "sync", mem.Calls()[before+4].Op)
	mem.Crash(func(u vfs.Unsynced) []vfs.Range { // only what was written last
		if u.Last {
			return vfs.Everything(u)
		}
		return nil
	})
	l := open(t, Options{FS: mem, Ahead: -1})
	require.EqualValues(t, 11, l.Last())
}

func TestASectorMissingInAnEarlierCommitIsCorruption(t *testing.T) {
	mem := vfs.NewMem()
	path, content := closedLog(t, mem, 1500)
	clear(content[1024:1536])
	mem.WriteFile(path, content)
	_, err := Open(dir, Options{FS: mem, Ahead: -1})
	require.ErrorIs(t, err, journal.ErrCorrupt)
}

func TestAFrameQuotedInAPayloadIsNotTakenForOne(t *testing.T) {
	mem := vfs.NewMem()
	path, content := closedLog(t, mem, 50)
	require.NoError(t, mem.Remove(path))
	o := Options{FS: mem, Ahead: -1, Shard: 1}
	l := open(t, o)
	require.NoError(t, l.Append([]journal.Record{{Seq: 1, Payload: []byte("x")}}))
	require.NoError(t, l.Append([]journal.Record{{Seq: 2, Payload: content}}))
	require.NoError(t, l.Close())
	torn, err := mem.ReadFile(path)
	require.NoError(t, err)
	mem.WriteFile(path, torn[:len(torn)-commitSize-frameSize-1])
	l = open(t, o)
	require.EqualValues(t, 1, l.Last(), "the torn record holds whole frames of another log")
}

func TestAMissingSegmentIsNoticed(t *testing.T) {
	o := small(vfs.NewMem())
	l := open(t, o)
	fill(t, l, 5)
	list := *l.segments.Load()
	require.NoError(t, l.Close())

	mem := o.FS.(*vfs.Mem)
	middle, err := mem.ReadFile(list[2].path)
	require.NoError(t, err)
	require.NoError(t, mem.Remove(list[2].path))
	_, err = Verify(dir, o, journal.Head{})
	require.ErrorIs(t, err, journal.ErrCorrupt)
	l = open(t, o)
	_, err = drain(l.Reader(1))
	require.ErrorIs(t, err, journal.ErrCorrupt)
	require.NoError(t, l.Close())

	mem.WriteFile(list[2].path, middle)
	require.NoError(t, mem.Remove(list[0].path))
	_, err = Open(dir, o)
	require.ErrorIs(t, err, journal.ErrCorrupt)
}

func TestVerifyNoticesAnyFlippedByteOfASealedSegment(t *testing.T) {
	o := small(vfs.NewMem())
	l := open(t, o)
	fill(t, l, 3)
	list, head := *l.segments.Load(), l.Head()
	require.NoError(t, l.Close())
	mem := o.FS.(*vfs.Mem)
	good, err := mem.ReadFile(list[1].path)
	require.NoError(t, err)
	for i := range good {
		bad := slices.Clone(good)
		bad[i] ^= 0x40
		mem.WriteFile(list[1].path, bad)
		_, err := Verify(dir, o, head)
		if i >= 68 && i < headerSize {
			require.NoError(t, err, "the padding of the header means nothing")
			continue
		}
		require.ErrorIs(t, err, journal.ErrCorrupt, "byte %d", i)
	}
}

func TestVerifyNoticesARecordThatWasReplacedWithItsChecksum(t *testing.T) {
	mem := vfs.NewMem()
	path, content := closedLog(t, mem, 50)
	_, salt, _ := decodeHeader(content)
	f := frames(t, content)[7]
	forged := appendFrame(nil, salt, kindRecord, f.seq, f.at, bytes.ToUpper(f.payload))
	copy(content[f.off:], forged)
	mem.WriteFile(path, content)
	o := Options{FS: mem, Ahead: -1}
	report, err := Verify(dir, o, journal.Head{})
	var at *journal.CorruptError
	require.ErrorAs(t, err, &at)
	require.Equal(t, frames(t, content)[6].off, at.Offset, "the commit that holds it")
	require.EqualValues(t, 5, report.Last, "what came before is right")
}

func TestVerifyComparesWithAHeadKeptElsewhere(t *testing.T) {
	o := small(vfs.NewMem())
	l := open(t, o)
	require.NoError(t, l.Append(batch(1, 3, 100)))
	early := l.Head()
	fill(t, l, 3)
	report, err := Verify(dir, o, early)
	require.NoError(t, err)
	require.Equal(t, l.Head(), report.Head)
	require.Equal(t, l.Size(), report.Bytes)
	require.Equal(t, l.Segments(), report.Segments)

	parsed, err := journal.ParseHead(early.String())
	require.NoError(t, err)
	require.Equal(t, early, parsed)

	other := early
	other.Link[3] ^= 1
	_, err = Verify(dir, o, other)
	require.ErrorContains(t, err, "differs from the given head")
	_, err = Verify(dir, o, journal.Head{Seq: 2, Link: early.Link})
	require.ErrorContains(t, err, "differs from the given head")
	_, err = Verify(dir, o, journal.Head{Seq: l.Last() + 1})
	require.ErrorContains(t, err, "before the given head")

	_, err = l.Truncate(l.Last())
	require.NoError(t, err)
	_, err = Verify(dir, o, early)
	require.ErrorIs(t, err, journal.ErrTruncated)
	_, err = Verify(dir, o, l.Head())
	require.NoError(t, err)
}

func TestVerifyOfNothingIsAnEmptyReport(t *testing.T) {
	report, err := Verify(dir, Options{FS: vfs.NewMem()}, journal.Head{})
	require.NoError(t, err)
	require.Equal(t, Report{}, report)
	require.NotErrorIs(t, err, journal.ErrCorrupt)
}
