package engine

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/journal/disk"
)

// ReplayOptions say which core replays.
type ReplayOptions struct {
	Version string // of this core; what other versions decided is compared, and counted apart
}

// maxReported bounds how many differences a report describes; all are counted.
const maxReported = 20

// ReplayReport says how the decisions of a journal came out when they were made again.
type ReplayReport struct {
	From          uint64 // the snapshot the replay began with, 0: from nothing
	Inputs        int
	Changes       int
	Unlogged      int // inputs at the end whose changes the log does not hold yet
	Differing     int // inputs of this version whose changes came out otherwise
	Differences   []ReplayDifference
	OtherVersions map[string]int // inputs that another version decided otherwise, by version
}

// ReplayDifference is one input whose changes came out otherwise than logged.
type ReplayDifference struct {
	Seq     uint64
	Version string
	Logged  string
	Now     string
}

// Replay makes every decision of the data in dir again and compares the changes byte by byte with those logged. It only reads,
// and may run beside the daemon.
func Replay(dir string, o ReplayOptions) (ReplayReport, error) {
	jl, err := disk.OpenReadOnly(filepath.Join(dir, "journal"), disk.Options{})
	if err != nil {
		return ReplayReport{}, fmt.Errorf("engine: replay: %w", err)
	}
	cl, err := disk.OpenReadOnly(filepath.Join(dir, "changes"), disk.Options{Name: "changes"})
	if err != nil {
		return ReplayReport{}, fmt.Errorf("engine: replay: changes: %w", err)
	}
	state, err := replayStart(dir, max(jl.First(), cl.First()))
	if err != nil {
		return ReplayReport{}, err
	}
	e := &Engine{changes: cl}
	r := &replayer{o: o, state: state, logged: e.loggedFrom(state.Seq() + 1), report: ReplayReport{From: state.Seq(), OtherVersions: map[string]int{}}}
	defer r.logged.r.Close()
	err = readInputs(jl.SegmentReader(state.Seq()+1), state.Seq(), r.take)
	return r.report, err
}

// replayStart returns the state to begin with: an empty one, or when the logs were truncated the oldest snapshot after that.
func replayStart(dir string, first uint64) (*correlate.State, error) {
	if first <= 1 {
		return correlate.New(), nil
	}
	names, err := snapshots(dir)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if seqOf(name)+1 >= first {
			return loadSnapshot(name)
		}
	}
	return nil, errors.New("engine: replay: the logs were truncated and no snapshot reaches back to where they begin")
}

// replayer keeps the state as it came about: what another version decided is taken from the log. What this version would have
// decided instead is found on a copy.
type replayer struct {
	o       ReplayOptions
	state   *correlate.State
	whatIf  *correlate.State // nil but in a stretch of another version
	logged  *logged
	changes []event.Change
	buf     []byte
	report  ReplayReport
}

func (r *replayer) take(in *event.Input) error {
	r.report.Inputs++
	payload, reached := r.logged.of(in.Seq)
	if version := r.state.Core(); reached && version != r.o.Version && in.Kind != event.InputCore {
		return r.takeOther(in, payload, version)
	}
	r.whatIf = nil
	same := r.step(r.state, in, payload)
	switch {
	case !reached:
		r.report.Unlogged++
	case !same:
		r.differ(in, payload)
	}
	return nil
}

// step steps an input and tells whether its changes are those logged.
func (r *replayer) step(state *correlate.State, in *event.Input, payload []byte) (same bool) {
	r.changes, _ = state.Step(in, r.changes[:0])
	r.report.Changes += len(r.changes)
	r.buf = r.buf[:0]
	if len(r.changes) > 0 {
		r.buf = event.AppendChanges(r.buf, r.changes)
	}
	return sameChanges(payload, r.buf, in)
}

func (r *replayer) takeOther(in *event.Input, payload []byte, version string) (err error) {
	if r.whatIf == nil {
		if r.whatIf, err = clone(r.state); err != nil {
			return err
		}
	}
	if !r.step(r.whatIf, in, payload) {
		r.report.OtherVersions[version]++
	}
	return fold(r.state, in, payload)
}

func clone(s *correlate.State) (*correlate.State, error) {
	var b bytes.Buffer
	if err := s.View().Save(&b); err != nil {
		return nil, err
	}
	return correlate.Load(&b)
}

func (r *replayer) differ(in *event.Input, payload []byte) {
	r.report.Differing++
	if len(r.report.Differences) == maxReported {
		return
	}
	was, err := event.DecodeChanges(payload, in.Seq, in.At)
	logged := summarise(was)
	if err != nil && len(payload) > 0 {
		logged = err.Error()
	}
	r.report.Differences = append(r.report.Differences, ReplayDifference{
		Seq: in.Seq, Version: r.state.Core(), Logged: logged, Now: summarise(r.changes),
	})
}

// summarise names changes in a line.
func summarise(changes []event.Change) string {
	if len(changes) == 0 {
		return "nothing"
	}
	var b bytes.Buffer
	for i := range changes {
		ch := &changes[i]
		if i == 8 {
			fmt.Fprintf(&b, " and %d more", len(changes)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(ch.Kind.String())
		switch {
		case ch.Incident != nil:
			fmt.Fprintf(&b, " %s", ch.Incident.ID)
		case ch.Alert.ID != 0:
			fmt.Fprintf(&b, " %s", ch.Alert.ID)
		}
	}
	return b.String()
}
