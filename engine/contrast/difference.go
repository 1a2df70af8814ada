package contrast

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tocsin-noc/tocsin/event"
)

// Kind is how incidents differ.
type Kind uint8

// Kinds of difference.
const (
	Joined    Kind = iota + 1 // several become one
	Split                     // one becomes several
	Regrouped                 // several become several others
	New                       // there was none
	Gone                      // there is none any more
	Changed                   // the same incident, with other alerts, another priority or another team
)

var kindNames = [...]string{Joined: "joined", Split: "split", Regrouped: "regrouped", New: "new", Gone: "gone", Changed: "changed"}

// String returns the kind's name in the API.
func (k Kind) String() string { return kindNames[min(k, Changed)] }

// Kinds lists all kinds.
func Kinds() []Kind { return []Kind{Joined, Split, Regrouped, New, Gone, Changed} }

// Difference is what becomes of some incidents.
type Difference struct {
	Kind          Kind
	Alerts        int        // occurrences of alerts that it is about
	Moved         int        // of them, those that are not where most of the others are
	Before, After []Incident // with Alerts as in this comparison
	Words         []string   // of Changed: in what
}

// bundle is what hangs together: incidents of both worlds that share occurrences.
type bundle struct {
	base, other map[event.IncidentID]int // incidents, and their occurrences
	overlap     int                      // the largest of an incident of each
	units       int
}

// Differences lists what differs, the most different first; of tenants that want refuses, nothing.
func (p *Pair) Differences(want func(tenant string) bool) []Difference {
	var out []Difference
	for _, b := range p.bundles() {
		if d := p.difference(b); d != nil && want(append(slices.Clone(d.Before), d.After...)[0].Tenant) {
			out = append(out, *d)
		}
	}
	slices.SortFunc(out, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(b.Moved, a.Moved), cmp.Compare(b.Alerts, a.Alerts), cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.first(), b.first()))
	})
	return out
}

// first is the lowest id, for an order that does not depend on anything else.
func (d *Difference) first() event.IncidentID {
	if len(d.Before) > 0 {
		return d.Before[0].ID
	}
	return d.After[0].ID
}

// cell is an incident of each world; 0: none.
type cell struct{ base, other event.IncidentID }

// overlaps counts the occurrences that two incidents share.
func (p *Pair) overlaps() map[cell]int {
	cells, paired := map[cell]int{}, make([]bool, len(p.Other.occurrences))
	for _, u := range p.units {
		c := cell{base: p.Base.survivor(p.Base.occurrences[u.base].now, false)}
		if u.other >= 0 {
			c.other = p.Other.survivor(p.Other.occurrences[u.other].now, false)
			paired[u.other] = true
		}
		cells[c]++
	}
	for n, done := range paired {
		if o := &p.Other.occurrences[n]; !done && !o.before && o.now != 0 {
			cells[cell{other: p.Other.survivor(o.now, false)}]++
		}
	}
	delete(cells, cell{})
	return cells
}

// bundles puts together what shares occurrences, in the order of the lowest incidents.
func (p *Pair) bundles() []*bundle {
	cells := p.overlaps()
	order := make([]cell, 0, len(cells))
	for c := range cells {
		order = append(order, c)
	}
	slices.SortFunc(order, func(a, b cell) int { return cmp.Or(cmp.Compare(a.base, b.base), cmp.Compare(a.other, b.other)) })
	up := forest{}
	for _, c := range order {
		if c.base != 0 && c.other != 0 {
			up.union(cell{base: c.base}, cell{other: c.other})
		}
	}
	of := map[cell]*bundle{}
	var out []*bundle
	for _, c := range order {
		root := up.find(cell{base: c.base})
		if c.base == 0 {
			root = up.find(cell{other: c.other})
		}
		b := of[root]
		if b == nil {
			b = &bundle{base: map[event.IncidentID]int{}, other: map[event.IncidentID]int{}}
			of[root] = b
			out = append(out, b)
		}
		b.add(c, cells[c])
	}
	return out
}

// forest is a union-find over the incidents of both sides.
type forest map[cell]cell

func (f forest) find(c cell) cell {
	for {
		above, ok := f[c]
		if !ok {
			return c
		}
		if next, ok := f[above]; ok {
			f[c] = next // halve the way for who comes after
		}
		c = above
	}
}

func (f forest) union(a, b cell) {
	if a, b = f.find(a), f.find(b); a != b {
		f[b] = a
	}
}

func (b *bundle) add(c cell, n int) {
	b.units += n
	if c.base != 0 {
		b.base[c.base] += n
	}
	if c.other != 0 {
		b.other[c.other] += n
	}
	if c.base != 0 && c.other != 0 {
		b.overlap = max(b.overlap, n)
	}
}

// difference says in what a bundle differs, nil when in nothing.
func (p *Pair) difference(b *bundle) *Difference {
	d := &Difference{Alerts: b.units, Moved: b.units - b.overlap, Before: p.Base.listed(b.base), After: p.Other.listed(b.other)}
	switch before, after := len(d.Before), len(d.After); {
	case before == 0:
		d.Kind = New
	case after == 0:
		d.Kind = Gone
	case before == 1 && after == 1:
		d.Kind = Changed
		d.Words = changed(d, b)
		if len(d.Words) == 0 {
			return nil
		}
	case after == 1:
		d.Kind = Joined
	case before == 1:
		d.Kind = Split
	default:
		d.Kind = Regrouped
	}
	return d
}

// listed are incidents with so many occurrences each, by their ids.
func (w *World) listed(ids map[event.IncidentID]int) (out []Incident) {
	for id, n := range ids {
		i := w.incident(id).Incident
		i.Alerts = n
		out = append(out, i)
	}
	slices.SortFunc(out, func(a, b Incident) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// changed says in what one incident differs from the one in its place.
func changed(d *Difference, b *bundle) (words []string) {
	before, after := d.Before[0], d.After[0]
	if n := after.Alerts - b.overlap; n > 0 {
		words = append(words, fmt.Sprintf("alerts that were in none: %d", n))
	}
	if n := before.Alerts - b.overlap; n > 0 {
		words = append(words, fmt.Sprintf("alerts that are in none: %d", n))
	}
	if before.Priority != after.Priority {
		words = append(words, fmt.Sprintf("priority P%d, was P%d", after.Priority, before.Priority))
	}
	if before.Team != after.Team {
		words = append(words, fmt.Sprintf("team %q, was %q", after.Team, before.Team))
	}
	return words
}
