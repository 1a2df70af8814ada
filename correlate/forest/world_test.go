package forest

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/fixed"
	"github.com/tocsin-noc/tocsin/internal/flat"
	"github.com/tocsin-noc/tocsin/itsm"
)

const noon = event.Time(1_795_176_000_000)

// shipped returns the numbers of the shipped rules.
func shipped() Params {
	return Params{
		JoinWithin: 2 * event.Minute, Decay: event.Minute, ComponentDecay: 12 * event.Second, Threshold: fixed.Ln(10), HopDiscount: fixed.Ln(2),
		AdoptWithin: event.Minute, SilentShare: 20, SilentSurprise: 7000,
		ReonsetAge: 2 * event.Minute, ReonsetItems: 5, ReonsetExcess: 20_000, SettleAfter: 10 * event.Minute,
	}
}

// estate is a topology by what each item rests on directly.
type estate map[uint32][]uint32

func (e estate) Upstream(item uint32, hops uint8, limit int, dst []itsm.Near) []itsm.Near {
	start, last := len(dst), []uint32{item}
	for h := uint8(1); h <= hops; h++ {
		var next []uint32
		for _, at := range last {
			for _, up := range e[at] {
				known := up == item || slices.ContainsFunc(dst[start:], func(n itsm.Near) bool { return n.Item == up })
				if !known && len(dst)-start < limit {
					dst, next = append(dst, itsm.Near{Item: up, Hops: h}), append(next, up)
				}
			}
		}
		last = next
	}
	return dst
}

func (e estate) DependentCount(item uint32) (n uint32) {
	for _, ups := range e {
		if slices.Contains(ups, item) {
			n++
		}
	}
	return n
}

// Among takes two items that rest on each other for a whole and a part of it, the one that rests on more for the whole.
func (e estate) Among(item, up uint32, hops uint8) uint32 {
	if hops == 1 && len(e[item]) > len(e[up]) && slices.Contains(e[up], item) {
		return uint32(len(e[item]))
	}
	return 1
}

// world is a forest over an estate of one component. That has so many items that only edges decide, until something is learned.
type world struct {
	t     *testing.T
	f     *Forest
	e     estate
	p     Params
	comp  uint32
	size  uint32
	alert uint32
	now   event.Time
}

const (
	tenantSym = flat.Sym(1)
	nameSym   = flat.Sym(2)
)

// words are the texts of the symbols.
type words map[flat.Sym]string

func (w words) String(s flat.Sym) string { return w[s] }

func newWorld(t *testing.T, e estate) *world {
	w := &world{t: t, f: New(), e: e, p: shipped(), size: 1000, now: noon}
	w.comp = w.f.AddComponent("main", "env=prod", tenantSym, nameSym)
	return w
}

func (w *world) onset(item uint32, at event.Time) Onset {
	return Onset{Item: item, Component: w.comp, At: at, Size: w.size, Estate: w.size}
}

func (w *world) decide(item uint32, after event.Time) event.Placement {
	return w.f.Decide(w.onset(item, noon+after), w.e, &w.p)
}

// begin lets an alert of an item begin so long after noon.
func (w *world) begin(item uint32, after event.Time) event.Placement {
	d := w.decide(item, after)
	w.alert++
	w.f.Apply(&d, w.alert, w.e)
	consistent(w.t, w.f)
	return d
}

// adopt carries out all adoptions by an item, as the owner does.
func (w *world) adopt(item uint32) (list []event.Placement) {
	o := w.onset(item, w.f.items.At(item).onset)
	list = w.f.Adoptions(item, w.e, &w.p, &o)
	for _, d := range list {
		d.Cluster = w.f.ClusterOf(d.From)
		w.f.Apply(&d, 0, w.e)
		consistent(w.t, w.f)
	}
	return list
}

// shake makes the component one in which a fault shows all over.
func (w *world) shake() {
	w.size = 30
	w.f.components.Mut(w.comp).credit, w.f.components.Mut(w.comp).expected = 20_000_000, 0
	require.True(w.t, w.f.Shaky(w.comp))
}

// hittable returns how many items the faults of the component could have hit, summed up.
func (w *world) hittable() uint64 { return w.f.components.At(w.comp).expected }

// rate is the rate of independent faults, per item and second, in floats.
func rate(roots, items int, elapsed event.Time) float64 {
	const twoADay = 5 * 86400 / 2.0
	return (float64(roots) + 5) / (float64(elapsed)/1000 + twoADay/float64(items)) / float64(items)
}

