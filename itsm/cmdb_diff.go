package itsm

import (
	"strconv"

	"github.com/tocsin-noc/tocsin/event"
)

// FieldDiff is one field that differs. From or To is "" when there is nothing.
type FieldDiff struct {
	Field string // "name", "attributes.owner", "relations.depends_on.db-1"
	From  string
	To    string // of a relation: who says so
}

// Diff lists in which fields two statements about a CI differ, besides their times. A CI that is new differs from the zero CI.
func Diff(from, to *event.CI) []FieldDiff {
	var out []FieldDiff
	add := func(field, a, b string) {
		if a != b {
			out = append(out, FieldDiff{field, a, b})
		}
	}
	add("class", from.Class, to.Class)
	add("name", from.Name, to.Name)
	add("state", stateText(from.State), stateText(to.State))
	add("needs", numberText(from.Needs), numberText(to.Needs))
	add("source", from.Source, to.Source)
	add("confidence", numberText(uint16(from.Confidence)), numberText(uint16(to.Confidence)))
	sides(from.Attributes, to.Attributes, compareNames, func(a, b *event.Label) {
		switch {
		case a == nil:
			add(attributePin+b.Name, "", b.Value)
		case b == nil:
			add(attributePin+a.Name, a.Value, "")
		default:
			add(attributePin+a.Name, a.Value, b.Value)
		}
	})
	sides(from.Relations, to.Relations, compareRelations, func(a, b *event.Relation) {
		switch {
		case a == nil:
			add(relationField(b), "", b.Source)
		case b == nil:
			add(relationField(a), a.Source, "")
		}
	})
	sides(from.Pinned, to.Pinned, compareTexts, func(a, b *string) {
		switch {
		case a == nil:
			add("pinned."+*b, "", "yes")
		case b == nil:
			add("pinned."+*a, "yes", "")
		}
	})
	return out
}

func relationField(r *event.Relation) string { return "relations." + r.Kind.String() + "." + r.To }

func stateText(s event.CIState) string {
	if s == 0 {
		return ""
	}
	return s.String()
}

func numberText(n uint16) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(int(n))
}

// sides walks two sorted lists side by side; what is missing on one side is nil.
func sides[T any](a, b []T, compare func(a, b T) int, f func(a, b *T)) {
	for len(a) > 0 || len(b) > 0 {
		order := 0
		switch {
		case len(b) == 0:
			order = -1
		case len(a) == 0:
			order = 1
		default:
			order = compare(a[0], b[0])
		}
		switch {
		case order < 0:
			f(&a[0], nil)
			a = a[1:]
		case order > 0:
			f(nil, &b[0])
			b = b[1:]
		default:
			f(&a[0], &b[0])
			a, b = a[1:], b[1:]
		}
	}
}
