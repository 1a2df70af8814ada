package itsm

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tocsin-noc/tocsin/event"
)

// edit merges what is said of one CI with what is known, and puts out what changes.
func (x *ciCheck) edit(said *event.CI) {
	valid := said.ValidFrom
	if valid == 0 {
		valid = x.at
	}
	x.change(said.ID, valid, func(base *event.CI) event.CI { return x.merge(base, said) })
}

// amend changes a CI that must be there: since now, or since when it is planned to be.
func (x *ciCheck) amend(id string, to func(base *event.CI) event.CI) {
	if _, set := x.given[id]; set {
		return // refused already
	}
	slot := x.g.Find(x.tenant, id)
	if slot == 0 {
		x.fault(id, "there is no such CI"+x.nearMiss(id))
		return
	}
	valid := x.at
	if line := x.g.timeline(slot); x.g.asOf(slot, x.at, x.at) == 0 && len(line) > 0 {
		valid = x.g.said.At(line[0]).validFrom
	}
	x.change(id, valid, to)
}

func (x *ciCheck) retire(base *event.CI) event.CI {
	out := *base
	f := ciFields{x: x, pinned: base.Pinned}
	if base.State != event.CIRetired && f.free("state") {
		out.State = event.CIRetired
	}
	out.Pinned = f.pins()
	return out
}

func (x *ciCheck) release(base *event.CI) event.CI {
	out := *base
	out.Pinned = nil
	return out
}

// change puts out what a change makes of a CI from a time on: of what holds then, and of what had been said for later, as far as that
// had said nothing of its own. What was said before the first known statement starts from that.
func (x *ciCheck) change(id string, valid event.Time, to func(base *event.CI) event.CI) {
	slot := x.g.Find(x.tenant, id)
	if slot == 0 {
		x.fresh++
		merged := to(&event.CI{Tenant: x.tenant, ID: id})
		x.checkMerged(&merged)
		x.put(merged, valid)
		return
	}
	line := x.g.timeline(slot)
	i := 0
	for i+1 < len(line) && x.g.said.At(line[i+1]).validFrom <= valid {
		i++
	}
	base := x.g.statement(line[i])
	earlier := valid < base.ValidFrom
	merged := to(&base)
	if !earlier && sameCI(&base, &merged) {
		return
	}
	x.checkMerged(&merged)
	x.put(merged, valid)
	if !earlier {
		line = line[i+1:]
	}
	if len(line) >= MaxCIPlans && x.g.said.At(line[len(line)-MaxCIPlans]).validFrom > x.at {
		x.fault(id, fmt.Sprintf("more than %d versions of it would be planned", MaxCIPlans))
	}
	for _, at := range line {
		later := x.g.statement(at)
		x.put(carry(&base, &merged, later), later.ValidFrom)
	}
}

func (x *ciCheck) put(ci event.CI, valid event.Time) {
	ci.ValidFrom, ci.KnownAt = valid, x.at
	ci.Attributes, ci.Relations, ci.Pinned = orNil(ci.Attributes), orNil(ci.Relations), orNil(ci.Pinned)
	x.checkBounds(&ci)
	x.out = append(x.out, ci)
}

// orNil is a list as it is read back: what is empty is nil.
func orNil[S ~[]T, T any](list S) S {
	if len(list) == 0 {
		return nil
	}
	return list
}

// timeline returns the statements about a CI as known now, each of which holds from its time until the next one's.
func (g *cmdbReads) timeline(slot uint32) []uint32 {
	var out []uint32
	before := event.Never
	for at := g.recs.At(slot).head; at != 0; at = g.said.At(at).older {
		if s := g.said.At(at); s.validFrom < before {
			out, before = append(out, at), s.validFrom
		}
	}
	slices.Reverse(out)
	return out
}

// carry makes the change from one content to another on a third, which was said for a later time, as far as that had said nothing of its
// own: where it differs from the first already, it stays.
func carry(from, to *event.CI, later event.CI) event.CI {
	moved(&later.Class, from.Class, to.Class)
	moved(&later.Name, from.Name, to.Name)
	moved(&later.State, from.State, to.State)
	moved(&later.Needs, from.Needs, to.Needs)
	moved(&later.Source, from.Source, to.Source)
	moved(&later.Confidence, from.Confidence, to.Confidence)
	switch {
	case slices.Equal(later.Relations, from.Relations):
		later.Relations = slices.Clone(to.Relations)
	case !slices.Contains(later.Pinned, "relations"):
		later.Relations = carryList(from.Relations, to.Relations, later.Relations, compareRelations)
	}
	attributes := slices.DeleteFunc(slices.Clone(later.Attributes), func(l event.Label) bool {
		return l.Value == from.Attributes.Get(l.Name) && l.Value != to.Attributes.Get(l.Name)
	})
	for _, l := range to.Attributes {
		if was := from.Attributes.Get(l.Name); was != l.Value && later.Attributes.Get(l.Name) == was {
			attributes = append(attributes, l)
		}
	}
	slices.SortFunc(attributes, compareNames)
	later.Attributes = attributes
	later.Pinned = carryList(from.Pinned, to.Pinned, later.Pinned, compareTexts)
	return later
}

func compareNames(a, b event.Label) int { return cmp.Compare(a.Name, b.Name) }

func compareTexts(a, b string) int { return cmp.Compare(a, b) }

func moved[T comparable](field *T, from, to T) {
	if *field == from {
		*field = to
	}
}

// carryList takes from a sorted list what was taken from another, and adds what was added to that.
func carryList[T comparable](from, to, later []T, compare func(a, b T) int) []T {
	out := slices.DeleteFunc(slices.Clone(later), func(v T) bool { return slices.Contains(from, v) && !slices.Contains(to, v) })
	for _, v := range to {
		if !slices.Contains(from, v) && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, compare)
	return out
}
