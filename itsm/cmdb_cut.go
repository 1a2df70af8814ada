package itsm

import "github.com/tocsin-noc/tocsin/event"

// How far up CutBy looks, and at how many items.
const (
	cutHops  = 4
	cutItems = 64
)

// CutBy returns the nearest item without which one cannot be reached and of which down is true, 0 when there is none: what it depends on or
// is hosted on, and what that rests on in turn, as far as nothing that is up stands in for it.
func (g *cmdbReads) CutBy(item uint32, down func(uint32) bool) uint32 {
	var way [cutItems]Near
	n := 1
	way[0] = Near{Item: item}
	for i := 0; i < n; i++ {
		if way[i].Hops >= cutHops {
			break
		}
		for e := g.recs.At(way[i].Item).out; e != 0; e = g.edges.At(e).nextOut {
			edge := g.edges.At(e)
			if edge.kind != event.DependsOn && edge.kind != event.HostedOn {
				continue
			}
			to := g.recs.At(edge.to)
			if !to.active() || to.backersUp > 0 || seenOn(way[:n], edge.to) {
				continue
			}
			if down(edge.to) {
				return edge.to
			}
			if n < cutItems {
				way[n] = Near{Item: edge.to, Hops: way[i].Hops + 1}
				n++
			}
		}
	}
	return 0
}

func seenOn(way []Near, item uint32) bool {
	for i := range way {
		if way[i].Item == item {
			return true
		}
	}
	return false
}
