package flat

import (
	"container/heap"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The benchmarks of docs/adr/0002: a million alerts of the correlator's shape in this kit, and in a
// map of pointers to structs with strings, as one writes it first.
//
//	go test -run - -bench Million -benchtime 2s ./internal/flat

const (
	million = 1_000_000
	pairs   = 13
	batch   = 64 // updates that one Step makes
)

// benchAlert is 128 bytes.
type benchAlert struct {
	hash           uint64
	starts, ends   int64
	updated        int64
	pairs          Ref
	instance, note Sym
	claim, timer   uint32
	count          uint32
	rest           [9]uint64
}

// benchClaim is 64 bytes.
type benchClaim struct {
	alert uint32
	count uint32
	rest  [7]uint64
}

// unique texts of 24 and 80 bytes.
func instanceOf(i int) string { return fmt.Sprintf("node-%019d", i) }
func noteOf(i int) string     { return fmt.Sprintf("%080d", i) }

func hashOf(i int) uint64 { return uint64(i+1) * 0xD6E8FEB86659FD93 }

// flatAlerts is a million alerts in this kit.
type flatAlerts struct {
	alerts *Slab[benchAlert]
	claims *Slab[benchClaim]
	pairs  *Blobs
	text   *Strings
	index  *Index
	wheel  *Wheel
}

func newFlatAlerts() *flatAlerts {
	return &flatAlerts{NewSlab[benchAlert](), NewSlab[benchClaim](), NewBlobs(), NewStrings(), NewIndex(), NewWheel()}
}

func (f *flatAlerts) add(i int, tuple []byte) {
	id, claim := f.alerts.Alloc(), f.claims.Alloc()
	*f.alerts.Mut(id) = benchAlert{hash: hashOf(i), pairs: f.pairs.Put(tuple), instance: f.text.Intern(instanceOf(i)),
		note: f.text.Intern(noteOf(i)), claim: claim, timer: f.wheel.Set(1, id, int64(300_000+i))}
	f.claims.Mut(claim).alert = id
	f.index.Insert(hashOf(i), id)
}

func (f *flatAlerts) fill(n int) {
	tuple := make([]byte, 8*pairs)
	for i := range n {
		binary.LittleEndian.PutUint64(tuple, uint64(i))
		f.add(i, tuple)
	}
}

// repeat is one more notification of alert i.
func (f *flatAlerts) repeat(i int) {
	hash := hashOf(i)
	id, _ := f.index.Find(hash, func(id uint32) bool { return f.alerts.At(id).hash == hash })
	a := f.alerts.Mut(id)
	a.count++
	a.ends += 60_000
	f.claims.Mut(a.claim).count++
}

type flatView struct {
	alerts SlabView[benchAlert]
	claims SlabView[benchClaim]
	pairs  BlobsView
	text   StringsView
	index  IndexView
	wheel  WheelView
}

func (f *flatAlerts) view() *flatView {
	return &flatView{f.alerts.View(), f.claims.View(), f.pairs.View(), f.text.View(), f.index.View(), f.wheel.View()}
}

func (v *flatView) save(to io.Writer) error {
	w := NewWriter(to)
	for _, err := range []error{v.alerts.Save(w, "alerts"), v.claims.Save(w, "claims"), v.pairs.Save(w, "pairs"),
		v.text.Save(w, "text"), v.index.Save(w, "index"), v.wheel.Save(w, "timers")} {
		if err != nil {
			return err
		}
	}
	return w.Close()
}

func (f *flatAlerts) load(from io.Reader) error {
	r := NewReader(from)
	for _, err := range []error{f.alerts.Load(r, "alerts"), f.claims.Load(r, "claims"), f.pairs.Load(r, "pairs"),
		f.text.Load(r, "text"), f.index.Load(r, "index"), f.wheel.Load(r, "timers")} {
		if err != nil {
			return err
		}
	}
	return r.Close()
}

// mapAlerts is the alternative.
type mapAlerts struct {
	byHash map[uint64]*mapAlert
	timers timerHeap
}

type mapAlert struct {
	hash                  uint64
	starts, ends, updated time.Time
	labels                []labelPair
	note                  string
	count                 uint32
	claim                 *mapClaim
	due                   time.Time
	place                 int
}

type labelPair struct{ name, value string }

type mapClaim struct {
	alert *mapAlert
	count uint32
	rest  [6]uint64
}

type timerHeap []*mapAlert

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h timerHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i]; h[i].place, h[j].place = i, j }
func (h *timerHeap) Push(x any)        { *h = append(*h, x.(*mapAlert)) }
func (h *timerHeap) Pop() any          { panic("not used") }

func (m *mapAlerts) fill(n int) {
	shared := labelPair{"severity", "critical"}
	for i := range n {
		a := &mapAlert{hash: hashOf(i), note: noteOf(i), due: time.UnixMilli(int64(300_000 + i)), place: i}
		a.labels = slices.Repeat([]labelPair{shared}, pairs)
		a.labels[0] = labelPair{"instance", instanceOf(i)}
		a.claim = &mapClaim{alert: a}
		m.byHash[a.hash] = a
		heap.Push(&m.timers, a)
	}
}

func (m *mapAlerts) repeat(i int) {
	a := m.byHash[hashOf(i)]
	a.count++
	a.ends = a.ends.Add(time.Minute)
	a.claim.count++
}

// pauses collects how long each Step took.
type pauses []time.Duration

func (p pauses) report(b *testing.B) {
	if len(p) == 0 {
		return
	}
	slices.Sort(p)
	b.ReportMetric(float64(p[len(p)*999/1000].Microseconds()), "p99.9-µs/step")
	b.ReportMetric(float64(p[len(p)-1].Microseconds()), "max-µs/step")
}

