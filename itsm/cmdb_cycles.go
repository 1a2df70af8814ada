package itsm

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
)

// ciCycles looks for rings of one kind of relation among the CIs as an edit leaves them now. CIs are numbered: by slot, and those
// that are new after that.
type ciCycles struct {
	x      *ciCheck
	kind   event.RelationKind
	edited []int32 // place in the check's out plus 1
	moved  []bool  // whose relations of the kind the edit changes: only they can have closed a ring
	colour []uint8
	path   []ciFrame
}

// ciFrame is one CI on the way, and how far its relations were followed.
type ciFrame struct {
	node   uint32
	cursor uint32
}

const (
	onTheWay = 1
	finished = 2
)

// checkCycles refuses things that are part of themselves, or stand on themselves. That two depend on each other is a fact of life.
func (x *ciCheck) checkCycles() {
	for _, kind := range [...]event.RelationKind{event.PartOf, event.HostedOn} {
		if slices.ContainsFunc(x.out, func(ci event.CI) bool { return slices.ContainsFunc(ci.Relations, ofKind(kind)) }) {
			c := ciCycles{x: x, kind: kind}
			c.search()
		}
	}
}

func ofKind(kind event.RelationKind) func(event.Relation) bool {
	return func(r event.Relation) bool { return r.Kind == kind }
}

func (c *ciCycles) search() {
	n := int(c.x.g.recs.Len()) + len(c.x.set)
	c.edited, c.moved, c.colour = make([]int32, n), make([]bool, n), make([]uint8, n)
	for i := range c.x.out {
		ci := &c.x.out[i]
		if node, ok := c.node(ci.ID); ok && (c.edited[node] == 0 || ci.ValidFrom <= c.x.at) {
			c.edited[node] = int32(i + 1)
			c.moved[node] = c.moves(ci)
		}
	}
	for i := range c.x.out {
		if node, ok := c.node(c.x.out[i].ID); ok && c.moved[node] {
			c.follow(node)
		}
	}
}

// moves tells whether a CI gets other relations of the kind than it has, or would have at the time they are planned for.
func (c *ciCycles) moves(ci *event.CI) bool {
	var now []event.Relation
	if slot := c.x.g.Find(c.x.tenant, ci.ID); slot != 0 {
		now = c.x.g.relations(c.x.g.said.At(c.x.g.asOf(slot, max(ci.ValidFrom, c.x.at), c.x.at)))
	}
	for _, r := range ci.Relations {
		if r.Kind == c.kind && !tells(now, r) {
			return true
		}
	}
	return false
}

// node returns the number of a CI, false when it is not known.
func (c *ciCycles) node(id string) (uint32, bool) {
	if slot := c.x.g.place(c.x.tenant, id); slot != 0 {
		return slot, true
	}
	if i, given := c.x.given[id]; given {
		return c.x.g.recs.Len() + uint32(i), true
	}
	return 0, false
}

// follow goes wherever the relations lead from a CI, and tells of each ring it closes.
func (c *ciCycles) follow(node uint32) {
	if c.colour[node] != 0 {
		return
	}
	c.enter(node)
	for len(c.path) > 0 {
		top := &c.path[len(c.path)-1]
		next, ok := c.next(top)
		switch {
		case !ok:
			c.colour[top.node] = finished
			c.path = c.path[:len(c.path)-1]
		case c.colour[next] == onTheWay:
			c.tell(next)
		case c.colour[next] == 0:
			c.enter(next)
		}
	}
}

func (c *ciCycles) enter(node uint32) {
	c.colour[node] = onTheWay
	f := ciFrame{node: node}
	if c.edited[node] == 0 && node < c.x.g.recs.Len() {
		f.cursor = c.x.g.recs.At(node).out
	}
	c.path = append(c.path, f)
}

// next follows the next relation of the kind; the cursor is an edge, or a place in the relations of a CI that is edited.
func (c *ciCycles) next(f *ciFrame) (uint32, bool) {
	if i := c.edited[f.node]; i != 0 {
		relations := c.x.out[i-1].Relations
		for int(f.cursor) < len(relations) {
			r := &relations[f.cursor]
			f.cursor++
			if r.Kind != c.kind {
				continue
			}
			if node, ok := c.node(r.To); ok {
				return node, true
			}
		}
		return 0, false
	}
	for f.cursor != 0 {
		edge := c.x.g.edges.At(f.cursor)
		f.cursor = edge.nextOut
		if edge.kind == c.kind {
			return edge.to, true
		}
	}
	return 0, false
}

// tell reports the ring that a step back to a CI on the way closes.
func (c *ciCycles) tell(back uint32) {
	from := slices.IndexFunc(c.path, func(f ciFrame) bool { return f.node == back })
	ring := c.path[from:]
	if !slices.ContainsFunc(ring, func(f ciFrame) bool { return c.moved[f.node] }) {
		return
	}
	var b strings.Builder
	for _, f := range ring[:min(len(ring), maxToldProblems)] {
		b.WriteString(short(c.id(f.node)))
		b.WriteString(" → ")
	}
	if more := len(ring) - maxToldProblems; more > 0 {
		fmt.Fprintf(&b, "%d more → ", more)
	}
	b.WriteString(short(c.id(back)))
	c.x.fault(c.id(back), fmt.Sprintf("%v goes in a circle: %s", c.kind, b.String()))
}

func (c *ciCycles) id(node uint32) string {
	if slots := c.x.g.recs.Len(); node >= slots {
		return c.x.set[node-slots].ID
	}
	return c.x.g.ID(node)
}

// nearMiss names the known ID that is most like one that is not, as a hint; "" when none is within two letters.
func (x *ciCheck) nearMiss(id string) string {
	if x.total >= maxToldProblems {
		return ""
	}
	best, distance := "", min(2, len(id)/3)+1 // of short names every other one is near
	consider := func(other string) {
		if d := lettersApart(id, other, distance); d < distance || d == distance && best != "" && other < best {
			best, distance = other, d
		}
	}
	for slot := range x.g.Slots() {
		if x.g.text.String(x.g.recs.At(slot).tenant) == x.tenant {
			consider(x.g.ID(slot))
		}
	}
	for i := range x.set {
		consider(x.set[i].ID)
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", short(best))
}

// lettersApart is the edit distance of two texts in bytes, when it is at most bound; else more than that.
func lettersApart(a, b string, bound int) int {
	if len(a)-len(b) > bound || len(b)-len(a) > bound || len(a) > MaxCIText || len(b) > MaxCIText {
		return bound + 1
	}
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	var row [MaxCIText + 1]uint16
	for j := range len(b) + 1 {
		row[j] = uint16(j)
	}
	for i := range len(a) {
		diagonal, least := row[0], uint16(i+1)
		row[0] = least
		for j := range len(b) {
			up := row[j+1]
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, up, row[j])
			}
			diagonal, row[j+1] = up, cost
			least = min(least, cost)
		}
		if int(least) > bound {
			return bound + 1
		}
	}
	return int(row[len(b)])
}
