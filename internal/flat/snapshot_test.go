package flat

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// state is one container of each kind, as a correlator would hold them.
type state struct {
	slab  *Slab[record]
	blobs *Blobs
	text  *Strings
	index *Index
	wheel *Wheel

	ids   []uint32
	refs  []Ref
	syms  []Sym
	fired []uint32
	now   int64

	position []byte // the caller's own section
}

func newState() *state {
	return &state{slab: NewSlab[record](), blobs: NewBlobs(), text: NewStrings(), index: NewIndex(),
		wheel: NewWheel(), now: 1 << 40, position: []byte("seq 7")}
}

// views is a state frozen.
type views struct {
	slab  SlabView[record]
	blobs BlobsView
	text  StringsView
	index IndexView
	wheel WheelView

	position []byte
}

func (s *state) view() *views {
	return &views{s.slab.View(), s.blobs.View(), s.text.View(), s.index.View(), s.wheel.View(), s.position}
}

func (v *views) save(to io.Writer) error {
	w := NewWriter(to)
	return errors.Join(w.Bytes("position", v.position), v.slab.Save(w, "records"), v.blobs.Save(w, "pairs"),
		v.text.Save(w, "strings"), v.index.Save(w, "identity"), v.wheel.Save(w, "timers"), w.Close())
}

// load reads what save wrote into the containers; the driver's own lists stay.
func (s *state) load(from io.Reader) error {
	r := NewReader(from)
	position, err := r.Bytes("position")
	s.position = position
	return errors.Join(err, s.slab.Load(r, "records"), s.blobs.Load(r, "pairs"), s.text.Load(r, "strings"),
		s.index.Load(r, "identity"), s.wheel.Load(r, "timers"), r.Close())
}

// take removes a random element.
func take[E any](rng *rand.Rand, list *[]E) (e E, ok bool) {
	n := len(*list)
	if n == 0 {
		return e, false
	}
	i := rng.IntN(n)
	e, (*list)[i] = (*list)[i], (*list)[n-1]
	*list = (*list)[:n-1]
	return e, true
}

// step does something random to one of the containers.
func (s *state) step(rng *rand.Rand) {
	switch rng.IntN(10) {
	case 0, 1:
		id := s.slab.Alloc()
		*s.slab.Mut(id) = record{live: 1, a: rng.Uint64()}
		s.index.Insert(uint64(id)*0xD6E8FEB86659FD93, id)
		s.ids = append(s.ids, id)
	case 2:
		if id, ok := take(rng, &s.ids); ok {
			s.index.Delete(uint64(id)*0xD6E8FEB86659FD93, id)
			s.slab.Free(id)
		}
	case 3:
		if ref := s.blobs.Put(make([]byte, rng.IntN(400))); ref != 0 {
			s.refs = append(s.refs, ref)
		}
	case 4:
		if ref, ok := take(rng, &s.refs); ok && rng.IntN(2) == 0 {
			s.blobs.Free(ref)
		}
	case 5, 6:
		s.syms = append(s.syms, s.text.Intern(fmt.Sprint("text ", rng.IntN(2_000))))
	case 7:
		if sym, ok := take(rng, &s.syms); ok {
			s.text.Release(sym)
		}
	case 8:
		s.wheel.Set(1, rng.Uint32(), randomAt(rng, s.now))
	case 9:
		s.now += rng.Int64N(1 << 22)
		s.wheel.Due(s.now, 5, func(_ uint8, ref uint32) { s.fired = append(s.fired, ref) })
	}
}

func (s *state) run(seed uint64, steps int) {
	rng := rand.New(rand.NewPCG(seed, 6))
	for range steps {
		s.step(rng)
	}
}

func saved(t testing.TB, s *state) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, s.view().save(&b))
	return b.Bytes()
}

func TestAStateReadBackBehavesTheSameToTheByte(t *testing.T) {
	for seed := range seeds(2, 6) {
		a := newState()
		a.run(seed, 15_000)
		snapshot := saved(t, a)
		b := newState()
		b.run(seed+100, 500) // Load must replace what is there
		b.position = nil
		b.ids, b.refs, b.syms = append([]uint32{}, a.ids...), append([]Ref{}, a.refs...), append([]Sym{}, a.syms...)
		b.fired, b.now = append([]uint32{}, a.fired...), a.now
		require.NoError(t, b.load(iotest.HalfReader(bytes.NewReader(snapshot))))
		require.Equal(t, "seq 7", string(b.position))
		require.True(t, bytes.Equal(snapshot, saved(t, b)))
		a.run(seed+200, 15_000)
		b.run(seed+200, 15_000)
		require.Equal(t, a.ids, b.ids)
		require.Equal(t, a.refs, b.refs)
		require.Equal(t, a.syms, b.syms)
		require.Equal(t, a.fired, b.fired)
		require.NotEmpty(t, a.fired)
		require.True(t, bytes.Equal(saved(t, a), saved(t, b)))
	}
}

func TestTheSameCallsGiveTheSameBytes(t *testing.T) {
	a, b := newState(), newState()
	a.run(1, 10_000)
	b.run(1, 5_000)
	b.view() // a view changes nothing
	b = newState()
	b.run(1, 10_000)
	require.True(t, bytes.Equal(saved(t, a), saved(t, b)))
}

func TestASnapshotShowsTheMomentOfItsViewWhateverTheOwnerDoesNext(t *testing.T) {
	a := newState()
	a.run(2, 10_000)
	before, v := saved(t, a), a.view()
	a.run(3, 10_000)
	var after bytes.Buffer
	require.NoError(t, v.save(&after))
	require.True(t, bytes.Equal(before, after.Bytes()))
}

