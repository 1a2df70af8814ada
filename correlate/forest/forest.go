package forest

import (
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/fixed"
	"github.com/tocsin-noc/tocsin/internal/flat"
	"github.com/tocsin-noc/tocsin/itsm"
)

const (
	reach        = 2  // hops
	maxAncestors = 64 // of an item that are looked at
)

// Params are the numbers that grouping rests on; rules/default.yml says what each means.
type Params struct {
	JoinWithin     event.Time // an item that alarmed so recently goes where it was
	Decay          event.Time // of an edge's explanation
	ComponentDecay event.Time // of the component's
	Threshold      int64      // in milli-nats, of an explanation over chance
	HopDiscount    int64      // in milli-nats, per hop
	AdoptWithin    event.Time // a root so recent is adopted by what explains it
	SilentShare    uint32     // percent of an item's dependents that must be roots for it to be the silent cause
	SilentSurprise int64      // in milli-nats
	ReonsetAge     event.Time
	ReonsetItems   int
	ReonsetExcess  int64 // in milli-nats
	SettleAfter    event.Time
}

// Topology is what the forest asks of the configuration items.
type Topology interface {
	// Upstream appends the items that one rests on, the nearest first, no farther than hops and at most limit.
	Upstream(item uint32, hops uint8, limit int, dst []itsm.Near) []itsm.Near
	// DependentCount returns how many items rest directly on one.
	DependentCount(item uint32) uint32
	// Among returns of how many parts of a whole the one is through which alone another item is upstream of that: 1 when it is upstream
	// otherwise.
	Among(item, up uint32, hops uint8) uint32
}

// Forest is what grouping remembers. All of it follows from the placements that were applied.
type Forest struct {
	items       *flat.Slab[item]
	clusters    *flat.Slab[cluster]
	components  *flat.Slab[component]
	tenants     *flat.Slab[tenant]
	roots       *flat.Slab[rootRef]
	bursts      *flat.Slab[burst]
	byComponent *flat.Index
	up          []itsm.Near
	beneath     []rootRef
}

// item is a configuration item that alarmed, by its slot in the CMDB.
type item struct {
	onset, last event.Time
	cluster     uint32
	next, prev  uint32 // in the cluster's list
	component   uint32
	said        uint64 // kind of what it said last
	below       uint32 // latest of the roots that alarmed beneath it; that leads to the first, and each to the next
	dependents  uint32 // how many rest directly on it, when it alarmed
	traces      uint32 // roots in that list
}

// cluster is what belongs together. Root zero: the slot is free.
type cluster struct {
	first, last event.Time
	root        uint32 // item
	component   uint32
	head, tail  uint32 // items
	items       uint32
	burst       uint32
	tenant      uint32
	silent      bool   // the root did not alarm itself
	counted     bool   // among the tenant's roots
	expected    uint32 // by how much it moved its component's counter
	born        uint32 // counts clusters
}

// component is an environment, or what hangs together in the topology.
type component struct {
	hash     uint64
	credit   uint64 // items hit off the graph, in millionths
	expected uint64 // items that could have been
	passed   uint64 // of those that rest on an alarmed item, the share that alarmed after it, summed up, in millionths
	trials   uint64 // alarmed items on which anything rests
	gaps     uint64 // times from an item's alarm to that of what rests directly on it and was explained by it, summed up, in milliseconds
	steps    uint64 // how many
	items    uint32 // that alarmed in it
	latest   uint32 // cluster that alarmed last
	tenant   uint32
	name     flat.Sym
	clusters uint32 // open
}

// tenant is for whom the rate of independent faults is counted.
type tenant struct {
	since event.Time
	roots uint64
	name  flat.Sym
	born  uint32
}

// rootRef remembers at an item that a root alarmed beneath it.
type rootRef struct {
	at   event.Time
	item uint32
	next uint32
	hops uint8
}

