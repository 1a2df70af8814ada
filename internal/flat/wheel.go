package flat

import "math/bits"

const (
	wheelLevels = 6
	wheelSlots  = 256
	maxAt       = 1<<(8*wheelLevels) - 1 // year 10889
)

// timer is a node of a circular list, 20 bytes.
type timer struct {
	next, prev uint32
	ref        uint32
	atLow      uint32
	atHigh     uint16
	kind       uint8
	level      uint8 // of its bucket, plus 1; 0 is a free node
}

func (t *timer) at() int64 { return int64(t.atHigh)<<32 | int64(t.atLow) }

// bucket is the list of the timers of one slot of one level.
type bucket struct {
	head uint32
	_    uint32
	min  int64 // no timer of the list is due before, ms
}

// Wheel holds timers by time in milliseconds since any epoch. They fire in the order of their time;
// those of the same millisecond in the order they were set.
//
// A timer's bucket is where its time differs from now, written in digits of 8 bits: the highest
// digit that differs is the level, its value the slot. When now enters a slot of an upper level,
// the timers there move down; so timers of the same time are always in one list.
//
//	level 0: 256 slots of 1 ms   1: of 256 ms   2: of 65 s   3: of 4.7 h   4: of 50 days   5: of 35 years
type Wheel struct {
	nodes    *Slab[timer]
	buckets  *Slab[bucket] // number 1 + level*256 + slot
	occupied [wheelLevels][wheelSlots / 64]uint64
	now      int64
	falling  int // level whose slot at now is being moved down; 0 when none is
}

// NewWheel returns an empty wheel at time 0. Call Due with the present time before the first Set:
// it costs nothing then, and spares every timer the way down from level 5.
func NewWheel() *Wheel {
	w := &Wheel{nodes: NewSlab[timer](), buckets: NewSlab[bucket]()}
	for range wheelLevels * wheelSlots {
		w.buckets.Alloc()
	}
	return w
}

// slotOf is the digit of a time at a level.
func slotOf(at int64, level int) int { return int(at >> (8 * level) & (wheelSlots - 1)) }

func bucketID(level, slot int) uint32 { return uint32(1 + level*wheelSlots + slot) }

// levelOf is the level at which a time differs from now.
func (w *Wheel) levelOf(at int64) int {
	return max(bits.Len64(uint64(at^w.now))-1, 0) / 8
}

// Set adds a timer and returns its id, which is valid until it fires or is cancelled and is then
// handed out anew. A time in the past is taken as now; Set costs O(1).
func (w *Wheel) Set(kind uint8, ref uint32, at int64) uint32 {
	at = min(max(at, w.now), maxAt)
	level := w.levelOf(at)
	if w.falling > 0 && at>>(8*w.falling) == w.now>>(8*w.falling) {
		level = w.falling // behind the earlier ones of the same time that still wait there
	}
	id := w.nodes.Alloc()
	t := w.nodes.Mut(id)
	t.kind, t.ref = kind, ref
	t.atLow, t.atHigh = uint32(at), uint16(at>>32)
	w.link(id, level)
	return id
}

// link appends the timer to the list of its slot at level.
func (w *Wheel) link(id uint32, level int) {
	t := w.nodes.Mut(id)
	at := t.at()
	t.level = uint8(level + 1)
	slot := slotOf(at, level)
	b := w.buckets.Mut(bucketID(level, slot))
	if b.head == 0 {
		b.head, b.min = id, at
		t.next, t.prev = id, id
		w.occupied[level][slot/64] |= 1 << (slot % 64)
		return
	}
	b.min = min(b.min, at)
	tail := w.nodes.At(b.head).prev
	t.next, t.prev = b.head, tail
	w.nodes.Mut(tail).next = id
	w.nodes.Mut(b.head).prev = id
}

