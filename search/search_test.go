package search

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func example(t testing.TB) (*feed, *Index) {
	f := newFeed()
	f.add(event.IncidentOpened, event.IncidentState{
		ID: 1, Tenant: "main", Title: "Disk full on db-3", Team: "DBA", Severity: event.Critical, Priority: 1,
		Labels: event.Labels{{Name: "alertname", Value: "NodeFilesystemFull"}, {Name: "service", Value: "shop-eu"}},
	}, "", "")
	f.add(event.IncidentOpened, event.IncidentState{ID: 2, Tenant: "main", Title: "Link down in Zürich", Team: "network", Priority: 3}, "", "")
	f.add(event.IncidentOpened, event.IncidentState{ID: 3, Tenant: "acme", Title: "Disk full on acme-1", Team: "DBA"}, "", "")
	f.note(1, "Resized the volume; the vendor called back, see INC-2.")
	f.note(2, "Crème brûlée on the switch. Łukasz replaced the fiber. 光ファイバー交換")
	f.note(3, "secret of acme")
	i := f.state(2)
	i.Phase = event.IncidentDone
	f.add(event.IncidentResolved, i, "p-bob", "cable was chewed by a marten")
	f.add(event.IncidentResolved, event.IncidentState{ID: 4, Tenant: "main", Title: "Nothing", Phase: event.IncidentDone}, "", "every alert has cleared")
	x := open(t, t.TempDir(), f)
	catchUp(t, x)
	return f, x
}

func TestAQueryFindsWhatItSays(t *testing.T) {
	_, x := example(t)
	for text, want := range map[string][]int{
		"disk": {1}, "DISK": {1}, `"disk full"`: {1}, `"full disk"`: {}, "disk full volume": {1}, "disk fiber": {}, "res*": {1}, `"disk ful*"`: {1},
		"db-3": {1}, "db-3*": {1}, "db-4": {}, "zurich": {2}, "ZÜRICH": {2}, "creme BRULEE": {2}, "lukasz": {2}, "交換": {2}, "換交": {}, "title:link": {2}, "note:link": {},
		"note:fiber": {2}, `note:"the fiber"`: {2}, `note:"replaced the fib*"`: {2}, "reason:marten": {2}, "update:marten": {}, "service:shop": {1}, "service:eu": {1},
		"service:shop-eu": {1}, "service:eu-shop": {}, "service:shop-e*": {1}, "filesystem": {1}, "nodefilesystemfull": {1}, "alertname:filesystem": {1},
		"label.service:shop": {1}, "team:dba": {1}, "team:db": {}, "status:resolved": {4, 2}, "status:open": {1}, "disk -volume": {}, "-disk": {4, 2}, "-team:dba": {4, 2},
		"severity:critical": {1}, "priority:1": {1}, "INC-1": {1}, "inc-2": {2, 1}, "#2": {2, 1}, "id:2": {2}, "3": {1}, "id:3": {}, "INC-3": {}, "cleared": {}, "": {4, 2, 1},
		"disk & volume": {1}, "http://x": {}, "secret": {}, `"replaced the fiber"`: {2}, `"vendor called back see"`: {1}, `"volume the"`: {1}, `-"disk full"`: {4, 2}, "shop": {1},
		"vendor title:disk": {1}, "ticket:x": {}, "full the": {1}, "2": {2, 1},
	} {
		require.Equal(t, want, ids(t, x, "main", text), text)
	}
}

func TestATenantSeesItsOwn(t *testing.T) {
	_, x := example(t)
	require.Equal(t, []int{3}, ids(t, x, "acme", "disk"))
	require.Equal(t, []int{3}, ids(t, x, "acme", ""))
	require.Equal(t, []int{3}, ids(t, x, event.AllTenants, "secret"))
	require.ElementsMatch(t, []int{1, 3}, ids(t, x, event.AllTenants, "disk"))
	require.Equal(t, []int{4, 2, 3, 1}, ids(t, x, event.AllTenants, "-vendorx"))
	require.Empty(t, ids(t, x, "acm", "disk"))
	require.Empty(t, ids(t, x, "acme\x00", "tenant:main disk"))
	require.Empty(t, ids(t, x, "nobody", ""))
	_, err := x.Search(t.Context(), Query{Text: "disk"})
	require.ErrorIs(t, err, ErrNoTenant)
}

