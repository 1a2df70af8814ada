package pairs

import "slices"

const (
	distinctCIs = 8 // of a pair that are told apart

	// newcomers is how many trials of a child that has all its parents make one in which others are let in, each for the weakest of them. In
	// each they would drive each other out before any could show what it is worth, and finding the weakest is what a trial would cost.
	newcomers = 8
)

// pairRec is what is known of "parent, then child".
type pairRec struct {
	expected      uint64 // billionths, as all that follow
	credits       uint64
	decoyCredits  uint64
	lags          uint64 // ms, sum over hits
	parent, child uint32 // 0: the slot is free
	bucket        uint32 // of the latest trial
	mass          uint32 // expected in it, at most one
	decoyBucket   uint32 // of the latest decoy that was credited
	hits          uint32 // buckets with a credit
	ties          uint32 // of these, with the order unknown
	decoyHits     uint32
	lookAt        uint32 // hits at which it is judged next
	epoch         uint32 // in which the counts were last halved
	cis           [distinctCIs]uint32
	nCIs          uint8
	status        Status
	credited      bool // in bucket
	bothWays      bool // accepted without a direction
}

// roll moves on to the bucket of a time; false when that is past.
func (p *pairRec) roll(at int64) bool {
	b := uint32(at / bucket)
	if b > p.bucket {
		p.bucket, p.mass, p.credited = b, 0, false
	}
	return b == p.bucket
}

// expect adds a chance. Many trials in one bucket are one: it can be credited but once.
func (p *pairRec) expect(at int64, chance uint64) {
	if !p.roll(at) {
		return
	}
	more := uint32(min(chance, one) * uint64(one-p.mass) / one)
	p.mass += more
	p.expected += uint64(more)
}

// credit adds a share, once in a bucket, and tells whether it did.
func (p *pairRec) credit(tr *trial, h *hit, share uint64) bool {
	if !p.roll(tr.at) || p.credited {
		return false
	}
	p.credited = true
	p.credits += share
	p.lags += uint64(h.gap)
	p.hits++
	if h.tied {
		p.ties++
	}
	if p.nCIs < distinctCIs && !slices.Contains(p.cis[:p.nCIs], tr.ci) {
		p.cis[p.nCIs] = tr.ci
		p.nCIs++
	}
	return true
}

// judged tells whether the pair is before a person or was: it is never forgotten to make room.
func (p *pairRec) judged() bool { return p.status != Candidate }

// newPair makes a pair, and room for it; 0 when there is none.
func (t *Table) newPair(a, b uint32, expected uint64) uint32 {
	if ty := t.types.Mut(b); ty.parents == parentsOfChild {
		ty.crowded = true
		if ty.trials%newcomers != 0 {
			t.meta.PassedPairs++
			return 0
		}
		if !t.evictParent(b) {
			t.meta.RefusedPairs++
			return 0
		}
	}
	if t.meta.Pairs >= t.set.Pairs && !t.makeRoomForPair() {
		t.meta.RefusedPairs++
		return 0
	}
	slot := t.pairs.Alloc()
	*t.pairs.Mut(slot) = pairRec{parent: a, child: b, status: Candidate, epoch: t.meta.Epoch, expected: expected, lookAt: neededHits}
	ty := t.types.Mut(b)
	at, _ := ty.place(a)
	copy(ty.list[at+1:], ty.list[at:ty.parents])
	ty.list[at] = parent{a, slot}
	ty.parents++
	ty.refs++
	t.types.Mut(a).refs++
	t.meta.Pairs++
	return slot
}

func (t *Table) evictPair(slot uint32) {
	t.meta.EvictedPairs++
	t.types.Mut(t.pairs.At(slot).child).crowded = true
	t.freePair(slot)
}

func (t *Table) freePair(slot uint32) {
	p := t.pairs.At(slot)
	ty := t.types.Mut(p.child)
	at, _ := ty.place(p.parent)
	copy(ty.list[at:], ty.list[at+1:ty.parents])
	ty.parents--
	ty.list[ty.parents] = parent{}
	ty.refs--
	t.types.Mut(p.parent).refs--
	t.pairs.Free(slot)
	t.meta.Pairs--
}

// evictParent drops the weakest of a child's candidates.
func (t *Table) evictParent(child uint32) bool {
	ty, weakest := t.types.At(child), uint32(0)
	for _, at := range ty.list[:ty.parents] {
		weakest = t.weaker(weakest, at.pair)
	}
	if weakest != 0 {
		t.evictPair(weakest)
	}
	return weakest != 0
}

// weaker returns which of two pairs can rather be forgotten; a and what it returns are 0 when neither can.
func (t *Table) weaker(a, b uint32) uint32 {
	p := t.pairs.At(b)
	if p.judged() {
		return a
	}
	if a == 0 {
		return b
	}
	q := t.pairs.At(a)
	switch x, y := p.credits>>(t.meta.Epoch-p.epoch), q.credits>>(t.meta.Epoch-q.epoch); {
	case x != y && x < y, x == y && p.bucket < q.bucket:
		return b
	}
	return a
}
