package correlate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/labelset"
	"github.com/tocsin-noc/tocsin/rules"
)

// beatSource speaks for heartbeats that are lost.
const beatSource = "tocsin-heartbeats"

const (
	// maxUnwatched bounds the names that a lost heartbeat lists; their number is told whole.
	maxUnwatched = 50
	// keptLost is how long a lost heartbeat of an alert is waited for before it is forgotten.
	keptLost = 30 * event.Day
)

// rule returns the rule that expects a heartbeat, nil when the rules no longer have it.
func (s *State) beatRule(b *event.Heartbeat) *rules.Heartbeat {
	i := slices.IndexFunc(s.rules.Heartbeats, func(r rules.Heartbeat) bool { return r.Name == b.Rule })
	if i < 0 {
		return nil
	}
	return &s.rules.Heartbeats[i]
}

// expect begins to wait for the next word of an alert that is a sign of life, or goes on with it after it was lost.
func (s *State) expect(slot uint32) {
	ls := s.claimLabels(s.alerts.At(slot).claims)
	rule := s.rules.Heartbeat(ls)
	if rule < 0 {
		return
	}
	claim := s.claims.At(s.alerts.At(slot).claims)
	b := event.Heartbeat{
		Tenant: s.tenantOf(claim.source), Rule: s.rules.Heartbeats[rule].Name, Labels: steady(ls),
		Source: s.text.String(s.sources.At(claim.source).name), Alert: event.NewAlertID(slot, s.alerts.At(slot).number),
		Since: s.meta.At, LastWord: s.meta.At,
	}
	i := slices.IndexFunc(s.desk.Beats, func(o *event.Heartbeat) bool {
		return o.Tenant == b.Tenant && o.Rule == b.Rule && o.Labels.Equal(b.Labels)
	})
	switch {
	case i >= 0 && s.desk.Beats[i].Alert == b.Alert:
		return
	case i >= 0:
		b.Number, b.Since, b.LostAt = s.desk.Beats[i].Number, s.desk.Beats[i].Since, s.desk.Beats[i].LostAt
	case len(s.desk.Beats) >= maxHeartbeats:
		s.emit(event.Change{Kind: event.SourceOverCap, Source: event.Source{Name: beatSource, Tenant: b.Tenant, Kind: event.SendOnce}, Count: 1, Limit: maxHeartbeats})
		return
	default:
		b.Number = s.desk.BeatNumber + 1
	}
	b.Name = beatName(&b)
	s.emit(event.Change{Kind: event.HeartbeatSet, Beat: &b})
	if b.LostAt != 0 {
		s.backAgain(b.Number)
	}
}

// steady is a label set without the labels in which reports of one alert differ.
func steady(ls event.Labels) event.Labels {
	var out event.Labels
	for _, l := range ls {
		if !event.VolatileLabel(l.Name) {
			out = append(out, l)
		}
	}
	return out.Clone()
}

// beatName is how people know a heartbeat: its source, and what tells it from others of that source.
func beatName(b *event.Heartbeat) string {
	words := []string{b.Source}
	for _, l := range b.Labels {
		if l.Name != "alertname" && l.Value != b.Source {
			words = append(words, l.Value)
		}
	}
	return clip(strings.Join(words, " "))
}

// heard looks whether word of an alert, or of its source, ends the loss of a heartbeat.
func (s *State) heard(alert uint32) {
	if s.desk.lost == 0 {
		return
	}
	id := event.NewAlertID(alert, s.alerts.At(alert).number)
	for _, b := range s.desk.Beats {
		if b.LostAt != 0 && b.Alert == id && s.alerts.At(alert).phase == event.Firing {
			s.backAgain(b.Number)
			return
		}
	}
}

// sourceHeard is heard for rules that watch a source.
func (s *State) sourceHeard(src *event.Source) {
	if s.desk.lost == 0 {
		return
	}
	for _, b := range s.desk.Beats {
		if b.LostAt != 0 && b.Alert == 0 && b.Source == src.Name && b.Tenant == src.Tenant {
			s.backAgain(b.Number)
			return
		}
	}
}

func (d *desk) beat(number uint32) int {
	return slices.IndexFunc(d.Beats, func(b *event.Heartbeat) bool { return b.Number == number })
}

