package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/tocsin-noc/tocsin/history"
)

// DB is the history's database, with its schema up to date.
type DB struct {
	writer   driver.Conn
	reader   driver.Conn // the writer where there is no other
	protocol driver.Protocol
	database string
	cluster  string
	log      *slog.Logger

	mu    sync.Mutex
	types map[string]map[string]string // of columns, by table; read once
}

// Open connects, makes the database where there is none, and brings the schema and the retention up to date. Errors wrap
// history.ErrDown where the engine cannot be reached, and history.ErrSchema where the schema is newer than this binary.
func Open(ctx context.Context, o Options) (*DB, error) {
	db, err := connect(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := db.keep(ctx, o.Retention); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// connect opens the database as it is.
func connect(ctx context.Context, o Options) (*DB, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	writer, err := o.dial(o.URL, "history.url")
	if err != nil {
		return nil, err
	}
	db := &DB{protocol: writer.Protocol, database: writer.Auth.Database, cluster: o.Cluster, log: o.Logger, types: map[string]map[string]string{}}
	if o.Cluster != "" {
		// Rows come with keys that fold them; what the server would take for a block that it has seen may be one that was deleted since.
		writer.Settings = driver.Settings{"insert_deduplicate": 0}
	}
	if db.writer, err = driver.Open(writer); err != nil {
		return nil, explain(ctx, err)
	}
	if err := db.enter(ctx, *writer); err != nil {
		return nil, errors.Join(err, db.writer.Close())
	}
	db.reader = db.writer
	if o.ReaderURL != "" {
		reader, err := o.dial(o.ReaderURL, "history.reader_url")
		if err != nil {
			return nil, errors.Join(err, db.writer.Close())
		}
		if db.reader, err = driver.Open(reader); err != nil {
			return nil, errors.Join(explain(ctx, err), db.writer.Close())
		}
	}
	return db, nil
}

// enter makes sure that the database is there: most users may use theirs and make none.
func (db *DB) enter(ctx context.Context, o driver.Options) error {
	err := db.Ping(ctx)
	var said *Error
	if !errors.As(err, &said) || said.Code != codeUnknownDatabase {
		return err
	}
	o.Auth.Database = "default"
	conn, err := driver.Open(&o)
	if err != nil {
		return explain(ctx, err)
	}
	defer conn.Close()
	return explain(ctx, conn.Exec(ctx, onCluster("CREATE DATABASE IF NOT EXISTS "+db.database, db.cluster)))
}

// Close closes all connections.
func (db *DB) Close() error {
	if db.reader != nil && db.reader != db.writer {
		return errors.Join(db.writer.Close(), db.reader.Close())
	}
	return db.writer.Close()
}

// Ping tells whether the engine answers in this database.
func (db *DB) Ping(ctx context.Context) error {
	var one uint8
	return explain(ctx, db.writer.QueryRow(ctx, "SELECT 1").Scan(&one))
}

// Exec runs a statement that returns nothing, as the writer.
func (db *DB) Exec(ctx context.Context, sql string, params map[string]string) error {
	return explain(ctx, db.writer.Exec(with(ctx, params), sql))
}

// Query asks as the reader.
func (db *DB) Query(ctx context.Context, sql string, params map[string]string) (*history.Table, error) {
	return ask(ctx, db.reader, sql, params)
}

// Own asks as the writer: where what was written a moment ago must be seen, and for what the reader may not know.
func (db *DB) Own(ctx context.Context, sql string, params map[string]string) (*history.Table, error) {
	return ask(ctx, db.writer, sql, params)
}

func with(ctx context.Context, params map[string]string) context.Context {
	if len(params) == 0 {
		return ctx
	}
	return driver.Context(ctx, driver.WithParameters(params))
}

func ask(ctx context.Context, conn driver.Conn, sql string, params map[string]string) (*history.Table, error) {
	rows, err := conn.Query(with(ctx, params), sql)
	if err != nil {
		return nil, explain(ctx, err)
	}
	defer rows.Close()
	out := &history.Table{}
	types := rows.ColumnTypes()
	for _, t := range types {
		out.Columns = append(out.Columns, history.Column{Name: t.Name(), Type: t.DatabaseTypeName()})
	}
	into := make([]any, len(types))
	for rows.Next() {
		for i, t := range types {
			into[i] = reflect.New(t.ScanType()).Interface()
		}
		if err := rows.Scan(into...); err != nil {
			return nil, fmt.Errorf("history: %w", explain(ctx, err))
		}
		row := make([]any, len(into))
		for i := range into {
			row[i] = plain(reflect.ValueOf(into[i]).Elem())
		}
		out.Rows = append(out.Rows, row)
	}
	return out, explain(ctx, rows.Err())
}

// plain takes pointers away: nil is NULL. Times are UTC.
func plain(v reflect.Value) any {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	if !v.IsValid() {
		return nil
	}
	if t, ok := reflect.TypeAssert[time.Time](v); ok {
		return t.UTC()
	}
	return v.Interface()
}
