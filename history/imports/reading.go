package imports

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// reading is what the cells of a row say.
type reading struct {
	line  int
	text  [factCount]string // empty: nothing is said
	at    [factCount]int64  // ms since 1970; 0: nothing is said
	num   [factCount]int32  // levels and counts; -1: nothing is said
	words [factCount]string // states and activities, as states and activities list them
	kind  string            // what the signature's columns say
	label map[string]string
}

// bounds of what is taken for a mistake rather than for a time.
const (
	firstYear  = 1990
	maxNumber  = 64 // characters of an incident's number
	maxCell    = 4000
	unknown    = "unknown" // who did it where the export does not say: some person
	maxCounted = 1_000_000
)

// reader reads rows by a map.
type reader struct {
	m    *Map
	last int64 // instants after it are mistakes
}

// read takes the facts out of a row's cells. The first value that cannot be read is why the row is rejected.
func (r *reader) read(line int, cells []string) (*reading, *Reject) {
	out := &reading{line: line}
	for f := range factCount {
		out.num[f] = -1
		s := &r.m.facts[f]
		if !s.stated() {
			continue
		}
		column, cell := r.cell(s, cells)
		value, why := r.meaning(f, s, cell)
		if why == "" && value != "" {
			why = r.take(out, f, value)
		}
		if why != "" {
			return nil, &Reject{Line: line, Column: column, Value: clip(cell), Reason: factNames[f].name + ": " + why}
		}
	}
	switch number := out.text[factNumber]; {
	case number == "":
		return nil, r.missing(line, factNumber)
	case utf8.RuneCountInString(number) > maxNumber:
		return nil, &Reject{Line: line, Column: r.m.facts[factNumber].columns[0], Value: clip(number), Reason: fmt.Sprintf("number: longer than %d characters", maxNumber)}
	}
	needed := factOpenedAt
	if r.m.Rows == RowEvent {
		needed = factAt
	}
	if out.at[needed] == 0 {
		return nil, r.missing(line, needed)
	}
	r.describe(out, cells)
	return out, nil
}

func (r *reader) missing(line int, f fact) *Reject {
	column := ""
	if s := &r.m.facts[f]; len(s.columns) > 0 {
		column = s.columns[0]
	}
	return &Reject{Line: line, Column: column, Reason: factNames[f].name + ": missing"}
}

// cell returns the first of a source's columns that says something.
func (r *reader) cell(s *source, cells []string) (column, text string) {
	for i, at := range s.cells {
		if column == "" {
			column = s.columns[i]
		}
		if text := cells[at]; text != "" && !r.m.empty[text] {
			return s.columns[i], text
		}
	}
	return column, ""
}

// meaning translates a cell by the source's values.
func (r *reader) meaning(f fact, s *source, cell string) (value, why string) {
	switch {
	case s.constant != "":
		return s.constant, ""
	case cell == "" || s.values == nil:
		return cell, ""
	}
	if value, ok := s.values[fold(cell)]; ok {
		return value, ""
	}
	if factNames[f].shape == asText {
		if s.otherwise != "" {
			return s.otherwise, ""
		}
		return cell, ""
	}
	if factNames[f].shape == asLevel {
		if _, ok := level(cell); ok && s.otherwise == "" {
			return cell, ""
		}
	}
	if s.otherwise != "" {
		return s.otherwise, ""
	}
	return "", "not among the map's values; add it there, or say what others mean with otherwise"
}

// take reads a value in the shape of its fact.
func (r *reader) take(out *reading, f fact, value string) (why string) {
	switch factNames[f].shape {
	case asText:
		out.text[f] = cut(value, maxCell)
	case asWord:
		out.words[f] = value
	case asLevel:
		n, ok := level(value)
		if !ok {
			return "no level from 1 to 5; say in values what it means"
		}
		out.num[f] = n
	case asCount:
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > maxCounted {
			return "no count"
		}
		out.num[f] = int32(n)
	case asTime:
		at, ok := r.m.time(value)
		switch {
		case !ok:
			return "fits none of the date formats (" + r.m.dateTexts() + "); state the right one in dates, or with --dates"
		case at.Year() < firstYear:
			return fmt.Sprintf("lies before %d", firstYear)
		case at.UnixMilli() > r.last:
			return "lies in the future"
		}
		out.at[f] = at.UnixMilli()
	}
	return ""
}

func (m *Map) dateTexts() string {
	list := make([]string, len(m.Dates))
	for i, d := range m.Dates {
		list[i] = d.Text
	}
	return strings.Join(list, ", ")
}

// level reads "3", "3 - Moderate" and "3. Medium".
func level(s string) (int32, bool) {
	if s == "" || s[0] < '1' || s[0] > '5' {
		return 0, false
	}
	if rest := strings.TrimLeft(s[1:], " "); rest != "" && rest[0] != '-' && rest[0] != '.' && rest[0] != ':' {
		return 0, false
	}
	return int32(s[0] - '0'), true
}

// describe takes what only tells incidents apart: the columns of the signature, and labels.
func (r *reader) describe(out *reading, cells []string) {
	var parts []string
	for _, column := range r.m.signature {
		if text := cells[r.m.at[column]]; text != "" && !r.m.empty[text] {
			parts = append(parts, cut(text, 200))
		}
	}
	out.kind = strings.Join(parts, " / ")
	for _, l := range r.m.labels {
		if text := cells[l.cell]; text != "" && !r.m.empty[text] {
			if out.label == nil {
				out.label = map[string]string{}
			}
			out.label[l.name] = cut(text, 500)
		}
	}
}

// who returns the person that a cell names: empty where it is a machine.
func (m *Map) who(text string) string {
	switch {
	case text == "":
		return unknown
	case m.machine[fold(text)]:
		return ""
	}
	return cut(text, 200)
}

// services takes a cell with several apart.
func (m *Map) services(text string) []string {
	if text == "" {
		return nil
	}
	parts := []string{text}
	if sep := m.facts[factServices].separator; sep != "" {
		parts = strings.Split(text, sep)
	}
	var list []string
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			list = append(list, cut(p, 200))
		}
	}
	return list
}

// cut keeps the first characters of a text, without those that act.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:i]
		}
	}
	return s
}

// lastInstant is until when times are believed: clocks and zones differ.
func lastInstant(now time.Time) int64 { return now.Add(24 * time.Hour).UnixMilli() }