// New returns an empty forest.
func New() *Forest {
	return &Forest{
		items: flat.NewSlab[item](), clusters: flat.NewSlab[cluster](), components: flat.NewSlab[component](), tenants: flat.NewSlab[tenant](),
		roots: flat.NewSlab[rootRef](), bursts: flat.NewSlab[burst](), byComponent: flat.NewIndex(),
	}
}

// Onset is an item of which an alert begins.
type Onset struct {
	Item      uint32
	Component uint32                    // slot
	At        event.Time                // event time
	Size      uint32                    // items of the component, as far as is known
	Estate    uint32                    // items of the tenant
	Back      bool                      // the same alert was in an incident a short while ago
	Factor    func(parent uint64) int64 // by how much an alert of that kind upstream is a better reason than any, in milli-nats; nil: none is
	BackTo    uint32                    // the cluster of that, 0 when it takes nothing in any more
}

// Decide places an item. It changes nothing.
func (f *Forest) Decide(o Onset, t Topology, p *Params) event.Placement {
	c := f.components.At(o.Component)
	d := event.Placement{
		Kind: event.PlaceRoot, Item: o.Item, Component: o.Component, At: o.At, Edge: event.NoScore, Near: event.NoScore,
		Needed: p.Threshold, Alpha: c.alpha(),
	}
	if it := f.item(o.Item); it.cluster != 0 && distance(o.At, it.last) <= p.JoinWithin {
		d.Kind, d.Cluster, d.Gap = event.PlaceSame, it.cluster, distance(o.At, it.last)
		return d
	}
	rate := f.rate(c.tenant, &o)
	f.byEdge(&d, t, p, rate, o.Factor)
	near := f.byComponentOf(&d, p, rate, f.besideRoot(&d, t, p, o.Size))
	f.creditEdge(&d, t)
	switch {
	case d.Edge >= p.Threshold && d.Edge >= d.Near:
		d.Kind, d.Cluster = event.PlaceEdge, f.items.At(d.From).cluster
	case near != 0 && d.Near >= p.Threshold:
		d.Kind, d.Cluster = event.PlaceNear, near
	case o.Back && !c.shaky(): // where one fault shakes all, the same alert says nothing about the same fault
		d.Kind, d.Cluster = event.PlaceBack, o.BackTo
	default:
		d.Expected = max(o.Size, 1) - 1
	}
	return d
}

// byEdge finds the item upstream that explains this one best.
func (f *Forest) byEdge(d *event.Placement, t Topology, p *Params, rate int64, factor func(parent uint64) int64) {
	rate -= f.components.At(d.Component).lnPassing()
	f.up = t.Upstream(d.Item, reach, maxAncestors, f.up[:0])
	for _, u := range f.up {
		it := f.item(u.Item)
		if it.cluster == 0 {
			continue
		}
		gap := distance(d.At, it.onset) // what it says later on is no new reason for others to fail
		if gap > p.JoinWithin {
			continue
		}
		score := f.components.At(d.Component).explains(p, int64(u.Hops), gap) - rate
		if factor != nil {
			score += factor(it.said)
		}
		if score > d.Edge {
			score -= fixed.Ln(uint64(t.Among(d.Item, u.Item, u.Hops))) // one part of many is seldom why the whole fails
		}
		if score > d.Edge {
			d.Edge, d.From, d.Hops, d.Gap = score, u.Item, u.Hops, gap
		}
	}
}

// explains returns the logarithm of the density, per second, with which a fault shows at an item so many hops and so long away.
func (c *component) explains(p *Params, hops int64, gap event.Time) int64 {
	decay := c.decay(p)
	return -hops*p.HopDiscount - int64(gap)*1000/int64(decay) - fixed.LnRatio(uint64(decay), 1000)
}

// decay is how long faults take to show one hop further: what the rules say, until it is learned.
func (c *component) decay(p *Params) event.Time {
	const prior = 20
	return max(event.Time((c.gaps+prior*uint64(p.Decay))/(c.steps+prior)), event.Second)
}

