package engine

import (
	"context"
	"fmt"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
)

// hide is one walk over changes in their order: it takes the text out of each, says whether it stood there, and whether it
// wants to see more.
type hide func(ch *event.Change) (hit, more bool)

// blank replaces a text and says whether there was one.
func blank(text *string) bool {
	if *text == "" || *text == Redacted {
		return false
	}
	*text = Redacted
	return true
}

// wordy tells which kinds of change hold words of a person.
func wordy(k event.ChangeKind) bool {
	switch k {
	case event.AlertSeen, event.AlertUnconfirmed, event.AlertFiring, event.AlertUpdated, event.AlertCleared, event.AlertExpired, event.ClaimEnded,
		event.AlertSuppressed, event.AlertReleased, event.AlertSeverity, event.AlertJoined, event.AlertDropped, event.AlertDamped, event.AlertSteadied:
		return false
	default:
		return true
	}
}

// hideEntry takes away what a person said in a timeline entry, besides what was done. The reason of a hold stands in all that happens to the incident until the
// hold ends or is set anew.
func hideEntry(incident event.IncidentID, at Cursor, note string) hide {
	holding := false
	return func(ch *event.Change) (hit, more bool) {
		switch {
		case ch.Seq < at.Seq || ch.Seq == at.Seq && ch.N < at.N:
			return false, true
		case ch.Seq == at.Seq && ch.N == at.N:
			holding = ch.Kind == event.IncidentHeld
			said := note
			if holding {
				said = ch.Incident.HeldFor
			}
			text := withoutNote(ch.Text, said)
			hit, ch.Text = text != ch.Text, text
			if holding {
				hit = blank(&ch.Incident.HeldFor) || hit
			}
			return hit, holding
		case ch.Incident == nil || ch.Incident.ID != incident:
			return false, holding
		case ch.Kind == event.IncidentHeld || ch.Incident.HeldFor == "":
			return false, false
		}
		return blank(&ch.Incident.HeldFor), true
	}
}

func hideHandover(at Cursor) hide {
	return func(ch *event.Change) (hit, more bool) {
		if ch.Seq != at.Seq || ch.N != at.N {
			return false, ch.Seq <= at.Seq
		}
		return ch.Handover != nil && blank(&ch.Handover.Text), false
	}
}

func hideSilence(tenant, id string) hide {
	return func(ch *event.Change) (hit, more bool) {
		return ch.Silence != nil && ch.Silence.ID == id && ch.Silence.Tenant == tenant && blank(&ch.Silence.Comment), true
	}
}

func hideWindow(tenant, id string) hide {
	return func(ch *event.Change) (hit, more bool) {
		return ch.Window != nil && ch.Window.ID == id && ch.Window.Tenant == tenant && blank(&ch.Window.Reason), true
	}
}

// say carries out a command that puts other words in the place of those that the state holds.
func (e *Engine) say(ctx context.Context, c event.Command, hint string) error {
	res, err := e.Do(ctx, c)
	if err != nil {
		return err
	}
	if res.Err != nil {
		return &event.Refusal{Code: event.Conflict, Message: "the text is still in use, and cannot be replaced: " + res.Err.Message, Hint: hint}
	}
	return nil
}

// holdAnew gives the hold that a change began other words, if it lasts.
func (e *Engine) holdAnew(ctx context.Context, ch *event.Change, by string) error {
	v, err := e.View(ctx)
	if err != nil {
		return err
	}
	i, ok := v.Incident(ch.Incident.ID)
	if !ok || i.HeldFor == "" || i.HeldFor == Redacted || i.HeldFor != ch.Incident.HeldFor {
		return nil
	}
	return e.say(ctx, event.Command{
		Kind: event.Hold, Incident: uint64(i.ID), Tenant: i.Tenant, Actor: by, Until: i.HeldUntil, HeldAs: i.HeldAs, Text: Redacted,
	}, "try again in a moment")
}

func (e *Engine) silenceAnew(ctx context.Context, tenant, id, by string) error {
	v, err := e.View(ctx)
	if err != nil {
		return err
	}
	sil := commented(v, tenant, id)
	if sil == nil {
		return nil
	}
	anew := *sil
	anew.Comment = Redacted
	return e.say(ctx, event.Command{Kind: event.SetSilence, Tenant: tenant, Actor: by, Silence: &anew},
		"a silence that has ended is forgotten after silence_retention; try again then")
}

// commented returns a silence that has a comment to take away, nil when there is none.
func commented(v *correlate.View, tenant, id string) *event.Silence {
	for sil := range v.Silences(tenant) {
		if sil.ID == id && sil.Comment != "" && sil.Comment != Redacted {
			return sil
		}
	}
	return nil
}

func (e *Engine) windowAnew(ctx context.Context, tenant, id, by string) error {
	v, err := e.View(ctx)
	if err != nil {
		return err
	}
	w := reasoned(v, tenant, id)
	if w == nil {
		return nil
	}
	if w.Runs() { // setting it anew would end the occurrence, and what it quiets would ring
		return &event.Refusal{
			Code: event.Conflict, Message: "the window runs until " + w.CloseAt.Time().UTC().Format("2006-01-02 15:04 MST"), Hint: "try again then",
		}
	}
	anew := *w
	anew.Reason = Redacted
	return e.say(ctx, event.Command{Kind: event.SetWindow, Tenant: tenant, Actor: by, Window: &anew},
		"a window that is over is forgotten after silence_retention; try again then")
}

// reasoned returns a window that has a reason to take away, nil when there is none.
func reasoned(v *correlate.View, tenant, id string) *event.Window {
	for w := range v.Windows(tenant) {
		if w.ID == id && w.Reason != Redacted {
			return &w.Window
		}
	}
	return nil
}

// mustBeSigned refuses a hand-over note that the next shift has yet to sign, and a place where none is.
func (e *Engine) mustBeSigned(ctx context.Context, tenant string, at Cursor) error {
	v, err := e.View(ctx)
	if err != nil {
		return err
	}
	h, err := e.handover(at)
	if err != nil {
		return err
	}
	if h == nil || h.Tenant != tenant {
		return &event.Refusal{Code: event.NotFound, Message: "there is no hand-over note " + at.String()}
	}
	for _, note := range v.Book(tenant, h.Team).Notes {
		if note.At == h.At && note.Actor == h.Actor {
			return &event.Refusal{Code: event.Conflict, Message: "the note waits for the next shift", Hint: "sign the book first"}
		}
	}
	return nil
}

// handover returns the hand-over note that a change made, nil when none did.
func (e *Engine) handover(at Cursor) (*event.Handover, error) {
	r := e.changes.Reader(max(at.Seq, e.changes.First()))
	defer r.Close()
	rec, _, err := r.Next()
	if err != nil || rec.Seq != at.Seq {
		return nil, ignoreEOF(err)
	}
	changes, err := event.DecodeChanges(rec.Payload, rec.Seq, event.Time(rec.At))
	if err != nil {
		return nil, fmt.Errorf("engine: redact: %w", err)
	}
	if int(at.N) >= len(changes) || changes[at.N].Kind != event.HandoverNoted {
		return nil, nil
	}
	return changes[at.N].Handover, nil
}
