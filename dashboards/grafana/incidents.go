package grafana

// incidents is for who answers for services: is it getting better, what piles up, what keeps coming back.
func incidents() Board {
	return Board{
		UID: "tocsin-incidents", Title: "Tocsin · Incidents and services", Span: "now-90d",
		Description: "Volume, times to acknowledge and to resolve, backlog, what keeps coming back, and the availability of services.",
		Variables: []Variable{
			{Name: clickhouse, Label: "History", Plugin: clickhousePlugin},
			tenantVariable(), serviceVariable(), teamVariable(), priorityVariable(), bucketVariable("week"), zoneVariable(),
		},
		Sections: []Section{
			{"Volume", []Panel{netFlow(), volume(), automation()}},
			{"Times", []Panel{acknowledged(), neverAcknowledged(), resolvedByPeople(), resolvedByMachine(), byPriority()}},
			{"Backlog", []Panel{backlog(), backlogAges(), stale()}},
			{"What comes back", []Panel{reopened(), recurring(), pareto()}},
			{"Services", []Panel{availability(), outages()}},
		},
	}
}

const (
	notCancelledOnes = ofIncidents + "; so are cancelled ones"
	anchorEnd        = "the last resolve"
	notCancelled     = "phase != 'cancelled'"
)

func netFlow() Panel {
	return Panel{
		Title: "Opened, resolved, net flow", Kind: Stat, Width: 8, Height: 8,
		What: "More opened than resolved: the backlog grows.", Anchor: "the opening, and the last resolve", Counted: notCancelledOnes,
		SQL: `SELECT
    countIf(` + within("opened_at") + `) AS opened,
    countIf(` + within("resolved_at") + `) AS resolved,
    toInt64(opened) - toInt64(resolved) AS net
FROM incidents FINAL
WHERE ` + notCancelled + ` AND ` + incidentScope,
		Columns: []Column{count("opened"), count("resolved"), count("net")},
	}
}

func volume() Panel {
	return Panel{
		Title: "Opened, by priority", Kind: Bars, Width: 8, Height: 8, Series: "is",
		What: "Incidents that were opened, by the priority they have now.", Anchor: "the opening", Counted: notCancelledOnes,
		SQL: `SELECT ` + bucketOf("opened_at") + ` AS time, concat('P', toString(priority)) AS is, count() AS opened
FROM incidents FINAL
WHERE ` + within("opened_at") + ` AND ` + notCancelled + ` AND ` + incidentScope + `
GROUP BY time, is
ORDER BY time, is`,
		Columns: []Column{word("time"), word("is"), count("opened")},
	}
}

func automation() Panel {
	return Panel{
		Title: "Opened by whom, resolved by whom", Kind: Bars, Width: 8, Height: 8, Series: "way",
		What: "Incidents that were resolved, by who opened them and who resolved them: people or the machine.", Anchor: anchorEnd, Counted: notCancelledOnes,
		SQL: `SELECT
    ` + bucketOf("assumeNotNull(resolved_at)") + ` AS time,
    concat(if(automatic, 'machine', 'person'), ' opened, ', if(resolved_human, 'person', 'machine'), ' resolved') AS way,
    count() AS resolved
FROM incidents FINAL
WHERE ` + within("resolved_at") + ` AND ` + notCancelled + ` AND ` + incidentScope + `
GROUP BY time, way
ORDER BY time, way`,
		Columns: []Column{word("time"), word("way"), count("resolved")},
	}
}

// durations is a trend of one clock over the incidents resolved in the period.
func durations(clock, condition string) string {
	return `SELECT time, length(all_of_them) AS n, ` + p50("all_of_them") + ` AS p50, ` + p90("all_of_them") + ` AS p90
FROM
(
    SELECT ` + bucketOf("assumeNotNull(resolved_at)") + ` AS time, ` + sorted(clock) + ` AS all_of_them
    FROM incidents FINAL
    WHERE ` + within("resolved_at") + ` AND ` + condition + ` AND ` + notCancelled + ` AND ` + incidentScope + `
    GROUP BY time
)
ORDER BY time`
}

