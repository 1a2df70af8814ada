// Package native is as much of ClickHouse's Native format as the HTTP front needs: the answer to the question that clickhouse-go opens a
// connection with, and the compressed blocks of `compress=1` and `decompress=1`.
package native

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/ClickHouse/ch-go/compress"
)

// Revisions from which on a block looks different.
const (
	revisionBlockInfo     = 1
	revisionSerialization = 54454 // each column says whether its serialization is special
)

// HelloQuery is the question.
const HelloQuery = "SELECT displayName(), version(), revision(), timezone()"

// Hello returns the answer as one block of the revision that the asking client reads it at. It claims revision 0, at which both sides
// then speak: what the embedded engine writes is of revision 0.
func Hello(revision uint64, name, version, timezone string) []byte {
	var b []byte
	if revision >= revisionBlockInfo {
		b = append(b, 1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0)
	}
	b = append(b, 4, 1) // columns, rows
	column := func(title, kind string, value []byte) {
		b = appendString(appendString(b, title), kind)
		if revision >= revisionSerialization {
			b = append(b, 0)
		}
		b = append(b, value...)
	}
	column("displayName()", "String", appendString(nil, name))
	column("version()", "String", appendString(nil, version))
	column("revision()", "UInt32", []byte{0, 0, 0, 0})
	column("timezone()", "String", appendString(nil, timezone))
	return b
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// Reader takes compressed blocks apart. The library's own one gives its last block again when it is read behind an error, and takes an end
// within a block for the end: here an error stays, and only an end between two blocks is io.EOF.
type Reader struct {
	from   *counter
	blocks *compress.Reader
	err    error
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// NewReader returns a reader of the blocks of r.
func NewReader(r io.Reader) *Reader {
	from := &counter{r: r}
	return &Reader{from: from, blocks: compress.NewReader(from)}
}

// Read gives what the blocks hold.
func (r *Reader) Read(p []byte) (int, error) {
	if r.err != nil || len(p) == 0 {
		return 0, r.err
	}
	before := r.from.n
	n, err := r.blocks.Read(p)
	switch {
	case err == nil:
	case errors.Is(err, io.EOF) && r.from.n == before:
		r.err = io.EOF
	case errors.Is(err, io.EOF):
		r.err = fmt.Errorf("compressed block: %w", io.ErrUnexpectedEOF)
	default:
		r.err = fmt.Errorf("compressed block: %w", err)
	}
	return n, r.err
}

// maxBlock is how much goes into one block, as a server does it.
const maxBlock = 1 << 20

// Writer writes compressed blocks.
type Writer struct {
	w      io.Writer
	blocks *compress.Writer
	held   []byte
}

// NewWriter returns a writer of blocks compressed by ZSTD or else LZ4.
func NewWriter(w io.Writer, zstd bool) *Writer {
	method := compress.LZ4
	if zstd {
		method = compress.ZSTD
	}
	return &Writer{w: w, blocks: compress.NewWriter(compress.LevelZero, method)}
}

// Write takes bytes for the next blocks.
func (w *Writer) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := min(maxBlock-len(w.held), len(rest))
		w.held, rest = append(w.held, rest[:n]...), rest[n:]
		if len(w.held) == maxBlock {
			if err := w.Flush(); err != nil {
				return 0, err
			}
		}
	}
	return len(p), nil
}

// Flush sends what is held as a block.
func (w *Writer) Flush() error {
	if len(w.held) == 0 {
		return nil
	}
	if err := w.blocks.Compress(w.held); err != nil {
		return err
	}
	w.held = w.held[:0]
	_, err := w.w.Write(w.blocks.Data)
	return err
}
