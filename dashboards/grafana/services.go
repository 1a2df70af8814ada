package grafana

// availabilityOfServices sums, by service, the time that it was to run and the times that it did not, as unions of intervals in seconds.
const availabilityOfServices = `WITH
    toUnixTimestamp($__fromTime) AS period_from,
    toUnixTimestamp(` + end + `) AS period_to,
    known AS
    (
        SELECT
            tenant, service,
            if(sum(modelled) = 0, period_from, greatest(period_from, minIf(first, modelled = 1))) AS since,
            greatest(since, if(sum(modelled) = 0, period_to, least(period_to, maxIf(last, modelled = 1)))) AS until
        FROM
        (
            SELECT
                tenant, id AS service, 1 AS modelled,
                toUnixTimestamp(min(valid_from)) AS first,
                if(argMax(gone OR state = 'retired', (known_at, seq, n)), toUnixTimestamp(argMax(valid_from, (known_at, seq, n))), period_to) AS last
            FROM cis FINAL
            WHERE class = 'service'
            GROUP BY tenant, id
            UNION ALL
            SELECT tenant, service, 0 AS modelled, 0 AS first, 0 AS last
            FROM outages FINAL
            WHERE state != 'rejected' AND began_at < $__toTime
        )
        WHERE ` + tenantScope + ` AND ` + serviceScope + `
        GROUP BY tenant, service
    ),
    pieces AS
    (
        SELECT
            tenant, service,
            multiIf(
                kind = 'planned' AND (state = 'proposed' OR known_at <= began_at), if(state = 'proposed', 'none', 'planned'),
                state = 'proposed', 'unconfirmed',
                kind = 'degraded', 'degraded',
                'down') AS what,
            toUnixTimestamp(began_at) AS begin,
            ifNull(toUnixTimestamp(ended_at), period_to) AS finish
        FROM outages FINAL
        WHERE state != 'rejected' AND began_at < $__toTime
    ),
    cut AS
    (
        SELECT
            known.tenant AS tenant,
            known.service AS service,
            known.since AS since,
            known.until AS until,
            greatest(known.since, pieces.begin) AS begin,
            least(known.until, pieces.finish) AS finish,
            if(finish > begin, pieces.what, '') AS what
        FROM known LEFT JOIN pieces ON pieces.tenant = known.tenant AND pieces.service = known.service
    ),
    sums AS
    (
        SELECT
            tenant, service,
            intervalLengthSumIf(begin, finish, what = 'planned') AS planned,
            intervalLengthSumIf(begin, finish, what IN ('planned', 'down')) - planned AS down,
            intervalLengthSumIf(begin, finish, what IN ('planned', 'down', 'degraded')) - down - planned AS degraded,
            intervalLengthSumIf(begin, finish, what IN ('planned', 'down', 'unconfirmed')) - down - planned AS unconfirmed,
            countIf(what = 'down') AS outages,
            toInt64(any(until)) - toInt64(any(since)) - toInt64(planned) AS committed
        FROM cut
        GROUP BY tenant, service
    )
`

func availability() Panel {
	return Panel{
		Title: "Availability", Kind: Table, Width: 24, Height: 9,
		What: "Of the time that each service was to run, how much it ran. To run: day and night, less planned outages that were known before they began. " +
			"Overlapping outages count once. Degraded and not yet confirmed time stands apart, as far as it is not down already, and is not subtracted.",
		Anchor: "the part of an outage that lies in the period; the period ends now at the latest",
		Counted: "services of the chosen tenants while they are in the model, and services that only an outage names; rejected outages are left out. " +
			"Team and priority do not narrow it. The report R23 adds MTBF, times to restore and targets",
		SQL: availabilityOfServices + `SELECT tenant, service, ` + share("(committed - down)", "committed") + ` AS availability, committed, down, outages, degraded, unconfirmed, planned
FROM sums
ORDER BY availability NULLS LAST, tenant, service
LIMIT 200`,
		Columns: []Column{
			word("tenant"), word("service"), {Name: "availability", Unit: "percentunit"}, seconds("committed"), seconds("down"), count("outages"),
			seconds("degraded"), seconds("unconfirmed"), seconds("planned"),
		},
	}
}

func outages() Panel {
	return Panel{
		Title: "Outages", Kind: Table, Width: 24, Height: 9,
		What: "Outages that overlap the period, the latest first; at most 100. A proposed one waits for a person to confirm or reject it.", Anchor: "the outage itself: it lies in the period in part or in whole",
		Counted: "of the chosen tenants and services, rejected ones left out; team and priority do not narrow it",
		SQL: `SELECT
    outage AS number,
    tenant,
    service,
    kind,
    state,
    began_at,
    ended_at,
    ` + elapsed("began_at", "coalesce(ended_at, now64(3))") + ` AS lasted,
    cause,
    arrayStringConcat(arrayMap(i -> toString(i), outages.incidents), ', ') AS in_incidents
FROM outages FINAL
WHERE state != 'rejected' AND began_at < $__toTime AND (ended_at IS NULL OR ended_at >= $__fromTime) AND ` + tenantScope + ` AND ` + serviceScope + `
ORDER BY began_at DESC, outage
LIMIT 100`,
		Columns: []Column{
			word("number"), word("tenant"), word("service"), word("kind"), word("state"), word("began_at"), word("ended_at"), seconds("lasted"), word("cause"), word("in_incidents"),
		},
	}
}
