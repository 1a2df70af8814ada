package api

import (
	"context"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/event"
)

// testEngine is a real correlate.State behind the API's interface: it steps at once and keeps the changes in memory.
type testEngine struct {
	t *testing.T

	mu      sync.Mutex
	state   *correlate.State
	seq     uint64
	log     []event.Change
	more    chan struct{} // closed when the log grows
	kept    uint64        // changes before this seq are gone
	fails   error
	actions []string

	notReady    string
	shadowEnded string // "": a shadow runs
}

func newTestEngine(t *testing.T) *testEngine {
	t.Helper()
	return &testEngine{t: t, state: correlate.New(), more: make(chan struct{})}
}

func (e *testEngine) step(in event.Input) event.Result {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seq++
	in.Seq, in.Writer = e.seq, event.Writer{ID: 1, Epoch: 1, N: e.seq}
	if in.At == 0 {
		in.At = event.FromTime(time.Now())
	}
	changes, res := e.state.Step(&in, nil)
	decoded, err := event.DecodeChanges(event.AppendChanges(nil, changes), in.Seq, in.At)
	require.NoError(e.t, err)
	e.log = append(e.log, decoded...)
	close(e.more)
	e.more = make(chan struct{})
	return res
}

// say lets a source of a tenant speak; pairs are name, value, name, value …
func (e *testEngine) say(tenant, source string, cleared bool, pairs ...string) {
	b := &event.Batch{Source: event.Source{Name: source, Tenant: tenant, Kind: event.SendOnce}}
	b.Add(event.Event{
		Labels: labelsOf(e.t, pairs...), Cleared: cleared, GeneratorURL: "javascript:alert(1)",
		Annotations: event.Labels{{Name: "summary", Value: "<b>disk</b> of " + pairs[1]}},
	})
	e.step(event.Input{Kind: event.InputEvents, Batch: b})
}

func labelsOf(t *testing.T, pairs ...string) event.Labels {
	t.Helper()
	var ls event.Labels
	for i := 0; i < len(pairs); i += 2 {
		ls = append(ls, event.Label{Name: pairs[i], Value: pairs[i+1]})
	}
	ls, dup := event.SortLabels(ls)
	require.Empty(t, dup)
	return ls
}

func (e *testEngine) View(context.Context) (*correlate.View, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.state.View(), e.fails
}

func (e *testEngine) Do(_ context.Context, cmd event.Command) (event.Result, error) {
	if e.fails != nil {
		return event.Result{}, e.fails
	}
	return e.step(event.Input{Kind: event.InputCommand, Command: &cmd}), nil
}

func (e *testEngine) Head() engine.Cursor {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.log) == 0 {
		return engine.Cursor{}
	}
	return cursorOf(&e.log[len(e.log)-1])
}

func (e *testEngine) Follow(ctx context.Context, from engine.Cursor) iter.Seq2[event.Change, error] {
	return func(yield func(event.Change, error) bool) {
		if from.Seq < e.kept {
			yield(event.Change{}, engine.ErrTruncated)
			return
		}
		for n := 0; ; {
			e.mu.Lock()
			log, more := e.log, e.more
			e.mu.Unlock()
			for ; n < len(log); n++ {
				if after(cursorOf(&log[n]), from) && !yield(log[n], nil) {
					return
				}
			}
			select {
			case <-more:
			case <-ctx.Done():
				return
			}
		}
	}
}

func (e *testEngine) FollowSome(ctx context.Context, from engine.Cursor, wanted func(event.ChangeKind) bool) iter.Seq2[*event.Change, error] {
	return func(yield func(*event.Change, error) bool) {
		if from.Seq < e.kept {
			yield(nil, engine.ErrTruncated)
			return
		}
		e.mu.Lock()
		log := e.log
		e.mu.Unlock()
		for n := range log {
			if ctx.Err() != nil || after(cursorOf(&log[n]), from) && wanted(log[n].Kind) && !yield(&log[n], nil) {
				return
			}
		}
		yield(&event.Change{}, nil)
	}
}

func (e *testEngine) Oldest() engine.Cursor { return engine.Cursor{Seq: e.kept} }

func (e *testEngine) Timeline(_ context.Context, id event.IncidentID, from engine.Cursor, limit int) (out []event.Change, total int, more bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ch := range e.log {
		if ch.IncidentID() != id || ch.Kind == event.AlertSeen {
			continue
		}
		total++
		switch {
		case !after(cursorOf(&ch), from) && from != engine.Cursor{}:
		case len(out) == limit:
			more = true
		default:
			out = append(out, ch)
		}
	}
	return out, total, more, e.fails
}

func (e *testEngine) Status() engine.Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	return engine.Status{NotReady: e.notReady, Seq: e.seq, QueueLimit: 100_000, LastSnapshot: &engine.Saved{Seq: 1, At: time.Unix(1, 0)}}
}

func (e *testEngine) Snapshot(context.Context) error { return e.act("snapshot") }

func (e *testEngine) AcceptClock(context.Context) error { return e.act("accept-clock") }

func (e *testEngine) act(what string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.actions = append(e.actions, what)
	return e.fails
}
