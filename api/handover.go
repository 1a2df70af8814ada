package api

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

const (
	shiftLength   = 8 * event.Hour // where nobody has signed yet
	idleAfter     = 30 * event.Minute
	endingWithin  = 12 * event.Hour
	maxHandedOver = 100 // entries of one section; its total counts all
)

// Handover is what one shift hands to the next, the worst first.
type Handover struct {
	Team     string         `json:"team" doc:"empty: all teams"`
	At       time.Time      `json:"at"`
	Since    time.Time      `json:"since" doc:"when the shift began: the last signature, else 8 h ago, or what was asked for"`
	SignedAt *time.Time     `json:"signed_at" doc:"of the team's book; null: nobody ever did"`
	SignedBy string         `json:"signed_by"`
	Open     HandoverPart   `json:"open" doc:"P1 to P3"`
	Idle     HandoverPart   `json:"idle" doc:"acknowledged, and nobody did anything for 30 min; neither snoozed nor on hold"`
	Held     HandoverPart   `json:"held" doc:"on hold, the first due first"`
	Snoozed  HandoverPart   `json:"snoozed" doc:"the first to wake first"`
	Flapping HandoverPart   `json:"flapping"`
	New      HandoverPart   `json:"new" doc:"opened since the shift began, resolved ones too"`
	Blind    []Heartbeat    `json:"blind" doc:"heartbeats that are lost"`
	Storms   []Storm        `json:"storms" doc:"since the shift began"`
	Ending   []Occasion     `json:"ending" doc:"silences and windows that end within 12 h, the first first"`
	Notes    []HandoverNote `json:"notes" doc:"of the outgoing shift, oldest first"`

	known bool // an incident, a note or a signature of the team is there
}

// HandoverPart is one section: its first 100 entries, and how many there are.
type HandoverPart struct {
	Total   int             `json:"total"`
	Entries []HandoverEntry `json:"entries"`
}

// HandoverEntry is an incident as a shift hands it over.
type HandoverEntry struct {
	Incident  Incident      `json:"incident"`
	LastNote  *HandoverNote `json:"last_note,omitempty" doc:"left out: nobody noted anything"`
	NextStep  string        `json:"next_step" doc:"what it waits for, or what the last note says"`
	TouchedAt *time.Time    `json:"touched_at" doc:"when a person did something about it last; null: nobody did"`
}

// HandoverNote is what somebody wrote.
type HandoverNote struct {
	At     time.Time `json:"at"`
	Author string    `json:"author"`
	Text   string    `json:"text"`
	Team   string    `json:"team" doc:"whose book it is in; empty for a note on an incident"`
}

// HandoverQuery is whose hand-over is asked for.
type HandoverQuery struct {
	Team  string `query:"team" maxLength:"200" doc:"the incidents of this team, and its book; without it: all, and the tenant's book"`
	Since string `query:"since" doc:"begin of the shift: RFC 3339, or a span before now such as 8h; without it: the last signature"`
}

// Handover puts the hand-over of a team of ctx's tenant together.
func (d *Desk) Handover(ctx context.Context, q *HandoverQuery) (*Handover, error) {
	v, err := d.engine.View(ctx)
	if err != nil {
		return nil, failure(err)
	}
	tenant, now := auth.FromContext(ctx).Tenant, d.now()
	book := v.Book(tenant, q.Team)
	since, err := parseSince(q.Since, now)
	switch {
	case err != nil:
		return nil, err
	case since == 0 && book.SignedAt != 0:
		since = book.SignedAt
	case since == 0:
		since = now - shiftLength
	}
	out := &Handover{
		Team: q.Team, At: now.Time(), Since: since.Time(), SignedAt: stamp(book.SignedAt), SignedBy: d.name(book.SignedBy), Notes: d.notes(book.Notes),
		Storms: stormsSince(v, tenant, since), Blind: []Heartbeat{},
	}
	for _, h := range heartbeats(v, tenant) {
		if h.LostAt != nil {
			out.Blind = append(out.Blind, h)
		}
	}
	if out.Ending, err = endingSoon(ctx, v, now); err != nil {
		return nil, err
	}
	out.known = len(out.Notes) > 0 || book.SignedAt != 0
	return out, d.handOver(ctx, v, out, shift{tenant, q.Team, since, now})
}

