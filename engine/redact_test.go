package engine

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/journal"
	"github.com/tocsin-noc/tocsin/journal/disk"
)

const secret = "call Jane Roe on +43 555 0100"

// absent fails when any file below dir holds the text.
func absent(t *testing.T, dir, text string) {
	t.Helper()
	require.Empty(t, holding(t, dir, text))
}

func holding(t *testing.T, dir, text string) (names []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		if bytes.Contains(b, []byte(text)) {
			names = append(names, name)
		}
		return err
	}))
	return names
}

// sound closes an engine and fails unless its data verifies, replays as it was decided, and recovers without a snapshot.
// It returns the redactions of the journal.
func sound(t *testing.T, e *Engine) []disk.Redaction {
	t.Helper()
	require.NoError(t, e.Close())
	dir := e.o.Dir
	absent(t, dir, secret)
	report, err := disk.Verify(filepath.Join(dir, "journal"), disk.Options{}, journal.Head{})
	require.NoError(t, err)
	_, err = disk.Verify(filepath.Join(dir, "changes"), disk.Options{}, journal.Head{})
	require.NoError(t, err)
	replayed, err := Replay(dir, ReplayOptions{Version: "test-1"})
	require.NoError(t, err)
	require.Zero(t, replayed.Differing, "%v", replayed.Differences)
	require.Positive(t, replayed.Changes)
	again := crash(t, dir)
	require.NoError(t, os.RemoveAll(filepath.Join(again, snapshotDir)))
	require.NoError(t, os.RemoveAll(filepath.Join(again, "records")))
	recovered := open(t, options(again))
	require.Zero(t, recovered.Status().Started.Differences)
	require.Equal(t, report.Last, recovered.Status().Started.SnapshotSeq+uint64(recovered.Status().Started.Replayed))
	require.NoError(t, recovered.Close())
	absent(t, again, secret)
	return report.Redactions
}

func do(t *testing.T, e *Engine, c event.Command) event.Result {
	t.Helper()
	c.Tenant, c.Actor = "main", "u-1"
	res, err := e.Do(t.Context(), c)
	require.NoError(t, err)
	require.Nil(t, res.Err)
	return res
}

// said returns the place of an incident's latest entry of a kind.
func said(t *testing.T, e *Engine, kind event.ChangeKind) Cursor {
	t.Helper()
	var at Cursor
	for _, ch := range timeline(t, e) {
		if ch.Kind == kind {
			at = cursorOf(&ch)
		}
	}
	require.NotZero(t, at)
	return at
}

func timeline(t *testing.T, e *Engine) []event.Change {
	t.Helper()
	entries, total, _, err := e.Timeline(t.Context(), 1, Cursor{}, 10_000)
	require.NoError(t, err)
	require.Len(t, entries, total)
	return entries
}

func requireRefusal(t *testing.T, err error, code event.RefusalCode) {
	t.Helper()
	var refusal *event.Refusal
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, code, refusal.Code, "%v", refusal)
}

func TestANoteAndAReasonAreTakenAwayEverywhere(t *testing.T) {
	dir := t.TempDir()
	e := open(t, options(dir))
	send(t, e, alert(1, "critical"))
	do(t, e, event.Command{Kind: event.Note, Incident: 1, Text: secret})
	do(t, e, event.Command{Kind: event.Note, Incident: 1, Text: "rebooted"})
	do(t, e, event.Command{Kind: event.Resolve, Incident: 1, Text: "see: " + secret})
	require.NotEmpty(t, holding(t, dir, secret))
	note := timeline(t, e)
	var at Cursor
	for _, ch := range note {
		if ch.Text == secret {
			at = cursorOf(&ch)
		}
	}
	head := e.Status().JournalHead

	require.NoError(t, e.RedactEntry(t.Context(), 1, at, "personal data", "u-9"))
	require.NoError(t, e.RedactEntry(t.Context(), 1, said(t, e, event.IncidentResolved), "asked for", "u-9"))
	require.NoError(t, e.RedactEntry(t.Context(), 1, at, "again", "u-9"), "twice is no error and changes nothing")
	require.Equal(t, []string{Redacted, "rebooted"}, notes(timeline(t, e)))
	absent(t, dir, secret)

	redactions := sound(t, e)
	require.Equal(t, disk.Redaction{Seq: at.Seq, Reason: "personal data (by u-9)"}, redactions[0])
	require.Len(t, redactions, 2)
	since, err := journal.ParseHead(head)
	require.NoError(t, err)
	_, err = disk.Verify(filepath.Join(dir, "journal"), disk.Options{}, since)
	require.NoError(t, err, "a head from before still proves what came before it")
}

