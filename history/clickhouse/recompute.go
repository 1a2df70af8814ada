package clickhouse

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed recompute/incidents.sql
var incidentsSQL string

//go:embed recompute/alert_hours.sql
var alertHoursSQL string

// recomputeChunk bounds the incidents of one statement: their numbers travel in a URL.
const recomputeChunk = 20_000

// Recompute makes the rows of the table incidents anew for incidents of an origin ("" is Tocsin itself): from all their versions, alerts and
// causes. What it is asked for twice it does once.
func (db *DB) Recompute(ctx context.Context, origin string, shard uint32, incidents []uint64) error {
	incidents = slices.Clone(incidents)
	slices.Sort(incidents)
	incidents = slices.Compact(incidents)
	for chunk := range slices.Chunk(incidents, recomputeChunk) {
		err := db.Exec(ctx, incidentsSQL, map[string]string{"origin": Text(origin), "shard": strconv.FormatUint(uint64(shard), 10), "incidents": Numbers(chunk)})
		if err != nil {
			return fmt.Errorf("history: recompute incidents: %w", err)
		}
	}
	return nil
}

// RecomputeRange is Recompute for all incidents of an origin from low to high, both included: where they are many it is much faster.
func (db *DB) RecomputeRange(ctx context.Context, origin string, shard uint32, low, high uint64) error {
	sql := strings.ReplaceAll(incidentsSQL, "incident IN {incidents:Array(UInt64)}", "incident BETWEEN {low:UInt64} AND {high:UInt64}")
	err := db.Exec(ctx, sql, map[string]string{
		"origin": Text(origin), "shard": strconv.FormatUint(uint64(shard), 10), "low": strconv.FormatUint(low, 10), "high": strconv.FormatUint(high, 10),
	})
	if err != nil {
		return fmt.Errorf("history: recompute incidents: %w", err)
	}
	return nil
}

// RecomputeHours makes the rows of alert_hours anew for the hours from from to to, as far as the change seq.
func (db *DB) RecomputeHours(ctx context.Context, shard uint32, from, to time.Time, seq uint64) error {
	err := db.Exec(ctx, alertHoursSQL, map[string]string{
		"shard": strconv.FormatUint(uint64(shard), 10), "from": Time(from), "to": Time(to), "version": strconv.FormatUint(seq, 10),
	})
	if err != nil {
		return fmt.Errorf("history: recompute hours: %w", err)
	}
	return nil
}

// Time writes a time as a parameter of type DateTime64(3).
func Time(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000") }

// Numbers writes numbers as a parameter of type Array(UInt64).
func Numbers(list []uint64) string {
	text := []byte{'['}
	for i, n := range list {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendUint(text, n, 10)
	}
	return string(append(text, ']'))
}

// Text writes a text as a parameter of type String: the engine reads control characters and backslashes escaped.
func Text(s string) string {
	return strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`).Replace(s)
}
