package flat

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// Reader reads a snapshot, section by section, in the order it was written. One goroutine uses it.
// Errors stick; they wrap ErrForeign, ErrCorrupt, ErrBigEndian or the io.Reader's error.
//
// Checksums guard against damage, not against malice: what a header promises is allocated only as
// its pages arrive, and numbers are checked to be in range, but a forger who can compute a CRC can
// still make lists that loop. Load snapshots from places that only the process can write.
type Reader struct {
	r   io.Reader
	err error
}

// NewReader begins to read a snapshot. Pages are read whole, so r needs no buffer.
func NewReader(r io.Reader) *Reader {
	s := &Reader{r: r}
	if !littleEndian() {
		s.err = ErrBigEndian
		return s
	}
	magic := make([]byte, len(fileMagic))
	if s.read("", magic) == nil && string(magic) != fileMagic {
		_ = s.foreign("", "not a snapshot") // the reader keeps it
	}
	return s
}

func (r *Reader) fail(name string, kind error, what string) error {
	if r.err == nil {
		r.err = fmt.Errorf("flat: read snapshot: section %q: %w: %s", name, kind, what)
	}
	return r.err
}

func (r *Reader) foreign(name, what string) error { return r.fail(name, ErrForeign, what) }

func (r *Reader) corrupt(name, what string) error { return r.fail(name, ErrCorrupt, what) }

// read fills b.
func (r *Reader) read(name string, b []byte) error {
	if r.err != nil {
		return r.err
	}
	_, err := io.ReadFull(r.r, b)
	switch {
	case err == nil:
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		_ = r.corrupt(name, "cut short") // r.err, returned below
	default:
		r.err = fmt.Errorf("flat: read snapshot: section %q: %w", name, err)
	}
	return r.err
}

// header reads a section's header, which must be called name.
func (r *Reader) header(name string) (h header, err error) {
	var fixed [sectionOverhead]byte
	if err := r.read(name, fixed[:]); err != nil {
		return h, err
	}
	version := binary.LittleEndian.Uint16(fixed[:])
	length := binary.LittleEndian.Uint16(fixed[2:])
	if version != sectionVersion {
		return h, r.foreign(name, fmt.Sprintf("version %d, this program reads %d", version, sectionVersion))
	}
	if length > maxName {
		return h, r.corrupt(name, "name is too long")
	}
	rest := make([]byte, length+4)
	if err := r.read(name, rest); err != nil {
		return h, err
	}
	sum := crc32.Update(crc32.Checksum(fixed[:], castagnoli), castagnoli, rest[:length])
	if binary.LittleEndian.Uint32(rest[length:]) != sum {
		return h, r.corrupt(name, "header checksum")
	}
	h.decode(fixed[:])
	h.name = string(rest[:length])
	if h.name != name {
		return h, r.foreign(name, fmt.Sprintf("found section %q in its place", h.name))
	}
	return h, nil
}

// checksum compares the sum of a section's pages with the one that follows them.
func (r *Reader) checksum(name string, sum uint32) error {
	var b [4]byte
	if err := r.read(name, b[:]); err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(b[:]) != sum {
		return r.corrupt(name, "checksum")
	}
	return nil
}

// Bytes returns what Writer.Bytes wrote as the section name.
func (r *Reader) Bytes(name string) ([]byte, error) {
	h, err := r.header(name)
	if err != nil {
		return nil, err
	}
	if h.recordSize != 1 || h.pages != 1 {
		return nil, r.foreign(name, "is not plain bytes")
	}
	var data bytes.Buffer // grows with what arrives, not with what the header says
	if n, err := io.CopyN(&data, r.r, int64(h.pageSize)); errors.Is(err, io.EOF) {
		return nil, r.corrupt(name, fmt.Sprintf("cut short after %d bytes", n))
	} else if err != nil {
		r.err = fmt.Errorf("flat: read snapshot: section %q: %w", name, err)
		return nil, r.err
	}
	return data.Bytes(), r.checksum(name, crc32.Checksum(data.Bytes(), castagnoli))
}

// slots fills the empty s.
func (r *Reader) slots(name string, s *slots) error {
	h, err := r.table(name, &s.pages)
	if err != nil {
		return err
	}
	if _, err := r.table(name+"/free", &s.free); err != nil {
		return err
	}
	s.high, s.freed = h.high, h.freed
	if s.pagesFor(s.high) != s.count || s.high&s.mask > s.perPage {
		return r.corrupt(name, fmt.Sprintf("%d pages for %d records", s.count, s.high))
	}
	if s.freed > s.high || s.free.pagesFor(s.freed) != s.free.count {
		return r.corrupt(name, fmt.Sprintf("%d of %d records are free", s.freed, s.high))
	}
	for n := range s.freed {
		if i := *(*uint32)(s.free.at(n)); i >= s.high || i&s.mask >= s.perPage {
			return r.corrupt(name, fmt.Sprintf("free record %d of %d", i, s.high))
		}
	}
	return nil
}

// table fills the empty p with a section's pages.
func (r *Reader) table(name string, p *pages) (header, error) {
	h, err := r.header(name)
	if err != nil {
		return h, err
	}
	if uintptr(h.recordSize) != p.size || int(h.pageSize) != p.words()*8 {
		return h, r.foreign(name, fmt.Sprintf("records of %d bytes on pages of %d, this program has %d on %d",
			h.recordSize, h.pageSize, p.size, p.words()*8))
	}
	sum := uint32(0)
	for n := range int(h.pages) {
		p.grow()
		b := p.bytes(n)
		if err := r.read(name, b); err != nil {
			return h, err
		}
		sum = crc32.Update(sum, castagnoli, b)
	}
	return h, r.checksum(name, sum)
}

// Close reads the end of the snapshot and reports what went wrong on the way, if anything.
func (r *Reader) Close() error {
	h, err := r.header("")
	if err != nil {
		return err
	}
	if h.pages != 0 {
		return r.corrupt("", "pages in the end mark")
	}
	return r.checksum("", 0)
}