func TestTheReasonOfAHoldGoesFromAllThatHappenedWhileItLasted(t *testing.T) {
	for name, ended := range map[string]bool{"while it lasts": false, "after it ended": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			e := open(t, options(dir))
			send(t, e, alert(1, "critical"))
			until := event.FromTime(time.Now().Add(time.Hour))
			do(t, e, event.Command{Kind: event.Hold, Incident: 1, Until: until, Text: secret})
			do(t, e, event.Command{Kind: event.Note, Incident: 1, Text: "still waiting"})
			require.NoError(t, e.Snapshot(t.Context()))
			do(t, e, event.Command{Kind: event.Assign, Incident: 1, Assignee: "ann"})
			at := said(t, e, event.IncidentHeld)
			if ended {
				do(t, e, event.Command{Kind: event.Hold, Incident: 1})
				do(t, e, event.Command{Kind: event.Hold, Incident: 1, Until: until, Text: "for the vendor"})
			}
			require.NoError(t, e.RedactEntry(t.Context(), 1, at, "personal data", "u-9"))

			i, _ := view(t, e).Incident(1)
			require.Equal(t, until, i.HeldUntil, "the hold itself goes on")
			want := Redacted
			if ended {
				want = "for the vendor"
			}
			require.Equal(t, want, i.HeldFor)
			for _, ch := range timeline(t, e) {
				require.NotContains(t, ch.Text, secret)
				if ch.Kind == event.IncidentNoted {
					require.Equal(t, "still waiting", ch.Text)
					require.Equal(t, Redacted, ch.Incident.HeldFor)
				}
			}
			absent(t, dir, secret)
			require.Len(t, sound(t, e), 1)
		})
	}
}

func TestASilencesCommentGoesFromEveryVersionOfIt(t *testing.T) {
	dir := t.TempDir()
	e := open(t, options(dir))
	now := time.Now()
	sil := &event.Silence{
		Matchers: []event.Matcher{{Name: "alertname", Value: "Down", IsEqual: true}}, CreatedBy: "ann", Comment: secret,
		StartsAt: event.FromTime(now), EndsAt: event.FromTime(now.Add(time.Hour)),
	}
	id := do(t, e, event.Command{Kind: event.SetSilence, Silence: sil}).SilenceID
	other := *sil
	other.Comment = "the other"
	kept := do(t, e, event.Command{Kind: event.SetSilence, Silence: &other}).SilenceID
	longer := *sil
	longer.ID, longer.EndsAt, longer.Comment = id, longer.EndsAt+1000, "second: "+secret
	for s := range view(t, e).Silences("main") {
		if s.ID == id {
			longer.StartsAt = s.StartsAt
		}
	}
	require.Equal(t, id, do(t, e, event.Command{Kind: event.SetSilence, Silence: &longer}).SilenceID)
	send(t, e, alert(1, "critical"))
	require.NoError(t, e.Snapshot(t.Context()))

	requireRefusal(t, e.RedactSilence(t.Context(), "blue", id, "x", "u-9"), event.NotFound)
	requireRefusal(t, e.RedactSilence(t.Context(), "main", "nothing", "x", "u-9"), event.NotFound)
	require.NoError(t, e.RedactSilence(t.Context(), "main", id, "personal data", "u-9"))
	comments := map[string]string{}
	for s := range view(t, e).Silences("main") {
		comments[s.ID] = s.Comment
	}
	require.Equal(t, map[string]string{id: Redacted, kept: "the other"}, comments)
	absent(t, dir, secret)
	require.Len(t, sound(t, e), 2)
}

