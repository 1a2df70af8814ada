package forest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
)

// day is a random day of two tenants, one of whose components shakes.
type day struct {
	t     *testing.T
	r     *rand.Rand
	f     *Forest
	e     estate
	p     Params
	comps [4]uint32
	now   event.Time
	alert uint32
	seen  map[string]int
}

const itemsPerTenant = 30

func newDay(t *testing.T, seed uint64) *day {
	d := &day{t: t, r: rand.New(rand.NewPCG(seed, 5)), f: New(), e: estate{}, p: shipped(), now: noon, seen: map[string]int{}}
	d.p.ReonsetAge, d.p.ReonsetItems, d.p.ReonsetExcess = 20*event.Second, 3, 2000
	for n, tenant := range []string{"main", "main", "acme", "acme"} {
		d.comps[n] = d.f.AddComponent(tenant, fmt.Sprint(n), flat.Sym(n/2+1), flat.Sym(9+n))
	}
	d.f.components.Mut(d.comps[0]).credit = 4_000_000
	for item := uint32(1); item <= 2*itemsPerTenant; item++ {
		for range d.r.IntN(3) { // cycles, too
			d.e[item] = append(d.e[item], (item-1)/itemsPerTenant*itemsPerTenant+1+uint32(d.r.IntN(itemsPerTenant)))
		}
	}
	return d
}

// onset is an alert of any item at about now; the component is mostly the same one.
func (d *day) onset() Onset {
	item := uint32(1 + d.r.IntN(2*itemsPerTenant))
	tenant := (item - 1) / itemsPerTenant
	n := 2 * tenant
	if d.r.IntN(6) == 0 {
		n++
	}
	at := d.now - event.Time(d.r.IntN(int(20*event.Second)))
	o := Onset{Item: item, Component: d.comps[n], At: at, Size: itemsPerTenant, Estate: uint32(10 + d.r.IntN(3000)), Back: d.r.IntN(5) == 0}
	if o.Back && d.r.IntN(2) == 0 {
		o.BackTo = d.f.ClusterOf(item)
	}
	return o
}

// live returns any cluster that is open, 0 when none is.
func (d *day) live() uint32 {
	var open []uint32
	for slot := uint32(1); slot < d.f.clusters.Len(); slot++ {
		if d.f.Live(slot) {
			open = append(open, slot)
		}
	}
	if len(open) == 0 {
		return 0
	}
	return open[d.r.IntN(len(open))]
}

func (d *day) step() {
	d.now += event.Time(d.r.IntN(int(8 * event.Second)))
	switch n := d.r.IntN(100); {
	case n < 80:
		d.begin(d.onset())
	case n < 84:
		d.now += event.Time(d.r.IntN(int(5 * event.Minute)))
	case n < 90:
		if c := d.live(); c != 0 {
			d.f.Settle(c)
			d.seen["settled"]++
		}
	case n < 92:
		d.f.Forget(uint32(d.r.IntN(2*itemsPerTenant + 5)))
	case n < 96:
		d.separate()
	default:
		d.join(d.live(), d.live(), event.PlaceHand)
	}
}

func (d *day) begin(o Onset) {
	place := d.f.Decide(o, d.e, &d.p)
	require.Equal(d.t, place, d.f.Decide(o, d.e, &d.p), "deciding changes nothing")
	d.seen[place.Kind.String()]++
	d.alert++
	m := d.f.Apply(&place, d.alert, d.e)
	require.Equal(d.t, m.Into, d.f.ClusterOf(o.Item))
	for _, one := range d.f.Adoptions(o.Item, d.e, &d.p, &o) {
		require.Equal(d.t, one.Item, d.f.Root(d.f.ClusterOf(one.Item)))
		require.LessOrEqual(d.t, one.Gap, d.p.AdoptWithin)
		d.join(d.f.ClusterOf(one.Item), d.f.ClusterOf(one.From), event.PlaceEdge)
	}
	d.silent(o)
	c := d.f.ClusterOf(o.Item)
	if _, _, score := d.f.Reonset(c, o.At, &d.p); score > 0 {
		require.NotEmpty(d.t, d.f.Recent(c, o.At))
		d.f.Part(&event.Placement{Kind: event.PlaceOnset, Cluster: c, Item: o.Item, Component: o.Component, At: o.At, Expected: 7})
		require.False(d.t, d.f.Live(c) && d.f.ClusterOf(o.Item) == c)
		d.seen["parted"]++
	}
}

