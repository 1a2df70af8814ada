package itsm

import "github.com/tocsin-noc/tocsin/event"

// Neighbour is a CI that has a relation to another.
type Neighbour struct {
	Slot uint32
	Kind event.RelationKind
}

// Into returns the CIs whose relations point to one as they are now, each relation once whoever says so, and at most limit, by kind.
// more tells whether there are others.
func (g *cmdbReads) Into(slot uint32, limit int) (from []Neighbour, more bool) {
	r := g.recs.At(slot)
	for _, first := range [...]uint32{r.dependents, r.members, r.others, r.backers} {
		for e := first; e != 0; e = g.edges.At(e).nextIn {
			edge := g.edges.At(e)
			if edge.echo {
				continue
			}
			if len(from) >= limit {
				return from, true
			}
			from = append(from, Neighbour{edge.from, edge.kind})
		}
	}
	return from, false
}

// Said returns how many statements about a CI are in memory.
func (g *cmdbReads) Said(slot uint32) int { return int(g.recs.At(slot).versions) }
