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
	maxSymptoms = 512 // items of a cluster
	maxAbove    = 64  // items above each
)

// shape says what the topology makes of each item of a cluster, and of what they rest on, as its cause. The next call overwrites it.
func (s *State) shape(cluster uint32) []cause.Structure {
	s.work.items = s.forest.Items(cluster, maxSymptoms, s.work.items[:0])
	absent := s.forest.Absence(s.forest.ComponentOf(cluster)) // for each item that rests directly on it and is well
	quiet := uint32(0)
	if s.forest.Quiet(cluster) {
		quiet = s.forest.Root(cluster)
	}
	at := &s.work.places
	at.Reset()
	list, direct := s.work.shape[:0], s.work.direct[:0] // of each, how many rest directly on it and alarmed
	for _, item := range s.work.items {
		if item != quiet {
			at.Put(item, uint32(len(list)))
			list, direct = append(list, cause.Structure{Item: item, Score: ownAlarm}), append(direct, 0)
		}
	}
	for _, item := range s.work.items {
		if item == quiet {
			continue
		}
		s.work.above = s.topology.Upstream(item, farthest, maxAbove, s.work.above[:0])
		for _, up := range s.work.above {
			i, known := at.Find(up.Item)
			if !known {
				i = uint32(len(list))
				at.Put(up.Item, i)
				list, direct = append(list, cause.Structure{Item: up.Item, Score: ownSilence, Silent: true}), append(direct, 0)
			}
			list[i].Score += shown[up.Hops]
			list[i].Explained++
			if up.Hops == 1 {
				direct[i]++
			}
		}
	}
	for i := range list {
		x := &list[i]
		if rest := s.topology.DependentCount(x.Item); rest > direct[i] {
			x.Missing = rest - direct[i]
		}
		x.Score -= min(absent*int64(x.Missing), mostAbsent)
	}
	s.work.shape, s.work.direct = list, direct
	return list
}
