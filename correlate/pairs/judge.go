package pairs

import "github.com/tocsin-noc/tocsin/internal/fixed"

// Status is how far a pair has come.
type Status uint8

// A pair becomes suggested by its evidence, active or rejected by a person only.
const (
	Candidate Status = iota + 1
	Suggested
	Active
	Rejected
)

// What a suggestion takes. The ratio is that of chi-squared at one in a thousand.
const (
	neededRatio = 10_830 // milli-nats
	neededHits  = 5      // buckets
	neededCIs   = 3
)

// String returns the status as people read it.
func (s Status) String() string {
	switch s {
	case Candidate:
		return "candidate"
	case Suggested:
		return "suggested"
	case Active:
		return "active"
	case Rejected:
		return "rejected"
	}
	return "unknown"
}

// leastExpected keeps a few coincidences of what is hardly ever seen from counting without bound.
const leastExpected = one / 1_000_000

// ratio is the log-likelihood ratio of what was credited against what chance gives, 2·(k·ln(k/m) − (k−m)) in milli-nats; less than
// zero when the credit is below. Both are in billionths.
func ratio(k, m uint64) int64 {
	m = max(m, leastExpected)
	d := int64(k) - int64(m)
	if size := uint64(max(d, -d)); size <= m/8 { // logarithms so close to 0 are not exact enough: d²/m·(1 − r/3 + r²/6), with r = d/m
		r := d * 1_000_000 / int64(m)
		square := r * r / 1_000_000
		part := square - square*r/3_000_000 + square*square/6_000_000 // in millionths of m
		return signed(int64(m)/1000*part/1_000_000_000, d)
	}
	log := fixed.LnRatio(max(k, 1), m)
	return signed(max(2*(int64(k/1000)*log/1_000_000-d/1_000_000), 0), d)
}

// order is the log-likelihood ratio of the credits of "A, then B" and of "B, then A" against either being as likely, in milli-nats;
// less than zero when the second are more.
func order(k, r uint64) int64 {
	n, d := int64(k+r), int64(k)-int64(r)
	if n == 0 {
		return 0
	}
	if max(d, -d) <= n/8 { // n·(x² + x⁴/6), with x = d/n
		x := d * 1_000_000 / n
		square := x * x / 1_000_000
		return signed(n/1000*(square+square*square/6_000_000)/1_000_000_000, d)
	}
	half := uint64(n) / 2
	sum := int64(k/1000)*fixed.LnRatio(max(k, 1), half) + int64(r/1000)*fixed.LnRatio(max(r, 1), half)
	return signed(max(2*sum/1_000_000, 0), d)
}

func signed(v, sign int64) int64 {
	if sign < 0 {
		return -v
	}
	return v
}

// judge suggests a candidate when its evidence is enough. It looks only each time that there is half as much again: who looks at every
// step waits for chance.
func (t *Table) judge(slot uint32) {
	p := t.pairs.At(slot)
	if p.status != Candidate || p.hits < p.lookAt || p.nCIs < neededCIs {
		return
	}
	t.pairs.Mut(slot).lookAt = max(neededHits, p.hits*3/2)
	p = t.pairs.At(slot)
	if ratio(p.credits, p.expected) < neededRatio {
		return
	}
	if back := t.creditsBack(p); back > p.credits || back == p.credits && p.parent > p.child {
		return // the other order is, or will be, suggested instead
	}
	t.meta.Suggestions++
	t.become(slot, Suggested)
}

// creditsBack is what the pair in the other order was credited.
func (t *Table) creditsBack(p *pairRec) uint64 {
	back := t.find(p.child, p.parent)
	if back == 0 {
		return 0
	}
	q := t.pairs.At(back)
	return q.credits >> (t.meta.Epoch - q.epoch)
}

// become gives a pair another status.
func (t *Table) become(slot uint32, status Status) {
	p := t.pairs.Mut(slot)
	p.status = status
	t.meta.Version++
	t.changes = append(t.changes, Change{t.types.At(p.parent).hash, t.types.At(p.child).hash, status})
}
