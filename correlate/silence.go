package correlate

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
)

// maxSilences bounds the table; asking for one more is refused by name.
const maxSilences = 20_000

// silences is the table of silences, in the order they were made. A view shares it: entries are replaced, never written.
type silences struct {
	list   []*silence
	shared bool               // a view holds list
	timers *flat.Slab[uint32] // by silence.slot
}

type silence struct {
	event.Silence
	slot     uint32 // where its timer's id lies
	active   bool
	warned   bool // of its end
	matchers labels.Matchers
}

func newSilence(sil event.Silence) (*silence, error) {
	out := &silence{Silence: sil}
	for _, m := range sil.Matchers {
		match, err := labels.NewMatcher(matchType(m), m.Name, m.Value)
		if err != nil {
			return nil, err
		}
		out.matchers = append(out.matchers, match)
	}
	return out, nil
}

func matchType(m event.Matcher) labels.MatchType {
	switch {
	case m.IsRegex && m.IsEqual:
		return labels.MatchRegexp
	case m.IsRegex:
		return labels.MatchNotRegexp
	case m.IsEqual:
		return labels.MatchEqual
	}
	return labels.MatchNotEqual
}

func (sil *silence) matches(tenant string, ls event.Labels) bool {
	if sil.Tenant != tenant {
		return false
	}
	for _, m := range sil.matchers {
		if !m.Matches(ls.Get(m.Name)) {
			return false
		}
	}
	return true
}

// count returns how many active silences match.
func (t *silences) count(tenant string, ls event.Labels) (n uint16) {
	for _, sil := range t.list {
		if sil.active && sil.matches(tenant, ls) && n < 1<<16-1 {
			n++
		}
	}
	return n
}

func (t *silences) find(id, tenant string) int {
	return slices.IndexFunc(t.list, func(s *silence) bool { return s.ID == id && s.Tenant == tenant })
}

func (t *silences) bySlot(slot uint32) int {
	return slices.IndexFunc(t.list, func(s *silence) bool { return s.slot == slot })
}

// put replaces entry i, or appends when i is negative.
func (t *silences) put(i int, sil *silence) {
	if t.shared {
		t.list, t.shared = slices.Clone(t.list), false
	}
	if i < 0 {
		t.list = append(t.list, sil)
		return
	}
	t.list[i] = sil
}

func (t *silences) remove(i int) {
	t.list = slices.Concat(t.list[:i], t.list[i+1:])
	t.shared = false
}

// setSilence makes a silence, or changes one in place where Alertmanager would: same matchers, and no rewriting of the past.
// Otherwise the old one ends and a new one takes its place.
func (s *State) setSilence(c *event.Command) event.Result {
	sil := *c.Silence
	sil.Tenant, sil.Actor, sil.UpdatedAt = c.Tenant, c.Actor, s.meta.At
	if _, err := newSilence(sil); err != nil {
		return refuse(event.Invalid, err.Error(), "")
	}
	if sil.ID != "" {
		i := s.silences.find(sil.ID, c.Tenant)
		if i < 0 {
			return refuse(event.NotFound, "silence "+sil.ID+" not found", "")
		}
		old := &s.silences.list[i].Silence
		if s.inPlace(old, &sil) {
			s.replaceSilence(i, sil)
			return event.Result{SilenceID: sil.ID}
		}
		if old.State(s.meta.At) != event.SilenceExpired {
			s.endSilence(i, c.Actor)
		}
	}
	if len(s.silences.list) >= maxSilences {
		return refuse(event.Conflict, fmt.Sprintf("there are %d silences, the most there can be", maxSilences), "end some; expired ones leave by themselves")
	}
	sil.ID = s.newUUID()
	sil.StartsAt = max(sil.StartsAt, s.meta.At)
	if sil.EndsAt <= sil.StartsAt {
		return refuse(event.Invalid, "the silence ends before it starts", "")
	}
	s.emit(event.Change{Kind: event.SilenceSet, Silence: &sil, Actor: c.Actor})
	s.reviewSilence(sil.ID)
	return event.Result{SilenceID: sil.ID}
}

