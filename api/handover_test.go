package api

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/event"
)

// night is what a shift leaves: 1 the Watchdog's absence, 2 acknowledged and idle, 3 of team db and worked on, 4 on hold,
// 5 snoozed, 6 a P3 that nobody took, 7 flapping.
func (f *fixture) night() *fixture {
	now := time.Now()
	ago := func(minutes int) time.Time { return now.Add(-time.Duration(minutes) * time.Minute) }
	f.engine.sayAt(ago(30*60), false, "alertname", "Watchdog", "severity", "none", "cluster", "eu-1")
	f.engine.tick(ago(200))
	for n, service := range []string{"cart", "db", "mail", "shop"} {
		f.engine.sayAt(ago(190-n), false, "alertname", "Down", "severity", "critical", "service", service)
	}
	do := func(minutes int, c event.Command) { f.engine.doAt(ago(minutes), c) }
	do(180, event.Command{Kind: event.Acknowledge, Incident: 2, Actor: "ann"})
	do(179, event.Command{Kind: event.Note, Incident: 2, Actor: "ann", Text: "asked storage"})
	do(178, event.Command{Kind: event.Assign, Incident: 3, Actor: "ann", Assignee: "bob", Team: "db"})
	do(177, event.Command{Kind: event.Acknowledge, Incident: 3, Actor: "bob"})
	do(176, event.Command{Kind: event.NoteHandover, Actor: "ann", Text: "before the signature"})
	do(120, event.Command{Kind: event.SignHandover, Actor: "ann"})
	f.engine.sayAt(ago(100), false, "alertname", "Slow", "severity", "major", "service", "web")
	do(20, event.Command{Kind: event.Note, Incident: 3, Actor: "bob", Text: "failing over to db-4"})
	do(19, event.Command{Kind: event.Hold, Incident: 4, Actor: "ann", Text: "the vendor", Until: event.FromTime(now.Add(2 * time.Hour))})
	do(18, event.Command{Kind: event.Snooze, Incident: 5, Actor: "ann", Until: event.FromTime(now.Add(time.Hour))})
	do(17, event.Command{Kind: event.NoteHandover, Actor: "ann", Text: "watch the cart"})
	f.flap(now)
	f.post("silences", `{"matchers":[{"name":"instance","value":"web-1"}],"duration":"1h","comment":"known"}`)
	f.post("windows", `{"name":"long","reason":"x","cis":["a"],"duration":"13h"}`)
	f.post("windows", `{"name":"short","reason":"x","cis":["b"],"duration":"30m"}`)
	return f
}

// titles returns the numbers of a section's incidents in their order.
func (p HandoverPart) ids() string {
	var out []string
	for _, e := range p.Entries {
		out = append(out, strings.TrimPrefix(e.Incident.ID, "INC-"))
	}
	return strings.Join(out, " ")
}

func TestAHandoverSaysWhatTheNextShiftMustKnow(t *testing.T) {
	f := newFixture(t).night()
	h := get[Handover](f, "viewer", "/api/v1/handover")
	for name, c := range map[string]struct {
		part HandoverPart
		want string
	}{
		"open": {h.Open, "1 2 3 4 5 6"}, "idle": {h.Idle, "2"}, "held": {h.Held, "4"}, "snoozed": {h.Snoozed, "5"},
		"flapping": {h.Flapping, "7"}, "new": {h.New, "6 7"},
	} {
		require.Equal(t, c.want, c.part.ids(), name)
		require.Equal(t, len(c.part.Entries), c.part.Total, name)
	}
	require.Equal(t, "ann", h.SignedBy)
	require.Equal(t, h.Since, *h.SignedAt, "the shift began with the signature")
	require.Equal(t, []any{1, "watch the cart", "ann"}, []any{len(h.Notes), h.Notes[0].Text, h.Notes[0].Author})
	require.Equal(t, []any{1, "prometheus eu-1"}, []any{len(h.Blind), h.Blind[0].Name})
	require.Equal(t, []any{2, "short", "silence"}, []any{len(h.Ending), h.Ending[0].Name, h.Ending[1].Kind}, "the long window ends after more than 12 h")
	two, three, four := h.Open.Entries[1], h.Open.Entries[2], h.Open.Entries[3]
	require.Equal(t, []any{"asked storage", "ann", "asked storage"}, []any{two.LastNote.Text, two.LastNote.Author, two.NextStep})
	require.Equal(t, []any{"failing over to db-4", "bob"}, []any{three.LastNote.Text, three.Incident.Assignee})
	require.Equal(t, []any{"the vendor", true}, []any{four.NextStep, four.LastNote == nil})
}

