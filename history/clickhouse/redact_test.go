package clickhouse_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/history/chdb"
	"github.com/tocsin-noc/tocsin/history/chdb/chdbtest"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
)

// needle is the text that is to go; its rows are kept uncompressed, so that a look at the files finds it.
const needle = "Ann Berg 0170 5550199 zQ7"

func TestEveryColumnThatCanHoldATextIsInTheTableOfRedactions(t *testing.T) {
	source, err := os.ReadFile("redact.go")
	require.NoError(t, err)
	known := map[string]string{}
	line := regexp.MustCompile(`^//\t([a-z_]+) {2,}([a-z_ ]+?) +(entry|field|outage|attribute|silence|ForgetLogin|stays:).*$`)
	for text := range strings.Lines(string(source)) {
		m := line.FindStringSubmatch(strings.TrimRight(text, "\n"))
		if m == nil {
			continue
		}
		for column := range strings.FieldsSeq(m[2]) {
			require.Empty(t, known[m[1]+"."+column], "%s.%s stands there twice", m[1], column)
			known[m[1]+"."+column] = m[3]
		}
	}
	answer := ask(t, open(t), "SELECT table, name FROM system.columns WHERE database = currentDatabase() AND position(type, 'String') > 0", nil)
	require.Greater(t, len(answer.Rows), 80)
	for _, row := range answer.Rows {
		column := row[0].(string) + "." + row[1].(string)
		require.NotEmpty(t, known[column], "%s is new: say in the table of redact.go which redactions take texts out of it", column)
		delete(known, column)
	}
	require.Empty(t, known, "no such columns")
}

// folder returns a database on an engine of its own, and the engine's folder. Texts that go lie there as they are.
func folder(t *testing.T) (*clickhouse.DB, string) {
	t.Helper()
	dir := t.TempDir()
	e := chdbtest.New(t, chdb.Options{Dir: dir})
	u, err := url.Parse(e.URL())
	require.NoError(t, err)
	u.User, u.Path = url.UserPassword(e.Writer().User, e.Writer().Password), "/tocsin"
	db, err := clickhouse.Open(t.Context(), clickhouse.Options{URL: u.String()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	for _, column := range []string{
		"incident_versions MODIFY COLUMN title String", "incident_versions MODIFY COLUMN text String", "incidents MODIFY COLUMN title String", "outages MODIFY COLUMN cause String",
		"cis MODIFY COLUMN attributes Map(LowCardinality(String), String)", "log MODIFY COLUMN text String", "notifications MODIFY COLUMN person LowCardinality(String)",
	} {
		exec(t, db, "ALTER TABLE "+column+" CODEC(NONE)")
	}
	return db, dir
}

func exec(t *testing.T, db *clickhouse.DB, sql string) {
	t.Helper()
	require.NoError(t, db.Exec(t.Context(), sql, nil), sql)
}

// holding lists the files below a folder that hold a text.
func holding(t *testing.T, dir, text string) (out []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // it went in the meantime
		}
		if data, err := os.ReadFile(path); err == nil && bytes.Contains(data, []byte(text)) {
			out = append(out, path)
		}
		return nil
	}))
	return out
}

// kept answers as the core does once it has taken the text away.
func kept(words map[clickhouse.Place]clickhouse.Words) func(context.Context, event.IncidentID) (map[clickhouse.Place]clickhouse.Words, error) {
	return func(context.Context, event.IncidentID) (map[clickhouse.Place]clickhouse.Words, error) {
		return words, nil
	}
}

// versions inserts changes of incidents, one part for each, twice: as after a batch that was cut off.
func versions(t *testing.T, db *clickhouse.DB, rows ...string) {
	t.Helper()
	for range 2 {
		for _, row := range rows {
			exec(t, db, "INSERT INTO incident_versions (incident, seq, n, kind, actor, opened_by, merged_into, title, text, tenant, at, opened_at) SELECT *, 'main', '2026-11-01 10:00:00', '2026-11-01 10:00:00' FROM (SELECT "+row+")")
		}
	}
	require.NoError(t, db.Recompute(t.Context(), "", 0, []uint64{1, 2, 3}))
}

func story(t *testing.T, db *clickhouse.DB, incident uint64) (out []string) {
	t.Helper()
	answer := ask(t, db, "SELECT title, text FROM incident_versions FINAL WHERE origin = '' AND incident = {i:UInt64} ORDER BY seq, n", map[string]string{"i": fmt.Sprint(incident)})
	for _, row := range answer.Rows {
		out = append(out, row[0].(string)+"|"+row[1].(string))
	}
	return out
}

// requireGone looks at every file of the engine.
func requireGone(t *testing.T, dir string) {
	t.Helper()
	require.Empty(t, holding(t, dir, needle))
}

