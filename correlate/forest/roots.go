package forest

import (
	"slices"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/fixed"
)

// maxTraces bounds the roots that are remembered beneath one item.
const maxTraces = 64

// leaveTraces remembers a new root at all that it rests on.
func (f *Forest) leaveTraces(d *event.Placement, t Topology) {
	f.up = t.Upstream(d.Item, reach, maxAncestors, f.up[:0])
	for _, u := range f.up {
		for f.items.Len() <= u.Item {
			f.items.Alloc()
		}
		f.prune(u.Item, d.At)
		slot := f.roots.Alloc()
		*f.roots.Mut(slot) = rootRef{at: d.At, item: d.Item, next: f.items.At(u.Item).below, hops: u.Hops}
		f.items.Mut(u.Item).below = slot
	}
}

// traceLife is how long a root is remembered beneath an item: longer than any clock is wrong.
const traceLife = 5 * event.Minute

// prune forgets the traces at an item that are old, or too many.
func (f *Forest) prune(ci uint32, at event.Time) {
	n, last := 0, uint32(0)
	for slot := f.items.At(ci).below; slot != 0; {
		r := *f.roots.At(slot)
		if n++; n < maxTraces && distance(at, r.at) <= traceLife {
			last, slot = slot, r.next
			continue
		}
		if last == 0 {
			f.items.Mut(ci).below = r.next
		} else {
			f.roots.Mut(last).next = r.next
		}
		f.roots.Free(slot)
		slot = r.next
	}
}

// Adoptions lists the placements by which clusters become part of that of an item which explains their roots: symptoms that were
// seen before their cause.
func (f *Forest) Adoptions(ci uint32, p *Params, o *Onset) (list []event.Placement) {
	it := f.item(ci)
	comp := f.components.At(f.clusters.At(it.cluster).component)
	rate := f.rate(f.clusters.At(it.cluster).tenant, o) - comp.lnPassing()
	for slot := it.below; slot != 0; slot = f.roots.At(slot).next {
		r := f.roots.At(slot)
		root := f.items.At(r.item)
		c := f.clusters.At(root.cluster)
		gap := distance(it.onset, root.onset)
		if root.cluster == 0 || root.cluster == it.cluster || c.root != r.item || gap > p.AdoptWithin {
			continue
		}
		if score := comp.explains(p, int64(r.hops), gap) - rate; score >= p.Threshold && !slices.ContainsFunc(list, func(d event.Placement) bool { return d.Item == r.item }) {
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
		if u.Hops > 1 || f.item(u.Item).cluster != 0 {
			continue
		}
		beneath := f.rootsBeneath(u.Item, o.At, p)
		of := t.DependentCount(u.Item)
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
	for slot := f.item(ci).below; slot != 0; slot = f.roots.At(slot).next {
		r := f.roots.At(slot)
		it := f.items.At(r.item)
		if r.hops == 1 && it.cluster != 0 && f.clusters.At(it.cluster).root == r.item && distance(at, it.onset) <= p.AdoptWithin && !slices.Contains(list, r.item) {
			list = append(list, r.item)
		}
	}
	return list
}
