package flat

// Places finds where numbers lie in a list that is made anew again and again. It takes 8 bytes for each number up to the largest, and to
// begin anew costs nothing. The zero value must be Reset before use.
type Places struct {
	of    []uint64 // by number: the stamp in the upper half, the place in the list below
	stamp uint64
}

// Reset forgets all places.
func (p *Places) Reset() {
	if p.stamp++; p.stamp>>32 != 0 {
		clear(p.of)
		p.stamp = 1
	}
}

// Find returns the place of a number, and whether it has one.
func (p *Places) Find(number uint32) (place uint32, found bool) {
	if uint64(number) >= uint64(len(p.of)) {
		return 0, false
	}
	e := p.of[number]
	return uint32(e), e>>32 == p.stamp
}

// Put gives a number its place.
func (p *Places) Put(number, place uint32) {
	if short := int(number) + 1 - len(p.of); short > 0 {
		p.of = append(p.of, make([]uint64, short)...)
	}
	p.of[number] = p.stamp<<32 | uint64(place)
}