func TestARedactedTextLeavesTheDiskWithinSeconds(t *testing.T) {
	db, dir := folder(t)
	text := "'" + needle + "'"
	tagged := func(s string) string { return event.RedactedAs(s, 7) }
	for name, c := range map[string]struct {
		fill []string
		r    clickhouse.Redaction
		look string
		is   []string
	}{
		"a silence": {
			[]string{
				"INSERT INTO log (at, seq, kind, tenant, id, text) VALUES (now(), 1, 'silence_set', 'main', 's', " + text + ")",
				"INSERT INTO log (at, seq, kind, tenant, id, text) VALUES (now(), 2, 'silence_ended', 'main', 's', " + text + "), (now(), 3, 'silence_set', 'other', 's', 'theirs'), (now(), 4, 'window_set', 'main', 's', 'else')",
			},
			clickhouse.Redaction{Silence: "s"}, "SELECT text FROM log ORDER BY seq", []string{"[redacted]", "[redacted]", "theirs", "else"},
		},
		"a window": {
			[]string{"INSERT INTO log (at, seq, kind, tenant, id, text) VALUES (now(), 1, 'window_set', 'main', 'w', " + text + "), (now(), 2, 'silence_set', 'main', 'w', 'else')"},
			clickhouse.Redaction{Window: "w"}, "SELECT text FROM log ORDER BY seq", []string{"[redacted]", "else"},
		},
		"a hand-over": {
			[]string{"INSERT INTO log (at, seq, n, kind, tenant, text) VALUES (now(), 1, 1, 'handover_noted', 'main', " + text + "), (now(), 1, 2, 'handover_noted', 'main', 'else')"},
			clickhouse.Redaction{Handover: clickhouse.Place{Seq: 1, N: 1}}, "SELECT text FROM log ORDER BY n", []string{"[redacted]", "else"},
		},
		"an outage": {
			[]string{
				"INSERT INTO outages (outage, version, tenant, at, cause) VALUES (7, 1, 'main', now(), 'the machine said'), (8, 1, 'main', now(), 'else')",
				"INSERT INTO outages (outage, version, tenant, at, cause) VALUES (7, 2, 'main', now(), " + text + ")",
			},
			clickhouse.Redaction{Outage: 7, Cause: "the machine said", Instead: tagged}, "SELECT cause FROM outages FINAL ORDER BY outage", []string{tagged(needle), "else"},
		},
		"an attribute": {
			[]string{
				"INSERT INTO cis (tenant, id, seq, known_at, attributes) VALUES ('main', 'db', 1, now(), map('contact', " + text + ", 'rack', '7')), ('main', 'db', 2, now(), map('contact', '[redacted]')), ('main', 'web', 3, now(), map('contact', 'else'))",
				"INSERT INTO cis (tenant, id, seq, known_at, attributes) VALUES ('main', 'db', 4, now(), map('rack', '8'))",
			},
			clickhouse.Redaction{CI: "db", Attribute: "contact", Instead: tagged}, "SELECT toString(attributes) FROM cis FINAL ORDER BY seq",
			[]string{"{'contact':'" + tagged(needle) + "','rack':'7'}", "{'contact':'[redacted]'}", "{'contact':'else'}", "{'rack':'8'}"},
		},
	} {
		for _, sql := range c.fill {
			exec(t, db, sql)
		}
		require.NotEmpty(t, holding(t, dir, needle), name)
		c.r.Tenant = "main"
		began := time.Now()
		found, err := db.Redact(t.Context(), &c.r)
		require.NoError(t, err, name)
		require.True(t, found, name)
		requireGone(t, dir)
		require.Less(t, time.Since(began), 30*time.Second, name)
		var is []string
		for _, row := range ask(t, db, c.look, nil).Rows {
			is = append(is, row[0].(string))
		}
		require.Equal(t, c.is, is, name)
		found, err = db.Redact(t.Context(), &c.r)
		require.NoError(t, err, name)
		require.False(t, found, "%s: asked again", name)
		for _, table := range []string{"log", "outages", "cis"} {
			exec(t, db, "TRUNCATE TABLE "+table)
		}
	}
	answer := ask(t, db, "SELECT name FROM system.tables WHERE database = currentDatabase() AND position(engine_full, 'old_parts_lifetime') > 0", nil)
	require.Empty(t, answer.Rows, "the engine keeps old files as before")
}

