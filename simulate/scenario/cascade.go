package scenario

import (
	"fmt"
	"time"

	"github.com/tocsin-noc/tocsin/event"
)

const (
	reachFirst  = .8  // chance that what rests on the root is hit
	reachFall   = .62 // and the factor for every hop further
	reachWhole  = .04 // chance that a service is hit with one of its members
	furthest    = 4   // hops
	mostHit     = 80  // items of a fault, unless nothing holds it up
	speaks      = .9  // chance that an item that is hit alarms
	attempts    = 50  // to find a root that makes anybody alarm
	secondAlarm = .35 // chance that an item says one more thing
)

// rootWeights is how often faults begin in a class.
func rootWeights() []struct {
	class  string
	weight float64
} {
	return []struct {
		class  string
		weight float64
	}{
		{classDatabase, .24}, {classService, .22}, {classHost, .26}, {classVM, .1}, {classPod, .06}, {classSwitch, .06}, {classStorage, .03}, {classRack, .03},
	}
}

// onset is an alarm that begins.
type onset struct {
	at    event.Time
	ci    int
	says  trouble
	fault int // index, -1 for noise
}

// fault makes a fault that begins at start, and the alarms of its cascade.
func (g *generator) fault(start event.Time) (Fault, []onset) {
	for range attempts {
		root := g.root()
		kind := pick(g.random, rootTroubles(g.estate.cis[root].Class))
		found := g.cascade(root, kind, start)
		if len(found) == 0 {
			continue
		}
		end := start
		for _, o := range found {
			end = max(end, o.at)
		}
		end += event.FromDuration(time.Duration(float64(2*time.Minute) * (1 + 4*g.random.Float64())))
		ci := g.estate.cis[root]
		return Fault{ID: fmt.Sprintf("fault-%d", len(g.out.Faults)+1), Root: []string{ci.ID}, Level: ci.Class, Kind: kind.name, Start: start, End: end}, found
	}
	panic("scenario: no item of the estate rests on another") // newEstate relates them all
}

func (g *generator) root() int {
	if g.spec.Core {
		return g.any(classCore)
	}
	at := g.random.Float64()
	for _, w := range rootWeights() {
		if at -= w.weight; at < 0 {
			return g.any(w.class)
		}
	}
	return g.any(classDatabase)
}

func (g *generator) any(class string) int { return pick(g.random, g.estate.byClass[class]) }

// cascade follows a fault from its root to what rests on it: with every hop the chance to be hit falls, and time goes by.
func (g *generator) cascade(root int, kind trouble, start event.Time) (found []onset) {
	if g.random.Float64() >= g.spec.SilentRoots {
		found = append(found, g.speak(root, kind, start)...)
	}
	type hit struct {
		ci, hops int
		at       event.Time
	}
	seen, queue := map[int]bool{root: true}, []hit{{root, 0, start}}
	for len(queue) > 0 && (len(seen) <= mostHit || g.spec.Core) {
		from := queue[0]
		queue = queue[1:]
		chance := reachFirst
		for range from.hops {
			chance *= reachFall
		}
		if g.spec.Core {
			chance = 1
		}
		next := func(ci int, chance float64) {
			if seen[ci] || g.random.Float64() >= chance {
				return
			}
			seen[ci] = true
			at := from.at + g.hop()
			queue = append(queue, hit{ci, from.hops + 1, at})
			if g.random.Float64() < speaks {
				found = append(found, g.speak(ci, pick(g.random, symptoms(g.estate.cis[ci].Class)), at)...)
			}
		}
		if from.hops == furthest {
			continue
		}
		for _, ci := range g.estate.below[from.ci] {
			next(ci, chance)
		}
		if whole := g.estate.whole[from.ci]; whole >= 0 {
			next(whole, chance*reachWhole)
		}
	}
	return found
}

// speak returns what an item says when it is hit.
func (g *generator) speak(ci int, first trouble, at event.Time) []onset {
	fault := len(g.out.Faults)
	out := []onset{{at, ci, first, fault}}
	if g.random.Float64() < secondAlarm {
		if second := pick(g.random, symptoms(g.estate.cis[ci].Class)); second != first {
			out = append(out, onset{at + g.hop()/2, ci, second, fault})
		}
	}
	return out
}

// hop draws how long it takes until a fault shows one hop further.
func (g *generator) hop() event.Time {
	return g.wait(g.spec.Hop-g.spec.Hop/8) + event.FromDuration(g.spec.Hop/8)
}