func TestAHitShowsWhereAndWhy(t *testing.T) {
	_, x := example(t)
	res, err := x.Search(t.Context(), Query{Tenant: "main", Text: `disk "vendor called"`})
	require.NoError(t, err)
	require.Equal(t, 1, res.Total)
	h := res.Hits[0]
	require.Equal(t, "Disk full on db-3", h.Title)
	require.Equal(t, "open", h.Status)
	require.Equal(t, FieldTitle, h.Field)
	require.Equal(t, [][2]int{{0, 4}}, h.Snippet.Marks)
	require.Equal(t, FieldNote, h.Others[0].Field)
	require.Equal(t, "p-ann", h.Others[0].By)
	require.EqualValues(t, 4, h.Others[0].Seq)
	m := h.Others[0].Snippet.Marks[0]
	require.Equal(t, "vendor called", h.Others[0].Snippet.Text[m[0]:m[1]])
	res, err = x.Search(t.Context(), Query{Tenant: "main", Text: "status:open"})
	require.NoError(t, err)
	require.Equal(t, FieldID, res.Hits[0].Field)
}

func TestFiltersNarrow(t *testing.T) {
	_, x := example(t)
	for name, test := range map[string]struct {
		f    Filters
		want []event.IncidentID
	}{
		"status":       {Filters{Status: []string{"resolved", "closed"}}, []event.IncidentID{4, 2}},
		"teams":        {Filters{Teams: []string{"dba", "Network"}}, []event.IncidentID{2, 1}},
		"both":         {Filters{Teams: []string{"dba", "network"}, Status: []string{"open"}}, []event.IncidentID{1}},
		"since":        {Filters{Since: time.UnixMilli(1_700_000_007_000)}, []event.IncidentID{4, 2}},
		"until":        {Filters{Until: time.UnixMilli(1_700_000_007_000)}, []event.IncidentID{1}},
		"severity":     {Filters{Severity: []string{"critical"}}, []event.IncidentID{1}},
		"another word": {Filters{Status: []string{"' OR 1=1"}}, nil},
	} {
		res, err := x.Search(t.Context(), Query{Tenant: "main", Filters: test.f})
		require.NoError(t, err)
		var got []event.IncidentID
		for _, h := range res.Hits {
			got = append(got, h.Incident)
		}
		require.Equal(t, test.want, got, name)
		require.Equal(t, len(test.want), res.Total, name)
	}
}

func TestABadQuerySaysWhereAndWhat(t *testing.T) {
	_, x := example(t)
	for text, want := range map[string]string{
		`disk "full`:              `search: query:6: the quotation does not end`,
		`title:`:                  `search: query:7: title: has no value`,
		`é note: x`:               `search: query:8: note: has no value`,
		`*`:                       `search: query:1: a * stands at the end of a word`,
		`a *b`:                    `search: query:3: a * stands at the end of a word`,
		`a*b`:                     `search: query:2: a * stands at the end of a word`,
		`a*`:                      `search: query:2: too short before the *`,
		`--`:                      `search: query:1: no letters or digits to look for`,
		`""`:                      `search: query:1: no letters or digits to look for`,
		`-"!"`:                    `search: query:2: no letters or digits to look for`,
		`team:d*`:                 `search: query:7: team: takes whole values`,
		`id:x`:                    `search: query:4: no number of an incident`,
		`"disk full"*`:            `search: query:12: a * stands behind a word, not behind a quotation`,
		"a\xff":                   `search: query:1: not UTF-8`,
		strings.Repeat("x ", 33):  `search: query:65: more than 32 conditions`,
		strings.Repeat("x", 1001): `search: query:1001: longer than 1000 bytes`,
		`service:"!"`:             `search: query:9: no letters or digits to look for`,
		`! ? &`:                   `search: query:1: no letters or digits to look for`,
	} {
		_, err := x.Search(t.Context(), Query{Tenant: "main", Text: text})
		var bad *QueryError
		require.ErrorAs(t, err, &bad, text)
		require.Equal(t, want, err.Error())
	}
}

