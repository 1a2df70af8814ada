package correlate

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules"
	"github.com/tocsin-noc/tocsin/simulate"
	"github.com/tocsin-noc/tocsin/simulate/scenario"
)

// The speed of the core alone: Step, without I/O and without decoding. "cpu-ns/alert" is the CPU time of the whole process while it steps,
// the collector's included, so that a busy machine does not lengthen it; the quantiles are of the time of single steps, by the clock, and
// a busy machine does.
//
//	go test -run - -bench . -benchtime 1x ./correlate

// benchCIs is how many configuration items the large estate has.
const benchCIs = 50_000

// bench drives a state as the engine does, in virtual time.
type bench struct {
	b       *testing.B
	s       *State
	seq     uint64
	now     event.Time
	inputs  []event.Input // made, and not stepped yet
	changes []event.Change

	alerts     uint64
	decided    uint64 // changes
	cpu        time.Duration
	steps      simulate.Histogram // of what alerts came in
	ticks      simulate.Histogram
	inTicks    time.Duration
	afterEvery func() // run after each chunk; may be nil
}

// chunk is how many inputs are made before they are stepped, so that making them is not measured.
const chunk = 4096

func newBench(b *testing.B, text string) *bench {
	d := &bench{b: b, s: New(), now: scriptStart}
	if text != "" {
		d.step(&event.Input{Kind: event.InputRules, Rules: rules.Bundle([]rules.File{{Name: "bench.yml", Text: []byte(text)}})})
	}
	return d
}

func (d *bench) step(in *event.Input) event.Result {
	d.seq++
	in.Seq, in.At, in.Writer = d.seq, d.now, event.Writer{ID: 1, Epoch: 1, N: d.seq}
	began := time.Now()
	changes, res := d.s.Step(in, d.changes[:0])
	took := time.Since(began)
	switch in.Kind {
	case event.InputEvents:
		d.steps.Record(took)
	case event.InputTick:
		d.ticks.Record(took)
		d.inTicks += took
	}
	d.decided += uint64(len(changes))
	if watch != nil {
		watch(changes)
	}
	d.changes = changes
	return res
}

// add makes an input of events at a time, to be stepped with the others of its chunk.
func (d *bench) add(at event.Time, events ...event.Event) {
	batch := &event.Batch{Source: event.Source{Name: "bench", Tenant: event.DefaultTenant, Kind: event.Resender}}
	for _, ev := range events {
		batch.Add(ev)
	}
	d.inputs = append(d.inputs, event.Input{Kind: event.InputEvents, Batch: batch, At: at})
	if len(d.inputs) == chunk {
		d.flush()
	}
}

// flush steps what was made, and the ticks that fall due between.
func (d *bench) flush() {
	before := cpuTime()
	for i := range d.inputs {
		in := &d.inputs[i]
		d.advance(in.At)
		d.alerts += uint64(len(in.Batch.Events))
		d.step(in)
	}
	d.cpu += cpuTime() - before
	clear(d.inputs) // what they alias is not the state's memory
	d.inputs = d.inputs[:0]
	if d.afterEvery != nil {
		d.afterEvery()
	}
}

func (d *bench) advance(to event.Time) {
	for next := d.s.Next(); next <= to; next = d.s.Next() {
		d.now = max(d.now, next)
		d.step(&event.Input{Kind: event.InputTick})
	}
	d.now = max(d.now, to)
}

// forget begins to measure anew.
func (d *bench) forget() {
	d.flush()
	d.alerts, d.decided, d.cpu, d.inTicks, d.steps, d.ticks = 0, 0, 0, 0, simulate.Histogram{}, simulate.Histogram{}
}

func (d *bench) report() {
	d.flush()
	perAlert := float64(d.cpu) / float64(d.alerts)
	d.b.ReportMetric(0, "ns/op")
	d.b.ReportMetric(perAlert, "cpu-ns/alert")
	d.b.ReportMetric(1e9/perAlert, "alerts/cpu-s")
	d.b.ReportMetric(float64(d.decided)/float64(d.alerts), "changes/alert")
	for name, h := range map[string]*simulate.Histogram{"step": &d.steps, "tick": &d.ticks} {
		if h.Count() > 0 {
			d.b.ReportMetric(float64(h.Quantile(.5))/1e3, name+"-p50-us")
			d.b.ReportMetric(float64(h.Quantile(.99))/1e3, name+"-p99-us")
			d.b.ReportMetric(float64(h.Max())/1e3, name+"-max-us")
		}
	}
}

