package cause

import (
	"slices"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/fixed"
	"github.com/tocsin-noc/tocsin/internal/flat"
)

// Items is what the ranking asks of the configuration items.
type Items interface {
	// Weight returns what evidence on an item counts, in thousandths: more where one item bears many.
	Weight(item uint32) int64
	// PartCount returns how many items are part of one, and Wholes appends those that one is part of.
	PartCount(whole uint32) uint32
	Wholes(part uint32, dst []uint32) []uint32
}

// Candidate is an item that may be the cause.
type Candidate struct {
	Item   uint32
	Score  int64
	Share  uint16 // of all candidates' weight, in thousandths
	Shape  Structure
	Own    int64  // of the score, from what it says itself
	Parts  int64  // from what its parts say
	Number uint32 // signatures on it
	Alert  uint32 // of the heaviest signature, 0: none
	Weight int64  // of that
	First  event.Time
	Signs  []uint64 // of what it says itself, at most MaxSigns; the lowest bit tells late from early
	Before uint32   // earlier clusters in which it said what weighs most
}

// MaxSigns bounds the signatures that a candidate lists.
const MaxSigns = 4

// Structure is what the topology says of an item as the cause of a cluster.
type Structure struct {
	Item      uint32
	Score     int64
	Explained uint32 // items that alarmed and rest on it
	Missing   uint32 // items that rest directly on it and did not
	Silent    bool   // it did not alarm itself
}

// Rank returns the candidates of a cluster, best first, at most limit, and how far the first is before the second. shape is what the
// topology says, nil where faults do not follow it. Where more is said than it can look at, Suspects tells.
func (b *Book) Rank(cluster uint32, items Items, shape []Structure, p *Params, limit int) (list []Candidate, margin int64) {
	b.charge(cluster, items, p)
	r := &b.ranking
	r.seen.Reset()
	r.scores, r.best = r.scores[:0], r.best[:0]
	for i := range shape {
		x := &shape[i]
		r.seen.Put(x.Item, 0)
		r.take(scored{item: x.Item, shape: x, score: x.Score + b.score(x.Item, items, p)}, limit)
	}
	for i := range r.charges {
		item := r.charges[i].item
		if _, seen := r.seen.Find(item); !seen {
			r.take(scored{item: item, score: b.score(item, items, p)}, limit)
		}
	}
	for i, x := range r.best {
		if i == 0 {
			margin = x.score
		}
		if i == 1 {
			margin -= x.score
		}
		if i < limit {
			list = append(list, b.candidate(&x, items, p))
		}
	}
	r.share(list)
	return list, margin
}

// ranking is memory that one ranking hands to the next.
type ranking struct {
	cluster uint32
	slots   []uint32
	charges []charge
	charged flat.Places // of an item: its charge
	seen    flat.Places
	wholes  []uint32
	scores  []int64  // of all candidates
	best    []scored // the first of them, one more than is asked for
}

// charge is what speaks against an item of which, or of whose parts, something was said.
type charge struct {
	item    uint32
	suspect uint32 // 0: of itself nothing was said, or less than of those that are looked at
	parts   int64  // what its parts say counts so much for it
}

// scored is a candidate before anything is said of it.
type scored struct {
	item  uint32
	score int64
	shape *Structure // nil: the topology says nothing
}

// charge charges what is said in a cluster to those who say it, and to what they are part of.
func (b *Book) charge(cluster uint32, items Items, p *Params) {
	r := &b.ranking
	r.charged.Reset()
	r.cluster, r.charges = cluster, r.charges[:0]
	r.slots = b.looked(cluster, r.slots[:0])
	for _, slot := range r.slots {
		x := b.suspects.At(slot)
		r.charge(x.item).suspect = slot
		r.wholes = items.Wholes(x.item, r.wholes[:0])
		for _, whole := range r.wholes {
			r.charge(whole).parts += x.sum * p.Instance / 1000
		}
	}
}

// charge returns the charge of an item, made when it is new.
func (r *ranking) charge(item uint32) *charge {
	at, known := r.charged.Find(item)
	if !known {
		at = uint32(len(r.charges))
		r.charged.Put(item, at)
		r.charges = append(r.charges, charge{item: item})
	}
	return &r.charges[at]
}

// of returns what is known of an item in the cluster that is ranked; all of it is zero when nothing is.
func (b *Book) of(item uint32) *suspect {
	r := &b.ranking
	slot := uint32(0)
	if at, charged := r.charged.Find(item); charged {
		slot = r.charges[at].suspect
	}
	if slot == 0 && b.fronts.of[r.cluster] != nil { // there are more than were looked at
		slot = b.suspect(r.cluster, item)
	}
	return b.suspects.At(slot)
}

// take puts a candidate where it is among the best: by score, then by number.
func (r *ranking) take(x scored, limit int) {
	if x.score <= 0 {
		return
	}
	r.scores = append(r.scores, x.score)
	at := len(r.best)
	for at > 0 && (x.score > r.best[at-1].score || x.score == r.best[at-1].score && x.item < r.best[at-1].item) {
		at--
	}
	if at > max(limit, 1) {
		return
	}
	r.best = slices.Insert(r.best, at, x)
	r.best = r.best[:min(len(r.best), max(limit, 1)+1)]
}

// score sums up what speaks against an item, but for the topology.
func (b *Book) score(item uint32, items Items, p *Params) int64 {
	own, parts := b.weigh(item, items, p)
	return own + parts
}

func (b *Book) weigh(item uint32, items Items, p *Params) (own, parts int64) {
	if sum := b.of(item).sum; sum != 0 {
		own = sum * items.Weight(item) / 1000
	}
	if at, charged := b.ranking.charged.Find(item); charged {
		parts = b.ranking.charges[at].parts
	}
	return own, parts - p.InstanceCost*int64(items.PartCount(item))
}

// candidate says what speaks against an item.
func (b *Book) candidate(s *scored, items Items, p *Params) Candidate {
	x := b.of(s.item)
	c := Candidate{Item: s.item, Score: s.score, Number: x.proofs, Alert: x.alert, Weight: int64(x.weights[0]), First: x.first}
	if s.shape != nil {
		c.Shape = *s.shape
	}
	for i, sign := range x.signs {
		if x.weights[i] > 0 {
			c.Signs = append(c.Signs, sign)
		}
	}
	for _, n := range b.find(x.signs[0] &^ 1).n {
		c.Before += n
	}
	c.Own, c.Parts = b.weigh(s.item, items, p)
	return c
}

// share turns scores into parts of a whole.
func (r *ranking) share(list []Candidate) {
	if len(list) == 0 {
		return
	}
	sum := uint64(0)
	for _, score := range r.scores {
		sum += fixed.Exp(score - list[0].Score)
	}
	for i := range list {
		list[i].Share = uint16(fixed.Exp(list[i].Score-list[0].Score) * 1000 / sum)
	}
}
