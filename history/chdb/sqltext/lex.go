// Package sqltext reads the outside of a ClickHouse statement: its tokens, its first word, where an INSERT's data begin and which output
// format it names. It is no parser: whether a statement may run is the engine's own parser's to say (package guard). Functions of their input.
package sqltext

import (
	"strings"
	"unicode/utf8"
)

// Kind is what a token is.
type Kind uint8

// The kinds of tokens. White space and comments are none.
const (
	Word       Kind = iota + 1
	Quoted          // an identifier in back quotes or double quotes
	String          // a literal, heredocs too
	Number          //
	Mark            // one byte of punctuation
	Unfinished      // what begins and does not end: the text is broken
)

// Token is a piece of a text.
type Token struct {
	Kind       Kind
	Start, End int // bytes of the text
}

// Next returns the first token of text at or after from; ok is false at the end.
func Next(text string, from int) (t Token, ok bool) {
	at, whole := skip(text, from)
	if !whole {
		return Token{Unfinished, at, len(text)}, true
	}
	if at >= len(text) {
		return Token{}, false
	}
	switch c := text[at]; {
	case c == '\'':
		return closed(String, text, at, quotedEnd(text, at+1, c)), true
	case c == '`' || c == '"':
		return closed(Quoted, text, at, quotedEnd(text, at+1, c)), true
	case c == '$':
		if tag := heredocTag(text[at:]); tag != "" {
			end := strings.Index(text[at+len(tag):], tag)
			if end >= 0 {
				end += at + 2*len(tag)
			}
			return closed(String, text, at, end), true
		}
		return Token{Mark, at, at + 1}, true
	case strings.HasPrefix(text[at:], "‘"):
		return closed(String, text, at, after(text, at+len("‘"), "’")), true
	case strings.HasPrefix(text[at:], "“"):
		return closed(Quoted, text, at, after(text, at+len("“"), "”")), true
	case c >= '0' && c <= '9':
		return Token{Number, at, wordEnd(text, at)}, true
	case isWord(c):
		return Token{Word, at, wordEnd(text, at)}, true
	}
	return Token{Mark, at, at + 1}, true
}

func closed(kind Kind, text string, start, end int) Token {
	if end < 0 {
		return Token{Unfinished, start, len(text)}
	}
	return Token{kind, start, end}
}

func after(text string, from int, end string) int {
	if n := strings.Index(text[from:], end); n >= 0 {
		return from + n + len(end)
	}
	return -1
}

func isWord(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func wordEnd(text string, at int) int {
	for at < len(text) && (isWord(text[at]) || text[at] == '$') {
		at++
	}
	return at
}

// quotedEnd returns where the text behind a quote ends, with the quote: a backslash takes the next byte, a doubled quote stands for one.
func quotedEnd(text string, at int, quote byte) int {
	for ; at < len(text); at++ {
		switch text[at] {
		case '\\':
			at++
		case quote:
			if at+1 < len(text) && text[at+1] == quote {
				at++
				continue
			}
			return at + 1
		}
	}
	return -1
}

// heredocTag returns the $tag$ that text begins with, "" for none.
func heredocTag(text string) string {
	for at := 1; at < len(text); at++ {
		if text[at] == '$' {
			return text[:at+1]
		}
		if !isWord(text[at]) {
			return ""
		}
	}
	return ""
}

// skip passes white space and comments; whole is false when a comment does not end.
func skip(text string, at int) (_ int, whole bool) {
	for at < len(text) {
		rest := text[at:]
		switch {
		case strings.ContainsRune(" \t\r\n\f\v\x00", rune(rest[0])):
			at++
		case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "−−"), strings.HasPrefix(rest, "# "), strings.HasPrefix(rest, "#!"):
			line := strings.IndexByte(rest, '\n')
			if line < 0 {
				return len(text), true
			}
			at += line + 1
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return at, false
			}
			at += end + 4
		case rest[0] >= utf8.RuneSelf:
			n := space(rest)
			if n == 0 {
				return at, true
			}
			at += n
		default:
			return at, true
		}
	}
	return at, true
}

// space returns the length of the wide space that text begins with.
func space(text string) int {
	for _, s := range []string{"\u00a0", "\u2009", "\u200b", "\u200c", "\u200d", "\u202f", "\u2060", "\u3000", "\ufeff"} {
		if strings.HasPrefix(text, s) {
			return len(s)
		}
	}
	return 0
}

// All returns the text's tokens.
func All(text string) (all []Token) {
	for at := 0; ; {
		t, ok := Next(text, at)
		if !ok {
			return all
		}
		all, at = append(all, t), t.End
		if t.Kind == Unfinished {
			return all
		}
	}
}

// is reports whether the token is the word, in any case.
func (t Token) is(text, word string) bool {
	return t.Kind == Word && strings.EqualFold(text[t.Start:t.End], word)
}

func (t Token) mark(text string, mark byte) bool { return t.Kind == Mark && text[t.Start] == mark }