var watch func([]event.Change)

// cpuTime is the CPU time of this process.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// heap is what is in use after a collection.
func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// benchAlert is one of many: ten labels and three annotations, of which some are its own alone.
func benchAlert(i int, ci, class string, at, ends event.Time) event.Event {
	number := strconv.Itoa(i)
	ls := event.Labels{
		{Name: "alertname", Value: "Check" + strconv.Itoa(i%200)}, {Name: "ci", Value: ci}, {Name: "class", Value: class},
		{Name: "cluster", Value: "site-" + strconv.Itoa(i%7)}, {Name: "device", Value: "dev-" + number}, {Name: "env", Value: "production"},
		{Name: "job", Value: "job-" + strconv.Itoa(i%31)}, {Name: "prometheus", Value: "monitoring/k8s"},
		{Name: "severity", Value: [...]string{"critical", "major", "warning", "warning"}[i%4]}, {Name: "team", Value: "team-" + strconv.Itoa(i%13)},
	}
	if ci == "" {
		ls[1] = event.Label{Name: "instance", Value: "node-" + number + ".example.net:9100"}
		slices.SortFunc(ls, func(a, b event.Label) int { return compareText(a.Name, b.Name) })
	}
	ev := event.Event{
		Labels: ls,
		Annotations: event.Labels{
			{Name: "description", Value: "The check of device dev-" + number + " has failed for more than five minutes in a row"},
			{Name: "runbook_url", Value: "https://runbooks.example.net/check-" + strconv.Itoa(i%200)},
			{Name: "summary", Value: "Check " + strconv.Itoa(i%200) + " fails"},
		},
		GeneratorURL: "http://prometheus.example.net/graph?g0.expr=check" + strconv.Itoa(i%200),
		StartsAt:     at, EndsAt: ends, Cleared: ends != 0 && ends <= at,
	}
	return ev
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// ended is the end of what an alert said.
func ended(ev *event.Event, at event.Time) event.Event {
	return event.Event{
		Labels: ev.Labels, Annotations: ev.Annotations, GeneratorURL: ev.GeneratorURL, StartsAt: ev.StartsAt, EndsAt: at, Cleared: true,
	}
}

// benchEstate is the large estate, and what rests on what in it.
type benchEstate struct {
	cis   []scenario.CI
	below [][]int
}

// estate lets an import tell of all items. whole names one more, on which everything rests, "" for none.
func (d *bench) estate(n int, whole string) *benchEstate {
	sc, err := scenario.Generate(scenario.Spec{Seed: 1, CIs: n, Start: scriptStart, Quiet: time.Hour, NoiseEvery: time.Minute})
	require.NoError(d.b, err)
	t := sc.Topology
	if whole != "" {
		for _, ci := range t.CIs {
			if ci.Class == "router" {
				t.Relations = append(t.Relations, scenario.Relation{From: ci.ID, Type: event.DependsOn, To: whole})
			}
		}
		t.CIs = append(slices.Clone(t.CIs), scenario.CI{ID: whole, Class: "site"})
	}
	d.tell(&t)
	e := &benchEstate{cis: t.CIs, below: make([][]int, len(t.CIs))}
	at := map[string]int{}
	for i, ci := range t.CIs {
		at[ci.ID] = i
	}
	for _, r := range t.Relations {
		e.below[at[r.To]] = append(e.below[at[r.To]], at[r.From])
	}
	return e
}

// tell imports a topology.
func (d *bench) tell(t *scenario.Topology) {
	edit, at := &event.CIEdit{Source: "import", Set: make([]event.CI, len(t.CIs)), Loose: true}, map[string]int{}
	for i, ci := range t.CIs {
		at[ci.ID] = i
		edit.Set[i] = event.CI{ID: ci.ID, Name: ci.ID, Class: ci.Class, State: event.CILive, Source: "import"}
	}
	for _, r := range t.Relations {
		set := &edit.Set[at[r.From]]
		set.Relations = append(set.Relations, event.Relation{Kind: r.Type, To: r.To, Source: "import"})
	}
	res := d.step(&event.Input{Kind: event.InputCommand, Command: &event.Command{Kind: event.EditCIs, Tenant: event.DefaultTenant, CIs: edit}})
	require.Nil(d.b, res.Err)
}

// alertOn makes an alert about an item.
func (e *benchEstate) alertOn(i, ci int, at, ends event.Time) event.Event {
	return benchAlert(i, e.cis[ci].ID, e.cis[ci].Class, at, ends)
}

// BenchmarkRepeats: 100,000 active alerts are said again, 64 to a request, as a server says them every minute.
func BenchmarkRepeats(b *testing.B) {
	const active, batch = 100_000, 64
	for b.Loop() {
		d := newBench(b, "")
		e := d.estate(benchCIs, "")
		random := rand.New(rand.NewPCG(1, 1))
		said := make([]event.Event, active)
		for i := range said {
			said[i] = e.alertOn(i, random.IntN(len(e.cis)), d.now, d.now+event.Hour)
			d.add(d.now, said[i])
		}
		d.flush()
		d.advance(d.now + 15*event.Minute) // what their beginnings left to be decided is no part of what repeats cost
		d.forget()
		for round := range event.Time(10) {
			at := d.now + event.Minute
			for from := 0; from < active; from += batch {
				some := slices.Clone(said[from:min(from+batch, active)])
				for i := range some {
					some[i].EndsAt += (round + 1) * event.Minute
				}
				d.add(at, some...)
			}
			d.flush()
		}
		d.report()
	}
}

// pending is an alert that will end.
type pending struct {
	at event.Time
	ev event.Event
}

// onOff says alerts one by one and clears each a while later.
type onOff struct {
	d     *bench
	ends  []pending // by time
	lasts event.Time
}

func (o *onOff) say(ev event.Event) {
	for len(o.ends) > 0 && o.ends[0].at <= ev.StartsAt {
		end := &o.ends[0]
		o.d.add(end.at, ended(&end.ev, end.at))
		o.ends = o.ends[1:]
	}
	o.d.add(ev.StartsAt, ev)
	o.ends = append(o.ends, pending{ev.StartsAt + o.lasts, ev})
}

// benchSize is how many alerts begin before it is measured, and half of those that begin then.
func benchSize() int {
	if testing.Short() {
		return 10_000
	}
	return 100_000
}

const shortMemory = "settings: {retain_cleared: 10m, reopen_within: 5m}\n"

// BenchmarkNewAlerts50000CIs: each alert is new, with a label set of its own, and of a random item of 50,000; ten minutes later it ends.
// The time of its end counts as the alert's.
func BenchmarkNewAlerts50000CIs(b *testing.B) {
	b.Run("scattered", func(b *testing.B) { // each item alarms every eight minutes
		for b.Loop() {
			d := newBench(b, shortMemory)
			e := d.estate(benchCIs, "")
			random, o := rand.New(rand.NewPCG(1, 2)), &onOff{d: d, lasts: 10 * event.Minute}
			for i := range 3 * benchSize() {
				if i == benchSize() {
					d.forget()
				}
				o.say(e.alertOn(i, random.IntN(len(e.cis)), scriptStart+event.Time(i)*10, 0))
			}
			d.report()
		}
	})
	b.Run("cascades", func(b *testing.B) { // every two seconds something breaks, and what rests on it alarms
		for b.Loop() {
			d := newBench(b, shortMemory)
			e := d.estate(benchCIs, "")
			random, o := rand.New(rand.NewPCG(1, 3)), &onOff{d: d, lasts: 10 * event.Minute}
			lines, at := []pending(nil), scriptStart
			for len(lines) < 3*benchSize() {
				at += 2 * event.Second
				for _, hit := range e.cascade(random, random.IntN(len(e.cis)), 3, 100) {
					when := at + event.Time(hit.hops)*4*event.Second + event.Time(random.IntN(int(4*event.Second)))
					lines = append(lines, pending{when, e.alertOn(len(lines), hit.ci, when, 0)})
				}
			}
			slices.SortStableFunc(lines, func(x, y pending) int { return int(x.at - y.at) })
			for i := range lines {
				if i == benchSize() {
					d.forget()
				}
				o.say(lines[i].ev)
			}
			d.report()
		}
	})
	b.Run("nothing known", func(b *testing.B) { // nobody has told of any item
		for b.Loop() {
			d := newBench(b, shortMemory)
			o := &onOff{d: d, lasts: 10 * event.Minute}
			for i := range 3 * benchSize() {
				if i == benchSize() {
					d.forget()
				}
				o.say(benchAlert(i, "", "host", scriptStart+event.Time(i)*10, 0))
			}
			d.report()
		}
	})
}

// benchHit is an item that a failure reaches.
type benchHit struct{ ci, hops int }

// cascade lists what a failure of an item reaches, the nearest first.
func (e *benchEstate) cascade(random *rand.Rand, root, hops, most int) []benchHit {
	list, seen := []benchHit{{root, 0}}, map[int]bool{root: true}
	for i := 0; i < len(list) && len(list) < most; i++ {
		if list[i].hops == hops {
			break
		}
		for _, ci := range e.below[list[i].ci] {
			if !seen[ci] && random.IntN(10) < 7 {
				seen[ci] = true
				list = append(list, benchHit{ci, list[i].hops + 1})
			}
		}
	}
	return list
}

// BenchmarkStorm1M: one thing fails on which 50,000 items rest, and a million alerts follow at 10,000 a second. What each costs must not
// grow; it is shown for each 100,000.
func BenchmarkStorm1M(b *testing.B) {
	const perSecond = 10_000
	alerts := 10 * benchSize()
	for b.Loop() {
		d := newBench(b, "")
		e := d.estate(benchCIs, "site-1")
		random := rand.New(rand.NewPCG(1, 4))
		hit := e.cascade(rand.New(rand.NewPCG(1, 5)), len(e.cis)-1, 9, 1<<30)
		empty := heap()
		for i := range alerts {
			at := d.timeOf(i, perSecond)
			ci := hit[random.IntN(len(hit))].ci
			if i < len(hit) { // the first wave goes from what is near to what is far
				ci = hit[i].ci
			}
			d.add(at, e.alertOn(i, ci, at, 0))
			if (i+1)%benchSize() == 0 {
				d.flush()
				b.Logf("%4d k: %5.0f ns of CPU per alert; p50 %s p99 %s max %s; %d ticks in %s, max %s; %.1f changes per alert; %d bytes per alert", (i+1)/1000,
					float64(d.cpu)/float64(benchSize()), d.steps.Quantile(.5), d.steps.Quantile(.99), d.steps.Max(), d.ticks.Count(), d.inTicks.Round(time.Microsecond), d.ticks.Max(),
					float64(d.decided)/float64(d.alerts), int(heap()-empty)/(i+1))
				if i+1 < alerts {
					d.forget()
				}
			}
		}
		d.report()
		b.ReportMetric((heap()-empty)/float64(alerts), "bytes/alert")
		runtime.KeepAlive(d)
	}
}

func (d *bench) timeOf(i, perSecond int) event.Time {
	return scriptStart + event.Time(i)*event.Second/event.Time(perSecond)
}

// BenchmarkNull: a day in which nothing breaks, on 2,500 items.
func BenchmarkNull(b *testing.B) { benchPreset(b, "null", 0) }

// BenchmarkHeavy: a fault every 40 seconds, a quarter noise.
func BenchmarkHeavy(b *testing.B) { benchPreset(b, "heavy", 0) }

// BenchmarkSwitchesFail: core switches fail under 50,000 items.
func BenchmarkSwitchesFail(b *testing.B) { benchPreset(b, "storm", 0) }

func benchPreset(b *testing.B, name string, cis int) {
	spec, ok := scenario.FindPreset(name)
	require.True(b, ok)
	spec.CIs = max(spec.CIs, cis)
	sc, err := scenario.Generate(spec)
	require.NoError(b, err)
	for b.Loop() {
		d := newBench(b, "")
		d.now = sc.Alerts[0].At
		d.tell(&sc.Topology)
		for i := range sc.Alerts {
			a := &sc.Alerts[i]
			d.add(a.At, event.Event{
				Labels: a.Labels, Annotations: a.Annotations, StartsAt: a.StartsAt, EndsAt: a.EndsAt, Cleared: a.EndsAt != 0 && a.EndsAt <= a.At,
			})
		}
		d.report()
	}
}

// BenchmarkMemory: a million active alerts of which nobody told what they are about.
func BenchmarkMemory(b *testing.B) {
	const alerts, batch = 1_000_000, 64
	for b.Loop() {
		d := newBench(b, "")
		empty := heap()
		var some []event.Event
		for i := range alerts {
			if some = append(some, benchAlert(i, "", "host", d.now, d.now+event.Hour)); len(some) == batch {
				d.add(d.now, some...)
				some = some[:0]
			}
		}
		d.report()
		b.ReportMetric((heap()-empty)/alerts, "bytes/alert")
		runtime.KeepAlive(d)
		b.Logf("%d alerts, %d fire", d.s.meta.Born, d.s.Firing())
	}
}
