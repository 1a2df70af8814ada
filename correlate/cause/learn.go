package cause

import (
	"slices"

	"github.com/tocsin-noc/tocsin/event"
)

// maxCounts bounds the signatures that are remembered.
const maxCounts = 1_000_000

// Learn takes a cluster that is over into what is ordinary in its component, and forgets its evidence.
func (b *Book) Learn(cluster, component uint32) {
	if cluster >= b.clusters.Len() {
		return
	}
	if b.clusters.At(cluster).proofs != 0 {
		grow(b.components, component).clusters++
	}
	for slot := b.clusters.At(cluster).proofs; slot != 0; {
		p := *b.proofs.At(slot)
		if !p.withdrawn {
			b.take(&p)
		}
		b.byProof.Delete(mix(cluster, p.hash), slot)
		b.proofs.Free(slot)
		slot = p.next
	}
	b.forgetSuspects(cluster)
	*b.clusters.Mut(cluster) = running{}
}

// take counts a signature of a cluster that is over.
func (b *Book) take(p *proof) {
	fresh := b.tally(p.hash, p.late, 1)
	b.tally(p.kind, p.late, 1)
	if kind := b.slot(p.kind); fresh && kind != 0 {
		b.counts.Mut(kind).distinct++
	}
}

// Withdraw sees to it that a signature of a running cluster is not learned from: it turned out to be no part of an ordinary day. It tells
// whether the cluster has it.
func (b *Book) Withdraw(cluster uint32, hash uint64) bool {
	slot := b.proof(cluster, hash&^1)
	if slot != 0 {
		b.proofs.Mut(slot).withdrawn = true
	}
	return slot != 0
}

func (b *Book) forgetSuspects(cluster uint32) {
	b.fronts.drop(cluster)
	for slot := b.clusters.At(cluster).suspects; slot != 0; {
		x := *b.suspects.At(slot)
		b.bySuspect.Delete(mix(cluster, uint64(x.item)), slot)
		b.suspects.Free(slot)
		slot = x.next
	}
}

func (b *Book) slot(hash uint64) uint32 {
	slot, _ := b.byHash.Find(hash, func(ref uint32) bool { return b.counts.At(ref).hash == hash })
	return slot
}

// tally moves the count of a signature and tells whether it is new.
func (b *Book) tally(hash uint64, late bool, by int32) (fresh bool) {
	slot := b.slot(hash)
	if slot == 0 {
		if by < 0 || b.byHash.Len() >= maxCounts {
			return false
		}
		slot, fresh = b.counts.Alloc(), true
		b.counts.Mut(slot).hash = hash
		b.byHash.Insert(hash, slot)
	}
	n := &b.counts.Mut(slot).n[0]
	if late {
		n = &b.counts.Mut(slot).n[1]
	}
	if by > 0 || *n > 0 {
		*n += uint32(by)
	}
	return fresh
}

// Halve halves all that is learned, and forgets what comes to nothing. It is for every 30 days, so that what was ordinary long ago does
// not stay so.
func (b *Book) Halve() {
	for slot := uint32(1); slot < b.counts.Len(); slot++ {
		c := b.counts.At(slot)
		if c.hash == 0 {
			continue
		}
		if c.n[0]/2 == 0 && c.n[1]/2 == 0 {
			b.byHash.Delete(c.hash, slot)
			b.counts.Free(slot)
			continue
		}
		m := b.counts.Mut(slot)
		m.n[0], m.n[1] = m.n[0]/2, m.n[1]/2
	}
	for slot := uint32(1); slot < b.components.Len(); slot++ {
		if b.components.At(slot).clusters > 0 {
			b.components.Mut(slot).clusters /= 2
		}
	}
}

// Judge takes in what a person said of a cause. signs are what the item said: at a cause that is no sign of an ordinary day, elsewhere it
// is one more. component is 0 where the incident was never of one.
func (b *Book) Judge(component uint32, verdict event.Verdict, signs []uint64) {
	by := int32(1)
	if verdict == event.CauseRight || verdict == event.CauseOther {
		by = -1
	}
	if component != 0 {
		c := grow(b.components, component)
		c.judged++ // that it was another counts against the machine, too
		if verdict == event.CauseRight {
			c.right++
		}
	}
	for _, sign := range signs {
		b.tally(sign&^1, sign&1 == 1, by)
	}
}

// Merge makes the evidence of one cluster another's.
func (b *Book) Merge(into, gone uint32) {
	if gone >= b.clusters.Len() || gone == into {
		return
	}
	b.fronts.drop(gone)
	from := *b.clusters.At(gone)
	r := grow(b.clusters, into)
	for slot := from.proofs; slot != 0; {
		p := *b.proofs.At(slot)
		b.byProof.Delete(mix(gone, p.hash), slot)
		if b.proof(into, p.hash) != 0 { // it says the same in both
			if x := b.suspect(gone, p.item); x != 0 {
				b.suspects.Mut(x).sum -= int64(p.weight)
				b.suspects.Mut(x).proofs--
			}
			b.proofs.Free(slot)
		} else {
			m := b.proofs.Mut(slot)
			m.cluster, m.next = into, r.proofs
			r.proofs = slot
			b.byProof.Insert(mix(into, p.hash), slot)
		}
		slot = p.next
	}
	for slot := from.suspects; slot != 0; {
		x := *b.suspects.At(slot)
		b.bySuspect.Delete(mix(gone, uint64(x.item)), slot)
		if known := b.suspect(into, x.item); known != 0 {
			b.suspects.Mut(known).add(&x)
			b.suspects.Free(slot)
			b.rise(into, known)
		} else {
			m := b.suspects.Mut(slot)
			m.cluster, m.next = into, r.suspects
			r.suspects = slot
			r.accused++
			b.bySuspect.Insert(mix(into, uint64(x.item)), slot)
			b.rise(into, slot)
		}
		slot = x.next
	}
	if r.began == 0 || from.began != 0 && from.began < r.began {
		r.began = from.began
	}
	if r.first == 0 || from.first != 0 && from.first < r.first {
		r.first = from.first
	}
	if r.newsAt == 0 {
		r.newsAt = max(from.newsAt, from.ranked)
	}
	*b.clusters.Mut(gone) = running{}
}

// add takes in what another cluster had against the same item.
func (x *suspect) add(o *suspect) {
	x.first = min(x.first, o.first)
	x.sum += o.sum
	x.proofs += o.proofs
	if o.weights[0] > x.weights[0] {
		x.alert = o.alert
	}
	for i, sign := range o.signs {
		if !slices.ContainsFunc(x.signs[:], func(known uint64) bool { return known&^1 == sign&^1 }) {
			x.note(sign, o.weights[i])
		}
	}
}

// Learned returns how many clusters of a component the tables rest on.
func (b *Book) Learned(component uint32) uint32 {
	if component >= b.components.Len() {
		return 0
	}
	return b.components.At(component).clusters
}
