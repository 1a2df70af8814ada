package flat

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

// Writer writes a snapshot, section by section. One goroutine uses it; since it takes views only,
// that may be another than the owner of the containers. Errors stick.
type Writer struct {
	w   io.Writer
	err error
	buf []byte
}

// NewWriter begins a snapshot on w. Pages are written as they are, so w needs no buffer.
func NewWriter(w io.Writer) *Writer {
	s := &Writer{w: w}
	if !littleEndian() {
		s.err = ErrBigEndian
	}
	s.write([]byte(fileMagic))
	return s
}

func (w *Writer) write(b []byte) {
	if w.err != nil || len(b) == 0 {
		return
	}
	if _, err := w.w.Write(b); err != nil {
		w.err = fmt.Errorf("flat: write snapshot: %w", err)
	}
}

// section writes one section; page returns the bytes of page n.
func (w *Writer) section(h header, page func(n int) []byte) error {
	if len(h.name) > maxName && w.err == nil {
		w.err = fmt.Errorf("flat: write snapshot: name of %d bytes is longer than %d", len(h.name), maxName)
	}
	w.buf = h.appendTo(w.buf[:0])
	w.write(w.buf)
	sum := uint32(0)
	for n := range int(h.pages) {
		if w.err != nil {
			return w.err
		}
		b := page(n)
		sum = crc32.Update(sum, castagnoli, b)
		w.write(b)
	}
	w.buf = binary.LittleEndian.AppendUint32(w.buf[:0], sum)
	w.write(w.buf)
	return w.err
}

// Bytes writes data of the caller's own as the section name, such as the position in the journal.
func (w *Writer) Bytes(name string, data []byte) error {
	h := header{name: name, recordSize: 1, pageSize: uint32(len(data)), pages: 1}
	return w.section(h, func(int) []byte { return data })
}

// slots writes the records as one section and the stack of freed slots as another.
func (w *Writer) slots(name string, v *slotsView) error {
	h := header{name: name, high: v.high, freed: v.freed}
	h.layout(&v.table, v.count)
	if err := w.section(h, v.bytes); err != nil {
		return err
	}
	h = header{name: name + "/free"}
	h.layout(&v.free, v.free.pagesFor(v.freed))
	return w.section(h, v.freePage)
}

func (h *header) layout(t *table, pages uint32) {
	h.recordSize, h.pageSize, h.pages = uint32(t.size), uint32(t.words()*8), pages
}

// freePage returns page n of the stack without what was popped off, so that equal states have equal
// snapshots.
func (v *slotsView) freePage(n int) []byte {
	b := v.free.bytes(n)
	depth := uint64(v.freed)*4 - uint64(n*len(b))
	if depth >= uint64(len(b)) {
		return b
	}
	b = slices.Clone(b)
	clear(b[depth:])
	return b
}

// Close ends the snapshot, so that a reader can tell it is whole. It does not close the io.Writer.
func (w *Writer) Close() error { return w.section(header{}, nil) }
