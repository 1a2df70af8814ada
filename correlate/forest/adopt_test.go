package forest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func TestACauseAdoptsTheSymptomsThatCameFirst(t *testing.T) {
	w := newWorld(t, estate{2: {1}, 3: {1}, 4: {3}})
	for n, item := range []uint32{2, 4} {
		require.Equal(t, event.PlaceRoot, w.begin(item, event.Time(n)*20*event.Second).Kind)
	}
	require.Equal(t, uint64(2*999), w.hittable())
	require.Equal(t, event.PlaceRoot, w.begin(1, 40*event.Second).Kind)
	list := w.adopt(1)
	require.Len(t, list, 2)
	byItem := map[uint32]event.Placement{list[0].Item: list[0], list[1].Item: list[1]}
	for item, hops := range map[uint32]int{2: 1, 4: 2} {
		d := byItem[item]
		require.Equal(t, uint8(hops), d.Hops)
		require.Equal(t, event.Time(40/hops)*event.Second, d.Gap)
		require.InDelta(t, edge(hops, d.Gap, rate(3, 1000, 40*event.Second)), d.Edge, exact, "item %d", item)
	}
	c := w.f.ClusterOf(1)
	require.ElementsMatch(t, []uint32{1, 2, 4}, w.f.Items(c, 9, nil))
	require.Len(t, w.f.Items(c, 2, nil), 2)
	require.Equal(t, uint32(1), w.f.Root(c))
	require.Equal(t, noon, w.f.First(c))
	require.Equal(t, noon+40*event.Second, w.f.Last(c))
	require.Equal(t, uint64(1), w.f.tenants.At(1).roots, "they were no faults of their own")
	require.Equal(t, uint64(999), w.hittable())
	require.Empty(t, w.adopt(1))
}

func TestOnlyRootsAreAdopted(t *testing.T) {
	w := newWorld(t, estate{3: {1, 2}, 4: {3}})
	w.begin(2, 0)
	require.Equal(t, event.PlaceEdge, w.begin(3, 5*event.Second).Kind)
	w.begin(4, 6*event.Second)
	require.Equal(t, event.PlaceRoot, w.begin(1, 10*event.Second).Kind)
	require.Empty(t, w.adopt(1), "another explains it, and what hangs on it")
}

func TestARootIsAdoptedWithinAMinute(t *testing.T) {
	for _, c := range []struct {
		gap event.Time
		n   int
	}{{event.Minute, 1}, {event.Minute + 1, 0}, {-event.Minute, 1}, {-event.Minute - 1, 0}} {
		w := newWorld(t, estate{2: {1}})
		w.p.JoinWithin = 1 // what comes later is not joined by the edge instead
		w.begin(2, 0)
		w.begin(1, c.gap)
		require.Len(t, w.adopt(1), c.n, "after %d", c.gap)
	}
}

func TestARootIsAdoptedWhenThatIsTenTimesLikelierThanChance(t *testing.T) {
	w := newWorld(t, estate{2: {1}})
	w.begin(2, 0)
	w.begin(1, 50*event.Second)
	o := w.onset(1, noon+50*event.Second)
	for roots := 2; roots < 200; roots++ {
		w.f.tenants.Mut(1).roots = uint64(roots)
		score := edge(1, 50*event.Second, rate(roots, 1000, 50*event.Second))
		list := w.f.Adoptions(1, w.e, &w.p, &o)
		if score > float64(w.p.Threshold)+exact {
			require.Len(t, list, 1, "%d roots", roots)
		} else if score < float64(w.p.Threshold)-exact {
			require.Empty(t, list, "%d roots", roots)
		}
	}
	require.Empty(t, w.f.Adoptions(1, w.e, &w.p, &o))
}

