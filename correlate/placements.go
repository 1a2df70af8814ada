package correlate

import "github.com/tocsin-noc/tocsin/event"

// Placements is how often items came where they are by what kind of reason.
type Placements [event.PlaceHand + 1]uint64

// Coverage returns the share, in millionths, of those that joined the fault of another item which did so by a relation: how much of what
// happens the topology explains. ok is false where none joined another yet.
func (p *Placements) Coverage() (share uint32, ok bool) {
	joined := p[event.PlaceEdge] + p[event.PlaceNear]
	if joined == 0 {
		return 0, false
	}
	return uint32(p[event.PlaceEdge] * 1_000_000 / joined), true
}

// Add sums up.
func (p *Placements) Add(o *Placements) {
	for kind, n := range o {
		p[kind] += n
	}
}

// countPlacement counts a placement in the component of its item.
func (s *State) countPlacement(d *event.Placement) {
	kind, component := d.Kind, d.Component
	if component == 0 { // a person put the alert of an item there that was not placed
		component = s.forest.ComponentOf(s.forest.ClusterOf(d.Item))
	}
	if d.Silent { // whether or not something above explains it
		kind = event.PlaceVirtual
	}
	if kind == event.PlaceNone || component == 0 {
		return
	}
	for s.placed.Len() <= component {
		s.placed.Alloc()
	}
	s.placed.Mut(component)[kind]++
}
