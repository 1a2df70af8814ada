package flat

const segmentCap = 511

// segment is one bucket of an Index: up to 511 entries, ascending, with no gaps. An entry is
// tag<<32 | ref. All tags of a segment share their top depth bits. 4 KiB.
type segment struct {
	next  uint32 // an older segment for the same tags: the overflow chain; 0 is its end
	n     uint16
	depth uint8
	_     uint8
	e     [segmentCap]uint64
}

// search returns the place of the first entry not below key. Tags are spread evenly, so the place
// is guessed from the tag and lies, on average, within ten entries of the guess.
func (s *segment) search(key uint64) int {
	n := int(s.n)
	spread := uint64(uint32(key>>32) << s.depth)
	i := int(spread * uint64(n) >> 32)
	if i < n && s.e[i] < key {
		for i++; i < n && s.e[i] < key; i++ {
		}
		return i
	}
	for i > 0 && s.e[i-1] >= key {
		i--
	}
	return i
}

// insert adds key; the segment must not be full.
func (s *segment) insert(key uint64) {
	i := s.search(key)
	copy(s.e[i+1:s.n+1], s.e[i:s.n])
	s.e[i] = key
	s.n++
}

// remove takes out the entry at i.
func (s *segment) remove(i int) {
	copy(s.e[i:], s.e[i+1:s.n])
	s.n--
	s.e[s.n] = 0
}

// find returns the first ref with tag that eq accepts.
func (s *segment) find(tag uint32, eq func(uint32) bool) (uint32, bool) {
	for i := s.search(uint64(tag) << 32); i < int(s.n) && uint32(s.e[i]>>32) == tag; i++ {
		if ref := uint32(s.e[i]); eq(ref) {
			return ref, true
		}
	}
	return 0, false
}
