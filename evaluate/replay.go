package evaluate

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"hash/maphash"
	"slices"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/ingest/alertmanager"
	"github.com/tocsin-noc/tocsin/rules"
	"github.com/tocsin-noc/tocsin/simulate"
	"github.com/tocsin-noc/tocsin/simulate/scenario"
)

const (
	// aftermath is how long virtual time runs on after the last alert.
	aftermath = 10 * event.Minute
	// segment is after how many lines the journal codec begins anew, as it does in every file of a journal.
	segment = 100_000
	// stuck is how many ticks at one moment are taken as a deadline that never passes.
	stuck = 1_000_000
)

// Options of a replay.
type Options struct {
	Rules    []rules.File          // nil: the scenario's own, else those shipped
	Progress func(done, of int)    // told now and then how many lines are stepped; may be nil
	Change   func(c *event.Change) // sees every change before the next step; may be nil
}

// Outcome is what the pipeline made of a scenario.
type Outcome struct {
	Incidents  []event.IncidentID // of each line, where its occurrence ended; 0: in none
	Occurrence []int32            // of each line; lines that only repeat a firing alert share it
	Identity   []uint64           // of each line, the alert's
	Causes     map[event.IncidentID]event.Causes
	Churn      float64 // share of occurrences whose incident got another id later than churnAfter
	Early      int     // lines that stood after one that arrived later
	Digest     [sha256.Size]byte
	Elapsed    time.Duration // inside Step
	Latency    simulate.Histogram
}

// Replay steps a scenario: its rules, its topology as one import, each alert as a request of its own at the time of its arrival, and
// between them the ticks that fall due. The same scenario gives the same Digest, which is over all changes as they are logged.
func Replay(s *scenario.Scenario, o Options) (*Outcome, error) {
	if len(s.Alerts) == 0 {
		return nil, errors.New("evaluate: the scenario has no alert")
	}
	p := &pipeline{
		state: correlate.New(), encoder: event.NewEncoder(maphash.MakeSeed()), digest: sha256.New(), watch: o.Change,
		at: s.Alerts[0].At, follow: newFollower(len(s.Alerts)),
	}
	p.out.Identity = make([]uint64, len(s.Alerts))
	if err := p.prepare(s, o.Rules); err != nil {
		return nil, err
	}
	for i := range s.Alerts {
		a := &s.Alerts[i]
		if a.At < p.at {
			p.out.Early++
		}
		if err := p.advance(a.At); err != nil {
			return nil, err
		}
		if err := p.line(i, a); err != nil {
			return nil, err
		}
		if o.Progress != nil && i%1024 == 0 {
			o.Progress(i, len(s.Alerts))
		}
	}
	if err := p.advance(p.at + aftermath); err != nil {
		return nil, err
	}
	p.follow.finish(&p.out)
	p.digest.Sum(p.out.Digest[:0])
	return &p.out, nil
}

// pipeline is the daemon's way of an alert, without its threads and its clock.
type pipeline struct {
	state   *correlate.State
	encoder *event.Encoder
	decoder event.Decoder
	batch   event.Batch
	seq     uint64
	at      event.Time
	record  []byte
	logged  []byte
	changes []event.Change
	digest  hash.Hash
	follow  *follower
	watch   func(*event.Change)
	out     Outcome
}

// prepare steps what a daemon has before the first alert.
func (p *pipeline) prepare(s *scenario.Scenario, files []rules.File) error {
	if _, err := p.step(&event.Input{Kind: event.InputCore, Version: "evaluate"}); err != nil {
		return err
	}
	if files == nil && s.Rules != nil {
		files = []rules.File{{Name: scenario.RulesFile, Text: s.Rules}}
	}
	if files != nil {
		if _, err := rules.Parse(files); err != nil {
			return err
		}
		if _, err := p.step(&event.Input{Kind: event.InputRules, Rules: rules.Bundle(files)}); err != nil {
			return err
		}
	}
	if len(s.Topology.CIs) == 0 {
		return nil
	}
	command := event.Command{Kind: event.EditCIs, Tenant: event.DefaultTenant, CIs: Edit(&s.Topology)}
	result, err := p.step(&event.Input{Kind: event.InputCommand, Command: &command})
	switch {
	case err != nil:
		return err
	case result.Err != nil:
		return fmt.Errorf("%s: %w", scenario.TopologyFile, result.Err)
	}
	return nil
}

