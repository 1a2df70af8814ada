package jsonscan

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// Eight bytes are looked at together; these find the ones that end a run of plain text.
const (
	ones     = 0x0101010101010101
	highs    = 0x80 * ones
	spaces   = 0x20 * ones
	quotes   = '"' * ones
	escapes  = '\\' * ones
	wordSize = 8
)

// traits of a string's text that its bytes must be worked on for.
type traits uint8

const (
	hasEscape traits = 1 << iota
	hasHigh          // bytes outside ASCII
)

// Text consumes the string that Peek found and returns its value, which aliases the text.
func (s *Scanner) Text() string {
	start := s.pos + 1
	end, has := s.endOfText(start)
	if end < 0 {
		return ""
	}
	s.pos = end + 1
	text := s.data[start:end]
	if has != 0 {
		text = resolve(text, has)
	}
	return unsafe.String(unsafe.SliceData(text), len(text))
}

// endOfText returns the position of the quote that ends the string beginning at i, -1 when there is a fault in it.
func (s *Scanner) endOfText(i int) (end int, has traits) {
	data := s.data
	for {
		i = plain(data, i)
		if i >= len(data) {
			s.fail(len(data), "unexpected end of JSON input")
			return -1, has
		}
		switch c := data[i]; {
		case c == '"':
			return i, has
		case c == '\\':
			has |= hasEscape
			n := s.escape(i)
			if n == 0 {
				return -1, has
			}
			i += n
		case c < ' ':
			s.fail(i, "invalid character "+quote(c)+" in string literal")
			return -1, has
		default:
			has |= hasHigh
			for i < len(data) && data[i] >= utf8.RuneSelf {
				i++
			}
		}
	}
}

// plain returns the first position from i on that holds a quote, a backslash, a control character or a byte outside ASCII.
func plain(data []byte, i int) int {
	for ; i+wordSize <= len(data); i += wordSize {
		w := binary.LittleEndian.Uint64(data[i:])
		// A borrow only spreads upwards from a byte that is a hit itself, so the lowest hit is exact.
		hit := (w | (w - spaces) | ((w ^ quotes) - ones) | ((w ^ escapes) - ones)) & highs
		if hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
	}
	for ; i < len(data); i++ {
		if c := data[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return i
		}
	}
	return i
}

// escape returns the length of the escape sequence at i, 0 when it is none.
func (s *Scanner) escape(i int) int {
	if i+1 >= len(s.data) {
		s.fail(len(s.data), "unexpected end of JSON input")
		return 0
	}
	switch c := s.data[i+1]; c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		for k := i + 2; k < i+6; k++ {
			if k >= len(s.data) {
				s.fail(len(s.data), "unexpected end of JSON input")
				return 0
			}
			if unhex(s.data[k]) < 0 {
				s.fail(k, "invalid character "+quote(s.data[k])+` in \u hexadecimal character escape`)
				return 0
			}
		}
		return 6
	default:
		s.fail(i+1, "invalid character "+quote(c)+" in string escape code")
		return 0
	}
}

// resolve returns what text, which endOfText has found to be sound, stands for; escapes are resolved in place.
func resolve(text []byte, has traits) []byte {
	if has&hasEscape != 0 {
		text = unescapeAll(text)
	}
	if has&hasHigh != 0 && !utf8.Valid(text) {
		// One U+FFFD for each byte that is no UTF-8: three bytes for one, so they need a place of their own.
		text = []byte(string([]rune(string(text))))
	}
	return text
}

// unescapeAll writes over text what it stands for: no escape is shorter than its character.
func unescapeAll(text []byte) []byte {
	i := bytes.IndexByte(text, '\\')
	out := text[:i]
	for i < len(text) {
		r, n := unescape(text[i:])
		out = utf8.AppendRune(out, r)
		i += n
		run := bytes.IndexByte(text[i:], '\\')
		if run < 0 {
			run = len(text) - i
		}
		out = append(out, text[i:i+run]...)
		i += run
	}
	return out
}

// unescape returns the character that the escape sequence at the start of text stands for, and the sequence's length.
func unescape(text []byte) (r rune, n int) {
	switch c := text[1]; c {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		return unescapeUnicode(text)
	default:
		return rune(c), 2
	}
}

func unescapeUnicode(text []byte) (r rune, n int) {
	r = hex4(text[2:])
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(text) >= 12 && text[6] == '\\' && text[7] == 'u' {
		if pair := utf16.DecodeRune(r, hex4(text[8:])); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return utf8.RuneError, 6
}

func hex4(text []byte) (r rune) {
	for _, c := range text[:4] {
		r = r<<4 | rune(unhex(c))
	}
	return r
}

// unhex returns the value of a hexadecimal digit, -1 for any other byte.
func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
