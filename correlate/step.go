package correlate

import (
	"fmt"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules"
)

// Step takes one input. It appends the changes it causes to out and returns them with the answer to a command. The changes'
// texts alias the input and the state: they must be encoded before the next Step.
//
// Inputs must come in the order of the journal. One that was stepped before (same writer, no later record) causes nothing.
func (s *State) Step(in *event.Input, out []event.Change) ([]event.Change, event.Result) {
	if s.seen(in.Writer) {
		return out, event.Result{}
	}
	s.text.Sweep()
	s.work.reading.hear(nil)
	if s.meta.At == 0 { // timers count from the first input, not from 1970
		s.timers.Due(int64(in.At), 1, func(uint8, uint32) {})
	}
	s.in, s.out, s.work.mended = in, out, false
	s.meta.Writer, s.meta.Seq, s.meta.At = in.Writer, in.Seq, max(s.meta.At, in.At)
	res := s.dispatch(in)
	s.reviewOutages()
	s.members.sweep()
	out = s.out
	s.in, s.out = nil, nil
	return out, res
}

// seen tells whether a record of this writer was stepped already. The zero writer is nobody's.
func (s *State) seen(w event.Writer) bool {
	last := s.meta.Writer
	if w.ID != last.ID || w == (event.Writer{}) {
		return false
	}
	return w.Epoch < last.Epoch || w.Epoch == last.Epoch && w.N <= last.N
}

func (s *State) dispatch(in *event.Input) event.Result {
	switch in.Kind {
	case event.InputEvents:
		s.stepBatch(in.Batch)
	case event.InputCommand:
		return s.stepCommand(in.Command)
	case event.InputTick:
		s.stepTick()
	case event.InputResumed:
		s.emit(event.Change{Kind: event.GraceStarted, Source: in.Source, Until: in.At + s.settings().ResolveTimeout})
	case event.InputCore:
		s.emit(event.Change{Kind: event.CoreStarted, Text: in.Version})
	case event.InputRules:
		s.stepRules(in.Rules)
	case event.InputOverCap:
		s.stepOverCap(in)
	}
	return event.Result{}
}

// stepRules takes a rule set into force. The shell has checked it; one that does not parse all the same (another version
// wrote it) is not taken.
func (s *State) stepRules(text []byte) {
	files, err := rules.Unbundle(text)
	if err != nil {
		return
	}
	if _, err := rules.Parse(files); err != nil {
		return
	}
	s.emit(event.Change{Kind: event.RulesLoaded, Text: string(text)})
	s.reviewInhibition()
	s.reviewHeartbeats()
	s.reviewAbsences()
	s.retrace()
	for slot := uint32(1); slot < s.alerts.Len(); slot++ {
		if a := s.alerts.At(slot); a.firstAt != 0 && a.phase == event.Firing {
			s.reviewFilter(slot)
		}
		if a := s.alerts.At(slot); a.firstAt != 0 && a.incident == 0 {
			s.reviewAlert(slot)
			s.reconsider(slot)
		}
	}
}

// ownSource speaks for what Tocsin finds by itself and says again for as long as it holds: when it stops, it is over.
const ownSource = "tocsin"

// stepOverCap reports a source that was held at its bound, as an alert of Tocsin's own so that it opens an incident like any
// other trouble.
func (s *State) stepOverCap(in *event.Input) {
	s.emit(event.Change{Kind: event.SourceOverCap, Source: in.Source, Count: in.Refused, Limit: in.Limit})
	b := event.Batch{Source: event.Source{Name: ownSource, Tenant: in.Source.Tenant, Kind: event.Resender}}
	b.Add(event.Event{
		Labels: event.Labels{
			{Name: "alertname", Value: rules.OverCapName}, {Name: "severity", Value: "major"}, {Name: "source", Value: in.Source.Name},
		},
		Annotations: event.Labels{{Name: "summary", Value: fmt.Sprintf(
			"source %s reached its limit of %d active alerts; new ones are refused", in.Source.Name, in.Limit)}},
	})
	s.stepBatch(&b)
}

