package correlate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
	"github.com/tocsin-noc/tocsin/rules"
)

// beatSource speaks for heartbeats that are lost.
const beatSource = "tocsin-heartbeats"

// ownRule is the built-in rule by which alerts of Tocsin's own are grouped.
const ownRule = "own"

const (
	// maxUnwatched bounds the names that a lost heartbeat lists; their number is told whole.
	maxUnwatched = 50
	// keptLost is how long a lost heartbeat of an alert is waited for before it is forgotten.
	keptLost = 30 * event.Day
	// lately is how long a source counts as watching what it said is over.
	lately = event.Hour
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
	rule := s.rules.Heartbeat(s.seenLabels(s.alerts.At(slot).claims))
	ls := s.claimLabels(s.alerts.At(slot).claims)
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
		b.Number, b.Since = s.desk.Beats[i].Number, s.desk.Beats[i].Since
		if s.desk.Beats[i].LostAt != 0 {
			s.backAgain(b.Number) // under the name by which its loss was told
		}
	case len(s.desk.Beats) >= maxHeartbeats:
		s.emit(event.Change{Kind: event.SourceOverCap, Source: event.Source{Name: beatSource, Tenant: b.Tenant, Kind: event.SendOnce}, Count: 1, Limit: maxHeartbeats})
		return
	default:
		b.Number = s.desk.BeatNumber + 1
	}
	b.Name = s.beatName(&b)
	s.emit(event.Change{Kind: event.HeartbeatSet, Beat: &b})
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

// beatName is how people know a heartbeat: its source, and what tells it from others of that source. Where that is another's
// name already it says more: the alert that tells of a loss has nothing but the name to be known by.
func (s *State) beatName(b *event.Heartbeat) string {
	words := []string{b.Source}
	for _, l := range b.Labels {
		if l.Name != "alertname" && l.Value != b.Source {
			words = append(words, l.Value)
		}
	}
	name := clip(strings.Join(words, " "))
	if s.beatNamed(b, name) {
		name = fmt.Sprintf("%s (%s)", name, b.Rule)
	}
	for s.beatNamed(b, name) {
		name = fmt.Sprintf("%s #%d", name, b.Number)
	}
	return name
}

// beatNamed tells whether a heartbeat of the tenant, other than b, has the name.
func (s *State) beatNamed(b *event.Heartbeat, name string) bool {
	return slices.ContainsFunc(s.desk.Beats, func(o *event.Heartbeat) bool {
		return o.Number != b.Number && o.Name == name && o.Tenant == b.Tenant
	})
}

// heard looks whether word of an alert, or of its source, ends the loss of a heartbeat.
func (s *State) heard(alert uint32) {
	a := s.alerts.At(alert)
	if len(s.desk.lost) == 0 || a.phase != event.Firing {
		return
	}
	for _, number := range slices.Clone(s.desk.lost[event.NewAlertID(alert, a.number)]) {
		s.backAgain(number)
	}
}

// sourceHeard is heard for rules that watch a source.
func (s *State) sourceHeard(src *event.Source) {
	if len(s.desk.lost[0]) == 0 {
		return
	}
	for _, b := range s.desk.Beats {
		if b.LostAt != 0 && b.Alert == 0 && b.Source == src.Name && b.Tenant == src.Tenant {
			s.backAgain(b.Number)
		}
	}
}

// beat returns where a heartbeat lies in the list, which is in the order of their numbers; -1 when it is not there.
func (d *desk) beat(number uint32) int {
	i, found := slices.BinarySearchFunc(d.Beats, number, func(b *event.Heartbeat, n uint32) int { return cmp.Compare(b.Number, n) })
	if !found {
		return -1
	}
	return i
}

// backAgain ends the loss of a heartbeat.
func (s *State) backAgain(number uint32) {
	b := *s.desk.Beats[s.desk.beat(number)]
	b.LostAt, b.LastWord = 0, s.meta.At
	s.emit(event.Change{Kind: event.HeartbeatBack, Beat: &b})
	s.tellBlind(&b, true, b.Name+" is heard again")
}

// heartbeatsDue finds those that are overdue.
func (s *State) heartbeatsDue() {
	var known coverage
	for _, b := range slices.Clone(s.desk.Beats) {
		if s.beatDeadline(b) > s.meta.At {
			continue
		}
		gone := *b
		if s.beatRule(b) == nil || b.LostAt != 0 {
			s.dropBeat(&gone)
			continue
		}
		if known == nil {
			known = s.coverage()
		}
		gone.LostAt, gone.LastWord = s.meta.At, s.lastWord(b)
		c := known.of(&gone)
		names := c.alone[:min(len(c.alone), maxUnwatched)]
		s.emit(event.Change{Kind: event.HeartbeatLost, Beat: &gone, Ledger: []event.LedgerEntry{
			{Kind: "last_word", Operands: []string{gone.LastWord.String()}},
			{Kind: "unwatched", Operands: append([]string{fmt.Sprint(len(c.alone))}, names...)},
		}})
		s.tellBlind(&gone, false, blindWords(&gone, c))
	}
}

