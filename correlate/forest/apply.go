package forest

import (
	"github.com/cespare/xxhash/v2"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
)

// Moved is what a placement did.
type Moved struct {
	Into    uint32 // cluster in which the item is now
	Gone    uint32 // cluster that went into it, 0: none
	Created bool
}

// Apply carries out a placement. alert is the owner's number of the alert that began, 0 when none did: then the item is the root of a
// cluster, which goes along.
func (f *Forest) Apply(d *event.Placement, alert uint32, t Topology) Moved {
	f.count(d)
	switch {
	case d.Kind == event.PlaceVirtual:
		m := Moved{Into: f.open(d), Created: true}
		f.clusters.Mut(m.Into).silent = true
		f.enter(d.Item, m.Into, d)
		f.leaveTraces(d, t)
		return m
	case d.Silent: // and what is above it explains it
		f.enter(d.Item, d.Cluster, d)
		return Moved{Into: d.Cluster}
	case alert == 0:
		return f.adopt(d)
	case d.Kind == event.PlaceBack && d.Cluster == 0: // what it was part of is over, its incident is not
		m := Moved{Into: f.open(d), Created: true}
		f.enter(d.Item, m.Into, d)
		f.alarm(m.Into, d, alert)
		return m
	case d.Kind == event.PlaceRoot:
		m := Moved{Into: f.open(d), Created: true}
		f.enter(d.Item, m.Into, d)
		f.leaveTraces(d, t)
		f.alarm(m.Into, d, alert)
		return m
	}
	f.enter(d.Item, d.Cluster, d)
	f.alarm(d.Cluster, d, alert)
	return Moved{Into: d.Cluster}
}

// count moves what is learned.
func (f *Forest) count(d *event.Placement) {
	if d.Credit == 0 && d.Expected == 0 && d.Dependents == 0 && d.Passed == 0 && d.Kind != event.PlaceRoot {
		return
	}
	c := f.components.Mut(d.Component)
	c.passed += uint64(d.Passed)
	if d.Kind == event.PlaceEdge && d.Hops == 1 && d.Edge != event.NoScore {
		c.gaps += uint64(d.Gap)
		c.steps++
	}
	if d.Dependents > 0 {
		c.trials++
	}
	c.credit += uint64(d.Credit)
	c.expected += uint64(d.Expected)
	if d.Kind == event.PlaceRoot {
		ten := f.tenants.Mut(c.tenant)
		ten.roots++
		if ten.since == 0 {
			ten.since = d.At
		}
	}
}

// open makes a cluster of an item that nothing explains.
func (f *Forest) open(d *event.Placement) uint32 {
	slot := f.clusters.Alloc()
	comp := f.components.Mut(d.Component)
	comp.clusters++
	ten := f.tenants.Mut(comp.tenant)
	ten.born++
	*f.clusters.Mut(slot) = cluster{
		first: d.At, last: d.At, root: d.Item, component: d.Component, tenant: comp.tenant, born: ten.born, expected: d.Expected,
		counted: d.Kind == event.PlaceRoot,
	}
	return slot
}

// enter puts an item into a cluster, out of the one in which it was.
func (f *Forest) enter(ci, into uint32, d *event.Placement) {
	for f.items.Len() <= ci {
		f.items.Alloc()
	}
	it := f.items.Mut(ci)
	if it.cluster != into {
		f.leave(ci)
		c := f.clusters.Mut(into)
		it.cluster, it.prev, it.onset = into, c.tail, d.At
		if c.tail == 0 {
			c.head = ci
			c.root, c.silent = ci, c.silent && c.root == ci // all others have left it
		} else {
			f.items.Mut(c.tail).next = ci
		}
		c.tail = ci
		c.items++
	}
	it.last = max(it.last, d.At)
	if d.Kind != event.PlaceSame {
		it.dependents = d.Dependents
	}
	f.belong(it, d.Component)
	if c := f.clusters.At(into); c.silent && c.root == ci && !d.Silent && d.Kind != event.PlaceVirtual {
		f.clusters.Mut(into).silent = false // it says something after all
	}
	f.touch(into, d.At)
}

// belong counts an item in the component in which it alarmed last.
func (f *Forest) belong(it *item, component uint32) {
	if it.component == component {
		return
	}
	if it.component != 0 {
		f.components.Mut(it.component).items--
	}
	if it.component = component; component != 0 {
		f.components.Mut(component).items++
	}
}

// touch notes that a cluster alarmed.
func (f *Forest) touch(slot uint32, at event.Time) {
	c := f.clusters.Mut(slot)
	c.first, c.last = min(c.first, at), max(c.last, at)
	comp := f.components.At(c.component)
	if comp.latest != slot && (comp.latest == 0 || f.clusters.At(comp.latest).last <= c.last) {
		f.components.Mut(c.component).latest = slot
	}
}

// leave takes an item out of its cluster. Where that was the root, the first of those that stay is.
func (f *Forest) leave(ci uint32) {
	it := f.items.Mut(ci)
	if it.cluster == 0 {
		return
	}
	c := f.clusters.Mut(it.cluster)
	if it.prev == 0 {
		c.head = it.next
	} else {
		f.items.Mut(it.prev).next = it.next
	}
	if it.next == 0 {
		c.tail = it.prev
	} else {
		f.items.Mut(it.next).prev = it.prev
	}
	if c.items--; c.root == ci && c.head != 0 {
		c.root, c.silent = c.head, false
	}
	it.cluster, it.next, it.prev = 0, 0, 0
}