// creditEdge fills in what a placement teaches of how often faults pass along an edge.
func (f *Forest) creditEdge(d *event.Placement, t Topology) {
	if d.Dependents = t.DependentCount(d.Item); d.Edge != event.NoScore && d.Hops == 1 {
		d.Passed = uint32(fixed.Share(d.Edge-fixed.LnSum(0, d.Near))) / max(f.items.At(d.From).dependents, 1)
	}
}

// besideRoot finds the latest root beneath something that the item rests on too, and few others do: that may be the cause of both and say
// nothing. It returns the logarithm of the density with which a fault shows so; what much of the component rests on ties nothing together.
func (f *Forest) besideRoot(d *event.Placement, t Topology, p *Params, size uint32) (best int64) {
	best = event.NoScore / 2
	for _, u := range f.up {
		above := f.item(u.Item)
		if above.traces == 0 || fixed.LnRatio(uint64(size), uint64(t.DependentCount(u.Item))) < p.Threshold {
			continue
		}
		for _, r := range f.known(&above) {
			if gap := distance(r.at, d.At); r.item != d.Item && gap <= p.JoinWithin {
				best = max(best, f.components.At(d.Component).explains(p, int64(u.Hops+r.hops), gap))
			}
		}
	}
	return best
}

// lnPassing discounts edges where faults do not pass along them as they do elsewhere: a stream of alerts that have nothing to do with each
// other shows by that what rests on an alarmed item mostly stays well.
func (c *component) lnPassing() int64 {
	const (
		prior  = 10
		share  = 500_000 // millionths, until it is learned
		normal = 300_000
	)
	return 2 * min(0, fixed.LnRatio(c.passed+prior*share, (c.trials+prior)*normal))
}

// byComponentOf scores the cluster of the item's component that alarmed last, and returns it.
func (f *Forest) byComponentOf(d *event.Placement, p *Params, rate, beside int64) (cluster uint32) {
	c := f.components.At(d.Component)
	if c.latest == 0 {
		return 0
	}
	d.NearGap = distance(d.At, f.clusters.At(c.latest).last)
	d.Near = c.lnAlpha() - int64(d.NearGap)*1000/int64(p.ComponentDecay) - fixed.LnRatio(uint64(p.ComponentDecay), 1000) - rate
	// The component gets the credit that neither chance nor an edge, be it by way of what says nothing, has a better claim to.
	d.Credit = uint32(fixed.Share(d.Near - fixed.LnSum(0, max(d.Edge, beside-rate))))
	return c.latest
}

// rate returns the logarithm of the rate, per item and second, at which independent faults begin. Before anything is learned that is two
// a day.
func (f *Forest) rate(of uint32, o *Onset) int64 {
	t, estate := f.tenants.At(of), uint64(max(o.Estate, 1))
	elapsed := uint64(0)
	if t.since != 0 && o.At > t.since {
		elapsed = uint64(o.At - t.since)
	}
	const fiveFaults = 5 * uint64(24*event.Hour) / 2 // the time in which one item has five, in milliseconds
	return fixed.Ln(t.roots+5) + fixed.Ln(1000) - fixed.Ln(elapsed+max(fiveFaults/estate, 1)) - fixed.Ln(estate)
}

func (c *component) lnAlpha() int64 {
	return min(0, fixed.LnRatio(c.credit+400_000, (c.expected+20)*1_000_000))
}

// alpha is the learned share of a component's items that a fault hits off the graph, in millionths.
func (c *component) alpha() uint32 {
	return uint32(min(1_000_000, (c.credit+400_000)/(c.expected+20)))
}

// shaky tells whether a fault in the component shows all over it.
func (c *component) shaky() bool { return c.alpha() >= 50_000 }

func distance(a, b event.Time) event.Time {
	if a < b {
		return b - a
	}
	return a - b
}

func (f *Forest) item(ci uint32) item {
	if ci >= f.items.Len() {
		return item{}
	}
	return *f.items.At(ci)
}

// Estate bounds how many items a tenant has: all that are known, or as many as alarmed where nobody has told of any.
func (f *Forest) Estate(component, known uint32) uint32 {
	return max(known, f.components.At(component).items, 1)
}
