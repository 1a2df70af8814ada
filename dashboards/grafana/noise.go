package grafana

import (
	"fmt"
	"strings"
)

// noise is for the analyst: how much comes in, how little of it rings, and what is worth a rule.
func noise() Board {
	return Board{
		UID: "tocsin-noise", Title: "Tocsin · Noise", Span: "now-7d",
		Description: "How much comes in, how much of it rings, and which names, items and sources the noise is made of.",
		Variables: []Variable{
			{Name: clickhouse, Label: "History", Plugin: clickhousePlugin}, tenantVariable(), bucketVariable("day"), zoneVariable(),
		},
		Sections: []Section{
			{"How much", []Panel{funnel(), funnelRatios(), funnelTrend(), funnelRatioTrend()}},
			{"What it is made of", []Panel{noisiest(), noisySources(), ledger()}},
			{"Flapping and seasons", []Panel{flapping(), restless(), hourOfWeek()}},
		},
	}
}

// Who counts, in words.
const (
	ofAlerts = "alerts of the chosen tenants; exact repeats are left out"
	ofEvents = "raw events that changed something, of the chosen tenants; exact repeats are left out"
	ofFunnel = "events and alerts of the chosen tenants; repeats are kept by whole hours, and an hour counts where it begins. Imported incidents and merged ones are left out"
)

// alertRows are what happened to the alerts that were chosen. The rollup by hour is not used: where many items alarm now and then it has as many
// rows as they, and its keys are longer.
func alertRows(condition string) string {
	return "FROM transitions FINAL\nWHERE " + condition + " AND " + within("at") + " AND " + tenantScope
}

// What the funnel counts of a row of alertRows.
const (
	isOpened   = "kind = 'alert_firing'"
	isQuiet    = "kind = 'alert_firing' AND notEmpty(quiet)"
	isDamped   = "kind = 'alert_damped'"
	isIncident = "kind IN ('alert_firing', 'alert_joined') AND reason IN ('opened', 'held')"
)

// perBucket is what came in by bucket: repeats r, events e, alerts a, incidents i that the machine opened.
func perBucket() string {
	return `    SELECT ` + bucketOf("at") + ` AS time, 0 AS r, countIf(event) AS e, countIf(` + isOpened + `) AS a, 0 AS i
    FROM transitions FINAL
    WHERE (event OR ` + isOpened + `) AND ` + within("at") + ` AND ` + tenantScope + `
    GROUP BY time
    UNION ALL
    SELECT ` + bucketOf("hour") + ` AS time, repeats AS r, 0 AS e, 0 AS a, 0 AS i
    FROM repeats FINAL
    WHERE ` + within("hour") + ` AND ` + tenantScope + `
    UNION ALL
    SELECT ` + bucketOf("opened_at") + ` AS time, 0 AS r, 0 AS e, 0 AS a, 1 AS i
    FROM incidents FINAL
    WHERE automatic AND merged_into = 0 AND ` + within("opened_at") + ` AND ` + tenantScope
}

func funnel() Panel {
	return Panel{
		Title: "Funnel", Kind: Gauge, Width: 12, Height: 8,
		What:    "Exact repeats, events that changed something (E), alerts that opened (A), incidents that the machine opened (I).",
		Anchor:  "arrival; of incidents the opening",
		Counted: ofFunnel,
		SQL: `SELECT sum(r) AS repeats, sum(e) AS events, sum(a) AS alerts, sum(i) AS incidents
FROM
(
` + perBucket() + `
)`,
		Columns: []Column{count("repeats"), count("events"), count("alerts"), count("incidents")},
	}
}

func funnelRatios() Panel {
	return Panel{
		Title: "What is left at each stage", Kind: Stat, Width: 12, Height: 8,
		What:    "Alerts per event (A/E), incidents per alert (I/A) and their product, incidents per event (I/E). Low is quiet; whether it is right, only reviews tell.",
		Anchor:  "arrival; of incidents the opening",
		Counted: ofFunnel + ". Groups are in the report R1",
		SQL: `SELECT ` + share("sum(a)", "sum(e)") + ` AS "A/E", ` + share("sum(i)", "sum(a)") + ` AS "I/A", ` + share("sum(i)", "sum(e)") + ` AS "I/E"
FROM
(
` + perBucket() + `
)`,
		Columns: []Column{ratio("A/E"), ratio("I/A"), ratio("I/E")},
	}
}

func funnelTrend() Panel {
	return Panel{
		Title: "Events, alerts and incidents", Kind: Lines, Width: 12, Height: 8,
		What: "The funnel's counts by day, week or month.", Anchor: "arrival; of incidents the opening", Counted: ofFunnel,
		SQL: `SELECT time, sum(r) AS repeats, sum(e) AS events, sum(a) AS alerts, sum(i) AS incidents
FROM
(
` + perBucket() + `
)
GROUP BY time
ORDER BY time`,
		Columns: []Column{word("time"), count("repeats"), count("events"), count("alerts"), count("incidents")},
	}
}

func funnelRatioTrend() Panel {
	return Panel{
		Title: "What is left, over time", Kind: Lines, Width: 12, Height: 8,
		What: "The funnel's quotients by day, week or month, with the number of events behind them.", Anchor: "arrival; of incidents the opening",
		Counted: ofFunnel,
		SQL: `SELECT time, sum(e) AS n, ` + share("sum(a)", "sum(e)") + ` AS "A/E", ` + share("sum(i)", "sum(a)") + ` AS "I/A", ` + share("sum(i)", "sum(e)") + ` AS "I/E"
FROM
(
` + perBucket() + `
)
GROUP BY time
ORDER BY time`,
		Columns: []Column{word("time"), behind("n"), ratio("A/E"), ratio("I/A"), ratio("I/E")},
	}
}