// backAgain ends the loss of a heartbeat.
func (s *State) backAgain(number uint32) {
	b := *s.desk.Beats[s.desk.beat(number)]
	b.LostAt, b.LastWord = 0, s.meta.At
	s.emit(event.Change{Kind: event.HeartbeatBack, Beat: &b})
	s.tellBlind(&b, true, "")
}

// heartbeatsDue finds those that are overdue.
func (s *State) heartbeatsDue() {
	for _, b := range slices.Clone(s.desk.Beats) {
		if s.beatDeadline(b) > s.meta.At {
			continue
		}
		gone := *b
		if s.beatRule(b) == nil || b.LostAt != 0 {
			s.dropBeat(&gone)
			continue
		}
		gone.LostAt, gone.LastWord = s.meta.At, s.lastWord(b)
		names, total := s.unwatched(&gone)
		s.emit(event.Change{Kind: event.HeartbeatLost, Beat: &gone, Ledger: []event.LedgerEntry{
			{Kind: "last_word", Operands: []string{gone.LastWord.String()}},
			{Kind: "unwatched", Operands: append([]string{fmt.Sprint(total)}, names...)},
		}})
		s.tellBlind(&gone, false, blindWords(&gone, names, total))
	}
}

// dropBeat stops waiting for a heartbeat.
func (s *State) dropBeat(b *event.Heartbeat) {
	s.emit(event.Change{Kind: event.HeartbeatDropped, Beat: b})
	if b.LostAt != 0 {
		s.tellBlind(b, true, "")
	}
}

// beatDeadline is when a heartbeat counts as lost, or a lost one is forgotten.
func (s *State) beatDeadline(b *event.Heartbeat) event.Time {
	rule := s.beatRule(b)
	switch {
	case rule == nil:
		return s.meta.At
	case b.LostAt != 0 && b.Alert == 0:
		return event.Never
	case b.LostAt != 0:
		return b.LostAt + keptLost
	case rule.Interval == 0:
		return s.autoDeadline(b) + rule.Grace
	}
	last := s.lastWord(b)
	deadline := last + rule.Interval + rule.Grace
	if last <= s.meta.Resumed {
		deadline = max(deadline, s.meta.Grace+rule.Grace)
	}
	return deadline
}

// autoDeadline is until when the senders of a heartbeat's alert said that it holds.
func (s *State) autoDeadline(b *event.Heartbeat) event.Time {
	slot, known := s.alertOf(b)
	if !known {
		return max(b.LastWord, s.meta.Grace)
	}
	a := s.alerts.At(slot)
	if a.phase != event.Firing {
		return max(a.endedAt, b.Since)
	}
	deadline := event.Time(0)
	for c := a.claims; c != 0; c = s.claims.At(c).next {
		claim := s.claims.At(c)
		if claim.phase != event.Firing {
			continue
		}
		if s.sources.At(claim.source).kind == event.SendOnce {
			deadline = max(deadline, claim.seenAt+s.settings().UnconfirmedAfter)
			continue
		}
		deadline = max(deadline, s.claimDeadline(claim))
	}
	return deadline
}

// lastWord is when a heartbeat was heard last.
func (s *State) lastWord(b *event.Heartbeat) event.Time {
	last := max(b.Since, b.LastWord)
	if slot, known := s.alertOf(b); known {
		for c := s.alerts.At(slot).claims; c != 0; c = s.claims.At(c).next {
			last = max(last, s.claims.At(c).seenAt)
		}
	} else if b.Alert == 0 {
		if src := s.findSource(event.Source{Name: b.Source, Tenant: b.Tenant}); src != 0 {
			last = max(last, s.sources.At(src).lastWord)
		}
	}
	return last
}

// alertOf returns the slot of a heartbeat's alert, false when it is not in memory.
func (s *State) alertOf(b *event.Heartbeat) (uint32, bool) {
	slot := b.Alert.Slot()
	if slot == 0 || slot >= s.alerts.Len() {
		return 0, false
	}
	a := s.alerts.At(slot)
	return slot, a.firstAt != 0 && event.NewAlertID(slot, a.number) == b.Alert
}

