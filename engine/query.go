package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/journal"
)

// View returns the state with everything in it that was acknowledged before the call.
func (e *Engine) View(ctx context.Context) (*correlate.View, error) {
	want := e.acked.Load()
	if v := e.view.Load(); v != nil && v.Seq >= want {
		return v, nil
	}
	q := ask{seq: want, at: time.Now(), reply: make(chan *correlate.View, 1)}
	select {
	case e.asks <- q:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-e.done:
		return nil, ErrClosed
	}
	select {
	case v := <-q.reply:
		return v, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-e.done:
		return nil, ErrClosed
	}
}

// Do carries out a command: durable, stepped, and visible to every View that is asked for after it returns.
func (e *Engine) Do(ctx context.Context, cmd event.Command) (event.Result, error) {
	r := single(event.Input{Kind: event.InputCommand, Command: &cmd})
	r.reply = make(chan event.Result, 1)
	if err := e.submit(ctx, r); err != nil {
		return event.Result{}, err
	}
	select {
	case res := <-r.reply:
		return res, nil
	case <-ctx.Done():
		return event.Result{}, fmt.Errorf("engine: accepted, outcome not known yet: %w", ctx.Err())
	case <-e.done:
		return event.Result{}, ErrClosed
	}
}

// Reload takes another rule set into force. The caller has checked it.
func (e *Engine) Reload(ctx context.Context, bundle []byte) error {
	return e.submit(ctx, single(event.Input{Kind: event.InputRules, Rules: bundle}))
}

// Resumed journals that the engine was cut off from a source, or lagged behind it, for gap: its alerts get time to be heard
// of again before they expire.
func (e *Engine) Resumed(ctx context.Context, src event.Source, gap event.Time) error {
	return e.submit(ctx, single(event.Input{Kind: event.InputResumed, Source: src, Gap: gap}))
}

// ReportOverCap journals that alerts of a source were refused at its cap, which opens an incident. Call it at most once a
// minute per source.
func (e *Engine) ReportOverCap(ctx context.Context, src event.Source, refused, limit uint64) error {
	return e.submit(ctx, single(event.Input{Kind: event.InputOverCap, Source: src, Refused: refused, Limit: limit}))
}

// AcceptClock follows the wall clock again after a jump, and gives every alert time to be heard of in the new time.
func (e *Engine) AcceptClock(ctx context.Context) error {
	jump := e.clock.accept()
	e.log.Warn("the wall clock was accepted", "jump", jump.String())
	return e.submit(ctx, single(event.Input{Kind: event.InputResumed, Gap: event.FromDuration(jump.Abs())}))
}

// Cursor is a place in the order of changes: after the change it names.
type Cursor struct {
	Shard uint32
	Seq   uint64
	N     uint32
}

// String returns the cursor as stream ids are written: shard.seq.n.
func (c Cursor) String() string { return fmt.Sprintf("%d.%d.%d", c.Shard, c.Seq, c.N) }

// ParseCursor reads what String wrote.
func ParseCursor(s string) (c Cursor, err error) {
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return c, fmt.Errorf("engine: cursor %q: want shard.seq.n", s)
	}
	shard, err1 := strconv.ParseUint(parts[0], 10, 32)
	seq, err2 := strconv.ParseUint(parts[1], 10, 64)
	n, err3 := strconv.ParseUint(parts[2], 10, 32)
	if err := errors.Join(err1, err2, err3); err != nil {
		return c, fmt.Errorf("engine: cursor %q: %w", s, err)
	}
	return Cursor{uint32(shard), seq, uint32(n)}, nil
}

// Head returns the place after the latest durable change.
func (e *Engine) Head() Cursor { return Cursor{Seq: e.changes.Last(), N: 1<<32 - 1} }

// Oldest returns the place before the oldest change that is kept, the zero Cursor when that is the very first.
func (e *Engine) Oldest() Cursor {
	if first := e.changes.First(); first > 1 {
		return Cursor{Seq: first - 1, N: 1<<32 - 1}
	}
	return Cursor{}
}

