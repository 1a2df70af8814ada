// Package history_test holds the history against the real core: what is in the tables of a made-up day is what its changes say.
package history_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/history/chdb/chdbtest"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
	"github.com/tocsin-noc/tocsin/history/projection"
)

// day is a day of the real core: its inputs and the changes they caused.
type day struct {
	r       *rand.Rand
	seq     uint64
	now     event.Time
	core    *correlate.State
	changes []event.Change
	events  int // that senders sent
	late    int // firings that were said out of order, and are believed when time has passed
}

func newDay(seed uint64) *day {
	return &day{r: rand.New(rand.NewPCG(seed, 1)), now: event.FromTime(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)), core: correlate.New()}
}

func (d *day) pick(words ...string) string { return words[d.r.IntN(len(words))] }

func (d *day) step(in event.Input) {
	d.seq++
	in.Seq, in.At, in.Writer = d.seq, d.now, event.Writer{ID: 7, Epoch: 1, N: d.seq}
	out, _ := d.core.Step(&in, nil)
	// What a log holds is what is read: what is not kept of a change must not be needed.
	logged, err := event.DecodeChanges(event.AppendChanges(nil, out), d.seq, d.now)
	if err != nil {
		panic(err)
	}
	d.changes = append(d.changes, logged...)
	for _, ch := range logged {
		if in.Kind == event.InputTick && (ch.Kind == event.AlertFiring || ch.Kind == event.AlertUpdated && ch.Claim.ID != 0) {
			d.late++
		}
	}
}

func (d *day) live(inputs int) {
	for range inputs {
		d.now += event.Time(d.r.IntN(int(20 * event.Second)))
		switch n := d.r.IntN(10); {
		case n < 5:
			d.step(event.Input{Kind: event.InputEvents, Batch: d.batch()})
		case n < 8:
			d.now = max(d.now, min(d.core.Next(), d.now+event.Hour))
			d.step(event.Input{Kind: event.InputTick})
		default:
			d.step(event.Input{Kind: event.InputCommand, Command: d.command()})
		}
	}
}

func (d *day) batch() *event.Batch {
	kind := event.SourceKind(1 + d.r.IntN(2))
	b := &event.Batch{Source: event.Source{Name: fmt.Sprintf("s%d-%s", d.r.IntN(2), kind), Tenant: d.pick("main", "main", "other"), Kind: kind}}
	for range 1 + d.r.IntN(4) {
		ls, _ := event.SortLabels(event.Labels{
			{Name: "alertname", Value: d.pick("Down", "Slow", "Disk")}, {Name: "instance", Value: fmt.Sprint("host-", d.r.IntN(12))}, {Name: "service", Value: d.pick("", "shop", "pay")},
			{Name: "severity", Value: d.pick("critical", "critical", "warning", "info")},
		})
		ev := event.Event{Labels: ls, Cleared: d.r.IntN(3) == 0, StartsAt: d.now - event.Time(d.r.IntN(int(10*event.Minute)))}
		if ev.Cleared {
			ev.EndsAt = max(ev.StartsAt, d.now-event.Time(d.r.IntN(int(event.Minute))))
		} else if d.r.IntN(2) == 0 {
			ev.EndsAt = d.now + event.Time(d.r.IntN(int(4*event.Minute)))
		}
		b.Add(ev)
		d.events++
	}
	return b
}

func (d *day) command() *event.Command {
	kinds := []event.CommandKind{
		event.Acknowledge, event.Resolve, event.Assign, event.Note, event.Hold, event.Begin, event.Cancel, event.CloseIncident, event.ReopenIncident, event.Merge, event.Unmerge,
		event.SetSilence, event.JudgeCause,
	}
	c := &event.Command{Kind: kinds[d.r.IntN(len(kinds))], Actor: d.pick("ann", "bob"), Tenant: "main", Text: "because", Assignee: d.pick("ann", "bob"), Team: d.pick("", "net", "db")}
	c.Incident, c.Other = uint64(1+d.r.IntN(30)), uint64(1+d.r.IntN(30))
	c.Until, c.Number = d.now+event.Time(d.r.IntN(int(event.Hour))), uint32(1+d.r.IntN(3))
	if c.Kind == event.SetSilence {
		c.Silence = &event.Silence{
			Matchers: []event.Matcher{{Name: "instance", Value: fmt.Sprint("host-", d.r.IntN(12)), IsEqual: true}}, StartsAt: d.now, EndsAt: d.now + event.Time(d.r.IntN(int(event.Hour))), CreatedBy: "ann",
		}
	}
	return c
}

