package records

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func open(t testing.TB, dir string, o Options) *Store {
	t.Helper()
	s, err := Open(dir, o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() }) // most tests have closed it
	return s
}

// crash lets go of the files as a dying process does: nothing is flushed, no checkpoint written.
func crash(t testing.TB, s *Store) {
	t.Helper()
	require.NoError(t, closeAll(s.segs))
	s.closed = true
}

// cursorOf is Cursor as one value.
func cursorOf(s *Store) cursor {
	seq, n := s.Cursor()
	return cursor{seq, n}
}

// alert is a change of an alert in an incident with everything set that a timeline keeps.
func alert(seq uint64, id event.IncidentID) event.Change {
	now := event.Time(1_700_000_000_000 + seq)
	return event.Change{
		Shard: 2, Seq: seq, At: now, Kind: event.AlertFiring,
		Alert: event.AlertState{
			ID: event.AlertID(seq), Phase: event.Firing, Severity: 1, Reason: event.ReasonJoined, Occurrences: 1, Incident: id,
			StartsAt: now - 3, FiringAt: now, FirstAt: now, Name: "DiskFull", Resource: "host/db-3",
		},
		Claim: event.ClaimState{ID: 7, Phase: event.Firing, Severity: 1, StartsAt: now - 3, EndsAt: event.Never, LastStart: now - 3},
	}
}

// note is a change of an incident with a text of its own.
func note(seq uint64, id event.IncidentID, text string) event.Change {
	now := event.Time(1_700_000_000_000 + seq)
	return event.Change{
		Seq: seq, At: now, Kind: event.IncidentNoted, Actor: "u-1", Text: text,
		Incident: &event.IncidentState{
			ID: id, Tenant: "main", Phase: event.IncidentOpen, Severity: 2, Priority: 3, Title: "disk full", Rule: "by_host",
			Labels: event.Labels{{Name: "host", Value: "db-3"}}, OpenedAt: now, Notes: 1,
		},
		Ledger: []event.LedgerEntry{{Kind: "rule", Operands: []string{"host", "db-3"}, MilliNats: -2, RuleSource: "rules/db.yml:3"}},
	}
}

// full gives an alert's claim its label sets, as the core sends them.
func full(ch event.Change) event.Change {
	ch.Claim.Full, ch.Claim.Source, ch.Claim.Content = true, 4, 99
	ch.Claim.Labels = event.Labels{{Name: "alertname", Value: "DiskFull"}, {Name: "instance", Value: "db-3"}}
	ch.Claim.Annotations = event.Labels{{Name: "summary", Value: "the disk of db-3 is full"}}
	ch.Claim.GeneratorURL = "http://prometheus/graph"
	return ch
}

func seen(seq uint64, id event.IncidentID) event.Change {
	ch := alert(seq, id)
	ch.Kind = event.AlertSeen
	return ch
}

func add(t testing.TB, s *Store, changes ...event.Change) {
	t.Helper()
	for i := range changes {
		require.NoError(t, s.Append(&changes[i]))
	}
}

// pages reads the whole timeline in pages of limit entries.
func pages(t testing.TB, s *Store, id event.IncidentID, limit int) (all []event.Change) {
	t.Helper()
	var after cursor
	for {
		entries, _, more, err := s.Timeline(id, after.seq, after.n, limit)
		require.NoError(t, err)
		require.LessOrEqual(t, len(entries), limit)
		all = append(all, entries...)
		if !more {
			return all
		}
		require.Len(t, entries, limit, "only the last page is short")
		last := entries[limit-1]
		after = cursor{last.Seq, last.N}
	}
}

// model is what a store should hold: all changes, in a map.
type model struct {
	changes []event.Change
	of      map[event.IncidentID][]event.Change
}

// grow adds n changes of 5 incidents, one of which gets half of all; some belong to none, some are repeats.
func (m *model) grow(r *rand.Rand, n int) {
	if m.of == nil {
		m.of = map[event.IncidentID][]event.Change{}
	}
	for range n {
		var last event.Change
		if len(m.changes) > 0 {
			last = m.changes[len(m.changes)-1]
		}
		id := event.IncidentID(max(1, r.IntN(10)-3))
		var ch event.Change
		switch r.IntN(6) {
		case 0:
			ch = note(last.Seq+1, id, fmt.Sprintf("%0*d", r.IntN(900), r.IntN(1000)))
		case 1:
			ch = seen(last.Seq+1, id)
		case 2:
			ch = alert(last.Seq+1, 0)
		default:
			ch = alert(last.Seq+1, id)
		}
		if len(m.changes) > 0 && r.IntN(2) == 0 {
			ch.Seq, ch.N, ch.At = last.Seq, last.N+1, last.At
		}
		m.changes = append(m.changes, ch)
		if ch.Kind != event.AlertSeen && ch.IncidentID() != 0 {
			m.of[id] = append(m.of[id], ch)
		}
	}
}

// feed appends what s does not have yet, flushing now and then.
func (m *model) feed(t testing.TB, s *Store, r *rand.Rand) {
	t.Helper()
	for i := range m.changes {
		require.NoError(t, s.Append(&m.changes[i]))
		if r.IntN(20) == 0 {
			require.NoError(t, s.Flush())
		}
	}
}

// check compares all timelines with the model. What the bound dropped must be a beginning.
func (m *model) check(t testing.TB, s *Store, limit int) {
	t.Helper()
	for id, want := range m.of {
		got := pages(t, s, id, limit)
		require.Equal(t, len(want), s.Total(id), "%v", id)
		if !s.Dropped(id) {
			require.Len(t, got, len(want), "%v", id)
		}
		require.LessOrEqual(t, len(got), len(want), "%v", id)
		if len(got) > 0 {
			require.Equal(t, want[len(want)-len(got):], got, "%v", id)
		}
	}
}

// tailFile returns the path of the last segment.
func tailFile(s *Store) string { return segmentPath(s.dir, s.segs[len(s.segs)-1].number) }

// copyDir returns a new folder with the same files.
func copyDir(t testing.TB, dir string) string {
	t.Helper()
	to := t.TempDir()
	require.NoError(t, os.CopyFS(to, os.DirFS(dir)))
	return to
}

// value returns what a counter stands at.
func value(t testing.TB, c prometheus.Counter) float64 {
	t.Helper()
	var m dto.Metric
	require.NoError(t, c.Write(&m))
	return m.GetCounter().GetValue()
}
