package itsm

import (
	"cmp"
	"slices"

	"github.com/tocsin-noc/tocsin/event"
)

const (
	sureOfCI     = 100 // percent: an import or a person says so
	guessAtCI    = 50  // it was seen in alerts
	attributePin = "attributes."
)

// ciFields knows which fields a source may change, and pins those that a person does.
type ciFields struct {
	x      *ciCheck
	pinned []string // before; sorted
	fresh  []string
}

func (f *ciFields) byPerson() bool { return f.x.source == event.PeopleSource }

// open tells whether the source may change a field.
func (f *ciFields) open(field string) bool {
	if f.byPerson() {
		return true
	}
	_, pinned := slices.BinarySearch(f.pinned, field)
	return !pinned
}

// free is open for a field that is going to be changed: a person's change pins it.
func (f *ciFields) free(field string) bool {
	if f.byPerson() {
		f.fresh = append(f.fresh, field)
	}
	return f.open(field)
}

func (f *ciFields) pins() []string {
	if len(f.fresh) == 0 {
		return f.pinned
	}
	all := slices.Concat(f.pinned, f.fresh)
	slices.Sort(all)
	return slices.Compact(all)
}

// set changes a field to what is said of it, if anything is.
func setCI[T comparable](f *ciFields, field string, to *T, said T) {
	var nothing T
	if said != nothing && said != *to && f.free(field) {
		*to = said
	}
}

// merge returns what is known of a CI with what the edit says of it. Of a new CI, which has no state, nothing is known.
func (x *ciCheck) merge(base, said *event.CI) event.CI {
	alerts := x.source == event.AlertSource
	if alerts && base.State != 0 && base.State != event.CIDiscovered {
		return *base
	}
	out := *base
	f := ciFields{x: x, pinned: base.Pinned}
	setCI(&f, "class", &out.Class, said.Class)
	setCI(&f, "name", &out.Name, said.Name)
	setCI(&f, "needs", &out.Needs, said.Needs)
	x.mergeState(&f, &out, said)
	out.Name = cmp.Or(out.Name, out.ID)
	if base.State == 0 || base.State == event.CIDiscovered && out.State != event.CIDiscovered {
		out.Source = x.source
		out.Confidence = sureOfCI
		if alerts {
			out.Confidence = guessAtCI
		}
	}
	if said.Confidence != 0 && (f.byPerson() || out.Source == x.source) {
		out.Confidence = said.Confidence
	}
	out.Attributes = f.attributes(base.Attributes, said.Attributes, !alerts && out.Source == x.source)
	out.Relations = f.relations(base.Relations, said.Relations)
	out.Pinned = f.pins()
	return out
}

// mergeState sets the state that is said. Where none is: what is new is live, what was seen in alerts is so when it is confirmed, and
// what its own source retired is when that tells of it again.
func (x *ciCheck) mergeState(f *ciFields, out, said *event.CI) {
	switch {
	case x.source == event.AlertSource:
		out.State = event.CIDiscovered
	case said.State != 0 && (said.State != event.CIDiscovered || out.State == 0):
		setCI(f, "state", &out.State, said.State)
	case out.State == 0, out.State == event.CIDiscovered && f.open("state"):
		out.State = event.CILive
	case out.State == event.CIRetired && !f.byPerson() && out.Source == x.source && f.open("state"):
		out.State = event.CILive
	}
}

// attributes merges two sorted sets. What is said to be empty goes; what is not said goes when owned.
func (f *ciFields) attributes(base, said event.Labels, owned bool) event.Labels {
	owned = owned && !f.byPerson()
	out := make(event.Labels, 0, len(base)+len(said))
	for len(base) > 0 || len(said) > 0 {
		switch {
		case len(said) == 0 || len(base) > 0 && base[0].Name < said[0].Name:
			if !owned || !f.open(attributePin+base[0].Name) {
				out = append(out, base[0])
			}
			base = base[1:]
		case len(base) == 0 || said[0].Name < base[0].Name:
			if said[0].Value != "" && f.free(attributePin+said[0].Name) {
				out = append(out, said[0])
			}
			said = said[1:]
		default:
			out = f.attribute(out, base[0], said[0])
			base, said = base[1:], said[1:]
		}
	}
	return out
}

// attribute appends an attribute that is known and told of.
func (f *ciFields) attribute(out event.Labels, base, said event.Label) event.Labels {
	switch {
	case base == said || !f.free(attributePin+base.Name):
		return append(out, base)
	case said.Value == "":
		return out
	default:
		return append(out, said)
	}
}

// relations returns what becomes of base, sorted.
func (f *ciFields) relations(base, said []event.Relation) []event.Relation {
	person := f.byPerson()
	if person && len(said) == 0 || !person && !f.open("relations") {
		return base
	}
	out := make([]event.Relation, 0, len(base)+len(said))
	for _, r := range base {
		if f.keeps(r, said) {
			out = append(out, r)
		}
	}
	for _, r := range said {
		if r.Source = f.x.source; r.Kind != 0 && !(person && tells(base, r)) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, compareRelations)
	out = slices.Compact(out)
	if slices.Equal(base, out) {
		return base
	}
	if person {
		f.fresh = append(f.fresh, "relations")
	}
	return out
}

// keeps tells whether a known relation stays besides those that are said: an import replaces its own, a person all.
func (f *ciFields) keeps(r event.Relation, said []event.Relation) bool {
	switch f.x.source {
	case event.PeopleSource:
		return tells(said, r)
	case event.AlertSource:
		return true
	default:
		return r.Source != f.x.source
	}
}

// tells tells whether a list holds a relation, whoever says so.
func tells(list []event.Relation, r event.Relation) bool {
	return slices.ContainsFunc(list, func(other event.Relation) bool { return other.Kind == r.Kind && other.To == r.To })
}

func compareRelations(a, b event.Relation) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.To, b.To), cmp.Compare(a.Source, b.Source))
}

// inOrder returns relations as they are kept: sorted, without what is none.
func inOrder(relations []event.Relation) []event.Relation {
	none := func(r event.Relation) bool { return r.Kind < event.DependsOn || r.Kind > event.BacksUp }
	if slices.IsSortedFunc(relations, compareRelations) && !slices.ContainsFunc(relations, none) {
		return relations
	}
	relations = slices.DeleteFunc(slices.Clone(relations), none)
	slices.SortFunc(relations, compareRelations)
	return relations
}

// sameCI tells whether two statements about a CI say the same.
func sameCI(a, b *event.CI) bool {
	return a.Class == b.Class && a.Name == b.Name && a.State == b.State && a.Needs == b.Needs && a.Source == b.Source &&
		a.Confidence == b.Confidence && a.Attributes.Equal(b.Attributes) && slices.Equal(a.Relations, b.Relations) &&
		slices.Equal(a.Pinned, b.Pinned)
}
