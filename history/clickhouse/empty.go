package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"strconv"
)

// projected are the tables that a projection fills by itself, in the order in which they are emptied: cursors come last. Notifications
// are not among them: nothing else has them.
func projected() []string {
	return []string{
		"sources", "alerts", "transitions", "members", "moves", "repeats", "causes", "cis", "outages", "log", "alert_hours",
		"incident_versions", "incidents", "cursors",
	}
}

// Empty takes away what a projection of the shard has written. What was imported stays.
func (db *DB) Empty(ctx context.Context, shard uint32) error {
	others, err := db.Own(ctx, "SELECT (SELECT count() FROM cursors WHERE shard != {shard:UInt32}), (SELECT count() FROM incidents WHERE origin != ''), (SELECT count() FROM incident_versions WHERE origin != '')",
		map[string]string{"shard": strconv.FormatUint(uint64(shard), 10)})
	if err != nil {
		return fmt.Errorf("history: empty: %w", err)
	}
	shared, imported := others.Rows[0][0] != uint64(0), others.Rows[0][1] != uint64(0) || others.Rows[0][2] != uint64(0)
	for _, table := range projected() {
		statement := "TRUNCATE TABLE " + table
		condition := fmt.Sprintf("shard = %d", shard)
		hasOrigin := slices.Contains(withOrigin(), table)
		if hasOrigin {
			condition += " AND origin = ''"
		}
		if shared || hasOrigin && imported {
			statement = "DELETE FROM " + table
		}
		statement = onCluster(statement, db.cluster)
		if shared || hasOrigin && imported {
			statement += " WHERE " + condition
		}
		if err := db.Exec(ctx, statement, nil); err != nil {
			return fmt.Errorf("history: empty %s: %w", table, err)
		}
	}
	return nil
}
