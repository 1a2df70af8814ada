package itsm

import (
	"slices"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/labelset"
)

// TellSupplier is the title of the task that a merge makes of a second ticket.
func TellSupplier(supplier, reference string) string {
	return clipTitle("tell " + supplier + " that ticket " + reference + " is about the same trouble")
}

// IsReviewAction tells whether a task's title is the machine's.
func IsReviewAction(title string) bool {
	actions := reviewActions()
	return slices.Contains(actions[:], title)
}

// IsFreeText tells whether an attribute's value may be any text.
func IsFreeText(attribute string) bool {
	is := func(a Attribute) bool { return a.Name == attribute && a.Kind != TextAttribute }
	return !slices.ContainsFunc(serviceAttributes[:], is) && !slices.ContainsFunc(assetAttributes[:], is)
}

// Redact takes an attribute's value away in all that was said of a CI. Values that differ stay different.
func (m *CMDB) Redact(tenant, id, attribute string, key uint64) {
	slot := m.Find(tenant, id)
	if slot == 0 {
		return
	}
	for at := m.recs.At(slot).head; at != 0; at = m.statements.At(at).older {
		attributes := labelset.Labels(m.text, m.statements.At(at).attributes)
		n := slices.IndexFunc(attributes, func(l event.Label) bool { return l.Name == attribute })
		if n < 0 || event.IsRedacted(attributes[n].Value) {
			continue
		}
		attributes = slices.Clone(attributes)
		attributes[n].Value = event.RedactedAs(attributes[n].Value, key)
		s := m.statements.Mut(at)
		was := s.attributes
		s.attributes = m.text.Put(attributes)
		m.text.Free(was)
	}
}