// handover refuses a team that nobody has heard of: a misspelt name must not look like a quiet night.
func (s *server) handover(ctx context.Context, q *HandoverQuery) (*Handover, error) {
	h, err := s.desk.Handover(ctx, q)
	if err != nil || q.Team == "" || h.known || s.Outbox == nil {
		return h, err
	}
	teams, err := s.Outbox.Teams()
	if err != nil {
		return nil, err
	}
	var names []string
	for i := range teams {
		names = append(names, teams[i].Team)
	}
	if len(names) == 0 || slices.Contains(names, q.Team) {
		return h, nil
	}
	p := notFound("team " + strconv.Quote(q.Team) + ": no incident, no note and no setting names it")
	p.Hint = "the notify_file names " + strings.Join(names, ", ")
	return nil, p
}

// shift is which incidents a hand-over is about.
type shift struct {
	tenant, team string
	since, now   event.Time
}

// handOver fills in the sections about incidents.
func (d *Desk) handOver(ctx context.Context, v *correlate.View, out *Handover, sh shift) error {
	tell := &teller{desk: d, view: v, known: map[event.IncidentID]*HandoverEntry{}}
	var parts struct{ open, acked, held, snoozed, flapping, fresh []correlate.Incident }
	for i := range v.Incidents() {
		if !event.InTenant(sh.tenant, i.Tenant) || sh.team != "" && i.Team != sh.team {
			continue
		}
		out.known = true
		open := i.Phase == event.IncidentOpen
		for _, p := range []struct {
			belongs bool
			part    *[]correlate.Incident
		}{
			{open && i.Priority <= 3, &parts.open},
			{open && i.AckedAt != 0 && i.AckedAt <= sh.now-idleAfter && i.SnoozedUntil == 0 && i.HeldUntil == 0, &parts.acked},
			{open && i.HeldUntil != 0, &parts.held}, {open && i.SnoozedUntil != 0, &parts.snoozed},
			{open && i.Damped > 0, &parts.flapping}, {i.OpenedAt >= sh.since, &parts.fresh},
		} {
			if p.belongs {
				*p.part = append(*p.part, i)
			}
		}
	}
	byHold := func(a, b correlate.Incident) int { return int(a.HeldUntil - b.HeldUntil) }
	bySnooze := func(a, b correlate.Incident) int { return int(a.SnoozedUntil - b.SnoozedUntil) }
	out.Open, out.Flapping = tell.part(ctx, parts.open, worstFirst), tell.part(ctx, parts.flapping, worstFirst)
	out.Held, out.Snoozed = tell.part(ctx, parts.held, byHold), tell.part(ctx, parts.snoozed, bySnooze)
	out.New, out.Idle = tell.part(ctx, parts.fresh, worstFirst), tell.idle(ctx, parts.acked, sh.now-idleAfter)
	return tell.err
}

// worstFirst orders by priority, among equals those that wait longest for somebody.
func worstFirst(a, b correlate.Incident) int {
	if a.Priority != b.Priority {
		return int(a.Priority) - int(b.Priority)
	}
	return int(a.ID) - int(b.ID)
}

// teller reads what people did about incidents, each timeline once. The first error stays.
type teller struct {
	desk  *Desk
	view  *correlate.View
	known map[event.IncidentID]*HandoverEntry
	err   error
}

func (t *teller) part(ctx context.Context, of []correlate.Incident, order func(a, b correlate.Incident) int) HandoverPart {
	slices.SortStableFunc(of, order)
	out := HandoverPart{Total: len(of), Entries: []HandoverEntry{}}
	for _, i := range of[:min(len(of), maxHandedOver)] {
		if e := t.entry(ctx, i); e != nil {
			out.Entries = append(out.Entries, *e)
		}
	}
	return out
}

// idle keeps of what was acknowledged long ago that which nobody has touched since before. Beyond the entries that it shows it
// counts by the acknowledgement alone: timelines are long.
func (t *teller) idle(ctx context.Context, acked []correlate.Incident, before event.Time) HandoverPart {
	slices.SortStableFunc(acked, worstFirst)
	out := HandoverPart{Entries: []HandoverEntry{}}
	for n, i := range acked {
		if len(out.Entries) == maxHandedOver {
			out.Total += len(acked) - n
			break
		}
		e := t.entry(ctx, i)
		if e == nil || e.TouchedAt != nil && e.TouchedAt.After(before.Time()) {
			continue
		}
		out.Total++
		out.Entries = append(out.Entries, *e)
	}
	return out
}

