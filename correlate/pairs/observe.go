package pairs

// Observation is an alert that began to fire, or one more notification of it.
type Observation struct {
	Type       uint64 // hash of the tenant and the template
	Name       string // of the type, for people; kept from its first observation, and needed only then
	CI         uint32 // slot; 0: none, and nothing is learned
	At         int64  // event time in ms; never after the time at which the alert arrived
	Resolution int64  // ms; how coarse At is, 0 is taken as 1
	Neighbours []Neighbour
	Further    uint32 // connected CIs that are not among them, because there were too many
}

// Neighbour is a connected CI. Both those that a CI depends on and those that depend on it should be given, or the order of alerts
// on them says nothing about direction.
type Neighbour struct {
	CI   uint32
	Hops uint32 // at least 1
}

// Change is a pair that became what it was not.
type Change struct {
	Parent, Child uint64 // types
	Status        Status
}

// Observe learns from one alert, and returns the pairs that are suggested now and were not, or no longer. What it returns is valid
// until the next call. It is a function of the table and o alone.
func (t *Table) Observe(o *Observation) []Change {
	t.changes = t.changes[:0]
	at := max(o.At, 0)
	if known := t.findType(o.Type); known != 0 { // upkeep does not forget it now
		t.types.Mut(known).seenAt = max(t.types.At(known).seenAt, at)
	}
	t.advance(at)
	t.upkeep()
	t.dueDecoys(at)
	if o.CI == 0 {
		return t.changes
	}
	if o.CI > t.set.CIs {
		t.meta.RefusedCIs++
		return t.changes
	}
	typ := t.typeOf(o.Type, o.Name)
	if typ == 0 {
		return t.changes
	}
	t.meta.Observed++
	t.types.Mut(typ).seenAt = max(t.types.At(typ).seenAt, at)
	occ := t.item(o.CI).find(typ)
	if occ != 0 && at < t.occurrences.At(occ).lastAt { // what came later has been seen already
		t.meta.LateAlerts++
		return t.changes
	}
	resolution := uint32(min(max(o.Resolution, 1), day))
	if (occ == 0 || at-t.occurrences.At(occ).lastAt >= bucket) && t.tries() {
		neighbours := o.Neighbours
		t.meta.RefusedNeighbours += uint64(o.Further)
		if len(neighbours) > mostNeighbours {
			t.meta.RefusedNeighbours += uint64(len(neighbours) - mostNeighbours)
			neighbours = neighbours[:mostNeighbours]
		}
		t.onset(typ, o.CI, at, resolution, neighbours)
		t.await(typ, o.CI, at+t.set.Shift, resolution, neighbours)
	}
	t.remember(typ, o.CI, occ, at, resolution)
	return t.changes
}

// tries tells whether an onset is tried. In a storm, most of what begins says nothing new of what leads to what: of the onsets beyond so many
// in a short time only some are, and no decoy is made of the others either. What is to be expected and what is credited shrink alike.
func (t *Table) tries() bool {
	m := &t.meta
	if slot := m.Now / rushSlot; slot != m.Slot {
		m.Slot, m.InSlot = slot, 0
	}
	if m.InSlot++; m.InSlot <= rushOnsets || m.InSlot%rushShare == 0 {
		return true
	}
	m.UntriedOnsets++
	return false
}

// advance moves the table's time on; it never goes back.
func (t *Table) advance(at int64) {
	m := &t.meta
	if m.Observed == 0 {
		m.BeganAt = at
	}
	m.Now = max(m.Now, at)
	epoch := uint32((m.Now - m.BeganAt) / halfLife)
	for passed := min(epoch-m.Epoch, 64); passed > 0; passed-- {
		m.Carried = (m.Carried + halfLife) / 2
		m.Trials /= 2
		m.DecoyTrials /= 2
	}
	m.Epoch = epoch
}

// observed is for how long the table has observed, in ms, with what is older counting less, as all counts do.
func (m *meta) observed() uint64 {
	return uint64(m.Carried + m.Now - m.BeganAt - int64(m.Epoch)*halfLife)
}

// find returns the occurrence of a type, 0 when there is none.
func (c *ciRec) find(typ uint32) uint32 {
	for i := range c.n {
		if c.types[i] == typ {
			return c.occ[i]
		}
	}
	return 0
}

// remember notes an alert as the last of its type on a CI.
func (t *Table) remember(typ, ci, occ uint32, at int64, resolution uint32) {
	if occ == 0 {
		occ = t.newOccurrence(typ, ci, at)
	}
	o := t.occurrences.Mut(occ)
	if passed := t.meta.Epoch - o.epoch; passed > 0 {
		o.covered, o.onsets, o.epoch = o.covered>>passed, o.onsets>>passed, t.meta.Epoch
	}
	gap := at - o.lastAt
	covers := uint64(t.set.Window)
	if o.onsets > 0 || o.covered > 0 {
		covers = uint64(min(gap, t.set.Window))
		o.recent = faded(o.recent, gap)
	}
	o.covered += covers
	o.recent += covers
	if gap >= bucket || o.onsets == 0 {
		o.onsets++
	}
	o.lastAt, o.resolution = at, resolution
	c := t.cis.Mut(*t.places.At(ci))
	c.lastAt = max(c.lastAt, at)
	t.types.Mut(typ).countTime(at, covers)
}

// newOccurrence makes room for a type on a CI.
func (t *Table) newOccurrence(typ, ci uint32, at int64) uint32 {
	if c := t.item(ci); c.n == typesPerCI {
		oldest := c.occ[0]
		for _, occ := range c.occ[1:] {
			if t.occurrences.At(occ).lastAt < t.occurrences.At(oldest).lastAt {
				oldest = occ
			}
		}
		t.evictOccurrence(oldest)
	}
	if t.meta.Occurrences >= t.set.Occurrences {
		t.makeRoomForOccurrence()
	}
	occ := t.occurrences.Alloc()
	*t.occurrences.Mut(occ) = occurrence{typ: typ, ci: ci, lastAt: at, epoch: t.meta.Epoch}
	for t.places.Len() <= ci {
		t.places.Alloc()
	}
	if *t.places.At(ci) == 0 {
		*t.places.Mut(ci) = t.cis.Alloc()
	}
	c := t.cis.Mut(*t.places.At(ci))
	i := c.n
	for ; i > 0 && c.types[i-1] > typ; i-- {
		c.types[i], c.occ[i] = c.types[i-1], c.occ[i-1]
	}
	c.types[i], c.occ[i] = typ, occ
	c.n++
	t.types.Mut(typ).refs++
	t.meta.Occurrences++
	return occ
}

func (t *Table) evictOccurrence(occ uint32) {
	t.meta.EvictedOccurrences++
	t.freeOccurrence(occ)
}

func (t *Table) freeOccurrence(occ uint32) {
	o := t.occurrences.At(occ)
	c := t.cis.Mut(*t.places.At(o.ci))
	kept := uint32(0)
	for i := range c.n {
		if c.occ[i] != occ {
			c.types[kept], c.occ[kept] = c.types[i], c.occ[i]
			kept++
		}
	}
	c.n = kept
	c.types[kept], c.occ[kept] = 0, 0
	if kept == 0 {
		t.cis.Free(*t.places.At(o.ci))
		*t.places.Mut(o.ci) = 0
	}
	t.types.Mut(o.typ).refs--
	t.occurrences.Free(occ)
	t.meta.Occurrences--
}

// ForgetCI drops what is remembered of a CI, whose slot may then name another.
func (t *Table) ForgetCI(ci uint32) {
	for t.item(ci).n > 0 {
		t.freeOccurrence(t.item(ci).occ[0])
	}
}
