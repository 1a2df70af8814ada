package pairs

import (
	"encoding/binary"

	"github.com/tocsin-noc/tocsin/internal/flat"
)

// A decoy is an onset tried again when it is long past: what lies in the window then cannot have caused it, but is as busy as what did.
// How many pairs stand out among decoys tells how many of those suggested stand out by chance.
type decoy struct {
	dueAt      int64
	typ, ci    uint32
	resolution uint32
	neighbours flat.Ref // of each its CI and its hops
}

// decoysAtOnce bounds the work of one observation.
const decoysAtOnce = 4

// await puts a decoy into the ring.
func (t *Table) await(typ, ci uint32, due int64, resolution uint32, neighbours []Neighbour) {
	m := &t.meta
	if m.Waiting >= m.Ring {
		m.LostDecoys++
		return
	}
	slot := 1 + (m.First+m.Waiting)%m.Ring
	for t.decoys.Len() <= slot {
		t.decoys.Alloc()
	}
	t.bytes = t.bytes[:0]
	for _, next := range neighbours {
		t.bytes = binary.LittleEndian.AppendUint32(t.bytes, next.CI)
		t.bytes = binary.LittleEndian.AppendUint32(t.bytes, next.Hops)
	}
	*t.decoys.Mut(slot) = decoy{dueAt: due, typ: typ, ci: ci, resolution: resolution, neighbours: t.reach.Put(t.bytes)}
	t.types.Mut(typ).refs++
	m.Waiting++
}

// dueDecoys tries the decoys whose time has come.
func (t *Table) dueDecoys(now int64) {
	for range decoysAtOnce {
		slot := 1 + t.meta.First
		if t.meta.Waiting == 0 || t.decoys.At(slot).dueAt >= now {
			return
		}
		d := *t.decoys.At(slot)
		t.tryDecoy(&d)
		t.types.Mut(d.typ).refs--
		t.reach.Free(d.neighbours)
		*t.decoys.Mut(slot) = decoy{}
		t.meta.First = (t.meta.First + 1) % t.meta.Ring
		t.meta.Waiting--
	}
}

// tryDecoy makes the trial of a decoy.
func (t *Table) tryDecoy(d *decoy) {
	t.meta.DecoyTrials++
	t.begin(d.typ, d.ci, d.dueAt, d.resolution)
	for list := t.reach.Bytes(d.neighbours); len(list) > 0; list = list[8:] {
		if ci := binary.LittleEndian.Uint32(list); ci != d.ci {
			t.gather(ci, max(binary.LittleEndian.Uint32(list[4:]), 1))
		}
	}
	tr := &t.trial
	if tr.n == 0 {
		return
	}
	sum := t.shared()
	for i := range tr.n {
		h := &tr.hits[i]
		pair := t.find(h.typ, d.typ)
		if pair == 0 && !t.types.At(d.typ).crowded {
			pair = t.pairOf(h)
		}
		if pair == 0 {
			continue
		}
		t.settle(pair)
		if p, b := t.pairs.Mut(pair), uint32(d.dueAt/bucket); b > p.decoyBucket {
			p.decoyBucket = b
			p.decoyHits++
			p.decoyCredits += h.weight * one / sum
		}
	}
}
