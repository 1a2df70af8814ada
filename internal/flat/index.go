package flat

import (
	"encoding/binary"
	"slices"
)

const (
	maxDepth     = 28
	minDirectory = 1 << 10
)

// Index finds numbers by 64-bit hash. Several entries may have one hash. It is extendible hashing:
// the top bits of a tag select, through the directory, a segment; a full segment is split in two,
// so growth costs one segment at a time.
//
//	directory (1<<depth) ─▶ segment (≤ 511 entries) ─▶ overflow segment ─▶ ...
//
// Hashes made to collide cannot blow up the directory: it stays within 8 entries per segment, and
// what cannot be split is chained. Looking up one of n such entries costs O(n).
type Index struct {
	segs   *Slab[segment]
	dir    []uint32
	depth  uint8
	shared bool // a view holds dir
	n      uint64
}

// NewIndex returns an empty index.
func NewIndex() *Index {
	x := &Index{segs: NewSlab[segment]()}
	x.dir = []uint32{x.segs.Alloc()}
	return x
}

// tagOf keeps 32 bits of a hash, mixed so that hashes alike in their top bits spread as well.
func tagOf(hash uint64) uint32 { return uint32(hash * 0x9E3779B97F4A7C15 >> 32) }

// Insert adds ref under hash. ref must not be there under the same hash.
func (x *Index) Insert(hash uint64, ref uint32) {
	tag := tagOf(hash)
	id := x.dir[tag>>(32-x.depth)]
	for x.segs.At(id).n == segmentCap {
		if !x.split(tag) {
			x.point(tag, x.push(id))
		}
		id = x.dir[tag>>(32-x.depth)]
	}
	x.segs.Mut(id).insert(uint64(tag)<<32 | uint64(ref))
	x.n++
}

// push returns a new empty segment in front of the chain that begins with id.
func (x *Index) push(id uint32) uint32 {
	depth := x.segs.At(id).depth
	head := x.segs.Alloc()
	s := x.segs.Mut(head)
	s.next, s.depth = id, depth
	return head
}

// point makes the directory lead all tags that share tag's segment to id, a segment of its depth.
func (x *Index) point(tag, id uint32) {
	if x.shared {
		x.dir = slices.Clone(x.dir)
		x.shared = false
	}
	depth := x.segs.At(id).depth
	span := uint32(1) << (x.depth - depth)
	first := tag >> (32 - depth) * span
	for i := range span {
		x.dir[first+i] = id
	}
}

// split shares out the chain for tag to two of the next depth. It returns false when that would
// need a larger directory than the index deserves.
func (x *Index) split(tag uint32) bool {
	old := x.dir[tag>>(32-x.depth)]
	depth := x.segs.At(old).depth
	if depth == x.depth && !x.double() {
		return false
	}
	bit := uint32(1) << (31 - depth)
	middle := uint64((tag|bit)&^(bit-1)) << 32
	low, high := x.segs.Alloc(), x.segs.Alloc()
	x.segs.Mut(low).depth, x.segs.Mut(high).depth = depth+1, depth+1
	for id := old; id != 0; {
		s := *x.segs.At(id)
		cut := s.search(middle)
		low, high = x.add(low, s.e[:cut]), x.add(high, s.e[cut:s.n])
		x.segs.Free(id)
		id = s.next
	}
	x.point(tag&^bit, low)
	x.point(tag|bit, high)
	return true
}

// add puts ascending entries into the chain that begins with head and returns its new head.
func (x *Index) add(head uint32, entries []uint64) uint32 {
	s := x.segs.Mut(head)
	for _, key := range entries {
		if s.n == segmentCap {
			head = x.push(head)
			s = x.segs.Mut(head)
		}
		s.insert(key)
	}
	return head
}

// double makes the directory twice as long, unless it has its 8 entries per segment already.
func (x *Index) double() bool {
	size := 2 * len(x.dir)
	if x.depth == maxDepth || size > max(minDirectory, 8*int(x.segs.Len())) {
		return false
	}
	dir := make([]uint32, 0, size)
	for _, id := range x.dir {
		dir = append(dir, id, id)
	}
	x.dir, x.shared = dir, false
	x.depth++
	return true
}

