// Package jsonscan reads JSON in one pass over its bytes, with the verdicts and values of encoding/json: the same texts are
// valid, invalid UTF-8 becomes U+FFFD, a lone surrogate too, and nesting ends at the same depth.
//
// It is a scanner for decoders that know what they expect, not a general unmarshaler, and it builds no tree. Strings alias
// the text that is read, and escapes are resolved in place: the text belongs to the scanner and then to its strings. One
// goroutine owns a Scanner.
package jsonscan

import (
	"fmt"
	"strconv"
)

// MaxDepth is how deep objects and arrays may nest, as in encoding/json.
const MaxDepth = 10000

// SyntaxError says why a text is no JSON.
type SyntaxError struct {
	Offset  int // in bytes, of the first one that does not fit
	Message string
}

// Error returns the message and the offset.
func (e *SyntaxError) Error() string { return fmt.Sprintf("%s at byte %d", e.Message, e.Offset) }

// Scanner walks over a JSON text. After the first fault every method behaves as if the text ended there, so a caller may
// ask Err once, at the end.
type Scanner struct {
	data  []byte
	pos   int
	depth int
	err   *SyntaxError
}

// New returns a scanner that owns data, which it may write to.
func New(data []byte) Scanner { return Scanner{data: data} }

// Err returns the first fault, nil when there was none.
func (s *Scanner) Err() *SyntaxError { return s.err }

// Offset returns the number of bytes consumed.
func (s *Scanner) Offset() int { return s.pos }

// Peek skips white space and returns the byte there without consuming it, 0 at the end. It tells the kind of the value
// that follows: { [ " n t f, a digit or a minus.
func (s *Scanner) Peek() byte {
	for s.pos < len(s.data) {
		c := s.data[s.pos]
		if c > ' ' {
			return c
		}
		if !s.space(c) {
			break
		}
	}
	return 0
}

// space consumes c if it is white space. A control character is a fault, and so 0 can mean the end to the callers of Peek.
func (s *Scanner) space(c byte) bool {
	if c == ' ' || c == '\n' || c == '\t' || c == '\r' {
		s.pos++
		return true
	}
	return s.failHere("looking for the next token")
}

// Enter consumes the { or [ that Peek found.
func (s *Scanner) Enter() {
	s.depth++
	if s.depth > MaxDepth {
		s.fail(s.pos, "exceeded max depth")
		return
	}
	s.pos++
}

// Member consumes what stands before the next value of the object that was entered: its key and the punctuation around it.
// first says that no value of this object was read yet. ok is false behind the object's end.
func (s *Scanner) Member(first bool) (key string, ok bool) {
	c := s.Peek()
	if c == '}' {
		s.leave()
		return "", false
	}
	if !first {
		if c != ',' {
			s.failHere("after object key:value pair")
			return "", false
		}
		s.pos++
	}
	if !s.at('"') && s.Peek() != '"' {
		s.failHere("looking for beginning of object key string")
		return "", false
	}
	key = s.Text()
	if !s.at(':') && s.Peek() != ':' { // at is inlined, Peek is not
		s.failHere("after object key")
		return "", false
	}
	s.pos++
	return key, true
}

// Element consumes the punctuation before the next value of the array that was entered. ok is false behind its end.
func (s *Scanner) Element(first bool) (ok bool) {
	c := s.Peek()
	if c == ']' {
		s.leave()
		return false
	}
	if first {
		return c != 0 || s.failHere("looking for beginning of value")
	}
	if c != ',' {
		return s.failHere("after array element")
	}
	s.pos++
	return true
}

// End reports a fault unless only white space is left.
func (s *Scanner) End() {
	if s.Peek() != 0 {
		s.failHere("after top-level value")
	}
}

func (s *Scanner) leave() {
	s.depth--
	s.pos++
}

// failHere reports that the byte at the position does not fit; it returns false.
func (s *Scanner) failHere(context string) bool {
	if s.pos >= len(s.data) {
		return s.fail(len(s.data), "unexpected end of JSON input")
	}
	return s.fail(s.pos, "invalid character "+quote(s.data[s.pos])+" "+context)
}

// fail keeps the first fault and moves to the end, where nothing can be read any more; it returns false.
func (s *Scanner) fail(offset int, message string) bool {
	if s.err == nil {
		s.err = &SyntaxError{Offset: offset, Message: message}
	}
	s.pos = len(s.data)
	return false
}

func quote(c byte) string {
	switch c {
	case '\'':
		return `'\''`
	case '"':
		return `'"'`
	}
	q := strconv.Quote(string(rune(c)))
	return "'" + q[1:len(q)-1] + "'"
}
