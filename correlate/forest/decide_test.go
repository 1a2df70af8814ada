package forest

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
)

// exact is by how many milli-nats sums of rounded logarithms may be off.
const exact = 4

func TestWhatNothingExplainsIsARoot(t *testing.T) {
	w := newWorld(t, estate{2: {1}})
	d := w.begin(2, 0)
	require.Equal(t, event.PlaceRoot, d.Kind)
	require.Equal(t, uint32(999), d.Expected)
	require.EqualValues(t, event.NoScore, d.Edge)
	require.EqualValues(t, event.NoScore, d.Near)
	require.InDelta(t, 1000*math.Log(10), d.Needed, 1)
	require.Equal(t, uint32(20_000), d.Alpha, "two percent, until it is learned")
	c := w.f.ClusterOf(2)
	require.Equal(t, uint32(2), w.f.Root(c))
	require.Equal(t, uint32(1), w.f.Number(c))
	require.Equal(t, uint32(2), w.f.NextNumber(w.comp))
	require.Equal(t, tenantSym, w.f.TenantOf(c))
	require.Equal(t, uint32(1), w.f.ComponentItems(w.comp))
}

func TestAnEdgeIsScoredByHopsByTimeAndByHowRareFaultsAre(t *testing.T) {
	for _, c := range []struct {
		item  uint32
		hops  int
		gap   event.Time
		roots int
	}{{2, 1, 0, 0}, {2, 1, 20 * event.Second, 0}, {2, 1, 2 * event.Minute, 0}, {3, 2, 7_500, 0}, {2, 1, event.Second, 40}, {3, 2, event.Second, 40}} {
		w := newWorld(t, estate{2: {1}, 3: {2}})
		w.begin(1, 0)
		w.f.tenants.Mut(1).roots = uint64(c.roots) + 1
		d := w.decide(c.item, c.gap)
		require.InDelta(t, edge(c.hops, c.gap, rate(c.roots+1, 1000, c.gap)), d.Edge, exact, "%+v", c)
		require.Equal(t, uint32(1), d.From)
		require.Equal(t, uint8(c.hops), d.Hops)
		require.Equal(t, c.gap, d.Gap)
		require.Equal(t, d.Edge >= d.Needed, d.Kind == event.PlaceEdge, "%+v", c)
	}
}

func TestTheRateOfFaultsIsOfAllItemsAndOfAllTheTime(t *testing.T) {
	for _, items := range []uint32{1, 30, 50_000} {
		w := newWorld(t, estate{2: {1}})
		w.size = items
		w.begin(1, 0)
		w.f.tenants.Mut(1).roots, w.f.tenants.Mut(1).since = 70, noon-3*event.Day
		d := w.decide(2, event.Second)
		require.InDelta(t, edge(1, event.Second, rate(70, int(items), 3*event.Day+event.Second)), d.Edge, exact, "%d items", items)
	}
}

func TestASymptomMayBeSeenBeforeItsCauseAndGoesToTheSameCluster(t *testing.T) {
	w := newWorld(t, estate{2: {1}})
	w.begin(1, 30*event.Second)
	d := w.begin(2, 10*event.Second)
	require.Equal(t, event.PlaceEdge, d.Kind)
	require.Equal(t, 20*event.Second, d.Gap)
	require.Equal(t, noon+10*event.Second, w.f.First(w.f.ClusterOf(2)))
	require.Equal(t, noon+30*event.Second, w.f.Last(w.f.ClusterOf(2)))
}

func TestAnExplanationMustBeTenTimesLikelierThanChance(t *testing.T) {
	w := newWorld(t, estate{2: {1}})
	w.begin(1, 0)
	w.f.tenants.Mut(1).roots = 100
	seen := map[event.PlaceKind]bool{}
	for gap := event.Time(0); gap <= 2*event.Minute; gap += 100 {
		d := w.decide(2, gap)
		require.Equal(t, uint32(1), d.From, "it says what was not enough, too")
		over := edge(1, gap, rate(100, 1000, gap)) - 1000*math.Log(10)
		if math.Abs(over) > exact {
			require.Equal(t, over > 0, d.Kind == event.PlaceEdge, "after %d", gap)
			seen[d.Kind] = true
		}
	}
	require.Equal(t, map[event.PlaceKind]bool{event.PlaceEdge: true, event.PlaceRoot: true}, seen)
}

