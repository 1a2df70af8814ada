package correlate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/tocsin-noc/tocsin/correlate/cause"
	"github.com/tocsin-noc/tocsin/correlate/forest"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/fixed"
	"github.com/tocsin-noc/tocsin/internal/labelset"
)

// The labels that say what kind of thing an alert says: which way a metric went, and which item a trace went to.
const (
	directionLabel = "direction"
	peerLabel      = "peer"
)

// observe takes an alert of a cluster in as evidence of its cause.
func (s *State) observe(slot, cluster uint32) {
	a := s.alerts.At(slot)
	if s.claims.At(a.claims).flags&(flagFiltered|flagMaintenance) != 0 {
		return // what people said means nothing is evidence of nothing
	}
	sign := s.signature(slot)
	at := s.eventTime(a.startsAt)
	if s.causes.Observe(cluster, s.forest.ComponentOf(cluster), slot, &sign, at, s.meta.At, &s.work.cause) {
		s.scheduleCluster(cluster)
	}
}

// signature says what an alert says, so that it can be counted.
func (s *State) signature(slot uint32) cause.Signature {
	a := s.alerts.At(slot)
	claim := s.claims.At(a.claims)
	ls, class := s.claimLabels(a.claims), s.cmdb.Class(a.ci)
	name, sign := ls.Get("alertname"), cause.Signature{Item: a.ci, Population: s.population(a.ci)}
	b := s.work.bytes[:0]
	switch peer, direction := ls.Get(peerLabel), ls.Get(directionLabel); {
	case peer != "":
		sign.Kind, sign.Population = cause.Trace, 0
		if callee, _ := s.cmdb.Named(s.cmdb.Tenant(a.ci), peer); callee != 0 {
			sign.Item = callee
		}
		b = join(b, "trace", s.cmdb.ID(a.ci), peer, ls.Get("operation"), name)
		sign.Hash = xxhash.Sum64(b)
		b = join(b[:0], "trace", name, strconv.FormatBool(sign.Item == a.ci))
	case direction != "":
		sign.Kind = cause.Metric
		b = join(b, "metric", s.cmdb.ID(a.ci), name, direction)
		sign.Hash = xxhash.Sum64(b)
		b = join(b[:0], "metric", class, name, direction)
	default:
		b = appendTemplate(join(b, "other", s.cmdb.ID(a.ci), name), labelset.Get(s.text, claim.annotations, "summary"))
		sign.Hash = xxhash.Sum64(b)
		b = appendTemplate(join(b[:0], "other", class, name), labelset.Get(s.text, claim.annotations, "summary"))
	}
	sign.KindHash = xxhash.Sum64(b)
	s.work.bytes = b
	return sign
}

func join(b []byte, parts ...string) []byte {
	for _, p := range parts {
		b = append(append(b, p...), 255)
	}
	return b
}

// appendTemplate appends a text with what differs from one alert to the next left out: each word that holds a digit.
func appendTemplate(b []byte, text string) []byte {
	for len(text) > 0 {
		n := strings.IndexFunc(text, isGap)
		switch n {
		case -1:
			n = len(text)
		case 0:
			b, text = append(b, text[0]), text[1:]
			continue
		}
		if strings.ContainsAny(text[:n], "0123456789") {
			b = append(b, '#')
		} else {
			b = append(b, text[:n]...)
		}
		text = text[n:]
	}
	return b
}

func isGap(r rune) bool {
	return r == ' ' || r == ',' || r == ';' || r == '(' || r == ')' || r == '"' || r == '\'' || r == '=' || r == '\n' || r == '\t'
}

// population is how many items of the tenant are of an item's class.
func (s *State) population(ci uint32) uint32 {
	if s.work.classes == nil {
		s.work.classes = map[uint64]uint32{}
		for slot := range s.cmdb.Slots() {
			s.countClass(slot)
		}
	}
	return s.work.classes[classHash(s.cmdb.Tenant(ci), s.cmdb.Class(ci))]
}

