package api

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/history/chdb/chdbtest"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
	"github.com/tocsin-noc/tocsin/history/imports"
)

// withHistory gives the daemon a history on the real engine.
func withHistory(t *testing.T) (*clickhouse.DB, func(*Options)) {
	t.Helper()
	e, database := chdbtest.Database(t)
	u, err := url.Parse(e.URL())
	require.NoError(t, err)
	u.User, u.Path = url.UserPassword(e.Writer().User, e.Writer().Password), "/"+database
	db, err := clickhouse.Open(t.Context(), clickhouse.Options{URL: u.String(), Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db, func(o *Options) { o.History, o.Imports = db, imports.New(db) }
}

// remembered is a fixture whose history holds what storm made, an incident before each of its own, and the like of another tenant.
func remembered(t *testing.T) *fixture {
	t.Helper()
	db, with := withHistory(t)
	f := newFixture(t, with).storm()
	for _, sql := range []string{
		`INSERT INTO incidents (origin, shard, incident, version, number, tenant, phase, priority, title, ci, signature, opened_at, resolved_at, resolved_by) VALUES
('', 0, 1, 9, 'INC-1', 'main', 'open', 2, 'Disk full', 'db-3', 7, now64(3) - 60, NULL, ''), ('', 0, 91, 9, 'INC-91', 'main', 'closed', 2, 'Disk full', 'db-3', 7, now64(3) - 86400 * 10, now64(3) - 86400 * 10 + 540, 'bob'),
('', 0, 2, 9, 'INC-2', 'other', 'open', 2, 'SecretAlert', 'db-3', 7, now64(3) - 60, NULL, ''), ('', 0, 92, 9, 'INC-92', 'other', 'closed', 2, 'SecretAlert', 'db-3', 7, now64(3) - 86400 * 10, now64(3) - 86400 * 10 + 540, 'mallory')`,
		`INSERT INTO alerts (shard, alert, seq, n, first_at, tenant, name, resource, labels) VALUES (0, 1, 1, 0, now64(3) - 3600, 'main', 'DiskFull', 'db-3', map('alertname', 'DiskFull')), (0, 2, 1, 0, now64(3) - 3600, 'other', 'SecretAlert', 'x', map('alertname', 'SecretAlert'))`,
		`INSERT INTO transitions (at, shard, seq, n, kind, tenant, alert, name, resource, ci, phase, severity, occurrence, incident, firing_at) VALUES
(now64(3) - 3600, 0, 1, 0, 'alert_firing', 'main', 1, 'DiskFull', 'db-3', 'db-3', 'firing', 1, 1, 1, now64(3) - 3600), (now64(3) - 3600, 0, 1, 1, 'alert_firing', 'other', 2, 'SecretAlert', 'x', 'db-3', 'firing', 1, 1, 2, now64(3) - 3600)`,
	} {
		require.NoError(t, db.Exec(t.Context(), sql, nil))
	}
	return f
}

func TestTheHistoryAnswersOperatorsWithinTheirTenant(t *testing.T) {
	f := remembered(t)
	like := get[SimilarIncidents](f, "viewer", "/api/v1/incidents/1/similar")
	require.Equal(t, []any{"INC-1", 1, 1, "INC-91", 540, "bob"}, []any{like.Incident, like.Total, like.Signature.Days90, like.Incidents[0].Incident, int(*like.Incidents[0].Seconds), like.Incidents[0].ResolvedBy})
	require.Equal(t, []string{"item", "trouble"}, like.Incidents[0].Same)
	require.Equal(t, "INC-92", get[SimilarIncidents](f, "stranger", "/api/v1/incidents/INC-2/similar").Incidents[0].Incident)

	line := get[CITimeline](f, "viewer", "/api/v1/cis/db-3/timeline")
	require.Equal(t, []any{3, "INC-91", "alert", "critical", "INC-1"}, []any{line.Total, line.Entries[0].Ref, line.Entries[1].Kind, line.Entries[1].Severity, line.Entries[1].Incident})

	found := get[AlertHistory](f, "viewer", "/api/v1/history/alerts?match="+url.QueryEscape(`{alertname=~"Disk.*|Secret.*"}`))
	require.Equal(t, []any{1, "DiskFull", "INC-1"}, []any{found.Total, found.Alerts[0].Name, found.Alerts[0].Incident})
	for _, path := range []string{"incidents/INC-1/similar", "incidents/INC-91/similar?origin=snow", "incidents/nonsense/similar", "cis/no-such-item/timeline"} {
		f.fails("stranger", "GET", path, "", 404)
	}
	for who, secrets := range map[string][]string{"viewer": {"Secret", "INC-92", "mallory", "other"}, "stranger": {"Disk", "INC-91", "bob", "main"}} {
		for _, path := range []string{"cis/db-3/timeline", "history/alerts", "incidents/" + map[string]string{"viewer": "1", "stranger": "2"}[who] + "/similar"} {
			text := f.call(who, "GET", "/api/v1/"+path, "").text
			for _, secret := range secrets {
				require.NotContains(t, text, secret, "%s as %s", path, who)
			}
		}
	}
	f.fails("viewer", "GET", "history/alerts?match=%7Bx", "", 422, "match")
	f.fails("viewer", "GET", "history/alerts?from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z", "", 422, "from")
	f.engine.say("main", "prometheus", false, "alertname", "New", "severity", "critical", "service", "fresh")
	f.fails("viewer", "GET", "incidents/3/similar", "", 503, "not_yet")
}

const exported = "number,short_description,state,opened_at,opened_by,resolved_at,closed_at,priority\nINC1,Disk full,Closed,2026-10-01 08:00:00,Ann,2026-10-01 08:30:00,2026-10-02 08:30:00,2 - High\nINC2,Odd,Closed,yesterday,Ann,,,2 - High\n"

// parts makes the body of an import with a map and a file.
func parts(mapText, file string) (string, func(*http.Request)) {
	body := "--x\r\nContent-Disposition: form-data; name=map; filename=our.yml\r\n\r\n" + mapText + "\r\n--x\r\nContent-Disposition: form-data; name=file; filename=\"old list.csv\"\r\n\r\n" + file + "\r\n--x--\r\n"
	return body, func(r *http.Request) { r.Header.Set("Content-Type", "multipart/mixed; boundary=x") }
}

func asCSV(r *http.Request) { r.Header.Set("Content-Type", "text/csv") }

func TestIncidentsOfAnotherSystemAreImportedByAdminsOnly(t *testing.T) {
	db, with := withHistory(t)
	f := newFixture(t, with)
	const path = "/api/v1/history/import/incidents"
	for _, who := range []string{"viewer", "responder", "manager", "stranger"} {
		require.Equal(t, 403, f.call(who, "POST", path+"?map=servicenow", exported, asCSV).StatusCode, who)
	}
	res := f.call("admin", "POST", path+"?map=servicenow&name=snow", exported, asCSV)
	require.Equal(t, 200, res.StatusCode, res.text)
	require.Contains(t, res.text, `"rows":2,"incidents":1,"new":1`)
	require.Contains(t, res.text, `{"line":3,"column":"opened_at","value":"yesterday"`)

	res = f.call("admin", "POST", path+"?map=servicenow&name=snow&follow=true", exported, asCSV)
	require.Equal(t, "application/x-ndjson", res.Header.Get("Content-Type"))
	lines := strings.Split(strings.TrimSpace(res.text), "\n")
	require.Len(t, lines, 2)
	require.Contains(t, lines[0], `{"reject":{"line":3`)
	require.Contains(t, lines[1], `{"done":{"origin":"snow"`)
	require.Contains(t, lines[1], `"unchanged":1`)

	body, asParts := parts("zone: UTC\nfacts: {number: number, opened_at: opened_at, titel: x}\n", exported)
	res = f.call("admin", "POST", path, body, asParts)
	require.Equal(t, 422, res.StatusCode, res.text)
	require.Contains(t, res.text, `our.yml:2:47: titel: unknown key; did you mean \"title`)
	body, asParts = parts("zone: UTC\nfacts: {number: number, opened_at: opened_at, title: short_description}\n", exported)
	res = f.call("admin", "POST", path, body, asParts)
	require.Equal(t, 200, res.StatusCode, res.text)
	require.Contains(t, res.text, `"origin":"old-list"`)
	for query, word := range map[string]string{"": "no map", "?map=nonsense": "does not come with", "?map=servicenow&name=..%2F": "name", "?map=servicenow&zone=Nowhere": "time zone", "?map=servicenow&dates=dd": "one year"} {
		res := f.call("admin", "POST", path+query, exported, asCSV)
		require.Equal(t, 422, res.StatusCode, res.text)
		require.Contains(t, res.text, word)
	}
	rows, err := db.Own(t.Context(), "SELECT origin, number, tenant FROM incidents FINAL ORDER BY origin", nil)
	require.NoError(t, err)
	require.Equal(t, [][]any{{"old-list", "INC1", "main"}, {"snow", "INC1", "main"}}, rows.Rows)
}
