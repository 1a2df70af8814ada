package search

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// feed is a changes log in memory, with the state that it folds to.
type feed struct {
	mu     sync.Mutex
	more   chan struct{}
	log    []event.Change
	first  int // changes before it are gone
	lost   int // changes before it are gone from the timelines too
	states map[event.IncidentID]event.IncidentState
}

func newFeed() *feed {
	return &feed{more: make(chan struct{}), states: map[event.IncidentID]event.IncidentState{}}
}

func (f *feed) add(kind event.ChangeKind, i event.IncidentState, actor, text string) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	seq := uint64(len(f.log) + 1)
	i.Phase = max(i.Phase, event.IncidentOpen)
	f.log = append(f.log, event.Change{Seq: seq, At: event.Time(1_700_000_000_000 + seq*1000), Kind: kind, Incident: &i, Actor: actor, Text: text})
	f.states[i.ID] = i
	close(f.more)
	f.more = make(chan struct{})
	return seq
}

func (f *feed) note(id event.IncidentID, text string) uint64 {
	i := f.state(id)
	i.Notes++
	return f.add(event.IncidentNoted, i, "p-ann", text)
}

func (f *feed) state(id event.IncidentID) event.IncidentState {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.states[id]
}

// redact does to the log what the engine does.
func (f *feed) redact(seq uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log[seq-1].Text = "[redacted]"
}

func (f *feed) Changes(ctx context.Context, after string) iter.Seq2[*event.Change, error] {
	return func(yield func(*event.Change, error) bool) {
		at := int(sequence(after))
		for ctx.Err() == nil {
			f.mu.Lock()
			more, gone := f.more, at < f.first
			var next *event.Change
			if at < len(f.log) {
				ch := f.log[at]
				next = &ch
			}
			f.mu.Unlock()
			switch {
			case gone:
				yield(nil, ErrGone)
				return
			case next != nil:
				at++
				if !yield(next, nil) {
					return
				}
			default:
				if !yield(&event.Change{Seq: uint64(at), N: 1<<32 - 1}, nil) {
					return
				}
				select {
				case <-more:
				case <-ctx.Done():
				}
			}
		}
	}
}

func (f *feed) Head() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Sprintf("0.%d.4294967295", len(f.log))
}

func (f *feed) Oldest() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Sprintf("0.%d.0", f.first)
}

func (f *feed) Incidents(context.Context) iter.Seq2[*event.IncidentState, error] {
	f.mu.Lock()
	defer f.mu.Unlock()
	states := maps.Clone(f.states)
	return func(yield func(*event.IncidentState, error) bool) {
		for _, id := range slices.Sorted(maps.Keys(states)) {
			i := states[id]
			if !yield(&i, nil) {
				return
			}
		}
	}
}

func (f *feed) Timeline(_ context.Context, id event.IncidentID) iter.Seq2[*event.Change, error] {
	f.mu.Lock()
	log := f.log[f.lost:]
	f.mu.Unlock()
	return func(yield func(*event.Change, error) bool) {
		for i := range log {
			if log[i].Incident.ID == id && !yield(&log[i], nil) {
				return
			}
		}
	}
}

func open(t testing.TB, dir string, f *feed) *Index {
	t.Helper()
	x, err := Open(Options{Dir: dir, Source: f})
	require.NoError(t, err)
	t.Cleanup(func() { _ = x.Close() })
	return x
}

// catchUp reads to the end of the log.
func catchUp(t testing.TB, x *Index) {
	t.Helper()
	w := &writer{store: x.store, source: x.o.Source, now: x.o.Now, guard: x.guarded(x.era), taken: x.taken}
	require.NoError(t, w.follow(t.Context(), false))
}

func ids(t testing.TB, x *Index, tenant, text string) []int {
	t.Helper()
	res, err := x.Search(t.Context(), Query{Tenant: tenant, Text: text, Limit: 200})
	require.NoError(t, err, text)
	out := []int{}
	for i := range res.Hits {
		out = append(out, int(res.Hits[i].Incident))
	}
	if res.Total <= 200 {
		require.Len(t, out, res.Total)
	}
	return out
}

// vocabulary makes texts as a NOC writes them: few words often, many seldom.
func vocabulary(r *rand.Rand, words int) string {
	common := []string{"disk", "full", "on", "the", "database", "restarted", "after", "failover", "of", "primary", "node", "latency", "high", "checkout",
		"customers", "report", "errors", "network", "link", "down", "replaced", "cable", "rack", "storage", "team", "informed", "vendor", "ticket"}
	var b strings.Builder
	for range words {
		switch r.IntN(10) {
		case 0:
			fmt.Fprintf(&b, "host-%d.example.org ", r.IntN(20_000))
		case 1:
			fmt.Fprintf(&b, "w%x ", r.IntN(60_000))
		default:
			b.WriteString(common[min(r.IntN(len(common)), r.IntN(len(common)))])
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// fill adds incidents with three notes each, in an order as they happen.
func (f *feed) fill(n int, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	teams := []string{"dba", "network", "platform", "storage"}
	for k := 1; k <= n; k++ {
		i := event.IncidentState{
			ID: event.IncidentID(k), Tenant: "main", Title: vocabulary(r, 8), Team: teams[r.IntN(4)], Severity: event.Severity(1 + r.IntN(5)), Rule: "default",
			Priority: uint8(1 + r.IntN(5)), OpenedAt: event.FromTime(time.Unix(1_700_000_000+int64(k), 0)),
			Labels: event.Labels{{Name: "alertname", Value: "NodeFilesystemSpaceFillingUp"}, {Name: "instance", Value: fmt.Sprintf("host-%d.example.org:9100", r.IntN(20_000))},
				{Name: "service", Value: fmt.Sprintf("shop-%d", r.IntN(300))}},
		}
		f.add(event.IncidentOpened, i, "", "")
		for range 2 {
			f.note(i.ID, vocabulary(r, 25))
		}
		if k > 200 {
			f.note(event.IncidentID(k-r.IntN(200)), vocabulary(r, 25))
		} else {
			f.note(i.ID, vocabulary(r, 25))
		}
		if k%3 == 0 {
			i = f.state(i.ID)
			i.Phase = event.IncidentDone
			f.add(event.IncidentResolved, i, "p-bob", "replaced the disk, "+vocabulary(r, 5))
		}
	}
}
