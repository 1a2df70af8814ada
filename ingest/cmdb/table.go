package cmdb

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Columns of the two tables.
const (
	idColumn        = "id"
	classColumn     = "class"
	nameColumn      = "name"
	stateColumn     = "state"
	needsColumn     = "needs"
	validFromColumn = "valid_from"

	fromColumn = "from"
	kindColumn = "kind"
	toColumn   = "to"
)

// separator stands between several IDs in a column that is named as a kind of relations.
const separator = "|"

// tables reads CSV: tables of items, and tables of relations, which may come first.
type tables struct {
	c     *call
	rows  []tableItem
	index map[string]int // of rows, by ID
	links []link
}

type tableItem struct {
	ci event.CI
	at strict.Place
}

// link is a row of a table of relations.
type link struct {
	from string
	event.Relation
	at strict.Place
}

func newTables(c *call) *tables { return &tables{c: c, index: map[string]int{}} }

// table is one text being read.
type table struct {
	*csv.Reader
	*tables
	file   string
	header []string
	record []string
	bad    bool // the row has a problem
}

func (ts *tables) read(text Text) {
	t := &table{Reader: newReader(text.Data), tables: ts, file: text.Name}
	if !t.next() {
		return
	}
	t.header = columns(t.record)
	switch {
	case t.bad:
	case len(t.header) > maxColumns:
		t.problem("", fmt.Errorf("must have at most %d columns", maxColumns), fmt.Sprint(len(t.header)))
	case t.has(fromColumn, kindColumn, toColumn):
		t.each(t.relation)
	case t.has(idColumn, classColumn) && t.distinct():
		t.each(t.item)
	case !t.has(idColumn, classColumn):
		t.problem("", fmt.Errorf("the first row must name the columns %s and %s, or %s, %s and %s", idColumn, classColumn, fromColumn, kindColumn, toColumn),
			strings.Join(t.record, ","))
	}
}

func newReader(text []byte) *csv.Reader {
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma = comma(text)
	r.FieldsPerRecord = -1
	r.ReuseRecord = true
	r.TrimLeadingSpace = true
	return r
}

// comma finds what separates the columns: what the first line has most of.
func comma(text []byte) rune {
	line, _, _ := bytes.Cut(bytes.TrimLeft(text, "\r\n"), []byte("\n"))
	best, most := ',', 0
	for _, c := range []rune{',', ';', '\t'} {
		if n := bytes.Count(line, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	return best
}

// isTable tells whether the first row names the columns of one of the tables.
func isTable(text []byte) bool {
	record, err := newReader(text).Read()
	if err != nil {
		return false
	}
	t := &table{header: columns(record)}
	return t.has(idColumn, classColumn) || t.has(fromColumn, kindColumn, toColumn)
}

// columns returns the names of the columns: those that mean something are known in upper case, too.
func columns(record []string) []string {
	names := make([]string, len(record))
	for i, name := range record {
		names[i] = strings.TrimSpace(name)
		if lower := strings.ToLower(names[i]); slices.Contains(keyColumns(), lower) {
			names[i] = lower
		}
	}
	return names
}

func keyColumns() []string {
	own := []string{idColumn, classColumn, nameColumn, stateColumn, needsColumn, validFromColumn, fromColumn, kindColumn, toColumn}
	return slices.Concat(own, event.RelationKinds(), serviceKeys())
}

func (t *table) has(names ...string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(t.header, name) })
}

// distinct tells whether every column has a name of its own, and reports those that do not.
func (t *table) distinct() bool {
	for i, name := range t.header {
		switch {
		case name == "":
			t.problem("", fmt.Errorf("column %d has no name", i+1), "")
		case slices.Index(t.header, name) < i:
			t.problem(name, errors.New("this column is there twice"), "")
		}
	}
	return !t.bad
}

// each reads the rows below the header. One that is empty but for separators, as spreadsheets leave them, is none.
func (t *table) each(row func()) {
	for !t.c.full() && t.next() {
		if t.bad || !slices.ContainsFunc(t.record, func(s string) bool { return strings.TrimSpace(s) != "" }) {
			continue
		}
		if len(t.record) > len(t.header) {
			t.problem("", fmt.Errorf("must have %d columns as the first row", len(t.header)), fmt.Sprint(len(t.record)))
			continue
		}
		row()
	}
}

// next reads a record; bad says that it is none.
func (t *table) next() bool {
	var err error
	t.record, err = t.Read()
	t.bad = false
	if errors.Is(err, io.EOF) {
		return false
	}
	if err != nil {
		at := strict.Place{File: t.file}
		if fault, ok := errors.AsType[*csv.ParseError](err); ok {
			at.Line, at.Col, err = fault.Line, fault.Column, fault.Err
		}
		t.bad = true
		t.c.problem(strict.Problem{Place: at, Message: "not CSV: " + err.Error()})
	}
	return true
}

// place returns where column i of the row stands.
func (t *table) place(i int) strict.Place {
	line, column := t.FieldPos(i)
	return strict.Place{File: t.file, Line: line, Col: column}
}

// problem reports what is wrong with the row: with the column key, or as a whole.
func (t *table) problem(key string, err error, got string) {
	t.bad = true
	at := t.place(0)
	if i := slices.Index(t.header, key); i >= 0 && i < len(t.record) {
		at = t.place(i)
	}
	message := err.Error()
	if got != "" {
		message += fmt.Sprintf(" (got %q)", clip(got))
	}
	t.c.problem(strict.Problem{Place: at, Key: key, Message: message})
}
