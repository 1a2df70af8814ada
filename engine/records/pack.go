package records

import (
	"encoding/hex"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
)

// What stands where a text was taken away is kept in so few bytes that no text was shorter: a redacted entry always fits where the
// entry was. The last two begin with bytes that no UTF-8 has.
//
//	[redacted]       00
//	[redacted 7f]    fe 7f
//	[redacted 7f0a]  ff 7f 0a
const (
	plainMark = '\x00'
	shortMark = '\xfe'
	longMark  = '\xff'
	opening   = "[redacted"
)

// pack shortens the marks in a text.
func pack(text string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, opening)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		tag, after, closed := strings.Cut(rest, "]")
		if !closed || !event.IsRedacted(opening+tag+"]") {
			b.WriteString(opening)
			text = rest
			continue
		}
		digest, _ := hex.DecodeString(strings.TrimPrefix(tag, " "))
		b.WriteByte([]byte{plainMark, shortMark, longMark}[len(digest)])
		b.Write(digest)
		text = after
	}
}

// unpack is the inverse of pack.
func unpack(text string) string {
	if !strings.ContainsAny(text, "\x00") && strings.IndexByte(text, shortMark) < 0 && strings.IndexByte(text, longMark) < 0 {
		return text
	}
	var b strings.Builder
	for n := 0; n < len(text); n++ {
		digits := 0
		switch text[n] {
		case plainMark:
			b.WriteString(Redacted)
			continue
		case shortMark:
			digits = 1
		case longMark:
			digits = 2
		}
		if digits == 0 || n+digits >= len(text) {
			b.WriteByte(text[n])
			continue
		}
		b.WriteString(opening + " " + hex.EncodeToString([]byte(text[n+1:n+1+digits])) + "]")
		n += digits
	}
	return b.String()
}
