package correlate

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// goldenSnapshot names the snapshot that the first version of a format wrote: a change of layout that forgets to move the
// format's number, or to read an old one, fails here.
func goldenSnapshot(format int) string { return fmt.Sprintf("testdata/snapshot-%d.gz", format) }

func TestSnapshotsOfTheFormatsSoFarStayReadable(t *testing.T) {
	if *update {
		s, g := New(), newGen(11)
		g.run(t, s, 200, nil)
		closeSome(s)
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		require.NoError(t, s.View().Save(z))
		require.NoError(t, z.Close())
		require.NoError(t, os.WriteFile(goldenSnapshot(snapshotFormat), b.Bytes(), 0o644))
		require.NoError(t, os.WriteFile(goldenSnapshot(snapshotFormat)+".txt", []byte(all(t, s.View())), 0o644))
	}
	for format := oldestSnapshot; format <= snapshotFormat; format++ {
		f, err := os.Open(goldenSnapshot(format))
		require.NoError(t, err)
		defer f.Close()
		z, err := gzip.NewReader(f)
		require.NoError(t, err)
		loaded, err := Load(z)
		require.NoError(t, err)
		want, err := os.ReadFile(goldenSnapshot(format) + ".txt")
		require.NoError(t, err)
		require.Equal(t, string(want), all(t, loaded.View()), "format %d", format)
		var again bytes.Buffer
		require.NoError(t, loaded.View().Save(&again))
		g := newGen(13)
		g.seq, g.now = loaded.Seq(), loaded.At()
		g.run(t, loaded, 100, nil) // and can be gone on from
	}
}

// all prints what a dump says, and besides all that has come since format 2.
func all(t *testing.T, v *View) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(dump(v))
	for i := range v.Incidents() {
		since := event.IncidentState{
			OpenedBy: i.OpenedBy, BegunAt: i.BegunAt, HeldAs: i.HeldAs, ClosedAt: i.ClosedAt, MergedInto: i.MergedInto, Parent: i.Parent,
			Impact: i.Impact, Urgency: i.Urgency, Pins: i.Pins, CI: i.CI, Services: i.Services, ServiceCount: i.ServiceCount, Dossier: i.Dossier,
		}
		if !reflect.ValueOf(since).IsZero() {
			text, err := json.Marshal(since)
			require.NoError(t, err)
			fmt.Fprintf(&b, "%s: %s\n", i.ID, text)
		}
	}
	for a := range v.Alerts() {
		if st := a.State(); st.Bound != event.Unbound {
			fmt.Fprintf(&b, "%s: CI %d, %s\n", st.ID, st.CI, st.Bound)
		}
	}
	return b.String()
}

func TestNothingIsLostInAFoldOrASnapshot(t *testing.T) {
	for seed := range seeds(3, 10) {
		s, folded := New(), New()
		newGen(seed+40).run(t, s, 300, func(in *event.Input, changes []event.Change) {
			require.NoError(t, folded.Fold(in, changes), "seed %d", seed)
		})
		want := all(t, s.View())
		require.Equal(t, want, all(t, folded.View()), "seed %d: fold", seed)
		closeSome(s)
		want = all(t, s.View())
		var b, again bytes.Buffer
		require.NoError(t, s.View().Save(&b))
		snapshot := bytes.Clone(b.Bytes())
		loaded, err := Load(&b)
		require.NoError(t, err)
		require.Equal(t, want, all(t, loaded.View()), "seed %d: snapshot", seed)
		require.NoError(t, loaded.View().Save(&again))
		require.True(t, bytes.Equal(snapshot, again.Bytes()), "seed %d: bytes", seed)
	}
}

// closeSome closes what was resolved, and opens a dossier on what is open.
func closeSome(s *State) {
	for id := event.IncidentID(1); id < s.incidents.Next(); id++ {
		i := s.incidents.State(id)
		if i.Phase == event.IncidentDone && id%3 != 0 {
			i.Phase, i.ClosedAt, i.CI = event.PhaseClosed, s.At(), "host:"+id.String()
		}
		if id%4 == 1 {
			i.Services, i.ServiceCount = []event.Affected{{Service: "shop", Down: true}, {Service: "pay"}}, 2
			i.Dossier = &event.Dossier{Watchers: []string{"ann"}, Tasks: []event.Task{{Number: 1, Title: "look", DueAt: s.At()}}, Rating: 4}
		}
		s.incidents.Put(&i)
	}
	s.text.Sweep()
}

func TestADamagedSnapshotIsRefused(t *testing.T) {
	s, g := New(), newGen(12)
	g.run(t, s, 50, nil)
	var b bytes.Buffer
	require.NoError(t, s.View().Save(&b))
	for _, at := range []int{10, b.Len() / 3, b.Len() / 2, b.Len() - 10} {
		damaged := bytes.Clone(b.Bytes())
		damaged[at] ^= 1
		_, err := Load(bytes.NewReader(damaged))
		require.Error(t, err, "byte %d", at)
	}
	_, err := Load(io.LimitReader(&b, int64(b.Len()/2)))
	require.Error(t, err)
}
