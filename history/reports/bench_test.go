package reports_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/history/reports"
)

// BenchmarkEveryReportOverTenMillionTransitions asks each report once it is warm. REPORT_TRANSITIONS sets how many there are; incidents are a
// tenth of them, and alerts opened a third: each fires, joins and clears.
func BenchmarkEveryReportOverTenMillionTransitions(b *testing.B) {
	transitions := 10_000_000
	if text := os.Getenv("REPORT_TRANSITIONS"); text != "" {
		var err error
		transitions, err = strconv.Atoi(text)
		require.NoError(b, err)
	}
	s := openStore(b)
	fillBig(s, transitions/3, transitions/10)
	catalogue, err := reports.Open()
	require.NoError(b, err)
	p := reports.Params{From: at("2026-01-01 00:00:00").Time, To: at("2027-01-01 00:00:00").Time, Zone: "Europe/Berlin"}
	for _, r := range catalogue.List() {
		if r.Waits != "" {
			continue
		}
		for _, tenant := range []string{"", "main"} {
			b.Run(r.Name+map[string]string{"": "/all", "main": "/tenant"}[tenant], func(b *testing.B) {
				p.Tenant = tenant
				_, err := catalogue.Run(b.Context(), s, r.Name, p)
				require.NoError(b, err)
				for b.Loop() {
					_, err := catalogue.Run(b.Context(), s, r.Name, p)
					require.NoError(b, err)
				}
			})
		}
	}
}