func TestWhatIsThreeHopsAwayExplainsNothing(t *testing.T) {
	w := newWorld(t, estate{2: {1}, 3: {2}, 4: {3}})
	w.begin(1, 0)
	d := w.begin(4, event.Second)
	require.Equal(t, event.PlaceRoot, d.Kind)
	require.EqualValues(t, event.NoScore, d.Edge)
}

func TestNoMoreThan64AncestorsAreLookedAt(t *testing.T) {
	var ups []uint32
	for up := uint32(1); up <= 70; up++ {
		ups = append(ups, up)
	}
	for _, c := range []struct {
		alarmed uint32
		kind    event.PlaceKind
	}{{64, event.PlaceEdge}, {65, event.PlaceRoot}} {
		w := newWorld(t, estate{100: ups})
		w.begin(c.alarmed, 0)
		require.Equal(t, c.kind, w.begin(100, event.Second).Kind, "the %dth", c.alarmed)
	}
}

func TestOfSeveralExplanationsTheBestIsChosen(t *testing.T) {
	w := newWorld(t, estate{3: {1, 2}, 2: {4}})
	w.begin(1, 0)
	w.begin(4, 50*event.Second) // two hops away
	require.Equal(t, uint32(4), w.decide(3, 55*event.Second).From, "the later one, though it is farther")
	require.Equal(t, uint32(1), w.decide(3, 2*event.Second).From, "before it, the earlier one")
	w.begin(2, 56*event.Second)
	require.Equal(t, w.f.ClusterOf(4), w.f.ClusterOf(2))
	require.Equal(t, uint32(2), w.decide(3, 58*event.Second).From)
}

func TestAnItemThatAlarmedWithinTwoMinutesGoesWhereItWas(t *testing.T) {
	for _, c := range []struct {
		after event.Time
		kind  event.PlaceKind
	}{{2 * event.Minute, event.PlaceSame}, {-2 * event.Minute, event.PlaceSame}, {2*event.Minute + 1, event.PlaceRoot}, {-2*event.Minute - 1, event.PlaceRoot}} {
		w := newWorld(t, nil)
		w.begin(2, event.Second)
		home := w.f.ClusterOf(2)
		d := w.begin(2, event.Second+c.after)
		require.Equal(t, c.kind, d.Kind, "after %d", c.after)
		require.Equal(t, c.kind == event.PlaceSame, w.f.ClusterOf(2) == home)
		if c.kind == event.PlaceSame {
			require.Zero(t, d.Credit+d.Passed+d.Dependents+d.Expected, "nothing is learned from a repeat")
			require.Equal(t, max(c.after, -c.after), d.Gap)
		}
	}
}

func TestARepeatKeepsAnItemWhereItIs(t *testing.T) {
	w := newWorld(t, nil)
	w.begin(1, 0)
	for after := event.Time(0); after < 30*event.Minute; after += 110 * event.Second {
		require.Equal(t, w.f.ClusterOf(1), w.begin(1, after+event.Second).Cluster)
	}
	require.Equal(t, uint64(1), w.f.tenants.At(1).roots)
}

func TestWhatAnItemSaysLaterOnIsNoNewReasonForOthersToFail(t *testing.T) {
	w := newWorld(t, estate{2: {1}})
	w.begin(1, 0)
	w.begin(1, 100*event.Second)
	require.EqualValues(t, event.NoScore, w.decide(2, 130*event.Second).Edge)
	require.Equal(t, event.PlaceEdge, w.decide(2, 2*event.Minute).Kind)
}

