package pairs

import "github.com/tocsin-noc/tocsin/internal/fixed"

// sampled is how many neighbours each trial looks at for what was to be expected; they take turns.
const sampled = 2

// trial is an onset being judged: who may have caused it.
type trial struct {
	child, ci  uint32
	at         int64
	resolution uint32
	n          int
	hits       [mostNeighbours]hit
}

// hit is a type that was seen in the window before.
type hit struct {
	typ, occ uint32
	weight   uint64 // millionths
	gap      int64  // ms
	tied     bool   // which came first cannot be known
}

// begin starts a trial and gathers its hits.
func (t *Table) begin(child, ci uint32, at int64, resolution uint32) {
	t.trial.child, t.trial.ci, t.trial.at, t.trial.resolution, t.trial.n = child, ci, at, resolution, 0
	t.gather(ci, 0)
}

// gather adds the types seen on a CI in the window. What was seen since again is left out: it may or may not have been there.
func (t *Table) gather(ci, hops uint32) {
	tr, c := &t.trial, t.item(ci)
	if tr.at-c.lastAt > t.set.Window {
		return
	}
	for i := range c.n {
		if c.types[i] == tr.child && hops == 0 {
			continue
		}
		o := t.occurrences.At(c.occ[i])
		if gap := tr.at - o.lastAt; gap >= 0 && gap <= t.set.Window {
			tr.add(hit{
				typ: o.typ, occ: c.occ[i], weight: fixed.Exp(-gap*1000/t.set.Tau) >> min(hops, 63), gap: gap,
				tied: gap < int64(max(o.resolution, tr.resolution)),
			})
		}
	}
}

// add keeps of each type the strongest.
func (tr *trial) add(h hit) {
	for i := range tr.n {
		if tr.hits[i].typ == h.typ {
			if tr.hits[i].weight < h.weight {
				tr.hits[i] = h
			}
			return
		}
	}
	if tr.n < len(tr.hits) {
		tr.hits[tr.n] = h
		tr.n++
	}
}

// shared returns the sum of all weights and that of the background, by which the credit is divided: at how many onsets of the child
// on the CI in the time tau nothing need have caused it.
func (t *Table) shared() uint64 {
	onsets := uint64(0)
	if occ := t.item(t.trial.ci).find(t.trial.child); occ != 0 {
		o := t.occurrences.At(occ)
		onsets = uint64(o.onsets >> (t.meta.Epoch - o.epoch))
	}
	sum := (2*onsets + 1) * uint64(t.set.Tau) * 1_000_000 / (2 * (t.meta.observed() + uint64(day)))
	for i := range t.trial.n {
		sum += t.trial.hits[i].weight
	}
	return max(sum, 1)
}

// onset makes the trial of a child that began on a CI.
func (t *Table) onset(child, ci uint32, at int64, resolution uint32, neighbours []Neighbour) {
	t.meta.Onsets++
	t.meta.Trials++
	ty := t.types.Mut(child)
	if passed := t.meta.Epoch - ty.epoch; passed > 0 {
		ty.trials, ty.epoch = ty.trials>>passed, t.meta.Epoch
	}
	turn := int(ty.trials)
	ty.trials++
	t.begin(child, ci, at, resolution)
	t.expect(ci, 1, 1, true)
	n := min(len(neighbours), sampled)
	for i := range n {
		t.expect(neighbours[(turn*sampled+i)%len(neighbours)].CI, uint64(len(neighbours)), uint64(n), false)
	}
	for _, next := range neighbours {
		if next.CI != ci {
			t.gather(next.CI, max(next.Hops, 1))
		}
	}
	t.credit()
}

// expect adds to each pair of a type on a CI and the child what chance would give it, times weight/of.
func (t *Table) expect(ci uint32, weight, of uint64, own bool) {
	if !own && ci == t.trial.ci {
		return
	}
	tr := &t.trial
	c, place := *t.item(ci), 0
	var lastAt [typesPerCI]int64
	for i := range c.n { // all at once: they lie far apart in memory, and waiting for one after the other is what a trial would cost
		lastAt[i] = t.occurrences.At(c.occ[i]).lastAt
	}
	for i := range c.n {
		if own && c.types[i] == tr.child || lastAt[i] > tr.at {
			continue
		}
		ty := t.types.At(tr.child)
		for place < int(ty.parents) && ty.list[place].typ < c.types[i] {
			place++
		}
		pair := uint32(0)
		switch {
		case place < int(ty.parents) && ty.list[place].typ == c.types[i]:
			pair = ty.list[place].pair
		case !ty.crowded: // from the first time that both are known, or the expectation would begin at a coincidence
			pair = t.newPair(c.types[i], tr.child, 0)
			place = 0 // room was made: places have moved
		}
		if pair != 0 {
			t.pairs.Mut(pair).expect(tr.at, t.chance(c.occ[i], tr.at)*weight/of)
		}
	}
}

// credit shares the trial's credit out.
func (t *Table) credit() {
	tr, sum := &t.trial, t.shared()
	for i := range tr.n {
		h := &tr.hits[i]
		share := h.weight * one / sum
		pair := t.pairOf(h)
		if pair == 0 {
			continue
		}
		t.settle(pair)
		if h.tied { // half to each order
			share /= 2
		}
		credited := t.pairs.Mut(pair).credit(tr, h, share)
		if h.tied && h.typ != tr.child {
			t.creditBack(h, share)
		}
		if credited {
			t.judge(pair)
		}
	}
}

// creditBack gives its share to the other order of a hit.
func (t *Table) creditBack(h *hit, share uint64) {
	back := t.find(t.trial.child, h.typ)
	if back == 0 {
		back = t.newPair(t.trial.child, h.typ, t.chance(h.occ, t.trial.at))
	}
	if back == 0 {
		return
	}
	t.settle(back)
	if t.pairs.Mut(back).credit(&t.trial, h, share) {
		t.judge(back)
	}
}

// pairOf returns the pair of a hit and the child, made when it is new; 0 when there is no room.
func (t *Table) pairOf(h *hit) uint32 {
	tr := &t.trial
	if pair := t.find(h.typ, tr.child); pair != 0 {
		return pair
	}
	// It was not followed until now. What chance would have given it meanwhile is made good, rather too much than too little.
	trials := uint64(0)
	if ty := t.types.At(tr.child); ty.crowded {
		trials = uint64(ty.trials)
	} else if occ := t.item(tr.ci).find(tr.child); occ != 0 {
		trials = uint64(t.occurrences.At(occ).onsets)
	}
	return t.newPair(h.typ, tr.child, (trials+1)*t.chance(h.occ, tr.at))
}
