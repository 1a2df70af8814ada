package correlate

import (
	"github.com/tocsin-noc/tocsin/correlate/cause"
)

// What the topology says of a cause, in milli-nats: with which share a fault shows at what rests on it, hop by hop, against chance.
const (
	farthest   = 4     // hops from a symptom to its cause
	ownAlarm   = 3555  // ln(.7/.02): a cause alarms itself, mostly
	ownSilence = -1204 // ln .3
	mostAbsent = 6000  // what rests on it and is well speaks against it no more than that
)

// shown is by how much an alarm so many hops away speaks for a cause: ln((.6^h+.02)/.02).
var shown = [farthest + 1]int64{0, 3434, 2944, 2468, 2012}

// Bounds of what is looked at to find a cause by the topology.
const (
	maxSymptoms   = 512 // items of a cluster
	maxAbove      = 64  // items above each
	maxDependents = 256 // of each candidate
)

// shape says what the topology makes of each item of a cluster, and of what they rest on, as its cause.
func (s *State) shape(cluster uint32) []cause.Structure {
	items := s.forest.Items(cluster, maxSymptoms, nil)
	absent := s.forest.Absence(s.forest.ComponentOf(cluster)) // for each item that rests directly on it and is well
	quiet := uint32(0)
	if s.forest.Quiet(cluster) {
		quiet = s.forest.Root(cluster)
	}
	at := map[uint32]int{} // item to place in list
	var list []cause.Structure
	place := func(item uint32) *cause.Structure {
		i, ok := at[item]
		if !ok {
			i = len(list)
			at[item] = i
			list = append(list, cause.Structure{Item: item, Score: ownSilence, Silent: true})
		}
		return &list[i]
	}
	for _, item := range items {
		if item != quiet {
			x := place(item)
			x.Score, x.Silent = ownAlarm, false
		}
	}
	alarmed := len(list)
	for _, item := range items {
		if item == quiet {
			continue
		}
		s.work.above = s.cmdb.Upstream(item, farthest, maxAbove, s.work.above[:0])
		for _, up := range s.work.above {
			x := place(up.Item)
			x.Score += shown[up.Hops]
			x.Explained++
		}
	}
	for i := range list {
		s.work.dependents = s.cmdb.Dependents(list[i].Item, maxDependents, s.work.dependents[:0])
		for _, d := range s.work.dependents {
			if j, ok := at[d]; !ok || j >= alarmed {
				list[i].Missing++
			}
		}
		list[i].Score -= min(absent*int64(list[i].Missing), mostAbsent)
	}
	return list
}
