package flat

import "unsafe"

// slots hands out the records of pages by number, the last freed one first.
type slots struct {
	pages
	high  uint32 // every slot below was handed out at least once
	freed uint32 // depth of free
	free  pages  // stack of freed slot numbers (uint32); pages too, so that a view keeps its own
	limit uint32 // most pages a number can reach
}

// newSlots returns slots whose numbers have at most width bits.
func newSlots(t table, width uint8) slots {
	return slots{
		pages: pages{table: t},
		free:  pages{table: newDenseTable(4)},
		limit: uint32(1<<(width-t.shift) - 1),
	}
}

// alloc returns a zeroed slot, or false when its numbers are used up.
func (s *slots) alloc() (uint32, bool) {
	if s.freed > 0 {
		s.freed--
		return *(*uint32)(s.free.at(s.freed)), true
	}
	if s.high&s.mask == s.perPage { // the rest of the page is too short for a record
		s.high = (s.high | s.mask) + 1
	}
	if s.high>>s.shift == s.count {
		if s.count >= s.limit {
			return 0, false
		}
		s.grow()
	}
	s.high++
	return s.high - 1, true
}

// release zeroes slot i and makes it the next one to be handed out. Zeroing here and not in alloc
// keeps dead text out of snapshots.
func (s *slots) release(i uint32) {
	clear(unsafe.Slice((*byte)(s.mut(i)), s.size))
	if s.freed>>s.free.shift == s.free.count {
		s.free.grow()
	}
	*(*uint32)(s.free.mut(s.freed)) = i
	s.freed++
}

// used is the number of slots handed out and not freed.
func (s *slots) used() uint32 {
	return s.high>>s.shift*s.perPage + s.high&s.mask - s.freed
}

func (s *slots) stats() Stats {
	return Stats{
		Bytes: s.pages.heapBytes() + s.free.heapBytes(),
		Used:  uint64(s.used()),
		Free:  uint64(s.count)*uint64(s.perPage) - uint64(s.used()),
	}
}

// slotsView is slots frozen: all that a snapshot needs.
type slotsView struct {
	table
	high, freed uint32
	free        table
}

func (s *slots) view() slotsView {
	return slotsView{table: s.pages.view(), high: s.high, freed: s.freed, free: s.free.view()}
}

// Stats is what a container holds, for memory metrics.
type Stats struct {
	Bytes uint64 // pages and page tables on the heap; pages held by views only are not in it
	Used  uint64 // slots in use
	Free  uint64 // slots in pages, not in use
}

func (s Stats) plus(o Stats) Stats {
	return Stats{Bytes: s.Bytes + o.Bytes, Used: s.Used + o.Used, Free: s.Free + o.Free}
}
