package contrast

import (
	"cmp"
	"slices"

	"github.com/tocsin-noc/tocsin/event"
)

// Pair holds two worlds that hear of the same inputs: Base under the rules that were in force, Other under those that are tried.
type Pair struct {
	Base, Other *World

	units []unit
	named map[event.IncidentID]event.IncidentID // Base's incident as Other last knew it
}

// unit is an occurrence of an alert, in both worlds; -1 where there is none.
type unit struct{ base, other int32 }

// NewPair returns the pair of two worlds that begin alike.
func NewPair(base, other *World) *Pair {
	p := &Pair{Base: base, Other: other, named: map[event.IncidentID]event.IncidentID{}}
	for id, rec := range base.alerts {
		if rec.occurrence >= 0 {
			p.units = append(p.units, unit{rec.occurrence, other.occurrenceOf(base.alerts[id])})
		}
	}
	slices.SortFunc(p.units, func(a, b unit) int { return cmp.Compare(a.base, b.base) })
	return p
}

// occurrenceOf returns the latest occurrence of an alert of another world, -1 when there is none here.
func (w *World) occurrenceOf(theirs *alert) int32 {
	for _, identity := range theirs.identities {
		if rec := w.alerts[w.byIdentity[identity]]; rec != nil && rec.occurrence >= 0 {
			return rec.occurrence
		}
	}
	return -1
}

// Settle pairs what began in an input, once both worlds have followed its changes.
func (p *Pair) Settle() {
	if len(p.Base.began) > 0 {
		p.pairBegun()
	}
	if hand, other := p.Base.byHand, p.Other.byHand; hand != 0 && other != 0 {
		p.named[hand] = other
	}
	p.Base.began, p.Other.began = p.Base.began[:0], p.Other.began[:0]
	p.Base.byHand, p.Other.byHand = 0, 0
	p.Base.changes, p.Other.changes = 0, 0
}

// pairBegun pairs what began in both worlds in the same order, since an alert may begin several times in one input; what began in Base
// alone goes with what fires in Other already.
func (p *Pair) pairBegun() {
	theirs := map[uint64][]int32{}
	for _, b := range p.Other.began {
		for _, identity := range b.of.identities {
			theirs[identity] = append(theirs[identity], b.occurrence)
		}
	}
	for _, b := range p.Base.began {
		u := unit{b.occurrence, -1}
		for _, identity := range b.of.identities {
			if list := theirs[identity]; len(list) > 0 {
				u.other, theirs[identity] = list[0], list[1:]
				break
			}
		}
		if u.other < 0 {
			u.other = p.Other.occurrenceOf(b.of)
		}
		p.units = append(p.units, u)
	}
}

// Counterpart returns the incident of Other that stands for one of Base: that which holds most of its alerts, or held them when
// it was last asked for; 0 when none does.
func (p *Pair) Counterpart(id event.IncidentID) event.IncidentID {
	i := p.Base.incidents[id]
	if i == nil {
		return 0
	}
	held := map[event.IncidentID]int{}
	for member := range i.members {
		for _, identity := range p.Base.alerts[member].identities {
			if rec := p.Other.alerts[p.Other.byIdentity[identity]]; rec != nil && rec.incident != 0 {
				held[rec.incident]++
				break
			}
		}
	}
	var most event.IncidentID
	for theirs, n := range held {
		if best := held[most]; n > best || n == best && theirs < most {
			most = theirs
		}
	}
	if most == 0 {
		return p.named[id]
	}
	p.named[id] = most
	return most
}

// Unit is where one occurrence of an alert is in both worlds; 0: in no incident.
type Unit struct {
	Base, Other   event.IncidentID // where the machine put it by itself
	People        event.IncidentID // of Base, where people left it
	Corrected     bool             // people merged or split that incident, or refused to
	BeforeTheyMet bool             // it fired before the worlds were held side by side
}

// Units lists the occurrences of Base's alerts.
func (p *Pair) Units() []Unit {
	out := make([]Unit, len(p.units))
	for n, u := range p.units {
		b := &p.Base.occurrences[u.base]
		out[n] = Unit{Base: p.Base.survivor(b.machine, true), People: p.Base.survivor(b.now, false), BeforeTheyMet: b.before}
		if u.other >= 0 {
			out[n].Other = p.Other.survivor(p.Other.occurrences[u.other].machine, true)
		}
		for _, id := range []event.IncidentID{b.machine, b.now, out[n].People} {
			if i := p.Base.incidents[id]; i != nil && i.corrected {
				out[n].Corrected = true
			}
		}
	}
	return out
}
