package jsonscan

import "strconv"

// Skip consumes the next value, whatever it is, and checks it.
func (s *Scanner) Skip() {
	switch c := s.Peek(); c {
	case '{':
		s.Enter()
		for ok := s.skipKey(true); ok; ok = s.skipKey(false) {
			s.Skip()
		}
	case '[':
		s.Enter()
		for ok := s.Element(true); ok; ok = s.Element(false) {
			s.Skip()
		}
	case '"':
		s.skipText()
	case 't':
		s.word("true")
	case 'f':
		s.word("false")
	case 'n':
		s.word("null")
	default:
		if c != '-' && (c < '0' || c > '9') {
			s.failHere("looking for beginning of value")
			return
		}
		s.number()
	}
}

// skipKey is Member without the work on the key's text.
func (s *Scanner) skipKey(first bool) (ok bool) {
	c := s.Peek()
	if c == '}' {
		s.leave()
		return false
	}
	if !first {
		if c != ',' {
			return s.failHere("after object key:value pair")
		}
		s.pos++
		c = s.Peek()
	}
	if c != '"' {
		return s.failHere("looking for beginning of object key string")
	}
	s.skipText()
	if s.Peek() != ':' {
		return s.failHere("after object key")
	}
	s.pos++
	return true
}

func (s *Scanner) skipText() {
	if end, _ := s.endOfText(s.pos + 1); end >= 0 {
		s.pos = end + 1
	}
}

func (s *Scanner) word(w string) {
	for i := range len(w) {
		if s.pos >= len(s.data) || s.data[s.pos] != w[i] {
			s.failHere("in literal " + w)
			return
		}
		s.pos++
	}
}

// Uint consumes the number that Peek found. ok is false for one that is no unsigned integer of 64 bits.
func (s *Scanner) Uint() (v uint64, ok bool) {
	start := s.pos
	s.number()
	if s.err != nil {
		return 0, false
	}
	v, err := strconv.ParseUint(string(s.data[start:s.pos]), 10, 64)
	return v, err == nil
}

// number consumes -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
func (s *Scanner) number() {
	if s.at('-') {
		s.pos++
	}
	if s.at('0') {
		s.pos++
	} else if !s.digits("in numeric literal") {
		return
	}
	if s.at('.') {
		s.pos++
		if !s.digits("after decimal point in numeric literal") {
			return
		}
	}
	if s.at('e') || s.at('E') {
		s.pos++
		if s.at('+') || s.at('-') {
			s.pos++
		}
		s.digits("in exponent of numeric literal")
	}
}

func (s *Scanner) at(c byte) bool { return s.pos < len(s.data) && s.data[s.pos] == c }

// digits consumes at least one digit.
func (s *Scanner) digits(context string) bool {
	start := s.pos
	for s.pos < len(s.data) && s.data[s.pos]-'0' <= 9 {
		s.pos++
	}
	return s.pos > start || s.failHere(context)
}
