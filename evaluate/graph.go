package evaluate

import "github.com/tocsin-noc/tocsin/simulate/scenario"

// graph is a topology by numbers: what each item rests on. Being hosted and being part of something count as resting on it.
type graph struct {
	numbers map[string]int32
	up      [][]int32
}

// newGraph numbers the items of the topology and those that only alerts name.
func newGraph(s *scenario.Scenario) *graph {
	g := &graph{numbers: make(map[string]int32, len(s.Topology.CIs))}
	for _, ci := range s.Topology.CIs {
		g.number(ci.ID)
	}
	for _, r := range s.Topology.Relations {
		from, to := g.number(r.From), g.number(r.To)
		g.up[from] = append(g.up[from], to)
	}
	for i := range s.Alerts {
		g.number(s.Alerts[i].Charged())
	}
	return g
}

func (g *graph) number(id string) int32 {
	n, ok := g.numbers[id]
	if !ok {
		n = int32(len(g.up))
		g.numbers[id] = n
		g.up = append(g.up, nil)
	}
	return n
}

func (g *graph) ci(a *scenario.Alert) int32 { return g.numbers[a.Charged()] }

// within returns the items that ci rests on over at most so many relations, without itself; never nil.
func (g *graph) within(ci int32, hops int) []int32 {
	seen, out := map[int32]bool{ci: true}, []int32{}
	for level := []int32{ci}; len(level) > 0 && hops > 0; hops-- {
		var next []int32
		for _, at := range level {
			for _, to := range g.up[at] {
				if !seen[to] {
					seen[to] = true
					next = append(next, to)
				}
			}
		}
		out, level = append(out, next...), next
	}
	return out
}

// forest is a union-find with path halving; the lower number leads.
type forest struct{ parent []int32 }

func newForest(n int) *forest {
	f := &forest{parent: make([]int32, n)}
	for i := range f.parent {
		f.parent[i] = int32(i)
	}
	return f
}

func (f *forest) find(i int32) int32 {
	for f.parent[i] != i {
		f.parent[i] = f.parent[f.parent[i]]
		i = f.parent[i]
	}
	return i
}

func (f *forest) union(a, b int32) {
	a, b = f.find(a), f.find(b)
	f.parent[max(a, b)] = min(a, b)
}

func (f *forest) clustering() Clustering {
	c := make(Clustering, len(f.parent))
	for i := range c {
		c[i] = f.find(int32(i))
	}
	return c
}