func noisiest() Panel {
	return Panel{
		Title: "Noisiest names and items", Kind: Table, Width: 24, Height: 10,
		What:   "The 25 pairs of alert name and item with the most events, their share of all events and the running sum of the shares.",
		Anchor: "arrival", Counted: ofAlerts,
		SQL: `SELECT
    name,
    if(ci != '', ci, resource) AS item,
    countIf(event) AS E,
    sum(E) OVER () AS every,
    ` + share("E", "every") + ` AS share,
    ` + share("sum(E) OVER (ORDER BY E DESC, name, item ROWS UNBOUNDED PRECEDING)", "every") + ` AS cumulative,
    countIf(` + isOpened + `) AS A,
    ` + share("countIf("+isQuiet+")", "A") + ` AS kept_quiet,
    countIf(` + isIncident + `) AS I,
    countIf(` + isDamped + `) AS flaps
` + alertRows("(event OR kind IN ('alert_firing', 'alert_joined', 'alert_damped'))") + `
GROUP BY name, item
ORDER BY E DESC, name, item
LIMIT 25`,
		Columns: []Column{
			word("name"), word("item"), count("E"), count("every"), filled("share"), filled("cumulative"), count("A"), filled("kept_quiet"), count("I"), count("flaps"),
		},
	}
}

func noisySources() Panel {
	return Panel{
		Title: "Sources", Kind: Table, Width: 12, Height: 10,
		What: "What each source sent, and how often it repeated itself word for word for each event that changed something.", Anchor: "arrival", Counted: ofFunnel,
		SQL: `SELECT source, sum(e) AS events, sum(r) AS repeats, ` + share("sum(r)", "sum(e)") + ` AS repeats_per_event, sum(a) AS alerts
FROM
(
    SELECT source, countIf(event) AS e, 0 AS r, countIf(` + isOpened + `) AS a
    FROM transitions FINAL
    WHERE (event OR ` + isOpened + `) AND ` + within("at") + ` AND ` + tenantScope + `
    GROUP BY source
    UNION ALL
    SELECT source, 0 AS e, repeats AS r, 0 AS a
    FROM repeats FINAL
    WHERE ` + within("hour") + ` AND ` + tenantScope + `
)
GROUP BY source
ORDER BY events + repeats DESC, source
LIMIT 50`,
		Columns: []Column{word("source"), count("events"), count("repeats"), count("repeats_per_event"), count("alerts")},
	}
}

func ledger() Panel {
	return Panel{
		Title: "Ledger of reasons", Kind: Table, Width: 12, Height: 10,
		What:   "Why each event rang or did not, by the first reason that decides; the shares add up to 1. low and high are the ends of the 95 % interval.",
		Anchor: "arrival", Counted: ofEvents,
		SQL: `SELECT decided AS reason, events, ` + share("events", "every") + ` AS share, ` + wilsonLo("events", "every") + ` AS low, ` + wilsonHi("events", "every") + ` AS high
FROM
(
    SELECT decided, count() AS events, sum(events) OVER () AS every
` + alertRows("event") + `
    GROUP BY decided
)
ORDER BY events DESC, reason`,
		Columns: []Column{word("reason"), count("events"), filled("share"), ratio("low"), ratio("high")},
	}
}

func flapping() Panel {
	return Panel{
		Title: "Flapping", Kind: Lines, Width: 12, Height: 10,
		What: "How often an alert entered damping, and how many different ones did.", Anchor: "arrival of the change that tipped it", Counted: ofAlerts,
		SQL: `SELECT ` + bucketOf("at") + ` AS time, count() AS damped, uniqExact((shard, alert)) AS alerts
` + alertRows(isDamped) + `
GROUP BY time
ORDER BY time`,
		Columns: []Column{word("time"), count("damped"), count("alerts")},
	}
}

func restless() Panel {
	return Panel{
		Title: "Most restless", Kind: Table, Width: 12, Height: 10,
		What: "The 20 pairs of alert name and item that entered damping most often: a longer wait before they fire would help.", Anchor: "arrival", Counted: ofAlerts,
		SQL: `SELECT name, if(ci != '', ci, resource) AS item, countIf(` + isDamped + `) AS flaps, countIf(` + isOpened + `) AS opened, countIf(kind = 'alert_cleared') AS cleared
` + alertRows("kind IN ('alert_damped', 'alert_firing', 'alert_cleared')") + `
GROUP BY name, item
HAVING flaps > 0
ORDER BY flaps DESC, name, item
LIMIT 20`,
		Columns: []Column{word("name"), word("item"), count("flaps"), count("opened"), count("cleared")},
	}
}

func hourOfWeek() Panel {
	var hours []string
	columns := []Column{word("day")}
	for h := range 24 {
		name := fmt.Sprintf("%02d", h)
		hours = append(hours, fmt.Sprintf(`    countIf(clock = %d) AS "%s"`, h, name))
		columns = append(columns, Column{Name: name, Unit: "short", Look: Heat})
	}
	return Panel{
		Title: "Events by hour of the week", Kind: Table, Width: 24, Height: 9,
		What:   "When the noise comes, on the clocks of the zone: a job, a backup, a rush hour. Choose whole weeks, or some days count more often than others.",
		Anchor: "arrival", Counted: ofEvents,
		SQL: `SELECT
    ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'][weekday] AS day,
` + strings.Join(hours, ",\n") + `
FROM
(
    SELECT toDayOfWeek(at, 0, ${zone:sqlstring}) AS weekday, toHour(at, ${zone:sqlstring}) AS clock
` + alertRows("event") + `
)
GROUP BY weekday
ORDER BY weekday`,
		Columns: columns,
	}
}