func TestTheSmallerClusterGoesIntoTheLargerAndTheAdopterKeepsItsNumber(t *testing.T) {
	w := newWorld(t, estate{2: {1}, 3: {2}, 4: {2}, 5: {2}})
	for n, item := range []uint32{2, 3, 4, 5} {
		w.begin(item, event.Time(n)*event.Second)
	}
	large := w.f.ClusterOf(2)
	w.begin(1, 10*event.Second)
	small := w.f.ClusterOf(1)
	require.NotEqual(t, large, small)
	require.Equal(t, uint32(2), w.f.Number(small))
	require.Len(t, w.adopt(1), 1)
	require.Equal(t, large, w.f.ClusterOf(1))
	require.False(t, w.f.Live(small))
	require.Equal(t, uint32(2), w.f.Number(large))
	require.Equal(t, uint32(1), w.f.Root(large))
	require.Equal(t, large, w.f.Latest(w.comp))
	require.Equal(t, uint32(3), w.f.NextNumber(w.comp), "no number is given twice")
}

func TestWhatAdoptionsTakeBackIsNeverMoreThanWasCounted(t *testing.T) {
	e := estate{}
	for item := uint32(1); item < 12; item++ {
		e[item+1] = []uint32{item}
	}
	w := newWorld(t, e)
	for item := uint32(12); item > 0; item-- { // from the leaf to the top, each explains the last
		w.begin(item, event.Time(12-item)*5*event.Second)
		w.adopt(item)
		require.Equal(t, uint64(999), w.hittable(), "item %d", item)
		require.Equal(t, uint64(1), w.f.tenants.At(1).roots)
	}
	require.Len(t, w.f.Items(w.f.ClusterOf(1), 99, nil), 12)
	require.Less(t, w.f.components.At(w.comp).alpha(), uint32(20_000))
}

func TestAClusterGoesWithTheComponentOfItsCause(t *testing.T) {
	w := newWorld(t, estate{2: {1}, 3: {2}, 4: {2}, 5: {4}})
	other := w.f.AddComponent("main", "around x", tenantSym, 9)
	home := w.comp
	for n, item := range []uint32{2, 3, 4} {
		w.begin(item, event.Time(n)*event.Second)
	}
	w.comp, w.size = other, 300
	w.begin(1, 10*event.Second)
	w.adopt(1)
	c := w.f.ClusterOf(3)
	require.Equal(t, other, w.f.ComponentOf(c))
	require.Equal(t, c, w.f.Latest(other))
	require.Zero(t, w.f.Latest(home))
	require.Zero(t, w.f.components.At(home).expected)
	require.Equal(t, uint64(299), w.f.components.At(other).expected)
	require.Equal(t, uint32(3), w.f.ComponentItems(home), "those stay what they are")
}

func TestAnItemThatMovesOnLeavesAClusterThatHasARoot(t *testing.T) {
	w := newWorld(t, estate{1: {9}, 2: {1}, 3: {1}})
	for n, item := range []uint32{1, 2, 3} {
		w.begin(item, event.Time(n)*event.Second)
	}
	old := w.f.ClusterOf(1)
	w.begin(9, 5*event.Minute)
	require.Equal(t, event.PlaceEdge, w.begin(1, 5*event.Minute+event.Second).Kind)
	require.NotEqual(t, old, w.f.ClusterOf(1))
	require.Equal(t, uint32(2), w.f.Root(old), "the first of those that stayed")
	m := w.f.Apply(&event.Placement{ // a person puts the two together
		Kind: event.PlaceHand, Cluster: w.f.ClusterOf(9), Item: w.f.Root(old), Component: w.comp, At: noon, Edge: event.NoScore, Near: event.NoScore,
	}, 0, w.e)
	require.ElementsMatch(t, []uint32{1, 2, 3, 9}, w.f.Items(m.Into, 99, nil))
	require.Equal(t, uint32(9), w.f.Root(m.Into))
	consistent(t, w.f)
}

