package itsm

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
	"github.com/tocsin-noc/tocsin/internal/labelset"
)

// dumbCMDB is the model: lists and maps, and a status evaluated by looking at everything until nothing moves.
type dumbCMDB struct {
	said    map[string][]event.CI // by ID, in the order in which it was said
	now     map[string]event.CI   // what holds
	failing map[string]int
}

func newDumb() *dumbCMDB {
	return &dumbCMDB{map[string][]event.CI{}, map[string]event.CI{}, map[string]int{}}
}

// put follows what a change says, at a time.
func (d *dumbCMDB) put(ci event.CI, at event.Time) {
	i := slices.IndexFunc(d.said[ci.ID], func(o event.CI) bool { return o.ValidFrom > o.KnownAt && same(o, ci) })
	if i < 0 {
		d.said[ci.ID] = append(d.said[ci.ID], ci)
	}
	if now, ok := d.asOf(ci.ID, at, at); ok {
		d.now[ci.ID] = now
	}
}

func same(a, b event.CI) bool {
	return a.KnownAt == b.KnownAt && a.ValidFrom == b.ValidFrom && sameCI(&a, &b)
}

func (d *dumbCMDB) asOf(id string, valid, known event.Time) (event.CI, bool) {
	for _, ci := range slices.Backward(d.said[id]) {
		if ci.KnownAt <= known && ci.ValidFrom <= valid {
			return ci, true
		}
	}
	return event.CI{}, false
}

func (d *dumbCMDB) active(id string) bool {
	switch d.now[id].State {
	case event.CILive, event.CIMaintenance, event.CIDiscovered:
		return true
	}
	return false
}

// to returns those that have a relation of a kind to id, each once.
func (d *dumbCMDB) to(id string, kinds ...event.RelationKind) []string {
	var out []string
	for from, ci := range d.now {
		if slices.ContainsFunc(ci.Relations, func(r event.Relation) bool { return r.To == id && slices.Contains(kinds, r.Kind) }) {
			out = append(out, from)
		}
	}
	slices.Sort(out)
	return out
}

// backed tells whether something that is not down stands in for id.
func (d *dumbCMDB) backed(id string, status map[string]CIStatus) bool {
	return slices.ContainsFunc(d.to(id, event.BacksUp), func(b string) bool { return d.active(b) && status[b] != StatusDown })
}

func (d *dumbCMDB) judge(id string, status map[string]CIStatus, failed []string) CIStatus {
	switch {
	case !d.active(id):
		return StatusUp
	case d.failing[id] > 0 || slices.Contains(failed, id):
		return StatusDown
	}
	s := StatusUp
	for _, r := range d.now[id].Relations {
		if r.Kind != event.DependsOn && r.Kind != event.HostedOn || !d.active(r.To) {
			continue
		}
		its := status[r.To]
		if its == StatusDown && d.backed(r.To, status) {
			its = StatusDegraded
		}
		s = max(s, its)
	}
	up, down := 0, 0
	for _, member := range d.to(id, event.PartOf) {
		switch {
		case !d.active(member):
		case status[member] == StatusDown:
			down++
		default:
			up++
			s = max(s, status[member])
		}
	}
	if down > 0 {
		s = max(s, StatusDegraded)
		if up < max(int(d.now[id].Needs), 1) {
			s = StatusDown
		}
	}
	return s
}

// statuses evaluates everything, as if those given failed as well.
func (d *dumbCMDB) statuses(failed ...string) map[string]CIStatus {
	status := map[string]CIStatus{}
	for id := range d.now {
		status[id] = StatusUp
	}
	for moved := true; moved; {
		moved = false
		for id := range d.now {
			if s := d.judge(id, status, failed); s != status[id] {
				status[id], moved = s, true
			}
		}
	}
	return status
}

