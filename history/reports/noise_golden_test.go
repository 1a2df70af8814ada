package reports_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/history/reports"
)

// twoDays is the history of TestTwoDaysOfNoiseAreCountedByHand:
//
//	Mon 2 Mar  10:00:00 DiskFull ci-1 opens INC-1, clears 10:01:00      60 s
//	           10:00:30 DiskFull ci-2 joins INC-1, clears 10:02:30     120 s
//	           11:00:00 Latency host-3 (unbound) is silenced, clears 11:30
//	Tue 3 Mar  09:00:00 DiskFull ci-1 opens INC-2, clears 09:04:00     240 s
//	           12:00:00 NodeDown ci-1 opens INC-3; at 12:05 ann moves it into INC-4
//	           12:01:00 NodeDown ci-2 opens INC-4; both still fire
//	           13:00:00 INC-5 is opened because INC-4 is full, and cancelled
//
// That is 10 events (6 firings, 4 clears) and 100 exact repeats on Monday at 10.
func twoDays() *din {
	d := &din{}
	hear := func(at_ string, kind string, alert uint64, occurrence, incident uint32, decided, actor string) {
		name, ci := map[uint64]string{1: "DiskFull", 2: "DiskFull", 3: "Latency", 5: "NodeDown", 6: "NodeDown"}[alert], map[uint64]string{1: "ci-1", 2: "ci-2", 5: "ci-1", 6: "ci-2"}[alert]
		bound := "label"
		if ci == "" {
			bound = "unbound"
		}
		d.hear(heard{
			At: at(at_), Shard: 0, Kind: kind, Event: kind != "alert_moved", Tenant: "main", Source: "prometheus", Alert: alert, Name: name, Resource: fmt.Sprintf("host-%d", alert),
			CI: ci, Bound: bound, Decided: decided, Occurrence: occurrence, Incident: incident, Actor: actor,
		})
	}
	hear("2026-03-02 10:00:00", "alert_firing", 1, 1, 1, "opened", "")
	hear("2026-03-02 10:00:30", "alert_firing", 2, 1, 1, "joined", "")
	hear("2026-03-02 10:01:00", "alert_cleared", 1, 1, 1, "over", "")
	hear("2026-03-02 10:02:30", "alert_cleared", 2, 1, 1, "over", "")
	hear("2026-03-02 11:00:00", "alert_firing", 3, 1, 0, "silenced", "")
	hear("2026-03-02 11:30:00", "alert_cleared", 3, 1, 0, "over", "")
	hear("2026-03-03 09:00:00", "alert_firing", 1, 2, 2, "opened", "")
	hear("2026-03-03 09:04:00", "alert_cleared", 1, 2, 2, "over", "")
	hear("2026-03-03 12:00:00", "alert_firing", 5, 1, 3, "opened", "")
	hear("2026-03-03 12:01:00", "alert_firing", 6, 1, 4, "opened", "")
	hear("2026-03-03 12:05:00", "alert_moved", 5, 1, 4, "opened", "ann")
	d.alerts = []*known{{0, 1, "main", "DiskFull"}, {0, 2, "main", "DiskFull"}, {0, 3, "main", "Latency"}, {0, 5, "main", "NodeDown"}, {0, 6, "main", "NodeDown"}}
	open := func(n uint64, at_, phase string, touched bool, merges uint32) {
		d.incidents = append(d.incidents, &outbreak{
			trouble: trouble{Incident: n, Version: 1, Number: fmt.Sprintf("INC-%d", n), Tenant: "main", Phase: phase, Priority: 2, Automatic: true, Opened: at(at_)},
			Touched: touched, Merges: merges,
		})
		v := &begun{Incident: n, At: at(at_), Kind: "incident_opened", Tenant: "main", Opened: at(at_)}
		if n == 5 {
			v.Continues = 4
		}
		d.begun = append(d.begun, v)
	}
	open(1, "2026-03-02 10:00:00", "resolved", false, 0)
	open(2, "2026-03-03 09:00:00", "closed", false, 0)
	open(3, "2026-03-03 12:00:00", "resolved", true, 1)
	open(4, "2026-03-03 12:01:00", "open", true, 1)
	open(5, "2026-03-03 13:00:00", "cancelled", true, 0)
	d.incidents[1].Services, d.incidents[1].Team = []string{"shop"}, "db"
	d.repeats = []*again{{"2026-03-02 10:00:00", 0, 1, "main", 100}}
	for n, i := range []*item{
		{ID: "ci-1", Class: "host", Name: "db", State: "live"}, {ID: "ci-2", Class: "host", Name: "db", State: "live"},
		{ID: "ci-8", Class: "host", Name: "old", State: "retired"}, {ID: "ci-9", Class: "pod", Name: "web", State: "live"},
	} {
		i.Tenant, i.Known, i.ValidFrom, i.Seq = "main", at("2026-03-01 00:00:00"), at("2026-03-01 00:00:00"), uint64(n)
		d.items = append(d.items, i)
	}
	word := at("2026-03-02 06:00:00")
	for n, e := range []*entry{
		{At: at("2026-03-01 00:00:00"), Kind: "heartbeat_set"}, {At: at("2026-03-02 06:05:00"), Kind: "heartbeat_lost", Since: &word}, {At: at("2026-03-02 08:00:00"), Kind: "heartbeat_back"},
	} {
		e.Seq, e.Tenant, e.ID, e.Name, e.Source = uint64(n+1), "main", "1", "watchdog", "prometheus"
		d.log = append(d.log, e)
	}
	return d
}