func (s *State) countClass(ci uint32) {
	s.work.classes[classHash(s.cmdb.Tenant(ci), s.cmdb.Class(ci))]++
	s.work.classes[classHash(s.cmdb.Tenant(ci), anyClass)]++
}

// estate is how many items the tenant of an item has.
func (s *State) estate(ci uint32) uint32 {
	s.population(ci)
	return s.work.classes[classHash(s.cmdb.Tenant(ci), anyClass)]
}

// anyClass stands for all items. No class is called so.
const anyClass = " any"

func classHash(tenant, class string) uint64 {
	return xxhash.Sum64String(tenant)*31 + xxhash.Sum64String(class)
}

// suspects answers what the ranking asks of configuration items.
type suspects struct{ s *State }

// Weight returns what evidence on an item counts, in thousandths.
func (x suspects) Weight(item uint32) int64 {
	class := x.s.cmdb.Class(item)
	for _, c := range x.s.settings().Correlation.Weights.Classes {
		if strings.EqualFold(c.Name, class) {
			return int64(c.Percent) * 10
		}
	}
	return 1000
}

// PartCount returns how many items in use are part of one.
func (x suspects) PartCount(whole uint32) uint32 { return x.s.topology.PartCount(whole) }

// Wholes appends the items that one is part of, none when it is not in use itself.
func (x suspects) Wholes(part uint32, dst []uint32) []uint32 {
	if !x.s.cmdb.InUse(part) {
		return dst
	}
	return x.s.cmdb.Wholes(part, dst)
}

// fewClusters is how many clusters of a component must be over before it is believed that faults shake all of it, whatever its relations.
const fewClusters = 2

// weigh ranks what may be the cause of a cluster's incident, when there is news.
func (s *State) weigh(cluster uint32) {
	id := s.incidentOfCluster(cluster)
	if id == 0 || s.causes.Due(cluster) == event.Never {
		return
	}
	var shape []cause.Structure
	if component := s.forest.ComponentOf(cluster); !s.forest.Shaky(component) || s.causes.Learned(component) < fewClusters {
		shape = s.shape(cluster)
	}
	list, margin := s.causes.Rank(cluster, suspects{s}, shape, &s.work.cause, event.MaxCauses)
	state := event.Causes{
		Incident: id, Cluster: cluster, Margin: margin, Confident: len(list) > 0 && margin >= s.work.cause.Margin,
		Learned: s.causes.Learned(s.forest.ComponentOf(cluster)),
	}
	state.Looked, state.Of = s.causes.Suspects(cluster)
	if before, ok := s.causesOf(id); ok {
		state.Verdict, state.VerdictOn, state.VerdictBy, state.VerdictAt = before.Verdict, before.VerdictOn, before.VerdictBy, before.VerdictAt
	}
	for i := range list {
		state.Candidates = append(state.Candidates, s.candidate(cluster, &list[i]))
	}
	s.emit(event.Change{Kind: event.IncidentCauses, Causes: &state})
}

// candidate puts the case against an item into words.
func (s *State) candidate(cluster uint32, c *cause.Candidate) event.Cause {
	out := event.Cause{CI: clone(s.cmdb.ID(c.Item)), Score: c.Score, Share: c.Share, Signs: c.Signs}
	if c.Weight > 0 && c.Alert < s.alerts.Len() && s.alerts.At(c.Alert).firstAt != 0 {
		a := s.alertState(c.Alert)
		out.Ledger = append(out.Ledger, event.LedgerEntry{Kind: "surprise", MilliNats: c.Weight * suspects{s}.Weight(c.Item) / 1000, Operands: []string{
			clone(a.Name), clone(a.Resource), (c.First - s.forest.First(cluster)).Duration().String(), decimal(c.Before),
		}})
	}
	if c.Number > 1 {
		out.Ledger = append(out.Ledger, event.LedgerEntry{Kind: "says", MilliNats: c.Own, Operands: []string{decimal(c.Number)}})
	}
	if x := &c.Shape; x.Item != 0 {
		operands := []string{decimal(x.Explained), decimal(x.Missing), strconv.FormatBool(x.Silent)}
		if of := s.forest.Size(cluster); of > maxSymptoms { // a cap is told of
			operands = append(operands, decimal(maxSymptoms), decimal(of))
		}
		out.Ledger = append(out.Ledger, event.LedgerEntry{Kind: "topology", MilliNats: x.Score, Operands: operands})
	}
	if c.Parts != 0 {
		out.Ledger = append(out.Ledger, event.LedgerEntry{Kind: "parts", MilliNats: c.Parts})
	}
	return out
}