func TestWhatIsInAClusterAlreadyOrInNoneIsNotAdopted(t *testing.T) {
	w := newWorld(t, estate{2: {1}})
	w.begin(1, 0)
	w.begin(2, event.Second)
	c := w.f.ClusterOf(1)
	for _, item := range []uint32{1, 2, 7} {
		d := event.Placement{Kind: event.PlaceHand, Cluster: c, Item: item, Component: w.comp, At: noon, Edge: event.NoScore, Near: event.NoScore}
		require.Equal(t, Moved{Into: c}, w.f.Apply(&d, 0, w.e))
		consistent(t, w.f)
	}
	require.Len(t, w.f.Items(c, 9, nil), 2)
}

func TestAQuietClusterIsClosedAndItsItemsBeginAnew(t *testing.T) {
	w := newWorld(t, estate{2: {1}})
	w.begin(1, 0)
	w.begin(2, event.Second)
	c := w.f.ClusterOf(1)
	w.f.Settle(c)
	consistent(t, w.f)
	require.False(t, w.f.Live(c))
	require.Zero(t, w.f.ClusterOf(1)+w.f.ClusterOf(2)+w.f.Latest(w.comp))
	require.Equal(t, event.PlaceRoot, w.begin(2, 2*event.Second).Kind, "it alarmed a second ago, but that is over")
	require.Equal(t, uint32(2), w.f.Number(w.f.ClusterOf(2)))
}

func TestAnItemThatIsForgottenLeavesNothingToTheNextOfItsSlot(t *testing.T) {
	w := newWorld(t, estate{2: {1}, 3: {1}})
	w.begin(2, 0)
	w.begin(3, event.Second)
	c := w.f.ClusterOf(2)
	w.f.Forget(2)
	require.Empty(t, w.f.Items(c, 1, nil))
	w.f.Settle(c)
	w.f.Forget(1) // in no cluster, but roots alarmed beneath it
	require.Zero(t, w.f.roots.Stats().Used)
	w.f.Forget(99)
	require.Equal(t, uint32(1), w.f.ComponentItems(w.comp))
	consistent(t, w.f)
	w.begin(2, 2*event.Second)
	w.begin(1, 3*event.Second)
	w.adopt(1)
	w.f.Forget(1)
	consistent(t, w.f)
	w.f.Forget(2)
	consistent(t, w.f)
	require.Equal(t, uint32(3), w.f.Root(w.f.ClusterOf(3)))
}

func TestAnItemCountsInTheComponentInWhichItAlarmedLast(t *testing.T) {
	w := newWorld(t, nil)
	other := w.f.AddComponent("main", "around x", tenantSym, 9)
	one := w.comp
	for n := range event.Time(6) {
		w.comp = one
		w.begin(1, n*20*event.Minute)
		w.comp = other
		w.begin(1, n*20*event.Minute+10*event.Minute)
	}
	require.Zero(t, w.f.ComponentItems(one))
	require.Equal(t, uint32(1), w.f.ComponentItems(other))
}

func TestThoseWhomAPersonTakesOutGetAClusterOfTheirOwn(t *testing.T) {
	w := newWorld(t, estate{2: {1}, 3: {1}, 4: {1}})
	for n, item := range []uint32{1, 2, 3, 4} {
		w.begin(item, event.Time(n)*event.Second)
	}
	whole := w.f.ClusterOf(1)
	d := event.Placement{Kind: event.PlaceHand, Cluster: whole, Item: 3, Component: w.comp, At: noon + 3*event.Second}
	part := w.f.Separate(&d, []uint32{3, 1})
	consistent(t, w.f)
	require.Equal(t, []uint32{3, 1}, w.f.Items(part, 9, nil))
	require.Equal(t, []uint32{2, 4}, w.f.Items(whole, 9, nil))
	require.Equal(t, uint32(3), w.f.Root(part))
	require.Equal(t, uint32(2), w.f.Root(whole))
	require.Equal(t, uint32(2), w.f.Number(part))
	require.Equal(t, whole, w.begin(2, 5*event.Second).Cluster, "later alarms follow")
	require.Equal(t, part, w.begin(1, 6*event.Second).Cluster)
}
