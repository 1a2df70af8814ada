package api

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/history"
	"github.com/tocsin-noc/tocsin/history/reports"
	"github.com/tocsin-noc/tocsin/history/reports/render"
)

// oracle is a history that knows what it was asked, and answers a report on actionability with one row.
type oracle struct {
	asked []map[string]string
	err   error
}

func (o *oracle) Query(_ context.Context, sql string, params map[string]string) (*history.Table, error) {
	o.asked = append(o.asked, params)
	if o.err != nil {
		return nil, o.err
	}
	if len(sql) > 15 && sql[:15] == "SELECT count() " {
		return &history.Table{Rows: [][]any{{uint64(20000)}}}, nil
	}
	if len(sql) > 4 && sql[:4] == "WITH" {
		return table([]string{"bucket", "outcome", "n", "incidents", "share", "lo", "hi"}, nil, "acted_on", uint64(4), uint64(1), 0.25, 0.05, 0.7), nil
	}
	list := table([]string{"outcome", "number", "opened_at", "over_at", "title", "ci", "priority", "team"},
		"acted_on", "INC-1", time.Unix(0, 0), nil, `=cmd <img src=x onerror="alert(1)">`, "db-3", uint8(2), "db")
	limit, err := strconv.Atoi(sql[strings.LastIndexByte(sql, ' ')+1:])
	for len(list.Rows) < min(limit, 20000) {
		list.Rows = append(list.Rows, list.Rows[0])
	}
	return list, err
}

func table(names []string, row ...any) *history.Table {
	t := &history.Table{Rows: [][]any{row}}
	for _, name := range names {
		t.Columns = append(t.Columns, history.Column{Name: name})
	}
	return t
}

// reporting is a fixture with reports over o.
func reporting(t *testing.T, o history.Querier) *fixture {
	packs := map[string]Pack{"monthly": func(_ context.Context, _ history.Querier, _ *reports.Catalogue, p reports.Params) ([]byte, error) {
		return []byte("<!doctype html>the page of " + p.Tenant), nil
	}}
	r, err := NewReports(o, packs)
	require.NoError(t, err)
	return newFixture(t, func(opts *Options) { opts.Reports = r })
}

func TestReportsAreListedWithTheirDefinitions(t *testing.T) {
	f := reporting(t, &oracle{})
	list := get[ReportCatalogue](f, "viewer", "/api/v1/reports")
	require.Greater(t, len(list.Reports), 31)
	require.Equal(t, "funnel", list.Reports[0].Name)
	require.NotEmpty(t, list.Reports[0].Columns)
	require.Equal(t, 404, newFixture(t).call("viewer", "GET", "/api/v1/reports", "").StatusCode, "where there are none")
}

func TestAReportIsRunInTheTenantOfWhoAsks(t *testing.T) {
	o := &oracle{}
	f := reporting(t, o)
	got := get[render.Answer](f, "stranger", "/api/v1/reports/actionability?from=2026-03-01&to=2026-03-31&zone=Europe/Berlin&team=db&priority=2&bucket=week")
	require.Equal(t, map[string]string{
		"from": "2026-02-28 23:00:00.000", "to": "2026-03-31 22:00:00.000", "zone": "Europe/Berlin", "tenant": "other", "service": "", "team": "db", "priority": "2", "bucket": "week", "person": "",
	}, o.asked[0])
	require.Equal(t, []any{nil, "acted_on", 4.0, 1.0, 0.25, 0.05, 0.7}, got.Rows[0])
	require.Equal(t, "actionability", got.Report)
	items := get[render.Answer](f, "stranger", "/api/v1/reports/actionability/items")
	require.Equal(t, uint64(20000), *items.Total)
	get[render.Answer](f, "stranger", "/api/v1/reports/actionability?mine=true")
	last := o.asked[len(o.asked)-1]
	require.NotEmpty(t, last["person"])
	require.Equal(t, "other", last["tenant"])
	require.Equal(t, 422, f.call("stranger", "GET", "/api/v1/reports/actionability?person=ann", "").StatusCode, "nobody asks about another")
	require.NotEqual(t, 200, f.call("stranger", "GET", "/api/v1/reports/actionability?tenant=main", "").StatusCode, "nor in another tenant")
	page := f.call("stranger", "GET", "/api/v1/report-packs/monthly?from=last+month", "")
	require.Equal(t, "<!doctype html>the page of other", page.text)
}

func TestAReportIsAnsweredAsCSVAndAsAPageThatCannotAct(t *testing.T) {
	f := reporting(t, &oracle{})
	csv := f.call("viewer", "GET", "/api/v1/reports/actionability/items?format=csv", "")
	require.Equal(t, "text/csv; charset=utf-8", csv.Header.Get("Content-Type"))
	require.Contains(t, csv.text, `'=cmd`)
	page := f.call("viewer", "GET", "/api/v1/reports/actionability?format=html", "")
	require.Equal(t, "text/html; charset=utf-8", page.Header.Get("Content-Type"))
	require.Contains(t, page.Header.Get("Content-Security-Policy"), "default-src 'none'")
	require.NotContains(t, page.text, "<img")
	require.Contains(t, page.text, " of 20,000")
	sql := get[ReportSQL](f, "viewer", "/api/v1/reports/actionability/sql?zone=Asia/Kolkata")
	require.Contains(t, sql.Script, "SET param_zone = 'Asia/Kolkata';\n")
	require.Contains(t, sql.SQL, "FROM incidents FINAL")
}

func TestAReportSaysWhyItCannotBeRun(t *testing.T) {
	f := reporting(t, nil)
	for path, want := range map[string]struct {
		status int
		text   string
	}{
		"/api/v1/reports/actionability":           {503, "tocsin history status"},
		"/api/v1/reports/nothing":                 {404, "GET /api/v1/reports list them"},
		"/api/v1/reports/sla_attainment":          {409, "waits for service levels"},
		"/api/v1/reports/sla_attainment/sql":      {409, "waits for service levels"},
		"/api/v1/reports/actionability?zone=Mars": {422, "IANA time zone"},
		"/api/v1/reports/actionability?from=soon": {422, "from: must be a time"},
		"/api/v1/reports/R6":                      {404, "any of binding, item_quality"},
		"/api/v1/report-packs/weekly":             {404, "no pack is called \\\"weekly\\\" (known: monthly)"},
	} {
		got := f.call("viewer", "GET", path, "")
		require.Equal(t, want.status, got.StatusCode, "%s: %s", path, got.text)
		require.Contains(t, got.text, want.text, path)
	}
}

// slow is a history that tells how long it was given.
type slow struct {
	oracle
	given time.Duration
}

func (o *slow) Query(ctx context.Context, sql string, params map[string]string) (*history.Table, error) {
	if end, ok := ctx.Deadline(); ok {
		o.given = time.Until(end)
	}
	return o.oracle.Query(ctx, sql, params)
}

func TestWhatTheHistoryIsAskedMayTakeMinutes(t *testing.T) {
	o := &slow{}
	f := reporting(t, o)
	get[render.Answer](f, "viewer", "/api/v1/reports/actionability")
	require.Greater(t, o.given, 5*time.Minute)
	for path, asks := range map[string]bool{
		"/api/v1/report-packs/monthly": true, "/api/v1/history/alerts": true, "/api/v1/incidents/INC-1/similar": true, "/api/v1/cis/db-3/timeline": true,
		"/api/v1/incidents/INC-1/timeline": false, "/api/v1/incidents": false, "/api/v1/cis": false, "/api/v2/alerts": false,
	} {
		require.Equal(t, asks, asksHistory(path), path)
	}
}
