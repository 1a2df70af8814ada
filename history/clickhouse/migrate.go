package clickhouse

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/tocsin-noc/tocsin/history"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migration is one numbered file of statements. Each statement does nothing where it has been done: so it is safe to run a file twice, from
// two replicas at once, and again after half of it.
type migration struct {
	number     uint32
	name       string
	checksum   string
	statements []string
}

// migrationsTable tells which files have been applied. It is there before all others.
const migrationsTable = `CREATE TABLE IF NOT EXISTS migrations
(
    number   UInt32,
    name     String,
    checksum String COMMENT 'SHA-256 of the file',
    applied  DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(applied) ORDER BY number`

// migrations lists the files in order.
func migrations(files fs.FS) (out []migration, err error) {
	names, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	for i, name := range names { // sorted
		digits, _, _ := strings.Cut(path.Base(name), "_")
		number, err := strconv.ParseUint(digits, 10, 32)
		if err != nil || number != uint64(i+1) {
			return nil, fmt.Errorf("history: migration %s: files are numbered from 0001 without gaps", name)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		out = append(out, migration{uint32(number), path.Base(name), hex.EncodeToString(sum[:]), statements(string(text))})
	}
	return out, nil
}

// statements splits a file at the semicolons that end a line. Comments of whole lines are dropped.
func statements(text string) (out []string) {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \n")
		if line == "" || strings.HasPrefix(line, "--") {
			continue
		}
		end := strings.HasSuffix(line, ";")
		lines = append(lines, strings.TrimSuffix(line, ";"))
		if end {
			out = append(out, strings.Join(lines, "\n"))
			lines = nil
		}
	}
	if len(lines) > 0 {
		out = append(out, strings.Join(lines, "\n"))
	}
	return out
}

// Migrate brings the schema up to date. A schema that is newer than this binary is left alone: history.ErrSchema.
func (db *DB) Migrate(ctx context.Context) error {
	known, err := migrations(migrationFiles)
	if err != nil {
		return err
	}
	return db.migrate(ctx, known)
}

func (db *DB) migrate(ctx context.Context, known []migration) error {
	if err := db.Exec(ctx, forCluster(migrationsTable, db.cluster), nil); err != nil {
		return fmt.Errorf("history: migrations: %w", err)
	}
	applied, err := db.applied(ctx)
	if err != nil {
		return err
	}
	last := known[len(known)-1].number
	for number := range applied {
		if number > last {
			return fmt.Errorf("%w: it has migration %d, this binary knows %d: run the newer version, or another database", history.ErrSchema, number, last)
		}
	}
	for _, m := range known {
		switch sum := applied[m.number]; sum {
		case m.checksum:
			continue
		case "":
		default:
			return fmt.Errorf("history: migration %s is not the one that was applied here: its text has changed (applied %.12s, here %.12s)", m.name, sum, m.checksum)
		}
		for _, statement := range m.statements {
			if err := db.Exec(ctx, forCluster(statement, db.cluster), nil); err != nil {
				return fmt.Errorf("history: migration %s: %w", m.name, err)
			}
		}
		err := db.Exec(ctx, "INSERT INTO migrations SELECT {number:UInt32}, {name:String}, {checksum:String}, now64(3)", map[string]string{
			"number": strconv.FormatUint(uint64(m.number), 10), "name": m.name, "checksum": m.checksum,
		})
		if err != nil {
			return fmt.Errorf("history: migration %s: %w", m.name, err)
		}
		db.log.Info("schema migrated", "migration", m.name)
	}
	return nil
}

// applied returns the checksums of what has been applied, by number. Two replicas that migrate at once write the same.
func (db *DB) applied(ctx context.Context) (map[uint32]string, error) {
	answer, err := db.Own(ctx, "SELECT number, checksum FROM migrations FINAL", nil)
	if err != nil {
		return nil, fmt.Errorf("history: migrations: %w", err)
	}
	out := map[uint32]string{}
	for _, row := range answer.Rows {
		out[row[0].(uint32)] = row[1].(string)
	}
	return out, nil
}
