package flat

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

type finder interface {
	Find(hash uint64, eq func(uint32) bool) (uint32, bool)
}

// refs returns all numbers under hash, ascending.
func refs(x finder, hash uint64) []uint32 {
	var all []uint32
	x.Find(hash, func(ref uint32) bool { all = append(all, ref); return false })
	slices.Sort(all)
	return all
}

func insertSorted(list []uint32, ref uint32) []uint32 {
	n, _ := slices.BinarySearch(list, ref)
	return slices.Insert(slices.Clone(list), n, ref)
}

// spread maps a small number to a hash; narrow ones share it, in part or whole.
var spreads = map[string]func(n uint64) uint64{
	"even":              func(n uint64) uint64 { return n * 0xD6E8FEB86659FD93 },
	"counting":          func(n uint64) uint64 { return n },
	"eight hashes":      func(n uint64) uint64 { return n % 8 },
	"one hash":          func(uint64) uint64 { return 42 },
	"one tag":           func(n uint64) uint64 { return n * inverse(0x9E3779B97F4A7C15) },
	"tags alike on top": func(n uint64) uint64 { return (n % 4096) << 32 * inverse(0x9E3779B97F4A7C15) },
}

// inverse returns the number that odd a times gives 1, modulo 2^64 (Newton).
func inverse(a uint64) uint64 {
	x := a
	for range 6 {
		x *= 2 - a*x
	}
	return x
}

func TestIndexBehavesLikeAMultimapAndItsViewsKeepTheirContent(t *testing.T) {
	for name, hash := range spreads {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(7, 4))
			x, model := NewIndex(), map[uint64][]uint32{}
			under := map[uint32]uint64{}
			var views []IndexView
			var copies []map[uint64][]uint32
			for step := range 6_000 {
				ref := rng.Uint32N(5_000)
				h, there := under[ref]
				if there && rng.IntN(3) == 0 {
					require.True(t, x.Delete(h, ref))
					require.False(t, x.Delete(h, ref))
					model[h] = slices.DeleteFunc(slices.Clone(model[h]), func(r uint32) bool { return r == ref })
					delete(under, ref)
				} else if !there {
					h = hash(uint64(ref))
					x.Insert(h, ref)
					model[h], under[ref] = insertSorted(model[h], ref), h
				}
				if step%1_500 == 1_499 {
					c := map[uint64][]uint32{}
					maps.Copy(c, model)
					views, copies = append(views, x.View()), append(copies, c)
				}
			}
			require.Equal(t, len(under), x.Len())
			compare(t, x, model)
			for n := range views {
				compare(t, &views[n], copies[n])
			}
			for ref, h := range under {
				require.True(t, x.Delete(h, ref))
			}
			require.Zero(t, x.Stats().Used)
			require.LessOrEqual(t, len(x.dir), minDirectory)
		})
	}
}

// compare takes for one what has one tag: the index cannot tell it apart without eq.
func compare(t *testing.T, x finder, model map[uint64][]uint32) {
	t.Helper()
	byTag, hashOf := map[uint32][]uint32{}, map[uint32]uint64{}
	for h, list := range model {
		byTag[tagOf(h)] = append(byTag[tagOf(h)], list...)
		hashOf[tagOf(h)] = h
	}
	for tag, list := range byTag {
		slices.Sort(list)
		if len(list) > 0 {
			require.Equal(t, list, refs(x, hashOf[tag]))
			got, ok := x.Find(hashOf[tag], func(r uint32) bool { return r == list[0] })
			require.True(t, ok)
			require.Equal(t, list[0], got)
		}
	}
}

func TestIndexGrowsToManyEntriesAndStaysDense(t *testing.T) {
	x := NewIndex()
	const n = 300_000
	for i := range uint32(n) {
		x.Insert(spreads["even"](uint64(i)), i)
	}
	for i := range uint32(n) {
		got, ok := x.Find(spreads["even"](uint64(i)), func(r uint32) bool { return r == i })
		require.True(t, ok)
		require.Equal(t, i, got)
	}
	require.Less(t, x.Stats().Bytes, uint64(17*n))
	require.LessOrEqual(t, len(x.dir), 8*int(x.segs.Len()))
}

func TestHashesMadeToCollideDoNotBlowUpTheDirectory(t *testing.T) {
	for _, name := range []string{"one hash", "one tag", "tags alike on top"} {
		x := NewIndex()
		for i := range uint32(20_000) {
			x.Insert(spreads[name](uint64(i)), i)
		}
		require.LessOrEqual(t, len(x.dir), minDirectory, name)
		require.Less(t, x.Stats().Bytes, uint64(20*20_000), name)
		for i := range uint32(100_000) { // honest entries find their segments split all the same
			x.Insert(spreads["even"](uint64(i)), 1<<20+i)
		}
		for i := range uint32(5_000) { // and the chain is split where the larger directory allows it
			x.Insert(spreads[name](uint64(20_000+i)), 20_000+i)
		}
		require.Contains(t, refs(x, spreads["even"](42)), uint32(1<<20+42), name)
		for i := range uint32(25) {
			require.Contains(t, refs(x, spreads[name](uint64(i)*1_000)), i*1_000, name)
		}
		require.LessOrEqual(t, len(x.dir), 8*int(x.segs.Len()), name)
	}
}