func FuzzSearch(f *testing.F) {
	for _, text := range []string{`disk "full" -x*`, `a:"b\"c" d:e*`, "INC-1 #2", "-\"", "title:\xff", "İß", `a "b c*" note:"x y z*"`} {
		f.Add(text, "main")
	}
	_, x := example(f)
	f.Fuzz(func(t *testing.T, text, tenant string) {
		res, err := x.Search(t.Context(), Query{Tenant: tenant, Text: text})
		if err != nil {
			var bad *QueryError
			if !errors.Is(err, ErrNoTenant) && !errors.As(err, &bad) {
				t.Fatal(err)
			}
			return
		}
		for i := range res.Hits {
			h := &res.Hits[i]
			if !event.InTenant(tenant, h.Tenant) {
				t.Fatalf("%q sees %s of %q", tenant, h.Incident, h.Tenant)
			}
			for _, m := range append([]Match{h.Match}, h.Others...) {
				for _, at := range m.Snippet.Marks {
					_ = m.Snippet.Text[at[0]:at[1]]
				}
			}
		}
	})
}

func FuzzSnippet(f *testing.F) {
	f.Add("The DiskFull of ÄÖÜ "+strings.Repeat("x ", 300)+"disk", "disk*")
	f.Fuzz(func(t *testing.T, words, text string) {
		clauses, err := parse(text)
		if err != nil {
			return
		}
		marks, _ := mark(words, FieldNote, "", clauses)
		s := snip(words, marks)
		before := 0
		for _, m := range s.Marks {
			if m[0] < before || m[1] <= m[0] || m[1] > len(s.Text) {
				t.Fatal(m, s.Text)
			}
			before = m[1]
		}
	})
}

// answers asks a set of queries.
func answers(t testing.TB, x *Index) (out []string) {
	for _, text := range []string{"disk", `"disk full"`, "host-12*", `note:"full on the"`, "checkout -vendor", "status:resolved", "note:failover team:dba", "service:shop-7", "marten", ""} {
		res, err := x.Search(t.Context(), Query{Tenant: "main", Text: text, Limit: 50})
		require.NoError(t, err)
		var hits []string
		for _, h := range res.Hits {
			hits = append(hits, fmt.Sprintf("%s %s %v", h.Incident, h.Field, h.Snippet))
		}
		slices.Sort(hits[:0:0])
		out = append(out, fmt.Sprintf("%s: %d", text, res.Total))
		if res.Total <= 50 {
			slices.Sort(hits)
			out = append(out, hits...)
		}
	}
	return out
}

// copyDir takes the files as they are.
func copyDir(t testing.TB, from string) string {
	to := t.TempDir()
	require.NoError(t, os.CopyFS(to, os.DirFS(from)))
	return to
}

const killedAfter = 500 // incidents at most: the log that children read, of three batches

// TestIndexingChild is no test: it is the process of the next one, which kills itself some time after it has read so far.
func TestIndexingChild(t *testing.T) {
	dir, until := os.Getenv("SEARCH_CHILD"), uint64(0)
	if dir == "" {
		t.Skip("the child of a test")
	}
	_, err := fmt.Sscan(os.Getenv("SEARCH_UNTIL"), &until)
	require.NoError(t, err)
	f := newFeed()
	f.fill(killedAfter, 1)
	x := open(t, dir, f)
	w := &writer{store: x.store, source: f, now: time.Now, guard: x.guarded(0), taken: func(p progress) {
		if p.seq >= until {
			time.AfterFunc(time.Duration(rand.Int64N(int64(200*time.Millisecond))), func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL) })
		}
	}}
	require.NoError(t, w.follow(t.Context(), false))
	select {} // the shot will come
}

func TestKilledAnywhereItEndsAsInOnePass(t *testing.T) {
	f := newFeed()
	f.fill(killedAfter, 1)
	whole := open(t, t.TempDir(), f)
	catchUp(t, whole)
	want := answers(t, whole)

	dir := t.TempDir()
	for before := uint64(0); ; {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestIndexingChild$")
		child.Env = append(os.Environ(), "SEARCH_CHILD="+dir, fmt.Sprintf("SEARCH_UNTIL=%d", before+1))
		var ended *exec.ExitError
		require.ErrorAs(t, child.Run(), &ended)
		require.Equal(t, "signal: killed", ended.Error())
		x := open(t, dir, f)
		read := x.read.Load()
		require.NoError(t, x.Close())
		require.Greater(t, read, before, "what was in stays in")
		if before = read; before == uint64(len(f.log)) {
			break
		}
	}
	x := open(t, dir, f)
	require.Equal(t, want, answers(t, x))
	require.Zero(t, x.Status().Incomplete)
}

