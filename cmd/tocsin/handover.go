package main

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
)

func newHandoverCommand() *cobra.Command {
	var team, since string
	cmd := &cobra.Command{
		Use:   "handover",
		Short: "Show what one shift hands to the next, leave notes for it, sign",
		Long: `Show what one shift hands to the next, the worst first: what is open, idle, on hold, snoozed, flapping, blind, what is new, what ends soon,
and the notes of the outgoing shift. The incoming one signs; then the next shift begins.`,
		Example: "  tocsin handover --team db\n  tocsin handover note 'db-4 is slow, the vendor calls at six'\n  tocsin handover sign",
		Args:    cobra.NoArgs,
	}
	r := addRemote(cmd.PersistentFlags())
	cmd.PersistentFlags().StringVar(&team, "team", "", "`TEAM` whose incidents and book (default all, and everybody's book)")
	cmd.Flags().StringVar(&since, "since", "", "`WHEN` the shift began: a span such as 8h, or 2026-11-21T03:00:00Z (default the last signature)")
	cmd.RunE = r.run(func(ctx context.Context, t *tool, _ []string) error {
		query := url.Values{}
		setText(query, "team", team, "since", since)
		text, h, err := fetch[api.Handover](ctx, t.api, query, "handover")
		if err != nil {
			return err
		}
		if t.json {
			return t.raw(text)
		}
		(&speaker{printer: t.printer}).handover(h)
		return nil
	})
	cmd.AddCommand(newHandoverNoteCommand(r, &team), newHandoverSignCommand(r, &team))
	return cmd
}

func newHandoverNoteCommand(r *remote, team *string) *cobra.Command {
	return &cobra.Command{
		Use:     "note [TEXT…]",
		Short:   "Leave a note for the next shift; without a text, or with -, it is read from standard input",
		Example: "  tocsin handover note 'db-4 is slow, the vendor calls at six'",
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			note, err := noteText(t, args)
			if err != nil {
				return err
			}
			text, b, err := act[api.HandoverBook](ctx, t.api, map[string]string{"team": *team, "text": note}, "handover", "notes")
			if err != nil {
				return err
			}
			if t.json {
				return t.raw(text)
			}
			t.line("noted; the next shift finds %s", plural(len(b.Notes), "note", "notes"))
			return nil
		}),
	}
}

func newHandoverSignCommand(r *remote, team *string) *cobra.Command {
	return &cobra.Command{
		Use:     "sign",
		Short:   "Take the shift over; the notes so far are done with",
		Example: "  tocsin handover sign --team db",
		Args:    cobra.NoArgs,
		RunE: r.run(func(ctx context.Context, t *tool, _ []string) error {
			text, b, err := act[api.HandoverBook](ctx, t.api, map[string]string{"team": *team}, "handover", "sign")
			if err != nil {
				return err
			}
			if t.json {
				return t.raw(text)
			}
			t.line("%s has taken over%s", b.SignedBy, unless(*team == "", " for "+*team))
			return nil
		}),
	}
}

// speaker prints a hand-over so that it can be read aloud: short sections, and of what is empty one line.
type speaker struct {
	*printer
	terse bool // the line before was of an empty section
}

func (s *speaker) handover(h *api.Handover) {
	signed := "nobody has signed yet"
	if h.SignedAt != nil {
		signed = "signed by " + h.SignedBy + " " + s.time(*h.SignedAt)
	}
	s.line("Hand-over of %s: the shift since %s; %s", cmp.Or(h.Team, "all teams"), s.clock(&h.Since), signed)
	s.part("Open, P1 to P3", "nothing of P1 to P3 is open", h.Open, s.whole)
	s.part("Acknowledged, and nobody did anything for 30 minutes", "nothing that is acknowledged lies idle", h.Idle, s.idle)
	s.part("On hold", "nothing on hold", h.Held, s.held)
	s.part("Snoozed", "nothing snoozed", h.Snoozed, s.snoozed)
	s.part("Flapping", "nothing flaps", h.Flapping, s.brief)
	list(s, "Blind: heartbeats that are lost", "every heartbeat is heard", h.Blind, s.blind)
	list(s, "Storms since the shift began", "no storm", h.Storms, s.storm)
	s.part("New since the shift began", "nothing new since the shift began", h.New, s.brief)
	list(s, "Silences and windows that end within 12 hours", "no silence or window ends within 12 hours", h.Ending, s.ending)
	list(s, "Notes of the outgoing shift", "no notes", h.Notes, func(n api.HandoverNote) { s.line("  %s %s: %s", n.Author, s.time(n.At), n.Text) })
}

