package flat

import (
	"encoding/binary"
	"unsafe"

	"github.com/cespare/xxhash/v2"
)

// Sym names an interned string; 0 is "". The same text has the same Sym as long as it is held.
type Sym uint32

// MaxString is the longest string in bytes.
const MaxString = MaxBlob - countBytes

const countBytes = 4

// Strings keeps each distinct text once, with a count of its holders. A Sym is the Ref of a blob:
//
//	blob  ┌ holders, uint32 ┬ text ┐
//
// A text costs its length, 6 bytes, the cell's slack and 8 to 16 bytes of index.
type Strings struct {
	blobs *Blobs
	index *Index
	// recent finds the few texts that most alerts share without the index. An entry may be out of date: a cell that was
	// freed, or holds another text by now, does not compare equal.
	recent [recentTexts]recent
}

const recentTexts = 1024

type recent struct {
	hash uint64
	sym  Sym
}

// NewStrings returns an empty table.
func NewStrings() *Strings { return &Strings{blobs: NewBlobs(), index: NewIndex()} }

// Intern returns the Sym of text with one holder more; a new text is copied in. It panics when
// text is longer than MaxString.
func (s *Strings) Intern(text string) Sym {
	if text == "" {
		return 0
	}
	hash := xxhash.Sum64String(text)
	r := &s.recent[hash%recentTexts]
	if r.hash == hash && s.String(r.sym) == text {
		s.Retain(r.sym)
		return r.sym
	}
	if sym, ok := s.find(hash, text); ok {
		s.Retain(sym)
		*r = recent{hash, sym}
		return sym
	}
	ref, b := s.blobs.alloc(countBytes + len(text))
	binary.LittleEndian.PutUint32(b, 1)
	copy(b[countBytes:], text)
	s.index.Insert(hash, uint32(ref))
	return Sym(ref)
}

func (s *Strings) find(hash uint64, text string) (Sym, bool) {
	ref, ok := s.index.Find(hash, func(ref uint32) bool { return s.String(Sym(ref)) == text })
	return Sym(ref), ok
}

// Lookup returns the Sym of text without holding it; false when nobody holds text.
func (s *Strings) Lookup(text string) (Sym, bool) {
	if text == "" {
		return 0, true
	}
	return s.find(xxhash.Sum64String(text), text)
}

// Retain adds a holder. The count cannot wrap: 2^32 holders would need more memory than slots have
// numbers.
func (s *Strings) Retain(sym Sym) {
	if sym == 0 {
		return
	}
	b := s.blobs.mut(Ref(sym))
	binary.LittleEndian.PutUint32(b, binary.LittleEndian.Uint32(b)+1)
}

// Release takes a holder away; with the last one the text goes and its Sym may be handed out anew.
func (s *Strings) Release(sym Sym) {
	if sym == 0 {
		return
	}
	b := s.blobs.Bytes(Ref(sym))
	if n := binary.LittleEndian.Uint32(b); n > 1 {
		binary.LittleEndian.PutUint32(s.blobs.mut(Ref(sym)), n-1)
		return
	}
	s.index.Delete(xxhash.Sum64(b[countBytes:]), uint32(sym))
	s.blobs.Free(Ref(sym))
}

// Holders returns how many hold a text.
func (s *Strings) Holders(sym Sym) uint32 {
	if sym == 0 {
		return 0
	}
	return binary.LittleEndian.Uint32(s.blobs.Bytes(Ref(sym)))
}

// String returns the text. It aliases the page: valid until the last holder releases it.
func (s *Strings) String(sym Sym) string { return textOf(s.blobs.Bytes(Ref(sym))) }

// textOf cuts the count off a blob and returns the rest without a copy.
func textOf(b []byte) string {
	if len(b) <= countBytes {
		return ""
	}
	return unsafe.String(&b[countBytes], len(b)-countBytes)
}

// Stats counts texts in Used, and the memory of texts and index.
func (s *Strings) Stats() Stats {
	st := s.blobs.Stats()
	st.Bytes += s.index.Stats().Bytes
	return st
}

// View freezes all texts and their index.
func (s *Strings) View() StringsView {
	return StringsView{blobs: s.blobs.View(), index: s.index.View()}
}

// StringsView is the texts as they were when View was called.
type StringsView struct {
	blobs BlobsView
	index IndexView
}

// String returns the text of a Sym that was held at the time of the view; it is valid forever.
func (v *StringsView) String(sym Sym) string { return textOf(v.blobs.Bytes(Ref(sym))) }

// Lookup returns the Sym that text had; false when nobody held it.
func (v *StringsView) Lookup(text string) (Sym, bool) {
	if text == "" {
		return 0, true
	}
	ref, ok := v.index.Find(xxhash.Sum64String(text), func(ref uint32) bool {
		return v.String(Sym(ref)) == text
	})
	return Sym(ref), ok
}

// Save writes texts and index as sections that begin with name.
func (v *StringsView) Save(w *Writer, name string) error {
	if err := v.blobs.Save(w, name+"/text"); err != nil {
		return err
	}
	return v.index.Save(w, name+"/index")
}

// Load replaces the table by what Save wrote under name. After an error it is as it was.
func (s *Strings) Load(r *Reader, name string) error {
	fresh := NewStrings()
	if err := fresh.blobs.Load(r, name+"/text"); err != nil {
		return err
	}
	if err := fresh.index.Load(r, name+"/index"); err != nil {
		return err
	}
	*s = *fresh
	return nil
}
