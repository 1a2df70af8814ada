package itsm

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
	"github.com/tocsin-noc/tocsin/internal/labelset"
)

// filled returns an incident whose fields, whatever there are, hold anything: each is zero half of the time.
func filled(r *rand.Rand, id event.IncidentID) event.IncidentState {
	var i event.IncidentState
	fill(r, reflect.ValueOf(&i).Elem())
	i.ID, i.Phase = id, event.IncidentPhase(1+r.IntN(int(event.PhaseMerged)))
	return i
}

func fill(r *rand.Rand, v reflect.Value) {
	if r.IntN(2) == 0 {
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(r.Uint64() >> (64 - v.Type().Bits()))
	case reflect.Int64:
		v.SetInt(int64(r.Uint64()))
	case reflect.String:
		v.SetString(strings.Repeat([]string{"down", "shop ", "ü", "0"}[r.IntN(4)], 1+r.IntN(9)))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1+r.IntN(4), 4))
		for n := range v.Len() {
			fill(r, v.Index(n))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(r, v.Elem())
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(r, field)
		}
	default:
		panic("no value for " + v.Type().String())
	}
}

// loaded returns the table and its texts as a snapshot gives them back.
func loaded(t *testing.T, view *View, words *labelset.View) (*Table, *labelset.Store, []byte) {
	t.Helper()
	var b bytes.Buffer
	w := flat.NewWriter(&b)
	require.NoError(t, words.Strings.Save(w, "strings"))
	require.NoError(t, words.Blobs.Save(w, "blobs"))
	require.NoError(t, view.Save(w))
	require.NoError(t, w.Close())
	snapshot := bytes.Clone(b.Bytes())
	text := labelset.New()
	table, r := NewTable(text), flat.NewReader(&b)
	require.NoError(t, text.Strings.Load(r, "strings"))
	require.NoError(t, text.Blobs.Load(r, "blobs"))
	require.NoError(t, table.Load(r))
	require.NoError(t, r.Close())
	return table, text, snapshot
}

func TestWhateverWasPutComesBackFromTheTableAnOldViewAndASnapshot(t *testing.T) {
	for seed := range seeds(12, 40) {
		r := rand.New(rand.NewPCG(seed, 3))
		text := labelset.New()
		table := NewTable(text)
		want := []event.IncidentState{{}}
		put := func(id event.IncidentID) {
			i := filled(r, id)
			table.Put(&i)
			text.Sweep()
			want[id] = i
		}
		for range 150 {
			want = append(want, event.IncidentState{})
			put(table.Next())
		}
		view, words, then := table.View(), text.View(), slices.Clone(want)
		for range 300 {
			put(event.IncidentID(1 + r.IntN(150)))
		}
		later, laterText, _ := loaded(t, table.View(), text.View())
		for id := event.IncidentID(1); id < table.Next(); id++ {
			require.Equal(t, want[id], table.State(id), "seed %d", seed)
			require.Equal(t, then[id], view.State(id, words), "seed %d: old view", seed)
			require.Equal(t, want[id], later.State(id), "seed %d: snapshot", seed)
			require.Equal(t, want[id], later.View().State(id, laterText.View()), "seed %d: view of the snapshot", seed)
			title, labels := view.Words(id, words)
			require.Equal(t, []any{then[id].Title, then[id].Labels}, []any{title, labels})
			checkBrief(t, &want[id], table.Brief(id), table.View().Row(id), text)
			checkBrief(t, &then[id], view.Brief(id, words), view.Row(id), words)
		}
		checkOpen(t, want, table.View())
		checkOpen(t, then, view)
	}
}

func checkBrief(t *testing.T, i *event.IncidentState, b Brief, row Row, text labelset.Reader) {
	t.Helper()
	if !over(i.Phase) {
		b.ClosedAt = i.ClosedAt // which what runs has only here
	}
	require.Equal(t, Brief{
		Phase: i.Phase, Severity: i.Severity, Priority: i.Priority, Unbound: i.Unbound, SignalLost: i.SignalLost, Recovered: i.Recovered,
		Dossier: i.Dossier != nil, Bounded: i.Bounds != (event.Bounds{}), OpenedAt: i.OpenedAt, LastOnset: i.LastOnset, ClearSince: i.ClearSince, AckedAt: i.AckedAt,
		WorseAt: i.WorseAt, BegunAt: i.BegunAt, ResolvedAt: i.ResolvedAt, ClosedAt: i.ClosedAt, SnoozedUntil: i.SnoozedUntil, HeldUntil: i.HeldUntil,
	}, b)
	require.Equal(t, []string{i.Tenant, i.Team, i.Assignee}, []string{text.String(row.TenantSym), text.String(row.TeamSym), text.String(row.PersonSym)})
	require.Equal(t, []any{i.Phase, i.Severity, i.Priority}, []any{row.Phase, row.Severity, row.Priority})
	if over(i.Phase) {
		require.Equal(t, UpdatedAt(i), row.Updated)
	}
}

func checkOpen(t *testing.T, all []event.IncidentState, view *View) {
	t.Helper()
	var open []event.IncidentID
	for _, i := range slices.Backward(all) {
		if i.Phase == event.IncidentOpen {
			open = append(open, i.ID)
		}
	}
	require.Equal(t, open, slices.Collect(view.Open()))
}