// edge is the score of an edge in milli-nats, in floats.
func edge(hops int, gap event.Time, rate float64) float64 {
	const tau = 60
	return 1000 * math.Log(math.Pow(.5, float64(hops))*math.Exp(-float64(gap)/1000/tau)/tau/rate)
}

// near is the score of a component in milli-nats, in floats.
func near(alpha float64, gap event.Time, rate float64) float64 {
	const tau = 12
	return 1000 * math.Log(alpha*math.Exp(-float64(gap)/1000/tau)/tau/rate)
}

// consistent counts anew what a forest keeps.
func consistent(t *testing.T, f *Forest) {
	t.Helper()
	in, live, bursts := map[uint32]uint32{}, uint64(0), map[uint32]bool{}
	open, expected, counted := map[uint32]uint32{}, map[uint32]uint64{}, map[uint32]uint64{}
	for slot := uint32(1); slot < f.clusters.Len(); slot++ {
		c := f.clusters.At(slot)
		if c.root == 0 {
			require.Zero(t, *c, "cluster %d is free", slot)
			continue
		}
		live++
		open[c.component]++
		expected[c.component] += uint64(c.expected)
		if c.counted {
			counted[c.tenant]++
		}
		require.Equal(t, f.components.At(c.component).tenant, c.tenant)
		n, last := uint32(0), uint32(0)
		for ci := c.head; ci != 0; ci = f.items.At(ci).next {
			it := f.items.At(ci)
			require.Equal(t, slot, it.cluster, "item %d", ci)
			require.Equal(t, last, it.prev, "item %d", ci)
			require.NotContains(t, in, ci, "item %d is in two lists", ci)
			in[ci], last = slot, ci
			n++
		}
		require.Equal(t, last, c.tail, "cluster %d", slot)
		require.Equal(t, n, c.items, "cluster %d", slot)
		if n > 0 {
			require.Equal(t, slot, in[c.root], "the root of a cluster is in it")
		}
		if c.burst != 0 {
			require.NotContains(t, bursts, c.burst, "two clusters share what they remember")
			bursts[c.burst] = true
			require.NotZero(t, f.bursts.At(c.burst).n, "what cluster %d remembers is gone", slot)
		}
		require.LessOrEqual(t, c.first, c.last)
	}
	require.Equal(t, live, f.clusters.Stats().Used)
	require.Equal(t, uint64(len(bursts)), f.bursts.Stats().Used)
	consistentItems(t, f, in)
	for slot := uint32(1); slot < f.components.Len(); slot++ {
		c := f.components.At(slot)
		require.Equal(t, open[slot], c.clusters, "component %d", slot)
		require.GreaterOrEqual(t, c.expected, expected[slot], "component %d", slot)
		require.Less(t, c.expected, uint64(1)<<40, "component %d: below zero", slot)
		if c.latest != 0 {
			require.True(t, f.Live(c.latest), "component %d", slot)
			require.Equal(t, slot, f.ComponentOf(c.latest))
		}
	}
	for slot := uint32(1); slot < f.tenants.Len(); slot++ {
		require.GreaterOrEqual(t, f.tenants.At(slot).roots, counted[slot], "tenant %d", slot)
		require.Less(t, f.tenants.At(slot).roots, uint64(1)<<40, "tenant %d: below zero", slot)
	}
}

// consistentItems compares items with the lists of the clusters in which they are.
func consistentItems(t *testing.T, f *Forest, in map[uint32]uint32) {
	t.Helper()
	traces, alarmed := uint64(0), map[uint32]uint32{}
	for ci := uint32(1); ci < f.items.Len(); ci++ {
		it := f.items.At(ci)
		require.Equal(t, in[ci], it.cluster, "item %d", ci)
		if it.component != 0 {
			alarmed[it.component]++
		}
		require.LessOrEqual(t, it.traces, uint32(maxTraces))
		require.Equal(t, it.traces == 0, it.below == 0, "item %d", ci)
		at := it.below
		for range it.traces {
			at = f.roots.At(at).next
		}
		require.Equal(t, it.below, at, "item %d: the latest leads to the first", ci)
		traces += uint64(it.traces)
	}
	require.Equal(t, traces, f.roots.Stats().Used)
	for slot := uint32(1); slot < f.components.Len(); slot++ {
		require.Equal(t, alarmed[slot], f.components.At(slot).items, "component %d", slot)
	}
}
