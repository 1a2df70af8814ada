package correlate

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/tocsin-noc/tocsin/correlate/pairs"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/labelset"
)

// maxNeighbours bounds the connected items at which a pair's other alert is looked for.
const maxNeighbours = 6

// template is what kind of thing an alert says, the same for all alerts of that kind within one tenant.
func (s *State) template(tenant, name, summary string) uint64 {
	s.work.bytes = appendTemplate(join(s.work.bytes[:0], tenant, name), summary)
	return xxhash.Sum64(s.work.bytes)
}

// learnPair takes in that an alert began on an item: what began there, or next to it, shortly before may lead to it.
func (s *State) learnPair(slot uint32) {
	a := s.alerts.At(slot)
	claim := s.claims.At(a.claims)
	tenant, name := s.tenantOf(claim.source), labelset.Get(s.text, claim.labels, "alertname")
	o := pairs.Observation{
		Type: s.template(tenant, name, labelset.Get(s.text, claim.annotations, "summary")), CI: a.ci, At: int64(s.eventTime(a.startsAt)),
		Neighbours: s.work.neighbours[:0],
	}
	if _, known := s.pairs.NameOf(o.Type); !known {
		o.Name = tenant + "\x00" + name
	}
	s.work.above = s.topology.Upstream(a.ci, 1, maxNeighbours/2, s.work.above[:0])
	for _, up := range s.work.above {
		o.Neighbours = append(o.Neighbours, pairs.Neighbour{CI: up.Item, Hops: 1})
	}
	s.work.dependents = s.cmdb.Dependents(a.ci, maxNeighbours/2, s.work.dependents[:0])
	for _, d := range s.work.dependents {
		o.Neighbours = append(o.Neighbours, pairs.Neighbour{CI: d, Hops: 1})
	}
	s.work.neighbours = o.Neighbours
	o.Further = beyond(s.topology.RestsOn(a.ci), len(s.work.above)) + beyond(s.topology.DependentCount(a.ci), len(s.work.dependents))
	s.pairs.Observe(&o)
	s.forest.Say(a.ci, o.Type)
}

// beyond is how many of something were not looked at.
func beyond(of uint32, looked int) uint32 { return max(of, uint32(looked)) - uint32(looked) }

// pairFactor returns by how much an alert upstream is a better reason for one that begins because people accepted that such lead to such;
// nil while they accepted none.
func (s *State) pairFactor(tenant string, ls, annotations event.Labels) func(parent uint64) int64 {
	if s.meta.ActivePairs == 0 {
		return nil
	}
	child := s.template(tenant, ls.Get("alertname"), annotations.Get("summary"))
	return func(parent uint64) int64 { return s.pairs.Factor(parent, child) }
}

// PairID names a learned pair: the kinds of its two alerts.
func PairID(p *pairs.Pair) string { return fmt.Sprintf("%016x-%016x", p.Parent, p.Child) }

func parsePairID(id string) (parent, child uint64, ok bool) {
	a, b, found := strings.Cut(id, "-")
	parent, err := strconv.ParseUint(a, 16, 64)
	child, err2 := strconv.ParseUint(b, 16, 64)
	return parent, child, found && err == nil && err2 == nil
}

// answerPair accepts or rejects a pair that was suggested.
func (s *State) answerPair(c *event.Command) event.Result {
	parent, child, ok := parsePairID(c.Text)
	if name, known := s.pairs.NameOf(child); !ok || !known || !strings.HasPrefix(name, c.Tenant+"\x00") || s.pairs.StatusOf(parent, child) == 0 {
		return refuse(event.NotFound, "there is no such pair", "`tocsin pairs` lists those there are")
	}
	s.emit(event.Change{Kind: event.PairAnswered, Text: c.Text, Count: answerOf(c.Accept), Actor: c.Actor})
	return event.Result{}
}

func answerOf(accept bool) uint64 {
	if accept {
		return 1
	}
	return 0
}

func (s *State) applyPair(ch *event.Change) {
	parent, child, _ := parsePairID(ch.Text)
	if s.pairs.StatusOf(parent, child) == pairs.Active {
		s.meta.ActivePairs--
	}
	if ch.Count == 1 {
		s.meta.ActivePairs++
		s.pairs.Accept(parent, child)
	} else {
		s.pairs.Reject(parent, child)
	}
}

// Pair is a learned pair of one tenant.
type Pair struct {
	pairs.Pair
	ID string
}

// Pairs returns the pairs of a tenant that are suggested, accepted or rejected, the most certain first.
func (v *View) Pairs(tenant string) (list []Pair) {
	for _, p := range v.pairs.List() {
		parent, ok := strings.CutPrefix(p.ParentName, tenant+"\x00")
		child, also := strings.CutPrefix(p.ChildName, tenant+"\x00")
		if ok && also {
			id := PairID(&p)
			p.ParentName, p.ChildName = parent, child
			list = append(list, Pair{p, id})
		}
	}
	return list
}

// PairCounters tell what the learning of pairs took in of all tenants, and what it passed over.
func (v *View) PairCounters() pairs.Counters { return v.pairs.Counters() }

// annotationsOf returns the annotations of a claim that begins to fire.
func (s *State) annotationsOf(c *event.ClaimState) event.Labels {
	if c.Full || s.meta.ActivePairs == 0 {
		return c.Annotations
	}
	return labelset.Labels(s.text, s.claims.At(c.ID).annotations)
}
