package itsm

import (
	"iter"

	"github.com/tocsin-noc/tocsin/event"
)

// Near is an item that another rests on, and how far away it is.
type Near struct {
	Item   uint32
	Hops   uint8
	asPart bool // reached from a part of it
}

// Upstream appends what an item rests on, the nearest first, no farther than hops and at most limit: what it depends on, is hosted on or
// is part of, and its own parts. From a part it does not go on to the other parts of the same whole: they have nothing in common but
// that. What backs something up explains nothing.
func (g *cmdbReads) Upstream(item uint32, hops uint8, limit int, dst []Near) []Near {
	start := len(dst)
	if item >= g.recs.Len() {
		return dst
	}
	dst = append(dst, Near{Item: item})
	for i := start; i < len(dst) && len(dst)-start <= limit; i++ {
		at := dst[i]
		if at.Hops >= hops {
			break
		}
		r := g.recs.At(at.Item)
		for e := r.out; e != 0 && len(dst)-start <= limit; e = g.edges.At(e).nextOut {
			if edge := g.edges.At(e); !edge.echo && rests(edge.kind) {
				dst = g.nearer(dst, start, Near{edge.to, at.Hops + 1, edge.kind == event.PartOf})
			}
		}
		if at.asPart {
			continue
		}
		for e := r.members; e != 0 && len(dst)-start <= limit; e = g.edges.At(e).nextIn {
			if edge := g.edges.At(e); !edge.echo {
				dst = g.nearer(dst, start, Near{edge.from, at.Hops + 1, false})
			}
		}
	}
	return append(dst[:start], dst[start+1:]...)
}

func rests(k event.RelationKind) bool {
	return k == event.DependsOn || k == event.HostedOn || k == event.PartOf
}

// nearer appends an item that is in use and was not there yet.
func (g *cmdbReads) nearer(dst []Near, start int, n Near) []Near {
	if !g.recs.At(n.Item).active() {
		return dst
	}
	for i := start; i < len(dst); i++ {
		if dst[i].Item == n.Item {
			return dst
		}
	}
	return append(dst, n)
}

// DependentCount returns how many items rest directly on one.
func (g *cmdbReads) DependentCount(item uint32) (n uint32) {
	r := g.recs.At(item)
	for e := r.dependents; e != 0; e = g.edges.At(e).nextIn {
		n++
	}
	for e := r.members; e != 0; e = g.edges.At(e).nextIn {
		n++
	}
	return n
}

// Dependents appends the items that rest directly on one, at most limit.
func (g *cmdbReads) Dependents(item uint32, limit int, dst []uint32) []uint32 {
	for d := range g.EachDependent(item, limit) {
		dst = append(dst, d)
	}
	return dst
}

// EachDependent yields the items that rest directly on one, at most limit.
func (g *cmdbReads) EachDependent(item uint32, limit int) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		r := g.recs.At(item)
		for _, first := range [...]uint32{r.dependents, r.members} {
			for e := first; e != 0 && limit > 0; limit-- {
				edge := g.edges.At(e)
				if e = edge.nextIn; !yield(edge.from) {
					return
				}
			}
		}
	}
}

// Parts appends the items in use that are part of one.
func (g *cmdbReads) Parts(whole uint32, dst []uint32) []uint32 {
	for e := g.recs.At(whole).members; e != 0; e = g.edges.At(e).nextIn {
		if edge := g.edges.At(e); !edge.echo && g.recs.At(edge.from).active() {
			dst = append(dst, edge.from)
		}
	}
	return dst
}

// Wholes appends the items in use that one is part of.
func (g *cmdbReads) Wholes(part uint32, dst []uint32) []uint32 {
	for e := g.recs.At(part).out; e != 0; e = g.edges.At(e).nextOut {
		if edge := g.edges.At(e); !edge.echo && edge.kind == event.PartOf && g.recs.At(edge.to).active() {
			dst = append(dst, edge.to)
		}
	}
	return dst
}

// Linked tells whether an item has any relation, of its own or of others to it.
func (g *cmdbReads) Linked(item uint32) bool {
	r := g.recs.At(item)
	return r.out|r.dependents|r.members|r.backers|r.others != 0
}

// Class returns the class of an item.
func (g *cmdbReads) Class(item uint32) string {
	r := g.recs.At(item)
	if r.now != 0 {
		return g.text.String(g.said.At(r.now).class)
	}
	return g.text.String(g.said.At(r.head).class)
}

// Components is what hangs together in the topology: for each item the first of its component, and how many each first one stands for.
type Components struct {
	first, size []uint32
}

// Components finds what hangs together by relations of any kind but the neighbours'.
func (g *cmdbReads) Components() *Components {
	c := &Components{first: make([]uint32, g.recs.Len()), size: make([]uint32, g.recs.Len())}
	for i := range c.first {
		c.first[i] = uint32(i)
	}
	for slot := uint32(1); slot < g.recs.Len(); slot++ {
		for e := g.recs.At(slot).out; e != 0; e = g.edges.At(e).nextOut {
			edge := g.edges.At(e)
			if !rests(edge.kind) {
				continue
			}
			a, b := c.find(slot), c.find(edge.to)
			c.first[max(a, b)] = min(a, b)
		}
	}
	for i := range c.first {
		c.first[i] = c.find(uint32(i))
		c.size[c.first[i]]++
	}
	return c
}

func (c *Components) find(i uint32) uint32 {
	for c.first[i] != i {
		c.first[i] = c.first[c.first[i]]
		i = c.first[i]
	}
	return i
}

// Of returns the first item of an item's component, and how many items that has.
func (c *Components) Of(item uint32) (first, size uint32) {
	if item >= uint32(len(c.first)) {
		return item, 1 // it came later and has no relations
	}
	return c.first[item], c.size[c.first[item]]
}
