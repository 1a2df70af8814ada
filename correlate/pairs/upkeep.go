package pairs

// lookedAt is how many slots a search for room looks at.
const lookedAt = 16

// next moves a hand to the next slot of a slab of length n, 0 when it is empty.
func next(hand *uint32, n uint32) uint32 {
	if n <= 1 {
		return 0
	}
	if *hand++; *hand >= n {
		*hand = 1
	}
	return *hand
}

// upkeep looks at one slot of each kind, so that no moment ever has to look at all of them.
func (t *Table) upkeep() {
	m := &t.meta
	// When types run short, those that were seen once, as after a change of a template, make room soon.
	short := m.Types > t.set.Types-t.set.Types/8
	if slot := next(&m.PairHand, t.pairs.Len()); slot != 0 && t.pairs.At(slot).child != 0 {
		t.keepPair(slot, short)
	}
	if slot := next(&m.OccHand, t.occurrences.Len()); slot != 0 && t.occurrences.At(slot).typ != 0 {
		switch o := t.occurrences.At(slot); {
		case m.Now-o.lastAt > 2*halfLife:
			t.freeOccurrence(slot)
		case short && o.onsets < 2 && m.Now-o.lastAt > day:
			t.evictOccurrence(slot)
		}
	}
	if slot := next(&m.TypeHand, t.types.Len()); slot != 0 {
		if ty := t.types.At(slot); ty.used && ty.refs == 0 && m.Now-ty.seenAt > 2*halfLife {
			t.freeType(slot)
		}
	}
}

// keepPair halves a pair's counts when it is time, and lets go of what nothing has confirmed since.
func (t *Table) keepPair(slot uint32, short bool) {
	p, quiet := t.pairs.At(slot), t.meta.Now-int64(t.pairs.At(slot).bucket)*bucket
	if short && p.status == Candidate && p.hits < 2 && quiet > day {
		t.evictPair(slot)
		return
	}
	if p.epoch == t.meta.Epoch {
		return
	}
	t.settle(slot)
	p = t.pairs.At(slot)
	switch {
	case p.status == Suggested && (p.hits == 0 || ratio(p.credits, p.expected) < neededRatio/4):
		t.meta.LapsedSuggestions++
		t.become(slot, Candidate)
	case p.status == Candidate && p.hits == 0 && p.decoyHits == 0 && quiet > 2*halfLife:
		t.freePair(slot)
	}
}

// settle halves a pair's counts once for each period that has passed.
func (t *Table) settle(slot uint32) {
	passed := t.meta.Epoch - t.pairs.At(slot).epoch
	if passed == 0 {
		return
	}
	p := t.pairs.Mut(slot)
	p.epoch = t.meta.Epoch
	for _, n := range [...]*uint64{&p.expected, &p.credits, &p.decoyCredits, &p.lags} {
		*n >>= passed
	}
	for _, n := range [...]*uint32{&p.hits, &p.ties, &p.decoyHits, &p.lookAt} {
		*n >>= passed
	}
}

// makeRoomForType forgets a type that nothing names any more.
func (t *Table) makeRoomForType() bool {
	for range lookedAt {
		if slot := next(&t.meta.TypeHand, t.types.Len()); slot != 0 && t.types.At(slot).used && t.types.At(slot).refs == 0 {
			t.freeType(slot)
			return true
		}
	}
	return false
}

// makeRoomForOccurrence forgets the oldest of some.
func (t *Table) makeRoomForOccurrence() {
	oldest := uint32(0)
	for range lookedAt {
		slot := next(&t.meta.OccHand, t.occurrences.Len())
		if o := t.occurrences.At(slot); o.typ != 0 && (oldest == 0 || o.lastAt < t.occurrences.At(oldest).lastAt) {
			oldest = slot
		}
	}
	if oldest != 0 {
		t.evictOccurrence(oldest)
	}
}

// makeRoomForPair forgets the weakest of some candidates.
func (t *Table) makeRoomForPair() bool {
	weakest := uint32(0)
	for range lookedAt {
		if slot := next(&t.meta.PairHand, t.pairs.Len()); t.pairs.At(slot).child != 0 {
			weakest = t.weaker(weakest, slot)
		}
	}
	if weakest != 0 {
		t.evictPair(weakest)
	}
	return weakest != 0
}