// title begins a section of n entries, and tells whether there are any.
func (s *speaker) title(title, empty string, n int) bool {
	if n > 0 {
		s.section(fmt.Sprintf("%s (%d)", title, n))
		s.terse = false
		return true
	}
	if !s.terse {
		s.line("")
	}
	s.terse = true
	s.line("%s", strings.ToUpper(empty[:1])+empty[1:])
	return false
}

func list[T any](s *speaker, title, empty string, entries []T, say func(T)) {
	if s.title(title, empty, len(entries)) {
		for _, e := range entries {
			say(e)
		}
	}
}

func (s *speaker) part(title, empty string, part api.HandoverPart, say func(*api.HandoverEntry)) {
	if !s.title(title, empty, part.Total) {
		return
	}
	for n := range part.Entries[:min(len(part.Entries), shownEntries)] {
		say(&part.Entries[n])
	}
	if more := part.Total - min(len(part.Entries), shownEntries); more > 0 {
		s.line("  and %d more", more)
	}
}

// whose names an incident, with its tenant where all are looked into.
func (s *speaker) whose(i *api.Incident) string {
	if s.wide {
		return i.Tenant + " " + i.ID
	}
	return i.ID
}

func (s *speaker) brief(e *api.HandoverEntry) {
	i := &e.Incident
	s.line("  %s  %s  %s (opened %s, %s, %s)", priority(i.Priority), s.whose(i), i.Title, s.time(i.OpenedAt), statusText(i), cmp.Or(owner(i), "nobody has it"))
}

// whole is brief with what people said, and what comes next where that is something else.
func (s *speaker) whole(e *api.HandoverEntry) {
	s.brief(e)
	if n := e.LastNote; n != nil {
		s.line("      last note, %s %s: %s", n.Author, s.time(n.At), n.Text)
	}
	if e.NextStep != "" && (e.LastNote == nil || e.NextStep != e.LastNote.Text) {
		s.line("      next: %s", e.NextStep)
	}
}

func (s *speaker) idle(e *api.HandoverEntry) {
	s.line("  %s  %s  %s (%s, last touched %s)", priority(e.Incident.Priority), s.whose(&e.Incident), e.Incident.Title, owner(&e.Incident), s.at(e.TouchedAt))
}

func (s *speaker) held(e *api.HandoverEntry) {
	s.line("  %s  %s  %s: due %s, %s", priority(e.Incident.Priority), s.whose(&e.Incident), e.Incident.Title, s.clock(e.Incident.HeldUntil), held(&e.Incident))
}

func (s *speaker) snoozed(e *api.HandoverEntry) {
	s.line("  %s  %s  %s: rings again %s", priority(e.Incident.Priority), s.whose(&e.Incident), e.Incident.Title, s.clock(e.Incident.SnoozedUntil))
}

func (s *speaker) blind(b api.Heartbeat) {
	s.line("  %s: last word %s%s", b.Name, s.at(b.LastWord), unless(b.Incident == "", ", "+b.Incident))
}

func (s *speaker) storm(st api.Storm) {
	ended := "and goes on"
	if st.EndedAt != nil {
		ended = "ended " + s.time(*st.EndedAt)
	}
	s.line("  %s: began %s, %s: %s, %d told of together, the worst %s", st.ID, s.time(st.BeganAt), ended,
		plural(int(st.Openings), "incident", "incidents"), st.Held, priority(st.Worst))
}

func (s *speaker) ending(o api.Occasion) {
	s.line("  %s  %s %s: %s", s.clock(&o.EndsAt), o.Kind, cmp.Or(o.Name, o.Reason, o.ID), about(o.Matchers, o.CIs))
}