func TestRunFollowsAndSaysHowFarBehindItIs(t *testing.T) {
	f := newFeed()
	f.fill(50, 2)
	x := open(t, t.TempDir(), f)
	require.EqualValues(t, len(f.log), x.Behind().Entries)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- x.Run(ctx) }()
	even := func() bool { return x.Behind().Entries == 0 && !x.Behind().Building }
	require.Eventually(t, even, time.Minute, time.Millisecond)
	f.note(1, "xylophone")
	require.Eventually(t, func() bool { return len(ids(t, x, "main", "xylophone")) == 1 }, time.Minute, time.Millisecond)
	require.NoError(t, x.Rebuild(ctx, nil))
	require.Equal(t, []int{1}, ids(t, x, "main", "xylophone"))
	f.note(2, "xylophone")
	require.Eventually(t, func() bool { return len(ids(t, x, "main", "xylophone")) == 2 }, time.Minute, time.Millisecond)
	x.heal(errDamaged)
	require.Eventually(t, func() bool { return !x.damaged.Load() && even() }, time.Minute, time.Millisecond)
	require.Len(t, ids(t, x, "main", "xylophone"), 2)
	stop()
	require.NoError(t, <-ended)
	require.EqualValues(t, 50, x.Status().Documents)
}

func TestADamagedFolderIsMadeAnew(t *testing.T) {
	f := newFeed()
	f.fill(20, 3)
	for name, damage := range map[string]func(dir string){
		"a segment's byte": func(dir string) { flip(t, dir, "*.zap", 0.5) },
		"a segment's end":  func(dir string) { truncate(t, dir, "*.zap") },
		"the root":         func(dir string) { truncate(t, dir, "root.bolt") },
		"no root":          func(dir string) { remove(t, dir, "root.bolt") },
		"no segments":      func(dir string) { remove(t, dir, "*.zap") },
		"no current":       func(dir string) { require.NoError(t, os.Remove(filepath.Join(dir, "current"))) },
		"another version": func(dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "current"), []byte("tocsin-search 99 index-1\n"), 0o600))
		},
		"a path": func(dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "current"), []byte(format+" ../x\n"), 0o600))
		},
		"all of it": func(dir string) { require.NoError(t, os.RemoveAll(dir)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "search")
			x := open(t, dir, f)
			catchUp(t, x)
			want := answers(t, x)
			require.NoError(t, x.Close())
			damage(dir)
			x = open(t, dir, f)
			require.Zero(t, x.read.Load())
			catchUp(t, x)
			require.Equal(t, want, answers(t, x))
			folders, err := filepath.Glob(filepath.Join(dir, "index-*"))
			require.NoError(t, err)
			require.Len(t, folders, 1)
		})
	}
}

func one(t testing.TB, dir, pattern string) []string {
	names, err := filepath.Glob(filepath.Join(dir, "index-*", pattern))
	require.NoError(t, err)
	require.NotEmpty(t, names)
	return names
}

func flip(t testing.TB, dir, pattern string, at float64) {
	name := one(t, dir, pattern)[0]
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	b[int(float64(len(b))*at)] ^= 0x40
	require.NoError(t, os.WriteFile(name, b, 0o600))
}

func truncate(t testing.TB, dir, pattern string) {
	require.NoError(t, os.Truncate(one(t, dir, pattern)[0], 100))
}

func remove(t testing.TB, dir, pattern string) {
	for _, name := range one(t, dir, pattern) {
		require.NoError(t, os.Remove(name))
	}
}