func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// causesOf returns what is known of an incident's cause.
func (s *State) causesOf(id event.IncidentID) (event.Causes, bool) {
	slot := s.findCauses(id)
	if slot == 0 {
		return event.Causes{}, false
	}
	return unpackCauses(s.text.Bytes(s.verdicts.At(slot).body)), true
}

func unpackCauses(b []byte) event.Causes {
	c, err := event.UnpackCauses(b)
	if err != nil {
		panic("correlate: causes in memory: " + err.Error())
	}
	return c
}

// keepCauses replaces what is known of an incident's cause.
func (s *State) keepCauses(slot uint32, c *event.Causes) {
	s.work.packed = event.PackCauses(s.work.packed[:0], c)
	r := s.verdicts.Mut(slot)
	s.text.FreeBytes(r.body)
	r.body = s.text.Blobs.Put(s.work.packed)
}

func (s *State) findCauses(id event.IncidentID) uint32 {
	slot, _ := s.byCauses.Find(uint64(id), func(ref uint32) bool { return s.verdicts.At(ref).incident == id })
	return slot
}

func (s *State) applyCauses(c *event.Causes) {
	slot := s.findCauses(c.Incident)
	if slot == 0 {
		slot = s.verdicts.Alloc()
		s.verdicts.Mut(slot).incident = c.Incident
		s.byCauses.Insert(uint64(c.Incident), slot)
	}
	before := s.verdicts.At(slot).body
	named := c.Cluster == 0 && c.Verdict == event.CauseOther && before != 0 && unpackCauses(s.text.Bytes(before)).Verdict == event.CauseWrong
	s.keepCauses(slot, c)
	if c.Cluster != 0 {
		s.causes.Ranked(c.Cluster, s.meta.At)
		return
	}
	signs := signsOn(c)
	if cluster := s.clusterOfIncident(c.Incident); cluster != 0 && c.Verdict != event.CauseWrong { // it has not been learned from yet
		signs = slices.DeleteFunc(slices.Clone(signs), func(sign uint64) bool { return s.causes.Withdraw(cluster, sign) })
	}
	component := s.componentOfIncident(c.Incident)
	if named { // that the machine was wrong was counted when it was said
		component = 0
	}
	s.causes.Judge(component, c.Verdict, signs)
}

// shortenCauses keeps, of an incident that is closed, the cause that was named and what people said of it.
func (s *State) shortenCauses(id event.IncidentID) {
	slot := s.findCauses(id)
	if slot == 0 {
		return
	}
	c := unpackCauses(s.text.Bytes(s.verdicts.At(slot).body))
	c.Candidates = c.Candidates[:min(len(c.Candidates), 1)]
	for i := range c.Candidates {
		c.Candidates[i].Ledger, c.Candidates[i].Signs = nil, nil
	}
	s.keepCauses(slot, &c)
}

// dropCauses forgets what was known of the cause of an incident that was none, or lives on in another.
func (s *State) dropCauses(id event.IncidentID) {
	if slot := s.findCauses(id); slot != 0 {
		s.text.FreeBytes(s.verdicts.At(slot).body)
		s.byCauses.Delete(uint64(id), slot)
		s.verdicts.Free(slot)
	}
}

// signsOn returns what the item that a verdict names said.
func signsOn(c *event.Causes) []uint64 {
	for i := range c.Candidates {
		if c.Candidates[i].CI == c.VerdictOn {
			return c.Candidates[i].Signs
		}
	}
	return nil
}

