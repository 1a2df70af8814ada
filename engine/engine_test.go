package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/journal"
)

func options(dir string) Options { return Options{Dir: dir, Version: "test-1"} }

func open(t *testing.T, o Options) *Engine {
	t.Helper()
	e, err := Open(o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func alert(i int, severity string) event.Event {
	return event.Event{
		Labels: event.Labels{
			{Name: "alertname", Value: "Down"}, {Name: "instance", Value: fmt.Sprintf("host-%05d", i)}, {Name: "severity", Value: severity},
		},
		Annotations: event.Labels{{Name: "summary", Value: "it is down"}},
	}
}

func batch(e *Engine, events ...event.Event) *event.Batch {
	b := e.NewBatch()
	b.Source = event.Source{Name: "prometheus", Tenant: "main", Kind: event.Resender}
	for _, ev := range events {
		b.Add(ev)
	}
	return b
}

func send(t *testing.T, e *Engine, events ...event.Event) {
	t.Helper()
	require.NoError(t, e.Submit(t.Context(), batch(e, events...)))
}

func view(t *testing.T, e *Engine) *correlate.View {
	t.Helper()
	v, err := e.View(t.Context())
	require.NoError(t, err)
	return v
}

// crash returns a copy of an engine's data as it lies on disk now: what a power cut would leave.
func crash(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	require.NoError(t, os.CopyFS(to, os.DirFS(dir)))
	return to
}

func firing(v *correlate.View) (n int) {
	for a := range v.Alerts() {
		if a.Phase() == event.Firing {
			n++
		}
	}
	return n
}

func TestWhatIsAcknowledgedIsInTheNextView(t *testing.T) {
	e := open(t, options(t.TempDir()))
	for i := range 50 {
		send(t, e, alert(i, "critical"))
		require.Equal(t, i+1, firing(view(t, e)))
	}
	i, ok := view(t, e).Incident(1)
	require.True(t, ok)
	require.EqualValues(t, 50, i.Firing)
}

func TestACommandIsVisibleWhenItReturns(t *testing.T) {
	e := open(t, options(t.TempDir()))
	send(t, e, alert(1, "critical"))
	res, err := e.Do(t.Context(), event.Command{Kind: event.Acknowledge, Incident: 1, Tenant: "main", Actor: "ann"})
	require.NoError(t, err)
	require.Nil(t, res.Err)
	i, _ := view(t, e).Incident(1)
	require.Equal(t, "ann", i.AckedBy)
	res, err = e.Do(t.Context(), event.Command{Kind: event.Acknowledge, Incident: 7, Tenant: "main"})
	require.NoError(t, err)
	require.Equal(t, event.NotFound, res.Err.Code)
}

func TestNothingAcknowledgedIsLostInACrash(t *testing.T) {
	dir := t.TempDir()
	e := open(t, options(dir))
	for i := range 20 {
		send(t, e, alert(3*i, "critical"), alert(3*i+1, "warning"), alert(3*i+2, "info"))
	}
	_, err := e.Do(t.Context(), event.Command{Kind: event.Note, Incident: 1, Tenant: "main", Actor: "ann", Text: "looking"})
	require.NoError(t, err)
	require.NoError(t, e.Snapshot(t.Context()))
	send(t, e, alert(1000, "critical"))
	want := view(t, e)

	again := open(t, options(crash(t, dir)))
	got := view(t, again)
	require.Equal(t, firing(want), firing(got))
	require.Zero(t, again.Status().Started.Differences)
	require.Positive(t, again.Status().Started.SnapshotSeq)
	send(t, again, alert(1000, "critical"), alert(1001, "critical"))
	i, _ := view(t, again).Incident(1)
	require.EqualValues(t, 22+20+20, i.Firing)
	entries, total, _, err := again.Timeline(t.Context(), 1, Cursor{}, 1000)
	require.NoError(t, err)
	require.Len(t, entries, total)
	require.Equal(t, event.IncidentOpened, entries[0].Kind)
	require.Contains(t, notes(entries), "looking")
}

func notes(entries []event.Change) (texts []string) {
	for _, ch := range entries {
		if ch.Kind == event.IncidentNoted {
			texts = append(texts, ch.Text)
		}
	}
	return texts
}

func TestADamagedSnapshotIsPassedOver(t *testing.T) {
	dir := t.TempDir()
	e := open(t, options(dir))
	for i := range 3 {
		send(t, e, alert(i, "critical"))
		require.NoError(t, e.Snapshot(t.Context()))
	}
	data := crash(t, dir)
	names, err := snapshots(data)
	require.NoError(t, err)
	require.Len(t, names, 2)
	content, err := os.ReadFile(names[1])
	require.NoError(t, err)
	content[len(content)/2] ^= 1
	require.NoError(t, os.WriteFile(names[1], content, 0o600))
	again := open(t, options(data))
	require.Equal(t, seqOf(names[0]), again.Status().Started.SnapshotSeq)
	require.Equal(t, 3, firing(view(t, again)))
}

func TestTheNextVersionTakesOverWhatTheLastOneDecided(t *testing.T) {
	dir := t.TempDir()
	e := open(t, options(dir))
	for i := range 30 {
		send(t, e, alert(i, "critical"))
	}
	_, err := e.Do(t.Context(), event.Command{Kind: event.Acknowledge, Incident: 1, Tenant: "main", Actor: "ann"})
	require.NoError(t, err)

	data := crash(t, dir)
	o := options(data)
	o.Version = "test-2"
	next := open(t, o)
	started := next.Status().Started
	require.Positive(t, started.Folded)
	require.Zero(t, started.Differences)
	i, _ := view(t, next).Incident(1)
	require.EqualValues(t, 30, i.Firing)
	require.Equal(t, "ann", i.AckedBy)
	send(t, next, alert(5, "critical"), alert(99, "critical"))
	require.Equal(t, 31, firing(view(t, next)))
	require.NoError(t, next.Close())

	report, err := Replay(data, ReplayOptions{Version: "test-2"})
	require.NoError(t, err)
	require.Zero(t, report.Differing)
	require.Empty(t, report.OtherVersions)
}

func TestReplayMakesTheSameDecisionsAndFindsAForgedOne(t *testing.T) {
	dir := t.TempDir()
	e := open(t, options(dir))
	for i := range 30 {
		send(t, e, alert(i, "critical"), alert(i, "warning"))
	}
	require.Eventually(t, func() bool { return e.changes.Last() >= e.acked.Load() }, 5*time.Second, time.Millisecond)
	report, err := Replay(dir, ReplayOptions{Version: "test-1"})
	require.NoError(t, err)
	require.Zero(t, report.Differing)
	require.Positive(t, report.Changes)
	require.EqualValues(t, e.acked.Load(), report.Inputs)

	// The same journal with a changes log that says something else of one input.
	data := crash(t, dir)
	require.NoError(t, e.Close())
	forge(t, data)
	report, err = Replay(data, ReplayOptions{Version: "test-1"})
	require.NoError(t, err)
	require.Equal(t, 1, report.Differing)
	require.Contains(t, report.Differences[0].Logged, "incident_noted")
}

// forge rewrites the changes log with the first incident's opening replaced by a note.
func forge(t *testing.T, dir string) {
	old := &Engine{o: options(dir).withDefaults()}
	old.log = old.o.Logger
	require.NoError(t, old.open())
	r := old.changes.Reader(1)
	path := filepath.Join(dir, "forged")
	forged := &Engine{o: options(path).withDefaults()}
	forged.log = forged.o.Logger
	require.NoError(t, forged.open())
	done := false
	for {
		rec, _, err := r.Next()
		if err != nil {
			break
		}
		changes, err := event.DecodeChanges(append([]byte(nil), rec.Payload...), rec.Seq, event.Time(rec.At))
		require.NoError(t, err)
		for i := range changes {
			if changes[i].Kind == event.IncidentOpened && !done {
				changes[i].Kind, done = event.IncidentNoted, true
			}
		}
		rec.Payload = event.AppendChanges(nil, changes)
		require.NoError(t, forged.appendChanges([]journal.Record{rec}, len(rec.Payload)))
	}
	require.True(t, done)
	require.NoError(t, forged.closeLogs())
	require.NoError(t, old.closeLogs())
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "changes")))
	require.NoError(t, os.Rename(filepath.Join(path, "changes"), filepath.Join(dir, "changes")))
}

