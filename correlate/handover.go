package correlate

import (
	"fmt"
	"slices"

	"github.com/tocsin-noc/tocsin/event"
)

// book is what one team's shifts hand to each other: notes since the last signature, and who signed it.
type book struct {
	Tenant, Team string
	SignedAt     event.Time
	SignedBy     string
	Notes        []event.Handover
}

// maxBooks bounds the teams that keep a book.
const maxBooks = 1_000

// stepHandover adds a note for the next shift, or signs that this shift has taken over.
func (s *State) stepHandover(c *event.Command) *event.Refusal {
	h := &event.Handover{Tenant: c.Tenant, Team: c.Team, At: s.meta.At, Actor: c.Actor, Text: c.Text}
	if s.desk.book(c.Tenant, c.Team) < 0 && len(s.desk.Books) >= maxBooks {
		return &event.Refusal{Code: event.Conflict, Message: fmt.Sprintf("there are %d hand-over books, the most there can be", maxBooks)}
	}
	if c.Kind == event.SignHandover {
		s.emit(event.Change{Kind: event.HandoverSigned, Handover: h, Actor: c.Actor})
		return nil
	}
	if c.Text == "" {
		return &event.Refusal{Code: event.Invalid, Message: "a note needs a text"}
	}
	s.emit(event.Change{Kind: event.HandoverNoted, Handover: h, Actor: c.Actor})
	return nil
}

func (d *desk) book(tenant, team string) int {
	return slices.IndexFunc(d.Books, func(b *book) bool { return b.Tenant == tenant && b.Team == team })
}

func (s *State) applyHandover(ch *event.Change) {
	h := *ch.Handover
	h.Tenant, h.Team, h.Actor, h.Text = clone(h.Tenant), clone(h.Team), clone(h.Actor), clone(h.Text)
	i := s.desk.book(h.Tenant, h.Team)
	b := book{Tenant: h.Tenant, Team: h.Team}
	if i >= 0 {
		b = *s.desk.Books[i]
	}
	if ch.Kind == event.HandoverSigned {
		b.SignedAt, b.SignedBy, b.Notes = h.At, h.Actor, nil
	} else {
		b.Notes = append(slices.Clone(b.Notes[max(0, len(b.Notes)+1-keptNotes):]), h)
	}
	s.desk.Books = replaced(s.desk.Books, i, &b)
}
