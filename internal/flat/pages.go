package flat

import (
	"math/bits"
	"slices"
	"unsafe"
)

// pageBytes is the size a page aims at. Smaller pages make the copy after a view cheaper, and the
// tables and the collector's work larger; docs/adr/0002 has the measurement.
const pageBytes = 4 << 10

// leaf is a part of a table: 64 pages by number, each by its first byte. Copying a leaf while the
// collector marks costs a cache miss per pointer, hence so few.
type leaf [1 << leafBits]unsafe.Pointer

const leafBits = 6

// table finds records of one size by number. It is the immutable half: a view keeps only this.
//
//	number  ┌ leaf ┬ page in leaf, 6 bits ┬ place in page, shift bits ┐
type table struct {
	leaves  []*leaf
	count   uint32  // pages
	size    uintptr // bytes per record
	perPage uint32  // records per page, at most mask+1
	mask    uint32  // number & mask is the place in the page
	shift   uint8   // number >> shift is the page
}

// newTable lays out records of size bytes, as many to a page as fit.
func newTable(size uintptr) table {
	per := max(uint32(pageBytes/size), 1)
	shift := uint8(bits.Len32(per - 1))
	return table{size: size, perPage: per, shift: shift, mask: 1<<shift - 1}
}

// newDenseTable is newTable with a power of two to a page, so that numbers have no gaps.
func newDenseTable(size uintptr) table {
	t := newTable(size)
	if t.perPage&(t.perPage-1) != 0 {
		t.shift--
		t.mask >>= 1
		t.perPage = 1 << t.shift
	}
	return t
}

// page returns the first byte of page n.
func (t *table) page(n uint32) unsafe.Pointer { return t.leaves[n>>leafBits][n%(1<<leafBits)] }

// at returns record i. A page that is not there faults; the place in it is the caller's to check.
func (t *table) at(i uint32) unsafe.Pointer {
	return unsafe.Add(t.page(i>>t.shift), uintptr(i&t.mask)*t.size)
}

// words is the page size in units of 8 bytes. Pages are made of uint64: no pointers for the
// collector to follow, and aligned for every record type.
func (t *table) words() int { return int((uintptr(t.perPage)*t.size + 7) / 8) }

// bytes returns the whole of page n.
func (t *table) bytes(n int) []byte {
	return unsafe.Slice((*byte)(t.page(uint32(n))), t.words()*8)
}

// pagesFor is the number of pages that records 0 to n-1 take.
func (t *table) pagesFor(n uint32) uint32 {
	return uint32((uint64(n) + uint64(t.mask)) >> t.shift)
}

// pages is the owner's half of a table: it grows, and copies what a view may hold before a write.
type pages struct {
	table
	epoch    uint64   // number of views taken
	pageBorn []uint64 // epoch in which a page was made; another than epoch: a view may hold it
	leafBorn []uint64 // the same of leaves
	rootBorn uint64   // the same of table.leaves
}

// view freezes the present content. What is added later lies behind its count.
func (p *pages) view() table {
	p.epoch++
	v := p.table
	v.leaves = slices.Clip(v.leaves)
	return v
}

// grow adds a zeroed page.
func (p *pages) grow() {
	if p.count>>leafBits == uint32(len(p.leaves)) {
		p.leaves = append(p.leaves, new(leaf))
		p.leafBorn = append(p.leafBorn, p.epoch)
	}
	page := make([]uint64, p.words())
	p.leaves[p.count>>leafBits][p.count%(1<<leafBits)] = unsafe.Pointer(unsafe.SliceData(page))
	p.pageBorn = append(p.pageBorn, p.epoch)
	p.count++
}

// mut returns record i for writing.
func (p *pages) mut(i uint32) unsafe.Pointer {
	if p.pageBorn[i>>p.shift] != p.epoch {
		p.own(i >> p.shift)
	}
	return p.at(i)
}

// own replaces page n, which a view may hold, by a copy; the way to it first.
func (p *pages) own(n uint32) {
	if p.rootBorn != p.epoch {
		p.leaves = slices.Clone(p.leaves)
		p.rootBorn = p.epoch
	}
	l := n >> leafBits
	if p.leafBorn[l] != p.epoch {
		clone := *p.leaves[l]
		p.leaves[l], p.leafBorn[l] = &clone, p.epoch
	}
	page := slices.Clone(unsafe.Slice((*uint64)(p.page(n)), p.words()))
	p.leaves[l][n%(1<<leafBits)] = unsafe.Pointer(unsafe.SliceData(page))
	p.pageBorn[n] = p.epoch
}

// heapBytes is what pages and tables take on the heap, without the allocator's rounding.
func (p *pages) heapBytes() uint64 {
	return uint64(p.count)*uint64(p.words())*8 + uint64(len(p.leaves))*uint64(unsafe.Sizeof(leaf{})) +
		uint64(cap(p.leaves)+cap(p.leafBorn)+cap(p.pageBorn))*8
}