func TestFollowersGetEveryDurableChangeAndResume(t *testing.T) {
	e := open(t, options(t.TempDir()))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got := make(chan event.Change, 1000)
	go func() {
		for ch, err := range e.Follow(ctx, Cursor{}) {
			if err == nil {
				got <- ch
			}
		}
		close(got)
	}()
	for i := range 5 {
		send(t, e, alert(i, "critical"))
	}
	var all []event.Change
	for len(all) == 0 || all[len(all)-1].Alert.ID.Slot() != 5 {
		all = append(all, <-got)
	}
	cancel()
	middle := all[len(all)/2]
	n := 0
	for ch, err := range e.Follow(t.Context(), Cursor{Seq: middle.Seq, N: middle.N}) {
		require.NoError(t, err)
		n++
		require.Equal(t, all[len(all)/2+n].Kind, ch.Kind)
		if len(all)/2+n == len(all)-1 {
			break
		}
	}
}

func TestAFullQueueIsBackPressure(t *testing.T) {
	o := options(t.TempDir())
	o.QueueAlerts = 10
	e := open(t, o)
	e.queued.Add(11) // as if that many were on their way
	require.ErrorIs(t, e.Submit(t.Context(), batch(e, alert(1, "critical"))), ErrBusy)
	e.queued.Add(-11)
	send(t, e, alert(1, "critical"))
}

func TestDownForTenMinutesResolvesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		e, err := Open(options(dir))
		require.NoError(t, err)
		const n = 10_000
		for i := 0; i < n; i += 500 {
			b := batch(e)
			for j := range 500 {
				ev := alert(i+j, "critical")
				ev.StartsAt, ev.EndsAt = event.FromTime(time.Now()), event.FromTime(time.Now().Add(4*time.Minute))
				b.Add(ev)
			}
			require.NoError(t, e.Submit(t.Context(), b))
		}
		require.NoError(t, e.Close())
		time.Sleep(10 * time.Minute)
		e, err = Open(options(dir))
		require.NoError(t, err)
		require.Equal(t, 10*time.Minute, e.Status().Started.Away.Round(time.Second))
		time.Sleep(time.Minute)
		require.Equal(t, n, firing(view(t, e)), "still within the grace")
		time.Sleep(10 * time.Minute)
		v := view(t, e)
		require.Zero(t, firing(v))
		i, _ := v.Incident(1)
		require.Equal(t, event.IncidentOpen, i.Phase, "silence is no resolve")
		require.True(t, i.SignalLost)
		require.NoError(t, e.Close())
	})
}

func TestAClockThatLeapsStopsDeadlinesUntilSomebodyAcceptsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t.TempDir())
		var leap atomic.Int64
		start := time.Now()
		o.Clock = func() (time.Time, time.Duration) {
			return time.Now().Add(time.Duration(leap.Load())), time.Since(start)
		}
		e, err := Open(o)
		require.NoError(t, err)
		ev := alert(1, "critical")
		ev.StartsAt, ev.EndsAt = event.FromTime(start), event.FromTime(start.Add(4*time.Minute))
		send(t, e, ev)
		leap.Store(int64(3 * time.Hour))
		time.Sleep(time.Minute)
		require.Contains(t, e.Status().NotReady, "tocsin clock accept")
		require.Equal(t, 1, firing(view(t, e)))
		time.Sleep(10 * time.Minute)
		require.Equal(t, 1, firing(view(t, e)), "nothing becomes due while the clock is in doubt")
		require.NoError(t, e.AcceptClock(t.Context()))
		require.Empty(t, e.Status().NotReady)
		time.Sleep(4 * time.Minute)
		require.Equal(t, 1, firing(view(t, e)), "the grace after the jump")
		before := view(t, e).At
		leap.Store(int64(2 * time.Hour))
		time.Sleep(2 * time.Minute)
		require.NotEmpty(t, e.Status().NotReady, "back is a jump as well")
		send(t, e, alert(2, "critical"))
		require.GreaterOrEqual(t, view(t, e).At, before, "time never goes back")
		require.NoError(t, e.Close())
	})
}

func TestMetricsAreRegisteredOnce(t *testing.T) {
	o := options(t.TempDir())
	reg := prometheus.NewPedanticRegistry()
	o.Registerer = reg
	e := open(t, o)
	send(t, e, alert(1, "critical"))
	families, err := reg.Gather()
	require.NoError(t, err)
	names := map[string]bool{}
	for _, f := range families {
		names[f.GetName()] = true
	}
	require.True(t, names["tocsin_engine_inputs_total"])
	require.True(t, names["tocsin_journal_commits_total"])
}
