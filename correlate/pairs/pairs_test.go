package pairs

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/internal/flat"
)

// couple makes n occasions of "1, then 2" on as many CIs, gap ms apart, one an hour.
func couple(t *Table, n int, gap, resolution int64) (changes []Change) {
	return coupleFrom(t, start, n, gap, resolution)
}

func coupleFrom(t *Table, from int64, n int, gap, resolution int64) (changes []Change) {
	for i := range int64(n) {
		at := from + i*hour
		changes = append(changes, t.Observe(&Observation{Type: 1, Name: "one", CI: uint32(1 + i), At: at, Resolution: resolution})...)
		changes = append(changes, t.Observe(&Observation{Type: 2, Name: "two", CI: uint32(1 + i), At: at + gap, Resolution: resolution})...)
	}
	return changes
}

func pairOf(t *testing.T, learned *Table, a, b uint64) Pair {
	t.Helper()
	for _, p := range learned.View().All() {
		if p.Parent == a && p.Child == b {
			return p
		}
	}
	require.Fail(t, "no such pair")
	return Pair{}
}

func TestAPairIsSuggestedAtItsFifthBucket(t *testing.T) {
	learned := New(Default())
	require.Empty(t, couple(learned, 4, second, 0))
	require.Zero(t, learned.Counters().Version)
	changes := coupleFrom(learned, start+day, 1, second, 0)
	require.Equal(t, []Change{{1, 2, Suggested}}, changes)
	require.EqualValues(t, 1, learned.Counters().Version)
	p := pairOf(t, learned, 1, 2)
	require.Equal(t, Suggested, p.Status)
	require.EqualValues(t, 5, p.Buckets)
	require.EqualValues(t, 4, p.CIs)
	require.EqualValues(t, second, p.LagMS)
	require.InDelta(t, 4900, p.Credits, 120)
	require.Less(t, p.Expected, uint64(300))
	require.Equal(t, "one", p.ParentName)
	require.Zero(t, learned.Factor(1, 2), "a suggestion changes nothing")
}

func TestFewerThanThreeCIsAreNotEnough(t *testing.T) {
	learned := New(Default())
	for i := range int64(40) {
		for typ := range int64(2) {
			learned.Observe(&Observation{Type: uint64(1 + typ), CI: uint32(1 + i%2), At: start + i*day + typ*second})
		}
	}
	p := pairOf(t, learned, 1, 2)
	require.Greater(t, p.Ratio, int64(neededRatio))
	require.Equal(t, Candidate, p.Status)
}

func TestABurstIsOneCredit(t *testing.T) {
	learned := New(Default())
	at := int64(start - start%bucket)
	for ci := range uint32(50) {
		learned.Observe(&Observation{Type: 1, CI: 1 + ci, At: at})
	}
	for ci := range uint32(50) {
		for n := range int64(20) {
			learned.Observe(&Observation{Type: 2, CI: 1 + ci, At: at + second + n})
		}
	}
	p := pairOf(t, learned, 1, 2)
	require.EqualValues(t, 1, p.Buckets)
	require.LessOrEqual(t, p.Credits, uint64(1000))
	require.LessOrEqual(t, p.Expected, uint64(1000))
}

func TestTheNearerCauseTakesTheCredit(t *testing.T) {
	learned := New(Default())
	for i := range int64(10) {
		for typ, offset := range []int64{0, 90 * second, 91 * second} {
			learned.Observe(&Observation{Type: uint64(1 + typ), CI: uint32(1 + i), At: start + i*hour + offset})
		}
	}
	require.Greater(t, pairOf(t, learned, 2, 3).Credits, 4*pairOf(t, learned, 1, 3).Credits)
}

func TestCoarseTimesGiveNoDirection(t *testing.T) {
	learned := New(Default())
	couple(learned, 20, 0, minute)
	forth, back := pairOf(t, learned, 1, 2), pairOf(t, learned, 2, 1)
	require.Equal(t, forth.Credits, back.Credits)
	require.EqualValues(t, 20, forth.Ties)
	require.False(t, forth.Directed)
	require.Equal(t, Suggested, forth.Status)
	require.Equal(t, Candidate, back.Status, "one of the two orders is suggested")
	require.True(t, learned.Accept(1, 2))
	require.Positive(t, learned.Factor(1, 2))
	require.Equal(t, learned.Factor(1, 2), learned.Factor(2, 1), "it holds both ways")

	learned = New(Default())
	couple(learned, 20, minute, minute)
	require.Zero(t, pairOf(t, learned, 1, 2).Ties, "a whole step apart the order is known")
	require.True(t, pairOf(t, learned, 1, 2).Directed)
}

