package rules

import (
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Table is what rules can look up: for a key, the values of some columns.
type Table struct {
	Head
	Columns []string            // without that of the key
	rows    map[string][]string // by key, the values in the order of Columns

	written []tableRow // until it is checked
}

type tableRow struct {
	node  *yaml.Node
	cells []string
}

func (row *tableRow) read(r *strict.Reader, n *yaml.Node) {
	row.node = n
	strict.List(&row.cells, func(cell *string) strict.Value { return strict.Text(cell) })(r, n)
}

// valueColumn is the column of a table that gives one value for each key.
const valueColumn = "value"

func (t *Table) keys(*parsing) []key {
	return []key{
		must(word("name", &t.Name, "unique; `look_up` names it")),
		{name: "values", kind: "mapping", help: "key: value (the column is then called `value`), or key: {column: value, …}", value: t.readValues},
		{name: "columns", kind: "list of words", help: "instead of `values`: the names of the columns; the first holds the key", value: strict.List(&t.Columns, func(s *string) strict.Value { return strict.Word(s) })},
		{name: "rows", kind: "list of lists", help: "with `columns`: the rows, each with as many words", value: strict.List(&t.written, func(row *tableRow) strict.Value { return row.read })},
	}
}

func (t *Table) sides() []*Side { return nil }

func (t *Table) readValues(r *strict.Reader, n *yaml.Node) {
	t.rows = map[string][]string{}
	var cells []struct{ row, column, value string }
	strict.Pairs(func(row string) strict.Value {
		return func(r *strict.Reader, n *yaml.Node) {
			if nodeOf(n).Kind != yaml.MappingNode {
				n = &yaml.Node{Kind: yaml.MappingNode, Line: n.Line, Column: n.Column, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: valueColumn, Line: n.Line, Column: n.Column}, n}}
			}
			t.rows[row] = nil
			strict.Pairs(func(column string) strict.Value {
				return strict.Scalar(func(text string) error {
					cells = append(cells, struct{ row, column, value string }{row, column, text})
					if !slices.Contains(t.Columns, column) {
						t.Columns = append(t.Columns, column)
					}
					return nil
				})
			})(r, n)
		}
	})(r, n)
	slices.Sort(t.Columns)
	for _, c := range cells {
		if t.rows[c.row] == nil {
			t.rows[c.row] = make([]string, len(t.Columns))
		}
		t.rows[c.row][slices.Index(t.Columns, c.column)] = c.value
	}
}

// given tells which keys stand in the mapping n.
func given(n *yaml.Node, name string) bool {
	n = nodeOf(n)
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return true
		}
	}
	return false
}

func (t *Table) check(r *strict.Reader, n *yaml.Node) {
	written := t.written
	t.written = nil
	switch {
	case given(n, "values") == given(n, "rows"):
		r.ProblemAt(n, "values", "a table needs exactly one of values and rows", "")
		return
	case given(n, "rows") != given(n, "columns"):
		r.ProblemAt(n, "columns", "rows need columns, and columns rows", "")
		return
	case !given(n, "rows"):
		return
	case len(t.Columns) < 2:
		r.ProblemAt(n, "columns", "must name the key's column and at least one more", "")
		return
	}
	t.rows = map[string][]string{}
	for _, row := range written {
		switch {
		case len(row.cells) != len(t.Columns):
			r.ProblemAt(row.node, "rows", fmt.Sprintf("must have %d words, one for each column (got %d)", len(t.Columns), len(row.cells)), "")
		case t.rows[row.cells[0]] != nil:
			r.ProblemAt(row.node, "rows", "the key "+quote(row.cells[0])+" stands twice", "")
		default:
			t.rows[row.cells[0]] = row.cells[1:]
		}
	}
	t.Columns = t.Columns[1:]
}

// Get returns the row of a key, in the order of Columns; nil: there is none.
func (t *Table) Get(key string) []string { return t.rows[key] }

// Len returns the number of rows.
func (t *Table) Len() int { return len(t.rows) }