// unwatched returns the configuration items of which only the lost sender spoke, in order, and how many there are. It looks at
// every claim once.
func (s *State) unwatched(b *event.Heartbeat) (names []string, total int) {
	src := s.findSource(event.Source{Name: b.Source, Tenant: b.Tenant})
	for slot := uint32(1); slot < s.claims.Len() && src != 0; slot++ {
		c := s.claims.At(slot)
		if c.alert == 0 || c.source != src || s.alerts.At(c.alert).reason == event.ReasonHeartbeat {
			continue
		}
		s.work.labels = labelset.Append(s.text, s.work.labels[:0], c.labels)
		if name := s.work.labels.CI().Name; name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	total = len(names)
	names = slices.Clone(names[:min(total, maxUnwatched)])
	for i := range names {
		names[i] = clone(names[i])
	}
	return names, total
}

func blindWords(b *event.Heartbeat, names []string, total int) string {
	text := fmt.Sprintf("no word from %s since %s", b.Name, b.LastWord.Time().Format("2006-01-02 15:04:05 MST"))
	if total == 0 {
		return text + "; it had reported no configuration item so far"
	}
	text += fmt.Sprintf("; nobody watches now (%d of what it reported): %s", total, strings.Join(names, ", "))
	if total > len(names) {
		text += ", …"
	}
	return text
}

// tellBlind raises, or takes back, the alert that a heartbeat is lost, so that it opens an incident like any other trouble.
func (s *State) tellBlind(b *event.Heartbeat, over bool, text string) {
	batch := event.Batch{Source: event.Source{Name: beatSource, Tenant: b.Tenant, Kind: event.SendOnce}}
	batch.Add(event.Event{
		Labels: event.Labels{
			{Name: "alertname", Value: rules.BlindName}, {Name: "heartbeat", Value: b.Name}, {Name: "severity", Value: "critical"},
			{Name: "source", Value: b.Source},
		},
		Annotations: event.Labels{{Name: "summary", Value: text}},
		Cleared:     over,
	})
	s.work.blind = b.Number
	s.stepBatch(&batch)
	s.work.blind = 0
}

// reviewHeartbeats expects the sources and the alerts that the rules in force name, and no others. It looks at every alert once.
func (s *State) reviewHeartbeats() {
	for i := range s.rules.Heartbeats {
		r := &s.rules.Heartbeats[i]
		known := slices.ContainsFunc(s.desk.Beats, func(b *event.Heartbeat) bool { return b.Rule == r.Name && b.Source == r.Source && b.Tenant == r.Tenant })
		if r.Source == "" || known {
			continue
		}
		s.emit(event.Change{Kind: event.HeartbeatSet, Beat: &event.Heartbeat{
			Number: s.desk.BeatNumber + 1, Tenant: r.Tenant, Rule: r.Name, Name: r.Source, Source: r.Source, Since: s.meta.At,
		}})
	}
	for slot := uint32(1); slot < s.alerts.Len(); slot++ {
		a := s.alerts.At(slot)
		if a.firstAt == 0 || a.phase != event.Firing {
			continue
		}
		if s.rules.Heartbeat(s.claimLabels(a.claims)) >= 0 || a.reason == event.ReasonHeartbeat {
			s.expect(slot)
			s.reconsider(slot)
		}
	}
	for _, b := range slices.Clone(s.desk.Beats) {
		if r := s.beatRule(b); r == nil || b.Alert == 0 && r.Source != b.Source {
			gone := *b
			s.dropBeat(&gone)
		}
	}
}

func (s *State) applyHeartbeat(ch *event.Change) {
	b := *ch.Beat
	b.Tenant, b.Rule, b.Name, b.Source, b.Labels = clone(b.Tenant), clone(b.Rule), clone(b.Name), clone(b.Source), b.Labels.Clone()
	i := s.desk.beat(b.Number)
	if ch.Kind == event.HeartbeatDropped {
		s.desk.Beats = without(s.desk.Beats, i)
	} else {
		s.desk.BeatNumber = max(s.desk.BeatNumber, b.Number)
		s.desk.Beats = replaced(s.desk.Beats, i, &b)
	}
	s.desk.countLost()
	s.scheduleWatch()
}

func (d *desk) countLost() {
	d.lost = 0
	for _, b := range d.Beats {
		if b.LostAt != 0 {
			d.lost++
		}
	}
}
