package clickhouse_test

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/history/clickhouse"
)

var rows = flag.Int("rows", 10_000_000, "transitions that the measurement of codecs fills a table with")

// mix is what a month of a NOC looks like: of 100 transitions so many are of a kind.
//
//	firing 34  cleared 31  updated 10  suppressed 6  released 5  joined 4  dropped 3  severity 2  expired 2  damped 1  steadied 1  claim_ended 1
//
// One input makes 1.6 of them on average; 400 names and 20,000 items, the frequent ones far more often than the rare ones; 12 senders in 2
// tenants; 60 % are in one of the 2,000 incidents around, 8 % are quiet, and a twentieth has begun up to 5 min before it was heard of.
const mix = `
	WITH
		rand64 AS (SELECT number, cityHash64(number) AS h, cityHash64(number, 'alert') AS a, cityHash64(number, 'name') AS z FROM numbers({from:UInt64}, {rows:UInt64})),
		shaped AS
		(
			SELECT *, toUInt64(pow(a % 1000000 / 1000000., 3) * 200000) AS alert_no, toUInt8(h % 100) AS k,
				fromUnixTimestamp64Milli(toInt64(1793440800000 + number * 200 + h % 200)) AS t
			FROM rand64
		)
	SELECT
		t AS at, 0 AS shard, toUInt64(number / 1.6) * 2 + 1 AS seq, number % 3 AS n,
		multiIf(k < 34, 'alert_firing', k < 65, 'alert_cleared', k < 75, 'alert_updated', k < 81, 'alert_suppressed', k < 86, 'alert_released', k < 90, 'alert_joined',
			k < 93, 'alert_dropped', k < 95, 'alert_severity', k < 97, 'alert_expired', k < 98, 'alert_damped', k < 99, 'alert_steadied', 'claim_ended') AS kind,
		k < 75 AS event, if(alert_no % 7 = 0, 'other', 'main') AS tenant, concat('prometheus-', toString(alert_no % 12)) AS source,
		bitOr(bitShiftLeft(intDiv(number, 400000), 32), alert_no) AS alert, concat('Alert', toString(toUInt64(sqrt(alert_no)) % 400)) AS name,
		concat('host-', toString(alert_no % 20000), '.eu-1.example.org') AS resource, if(alert_no % 5 = 0, '', concat('host-', toString(alert_no % 20000))) AS ci,
		if(alert_no % 5 = 0, 'unbound', 'label') AS bound, if(k BETWEEN 34 AND 64 OR k = 96, 'cleared', 'firing') AS phase, 1 + alert_no % 5 AS severity,
		multiIf(h % 10 < 6, 'joined', h % 10 < 8, 'waiting', 'opened') AS reason, if(h % 100 < 8, ['silence'], []) AS quiet, if(h % 100 < 8, 'silence', reason) AS decided,
		if(k < 34, 'same_item', '') AS place, h % 100 < 8 AS suppressed, 1 + h % 4 AS occurrence, if(h % 10 < 6, intDiv(number, 5000) + h % 2000, 0) AS incident,
		t - toIntervalMillisecond(if(h % 20 = 0, h % 300000, h % 15000)) AS started_at, t - toIntervalMillisecond(if(k < 34, 0, h % 3600000)) AS firing_at,
		if(phase = 'cleared', t, NULL) AS ended_at, '' AS actor
	FROM shaped`

// BenchmarkBytesOfATransitionByCodec prints what each column of transitions costs on disk, merged, under several choices of codec.
func BenchmarkBytesOfATransitionByCodec(b *testing.B) {
	for b.Loop() {
		db := open(b)
		for _, choice := range []struct {
			name   string
			codecs map[string]string
		}{
			{"as shipped", nil},
			{"LZ4, no codecs", map[string]string{"*": "LZ4"}},
			{"ZSTD(1) for all", map[string]string{"*": "ZSTD(1)"}},
			{"ZSTD(3) for all", map[string]string{"*": "ZSTD(3)"}},
			{"delta, ZSTD(1)", map[string]string{"*": "ZSTD(1)", "at": "Delta, ZSTD(1)", "seq": "Delta, ZSTD(1)", "n": "T64, ZSTD(1)", "incident": "Delta, ZSTD(1)",
				"started_at": "Delta, ZSTD(1)", "firing_at": "Delta, ZSTD(1)", "ended_at": "Delta, ZSTD(1)", "alert": "Delta, ZSTD(1)"}},
			{"double delta, ZSTD(1)", map[string]string{"*": "ZSTD(1)", "at": "DoubleDelta, ZSTD(1)", "seq": "DoubleDelta, ZSTD(1)", "n": "T64, ZSTD(1)", "incident": "T64, ZSTD(1)",
				"started_at": "DoubleDelta, ZSTD(1)", "firing_at": "DoubleDelta, ZSTD(1)", "ended_at": "DoubleDelta, ZSTD(1)", "alert": "T64, ZSTD(1)"}},
		} {
			measure(b, db, choice.name, choice.codecs)
		}
	}
}

func measure(b *testing.B, db *clickhouse.DB, name string, codecs map[string]string) {
	ctx := b.Context()
	run := func(sql string, params map[string]string) {
		require.NoError(b, db.Exec(ctx, sql, params))
	}
	run("DROP TABLE IF EXISTS measured SYNC", nil)
	run("CREATE TABLE measured AS transitions", nil)
	types, err := db.Own(ctx, "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = 'measured'", nil)
	require.NoError(b, err)
	for _, row := range types.Rows {
		column := row[0].(string)
		codec := codecs[column]
		if codec == "" {
			codec = codecs["*"]
		}
		if codec != "" {
			run(fmt.Sprintf("ALTER TABLE measured MODIFY COLUMN `%s` %s CODEC(%s)", column, row[1], codec), nil)
		}
	}
	const part = 1_000_000
	for from := 0; from < *rows; from += part {
		run("INSERT INTO measured "+mix, map[string]string{"from": strconv.Itoa(from), "rows": strconv.Itoa(min(part, *rows-from))})
	}
	run("OPTIMIZE TABLE measured FINAL", nil)
	sizes, err := db.Own(ctx, `SELECT column, sum(column_data_compressed_bytes) FROM system.parts_columns
		WHERE database = currentDatabase() AND table = 'measured' AND active GROUP BY column ORDER BY column`, nil)
	require.NoError(b, err)
	disk, err := db.Own(ctx, "SELECT sum(bytes_on_disk), sum(rows) FROM system.parts WHERE database = currentDatabase() AND table = 'measured' AND active", nil)
	require.NoError(b, err)
	bytes := map[string]float64{}
	for _, row := range sizes.Rows {
		bytes[row[0].(string)] = float64(row[1].(uint64)) / float64(*rows)
	}
	total := float64(disk.Rows[0][0].(uint64)) / float64(*rows)
	b.Logf("%s: %.1f bytes a transition on disk, of %d rows", name, total, disk.Rows[0][1])
	for _, column := range slices.SortedFunc(maps.Keys(bytes), func(x, y string) int { return int((bytes[y] - bytes[x]) * 1e6) }) {
		b.Logf("    %-12s %6.2f", column, bytes[column])
	}
	if codecs == nil {
		b.ReportMetric(total, "B/transition")
	}
}
