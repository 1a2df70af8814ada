package records

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// benchAppend appends the changes in turn, as new ones, and flushes every 1000.
func benchAppend(b *testing.B, changes []event.Change) {
	b.Helper()
	s := open(b, b.TempDir(), Options{MaxBytes: 512 << 20})
	b.ReportAllocs()
	seq := uint64(0)
	for b.Loop() {
		ch := &changes[seq%uint64(len(changes))]
		seq++
		ch.Seq = seq
		if err := s.Append(ch); err != nil {
			b.Fatal(err)
		}
		if seq%1000 == 0 {
			require.NoError(b, s.Flush())
		}
	}
	b.ReportMetric(float64(s.bytes())/float64(max(1, seq)), "bytes/change")
}

func alertsOf(incidents int) (changes []event.Change) {
	for i := range incidents {
		changes = append(changes, full(alert(1, event.IncidentID(i+1))))
	}
	return changes
}

func BenchmarkAppendOfAlertsOf10000Incidents(b *testing.B) { benchAppend(b, alertsOf(10_000)) }

func BenchmarkAppendOfAlertsOfOneIncident(b *testing.B) { benchAppend(b, alertsOf(1)) }

func BenchmarkAppendOfNotes(b *testing.B) {
	benchAppend(b, []event.Change{note(1, 1, "the owner has been called and is on the way")})
}

func BenchmarkAppendOfRepeats(b *testing.B) { benchAppend(b, []event.Change{seen(1, 1)}) }

// long returns a store with a timeline of n entries of incident 1, each among entries of 9 others.
func long(b *testing.B, n int) *Store {
	b.Helper()
	s := open(b, b.TempDir(), Options{})
	for seq := range uint64(n * 10) {
		ch := alert(seq+1, event.IncidentID(seq%10+1))
		require.NoError(b, s.Append(&ch))
	}
	require.NoError(b, s.Flush())
	return s
}

func BenchmarkPageOf50(b *testing.B) {
	s := long(b, 100_000)
	for name, after := range map[string]uint64{"at_the_start": 0, "in_the_middle": 333_333, "at_the_end": 999_400} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				entries, _, _, err := s.Timeline(1, after, 0, 50)
				if err != nil || len(entries) != 50 {
					b.Fatal(err, len(entries))
				}
			}
		})
	}
}

func BenchmarkOpenWithAMillionEntries(b *testing.B) {
	s := long(b, 100_000)
	require.NoError(b, s.Close())
	b.Run("with_a_checkpoint", func(b *testing.B) {
		for b.Loop() {
			s, err := Open(s.dir, Options{})
			require.NoError(b, err)
			crash(b, s)
		}
	})
	b.Run("scanning_all", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			dir := copyDir(b, s.dir)
			require.NoError(b, os.Remove(checkpointPath(dir)))
			b.StartTimer()
			s, err := Open(dir, Options{})
			require.NoError(b, err)
			crash(b, s)
		}
	})
}
