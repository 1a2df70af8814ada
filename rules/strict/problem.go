package strict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Place is a position in a file; Line and Col count from 1, Col in characters, and 0 means "not known".
type Place struct {
	File      string
	Line, Col int
}

// String returns file:line:col without the parts that are not known.
func (p Place) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Col == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

func (p Place) compare(other Place) int {
	return cmp.Or(cmp.Compare(p.File, other.File), cmp.Compare(p.Line, other.Line), cmp.Compare(p.Col, other.Col))
}

// Problem is one thing wrong with a file.
type Problem struct {
	Place   Place
	Key     string // the key, or key[i] for a list's item, "" for the file as a whole
	Message string
	Hint    string // what to do about it, "" when the message says it all
}

// String returns the problem in one line, as in rules/db.yml:12:7: window: must be at least 1s (got "0s").
func (p Problem) String() string {
	parts := make([]string, 0, 3)
	for _, s := range []string{p.Place.String(), p.Key, p.Message} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	line := strings.Join(parts, ": ")
	if p.Hint != "" {
		line += "; " + p.Hint
	}
	return line
}

// Errors are all problems found, sorted by place.
type Errors []Problem

// Error returns one problem per line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, p := range e {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Sort brings e into the order of places.
func (e Errors) Sort() {
	slices.SortStableFunc(e, func(a, b Problem) int {
		return cmp.Or(a.Place.compare(b.Place), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Message, b.Message))
	})
}

// Err returns e sorted, or nil when there is no problem.
func (e Errors) Err() error {
	if len(e) == 0 {
		return nil
	}
	e.Sort()
	return e
}