func TestASilenceThatHasEndedKeepsItsCommentUntilItIsForgotten(t *testing.T) {
	e := open(t, options(t.TempDir()))
	now := time.Now()
	id := do(t, e, event.Command{Kind: event.SetSilence, Silence: &event.Silence{
		Matchers: []event.Matcher{{Name: "a", Value: "b", IsEqual: true}}, Comment: secret,
		StartsAt: event.FromTime(now), EndsAt: event.FromTime(now.Add(time.Hour)),
	}}).SilenceID
	do(t, e, event.Command{Kind: event.ExpireSilence, SilenceID: id})
	requireRefusal(t, e.RedactSilence(t.Context(), "main", id, "x", "u-9"), event.Conflict)
}

func TestASilenceThatIsGivenOtherWordsMeanwhileIsLeftAsItIs(t *testing.T) {
	e := open(t, options(t.TempDir()))
	now := time.Now()
	sil := &event.Silence{
		Matchers: []event.Matcher{{Name: "a", Value: "b", IsEqual: true}}, Comment: "first",
		StartsAt: event.FromTime(now.Add(time.Hour)), EndsAt: event.FromTime(now.Add(2 * time.Hour)),
	}
	id := do(t, e, event.Command{Kind: event.SetSilence, Silence: sil}).SilenceID
	require.NoError(t, e.silenceAnew(t.Context(), "main", id, "u-9"))
	again := *sil
	again.ID, again.Comment = id, "second"
	require.Equal(t, id, do(t, e, event.Command{Kind: event.SetSilence, Silence: &again}).SilenceID)
	requireRefusal(t, e.erase(t.Context(), silenceErasure("main", id), "x", "u-9"), event.Conflict)
	do(t, e, event.Command{Kind: event.ExpireSilence, SilenceID: id})
	require.Empty(t, sound(t, e), "what was logged and what a replay says still agree")
}

func TestAWindowsReasonIsTakenAway(t *testing.T) {
	dir := t.TempDir()
	e := open(t, options(dir))
	now := time.Now()
	w := &event.Window{
		Name: "patches", Reason: secret, Matchers: []event.Matcher{{Name: "alertname", Value: "Down", IsEqual: true}},
		StartsAt: event.FromTime(now.Add(time.Hour)), EndsAt: event.FromTime(now.Add(2 * time.Hour)),
	}
	id := do(t, e, event.Command{Kind: event.SetWindow, Window: w}).WindowID
	running := *w
	running.StartsAt = event.FromTime(now)
	busy := do(t, e, event.Command{Kind: event.SetWindow, Window: &running}).WindowID
	requireRefusal(t, e.RedactWindow(t.Context(), "main", busy, "x", "u-9"), event.Conflict)
	do(t, e, event.Command{Kind: event.SetWindow, Window: func() *event.Window { w := *w; w.ID, w.Reason = busy, "moved"; return &w }()})
	require.NoError(t, e.RedactWindow(t.Context(), "main", busy, "personal data", "u-9"))
	require.NoError(t, e.RedactWindow(t.Context(), "main", id, "personal data", "u-9"))
	for w := range view(t, e).Windows("main") {
		require.Equal(t, Redacted, w.Reason)
	}
	absent(t, dir, secret)
	require.Len(t, sound(t, e), 3)
}

func TestAHandoverNoteIsTakenAwayOnceTheBookIsSigned(t *testing.T) {
	dir := t.TempDir()
	e := open(t, options(dir))
	do(t, e, event.Command{Kind: event.NoteHandover, Team: "noc", Text: secret})
	at := Cursor{Seq: e.acked.Load()}
	require.NoError(t, e.Snapshot(t.Context()))
	requireRefusal(t, e.RedactHandover(t.Context(), "main", at, "x", "u-9"), event.Conflict)
	do(t, e, event.Command{Kind: event.SignHandover, Team: "noc"})
	requireRefusal(t, e.RedactHandover(t.Context(), "blue", at, "x", "u-9"), event.NotFound)
	requireRefusal(t, e.RedactHandover(t.Context(), "main", Cursor{Seq: at.Seq, N: 7}, "x", "u-9"), event.NotFound)
	require.NoError(t, e.RedactHandover(t.Context(), "main", at, "personal data", "u-9"))
	absent(t, dir, secret)
	require.Len(t, sound(t, e), 1)
}

