package correlate

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func TestRowsSayWhatTheIncidentsSay(t *testing.T) {
	s, g := New(), newGen(21)
	g.run(t, s, 400, nil)
	v := s.View()
	open := 0
	for r := range v.Rows() {
		i, b := r.Incident(), r.Brief()
		require.Equal(t, []any{i.ID, i.Phase, i.Severity, i.Priority, i.SignalLost, i.Recovered, i.Damped}, []any{r.ID, r.Phase, r.Severity, r.Priority, r.SignalLost, r.Recovered, r.Damped()})
		require.Equal(t, []any{i.Tenant, i.Team, i.Assignee}, []any{r.Tenant(), r.Team(), r.Assignee()})
		require.Equal(t, []event.Time{i.OpenedAt, i.LastOnset, i.AckedAt, i.ResolvedAt}, []event.Time{b.OpenedAt, b.LastOnset, b.AckedAt, b.ResolvedAt})
		title, labels := r.Words()
		require.Equal(t, []any{i.Title, i.Labels}, []any{title, labels})
		person, known := v.Sym(i.Assignee)
		require.True(t, known)
		require.Equal(t, person, r.PersonSym)
		if i.Phase == event.IncidentOpen {
			open++
		}
	}
	for r := range v.OpenRows() {
		require.Equal(t, event.IncidentOpen, r.Phase)
		open--
	}
	require.Zero(t, open)
}

func TestAnIncidentThatIsOverAndHasNoAlertsLeftIsNotCounted(t *testing.T) {
	s := New()
	for n := range uint32(100) {
		s.members.Alloc()
		s.members.Mut(n + 1).alerts = 1
	}
	s.members.sweep()
	require.EqualValues(t, 100, s.members.recs.Stats().Used)
	for n := range uint32(90) {
		s.members.Mut(n + 1).alerts = 0
	}
	s.members.sweep()
	require.EqualValues(t, 10, s.members.recs.Stats().Used)
	require.Zero(t, s.members.At(5).alerts)
	s.members.Mut(5).alerts = 7
	s.members.sweep()
	require.EqualValues(t, 7, s.members.At(5).alerts)
}

const (
	benchOpen   = 100_000
	benchClosed = 1_000_000
)

// past makes incidents such as years leave behind: some have a title by a person's hand, some are about what nothing else is
// ever about, such as a pod.
type past struct {
	r              *rand.Rand
	titled, unique int // percent
}

func (p *past) chance(percent int) bool { return p.r.IntN(100) < percent }

func (p *past) pick(format string, n int) string { return fmt.Sprintf(format, p.r.IntN(n)) }

func (p *past) incident(id event.IncidentID) event.IncidentState {
	at := scriptStart + event.Time(id)*event.Minute + event.Time(p.r.IntN(int(event.Minute)))
	name, host, service := p.pick("Alert%03dIsTooHigh", 400), p.pick("node-%05d.fra", 20_000), p.pick("service-%04d", 2_000)
	if p.chance(p.unique) {
		host = fmt.Sprintf("checkout-%09x-%05x", p.r.Uint32(), id&0xfffff)
	}
	i := event.IncidentState{
		ID: id, Tenant: "main", Phase: event.IncidentOpen, Severity: event.Severity(1 + p.r.IntN(4)), Priority: uint8(1 + p.r.IntN(4)),
		Rule: p.pick("by-rule-%d", 12), Title: name + ": instance " + host + ", service " + service,
		Labels:   event.Labels{{Name: "alertname", Value: name}, {Name: "instance", Value: host}, {Name: "service", Value: service}},
		OpenedAt: at, LastOnset: at + event.Time(p.r.IntN(int(10*event.Minute))), AckedAt: at + event.Time(p.r.IntN(int(5*event.Minute))),
		BegunAt: at + event.Time(p.r.IntN(int(15*event.Minute))),
		AckedBy: p.pick("person-%06d", 200), Assignee: p.pick("person-%06d", 200), Team: p.pick("team-%02d", 40),
		Impact: uint8(1 + p.r.IntN(3)), Urgency: uint8(1 + p.r.IntN(3)), Notes: uint32(p.r.IntN(4)),
		CI: p.pick("node:node-%05d.fra", 20_000), Services: []event.Affected{{Service: service, Down: p.r.IntN(2) == 0}}, ServiceCount: 1,
	}
	if p.chance(p.titled) {
		i.Title = fmt.Sprintf("Customers of %08x cannot pay by card at %s", p.r.Uint32(), host[:14])
	}
	if p.r.IntN(4) == 0 {
		i.Recurs = id - min(id, event.IncidentID(p.r.IntN(5000)))
	}
	if p.r.IntN(5) == 0 {
		i.Dossier = &event.Dossier{Watchers: []string{p.pick("person-%06d", 200)}, Rating: uint8(p.r.IntN(6))}
		i.Dossier.Tasks = []event.Task{{Number: 1, Title: p.pick("swap the disk in bay %d", 24), Assignee: i.Assignee, Done: true, DoneBy: i.Assignee, DoneAt: at + event.Hour}}
	}
	return i
}

