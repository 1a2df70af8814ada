package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/engine/records"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/journal"
)

// Redacted stands where a text was taken away.
const Redacted = records.Redacted

// A redaction takes one text that a person wrote out of everything that is kept:
//
//	state ─▶ record store ─▶ changes log ─▶ journal ─▶ snapshots      an entry, a silence, a window, a hand-over note
//	state ─▶ journal ─▶ record store ─▶ changes log ─▶ snapshots      a field, which is looked for in the changes log
//
// The state comes first, through a command like any other (the same hold, silence or window, with other words), so that no later
// change holds the text; what cannot be said anew is refused until the state has let go of it. Then all that holds the text
// lies in segments that are ended, and each is written anew beside the old one. Every step leaves alone what is done
// already, and the journal, from which the others could be made again, comes after them: a redaction that was cut short is
// simply asked for again. Until then a start or `tocsin replay` may report the decision as different.

// RedactEntry takes away what a person said in one timeline entry: a note, an update, the reason of a resolution, a hold or a merge. by is
// who asked for it; it stands beside reason in `tocsin verify`. A *event.Refusal says that there is no such text, or in which field.
func (e *Engine) RedactEntry(ctx context.Context, incident event.IncidentID, at Cursor, reason, by string) error {
	ch, err := e.entry(incident, at)
	if err != nil {
		return err
	}
	note, err := e.noteOf(ch)
	if err != nil {
		return err
	}
	if shared(ch.Kind) {
		return redactError(e.redactWords(ctx, e.entryWords(ch, note), incident.String()+" "+at.String(), reason, by))
	}
	held := ch.Kind == event.IncidentHeld
	if held {
		if err := e.holdAnew(ctx, ch, by); err != nil {
			return err
		}
	}
	return e.erase(ctx, &erasure{
		what: incident.String() + " " + at.String(), incident: incident, from: at, sources: []uint64{at.Seq}, remembered: held,
		hider: func() hide { return hideEntry(incident, at, note) },
		blank: func(c *event.Command) bool { return blank(&c.Text) },
	}, reason, by)
}

// RedactHandover takes the text of a hand-over note away, once the book was signed.
func (e *Engine) RedactHandover(ctx context.Context, tenant string, at Cursor, reason, by string) error {
	if err := e.mustBeSigned(ctx, tenant, at); err != nil {
		return err
	}
	return e.erase(ctx, &erasure{
		what: "hand-over note " + at.String(), from: at, sources: []uint64{at.Seq}, remembered: true,
		hider: func() hide { return hideHandover(at) },
		blank: func(c *event.Command) bool { return blank(&c.Text) },
	}, reason, by)
}

// RedactSilence takes a silence's comment away, in every version of it. One that has ended is refused for as long as the state holds it.
func (e *Engine) RedactSilence(ctx context.Context, tenant, id, reason, by string) error {
	if err := e.silenceAnew(ctx, tenant, id, by); err != nil {
		return err
	}
	return e.erase(ctx, silenceErasure(tenant, id), reason, by)
}

func silenceErasure(tenant, id string) *erasure {
	return &erasure{
		what: "silence " + id, remembered: true,
		hider: func() hide { return hideSilence(tenant, id) },
		inUse: func(v *correlate.View) bool { return commented(v, tenant, id) != nil },
		made: func(ch *event.Change) bool {
			return ch.Kind == event.SilenceSet && ch.Silence.ID == id && ch.Silence.Tenant == tenant
		},
		blank: func(c *event.Command) bool { return c.Silence != nil && blank(&c.Silence.Comment) },
	}
}

// RedactWindow takes a maintenance window's reason away, in every version of it. One that runs, or is over, is refused for as long.
func (e *Engine) RedactWindow(ctx context.Context, tenant, id, reason, by string) error {
	if err := e.windowAnew(ctx, tenant, id, by); err != nil {
		return err
	}
	return e.erase(ctx, &erasure{
		what: "window " + id, remembered: true,
		hider: func() hide { return hideWindow(tenant, id) },
		inUse: func(v *correlate.View) bool { return reasoned(v, tenant, id) != nil },
		made: func(ch *event.Change) bool {
			return ch.Kind == event.WindowSet && ch.Window.ID == id && ch.Window.Tenant == tenant
		},
		blank: func(c *event.Command) bool { return c.Window != nil && blank(&c.Window.Reason) },
	}, reason, by)
}