func TestAComponentIsScoredByWhatIsLearnedOfItAndByTime(t *testing.T) {
	w := newWorld(t, nil)
	w.size = 50
	w.begin(1, 0)
	w.f.components.Mut(w.comp).credit = 15_000_000
	for _, gap := range []event.Time{0, 5 * event.Second, 40 * event.Second, -3 * event.Second} {
		d := w.decide(2, gap)
		alpha := (15 + .4) / (49 + 20.)
		far := max(gap, -gap)
		want := near(alpha, far, rate(1, 50, max(gap, 0)))
		require.InDelta(t, want, d.Near, exact, "after %d", gap)
		require.Equal(t, far, d.NearGap)
		require.InDelta(t, 1e6*alpha, d.Alpha, 1)
		odds := math.Exp(want / 1000)
		require.InDelta(t, 1e6*odds/(1+odds), d.Credit, 2000, "after %d: it gets the credit that chance has no better claim to", gap)
		require.Equal(t, odds >= 10, d.Kind == event.PlaceNear, "after %d", gap)
	}
}

func TestAnEdgeTakesTheCreditFromTheComponent(t *testing.T) {
	w := newWorld(t, estate{2: {1}})
	w.size = 50
	w.begin(1, 0)
	apart, tied := w.decide(3, event.Second), w.decide(2, event.Second)
	require.Equal(t, apart.Near, tied.Near)
	require.Equal(t, event.PlaceEdge, tied.Kind)
	o1, o2 := math.Exp(float64(tied.Edge)/1000), math.Exp(float64(tied.Near)/1000)
	require.InDelta(t, 1e6*o2/(1+o1+o2), tied.Credit, 1000)
	require.InDelta(t, 1e6*o1/(1+o1+o2), tied.Passed, 1000)
	require.Zero(t, apart.Passed)
	require.Greater(t, apart.Credit, tied.Credit)
}

func TestTheSameAlertComesBackToItsIncidentUnlessAFaultShakesAll(t *testing.T) {
	w := newWorld(t, nil)
	o := w.onset(1, noon)
	o.Back, o.BackTo = true, 0
	d := w.f.Decide(o, w.e, &w.p)
	require.Equal(t, event.PlaceBack, d.Kind)
	require.Zero(t, d.Expected)
	m := w.f.Apply(&d, 1, w.e)
	require.True(t, m.Created, "what it was part of is over, its incident is not")
	require.Zero(t, w.f.tenants.At(1).roots, "it is no new fault")
	o.At, o.BackTo = noon+5*event.Minute, m.Into
	d = w.f.Decide(o, w.e, &w.p)
	require.Equal(t, m.Into, d.Cluster)
	require.False(t, w.f.Apply(&d, 2, w.e).Created)
	consistent(t, w.f)
	w.shake()
	o.At = noon + 20*event.Minute
	d = w.f.Decide(o, w.e, &w.p)
	require.Equal(t, event.PlaceRoot, d.Kind)
}

func TestDecidingChangesNothing(t *testing.T) {
	w := newWorld(t, estate{2: {1}})
	w.begin(1, 0)
	require.Equal(t, w.decide(2, event.Second), w.decide(2, event.Second))
	require.Zero(t, w.f.ClusterOf(2))
}

func TestAlphaGrowsWhereAFaultShowsAllOver(t *testing.T) {
	w := newWorld(t, nil)
	w.size = 40
	for fault := range event.Time(6) {
		for n := range event.Time(20) {
			w.begin(uint32(1+(n*7+fault)%40), fault*event.Hour+n*400)
		}
		for slot := uint32(1); slot < w.f.clusters.Len(); slot++ {
			if w.f.Live(slot) && fault > 0 {
				require.Len(t, w.f.Items(slot, 99, nil), 20, "one fault is one cluster")
			}
			if w.f.Live(slot) {
				w.f.Settle(slot)
			}
		}
	}
	require.True(t, w.f.Shaky(w.comp))
	require.InDelta(t, .5, float64(w.f.components.At(w.comp).alpha())/1e6, .12, "half of them are hit each time")
}