// dropBeat stops waiting for a heartbeat.
func (s *State) dropBeat(b *event.Heartbeat) {
	s.emit(event.Change{Kind: event.HeartbeatDropped, Beat: b})
	if b.LostAt != 0 {
		s.tellBlind(b, true, b.Name+" is no longer expected")
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

// sourceName is what a source is known by.
type sourceName struct{ tenant, name string }

// coverage is what each source that has been lost spoke of.
type coverage map[sourceName]*covered

// covered are configuration items by name, in order, each once.
type covered struct {
	all   []string // of which the source spoke lately
	alone []string // those of which no other source that is heard speaks
}

func (c coverage) of(b *event.Heartbeat) *covered {
	if known := c[sourceName{b.Tenant, b.Source}]; known != nil {
		return known
	}
	return &covered{}
}

// coverage finds what nobody watches now, for every source of which a heartbeat is overdue. It looks at every claim twice,
// however many heartbeats are lost at once.
func (s *State) coverage() coverage {
	out, heard := coverage{}, map[sourceName]bool{}
	for _, b := range s.desk.Beats {
		at := sourceName{b.Tenant, b.Source}
		overdue := b.LostAt == 0 && s.beatDeadline(b) <= s.meta.At
		if overdue {
			out[at] = &covered{}
		}
		heard[at] = heard[at] || !overdue && b.LostAt == 0
	}
	lost, deaf := make([]*covered, s.sources.Len()), make([]bool, s.sources.Len())
	for slot := uint32(1); slot < s.sources.Len(); slot++ {
		at := sourceName{s.tenantOf(slot), s.text.String(s.sources.At(slot).name)}
		hears, expected := heard[at]
		lost[slot], deaf[slot] = out[at], expected && !hears
	}
	type item struct {
		tenant flat.Sym
		name   string
	}
	tenants, spoken := map[flat.Sym]bool{}, map[item][2]uint32{} // the first two sources that are heard and speak of it
	for slot := uint32(1); slot < s.claims.Len(); slot++ {
		if name := s.spokenOf(slot, lost); name != "" {
			c := s.claims.At(slot)
			lost[c.source].all = append(lost[c.source].all, name)
			tenant := s.sources.At(c.source).tenant
			tenants[tenant], spoken[item{tenant, name}] = true, [2]uint32{}
		}
	}
	for slot := uint32(1); slot < s.claims.Len() && len(spoken) > 0; slot++ {
		c := s.claims.At(slot)
		tenant := s.sources.At(c.source).tenant
		if c.alert == 0 || c.phase != event.Firing || deaf[c.source] || !tenants[tenant] || s.alerts.At(c.alert).reason == event.ReasonHeartbeat {
			continue
		}
		it := item{tenant, s.claimLabels(slot).CI().Name}
		by, ok := spoken[it]
		switch {
		case !ok || by[0] == c.source || by[1] != 0:
			continue
		case by[0] == 0:
			by[0] = c.source
		default:
			by[1] = c.source
		}
		spoken[it] = by
	}
	for slot, c := range lost {
		if c == nil {
			continue
		}
		slices.Sort(c.all)
		c.all = slices.Compact(c.all)
		for _, name := range c.all {
			if by := spoken[item{s.sources.At(uint32(slot)).tenant, name}]; by[1] == 0 && (by[0] == 0 || by[0] == uint32(slot)) {
				c.alone = append(c.alone, name)
			}
		}
	}
	return out
}

// spokenOf returns the configuration item that a claim of a lost source is about, "" when there is none, or it was over long ago.
func (s *State) spokenOf(slot uint32, lost []*covered) string {
	c := s.claims.At(slot)
	switch {
	case c.alert == 0 || lost[c.source] == nil || s.alerts.At(c.alert).reason == event.ReasonHeartbeat:
		return ""
	case c.phase == event.Cleared && c.seenAt+lately < s.meta.At:
		return ""
	}
	return s.claimLabels(slot).CI().Name
}

func blindWords(b *event.Heartbeat, c *covered) string {
	text := fmt.Sprintf("no word from %s since %s", b.Name, b.LastWord.Time().Format("2006-01-02 15:04:05 MST"))
	switch total := len(c.alone); {
	case len(c.all) == 0:
		return text + "; it had reported no configuration item lately"
	case total == 0:
		return text + fmt.Sprintf("; others report on all that it reported (%d)", len(c.all))
	case total > maxUnwatched:
		return text + fmt.Sprintf("; nobody watches now (%d of what it reported): %s, …", total, strings.Join(c.alone[:maxUnwatched], ", "))
	default:
		return text + fmt.Sprintf("; nobody watches now (%d of what it reported): %s", total, strings.Join(c.alone, ", "))
	}
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
	s.stepBatch(&batch)
}

// blindness returns the lost heartbeat that a group of alerts tells of, nil when they tell of none.
func (s *State) blindness(k *groupKey) *event.Heartbeat {
	if k.rule != ownRule || k.labels.Get("alertname") != rules.BlindName {
		return nil
	}
	name := k.labels.Get("heartbeat")
	i := slices.IndexFunc(s.desk.Beats, func(b *event.Heartbeat) bool { return b.LostAt != 0 && b.Tenant == k.tenant && b.Name == name })
	if i < 0 {
		return nil
	}
	return s.desk.Beats[i]
}

// reviewHeartbeats expects the sources and the alerts that the rules in force name, and no others. It looks at every alert once.
func (s *State) reviewHeartbeats() {
	for i := range s.rules.Heartbeats {
		r := &s.rules.Heartbeats[i]
		known := slices.ContainsFunc(s.desk.Beats, func(b *event.Heartbeat) bool { return b.Rule == r.Name && b.Source == r.Source && b.Tenant == r.Tenant })
		if r.Source == "" || known {
			continue
		}
		b := event.Heartbeat{Number: s.desk.BeatNumber + 1, Tenant: r.Tenant, Rule: r.Name, Source: r.Source, Since: s.meta.At}
		b.Name = s.beatName(&b)
		s.emit(event.Change{Kind: event.HeartbeatSet, Beat: &b})
	}
	for slot := uint32(1); slot < s.alerts.Len(); slot++ {
		a := s.alerts.At(slot)
		if a.firstAt == 0 || a.phase != event.Firing {
			continue
		}
		if s.rules.Heartbeat(s.seenLabels(a.claims)) >= 0 || a.reason == event.ReasonHeartbeat {
			s.expect(slot)
			s.reconsider(slot)
		}
	}
	for _, b := range slices.Clone(s.desk.Beats) {
		if !s.expects(b) {
			gone := *b
			s.dropBeat(&gone)
		}
	}
}

// expects tells whether the rules in force still wait for a heartbeat.
func (s *State) expects(b *event.Heartbeat) bool {
	rule := s.beatRule(b)
	switch {
	case rule == nil:
		return false
	case b.Alert == 0 || rule.Source != "":
		return b.Alert == 0 && rule.Source == b.Source && rule.Tenant == b.Tenant
	}
	slot, known := s.alertOf(b)
	if !known {
		return true // what it said is forgotten; when it comes again it finds its rule
	}
	i := s.rules.Heartbeat(s.seenLabels(s.alerts.At(slot).claims))
	return i >= 0 && s.rules.Heartbeats[i].Name == b.Rule
}

func (s *State) applyHeartbeat(ch *event.Change) {
	b := *ch.Beat
	b.Tenant, b.Rule, b.Name, b.Source, b.Labels = clone(b.Tenant), clone(b.Rule), clone(b.Name), clone(b.Source), b.Labels.Clone()
	i := s.desk.beat(b.Number)
	if i >= 0 {
		s.desk.noteLost(s.desk.Beats[i], false)
	}
	if ch.Kind == event.HeartbeatDropped {
		s.desk.Beats = without(s.desk.Beats, i)
		return
	}
	s.desk.BeatNumber = max(s.desk.BeatNumber, b.Number)
	s.desk.Beats = replaced(s.desk.Beats, i, &b)
	s.desk.noteLost(&b, true)
	s.watchBy(s.beatDeadline(&b))
}

// countLost notes which heartbeats are lost.
func (d *desk) countLost() {
	d.lost = nil
	for _, b := range d.Beats {
		d.noteLost(b, true)
	}
}

// noteLost notes a heartbeat under its alert if it is lost, or no longer does.
func (d *desk) noteLost(b *event.Heartbeat, is bool) {
	if b.LostAt == 0 {
		return
	}
	if is {
		if d.lost == nil {
			d.lost = map[event.AlertID][]uint32{}
		}
		d.lost[b.Alert] = append(d.lost[b.Alert], b.Number)
		return
	}
	list := slices.DeleteFunc(d.lost[b.Alert], func(n uint32) bool { return n == b.Number })
	if d.lost[b.Alert] = list; len(list) == 0 {
		delete(d.lost, b.Alert)
	}
}
