package flat

// Convert returns a slab with the records of old under the same numbers, each made anew by f; freed slots are handed out in the
// same order. It is how a snapshot of an older layout is read. f must make the zero record of the zero record.
func Convert[A, B any](old *Slab[A], f func(*A) B) *Slab[B] {
	out := NewSlab[B]()
	for i := uint32(1); i < old.Len(); i++ {
		*out.Mut(out.Alloc()) = f(old.At(i))
	}
	for i := range old.s.freed {
		out.Free(*(*uint32)(old.s.free.at(i)))
	}
	return out
}