// Delete removes ref from under hash and tells whether it was there.
func (x *Index) Delete(hash uint64, ref uint32) bool {
	tag := tagOf(hash)
	key := uint64(tag)<<32 | uint64(ref)
	prev := uint32(0)
	for id := x.dir[tag>>(32-x.depth)]; id != 0; prev, id = id, x.segs.At(id).next {
		s := x.segs.At(id)
		i := s.search(key)
		if i == int(s.n) || s.e[i] != key {
			continue
		}
		x.segs.Mut(id).remove(i)
		x.n--
		if s := x.segs.At(id); s.n == 0 {
			x.unlink(tag, prev, id, s.next)
		}
		return true
	}
	return false
}

// unlink takes the empty segment id out of its chain, unless it is the whole of it.
func (x *Index) unlink(tag, prev, id, next uint32) {
	switch {
	case prev != 0:
		x.segs.Mut(prev).next = next
	case next != 0:
		x.point(tag, next)
	default:
		return
	}
	x.segs.Free(id)
}

// Find returns a number under hash that eq accepts. eq is called for few others: 32 bits of the
// hash are compared before.
func (x *Index) Find(hash uint64, eq func(ref uint32) bool) (uint32, bool) {
	return findIn(x.dir, x.depth, &x.segs.s.table, hash, eq)
}

func findIn(dir []uint32, depth uint8, segs *table, hash uint64, eq func(uint32) bool) (uint32, bool) {
	tag := tagOf(hash)
	for id := dir[tag>>(32-depth)]; id != 0; {
		s := (*segment)(segs.at(id))
		if ref, ok := s.find(tag, eq); ok {
			return ref, true
		}
		id = s.next
	}
	return 0, false
}

// Len is the number of entries.
func (x *Index) Len() int { return int(x.n) }

// Stats counts entries in Used and Free.
func (x *Index) Stats() Stats {
	st := x.segs.Stats()
	return Stats{
		Bytes: st.Bytes + uint64(cap(x.dir))*4,
		Used:  x.n,
		Free:  (st.Used+st.Free)*segmentCap - x.n,
	}
}

// View freezes the index.
func (x *Index) View() IndexView {
	x.shared = true
	return IndexView{segs: x.segs.View(), dir: x.dir, depth: x.depth, n: x.n}
}

// IndexView is the index as it was when View was called.
type IndexView struct {
	segs  SlabView[segment]
	dir   []uint32
	depth uint8
	n     uint64
}

// Find is as Index.Find.
func (v *IndexView) Find(hash uint64, eq func(ref uint32) bool) (uint32, bool) {
	return findIn(v.dir, v.depth, &v.segs.v.table, hash, eq)
}

// Save writes the index as sections that begin with name.
func (v *IndexView) Save(w *Writer, name string) error {
	dir := make([]byte, 0, 8+4*len(v.dir))
	dir = binary.LittleEndian.AppendUint64(dir, v.n)
	for _, id := range v.dir {
		dir = binary.LittleEndian.AppendUint32(dir, id)
	}
	if err := w.Bytes(name+"/directory", dir); err != nil {
		return err
	}
	return v.segs.Save(w, name+"/segments")
}

// Load replaces the index by what Save wrote under name. After an error it is as it was.
func (x *Index) Load(r *Reader, name string) error {
	dir, err := r.Bytes(name + "/directory")
	if err != nil {
		return err
	}
	fresh := &Index{segs: emptySlab[segment]()}
	if err := fresh.segs.Load(r, name+"/segments"); err != nil {
		return err
	}
	if fault := fresh.adopt(dir); fault != "" {
		return r.corrupt(name, fault)
	}
	*x = *fresh
	return nil
}

// adopt takes over a saved directory, and returns what is wrong with it or the segments, or "".
func (x *Index) adopt(dir []byte) string {
	if len(dir) < 12 || len(dir)%4 != 0 {
		return "directory is cut short"
	}
	x.n, dir = binary.LittleEndian.Uint64(dir), dir[8:]
	for len(dir) > 0 {
		x.dir = append(x.dir, binary.LittleEndian.Uint32(dir))
		dir = dir[4:]
	}
	for 1<<x.depth < len(x.dir) {
		x.depth++
	}
	if 1<<x.depth != len(x.dir) || x.depth > maxDepth {
		return "directory is not a power of two"
	}
	for _, id := range x.dir {
		if id == 0 || id >= x.segs.Len() {
			return "directory leads nowhere"
		}
	}
	for id := uint32(1); id < x.segs.Len(); id++ {
		s := x.segs.At(id)
		if s.n > segmentCap || s.depth > x.depth || s.next >= x.segs.Len() {
			return "segment is damaged"
		}
	}
	return ""
}
