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
	// Parts appends the items that are part of one, and Wholes those that one is part of.
	Parts(whole uint32, dst []uint32) []uint32
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
	Blank     bool   // nor did it say anything, and it has no parts: Score would say 0
}

// Rank returns the candidates of a cluster, best first, at most limit, and how far the first is before the second. shape is what the
// topology says, nil where faults do not follow it.
func (b *Book) Rank(cluster uint32, items Items, shape []Structure, p *Params, limit int) (list []Candidate, margin int64) {
	if cluster >= b.clusters.Len() {
		return nil, 0
	}
	b.begin(cluster)
	r := &b.ranking
	for i := range shape {
		x := &shape[i]
		r.seen.Put(x.Item, 0)
		score := x.Score
		if !x.Blank {
			score += b.Score(x.Item, items, p)
		}
		r.take(scored{item: x.Item, shape: x, score: score}, limit)
	}
	for slot := b.clusters.At(cluster).suspects; slot != 0; slot = b.suspects.At(slot).next {
		item := b.suspects.At(slot).item
		r.wholes = items.Wholes(item, append(r.wholes[:0], item))
		for _, one := range r.wholes {
			if _, seen := r.seen.Find(one); !seen {
				r.seen.Put(one, 0)
				r.take(scored{item: one, score: b.Score(one, items, p)}, limit)
			}
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
	suspect flat.Places // of an item: the slot of what is known of it
	charged flat.Places // items of which they, or parts of theirs, say something
	seen    flat.Places
	wholes  []uint32
	parts   []uint32
	scores  []int64  // of all candidates
	best    []scored // the first of them, one more than is asked for
}

// scored is a candidate before anything is said of it.
type scored struct {
	item  uint32
	score int64
	shape *Structure // nil: the topology says nothing
}

// Begin makes Score and Charged answer for a cluster, until the next one is ranked or begun.
func (b *Book) Begin(cluster uint32, items Items) {
	b.begin(cluster)
	r := &b.ranking
	r.charged.Reset()
	if cluster >= b.clusters.Len() {
		return
	}
	for slot := b.clusters.At(cluster).suspects; slot != 0; slot = b.suspects.At(slot).next {
		item := b.suspects.At(slot).item
		r.wholes = items.Wholes(item, append(r.wholes[:0], item))
		for _, one := range r.wholes {
			r.charged.Put(one, 0)
		}
	}
}

// Charged tells whether an item, or a part of it, said anything. The Score of all others is no more than 0.
func (b *Book) Charged(item uint32) bool {
	_, charged := b.ranking.charged.Find(item)
	return charged
}

func (b *Book) begin(cluster uint32) {
	r := &b.ranking
	r.suspect.Reset()
	r.seen.Reset()
	r.scores, r.best = r.scores[:0], r.best[:0]
	if cluster >= b.clusters.Len() {
		return
	}
	for slot := b.clusters.At(cluster).suspects; slot != 0; slot = b.suspects.At(slot).next {
		r.suspect.Put(b.suspects.At(slot).item, slot)
	}
}

// of returns what is known of an item in the cluster that is ranked; all of it is zero when nothing is.
func (b *Book) of(item uint32) *suspect {
	slot, known := b.ranking.suspect.Find(item)
	if !known {
		return b.suspects.At(0)
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

// Score sums up what speaks against an item, but for the topology.
func (b *Book) Score(item uint32, items Items, p *Params) int64 {
	own, parts := b.weigh(item, items, p)
	return own + parts
}

func (b *Book) weigh(item uint32, items Items, p *Params) (own, parts int64) {
	if sum := b.of(item).sum; sum != 0 {
		own = sum * items.Weight(item) / 1000
	}
	r := &b.ranking
	r.parts = items.Parts(item, r.parts[:0])
	for _, one := range r.parts {
		parts += b.of(one).sum*p.Instance/1000 - p.InstanceCost
	}
	return own, parts
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
