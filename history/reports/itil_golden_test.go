package reports_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/history/reports"
)

// march is a month that fits on a page: clocks go forward in it on Sunday the 29th in Berlin (UTC+1, then UTC+2).
//
//	INC-1  P1  shop  Mon 2nd  10:00–11:00  machine  acked 10:05  resolved by a person; db, net, db; 15 min on hold; down since 09:50
//	INC-2  P2  shop  Fri 27th 15:00–Mon 30th 08:00  machine  never acked, resolved by the machine; the same as INC-1
//	INC-3  P3  pay   Tue 10th 08:00–09:00, reopened 20:00–Wed 11th 08:00  opened by a person, acked 08:10, resolved by people
//	INC-4  merged into INC-1 after an hour (12th); INC-5 cancelled after a day (13th to 14th); INC-6 P1 open since the 20th
//	SNOW-1 P5  Thu 5th 09:00–10:00  of another system, which says that it was reopened, and not when
//	INC-7  in February; INC-8 another tenant's
func march() *world {
	person := func(end string) []resolve { return []resolve{{at(end), true}} }
	return &world{
		incidents: []*trouble{
			{
				Shard: 1, Incident: 1, Version: 1, Number: "INC-1", Tenant: "main", Phase: "resolved", Priority: 1, Title: "disk full", CI: "db-1", Services: []string{"shop"}, Team: "db",
				Signature: 7, Opened: at("2026-03-02 10:00:00"), Automatic: true, FirstEvent: at("2026-03-02 09:58:00").ptr(), Received: at("2026-03-02 09:59:00").ptr(),
				LastClear: at("2026-03-02 10:50:00").ptr(), Acked: at("2026-03-02 10:05:00").ptr(), Resolved: at("2026-03-02 11:00:00").ptr(), ResolvedHuman: true,
				Resolves: person("2026-03-02 11:00:00"), Reassignments: 2,
				Teams: []span{
					{Team: "db", Since: at("2026-03-02 10:00:00"), Until: at("2026-03-02 10:20:00").ptr()},
					{Team: "net", Since: at("2026-03-02 10:20:00"), Until: at("2026-03-02 10:40:00").ptr()},
					{Team: "db", Since: at("2026-03-02 10:40:00")},
				},
				Holds: []span{{Reason: "vendor", Since: at("2026-03-02 10:30:00"), Until: at("2026-03-02 10:45:00").ptr()}},
			},
			{
				Shard: 1, Incident: 2, Version: 1, Number: "INC-2", Tenant: "main", Phase: "resolved", Priority: 2, Title: "disk full", CI: "db-1", Services: []string{"shop"},
				Signature: 7, Opened: at("2026-03-27 15:00:00"), Automatic: true, FirstEvent: at("2026-03-27 15:00:00").ptr(), Received: at("2026-03-27 15:00:00").ptr(),
				LastClear: at("2026-03-30 07:55:00").ptr(), Resolved: at("2026-03-30 08:00:00").ptr(), Resolves: []resolve{{at("2026-03-30 08:00:00"), false}},
			},
			{
				Shard: 1, Incident: 3, Version: 1, Number: "INC-3", Tenant: "main", Phase: "resolved", Priority: 3, Title: "cannot pay", Services: []string{"pay"}, Team: "net", Signature: 8,
				Opened: at("2026-03-10 08:00:00"), Acked: at("2026-03-10 08:10:00").ptr(), Resolved: at("2026-03-11 08:00:00").ptr(), ResolvedHuman: true,
				Resolves: append(person("2026-03-10 09:00:00"), person("2026-03-11 08:00:00")...), Reopens: []stamp{at("2026-03-10 20:00:00")}, ReopenCount: 1,
				Teams: []span{{Team: "net", Since: at("2026-03-10 08:00:00"), Until: at("2026-03-11 08:00:00").ptr()}},
			},
			{
				Shard: 1, Incident: 4, Version: 1, Number: "INC-4", Tenant: "main", Phase: "merged", Priority: 3, Signature: 7, Opened: at("2026-03-12 12:00:00"), Automatic: true,
				Closed: at("2026-03-12 13:00:00").ptr(), MergedInto: 1,
			},
			{
				Shard: 1, Incident: 5, Version: 1, Number: "INC-5", Tenant: "main", Phase: "cancelled", Priority: 4, Signature: 7, Opened: at("2026-03-13 12:00:00"), Automatic: true,
				Closed: at("2026-03-14 12:00:00").ptr(),
			},
			{
				Shard: 1, Incident: 6, Version: 1, Number: "INC-6", Tenant: "main", Phase: "open", Priority: 1, Title: "slow", Signature: 9, Opened: at("2026-03-20 00:00:00"), Automatic: true,
				FirstEvent: at("2026-03-20 00:00:00").ptr(), Received: at("2026-03-20 00:00:00").ptr(), changes: []version{{At: at("2026-03-20 00:00:00"), Phase: "open"}},
			},
			{
				Origin: "snow", Incident: 1, Version: 1, Number: "SNOW-1", Tenant: "main", Phase: "closed", Priority: 5, Title: "printer", Opened: at("2026-03-05 09:00:00"),
				Resolved: at("2026-03-05 10:00:00").ptr(), ResolvedHuman: true, Closed: at("2026-03-06 10:00:00").ptr(), ReopenCount: 1,
			},
			{
				Shard: 1, Incident: 7, Version: 1, Number: "INC-7", Tenant: "main", Phase: "resolved", Priority: 1, Signature: 9, Opened: at("2026-02-10 00:00:00"), Automatic: true,
				Resolved: at("2026-02-11 00:00:00").ptr(), Resolves: []resolve{{at("2026-02-11 00:00:00"), false}},
			},
			{
				Shard: 1, Incident: 8, Version: 1, Number: "INC-8", Tenant: "acme", Phase: "resolved", Priority: 1, Signature: 7, Opened: at("2026-03-03 00:00:00"), Automatic: true,
				Resolved: at("2026-03-03 01:00:00").ptr(), Resolves: []resolve{{at("2026-03-03 01:00:00"), false}},
			},
		},
		outages: []*outage{ // two that overlap on the 2nd, a planned one, a degraded one, one nobody has confirmed, one that was none
			{Shard: 1, Outage: 1, Version: 1, Tenant: "main", Service: "shop", Kind: "down", State: "confirmed", Began: at("2026-03-02 09:50:00"), Ended: at("2026-03-02 10:50:00").ptr(), Known: at("2026-03-02 09:55:00"), Incidents: []uint64{1}},
			{Shard: 1, Outage: 2, Version: 1, Tenant: "main", Service: "shop", Kind: "down", State: "confirmed", Began: at("2026-03-02 10:20:00"), Ended: at("2026-03-02 11:20:00").ptr(), Known: at("2026-03-02 10:55:00")},
			{Shard: 1, Outage: 3, Version: 1, Tenant: "main", Service: "shop", Kind: "planned", State: "confirmed", Began: at("2026-03-15 00:00:00"), Ended: at("2026-03-15 02:00:00").ptr(), Known: at("2026-03-10 00:00:00")},
			{Shard: 1, Outage: 4, Version: 1, Tenant: "main", Service: "shop", Kind: "degraded", State: "confirmed", Began: at("2026-03-05 10:00:00"), Ended: at("2026-03-05 10:30:00").ptr(), Known: at("2026-03-05 10:00:00")},
			{Shard: 1, Outage: 5, Version: 1, Tenant: "main", Service: "shop", Kind: "down", State: "proposed", Began: at("2026-03-06 10:00:00"), Ended: at("2026-03-06 10:10:00").ptr(), Known: at("2026-03-06 10:00:00")},
			{Shard: 1, Outage: 6, Version: 1, Tenant: "main", Service: "shop", Kind: "down", State: "rejected", Began: at("2026-03-07 10:00:00"), Ended: at("2026-03-08 10:10:00").ptr(), Known: at("2026-03-07 10:00:00")},
		},
		items: []*item{{Tenant: "main", ID: "shop", Known: at("2026-03-01 12:00:00"), Shard: 1, ValidFrom: at("2026-03-01 12:00:00"), Class: "service", Name: "Web shop", State: "live", Attributes: map[string]string{"rto": "1h30m"}}},
		messages: []*message{ // Berlin: Monday 11:00, three at 03:00, Saturday 13:00; one person of net; one that interrupts nobody
			{At: at("2026-03-02 10:00:20"), Number: 1, Shard: 1, Tenant: "main", Incident: 1, Team: "db", Person: "ann", Rings: true},
			{At: at("2026-03-03 02:00:00"), Number: 2, Shard: 1, Tenant: "main", Team: "db", Person: "bob", Rings: true},
			{At: at("2026-03-03 02:00:00"), Number: 3, Shard: 1, Tenant: "main", Team: "db", Person: "cyd", Rings: true},
			{At: at("2026-03-03 02:00:00"), Number: 4, Shard: 1, Tenant: "main", Team: "db", Person: "dan", Rings: true},
			{At: at("2026-03-07 12:00:00"), Number: 5, Shard: 1, Tenant: "main", Team: "db", Person: "eve", Rings: true},
			{At: at("2026-03-08 12:00:00"), Number: 6, Shard: 1, Tenant: "main", Team: "net", Person: "fay", Rings: true},
			{At: at("2026-03-09 12:00:00"), Number: 7, Shard: 1, Tenant: "main", Team: "db", Person: "ann"},
		},
	}
}