// entry returns a timeline entry whose text a person wrote.
func (e *Engine) entry(incident event.IncidentID, at Cursor) (*event.Change, error) {
	before := Cursor{Seq: at.Seq, N: at.N - 1}
	if at.N == 0 {
		before = Cursor{Seq: max(at.Seq, 1) - 1, N: math.MaxUint32}
	}
	entries, _, _, err := e.records.Timeline(incident, before.Seq, before.N, 1)
	if err != nil {
		return nil, fmt.Errorf("engine: redact: %w", err)
	}
	if len(entries) == 0 || cursorOf(&entries[0]) != at {
		return nil, missing(incident, at)
	}
	ch := &entries[0]
	if ch.Actor == "" || ch.Text == "" {
		return nil, &event.Refusal{Code: event.Invalid, Message: fmt.Sprintf("entry %v of %v holds no text that a person wrote", at, incident)}
	}
	return ch, nil
}

// missing says that an entry is not there, and where those that are can be seen.
func missing(incident event.IncidentID, at Cursor) error {
	return &event.Refusal{
		Code: event.NotFound, Message: fmt.Sprintf("%v has no entry %v", incident, at),
		Hint: fmt.Sprintf("`tocsin incident show %v --timeline` names the entries", incident),
	}
}

func cursorOf(ch *event.Change) Cursor { return Cursor{ch.Shard, ch.Seq, ch.N} }

// erasure says which text goes, and where it may stand.
type erasure struct {
	what       string
	incident   event.IncidentID           // whose timeline holds it, 0: none does
	from       Cursor                     // the first change that may hold it; zero: any
	sources    []uint64                   // journal records that hold it
	made       func(*event.Change) bool   // finds further ones: the change they made; nil: there are none
	hider      func() hide                // a new walk over the changes
	blank      func(*event.Command) bool  // takes it out of a command, false when it is not there
	remembered bool                       // by the state, once: snapshots may hold it
	inUse      func(*correlate.View) bool // the state holds words again that later changes will repeat; nil: it cannot
}

// erase takes the text out of the record store, the changes log, the journal and the snapshots.
func (e *Engine) erase(ctx context.Context, x *erasure, reason, by string) error {
	end, err := e.endSegments(ctx, by)
	if err != nil {
		return redactError(err)
	}
	if v, err := e.View(ctx); err != nil {
		return redactError(err)
	} else if x.inUse != nil && x.inUse(v) {
		return &event.Refusal{Code: event.Conflict, Message: x.what + " was given other words meanwhile", Hint: "try again"}
	}
	if err := e.eraseLogs(ctx, x, end, fmt.Sprintf("%s (by %s)", reason, by)); err != nil {
		return redactError(err)
	}
	if x.remembered {
		if err := e.renewSnapshots(ctx); err != nil {
			return redactError(err)
		}
	}
	e.log.Info("redacted", "what", x.what, "reason", reason, "by", by)
	return nil
}

func redactError(err error) error {
	if _, refused := errors.AsType[*event.Refusal](err); refused || err == nil {
		return err
	}
	switch {
	case errors.Is(err, journal.ErrActive), errors.Is(err, records.ErrActive), errors.Is(err, journal.ErrFull):
		return fmt.Errorf("%w: redact: %w", ErrFull, err) // a segment was not ended for want of room
	case errors.Is(err, journal.ErrClosed), errors.Is(err, records.ErrClosed):
		return fmt.Errorf("%w: redact: %w", ErrClosed, err)
	}
	return fmt.Errorf("engine: redact: %w", err)
}

// endSegments ends the segments that hold what happened until now, and returns the first seq that is not in those of the changes log.
func (e *Engine) endSegments(ctx context.Context, by string) (end uint64, err error) {
	e.journal.EndSegment()
	e.records.EndSegment()
	// A command that nothing comes of goes the whole way: through the journal, which ends its segment at the next record, the
	// stepper, which flushes the record store, and after all before it into the changes log.
	if _, err := e.Do(ctx, event.Command{Kind: event.Note, Actor: by}); err != nil {
		return 0, err
	}
	return e.changes.Roll()
}

