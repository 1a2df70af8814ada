package grafana

// operations is for the shift: what is open, what comes in, who waits for whom.
func operations() Board {
	return Board{
		UID: "tocsin-operations", Title: "Tocsin · Operations", Span: "now-24h", Refresh: "1m",
		Description: "What is open now, what comes in and what is kept quiet, and who waits for whom.",
		Variables: []Variable{
			{Name: clickhouse, Label: "History", Plugin: clickhousePlugin},
			tenantVariable(), serviceVariable(), teamVariable(), priorityVariable(),
		},
		Sections: []Section{
			{"Now", []Panel{openNow(), waitingNow(), blindNow(), longestWaiting()}},
			{"Flow", []Panel{openedAndResolved(), timeToAcknowledge()}},
			{"Alerts", []Panel{flood(), suppression(), storms()}},
			{"Telling people", []Panel{told(), tellingDelay()}},
		},
	}
}

func openNow() Panel {
	return Panel{
		Title: "Open incidents", Kind: Stat, Width: 12, Height: 4,
		What: "Incidents that are open, by their priority now.", Anchor: "now, whatever period is chosen", Counted: "open " + ofIncidents,
		SQL: `SELECT
    countIf(priority = 1) AS P1,
    countIf(priority = 2) AS P2,
    countIf(priority = 3) AS P3,
    countIf(priority = 4) AS P4,
    countIf(priority = 5) AS P5,
    count() AS "all"
FROM incidents FINAL
WHERE phase = 'open' AND ` + incidentScope,
		Columns: []Column{count("P1"), count("P2"), count("P3"), count("P4"), count("P5"), count("all")},
	}
}

func waitingNow() Panel {
	return Panel{
		Title: "Not acknowledged", Kind: Stat, Width: 6, Height: 4,
		What: "Open incidents that nobody has acknowledged, and the age of the oldest.", Anchor: "now, whatever period is chosen; ages run from the opening",
		Counted: "open " + ofIncidents,
		SQL: `SELECT count() AS waiting, if(count() = 0, NULL, dateDiff('second', min(opened_at), now())) AS oldest
FROM incidents FINAL
WHERE phase = 'open' AND first_acked_at IS NULL AND ` + incidentScope,
		Columns: []Column{count("waiting"), seconds("oldest")},
	}
}

func blindNow() Panel {
	return Panel{
		Title: "Senders gone silent", Kind: Stat, Width: 6, Height: 4, Steps: amiss(),
		What: "Signs of life that are expected and have stopped: what these senders watch, nobody watches.", Anchor: "now, whatever period is chosen",
		Counted: "heartbeats of the chosen tenants whose last word in the history is that they were lost",
		SQL: `SELECT countIf(last = 'heartbeat_lost') AS lost
FROM
(
    SELECT tenant, id, argMax(kind, (at, seq, n)) AS last
    FROM log FINAL
    WHERE kind IN ('heartbeat_set', 'heartbeat_lost', 'heartbeat_back', 'heartbeat_dropped') AND ` + tenantScope + `
    GROUP BY tenant, id
)`,
		Columns: []Column{count("lost")},
	}
}

func longestWaiting() Panel {
	return Panel{
		Title: "Waiting longest for somebody", Kind: Table, Width: 24, Height: 7,
		What: "The most urgent open incidents that nobody has acknowledged, the oldest of each priority first; at most 20.", Anchor: "now, whatever period is chosen",
		Counted: "open " + ofIncidents,
		SQL: `SELECT
    number,
    priority,
    dateDiff('second', opened_at, now()) AS waiting,
    title,
    arrayStringConcat(services, ', ') AS hurts,
    team AS in_team,
    alerts
FROM incidents FINAL
WHERE phase = 'open' AND first_acked_at IS NULL AND ` + incidentScope + `
ORDER BY priority, opened_at
LIMIT 20`,
		Columns: []Column{word("number"), count("priority"), seconds("waiting"), word("title"), word("hurts"), word("in_team"), count("alerts")},
	}
}

func openedAndResolved() Panel {
	return Panel{
		Title: "Opened and resolved", Kind: Lines, Width: 12, Height: 8, Interval: "1h",
		What: "Incidents that were opened and that were resolved, in each hour or longer step.", Anchor: "the opening, and the last resolve", Counted: ofIncidents,
		SQL: `SELECT $__timeInterval(happened) AS time, countIf(what = 'opened') AS opened, countIf(what = 'resolved') AS resolved
FROM
(
    SELECT opened_at AS happened, 'opened' AS what
    FROM incidents FINAL
    WHERE ` + within("opened_at") + ` AND ` + incidentScope + `
    UNION ALL
    SELECT assumeNotNull(resolved_at) AS happened, 'resolved' AS what
    FROM incidents FINAL
    WHERE ` + within("resolved_at") + ` AND ` + incidentScope + `
)
GROUP BY time
ORDER BY time`,
		Columns: []Column{word("time"), count("opened"), count("resolved")},
	}
}

