-- Pieces that the reports share. A report names one as {{name argument, argument}}; what people are shown has them put in.

-- fragment: in_period(x)
-- Whether an instant lies in the period.
($x >= {from:DateTime64(3, 'UTC')} AND $x < {to:DateTime64(3, 'UTC')})

-- fragment: resolved_in_period
-- Whether a row of incidents was resolved in the period. The second half says the same of what has no NULL, and has an index (by_resolved).
({{in_period resolved_at}} AND {{in_period ifNull(resolved_at, toDateTime64(0, 3, 'UTC'))}})

-- fragment: tenant_scope(x)
-- Whether a tenant is meant.
({tenant:String} = '' OR $x = {tenant:String})

-- fragment: incident_scope
-- Whether a row of incidents is meant: merged ones never, their survivor stands for them.
(merged_into = 0
    AND ({tenant:String} = '' OR tenant = {tenant:String})
    AND ({service:String} = '' OR has(services, {service:String}))
    AND ({team:String} = '' OR team = {team:String})
    AND ({priority:UInt8} = 0 OR priority = {priority:UInt8}))

-- fragment: narrowed
-- Whether something narrows to incidents.
({service:String} != '' OR {team:String} != '' OR {priority:UInt8} != 0)

-- fragment: alerts_of_incidents
-- Alerts that have ever been in an incident of the service, team and priority.
(
    SELECT shard, alert
    FROM members
    WHERE (shard, toUInt64(incident)) IN
    (
        SELECT shard, incident
        FROM incidents FINAL
        WHERE origin = ''
            AND ({service:String} = '' OR has(services, {service:String}))
            AND ({team:String} = '' OR team = {team:String})
            AND ({priority:UInt8} = 0 OR priority = {priority:UInt8})
    )
)

-- fragment: alert_scope
-- Whether a row of transitions is meant. Service, team and priority are those of an incident that the alert has been in.
({{tenant_scope tenant}} AND (NOT {{narrowed}} OR (shard, alert) IN {{alerts_of_incidents}}))

-- fragment: kept_members(condition)
-- Alerts in incidents, one row for each time that one began to fire, under the incident that it is in for good: what rules and people did
-- later is in it, however much later.
(
    SELECT here.shard AS shard, here.incident AS incident, here.alert AS alert, here.occurrence AS occurrence, here.firing_at AS opened_at,
        if(here.phase = 'firing', NULL, here.ended_at) AS ended_at
    FROM (SELECT * FROM members FINAL WHERE $condition) AS here
    LEFT JOIN (SELECT shard, alert, occurrence, max(place) AS moved FROM moves GROUP BY shard, alert, occurrence) AS away
        ON away.shard = here.shard AND away.alert = here.alert AND away.occurrence = here.occurrence
    WHERE away.moved <= here.place
)

-- fragment: grouped_openings
-- The alerts opened in the period that are in an incident.
{{kept_members {{in_period firing_at}}
    AND ({tenant:String} = '' OR (shard, toUInt64(incident)) IN (SELECT shard, incident FROM incidents WHERE origin = '' AND tenant = {tenant:String}))
    AND (NOT {{narrowed}} OR (shard, alert) IN {{alerts_of_incidents}})}}

-- fragment: lives_of_one_name(which, having)
-- Incidents all whose alerts have one name, with how long the longest of them lasted. Names as numbers (kind): the alerts of an incident are many,
-- and texts are dear.
(
    SELECT
        k.shard AS shard, k.incident AS incident, count() AS alerts, min(a.kind) AS kind, max(a.kind) AS other,
        max(if(k.ended_at IS NULL, inf, dateDiff('millisecond', k.opened_at, k.ended_at) / 1000)) AS longest
    FROM {{kept_members $which}} AS k
    INNER JOIN (SELECT shard, alert, cityHash64(any(toString(name))) AS kind FROM alerts GROUP BY shard, alert) AS a ON a.shard = k.shard AND a.alert = k.alert
    GROUP BY shard, incident
    HAVING kind = other AND $having
)

-- fragment: names_of_kinds
-- The names that stand for those numbers.
(SELECT cityHash64(toString(alerts.name)) AS kind, any(toString(alerts.name)) AS name FROM alerts GROUP BY kind)

-- fragment: first_messages
-- When somebody was first told of an incident.
(
    SELECT shard, incident, toNullable(min(at)) AS told_at
    FROM notifications
    WHERE incident != 0 AND at >= {from:DateTime64(3, 'UTC')}
    GROUP BY shard, incident
)

