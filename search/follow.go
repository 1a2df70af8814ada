package search

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/event"
)

const (
	batchChanges = 1000
	batchBytes   = 4 << 20 // of texts
	pace         = 250 * time.Millisecond
	staleCursor  = 30 * time.Second // after so long the cursor is written although nothing was found
)

// errStale says that what was read must be read again.
var errStale = errors.New("search: read again")

// Run keeps the index up to date until ctx ends. A fault delays it; it is counted and told, and nobody else waits.
func (x *Index) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		err := x.runOnce(ctx)
		if err == nil || errors.Is(err, errStale) || ctx.Err() != nil {
			continue
		}
		if errors.Is(err, errDamaged) {
			x.heal(err)
		} else {
			x.metrics.faults.Inc()
			x.log.Error("index cannot follow", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return nil
}

func (x *Index) runOnce(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	x.interrupt.Store(&stop)
	if x.damaged.Load() {
		return x.startAnew(ctx)
	}
	if err := x.finishPurge(ctx); err != nil {
		return err
	}
	x.writing.Lock()
	era := x.era
	w := &writer{store: x.store, source: x.o.Source, now: x.o.Now, guard: x.guarded(era), taken: x.taken}
	x.writing.Unlock()
	err := w.follow(ctx, true)
	x.writing.Lock()
	defer x.writing.Unlock()
	if x.era != era {
		return errStale // whatever went wrong was that its store is gone
	}
	return err
}

// heal has the index made anew.
func (x *Index) heal(why error) {
	if !x.damaged.Swap(true) {
		x.metrics.faults.Inc()
		x.log.Error("index is damaged, and made anew", "error", why)
	}
	x.restart()
}

func (x *Index) restart() {
	if stop := x.interrupt.Load(); stop != nil {
		(*stop)()
	}
}

// startAnew begins an empty index in place of a damaged one.
func (x *Index) startAnew(ctx context.Context) error {
	if err := x.enter(ctx); err != nil {
		return err
	}
	defer x.leave()
	if !x.damaged.Load() {
		return nil
	}
	s, err := x.begin()
	if err != nil {
		return err
	}
	x.metrics.rebuilds.Inc()
	return x.exchange(s)
}

// enter waits for its turn among Rebuild, Redact and the like.
func (x *Index) enter(ctx context.Context) error {
	select {
	case x.admin <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (x *Index) leave() { <-x.admin }

// guarded runs a write if nothing has happened that makes what was read stale.
func (x *Index) guarded(era int) func(func() error) error {
	return func(write func() error) error {
		x.writing.Lock()
		defer x.writing.Unlock()
		if x.era != era {
			return errStale
		}
		return write()
	}
}

// taken notes how far changes are in.
func (x *Index) taken(p progress) {
	x.read.Store(p.seq)
	if p.at > 0 {
		x.readAt.Store(p.at)
	}
	x.building.Store(!p.even)
	x.know(p.tenants)
}

func (x *Index) know(tenants []string) {
	known := *x.tenants.Load()
	for _, t := range tenants {
		if !slices.Contains(known, t) {
			known = append(slices.Clone(known), t)
		}
	}
	x.tenants.Store(&known)
}

// progress of a writer.
type progress struct {
	seq     uint64
	at      int64 // ms, 0 unknown
	even    bool  // the end of the log was reached once
	tenants []string
}

// writer brings changes into a store. One goroutine owns it.
type writer struct {
	store  *store
	source Source
	now    func() time.Time
	guard  func(func() error) error
	taken  func(progress)

	even   bool
	batch  []*event.Change
	size   int
	marked time.Time // when the cursor was last written
}

// follow goes on from the store's cursor: for ever, or to the end of the log.
func (w *writer) follow(ctx context.Context, forever bool) error {
	after, err := w.start(ctx)
	if err != nil {
		return err
	}
	w.marked = w.now()
	for ch, err := range w.source.Changes(ctx, after) {
		if errors.Is(err, ErrGone) {
			return w.reseed(after)
		}
		if err != nil {
			return fmt.Errorf("search: changes: %w", err)
		}
		after = cursor(ch)
		if ch.Kind != 0 {
			w.batch = append(w.batch, ch)
			w.size += len(ch.Text)
			if len(w.batch) < batchChanges && w.size < batchBytes {
				continue
			}
		}
		if err := w.flush(after, ch); err != nil {
			return err
		}
		if ch.Kind == 0 {
			if !forever {
				return nil
			}
			rest(ctx, pace)
		}
	}
	if !forever && ctx.Err() != nil {
		return ctx.Err()
	}
	return nil
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// start returns the place to go on from, and brings in the view of incidents where the log alone does not do.
func (w *writer) start(ctx context.Context) (after string, err error) {
	if after, err = w.store.value(keyCursor); err != nil || after != "" {
		if head := w.source.Head(); err == nil && sequence(after) > sequence(head) {
			err = fmt.Errorf("%w: it is of another changes log: %s is behind that one's end, %s", errDamaged, after, head)
		}
		return after, err
	}
	oldest := w.source.Oldest()
	seeded, err := w.store.value(keySeeded)
	if err != nil {
		return "", err
	}
	if sequence(oldest) > 0 && seeded == "" {
		if err := w.seed(ctx); err != nil {
			return "", err
		}
		oldest = w.source.Oldest() // it may have moved on meanwhile
	}
	return oldest, w.guard(func() error { return w.store.write(nil, map[string]string{keyCursor: oldest}) })
}

// reseed has the next start look at the view of incidents: changes were dropped before they were read.
func (w *writer) reseed(after string) error {
	err := w.guard(func() error { return w.store.write(nil, map[string]string{keyCursor: "", keySeeded: ""}) })
	return errors.Join(fmt.Errorf("%w: after %s", ErrGone, after), err)
}

// seed brings in every incident as it is now, with what is kept of its timeline.
func (w *writer) seed(ctx context.Context) error {
	head := place{sequence(w.source.Head()), math.MaxUint32}
	records := map[event.IncidentID]*record{}
	size := 0
	put := func(values map[string]string) error {
		err := w.guard(func() error { return w.store.write(records, values) })
		w.taken(progress{tenants: tenantsOf(records)})
		clear(records)
		size = 0
		return err
	}
	for state, err := range w.source.Incidents(ctx) {
		if err != nil {
			return fmt.Errorf("search: incidents: %w", err)
		}
		r, err := w.record(state.ID, records)
		if err != nil {
			return err
		}
		if r.State.before(head) {
			r.state(state, head)
		}
		for ch, err := range w.source.Timeline(ctx, state.ID) {
			if err != nil {
				return fmt.Errorf("search: timeline of %s: %w", state.ID, err)
			}
			if Wanted(ch.Kind) && ch.Incident != nil {
				r.fold(ch)
				size += len(ch.Text)
			}
		}
		if len(records) >= batchChanges || size >= batchBytes {
			if err := put(nil); err != nil {
				return err
			}
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return put(map[string]string{keySeeded: "yes"})
}

// record returns an incident's record: from this batch, from the store, or a new one.
func (w *writer) record(id event.IncidentID, batch map[event.IncidentID]*record) (rec *record, err error) {
	if rec = batch[id]; rec != nil {
		return rec, nil
	}
	defer rescue(&err)
	r, err := w.store.reader()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if rec, err = load(r, id); err != nil {
		return nil, err
	}
	if rec == nil {
		rec = &record{ID: id}
	}
	batch[id] = rec
	return rec, nil
}

// flush writes the batch with the cursor behind it.
func (w *writer) flush(after string, last *event.Change) error {
	w.even = w.even || last.Kind == 0
	p := progress{seq: last.Seq, even: w.even, at: int64(last.At)}
	if last.Kind == 0 {
		p.at = w.now().UnixMilli()
	}
	if len(w.batch) == 0 && w.now().Sub(w.marked) < staleCursor {
		w.taken(p)
		return nil
	}
	err := w.guard(func() error {
		records := map[event.IncidentID]*record{}
		for _, ch := range w.batch {
			if ch.Incident == nil {
				continue
			}
			r, err := w.record(ch.Incident.ID, records)
			if err != nil {
				return err
			}
			r.fold(ch)
		}
		p.tenants = tenantsOf(records)
		return w.store.write(records, map[string]string{keyCursor: after})
	})
	if err != nil {
		return err
	}
	clear(w.batch)
	w.batch, w.size, w.marked = w.batch[:0], 0, w.now()
	w.taken(p)
	return nil
}

func tenantsOf(records map[event.IncidentID]*record) (out []string) {
	for _, r := range records {
		if !slices.Contains(out, r.Tenant) {
			out = append(out, r.Tenant)
		}
	}
	return out
}

func cursor(ch *event.Change) string { return fmt.Sprintf("%d.%d.%d", ch.Shard, ch.Seq, ch.N) }

// sequence returns the middle of a cursor, 0 when it is none.
func sequence(cursor string) uint64 {
	_, rest, _ := strings.Cut(cursor, ".")
	digits, _, _ := strings.Cut(rest, ".")
	seq, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return 0
	}
	return seq
}