func acknowledged() Panel {
	return Panel{
		Title: "Time to acknowledge (MTTA)", Kind: Lines, Width: 16, Height: 8,
		What:   "From the opening to the first acknowledgement: half were not slower than p50, nine of ten not slower than p90. The report R8 adds the geometric mean and the interval.",
		Anchor: anchorEnd, Counted: notCancelledOnes + " and those that nobody acknowledged, which the panel beside counts",
		SQL:     durations(elapsed("opened_at", "first_acked_at"), "first_acked_at IS NOT NULL"),
		Columns: quantiles(),
	}
}

func neverAcknowledged() Panel {
	return Panel{
		Title: "Resolved without an acknowledgement", Kind: Lines, Width: 8, Height: 8,
		What: "The share of resolved incidents that nobody acknowledged: they are missing from the times to acknowledge.", Anchor: anchorEnd, Counted: notCancelledOnes,
		SQL: `SELECT time, n, ` + share("never", "n") + ` AS share, ` + wilsonLo("never", "n") + ` AS low, ` + wilsonHi("never", "n") + ` AS high
FROM
(
    SELECT ` + bucketOf("assumeNotNull(resolved_at)") + ` AS time, count() AS n, countIf(first_acked_at IS NULL) AS never
    FROM incidents FINAL
    WHERE ` + within("resolved_at") + ` AND ` + notCancelled + ` AND ` + incidentScope + `
    GROUP BY time
)
ORDER BY time`,
		Columns: []Column{word("time"), behind("n"), ratio("share"), ratio("low"), ratio("high")},
	}
}

func resolvedByPeople() Panel {
	return Panel{
		Title: "Time to resolve, by people (MTTR)", Kind: Lines, Width: 12, Height: 8,
		What:   "From the opening to the last resolve, of incidents that a person resolved. The report R9 adds business hours, services, intervals and the outages' clock.",
		Anchor: anchorEnd, Counted: notCancelledOnes + " and those that the machine resolved",
		SQL: durations(elapsed("opened_at", "resolved_at"), "resolved_human"), Columns: quantiles(),
	}
}

func resolvedByMachine() Panel {
	return Panel{
		Title: "Time to resolve, by the machine", Kind: Lines, Width: 12, Height: 8,
		What: "From the opening to the last resolve, of incidents that resolved by themselves; the hold after the last clear is in it.", Anchor: anchorEnd,
		Counted: notCancelledOnes + " and those that a person resolved",
		SQL:     durations(elapsed("opened_at", "resolved_at"), "NOT resolved_human"), Columns: quantiles(),
	}
}

func byPriority() Panel {
	return Panel{
		Title: "Times by priority", Kind: Table, Width: 24, Height: 7,
		What: "The two clocks over the whole period, each with its own n.", Anchor: anchorEnd, Counted: notCancelledOnes,
		SQL: `SELECT
    concat('P', toString(urgency)) AS is,
    length(acks) AS acknowledged, ` + p50("acks") + ` AS ack_p50, ` + p90("acks") + ` AS ack_p90,
    length(people) AS by_people, ` + p50("people") + ` AS people_p50, ` + p90("people") + ` AS people_p90,
    length(machine) AS by_machine, ` + p50("machine") + ` AS machine_p50, ` + p90("machine") + ` AS machine_p90
FROM
(
    SELECT
        priority AS urgency,
        ` + sorted(elapsed("opened_at", "first_acked_at")) + ` AS acks,
        ` + sortedIf(elapsed("opened_at", "resolved_at"), "resolved_human") + ` AS people,
        ` + sortedIf(elapsed("opened_at", "resolved_at"), "NOT resolved_human") + ` AS machine
    FROM incidents FINAL
    WHERE ` + within("resolved_at") + ` AND ` + notCancelled + ` AND ` + incidentScope + `
    GROUP BY priority
)
ORDER BY urgency`,
		Columns: []Column{
			word("is"), count("acknowledged"), seconds("ack_p50"), seconds("ack_p90"), count("by_people"), seconds("people_p50"), seconds("people_p90"),
			count("by_machine"), seconds("machine_p50"), seconds("machine_p90"),
		},
	}
}