func (d *day) silent(o Onset) {
	up, score, roots := d.f.Silent(&o, d.e, &d.p)
	if up == 0 {
		return
	}
	d.seen["silent"]++
	d.f.Apply(&event.Placement{Kind: event.PlaceVirtual, Item: up, Silent: true, Component: o.Component, At: o.At, Edge: score, Near: event.NoScore}, 0, d.e)
	require.True(d.t, d.f.Quiet(d.f.ClusterOf(up)))
	for _, root := range roots {
		d.join(d.f.ClusterOf(root), d.f.ClusterOf(up), event.PlaceEdge)
	}
}

// join makes a cluster part of another, as a cause or a person would.
func (d *day) join(from, into uint32, kind event.PlaceKind) {
	if from == 0 || into == 0 || from == into || d.f.clusters.At(from).tenant != d.f.clusters.At(into).tenant || d.f.clusters.At(from).items*d.f.clusters.At(into).items == 0 {
		return
	}
	number, all := d.f.Number(into), d.f.clusters.At(from).items+d.f.clusters.At(into).items
	m := d.f.Apply(&event.Placement{Kind: kind, Cluster: into, Item: d.f.Root(from), Component: d.f.ComponentOf(from), At: d.now}, 0, d.e)
	require.Equal(d.t, number, d.f.Number(m.Into))
	require.Equal(d.t, all, d.f.clusters.At(m.Into).items)
	require.False(d.t, d.f.Live(m.Gone))
	d.seen["joined"]++
}

func (d *day) separate() {
	c := d.live()
	items := d.f.Items(c, 4, nil)
	if len(items) < 2 {
		return
	}
	part := d.f.Separate(&event.Placement{Kind: event.PlaceHand, Cluster: c, Item: items[1], Component: d.f.ComponentOf(c), At: d.f.Last(c)}, items[1:])
	require.Equal(d.t, items[1:], d.f.Items(part, 9, nil))
	d.seen["separated"]++
}

func TestWhateverHappensEachItemIsInOneCluster(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(20) {
		d := newDay(t, seed)
		for n := range 400 {
			if d.step(); n%8 == 0 {
				consistent(t, d.f)
			}
		}
		for what, n := range d.seen {
			seen[what] += n
		}
		for c := d.live(); c != 0; c = d.live() {
			d.f.Settle(c)
		}
		for item := range uint32(2*itemsPerTenant + 5) {
			d.f.Forget(item)
		}
		consistent(t, d.f)
		require.Zero(t, d.f.clusters.Stats().Used+d.f.bursts.Stats().Used+d.f.roots.Stats().Used, "nothing is left")
	}
	for _, what := range []string{
		"same_item", "edge", "component", "root", "came_back", "silent", "settled", "joined", "parted", "separated",
	} {
		require.NotZero(t, seen[what], "%s never happened", what)
	}
}

func TestAForestThatWasSavedGoesOnAsIfNothingHadBeen(t *testing.T) {
	for seed := range uint64(10) {
		d := newDay(t, seed)
		for range 300 {
			d.step()
		}
		saved := save(t, d.f)
		again := *d
		again.f, again.r = New(), rand.New(rand.NewPCG(seed, 6))
		r := flat.NewReader(bytes.NewReader(saved))
		require.NoError(t, again.f.Load(r))
		require.NoError(t, r.Close())
		require.Equal(t, saved, save(t, again.f), "seed %d", seed)
		require.Equal(t, d.f.View().Components(), again.f.View().Components())
		consistent(t, again.f)
		again.seen, d.r = map[string]int{}, rand.New(rand.NewPCG(seed, 6))
		d.seen = map[string]int{}
		for range 100 {
			d.step()
			again.step()
		}
		require.Equal(t, d.seen, again.seen, "seed %d", seed)
		require.Equal(t, save(t, d.f), save(t, again.f), "seed %d", seed)
	}
}

func save(t *testing.T, f *Forest) []byte {
	var b bytes.Buffer
	w := flat.NewWriter(&b)
	require.NoError(t, f.View().Save(w))
	require.NoError(t, w.Close())
	return b.Bytes()
}

func TestAForestThatIsCutOffIsNotLoaded(t *testing.T) {
	d := newDay(t, 1)
	for range 50 {
		d.step()
	}
	saved := save(t, d.f)
	for _, n := range []int{len(saved) / 4, len(saved) / 2, len(saved) * 3 / 4} {
		r := flat.NewReader(bytes.NewReader(saved[:n]))
		require.Error(t, New().Load(r), "%d of %d bytes", n, len(saved))
	}
}
