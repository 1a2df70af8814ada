package flat

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

func TestCellSizesAreOrderedCloseAndAligned(t *testing.T) {
	require.Equal(t, 8, cellSize(0))
	require.Equal(t, MaxBlob+lenBytes, cellSize(numClasses-1))
	for c := 1; c < numClasses; c++ {
		require.Greater(t, cellSize(c), cellSize(c-1))
		require.Zero(t, cellSize(c)%8)
		require.LessOrEqual(t, cellSize(c)-cellSize(c-1), max(8, cellSize(c-1)/8))
	}
	for n := 1; n <= cellSize(numClasses-1); n++ {
		c := classOf(n)
		require.GreaterOrEqual(t, cellSize(c), n)
		require.True(t, c == 0 || cellSize(c-1) < n, "%d bytes in a cell of %d", n, cellSize(c))
	}
}

func randomBlob(rng *rand.Rand) []byte {
	n := rng.IntN(300)
	if rng.IntN(50) == 0 {
		n = rng.IntN(MaxBlob + 1)
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

func TestBlobsKeepTheirBytesAndViewsKeepTheirs(t *testing.T) {
	for seed := range seeds(2, 4) {
		rng := rand.New(rand.NewPCG(seed, 2))
		b, model := NewBlobs(), map[Ref][]byte{}
		var refs []Ref
		type frozen struct {
			view BlobsView
			copy map[Ref][]byte
		}
		var views []frozen
		for step := range 4_000 {
			if rng.IntN(5) < 3 || len(refs) == 0 {
				data := randomBlob(rng)
				ref := b.Put(data)
				require.Equal(t, len(data) == 0, ref == 0)
				if ref != 0 {
					require.NotContains(t, model, ref)
					model[ref], refs = data, append(refs, ref)
				}
			} else {
				n := rng.IntN(len(refs))
				b.Free(refs[n])
				delete(model, refs[n])
				refs = slices.Delete(refs, n, n+1)
			}
			if step%500 == 0 {
				c := make(map[Ref][]byte, len(model))
				maps.Copy(c, model)
				views = append(views, frozen{b.View(), c})
			}
		}
		for ref, data := range model {
			require.True(t, bytes.Equal(data, b.Bytes(ref)))
			require.Zero(t, uintptr(unsafe.Pointer(&b.Bytes(ref)[0]))%8)
		}
		for _, f := range views {
			for ref, data := range f.copy {
				require.True(t, bytes.Equal(data, f.view.Bytes(ref)))
			}
		}
		require.EqualValues(t, len(refs), b.Stats().Used)
	}
}

func TestBlobsFreeLeavesNoTrace(t *testing.T) {
	b := NewBlobs()
	ref := b.Put([]byte("a secret"))
	bytesThere := b.Bytes(ref)
	b.Free(ref)
	require.Equal(t, make([]byte, 8), bytesThere)
	require.Panics(t, func() { b.Free(ref) })
	require.Equal(t, ref, b.Put([]byte("the next")))
}

func TestBlobsLimits(t *testing.T) {
	b := NewBlobs()
	require.Zero(t, b.Put(nil))
	require.Empty(t, b.Bytes(0))
	b.Free(0)
	require.Len(t, b.Bytes(b.Put(make([]byte, MaxBlob))), MaxBlob)
	require.Panics(t, func() { b.Put(make([]byte, MaxBlob+1)) })
	require.Panics(t, func() { b.Bytes(Ref(1)<<refBits | 1<<24) })
	ref := b.Put(make([]byte, 80)) // 186 cells to a page, 256 numbers
	require.PanicsWithValue(t, "flat: no cell 186", func() { b.Bytes(ref + 186) })
}

func TestAFullClassSpillsIntoTheNext(t *testing.T) {
	b := NewBlobs()
	c := classOf(100 + lenBytes)
	b.classes[c].limit = 1
	seen := map[Ref]bool{}
	for n := range 3 * int(b.classes[c].perPage) {
		data := bytes.Repeat([]byte{byte(n)}, 100)
		ref := b.Put(data)
		require.False(t, seen[ref])
		seen[ref] = true
		require.Equal(t, data, b.Bytes(ref))
	}
	require.NotZero(t, b.classes[c+1].used())
}
