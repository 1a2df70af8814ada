package pairs

import "fmt"

// Passed is how often something was not learned from, and why.
type Passed struct {
	Kind  string
	Count uint64
	Why   string // for people
}

// Passed lists what a table passed over, at a bound or in a storm, with what never happened.
func (c *Counters) Passed() []Passed {
	return []Passed{
		{"storm", c.UntriedOnsets, fmt.Sprintf("alerts began in storms: of what begins beyond %d in %d seconds, one in %d is learned from", rushOnsets, rushSlot/second, rushShare)},
		{"turn", c.PassedPairs, fmt.Sprintf("new pairs had to wait: the second alert had %d first ones already, and lets others in at one onset in %d", parentsOfChild, newcomers)},
		{"judged", c.RefusedPairs, "new pairs found no room: people have judged all those that hold it"},
		{"pair", c.EvictedPairs, "pairs were forgotten to make room for others"},
		{"occurrence", c.EvictedOccurrences, fmt.Sprintf("times it was forgotten when an alert was last on an item: of one item %d kinds are remembered", typesPerCI)},
		{"kind", c.RefusedTypes, "alerts were of more kinds than can be told apart"},
		{"item", c.RefusedCIs, "alerts were on more items than can be followed"},
		{"neighbour", c.RefusedNeighbours, "times an item next to the one that alarmed was not looked at: of those that it rests on, and of those that rest on it, only the first few are"},
		{"decoy", c.LostDecoys, "alerts are not held against those of a day later: too many waited for that"},
		{"late", c.LateAlerts, "alerts were read after later ones of their kind and item"},
	}
}