func TestTwoDaysOfNoiseAreCountedByHand(t *testing.T) {
	s := openStore(t)
	s.fill(twoDays())
	catalogue, err := reports.Open()
	require.NoError(t, err)
	p := reports.Params{From: at("2026-03-02 00:00:00").Time, To: at("2026-03-04 00:00:00").Time, Zone: "UTC", Tenant: "main"}
	for _, c := range []struct {
		report string
		keys   []string
		want   figures
	}{
		{"funnel", []string{"bucket"}, figures{ // INC-1 and INC-4 are groups of two; Latency and INC-2's are ungrouped
			"whole":      {"n": 10, "repeats": 100, "opened": 6, "groups": 2, "ungrouped": 2, "incidents": 5, "opened_per_event": 0.6, "grouped": 4.0 / 6, "incident_per_group": 1.25, "share": 0.5, "lo": 0.236593, "hi": 0.763407},
			"2026-03-02": {"n": 6, "repeats": 100, "opened": 3, "groups": 1, "ungrouped": 1, "incidents": 1},
			"2026-03-03": {"n": 4, "repeats": 0, "opened": 3, "groups": 1, "ungrouped": 1, "incidents": 4},
		}},
		{"suppression", []string{"bucket", "reason"}, figures{
			"whole|opened": {"n": 10, "events": 4, "share": 0.4, "effect": "rings"}, "whole|joined": {"events": 1, "share": 0.1}, "whole|silenced": {"events": 1, "share": 0.1, "effect": "quiet"}, "whole|over": {"events": 4, "share": 0.4},
			"2026-03-02|opened": {"n": 6, "events": 1}, "2026-03-02|joined": {"events": 1}, "2026-03-02|silenced": {"events": 1}, "2026-03-02|over": {"events": 3, "share": 0.5},
			"2026-03-03|opened": {"n": 4, "events": 3}, "2026-03-03|joined": {"events": 0, "share": 0}, "2026-03-03|silenced": {"events": 0}, "2026-03-03|over": {"events": 1},
		}},
		{"grouping", []string{"bucket"}, figures{
			"whole":      {"n": 6, "in_groups": 4, "share": 4.0 / 6, "groups": 2, "same_alert": 0, "size_p50": 2, "size_p95": 2, "size_max": 2, "overflows": 1},
			"2026-03-02": {"n": 3, "in_groups": 2, "overflows": 0}, "2026-03-03": {"n": 3, "in_groups": 2, "overflows": 1},
		}},
		{"correlation", []string{"bucket", "stratum"}, figures{ // the machine had NodeDown in two incidents, people in one: one pair was missed; all five are in the week's sample
			"whole|reviewed":      {"n": 5, "reviewed": 2, "share": 0.4, "alerts": 2, "pairs_machine": 0, "pairs_people": 1, "pairs_both": 0, "precision": nil, "recall": 0, "f1": nil},
			"whole|sample":        {"n": 5, "reviewed": 2, "alerts": 2, "pairs_people": 1},
			"2026-03-02|reviewed": {"n": 1, "reviewed": 0, "alerts": 0}, "2026-03-02|sample": {"n": 1}, "2026-03-03|reviewed": {"n": 4, "reviewed": 2}, "2026-03-03|sample": {"n": 4},
		}},
		{"actionability", []string{"bucket", "outcome"}, figures{
			"whole|acted_on": {"n": 5, "incidents": 2, "share": 0.4}, "whole|transient": {"incidents": 2}, "whole|not_an_incident": {"incidents": 1, "share": 0.2}, "whole|open": {"incidents": 0},
			"2026-03-02|acted_on": {"n": 1, "incidents": 0}, "2026-03-02|transient": {"incidents": 1}, "2026-03-02|not_an_incident": {}, "2026-03-02|open": {},
			"2026-03-03|acted_on": {"n": 4, "incidents": 2}, "2026-03-03|transient": {"incidents": 1}, "2026-03-03|not_an_incident": {"incidents": 1}, "2026-03-03|open": {},
		}},
		{"item_quality", []string{"finding"}, figures{
			"live": {"n": 4, "items": 3}, "stale": {"items": 0}, "duplicate": {"items": 2}, "retired": {"items": 1}, "retired_alarming": {"items": 0}, "unconfirmed": {"items": 0},
		}},
		{"unwatched", []string{"class"}, figures{"all": {"n": 3, "unwatched": 1}, "host": {"n": 2, "unwatched": 0}, "pod": {"n": 1, "unwatched": 1}}},
		{"chronic_noise", []string{"rank", "name", "item"}, figures{
			"1|DiskFull|ci-1": {"n": 10, "events": 4, "share": 0.4, "opened": 2, "days": 2, "period_days": 2, "flaps": 0}, "2|DiskFull|ci-2": {"events": 2}, "3|Latency|host-3": {"events": 2},
			"4|NodeDown|ci-1": {"events": 1}, "5|NodeDown|ci-2": {"events": 1},
		}},
		{"noise_pareto", []string{"rank", "name", "item"}, figures{
			"1|DiskFull|ci-1": {"cumulative": 0.4, "part": "A"}, "2|DiskFull|ci-2": {"cumulative": 0.6, "part": "A"}, "3|Latency|host-3": {"cumulative": 0.8, "part": "A"},
			"4|NodeDown|ci-1": {"cumulative": 0.9, "part": "B"}, "5|NodeDown|ci-2": {"cumulative": 1, "part": "B"},
		}},
		{"noise_rules", []string{"rule"}, figures{ // 2 min save neither: the longest of INC-1 fired for 120 s, which is not less
			"hold DiskFull for 5 min before it opens":  {"n": 2, "saved": 2, "share": 1, "acted_on": 0, "later": 0, "alerts": 3},
			"hold DiskFull for 10 min before it opens": {"saved": 2}, "hold DiskFull for 15 min before it opens": {"saved": 2}, "hold DiskFull for 30 min before it opens": {"saved": 2},
		}},
		{"blindness", []string{"source", "name"}, figures{ // two hours of two days
			"all|": {"n": 1, "blind": 7200, "expected": 172800, "share": 1.0 / 24, "longest": 7200}, "prometheus|watchdog": {"n": 1, "blind": 7200},
		}},
	} {
		got, err := catalogue.Run(t.Context(), s, c.report, p)
		require.NoError(t, err)
		require.Empty(t, differences(keyed(got, c.keys), c.want), c.report)
	}
	binding, err := catalogue.Run(t.Context(), s, "binding", p)
	require.NoError(t, err)
	bound := figures{"bound": keyed(binding, []string{"bucket", "binding"})["whole|bound"]}
	require.Empty(t, differences(bound, figures{"bound": {"n": 6, "alerts": 5, "share": 5.0 / 6}}))

	p.Service, p.Team, p.Priority = "shop", "db", 2 // INC-2's: the alert of DiskFull on ci-1, with all that it ever said
	narrow, err := catalogue.Run(t.Context(), s, "funnel", p)
	require.NoError(t, err)
	require.Empty(t, differences(figures{"whole": keyed(narrow, []string{"bucket"})["whole"]}, figures{"whole": {"n": 4, "opened": 2, "groups": 0, "ungrouped": 2, "incidents": 1, "repeats": 0}}))
}