func TestWhatTheLogNoLongerHoldsComesFromTheViewAndTheTimelines(t *testing.T) {
	f := newFeed()
	f.fill(220, 4)
	full := open(t, t.TempDir(), f)
	catchUp(t, full)
	want := answers(t, full)
	f.first = 660
	x := open(t, t.TempDir(), f)
	catchUp(t, x)
	require.Equal(t, want, answers(t, x))
	require.Zero(t, x.Status().Incomplete)

	f.lost = 590 // now the timelines lack notes too
	x = open(t, t.TempDir(), f)
	catchUp(t, x)
	st := x.Status()
	require.EqualValues(t, 220, st.Documents)
	require.NotZero(t, st.Incomplete)
	require.Less(t, st.Incomplete, uint64(220))
}

func TestALogThatWasDroppedBeforeItWasReadIsMadeUpFor(t *testing.T) {
	f := newFeed()
	f.fill(40, 4)
	x := open(t, t.TempDir(), f)
	catchUp(t, x)
	f.fill(40, 5)
	f.note(7, "xylophone")
	f.mu.Lock()
	f.first = len(f.log) - 1
	f.mu.Unlock()
	f.note(8, "xylophone")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- x.Run(ctx) }()
	require.Eventually(t, func() bool { return len(ids(t, x, "main", "xylophone")) == 2 }, time.Minute, 5*time.Millisecond)
	stop()
	require.NoError(t, <-ended)
}

func TestAnIndexOfAnotherLogIsMadeAnew(t *testing.T) {
	f := newFeed()
	f.fill(20, 4)
	dir := t.TempDir()
	x := open(t, dir, f)
	catchUp(t, x)
	require.NoError(t, x.Close())
	f = newFeed()
	f.fill(3, 5)
	x = open(t, dir, f)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- x.Run(ctx) }()
	require.Eventually(t, func() bool { return x.Status().Documents == 3 && x.Behind().Entries == 0 }, time.Minute, 5*time.Millisecond)
	stop()
	require.NoError(t, <-ended)
}

// inFiles tells whether any file below a folder holds a text as it is.
func inFiles(t testing.TB, dir, text string) (found bool) {
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		found = found || strings.Contains(string(b), text)
		return err
	}))
	return found
}

// holds tells whether the files of a closed index hold a text: as it is, or in what they say when they are taken apart.
func holds(t testing.TB, dir, text string) (raw, parsed bool) {
	raw = inFiles(t, dir, text)
	copied := copyDir(t, dir)
	folders, err := filepath.Glob(filepath.Join(copied, "index-*"))
	require.NoError(t, err)
	for _, folder := range folders {
		s, err := openStore(folder)
		require.NoError(t, err)
		r, err := s.reader()
		require.NoError(t, err)
		require.NoError(t, each(t.Context(), r, func(rec *record) error {
			parsed = parsed || strings.Contains(fmt.Sprintf("%+v", rec), text)
			return nil
		}))
		fields, err := r.Fields()
		require.NoError(t, err)
		for _, field := range fields {
			d, err := r.FieldDict(field)
			require.NoError(t, err)
			for e, err := d.Next(); e != nil; e, err = d.Next() {
				require.NoError(t, err)
				parsed = parsed || strings.Contains(e.Term, text)
			}
		}
		require.NoError(t, r.Close())
		require.NoError(t, s.close())
	}
	return raw, parsed
}

func TestOfARedactedTextNoByteIsLeft(t *testing.T) {
	f := newFeed()
	f.fill(40, 6)
	dir := t.TempDir()
	x := open(t, dir, f)
	seq := f.note(5, "her number is zq8w7x6v5u4t, call at night")
	catchUp(t, x)
	f.fill(20, 8) // incident 5 among them: its document is written anew, and the old one lies in a segment
	f.note(5, "another note")
	catchUp(t, x)
	require.Equal(t, []int{5}, ids(t, x, "main", "zq8w7x6v5u4t"))
	require.NoError(t, x.Close())
	raw, parsed := holds(t, dir, "zq8w7x6v5u4t")
	require.True(t, raw, "else the test sees nothing")
	require.True(t, parsed)
	x = open(t, dir, f)

	list, more, err := x.Mentions(t.Context(), "ZQ8W7X6V5U4T")
	require.NoError(t, err)
	require.False(t, more)
	require.Equal(t, []Mention{{Entry{5, seq, 0}, "main", FieldNote}}, list)

	f.redact(seq)
	require.NoError(t, x.Redact(t.Context(), Entry{5, seq, 0}))
	require.False(t, inFiles(t, dir, "zq8w7x6v5u4t"), "at once")
	require.NoError(t, x.Close())
	raw, parsed = holds(t, dir, "zq8w7x6v5u4t")
	require.False(t, raw)
	require.False(t, parsed)
	x = open(t, dir, f)
	require.Empty(t, ids(t, x, "main", "zq8w7x6v5u4t"))
	require.Equal(t, []int{5}, ids(t, x, "main", `note:"another note"`))
	require.NoError(t, x.Redact(t.Context(), Entry{5, seq, 0}, Entry{999, 1, 0}), "once more, and what is not there")
	require.EqualValues(t, 40, x.Status().Documents)
}

