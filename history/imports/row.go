package imports

import (
	"bufio"
	"fmt"
	"slices"
	"strings"
)

// row is one of an export: the cells of the columns that the map names, in the map's order.
type row struct {
	line  int // where it begins, from 1
	cells []string
	fault *Reject // it cannot be read
}

// rows reads an export. next returns nil at the end; an error ends the import.
type rows interface {
	next() (*row, error)
	unmapped() []string // columns that the map does not name, in order
}

// Reject is a row, or a value of it, that was not taken.
type Reject struct {
	Line   int    `json:"line"`
	Column string `json:"column" doc:"as the export calls it; empty: the row as a whole"`
	Value  string `json:"value"`
	Reason string `json:"reason"`
}

// FileError says that an export cannot be read at all, or from some place on.
type FileError struct {
	Line   int // 0: the file as a whole
	Reason string
	Hint   string
}

// Error returns the place and the reason.
func (e *FileError) Error() string {
	text := e.Reason
	if e.Line > 0 {
		text = fmt.Sprintf("line %d: %s", e.Line, text)
	}
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

// readRows finds out what an export is and returns its reader.
func (m *Map) readRows(in *bufio.Reader) (rows, error) {
	format := m.Format
	if format == "" {
		head, _ := in.Peek(peekBytes) // an error comes again when it is read
		format = "csv"
		if text := strings.TrimLeft(string(head), " \t\r\n"); strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
			format = "json"
		}
	}
	if format == "json" {
		return newJSONRows(m, in)
	}
	return newCSVRows(m, in)
}

// missing returns an error when a fact without which nothing can be taken has no column among names.
func (m *Map) missing(names []string) error {
	needed := []fact{factNumber, factOpenedAt}
	if m.Rows == RowEvent {
		needed = []fact{factNumber, factAt}
	}
	for _, f := range needed {
		s := &m.facts[f]
		if len(s.columns) > 0 && !slices.ContainsFunc(s.columns, func(c string) bool { return slices.Contains(names, c) }) {
			return &FileError{
				Reason: fmt.Sprintf("no column %s, which the map takes for %s (%s)", quotedList(s.columns), factNames[f].name, s.place),
				Hint:   "the columns are " + quotedList(names[:min(len(names), 40)]) + "; a delimiter or encoding that was not found out can be stated in the map",
			}
		}
	}
	return nil
}

func quotedList(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = fmt.Sprintf("%q", w)
	}
	return strings.Join(out, ", ")
}

// clip keeps a value short enough for a message.
func clip(s string) string {
	const limit = 120
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return s
}
