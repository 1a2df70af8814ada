package forest

import (
	"slices"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/fixed"
)

const (
	maxTraces = 64               // roots that are remembered beneath one item
	traceLife = 5 * event.Minute // and for how long: longer than any clock is wrong
)

// leaveTraces remembers a new root at all that it rests on.
func (f *Forest) leaveTraces(d *event.Placement, t Topology) {
	f.up = t.Upstream(d.Item, reach, maxAncestors, f.up[:0])
	for _, u := range f.up {
		for f.items.Len() <= u.Item {
			f.items.Alloc()
		}
		f.remember(f.items.Mut(u.Item), rootRef{at: d.At, item: d.Item, hops: u.Hops})
	}
}

// remember notes a root at an item, and forgets the first ones that are old, or too many.
func (f *Forest) remember(it *item, r rootRef) {
	for it.traces > 0 {
		first := f.roots.At(f.roots.At(it.below).next)
		if it.traces < maxTraces && distance(r.at, first.at) <= traceLife {
			break
		}
		f.forgetTrace(it)
	}
	slot := f.roots.Alloc()
	if r.next = slot; it.traces > 0 {
		last := f.roots.Mut(it.below)
		r.next, last.next = last.next, slot
	}
	*f.roots.Mut(slot) = r
	it.below = slot
	it.traces++
}

// forgetTrace forgets the first root that an item remembers.
func (f *Forest) forgetTrace(it *item) {
	first := f.roots.At(it.below).next
	if it.traces--; it.traces == 0 {
		it.below = 0
	} else {
		f.roots.Mut(it.below).next = f.roots.At(first).next
	}
	f.roots.Free(first)
}

// known lists the roots that an item remembers, the latest first. The next call overwrites it.
func (f *Forest) known(it *item) []rootRef {
	f.beneath = f.beneath[:0]
	at := it.below
	for range it.traces {
		at = f.roots.At(at).next
		f.beneath = append(f.beneath, *f.roots.At(at))
	}
	slices.Reverse(f.beneath)
	return f.beneath
}

// Adoptions lists the placements by which clusters become part of that of an item which explains their roots: symptoms that were
// seen before their cause.
func (f *Forest) Adoptions(ci uint32, t Topology, p *Params, o *Onset) (list []event.Placement) {
	it := f.item(ci)
	comp := f.components.At(f.clusters.At(it.cluster).component)
	rate := f.rate(f.clusters.At(it.cluster).tenant, o) - comp.lnPassing()
	for _, r := range f.known(&it) {
		root := f.items.At(r.item)
		c := f.clusters.At(root.cluster)
		gap := distance(it.onset, root.onset)
		if root.cluster == 0 || root.cluster == it.cluster || c.root != r.item || gap > p.AdoptWithin {
			continue
		}
		score := comp.explains(p, int64(r.hops), gap) - rate
		if score >= p.Threshold {
			score -= fixed.Ln(uint64(t.Among(r.item, ci, r.hops)))
		}
		if score >= p.Threshold && !slices.ContainsFunc(list, func(d event.Placement) bool { return d.Item == r.item }) {
			list = append(list, event.Placement{
				Kind: event.PlaceEdge, Cluster: it.cluster, Item: r.item, Component: c.component, From: ci, Hops: r.hops, Gap: gap,
				At: root.last, Edge: score, Near: event.NoScore, Needed: p.Threshold,
			})
		}
	}
	return list
}

// Silent returns the item beneath which so many roots alarmed that it must be the cause, though it says nothing: 0 when there is none.
// roots are those.
func (f *Forest) Silent(o *Onset, t Topology, p *Params) (best uint32, score int64, roots []uint32) {
	f.up = t.Upstream(o.Item, reach, maxAncestors, f.up[:0])
	rate := f.rate(f.clusters.At(f.item(o.Item).cluster).tenant, o)
	for _, u := range f.up {
		above := f.item(u.Item)
		if u.Hops > 1 || above.cluster != 0 && distance(o.At, above.last) <= p.JoinWithin {
			continue // what alarmed longer ago explains nothing by that, and is as silent as what never did
		}
		of := t.DependentCount(u.Item)
		if known := above.traces; known < 2 || known*100 < of*p.SilentShare {
			continue
		}
		if t.Among(o.Item, u.Item, 1) > 1 {
			continue // that one part of a whole is silent says nothing of why the whole is not
		}
		beneath := f.rootsBeneath(u.Item, o.At, p)
		if len(beneath) < 2 || uint32(len(beneath))*100 < of*p.SilentShare {
			continue
		}
		// how many roots chance would have put there in that time
		expected := fixed.Exp(rate+fixed.Ln(uint64(of))+fixed.LnRatio(uint64(p.AdoptWithin), 1000)) / 1000
		if s := fixed.Excess(uint64(len(beneath))*1000, max(expected, 1)); s >= p.SilentSurprise && s > score {
			best, score, roots = u.Item, s, beneath
		}
	}
	return best, score, roots
}

// rootsBeneath lists the roots directly beneath an item that alarmed close to a time and are still roots.
func (f *Forest) rootsBeneath(ci uint32, at event.Time, p *Params) (list []uint32) {
	above := f.item(ci)
	for _, r := range f.known(&above) {
		it := f.items.At(r.item)
		if r.hops == 1 && it.cluster != 0 && f.clusters.At(it.cluster).root == r.item && distance(at, it.onset) <= p.AdoptWithin && !slices.Contains(list, r.item) {
			list = append(list, r.item)
		}
	}
	return list
}