func TestWhatNoPersonWroteIsNotRedacted(t *testing.T) {
	e := open(t, options(t.TempDir()))
	send(t, e, alert(1, "critical"))
	do(t, e, event.Command{Kind: event.Acknowledge, Incident: 1})
	redact := func(id event.IncidentID, at Cursor) error { return e.RedactEntry(t.Context(), id, at, "x", "u-9") }
	requireRefusal(t, redact(1, said(t, e, event.IncidentOpened)), event.Invalid)
	requireRefusal(t, redact(1, said(t, e, event.IncidentAcknowledged)), event.Invalid)
	requireRefusal(t, redact(1, Cursor{Seq: 999}), event.NotFound)
	requireRefusal(t, redact(1, Cursor{}), event.NotFound)
	requireRefusal(t, redact(7, said(t, e, event.IncidentOpened)), event.NotFound)
	require.NoError(t, e.Close())
	require.Error(t, redact(1, Cursor{}))
}

func TestARedactionThatWasCutShortIsFinishedByAskingAgain(t *testing.T) {
	for _, steps := range []int{1, 2} {
		dir := t.TempDir()
		e := open(t, options(dir))
		send(t, e, alert(1, "critical"))
		do(t, e, event.Command{Kind: event.Hold, Incident: 1, Until: event.FromTime(time.Now().Add(time.Hour)), Text: secret})
		do(t, e, event.Command{Kind: event.Note, Incident: 1, Text: "waiting"})
		at := said(t, e, event.IncidentHeld)
		ch, err := e.entry(1, at)
		require.NoError(t, err)
		require.NoError(t, e.holdAnew(t.Context(), ch, "u-9"))
		end, err := e.endSegments(t.Context(), "u-9")
		require.NoError(t, err)
		require.NoError(t, e.records.Redact(1, at.Seq, at.N, hideEntry(1, at, secret)))
		if steps > 1 {
			x := &erasure{from: at, sources: []uint64{at.Seq}, hider: func() hide { return hideEntry(1, at, secret) }}
			changed, _, err := e.findChanges(t.Context(), x, end)
			require.NoError(t, err)
			require.Len(t, changed, 2)
			require.NoError(t, e.changes.RedactAll(changed, "cut short"))
		}
		left := crash(t, dir)
		require.NoError(t, e.Close())

		e = open(t, options(left))
		require.NotEmpty(t, holding(t, left, secret))
		require.NoError(t, e.RedactEntry(t.Context(), 1, at, "personal data", "u-9"))
		require.Equal(t, []string{"waiting"}, notes(timeline(t, e)))
		require.Len(t, sound(t, e), 1)
	}
}

func TestNothingIsLostWhileTextsAreRedacted(t *testing.T) {
	dir := t.TempDir()
	o := options(dir)
	o.JournalSegment, o.ChangesSegment = 64<<10, 64<<10
	e := open(t, o)
	send(t, e, alert(0, "critical"))
	for range 5 {
		do(t, e, event.Command{Kind: event.Note, Incident: 1, Text: secret})
	}
	var wg sync.WaitGroup
	const senders, each = 4, 100
	for s := range senders {
		wg.Go(func() {
			for i := range each {
				if err := e.Submit(context.Background(), batch(e, alert(1+s*each+i, "critical"))); err != nil {
					t.Errorf("submit: %v", err)
				}
			}
		})
	}
	for _, ch := range timeline(t, e) {
		if ch.Text == secret {
			require.NoError(t, e.RedactEntry(t.Context(), 1, cursorOf(&ch), "personal data", "u-9"))
		}
	}
	wg.Wait()
	require.Equal(t, 1+senders*each, firing(view(t, e)))
	absent(t, dir, secret)
	again := open(t, options(crash(t, dir)))
	require.Equal(t, 1+senders*each, firing(view(t, again)))
	require.Zero(t, again.Status().Started.Differences)
	require.Len(t, sound(t, e), 5)
}
