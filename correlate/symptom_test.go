package correlate

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhoSaysThatAnItemIsDownIsKnownOrKnownNotToBe(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 31))
	var d downRec
	var model []uint32
	complete, not := 0, 0
	for range 5000 {
		if slot := 1 + r.Uint32N(6); slices.Contains(model, slot) {
			d.remove(slot)
			model = slices.DeleteFunc(model, func(known uint32) bool { return known == slot })
		} else {
			d.add(slot)
			model = append(model, slot)
		}
		require.Equal(t, uint32(len(model)), d.count)
		known, all := d.all()
		list := slices.DeleteFunc(known[:], func(slot uint32) bool { return slot == 0 })
		if all {
			complete++
			require.ElementsMatch(t, model, list)
		} else {
			not++
			require.Subset(t, model, list)
		}
	}
	require.Positive(t, complete)
	require.Positive(t, not)
}