// impact returns how far each CI that is ill and hangs on those given is from them.
func (d *dumbCMDB) impact(status map[string]CIStatus, from ...string) map[string]uint32 {
	hops := map[string]uint32{}
	var ring []string
	for _, id := range from {
		if d.active(id) {
			ring = append(ring, id)
			hops[id] = 0
		}
	}
	for n := uint32(1); len(ring) > 0; n++ {
		var next []string
		for _, id := range ring {
			hanging := d.to(id, event.DependsOn, event.HostedOn)
			for _, r := range d.now[id].Relations {
				if r.Kind == event.PartOf {
					hanging = append(hanging, r.To)
				}
				if r.Kind == event.BacksUp && status[id] == StatusDown && status[r.To] == StatusDown && !d.backed(r.To, status) {
					hanging = append(hanging, d.to(r.To, event.DependsOn, event.HostedOn)...)
				}
			}
			for _, h := range hanging {
				if _, seen := hops[h]; !seen && status[h] > StatusUp {
					hops[h] = n
					next = append(next, h)
				}
			}
		}
		ring = next
	}
	for _, id := range from {
		delete(hops, id)
	}
	return hops
}

// ciWorld runs one random history on a CMDB and on the model.
type ciWorld struct {
	t    *testing.T
	rng  *rand.Rand
	m    *CMDB
	d    *dumbCMDB
	at   event.Time
	ids  int
	last *event.CIEdit
}

func newCIWorld(t *testing.T, seed uint64, ids int) *ciWorld {
	return &ciWorld{t: t, rng: rand.New(rand.NewPCG(seed, 9)), m: NewCMDB(labelset.New()), d: newDumb(), at: 1_000_000, ids: ids}
}

func (w *ciWorld) id() string { return fmt.Sprint("ci-", w.rng.IntN(w.ids)) }

func (w *ciWorld) put(ci event.CI) {
	w.m.Put(&ci)
	w.d.put(ci, w.at)
}

// said is something random about a CI.
func (w *ciWorld) said(kinds int) event.CI {
	ci := event.CI{
		ID: w.id(), Class: "host", Name: []string{"", "alpha", "beta", "gamma"}[w.rng.IntN(4)], State: event.CIState(w.rng.IntN(4)),
		Needs: uint16(w.rng.IntN(4)),
	}
	if w.rng.IntN(3) > 0 {
		ci.State = event.CILive
	}
	for _, name := range []string{"owner", "rack", "vendor"} {
		if n := w.rng.IntN(4); n < 3 {
			ci.Attributes = append(ci.Attributes, event.Label{Name: name, Value: fmt.Sprint("value-", n)})
		}
	}
	for range w.rng.IntN(4) {
		if to := w.id(); to != ci.ID {
			ci.Relations = append(ci.Relations, event.Relation{Kind: event.RelationKind(1 + w.rng.IntN(kinds)), To: to})
		}
	}
	if w.rng.IntN(3) == 0 {
		ci.ValidFrom = w.at + event.Time(w.rng.IntN(4_000)-2_000)
	}
	return ci
}

// step does one random thing.
func (w *ciWorld) step() {
	w.at += event.Time(w.rng.IntN(200))
	for _, ci := range w.m.Due(w.at) {
		w.put(ci)
	}
	switch n := w.rng.IntN(20); {
	case n < 8:
		w.edit()
	case n < 9:
		id := w.id()
		w.m.Drop("main", id)
		delete(w.d.said, id)
		delete(w.d.now, id)
	case n < 10:
		w.at += event.Time(w.rng.IntN(3_000))
	default:
		w.fail()
	}
	w.m.text.Sweep()
}

func (w *ciWorld) fail() {
	id := w.id()
	slot := w.m.Find("main", id)
	switch {
	case slot == 0:
	case w.d.failing[id] > 0 && w.rng.IntN(2) == 0:
		w.m.AddFailing(slot, -1)
		w.d.failing[id]--
	default:
		w.m.AddFailing(slot, 1)
		w.d.failing[id]++
	}
}

