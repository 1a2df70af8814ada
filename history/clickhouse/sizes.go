package clickhouse

import "context"

// Size is how much a table holds.
type Size struct {
	Table string
	Rows  uint64 // some of which the engine has yet to fold into one
	Bytes uint64 // on disk
}

// Sizes lists the tables of the history with what they hold, by their names.
func (db *DB) Sizes(ctx context.Context) ([]Size, error) {
	answer, err := db.Own(ctx, `SELECT name, ifNull(total_rows, 0), ifNull(total_bytes, 0) FROM system.tables WHERE database = currentDatabase() ORDER BY name`, nil)
	if err != nil {
		return nil, err
	}
	out := make([]Size, 0, len(answer.Rows))
	for _, row := range answer.Rows {
		out = append(out, Size{row[0].(string), row[1].(uint64), row[2].(uint64)})
	}
	return out, nil
}