// Edit is a topology as an import tells it. Relations may name items that the topology lacks.
func Edit(t *scenario.Topology) *event.CIEdit {
	const source = "scenario"
	e := &event.CIEdit{Source: source, Set: make([]event.CI, len(t.CIs)), Loose: true}
	place := make(map[string]int, len(t.CIs))
	for i, ci := range t.CIs {
		place[ci.ID] = i
		e.Set[i] = event.CI{ID: ci.ID, Name: ci.ID, Class: ci.Class, State: event.CILive, Source: source}
	}
	for _, r := range t.Relations {
		i, ok := place[r.From]
		if !ok {
			continue // nothing is said of what has it
		}
		e.Set[i].Relations = append(e.Set[i].Relations, event.Relation{Kind: r.Type, To: r.To, Source: source})
	}
	return e
}

// line steps one alert as the daemon takes a request.
func (p *pipeline) line(i int, a *scenario.Alert) error {
	b := &p.batch
	b.Reset()
	b.Source = event.Source{Name: "scenario", Tenant: event.DefaultTenant, Kind: event.Resender}
	b.Body = append(a.AppendBody(append(b.Body, '[')), ']')
	if rejection := alertmanager.DecodeAlerts(b, p.at, alertmanager.Limits{}); rejection != nil {
		return fmt.Errorf("%s: alert %d is refused: %s", scenario.AlertsFile, i+1, rejection.Message)
	}
	if i%segment == 0 {
		p.encoder.Reset()
		p.decoder.Reset()
	}
	p.record = p.encoder.Append(p.record[:0], &event.Input{Kind: event.InputEvents, Batch: b})
	in, err := p.decoder.Decode(p.record)
	if err != nil {
		return fmt.Errorf("evaluate: alert %d: %w", i+1, err)
	}
	if _, err := p.step(in); err != nil {
		return err
	}
	p.out.Identity[i] = in.Batch.Events[0].Identity
	p.follow.line(i, p.out.Identity[i])
	return nil
}

// step steps one input, logs its changes and follows them.
func (p *pipeline) step(in *event.Input) (event.Result, error) {
	p.seq++
	in.Seq, in.At = p.seq, p.at
	began := time.Now()
	changes, result := p.state.Step(in, p.changes[:0])
	took := time.Since(began)
	p.out.Elapsed += took
	if in.Kind == event.InputEvents {
		p.out.Latency.Record(took)
	}
	p.logged = event.AppendChanges(p.logged[:0], changes)
	if _, err := p.digest.Write(p.logged); err != nil {
		return result, err
	}
	for i := range changes {
		p.follow.change(&changes[i])
		if p.watch != nil {
			p.watch(&changes[i])
		}
	}
	p.changes = changes
	return result, nil
}

// advance lets virtual time run until to, with a tick at each deadline.
func (p *pipeline) advance(to event.Time) error {
	for repeats := 0; ; repeats++ {
		next := p.state.Next()
		if next > to {
			break
		}
		if next > p.at {
			p.at, repeats = next, 0
		}
		if repeats > stuck {
			return fmt.Errorf("evaluate: the deadline at %s never passes", p.at)
		}
		if _, err := p.step(&event.Input{Kind: event.InputTick}); err != nil {
			return err
		}
	}
	p.at = max(p.at, to)
	return nil
}

// clone returns causes that share no memory with a change.
func clone(c *event.Causes) event.Causes {
	out := event.Causes{Incident: c.Incident, Margin: c.Margin, Confident: c.Confident, Learned: c.Learned, Candidates: slices.Clone(c.Candidates)}
	for i := range out.Candidates {
		out.Candidates[i].CI = string([]byte(out.Candidates[i].CI))
		out.Candidates[i].Ledger = nil
	}
	return out
}