func refuse(code event.RefusalCode, message, hint string) event.Result {
	return event.Result{Err: &event.Refusal{Code: code, Message: message, Hint: hint}}
}

// inPlace is Alertmanager's rule of what may change under a silence's id.
func (s *State) inPlace(old, sil *event.Silence) bool {
	if !slices.Equal(old.Matchers, sil.Matchers) {
		return false
	}
	switch old.State(s.meta.At) {
	case event.SilenceActive:
		return sil.StartsAt/event.Second == old.StartsAt/event.Second && sil.EndsAt >= s.meta.At
	case event.SilencePending:
		return sil.StartsAt >= s.meta.At
	default:
		return false
	}
}

// replaceSilence stores the new version of a silence; an active one keeps its exact start.
func (s *State) replaceSilence(i int, sil event.Silence) {
	if s.silences.list[i].active {
		sil.StartsAt = s.silences.list[i].StartsAt
	}
	s.emit(event.Change{Kind: event.SilenceSet, Silence: &sil, Actor: sil.Actor})
	s.reviewSilence(sil.ID)
}

func (s *State) expireSilence(c *event.Command) event.Result {
	i := s.silences.find(c.SilenceID, c.Tenant)
	if i < 0 {
		return refuse(event.NotFound, "silence "+c.SilenceID+" not found", "")
	}
	if s.silences.list[i].State(s.meta.At) != event.SilenceExpired {
		s.endSilence(i, c.Actor)
	}
	return event.Result{SilenceID: c.SilenceID}
}

// endSilence ends a silence now.
func (s *State) endSilence(i int, actor string) {
	sil := s.silences.list[i].Silence
	if sil.State(s.meta.At) == event.SilencePending {
		sil.StartsAt = s.meta.At
	}
	sil.EndsAt, sil.UpdatedAt = s.meta.At, s.meta.At
	active := s.silences.list[i].active
	s.emit(event.Change{Kind: event.SilenceEnded, Silence: &sil, Actor: actor})
	if active {
		s.requiet(s.silences.list[s.silences.find(sil.ID, sil.Tenant)], -1)
	}
}

// silenceDue starts, ends or forgets a silence.
func (s *State) silenceDue(slot uint32) {
	if i := s.silences.bySlot(slot); i >= 0 && *s.silences.timers.At(slot) == 0 {
		s.reviewSilence(s.silences.list[i].ID)
	}
}

// reviewSilence brings a silence's effect in line with the time.
func (s *State) reviewSilence(id string) {
	i := slices.IndexFunc(s.silences.list, func(sil *silence) bool { return sil.ID == id })
	sil := s.silences.list[i]
	copied := sil.Silence
	switch state := sil.State(s.meta.At); {
	case state == event.SilenceActive && !sil.active:
		s.emit(event.Change{Kind: event.SilenceStarted, Silence: &copied})
		s.requiet(s.silences.list[i], 1)
	case state == event.SilenceExpired && sil.active:
		s.emit(event.Change{Kind: event.SilenceEnded, Silence: &copied})
		s.requiet(s.silences.list[i], -1)
	case state == event.SilenceActive && s.warnsAt(sil) <= s.meta.At:
		s.emit(event.Change{Kind: event.SilenceEnding, Silence: &copied, Count: s.silenced(sil)})
	case state == event.SilenceExpired && s.meta.At >= sil.EndsAt+s.settings().SilenceRetention:
		s.emit(event.Change{Kind: event.SilenceDropped, Silence: &copied})
	case *s.silences.timers.At(sil.slot) == 0:
		s.scheduleSilence(sil)
	}
}

func (s *State) applySilence(ch *event.Change) {
	i := s.silences.find(ch.Silence.ID, ch.Silence.Tenant)
	if ch.Kind == event.SilenceDropped {
		slot := s.silences.list[i].slot
		s.timers.Cancel(*s.silences.timers.At(slot))
		s.silences.timers.Free(slot)
		s.silences.remove(i)
		return
	}
	sil, err := newSilence(cloneSilence(ch.Silence))
	if err != nil {
		panic(err)
	}
	if i >= 0 {
		old := s.silences.list[i]
		sil.active, sil.slot, sil.warned = old.active, old.slot, old.warned && old.EndsAt == sil.EndsAt
	} else {
		sil.slot = s.silences.timers.Alloc()
	}
	switch ch.Kind {
	case event.SilenceStarted:
		sil.active = true
	case event.SilenceEnded:
		sil.active = false
	case event.SilenceEnding:
		sil.warned = true
	default: // a new version of it; whether it is active does not change by that
	}
	s.silences.put(i, sil)
	s.scheduleSilence(sil)
}

