package flat

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"unsafe"
)

// Ref names a blob: the size class in the top bits, the cell below. 0 is the empty blob.
type Ref uint32

// MaxBlob is the longest blob in bytes; the last two bytes of a cell hold the length.
const MaxBlob = 64<<10 - lenBytes

const (
	lenBytes   = 2
	refBits    = 25 // of a Ref: the cell
	smallCells = 8  // classes 8, 16 .. 64 bytes, then 8 to each doubling up to 64 KiB
	numClasses = smallCells + 8*10
)

// Blobs holds byte strings in cells of 88 sizes, at most 12.5 % apart above 64 bytes.
//
//	cell  ┌ bytes (8-byte aligned) ┬ slack ┬ length, uint16 ┐
type Blobs struct {
	classes [numClasses]slots
}

// NewBlobs returns an empty store.
func NewBlobs() *Blobs {
	b := new(Blobs)
	for c := range b.classes {
		b.classes[c] = newSlots(newTable(uintptr(cellSize(c))), refBits)
	}
	return b
}

// cellSize is the size in bytes of the cells of class c.
func cellSize(c int) int {
	if c < smallCells {
		return 8 * (c + 1)
	}
	c -= smallCells
	return (9 + c%8) << (3 + c/8)
}

// classOf is the smallest class whose cells hold n bytes.
func classOf(n int) int {
	if n <= 8*smallCells {
		return (n+7)/8 - 1
	}
	double := bits.Len32(uint32(n-1)) - 7 // doublings above 64
	return smallCells + 8*double + (n-1)>>(3+double) - 8
}

// split gives class and cell of a ref other than 0.
func (r Ref) split() (class int, cell uint32) {
	return int(r>>refBits) - 1, uint32(r) & (1<<refBits - 1)
}

// cellOf returns the cell's bytes up to its end. It panics on a ref that no Put returned.
func cellOf(t *table, cell uint32) []byte {
	if cell&t.mask >= t.perPage {
		panic(fmt.Sprintf("flat: no cell %d", cell))
	}
	return unsafe.Slice((*byte)(t.at(cell)), t.size)
}

// content cuts the slack off a cell.
func content(cell []byte) []byte {
	n := int(binary.LittleEndian.Uint16(cell[len(cell)-lenBytes:]))
	return cell[:n:n]
}

// alloc returns a zeroed blob of n bytes to write to, 0 < n <= MaxBlob.
func (b *Blobs) alloc(n int) (Ref, []byte) {
	if n > MaxBlob {
		panic(fmt.Sprintf("flat: blob of %d bytes is longer than %d", n, MaxBlob))
	}
	for c := classOf(n + lenBytes); c < numClasses; c++ { // a full class spills into the next
		s := &b.classes[c]
		i, ok := s.alloc()
		if !ok {
			continue
		}
		s.mut(i)
		cell := cellOf(&s.table, i)
		binary.LittleEndian.PutUint16(cell[len(cell)-lenBytes:], uint16(n))
		return Ref(c+1)<<refBits | Ref(i), cell[:n:n]
	}
	panic("flat: blobs are full")
}

// Put copies data in. It panics when data is longer than MaxBlob. Empty data is Ref 0.
func (b *Blobs) Put(data []byte) Ref {
	if len(data) == 0 {
		return 0
	}
	ref, to := b.alloc(len(data))
	copy(to, data)
	return ref
}

// Bytes returns the blob to read, 8-byte aligned and valid until Free.
func (b *Blobs) Bytes(ref Ref) []byte {
	if ref == 0 {
		return nil
	}
	class, cell := ref.split()
	return content(cellOf(&b.classes[class].table, cell))
}

// mut returns the blob to write.
func (b *Blobs) mut(ref Ref) []byte {
	class, cell := ref.split()
	s := &b.classes[class]
	s.mut(cell)
	return content(cellOf(&s.table, cell))
}

// Free zeroes the blob and gives its cell back. Ref 0 is ignored.
func (b *Blobs) Free(ref Ref) {
	if ref == 0 {
		return
	}
	class, cell := ref.split()
	s := &b.classes[class]
	if len(content(cellOf(&s.table, cell))) == 0 {
		panic("flat: free of a blob that is not there")
	}
	s.release(cell)
}

// Stats sums all size classes. Free counts cells, of whatever size.
func (b *Blobs) Stats() Stats {
	var st Stats
	for c := range b.classes {
		st = st.plus(b.classes[c].stats())
	}
	return st
}

// View freezes all blobs. It costs about 10 KB and 1 µs whatever they hold.
func (b *Blobs) View() BlobsView {
	v := BlobsView{classes: new([numClasses]slotsView)}
	for c := range b.classes {
		v.classes[c] = b.classes[c].view()
	}
	return v
}

// BlobsView is the blobs as they were when View was called.
type BlobsView struct {
	classes *[numClasses]slotsView
}

// Bytes returns a blob that was there at the time of the view, valid forever.
func (v *BlobsView) Bytes(ref Ref) []byte {
	if ref == 0 {
		return nil
	}
	class, cell := ref.split()
	return content(cellOf(&v.classes[class].table, cell))
}

// Save writes the blobs as sections that begin with name.
func (v *BlobsView) Save(w *Writer, name string) error {
	for c := range v.classes {
		if err := w.slots(fmt.Sprintf("%s/%d", name, cellSize(c)), &v.classes[c]); err != nil {
			return err
		}
	}
	return nil
}

// Load replaces all blobs by what Save wrote under name. After an error they are as they were.
func (b *Blobs) Load(r *Reader, name string) error {
	fresh := NewBlobs()
	for c := range fresh.classes {
		if err := r.slots(fmt.Sprintf("%s/%d", name, cellSize(c)), &fresh.classes[c]); err != nil {
			return err
		}
	}
	*b = *fresh
	return nil
}
