package facts

import "github.com/tocsin-noc/tocsin/event"

// Table is what a batch holds for one table, by columns.
type Table struct {
	Name    string
	Rows    int
	Columns []Column
}

// Column is one column of a Table: a slice with one value for each row.
type Column struct {
	Name string
	Data any // []uint64, []uint32, []uint8, []bool, []string, [][]string, []event.Labels, []int64 and []*int64 for times in ms, …
}

// table is a Table that is being filled; its memory serves one batch after the other.
type table struct {
	name    string
	rows    int
	columns []filled
}

type filled interface {
	column() Column
	reset()
}

func (t *table) take() Table {
	out := Table{Name: t.name, Rows: t.rows}
	for _, c := range t.columns {
		out.Columns = append(out.Columns, c.column())
	}
	return out
}

func (t *table) reset() {
	t.rows = 0
	for _, c := range t.columns {
		c.reset()
	}
}

// values is a column of plain values.
type values[T any] struct {
	name string
	rows []T
}

func column[T any](t *table, name string) *values[T] {
	c := &values[T]{name: name}
	t.columns = append(t.columns, c)
	return c
}

func (c *values[T]) add(v T)        { c.rows = append(c.rows, v) }
func (c *values[T]) column() Column { return Column{c.name, c.rows} }
func (c *values[T]) reset()         { clear(c.rows); c.rows = c.rows[:0] }

// times is a column of instants in milliseconds; in a nullable one those that are not set are NULL.
type times struct {
	name     string
	nullable bool
	rows     []int64
	pointers []*int64
}

func moments(t *table, name string) *times {
	c := &times{name: name}
	t.columns = append(t.columns, c)
	return c
}

func optional(t *table, name string) *times {
	c := moments(t, name)
	c.nullable = true
	return c
}

// last is the latest instant that the driver can write; senders name later ones to say "never".
const last = 9214646399999 // 2261-12-31T23:59:59.999Z

func (c *times) add(at event.Time) { c.rows = append(c.rows, min(int64(at), last)) }

func (c *times) column() Column {
	if !c.nullable {
		return Column{c.name, c.rows}
	}
	c.pointers = c.pointers[:0]
	for i := range c.rows {
		if c.rows[i] == 0 {
			c.pointers = append(c.pointers, nil)
		} else {
			c.pointers = append(c.pointers, &c.rows[i])
		}
	}
	return Column{c.name, c.pointers}
}

func (c *times) reset() { c.rows = c.rows[:0] }
