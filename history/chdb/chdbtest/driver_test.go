package chdbtest_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/history/chdb"
	"github.com/tocsin-noc/tocsin/history/chdb/chdbtest"
)

func open(t *testing.T, e *chdb.Engine, who chdb.Credentials, database string, change func(*clickhouse.Options)) driver.Conn {
	t.Helper()
	o := &clickhouse.Options{
		Protocol: clickhouse.HTTP, Addr: []string{e.Addr()},
		Auth: clickhouse.Auth{Database: database, Username: who.User, Password: who.Password},
	}
	if change != nil {
		change(o)
	}
	c, err := clickhouse.Open(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func compressions() map[string]clickhouse.CompressionMethod {
	return map[string]clickhouse.CompressionMethod{
		"none": clickhouse.CompressionNone, "lz4": clickhouse.CompressionLZ4, "zstd": clickhouse.CompressionZSTD,
		"gzip": clickhouse.CompressionGZIP, "deflate": clickhouse.CompressionDeflate,
	}
}

func TestTheDriverCreatesInsertsAndSelectsInEveryCompression(t *testing.T) {
	for name, method := range compressions() {
		t.Run(name, func(t *testing.T) {
			e, database := chdbtest.Database(t)
			ctx := t.Context()
			c := open(t, e, e.Writer(), database, func(o *clickhouse.Options) {
				o.Compression = &clickhouse.Compression{Method: method, Level: 3}
				o.Settings = clickhouse.Settings{"enable_http_compression": 1, "max_execution_time": 30}
			})
			require.NoError(t, c.Ping(ctx))
			version, err := c.ServerVersion()
			require.NoError(t, err)
			require.EqualValues(t, 26, version.Version.Major)

			require.NoError(t, c.Exec(ctx, `CREATE TABLE facts (
				at DateTime64(3, 'UTC'), severity Enum8('minor' = 1, 'critical' = 2), ci LowCardinality(String), labels Map(LowCardinality(String), String),
				tags Array(String), score Nullable(Float64), seq UInt64, n Int32, ok Bool, amount Decimal(18, 4), id UUID
			) ENGINE = ReplacingMergeTree(n) PARTITION BY toYYYYMM(at) ORDER BY (seq) TTL toDateTime(at) + INTERVAL 10 YEAR`))
			batch, err := c.PrepareBatch(ctx, "INSERT INTO facts")
			require.NoError(t, err)
			at := time.Date(2026, 11, 21, 12, 0, 0, 123e6, time.UTC)
			score := 0.5
			for n := range 5000 {
				require.NoError(t, batch.Append(at.Add(time.Duration(n)*time.Millisecond), "critical", fmt.Sprintf("db-%d", n%10), map[string]string{"a": "b"},
					[]string{"x", "y\t'"}, &score, uint64(n), int32(1), true, "12.5", "6f6f9b3c-5a3e-4b62-8b0a-0c1c51a3b3a1"))
			}
			require.NoError(t, batch.Send())

			var count uint64
			require.NoError(t, c.QueryRow(ctx, "SELECT count() FROM facts WHERE ci = {ci:String} AND seq < {to:UInt64} AND has({list:Array(String)}, 'x')",
				clickhouse.Named("ci", "db-3"), clickhouse.Named("to", uint64(100)), clickhouse.Named("list", []string{"x", "it's"})).Scan(&count))
			require.EqualValues(t, 10, count)
			require.NoError(t, c.QueryRow(ctx, "SELECT count() FROM facts WHERE ci = ? AND seq < ?", "db-3", 100).Scan(&count))
			require.EqualValues(t, 10, count)

			var (
				gotAt    time.Time
				severity string
				labels   map[string]string
				tags     []string
				gotScore *float64
			)
			require.NoError(t, c.QueryRow(ctx, "SELECT at, severity, labels, tags, score FROM facts WHERE seq = 7").Scan(&gotAt, &severity, &labels, &tags, &gotScore))
			require.Equal(t, at.Add(7*time.Millisecond), gotAt.UTC())
			require.Equal(t, "critical", severity)
			require.Equal(t, map[string]string{"a": "b"}, labels)
			require.Equal(t, []string{"x", "y\t'"}, tags)
			require.InDelta(t, 0.5, *gotScore, 0)

			err = c.Exec(ctx, "SELECT nonsense FROM facts")
			exception := (*clickhouse.Exception)(nil)
			require.ErrorAs(t, err, &exception)
			require.EqualValues(t, 47, exception.Code)
			rows, err := c.Query(ctx, "SELECT seq FROM facts WHERE seq > 1000000")
			require.NoError(t, err)
			require.False(t, rows.Next())
			require.NoError(t, rows.Err())
		})
	}
}

func TestALongStreamArrivesWhole(t *testing.T) {
	e := chdbtest.Start(t)
	c := open(t, e, e.Writer(), "default", nil)
	many := uint64(500_000) // some eight blocks
	if os.Getenv("SOAK") != "" {
		many = 5_000_000
	}
	began := time.Now()
	rows, err := c.Query(context.Background(), fmt.Sprintf("SELECT number, toString(number) FROM numbers(%d)", many))
	require.NoError(t, err)
	var sum, n uint64
	for rows.Next() {
		var number uint64
		var text string
		require.NoError(t, rows.Scan(&number, &text))
		sum += number
		n++
	}
	require.NoError(t, rows.Err())
	require.Equal(t, many, n)
	require.Equal(t, many*(many-1)/2, sum)
	t.Logf("%d rows in %s", many, time.Since(began))
}