// unlink takes the timer out of its list.
func (w *Wheel) unlink(id uint32) {
	t := w.nodes.At(id)
	level := int(t.level - 1)
	slot := slotOf(t.at(), level)
	bid := bucketID(level, slot)
	if t.next == id {
		w.buckets.Mut(bid).head = 0
		w.occupied[level][slot/64] &^= 1 << (slot % 64)
		return
	}
	next, prev := t.next, t.prev
	w.nodes.Mut(prev).next = next
	w.nodes.Mut(next).prev = prev
	if w.buckets.At(bid).head == id {
		w.buckets.Mut(bid).head = next
	}
}

// Cancel removes a timer. An id of no timer is ignored; an id whose timer has fired may belong to
// another by now, so forget ids when they fire. Cancel costs O(1).
func (w *Wheel) Cancel(id uint32) {
	if id == 0 || id >= w.nodes.Len() || w.nodes.At(id).level == 0 {
		return
	}
	w.unlink(id)
	w.nodes.Free(id)
}

// first returns the earliest occupied slot. Timers of a lower level are all earlier.
func (w *Wheel) first() (level, slot int, ok bool) {
	for level := range wheelLevels {
		for word, set := range w.occupied[level] {
			if set != 0 {
				return level, word*64 + bits.TrailingZeros64(set), true
			}
		}
	}
	return 0, 0, false
}

// start is the first millisecond of a slot at a level, given that it is not before now.
func (w *Wheel) start(level, slot int) int64 {
	return w.now>>(8*level+8)<<(8*level+8) | int64(slot)<<(8*level)
}

// Next returns a time at which Due has work to do, false when there is no timer. It is the time of
// the earliest timer, or before it when an even earlier one was cancelled, or now while Due was
// stopped by its bound; never after it.
func (w *Wheel) Next() (at int64, ok bool) {
	if w.falling > 0 {
		return w.now, true
	}
	level, slot, ok := w.first()
	if !ok {
		return 0, false
	}
	return w.buckets.At(bucketID(level, slot)).min, true
}

// Due moves the wheel to now (ms, never less than before) and calls f for each timer due, which is
// gone by then; f may call Set and Cancel. It takes at most max steps, a step being a timer that
// fires or is moved down a level, and returns true when there is more to do.
func (w *Wheel) Due(now int64, max int, f func(kind uint8, ref uint32)) bool {
	now = min(now, maxAt)
	for range max {
		if w.falling == 0 && !w.advance(now) {
			return false
		}
		if w.falling > 0 {
			w.fall()
		} else {
			w.fire(f)
		}
	}
	return w.falling > 0 || w.dueAt(now)
}

// dueAt tells whether the earliest slot has begun by now.
func (w *Wheel) dueAt(now int64) bool {
	level, slot, ok := w.first()
	return ok && w.start(level, slot) <= now
}

// advance moves the wheel to the earliest slot if that has begun by now, else to now.
func (w *Wheel) advance(now int64) bool {
	level, slot, ok := w.first()
	if !ok || w.start(level, slot) > now {
		w.now = max(w.now, now)
		return false
	}
	w.now = w.start(level, slot)
	w.falling = level
	return true
}

// fall moves one timer from the slot that now has entered to a lower level.
func (w *Wheel) fall() {
	bid := bucketID(w.falling, slotOf(w.now, w.falling))
	id := w.buckets.At(bid).head
	if id != 0 {
		w.unlink(id)
		w.link(id, w.levelOf(w.nodes.At(id).at()))
	}
	if w.buckets.At(bid).head == 0 {
		w.falling = 0
	}
}

// fire frees the first timer of this millisecond and reports it.
func (w *Wheel) fire(f func(kind uint8, ref uint32)) {
	id := w.buckets.At(bucketID(0, slotOf(w.now, 0))).head
	t := *w.nodes.At(id)
	w.unlink(id)
	w.nodes.Free(id)
	f(t.kind, t.ref)
}

// Stats counts timers.
func (w *Wheel) Stats() Stats {
	st := w.nodes.Stats()
	st.Bytes += w.buckets.Stats().Bytes
	return st
}