func TestAlphaStaysNearNothingWhereFaultsFollowEdges(t *testing.T) {
	w := newWorld(t, cascades())
	for fault := range event.Time(50) {
		top := uint32(1 + fault%5)
		w.begin(top, fault*event.Hour)
		for below := range uint32(8) {
			require.Equal(t, event.PlaceEdge, w.begin(top*10+below, fault*event.Hour+event.Time(below+1)*4*event.Second).Kind)
		}
		w.f.Settle(w.f.ClusterOf(top))
	}
	require.False(t, w.f.Shaky(w.comp))
	require.Less(t, w.f.components.At(w.comp).alpha(), uint32(5_000))
	require.Zero(t, w.f.components.At(w.comp).lnPassing(), "faults pass along the edges as they should")
}

// cascades is five items on each of which eight rest.
func cascades() estate {
	e := estate{}
	for top := uint32(1); top <= 5; top++ {
		for below := range uint32(8) {
			e[top*10+below] = []uint32{top}
		}
	}
	return e
}

func TestEdgesCountForLessWhereFaultsDoNotPassAlongThem(t *testing.T) {
	w := newWorld(t, cascades())
	before := w.decide(10, 0)
	for n := range event.Time(300) { // one fault after the other, each of a single item
		item := uint32(1 + n%5)
		w.begin(item, n*10*event.Minute)
		w.f.Settle(w.f.ClusterOf(item))
	}
	c := w.f.components.At(w.comp)
	require.Equal(t, uint64(300), c.trials)
	require.Zero(t, c.passed)
	want := 2 * 1000 * math.Log(10*.5/(310*.3))
	require.InDelta(t, want, c.lnPassing(), exact)
	require.EqualValues(t, event.NoScore, before.Edge)
	w.begin(1, 5000*event.Minute)
	since := 5001 * event.Minute
	d, normal := w.decide(10, since), edge(1, event.Minute, rate(301, 1000, since))
	require.InDelta(t, normal+2000*math.Log(10*.5/(311*.3)), d.Edge, exact)
	require.Greater(t, normal, float64(d.Needed), "elsewhere that would be enough")
	require.Equal(t, event.PlaceRoot, d.Kind)
}

func TestTheTenantsShareNothing(t *testing.T) {
	f := New()
	text := words{1: "main", 2: "env=prod", 3: "acme"}
	one, two := f.AddComponent("main", "env=prod", 1, 2), f.AddComponent("acme", "env=prod", 3, 2)
	require.NotEqual(t, one, two)
	require.Equal(t, one, f.Component("main", "env=prod", text))
	require.Equal(t, two, f.Component("acme", "env=prod", text))
	require.Zero(t, f.Component("acme", "env=test", text))
	p := shipped()
	for n, comp := range []uint32{one, one, two} {
		o := Onset{Item: uint32(n + 1), Component: comp, At: noon + event.Time(n)*event.Hour, Size: 1000, Estate: 1000}
		d := f.Decide(o, estate{}, &p)
		require.Equal(t, event.PlaceRoot, d.Kind)
		f.Apply(&d, 1, estate{})
	}
	require.Equal(t, uint32(2), f.Number(f.ClusterOf(2)))
	require.Equal(t, uint32(1), f.Number(f.ClusterOf(3)), "each tenant counts from one")
	require.Equal(t, flat.Sym(3), f.TenantOf(f.ClusterOf(3)))
	require.Equal(t, uint64(2), f.tenants.At(1).roots)
	require.Equal(t, uint64(1), f.tenants.At(2).roots)
	require.Equal(t, uint32(500), f.Estate(one, 500))
	require.Equal(t, uint32(2), f.Estate(one, 0), "as many as alarmed, where nobody has told of any")
	list := f.View().Components()
	require.Equal(t, []Component{{1, 2, 198, 2, 2}, {3, 2, 392, 1, 1}}, list)
	consistent(t, f)
}

