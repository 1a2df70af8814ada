package contrast

import (
	"maps"
	"slices"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
)

const (
	// patience is how much later than its deadline the daemon may have ticked: only what is overdue for longer gets a tick of its own.
	patience = event.Second
	// stuck is how many ticks at one moment are taken as a deadline that never passes.
	stuck = 1_000_000
)

// Rival steps inputs under other rules than those journaled. Rules in the journal it passes over.
type Rival struct {
	state   *correlate.State
	pair    *Pair
	changes []event.Change
	heard   bool // since the last gap
	fate    fate // of the command under way
	judged  *Judged
	Asked   Asked
}

// Asked counts what people asked for in the journal, and what became of it under the other rules.
type Asked struct {
	Commands int            // of incidents
	Applied  int            // to the incident that holds most of the alerts
	Already  int            // there was nothing left to do: the two were one, or apart, already
	Not      map[string]int // could not be applied, by kind
	Judged   []Judged
}

// Clone returns counts that no longer move.
func (a *Asked) Clone() Asked {
	out := *a
	out.Not, out.Judged = maps.Clone(a.Not), slices.Clone(a.Judged)
	return out
}

// fate is what becomes of a command under the other rules.
type fate uint8

const (
	fateNone    fate = iota // it is about no incident
	fateApplied             // it is carried out
	fateAlready             // there is nothing left to do
	fateNot                 // it names what is not there
)

// Judged is a person's verdict on an incident's cause, and what each side had said at that moment.
type Judged struct {
	On                  string // ID of the item that it was; "": only that the name was wrong
	Wrong               string // ID of the item that it was not
	Base, Other         string // the first candidate, "" when there is none
	BaseTold, OtherTold bool   // people were told the name
}

// NewRival returns a rival over a state whose world is pair's Other, with its rules (rules.Bundle) in force from a time on.
func NewRival(state *correlate.State, pair *Pair, bundle []byte, at event.Time) *Rival {
	r := &Rival{state: state, pair: pair, Asked: Asked{Not: map[string]int{}}}
	r.step(&event.Input{Kind: event.InputRules, Rules: bundle, Seq: state.Seq(), At: max(at, state.At())})
	pair.Settle()
	return r
}

// Prepare returns what the rival is to step for an input, nil for nothing. Call it before Base has followed the input's changes.
func (r *Rival) Prepare(in *event.Input) *event.Input {
	r.fate, r.judged = fateNone, nil
	switch in.Kind {
	case event.InputRules:
		return nil
	case event.InputCommand:
		cmd := r.translate(in.Command)
		if cmd == nil {
			return nil
		}
		mine := *in
		mine.Command = cmd
		return &mine
	default:
		return in
	}
}

// Step steps what Prepare returned for an input, after the ticks that had become due by then, and pairs what began. Call it once Base
// has followed the input's changes: what was refused there is not carried out here.
func (r *Rival) Step(in, prepared *event.Input) {
	gap := in.Kind == event.InputCore || in.Kind == event.InputResumed
	if r.heard && !gap {
		r.catchUp(in.At)
	}
	r.heard = !gap || r.heard && in.Source.Name != ""
	counts := in.Kind == event.InputCommand && byNumber(in.Command)
	switch {
	case counts && r.pair.Base.changes == 0:
	case prepared != nil:
		if res := r.step(prepared); res.Err != nil {
			r.fate = fateNot
		}
	}
	if counts && r.pair.Base.changes > 0 {
		r.count(in.Command.Kind)
	}
	r.pair.Settle()
}

// byNumber tells whether a command names what each side numbers by itself.
func byNumber(c *event.Command) bool {
	return c.Incident != 0 || c.Kind == event.SetOutage && c.Outage != nil && c.Outage.Number != 0
}

// count takes down what became of a command.
func (r *Rival) count(k event.CommandKind) {
	r.Asked.Commands++
	switch r.fate {
	case fateApplied:
		r.Asked.Applied++
	case fateAlready:
		r.Asked.Already++
	case fateNot, fateNone:
		r.Asked.Not[commandName(k)]++
	}
	if r.judged != nil {
		r.Asked.Judged = append(r.Asked.Judged, *r.judged)
	}
}

// catchUp ticks at the deadlines that were not those of the rules in force.
func (r *Rival) catchUp(to event.Time) {
	for range stuck {
		next := r.state.Next()
		if next == event.Never || next+patience > to {
			return
		}
		r.step(&event.Input{Kind: event.InputTick, Seq: r.state.Seq(), At: max(next, r.state.At())})
	}
}

