package forest

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// shaken is a world in which all that alarms within a while of each other is one cluster, and that cluster.
func shaken(t *testing.T) (*world, uint32) {
	w := newWorld(t, nil)
	w.shake()
	w.begin(1, 0)
	return w, w.f.ClusterOf(1)
}

// hit lets alerts begin on so many items in turn, all at a time.
func (w *world) hit(alerts, items uint32, at event.Time) {
	for n := range alerts {
		w.alert++
		d := event.Placement{Kind: event.PlaceNear, Cluster: w.f.Latest(w.comp), Item: 10 + n%items, Component: w.comp, At: noon + at}
		w.f.Apply(&d, w.alert, w.e)
	}
	consistent(w.t, w.f)
}

func (w *world) again(c uint32, at event.Time) (count, over int, score int64) {
	return w.f.Reonset(c, noon+at, &w.p)
}

func TestASecondFaultIsWhatTheClustersPastDoesNotExplain(t *testing.T) {
	for past := range uint32(40) {
		for _, k := range []uint32{8, 12, 15, 20, 40} {
			w, c := shaken(t)
			for n := range past {
				w.hit(1, 3, 3*event.Minute+event.Time(n)*3*event.Second)
			}
			at := 5*event.Minute + 10*event.Second
			w.hit(k, 6, at)
			m := .5 + 10*float64(past)/120
			excess := float64(k)*math.Log(float64(k)/m) - (float64(k) - m)
			count, over, score := w.again(c, at)
			switch name := fmt.Sprintf("%d after %d", k, past); {
			case excess > 20.1:
				require.Equal(t, int(k), count, name)
				require.Equal(t, 6, over, name)
				require.InDelta(t, 1000*excess, score, 100, name)
			case excess < 19.9:
				require.Zero(t, score, name)
			}
		}
	}
}

func TestASecondFaultShowsOnFiveItemsInAClusterOfTwoMinutes(t *testing.T) {
	for _, c := range []struct {
		items uint32
		at    event.Time
		found bool
	}{
		{5, 2 * event.Minute, true}, {4, 2 * event.Minute, false}, {5, 2*event.Minute - 1, false}, {30, 10 * event.Minute, true},
	} {
		w, cluster := shaken(t)
		w.hit(30, c.items, c.at)
		_, _, score := w.again(cluster, c.at)
		require.Equal(t, c.found, score > 0, "%+v", c)
	}
}

func TestWhereFaultsDoNotShowAllOverThereIsNoSecondOne(t *testing.T) {
	w, c := shaken(t)
	w.hit(30, 10, 3*event.Minute)
	w.f.components.Mut(w.comp).credit = 0
	_, _, score := w.again(c, 3*event.Minute)
	require.Zero(t, score)
	w = newWorld(t, nil)
	w.begin(1, 0)
	w.hit(3, 10, 3*event.Minute)
	require.Zero(t, w.f.bursts.Stats().Used, "and nothing is remembered for it")
}

func TestTheTenSecondsOfASecondFaultEndWithTheAlert(t *testing.T) {
	w, c := shaken(t)
	at := 5 * event.Minute
	w.hit(6, 6, at)
	w.hit(6, 6, at-10*event.Second+1)
	w.hit(6, 6, at+1)               // later than it, though it came before
	w.hit(6, 6, at-10*event.Second) // earlier than that
	count, _, score := w.again(c, at)
	require.Positive(t, score)
	require.Equal(t, 12, count)
}

func TestAnAlertCountsOnceInASecondFault(t *testing.T) {
	w, c := shaken(t)
	for range 10 {
		w.alert = 100
		w.hit(6, 6, 5*event.Minute)
	}
	_, _, score := w.again(c, 5*event.Minute)
	require.Zero(t, score, "six alerts are no burst, however often they begin")
}

func TestAlertsAreCountedBySecondsInWhateverOrderTheyCome(t *testing.T) {
	b := &burst{}
	at := noon + 10*event.Minute
	for _, back := range []event.Time{30, 11, 130, 131, 10, 5, 0, 60, 200} {
		b.tally(at-back*event.Second, 12)
	}
	require.Equal(t, uint64(500+12*4*10_000/120), b.before(at), "of 11 to 130 seconds ago")
	require.Equal(t, uint64(500+4*12*10_000/120), b.before(at+event.Second), "one second further, one is too long ago and another is not new any more")
	b.tally(at+event.Hour, 1)
	require.Equal(t, uint64(500), b.before(at+event.Hour), "what is long ago is forgotten")
	b.tally(at, 9)
	require.Equal(t, uint64(500), b.before(at+event.Hour), "and what comes that late is not counted")
	require.Equal(t, uint64(500), b.before(at+3*event.Hour), "no second is taken for one of a later round")
	for range 10 {
		b.tally(at+event.Hour, math.MaxUint16)
	}
	require.Equal(t, uint64(500+math.MaxUint16*10_000/120), b.before(at+event.Hour+20*event.Second), "a storm fills a second and no more")
}