// fillBig inserts a year: so many alerts opened, each with three transitions, and incidents with all that happens to them.
func fillBig(s *store, opened, incidents int) {
	year := (365 * day).Milliseconds()
	const start = "toDateTime64('2026-01-01 00:00:00', 3, 'UTC')"
	each := fmt.Sprintf(`SELECT number AS i, %s + toIntervalMillisecond(intDiv(number * %d, %d)) AS fired, 1 + cityHash64(number, 1) %% 200000 AS alert, toUInt32(number + 1) AS occurrence,
		toUInt32(if(cityHash64(number, 2) %% 4 = 0, 0, 1 + intDiv(number * 3, 10))) AS incident, toIntervalSecond(toUInt32(exp(2 + cityHash64(number, 3) %% 10000 / 1250))) AS lasts
		FROM numbers(%d)`, start, year, opened, opened)
	for n, kind := range []string{"alert_firing", "alert_joined", "alert_cleared"} {
		when := []string{"fired", "fired + toIntervalSecond(120)", "fired + lasts"}[n]
		s.insert(fmt.Sprintf(`INSERT INTO %s.transitions (at, shard, seq, n, kind, event, tenant, source, alert, name, resource, ci, bound, phase, severity, decided, occurrence, incident)
			SELECT %s, 0, i * 3 + %d, 0, '%s', %t, 'main', concat('prometheus-', toString(alert %% 5)), alert, concat('Alert', toString(alert %% 300)), concat('host-', toString(alert %% 2500)),
			if(alert %% 5 = 0, '', concat('ci-', toString(alert %% 2500))), if(alert %% 5 = 0, 'unbound', 'label'), 'firing', 1 + alert %% 5,
			['opened', 'joined', 'silenced', 'flapping', 'waiting', 'never_opens', 'over'][1 + cityHash64(i, 4) %% 7], occurrence, if(%d > 0 OR i %% 3 = 0, incident, 0) FROM (%s)`,
			s.name, when, n, kind, n != 1, n, each))
	}
	s.insert(fmt.Sprintf(`INSERT INTO %s.members (shard, incident, alert, occurrence, place, phase, firing_at, ended_at)
		SELECT 0, incident, alert, occurrence, (i * 3 + 2) * 1048576, 'cleared', fired, fired + lasts FROM (%s) WHERE incident != 0`, s.name, each))
	s.insert(fmt.Sprintf(`INSERT INTO %s.alerts (shard, alert, tenant, name) SELECT 0, number + 1, 'main', concat('Alert', toString((number + 1) %% 300)) FROM numbers(200000)`, s.name))
	s.insert(fmt.Sprintf(`INSERT INTO %s.moves (shard, alert, occurrence, place, incident, actor)
		SELECT 0, alert, occurrence, (i * 3 + 1) * 1048576, incident, 'ann' FROM (%s) WHERE incident %% 100 = 7`, s.name, each))
	s.insert(fmt.Sprintf(`INSERT INTO %s.incidents (shard, incident, version, number, tenant, phase, severity, priority, title, ci, services, team, signature, opened_at, automatic, first_event_at, received_at,
			last_clear_at, first_acked_at, resolved_at, resolved_human, closed_at, touched, resolves, reopens, reopen_count, teams, holds, reassignments, alerts, merges, verdict)
		SELECT 0, number + 1, 1, concat('INC-', toString(number + 1)), 'main', ['resolved', 'closed', 'cancelled', 'open', 'resolved'][1 + number %% 5] AS p, 1 + number %% 5, 1 + number %% 5, concat('trouble ', toString(number %% 5000)),
			concat('ci-', toString(number %% 2500)), [concat('svc-', toString(number %% 50))], concat('team-', toString(number %% 20)), cityHash64(number %% 20000),
			%s + toIntervalMillisecond(intDiv(number * %d, %d)) AS o, number %% 10 != 0, o - toIntervalSecond(30), o - toIntervalSecond(20), o + lasts, if(number %% 3 = 0, NULL, o + toIntervalSecond(60 + number %% 900)),
			if(p IN ('resolved', 'closed'), o + lasts + toIntervalSecond(300), NULL) AS r, number %% 2, if(p IN ('cancelled', 'closed'), o + lasts + toIntervalDay(3), NULL), number %% 4 = 0,
			if(r IS NULL, [], [(assumeNotNull(r), toBool(number %% 2))]), if(number %% 20 = 0, [o + toIntervalSecond(5)], []), number %% 20 = 0,
			[(concat('team-', toString(number %% 20)), o, r)], if(number %% 9 = 0, [('vendor', o + toIntervalSecond(10), r)], []), number %% 3, 3, number %% 50 = 0, if(number %% 40 = 0, 'right', '')
		FROM (SELECT number, toIntervalSecond(toUInt32(exp(4 + cityHash64(number, 5) %% 10000 / 1300))) AS lasts FROM numbers(%d))`, s.name, start, year, incidents, incidents))
	s.insert(fmt.Sprintf(`INSERT INTO %s.incident_versions (shard, incident, seq, at, kind, number, tenant, phase, opened_at, continues)
		SELECT 0, incident, incident * 2 + v, if(v = 0, opened_at, coalesce(resolved_at, closed_at, opened_at)), if(v = 0, 'incident_opened', 'incident_resolved'), number, tenant, if(v = 0, 'open', toString(phase)), opened_at, incident %% 1000 = 0
		FROM %s.incidents ARRAY JOIN [0, 1] AS v`, s.name, s.name))
	s.insert(fmt.Sprintf(`INSERT INTO %s.repeats (hour, block, tenant, repeats, through) SELECT toDateTime('2026-01-01 00:00:00', 'UTC') + number * 3600, number, 'main', 1000, number FROM numbers(8760)`, s.name))
	s.insert(fmt.Sprintf(`INSERT INTO %s.cis (tenant, id, known_at, seq, class, name, state) SELECT 'main', concat('ci-', toString(number)), %s, number, ['host', 'service', 'pod'][1 + number %% 3], concat('ci ', toString(number %% 4800)), ['live', 'live', 'live', 'retired', 'discovered'][1 + number %% 5] FROM numbers(5000)`, s.name, start))
	s.insert(fmt.Sprintf(`INSERT INTO %s.notifications (at, instance, number, tenant, incident, kind, team, person, rings)
		SELECT opened_at + toIntervalSecond(5), 'a', incident, tenant, incident, 'incident_opened', team, concat('p-', toString(incident %% 9)), 1 FROM %s.incidents`, s.name, s.name))
	// The projection writes in order of arrival, so its parts do not overlap, and are merged as months pass. Here three kinds were written one after the
	// other: every part would overlap with two others, and folding them at each question would cost a second more.
	s.insert(fmt.Sprintf(`OPTIMIZE TABLE %s.transitions FINAL`, s.name))
	time.Sleep(time.Second) // merges of parts that run on are no part of what is measured
}
