package forest

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// under is an estate of so many items that rest on item 1.
func under(n uint32) estate {
	e := estate{}
	for item := uint32(2); item < 2+n; item++ {
		e[item] = []uint32{1}
	}
	return e
}

func (w *world) silent(item uint32, after event.Time) (uint32, int64, []uint32) {
	o := w.onset(item, noon+after)
	return w.f.Silent(&o, w.e, &w.p)
}

func TestAFifthOfItsDependentsShowsASilentCause(t *testing.T) {
	for _, c := range []struct {
		dependents uint32
		found      uint32
	}{{10, 1}, {11, 0}, {4, 1}} {
		w := newWorld(t, under(c.dependents))
		w.begin(2, 0)
		found, _, _ := w.silent(2, 0)
		require.Zero(t, found, "one root is none")
		require.Equal(t, event.PlaceRoot, w.begin(3, 20*event.Second).Kind)
		found, score, roots := w.silent(3, 20*event.Second)
		require.Equal(t, c.found, found, "two of %d", c.dependents)
		if found != 0 {
			require.ElementsMatch(t, []uint32{2, 3}, roots)
			m := rate(2, 1000, 20*event.Second) * float64(c.dependents) * 60
			require.InDelta(t, 1000*(2*math.Log(2/m)-(2-m)), score, 120, "chance is rounded to thousandths of a root")
		}
	}
}

func TestASilentCauseMustBeSurprising(t *testing.T) {
	w := newWorld(t, under(10))
	w.begin(2, 0)
	w.begin(3, event.Second)
	w.f.tenants.Mut(1).roots = 30 // where faults are that common it is no wonder
	found, _, _ := w.silent(3, event.Second)
	require.Zero(t, found)
	w.begin(4, 2*event.Second)
	found, _, roots := w.silent(4, 2*event.Second)
	require.Equal(t, uint32(1), found, "three are")
	require.Len(t, roots, 3)
}

func TestOnlyRootsOfTheLastMinuteSpeakForASilentCause(t *testing.T) {
	for _, c := range []struct {
		gap   event.Time
		found uint32
	}{{event.Minute, 1}, {event.Minute + 1, 0}} {
		w := newWorld(t, under(10))
		w.begin(2, 0)
		w.begin(3, c.gap)
		found, _, _ := w.silent(3, c.gap)
		require.Equal(t, c.found, found, "after %d", c.gap)
	}
	w := newWorld(t, under(10))
	w.begin(2, 0)
	w.f.Settle(w.f.ClusterOf(2))
	w.begin(3, event.Second)
	found, _, _ := w.silent(3, event.Second)
	require.Zero(t, found, "what is over is no root any more")
}

func TestWhatAlarmedItselfOrIsTwoHopsAwayIsNoSilentCause(t *testing.T) {
	w := newWorld(t, estate{2: {1}, 3: {1}, 4: {2}, 5: {3}})
	w.begin(4, 0)
	w.begin(5, event.Second)
	found, _, _ := w.silent(5, event.Second)
	require.Zero(t, found, "the two have nothing in common but what is two hops up")
	w = newWorld(t, under(4))
	w.begin(2, 0)
	w.begin(3, event.Second)
	w.begin(1, 2*event.Second)
	found, _, _ = w.silent(3, event.Second)
	require.Zero(t, found)
}

// findSilent puts a silent cause over its roots, as the owner does.
func (w *world) findSilent(item uint32, after event.Time) uint32 {
	found, score, roots := w.silent(item, after)
	require.NotZero(w.t, found)
	d := event.Placement{Kind: event.PlaceVirtual, Item: found, Silent: true, Component: w.comp, At: noon + after, Edge: score, Near: event.NoScore}
	w.f.Apply(&d, 0, w.e)
	consistent(w.t, w.f)
	for _, root := range roots {
		one := event.Placement{Kind: event.PlaceEdge, Cluster: w.f.ClusterOf(found), Item: root, From: found, Component: w.comp, At: noon + after}
		w.f.Apply(&one, 0, w.e)
		consistent(w.t, w.f)
	}
	return w.f.ClusterOf(found)
}

