package flat

import (
	"fmt"
	"reflect"
)

// Slab holds records of one pointer-free type by number. Slot 0 is never handed out: 0 means none.
type Slab[T any] struct {
	s slots
}

// NewSlab returns an empty slab. It panics when T holds a pointer, a string, a slice or a map, or
// has no size.
func NewSlab[T any]() *Slab[T] {
	s := emptySlab[T]()
	s.Alloc()
	return s
}

// emptySlab is a slab without its slot 0, to be loaded.
func emptySlab[T any]() *Slab[T] {
	t := reflect.TypeFor[T]()
	if where := pointerIn(t); where != "" {
		panic(fmt.Sprintf("flat: %v holds a pointer: %s", t, where))
	}
	if t.Size() == 0 {
		panic(fmt.Sprintf("flat: %v has no size", t))
	}
	return &Slab[T]{s: newSlots(newDenseTable(t.Size()), 32)}
}

// pointerIn names the first part of t that the collector would have to follow, or "".
func pointerIn(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Array:
		return pointerIn(t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			if where := pointerIn(f.Type); where != "" {
				return f.Name + " " + where
			}
		}
		return ""
	case reflect.Pointer, reflect.UnsafePointer, reflect.String, reflect.Slice, reflect.Map,
		reflect.Chan, reflect.Func, reflect.Interface:
		return t.String()
	default:
		return ""
	}
}

// Alloc returns a zeroed slot, the last freed one first. It panics after 2^32 records.
func (s *Slab[T]) Alloc() uint32 {
	i, ok := s.s.alloc()
	if !ok {
		panic("flat: slab is full")
	}
	return i
}

// Free zeroes slot i and gives it back. i must be in use; a second Free would hand it out twice.
func (s *Slab[T]) Free(i uint32) {
	if i == 0 || i >= s.s.high {
		panic(fmt.Sprintf("flat: free of slot %d of %d", i, s.s.high))
	}
	s.s.release(i)
}

// At returns record i to read; record 0 is all zero. The pointer shows i as it is until the next Mut(i) or Free(i).
func (s *Slab[T]) At(i uint32) *T { return (*T)(s.s.at(i)) }

// Mut returns record i to write. The pointer must not be written after the next View: that would
// change what the view shows.
func (s *Slab[T]) Mut(i uint32) *T { return (*T)(s.s.mut(i)) }

// Len is the high-water mark: the slots are 1 to Len-1, freed ones (all zero) among them.
func (s *Slab[T]) Len() uint32 { return s.s.high }

// Stats counts the slab's memory.
func (s *Slab[T]) Stats() Stats {
	st := s.s.stats()
	st.Used-- // slot 0
	return st
}

// View freezes the slab's content for readers and snapshots.
func (s *Slab[T]) View() SlabView[T] { return SlabView[T]{v: s.s.view()} }

// SlabView is a slab as it was when View was called. It never changes.
type SlabView[T any] struct {
	v slotsView
}

// At returns record i, 1 <= i < Len, to read.
func (v *SlabView[T]) At(i uint32) *T { return (*T)(v.v.at(i)) }

// Len is the high-water mark at the time of the view.
func (v *SlabView[T]) Len() uint32 { return v.v.high }

// Save writes the slab as the section name.
func (v *SlabView[T]) Save(w *Writer, name string) error { return w.slots(name, &v.v) }

// Load replaces the slab's content by the section name. After an error the slab is as it was.
func (s *Slab[T]) Load(r *Reader, name string) error {
	fresh := emptySlab[T]()
	if err := r.slots(name, &fresh.s); err != nil {
		return err
	}
	if fresh.s.high == 0 {
		return r.corrupt(name, "no slot 0")
	}
	*s = *fresh
	return nil
}