func TestOnlyAPersonMakesAPairActive(t *testing.T) {
	learned := New(Default())
	couple(learned, 30, second, 0)
	require.False(t, learned.Accept(1, 77))
	require.False(t, learned.Reject(77, 1))
	require.Zero(t, learned.StatusOf(77, 1))
	require.Equal(t, Suggested, learned.StatusOf(1, 2))
	version := learned.Counters().Version
	require.True(t, learned.Accept(1, 2))
	require.Equal(t, version+1, learned.Counters().Version)
	require.True(t, learned.Accept(1, 2))
	require.Equal(t, version+1, learned.Counters().Version, "nothing has changed")
	require.InDelta(t, 2500, learned.Factor(1, 2), 500)
	require.Zero(t, learned.Factor(2, 1))
	require.Zero(t, learned.Factor(1, 99))
	require.Equal(t, Active, pairOf(t, learned, 1, 2).Status)
}

func TestARejectedPairStaysRejected(t *testing.T) {
	learned := New(Default())
	couple(learned, 10, second, 0)
	require.True(t, learned.Reject(1, 2))
	require.Empty(t, coupleFrom(learned, start+day, 200, second, 0))
	require.Equal(t, Rejected, pairOf(t, learned, 1, 2).Status)
	require.Empty(t, coupleFrom(learned, start+200*day, 20, second, 0))
	require.Equal(t, Rejected, reload(t, learned).View().List()[0].Status)
	require.Zero(t, learned.Factor(1, 2))
}

func TestCountsHalveEveryThirtyDays(t *testing.T) {
	learned := New(Default())
	couple(learned, 40, second, 0)
	before := pairOf(t, learned, 1, 2)
	for n := range int64(10) { // of something else; upkeep comes round
		learned.Observe(&Observation{Type: 3, CI: 99, At: start + 61*day + n})
	}
	after := pairOf(t, learned, 1, 2)
	require.InDelta(t, before.Credits/4, after.Credits, 1)
	require.EqualValues(t, 10, after.Buckets)
	require.Equal(t, Suggested, after.Status)
	for n := range int64(100) {
		learned.Observe(&Observation{Type: 3, CI: 99, At: start + 301*day + n*hour})
	}
	require.EqualValues(t, 1, learned.Counters().LapsedSuggestions)
	require.Empty(t, learned.View().List())
	require.EqualValues(t, 1, learned.Counters().Occurrences, "what is long gone is forgotten")
}

func TestWhatComesLateNeitherCreditsNorTurnsTimeBack(t *testing.T) {
	learned := New(Default())
	learned.Observe(&Observation{Type: 1, CI: 1, At: start + hour})
	learned.Observe(&Observation{Type: 2, CI: 1, At: start})
	learned.Observe(&Observation{Type: 1, CI: 1, At: start})
	require.Empty(t, learned.View().All())
	require.EqualValues(t, 1, learned.Counters().LateAlerts)
	learned.Observe(&Observation{Type: 2, CI: 1, At: start + hour + second})
	require.EqualValues(t, 1, pairOf(t, learned, 1, 2).Buckets)
}

func TestAForgottenCIStartsAnew(t *testing.T) {
	learned := New(Default())
	learned.Observe(&Observation{Type: 1, CI: 1, At: start})
	learned.ForgetCI(0)
	learned.ForgetCI(1)
	learned.ForgetCI(1000)
	learned.Observe(&Observation{Type: 2, CI: 1, At: start + second})
	require.Empty(t, learned.View().All())
	check(t, learned)
}

