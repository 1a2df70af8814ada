package engine

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/tocsin-noc/tocsin/event"
)

// sweep takes texts out of all that is kept, wherever they stand.
type sweep struct {
	what      string
	incidents []event.IncidentID // whose timelines may hold them
	change    func(*event.Change) bool
	command   func(seq uint64, c *event.Command) bool

	// What is looked for comes from the journal, which then goes last, or else from the changes log: after a crash it is found again.
	journalLast bool
}

// run takes the texts out of what lies before end, and out of the snapshots.
func (s *sweep) run(ctx context.Context, e *Engine, end uint64, reason, by string) error {
	if err := s.logs(ctx, e, end, fmt.Sprintf("%s (by %s)", reason, by)); err != nil {
		return err
	}
	if err := e.renewSnapshots(ctx); err != nil {
		return err
	}
	e.log.Info("redacted", "what", s.what, "reason", reason, "by", by)
	return nil
}

func (s *sweep) logs(ctx context.Context, e *Engine, end uint64, why string) error {
	e.saving.Lock()
	defer e.saving.Unlock()
	changed := map[uint64][]byte{}
	err := e.walkChanges(ctx, 0, end, func(changes []event.Change) {
		hit := false
		for i := range changes {
			hit = s.change(&changes[i]) || hit
		}
		if hit {
			changed[changes[0].Seq] = event.AppendChanges(nil, changes)
		}
	})
	if err != nil {
		return err
	}
	inputs, err := s.inputs(ctx, e, end)
	if err != nil {
		return err
	}
	if !s.journalLast {
		if err := e.journal.RedactAll(inputs, why); err != nil {
			return err
		}
	}
	for _, id := range s.incidents {
		hide := func(ch *event.Change) (hit, more bool) { return s.change(ch), true }
		if err := e.records.Redact(id, 0, 0, hide); err != nil {
			return err
		}
	}
	if err := e.changes.RedactAll(changed, why); err != nil || !s.journalLast {
		return err
	}
	return e.journal.RedactAll(inputs, why)
}

// inputs returns the journal's commands that hold the texts, without them.
func (s *sweep) inputs(ctx context.Context, e *Engine, end uint64) (map[uint64][]byte, error) {
	inputs := map[uint64][]byte{}
	r := e.journal.Reader(e.journal.First())
	defer r.Close()
	for ctx.Err() == nil {
		rec, _, err := r.Next()
		if errors.Is(err, io.EOF) || err == nil && rec.Seq >= end {
			return inputs, nil
		}
		if err != nil {
			return nil, err
		}
		if !event.IsCommand(rec.Payload) {
			continue
		}
		in, err := new(event.Decoder).Decode(rec.Payload)
		if err != nil {
			return nil, err
		}
		if s.command(rec.Seq, in.Command) {
			inputs[rec.Seq] = newEncoder().Append(nil, in)
		}
	}
	return nil, ctx.Err()
}

// walkChanges shows the records of the changes log from one up to another in which people's words may stand.
func (e *Engine) walkChanges(ctx context.Context, from, end uint64, visit func([]event.Change)) error {
	r := e.changes.Reader(max(from, e.changes.First()))
	defer r.Close()
	for ctx.Err() == nil {
		rec, _, err := r.Next()
		if err != nil || rec.Seq >= end {
			return ignoreEOF(err)
		}
		interesting, err := holdsText(&rec)
		if err != nil {
			return err
		}
		if !interesting {
			continue
		}
		changes, err := event.DecodeChanges(rec.Payload, rec.Seq, event.Time(rec.At))
		if err != nil {
			return err
		}
		visit(changes)
	}
	return ctx.Err()
}
