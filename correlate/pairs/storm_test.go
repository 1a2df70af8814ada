package pairs

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// storm lets types begin on ever new CIs, 2,000 of them a second.
func storm(t *testing.T, learned *Table, from int64, n int) *Table {
	for i := range n {
		if i == n/2 {
			learned = reload(t, learned)
		}
		learned.Observe(&Observation{Type: uint64(i % 50), CI: uint32(1 + i), At: from + int64(i)/2, Neighbours: []Neighbour{{CI: uint32(max(i, 1)), Hops: 1}}})
	}
	return learned
}

func TestInAStormSomeOnsetsAreTriedAndTheOthersCounted(t *testing.T) {
	learned := storm(t, New(Default()), start, 20_000)
	counters := learned.Counters()
	require.EqualValues(t, 20_000, counters.Observed)
	require.Equal(t, counters.Observed, counters.Onsets+counters.UntriedOnsets)
	require.EqualValues(t, rushOnsets+(20_000-rushOnsets)/rushShare, counters.Onsets)
	require.Equal(t, uint32(counters.Onsets), learned.meta.Waiting, "what is not tried has no decoy either")
	learned.Observe(&Observation{Type: 1, CI: 1, At: start + hour})
	require.Equal(t, counters.Onsets+1, learned.Counters().Onsets, "when it is over each counts again")
	check(t, learned)
}

func TestAStormThatWasSavedGoesOnAsIfNothingHadBeen(t *testing.T) {
	once := New(Default())
	for i := range 5000 {
		once.Observe(&Observation{Type: uint64(i % 50), CI: uint32(1 + i), At: start + int64(i)/2, Neighbours: []Neighbour{{CI: uint32(max(i, 1)), Hops: 1}}})
	}
	require.Equal(t, save(t, once), save(t, storm(t, New(Default()), start, 5000)))
}

func TestAChildWithAllItsParentsTakesInOthersNowAndThen(t *testing.T) {
	learned := New(Default())
	for n := range int64(500) {
		learned.Observe(&Observation{Type: uint64(100 + n), CI: 1, At: start + n*hour})
		learned.Observe(&Observation{Type: 2, CI: 1, At: start + n*hour + second})
	}
	counters := learned.Counters()
	require.EqualValues(t, parentsOfChild, learned.types.At(learned.findType(2)).parents)
	require.InDelta(t, 500/newcomers, counters.EvictedPairs, 20)
	require.Positive(t, counters.PassedPairs)
	check(t, learned)
}
