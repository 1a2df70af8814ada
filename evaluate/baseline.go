package evaluate

import (
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/simulate/scenario"
)

// Baseline is a simple way to put alerts together, to be held against. The last two collapse: what is near to what is near ends up
// in one incident with everything.
type Baseline struct {
	Name  string // in the report
	Words string // for people
	Group func(*scenario.Scenario) Clustering
}

// Gap is how long it must be quiet, for the baselines, until what comes is something else.
const Gap = 60 * event.Second

// Baselines lists them, the simplest first.
func Baselines() []Baseline {
	return []Baseline{
		{"time_gap", "60 s gap per system", func(s *scenario.Scenario) Clustering { return TimeGap(s, Gap) }},
		{"component_gap", "60 s gap per connected component", func(s *scenario.Scenario) Clustering { return ComponentGap(s, Gap) }},
		{"two_hops", "union-find over 2 hops", func(s *scenario.Scenario) Clustering { return TwoHops(s, Gap) }},
		{"single_linkage", "single linkage over 4 hops and time", func(s *scenario.Scenario) Clustering { return SingleLinkage(s, 2*Gap) }},
		{"shared_ancestor", "joined through any shared ancestor", func(s *scenario.Scenario) Clustering { return SharedAncestor(s, 2*Gap) }},
	}
}

// CompareBaselines measures every baseline on a scenario.
func CompareBaselines(s *scenario.Scenario) map[string]*Agreement {
	truth, out := Truth(s), map[string]*Agreement{}
	for _, b := range Baselines() {
		a := Compare(truth, b.Group(s))
		out[b.Name] = &a
	}
	return out
}

// TimeGap puts together what arrives in one system until it has been quiet there for gap. Alerts without the label are one system.
func TimeGap(s *scenario.Scenario, gap event.Time) Clustering {
	return gaps(s, gap, func(a *scenario.Alert) string { return a.Labels.Get(scenario.SystemLabel) })
}

// ComponentGap is TimeGap in each connected component of the topology by itself: of a system, where the alert names one, or else of all.
// An item that the topology lacks is a component of its own.
func ComponentGap(s *scenario.Scenario, gap event.Time) Clustering {
	g := newGraph(s)
	parts := newForest(len(g.up))
	for ci, up := range g.up {
		for _, to := range up {
			parts.union(int32(ci), to)
		}
	}
	type place struct {
		system    string
		component int32
	}
	return gaps(s, gap, func(a *scenario.Alert) place {
		return place{a.Labels.Get(scenario.SystemLabel), parts.find(g.ci(a))}
	})
}

func gaps[K comparable](s *scenario.Scenario, gap event.Time, key func(*scenario.Alert) K) Clustering {
	type open struct {
		cluster int32
		last    event.Time
	}
	c, now, next, ended := make(Clustering, len(s.Alerts)), map[K]open{}, int32(0), ends(s)
	for i := range s.Alerts {
		a := &s.Alerts[i]
		if ended[i] >= 0 {
			c[i] = c[ended[i]]
			continue
		}
		k := key(a)
		o, ok := now[k]
		if !ok || a.At-o.last > gap {
			o = open{cluster: next}
			next++
		}
		o.last = max(o.last, a.At)
		now[k] = o
		c[i] = o.cluster
	}
	return c
}

// TwoHops joins alerts that arrive within window of each other on items that are at most two relations apart, whichever way.
func TwoHops(s *scenario.Scenario, window event.Time) Clustering {
	g := newGraph(s)
	return throughShared(s, g, window, around(g, 1))
}

// SingleLinkage joins alerts that arrive within window of each other on items that are at most four relations apart, whichever way.
func SingleLinkage(s *scenario.Scenario, window event.Time) Clustering {
	g := newGraph(s)
	return throughShared(s, g, window, around(g, 2))
}

// around returns a function that lists an item and what is at most so many relations away. Two items are at most twice as many apart
// when their lists overlap.
func around(g *graph, hops int) func(ci int32) []int32 {
	both := &graph{up: make([][]int32, len(g.up))}
	for ci, up := range g.up {
		for _, to := range up {
			both.up[ci], both.up[to] = append(both.up[ci], to), append(both.up[to], int32(ci))
		}
	}
	known := make([][]int32, len(g.up))
	return func(ci int32) []int32 {
		if known[ci] == nil {
			known[ci] = append(both.within(ci, hops), ci)
		}
		return known[ci]
	}
}

// SharedAncestor joins alerts that arrive within window of each other on items that rest, however indirectly, on one and the same.
func SharedAncestor(s *scenario.Scenario, window event.Time) Clustering {
	g := newGraph(s)
	known := make([][]int32, len(g.up))
	return throughShared(s, g, window, func(ci int32) []int32 { // however far up
		if known[ci] == nil {
			known[ci] = append(g.within(ci, len(g.up)), ci)
		}
		return known[ci]
	})
}

// throughShared joins lines that have an item in common among those that of says.
func throughShared(s *scenario.Scenario, g *graph, window event.Time, of func(ci int32) []int32) Clustering {
	lines := newForest(len(s.Alerts))
	last := make([]touch, len(g.up))
	for i, ended := range ends(s) {
		if ended >= 0 {
			lines.union(ended, int32(i))
			continue
		}
		for _, item := range of(g.ci(&s.Alerts[i])) {
			join(lines, &last[item], int32(i), s.Alerts[i].At, window)
		}
	}
	return lines.clustering()
}

// ends returns, of each line that only says that an alert is over, the last line about that alert before it, and -1 of all others: an end
// belongs where its beginning is, and is no sign of more trouble.
func ends(s *scenario.Scenario) []int32 {
	of, last := make([]int32, len(s.Alerts)), map[uint64]int32{}
	var scratch []byte
	for i := range s.Alerts {
		a := &s.Alerts[i]
		var identity uint64
		identity, scratch = a.Labels.Identity("", scratch)
		before, known := last[identity]
		last[identity], of[i] = int32(i), -1
		if known && a.EndsAt != 0 && a.EndsAt <= a.At {
			of[i] = before
		}
	}
	return of
}

// touch is a line that concerns an item.
type touch struct {
	line int32
	at   event.Time
	set  bool
}

// join joins a line with the last one that concerned the same item, and takes its place.
func join(lines *forest, last *touch, line int32, at, window event.Time) {
	if last.set && at-last.at <= window {
		lines.union(last.line, line)
	}
	*last = touch{line, at, true}
}