// The day as the projection reads it.
func (d *day) Changes(ctx context.Context, after uint64) iter.Seq2[*event.Change, error] {
	return func(yield func(*event.Change, error) bool) {
		for i := range d.changes {
			if d.changes[i].Seq > after && !yield(&d.changes[i], nil) {
				return
			}
		}
		if yield(&event.Change{Seq: max(after, d.Head())}, nil) {
			<-ctx.Done()
		}
	}
}

func (d *day) Head() uint64     { return d.changes[len(d.changes)-1].Seq }
func (d *day) Oldest() uint64   { return 0 }
func (d *day) Instance() string { return "0badcafe" }

func (d *day) Senders(context.Context) ([]event.Source, error) { return nil, nil }

func TestTheTablesOfADayOfTheRealCoreAreWhatItsStateSays(t *testing.T) {
	e, _ := chdbtest.Database(t)
	u, err := url.Parse(e.URL())
	require.NoError(t, err)
	u.User = url.UserPassword(e.Writer().User, e.Writer().Password)
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			d := newDay(seed)
			d.live(1000)
			u := *u
			u.Path = fmt.Sprint("/core_", seed)
			db, err := clickhouse.Open(t.Context(), clickhouse.Options{URL: u.String()})
			require.NoError(t, err)
			defer db.Close()
			p := projection.New(projection.Options{Source: d, Target: db, Pace: time.Millisecond})
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() {
				_ = p.Run(ctx)
				close(done)
			}()
			require.Eventually(t, func() bool { s := p.Status(); return s.Even && s.Entries() == 0 }, time.Minute, 5*time.Millisecond, "%+v", p.Status())
			stop()
			<-done
			d.compare(t, db)
		})
	}
}

// compare holds the tables against the core's state at the end of the day.
func (d *day) compare(t *testing.T, db *clickhouse.DB) {
	t.Helper()
	one := func(sql string) any {
		answer, err := db.Own(t.Context(), sql, nil)
		require.NoError(t, err)
		return answer.Rows[0][0]
	}
	refused := 0
	for _, ch := range d.changes {
		if ch.Kind == event.SourceOverCap {
			refused++
		}
	}
	told := one("SELECT (SELECT count() FROM transitions FINAL WHERE event) + (SELECT sum(repeats) FROM repeats FINAL)").(uint64)
	require.Equal(t, d.events-refused+d.late, int(told), "every word of a sender is one event or one repeat; what is believed later is both")
	require.Less(t, d.late, d.events/50)
	require.Equal(t, uint64(0), one("SELECT count() FROM transitions FINAL WHERE tenant = '' OR source = ''"))

	v := d.core.View()
	want := 0
	for i := range v.Incidents() {
		want++
		answer, err := db.Own(t.Context(), `SELECT toString(phase), priority, alerts, toUnixTimestamp64Milli(ifNull(resolved_at, toDateTime64(0, 3))), reopen_count, title, toString(team), merged_into
			FROM incidents FINAL WHERE incident = {id:UInt64}`, map[string]string{"id": fmt.Sprint(uint32(i.ID))})
		require.NoError(t, err)
		require.Len(t, answer.Rows, 1, i.ID)
		row := answer.Rows[0]
		resolved := int64(0)
		if i.Phase == event.IncidentDone || i.Phase == event.PhaseClosed {
			resolved = int64(i.ResolvedAt)
		}
		require.Equal(t, []any{i.Phase.String(), i.Priority, resolved, i.Reopened, i.Title, i.Team, uint64(i.MergedInto)}, []any{row[0], row[1], row[3], row[4], row[5], row[6], row[7]}, i.ID)
	}
	require.Equal(t, uint64(want), one("SELECT count() FROM incidents FINAL"))
	require.Greater(t, want, 5)
}
