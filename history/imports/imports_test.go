package imports

import (
	"bytes"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/history/chdb/chdbtest"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// opened is an empty history on the real engine.
func opened(t testing.TB) *clickhouse.DB {
	t.Helper()
	e, database := chdbtest.Database(t)
	u, err := url.Parse(e.URL())
	require.NoError(t, err)
	u.User, u.Path = url.UserPassword(e.Writer().User, e.Writer().Password), "/"+database
	db, err := clickhouse.Open(t.Context(), clickhouse.Options{URL: u.String(), Retention: clickhouse.Retention{Incidents: clickhouse.Forever}, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func ask(t testing.TB, db *clickhouse.DB, sql string) [][]any {
	t.Helper()
	answer, err := db.Own(t.Context(), sql, nil)
	require.NoError(t, err)
	return answer.Rows
}

func mapOf(t testing.TB, name string, over Override) *Map {
	t.Helper()
	file, text, ok := Shipped(name)
	require.True(t, ok)
	m, err := Parse(file, text, over)
	require.NoError(t, err)
	return m
}

func bring(t testing.TB, db *clickhouse.DB, m *Map, text string, edit ...func(*Input)) *Summary {
	t.Helper()
	in := Input{Map: m, Body: strings.NewReader(text), Origin: "old", Tenant: "main", Now: now}
	for _, e := range edit {
		e(&in)
	}
	out, err := New(db).Run(t.Context(), in)
	require.NoError(t, err)
	return out
}

func TestShippedMapsAreRightAndStandInTheExamples(t *testing.T) {
	for _, name := range ShippedNames() {
		m := mapOf(t, name, Override{})
		example, err := os.ReadFile("../../examples/import/" + name + ".yml")
		require.NoError(t, err)
		file, text, _ := Shipped(name)
		require.Equal(t, string(text), string(example), file)
		require.NotEmpty(t, m.columns)
	}
}

const list = `number,short_description,incident_state,opened_at,opened_by,resolved_at,resolved_by,closed_at,priority,assignment_group,cmdb_ci,category,reassignment_count,reopen_count,u_colour
INC1,"Disk ""sda"" full
on db-3",Closed,2026-10-12 08:00:00,Ann,2026-10-12 08:09:00,Bob,2026-10-17 08:09:00,2 - High,dba,db-3,Hardware,1,0,red
INC2,Slow,New,2026-10-13 09:30:00,Ann,?,,,3,web,web-1,Software,0,0,
INC3,Gone,Closed,2026-10-14 09:30:00,Ann,2026-10-14 09:00:00,Bob,,3,web,web-1,Software,0,0,
INC4,Odd,Sleeping,2026-10-14 09:30:00,Ann,,,,3,web,web-1,Software,0,0,
INC5,Cancelled,Canceled,2026-10-15 09:30:00,Ann,,,2026-10-15 10:00:00,5 - Planning,web,,Software,0,0,
INC6,Unresolved,Closed,2026-10-16 09:30:00,Ann,,,2026-10-20 10:00:00,,web,,Software,x,0,
INC7,Unresolved,Closed,2026-10-16 09:30:00,Ann,,,2026-10-20 10:00:00,,web,,Software,,2,
`

func TestAListOfIncidentsBecomesHistoryAndAgainChangesNothing(t *testing.T) {
	db := opened(t)
	m := mapOf(t, "servicenow", Override{})
	dry := bring(t, db, m, list, func(in *Input) { in.DryRun = true })
	require.Equal(t, []any{7, 4, 4, 8, 3}, []any{dry.Rows, dry.Incidents, dry.New, dry.Versions, dry.Rejected})
	require.Zero(t, ask(t, db, "SELECT count() FROM incident_versions")[0][0])

	out := bring(t, db, m, list)
	require.Equal(t, []Reject{
		{5, "resolved_at", "2026-10-14 09:00:00 UTC", "resolved_at: before it was opened, 2026-10-14 09:30:00 UTC"},
		{6, "incident_state", "Sleeping", "state: not among the map's values; add it there, or say what others mean with otherwise"},
		{8, "reassignment_count", "x", "reassignments: no count"},
	}, out.Rejects)
	require.Equal(t, []string{"u_colour"}, out.Unmapped)
	require.Equal(t, []Flag{{flagUnresolved, 1}, {flagNoPriority, 1}}, out.Flags)
	require.Equal(t, []any{"2026-10-12 08:00:00", "2026-10-20 10:00:00"}, []any{out.From.Format(time.DateTime), out.To.Format(time.DateTime)})

	rows := ask(t, db, `SELECT number, phase, priority, title, team, toString(resolved_at), resolved_by, length(resolves), reopen_count, reassignments, opened_by, automatic, signature
FROM incidents FINAL ORDER BY number`)
	require.Len(t, rows, 4)
	require.Equal(t, []any{"INC1", "closed", uint8(2), "Disk \"sda\" full\non db-3", "dba", "2026-10-12 08:09:00.000", "Bob", uint64(1), uint32(0), uint32(1), "Ann", false}, rows[0][:12])
	require.Equal(t, []any{"INC2", "open", uint8(3), "Slow", "web", nil, "", uint64(0), uint32(0), uint32(0), "Ann", false}, rows[1][:12])
	require.Equal(t, []any{"INC5", "cancelled"}, rows[2][:2])
	require.Equal(t, []any{"INC7", "closed", uint8(4), "Unresolved", "web", nil}, rows[3][:6])

	again := bring(t, db, m, list)
	require.Equal(t, []any{4, 0, 0, 4, 0}, []any{again.Incidents, again.New, again.Changed, again.Unchanged, again.Versions})
	require.Equal(t, uint64(8), ask(t, db, "SELECT count() FROM incident_versions")[0][0])

	changed := bring(t, db, m, strings.Replace(list[:strings.Index(list, "INC3")], "2026-10-12 08:09:00", "2026-10-12 08:19:00", 1))
	require.Equal(t, []any{2, 0, 1, 1, 3}, []any{changed.Incidents, changed.New, changed.Changed, changed.Unchanged, changed.Versions})
	require.Equal(t, [][]any{{"2026-10-12 08:19:00.000", uint64(1), uint64(4)}},
		ask(t, db, "SELECT toString(resolved_at), length(resolves), (SELECT count() FROM incidents FINAL) FROM incidents FINAL WHERE number = 'INC1'"))
	require.Equal(t, uint64(8), ask(t, db, "SELECT count() FROM incident_versions FINAL")[0][0], "the old versions are gone, and what the file leaves out stays")
}

func TestRowsOfALogInAnyOrderGiveTheSame(t *testing.T) {
	text := bytes.NewBufferString("number,incident_state,sys_updated_at,sys_mod_count,sys_updated_by,opened_at,resolved_at,closed_at,assignment_group,assigned_to,priority,reopen_count\n")
	for _, line := range []string{
		"INC1,New,29/2/2016 01:16,0,Sys 1,29/2/2016 01:16,29/2/2016 11:29,5/3/2016 12:00,?,?,3 - Moderate,0",
		"INC1,Active,29/2/2016 01:23,1,Ann,29/2/2016 01:16,29/2/2016 11:29,5/3/2016 12:00,Group 56,?,3 - Moderate,0",
		"INC1,Awaiting Vendor,29/2/2016 01:30,2,Ann,29/2/2016 01:16,29/2/2016 11:29,5/3/2016 12:00,Group 56,Ann,3 - Moderate,0",
		"INC1,Resolved,29/2/2016 09:00,3,Ann,29/2/2016 01:16,29/2/2016 11:29,5/3/2016 12:00,Group 56,Ann,3 - Moderate,0",
		"INC1,Active,29/2/2016 10:00,4,Ann,29/2/2016 01:16,29/2/2016 11:29,5/3/2016 12:00,Group 70,Bob,2 - High,1",
		"INC1,Resolved,29/2/2016 11:30,5,Bob,29/2/2016 01:16,29/2/2016 11:29,5/3/2016 12:00,Group 70,Bob,2 - High,1",
		"INC1,Closed,5/3/2016 12:00,6,Bob,29/2/2016 01:16,29/2/2016 11:29,5/3/2016 12:00,Group 70,Bob,2 - High,1",
	} {
		text.WriteString(line + "\n")
	}
	db := opened(t)
	out := bring(t, db, mapOf(t, "servicenow-log", Override{Zone: "Europe/Lisbon", Dates: []string{"d/M/yyyy HH:mm"}}), text.String())
	require.Equal(t, []any{7, 1, 0}, []any{out.Rows, out.Incidents, out.Rejected})
	require.Equal(t, [][]any{
		{"incident_opened", "open", "2016-02-29 01:16:00.000", "", ""}, {"incident_assigned", "open", "2016-02-29 01:23:00.000", "Group 56", ""},
		{"incident_begun", "open", "2016-02-29 01:23:00.000", "Group 56", ""}, {"incident_assigned", "open", "2016-02-29 01:30:00.000", "Group 56", "Ann"},
		{"incident_held", "open", "2016-02-29 01:30:00.000", "Group 56", "Ann"}, {"incident_resolved", "resolved", "2016-02-29 09:00:00.000", "Group 56", "Ann"},
		{"incident_reopened", "open", "2016-02-29 10:00:00.000", "Group 56", "Ann"}, {"incident_assigned", "open", "2016-02-29 10:00:00.000", "Group 70", "Bob"},
		{"incident_resolved", "resolved", "2016-02-29 11:29:00.000", "Group 70", "Bob"}, {"incident_closed", "closed", "2016-03-05 12:00:00.000", "Group 70", "Bob"},
	}, ask(t, db, "SELECT kind, phase, toString(at), team, assignee FROM incident_versions FINAL ORDER BY at, seq, n"))
	require.Equal(t, [][]any{{uint64(2), uint32(1), uint32(1), uint8(2), uint8(3), "2016-02-29 01:23:00.000", uint64(1)}},
		ask(t, db, "SELECT length(resolves), reopen_count, reassignments, priority, first_priority, toString(first_acked_at), length(holds) FROM incidents FINAL"))
}
