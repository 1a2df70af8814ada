package imports

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

const peekBytes = 64 << 10

// open returns an export as text without a byte order mark. Windows-1252 that nobody stated is noticed cell by cell (utf8Text), since its first
// foreign letter may come late.
func open(r io.Reader, stated string) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(r, peekBytes)
	head, err := in.Peek(peekBytes)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("reading: %w", err)
	}
	mark := unicode.IgnoreBOM
	if bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff}) {
		mark = unicode.UseBOM
	}
	var from encoding.Encoding
	switch encodingOf(head, stated) {
	case "utf-16le":
		from = unicode.UTF16(unicode.LittleEndian, mark)
	case "utf-16be":
		from = unicode.UTF16(unicode.BigEndian, mark)
	case "windows-1252":
		from = charmap.Windows1252
	default:
		if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
			_, _ = in.Discard(3) // they have been peeked at
		}
		return in, nil
	}
	return bufio.NewReaderSize(transform.NewReader(in, from.NewDecoder()), peekBytes), nil
}

// encodingOf finds out how a file that begins with head is written. Exports begin with ASCII, of which UTF-16 shows as every other byte zero.
func encodingOf(head []byte, stated string) string {
	switch {
	case stated != "":
		return stated
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return "utf-16le"
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return "utf-16be"
	case len(head) >= 4 && head[0] != 0 && head[1] == 0 && head[3] == 0:
		return "utf-16le"
	case len(head) >= 4 && head[0] == 0 && head[1] != 0 && head[2] == 0:
		return "utf-16be"
	}
	return "utf-8"
}

// utf8Text returns a cell as valid text: one that is no UTF-8 is Windows-1252.
func utf8Text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	out, err := charmap.Windows1252.NewDecoder().String(s)
	if err != nil {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return out
}
