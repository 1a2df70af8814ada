package chdbtest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/tocsin-noc/tocsin/history/chdb"
	"github.com/tocsin-noc/tocsin/history/chdb/chdbtest"
)

func BenchmarkABatchOf50000FactsIsInserted(b *testing.B) {
	e, database := chdbtest.Database(b)
	c, err := clickhouse.Open(&clickhouse.Options{
		Protocol: clickhouse.HTTP, Addr: []string{e.Addr()}, Auth: clickhouse.Auth{Database: database, Username: e.Writer().User, Password: e.Writer().Password},
		Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4},
	})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	ctx := context.Background()
	chdbtest.Exec(b, e, "CREATE TABLE "+database+`.facts (at DateTime64(3, 'UTC'), ci LowCardinality(String), severity UInt8, name LowCardinality(String),
		summary String, shard UInt16, seq UInt64, n UInt32) ENGINE = ReplacingMergeTree ORDER BY (shard, seq, n)`)
	const rows = 50_000
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	seq := uint64(0)
	for b.Loop() {
		batch, err := c.PrepareBatch(ctx, "INSERT INTO facts")
		if err != nil {
			b.Fatal(err)
		}
		for range rows {
			seq++
			if err := batch.Append(at.Add(time.Duration(seq)*time.Millisecond), fmt.Sprintf("db-%d", seq%500), uint8(seq%5), "DiskFull", "disk is full", uint16(0), seq, uint32(1)); err != nil {
				b.Fatal(err)
			}
		}
		if err := batch.Send(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkAnEngineStarts(b *testing.B) {
	chdbtest.Library(b)
	command := chdbtest.Command(b)
	dir := b.TempDir()
	for b.Loop() {
		e, err := chdb.Start(b.Context(), chdb.Options{Dir: dir, Command: command})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := e.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

func BenchmarkTheSmallestQueryIsAnswered(b *testing.B) {
	e := chdbtest.Start(b)
	for name, who := range map[string]chdb.Credentials{"writer": e.Writer(), "reader": e.Reader()} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := chdbtest.Ask(b.Context(), e, who, "SELECT 1"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
