package itsm

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/labelset"
)

const benchCIs = 50_000

// estate is an import of n CIs with five relations each on average, and five attributes: services over applications over
// virtual machines over hosts, in clusters.
func estate(n int) *event.CIEdit {
	rng := rand.New(rand.NewPCG(1, 2))
	name := func(i int) string { return fmt.Sprintf("dc%d-rack%02d-item-%06d", i%4, i%40, i) }
	e := &event.CIEdit{Source: "inventory"}
	for i := range n {
		ci := event.CI{ID: name(i), Class: "host", Attributes: event.Labels{
			{Name: "location", Value: fmt.Sprintf("dc%d rack %d", i%4, i%40)},
			{Name: "owner", Value: fmt.Sprintf("team-%d", i%50)},
			{Name: "serial", Value: fmt.Sprintf("SN%012d", i*7919)},
			{Name: "vendor", Value: "Example Systems"},
			{Name: "zone", Value: fmt.Sprintf("eu-%d", i%3)},
		}}
		if i%50 == 49 {
			ci.Class, ci.Attributes = event.ServiceClass, event.Labels{{Name: "criticality", Value: fmt.Sprint(1 + i%4)}}
		}
		for k := range 5 {
			if kind := event.RelationKind(1 + (i+k)%5); i > 0 {
				ci.Relations = append(ci.Relations, event.Relation{Kind: kind, To: name(i - 1 - rng.IntN(min(i, 2_000)))})
			}
		}
		e.Set = append(e.Set, ci)
	}
	return e
}

func importInto(tb testing.TB, m *CMDB, e *event.CIEdit, at event.Time) int {
	set, refused := m.Check("main", e, at)
	require.Nil(tb, refused)
	for i := range set {
		m.Put(&set[i])
	}
	m.text.Sweep()
	return len(set)
}

func BenchmarkCMDBTakesInAnEstate(b *testing.B) {
	e := estate(benchCIs)
	for b.Loop() {
		importInto(b, NewCMDB(labelset.New()), e, 1_000)
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/import")
}

func BenchmarkCMDBChecksTheSameEstateAgain(b *testing.B) {
	e := estate(benchCIs)
	m := NewCMDB(labelset.New())
	importInto(b, m, e, 1_000)
	for b.Loop() {
		require.Zero(b, importInto(b, m, e, 2_000))
	}
}

func BenchmarkCMDBMemory(b *testing.B) {
	for b.Loop() {
		e := estate(benchCIs)
		before := heap()
		m := NewCMDB(labelset.New())
		importInto(b, m, e, 1_000)
		m.work = ciWork{} // kept for the next call, whatever the size
		used := heap() - before
		relations := 0
		for ci := range m.All("main") {
			relations += len(ci.Relations)
		}
		b.ReportMetric(float64(used)/benchCIs, "bytes/CI")
		for i := range e.Set {
			e.Set[i].Needs++
		}
		require.Equal(b, benchCIs, importInto(b, m, e, 2_000))
		m.work = ciWork{}
		b.ReportMetric(float64(heap()-before-used)/benchCIs, "bytes/version")
		runtime.KeepAlive(m)
		runtime.KeepAlive(e)
		b.ReportMetric(float64(relations), "relations")
	}
}

func heap() uint64 {
	var st runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&st)
	return st.HeapAlloc
}

// pyramid is a CMDB in which each CI rests on six others, three levels deep: 6 + 36 + 216 within three hops.
func pyramid(tb testing.TB) *CMDB {
	e := &event.CIEdit{Source: "inventory"}
	const fan, top = 6, 150
	name := func(level, i int) string { return fmt.Sprintf("level-%d-%d", level, i) }
	for level, n := 0, top; level < 4; level, n = level+1, n*fan {
		for i := range n {
			ci := event.CI{ID: name(level, i), Class: "host"}
			if level == 0 {
				ci.Class = event.ServiceClass
			}
			for k := range fan {
				if level < 3 {
					ci.Relations = append(ci.Relations, event.Relation{Kind: event.DependsOn, To: name(level+1, i*fan+k)})
				}
			}
			e.Set = append(e.Set, ci)
		}
	}
	m := NewCMDB(labelset.New())
	importInto(tb, m, e, 1_000)
	return m
}

func BenchmarkCMDBWalksThreeHopsDown(b *testing.B) {
	m := pyramid(b)
	for b.Loop() {
		hits, _ := m.Deps(m.Find("main", "level-0-70"), 3, 1_000)
		require.Len(b, hits, 258)
	}
}

func BenchmarkCMDBWalksThreeHopsUp(b *testing.B) {
	e := &event.CIEdit{Source: "inventory"} // the pyramid upside down: one host below 6 + 36 + 216
	for level, n := 0, 1; level < 4; level, n = level+1, n*6 {
		for i := range n {
			ci := event.CI{ID: fmt.Sprintf("level-%d-%d", level, i), Class: event.ServiceClass}
			if level > 0 {
				ci.Relations = []event.Relation{{Kind: event.DependsOn, To: fmt.Sprintf("level-%d-%d", level-1, i/6)}}
			}
			e.Set = append(e.Set, ci)
		}
	}
	m := NewCMDB(labelset.New())
	importInto(b, m, e, 1_000)
	from := []uint32{m.Find("main", "level-0-0")}
	for b.Loop() {
		hits, _ := m.Impact(from, 1_000)
		require.Len(b, hits, 258)
	}
}

func BenchmarkCMDBFindsTheServicesOverAnOnset(b *testing.B) {
	m := pyramid(b)
	from := []uint32{m.Find("main", "level-3-777")}
	for b.Loop() {
		require.Len(b, m.ServicesOver(from), 1)
	}
}

func BenchmarkCMDBHubWith50000MembersFailsOneByOne(b *testing.B) {
	e := &event.CIEdit{Source: "inventory", Set: []event.CI{{ID: "hub", Class: "cluster", Needs: 2}}}
	for i := range benchCIs {
		e.Set = append(e.Set, event.CI{ID: fmt.Sprint("member-", i), Class: "host", Relations: []event.Relation{{Kind: event.PartOf, To: "hub"}}})
	}
	m := NewCMDB(labelset.New())
	importInto(b, m, e, 1_000)
	for b.Loop() {
		for i := range benchCIs {
			m.AddFailing(uint32(2+i), 1)
		}
		require.Equal(b, StatusDown, m.Status(m.Find("main", "hub")))
		for i := range benchCIs {
			m.AddFailing(uint32(2+i), -1)
		}
		require.Equal(b, StatusUp, m.Status(m.Find("main", "hub")))
	}
}