func TestHowFastFaultsPassIsLearned(t *testing.T) {
	w := newWorld(t, cascades())
	steps, sum := 0., 0.
	for n := range event.Time(12) {
		w.begin(1, n*event.Hour)
		for below := range uint32(8) {
			gap := event.Time(below+1) * 500
			require.Equal(t, event.PlaceEdge, w.begin(10+below, n*event.Hour+gap).Kind)
			steps, sum = steps+1, sum+float64(gap)
		}
		w.f.Settle(w.f.ClusterOf(1))
	}
	tau := (sum + 20*60_000) / (steps + 20) / 1000
	c := w.f.components.At(w.comp)
	require.InDelta(t, 1000*tau, int64(c.decay(&w.p)), 1)
	require.Less(t, tau, 15.)
	w.begin(1, 20*event.Hour)
	for _, gap := range []event.Time{event.Second, 30 * event.Second} {
		d := w.decide(10, 20*event.Hour+gap)
		r := rate(13, 1000, 20*event.Hour+gap)
		require.InDelta(t, 1000*math.Log(.5*math.Exp(-float64(gap)/1000/tau)/tau/r), d.Edge, exact)
	}
	require.Equal(t, w.p.Decay, New().components.At(0).decay(&w.p), "until then it is what the rules say")
}

func TestWhatAnAlertUpstreamSaysMayBeABetterReason(t *testing.T) {
	w := newWorld(t, estate{3: {1, 2}})
	w.begin(1, 0)
	w.begin(2, 0)
	w.f.Say(1, 7)
	w.f.Say(2, 8)
	w.f.Say(99, 8) // of which nobody has heard
	o := w.onset(3, noon+10*event.Second)
	plain := w.f.Decide(o, w.e, &w.p)
	o.Factor = func(parent uint64) int64 { return map[uint64]int64{8: 700}[parent] }
	d := w.f.Decide(o, w.e, &w.p)
	require.Equal(t, uint32(2), d.From)
	require.Equal(t, plain.Edge+700, d.Edge)
}

func TestWhatIsWellSpeaksAgainstACauseAsMuchAsFaultsPassHere(t *testing.T) {
	f := newWorld(t, nil).f
	c := f.components.Mut(1)
	for _, learned := range [][2]uint64{{0, 0}, {0, 300}, {40, 400}, {300, 310}} { // passed, of so many
		c.passed, c.trials = learned[0]*1_000_000, learned[1]
		share := min(.5, (float64(learned[0])+5)/(float64(learned[1])+10))
		require.InDelta(t, -1000*math.Log(1-share), f.Absence(1), exact, "%v", learned)
	}
}

func TestOnePartOfManyExplainsTheWholeByThatMuchLess(t *testing.T) {
	for _, parts := range []uint32{2, 20} {
		e := estate{}
		for part := uint32(2); part < 2+parts; part++ { // item 1 is the whole: it and its parts rest on each other
			e[1], e[part] = append(e[1], part), []uint32{1}
		}
		if parts == 2 {
			e[3] = nil // what rests on as many is told apart from it
		}
		w := newWorld(t, e)
		w.begin(2, 0)
		d := w.decide(1, 10*event.Second)
		require.Equal(t, uint32(2), d.From)
		require.InDelta(t, edge(1, 10*event.Second, rate(1, 1000, 10*event.Second))-1000*math.Log(float64(parts)), d.Edge, 3, "%d parts", parts)
	}
}

func TestThatItemsBesideEachOtherAlarmIsNoSignOfAShakingComponent(t *testing.T) {
	credit := func(e estate) uint32 {
		w := newWorld(t, e)
		w.begin(2, 0)
		return w.decide(3, event.Second).Credit
	}
	alone, beside, wide := credit(estate{2: {1}, 3: {4}}), credit(under(10)), credit(under(500))
	require.Positive(t, alone)
	require.Less(t, beside, alone/2, "item 1 may be the cause of both, and silent")
	require.Equal(t, alone, wide, "half of the estate rests on item 1")
}