-- fragment: outages_of_incidents
-- When the first confirmed outage behind an incident began.
(
    SELECT shard, arrayJoin(incidents) AS incident, toNullable(min(began_at)) AS broken_at
    FROM outages FINAL
    WHERE state = 'confirmed' AND kind != 'planned'
    GROUP BY shard, incident
)

-- fragment: heartbeats
-- Senders that were expected, until end_at, with when they fell silent and came back.
(
    SELECT
        tenant, shard, id, argMax(toString(source), (at, seq, n)) AS source, argMax(name, (at, seq, n)) AS name,
        greatest(min(at), {from:DateTime64(3, 'UTC')}) AS made_at,
        if(argMax(kind, (at, seq, n)) = 'heartbeat_dropped', max(at), end_at) AS dropped_at,
        arraySort(groupArrayIf((at, since), kind = 'heartbeat_lost')) AS losses,
        arraySort(groupArrayIf(at, kind IN ('heartbeat_back', 'heartbeat_dropped'))) AS returns
    FROM log FINAL
    WHERE kind IN ('heartbeat_set', 'heartbeat_lost', 'heartbeat_back', 'heartbeat_dropped') AND at < end_at AND {{tenant_scope tenant}}
    GROUP BY tenant, shard, id
)

-- fragment: known_items
-- Configuration items as they were known at the end of the period, those that were there.
(
    SELECT tenant, id, argMax(class, (known_at, shard, seq, n)) AS class, argMax(name, (known_at, shard, seq, n)) AS name,
        argMax(state, (known_at, shard, seq, n)) AS state, argMax(source, (known_at, shard, seq, n)) AS source, max(known_at) AS changed_at
    FROM cis
    WHERE known_at < {to:DateTime64(3, 'UTC')} AND {{tenant_scope tenant}}
    GROUP BY tenant, id
    HAVING NOT argMax(gone, (known_at, shard, seq, n))
)

-- fragment: alarming_items
-- Items to which an alert was bound that said something in the period.
(SELECT toString(tenant), toString(ci) FROM transitions WHERE ci != '' AND {{in_period at}} AND {{tenant_scope tenant}} GROUP BY tenant, ci)

-- fragment: thing
-- What a row of transitions is about, as a number: its item, else what its labels call it. Groups by a number cost half of those by text.
if(transitions.ci != '', cityHash64(transitions.ci), cityHash64(transitions.resource))

-- fragment: thing_name
-- The same in words, of a group of rows that are about one thing.
if(max(transitions.ci) != '', toString(max(transitions.ci)), toString(any(transitions.resource)))

-- fragment: local_date(x)
-- The date of an instant in the zone.
toDate($x, {zone:String})

-- fragment: bucket_of_date(d)
-- The date at which the bucket of a local date begins; weeks begin on Mondays.
multiIf({bucket:String} = 'month', toStartOfMonth($d), {bucket:String} = 'week', toMonday($d), $d)

-- fragment: bucket_of(x)
-- The local date at which the bucket of an instant begins.
{{bucket_of_date toDate($x, {zone:String})}}

-- fragment: bucket_start(b)
-- The instant at which a bucket begins: its local midnight.
toDateTime64(toDateTime($b, {zone:String}), 3, 'UTC')

-- fragment: bucket_end(b)
-- The instant at which a bucket ends.
toDateTime64(toDateTime(multiIf({bucket:String} = 'month', $b + toIntervalMonth(1), {bucket:String} = 'week', $b + toIntervalWeek(1), $b + toIntervalDay(1)), {zone:String}), 3, 'UTC')

-- fragment: bucket_dates
-- All buckets that the period touches, in order.
arrayDistinct(arrayMap(i -> {{bucket_of_date (toDate({from:DateTime64(3, 'UTC')}, {zone:String}) + i)}},
    range(toUInt32(1 + toDate({to:DateTime64(3, 'UTC')} - toIntervalMillisecond(1), {zone:String}) - toDate({from:DateTime64(3, 'UTC')}, {zone:String})))))

-- fragment: buckets
-- All buckets that the period touches, and NULL for the whole of it: what a trend is joined to, so that empty buckets have rows.
(SELECT arrayJoin(arrayConcat([CAST(NULL, 'Nullable(Date)')], {{bucket_dates}})) AS bucket)

-- fragment: both(x)
-- NULL and the bucket of an instant: a row counts in the whole period and in its bucket. Group by it.
arrayJoin([CAST(NULL, 'Nullable(Date)'), toNullable({{bucket_of $x}})])

-- fragment: elapsed(a, b)
-- Seconds from a to b.
(dateDiff('millisecond', $a, $b) / 1000)

-- fragment: share(part, whole)
-- A quotient that is NULL where there is nothing to divide by.
if($whole = 0, NULL, $part / $whole)

