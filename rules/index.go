package rules

import (
	"slices"

	"github.com/tocsin-noc/tocsin/event"
)

// index finds the rules whose tests a label set can pass without looking at all of them: a rule that asks for known values of
// some label is listed under the pair that fewest rules ask for, every other rule in scan.
type index struct {
	tests  [][]test // by rule
	byName []named
	scan   []int
}

type named struct {
	name    string
	byValue map[string][]int // rules in ascending order
}

func newIndex(tests [][]test) index {
	x := index{tests: tests}
	asked := map[event.Label]int{}
	for _, rule := range tests {
		for i := range rule {
			for _, w := range rule[i].words {
				asked[event.Label{Name: rule[i].Name, Value: w}]++
			}
		}
	}
	for i, rule := range tests {
		if best := mostSelective(rule, asked); best != nil {
			x.add(best, i)
		} else {
			x.scan = append(x.scan, i)
		}
	}
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

func (x *index) add(t *test, rule int) {
	i := slices.IndexFunc(x.byName, func(n named) bool { return n.name == t.Name })
	if i < 0 {
		i = len(x.byName)
		x.byName = append(x.byName, named{t.Name, map[string][]int{}})
	}
	for _, w := range t.words {
		if list := x.byName[i].byValue[w]; !slices.Contains(list, rule) {
			x.byName[i].byValue[w] = append(list, rule)
		}
	}
}

// appendAll appends the rules that ls passes, in ascending order.
func (x *index) appendAll(dst []int, ls event.Labels) []int {
	start := len(dst)
	dst = x.appendOf(dst, x.scan, ls)
	for i := range x.byName {
		n := &x.byName[i]
		dst = x.appendOf(dst, n.byValue[ls.Get(n.name)], ls)
	}
	slices.Sort(dst[start:])
	return dst
}

func (x *index) appendOf(dst []int, rules []int, ls event.Labels) []int {
	for _, i := range rules {
		if matchAll(x.tests[i], ls) {
			dst = append(dst, i)
		}
	}
	return dst
}

// first returns the lowest rule that ls passes and accept takes, none when there is no such rule.
func (x *index) first(ls event.Labels, none int, accept func(rule int) bool) int {
	best := x.firstOf(x.scan, ls, none, accept)
	for i := range x.byName {
		n := &x.byName[i]
		best = x.firstOf(n.byValue[ls.Get(n.name)], ls, best, accept)
	}
	return best
}

func (x *index) firstOf(rules []int, ls event.Labels, best int, accept func(rule int) bool) int {
	for _, i := range rules {
		if i >= best {
			return best
		}
		if matchAll(x.tests[i], ls) && accept(i) {
			return i
		}
	}
	return best
}