func TestTheSameIncidentsGiveTheSameBytesAlsoAfterASnapshot(t *testing.T) {
	run := func(r *rand.Rand, table *Table, text *labelset.Store) {
		for range 200 {
			i := filled(r, event.IncidentID(1+r.IntN(int(min(table.Next(), 80)))))
			table.Put(&i)
			text.Sweep()
		}
	}
	one, two := labelset.New(), labelset.New()
	a, b := NewTable(one), NewTable(two)
	ra, rb := rand.New(rand.NewPCG(1, 1)), rand.New(rand.NewPCG(1, 1))
	run(ra, a, one)
	run(rb, b, two)
	b, two, _ = loaded(t, b.View(), two.View())
	run(ra, a, one)
	run(rb, b, two)
	_, _, want := loaded(t, a.View(), one.View())
	_, _, got := loaded(t, b.View(), two.View())
	require.True(t, bytes.Equal(want, got))
}

func TestNoTextOutlivesItsIncident(t *testing.T) {
	text := labelset.New()
	table, r := NewTable(text), rand.New(rand.NewPCG(5, 5))
	for range 500 {
		i := filled(r, event.IncidentID(1+r.IntN(int(min(table.Next(), 20)))))
		table.Put(&i)
		text.Sweep()
	}
	for id := event.IncidentID(1); id < table.Next(); id++ {
		table.Put(&event.IncidentState{ID: id, Phase: event.IncidentOpen})
	}
	text.Sweep()
	require.Zero(t, text.Strings.Stats().Used)
	require.LessOrEqual(t, text.Blobs.Stats().Used, uint64(table.Next()-1), "an empty body at most")
}

func TestADossierMayBeLargerThanABlob(t *testing.T) {
	text := labelset.New()
	table := NewTable(text)
	big := event.IncidentState{ID: 1, Phase: event.IncidentOpen, Title: "t", Dossier: &event.Dossier{}}
	for n := range 300 {
		big.Dossier.Reports = append(big.Dossier.Reports, event.Report{Caller: fmt.Sprint("caller ", n), Text: strings.Repeat("x", 1000)})
	}
	for _, phase := range []event.IncidentPhase{event.IncidentOpen, event.PhaseClosed, event.IncidentOpen} {
		big.Phase = phase
		table.Put(&big)
		text.Sweep()
		require.Equal(t, big, table.State(1))
		require.Equal(t, big, table.View().State(1, text.View()))
	}
	again, _, _ := loaded(t, table.View(), text.View())
	require.Equal(t, big, again.State(1))
	big.Dossier = nil
	table.Put(&big)
	text.Sweep()
	require.EqualValues(t, 1, text.Blobs.Stats().Used, "the whole chain is free")
	for size := flat.MaxBlob - 20; size < flat.MaxBlob+20; size++ { // around the edge
		big.HeldFor = strings.Repeat("y", size)
		table.Put(&big)
		text.Sweep()
		require.Equal(t, big, table.State(1))
	}
}

func TestAnAlertThatJoinsWhatIsClosedMovesItsLastOnset(t *testing.T) {
	text := labelset.New()
	table := NewTable(text)
	i := event.IncidentState{ID: 1, Phase: event.PhaseClosed, Title: "t", OpenedAt: 1, ClosedAt: 5}
	table.Put(&i)
	table.SetLastOnset(1, 9)
	require.EqualValues(t, 9, table.Brief(1).LastOnset)
	require.EqualValues(t, 9, table.View().Row(1).Updated)
}

func TestATitleIsToldFromTheLabels(t *testing.T) {
	ls := event.Labels{{Name: "alertname", Value: "DiskFull"}, {Name: "instance", Value: "db-7"}, {Name: "x", Value: "Disk"}}
	for _, title := range []string{"DiskFull: instance db-7", "x", "Disk", "instanceinstance", "nothing of it", "a DiskFul DiskFull", "é db-7 é", "\x00"} {
		text := labelset.New()
		table := NewTable(text)
		i := event.IncidentState{ID: 1, Phase: event.PhaseClosed, Title: title, Labels: ls}
		table.Put(&i)
		require.Equal(t, title, table.State(1).Title)
	}
}

func BenchmarkAnIncidentIsReadChangedAndPut(b *testing.B) {
	text := labelset.New()
	table := NewTable(text)
	i := event.IncidentState{
		ID: 1, Tenant: "main", Phase: event.IncidentOpen, Title: "DiskFull: instance db-7, service shop", Rule: "by-service", Team: "dba", OpenedAt: 1000,
		Labels:   event.Labels{{Name: "alertname", Value: "DiskFull"}, {Name: "instance", Value: "db-7"}, {Name: "service", Value: "shop"}},
		Services: []event.Affected{{Service: "shop", Down: true}}, ServiceCount: 1, CI: "host:db-7",
	}
	table.Put(&i)
	b.ReportAllocs()
	for b.Loop() {
		state := table.State(1)
		state.ClearSince++
		table.Put(&state)
		text.Sweep()
	}
}