// Forget lets go of an item that is no more: its number may be given to another.
func (f *Forest) Forget(ci uint32) {
	if ci >= f.items.Len() {
		return
	}
	f.leave(ci)
	it := f.items.Mut(ci)
	for it.traces > 0 {
		f.forgetTrace(it)
	}
	f.belong(it, 0)
	*it = item{}
}

// adopt makes the cluster of a root, or the one that a person names by an item of it, part of the one whose item explains it. The smaller
// goes into the larger, so that no item is relabelled often.
func (f *Forest) adopt(d *event.Placement) Moved {
	into, from := d.Cluster, f.item(d.Item).cluster
	if from == 0 || from == into {
		return Moved{Into: into} // it is there already, or over
	}
	kept, gone := *f.clusters.At(into), f.clusters.At(from)
	// The two are one fault and count once: a cause that is silent counts by the first root that it explains.
	if kept.expected == 0 && kept.component == gone.component {
		kept.expected = gone.expected
	} else {
		f.components.Mut(gone.component).expected -= uint64(gone.expected)
	}
	if kept.counted && gone.counted {
		f.tenants.Mut(gone.tenant).roots--
	}
	kept.counted = kept.counted || gone.counted
	if f.clusters.At(from).items > f.clusters.At(into).items {
		into, from = from, into
	}
	f.mergeBursts(into, from)
	f.merge(into, from)
	c := f.clusters.Mut(into)
	c.root, c.silent, c.counted, c.born, c.expected = kept.root, kept.silent, kept.counted, kept.born, kept.expected
	if c.component != kept.component {
		f.shift(into, kept.component)
	}
	return Moved{Into: into, Gone: from}
}

// shift makes a cluster another component's.
func (f *Forest) shift(slot, component uint32) {
	c := f.clusters.Mut(slot)
	old := f.components.Mut(c.component)
	if old.clusters--; old.latest == slot {
		old.latest = 0
	}
	f.components.Mut(component).clusters++
	c.component = component
	f.touch(slot, c.last)
}

// merge moves all of one cluster into another and frees it.
func (f *Forest) merge(into, from uint32) {
	gone := *f.clusters.At(from)
	c := f.clusters.Mut(into)
	for ci := gone.head; ci != 0; ci = f.items.At(ci).next {
		f.items.Mut(ci).cluster = into
	}
	if gone.head != 0 {
		if c.tail == 0 {
			c.head = gone.head
		} else {
			f.items.Mut(c.tail).next = gone.head
			f.items.Mut(gone.head).prev = c.tail
		}
		c.tail = gone.tail
		c.items += gone.items
	}
	c.first, c.last = min(c.first, gone.first), max(c.last, gone.last)
	f.forget(from)
	f.touch(into, c.last)
}

// forget frees a cluster in which nothing is left.
func (f *Forest) forget(slot uint32) {
	c := *f.clusters.At(slot)
	comp := f.components.Mut(c.component)
	comp.clusters--
	if comp.latest == slot {
		comp.latest = 0
	}
	if c.burst != 0 {
		f.bursts.Free(c.burst)
	}
	f.clusters.Free(slot)
}

// Settle closes a cluster that has been quiet: nothing joins it any more.
func (f *Forest) Settle(slot uint32) {
	for ci := f.clusters.At(slot).head; ci != 0; {
		next := f.items.At(ci).next
		it := f.items.Mut(ci)
		it.cluster, it.next, it.prev = 0, 0, 0
		ci = next
	}
	f.forget(slot)
}

// Component returns the slot of a component, 0 when it is not known.
func (f *Forest) Component(tenant, name string, text interface{ String(flat.Sym) string }) uint32 {
	slot, _ := f.byComponent.Find(componentHash(tenant, name), func(ref uint32) bool {
		c := f.components.At(ref)
		return text.String(c.name) == name && text.String(f.tenants.At(c.tenant).name) == tenant
	})
	return slot
}

// AddComponent makes a component. Its texts must be interned for good.
func (f *Forest) AddComponent(tenantName, name string, tenantSym, nameSym flat.Sym) uint32 {
	ten := f.tenantOf(tenantSym)
	slot := f.components.Alloc()
	*f.components.Mut(slot) = component{hash: componentHash(tenantName, name), tenant: ten, name: nameSym}
	f.byComponent.Insert(f.components.At(slot).hash, slot)
	return slot
}

func (f *Forest) tenantOf(sym flat.Sym) uint32 {
	for slot := uint32(1); slot < f.tenants.Len(); slot++ {
		if f.tenants.At(slot).name == sym {
			return slot
		}
	}
	slot := f.tenants.Alloc()
	f.tenants.Mut(slot).name = sym
	return slot
}

func componentHash(tenant, name string) uint64 {
	return xxhash.Sum64String(tenant)*31 + xxhash.Sum64String(name)
}