func TestRatiosAreThoseOfTheirFormulas(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 20_000 {
		m := math.Exp(rng.Float64()*23 - 14)
		k := m * math.Exp(rng.NormFloat64()*rng.Float64()*3)
		if k > 8000 || k < 1e-6 || m < 1e-6 {
			continue
		}
		want := 2000 * (k*math.Log(k/m) - (k - m))
		if k < m {
			want = -want
		}
		require.InDelta(t, want, float64(ratio(uint64(k*one), uint64(m*one))), 3+4*k+0.005*math.Abs(want), "%g against %g", k, m)
		h := (k + m) / 2
		want = 2000 * (k*math.Log(k/h) + m*math.Log(m/h))
		if k < m {
			want = -want
		}
		require.InDelta(t, want, float64(order(uint64(k*one), uint64(m*one))), 3+4*(k+m)*min(1, math.Abs(k-m)/(k+m)*8)+0.005*math.Abs(want), "%g against %g", k, m)
	}
	require.Zero(t, order(0, 0))
	require.Negative(t, ratio(0, one))
	require.InDelta(t, 2000*5*math.Log(2), order(5*one, 0), 5)
}

// Where many counts are just about what was expected, logarithms rounded to milli-nats would decide.
func TestARatioNearOneIsExact(t *testing.T) {
	for _, k := range []float64{5000, 5050, 4950, 5400} {
		want := 2000 * (k*math.Log(k/5000) - (k - 5000))
		if k < 5000 {
			want = -want
		}
		require.InDelta(t, want, ratio(uint64(k)*one, 5000*one), 10+math.Abs(want)*0.01)
	}
}

func save(t testing.TB, learned *Table) []byte {
	var out bytes.Buffer
	w := flat.NewWriter(&out)
	require.NoError(t, learned.View().Save(w))
	require.NoError(t, w.Close())
	return out.Bytes()
}

func reload(t testing.TB, learned *Table) *Table {
	out := New(learned.set)
	r := flat.NewReader(bytes.NewReader(save(t, learned)))
	require.NoError(t, out.Load(r))
	require.NoError(t, r.Close())
	return out
}

// check holds what must be true of every table.
func check(t testing.TB, learned *Table) {
	refs := map[uint32]uint32{}
	occurrences, pairs, types := uint32(0), uint32(0), uint32(0)
	for slot := uint32(1); slot < learned.occurrences.Len(); slot++ {
		if o := learned.occurrences.At(slot); o.typ != 0 {
			occurrences++
			refs[o.typ]++
			require.Equal(t, slot, learned.item(o.ci).find(o.typ))
		}
	}
	for slot := uint32(1); slot < learned.pairs.Len(); slot++ {
		if p := learned.pairs.At(slot); p.child != 0 {
			pairs++
			refs[p.parent]++
			refs[p.child]++
			require.Equal(t, slot, learned.find(p.parent, p.child))
			require.LessOrEqual(t, p.credits, uint64(p.hits+1)*one)
		}
	}
	for n := range learned.meta.Waiting {
		refs[learned.decoys.At(1+(learned.meta.First+n)%learned.meta.Ring).typ]++
	}
	for ci := uint32(1); ci < learned.places.Len(); ci++ {
		c := learned.item(ci)
		require.Equal(t, *learned.places.At(ci) != 0, c.n > 0)
		for i := range c.n {
			require.True(t, i == 0 || c.types[i-1] < c.types[i])
			occurrences--
		}
	}
	require.Zero(t, occurrences)
	for slot := uint32(1); slot < learned.types.Len(); slot++ {
		if ty := learned.types.At(slot); ty.used {
			types++
			require.Equal(t, refs[slot], ty.refs)
			require.Equal(t, slot, learned.findType(ty.hash))
			pairs -= uint32(ty.parents)
		}
	}
	require.Zero(t, pairs)
	require.Equal(t, types, learned.meta.Types)
}

func randomTables(seed uint64, set Settings, n int, each func(i int, learned *Table)) *Table {
	rng, learned, at := rand.New(rand.NewPCG(seed, 3)), New(set), int64(start)
	for i := range n {
		at += rng.Int64N(20 * minute)
		if rng.IntN(500) == 0 {
			at += 20 * day
		}
		o := Observation{Type: rng.Uint64N(120) * rng.Uint64N(120), Name: "a name", CI: rng.Uint32N(40), At: at - rng.Int64N(3*minute), Resolution: rng.Int64N(3) * minute}
		for range rng.IntN(6) {
			o.Neighbours = append(o.Neighbours, Neighbour{rng.Uint32N(42), rng.Uint32N(4)})
		}
		learned.Observe(&o)
		switch rng.IntN(300) {
		case 0:
			learned.ForgetCI(rng.Uint32N(44))
		case 1, 2:
			p := learned.pairs.At(rng.Uint32N(learned.pairs.Len()))
			parent, child := learned.types.At(p.parent).hash, learned.types.At(p.child).hash
			if rng.IntN(2) == 0 {
				learned.Accept(parent, child)
			} else {
				learned.Reject(parent, child)
			}
		}
		each(i, learned)
	}
	return learned
}

