package event

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrMalformed says that bytes are not what the codec writes.
var ErrMalformed = errors.New("event: malformed record")

// coder walks a value's fields in their wire order, writing or reading each: one walk serves both directions, so that they
// cannot drift apart. After the first fault all reads give zero values.
type coder struct {
	buf     []byte // written so far, or still to read
	reading bool
	version byte // of the format; a field that came later is walked from its version on
	err     error
}

func (c *coder) fail(what string) {
	if c.err == nil {
		c.err = fmt.Errorf("%w: %s", ErrMalformed, what)
	}
	c.buf = nil
}

func (c *coder) uint(v *uint64) {
	if !c.reading {
		c.buf = binary.AppendUvarint(c.buf, *v)
		return
	}
	x, n := binary.Uvarint(c.buf)
	if n <= 0 {
		*v = 0
		c.fail("number cut short or too long")
		return
	}
	*v, c.buf = x, c.buf[n:]
}

func (c *coder) int(v *int64) {
	u := uint64(*v)<<1 ^ uint64(*v>>63)
	c.uint(&u)
	if c.reading {
		*v = int64(u>>1) ^ -int64(u&1)
	}
}

func (c *coder) fixed64(v *uint64) {
	if !c.reading {
		c.buf = binary.LittleEndian.AppendUint64(c.buf, *v)
		return
	}
	if len(c.buf) < 8 {
		*v = 0
		c.fail("fixed number cut short")
		return
	}
	*v, c.buf = binary.LittleEndian.Uint64(c.buf), c.buf[8:]
}

func (c *coder) bool(v *bool) {
	var u uint64
	if *v {
		u = 1
	}
	c.uint(&u)
	if u > 1 {
		c.fail("truth value above 1")
	}
	if c.reading {
		*v = u == 1
	}
}

// bytes reads without copying: the result aliases the record.
func (c *coder) bytes(v *[]byte) {
	n := uint64(len(*v))
	c.uint(&n)
	if !c.reading {
		c.buf = append(c.buf, *v...)
		return
	}
	if n > uint64(len(c.buf)) {
		*v = nil
		c.fail("text longer than the record")
		return
	}
	*v, c.buf = c.buf[:n:n], c.buf[n:]
}

func (c *coder) string(v *string) {
	if !c.reading {
		n := uint64(len(*v))
		c.uint(&n)
		c.buf = append(c.buf, *v...)
		return
	}
	var b []byte
	c.bytes(&b)
	*v = stringOf(b)
}

// count codes the length of a list whose items take at least one byte each, so that a forged length cannot ask for memory.
func (c *coder) count(n int) int {
	u := uint64(n)
	c.uint(&u)
	if c.reading && u > uint64(len(c.buf)) {
		c.fail("list longer than the record")
		return 0
	}
	return int(u)
}

func (c *coder) labels(v *Labels) {
	n := c.count(len(*v))
	if c.reading {
		*v = nil
		if n > 0 {
			*v = make(Labels, n)
		}
	}
	for i := range *v {
		c.string(&(*v)[i].Name)
		c.string(&(*v)[i].Value)
	}
}

func (c *coder) time(v *Time) { c.int((*int64)(v)) }

// number codes any unsigned field and refuses what does not fit it.
func number[T ~uint8 | ~uint16 | ~uint32 | ~uint64](c *coder, v *T) {
	u := uint64(*v)
	c.uint(&u)
	if !c.reading {
		return
	}
	*v = T(u)
	if uint64(*v) != u {
		c.fail("number out of its field's range")
	}
}
