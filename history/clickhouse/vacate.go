package clickhouse

import (
	"context"
	"errors"
	"strings"
	"time"
)

// The engine writes changed rows into new files and keeps the old ones for eight minutes, until the new ones are surely on the disk. While
// something is taken away they are on the disk at once, and the old ones go within a second of nobody's reading them.
const (
	hasten = " MODIFY SETTING old_parts_lifetime = 1, min_rows_to_fsync_after_merge = 1, fsync_part_directory = 1"
	settle = " RESET SETTING old_parts_lifetime, min_rows_to_fsync_after_merge, fsync_part_directory"
)

// nudge drops a partition that no table has: the engine then looks at once which files can go, which it does else every few minutes where
// little happens.
const nudge = " DROP PARTITION ID 'none'"

// vacatePatience is how long the old files are waited for. What still reads them then has them go when it ends, or eight minutes later.
const vacatePatience = 30 * time.Second

// vacate changes rows, and returns when the files that held the rows as they were are gone.
func (db *DB) vacate(ctx context.Context, tables []string, change func() error) (err error) {
	for _, table := range tables {
		if err := db.Exec(ctx, onCluster("ALTER TABLE "+table, db.cluster)+hasten, nil); err != nil {
			return err
		}
	}
	defer func() {
		for _, table := range tables {
			err = errors.Join(err, db.Exec(context.WithoutCancel(ctx), onCluster("ALTER TABLE "+table, db.cluster)+settle, nil))
		}
	}()
	if err := change(); err != nil {
		return err
	}
	for _, table := range tables { // rows that were deleted are only marked until their files are written anew
		answer, err := db.Own(ctx, "SELECT count() FROM system.parts WHERE database = currentDatabase() AND table = {table:String} AND active AND has_lightweight_delete", map[string]string{"table": table})
		if err != nil {
			return err
		}
		if answer.Rows[0][0] != uint64(0) {
			if err := db.Exec(ctx, "ALTER TABLE "+table+" APPLY DELETED MASK SETTINGS mutations_sync = 2", nil); err != nil {
				return err
			}
		}
	}
	return db.awaitRemoval(ctx, tables)
}

// awaitRemoval waits for the files that are out of use now. Others get out of use all the time.
func (db *DB) awaitRemoval(ctx context.Context, tables []string) error {
	old, err := db.outdated(ctx, tables)
	for end := time.Now().Add(vacatePatience); err == nil && len(old) > 0; {
		if time.Now().After(end) {
			db.log.Warn("something still reads files of the history that are to go: they go when it ends", "files", len(old))
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(250 * time.Millisecond):
		}
		for _, table := range tables {
			if db.cluster != "" {
				break // a replica looks by itself, within minutes
			}
			if err := db.Exec(ctx, "ALTER TABLE "+table+nudge, nil); err != nil {
				return err
			}
		}
		var now map[string]bool
		if now, err = db.outdated(ctx, tables); err == nil {
			for name := range old {
				if !now[name] {
					delete(old, name)
				}
			}
		}
	}
	return err
}

// outdated names the parts of tables that are out of use, and still there.
func (db *DB) outdated(ctx context.Context, tables []string) (map[string]bool, error) {
	answer, err := db.Own(ctx, "SELECT concat(table, '/', name) FROM system.parts WHERE database = currentDatabase() AND NOT active AND has(splitByChar(',', {tables:String}), table)",
		map[string]string{"tables": strings.Join(tables, ",")})
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, row := range answer.Rows {
		out[row[0].(string)] = true
	}
	return out, nil
}