func (r *Rival) step(in *event.Input) event.Result {
	changes, res := r.state.Step(in, r.changes[:0])
	for i := range changes {
		r.pair.Other.Change(&changes[i])
	}
	if r.changes = changes; cap(changes) > 1<<14 {
		r.changes = nil
	}
	return res
}

// translate returns a command about the rival's own incidents, nil when it cannot be carried out here.
func (r *Rival) translate(c *event.Command) *event.Command {
	switch {
	case !byNumber(c):
		return c
	case c.Incident == 0: // an outage, which the other side may have numbered otherwise, and which decides nothing about alerts
		r.fate = fateNot
		return nil
	}
	mine := *c
	mine.Incident = uint64(r.pair.Counterpart(event.IncidentID(c.Incident)))
	if c.Kind == event.JudgeCause {
		r.judge(c, &mine)
	}
	fits, already := mine.Incident != 0, false
	if fits {
		fits, already = r.translateRest(c, &mine)
	}
	switch {
	case already:
		r.fate = fateAlready
	case !fits:
		r.fate = fateNot
	default:
		r.fate = fateApplied
		return &mine
	}
	return nil
}

// translateRest translates what a command names besides its incident.
func (r *Rival) translateRest(c, mine *event.Command) (fits, already bool) {
	if c.Other != 0 {
		mine.Other = uint64(r.pair.Counterpart(event.IncidentID(c.Other)))
		return mine.Other != 0, mine.Other == mine.Incident
	}
	switch c.Kind {
	case event.Split:
		return r.translateSplit(c, mine)
	case event.AnswerProposal:
		return r.translateAnswer(c, mine)
	default:
		return true, false
	}
}

// translateSplit takes those of the alerts that are in the rival's incident; when none is, they are apart already.
func (r *Rival) translateSplit(c, mine *event.Command) (fits, already bool) {
	mine.Alerts = nil
	known := false
	for _, id := range c.Alerts {
		base := r.pair.Base.alerts[id]
		if base == nil {
			continue
		}
		for _, identity := range base.identities {
			theirs := r.pair.Other.byIdentity[identity]
			rec := r.pair.Other.alerts[theirs]
			if rec == nil {
				continue
			}
			known = true
			if rec.incident == event.IncidentID(mine.Incident) && !slices.Contains(mine.Alerts, theirs) {
				mine.Alerts = append(mine.Alerts, theirs)
			}
		}
	}
	whole := r.pair.Other.incidents[event.IncidentID(mine.Incident)]
	if whole != nil && len(mine.Alerts) == len(whole.members) {
		return known, true // all that is here is what was taken out: the rest never came in
	}
	return len(mine.Alerts) > 0, known && len(mine.Alerts) == 0
}

// translateAnswer finds the rival's proposal about the same incidents. Where it made none, an accepted one is a merge.
func (r *Rival) translateAnswer(c, mine *event.Command) (fits, already bool) {
	i := r.pair.Base.incidents[event.IncidentID(c.Incident)]
	n := slices.IndexFunc(i.proposals, func(p event.Proposal) bool { return p.Number == c.Number })
	if n < 0 {
		return false, false
	}
	other := event.IncidentID(0)
	if asked := i.proposals[n].Other; asked != 0 {
		if other = r.pair.Counterpart(asked); other == 0 {
			return false, false
		}
		if other == event.IncidentID(mine.Incident) {
			return c.Accept, c.Accept
		}
	}
	theirs := r.pair.Other.incidents[event.IncidentID(mine.Incident)]
	if theirs != nil {
		for _, p := range theirs.proposals {
			if p.Other == other && p.Answer == event.ProposalOpen {
				mine.Number = p.Number
				return true, false
			}
		}
	}
	if !c.Accept || other == 0 {
		return false, !c.Accept && other != 0 // it proposed nothing, so there is nothing to refuse
	}
	mine.Kind, mine.Other, mine.Number, mine.Accept = event.Merge, uint64(other), 0, false
	return true, false
}

// judge takes a verdict down and makes it one on what the rival has said.
func (r *Rival) judge(c, mine *event.Command) {
	base, other := r.pair.Base.causes[event.IncidentID(c.Incident)], r.pair.Other.causes[event.IncidentID(mine.Incident)]
	if mine.Incident == 0 {
		other = verdict{}
	}
	j := Judged{Base: base.first, BaseTold: base.confident, Other: other.first, OtherTold: other.confident}
	named := c.Text
	if named == "" {
		named = base.first
	}
	switch event.Verdict(c.Number) {
	case event.CauseRight:
		j.On = named
		mine.Number, mine.Text = uint32(event.CauseOther), named
	case event.CauseOther:
		j.On = named
	case event.CauseWrong:
		j.Wrong = named
		mine.Text = named
	case event.NoVerdict:
		return
	}
	r.judged = &j
}