func (p *past) close(i *event.IncidentState) {
	i.ClearSince = i.LastOnset + event.Time(p.r.IntN(int(event.Hour)))
	i.ResolvedAt, i.ResolvedBy = i.ClearSince+event.Time(p.r.IntN(int(event.Hour))), i.Assignee
	i.Phase, i.ClosedAt = event.PhaseClosed, i.ResolvedAt+event.Day
}

func heapMB() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / 1e6
}

func (p *past) add(s *State, n int, closed bool) {
	for k := range n {
		i := p.incident(s.incidents.Next())
		s.incidents.Put(&i)
		s.members.Alloc()
		s.members.Mut(uint32(i.ID)).alerts = 2
		if closed {
			p.close(&i)
			s.incidents.Put(&i)
			s.members.Mut(uint32(i.ID)).alerts = 0
		}
		if k%64 == 0 {
			s.text.Sweep()
			s.members.sweep()
		}
	}
	s.text.Sweep()
	s.members.sweep()
}

// BenchmarkYearsOfIncidents holds the goal of 150 bytes for what is closed and 50 ms for a list of all:
//
//	go test -run - -bench YearsOfIncidents -benchtime 1x ./correlate
func BenchmarkYearsOfIncidents(b *testing.B) {
	for _, percent := range [][2]int{{0, 0}, {10, 30}, {100, 100}} {
		b.Run(fmt.Sprintf("%d%% titled by hand, %d%% about something unique", percent[0], percent[1]), func(b *testing.B) {
			for range b.N {
				s, p := New(), &past{rand.New(rand.NewPCG(1, 2)), percent[0], percent[1]}
				empty := heapMB()
				p.add(s, benchOpen/2, false)
				some := heapMB()
				p.add(s, benchClosed, true)
				closed := heapMB()
				p.add(s, benchOpen/2, false)
				all := heapMB()
				b.ReportMetric((closed-some)*1e6/benchClosed, "B/closed")
				b.ReportMetric((some-empty+all-closed)*1e6/benchOpen, "B/open")
				b.ReportMetric(all-empty, "MB")
				v := s.View()
				report := func(name string, f func() int) {
					best, n := time.Hour, 0
					for range 5 {
						start := time.Now()
						n = f()
						best = min(best, time.Since(start))
					}
					b.ReportMetric(float64(best.Microseconds())/1000, name+"_ms")
					require.Positive(b, n)
				}
				lists(v, report)
				runtime.KeepAlive(s)
			}
		})
	}
}

// lists times what the API's lists do.
func lists(v *View, report func(string, func() int)) {
	report("rows", func() (n int) {
		for r := range v.Rows() {
			if r.Tenant() == "main" && r.Priority == 1 {
				n++
			}
		}
		return n
	})
	report("rows_by_person", func() (n int) {
		person, _ := v.Sym("person-000007")
		for r := range v.Rows() {
			if r.Tenant() == "main" && r.PersonSym == person && r.Updated > scriptStart {
				n++
			}
		}
		return n
	})
	report("open_rows", func() (n int) {
		for r := range v.OpenRows() {
			if b := r.Brief(); r.Tenant() == "main" && b.AckedAt != 0 {
				n++
			}
		}
		return n
	})
	report("brief_of_all", func() (n int) {
		for r := range v.Rows() {
			if r.Brief().ResolvedAt != 0 {
				n++
			}
		}
		return n
	})
	report("words_of_all", func() (n int) {
		for r := range v.Rows() {
			title, _ := r.Words()
			n += len(title)
		}
		return n
	})
	report("all_built", func() (n int) {
		for i := range v.Incidents() {
			n += len(i.Title)
		}
		return n
	})
}
