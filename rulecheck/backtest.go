package rulecheck

import (
	"bytes"
	"errors"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/engine/contrast"
	"github.com/tocsin-noc/tocsin/evaluate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules"
)

// BacktestOptions say what to hold against what.
type BacktestOptions struct {
	Dir          string       // of the data; it is only read
	Rules        []rules.File // in place of all that were ever in force
	Since, Until time.Time    // zero: from the beginning, to the end
	Version      string       // of this core
	Progress     func(done, of uint64)
}

// Report holds two sets of rules side by side.
type Report struct {
	Since, Until  event.Time // of the first input that counted, and of the last
	Inputs        int
	Snapshot      uint64 // the state that it began with, 0: from nothing
	OtherVersions int    // inputs that another version of the core decided; this one decided them here
	Before, After Side
	Asked         contrast.Asked
	Corrected     int // occurrences in incidents that people merged or split, or refused to
	Judged        int // verdicts on causes
	Differences   []contrast.Difference
}

// Side is what one set of rules made of it.
type Side struct {
	contrast.Figures
	People *evaluate.Score // against what people merged and split, nil when they did neither
	Causes Causes          // against their verdicts
}

// Causes says how a set of rules did where people judged the cause.
type Causes struct {
	Cases     int // verdicts that say which item it was, or which it was not
	Right     int // the first candidate was it; or it was not, and another stood first
	Told      int // cases in which people were told a name
	ToldRight int
}

// ErrNothing says that there is nothing to hold side by side.
var ErrNothing = errors.New("rulecheck: the journal holds no input of that time")

// errUntil ends the reading at a time.
var errUntil = errors.New("rulecheck: the end of what was asked for")

// Backtest steps the inputs of a data directory under the rules as they were journaled, and beside them under others. The daemon may
// run meanwhile.
func Backtest(o BacktestOptions) (*Report, error) {
	if _, err := rules.Parse(o.Rules); err != nil {
		return nil, err
	}
	b := &backtest{o: o, since: event.FromTime(o.Since), until: event.Never, report: &Report{}}
	if !o.Until.IsZero() {
		b.until = event.FromTime(o.Until)
	}
	err := engine.ReadInputs(o.Dir, engine.ReadOptions{Since: b.since, Begin: b.begin}, b.take)
	if err != nil && !errors.Is(err, errUntil) {
		return nil, err
	}
	if b.pair == nil {
		return nil, ErrNothing
	}
	b.finish()
	return b.report, nil
}

// backtest steps both sides.
type backtest struct {
	o            BacktestOptions
	since, until event.Time
	state        *correlate.State // under the rules as they were journaled
	last         uint64           // of the journal
	pair         *contrast.Pair   // nil before since
	rival        *contrast.Rival
	changes      []event.Change
	report       *Report
}

// begin takes the state that the reading begins with.
func (b *backtest) begin(state *correlate.State, last uint64) {
	b.state, b.last, b.report.Snapshot = state, last, state.Seq()
}

func (b *backtest) take(in *event.Input) error {
	if in.At > b.until {
		return errUntil
	}
	if b.pair == nil && in.At >= b.since {
		if err := b.part(in.At); err != nil {
			return err
		}
	}
	if b.o.Progress != nil && in.Seq%512 == 0 {
		b.o.Progress(in.Seq, b.last)
	}
	if b.pair == nil {
		b.step(in)
		return nil
	}
	if b.report.Inputs == 0 {
		b.report.Since = in.At
	}
	b.report.Inputs++
	b.report.Until = in.At
	prepared := b.rival.Prepare(in)
	b.step(in)
	b.rival.Step(in, prepared)
	if core := b.state.Core(); core != b.o.Version && core != "" {
		b.report.OtherVersions++
	}
	return nil
}

// step steps an input under the rules as they were journaled.
func (b *backtest) step(in *event.Input) {
	b.changes, _ = b.state.Step(in, b.changes[:0])
	if b.pair == nil {
		return
	}
	for i := range b.changes {
		b.pair.Base.Change(&b.changes[i])
	}
}

// part copies the state: from here on the copy has the other rules.
func (b *backtest) part(at event.Time) error {
	var buf bytes.Buffer
	v := b.state.View()
	if err := v.Save(&buf); err != nil {
		return err
	}
	other, err := correlate.Load(&buf)
	if err != nil {
		return err
	}
	b.pair = contrast.NewPair(contrast.NewWorld(v), contrast.NewWorld(other.View()))
	b.rival = contrast.NewRival(other, b.pair, rules.Bundle(b.o.Rules), at)
	return nil
}

// finish sums up.
func (b *backtest) finish() {
	r := b.report
	r.Asked = b.rival.Asked
	r.Before.Figures, r.After.Figures = b.pair.Base.Figures(), b.pair.Other.Figures()
	b.holdAgainstPeople()
	r.Judged = len(r.Asked.Judged)
	for _, j := range r.Asked.Judged {
		r.Before.Causes.judge(&j, j.Base, j.BaseTold)
		r.After.Causes.judge(&j, j.Other, j.OtherTold)
	}
	r.Differences = b.pair.Differences(func(string) bool { return true })
}

// judge counts one verdict for a side that named said.
func (c *Causes) judge(j *contrast.Judged, said string, told bool) {
	right := said != "" && (j.On != "" && said == j.On || j.Wrong != "" && said != j.Wrong)
	c.Cases++
	if right {
		c.Right++
	}
	if told {
		c.Told++
		if right {
			c.ToldRight++
		}
	}
}

// holdAgainstPeople compares where each side put alerts by itself with where people left them, over the incidents in which they had a
// hand.
func (b *backtest) holdAgainstPeople() {
	var truth, before, after evaluate.Clustering
	number := func(id event.IncidentID) int32 {
		if id == 0 {
			return evaluate.Alone
		}
		return int32(id)
	}
	for _, u := range b.pair.Units() {
		if u.Corrected && !u.BeforeTheyMet {
			truth, before, after = append(truth, number(u.People)), append(before, number(u.Base)), append(after, number(u.Other))
		}
	}
	if b.report.Corrected = len(truth); len(truth) == 0 {
		return
	}
	was, is := evaluate.Compare(truth, before).Pairwise, evaluate.Compare(truth, after).Pairwise
	b.report.Before.People, b.report.After.People = &was, &is
}
