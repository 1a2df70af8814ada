package engine

import (
	"compress/gzip"
	"compress/zlib"
	"io"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// encoder returns a writer in the first encoding that the client accepts and we have; an empty name is none.
func encoder(accept string, w io.Writer) (name string, out io.Writer, end func() error) {
	for one := range strings.SplitSeq(accept, ",") {
		name, _, _ := strings.Cut(strings.TrimSpace(one), ";")
		switch name {
		case "gzip":
			z := gzip.NewWriter(w)
			return name, z, z.Close
		case "deflate":
			z := zlib.NewWriter(w)
			return name, z, z.Close
		case "zstd":
			if z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1)); err == nil {
				return name, z, z.Close
			}
		case "lz4":
			z := lz4.NewWriter(w)
			return name, z, z.Close
		}
	}
	return "", nil, nil
}

// decoder returns a reader of a body in the encoding.
func decoder(encoding string, r io.Reader) (io.Reader, error) {
	switch strings.TrimSpace(encoding) {
	case "", "identity":
		return r, nil
	case "gzip", "x-gzip":
		return gzip.NewReader(r)
	case "deflate":
		return zlib.NewReader(r)
	case "zstd":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	case "lz4":
		return lz4.NewReader(r), nil
	}
	return nil, &Exception{Code: codeNotImplemented, Name: "NOT_IMPLEMENTED", Text: "the embedded engine reads no Content-Encoding " + strconv.Quote(encoding) +
		": send gzip, deflate, zstd, lz4 or none"}
}