func TestASilentCauseTakesItsRootsAndWhatComesAfterThem(t *testing.T) {
	w := newWorld(t, under(5))
	w.begin(2, 0)
	w.begin(3, 5*event.Second)
	c := w.findSilent(3, 5*event.Second)
	require.True(t, w.f.Quiet(c))
	require.Equal(t, uint32(1), w.f.Root(c))
	require.ElementsMatch(t, []uint32{1, 2, 3}, w.f.Items(c, 9, nil))
	d := w.begin(4, 9*event.Second)
	require.Equal(t, event.PlaceEdge, d.Kind)
	require.Equal(t, uint32(1), d.From)
	require.Equal(t, c, w.f.ClusterOf(4))
}

func TestASilentCauseThatSpeaksUpIsSilentNoMore(t *testing.T) {
	w := newWorld(t, under(5))
	w.begin(2, 0)
	w.begin(3, 5*event.Second)
	c := w.findSilent(3, 5*event.Second)
	require.Equal(t, event.PlaceSame, w.begin(1, 20*event.Second).Kind)
	require.Equal(t, c, w.f.ClusterOf(1))
	require.False(t, w.f.Quiet(c))
}

func TestSilentCausesAreFoundAllTheWayUp(t *testing.T) {
	w := newWorld(t, estate{10: {2}, 11: {2}, 12: {3}, 13: {3}, 2: {1}, 3: {1}})
	for n, item := range []uint32{10, 11, 12, 13} {
		w.begin(item, event.Time(n)*event.Second)
		if item%2 == 1 {
			w.findSilent(item, event.Time(n)*event.Second)
		}
	}
	c := w.findSilent(3, 4*event.Second)
	require.Equal(t, uint32(1), w.f.Root(c))
	require.ElementsMatch(t, []uint32{1, 2, 3, 10, 11, 12, 13}, w.f.Items(c, 99, nil))
	require.Equal(t, uint64(999), w.hittable(), "it is one fault")
	require.Equal(t, uint64(1), w.f.tenants.At(1).roots)
}

func TestNoMoreThan64RootsAreRememberedBeneathAnItem(t *testing.T) {
	w := newWorld(t, under(200))
	w.p.JoinWithin = 0
	for item := uint32(2); item < 102; item++ {
		w.begin(item, event.Time(item)*100)
	}
	w.begin(1, 12*event.Second)
	list := w.adopt(1)
	require.Len(t, list, maxTraces)
	require.Equal(t, uint32(101), list[0].Item, "the latest are")
}

func TestARootIsRememberedForFiveMinutes(t *testing.T) {
	for _, gap := range []event.Time{traceLife, traceLife + 1} {
		w := newWorld(t, under(3))
		w.begin(2, 0)
		w.begin(3, gap)
		n := uint64(2)
		if gap > traceLife {
			n = 1
		}
		require.Equal(t, n, w.f.roots.Stats().Used)
	}
}

func TestWhatAlarmedLongAgoIsASilentCauseAndWhatAlarmedLatelyIsNone(t *testing.T) {
	for _, c := range []struct {
		ago   event.Time
		found uint32
	}{{100 * event.Second, 0}, {5 * event.Minute, 1}} {
		w := newWorld(t, under(10))
		w.begin(1, -c.ago)
		for item := uint32(2); item < 4; item++ {
			d := w.decide(item, 0)
			d.Kind, d.Cluster = event.PlaceRoot, 0 // as if it were not explained
			w.f.Apply(&d, item, w.e)
		}
		found, _, _ := w.silent(3, 0)
		require.Equal(t, c.found, found, "%s ago", c.ago.Duration())
	}
}