// steps runs repeats in batches, each after a call of before, and reports the time per repeat and
// the longest steps. It measures the CPU time of its thread, where the system tells it, so that a
// busy machine does not count.
func steps(b *testing.B, before func(), repeat func(i int)) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	rng := rand.New(rand.NewPCG(1, 1))
	taken := make(pauses, 0, 1<<20)
	var total time.Duration
	for b.Loop() {
		start := threadTime()
		before()
		for range batch {
			repeat(rng.IntN(million))
		}
		took := threadTime() - start
		total += took
		taken = append(taken, took)
	}
	b.ReportMetric(float64(total.Nanoseconds())/float64(b.N*batch), "ns/repeat")
	taken.report(b)
}

// every returns a function that calls f when its turn has come.
func every(interval time.Duration, f func()) func() {
	last := time.Now()
	return func() {
		if now := time.Now(); now.Sub(last) >= interval {
			last = now
			f()
		}
	}
}

// memory is the live heap and the resident set in bytes, after a collection.
func memory(tb testing.TB) (heapBytes, resident float64) {
	tb.Helper()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return float64(m.HeapAlloc), 0
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	_, err = fmt.Sscan(rest, &resident)
	require.NoError(tb, err)
	return float64(m.HeapAlloc), resident * 1024
}

// collection is the CPU time of a full collection, the median of five.
func collection() time.Duration {
	sample := []metrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}}
	var all []float64
	runtime.GC()
	for range 5 {
		metrics.Read(sample)
		before := sample[0].Value.Float64()
		runtime.GC()
		metrics.Read(sample)
		all = append(all, sample[0].Value.Float64()-before)
	}
	slices.Sort(all)
	return time.Duration(all[2] * float64(time.Second))
}

// reportMemory reports what fill added.
func reportMemory(b *testing.B, fill func()) {
	heap0, rss0 := memory(b)
	start := threadTime()
	fill()
	filled := threadTime() - start
	heap1, rss1 := memory(b)
	gc := collection()
	b.Run("memory", func(b *testing.B) {
		for b.Loop() {
		}
		b.ReportMetric((heap1-heap0)/million, "heap-B/alert")
		b.ReportMetric((rss1-rss0)/million, "rss-B/alert")
		b.ReportMetric(float64(gc.Microseconds())/1000, "gc-cpu-ms")
		b.ReportMetric(float64(filled.Nanoseconds())/million, "ns/new")
	})
}

func BenchmarkAMillionAlertsInFlatPages(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	runtime.LockOSThread() // for threadTime in reportMemory
	defer runtime.UnlockOSThread()
	f := newFlatAlerts()
	reportMemory(b, func() { f.fill(million) })
	var reader atomic.Pointer[flatView]
	b.Run("no reader", func(b *testing.B) { steps(b, func() {}, f.repeat) })
	for _, interval := range []time.Duration{10 * time.Millisecond, 100 * time.Millisecond, time.Second} {
		b.Run("a view every "+interval.String(), func(b *testing.B) {
			steps(b, every(interval, func() { reader.Store(f.view()) }), f.repeat)
		})
	}
	b.Run("a snapshot being written", func(b *testing.B) {
		path := filepath.Join(b.TempDir(), "snapshot")
		idle, written := atomic.Bool{}, make(chan error, 1)
		written <- nil
		idle.Store(true)
		steps(b, func() {
			if idle.Swap(false) {
				require.NoError(b, <-written)
				v := f.view()
				go func() { written <- saveFile(path, v); idle.Store(true) }()
			}
		}, f.repeat)
		require.NoError(b, <-written)
	})
	b.Run("view", func(b *testing.B) {
		for b.Loop() {
			reader.Store(f.view())
		}
	})
	b.Run("timer set anew", func(b *testing.B) {
		rng := rand.New(rand.NewPCG(2, 2))
		for b.Loop() {
			a := f.alerts.Mut(uint32(1 + rng.IntN(million)))
			f.wheel.Cancel(a.timer)
			a.timer = f.wheel.Set(1, 1, 300_000+rng.Int64N(1<<24))
		}
	})
	heapRounds, rssRounds := memory(b)
	b.Run("after the rounds", func(b *testing.B) {
		for b.Loop() {
		}
		b.ReportMetric(heapRounds/million, "heap-B/alert")
		b.ReportMetric(rssRounds/million, "rss-B/alert")
	})
	b.Run("recovery", func(b *testing.B) {
		path := filepath.Join(b.TempDir(), "snapshot")
		require.NoError(b, saveFile(path, f.view()))
		info, err := os.Stat(path)
		require.NoError(b, err)
		for b.Loop() {
			file, err := os.Open(path)
			require.NoError(b, err)
			require.NoError(b, newFlatAlerts().load(file))
			require.NoError(b, file.Close())
		}
		b.ReportMetric(float64(info.Size())/1e6, "MB")
	})
}

func saveFile(path string, v *flatView) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := v.save(file); err != nil {
		return err
	}
	return file.Close()
}

func BenchmarkAMillionAlertsInAMap(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	m := &mapAlerts{byHash: map[uint64]*mapAlert{}}
	reportMemory(b, func() { m.fill(million) })
	b.Run("no reader", func(b *testing.B) { steps(b, func() {}, m.repeat) })
	b.Run("view", func(b *testing.B) { // the map alone, without what it points to: less than a view
		for b.Loop() {
			runtime.KeepAlive(maps.Clone(m.byHash))
		}
	})
}