// entry returns an incident with what people said and did about it, nil after an error.
func (t *teller) entry(ctx context.Context, i correlate.Incident) *HandoverEntry {
	if e := t.known[i.ID]; e != nil || t.err != nil {
		return e
	}
	e := &HandoverEntry{Incident: t.desk.incident(t.view, i, countedOnLists), NextStep: heldFor(&i.IncidentState)}
	if t.err = t.past(ctx, i.ID, e); t.err != nil {
		return nil
	}
	if e.LastNote != nil {
		e.LastNote.Author = t.desk.name(e.LastNote.Author)
	}
	if e.NextStep == "" && e.LastNote != nil {
		e.NextStep = e.LastNote.Text
	}
	t.known[i.ID] = e
	return e
}

// heldFor says what an incident on hold waits for, in words or at least by its kind.
func heldFor(i *event.IncidentState) string {
	if i.HeldFor == "" && i.HeldAs != 0 {
		return "waits for the " + i.HeldAs.String()
	}
	return i.HeldFor
}

// past reads what people did from an incident's timeline.
func (t *teller) past(ctx context.Context, id event.IncidentID, e *HandoverEntry) error {
	var after engine.Cursor
	for more := true; more; {
		var page []event.Change
		var err error
		if page, _, more, err = t.desk.engine.Timeline(ctx, id, after, maxDecisions); err != nil {
			return failure(err)
		}
		for n := range page {
			e.did(&page[n])
			after = cursorOf(&page[n])
		}
	}
	return nil
}

// did takes note of a change if a person made it.
func (e *HandoverEntry) did(ch *event.Change) {
	if ch.Actor == "" || ch.Incident == nil {
		return
	}
	e.TouchedAt = stamp(ch.At)
	if ch.Kind == event.IncidentNoted {
		e.LastNote = &HandoverNote{At: ch.At.Time(), Author: ch.Actor, Text: ch.Text}
	}
}

// endingSoon returns the silences and the windows' occurrences that end within 12 h.
func endingSoon(ctx context.Context, v *correlate.View, now event.Time) ([]Occasion, error) {
	all, err := occasions(ctx, v, now, now+endingWithin+1)
	if err != nil {
		return nil, err
	}
	out := []Occasion{}
	for _, o := range all {
		if !o.EndsAt.After((now + endingWithin).Time()) {
			out = append(out, o)
		}
	}
	slices.SortStableFunc(out, func(a, b Occasion) int { return a.EndsAt.Compare(b.EndsAt) })
	return out, nil
}

// HandoverBook is what a team's shifts have written to each other since the last signature.
type HandoverBook struct {
	Team     string         `json:"team"`
	SignedAt *time.Time     `json:"signed_at"`
	SignedBy string         `json:"signed_by"`
	Notes    []HandoverNote `json:"notes"`
}

func handoverNote(h *event.Handover) HandoverNote {
	return HandoverNote{At: h.At.Time(), Author: h.Actor, Text: h.Text, Team: h.Team}
}

func (d *Desk) notes(in []event.Handover) []HandoverNote {
	out := make([]HandoverNote, len(in))
	for i := range in {
		out[i] = handoverNote(&in[i])
		out[i].Author = d.name(out[i].Author)
	}
	return out
}

// NoteHandover leaves a note for a team's next shift and returns the book.
func (d *Desk) NoteHandover(ctx context.Context, team, text string) (*HandoverBook, error) {
	return d.book(ctx, event.Command{Kind: event.NoteHandover, Team: team, Text: text})
}

// SignHandover says that ctx's principal has taken a team's shift over, and returns the book, which is empty now.
func (d *Desk) SignHandover(ctx context.Context, team string) (*HandoverBook, error) {
	return d.book(ctx, event.Command{Kind: event.SignHandover, Team: team})
}

func (d *Desk) book(ctx context.Context, c event.Command) (*HandoverBook, error) {
	if err := mayActFor(ctx, c.Team, "the book"); err != nil {
		return nil, err
	}
	if _, err := d.do(ctx, c); err != nil {
		return nil, err
	}
	v, err := d.engine.View(ctx)
	if err != nil {
		return nil, failure(err)
	}
	b := v.Book(auth.FromContext(ctx).Tenant, c.Team)
	return &HandoverBook{c.Team, stamp(b.SignedAt), d.name(b.SignedBy), d.notes(b.Notes)}, nil
}
