package forest

import (
	"cmp"
	"math"
	"slices"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/fixed"
)

const (
	burstWindow  = 10 * event.Second // in which a second fault shows
	burstHistory = 120               // seconds before that against which it is measured
	burstRing    = 64                // alerts of the window that are remembered
)

// burst is what a cluster in a shaky component remembers to tell a second fault from the first.
type burst struct {
	ring    [burstRing]alarm
	n       uint32 // alerts ever
	second  event.Time
	seconds [burstHistory + 10 + 2]uint16 // alerts by the second, a ring
}

// alarm is that an alert of an item began.
type alarm struct {
	at          event.Time
	alert, item uint32
}

// alarm notes an alert of a cluster.
func (f *Forest) alarm(slot uint32, d *event.Placement, alert uint32) {
	c := f.clusters.Mut(slot)
	if c.burst == 0 {
		if !f.components.At(c.component).shaky() {
			return
		}
		c.burst = f.bursts.Alloc()
	}
	b := f.bursts.Mut(c.burst)
	b.put(alarm{d.At, alert, d.Item})
	b.tally(d.At, 1)
}

// put remembers an alert in the place of the oldest.
func (b *burst) put(e alarm) {
	b.ring[b.n%burstRing] = e
	b.n++
}

// known lists the alerts that are remembered, in the order of their times.
func (b *burst) known() []alarm {
	list := slices.Clone(b.ring[:min(b.n, burstRing)])
	slices.SortStableFunc(list, func(x, y alarm) int { return cmp.Compare(x.at, y.at) })
	return list
}

// tally counts alerts of a second.
func (b *burst) tally(at event.Time, n uint16) {
	now, size := at/event.Second, event.Time(len(b.seconds))
	if now > b.second {
		if now-b.second >= size {
			b.seconds = [len(b.seconds)]uint16{}
		}
		for s := max(b.second+1, now-size+1); s <= now; s++ {
			b.seconds[s%size] = 0
		}
		b.second = now
	}
	if b.second-now < size {
		b.seconds[now%size] += min(n, math.MaxUint16-b.seconds[now%size])
	}
}

// before counts the alerts of the history before the window that ends at a time, in thousandths of those expected in a window.
func (b *burst) before(at event.Time) uint64 {
	size, sum := event.Time(len(b.seconds)), uint64(0)
	for back := event.Time(11); back <= 10+burstHistory; back++ {
		if s := at/event.Second - back; s >= 0 && s <= b.second && b.second-s < size {
			sum += uint64(b.seconds[s%size])
		}
	}
	return 500 + sum*10_000/burstHistory
}

// Reonset tells whether a second fault began inside a cluster that runs: more of its alerts came in the last ten seconds than its own past
// explains. It returns how many alerts of how many items, and how surprising that is; a score of 0: none did.
func (f *Forest) Reonset(slot uint32, at event.Time, p *Params) (count, over int, score int64) {
	c := f.clusters.At(slot)
	if c.burst == 0 || at-c.first < p.ReonsetAge || !f.components.At(c.component).shaky() {
		return 0, 0, 0
	}
	var alerts, items []uint32
	b := f.bursts.At(c.burst)
	for i := range min(b.n, burstRing) {
		e := &b.ring[i]
		if e.at > at-burstWindow && e.at <= at {
			alerts = append(alerts, e.alert)
			if !slices.Contains(items, e.item) {
				items = append(items, e.item)
			}
		}
	}
	slices.Sort(alerts)
	alerts = slices.Compact(alerts)
	score = fixed.Excess(uint64(len(alerts))*1000, b.before(at))
	if len(items) < p.ReonsetItems || score < p.ReonsetExcess {
		return 0, 0, 0
	}
	return len(alerts), len(items), score
}

// Recent returns the alerts that a cluster had in the last ten seconds.
func (f *Forest) Recent(cluster uint32, at event.Time) (alerts []uint32) {
	b := f.bursts.At(f.clusters.At(cluster).burst)
	for i := range min(b.n, burstRing) {
		if e := b.ring[i]; e.at > at-burstWindow && !slices.Contains(alerts, e.alert) {
			alerts = append(alerts, e.alert)
		}
	}
	return alerts
}

// Part begins a cluster of its own for a second fault, with the item that made it plain as its root. What alarms from here on belongs to
// it: where a fault shows all over a component, nothing tells the late signs of the first from those of the second, and these are more.
func (f *Forest) Part(d *event.Placement) (cluster uint32) {
	f.count(d)
	slot := f.open(d)
	past := f.clusters.At(d.Cluster).burst
	f.clusters.Mut(slot).burst = f.bursts.Alloc()
	b := f.bursts.Mut(f.clusters.At(slot).burst)
	for i := range min(f.bursts.At(past).n, burstRing) {
		if e := f.bursts.At(past).ring[i]; e.at > d.At-burstWindow {
			b.put(e)
			b.tally(e.at, 1)
		}
	}
	f.merge(slot, d.Cluster)
	c := f.clusters.Mut(slot)
	c.first, c.expected = d.At, d.Expected
	return slot
}

// Separate begins a cluster of items that a person took out of another; the first is its root.
func (f *Forest) Separate(d *event.Placement, items []uint32) uint32 {
	slot := f.open(d)
	for _, ci := range items {
		at := f.items.At(ci).last
		f.leave(ci)
		one := *d
		one.At, one.Dependents = at, f.items.At(ci).dependents
		f.enter(ci, slot, &one)
	}
	return slot
}

// mergeBursts makes what two clusters remember one's: the latest alerts of both, and how many there were in each second.
func (f *Forest) mergeBursts(into, from uint32) {
	c, gone := f.clusters.Mut(into), f.clusters.Mut(from)
	if c.burst == 0 || gone.burst == 0 {
		c.burst, gone.burst = max(c.burst, gone.burst), 0
		return
	}
	b, o := f.bursts.Mut(c.burst), f.bursts.At(gone.burst)
	both := append(b.known(), o.known()...)
	slices.SortStableFunc(both, func(x, y alarm) int { return cmp.Compare(x.at, y.at) })
	b.n = 0
	for _, e := range both[max(len(both)-burstRing, 0):] {
		b.put(e)
	}
	size := event.Time(len(o.seconds))
	for s := max(o.second-size+1, 0); s <= o.second; s++ {
		b.tally(s*event.Second, o.seconds[s%size])
	}
}
