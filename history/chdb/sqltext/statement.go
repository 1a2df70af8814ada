package sqltext

import "strings"

// First returns the statement's first word in capitals, "(" for a parenthesis, "" for neither.
func First(text string) string {
	t, ok := Next(text, 0)
	switch {
	case !ok:
		return ""
	case t.Kind == Word:
		return strings.ToUpper(text[t.Start:t.End])
	case t.mark(text, '('):
		return "("
	}
	return ""
}

// Format returns the output format that the statement names in its FORMAT clause, "" for none.
func Format(text string) string {
	all := All(text)
	for n := len(all); n > 0 && all[n-1].mark(text, ';'); n-- {
		all = all[:n-1]
	}
	for n := len(all) - 2; n >= 0; n-- {
		if !all[n].is(text, "FORMAT") {
			continue
		}
		name := all[n+1]
		if name.Kind != Word || n > 0 && (all[n-1].mark(text, ',') || all[n-1].mark(text, '.')) {
			return ""
		}
		if n+2 < len(all) && !all[n+2].is(text, "SETTINGS") {
			return ""
		}
		return text[name.Start:name.End]
	}
	return ""
}

// Insert is the outside of an INSERT whose rows come as data.
type Insert struct {
	Head   string // up to before FORMAT or VALUES
	Format string // of the data; "" where none is named
	Data   int    // where the data begin in the text; its length when the text holds none
}

// SplitInsert takes an INSERT with data apart. ok is false for every other statement, an INSERT … SELECT too. The text may be the beginning
// of a longer one, as long as the data begin in it.
func SplitInsert(text string) (_ Insert, ok bool) {
	if First(text) != "INSERT" {
		return Insert{}, false
	}
	depth, last := 0, 0
	for at := 0; ; {
		t, more := Next(text, at)
		if !more || t.Kind == Unfinished {
			return Insert{Head: text[:last], Data: len(text)}, t.Kind != Unfinished
		}
		at = t.End
		switch {
		case t.mark(text, '('):
			depth++
		case t.mark(text, ')'):
			depth--
		case depth > 0:
		case t.is(text, "SELECT"), t.is(text, "WITH"), t.is(text, "WATCH"), t.is(text, "INFILE"):
			return Insert{}, false
		case t.is(text, "VALUES"):
			return Insert{Head: text[:last], Format: "Values", Data: t.End}, true
		case t.is(text, "FORMAT"):
			name, named := Next(text, at)
			if !named || name.Kind != Word {
				return Insert{}, false
			}
			return Insert{Head: text[:last], Format: text[name.Start:name.End], Data: dataStart(text, name.End)}, true
		}
		last = t.End
	}
}

// dataStart passes the white space behind the name of a format up to the end of its line; the data begin there.
func dataStart(text string, at int) int {
	for ; at < len(text); at++ {
		switch text[at] {
		case ' ', '\t', '\r', ';':
		case '\n':
			return at + 1
		default:
			return at
		}
	}
	return at
}
