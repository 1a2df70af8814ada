package cause

import (
	"cmp"
	"slices"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/fixed"
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
}

// Rank returns the candidates of a cluster, best first, at most limit, and how far the first is before the second. shape is what the
// topology says, nil where faults do not follow it.
func (b *Book) Rank(cluster uint32, items Items, shape []Structure, p *Params, limit int) (list []Candidate, margin int64) {
	if cluster >= b.clusters.Len() {
		return nil, 0
	}
	seen := map[uint32]bool{}
	for _, x := range shape {
		seen[x.Item] = true
		if c := b.candidate(cluster, x.Item, items, p); c.Score+x.Score > 0 {
			c.Score, c.Shape = c.Score+x.Score, x
			list = append(list, c)
		}
	}
	var wholes []uint32
	for slot := b.clusters.At(cluster).suspects; slot != 0; slot = b.suspects.At(slot).next {
		item := b.suspects.At(slot).item
		wholes = items.Wholes(item, append(wholes[:0], item))
		for _, one := range wholes {
			if !seen[one] {
				seen[one] = true
				if c := b.candidate(cluster, one, items, p); c.Score > 0 {
					list = append(list, c)
				}
			}
		}
	}
	slices.SortFunc(list, func(x, y Candidate) int { return cmp.Or(cmp.Compare(y.Score, x.Score), cmp.Compare(x.Item, y.Item)) })
	if len(list) > 0 {
		margin = list[0].Score
	}
	if len(list) > 1 {
		margin -= list[1].Score
	}
	share(list)
	return list[:min(len(list), limit)], margin
}

// candidate sums up what speaks against an item.
func (b *Book) candidate(cluster, item uint32, items Items, p *Params) Candidate {
	x := b.suspects.At(b.suspect(cluster, item))
	c := Candidate{Item: item, Own: x.sum, Number: x.proofs, Alert: x.alert, Weight: int64(x.weights[0]), First: x.first}
	for i, sign := range x.signs {
		if x.weights[i] > 0 {
			c.Signs = append(c.Signs, sign)
		}
	}
	for _, n := range b.find(x.signs[0] &^ 1).n {
		c.Before += n
	}
	c.Own = x.sum * items.Weight(item) / 1000
	for _, one := range items.Parts(item, nil) {
		c.Parts += b.suspects.At(b.suspect(cluster, one)).sum*p.Instance/1000 - p.InstanceCost
	}
	c.Score = c.Own + c.Parts
	return c
}

// share turns scores into parts of a whole.
func share(list []Candidate) {
	sum := uint64(0)
	for i := range list {
		sum += fixed.Exp(list[i].Score - list[0].Score)
	}
	for i := range list {
		list[i].Share = uint16(fixed.Exp(list[i].Score-list[0].Score) * 1000 / sum)
	}
}
