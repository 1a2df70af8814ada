package clickhouse_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
	"github.com/tocsin-noc/tocsin/history/facts"
)

func TestEveryTableTakesTheRowsOfFacts(t *testing.T) {
	const now = event.Time(1795269600000) // 2026-11-21: what is older than its table is kept falls out at once
	db := open(t)
	f := facts.New(0, nil, nil)
	alert := event.AlertState{ID: 7, Phase: event.Firing, Severity: 2, Reason: event.ReasonOpened, Occurrences: 1, Incident: 3, StartsAt: now - 1000, FiringAt: now, FirstAt: now, Name: "DiskFull", Source: 1, Quiet: event.QuietSilence | event.QuietFlap}
	claim := event.ClaimState{ID: 1, Full: true, Labels: event.Labels{{Name: "a", Value: "b"}}}
	incident := &event.IncidentState{ID: 3, Tenant: "main", Phase: event.IncidentOpen, Priority: 2, OpenedAt: now, Services: []event.Affected{{Service: "shop", Down: true}}}
	for n, ch := range []event.Change{
		{Kind: event.SourceAdded, Source: event.Source{Name: "prom", Tenant: "main", Kind: event.Resender}},
		{Kind: event.AlertFiring, Alert: alert, Claim: claim},
		{Kind: event.AlertMoved, Alert: alert, Actor: "ann"},
		{Kind: event.AlertSeen, Alert: event.AlertState{ID: 7, Source: 1}},
		{Kind: event.IncidentOpened, Incident: incident, Ledger: []event.LedgerEntry{{Kind: "alert", Operands: []string{"7", "DiskFull", "db-3"}}}},
		{Kind: event.IncidentCauses, Causes: &event.Causes{Incident: 3, Candidates: []event.Cause{{CI: "db-3", Score: 5, Share: 700}}}},
		{Kind: event.CISet, CI: &event.CI{Tenant: "main", ID: "db-3", State: event.CILive, Relations: []event.Relation{{Kind: event.DependsOn, To: "net", Source: "x"}}}},
		{Kind: event.OutageSet, Outage: &event.Outage{Number: 1, Kind: event.OutageDown, State: event.OutageProposed, BeganAt: now, Incidents: []event.IncidentID{3}}},
		{Kind: event.SilenceSet, Silence: &event.Silence{ID: "s", Matchers: []event.Matcher{{Name: "a", Value: "b", IsEqual: true}}, EndsAt: event.Never}},
	} {
		ch.Seq, ch.N, ch.At = 100, uint32(n), now
		f.Add(&ch)
	}
	batch := f.Take()
	require.Len(t, batch.Tables, 11)
	for range 2 { // the same batch twice is the same rows
		for _, table := range batch.Tables {
			columns := make([]clickhouse.Column, len(table.Columns))
			for i, c := range table.Columns {
				columns[i] = clickhouse.Column(c)
			}
			require.NoError(t, db.Insert(t.Context(), table.Name, columns), table.Name)
			want := uint64(table.Rows)
			if table.Name == "members" {
				want = 1 // of two states of one alert in one incident the last is kept
			}
			require.Equal(t, want, ask(t, db, "SELECT count() FROM "+table.Name+" FINAL", nil).Rows[0][0], table.Name)
		}
	}
	require.NoError(t, db.Recompute(t.Context(), "", 0, []uint64{3}))
	answer := ask(t, db, "SELECT number, services, alerts, toUnixTimestamp64Milli(assumeNotNull(first_event_at)) FROM incidents FINAL", nil)
	require.Equal(t, [][]any{{"INC-3", []string{"shop"}, uint32(1), int64(now - 1000)}}, answer.Rows)
	answer = ask(t, db, "SELECT toString(candidates), (SELECT toString(relations) FROM cis FINAL), (SELECT toString(quiet) FROM transitions FINAL WHERE kind = 'alert_firing'), (SELECT toString(hour) FROM repeats FINAL) FROM causes FINAL", nil)
	require.Equal(t, [][]any{{"[('db-3',5,700)]", "[('depends_on','net','x')]", "['silence','flap']", "2026-11-21 14:00:00"}}, answer.Rows)
	answer = ask(t, db, "SELECT name, toString(until) FROM log FINAL", nil)
	require.Equal(t, [][]any{{`{a="b"}`, "2261-12-31 23:59:59.999"}}, answer.Rows)
}
