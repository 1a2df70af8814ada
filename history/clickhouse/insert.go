package clickhouse

import (
	"context"
	"fmt"
	"strings"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"

	"github.com/tocsin-noc/tocsin/event"
)

// Column is one column of a batch: a slice with a value for each row, of a type that the driver takes for the column's.
type Column struct {
	Name string
	Data any // []uint64, []string, []int64 (ms) for DateTime64, []*int64 (ms) for a Nullable one, [][]string, []map[string]string and []event.Labels for maps …
}

// Insert writes rows, given by columns of one length, in one batch. When it returns without an error they are kept.
func (db *DB) Insert(ctx context.Context, table string, columns []Column) error {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	asked := ctx
	if db.protocol == driver.HTTP {
		types, err := db.columnTypes(ctx, table)
		if err != nil {
			return err
		}
		known := make([]driver.ColumnNameAndType, len(columns))
		for i, c := range columns {
			if types[c.Name] == "" {
				return fmt.Errorf("history: table %s has no column %s", table, c.Name)
			}
			known[i] = driver.ColumnNameAndType{Name: c.Name, Type: types[c.Name]}
		}
		ctx = driver.Context(ctx, driver.WithColumnNamesAndTypes(known))
	}
	batch, err := db.writer.PrepareBatch(ctx, "INSERT INTO "+table+" ("+strings.Join(names, ", ")+")")
	if err != nil {
		return explain(asked, err)
	}
	for i, c := range columns {
		if err := batch.Column(i).Append(appendable(c.Data)); err != nil {
			_ = batch.Abort() // what is told is why
			return fmt.Errorf("history: column %s of %s: %w", c.Name, table, err)
		}
	}
	return explain(asked, batch.Send())
}

// appendable returns what the driver appends: label sets as maps that keep their order, without making maps of them.
func appendable(data any) any {
	sets, ok := data.([]event.Labels)
	if !ok {
		return data
	}
	out := make([]*labelMap, len(sets))
	for i := range sets {
		out[i] = (*labelMap)(&sets[i])
	}
	return out
}

// labelMap is a label set as the driver reads a map.
type labelMap event.Labels

// Put is for the driver's other direction.
func (m *labelMap) Put(key, value any) {
	*m = append(*m, event.Label{Name: key.(string), Value: value.(string)}) //nolint:forcetypeassert // the column is Map(String, String)
}

// Iterator walks the labels in their order.
func (m *labelMap) Iterator() column.MapIterator { return &labelIterator{labels: *m, at: -1} }

type labelIterator struct {
	labels labelMap
	at     int
}

func (i *labelIterator) Next() bool {
	i.at++
	return i.at < len(i.labels)
}

func (i *labelIterator) Key() any { return i.labels[i.at].Name }

// Value is a pointer, which costs no memory of its own.
func (i *labelIterator) Value() any { return &i.labels[i.at].Value }

// columnTypes tells the types of a table's columns, without their dictionaries: making those is cheaper in the engine than here.
func (db *DB) columnTypes(ctx context.Context, table string) (map[string]string, error) {
	db.mu.Lock()
	types := db.types[table]
	db.mu.Unlock()
	if types != nil {
		return types, nil
	}
	answer, err := db.Own(ctx, "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {table:String}", map[string]string{"table": table})
	if err != nil {
		return nil, err
	}
	types = map[string]string{}
	for _, row := range answer.Rows {
		types[row[0].(string)] = strings.ReplaceAll(row[1].(string), "LowCardinality(String)", "String")
	}
	if len(types) > 0 {
		db.mu.Lock()
		db.types[table] = types
		db.mu.Unlock()
	}
	return types, nil
}
