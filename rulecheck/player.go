package rulecheck

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/evaluate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

const (
	// validFor is for how many intervals a resender says that its alert is valid, as Prometheus does.
	validFor = 4
	// stuck is how many ticks at one moment are taken as a deadline that never passes.
	stuck = 1_000_000
)

// player is the daemon without its threads and its clock: a state that is fed through the journal codec.
type player struct {
	state   *correlate.State
	encoder *event.Encoder
	decoder event.Decoder
	record  []byte
	changes []event.Change
	start   event.Time
	now     event.Time
	seq     uint64
	story   *story
	watch   func(changes []event.Change) // sees them before the next step
}

func newPlayer(start event.Time, files []rules.File, t *topology, s *story) (*player, error) {
	p := &player{
		state: correlate.New(), encoder: event.NewEncoder(maphash.MakeSeed()), start: start, now: start, story: s,
		watch: func([]event.Change) {},
	}
	if _, err := p.step(&event.Input{Kind: event.InputCore, Version: "rules test"}); err != nil {
		return nil, err
	}
	if files != nil {
		if _, err := p.step(&event.Input{Kind: event.InputRules, Rules: rules.Bundle(files)}); err != nil {
			return nil, err
		}
	}
	if len(t.CIs) == 0 {
		return p, nil
	}
	command := event.Command{Kind: event.EditCIs, Tenant: event.DefaultTenant, CIs: evaluate.Edit(&t.Topology)}
	res, err := p.step(&event.Input{Kind: event.InputCommand, Command: &command})
	if err == nil && res.Err != nil {
		err = strict.Errors{{Place: t.at, Key: "topology", Message: res.Err.Error()}}
	}
	return p, err
}

// step writes an input as a journal record, reads it back and steps it.
func (p *player) step(in *event.Input) (event.Result, error) {
	p.record = p.encoder.Append(p.record[:0], in)
	read, err := p.decoder.Decode(p.record)
	if err != nil {
		return event.Result{}, fmt.Errorf("rulecheck: %w", err)
	}
	p.seq++
	read.Seq, read.At, read.Writer = p.seq, p.now, event.Writer{ID: 1, Epoch: 1, N: p.seq}
	changes, res := p.state.Step(read, p.changes[:0])
	p.changes = changes
	for i := range changes {
		p.story.tell(p.now-p.start, &changes[i])
	}
	p.watch(changes)
	return res, nil
}

// advance lets time run until to, with a tick at each deadline.
func (p *player) advance(to event.Time) error {
	for range stuck {
		next := p.state.Next()
		if next > to {
			p.now = max(p.now, to)
			return nil
		}
		p.now = max(p.now, next)
		if _, err := p.step(&event.Input{Kind: event.InputTick}); err != nil {
			return err
		}
	}
	return fmt.Errorf("rulecheck: the deadline at %s never passes", p.now)
}

// say lets a source say something of a label set.
func (p *player) say(s *said, ls event.Labels, startsAt, endsAt event.Time, cleared bool) error {
	b := &event.Batch{Source: event.Source{Name: s.source, Tenant: event.DefaultTenant, Kind: s.kind}}
	b.Add(event.Event{Labels: ls, Annotations: s.annotations, StartsAt: startsAt, EndsAt: endsAt, Cleared: cleared})
	_, err := p.step(&event.Input{Kind: event.InputEvents, Batch: b})
	return err
}

// act is one thing that happens at a time.
type act struct {
	when event.Time
	do   func() error
}

// script puts down when what happens: what sources say, again and again where they do, and what people ask for. Of what happens at
// the same time, what stands first in the file comes first.
func (p *player) script(t *test, interval, end event.Time) []act {
	var acts []act
	add := func(when event.Time, do func() error) {
		if when <= p.start+end {
			acts = append(acts, act{when, do})
		}
	}
	for i := range t.events {
		p.scriptEvent(&t.events[i], interval, end, add)
	}
	for i := range t.commands {
		a := &t.commands[i]
		add(p.start+a.when, func() error { return p.ask(a) })
	}
	slices.SortStableFunc(acts, func(a, b act) int { return cmp.Compare(a.when, b.when) })
	return acts
}

func (p *player) scriptEvent(s *said, interval, end event.Time, add func(event.Time, func() error)) {
	for n := range s.times {
		ls, from := numbered(s.labels, n, s.times), p.start+s.from+event.Time(n)*s.every
		if s.clear == clearOnly {
			add(from, func() error { return p.say(s, ls, 0, p.now, true) })
			continue
		}
		over := from + s.span
		if s.lasts {
			over = p.start + end + 1
		}
		for at := from; at < over; at += interval {
			add(at, func() error {
				valid := event.Time(0)
				if s.kind == event.Resender {
					valid = p.now + validFor*interval
				}
				return p.say(s, ls, from, valid, false)
			})
			if s.kind == event.SendOnce {
				break
			}
		}
		if !s.lasts && s.clear == clearAtEnd {
			add(over, func() error { return p.say(s, ls, from, p.now, true) })
		}
	}
}

// numbered puts the number of a repetition into labels, in place of $n.
func numbered(ls event.Labels, n, times int) event.Labels {
	if times == 1 {
		return ls
	}
	out := slices.Clone(ls)
	for i := range out {
		out[i].Value = strings.ReplaceAll(out[i].Value, "$n", strconv.Itoa(n))
	}
	return out
}
