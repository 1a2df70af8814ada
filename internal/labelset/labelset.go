// Package labelset keeps label sets in flat memory: names and values interned, each set a run of symbol pairs.
//
// It is pure and single-owner like package flat, on which it rests; what it returns aliases that memory.
package labelset

import (
	"encoding/binary"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
)

// pairBytes is the size of one label: the symbol of its name and of its value.
const pairBytes = 8

// Store holds the label sets of one owner. What is freed stays readable until Sweep, so that the changes of a step may alias it.
type Store struct {
	Strings *flat.Strings
	Blobs   *flat.Blobs
	scratch []byte

	deadSets  []flat.Ref
	deadBytes []flat.Ref
	deadSyms  []flat.Sym
}

// New returns an empty store.
func New() *Store { return &Store{Strings: flat.NewStrings(), Blobs: flat.NewBlobs()} }

// Put keeps a copy of ls and returns its reference, 0 for the empty set.
func (s *Store) Put(ls event.Labels) flat.Ref {
	if len(ls) == 0 {
		return 0
	}
	b := s.scratch[:0]
	for i := range ls[:min(len(ls), flat.MaxBlob/pairBytes)] {
		b = binary.LittleEndian.AppendUint32(b, uint32(s.Intern(ls[i].Name)))
		b = binary.LittleEndian.AppendUint32(b, uint32(s.Intern(ls[i].Value)))
	}
	s.scratch = b
	return s.Blobs.Put(b)
}

// Intern returns the symbol of text. Admission refuses whatever is too long to be kept; should the journal of a version with
// other bounds hold some, it is cut here, the same way at every replay.
func (s *Store) Intern(text string) flat.Sym {
	return s.Strings.Intern(text[:min(len(text), flat.MaxString)])
}

// Free forgets a set that Put returned, at the next Sweep.
func (s *Store) Free(ref flat.Ref) {
	if ref != 0 {
		s.deadSets = append(s.deadSets, ref)
	}
}

// FreeBytes forgets a blob that Blobs.Put returned and that is no label set, at the next Sweep.
func (s *Store) FreeBytes(ref flat.Ref) {
	if ref != 0 {
		s.deadBytes = append(s.deadBytes, ref)
	}
}

// Release gives back one reference to a symbol, at the next Sweep.
func (s *Store) Release(sym flat.Sym) {
	if sym != 0 {
		s.deadSyms = append(s.deadSyms, sym)
	}
}

// Sweep carries out what Free and Release asked for. Text that was read before it may be gone after it.
func (s *Store) Sweep() {
	for _, ref := range s.deadSets {
		b := s.Blobs.Bytes(ref)
		for i := 0; i+4 <= len(b); i += 4 {
			s.Strings.Release(symAt(b, i))
		}
		s.Blobs.Free(ref)
	}
	for _, ref := range s.deadBytes {
		s.Blobs.Free(ref)
	}
	for _, sym := range s.deadSyms {
		s.Strings.Release(sym)
	}
	s.deadSets, s.deadBytes, s.deadSyms = s.deadSets[:0], s.deadBytes[:0], s.deadSyms[:0]
}

// Reader reads label sets; a Store and a View of one both are.
type Reader interface {
	String(flat.Sym) string
	Bytes(flat.Ref) []byte
}

// String returns the text of a symbol.
func (s *Store) String(sym flat.Sym) string { return s.Strings.String(sym) }

// Bytes returns the pairs of a set, or another blob.
func (s *Store) Bytes(ref flat.Ref) []byte { return s.Blobs.Bytes(ref) }

// View is an immutable Store; any goroutine may read it.
type View struct {
	Strings flat.StringsView
	Blobs   flat.BlobsView
}

// View returns the store as it is now.
func (s *Store) View() *View { return &View{s.Strings.View(), s.Blobs.View()} }

// String returns the text of a symbol.
func (v *View) String(sym flat.Sym) string { return v.Strings.String(sym) }

// Bytes returns the pairs of a set.
func (v *View) Bytes(ref flat.Ref) []byte { return v.Blobs.Bytes(ref) }

// Append appends the set's labels to dst.
func Append(r Reader, dst event.Labels, ref flat.Ref) event.Labels {
	if ref == 0 {
		return dst
	}
	b := r.Bytes(ref)
	for i := 0; i+pairBytes <= len(b); i += pairBytes {
		dst = append(dst, event.Label{Name: r.String(symAt(b, i)), Value: r.String(symAt(b, i+4))})
	}
	return dst
}

// Labels returns the set in a slice of its own.
func Labels(r Reader, ref flat.Ref) event.Labels {
	if ref == 0 {
		return nil
	}
	return Append(r, make(event.Labels, 0, len(r.Bytes(ref))/pairBytes), ref)
}

// Get returns the value of a label, "" when the set has none of that name.
func Get(r Reader, ref flat.Ref, name string) string {
	if ref == 0 {
		return ""
	}
	b := r.Bytes(ref)
	for i := 0; i+pairBytes <= len(b); i += pairBytes {
		if r.String(symAt(b, i)) == name {
			return r.String(symAt(b, i+4))
		}
	}
	return ""
}

func symAt(b []byte, i int) flat.Sym { return flat.Sym(binary.LittleEndian.Uint32(b[i:])) }