// eraseLogs holds snapshots up, because they let go of old segments, and other redactions.
func (e *Engine) eraseLogs(ctx context.Context, x *erasure, end uint64, why string) error {
	e.saving.Lock()
	defer e.saving.Unlock()
	if x.incident != 0 {
		if err := e.records.Redact(x.incident, x.from.Seq, x.from.N, x.hider()); err != nil {
			return err
		}
	}
	changed, sources, err := e.findChanges(ctx, x, end)
	if err != nil {
		return err
	}
	if len(changed) == 0 && len(sources) == 0 {
		return &event.Refusal{Code: event.NotFound, Message: "there is no " + x.what}
	}
	inputs, err := e.findInputs(x, sources)
	if err != nil {
		return err
	}
	if err := e.changes.RedactAll(changed, why); err != nil {
		return err
	}
	return e.journal.RedactAll(inputs, why)
}

// findChanges returns the records of the changes log that hold the text, without it, and the journal records it came from.
func (e *Engine) findChanges(ctx context.Context, x *erasure, end uint64) (changed map[uint64][]byte, sources []uint64, err error) {
	changed, sources = map[uint64][]byte{}, x.sources
	r := e.changes.Reader(max(x.from.Seq, e.changes.First()))
	defer r.Close()
	hide, more := x.hider(), true
	for more && ctx.Err() == nil {
		rec, _, err := r.Next()
		if err != nil || rec.Seq >= end {
			return changed, sources, ignoreEOF(err)
		}
		interesting, err := holdsText(&rec)
		if err != nil {
			return nil, nil, err
		}
		if !interesting {
			continue
		}
		changes, err := event.DecodeChanges(rec.Payload, rec.Seq, event.Time(rec.At))
		if err != nil {
			return nil, nil, err
		}
		found := false
		for i := range changes {
			if x.made != nil && x.made(&changes[i]) {
				sources = append(sources, rec.Seq)
			}
			if more {
				var hit bool
				hit, more = hide(&changes[i])
				found = found || hit
			}
		}
		if found {
			changed[rec.Seq] = event.AppendChanges(nil, changes)
		}
	}
	return changed, sources, ctx.Err()
}

// holdsText tells at little cost whether a record holds a change of a kind with words of a person in it.
func holdsText(rec *journal.Record) (found bool, err error) {
	err = event.VisitChanges(rec.Payload, rec.Seq, event.Time(rec.At), wordy, func(*event.Change) bool {
		found = true
		return false
	})
	return found, err
}

// findInputs returns the commands in those of the journal's records that hold the text, without it.
func (e *Engine) findInputs(x *erasure, sources []uint64) (map[uint64][]byte, error) {
	inputs := map[uint64][]byte{}
	for _, seq := range sources {
		if seq < e.journal.First() {
			continue
		}
		in, err := e.command(seq)
		if err != nil {
			return nil, err
		}
		if in != nil && x.blank(in.Command) {
			inputs[seq] = newEncoder().Append(nil, in)
		}
	}
	return inputs, nil
}

// command reads one record of the journal, nil when it is none of a command. Only alerts lean on records before them.
func (e *Engine) command(seq uint64) (*event.Input, error) {
	r := e.journal.Reader(seq)
	defer r.Close()
	rec, _, err := r.Next()
	if err != nil || rec.Seq != seq {
		return nil, ignoreEOF(err)
	}
	in, err := new(event.Decoder).Decode(rec.Payload)
	if errors.Is(err, event.ErrMalformed) || err == nil && in.Kind != event.InputCommand {
		return nil, nil
	}
	return in, err
}

// renewSnapshots writes a snapshot and, once it is known to be good, removes those before it.
func (e *Engine) renewSnapshots(ctx context.Context) error {
	v, err := e.View(ctx)
	if err != nil {
		return err
	}
	if err := e.save(v); err != nil {
		return err
	}
	e.saving.Lock()
	defer e.saving.Unlock()
	names, err := snapshots(e.o.Dir)
	if err != nil {
		return err
	}
	if len(names) == 0 || seqOf(names[len(names)-1]) < v.Seq {
		return errors.New("the new snapshot is gone")
	}
	if _, err := loadSnapshot(names[len(names)-1]); err != nil {
		return err
	}
	for _, name := range names {
		if seqOf(name) < v.Seq {
			if err := os.Remove(name); err != nil {
				return err
			}
		}
	}
	return syncDir(filepath.Join(e.o.Dir, snapshotDir))
}