func TestARedactionCutShortIsFinishedByRun(t *testing.T) {
	f := newFeed()
	f.fill(30, 6)
	dir := t.TempDir()
	x := open(t, dir, f)
	seq := f.note(5, "zq8w7x6v5u4t")
	catchUp(t, x)
	f.redact(seq)
	require.NoError(t, x.blank([]Entry{{5, seq, 0}}))
	require.NoError(t, x.Close()) // killed before the files were written anew
	raw, _ := holds(t, dir, "zq8w7x6v5u4t")
	require.True(t, raw)
	x = open(t, dir, f)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- x.Run(ctx) }()
	require.Eventually(t, func() bool {
		s, done, err := x.use()
		require.NoError(t, err)
		defer done()
		left, err := s.value(keyPurge)
		return err == nil && left == ""
	}, time.Minute, time.Millisecond)
	stop()
	require.NoError(t, <-ended)
	require.NoError(t, x.Close())
	raw, parsed := holds(t, dir, "zq8w7x6v5u4t")
	require.False(t, raw || parsed)
}

func TestWhatAFollowerReadBeforeARedactionIsReadAgain(t *testing.T) {
	f := newFeed()
	f.fill(30, 6)
	x := open(t, t.TempDir(), f)
	catchUp(t, x)
	seq := f.note(5, "zq8w7x6v5u4t")
	w := &writer{store: x.store, source: f, now: time.Now, guard: x.guarded(x.era), taken: x.taken}
	ch := f.log[seq-1]
	w.batch = append(w.batch, &ch)
	f.redact(seq)
	require.NoError(t, x.Redact(t.Context(), Entry{5, seq, 0}))
	require.ErrorIs(t, w.flush(cursor(&ch), &ch), errStale)
	catchUp(t, x)
	require.Empty(t, ids(t, x, "main", "zq8w7x6v5u4t"))
}

func TestWordsAreFolded(t *testing.T) {
	for text, want := range map[string]string{
		"Ärger STRASSE straße": "arger strasse strasse", "ŁÓDŹ Øresund": "lodz oresund", "NodeFilesystemFull": "nodefilesystemfull node filesystem full",
		"HTTPServer2x": "httpserver2x http server2x", "e\u0301a": "ea", "İstanbul ΣΑΣ": "istanbul σασ", "光フア": "光 フ ア", "a_b-c": "a b c", "ﬁx": "fix", "": "",
	} {
		var words []string
		for _, tok := range tokens(text) {
			words = append(words, tok.word)
		}
		require.Equal(t, want, strings.Join(words, " "), text)
	}
	long := tokens(strings.Repeat("ä", 1000))
	require.Len(t, long, 1)
	require.LessOrEqual(t, len(long[0].word), maxWord)
}

func TestBoundsDropTheOldestTexts(t *testing.T) {
	r := record{}
	for n := range 600 {
		r.add(text{At: place{uint64(n), 0}, Field: FieldNote, Text: "x"})
	}
	require.Len(t, r.Texts, maxTexts)
	require.EqualValues(t, 100, r.Dropped)
	r.Noted = 600
	require.False(t, r.incomplete())
	for n := range 10 {
		r.add(text{At: place{uint64(1000 + n), 0}, Field: FieldNote, Text: strings.Repeat("y", maxText)})
	}
	require.LessOrEqual(t, len(r.Texts), 5)
	require.Len(t, cut(strings.Repeat("é", maxText)), maxText)
}