func (w *ciWorld) edit() {
	e := &event.CIEdit{Source: []string{"inventory", "discovery", event.PeopleSource, event.AlertSource}[w.rng.IntN(4)]}
	for range 1 + w.rng.IntN(3) {
		ci := w.said(5)
		if !slices.ContainsFunc(e.Set, func(o event.CI) bool { return o.ID == ci.ID }) {
			e.Set = append(e.Set, ci)
		}
	}
	named := func(id string) bool { return slices.ContainsFunc(e.Set, func(o event.CI) bool { return o.ID == id }) }
	if id := w.id(); w.rng.IntN(6) == 0 && !named(id) && w.m.Find("main", id) != 0 {
		e.Retire = []string{id}
	} else if w.rng.IntN(6) == 0 && !named(id) && w.m.Find("main", id) != 0 {
		e.Release = []string{id}
	}
	for i := range e.Set {
		ci := &e.Set[i]
		ci.Relations = slices.DeleteFunc(ci.Relations, func(r event.Relation) bool { return !named(r.To) && w.m.Find("main", r.To) == 0 })
	}
	set, refused := w.m.Check("main", e, w.at)
	if refused != nil {
		require.Contains(w.t, refused.Message, "goes in a circle", "%+v", e)
		return
	}
	for i := range set {
		w.put(set[i])
	}
	w.last = e
}

// compare compares what the CMDB and the model say.
func (w *ciWorld) compare(step int) {
	status := w.d.statuses()
	for i := range w.ids {
		id := fmt.Sprint("ci-", i)
		slot := w.m.Find("main", id)
		_, known := w.d.said[id]
		require.Equal(w.t, known, slot != 0, "step %d: %s", step, id)
		if slot == 0 {
			continue
		}
		if now, holds := w.d.now[id]; holds {
			require.Equal(w.t, now, w.m.State(slot), "step %d", step)
			require.Equal(w.t, status[id], w.m.Status(slot), "step %d: %s", step, id)
		}
		valid, known2 := w.at+event.Time(w.rng.IntN(6_000)-3_000), w.at-event.Time(w.rng.IntN(3_000))
		want, wantOK := w.d.asOf(id, valid, known2)
		got, ok := w.m.AsOf("main", id, valid, known2)
		require.Equal(w.t, wantOK, ok)
		require.Equal(w.t, want, got)
	}
	w.compareImpact(step)
}

func (w *ciWorld) compareImpact(step int) {
	var from []uint32
	var ids []string
	for range 1 + w.rng.IntN(2) {
		id := w.id()
		if slot := w.m.Find("main", id); slot != 0 {
			from, ids = append(from, slot), append(ids, id)
		}
	}
	status := w.d.statuses(ids...)
	want := w.d.impact(status, ids...)
	hits, more := w.m.Impact(from, 1_000)
	require.False(w.t, more)
	got := map[string]uint32{}
	for _, h := range hits {
		got[h.ID] = h.Hops
		require.Equal(w.t, status[h.ID], h.Status, "step %d: %s", step, h.ID)
	}
	require.Equal(w.t, want, got, "step %d: %v", step, ids)
}

func (w *ciWorld) snapshot() []byte {
	var b bytes.Buffer
	text := w.m.text.View()
	s := flat.NewWriter(&b)
	require.NoError(w.t, text.Strings.Save(s, "strings"))
	require.NoError(w.t, text.Blobs.Save(s, "blobs"))
	require.NoError(w.t, w.m.View(text).Save(s))
	require.NoError(w.t, s.Close())
	return b.Bytes()
}

func loadCMDB(t *testing.T, snapshot []byte) *CMDB {
	m := NewCMDB(labelset.New())
	r := flat.NewReader(bytes.NewReader(snapshot))
	require.NoError(t, m.text.Strings.Load(r, "strings"))
	require.NoError(t, m.text.Blobs.Load(r, "blobs"))
	require.NoError(t, m.Load(r))
	require.NoError(t, r.Close())
	return m
}

func TestCMDBBehavesLikeADumbModel(t *testing.T) {
	for seed := range seeds(4, 12) {
		w := newCIWorld(t, seed, 4+int(seed))
		for step := range 300 {
			w.step()
			w.compare(step)
		}
	}
}

func TestCMDBFindsNothingNewInTheSameEditTwice(t *testing.T) {
	for seed := range seeds(6, 20) {
		w := newCIWorld(t, seed, 8)
		for range 300 {
			w.last = nil
			w.step()
			if w.last == nil {
				continue
			}
			set, refused := w.m.Check("main", w.last, w.at)
			require.Nil(t, refused)
			require.Empty(t, set, "%+v", w.last)
		}
	}
}