-- fragment: wilson_lo(part, whole)
-- Lower end of the 95 % interval of a share (Wilson's score). The arguments are named once: the planner takes long over what stands there often.
if($whole = 0, NULL, arrayMap((k, n) -> greatest(0, (least(k, n) + 1.9207294 - 1.9599640 * sqrt(least(k, n) * (1 - least(k, n) / n) + 0.9603647)) / (n + 3.8414588)),
    [toFloat64($part)], [toFloat64($whole)])[1])

-- fragment: wilson_hi(part, whole)
-- Upper end of it.
if($whole = 0, NULL, arrayMap((k, n) -> least(1, (least(k, n) + 1.9207294 + 1.9599640 * sqrt(least(k, n) * (1 - least(k, n) / n) + 0.9603647)) / (n + 3.8414588)),
    [toFloat64($part)], [toFloat64($whole)])[1])

-- fragment: sorted(x)
-- The values of a group that are not NULL, in order: what the next ones take.
arraySort(groupArray($x))

-- fragment: quantile(sorted, part, whole)
-- The smallest value that part/whole of the values do not exceed: one that was observed.
if(empty($sorted), NULL, $sorted[intDiv(length($sorted) * $part + $whole - 1, $whole)])

-- fragment: p50(sorted)
{{quantile $sorted, 1, 2}}

-- fragment: p90(sorted)
{{quantile $sorted, 9, 10}}

-- fragment: p50_lo(sorted)
-- Lower end of the 95 % interval of the median, by binomial order statistics; there is none below 6 values.
if(length($sorted) < 6, NULL, $sorted[toUInt64(floor((length($sorted) + 1) / 2 - 0.9799820 * sqrt(length($sorted))))])

-- fragment: p50_hi(sorted)
-- Upper end of it.
if(length($sorted) < 6, NULL, $sorted[length($sorted) + 1 - toUInt64(floor((length($sorted) + 1) / 2 - 0.9799820 * sqrt(length($sorted))))])

-- fragment: gmean(sorted)
-- Geometric mean of durations; less than a second counts as one.
if(empty($sorted), NULL, exp(arrayAvg(arrayMap(x -> log(greatest(x, 1)), $sorted))))

-- fragment: business_clock(x)
-- Business seconds (Mondays to Fridays, 09:00 to 17:00 on the zone's clocks) from long ago to x.
((intDiv(toUInt32(toDate($x, {zone:String})) + 3, 7) * 5 + least(5, (toUInt32(toDate($x, {zone:String})) + 3) % 7)) * 28800
    + if((toUInt32(toDate($x, {zone:String})) + 3) % 7 >= 5, 0, least(28800, greatest(0,
        toHour($x, {zone:String}) * 3600 + toMinute($x, {zone:String}) * 60 + toSecond($x, {zone:String}) + toUnixTimestamp64Milli($x) % 1000 / 1000 - 32400))))

-- fragment: business_seconds(a, b)
-- Business seconds from a to b.
({{business_clock $b}} - {{business_clock $a}})

-- fragment: hour_of_week(x)
-- 0 for Monday 00:00–00:59 in the zone, 167 for Sunday 23:00–23:59.
((toDayOfWeek($x, 0, {zone:String}) - 1) * 24 + toHour($x, {zone:String}))

-- fragment: outage_states
-- The lives of services, cut wherever something begins or ends: what held from at to till (states). What is down
-- belongs to a stretch of down time, from began_at to over_at. A service is what the catalogue or an outage names; where the catalogue never
-- had it in use it counts as always there. Several CTEs.
lives AS
(
    SELECT tenant, service, outages, title, rto, if(used, first_use, toDateTime64(0, 3, 'UTC')) AS born, if(used, last_use, toDateTime64('2120-01-01', 3, 'UTC')) AS gone
    FROM
    (
        SELECT tenant, service, outages, v[length(v)].5 AS title, v[length(v)].6['team'] AS team,
            arraySum(x -> toFloat64(x[1]) * transform(x[2], ['w', 'd', 'h', 'm', 's', 'ms'], [604800, 86400, 3600, 60, 1, 0.001], 0),
                extractAllGroupsVertical(v[length(v)].6['rto'], '([0-9.]+)(ms|w|d|h|m|s)')) AS rto,
            arrayMin(arrayMap(x -> if(x.7 OR x.8, toDateTime64('2120-01-01', 3, 'UTC'), x.4), v)) AS first_use,
            if(last = 0, toDateTime64(0, 3, 'UTC'), if(last = length(v), toDateTime64('2120-01-01', 3, 'UTC'), v[last + 1].4)) AS last_use,
            notEmpty(v) AND first_use < last_use AS used
        FROM
        (
            SELECT tenant, service, arraySort(groupArrayIf(version, is_version)) AS v, arrayLastIndex(x -> NOT x.7, v) AS last, groupArrayIf(made, NOT is_version) AS outages
            FROM
            (
                SELECT tenant, id AS service, true AS is_version,
                    (known_at, seq, n, valid_from, name, attributes, gone OR state = 'retired', state = 'ordered') AS version,
                    (toDateTime64(0, 3, 'UTC'), toDateTime64(0, 3, 'UTC'), 0, 0, 0, 0, toUInt32(0), '') AS made
                FROM cis
                WHERE class = 'service' AND {{tenant_scope tenant}} AND ({service:String} = '' OR id = {service:String})
                UNION ALL
                SELECT tenant, service, false,
                    (began_at, toUInt64(0), toUInt32(0), began_at, '', CAST(map(), 'Map(LowCardinality(String), String)'), false, false),
                    (began_at, ifNull(ended_at, toDateTime64('2120-01-01', 3, 'UTC')),
                        toInt8(state = 'confirmed' AND kind = 'planned' AND known_at < began_at),
                        toInt8(state = 'confirmed' AND (kind = 'down' OR kind = 'planned' AND known_at >= began_at)),
                        toInt8(state = 'confirmed' AND kind = 'degraded'),
                        toInt8(state = 'proposed' AND kind != 'planned'),
                        outage, cause)
                FROM outages FINAL
                WHERE state != 'rejected' AND began_at < now64(3) AND ifNull(ended_at > began_at, true) AND {{tenant_scope tenant}}
                    AND ({service:String} = '' OR service = {service:String})
            )
            GROUP BY tenant, service
        )
    )
    WHERE (used OR notEmpty(outages)) AND ({team:String} = '' OR team = {team:String})
),
points AS
(
    SELECT tenant, service, any(title) AS title, any(rto) AS rto, point.1 AS at, sum(point.2) AS alive, sum(point.3) AS planned, sum(point.4) AS down,
        sum(point.5) AS degraded, sum(point.6) AS proposed
    FROM lives
    ARRAY JOIN arrayConcat([(born, 1, 0, 0, 0, 0), (gone, -1, 0, 0, 0, 0)],
        arrayMap(x -> (x.1, 0, x.3, x.4, x.5, x.6), outages), arrayMap(x -> (x.2, 0, -x.3, -x.4, -x.5, -x.6), outages)) AS point
    GROUP BY tenant, service, at
),
states AS
(
    SELECT tenant, service, title, rto, at, till, committed, is_planned, is_down, is_degraded, is_proposed, stretch,
        min(at) OVER v AS began_at, max(till) OVER v AS over_at
    FROM
    (
        SELECT *, sum(is_down AND NOT was_down) OVER (PARTITION BY tenant, service ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS stretch
        FROM
        (
            SELECT *, lagInFrame(is_down, 1, 0) OVER (PARTITION BY tenant, service ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS was_down
            FROM
            (
                SELECT tenant, service, title, rto, at, till, exists_then AND planned_now = 0 AS committed, exists_then AND planned_now > 0 AS is_planned,
                    committed AND down_now > 0 AS is_down, committed AND down_now = 0 AND degraded_now > 0 AS is_degraded,
                    committed AND down_now = 0 AND proposed_now > 0 AS is_proposed
                FROM
                (
                    SELECT tenant, service, title, rto, at, sum(alive) OVER w > 0 AS exists_then, sum(planned) OVER w AS planned_now, sum(down) OVER w AS down_now,
                        sum(degraded) OVER w AS degraded_now, sum(proposed) OVER w AS proposed_now,
                        leadInFrame(at, 1, at) OVER (PARTITION BY tenant, service ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS till
                    FROM points
                    WINDOW w AS (PARTITION BY tenant, service ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
                )
            )
        )
    )
    WINDOW v AS (PARTITION BY tenant, service, is_down, stretch)
)

-- fragment: interruptions
-- Messages of the period that interrupt somebody, and what time it was for them: a CTE.
interruptions AS
(
    SELECT at, team, person, kind, subject, step,
        multiIf(toHour(at, {zone:String}) >= 22 OR toHour(at, {zone:String}) < 8, 'asleep',
            toDayOfWeek(at, 0, {zone:String}) <= 5 AND toHour(at, {zone:String}) >= 9 AND toHour(at, {zone:String}) < 17, 'business', 'off hours') AS hours
    FROM notifications FINAL
    WHERE rings AND {{in_period at}} AND {{tenant_scope tenant}} AND ({team:String} = '' OR team = {team:String}) AND ({person:String} = '' OR person = {person:String})
)