// judgeCause takes what a person says of the cause of an incident: the first candidate is right or wrong, or it was another item.
func (s *State) judgeCause(c *event.Command, i *event.IncidentState) event.Result {
	known, _ := s.causesOf(i.ID)
	known.Incident, known.Cluster = i.ID, 0
	verdict := event.Verdict(c.Number)
	on := c.Text
	switch {
	case verdict == event.NoVerdict || verdict > event.CauseOther:
		return refuse(event.Invalid, "a verdict is right, wrong or other", "")
	case known.Verdict == verdict && (on == "" || on == known.VerdictOn):
		return event.Result{Incident: i.ID}
	case known.Verdict == event.CauseWrong && verdict == event.CauseOther && on != "": // and now it is known what it was
	case known.Verdict != event.NoVerdict:
		return refuse(event.Conflict, fmt.Sprintf("%s was judged already: %s, %s", i.ID, known.Verdict, known.VerdictOn), "a verdict counts once; of what was wrong it can be said later what it was")
	case verdict != event.CauseOther && len(known.Candidates) == 0:
		return refuse(event.Conflict, i.ID.String()+" has no candidate for its cause", "say which item it was: `tocsin incident cause "+i.ID.String()+" --was ITEM`")
	case verdict == event.CauseOther && on == "":
		return refuse(event.Invalid, "it is not said which item it was", "`--was ITEM` names it")
	}
	if on == "" {
		on = known.Candidates[0].CI
	}
	if slot, n := s.cmdb.Named(i.Tenant, on); slot != 0 {
		on = clone(s.cmdb.ID(slot))
	} else if n == 0 {
		return refuse(event.NotFound, fmt.Sprintf("there is no configuration item %q", on), "`tocsin cmdb list` shows those there are")
	}
	if verdict == event.CauseOther && len(known.Candidates) > 0 && known.Candidates[0].CI == on {
		verdict = event.CauseRight
	}
	known.Verdict, known.VerdictOn, known.VerdictBy, known.VerdictAt = verdict, on, c.Actor, s.meta.At
	s.emit(event.Change{Kind: event.IncidentCauses, Causes: &known, Actor: c.Actor})
	return event.Result{Incident: i.ID}
}

// componentOfIncident returns the component in which an incident's cluster is, or was.
func (s *State) componentOfIncident(id event.IncidentID) uint32 {
	for slot := s.members.At(uint32(id)).head; slot != 0; slot = s.alerts.At(slot).next {
		a := s.alerts.At(slot)
		if a.ci == 0 {
			continue
		}
		tenant := s.tenantOf(s.claims.At(a.claims).source)
		if name, _ := s.componentOf(a.ci, s.claimLabels(a.claims)); name != "" {
			return s.forest.Component(tenant, name, s.text)
		}
	}
	return 0
}

// useCorrelation puts the rules' numbers into the units of those who compute with them.
func (s *State) useCorrelation() {
	c := &s.rules.Settings.Correlation
	s.work.forest = forest.Params{
		JoinWithin: c.JoinWithin, Decay: c.Decay, ComponentDecay: c.ComponentDecay, Threshold: fixed.Ln(uint64(c.Threshold)),
		HopDiscount: fixed.LnRatio(100, uint64(c.HopDiscountPercent)), AdoptWithin: c.AdoptWithin, SilentShare: uint32(c.SilentSharePercent),
		SilentSurprise: int64(c.SilentSurprise), ReonsetAge: c.ReonsetAge, ReonsetItems: c.ReonsetItems, ReonsetExcess: int64(c.ReonsetExcess),
		SettleAfter: c.SettleAfter,
	}
	w := &c.Weights
	s.work.cause = cause.Params{
		Metric: int64(w.Metric) * 10, Trace: int64(w.Trace) * 10, Other: int64(w.Other) * 10, Instance: int64(c.InstanceSharePercent) * 10,
		InstanceCost: int64(c.InstanceTollPercent) * 10, Margin: int64(c.ConfidentMargin),
	}
}