// cloneSilence copies a silence whose texts alias a record.
func cloneSilence(in *event.Silence) event.Silence {
	out := *in
	out.Matchers = slices.Clone(in.Matchers)
	for i := range out.Matchers {
		m := &out.Matchers[i]
		m.Name, m.Value = clone(m.Name), clone(m.Value)
	}
	out.ID, out.Tenant, out.CreatedBy, out.Actor, out.Comment = clone(in.ID), clone(in.Tenant), clone(in.CreatedBy), clone(in.Actor), clone(in.Comment)
	out.Annotations = in.Annotations.Clone()
	return out
}

func clone(s string) string { return string([]byte(s)) }

// scheduleSilence sets the timer for a silence's start, end or retirement.
func (s *State) scheduleSilence(sil *silence) {
	deadline := sil.EndsAt + s.settings().SilenceRetention
	switch {
	case sil.active:
		deadline = min(sil.EndsAt, s.warnsAt(sil))
	case sil.State(s.meta.At) == event.SilencePending:
		deadline = sil.StartsAt
	}
	s.schedule(s.silences.timers.Mut(sil.slot), timerSilence, sil.slot, deadline)
}

// warnsAt is when a silence says that it will end and what still fires under it; one that is short, or has said so, does not.
func (s *State) warnsAt(sil *silence) event.Time {
	ahead := s.settings().MuteWarning
	if sil.warned || ahead == 0 || sil.EndsAt-sil.StartsAt <= ahead {
		return event.Never
	}
	return sil.EndsAt - ahead
}

// silenced counts the alerts that fire under a silence.
func (s *State) silenced(sil *silence) (n uint64) {
	last := uint32(0)
	for slot := uint32(1); slot < s.claims.Len(); slot++ {
		c := s.claims.At(slot)
		if c.alert != 0 && c.alert != last && c.phase == event.Firing && sil.matches(s.tenantOf(c.source), s.claimLabels(slot)) {
			last = c.alert
			n++
		}
	}
	return n
}

// requiet adds or takes one silence from every claim that it matches. It looks at each alert in memory once.
func (s *State) requiet(sil *silence, by int) {
	for slot := uint32(1); slot < s.claims.Len(); slot++ {
		c := s.claims.At(slot)
		if c.alert == 0 || c.phase != event.Firing || !sil.matches(s.tenantOf(c.source), s.claimLabels(slot)) {
			continue
		}
		state := c.state(slot)
		state.Silences = uint16(int(state.Silences) + by)
		s.requieted(c.alert, state)
	}
}

// requieted emits what a claim's new silences or inhibition mean for its alert.
func (s *State) requieted(alert uint32, claim event.ClaimState) {
	a := s.alertState(alert)
	others := s.liveClaims(alert, claim.ID)
	kind := event.AlertReleased
	if suppressed(&claim) {
		kind = event.AlertSuppressed
	}
	a.Suppressed = suppressed(&claim) && others.suppressed == others.firing
	s.emit(event.Change{Kind: kind, Alert: a, Claim: claim})
	s.reconsider(alert)
}

// newUUID returns an id that follows from the journal alone: the record's place and the changes it has caused so far.
func (s *State) newUUID() string {
	b := binary.BigEndian.AppendUint64(nil, s.in.Writer.ID)
	b = binary.BigEndian.AppendUint32(b, s.in.Shard)
	b = binary.BigEndian.AppendUint64(b, s.in.Seq)
	b = binary.BigEndian.AppendUint32(b, uint32(len(s.out)))
	h := sha256.Sum256(b)
	h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80 // RFC 9562: version 8, made by the application's own rule
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16])
}
