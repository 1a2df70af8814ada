package grafana

import (
	"fmt"
	"log/slog"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/history/chdb/chdbtest"
	facts "github.com/tocsin-noc/tocsin/history/clickhouse"
)

// rows are a small history around two weeks of November 2026, which begin on a Monday; the figures that come out of it are worked out by hand.
//
//	INC-1  P1 web shop        opened 2nd 10:00, acknowledged after 300 s, resolved by a person after 3,600 s; what INC-3 is again
//	INC-2  P3 db  shop, mail  opened 3rd 10:00, never acknowledged, resolved by the machine after 600 s
//	INC-3  P2 web shop        opened 4th 10:00, acknowledged after 120 s, resolved by a person at 12:00, reopened at 13:00, open
//	INC-4                     opened 2nd 10:01, merged into INC-1 at 10:30
//	INC-5  P4                 opened 5th 00:00, cancelled at 01:00
//	CHG9   P3                 imported: opened 5th 09:00, closed on the 6th at 09:00 without a resolve
//	INC-7  P1 of o'neil       opened 9th 08:00, open
func rows() []string {
	incident := "INSERT INTO incidents (origin, incident, number, tenant, phase, priority, services, team, signature, opened_at, automatic, first_acked_at, " +
		"resolved_at, resolved_human, closed_at, merged_into, resolves, reopens, reopen_count, alerts, ci, title, updated_at) VALUES "
	return []string{
		incident +
			"('', 1, 'INC-1', 'main', 'resolved', 1, ['shop'], 'web', 7, '2026-11-02 10:00:00', true, '2026-11-02 10:05:00', '2026-11-02 11:00:00', true, NULL, 0, [('2026-11-02 11:00:00', true)], [], 0, 2, 'db-1', 'Down', '2026-11-02 11:00:00')," +
			"('', 2, 'INC-2', 'main', 'resolved', 3, ['shop', 'mail'], 'db', 8, '2026-11-03 10:00:00', true, NULL, '2026-11-03 10:10:00', false, NULL, 0, [('2026-11-03 10:10:00', false)], [], 0, 1, 'db-2', 'Slow', '2026-11-03 10:10:00')," +
			"('', 3, 'INC-3', 'main', 'open', 2, ['shop'], 'web', 7, '2026-11-04 10:00:00', false, '2026-11-04 10:02:00', NULL, false, NULL, 0, [('2026-11-04 12:00:00', true)], ['2026-11-04 13:00:00'], 1, 1, 'db-1', 'Down again', '2026-11-04 13:00:00')," +
			"('', 4, 'INC-4', 'main', 'merged', 1, ['shop'], 'web', 9, '2026-11-02 10:01:00', true, NULL, NULL, false, '2026-11-02 10:30:00', 1, [], [], 0, 1, '', 'Down', '2026-11-02 10:30:00')," +
			"('', 5, 'INC-5', 'main', 'cancelled', 4, [], '', 10, '2026-11-05 00:00:00', false, NULL, NULL, false, '2026-11-05 01:00:00', 0, [], [], 0, 0, '', 'None', '2026-11-05 01:00:00')," +
			"('snow', 9, 'CHG9', 'main', 'closed', 3, [], 'db', 11, '2026-11-05 09:00:00', false, NULL, NULL, true, '2026-11-06 09:00:00', 0, [], [], 0, 0, '', 'Told by phone', '2026-11-06 09:00:00')," +
			"('', 7, 'INC-7', 'o''neil', 'open', 1, [], '', 12, '2026-11-09 08:00:00', true, NULL, NULL, false, NULL, 0, [], [], 0, 1, '', 'Down', '2026-11-09 08:00:00')",
		"INSERT INTO transitions (at, seq, n, kind, event, tenant, source, alert, name, ci, quiet, decided, reason) VALUES " +
			"('2026-11-02 10:00:00', 1, 0, 'alert_firing', true, 'main', 'prom', 1, 'Down', 'db-1', [], 'opened', 'opened')," +
			"('2026-11-02 10:00:10', 2, 0, 'alert_firing', true, 'main', 'prom', 2, 'Slow', 'db-1', ['silence'], 'silence', 'silenced')," +
			"('2026-11-02 10:00:20', 3, 0, 'alert_cleared', true, 'main', 'prom', 2, 'Slow', 'db-1', ['silence'], 'silence', 'silenced')," +
			"('2026-11-02 10:07:00', 4, 0, 'alert_firing', true, 'main', 'zabbix', 3, 'Disk', 'db-2', [], 'joined', 'joined')," +
			"('2026-11-03 10:00:00', 5, 0, 'alert_damped', false, 'main', 'prom', 1, 'Down', 'db-1', ['flap'], 'flap', 'flapping')",
		"INSERT INTO repeats VALUES ('2026-11-02 10:00:00', 0, 0, 'main', 'prom', 30, 4)",
		"INSERT INTO log (at, seq, kind, tenant, id, name, source, count) VALUES " +
			"('2026-11-02 10:00:00', 1, 'heartbeat_set', 'main', '1', 'Watchdog', 'prom', 0), ('2026-11-03 10:00:00', 5, 'heartbeat_lost', 'main', '1', 'Watchdog', 'prom', 0)," +
			"('2026-11-02 10:00:00', 1, 'heartbeat_lost', 'main', '2', 'Watchdog', 'zabbix', 0), ('2026-11-02 11:00:00', 5, 'heartbeat_back', 'main', '2', 'Watchdog', 'zabbix', 0)," +
			"('2026-11-02 12:00:00', 6, 'storm_began', 'main', '1', '', '', 21)",
		"INSERT INTO notifications (at, instance, number, tenant, subject, receiver, team, rings, delay_ms) VALUES " +
			"('2026-11-02 10:00:01', 'a', 1, 'main', 'INC-1', 'pager', 'web', true, 1000), ('2026-11-02 10:00:03', 'a', 2, 'main', 'INC-1', 'chat', '', false, 3000)",
		// The period has 14 days of 86,400 s; shop came on the 3rd, which leaves 13. On the 5th it was down from 00:00 to 00:30 and from 00:20 to
		// 01:00, with a planned outage from 00:50 to 01:50: 3,000 s down. Degraded from 00:40 to 02:00 counts where it is neither: 600 s. mail is in
		// no model; an hour of its outage lies in the period.
		"INSERT INTO cis (tenant, id, known_at, valid_from, class, state) VALUES ('main', 'shop', '2026-11-03 00:00:00', '2026-11-03 00:00:00', 'service', 'live')",
		"INSERT INTO outages (at, outage, version, tenant, service, kind, state, began_at, ended_at, known_at, incidents) VALUES " +
			"('2026-11-15 00:00:00', 1, 1, 'main', 'shop', 'down', 'confirmed', '2026-11-05 00:00:00', '2026-11-05 00:30:00', '2026-11-05 00:01:00', [1, 2])," +
			"('2026-11-15 00:00:00', 2, 1, 'main', 'shop', 'down', 'confirmed', '2026-11-05 00:20:00', '2026-11-05 01:00:00', '2026-11-05 00:21:00', [])," +
			"('2026-11-15 00:00:00', 3, 1, 'main', 'shop', 'planned', 'confirmed', '2026-11-05 00:50:00', '2026-11-05 01:50:00', '2026-11-01 00:00:00', [])," +
			"('2026-11-15 00:00:00', 4, 1, 'main', 'shop', 'degraded', 'confirmed', '2026-11-05 00:40:00', '2026-11-05 02:00:00', '2026-11-05 00:41:00', [])," +
			"('2026-11-15 00:00:00', 5, 1, 'main', 'shop', 'down', 'proposed', '2026-11-06 00:00:00', '2026-11-06 00:01:00', '2026-11-06 00:00:00', [])," +
			"('2026-11-15 00:00:00', 6, 1, 'main', 'mail', 'down', 'confirmed', '2026-11-01 23:00:00', '2026-11-02 01:00:00', '2026-11-01 23:00:00', [])," +
			"('2026-11-15 00:00:00', 7, 1, 'main', 'chat', 'down', 'rejected', '2026-11-07 00:00:00', NULL, '2026-11-07 00:00:00', [])",
	}
}