func TestAMonthThatWasCountedByHand(t *testing.T) {
	s := openStore(t)
	s.put(march())
	catalogue, err := reports.Open()
	require.NoError(t, err)
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	p := reports.Params{From: time.Date(2026, 3, 1, 0, 0, 0, 0, berlin), To: time.Date(2026, 4, 1, 0, 0, 0, 0, berlin), Zone: "Europe/Berlin", Tenant: "main", Bucket: "month"}
	holds := func(p reports.Params, name string, total uint64, want figures) {
		t.Helper()
		result, err := catalogue.Run(t.Context(), s, name, p)
		require.NoError(t, err)
		got := keyed(result, itilReports()[name].keys)
		for key, row := range want {
			require.NotNil(t, got[key], "%s: %s is missing in %v", name, key, got)
			require.Empty(t, differences(figures{key: got[key]}, figures{key: row}), name)
		}
		items, err := catalogue.Items(t.Context(), s, name, p)
		require.NoError(t, err)
		require.Equal(t, total, items.Total, "%s: the list", name)
		require.Len(t, items.Table.Rows, int(total))
	}

	holds(p, "detection", 5, figures{ // 1, 2, 3, 6 and SNOW-1 were opened
		"whole|outage to event":       {"n": 1, "p50": 480}, // 09:50 to 09:58
		"whole|event to arrival":      {"n": 3, "p50": 0, "p90": 60, "gmean": 3.9148676411688634, "p50_lo": nil},
		"whole|arrival to incident":   {"n": 3, "p50": 0, "p90": 60},
		"whole|incident to message":   {"n": 1, "p50": 20},
		"whole|monitoring first":      {"n": 5, "share": .6, "lo": .2307243, "hi": .8823792}, // not 3, not SNOW-1
		"2026-03-01|event to arrival": {"n": 3, "p50": 0, "p90": 60},
	})
	holds(p, "mtta", 4, figures{ // 1, 2, 3 and SNOW-1 were resolved; after 5 and 10 min, and two never acknowledged
		"whole|opened|all":      {"n": 2, "p50": 300, "p90": 600, "gmean": 424.26406871192853, "censored": 2, "share": .5, "lo": .1500390, "hi": .8499610},
		"whole|first event|all": {"n": 1, "p50": 420},
		"whole|opened|P1":       {"n": 1, "p50": 300, "censored": 0, "share": 1},
		"whole|opened|P2":       {"n": 0, "p50": nil, "censored": 1, "share": 0},
		"whole|opened|P4":       {"n": 0, "p50": nil, "censored": 0, "share": nil},
	})
	holds(p, "mttr", 6, figures{ // 1 h, 65 h over the weekend and the change of clocks, 24 h, 1 h; and two outages of 1 h
		"whole|resolve|elapsed|all|all|":          {"n": 4, "p50": 3600, "p90": 234000, "gmean": 22624.742776411167},
		"whole|resolve|business|all|all|":         {"n": 4, "p50": 3600, "p90": 28800}, // Fri 16–17 and Mon 9–10: 2 h; Tue 9 to Wed 9: 8 h
		"whole|repair|elapsed|all|all|":           {"n": 2, "p50": 3120, "p90": 233700},
		"whole|repair|business|all|all|":          {"n": 2, "p50": 3120, "p90": 6900},
		"whole|restore|elapsed|all|all|":          {"n": 2, "p50": 3600, "p90": 3600},
		"whole|resolve|elapsed|resolver|person|":  {"n": 3, "p50": 3600, "p90": 86400},
		"whole|resolve|elapsed|resolver|machine|": {"n": 1, "p50": 234000},
		"whole|resolve|elapsed|service|shop|":     {"n": 2, "p50": 3600, "p90": 234000},
		"whole|resolve|elapsed|weekday|Mon|11":    {"n": 1, "p50": 3600}, // 10:00 UTC
		"whole|resolve|elapsed|weekday|Fri|16":    {"n": 1, "p50": 234000},
		"2026-03-01|resolve|elapsed|all|all|":     {"n": 4, "p50": 3600},
	})
	holds(p, "time_ownership", 4, figures{ // 3,600 + 234,000 + 86,400 + 3,600 = 2,400 + 87,600 + 237,600
		"whole|all|all":      {"n": 4, "elapsed": 327600, "business": 43200, "share": 1, "business_share": 1},
		"whole|team|db":      {"n": 1, "elapsed": 2400, "business": 2400, "share": 2400. / 327600, "business_share": 2400. / 43200},
		"whole|team|net":     {"n": 2, "elapsed": 87600, "business": 30000, "p50": 1200, "p90": 86400},
		"whole|team|nobody":  {"n": 2, "elapsed": 237600, "business": 10800},
		"whole|pause|vendor": {"n": 1, "elapsed": 900, "share": 900. / 327600},
	})
	holds(p, "reopen_rate", 5, figures{ // people resolved 1, and 3 twice; of SNOW-1 nobody knows when it was reopened; the machine resolved 2
		"whole|person|1 day":  {"n": 3, "reopened": 1, "share": 1. / 3, "lo": .0614919, "hi": .7923404, "immature": 1},
		"whole|person|7 days": {"n": 3, "reopened": 1},
		"whole|person|ever":   {"n": 3, "reopened": 2}, // 3, and SNOW-1 says so
		"whole|machine|1 day": {"n": 1, "reopened": 0, "share": 0},
	})
	holds(p, "reassignment", 4, figures{
		"whole|all|all":           {"n": 4, "first_right": 3, "share": .75, "lo": .3006418, "hi": .9544127, "passes": 2, "ping_pong": 1, "returns": 1},
		"whole|first team|db":     {"n": 1, "first_right": 0},
		"whole|first team|nobody": {"n": 2, "first_right": 2},
		"whole|pair|db ⇄ net":     {"n": 1, "returns": 1},
	})
	holds(p, "first_time_fix", 4, figures{ // 2 came 25 days after 1, which is more than 14; 3 and SNOW-1 were reopened
		"whole|all":     {"n": 4, "fixed": 2, "reopened": 2, "came_back": 0, "share": .5},
		"whole|person":  {"n": 3, "fixed": 1},
		"whole|machine": {"n": 1, "fixed": 1},
	})
	holds(p, "backlog", 1, figures{ // 6, since almost 12 days
		"whole|all": {"n": 1, "under_1_day": 0, "days_6_30": 1, "stale_5": 1, "stale_30": 0, "opened": 5, "resolved": 4, "net": 1},
		"whole|P1":  {"n": 1, "opened": 2, "resolved": 1},
		"whole|P4":  {"n": 0, "opened": 0},
	})
	holds(p, "recurrence", 5, figures{ // 2 was seen before as 1; 7 is too long before 6. Lost: 6 until the end 1,029,600 of 1,357,200
		"whole|all|all|":                 {"n": 5, "recurring": 1, "share": .2, "lo": .0362241, "hi": .6244654, "lost": 1357200},
		"whole|signature|slow|":          {"n": 1, "lost": 1029600, "lost_share": .7586206896551724, "running": .7586206896551724, "class": "frequent"},
		"whole|signature|disk full|db-1": {"n": 2, "recurring": 1, "lost": 237600, "running": 1267200. / 1357200, "of_all": .4},
	})
	holds(p, "availability", 1, figures{ // in use for 30 d 10 h, 2 h of it planned; down from 09:50 to 11:20
		"whole|service|shop": {
			"n": 1, "committed": 2620800, "down": 5400, "share": .9979395604395604, "degraded": 1800, "proposed": 600, "planned": 7200, "mtbf": 2615400, "restored": 1, "p50": 5400,
			"rto_n": 1, "rto_met": 1,
		},
		"whole|all|all":      {"n": 1, "down": 5400},
		"2026-03-01|all|all": {"n": 1, "committed": 2620800, "down": 5400},
	})
	holds(p, "interruptions", 5, figures{
		"whole|db|":                {"n": 5, "people": 5, "business": 1, "off_hours": 1, "asleep": 3, "share": .6, "p50": 1},
		"whole|all|":               {"n": 5},
		"whole|net|too few people": {"n": nil, "people": nil, "asleep": nil},
	})

	days := p
	days.Bucket = "day"
	holds(days, "backlog", 1, figures{
		"2026-03-10|all": {"n": 1, "under_1_day": 1, "opened": 1, "resolved": 0}, // 3, reopened; its last resolve is tomorrow
		"2026-03-12|all": {"n": 0, "opened": 0},                                  // 4 was merged within the day
		"2026-03-13|all": {"n": 1, "opened": 0},                                  // 5 was cancelled a day later
		"2026-03-14|all": {"n": 0},
		"2026-03-29|all": {"n": 2, "days_1_5": 1, "days_6_30": 1, "stale_5": 1},
	})
	mine := p
	mine.Person = "bob"
	holds(mine, "interruptions", 1, figures{"whole|you|": {"n": 1, "asleep": 1, "people": 1}})
	half := p // a period that cuts through 2, in a zone of half hours
	half.From, half.To, half.Zone = at("2026-03-27 00:00:00").Time, at("2026-03-28 00:00:00").Time, "Asia/Kolkata"
	holds(half, "mttr", 0, figures{"whole|resolve|elapsed|all|all|": {"n": 0, "p50": nil, "gmean": nil}})
	holds(half, "backlog", 2, figures{"whole|all": {"n": 2, "opened": 1, "resolved": 0, "net": 1}})
}