func TestADamagedSnapshotIsAnErrorAndChangesNothing(t *testing.T) {
	a := newState()
	a.run(4, 3_000)
	good := saved(t, a)
	b := newState()
	b.run(5, 1_000)
	for offset := 0; offset < len(good); offset += 1 + len(good)/150 {
		bad := bytes.Clone(good)
		bad[offset] ^= 0x40
		err := b.load(bytes.NewReader(bad))
		require.Error(t, err, "byte %d", offset)
		require.True(t, errors.Is(err, ErrCorrupt) || errors.Is(err, ErrForeign), "byte %d: %v", offset, err)
		require.ErrorIs(t, b.load(bytes.NewReader(good[:offset])), ErrCorrupt)
	}
	s := NewSlab[record]()
	s.Alloc()
	r := NewReader(bytes.NewReader([]byte("tocflat\nnonsense")))
	require.Error(t, s.Load(r, "records"))
	require.EqualValues(t, 2, s.Len())
}

func TestSnapshotErrorsSayWhatIsWrong(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b)
	v := NewSlab[record]().View()
	require.NoError(t, v.Save(w, "alerts"))
	require.NoError(t, w.Close())
	read := func() *Reader { return NewReader(bytes.NewReader(b.Bytes())) }

	err := NewSlab[record]().Load(NewReader(bytes.NewReader([]byte("PK\x03\x04zip or so"))), "alerts")
	require.ErrorIs(t, err, ErrForeign)
	require.ErrorContains(t, err, "not a snapshot")
	err = NewSlab[record]().Load(read(), "claims")
	require.ErrorIs(t, err, ErrForeign)
	require.ErrorContains(t, err, `section "claims": foreign snapshot: found section "alerts" in its place`)
	err = NewSlab[[5]uint64]().Load(read(), "alerts")
	require.ErrorIs(t, err, ErrForeign)
	require.ErrorContains(t, err, "records of 32 bytes on pages of 4096, this program has 40 on 2560")
	_, err = read().Bytes("alerts")
	require.ErrorIs(t, err, ErrForeign)
	r := read()
	require.ErrorIs(t, r.Close(), ErrForeign)
	_, err = r.Bytes("later")
	require.ErrorContains(t, err, `section ""`, "the first error sticks")

	broken := errors.New("disk on fire")
	require.ErrorIs(t, NewSlab[record]().Load(NewReader(iotest.ErrReader(broken)), "alerts"), broken)
	w = NewWriter(failingWriter{broken})
	require.ErrorIs(t, v.Save(w, "alerts"), broken)
	require.ErrorIs(t, w.Close(), broken)
	require.Error(t, NewWriter(io.Discard).Bytes(string(make([]byte, 256)), nil))
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// forge makes a section header with right checksum, so that a forger gets past it.
func forge(h header, payload []byte) []byte {
	b := h.appendTo([]byte(fileMagic))
	b = append(b, payload...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(payload, castagnoli))
}

func TestAForgedHeaderAllocatesNoMoreThanItSends(t *testing.T) {
	allocated := func(f func()) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	records := forge(header{name: "alerts", recordSize: 32, pageSize: 4096, pages: 1 << 31, high: 1 << 31}, nil)
	plain := forge(header{name: "alerts", recordSize: 1, pageSize: 1 << 31, pages: 1}, nil)
	require.Less(t, allocated(func() {
		require.ErrorIs(t, NewSlab[record]().Load(NewReader(bytes.NewReader(records)), "alerts"), ErrCorrupt)
		_, err := NewReader(bytes.NewReader(plain)).Bytes("alerts")
		require.ErrorIs(t, err, ErrCorrupt)
	}), uint64(1<<20))
}

// resum makes all checksums of a snapshot right again, so that fuzzing gets past them.
func resum(b []byte) []byte {
	b = bytes.Clone(b)
	for at := len(fileMagic); at+sectionOverhead <= len(b); {
		var h header
		h.decode(b[at:])
		name := at + sectionOverhead + int(binary.LittleEndian.Uint16(b[at+2:]))
		pages := uint64(h.pageSize) * uint64(h.pages)
		if name+4 > len(b) || pages > uint64(len(b)) || name+4+int(pages)+4 > len(b) {
			break
		}
		binary.LittleEndian.PutUint32(b[name:], crc32.Checksum(b[at:name], castagnoli))
		end := name + 4 + int(pages)
		binary.LittleEndian.PutUint32(b[end:], crc32.Checksum(b[name+4:end], castagnoli))
		at = end + 4
	}
	return b
}

func FuzzSnapshotReader(f *testing.F) {
	small := newState()
	small.run(1, 20)
	good := saved(f, small)
	f.Add([]byte{}, uint32(0), false)
	f.Add([]byte{0xff}, uint32(20), true)
	f.Add([]byte{0xff, 0xff, 0xff, 0x7f}, uint32(len(good)/2), true)
	f.Fuzz(func(t *testing.T, patch []byte, offset uint32, forged bool) {
		b := bytes.Clone(good)
		copy(b[int(offset)%len(b):], patch)
		if forged {
			b = resum(b)
		}
		loaded := newState()
		err := loaded.load(bytes.NewReader(b))
		switch {
		case err != nil:
			require.True(t, errors.Is(err, ErrCorrupt) || errors.Is(err, ErrForeign), "%v", err)
		case forged:
			require.Len(t, saved(t, loaded), len(b))
		default:
			require.True(t, bytes.Equal(good, b), "damage went unseen")
		}
	})
}