// over is when an incident that is not open was over, where no resolve says it: it was cancelled, merged or closed, or comes from an import.
const over = "multiIf(phase IN ('cancelled', 'merged'), ifNull(closed_at, opened_at), coalesce(resolved_at, closed_at, opened_at))"

func backlog() Panel {
	return Panel{
		Title: "Open incidents", Kind: Lines, Width: 12, Height: 8,
		What: "How many were open at the end of each bucket. What was reopened counts again from then on.", Anchor: "each bucket's end",
		Counted: "incidents of the chosen tenants, services, teams and priorities, merged and cancelled ones as long as they were open",
		SQL: `SELECT time, sum(moved) OVER (ORDER BY time) AS open
FROM
(
    SELECT ` + bucketOf("greatest(step.1, toDateTime64($__fromTime, 3, 'UTC'))") + ` AS time, sum(step.2) AS moved
    FROM
    (
        SELECT arrayJoin(arrayConcat(
            [(opened_at, 1)],
            arrayMap(r -> (r.1, -1), resolves),
            arrayMap(r -> (r, 1), reopens),
            if(phase != 'open' AND length(resolves) <= length(reopens), [(` + over + `, -1)], []))) AS step
        FROM incidents FINAL
        WHERE opened_at < $__toTime AND ` + chosenScope + `
    )
    WHERE step.1 < $__toTime
    GROUP BY time
)
ORDER BY time`,
		Columns: []Column{word("time"), count("open")},
	}
}

func backlogAges() Panel {
	return Panel{
		Title: "Ages of what is open", Kind: Gauge, Width: 6, Height: 8,
		What: "Open incidents by days since their opening.", Anchor: "now, whatever period is chosen", Counted: "open " + ofIncidents,
		SQL: `SELECT
    countIf(age < 1) AS "under 1 d",
    countIf(age >= 1 AND age < 6) AS "1-5 d",
    countIf(age >= 6 AND age < 31) AS "6-30 d",
    countIf(age >= 31 AND age < 91) AS "31-90 d",
    countIf(age >= 91) AS "over 90 d"
FROM
(
    SELECT dateDiff('second', opened_at, now()) / 86400 AS age
    FROM incidents FINAL
    WHERE phase = 'open' AND ` + incidentScope + `
)`,
		Columns: []Column{count("under 1 d"), count("1-5 d"), count("6-30 d"), count("31-90 d"), count("over 90 d")},
	}
}

func stale() Panel {
	return Panel{
		Title: "Stale", Kind: Stat, Width: 6, Height: 8,
		What: "Open incidents to which nothing has happened for 5 and for 30 days.", Anchor: "now, whatever period is chosen; days since the last change of any kind", Counted: "open " + ofIncidents,
		SQL: `SELECT countIf(updated_at < now() - INTERVAL 5 DAY) AS "5 days", countIf(updated_at < now() - INTERVAL 30 DAY) AS "30 days", count() AS open
FROM incidents FINAL
WHERE phase = 'open' AND ` + incidentScope,
		Columns: []Column{count("5 days"), count("30 days"), count("open")},
	}
}

