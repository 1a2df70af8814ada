package clickhouse_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/history"
	"github.com/tocsin-noc/tocsin/history/chdb/chdbtest"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
)

// options are those of an empty database on the real engine.
func options(t testing.TB) clickhouse.Options {
	t.Helper()
	e, database := chdbtest.Database(t)
	u, err := url.Parse(e.URL())
	require.NoError(t, err)
	u.User, u.Path = url.UserPassword(e.Writer().User, e.Writer().Password), "/"+database
	return clickhouse.Options{URL: u.String(), Logger: slog.New(slog.DiscardHandler)}
}

func open(t testing.TB) *clickhouse.DB {
	t.Helper()
	db, err := clickhouse.Open(t.Context(), options(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func ask(t testing.TB, db *clickhouse.DB, sql string, params map[string]string) *history.Table {
	t.Helper()
	answer, err := db.Own(t.Context(), sql, params)
	require.NoError(t, err)
	return answer
}

func TestAnEmptyDatabaseGetsTheSchemaAndTwoReplicasAtOnceDoNoHarm(t *testing.T) {
	o := options(t)
	done := make(chan error, 4)
	for range cap(done) {
		go func() {
			db, err := clickhouse.Open(context.Background(), o)
			if err == nil {
				err = db.Close()
			}
			done <- err
		}()
	}
	for range cap(done) {
		require.NoError(t, <-done)
	}
	db, err := clickhouse.Open(t.Context(), o)
	require.NoError(t, err)
	defer db.Close()
	require.Equal(t, [][]any{{uint64(1)}}, ask(t, db, "SELECT count() FROM migrations FINAL", nil).Rows)
	require.Equal(t, uint64(0), ask(t, db, "SELECT count() FROM incidents", nil).Rows[0][0])
}

func TestASchemaNewerThanTheBinaryIsRefused(t *testing.T) {
	o := options(t)
	db, err := clickhouse.Open(t.Context(), o)
	require.NoError(t, err)
	require.NoError(t, db.Exec(t.Context(), "INSERT INTO migrations VALUES (99, '0099_later.sql', 'x', now64(3))", nil))
	require.NoError(t, db.Close())
	_, err = clickhouse.Open(t.Context(), o)
	require.ErrorIs(t, err, history.ErrSchema)
	require.ErrorContains(t, err, "it has migration 99, this binary knows 1")
}

func TestAMigrationWhoseTextHasChangedIsNoticed(t *testing.T) {
	o := options(t)
	db, err := clickhouse.Open(t.Context(), o)
	require.NoError(t, err)
	require.NoError(t, db.Exec(t.Context(), "INSERT INTO migrations VALUES (1, '0001_facts.sql', 'another', now64(3))", nil))
	require.NoError(t, db.Close())
	_, err = clickhouse.Open(t.Context(), o)
	require.ErrorContains(t, err, "migration 0001_facts.sql is not the one that was applied here")
}

func TestRetentionIsSetOnlyWhereItDiffers(t *testing.T) {
	o := options(t)
	db, err := clickhouse.Open(t.Context(), o)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	ttl := func(db *clickhouse.DB, table string) string {
		return ask(t, db, "SELECT extract(engine_full, 'TTL .*? SETTINGS') FROM system.tables WHERE database = currentDatabase() AND name = {t:String}",
			map[string]string{"t": table}).Rows[0][0].(string)
	}
	o.Retention = clickhouse.Retention{Facts: 30, Incidents: clickhouse.Forever}
	db, err = clickhouse.Open(t.Context(), o)
	require.NoError(t, err)
	require.Equal(t, "TTL toDateTime(at) + toIntervalDay(30) SETTINGS", ttl(db, "transitions"))
	require.Empty(t, ttl(db, "incidents"))
	require.NoError(t, db.Close())
	var told strings.Builder
	o.Logger = slog.New(slog.NewTextHandler(&told, nil))
	db, err = clickhouse.Open(t.Context(), o)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	require.Empty(t, told.String(), "nothing to set")
	o.Retention = clickhouse.Retention{}
	db, err = clickhouse.Open(t.Context(), o)
	require.NoError(t, err)
	defer db.Close()
	require.NoError(t, db.Exec(t.Context(), "INSERT INTO incidents (origin, incident, opened_at) VALUES ('', 1, '2012-02-29 00:00:00'), ('old export', 2, '2012-02-29 00:00:00')", nil))
	require.NoError(t, db.Exec(t.Context(), "OPTIMIZE TABLE incidents FINAL", nil))
	require.Equal(t, [][]any{{uint64(2)}}, ask(t, db, "SELECT incident FROM incidents FINAL", nil).Rows, "what is imported stays")
	require.Equal(t, "TTL toDateTime(at) + toIntervalDay(400) SETTINGS", ttl(db, "transitions"))
	require.Equal(t, "TTL toDateTime(opened_at) + toIntervalDay(3650) WHERE origin = '' SETTINGS", ttl(db, "incidents"))
}

func TestNamedParametersAndNullsComeBackAsTheyAre(t *testing.T) {
	db := open(t)
	at := time.Date(2026, 11, 21, 13, 0, 0, 123e6, time.UTC)
	answer := ask(t, db, `SELECT {s:String} AS s, {n:Array(UInt64)} AS n, {at:DateTime64(3)} AS at, NULL AS nothing, [1.5] AS list, map('a', {s:String}) AS m`, map[string]string{
		"s": clickhouse.Text("it's a \\ and\ta\nline"), "n": clickhouse.Numbers([]uint64{1, 2}), "at": clickhouse.Time(at),
	})
	require.Equal(t, []any{
		"it's a \\ and\ta\nline", []uint64{1, 2}, at, nil, []float64{1.5}, map[string]string{"a": "it's a \\ and\ta\nline"},
	}, answer.Rows[0])
	require.Equal(t, history.Column{Name: "n", Type: "Array(UInt64)"}, answer.Columns[1])
	require.Equal(t, 2, answer.Index("at"))
}

func TestABatchIsInsertedByColumns(t *testing.T) {
	db := open(t)
	now, later := int64(1763730000123), int64(1763730001000)
	err := db.Insert(t.Context(), "transitions", []clickhouse.Column{
		{Name: "at", Data: []int64{now, later}}, {Name: "seq", Data: []uint64{1, 2}}, {Name: "kind", Data: []string{"alert_firing", "alert_cleared"}},
		{Name: "event", Data: []bool{true, false}}, {Name: "quiet", Data: [][]string{{"silence", "late"}, nil}}, {Name: "ended_at", Data: []*int64{nil, &later}},
	})
	require.NoError(t, err)
	require.NoError(t, db.Insert(t.Context(), "alerts", []clickhouse.Column{
		{Name: "alert", Data: []uint64{7}}, {Name: "first_at", Data: []int64{now}}, {Name: "labels", Data: []map[string]string{{"a": "b"}}},
	}))
	answer := ask(t, db, "SELECT toUnixTimestamp64Milli(at), toString(kind), event, quiet, toUnixTimestamp64Milli(ended_at) FROM transitions FINAL ORDER BY seq", nil)
	require.Equal(t, [][]any{{now, "alert_firing", true, []string{"silence", "late"}, nil}, {later, "alert_cleared", false, []string{}, later}}, answer.Rows)
	require.Equal(t, [][]any{{uint64(1), "b"}}, ask(t, db, "SELECT count(), any(labels['a']) FROM alerts", nil).Rows)
	require.ErrorContains(t, db.Insert(t.Context(), "alerts", []clickhouse.Column{{Name: "nothing", Data: []uint64{7}}}), "no column nothing")
}

func TestAnErrorOfTheEngineNamesItsCodeAndOneOfTheNetworkIsErrDown(t *testing.T) {
	db := open(t)
	_, err := db.Query(t.Context(), "SELECT * FROM nothing_here", nil)
	var said *clickhouse.Error
	require.ErrorAs(t, err, &said)
	require.Equal(t, 60, said.Code)
	require.NotErrorIs(t, err, history.ErrDown)
	_, err = clickhouse.Open(t.Context(), clickhouse.Options{URL: "http://ann:hunter2@127.0.0.1:1/x"})
	require.ErrorIs(t, err, history.ErrDown)
	require.True(t, clickhouse.Later(err))
	require.NotContains(t, err.Error(), "hunter2")
}

func TestIncidentsAreRecomputedFromTheirVersionsAlertsAndCauses(t *testing.T) {
	db := open(t)
	const opened = "'2026-11-01 10:00:00'"
	row := func(seq int, at, kind, actor, phase, team, who, hold, acked, resolved, by string) string {
		return fmt.Sprintf("('',0,1,%d,0,'2026-11-01 %s','incident_%s','%s','main','%s',3,'disk 5 full','%s','%s',%s,'%s',%s,%s,'%s','INC-1',if(%[10]s IS NULL,'','ann'))",
			seq, at, kind, actor, phase, team, who, opened, hold, acked, resolved, by)
	}
	const acked = "'2026-11-01 10:02:00'"
	require.NoError(t, db.Exec(t.Context(), `INSERT INTO incident_versions (origin, shard, incident, seq, n, at, kind, actor, tenant, phase, priority, title, team, assignee,
		opened_at, held_as, acked_at, resolved_at, resolved_by, number, acked_by) VALUES `+
		row(10, "10:00:00", "opened", "", "open", "", "", "", "NULL", "NULL", "")+","+
		row(11, "10:01:00", "assigned", "ann", "open", "net", "", "", "NULL", "NULL", "")+","+
		row(12, "10:02:00", "acknowledged", "ann", "open", "net", "ann", "", acked, "NULL", "")+","+
		row(13, "10:03:00", "held", "ann", "open", "net", "ann", "vendor", acked, "NULL", "")+","+
		row(14, "10:04:00", "assigned", "ann", "open", "db", "bob", "", acked, "NULL", "")+","+
		row(15, "10:05:00", "resolved", "bob", "resolved", "db", "bob", "", acked, "'2026-11-01 10:05:00'", "bob")+","+
		row(16, "10:06:00", "reopened", "", "open", "db", "bob", "", acked, "NULL", "")+","+
		row(17, "10:07:00", "resolved", "", "resolved", "db", "", "", acked, "'2026-11-01 10:07:00'", ""), nil))
	require.NoError(t, db.Exec(t.Context(), `INSERT INTO members VALUES (0,1,5,1,10485760,'cleared','2026-11-01 09:59:00','2026-11-01 10:00:00','2026-11-01 10:04:30'),
		(0,1,6,1,10485761,'firing','2026-11-01 09:50:00','2026-11-01 10:00:00',NULL)`, nil))
	require.NoError(t, db.Exec(t.Context(), "INSERT INTO moves VALUES (0,6,1,11000000,'2026-11-01 10:00:10',2,'ann')", nil))
	require.NoError(t, db.Exec(t.Context(), "INSERT INTO causes (at, seq, incident, verdict, verdict_by) VALUES ('2026-11-01 10:08:00', 18, 1, 'right', 'ann')", nil))
	for range 2 { // the same again is the same row
		require.NoError(t, db.Recompute(t.Context(), "", 0, []uint64{1, 2, 1}))
	}
	require.NoError(t, db.Exec(t.Context(), "TRUNCATE TABLE incidents", nil))
	require.NoError(t, db.RecomputeRange(t.Context(), "", 0, 1, 2))
	answer := ask(t, db, `SELECT version, phase, first_priority, automatic, toString(first_event_at), toString(last_clear_at), toString(first_acked_at), toString(acked_by), toString(resolved_at),
		resolved_human, touched, toString(resolves), toString(reopens), reopen_count, toString(teams), toString(holds), reassignments, alerts, occurrences, merges, toString(verdict)
		FROM incidents FINAL`, nil)
	require.Equal(t, [][]any{{
		uint64(18), "resolved", uint8(3), true, "2026-11-01 09:59:00.000", "2026-11-01 10:04:30.000", "2026-11-01 10:02:00.000", "ann", "2026-11-01 10:07:00.000",
		false, true, "[('2026-11-01 10:05:00.000',true),('2026-11-01 10:07:00.000',false)]", "['2026-11-01 10:06:00.000']", uint32(1),
		"[('','2026-11-01 10:00:00.000','2026-11-01 10:01:00.000'),('net','2026-11-01 10:01:00.000','2026-11-01 10:04:00.000'),('db','2026-11-01 10:04:00.000','2026-11-01 10:07:00.000')]",
		"[('vendor','2026-11-01 10:03:00.000','2026-11-01 10:04:00.000')]", uint32(1), uint32(1), uint32(1), uint32(0), "right",
	}}, answer.Rows)
	require.NoError(t, db.RecomputeHours(t.Context(), 0, time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC), time.Date(2026, 11, 1, 11, 0, 0, 0, time.UTC), 18))
}