func TestWhatIsStillKnownOfAnIncidentReplacesItsWords(t *testing.T) {
	db, dir := folder(t)
	versions(
		t, db,
		"1, 10, 0, 'incident_opened', '', '', 0, 'disk full', 'opened'",
		"1, 11, 0, 'incident_edited', 'u-1', '', 0, '"+needle+"', 'title \"disk full\" → \""+needle+"\"'",
		"1, 12, 0, 'incident_noted', 'u-1', '', 0, '"+needle+"', 'a note'",
		"3, 13, 0, 'incident_noted', 'u-1', '', 0, 'another', 'another note'",
	)
	exec(t, db, "INSERT INTO incident_versions (origin, incident, seq, tenant, at, opened_at, title) VALUES ('old system', 1, 11, 'main', now(), now(), 'imported')")
	require.NotEmpty(t, holding(t, dir, needle))
	r := clickhouse.Redaction{Tenant: "main", Incident: 1, Field: "title", Kept: kept(map[clickhouse.Place]clickhouse.Words{
		{Seq: 10}: {Title: "disk full", Text: "opened"},
		{Seq: 11}: {Title: "[redacted]", Text: `title "disk full" → "[redacted]"`},
		{Seq: 12}: {Title: "[redacted]", Text: "a note"},
	})}
	found, err := db.Redact(t.Context(), &r)
	require.NoError(t, err)
	require.True(t, found)
	requireGone(t, dir)
	require.Equal(t, []string{"disk full|opened", `[redacted]|title "disk full" → "[redacted]"`, "[redacted]|a note"}, story(t, db, 1))
	require.Equal(t, [][]any{{"[redacted]"}, {"another"}}, ask(t, db, "SELECT title FROM incidents FINAL ORDER BY incident", nil).Rows, "and the row that reports count, at once")
	require.Equal(t, [][]any{{"imported"}}, ask(t, db, "SELECT title FROM incident_versions FINAL WHERE origin != ''", nil).Rows)
	found, err = db.Redact(t.Context(), &r)
	require.NoError(t, err)
	require.False(t, found, "asked again")
}

func TestOfWhatTheHistoryAloneStillHoldsTheWholeEntryGoes(t *testing.T) {
	db, dir := folder(t)
	fill := func() {
		versions(
			t, db,
			"1, 10, 0, 'incident_opened', '', '', 0, 'disk full', 'opened'",
			"1, 11, 0, 'incident_edited', 'u-1', '', 0, '"+needle+"', 'title \"disk full\" → \""+needle+"\"'",
			"1, 12, 0, 'incident_tasked', 'u-1', '', 0, 'disk full', 'task 1: "+needle+"'",
			"1, 13, 0, 'incident_noted', 'u-1', '', 0, 'disk full', 'another note'",
			"1, 14, 0, 'incident_merged', 'u-1', '', 2, 'disk full', 'into INC-2: "+needle+"'",
			"2, 14, 1, 'incident_absorbed', 'u-1', '', 0, 'the other', 'INC-1: "+needle+"'",
			"2, 15, 0, 'incident_tasked', 'u-1', '', 0, 'the other', 'task 1: "+needle+"'",
			"3, 16, 0, 'incident_tasked', 'u-1', '', 0, 'a third', 'task 1: stays'",
		)
	}
	fill()
	for range 2 { // again after it was cut short
		for _, r := range []clickhouse.Redaction{
			{Incident: 1, Field: "title"}, {Incident: 1, Field: "task 1"}, {Incident: 1, Entry: clickhouse.Place{Seq: 14}},
		} {
			r.Tenant = "main"
			_, err := db.Redact(t.Context(), &r)
			require.NoError(t, err)
		}
		requireGone(t, dir)
		require.Equal(t, []string{
			"disk full|opened", "[redacted]|[redacted]", "disk full|[redacted]", "disk full|another note", "disk full|[redacted]",
		}, story(t, db, 1))
		require.Equal(t, []string{"the other|[redacted]", "the other|[redacted]"}, story(t, db, 2))
		require.Equal(t, []string{"a third|task 1: stays"}, story(t, db, 3))
		exec(t, db, "TRUNCATE TABLE incident_versions")
		exec(t, db, "TRUNCATE TABLE incidents")
		fill()
	}
	found, err := db.Redact(t.Context(), &clickhouse.Redaction{Tenant: "other", Incident: 1, Field: "title"})
	require.NoError(t, err)
	require.False(t, found, "another tenant's")
}

func TestRowsThatWereOnlyMarkedAsDeletedGoToo(t *testing.T) {
	db, dir := folder(t)
	versions(t, db, "1, 10, 0, 'incident_noted', 'u-1', '', 0, 'disk full', '"+needle+"'", "2, 10, 0, 'incident_noted', 'u-1', '', 0, 'disk full', 'stays'")
	exec(t, db, "OPTIMIZE TABLE incident_versions FINAL")
	exec(t, db, "DELETE FROM incident_versions WHERE incident = 1")
	require.NotEmpty(t, holding(t, dir, needle))
	_, err := db.Redact(t.Context(), &clickhouse.Redaction{Tenant: "main", Incident: 1, Entry: clickhouse.Place{Seq: 10}})
	require.NoError(t, err)
	requireGone(t, dir)
}

func TestAForgottenLoginLeavesTheDisk(t *testing.T) {
	db, dir := folder(t)
	exec(t, db, "INSERT INTO notifications (at, instance, number, person) VALUES (now(), 'a', 1, '"+needle+"'), (now(), 'a', 2, 'bob'), (now(), 'b', 1, 'eve'), (now(), 'b', 3, '"+needle+"')")
	require.NotEmpty(t, holding(t, dir, needle))
	for range 2 {
		require.NoError(t, db.ForgetLogin(t.Context(), needle))
	}
	requireGone(t, dir)
	require.Equal(t, [][]any{{""}, {"bob"}, {"eve"}, {""}}, ask(t, db, "SELECT toString(person) FROM notifications ORDER BY instance, number", nil).Rows)
}