func TestCMDBAnEditHoldsFromItsTimeOnAndMovesNothingBefore(t *testing.T) {
	for seed := range seeds(4, 10) {
		w := newCIWorld(t, seed, 3)
		for range 40 {
			w.step()
			id := w.id()
			if n := len(w.m.Versions("main", id)); n == 0 || n > maxCIVersions/2 { // later all of them would not stay in memory
				continue
			}
			valid := w.at + event.Time(w.rng.IntN(6_000)-3_000)
			timeline := func() (out []string) {
				for at := w.at - 5_000; at < w.at+5_000; at += 250 {
					ci, _ := w.m.AsOf("main", id, at, w.at)
					out = append(out, fmt.Sprint(ci.Class, ci.Name, ci.State, ci.Relations, ci.Attributes.Get("rack"), ci.Attributes.Get("mark")))
				}
				return out
			}
			marks := func() (out []string) {
				for at := w.at - 5_000; at < w.at+5_000; at += 250 {
					ci, _ := w.m.AsOf("main", id, at, w.at)
					out = append(out, ci.Attributes.Get("mark"))
				}
				return out
			}
			base, known := w.m.AsOf("main", id, valid, w.at)
			if !known {
				continue
			}
			before, marked := timeline(), marks()
			e := &event.CIEdit{Source: event.PeopleSource, Set: []event.CI{{ID: id, ValidFrom: valid}}}
			mark := fmt.Sprint("mark ", w.at, " ", w.rng.Uint64())
			e.Set[0].Attributes = event.Labels{{Name: "mark", Value: mark}}
			set, refused := w.m.Check("main", e, w.at)
			if refused != nil { // what was only planned would hold already
				require.Contains(t, refused.Message, "goes in a circle")
				continue
			}
			for i := range set {
				w.put(set[i])
			}
			i := 0
			for at := w.at - 5_000; at < w.at+5_000; at += 250 {
				ci, ok := w.m.AsOf("main", id, at, w.at)
				after := fmt.Sprint(ci.Class, ci.Name, ci.State, ci.Relations, ci.Attributes.Get("rack"), ci.Attributes.Get("mark"))
				if at < valid {
					require.Equal(t, before[i], after)
				} else {
					require.True(t, ok)
					want := mark
					if marked[i] != base.Attributes.Get("mark") { // what was said for then had a word of its own
						want = marked[i]
					}
					require.Equal(t, want, ci.Attributes.Get("mark"))
				}
				i++
			}
		}
	}
}

func TestCMDBReadBackGoesOnAsIfNothingHadHappened(t *testing.T) {
	for seed := range seeds(2, 5) {
		w, other := newCIWorld(t, seed, 12), newCIWorld(t, seed, 12)
		for step := range 400 {
			w.step()
			other.step()
			if step%100 == 50 {
				before := w.snapshot()
				require.True(t, bytes.Equal(before, other.snapshot()), "the same calls give the same bytes")
				w.m = loadCMDB(t, before)
				require.True(t, bytes.Equal(before, w.snapshot()), "what was read back is written the same")
			}
			w.compare(step)
			other.compare(step)
		}
		require.True(t, bytes.Equal(w.snapshot(), other.snapshot()))
	}
}

func TestCMDBViewsKeepTheirMoment(t *testing.T) {
	w := newCIWorld(t, 3, 12)
	dump := func(g *cmdbReads) (out []any) {
		for slot := range g.Slots() {
			hits, _ := g.Impact([]uint32{slot}, 100)
			out = append(out, g.State(slot), g.Status(slot), hits, g.Versions("main", g.ID(slot)), g.Find("main", g.ID(slot)))
		}
		return out
	}
	for range 20 {
		for range 50 {
			w.step()
		}
		v := w.m.View(w.m.text.View())
		then := dump(&v.cmdbReads)
		require.Equal(t, dump(&w.m.cmdbReads), then)
		read := make(chan []any)
		go func() { read <- dump(&v.cmdbReads) }()
		for range 50 {
			w.step()
		}
		require.Equal(t, then, <-read)
		require.Equal(t, then, dump(&v.cmdbReads))
	}
}
