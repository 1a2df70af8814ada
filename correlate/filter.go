package correlate

import (
	"math/bits"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
	"github.com/tocsin-noc/tocsin/internal/labelset"
	"github.com/tocsin-noc/tocsin/rules"
)

// filters tells whether a rule keeps an alert that began at begin quiet.
func (s *State) filters(in *rules.Input, begin event.Time) bool {
	rule := s.rules.Suppress(in)
	if rule < 0 {
		return false
	}
	span := s.rules.SuppressRules[rule].For
	return span == 0 || s.meta.At < begin+span
}

// filterEnd is when a rule no longer keeps an alert quiet, Never when that has no end.
func (s *State) filterEnd(a *alertRec) event.Time {
	end := event.Never
	for c := a.claims; c != 0; c = s.claims.At(c).next {
		if rec := s.claims.At(c); rec.phase != event.Firing || rec.flags&flagFiltered == 0 {
			continue
		}
		if rule := s.rules.Suppress(s.onItem(s.lookAt(c), a.ci)); rule >= 0 && s.rules.SuppressRules[rule].For > 0 {
			end = min(end, min(a.startsAt, a.firingAt)+s.rules.SuppressRules[rule].For)
		}
	}
	return end
}

// reviewFilter looks again whether rules keep the claims of an alert quiet. What they let go of is treated as if it began.
func (s *State) reviewFilter(slot uint32) {
	var list []uint32
	for c := s.alerts.At(slot).claims; c != 0; c = s.claims.At(c).next {
		if s.claims.At(c).phase == event.Firing {
			list = append(list, c)
		}
	}
	for _, c := range list {
		a, rec := s.alerts.At(slot), s.claims.At(c)
		now := s.filters(s.onItem(s.lookAt(c), a.ci), min(a.startsAt, a.firingAt))
		if now == (rec.flags&flagFiltered != 0) || now && a.incident != 0 { // what has opened or joined goes on
			continue
		}
		state := rec.state(c)
		state.Filtered = now
		s.requieted(slot, state)
	}
}

// filterDue lets go of an alert that a rule has kept quiet for as long as it wants to.
func (s *State) filterDue(slot uint32) {
	if a := s.alerts.At(slot); a.quiet&event.QuietFilter != 0 && s.filterEnd(a) <= s.meta.At {
		s.reviewFilter(slot)
	}
}

// begunBy is when an alert that is let go of counts as begun: now, when it was a rule that kept it quiet.
func (s *State) begunBy(a *event.AlertState, c *event.ClaimState) event.Time {
	if !c.Filtered && s.claims.At(c.ID).flags&flagFiltered != 0 {
		return s.meta.At
	}
	return a.FiringAt
}

// account completes a change with what follows from the rest of it: what keeps the alert quiet, and the version of the rules that are cited.
func (s *State) account(ch *event.Change) {
	switch ch.Kind {
	case event.AlertSeen, event.AlertUnconfirmed:
	default:
		if ch.Alert.ID != 0 {
			ch.Alert.Quiet = s.quietsOf(&ch.Alert, &ch.Claim)
		}
	}
	for i := range ch.Ledger {
		if e := &ch.Ledger[i]; e.RuleSource != "" && e.Rules == "" {
			e.Rules = s.rules.Version
		}
	}
}

// quietsOf returns all that keeps an alert that fires quiet. Where not every claim of it is quiet, only its own restlessness can.
func (s *State) quietsOf(a *event.AlertState, changed *event.ClaimState) (q event.Quiet) {
	if a.Phase != event.Firing {
		return 0
	}
	if a.Flap.Damped {
		q = event.QuietFlap
	}
	if !a.Suppressed {
		return q
	}
	if changed.ID != 0 && changed.Phase == event.Firing {
		q |= quietsOfClaim(changed)
	}
	for c := s.alerts.At(a.ID.Slot()).claims; c != 0; c = s.claims.At(c).next {
		if rec := s.claims.At(c); c != changed.ID && rec.phase == event.Firing {
			state := rec.state(c)
			q |= quietsOfClaim(&state)
		}
	}
	return q
}

