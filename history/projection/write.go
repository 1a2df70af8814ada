package projection

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
	"github.com/tocsin-noc/tocsin/history/facts"
)

const (
	staleCursor  = 30 * time.Second // after so long the cursor is written although there were no rows
	stepAside    = 9                // while alerts wait, the history works one part of its time in 1 + stepAside
	asideEvery   = 20 * time.Millisecond
	longestAside = 15 * time.Second
)

// writer brings changes into the database. One goroutine owns it, from one fault to the next.
type writer struct {
	p    *Projector
	fold *facts.Fold

	cursor, derived, notify place
	read                    place     // the last change that the fold has
	began                   time.Time // when the batch got its first row
	marked                  time.Time // when the cursor was last written
	took                    time.Duration

	// What must be recomputed.
	incidents map[uint64]bool
	hours     map[event.Time]bool
	derivedAt time.Time
}

// follow goes on for ever. What the log has dropped is left out, and told.
func (w *writer) follow(ctx context.Context) error {
	w.read = w.cursor
	for ctx.Err() == nil {
		if oldest := w.p.o.Source.Oldest(); oldest > w.read.seq {
			if err := w.skip(ctx, oldest); err != nil {
				return err
			}
		}
		err := w.changes(ctx)
		if errors.Is(err, ErrGone) {
			err = w.flush(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// changes reads from the last change on.
func (w *writer) changes(ctx context.Context) error {
	for ch, err := range w.p.o.Source.Changes(ctx, w.read.seq) {
		switch {
		case err != nil:
			return err
		case ch.Kind == 0:
			err = w.even(ctx, ch.Seq)
		default:
			err = w.add(ctx, ch)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) add(ctx context.Context, ch *event.Change) error {
	if ch.Seq != w.read.seq && w.full(ch.Seq) {
		if err := w.flush(ctx); err != nil {
			return err
		}
		if err := w.derive(ctx, false); err != nil {
			return err
		}
	}
	if w.began.IsZero() {
		w.began = w.p.now()
	}
	w.read = place{ch.Seq, ch.At}
	w.fold.Add(ch)
	return nil
}

// full tells whether the batch is cut before the input seq.
func (w *writer) full(seq uint64) bool {
	return w.fold.Rows() >= w.p.o.BatchRows || seq/facts.BlockInputs != w.read.seq/facts.BlockInputs ||
		!w.began.IsZero() && w.p.now().Sub(w.began) >= w.p.o.Pace
}

// even is at the end of the log.
func (w *writer) even(ctx context.Context, seq uint64) error {
	w.read.seq = max(w.read.seq, seq)
	if err := w.flush(ctx); err != nil {
		return err
	}
	if err := w.derive(ctx, true); err != nil {
		return err
	}
	if err := w.deliveries(ctx); err != nil {
		return err
	}
	w.p.well()
	w.p.update(func(s *state) {
		s.even, s.evenAt = w.read.seq, w.p.now()
		if r := s.rebuild; r != nil && r.Ended.IsZero() && w.read.seq >= r.Until {
			r.Ended = w.p.now()
		}
	})
	rest(ctx, w.p.o.Pace)
	return nil
}

// flush inserts what was read, and the cursor after it.
func (w *writer) flush(ctx context.Context) error {
	w.aside(ctx)
	began := w.p.now()
	batch := w.fold.Take()
	batch.Seq = w.read.seq
	if len(batch.Tables)+len(batch.Redacted) > 0 || w.p.now().Sub(w.marked) >= staleCursor && w.read.seq > w.cursor.seq {
		if err := w.insert(ctx, &batch); err != nil {
			return err
		}
		w.took = w.p.now().Sub(began)
		w.p.metrics.took.Observe(w.took.Seconds())
	}
	w.fold.Done()
	w.began = time.Time{}
	w.p.update(func(s *state) { s.cursor, s.kept, s.at = w.read.seq, w.cursor.seq, w.read.at })
	return nil
}

func (w *writer) insert(ctx context.Context, batch *facts.Batch) error {
	for _, t := range batch.Tables {
		columns := make([]clickhouse.Column, len(t.Columns))
		for i, c := range t.Columns {
			columns[i] = clickhouse.Column(c)
		}
		if err := w.p.o.Target.Insert(ctx, t.Name, columns); err != nil {
			return fmt.Errorf("projection: %s: %w", t.Name, err)
		}
		w.p.metrics.rows.WithLabelValues(t.Name).Add(float64(t.Rows))
	}
	for _, r := range batch.Redacted {
		err := w.p.o.Target.RedactAttribute(ctx, &clickhouse.Redaction{
			Shard: w.p.o.Shard, Tenant: r.Tenant, CI: r.CI, Attribute: r.Attribute, Before: clickhouse.Place{Seq: r.Seq, N: r.N}, Instead: func(value string) string { return event.RedactedAs(value, r.Key) },
		})
		if err != nil {
			return fmt.Errorf("projection: redact: %w", err)
		}
	}
	if err := w.p.mark(ctx, w.p.o.Source.Instance(), w.read); err != nil {
		return fmt.Errorf("projection: cursor: %w", err)
	}
	w.cursor, w.marked = w.read, w.p.now()
	for _, id := range batch.Incidents {
		w.incidents[uint64(id)] = true
	}
	for _, hour := range batch.Hours {
		w.hours[hour] = true
	}
	w.p.metrics.batches.Inc()
	w.p.well()
	return nil
}

// aside waits while alerts do, but not for ever: the history goes on slowly.
func (w *writer) aside(ctx context.Context) {
	for waited := time.Duration(0); waited < min(stepAside*w.took, longestAside) && ctx.Err() == nil && w.p.o.Busy(); waited += asideEvery {
		rest(ctx, asideEvery)
	}
}

// skip goes on after changes that the log has dropped. A database that was empty has lost nothing that it had.
func (w *writer) skip(ctx context.Context, oldest uint64) error {
	gap := Gap{From: w.read.seq + 1, To: oldest, Since: w.read.at}
	fresh := w.read.seq == 0
	first, err := w.firstAfter(ctx, oldest)
	if err != nil {
		return err
	}
	gap.Until = first
	w.read.seq = oldest
	if fresh {
		w.p.update(func(s *state) {
			if s.rebuild != nil {
				s.rebuild.From, s.rebuild.Kept = oldest, first
			}
		})
		w.p.log.Info("history begins with what the changes log still has", "first", oldest+1, "at", first.String())
		return nil
	}
	lost := gap.To - gap.From + 1
	err = w.p.o.Target.Insert(ctx, "log", []clickhouse.Column{
		{Name: "at", Data: []int64{int64(max(first, gap.Since))}}, {Name: "shard", Data: []uint32{w.p.o.Shard}}, {Name: "seq", Data: []uint64{oldest}},
		{Name: "n", Data: []uint32{math.MaxUint32}}, {Name: "kind", Data: []string{"history_gap"}}, {Name: "since", Data: instants(gap.Since)},
		{Name: "until", Data: instants(gap.Until)}, {Name: "count", Data: []uint64{lost}},
		{Name: "text", Data: []string{fmt.Sprintf("changes %d to %d were dropped from the changes log before they were in the history", gap.From, gap.To)}},
	})
	if err != nil {
		return fmt.Errorf("projection: gap: %w", err)
	}
	w.p.metrics.gaps.Add(float64(lost))
	w.p.log.Error("changes are missing from the history: the changes log dropped them before they were read",
		"from", gap.From, "to", gap.To, "since", gap.Since.String(), "until", gap.Until.String())
	w.p.update(func(s *state) {
		s.gaps = append(s.gaps, gap)
		s.gaps = s.gaps[max(0, len(s.gaps)-maxGaps):]
	})
	return nil
}

// firstAfter returns the time of the first change after seq, 0 when there is none.
func (w *writer) firstAfter(ctx context.Context, seq uint64) (event.Time, error) {
	for ch, err := range w.p.o.Source.Changes(ctx, seq) {
		if err != nil {
			return 0, err
		}
		return ch.At, nil
	}
	return 0, nil
}

// instants is a Nullable column of one row.
func instants(at event.Time) []*int64 {
	if at == 0 {
		return []*int64{nil}
	}
	ms := int64(at)
	return []*int64{&ms}
}
