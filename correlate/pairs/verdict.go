package pairs

import "github.com/tocsin-noc/tocsin/internal/fixed"

// mostFactor bounds what an active pair adds to a score: ln 20, in milli-nats.
const mostFactor = 2_996

// StatusOf returns how far a pair has come, 0 when the table does not know it: what Accept and Reject will find.
func (t *Table) StatusOf(parent, child uint64) Status {
	slot := t.findPair(parent, child)
	if slot == 0 {
		return 0
	}
	return t.pairs.At(slot).status
}

// NameOf returns the name of a type, false when the table does not know it.
func (t *Table) NameOf(hash uint64) (string, bool) {
	slot := t.findType(hash)
	if slot == 0 {
		return "", false
	}
	return t.names.String(t.types.At(slot).name), true
}

// Accept makes a pair active, whatever it was; false when the table does not know it. If the order of its alerts does not tell a
// direction it holds both ways.
func (t *Table) Accept(parent, child uint64) bool {
	slot := t.findPair(parent, child)
	if slot == 0 {
		return false
	}
	t.settle(slot)
	p := t.pairs.Mut(slot)
	p.bothWays = order(p.credits, t.creditsBack(p)) < neededRatio
	t.decide(slot, Active)
	return true
}

// Reject makes a pair rejected, whatever it was: it is not suggested again. False when the table does not know it.
func (t *Table) Reject(parent, child uint64) bool {
	slot := t.findPair(parent, child)
	if slot == 0 {
		return false
	}
	t.decide(slot, Rejected)
	return true
}

func (t *Table) decide(slot uint32, status Status) {
	t.changes = t.changes[:0]
	if t.pairs.At(slot).status != status {
		t.become(slot, status)
	}
}

func (t *Table) findPair(parent, child uint64) uint32 {
	a, b := t.findType(parent), t.findType(child)
	if a == 0 || b == 0 {
		return 0
	}
	return t.find(a, b)
}

// Factor returns what grouping adds to the score of "child because of parent" when a person has made that pair active, in milli-nats:
// how many times more often it was seen than chance gives. It is 0 for all others.
func (t *Table) Factor(parent, child uint64) int64 {
	a, b := t.findType(parent), t.findType(child)
	if a == 0 || b == 0 {
		return 0
	}
	if slot := t.find(a, b); slot != 0 && t.pairs.At(slot).status == Active {
		return factor(t.pairs.At(slot))
	}
	if slot := t.find(b, a); slot != 0 && t.pairs.At(slot).status == Active && t.pairs.At(slot).bothWays {
		return factor(t.pairs.At(slot))
	}
	return 0
}

// factor adds one to both, so that a few credits say little.
func factor(p *pairRec) int64 {
	return min(max(fixed.LnRatio(p.credits+one, p.expected+one), 0), mostFactor)
}
