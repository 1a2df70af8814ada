package correlate

import (
	"slices"

	"github.com/tocsin-noc/tocsin/itsm"
)

// topology is what grouping and ranking ask of the relations between configuration items. What an item rests on is asked for several times
// with every alert of it, and relations change rarely: what was walked once is kept until they do. It holds nothing that the CMDB does
// not.
type topology struct {
	cmdb    *itsm.CMDB
	version uint32   // of the relations, counted here
	walked  []walk   // by item
	items   []uint32 // that walks found, one walk after the other
	near    []itsm.Near
	parts   []uint32
}

// walk is what lies above one item.
type walk struct {
	version    uint32
	first      uint32          // in items
	within     [farthest]uint8 // how many lie no farther than one hop, two, and so on
	depth      uint8           // in hops: no more than grouping asks for, until ranking asks for more; 0: not walked yet
	dependents uint32          // how many rest directly on the item, and one more; 0: not counted yet
	parts      uint32          // how many in use are part of it, and one more
}

// keptAbove bounds items: 8 MB.
const keptAbove = 1 << 21

func newTopology(cmdb *itsm.CMDB) topology { return topology{cmdb: cmdb, version: 1} }

// forget lets all be walked anew, after a relation changed.
func (t *topology) forget() {
	t.version++
	t.items = t.items[:0]
}

// of returns what is kept of an item.
func (t *topology) of(item uint32) *walk {
	if item >= uint32(len(t.walked)) {
		t.walked = append(t.walked, make([]walk, int(item)+1-len(t.walked))...)
	}
	w := &t.walked[item]
	if w.version != t.version {
		*w = walk{version: t.version}
	}
	return w
}

// from returns what is kept of an item after a walk of so many hops at least.
func (t *topology) from(item uint32, hops uint8) *walk {
	w := t.of(item)
	if w.depth >= hops {
		return w
	}
	if len(t.items)+maxAbove > keptAbove {
		t.forget()
		w = t.of(item)
	}
	w.first, w.within, w.depth = uint32(len(t.items)), [farthest]uint8{}, max(hops, groupingHops)
	t.near = t.cmdb.Upstream(item, w.depth, maxAbove, t.near[:0])
	for _, n := range t.near {
		t.items = append(t.items, n.Item)
		for away := n.Hops; away <= farthest; away++ {
			w.within[away-1]++
		}
	}
	return w
}

// Upstream appends the items that one rests on, the nearest first, no farther than hops and at most limit.
func (t *topology) Upstream(item uint32, hops uint8, limit int, dst []itsm.Near) []itsm.Near {
	if hops > farthest || limit > maxAbove {
		return t.cmdb.Upstream(item, hops, limit, dst)
	}
	w := t.from(item, hops)
	n := min(int(w.within[hops-1]), limit)
	dst = slices.Grow(dst, n)
	away := uint8(1)
	for i, up := range t.items[w.first:][:n] {
		for i >= int(w.within[away-1]) {
			away++
		}
		dst = append(dst, itsm.Near{Item: up, Hops: away})
	}
	return dst
}

// RestsOn returns on how many items one rests directly, at most maxAbove.
func (t *topology) RestsOn(item uint32) uint32 { return uint32(t.from(item, 1).within[0]) }

// DependentCount returns how many items rest directly on one.
func (t *topology) DependentCount(item uint32) uint32 {
	w := t.of(item)
	if w.dependents == 0 {
		w.dependents = t.cmdb.DependentCount(item) + 1
	}
	return w.dependents - 1
}

// PartCount returns how many items in use are part of one.
func (t *topology) PartCount(whole uint32) uint32 {
	w := t.of(whole)
	if w.parts == 0 {
		t.parts = t.cmdb.Parts(whole, t.parts[:0])
		w.parts = uint32(len(t.parts)) + 1
	}
	return w.parts - 1
}