// answer is what a panel gets.
type answer struct {
	columns []string
	types   []string
	rows    [][]any
}

// asker asks as the plugin does: with its driver, over HTTP, compressed, as the reader.
type asker struct{ conn driver.Conn }

func filled14Days(t *testing.T) *asker {
	t.Helper()
	e, database := chdbtest.Database(t)
	u, err := url.Parse(e.URL())
	require.NoError(t, err)
	u.User, u.Path = url.UserPassword(e.Writer().User, e.Writer().Password), "/"+database
	db, err := facts.Open(t.Context(), facts.Options{URL: u.String(), Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer db.Close()
	for _, sql := range rows() {
		require.NoError(t, db.Exec(t.Context(), sql, nil), sql)
	}
	conn, err := driver.Open(&driver.Options{
		Protocol: driver.HTTP, Addr: []string{u.Host}, Compression: &driver.Compression{Method: driver.CompressionGZIP},
		Auth: driver.Auth{Database: database, Username: e.Reader().User, Password: e.Reader().Password},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return &asker{conn}
}

func (a *asker) ask(t *testing.T, sql string) *answer {
	t.Helper()
	found, err := a.conn.Query(t.Context(), sql)
	require.NoError(t, err, sql)
	defer found.Close()
	out := &answer{columns: found.Columns()}
	for _, c := range found.ColumnTypes() {
		out.types = append(out.types, c.DatabaseTypeName())
	}
	for found.Next() {
		into := make([]any, len(out.columns))
		for i, c := range found.ColumnTypes() {
			into[i] = reflect.New(c.ScanType()).Interface()
		}
		require.NoError(t, found.Scan(into...), sql)
		row := make([]any, len(into))
		for i, v := range into {
			row[i] = plain(reflect.ValueOf(v).Elem())
		}
		out.rows = append(out.rows, row)
	}
	require.NoError(t, found.Err(), sql)
	return out
}

// plain makes float64 of every number, nil of NULL, and text of times.
func plain(v reflect.Value) any {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	if at, ok := reflect.TypeAssert[time.Time](v); ok {
		return at.UTC().Format("02 15:04")
	}
	switch {
	case v.CanInt():
		return float64(v.Int())
	case v.CanUint():
		return float64(v.Uint())
	}
	return v.Interface()
}

func twoWeeks() *chosen {
	return &chosen{
		from: time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC), to: time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC), interval: time.Hour,
		values: map[string][]string{"bucket": {"day"}, "zone": {"UTC"}},
	}
}

// questions yields the panels that ask ClickHouse.
func questions(yield func(*Board, *Panel) bool) {
	for _, b := range Boards() {
		for _, p := range b.Panels() {
			if p.SQL != "" && !yield(&b, &p) {
				return
			}
		}
	}
}

func TestEveryQuestionIsAnsweredToTheReaderWithTheColumnsItsPanelShows(t *testing.T) {
	a := filled14Days(t)
	all, some, none := twoWeeks(), twoWeeks(), twoWeeks()
	some.values = map[string][]string{
		"bucket": {"week"}, "zone": {"Asia/Kolkata"}, "tenant": {"main", "o'neil"}, "service": {"shop"}, "team": {"web", "db"}, "priority": {"1", "2"},
	}
	none.from, none.to = none.from.AddDate(-20, 0, 0), none.to.AddDate(-20, 0, 0)
	none.values = map[string][]string{"bucket": {"month"}, "zone": {"Europe/Berlin"}, "tenant": {"nobody's"}}
	for b, p := range questions {
		t.Run(b.UID+"/"+p.Title, func(t *testing.T) {
			for name, c := range map[string]*chosen{"all": all, "some": some, "none": none} {
				got := a.ask(t, c.expand(t, p.SQL))
				if name == "all" {
					require.NotEmpty(t, got.rows, "the rows of this test have something for every panel")
				}
				if len(got.rows) == 0 {
					continue // over HTTP an answer without rows has no columns either
				}
				want := make([]string, len(p.Columns))
				require.Len(t, got.types, len(want), name)
				for i, column := range p.Columns {
					want[i] = column.Name
					checkType(t, p, column, got.types[i])
				}
				require.Equal(t, want, got.columns, name)
				checkRows(t, p, got)
			}
		})
	}
}

// checkType holds a column to what Grafana and the panel can show.
func checkType(t *testing.T, p *Panel, c Column, have string) {
	t.Helper()
	bare := have
	for _, wrap := range []string{"LowCardinality(", "Nullable("} {
		if rest, ok := strings.CutPrefix(bare, wrap); ok {
			bare = strings.TrimSuffix(rest, ")")
		}
	}
	switch {
	case c.Name == "time":
		require.Regexp(t, `^DateTime`, have, "%s: a time series has no NULL for a time", p.Title)
	case c.Unit == "":
		require.Regexp(t, `^(String|DateTime|UInt)`, bare, "%s: %s", p.Title, c.Name)
	default:
		require.Regexp(t, `^(U?Int|Float)(8|16|32|64)$`, bare, "%s: %s", p.Title, c.Name)
	}
}

// checkRows holds what a kind of panel asks of its rows.
func checkRows(t *testing.T, p *Panel, got *answer) {
	t.Helper()
	switch p.Kind {
	case Stat, Gauge:
		require.Len(t, got.rows, 1, "%s shows one row", p.Title)
	case Lines, Bars:
		require.Equal(t, "time", got.columns[0], p.Title)
		require.True(t, slices.IsSortedFunc(got.rows, func(x, y []any) int { return strings.Compare(x[0].(string), y[0].(string)) }), "%s: %v", p.Title, got.rows)
	case Table:
	}
	for _, row := range got.rows {
		for i, v := range row {
			f, ok := v.(float64)
			require.False(t, ok && f != f, "%s: %s is no number", p.Title, got.columns[i])
		}
	}
}

func TestVariablesOfferWhatTheHistoryKnows(t *testing.T) {
	a := filled14Days(t)
	want := map[string][]any{"tenant": {"main", "o'neil"}, "service": {"mail", "shop"}, "team": {"db", "web"}}
	for _, b := range Boards() {
		for _, v := range b.Variables {
			if v.Source != clickhouse {
				continue
			}
			var have []any
			for _, row := range a.ask(t, v.Query).rows {
				have = append(have, row[0])
			}
			require.Equal(t, want[v.Name], have, v.Name)
		}
	}
}

// The figures are the comments' of rows.
func TestPanelsShowTheFiguresThatWereWorkedOutByHand(t *testing.T) {
	a := filled14Days(t)
	day := 86_400.0
	wilson := func(part, whole float64) (lo, hi any) {
		got := a.ask(t, fmt.Sprintf("SELECT %s, %s", wilsonLo(fmt.Sprint(part), fmt.Sprint(whole)), wilsonHi(fmt.Sprint(part), fmt.Sprint(whole))))
		return got.rows[0][0], got.rows[0][1]
	}
	half, one := [2]any{}, [2]any{}
	half[0], half[1] = wilson(1, 2)
	one[0], one[1] = wilson(1, 1)
	quarter, third := [2]any{}, [2]any{}
	quarter[0], quarter[1] = wilson(1, 4)
	third[0], third[1] = wilson(1, 5)
	want := map[string][][]any{
		"Open incidents of tocsin-operations": {{1.0, 1.0, 0.0, 0.0, 0.0, 2.0}},
		"Senders gone silent":                 {{1.0}},
		"Opened and resolved": {
			{"02 10:00", 1.0, 0.0}, {"02 11:00", 0.0, 1.0}, {"03 10:00", 1.0, 1.0}, {"04 10:00", 1.0, 0.0}, {"05 00:00", 1.0, 0.0}, {"05 09:00", 1.0, 0.0}, {"09 08:00", 1.0, 0.0},
		},
		"Time to acknowledge":         {{"02 10:00", 1.0, 300.0, 300.0}, {"04 10:00", 1.0, 120.0, 120.0}},
		"Events per minute by source": {{"02 10:00", "prom", 3.0 / 60}, {"02 10:00", "zabbix", 1.0 / 60}},
		"Kept quiet, by reason":       {{"02 10:00", "silence", 2.0}},
		"Interruptions by team":       {{"02 10:00", "web", 1.0}},
		"Delay of messages":           {{"02 10:00", 2.0, 1.0, 3.0}},
		"Funnel":                      {{30.0, 4.0, 3.0, 3.0}},
		"What is left at each stage":  {{.75, 1.0, .75}},
		"Sources":                     {{"prom", 3.0, 30.0, 10.0, 2.0}, {"zabbix", 1.0, 0.0, 0.0, 1.0}},
		"Ledger of reasons":           {{"silence", 2.0, .5, nil, nil}, {"joined", 1.0, .25, quarter[0], quarter[1]}, {"opened", 1.0, .25, quarter[0], quarter[1]}},
		"Noisiest names and items": {
			{"Slow", "db-1", 2.0, 4.0, .5, .5, 1.0, 1.0, 0.0, 0.0}, {"Disk", "db-2", 1.0, 4.0, .25, .75, 1.0, 0.0, 0.0, 0.0}, {"Down", "db-1", 1.0, 4.0, .25, 1.0, 1.0, 0.0, 1.0, 1.0},
		},
		"Flapping":                            {{"03 00:00", 1.0, 1.0}},
		"Most restless":                       {{"Down", "db-1", 1.0, 1.0, 0.0}},
		"Opened, resolved, net flow":          {{5.0, 2.0, 3.0}},
		"Time to acknowledge (MTTA)":          {{"02 00:00", 1.0, 300.0, 300.0}},
		"Time to resolve, by the machine":     {{"03 00:00", 1.0, 600.0, 600.0}},
		"Time to resolve, by people (MTTR)":   {{"02 00:00", 1.0, 3600.0, 3600.0}},
		"Resolved without an acknowledgement": {{"02 00:00", 1.0, 0.0, nil, nil}, {"03 00:00", 1.0, 1.0, one[0], one[1]}},
		"Times by priority": {
			{"P1", 1.0, 300.0, 300.0, 1.0, 3600.0, 3600.0, 0.0, nil, nil}, {"P3", 0.0, nil, nil, 0.0, nil, nil, 1.0, 600.0, 600.0},
		},
		"Open incidents of tocsin-incidents": {
			{"02 00:00", 0.0}, {"03 00:00", 0.0}, {"04 00:00", 1.0}, {"05 00:00", 2.0}, {"06 00:00", 1.0}, {"09 00:00", 2.0},
		},
		"Reopened after a person resolved it": {{2.0, .5, half[0], half[1]}},
		"Seen before":                         {{5.0, .2, third[0], third[1]}},
		"Availability": {
			{"main", "mail", 1 - 3600/(14*day), 14 * day, 3600.0, 1.0, 0.0, 0.0, 0.0},
			{"main", "shop", 1 - 3000/(13*day-3600), 13*day - 3600, 3000.0, 2.0, 600.0, 60.0, 3600.0},
		},
	}
	monday := []any{"Mon"}
	for h := range 24 {
		monday = append(monday, map[bool]float64{true: 4}[h == 10])
	}
	want["Events by hour of the week"] = [][]any{monday}
	seen := 0
	for b, p := range questions {
		rows, ok := want[p.Title]
		if !ok {
			rows, ok = want[p.Title+" of "+b.UID]
		}
		if !ok {
			continue
		}
		seen++
		have := a.ask(t, twoWeeks().expand(t, p.SQL)).rows
		require.Len(t, have, len(rows), "%s: %v", p.Title, have)
		for i, row := range rows {
			for j, figure := range row {
				if number, is := figure.(float64); is {
					require.InDelta(t, number, have[i][j], 1e-9, "%s: row %d: %v", p.Title, i, have[i])
				} else if figure != nil || !strings.HasPrefix(p.Columns[j].Unit, "percent") {
					require.Equal(t, figure, have[i][j], "%s: row %d: %v", p.Title, i, have[i])
				}
			}
		}
	}
	require.Equal(t, len(want), seen, "a panel was renamed")
}