func tight() Settings {
	set := Default()
	set.Occurrences, set.Pairs, set.Types, set.CIs, set.Decoys = 200, 300, 150, 35, 20
	return set
}

func TestTheSameCallsGiveTheSameTableAlsoAcrossASnapshot(t *testing.T) {
	for seed := range seeds(6) {
		set := Default()
		if seed%2 == 0 {
			set = tight()
		}
		learned := randomTables(seed, set, 3000, func(int, *Table) {})
		again := randomTables(seed, set, 3000, func(i int, learned *Table) {
			if i == 1500 {
				*learned = *reload(t, learned)
			}
		})
		require.True(t, bytes.Equal(save(t, learned), save(t, again)))
		check(t, learned)
	}
}

func TestATableStaysWithinItsBounds(t *testing.T) {
	set := tight()
	learned := randomTables(7, set, 8_000, func(i int, learned *Table) {
		m := &learned.meta
		if m.Occurrences > set.Occurrences || m.Pairs > set.Pairs || m.Types > set.Types || m.Waiting > set.Decoys {
			require.Fail(t, "beyond a bound", "%+v", m)
		}
		if i%1000 == 0 {
			check(t, learned)
		}
	})
	counters := learned.Counters()
	t.Logf("%+v", counters)
	for _, n := range []uint64{counters.EvictedOccurrences, counters.EvictedPairs, counters.RefusedTypes, counters.RefusedCIs, counters.LostDecoys} {
		require.Positive(t, n)
	}
	require.LessOrEqual(t, learned.places.Len(), set.CIs+1)
	huge := New(Settings{Window: minute, Tau: minute, Occurrences: 1 << 31, Pairs: 1 << 31, Types: 1 << 20}).set
	require.LessOrEqual(t, uint64(huge.Occurrences)+uint64(huge.Pairs)+uint64(huge.Types), uint64(MostEntries))
}

func TestWhatPeopleJudgedIsNotEvicted(t *testing.T) {
	learned := New(Default())
	couple(learned, 10, second, 0)
	require.True(t, learned.Reject(1, 2))
	for n := range int64(500) {
		learned.Observe(&Observation{Type: uint64(100 + n), CI: 1, At: start + 20*day + n*hour})
		learned.Observe(&Observation{Type: 2, CI: 1, At: start + 20*day + n*hour + second})
	}
	require.EqualValues(t, parentsOfChild, learned.types.At(learned.findType(2)).parents)
	require.Positive(t, learned.Counters().EvictedPairs)
	require.Equal(t, Rejected, pairOf(t, learned, 1, 2).Status)
	check(t, learned)
}

func TestASnapshotGoesOnUnderOtherBounds(t *testing.T) {
	learned := randomTables(2, Default(), 3000, func(int, *Table) {})
	kept := learned.meta
	learned.set = tight()
	learned = reload(t, learned)
	require.Equal(t, kept, learned.meta)
	for n := range int64(3000) {
		learned.Observe(&Observation{Type: uint64(n % 400), CI: uint32(1 + n%30), At: kept.Now + n*minute})
		require.LessOrEqual(t, learned.meta.Occurrences, max(kept.Occurrences, learned.set.Occurrences))
	}
	check(t, learned)
}

func TestADamagedSnapshotIsRefused(t *testing.T) {
	learned := randomTables(1, Default(), 500, func(int, *Table) {})
	whole := save(t, learned)
	for _, cut := range []int{20, len(whole) / 2, len(whole) - 3} {
		r := flat.NewReader(bytes.NewReader(whole[:cut]))
		err := New(Default()).Load(r)
		if err == nil {
			err = r.Close()
		}
		require.ErrorIs(t, err, flat.ErrCorrupt)
	}
}
