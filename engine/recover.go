package engine

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/journal"
)

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// recover brings the state to the journal's end: the newest snapshot that can be read, then the tail.
func (e *Engine) recover() error {
	id, err := instanceID(e.o.Dir)
	if err != nil {
		return err
	}
	e.state, err = e.loadNewest()
	if err != nil {
		return err
	}
	if changes, inputs := e.changes.Last(), e.journal.Last(); changes > inputs {
		e.started.Lost = changes - inputs
		return fmt.Errorf("engine: recover: the changes log reaches record %d and the journal ends at %d: the folders in %s are of different "+
			"moments; restore all of them from one backup", changes, inputs, e.o.Dir)
	}
	e.started.SnapshotSeq = e.state.Seq()
	e.started.TornBytes = e.journal.Repaired().CutBytes
	if err := e.replayTail(); err != nil {
		return err
	}
	if err := e.feed(); err != nil {
		return fmt.Errorf("engine: recover: record store: %w", err)
	}
	last := e.state.LastWriter()
	e.writer, e.instance = event.Writer{ID: id, Epoch: last.Epoch + 1}, id
	e.clock = newClock(e.o.Clock, e.state.At())
	e.acked.Store(max(e.state.Seq(), e.journal.Last()))
	if at := e.state.At(); at > 0 {
		wall, _ := e.o.Clock()
		e.started.Away = max(0, wall.Sub(at.Time()))
	}
	e.log.Info("recovered", "seq", e.state.Seq(), "snapshot_seq", e.started.SnapshotSeq, "replayed", e.started.Replayed,
		"folded", e.started.Folded, "differences", e.started.Differences, "firing", e.state.Firing(), "away", e.started.Away.Round(time.Second).String(), "lost", e.started.Lost)
	return nil
}

// replayTail steps, or folds, what the journal holds beyond the state, and completes the changes log.
func (e *Engine) replayTail() error {
	t := &tail{e: e, logged: e.loggedFrom(e.state.Seq() + 1)}
	defer t.logged.r.Close()
	return readInputs(e.journal.SegmentReader(e.state.Seq()+1), e.state.Seq(), t.take)
}

// readInputs decodes a journal from the start of a segment and hands on what comes after seq.
func readInputs(r journal.Reader, seq uint64, take func(*event.Input) error) error {
	defer r.Close()
	ins := inputs{r: r, after: seq}
	for {
		in, err := ins.next()
		if err != nil {
			return ignoreEOF(err)
		}
		if err := take(in); err != nil {
			return err
		}
	}
}

// inputs decodes a journal from the start of a segment.
type inputs struct {
	r       journal.Reader
	after   uint64 // the last input handed on, or that nobody wants any more
	dec     event.Decoder
	segment uint64
	began   bool
}

// next returns the next input. io.EOF: there is none yet; a later call goes on.
func (i *inputs) next() (*event.Input, error) {
	for {
		rec, seg, err := i.r.Next()
		if err != nil {
			return nil, err
		}
		if !i.began || seg != i.segment {
			i.dec.Reset()
			i.segment, i.began = seg, true
		}
		in, err := i.dec.Decode(rec.Payload)
		if err != nil {
			return nil, fmt.Errorf("engine: journal record %d: %w", rec.Seq, err)
		}
		if rec.Seq <= i.after {
			continue
		}
		in.Seq, in.At = rec.Seq, event.Time(rec.At)
		i.after = rec.Seq
		return in, nil
	}
}

// tail carries the inputs after a snapshot over into the state.
type tail struct {
	e       *Engine
	logged  *logged
	changes []event.Change
	buf     []byte
}

func (t *tail) take(in *event.Input) error {
	e := t.e
	payload, reached := t.logged.of(in.Seq)
	if reached && e.state.Core() != e.o.Version && in.Kind != event.InputCore {
		e.started.Folded++
		return fold(e.state, in, payload)
	}
	e.started.Replayed++
	t.changes, _ = e.state.Step(in, t.changes[:0])
	t.buf = t.buf[:0]
	if len(t.changes) > 0 {
		t.buf = event.AppendChanges(t.buf, t.changes)
	}
	if reached {
		t.compare(in, payload)
		return nil
	}
	if len(t.buf) == 0 {
		return nil
	}
	return e.appendChanges([]journal.Record{{Seq: in.Seq, At: int64(in.At), Payload: t.buf}}, len(t.buf))
}

// fold applies what another version of the core decided.
func fold(state *correlate.State, in *event.Input, payload []byte) error {
	var changes []event.Change
	if payload != nil {
		var err error
		if changes, err = event.DecodeChanges(payload, in.Seq, in.At); err != nil {
			return fmt.Errorf("engine: changes of record %d: %w", in.Seq, err)
		}
	}
	return state.Fold(in, changes)
}

func (t *tail) compare(in *event.Input, payload []byte) {
	if sameChanges(payload, t.buf, in) {
		return
	}
	t.e.started.Differences++
	t.e.log.Error("a decision came out otherwise than it was logged", "seq", in.Seq, "hint", "run `tocsin replay` on a copy of the data")
}

// sameChanges tells whether what was logged for an input is what was decided now. A log of an older format says the same in other bytes.
func sameChanges(logged, now []byte, in *event.Input) bool {
	if len(logged) > 0 && len(now) > 0 && logged[0] != now[0] {
		changes, err := event.DecodeChanges(logged, in.Seq, in.At)
		if err != nil {
			return false
		}
		logged = event.AppendChanges(nil, changes)
	}
	return bytes.Equal(logged, now)
}

// instanceID returns the number that tells this data directory from others; the first start makes it.
func instanceID(dir string) (uint64, error) {
	path := filepath.Join(dir, "instance")
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		var b [8]byte
		if _, err := rand.Read(b[:]); err != nil {
			return 0, fmt.Errorf("engine: instance id: %w", err)
		}
		return binary.BigEndian.Uint64(b[:]), writeDurably(path, func(w io.Writer) error {
			_, err := fmt.Fprintln(w, hex.EncodeToString(b[:]))
			return err
		})
	}
	if err != nil {
		return 0, fmt.Errorf("engine: instance id: %w", err)
	}
	b, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(b) != 8 {
		return 0, fmt.Errorf("engine: %s does not hold an instance id; restore it from a backup", path)
	}
	return binary.BigEndian.Uint64(b), nil
}

// loadNewest returns the state of the newest snapshot that can be read, and an empty one when there is none.
func (e *Engine) loadNewest() (*correlate.State, error) {
	names, err := snapshots(e.o.Dir)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Backward(names) {
		s, err := loadSnapshot(name)
		if err == nil {
			return s, nil
		}
		e.log.Error("snapshot cannot be read, an older one is tried", "file", name, "error", err)
	}
	if first := e.journal.First(); first > 1 {
		return nil, fmt.Errorf("engine: recover: no snapshot can be read and the journal begins at record %d: restore %s from a backup",
			first, filepath.Join(e.o.Dir, snapshotDir))
	}
	return correlate.New(), nil
}