func TestABatchThatRunsEveryMondayAtTwoIsASeason(t *testing.T) {
	d := &din{}
	for week := range 6 { // five of six Mondays in Kolkata, at 02:15 there, which is Sunday 20:45 here
		if week == 3 {
			continue
		}
		d.hear(heard{At: at("2026-03-01 20:45:00").plus(time.Duration(week) * 7 * day), Kind: "alert_firing", Event: true, Tenant: "main", Alert: 1, Name: "Batch", CI: "ci-1", Occurrence: uint32(week + 1), Decided: "opened"})
	}
	s := openStore(t)
	s.fill(d)
	catalogue, err := reports.Open()
	require.NoError(t, err)
	p := reports.Params{From: at("2026-03-01 18:30:00").Time, To: at("2026-04-12 18:30:00").Time, Zone: "Asia/Kolkata"} // six weeks there
	got, err := catalogue.Run(t.Context(), s, "noise_seasons", p)
	require.NoError(t, err)
	require.Empty(t, differences(keyed(got, []string{"name", "season"}), figures{
		"Batch|Mon 02:00": {"n": 6, "weeks": 5, "share": 5.0 / 6, "elsewhere": 5.0 / (168 * 6), "opened": 5, "items": 1},
	}))
	hours, err := catalogue.Run(t.Context(), s, "noise_hours", p)
	require.NoError(t, err)
	require.Len(t, hours.Table.Rows, 168)
	require.Equal(t, []any{"Mon", uint8(2), uint64(5), uint64(5)}, hours.Table.Rows[2][:4])
}