func timeToAcknowledge() Panel {
	return Panel{
		Title: "Time to acknowledge", Kind: Lines, Width: 12, Height: 8, Interval: "1h",
		What:    "How soon somebody took an incident up: half were not slower than p50, nine of ten not slower than p90. n stands behind them.",
		Anchor:  "the first acknowledgement (the report R8 and the board of incidents count by the last resolve)",
		Counted: notCancelledOnes + ". Those that nobody acknowledged are in no quantile, see above",
		SQL: `SELECT time, length(waits) AS n, ` + p50("waits") + ` AS p50, ` + p90("waits") + ` AS p90
FROM
(
    SELECT $__timeInterval(acked) AS time, ` + sorted("waited") + ` AS waits
    FROM
    (
        SELECT assumeNotNull(first_acked_at) AS acked, ` + elapsed("opened_at", "acked") + ` AS waited
        FROM incidents FINAL
        WHERE ` + within("first_acked_at") + ` AND ` + notCancelled + ` AND ` + incidentScope + `
    )
    GROUP BY time
)
ORDER BY time`,
		Columns: quantiles(),
	}
}

func flood() Panel {
	return Panel{
		Title: "Events per minute by source", Kind: Bars, Width: 12, Height: 9, Interval: "1m", Series: "source",
		What: "Raw events that changed something, of the ten loudest sources of the period.", Anchor: "arrival",
		Counted: "events of the chosen tenants; exact repeats are not among them (see the board of noise), nor do service, team and priority narrow it",
		SQL: `SELECT $__timeInterval(at) AS time, source, count() * 60 / $__interval_s AS per_minute
FROM transitions FINAL
WHERE event AND ` + within("at") + ` AND ` + tenantScope + ` AND source IN
(
    SELECT source
    FROM transitions
    WHERE event AND ` + within("at") + ` AND ` + tenantScope + `
    GROUP BY source
    ORDER BY count() DESC, source
    LIMIT 10
)
GROUP BY time, source
ORDER BY time, source`,
		Columns: []Column{word("time"), word("source"), count("per_minute")},
	}
}

func suppression() Panel {
	return Panel{
		Title: "Kept quiet, by reason", Kind: Bars, Width: 12, Height: 9, Interval: "5m", Series: "decided",
		What: "Raw events of alerts that something keeps from ringing, by the first reason that decides.", Anchor: "arrival",
		Counted: "quiet events of the chosen tenants, exact repeats left out; service, team and priority do not narrow it",
		SQL: `SELECT $__timeInterval(at) AS time, decided, count() AS events
FROM transitions FINAL
WHERE event AND notEmpty(quiet) AND ` + within("at") + ` AND ` + tenantScope + `
GROUP BY time, decided
ORDER BY time, decided`,
		Columns: []Column{word("time"), word("decided"), count("events")},
	}
}

func storms() Panel {
	return Panel{
		Title: "Storms and silent senders", Kind: Table, Width: 24, Height: 7,
		What: "When a storm of openings began and ended, and when a sender's sign of life was lost and came back; the latest 50 of the period.", Anchor: "arrival",
		Counted: "of the chosen tenants; service, team and priority do not narrow it",
		SQL: `SELECT at, replaceAll(kind, '_', ' ') AS what, tenant, id, name, source, count AS counted
FROM log FINAL
WHERE kind IN ('storm_began', 'storm_ended', 'heartbeat_lost', 'heartbeat_back') AND ` + within("at") + ` AND ` + tenantScope + `
ORDER BY at DESC
LIMIT 50`,
		Columns: []Column{word("at"), word("what"), word("tenant"), word("id"), word("name"), word("source"), count("counted")},
	}
}

func told() Panel {
	return Panel{
		Title: "Interruptions by team", Kind: Bars, Width: 12, Height: 8, Interval: "1h", Series: "for_team",
		What: "Messages that ring: pages, calls, direct messages. How they fall on single persons is nobody's business but theirs, and not shown.", Anchor: "when the receiver took it",
		Counted: "ringing messages of the chosen tenants and teams; service and priority do not narrow it",
		SQL: `SELECT $__timeInterval(at) AS time, if(team = '', 'no team', team) AS for_team, count() AS messages
FROM notifications FINAL
WHERE rings AND ` + within("at") + ` AND ` + tenantScope + ` AND $__conditionalAll(team IN (${team:sqlstring}), $team)
GROUP BY time, for_team
ORDER BY time, for_team`,
		Columns: []Column{word("time"), word("for_team"), count("messages")},
	}
}

func tellingDelay() Panel {
	return Panel{
		Title: "Delay of messages", Kind: Lines, Width: 12, Height: 8, Interval: "1h",
		What: "From what happened to the receiver's taking the message about it.", Anchor: "when the receiver took it",
		Counted: "delivered messages of the chosen tenants and teams, ringing or not; what was never delivered is on the board of Tocsin itself",
		SQL: `SELECT time, length(delays) AS n, ` + p50("delays") + ` AS p50, ` + p90("delays") + ` AS p90
FROM
(
    SELECT $__timeInterval(at) AS time, ` + sorted("delay_ms / 1000") + ` AS delays
    FROM notifications FINAL
    WHERE ` + within("at") + ` AND ` + tenantScope + ` AND $__conditionalAll(team IN (${team:sqlstring}), $team)
    GROUP BY time
)
ORDER BY time`,
		Columns: quantiles(),
	}
}