func TestAHandoverOfATeamHasItsIncidentsAndItsBook(t *testing.T) {
	f := newFixture(t).night()
	h := get[Handover](f, "viewer", "/api/v1/handover?team=db")
	require.Equal(t, []string{"3", "", "", ""}, []string{h.Open.ids(), h.Idle.ids(), h.Held.ids(), h.Snoozed.ids()})
	require.Empty(t, h.Notes)
	require.Nil(t, h.SignedAt)
	require.WithinDuration(t, time.Now().Add(-8*time.Hour), h.Since, time.Minute, "nobody has signed")
	require.Equal(t, "3", h.New.ids())
	require.Empty(t, get[Handover](f, "viewer", "/api/v1/handover?team=db&since=1h").New.Entries)

	require.Contains(t, f.post("handover/notes", `{"team":"db","text":" db-4 is slow "}`).text, `"text":"db-4 is slow"`)
	require.Equal(t, "db-4 is slow", get[Handover](f, "viewer", "/api/v1/handover?team=db").Notes[0].Text)
	require.Contains(t, f.post("handover/sign", `{"team":"db"}`).text, `"signed_by":"responder"`)
	h = get[Handover](f, "viewer", "/api/v1/handover?team=db")
	require.Equal(t, []any{"responder", 0, ""}, []any{h.SignedBy, len(h.Notes), h.New.ids()})
	require.Len(t, get[Handover](f, "viewer", "/api/v1/handover").Notes, 1, "the other book")
	require.Equal(t, 422, f.call("responder", "POST", "/api/v1/handover/notes", `{"text":" "}`).StatusCode)
	require.Equal(t, 422, f.call("viewer", "GET", "/api/v1/handover?since=yesterday", "").StatusCode)
}

func TestAnotherTenantHasAHandoverOfItsOwn(t *testing.T) {
	h := get[Handover](newFixture(t).night(), "stranger", "/api/v1/handover")
	require.Equal(t, []int{0, 0, 0, 0, 0}, []int{h.Open.Total, h.New.Total, len(h.Blind), len(h.Ending), len(h.Notes)})
}

// TestALongNightIsCountedWhole: a section shows its first 100 and counts all.
func TestALongNightIsCountedWhole(t *testing.T) {
	f, at := newFixture(t), time.Now().Add(-2*time.Hour)
	for n := range 130 {
		f.engine.sayAt(at, false, "alertname", "Down", "severity", "critical", "service", strings.Repeat("x", n+1))
		f.engine.doAt(at, event.Command{Kind: event.Acknowledge, Incident: uint64(n + 1), Actor: "ann"})
	}
	h := get[Handover](f, "viewer", "/api/v1/handover")
	for _, p := range []HandoverPart{h.Open, h.Idle, h.New} {
		require.Equal(t, []int{130, 100}, []int{p.Total, len(p.Entries)})
	}
	f.engine.fails = engine.ErrBusy
	require.Equal(t, 503, f.call("viewer", "GET", "/api/v1/handover", "").StatusCode)
}

func TestAHandoverOfATeamThatNobodyKnowsSaysSo(t *testing.T) {
	f := newFixture(t, withOutbox(&drawer{})).night()
	p := f.call("viewer", "GET", "/api/v1/handover?team=nope", "").problem(t)
	require.Equal(t, 404, p.Status)
	require.Contains(t, p.Detail, `there is no team "nope"`)
	require.Equal(t, "the notify_file names ops", p.Hint)
	for _, team := range []string{"ops", "db"} {
		require.Equal(t, 200, f.call("viewer", "GET", "/api/v1/handover?team="+team, "").StatusCode, team)
	}
}
