package records

import (
	"fmt"
	"slices"

	"github.com/tocsin-noc/tocsin/event"
)

// readBack is the window of who reads a chain backwards: in a storm many entries of one incident lie close together.
const readBack = 8 << 10

// Timeline returns the entries of an incident after (afterSeq, afterN), oldest first, at most limit of them. total counts
// all entries it ever had; more says that others follow those returned. Entries that were dropped are passed over: see Dropped.
// Of claims only the times are given. An unknown incident has no entries. The error is ErrClosed, a CorruptError or one of reading.
func (s *Store) Timeline(id event.IncidentID, afterSeq uint64, afterN uint32, limit int) (entries []event.Change, total int, more bool, err error) {
	s.mu.Lock()
	slot, closed := s.index.at(id), s.closed
	s.mu.Unlock()
	if closed {
		return nil, 0, false, ErrClosed
	}
	total = int(slot.count)
	if total == 0 {
		return nil, 0, false, nil
	}
	c := chain{id: id, slot: slot, near: reader{s: s, back: readBack}, far: reader{s: s}}
	entries, more, err = c.page(cursor{afterSeq, afterN}, limit)
	return entries, total, more, err
}

// Total returns how many entries the incident ever had, those dropped since included. 0 for an unknown one.
func (s *Store) Total(id event.IncidentID) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int(s.index.at(id).count)
}

// Dropped tells whether the incident's oldest entries were dropped at the bound, so that its timeline begins later.
func (s *Store) Dropped(id event.IncidentID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	slot := s.index.at(id)
	return slot.count > 0 && slot.first < s.segs[0].number
}

// chain reads one incident's entries as they were when slot was taken. One goroutine uses it.
type chain struct {
	id        event.IncidentID
	slot      slot
	near, far reader // along prev, along milestones
}

// page returns the first limit entries after the cursor. It has no holes: where entries are dropped while it reads, those
// in front of them count as dropped too.
func (c *chain) page(after cursor, limit int) (entries []event.Change, more bool, err error) {
	next := uint32(0) // ordinal that continues entries
	first, err := c.firstGroup(after)
	if err != nil {
		return nil, false, err
	}
	for g := first; g <= (c.slot.count-1)/groupSize; g++ {
		frames, err := c.group(g, after)
		if err != nil {
			return nil, false, err
		}
		for i := range frames {
			if frames[i].ordinal != next {
				entries = entries[:0]
			}
			if len(entries) >= limit {
				return entries, true, nil
			}
			next = frames[i].ordinal + 1
			ch, err := c.decode(&frames[i])
			if err != nil {
				return nil, false, err
			}
			entries = append(entries, ch)
		}
	}
	return entries, false, nil
}

// firstGroup returns the number of the group in which entries after the cursor begin.
func (c *chain) firstGroup(after cursor) (uint32, error) {
	f, found, err := c.descend(func(f *frame) bool { return !after.before(f.cursor) })
	if err != nil {
		return 0, err
	}
	switch {
	case f.id == 0: // not even the latest milestone is kept
		return (c.slot.count - 1) / groupSize, nil
	case found || f.ordinal == 0:
		return f.ordinal / groupSize, nil
	default: // of the group before the oldest milestone some may be kept
		return f.ordinal/groupSize - 1, nil
	}
}

// descend returns the latest milestone that reached accepts; reached accepts all that are older than one it accepts. Where
// none is found it returns the oldest that is kept, a zero frame when there is none.
func (c *chain) descend(reached func(*frame) bool) (f frame, found bool, err error) {
	next := c.slot.milestone
	for {
		g, kept, err := c.milestone(next)
		if !kept || err != nil {
			return f, false, err
		}
		f = g
		if reached(&f) {
			return f, true, nil
		}
		next = f.skip
		if f.jump == f.skip {
			continue
		}
		far, kept, err := c.milestone(f.jump)
		if err != nil {
			return f, false, err
		}
		if kept && !reached(&far) {
			next = f.jump
		}
	}
}

// milestone reads the milestone at pos.
func (c *chain) milestone(pos position) (f frame, kept bool, err error) {
	if pos == 0 {
		return frame{}, false, nil
	}
	f, kept, err = c.far.frame(c.id, pos)
	f.change = nil // it would change with the window
	if kept && !f.milestone() {
		return frame{}, false, c.far.corrupt(pos, "no milestone")
	}
	return f, kept, err
}

// group returns the kept entries of group g after the cursor, oldest first.
func (c *chain) group(g uint32, after cursor) ([]frame, error) {
	pos := c.slot.last
	if g < (c.slot.count-1)/groupSize {
		f, found, err := c.descend(func(f *frame) bool { return f.ordinal <= (g+1)*groupSize })
		if !found || err != nil {
			return nil, err
		}
		pos = f.prev
	}
	frames := make([]frame, 0, groupSize)
	var text []byte // what the frames' changes lie in
	for pos != 0 {
		f, kept, err := c.near.frame(c.id, pos)
		if err != nil {
			return nil, err
		}
		if !kept || !after.before(f.cursor) {
			break
		}
		if f.ordinal/groupSize != g || len(frames) == groupSize || f.prev >= pos {
			return nil, c.near.corrupt(pos, "out of its chain")
		}
		text = append(text, f.change...)
		f.change = text[len(text)-len(f.change) : len(text) : len(text)]
		frames = append(frames, f)
		pos = f.prev
		if f.milestone() {
			break
		}
	}
	slices.Reverse(frames)
	return frames, nil
}

// decode returns the change of f.
func (c *chain) decode(f *frame) (event.Change, error) {
	if f.kind == kindRedacted {
		return decodeRedacted(f)
	}
	changes, err := event.DecodeChanges(f.change, f.cursor.seq, f.at)
	if err == nil && len(changes) != 1 {
		err = fmt.Errorf("%w: %d changes in one entry", event.ErrMalformed, len(changes))
	}
	if err != nil {
		return event.Change{}, fmt.Errorf("records: %v, change %d.%d: %w", c.id, f.cursor.seq, f.cursor.n, err)
	}
	changes[0].N = f.cursor.n
	return changes[0], nil
}