// stepBatch takes what one source sent together.
func (s *State) stepBatch(b *event.Batch) {
	if b.Position.Topic != "" {
		if slot := s.findPosition(&b.Position); slot != 0 && b.Position.Offset <= s.positions.At(slot).offset {
			return // read twice: a consumer that was cut off before it moved its offset
		}
		s.emit(event.Change{Kind: event.PositionMoved, Position: b.Position})
	}
	source := s.findSource(b.Source)
	if source == 0 {
		s.emit(event.Change{Kind: event.SourceAdded, Source: b.Source})
		source = s.findSource(b.Source)
	}
	s.sourceHeard(&b.Source)
	for i := range b.Events {
		s.work.reading.hear(b.Events[i].Labels)
		s.stepEvent(b, source, &b.Events[i])
	}
}

// stepEvent takes what one source says about one label set.
func (s *State) stepEvent(b *event.Batch, source uint32, ev *event.Event) {
	set := s.settings()
	h := fill(ev, b.Source.Kind, s.meta.At, set.ResolveTimeout, set.StaleConfirm)
	s.expireLater(b, &h)
	if alert, claim := s.findRepeat(b.Source.Tenant, source, ev, h); claim != 0 {
		s.stepClaim(b, alert, claim, ev, h)
		return
	}
	alert := s.findLive(b.Source.Tenant, ev, h)
	if alert == 0 {
		s.newAlert(b, source, ev, h)
		return
	}
	claim, n := s.findClaim(alert, source, ev)
	if claim != 0 {
		s.stepClaim(b, alert, claim, ev, h)
		return
	}
	slot := uint32(0)
	if n < set.MaxClaimsPerAlert {
		slot = s.claims.Alloc()
	} else if slot = s.stalest(alert); slot == 0 {
		s.emit(event.Change{Kind: event.SourceOverCap, Source: b.Source, Count: 1, Limit: uint64(set.MaxClaimsPerAlert)})
		return
	}
	s.newClaim(b, alert, s.fullClaim(slot, source, ev, first(h)), h)
}

// stalest returns the claim of an alert that ended and was not heard of for longest, 0 when all of them fire.
func (s *State) stalest(alert uint32) (found uint32) {
	for c := s.alerts.At(alert).claims; c != 0; c = s.claims.At(c).next {
		rec := s.claims.At(c)
		if rec.phase != event.Firing && (found == 0 || rec.seenAt <= s.claims.At(found).seenAt) {
			found = c
		}
	}
	return found
}

// outdated tells whether a firing is not the known alert's next occurrence but the first of a new one: it ended too long
// ago, and so did its incident.
func (s *State) outdated(alert uint32, h heard) bool {
	a := s.alerts.At(alert)
	within := s.settings().ReopenWithin
	if h.cleared || a.phase == event.Firing || h.at-a.endedAt <= within {
		return false
	}
	if a.incident == 0 {
		return true
	}
	inc := s.incidents.Brief(a.incident)
	return inc.Phase != event.IncidentOpen && (inc.Phase != event.IncidentDone || h.at-inc.ResolvedAt > within)
}

// expireLater gives an alert that was valid when it was sent, but is read late, time until its source has caught up: whether
// it still holds, only the next message can tell.
func (s *State) expireLater(b *event.Batch, h *heard) {
	if h.cleared || h.endsAt > h.at {
		return
	}
	if s.late(b) {
		h.endsAt, h.timeout = h.at+s.settings().ResolveTimeout, true
	}
}

// late tells whether a batch lay in a queue for longer than a working one would keep it.
func (s *State) late(b *event.Batch) bool {
	return b.Sent != 0 && s.meta.At-b.Sent > s.settings().LagThreshold
}
