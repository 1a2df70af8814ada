package terminal

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Clean returns s as one line that can do nothing but be read: white space becomes a blank, and whatever has no shape of its own
// is dropped: control characters (what is left of an escape sequence is harmless text), the marks that turn the reading direction
// round, and those that hide or join text unseen.
func Clean(s string) string {
	if plain(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsGraphic(r):
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// plain tells whether s is printable ASCII, as nearly all text here is.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// CleanLines is Clean for text of several lines, which it returns without the empty ones at the end.
func CleanLines(s string) []string {
	s = strings.TrimRight(strings.ReplaceAll(s, "\r\n", "\n"), "\n \t")
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(Clean(strings.ReplaceAll(line, "\t", "    ")), " ")
	}
	return lines
}

// EscapeJSON returns the same JSON value with every character that Clean would drop written as \uXXXX.
func EscapeJSON(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if r == '\n' || r == '\t' || r == '\r' || unicode.IsGraphic(r) {
			out = append(out, text[:n]...)
		} else {
			for _, unit := range utf16.Encode([]rune{r}) {
				out = fmt.Appendf(out, `\u%04x`, unit)
			}
		}
		text = text[n:]
	}
	return out
}