func TestASecondFaultGetsAClusterOfItsOwn(t *testing.T) {
	w, c := shaken(t)
	w.hit(20, 4, event.Minute)
	w.hit(30, 8, 5*event.Minute)
	count, over, score := w.again(c, 5*event.Minute)
	require.Positive(t, score)
	require.Equal(t, []int{30, 8}, []int{count, over})
	before := w.hittable()
	d := event.Placement{Kind: event.PlaceOnset, Cluster: c, Item: 12, Component: w.comp, At: noon + 5*event.Minute, Expected: 8}
	alerts := w.f.Recent(c, d.At)
	part := w.f.Part(&d)
	consistent(t, w.f)
	require.False(t, w.f.Live(c), "the first is over")
	require.Len(t, alerts, 30)
	require.Equal(t, uint32(22), alerts[0])
	require.Len(t, w.f.Items(part, 99, nil), 9)
	require.Equal(t, uint32(12), w.f.Root(part))
	require.Equal(t, uint32(2), w.f.Number(part))
	require.Equal(t, noon+5*event.Minute, w.f.First(part), "it is as old as its fault")
	require.Equal(t, before+8, w.hittable())
	require.Equal(t, part, w.f.Latest(w.comp))
	_, _, score = w.again(part, 5*event.Minute+event.Second)
	require.Zero(t, score, "and it does not begin again at once")
	w.hit(40, 8, 7*event.Minute+event.Second)
	_, _, score = w.again(part, 7*event.Minute+event.Second)
	require.Positive(t, score, "two minutes later a third may")
}

func TestAClusterThatRemembersNothingCanBeParted(t *testing.T) {
	w := newWorld(t, nil)
	w.begin(1, 0)
	w.hit(3, 3, event.Second)
	d := event.Placement{Kind: event.PlaceOnset, Cluster: w.f.ClusterOf(1), Item: 11, Component: w.comp, At: noon + 2*event.Second}
	require.Empty(t, w.f.Recent(d.Cluster, d.At))
	part := w.f.Part(&d)
	require.Len(t, w.f.Items(part, 9, nil), 4)
	w.shake()
	w.hit(1, 1, 3*event.Second)
	consistent(t, w.f)
}

// two makes two clusters of a shaky component, each with alerts of its own.
func two(t *testing.T) (w *world, one, other uint32) {
	w, one = shaken(t)
	w.hit(40, 4, 60*event.Second)
	w.hit(40, 4, 170*event.Second)
	require.Equal(t, event.PlaceRoot, w.begin(2, 300*event.Second).Kind)
	other = w.f.ClusterOf(2)
	w.hit(30, 4, 301*event.Second) // items of the first, which move
	d := event.Placement{Kind: event.PlaceNear, Cluster: one, Item: 10, Component: w.comp, At: noon + 295*event.Second}
	w.f.Apply(&d, 900, w.e)
	consistent(t, w.f)
	return w, one, other
}

func (w *world) join(item, into uint32) uint32 {
	d := event.Placement{Kind: event.PlaceHand, Cluster: into, Item: item, Component: w.comp, At: noon}
	m := w.f.Apply(&d, 0, w.e)
	consistent(w.t, w.f)
	return m.Into
}

func TestTwoClustersThatBecomeOneRememberWhatBothDid(t *testing.T) {
	w, one, other := two(t)
	at := noon + 300*event.Second
	past := func(c uint32) uint64 { return w.f.bursts.At(w.f.clusters.At(c).burst).before(at) - 500 }
	require.Positive(t, past(one))
	require.Zero(t, past(other))
	before := past(one)
	c := w.join(2, one)
	require.Equal(t, before, past(c))
	known := w.f.bursts.At(w.f.clusters.At(c).burst).known()
	require.Len(t, known, burstRing)
	seen := map[uint32]int{}
	for _, e := range known {
		seen[e.alert]++
	}
	require.Equal(t, 1, seen[900])
	require.Equal(t, 1, seen[w.alert], "the latest of both")
	require.Zero(t, seen[2], "not those of the first minute")
}

func TestAClusterHandsWhatItRemembersToOneThatRemembersNothing(t *testing.T) {
	w, one, other := two(t)
	for _, c := range []uint32{one, other} {
		b := &w.f.clusters.Mut(c).burst
		if w.f.clusters.At(c).items < 3 {
			w.f.bursts.Free(*b)
			*b = 0
		}
	}
	kept := w.f.clusters.At(one).burst | w.f.clusters.At(other).burst
	c := w.join(2, one)
	require.Equal(t, kept, w.f.clusters.At(c).burst)
	require.Equal(t, event.PlaceRoot, w.begin(50, event.Hour).Kind)
	require.NotEqual(t, kept, w.f.clusters.At(w.f.ClusterOf(50)).burst, "it is not given to another as well")
}