func reopened() Panel {
	return Panel{
		Title: "Reopened after a person resolved it", Kind: Stat, Width: 12, Height: 5,
		What:   "The share of resolves by people after which the incident was opened again so far; low and high are the ends of the 95 % interval. The last days of the period have had less time to come back: the report R14 counts matured cohorts.",
		Anchor: "each resolve by a person", Counted: notCancelledOnes,
		SQL: `SELECT n, ` + share("back", "n") + ` AS share, ` + wilsonLo("back", "n") + ` AS low, ` + wilsonHi("back", "n") + ` AS high
FROM
(
    SELECT count() AS n, countIf(arrayExists(r -> r >= done.1, reopens)) AS back
    FROM
    (
        SELECT arrayJoin(if(empty(resolves) AND resolved_at IS NOT NULL, [(assumeNotNull(resolved_at), resolved_human)], resolves)) AS done, reopens
        FROM incidents FINAL
        WHERE ` + notCancelled + ` AND ` + incidentScope + `
    )
    WHERE done.2 AND ` + within("done.1") + `
)`,
		Columns: []Column{count("n"), ratio("share"), ratio("low"), ratio("high")},
	}
}

func recurring() Panel {
	return Panel{
		Title: "Seen before", Kind: Stat, Width: 12, Height: 5,
		What:   "The share of opened incidents whose signature (what happened where) was opened within the 30 days before; low and high are the ends of the 95 % interval.",
		Anchor: "the opening", Counted: notCancelledOnes + ". The one before may belong to any service, team and priority",
		SQL: `SELECT n, ` + share("again", "n") + ` AS share, ` + wilsonLo("again", "n") + ` AS low, ` + wilsonHi("again", "n") + ` AS high
FROM
(
    SELECT count() AS n, countIf(signature != 0 AND place > 1 AND opened_at <= before + INTERVAL 30 DAY) AS again
    FROM
    (
        SELECT
            tenant, services, team, priority, merged_into, opened_at, signature,
            row_number() OVER earlier AS place,
            lagInFrame(opened_at) OVER earlier AS before
        FROM incidents FINAL
        WHERE merged_into = 0 AND ` + notCancelled + ` AND opened_at >= $__fromTime - INTERVAL 30 DAY AND opened_at < $__toTime
        WINDOW earlier AS (PARTITION BY signature ORDER BY opened_at, origin, shard, incident)
    )
    WHERE ` + within("opened_at") + ` AND ` + incidentScope + `
)`,
		Columns: []Column{count("n"), ratio("share"), ratio("low"), ratio("high")},
	}
}

func pareto() Panel {
	return Panel{
		Title: "What costs the most time", Kind: Table, Width: 24, Height: 10,
		What:   "The 25 signatures with the most time lost, from the opening to the last resolve, of open ones to the end of the period or to now; their share of all the time lost and the running sum of the shares. A few of them are worth a problem record.",
		Anchor: "the opening", Counted: notCancelledOnes,
		SQL: `SELECT
    title AS latest,
    number AS latest_number,
    item,
    n,
    lost,
    ` + share("lost", "every") + ` AS share,
    ` + share("sum(lost) OVER (ORDER BY lost DESC, signature ROWS UNBOUNDED PRECEDING)", "every") + ` AS cumulative,
    p50,
    p90
FROM
(
    SELECT
        signature,
        argMax(incidents.title, opened_at) AS title,
        argMax(incidents.number, opened_at) AS number,
        any(ci) AS item,
        count() AS n,
        arraySort(groupArray(` + elapsed("opened_at", "greatest(opened_at, coalesce(resolved_at, closed_at, "+end+"))") + `)) AS times,
        arraySum(times) AS lost,
        ` + p50("times") + ` AS p50,
        ` + p90("times") + ` AS p90,
        sum(lost) OVER () AS every
    FROM incidents FINAL
    WHERE ` + within("opened_at") + ` AND ` + notCancelled + ` AND ` + incidentScope + `
    GROUP BY signature
)
ORDER BY lost DESC, signature
LIMIT 25`,
		Columns: []Column{
			word("latest"), word("latest_number"), word("item"), count("n"), seconds("lost"), filled("share"), filled("cumulative"), seconds("p50"), seconds("p90"),
		},
	}
}