func quietsOfClaim(c *event.ClaimState) (q event.Quiet) {
	if c.Filtered {
		q |= event.QuietFilter
	}
	if c.Maintenance {
		q |= event.QuietMaintenance
	}
	if c.Silences > 0 {
		q |= event.QuietSilence
	}
	if c.Inhibited {
		q |= event.QuietInhibition
	}
	if c.Symptom {
		q |= event.QuietDependency
	}
	return q
}

// quietRec is a tenant's suppression ledger: for each reason how often an alert became quiet by it first, how many are now, and for how
// long all of them have been.
type quietRec struct {
	tenant  flat.Sym
	repeats uint64
	books   [event.QuietReasons]quietBook
}

type quietBook struct {
	began uint64
	now   uint64
	spent event.Time // as of at
	at    event.Time
}

func (b *quietBook) move(by int64, at event.Time) {
	b.spent, b.at = b.until(at), at
	b.now += uint64(by)
	if by > 0 {
		b.began++
	}
}

func (b *quietBook) until(at event.Time) event.Time { return b.spent + event.Time(b.now)*(at-b.at) }

// quietBooks returns the slot of a tenant's ledger, which is made when it is needed.
func (s *State) quietBooks(tenant flat.Sym) uint32 {
	for slot := uint32(1); slot < s.quiets.Len(); slot++ {
		if s.quiets.At(slot).tenant == tenant {
			return slot
		}
	}
	slot := s.quiets.Alloc()
	s.quiets.Mut(slot).tenant = s.text.Intern(s.text.String(tenant))
	return slot
}

// recountQuiet moves the ledger by one alert's state.
func (s *State) recountQuiet(before, after *alertRec) {
	was, is := before.quiet.First(), after.quiet.First()
	if was == is {
		return
	}
	claims := after.claims
	if claims == 0 {
		claims = before.claims
	}
	r := s.quiets.Mut(s.quietBooks(s.sources.At(s.claims.At(claims).source).tenant))
	if was != 0 {
		r.books[bits.TrailingZeros8(uint8(was))].move(-1, s.meta.At)
	}
	if is != 0 {
		r.books[bits.TrailingZeros8(uint8(is))].move(1, s.meta.At)
	}
}

// countRepeat counts a message that said nothing new.
func (s *State) countRepeat(source uint32) {
	s.quiets.Mut(s.quietBooks(s.sources.At(source).tenant)).repeats++
}

// Suppression is one reason in the suppression ledger.
type Suppression struct {
	Reason   event.Quiet // that which counts where several hold
	Alerts   uint64      // how often an alert became quiet by it
	Now      uint64      // how many are
	Duration event.Time  // for how long, all of them together
	Share    uint32      // of the time of all reasons, in millionths
}

// Suppressions returns a tenant's suppression ledger, or that of all, as it is at now: by reason in the order in which reasons count, and
// how many messages said nothing new. The shares add up to a million, unless nothing was ever quiet.
func (v *View) Suppressions(tenant string, now event.Time) (list []Suppression, repeats uint64) {
	list = make([]Suppression, event.QuietReasons)
	now = max(now, v.At)
	total := event.Time(0)
	for slot := uint32(1); slot < v.quiets.Len(); slot++ {
		r := v.quiets.At(slot)
		if !event.InTenant(tenant, v.text.String(r.tenant)) {
			continue
		}
		repeats += r.repeats
		for i := range r.books {
			b, x := &r.books[i], &list[i]
			x.Alerts, x.Now, x.Duration = x.Alerts+b.began, x.Now+b.now, x.Duration+b.until(now)
			total += b.until(now)
		}
	}
	left, sum := uint32(1_000_000), event.Time(0)
	for i := range list {
		x := &list[i]
		x.Reason = 1 << i
		if total > 0 { // each gets what is left of the whole after those behind it: nothing is lost in rounding
			sum += x.Duration
			rest := share(total-sum, total)
			x.Share, left = left-rest, rest
		}
	}
	return list, repeats
}

