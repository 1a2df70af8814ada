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
// Otherwise a new one begins and the old one ends: what both quiet stays quiet.
func (s *State) setSilence(c *event.Command) event.Result {
	sil := *c.Silence
	sil.Tenant, sil.Actor, sil.UpdatedAt = c.Tenant, c.Actor, s.meta.At
	if _, err := newSilence(sil); err != nil {
		return refuse(event.Invalid, err.Error(), "")
	}
	if sil.EndsAt < sil.StartsAt {
		return refuse(event.Invalid, "the silence ends before it starts", "")
	}
	replaces := sil.ID
	if replaces != "" {
		i := s.silences.find(replaces, c.Tenant)
		if i < 0 {
			return refuse(event.NotFound, "silence "+replaces+" not found", "")
		}
		if s.inPlace(&s.silences.list[i].Silence, &sil) {
			s.replaceSilence(i, sil)
			return event.Result{SilenceID: sil.ID}
		}
	}
	sil.StartsAt = max(sil.StartsAt, s.meta.At)
	if sil.EndsAt <= sil.StartsAt {
		return refuse(event.Invalid, "the silence ends before it starts", "")
	}
	if len(s.silences.list) >= maxSilences {
		return refuse(event.Conflict, fmt.Sprintf("there are %d silences, the most there can be", maxSilences), "end some; expired ones leave by themselves")
	}
	sil.ID = s.newUUID()
	s.emit(event.Change{Kind: event.SilenceSet, Silence: &sil, Actor: c.Actor})
	s.reviewSilences(s.silences.find(sil.ID, sil.Tenant))
	if i := s.silences.find(replaces, c.Tenant); replaces != "" && s.silences.list[i].State(s.meta.At) != event.SilenceExpired {
		s.endSilence(i, c.Actor)
	}
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
	s.reviewSilences(i)
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
	var firing []uint32
	if s.silences.list[i].active {
		firing = s.firingUnder(s.silences.list[i])[0]
	}
	s.emit(event.Change{Kind: event.SilenceEnded, Silence: &sil, Actor: actor})
	s.requiet(firing, -1)
}

// silencesDue starts, ends and forgets the silences whose timers have gone off in this tick, one of which is that of slot. The
// first one of them does it for all.
func (s *State) silencesDue(slot uint32) {
	if *s.silences.timers.At(slot) != 0 || s.silences.bySlot(slot) < 0 {
		return
	}
	var due []int
	for i, sil := range s.silences.list {
		if *s.silences.timers.At(sil.slot) == 0 {
			due = append(due, i)
		}
	}
	s.reviewSilences(due...)
}

// reviewSilences brings the effect of some silences, by their place in the list, in line with the time.
func (s *State) reviewSilences(places ...int) {
	var list []*silence
	var turning []mute
	for _, i := range places {
		sil := s.silences.list[i]
		list = append(list, sil)
		if s.silenceTurns(sil) != 0 {
			turning = append(turning, sil)
		}
	}
	firing := s.firingUnder(turning...)
	for _, sil := range list {
		copied := sil.Silence
		switch kind := s.silenceTurns(sil); {
		case kind != 0:
			ch := event.Change{Kind: kind, Silence: &copied}
			if kind == event.SilenceEnding {
				ch.Count = s.alertsOf(firing[0])
			}
			s.emit(ch)
			switch kind {
			case event.SilenceStarted:
				s.requiet(firing[0], 1)
			case event.SilenceEnded:
				s.requiet(firing[0], -1)
			default: // its end is only announced
			}
			firing = firing[1:]
		case sil.State(s.meta.At) == event.SilenceExpired && s.meta.At >= sil.EndsAt+s.settings().SilenceRetention:
			s.emit(event.Change{Kind: event.SilenceDropped, Silence: &copied})
		case *s.silences.timers.At(sil.slot) == 0:
			s.scheduleSilence(sil)
		}
	}
}

// silenceTurns returns the change that is due for a silence and that concerns what it matches, 0 when none is.
func (s *State) silenceTurns(sil *silence) event.ChangeKind {
	switch state := sil.State(s.meta.At); {
	case state == event.SilenceActive && !sil.active:
		return event.SilenceStarted
	case state == event.SilenceExpired && sil.active:
		return event.SilenceEnded
	case state == event.SilenceActive && s.warnsAt(sil) <= s.meta.At:
		return event.SilenceEnding
	}
	return 0
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

// requiet adds or takes one silence from claims that fire.
func (s *State) requiet(claims []uint32, by int) {
	for _, slot := range claims {
		c := s.claims.At(slot)
		if c.alert == 0 || c.phase != event.Firing {
			continue
		}
		state := c.state(slot)
		state.Silences = uint16(int(state.Silences) + by)
		s.requieted(c.alert, state)
	}
}

// requieted emits what a claim's new silences, inhibition or window mean for its alert, and what that means for its incident: who
// acknowledged it has not seen what began in the quiet and outlasts it.
func (s *State) requieted(alert uint32, claim event.ClaimState) {
	a := s.alertState(alert)
	wasQuiet := a.Suppressed
	a.FiringAt = s.begunBy(&a, &claim)
	others := s.liveClaims(alert, claim.ID)
	kind := event.AlertReleased
	if suppressed(&claim) {
		kind = event.AlertSuppressed
	}
	a.Suppressed = suppressed(&claim) && others.suppressed == others.firing
	s.emit(event.Change{Kind: kind, Alert: a, Claim: claim})
	s.reconsider(alert)
	if a = s.alertState(alert); a.Incident == 0 {
		return
	}
	if wasQuiet && !a.Suppressed {
		s.reviewHurt(alert, true)
	}
	if wasQuiet && !a.Suppressed && s.opens(&a) && a.FiringAt > s.incidents.Brief(a.Incident).AckedAt {
		s.worse(a.Incident, a.Name+" began while it was quiet, and fires on", false)
	}
	s.settle(a.Incident)
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
