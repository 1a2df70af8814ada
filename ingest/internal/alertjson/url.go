package alertjson

import (
	"net/url"
	"strings"
)

// IsURL tells whether Alertmanager accepts text as a generator URL: net/url takes it for a request's URL, fragment aside.
func IsURL(text string) bool {
	if plainURL(text) {
		return true
	}
	before, _, _ := strings.Cut(text, "#")
	_, err := url.ParseRequestURI(before)
	return err == nil
}

// plainURL knows the usual http://host:port/path?query and says yes only when net/url does; it spares its allocations.
func plainURL(text string) bool {
	rest, ok := strings.CutPrefix(text, "http")
	if !ok {
		return false
	}
	rest = strings.TrimPrefix(rest, "s")
	rest, ok = strings.CutPrefix(rest, "://")
	if !ok {
		return false
	}
	return plainPath(rest[hostLength(rest):])
}

// hostLength returns the length of the host name and port that text begins with.
func hostLength(text string) int {
	i := 0
	for i < len(text) && isHost(text[i]) {
		i++
	}
	if i == 0 || i == len(text) || text[i] != ':' {
		return i
	}
	for i++; i < len(text) && text[i]-'0' <= 9; i++ {
	}
	return i
}

func isHost(c byte) bool {
	return c|0x20-'a' < 26 || c-'0' < 10 || c == '.' || c == '-'
}

// plainPath tells whether text is a path, or nothing, with escapes in order, and then perhaps a query and a fragment, in
// which net/url looks for control characters only.
func plainPath(text string) bool {
	if text != "" && text[0] != '/' {
		return false
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c < ' ' || c == 0x7f:
			return false
		case c == '?' || c == '#':
			return plainQuery(text[i:])
		case c == '%' && (i+2 >= len(text) || !isHex(text[i+1]) || !isHex(text[i+2])):
			return false
		}
	}
	return true
}

// plainQuery tells whether text has no control character; one in the fragment is left to the slow path.
func plainQuery(text string) bool {
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

func isHex(c byte) bool { return c-'0' < 10 || c|0x20-'a' < 6 }
