package cause

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// consistent counts anew what a book keeps.
func consistent(t *testing.T, b *Book) {
	t.Helper()
	proofs, suspects := uint64(0), uint64(0)
	for cluster := uint32(1); cluster < b.clusters.Len(); cluster++ {
		r := b.clusters.At(cluster)
		type sum struct {
			weight int64
			proofs uint32
		}
		said := map[uint32]sum{}
		for slot := r.proofs; slot != 0; slot = b.proofs.At(slot).next {
			p := b.proofs.At(slot)
			require.Equal(t, cluster, p.cluster)
			require.Equal(t, slot, b.proof(cluster, p.hash), "it is found, and no other of that hash")
			x := said[p.item]
			said[p.item] = sum{x.weight + int64(p.weight), x.proofs + 1}
			proofs++
		}
		for slot := r.suspects; slot != 0; slot = b.suspects.At(slot).next {
			x := b.suspects.At(slot)
			require.Equal(t, cluster, x.cluster)
			require.Equal(t, slot, b.suspect(cluster, x.item))
			require.Equal(t, sum{x.sum, x.proofs}, said[x.item], "item %d of cluster %d", x.item, cluster)
			delete(said, x.item)
			suspects++
			signs := map[uint64]bool{}
			for i, sign := range x.signs {
				require.True(t, i == 0 || x.weights[i] <= x.weights[i-1], "the heaviest first")
				require.True(t, sign == 0 || !signs[sign&^1], "each once")
				signs[sign&^1] = true
			}
		}
		require.Empty(t, said)
	}
	checkFronts(t, b)
	require.Equal(t, proofs, b.proofs.Stats().Used)
	require.Equal(t, suspects, b.suspects.Stats().Used)
	require.EqualValues(t, proofs, b.byProof.Len())
	require.EqualValues(t, suspects, b.bySuspect.Len())
	require.EqualValues(t, b.counts.Stats().Used, b.byHash.Len())
	require.Zero(t, *b.counts.At(0))
	require.Zero(t, *b.clusters.At(0))
	require.Zero(t, *b.components.At(0))
}
