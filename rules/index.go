package rules

import (
	"slices"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
)

// index finds the rules that can match an alert without looking at all of them: a rule that asks for known values of
// some label is listed under the pair that fewest rules ask for, one that asks for a label under that, every other rule in scan.
type index struct {
	sides  []*Side // by rule
	byName []named // sorted by name
	scan   []int
}

type named struct {
	name    string
	byValue map[string][]int // rules in ascending order
	present []int            // rules that match no alert without the label
}

func newIndex(sides []*Side) index {
	x := index{sides: sides}
	asked := map[event.Label]int{}
	for _, side := range sides {
		for i := range side.tests {
			for _, w := range side.tests[i].words {
				asked[event.Label{Name: side.tests[i].Name, Value: w}]++
			}
		}
	}
	for i, side := range sides {
		if best := mostSelective(side.tests, asked); best != nil {
			x.add(best, i)
		} else if asks := slices.IndexFunc(side.tests, func(t test) bool { return !t.matches("") }); asks >= 0 {
			n := x.named(side.tests[asks].Name)
			n.present = append(n.present, i)
		} else {
			x.scan = append(x.scan, i)
		}
	}
	slices.SortFunc(x.byName, func(a, b named) int { return strings.Compare(a.name, b.name) })
	return x
}

// mostSelective returns the test under whose values the fewest rules stand, the first of equals, nil when no test can be
// indexed. A test that accepts "" accepts label sets without the label, so it cannot.
func mostSelective(rule []test, asked map[event.Label]int) (best *test) {
	least := 0
	for i := range rule {
		t := &rule[i]
		if t.words == nil || slices.Contains(t.words, "") {
			continue
		}
		most := 0
		for _, w := range t.words {
			most = max(most, asked[event.Label{Name: t.Name, Value: w}])
		}
		if best == nil || most < least {
			best, least = t, most
		}
	}
	return best
}

// named returns the list of a label.
func (x *index) named(name string) *named {
	i := slices.IndexFunc(x.byName, func(n named) bool { return n.name == name })
	if i < 0 {
		i = len(x.byName)
		x.byName = append(x.byName, named{name: name, byValue: map[string][]int{}})
	}
	return &x.byName[i]
}

func (x *index) add(t *test, rule int) {
	n := x.named(t.Name)
	for _, w := range t.words {
		if list := n.byValue[w]; !slices.Contains(list, rule) {
			n.byValue[w] = append(list, rule)
		}
	}
}

// meet returns where a label of ls and a list of that label next stand, from the places given on; both are sorted by name. Without
// one it returns the end of the lists.
func (x *index) meet(ls event.Labels, n, l int) (list, label int) {
	for n < len(x.byName) && l < len(ls) {
		switch a, b := x.byName[n].name, ls[l].Name; {
		case a == b:
			return n, l
		case a < b:
			n++
		default:
			l++
		}
	}
	return len(x.byName), len(ls)
}

// appendAll appends the rules that match, in ascending order.
func (x *index) appendAll(dst []int, in *Input) []int {
	start := len(dst)
	dst = x.appendOf(dst, x.scan, in)
	for n, l := x.meet(in.Labels, 0, 0); n < len(x.byName); n, l = x.meet(in.Labels, n+1, l+1) {
		dst = x.appendOf(dst, x.byName[n].byValue[in.Labels[l].Value], in)
		dst = x.appendOf(dst, x.byName[n].present, in)
	}
	slices.Sort(dst[start:])
	return dst
}

func (x *index) appendOf(dst []int, rules []int, in *Input) []int {
	for _, i := range rules {
		if x.sides[i].matches(in) {
			dst = append(dst, i)
		}
	}
	return dst
}

// first returns the lowest rule from the given one on that matches and that accept takes, none when there is no such rule.
func (x *index) first(in *Input, from, none int, accept func(rule int) bool) int {
	best := x.firstOf(x.scan, in, from, none, accept)
	for n, l := x.meet(in.Labels, 0, 0); n < len(x.byName); n, l = x.meet(in.Labels, n+1, l+1) {
		best = x.firstOf(x.byName[n].byValue[in.Labels[l].Value], in, from, best, accept)
		best = x.firstOf(x.byName[n].present, in, from, best, accept)
	}
	return best
}

func (x *index) firstOf(rules []int, in *Input, from, best int, accept func(rule int) bool) int {
	for _, i := range rules {
		if i >= best {
			return best
		}
		if i >= from && x.sides[i].matches(in) && accept(i) {
			return i
		}
	}
	return best
}
