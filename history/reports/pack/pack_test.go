package pack_test

import (
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/history/chdb/chdbtest"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
	"github.com/tocsin-noc/tocsin/history/reports"
	"github.com/tocsin-noc/tocsin/history/reports/pack"
)

func openStore(t testing.TB) *clickhouse.DB {
	t.Helper()
	e, database := chdbtest.Database(t)
	u, err := url.Parse(e.URL())
	require.NoError(t, err)
	u.User, u.Path = url.UserPassword(e.Writer().User, e.Writer().Password), "/"+database
	reader := *u
	reader.User = url.UserPassword(e.Reader().User, e.Reader().Password) // who asks for reports may only read, and has the reader's limits
	db, err := clickhouse.Open(t.Context(), clickhouse.Options{
		URL: u.String(), ReaderURL: reader.String(), Logger: slog.New(slog.DiscardHandler), Retention: clickhouse.Retention{Facts: clickhouse.Forever, Incidents: clickhouse.Forever},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// fill puts a year of incidents, interruptions and outages into the tables: n incidents, evenly, of which those of the last month take a
// third of the time that those before took.
func fill(t testing.TB, db *clickhouse.DB, n string) {
	t.Helper()
	run := func(sql string) {
		require.NoError(t, db.Exec(t.Context(), sql, map[string]string{"n": n}))
	}
	run(`INSERT INTO incidents (origin, shard, incident, version, number, tenant, phase, severity, priority, first_priority, title, ci, services, team, signature,
		opened_at, automatic, first_event_at, received_at, last_clear_at, first_acked_at, resolved_at, resolved_human, closed_at, resolves, reopens, reopen_count,
		teams, holds, reassignments, alerts, occurrences, updated_at)
	WITH cityHash64(number) AS r, toDateTime64('2025-11-01 00:00:00', 3, 'UTC') + toIntervalMillisecond(intDiv(number * 31536000000, {n:UInt64})) AS o,
		toUInt32(exp(4 + 5 * (r % 10007) / 10007.) / if(o >= toDateTime64('2026-10-01 00:00:00', 3, 'UTC'), 3, 1)) AS lasts, o + toIntervalSecond(lasts) AS over,
		r % 3 = 0 AS human, r % 50 = 0 AS again, r % 211 = 0 AS lives, concat('team-', toString(r % 5)) AS team
	SELECT '', 1, number + 1, 1, concat('INC-', toString(number + 1)), 'main', if(lives, 'open', 'resolved'), 1 + r % 5, 1 + r % 5, 1 + r % 5,
		if(r % 7 = 0, concat('<script>alert(', toString(r % 90), ')</script> "disk" full'), concat('Filesystem over 95 % on db-', toString(r % 90))),
		concat('db-', toString(r % 90)), [concat('service-', toString(r % 12))], team, 1 + r % 900,
		o, r % 4 != 0, o - toIntervalSecond(r % 120), o - toIntervalSecond(r % 60), over - toIntervalSecond(r % 50), if(human OR r % 4 = 0, o + toIntervalSecond(intDiv(lasts, 4)), NULL),
		if(lives, NULL, over), human, NULL,
		if(lives, [], if(again, [(o + toIntervalSecond(intDiv(lasts, 2)), human), (over, human)], [(over, human)])),
		if(again AND NOT lives, [o + toIntervalSecond(intDiv(lasts * 2, 3))], []), again,
		if(r % 6 = 0, [(team, o, o + toIntervalSecond(intDiv(lasts, 3))), ('network', o + toIntervalSecond(intDiv(lasts, 3)), o + toIntervalSecond(intDiv(lasts, 2))), (team, o + toIntervalSecond(intDiv(lasts, 2)), NULL)], [(team, o, NULL)]),
		if(r % 11 = 0, [(['vendor', 'caller'][1 + r % 2], o + toIntervalSecond(intDiv(lasts, 3)), o + toIntervalSecond(intDiv(lasts, 2)))], []), if(r % 6 = 0, 2, 0), 1 + r % 9, 1 + r % 12, over
	FROM numbers({n:UInt64})`)
	run(`INSERT INTO incident_versions (shard, incident, seq, n, at, kind, phase, opened_at, origin, tenant)
	SELECT shard, incident, v.3, 0, v.1, 'x', v.2, opened_at, '', tenant FROM incidents ARRAY JOIN if(resolved_at IS NULL, [(opened_at, 'open', 1)], [(opened_at, 'open', 1), (assumeNotNull(resolved_at), 'resolved', 2)]) AS v`)
	run(`INSERT INTO notifications (at, instance, number, shard, tenant, incident, subject, kind, receiver, integration, team, person, rings)
	SELECT opened_at + toIntervalSecond(20), 'a', incident, 1, 'main', incident, number, 'incident_opened', 'page', 'pagerduty', team, concat('u-', toString(cityHash64(incident) % 60)), true FROM incidents WHERE incident % 3 = 0`)
	run(`INSERT INTO cis (tenant, id, known_at, shard, seq, valid_from, class, name, state, attributes)
	SELECT 'main', concat('service-', toString(number)), toDateTime64('2025-01-01 00:00:00', 3, 'UTC'), 1, number, toDateTime64('2025-01-01 00:00:00', 3, 'UTC'), 'service', concat('Service ', toString(number)), 'live', map('rto', '1h') FROM numbers(12)`)
	run(`INSERT INTO outages (shard, outage, version, at, tenant, service, kind, state, began_at, ended_at, cause, known_at, incidents)
	WITH toDateTime64('2025-11-01 00:00:00', 3, 'UTC') + toIntervalMinute(number * 1300) AS b, cityHash64(number) AS r
	SELECT 1, number + 1, 1, b, 'main', concat('service-', toString(r % 12)), ['down', 'down', 'degraded', 'planned'][1 + r % 4], ['confirmed', 'confirmed', 'proposed'][1 + r % 3],
		b, b + toIntervalMinute(5 + r % 100), 'a full disk', b - toIntervalHour(r % 2), [] FROM numbers(400)`)
}

func october(zone string) reports.Params {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		panic(err)
	}
	return reports.Params{From: time.Date(2026, 10, 1, 0, 0, 0, 0, loc), To: time.Date(2026, 11, 1, 0, 0, 0, 0, loc), Zone: zone, Tenant: "main"}
}

func monthly(t testing.TB, db *clickhouse.DB, p reports.Params) string {
	t.Helper()
	c, err := reports.Open()
	require.NoError(t, err)
	page, err := pack.Monthly(t.Context(), db, c, p)
	require.NoError(t, err)
	return string(page)
}

var (
	tag       = regexp.MustCompile(`<(/?)([a-z0-9]+)((?: [a-zA-Z0-9-]+(?:="[^"]*")?)*) ?/?>`)
	attribute = regexp.MustCompile(` ([a-zA-Z0-9-]+)(?:="([^"]*)")?`)
)

// check holds what every page must be: with nothing that is fetched or run, closed where it was opened, and every link leading somewhere in it.
func check(t *testing.T, page string) {
	t.Helper()
	require.Equal(t, strings.Count(page, "<"), len(tag.FindAllString(page, -1))+strings.Count(page, "<!doctype"), "each < begins a tag of ours")
	ids, links, depth := map[string]bool{}, map[string]bool{}, map[string]int{}
	for _, found := range tag.FindAllStringSubmatch(page, -1) {
		require.NotContains(t, []string{"script", "link", "img", "iframe", "object", "base", "form"}, found[2])
		depth[found[2]]++
		if found[1] == "/" {
			depth[found[2]] -= 2
		}
		for _, a := range attribute.FindAllStringSubmatch(found[3], -1) {
			require.NotEqual(t, "src", a[1])
			require.False(t, strings.HasPrefix(a[1], "on"), a[1])
			switch a[1] {
			case "id":
				require.False(t, ids[a[2]], "%s stands twice", a[2])
				ids[a[2]] = true
			case "href":
				require.Equal(t, "#", a[2][:1])
				links[a[2][1:]] = true
			}
		}
	}
	for _, name := range []string{"section", "div", "details", "summary", "table", "tr", "td", "dl", "figure", "svg", "g", "a", "p", "pre", "main"} {
		require.Zero(t, depth[name], "%s is not closed as often as it is opened", name)
	}
	for to := range links {
		require.True(t, ids[to], "a link leads to %s", to)
	}
	require.NotRegexp(t, `NaN|Inf|ZgotmplZ|%!|url\(|@import`, page)
}

func TestThePageOfAMonthSaysWhatItHoldsAndRunsNothing(t *testing.T) {
	t.Parallel()
	db := openStore(t)
	fill(t, db, "6000")
	page := monthly(t, db, october("Europe/Berlin"))
	check(t, page)
	require.Contains(t, page, "<h1>Operations, October 2026</h1>")
	require.Contains(t, page, "compared with September 2026")
	require.Contains(t, page, "&lt;script&gt;alert(", "titles are text")
	require.NotContains(t, page, "<script")
	require.Regexp(t, `Better: [^.]*time to resolve \(\d+m`, page, "it took a third of the time of the month before")
	require.Regexp(t, `class="card better" href="#mttr"`, page)
	require.Regexp(t, `class="card steady" href="#recurrence"`, page)
	require.Contains(t, page, "What is behind the numbers (50 of ")
	require.Contains(t, page, "SET param_from = &#39;2026-09-30 22:00:00.000&#39;", "the month begins at midnight in Berlin")
	for _, r := range []string{"mtta", "mttr", "availability", "backlog", "recurrence", "reopen_rate", "reassignment", "first_time_fix", "time_ownership", "detection", "interruptions"} {
		require.Contains(t, page, `id="`+r+`"`)
	}
}

func TestThePageOfNothingCanBeRead(t *testing.T) {
	t.Parallel()
	page := monthly(t, openStore(t), october("Asia/Kolkata"))
	check(t, page)
	require.Contains(t, page, "No incident was opened in this period.")
	require.Contains(t, page, "Nothing in this period.")
}

func TestAMistakeInTheParametersIsTold(t *testing.T) {
	db := openStore(t)
	c, err := reports.Open()
	require.NoError(t, err)
	p := october("UTC")
	p.Zone = "Middle/Earth"
	_, err = pack.Monthly(t.Context(), db, c, p)
	var problem *reports.Problem
	require.ErrorAs(t, err, &problem)
	require.Equal(t, "zone", problem.Field)
}

func BenchmarkThePackOfAMonthOutOfAMillionIncidents(b *testing.B) {
	db := openStore(b)
	fill(b, db, "1000000")
	for b.Loop() {
		monthly(b, db, october("Europe/Berlin"))
	}
}

func BenchmarkAReportOfAYearOfAMillionIncidents(b *testing.B) {
	db := openStore(b)
	fill(b, db, "1000000")
	c, err := reports.Open()
	require.NoError(b, err)
	p := reports.Params{From: time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Zone: "Europe/Berlin", Tenant: "main"}
	for _, name := range []string{
		"detection", "mtta", "mttr", "time_ownership", "reopen_rate", "reassignment", "first_time_fix", "backlog", "recurrence", "availability", "interruptions",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, err := c.Run(b.Context(), db, name, p)
				require.NoError(b, err)
			}
		})
	}
}
