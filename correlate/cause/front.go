package cause

// maxRanked bounds the suspects of one cluster that are ranked, or a cluster in which tens of thousands of items say something would hold
// everything up whenever it is weighed. Up to so many all are.
const maxRanked = 1024

// fronts holds, of each cluster with more suspects than are ranked, those on which there is most evidence: by its sum, then by the item's
// number. It holds nothing that the suspects do not, and how it came about makes no difference: evidence on an item of a cluster only grows.
type fronts struct {
	most  uint32              // maxRanked
	of    map[uint32][]uint32 // by cluster: a heap of suspects, the one with the least evidence first
	place []uint32            // by suspect: where it is in its heap, and one more; 0: it is in none
}

// Suspects returns how many items of a cluster something was said of, and how many of them a ranking looks at.
func (b *Book) Suspects(cluster uint32) (looked, of uint32) {
	if cluster >= b.clusters.Len() {
		return 0, 0
	}
	of = b.clusters.At(cluster).accused
	return min(of, b.fronts.most), of
}

// looked appends the suspects of a cluster that a ranking looks at.
func (b *Book) looked(cluster uint32, dst []uint32) []uint32 {
	if cluster >= b.clusters.Len() {
		return dst
	}
	if front := b.fronts.of[cluster]; front != nil {
		return append(dst, front...)
	}
	for slot := b.clusters.At(cluster).suspects; slot != 0; slot = b.suspects.At(slot).next {
		dst = append(dst, slot)
	}
	return dst
}

// rise puts a suspect on whom there is more evidence than before where it belongs.
func (b *Book) rise(cluster, slot uint32) {
	f := &b.fronts
	front, crowded := f.of[cluster]
	switch {
	case !crowded:
		b.front(cluster)
	case int(slot) < len(f.place) && f.place[slot] != 0:
		b.sink(front, int(f.place[slot]-1))
	case b.less(front[0], slot):
		f.place[front[0]] = 0
		f.put(front, 0, slot)
		b.sink(front, 0)
	}
}

// front finds those on whom there is most evidence anew, where there are more suspects than are ranked.
func (b *Book) front(cluster uint32) {
	r, f := b.clusters.At(cluster), &b.fronts
	if r.accused <= f.most {
		return
	}
	front := make([]uint32, f.most)
	next := r.suspects
	for i := range front {
		f.put(front, i, next)
		next = b.suspects.At(next).next
	}
	for i := len(front)/2 - 1; i >= 0; i-- {
		b.sink(front, i)
	}
	f.of[cluster] = front
	for ; next != 0; next = b.suspects.At(next).next {
		b.rise(cluster, next)
	}
}

// sink moves a suspect of a heap past those on whom there is less evidence.
func (b *Book) sink(front []uint32, at int) {
	for {
		least := at
		for child := 2*at + 1; child <= 2*at+2 && child < len(front); child++ {
			if b.less(front[child], front[least]) {
				least = child
			}
		}
		if least == at {
			return
		}
		x, y := front[at], front[least]
		b.fronts.put(front, at, y)
		b.fronts.put(front, least, x)
		at = least
	}
}

// less tells whether there is less evidence on one suspect than on another.
func (b *Book) less(one, other uint32) bool {
	x, y := b.suspects.At(one), b.suspects.At(other)
	return x.sum < y.sum || x.sum == y.sum && x.item > y.item
}

func (f *fronts) put(front []uint32, at int, slot uint32) {
	front[at] = slot
	if short := int(slot) + 1 - len(f.place); short > 0 {
		f.place = append(f.place, make([]uint32, short)...)
	}
	f.place[slot] = uint32(at + 1)
}

// drop forgets the front of a cluster that is over.
func (f *fronts) drop(cluster uint32) {
	for _, slot := range f.of[cluster] {
		f.place[slot] = 0
	}
	delete(f.of, cluster)
}