// Follow yields the durable changes after a place, in order, and goes on with those to come until ctx ends. ErrTruncated: the
// place is older than what is kept.
func (e *Engine) Follow(ctx context.Context, after Cursor) iter.Seq2[event.Change, error] {
	return func(yield func(event.Change, error) bool) {
		for ch, err := range e.FollowSome(ctx, after, func(event.ChangeKind) bool { return true }) {
			if err != nil {
				yield(event.Change{}, err)
				return
			}
			if ch.Kind != 0 && !yield(*ch, nil) {
				return
			}
		}
	}
}

// FollowSome is Follow for who wants few kinds of change: the others cost next to nothing. Whenever it has come to the end it
// yields a change of kind 0 whose Seq and N are the place to go on from.
func (e *Engine) FollowSome(ctx context.Context, after Cursor, wanted func(event.ChangeKind) bool) iter.Seq2[*event.Change, error] {
	return func(yield func(*event.Change, error) bool) {
		if after.Seq+1 < e.changes.First() && e.changes.First() > 1 {
			yield(nil, ErrTruncated)
			return
		}
		r := e.changes.Reader(max(after.Seq, e.changes.First()))
		defer r.Close()
		seen := after.Seq
		for {
			rec, _, err := r.Next()
			switch {
			case errors.Is(err, io.EOF):
				if !yield(&event.Change{Seq: seen, N: 1<<32 - 1}, nil) || e.changes.Wait(ctx, seen) != nil {
					return
				}
				continue
			case errors.Is(err, journal.ErrTruncated):
				yield(nil, ErrTruncated)
				return
			case err != nil:
				yield(nil, err)
				return
			}
			seen = rec.Seq
			if ctx.Err() != nil || !yieldRecord(rec, after, wanted, yield) {
				return
			}
		}
	}
}

func yieldRecord(rec journal.Record, after Cursor, wanted func(event.ChangeKind) bool, yield func(*event.Change, error) bool) bool {
	more := true
	err := event.VisitChanges(rec.Payload, rec.Seq, event.Time(rec.At), wanted, func(ch *event.Change) bool {
		if rec.Seq == after.Seq && ch.N <= after.N {
			return true
		}
		more = yield(ch, nil)
		return more
	})
	if err != nil {
		return yield(nil, err)
	}
	return more
}

// Timeline returns an incident's own changes and those of its alerts after a place, the oldest first, how many there are in
// all, and whether more follow.
func (e *Engine) Timeline(_ context.Context, id event.IncidentID, after Cursor, limit int) (entries []event.Change, total int, more bool, err error) {
	return e.records.Timeline(id, after.Seq, after.N, limit)
}

// Status is what the engine says of itself.
type Status struct {
	Version      string
	Started      Started
	NotReady     string // why, "" when ready
	Seq          uint64 // the last acknowledged
	JournalHead  string
	JournalBytes int64
	ChangesBytes int64
	Queued       int64
	QueueLimit   int
	LastSnapshot *Saved
	ClockJump    time.Duration
}

// Status returns the engine's figures.
func (e *Engine) Status() Status {
	return Status{
		Version: e.o.Version, Started: e.started, NotReady: e.notReady(), Seq: e.acked.Load(),
		JournalHead: e.journal.Head().String(), JournalBytes: e.journal.Size(), ChangesBytes: e.changes.Size(),
		Queued: e.queued.Load(), QueueLimit: e.o.QueueAlerts, LastSnapshot: e.lastSaved.Load(), ClockJump: e.clock.jumped(),
	}
}

func (e *Engine) notReady() string {
	if err := e.Err(); err != nil {
		return err.Error()
	}
	select {
	case <-e.done:
		return ErrClosed.Error()
	default:
	}
	if e.stalled.Load() {
		return "the disk is full: alerts are refused and decisions wait until there is room"
	}
	if jump := e.clock.jumped(); jump != 0 {
		return fmt.Sprintf("the wall clock jumped by %s; deadlines wait until `tocsin clock accept` says that it is right", jump.Round(time.Second))
	}
	return ""
}

// Instance tells this data folder from others, also from one that stood in its place before: eight hexadecimal digits that stay
// the same over restarts.
func (e *Engine) Instance() string { return fmt.Sprintf("%08x", e.instance>>32) }
