package history

import (
	"context"
	"errors"
)

// ErrDown means that the engine cannot be reached, or is not there. What waits for it waits; nothing is lost.
var ErrDown = errors.New("history: the engine cannot be reached")

// ErrOff means that nobody wants a history.
var ErrOff = errors.New("history: it is off")

// ErrSchema means that the schema in the target is newer than this binary knows.
var ErrSchema = errors.New("history: the schema is newer than this version of Tocsin")

// Querier asks the history. Implementations are safe for concurrent use.
type Querier interface {
	// Query runs one statement with the engine's own named parameters, as in {from:DateTime64(3)}; a value is written as the
	// engine reads it, times in UTC as "2026-11-21 13:00:00.000". An error of the engine names its code.
	Query(ctx context.Context, sql string, params map[string]string) (*Table, error)
}

// Table is an answer in memory.
type Table struct {
	Columns []Column
	Rows    [][]any // by row; a value is what the driver makes of the type: string, int and uint of any size, float64, bool, time.Time in UTC, slices, maps, nil for NULL
}

// Column is one column of a Table.
type Column struct {
	Name string
	Type string // the engine's, as in "Nullable(Float64)"
}

// Index returns the place of the column called name, -1 when there is none.
func (t *Table) Index(name string) int {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return i
		}
	}
	return -1
}
