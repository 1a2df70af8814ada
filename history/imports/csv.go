package imports

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// csvRows reads CSV with a header.
type csvRows struct {
	m      *Map
	csv    *csv.Reader
	width  int
	cells  []int // by column of the file: place in a row, -1: nobody asked for it
	others []string
}

func newCSVRows(m *Map, in *bufio.Reader) (*csvRows, error) {
	r := &csvRows{m: m, csv: csv.NewReader(in)}
	r.csv.Comma = m.Delimiter
	if m.Delimiter == 0 {
		head, _ := in.Peek(peekBytes) // an error comes again when it is read
		r.csv.Comma = delimiterOf(string(head))
	}
	r.csv.ReuseRecord, r.csv.FieldsPerRecord, r.csv.LazyQuotes = true, -1, m.LaxQuotes
	header, err := r.csv.Read()
	if errors.Is(err, io.EOF) {
		return nil, &FileError{Reason: "the file is empty", Hint: "its first row must name the columns"}
	}
	if err != nil {
		return nil, &FileError{Line: 1, Reason: "the header cannot be read: " + err.Error()}
	}
	names := make([]string, len(header))
	seen := map[string]bool{}
	for i, name := range header {
		name = strings.TrimSpace(utf8Text(name))
		names[i] = name
		at, wanted := m.at[name]
		switch {
		case !wanted:
			at = -1
			if name != "" && !m.ignored[name] && !seen[name] {
				r.others = append(r.others, name)
			}
		case seen[name]:
			return nil, &FileError{Line: 1, Reason: fmt.Sprintf("there are two columns %q", name), Hint: "rename one, so that the map can tell them apart"}
		}
		seen[name] = true
		r.cells = append(r.cells, at)
	}
	r.width = len(header)
	return r, m.missing(names)
}

// delimiterOf returns the likeliest of the header's characters outside of quotes.
func delimiterOf(head string) rune {
	counts := map[rune]int{}
	inside := false
	for _, c := range head {
		switch c {
		case '"':
			inside = !inside
		case ',', ';', '\t', '|':
			if !inside {
				counts[c]++
			}
		}
		if c == '\n' && !inside {
			break
		}
	}
	best := ','
	for _, c := range []rune{';', '\t', '|'} {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return best
}

func (r *csvRows) unmapped() []string { return r.others }

func (r *csvRows) next() (*row, error) {
	record, err := r.csv.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if bad, ok := errors.AsType[*csv.ParseError](err); ok {
		return &row{line: bad.StartLine, fault: &Reject{Line: bad.StartLine, Reason: quotesReason(bad)}}, nil
	}
	if err != nil {
		line, _ := r.csv.FieldPos(0)
		return nil, &FileError{Line: line, Reason: err.Error()}
	}
	line, _ := r.csv.FieldPos(0)
	out := &row{line: line, cells: make([]string, len(r.m.columns))}
	if len(record) < r.width {
		out.fault = &Reject{Line: line, Reason: fmt.Sprintf("%d cells, and the header has %d", len(record), r.width)}
		return out, nil
	}
	for i, cell := range record {
		switch {
		case i >= r.width && strings.TrimSpace(cell) != "":
			out.fault = &Reject{Line: line, Value: clip(utf8Text(cell)), Reason: fmt.Sprintf("%d cells, and the header has %d", len(record), r.width)}
			return out, nil
		case i < r.width && r.cells[i] >= 0:
			out.cells[r.cells[i]] = strings.TrimSpace(utf8Text(cell))
		}
	}
	return out, nil
}

func quotesReason(bad *csv.ParseError) string {
	text := fmt.Sprintf("column %d: %v", bad.Column, bad.Err)
	if errors.Is(bad.Err, csv.ErrBareQuote) || errors.Is(bad.Err, csv.ErrQuote) {
		text = fmt.Sprintf("a quote at column %d of line %d that neither begins nor ends a cell (lax_quotes: true in the map takes it as text)", bad.Column, bad.Line)
	}
	return text
}