// share returns part/whole in millionths, rounded down.
func share(part, whole event.Time) uint32 {
	hi, lo := bits.Mul64(uint64(part), 1_000_000)
	q, _ := bits.Div64(hi, lo, uint64(whole))
	return uint32(q)
}

// Filter returns the rule that keeps an alert quiet, nil when none does.
func (a Alert) Filter() *rules.Suppress {
	if a.rec().quiet&event.QuietFilter == 0 {
		return nil
	}
	if rule := a.v.Rules.Suppress(a.input()); rule >= 0 {
		return &a.v.Rules.SuppressRules[rule]
	}
	return nil
}

// input is what rules see of the alert.
func (a Alert) input() *rules.Input {
	in := a.v.look(a.rec().claims)
	if ci := a.rec().ci; ci != 0 {
		in.CI, in.Class = a.v.cmdb.ID(ci), a.v.cmdb.Class(ci)
	}
	return in
}

// look is what rules see of a claim by itself.
func (v *View) look(claim uint32) *rules.Input {
	var scratch rules.Scratch
	c := v.claims.At(claim)
	in := &rules.Input{Labels: labelset.Labels(v.text, c.labels)}
	if v.conditions {
		in.Annotations = labelset.Labels(v.text, c.annotations)
	}
	in.Severity, _ = event.ParseSeverity(in.Labels.Get("severity"))
	if ls, changed := v.Rules.Normalise(in, &scratch); changed {
		in.Labels = ls
		in.Severity, _ = event.ParseSeverity(ls.Get("severity"))
	}
	return in
}

// nameLabels are those by which people know the alert.
func (a Alert) nameLabels() event.Labels { return a.v.look(a.rec().claims).Labels }

// SeenLabels returns the alert's label set as rules see it.
func (a Alert) SeenLabels() event.Labels { return a.input().Labels }

// Threshold returns the rule for which an alert counts, and how many count with it now; nil when it counts for none.
func (a Alert) Threshold() (rule *rules.Threshold, count int) {
	in := a.input()
	list := a.v.Rules.Thresholds(in, nil)
	if len(list) == 0 {
		return nil, 0
	}
	rule = &a.v.Rules.ThresholdRules[list[0]]
	t := event.Trace{Kind: event.TraceThreshold, Tenant: a.Tenant(), Rule: rule.Name, Key: string(rule.AppendKey(nil, in.Labels))}
	hash, _ := traceHash(nil, &t)
	slot, _ := a.v.byTrace.Find(hash, func(ref uint32) bool {
		r := a.v.traces.At(ref)
		return r.kind == t.Kind && a.v.text.String(r.rule) == t.Rule && a.v.text.String(r.tenant) == t.Tenant && string(a.v.text.Bytes(r.key)) == t.Key
	})
	if slot == 0 {
		return rule, 0
	}
	for n := a.v.traces.At(slot).tail; n != 0 && a.v.traceNodes.At(n).at+rule.Within >= a.v.At; n = a.v.traceNodes.At(n).prev {
		count++
	}
	return rule, count
}

// RuleMemory is what rules that look at several alerts remember of all tenants, and what they could not.
type RuleMemory struct {
	Alerts, Limit int
	PerKey        int    // how many a rule that keeps apart remembers of one key
	Over          uint64 // inputs in which they were to remember more than they can
	Forgotten     uint64 // alerts that rules which keep apart forgot, for others of their key, while they counted still
}

// RuleMemory returns what rules remember.
func (v *View) RuleMemory() RuleMemory {
	return RuleMemory{int(v.meta.Traces), maxTraces, keptPartners, v.meta.OverTraces, v.meta.Unkept}
}
