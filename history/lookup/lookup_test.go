package lookup

import (
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/matcher/parse"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/history/chdb/chdbtest"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
)

// opened is a history on the real engine, asked through the reader's credential, with the rows that sql inserts.
func opened(t *testing.T, inserts ...string) *clickhouse.DB {
	t.Helper()
	e, database := chdbtest.Database(t)
	as := func(user, password string) string {
		u, err := url.Parse(e.URL())
		require.NoError(t, err)
		u.User, u.Path = url.UserPassword(user, password), "/"+database
		return u.String()
	}
	db, err := clickhouse.Open(t.Context(), clickhouse.Options{
		URL: as(e.Writer().User, e.Writer().Password), Retention: clickhouse.Retention{Facts: clickhouse.Forever, Incidents: clickhouse.Forever},
		Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	for _, sql := range inserts {
		require.NoError(t, db.Exec(t.Context(), sql, nil))
	}
	return db
}

func at(text string) time.Time {
	when, err := time.Parse(time.DateTime, text)
	if err != nil {
		panic(err) // a mistake in this file
	}
	return when
}

const incidents = `INSERT INTO incidents (origin, shard, incident, version, number, tenant, phase, priority, title, ci, services, team, signature, opened_at, resolved_at, resolved_by, merged_into) VALUES
('', 0, 1, 1, 'INC-1', 'main', 'closed', 2, 'Disk full', 'db-3', ['shop'], 'dba', 77, '2026-10-01 08:00:00', '2026-10-01 08:30:00', 'u-ann', 0),
('', 0, 2, 2, 'INC-2', 'main', 'closed', 2, 'Disk full', 'db-3', ['shop'], 'dba', 77, '2026-10-12 08:00:00', '2026-10-12 08:09:00', 'u-bob', 0),
('', 0, 3, 3, 'INC-3', 'main', 'closed', 3, 'Slow', 'db-3', [], 'dba', 78, '2026-10-20 08:00:00', '2026-10-20 09:00:00', '', 0),
('', 0, 4, 4, 'INC-4', 'main', 'open', 3, 'Disk full', 'db-4', [], 'dba', 79, '2026-10-21 08:00:00', NULL, '', 0),
('', 0, 5, 5, 'INC-5', 'main', 'merged', 3, 'Disk full', 'db-3', [], 'dba', 77, '2026-10-22 08:00:00', NULL, '', 3),
('', 0, 6, 6, 'INC-6', 'other', 'closed', 3, 'Disk full', 'db-3', [], 'dba', 77, '2026-10-23 08:00:00', '2026-10-23 09:00:00', '', 0),
('snow', 0, 9, 1, 'INC0000009', 'main', 'closed', 3, 'Disk', 'db-3', [], 'dba', 70, '2026-05-01 08:00:00', '2026-05-01 09:00:00', 'Cy', 0),
('', 0, 7, 7, 'INC-7', 'main', 'open', 2, 'Disk full', 'db-3', ['shop'], 'dba', 77, '2026-11-20 08:00:00', NULL, '', 0),
('', 0, 8, 8, 'INC-8', 'main', 'open', 2, 'Disk full', 'db-3', ['shop'], 'dba', 77, '2026-11-21 08:00:00', NULL, '', 0)`

const versions = `INSERT INTO incident_versions (origin, shard, incident, seq, n, at, kind, number, tenant, phase, opened_at, opened_name, text) VALUES
('', 0, 1, 1, 0, '2026-10-01 08:00:00', 'incident_opened', 'INC-1', 'main', 'open', '2026-10-01 08:00:00', 'DiskFull', ''),
('', 0, 2, 1, 0, '2026-10-12 08:00:00', 'incident_opened', 'INC-2', 'main', 'open', '2026-10-12 08:00:00', 'DiskFull', ''),
('', 0, 2, 2, 0, '2026-10-12 08:09:00', 'incident_resolved', 'INC-2', 'main', 'resolved', '2026-10-12 08:00:00', '', 'rotated the logs'),
('', 0, 2, 3, 0, '2026-10-13 08:09:00', 'incident_closed', 'INC-2', 'main', 'closed', '2026-10-12 08:00:00', '', ''),
('', 0, 4, 1, 0, '2026-10-21 08:00:00', 'incident_opened', 'INC-4', 'main', 'open', '2026-10-21 08:00:00', 'DiskFull', ''),
('', 0, 7, 1, 0, '2026-11-20 08:00:00', 'incident_opened', 'INC-7', 'main', 'open', '2026-11-20 08:00:00', 'DiskFull', '')`

func TestTheLikestIncidentsOfThePastComeFirst(t *testing.T) {
	db := opened(t, incidents, versions)
	ask := SimilarAsk{Tenant: "main", Number: "INC-7", Days: 400, Limit: 3}
	got, err := FindSimilar(t.Context(), db, ask)
	require.NoError(t, err)
	require.Equal(t, []any{"INC-7", "main", "db-3", "DiskFull", 5}, []any{got.Number, got.Tenant, got.CI, got.Alert, got.Total})
	require.Equal(t, Count{2, 2, new(at("2026-10-12 08:00:00"))}, got.Signature)
	require.Equal(t, Count{3, 4, new(at("2026-10-20 08:00:00"))}, got.Item, "the import of May is older than 90 days")
	require.Equal(t, Count{3, 3, new(at("2026-10-21 08:00:00"))}, got.Name)
	require.Equal(t, Past{
		Number: "INC-2", Tenant: "main", Title: "Disk full", Phase: "closed", Priority: 2, CI: "db-3", Team: "dba", OpenedAt: at("2026-10-12 08:00:00"),
		ResolvedAt: new(at("2026-10-12 08:09:00")), ResolvedBy: "u-bob", How: "rotated the logs", SameSignature: true, SameItem: true, SameName: true,
	}, got.Incidents[0])
	require.Equal(t, []string{"INC-1", "INC-3"}, []string{got.Incidents[1].Number, got.Incidents[2].Number})

	ask.Limit, ask.Tenant = 100, event.AllTenants
	got, err = FindSimilar(t.Context(), db, ask)
	require.NoError(t, err)
	numbers := []string{}
	for _, i := range got.Incidents {
		numbers = append(numbers, i.Origin+i.Number)
	}
	require.Equal(t, []string{"INC-2", "INC-1", "INC-3", "snowINC0000009", "INC-4"}, numbers, "what came later, was merged, or is another tenant's is not there")

	_, err = FindSimilar(t.Context(), db, SimilarAsk{Tenant: "other", Number: "INC-7", Days: 400, Limit: 3})
	require.ErrorIs(t, err, ErrUnknown)
	got, err = FindSimilar(t.Context(), db, SimilarAsk{Tenant: "main", Origin: "snow", Number: "INC0000009", Days: 400, Limit: 3})
	require.NoError(t, err)
	require.Zero(t, got.Total)
}

const alerts = `INSERT INTO alerts (shard, alert, seq, n, first_at, tenant, source, name, resource, labels) VALUES
(0, 1, 1, 0, '2026-10-01 08:00:00', 'main', 'prometheus', 'DiskFull', 'db-3', map('alertname', 'DiskFull', 'env', 'prod', 'note', 'a\nb')),
(0, 2, 2, 0, '2026-10-02 08:00:00', 'main', 'prometheus', 'Slow', 'web-1', map('alertname', 'Slow', 'env', 'preprod')),
(0, 3, 3, 0, '2026-10-03 08:00:00', 'other', 'prometheus', 'DiskFull', 'db-3', map('alertname', 'DiskFull', 'env', 'prod'))`

const transitions = `INSERT INTO transitions (at, shard, seq, n, kind, event, tenant, source, alert, name, resource, ci, phase, severity, quiet, occurrence, incident, started_at, firing_at, ended_at) VALUES
('2026-10-01 08:00:00', 0, 1, 1, 'alert_firing', true, 'main', 'prometheus', 1, 'DiskFull', 'db-3', 'db-3', 'firing', 2, [], 1, 0, '2026-10-01 07:59:00', '2026-10-01 08:00:00', NULL),
('2026-10-01 08:02:00', 0, 2, 1, 'alert_joined', false, 'main', 'prometheus', 1, 'DiskFull', 'db-3', 'db-3', 'firing', 1, [], 1, 1, '2026-10-01 07:59:00', '2026-10-01 08:00:00', NULL),
('2026-10-01 08:20:00', 0, 3, 1, 'alert_cleared', true, 'main', 'prometheus', 1, 'DiskFull', 'db-3', 'db-3', 'cleared', 2, [], 1, 1, '2026-10-01 07:59:00', '2026-10-01 08:00:00', '2026-10-01 08:20:00'),
('2026-10-05 08:00:00', 0, 4, 1, 'alert_firing', true, 'main', 'prometheus', 1, 'DiskFull', 'db-3', 'db-3', 'firing', 2, ['silence'], 2, 0, NULL, '2026-10-05 08:00:00', NULL),
('2026-10-02 08:00:00', 0, 5, 1, 'alert_firing', true, 'main', 'prometheus', 2, 'Slow', 'web-1', '', 'firing', 4, [], 1, 0, NULL, '2026-10-02 08:00:00', NULL),
('2026-10-03 08:00:00', 0, 6, 1, 'alert_firing', true, 'other', 'prometheus', 3, 'DiskFull', 'db-3', 'db-3', 'firing', 2, [], 1, 6, NULL, '2026-10-03 08:00:00', NULL)`

// names are the alerts that a search finds, as alert.occurrence.
func names(t *testing.T, db *clickhouse.DB, ask AlertsAsk, matchers string) string {
	t.Helper()
	if matchers != "" {
		ms, err := parse.Matchers(matchers)
		require.NoError(t, err, matchers)
		ask.Matchers = labels.Matchers(ms)
	}
	if ask.From.IsZero() {
		ask.From, ask.To = at("2026-10-01 00:00:00"), at("2026-11-01 00:00:00")
	}
	if ask.Limit == 0 {
		ask.Limit = 10
	}
	if ask.Tenant == "" {
		ask.Tenant = "main"
	}
	got, err := FindAlerts(t.Context(), db, ask)
	require.NoError(t, err, matchers)
	words := []string{}
	for _, o := range got.List {
		words = append(words, o.Name+"."+string(rune('0'+o.Occurrence)))
	}
	return strings.Join(words, " ")
}

func TestAlertsAreFoundAsAlertmanagerMatches(t *testing.T) {
	db := opened(t, alerts, transitions)
	for matchers, want := range map[string]string{
		``:                                      "DiskFull.2 Slow.1 DiskFull.1",
		`{alertname="DiskFull"}`:                "DiskFull.2 DiskFull.1",
		`{alertname="DiskFull",env=~"p.*"}`:     "DiskFull.2 DiskFull.1",
		`{env=~"prod"}`:                         "DiskFull.2 DiskFull.1", // anchored
		`{env=~"p.*|x"}`:                        "DiskFull.2 Slow.1 DiskFull.1",
		`{env!~"pre.*"}`:                        "DiskFull.2 DiskFull.1",
		`{env!="prod"}`:                         "Slow.1",
		`{absent=""}`:                           "DiskFull.2 Slow.1 DiskFull.1",
		`{absent!=""}`:                          "",
		`{note=~"a.b"}`:                         "", // its dot is no line break
		`{note=~"a\nb"}`:                        "DiskFull.2 DiskFull.1",
		`{note="a\nb"}`:                         "DiskFull.2 DiskFull.1",
		`{env="') OR 1=1 --"}`:                  "",
		`{env=~"'\\) OR 1=1 --"}`:               "",
		`{"') OR 1=1 --"=""}`:                   "DiskFull.2 Slow.1 DiskFull.1",
		`{env="{all:UInt8}"}`:                   "",
		`{alertname=~"Disk(Full|Half)",env=""}`: "",
	} {
		require.Equal(t, want, names(t, db, AlertsAsk{}, matchers), matchers)
	}
	require.Equal(t, "DiskFull.2", names(t, db, AlertsAsk{CI: "db-3", Phase: "firing"}, ""))
	require.Equal(t, "DiskFull.1", names(t, db, AlertsAsk{Phase: "cleared"}, ""))
	require.Equal(t, "Slow.1", names(t, db, AlertsAsk{From: at("2026-10-02 08:00:00"), To: at("2026-10-05 08:00:00")}, ""), "half-open")
	require.Equal(t, "DiskFull.1", names(t, db, AlertsAsk{Tenant: "other"}, ""))
	require.Equal(t, "DiskFull.2 DiskFull.1 Slow.1 DiskFull.1", names(t, db, AlertsAsk{Tenant: event.AllTenants}, ""))

	got, err := FindAlerts(t.Context(), db, AlertsAsk{Tenant: "main", From: at("2026-10-01 00:00:00"), To: at("2026-10-02 00:00:00"), Limit: 1})
	require.NoError(t, err)
	require.Equal(t, &Alerts{1, []Occurrence{{
		Alert: 1, Tenant: "main", Source: "prometheus", Name: "DiskFull", Resource: "db-3", Labels: map[string]string{"alertname": "DiskFull", "env": "prod", "note": "a\nb"},
		CI: "db-3", Severity: 1, Phase: "cleared", FiringAt: at("2026-10-01 08:00:00"), StartedAt: new(at("2026-10-01 07:59:00")), EndedAt: new(at("2026-10-01 08:20:00")),
		Incident: 1, Occurrence: 1, Quiet: []string{},
	}}}, got)
	got, err = FindAlerts(t.Context(), db, AlertsAsk{Tenant: "main", From: at("2026-10-01 00:00:00"), To: at("2026-11-01 00:00:00"), Limit: 1})
	require.NoError(t, err)
	require.Equal(t, []int{3, 1}, []int{got.Total, len(got.List)})
}

func TestATimelineTellsEverythingThatHappenedToAnItem(t *testing.T) {
	db := opened(t, incidents, alerts, transitions,
		`INSERT INTO outages (shard, outage, version, n, at, tenant, service, kind, state, began_at, ended_at, cause) VALUES
(0, 1, 1, 0, '2026-10-12 08:30:00', 'main', 'shop', 'down', 'confirmed', '2026-10-12 08:00:00', '2026-10-12 08:09:00', 'disk')`,
		`INSERT INTO cis (tenant, id, known_at, shard, seq, n, valid_from, class, name, state, source, actor) VALUES
('main', 'db-3', '2026-10-02 00:00:00', 0, 1, 0, '2026-10-02 00:00:00', 'host', 'db-3', 'live', 'files', 'u-ann'), ('other', 'db-3', '2026-10-02 00:00:00', 0, 1, 0, '2026-10-02 00:00:00', 'secret', 'db-3', 'live', '', '')`,
		`INSERT INTO log (at, shard, seq, n, kind, tenant, id, name, since, until) VALUES
('2026-10-06 00:00:00', 0, 1, 0, 'window_started', 'main', 'w1', 'patch day', '2026-10-06 00:00:00', '2026-10-06 02:00:00'),
('2026-10-06 02:00:00', 0, 2, 0, 'window_ended', 'main', 'w1', 'patch day', '2026-10-06 00:00:00', '2026-10-06 02:00:00'),
('2026-10-06 00:00:00', 0, 1, 1, 'window_started', 'main', 'w2', 'elsewhere', '2026-10-06 00:00:00', '2026-10-06 02:00:00')`)
	told := func(ask TimelineAsk) (words []string) {
		got, err := ItemHistory(t.Context(), db, ask)
		require.NoError(t, err)
		for _, e := range got.Entries {
			until := "…"
			if e.Until != nil {
				until = e.Until.Format("01-02 15:04")
			}
			words = append(words, strings.TrimSpace(e.Kind+" "+e.At.Format("01-02 15:04")+"–"+until+" "+e.Ref+" "+e.Title))
		}
		return words
	}
	ask := TimelineAsk{Tenant: "main", CI: "db-3", From: at("2026-10-01 08:10:00"), To: at("2026-10-12 09:00:00"), Windows: []string{"w1", "it's \\ odd"}, Limit: 100}
	require.Equal(t, []string{
		"alert 10-01 08:00–10-01 08:20 1 DiskFull on db-3", "incident 10-01 08:00–10-01 08:30 INC-1 Disk full", "change 10-02 00:00–…  host live, said by files",
		"alert 10-05 08:00–… 1 DiskFull on db-3", "window 10-06 00:00–10-06 02:00 w1 patch day", "incident 10-12 08:00–10-12 08:09 INC-2 Disk full",
	}, told(ask), "what began before is there while it went on; what is another tenant's is not")
	ask.Limit = 1
	require.Equal(t, []string{"incident 10-12 08:00–10-12 08:09 INC-2 Disk full"}, told(ask), "the latest")
	ask.CI, ask.Limit, ask.Windows = "shop", 100, nil
	require.Equal(t, []string{"incident 10-01 08:00–10-01 08:30 INC-1 Disk full", "incident 10-12 08:00–10-12 08:09 INC-2 Disk full", "outage 10-12 08:00–10-12 08:09 OUT-1 down: disk"}, told(ask))
	ask.CI = "nothing"
	require.Empty(t, told(ask))
}
