-- id: R17
-- name: backlog
-- title: Backlog
-- question: Are we keeping up, and what has been lying around?
-- formula: Open at the end of a bucket: opened by then, and by then neither resolved (and not reopened), cancelled, closed nor merged. Ages
--   are since the opening, in whole days; stale is open without any change for 5 and 30 days. Net flow is opened minus resolved; the
--   backlog changes by it, by reopenings and by what was cancelled or merged.
-- anchor: open, ages and stale: the last millisecond of the bucket, of the period for the whole, and now where that is still to come;
--   opened: the opening; resolved: the last resolve
-- population: all incidents; merged and cancelled ones as long as they were open. Opened and resolved leave them out. Priority, team and
--   services are today's
-- zone: cuts the buckets
-- columns:
--   bucket | bucket | at whose end it is counted
--   stratum | text | all, or the priority
--   n | count | open
--   under_1_day | count | open for less than a day
--   days_1_5 | count | 1 to 5 days
--   days_6_30 | count | 6 to 30 days
--   days_31_90 | count | 31 to 90 days
--   over_90_days | count | more than 90 days
--   stale_5 | count | open and unchanged for 5 days or more
--   stale_30 | count | for 30 days or more
--   opened | count | opened in the bucket
--   resolved | count | resolved in the bucket
--   net | number | opened minus resolved
-- items:
--   number | text | incident, open at the end of the period
--   origin | text | import that it came from; empty: own
--   title | text | its title
--   priority | count | 1 to 5
--   team | text | who has it
--   assignee | text | person who has it
--   opened_at | time | opening
--   age | seconds | since the opening
-- chart: line bucket: n, stale_5 where stratum = all; line bucket: opened, resolved where stratum = all
-- packs: monthly
WITH
    toDateTime64('2120-01-01', 3, 'UTC') AS never,
    meant AS
    (
        SELECT origin, shard, incident, concat('P', toString(priority)) AS level, opened_at,
            arrayConcat([opened_at], reopens) AS starts,
            arrayMap(x -> x.1, resolves) AS ends,
            if(phase IN ('cancelled', 'merged'), ifNull(closed_at, opened_at), ifNull(resolved_at, ifNull(closed_at, never))) AS over,
            if(merged_into = 0 AND phase != 'cancelled' AND {{in_period opened_at}}, opened_at, NULL) AS flow_in,
            if(merged_into = 0 AND phase != 'cancelled' AND {{resolved_in_period}}, resolved_at, NULL) AS flow_out
        FROM incidents FINAL
        WHERE opened_at < {to:DateTime64(3, 'UTC')} AND over >= {from:DateTime64(3, 'UTC')} AND {{tenant_scope tenant}}
            AND ({service:String} = '' OR has(services, {service:String}))
            AND ({team:String} = '' OR team = {team:String})
            AND ({priority:UInt8} = 0 OR priority = {priority:UInt8})
    ),
    spans AS
    (
        SELECT origin, shard, incident, level, opened_at, span.1 AS since, span.2 AS until
        FROM meant
        ARRAY JOIN arrayMap(i -> (starts[i], if(i <= length(ends), ends[i], over)), arrayEnumerate(starts)) AS span
        WHERE since < {to:DateTime64(3, 'UTC')} AND until > {from:DateTime64(3, 'UTC')}
            AND (until >= {to:DateTime64(3, 'UTC')} OR {{bucket_of greatest(since, {from:DateTime64(3, 'UTC')})}} != {{bucket_of until}})
    ),
    -- Nothing else can have been quiet for 5 days.
    slow AS (SELECT origin, shard, incident, level FROM meant WHERE over >= opened_at + toIntervalDay(5)),
    quiet AS
    (
        SELECT level, gaps.at AS since, till AS until
        FROM
        (
            SELECT origin, shard, incident, at, phase, leadInFrame(at, 1, never) OVER (PARTITION BY origin, shard, incident ORDER BY at, seq, n
                ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS till
            FROM incident_versions
            WHERE at < {to:DateTime64(3, 'UTC')} AND (origin, shard, incident) IN (SELECT origin, shard, incident FROM slow)
        ) AS gaps
        INNER JOIN slow USING (origin, shard, incident)
        WHERE phase = 'open' AND till >= gaps.at + toIntervalDay(5) AND till > {from:DateTime64(3, 'UTC')}
    ),
    steps AS
    (
        SELECT level, class, greatest(since, opened_at + toIntervalDay(days)) AS from_at, until AS until_at
        FROM spans
        ARRAY JOIN [0, 1, 6, 31, 91] AS days, [1, 2, 3, 4, 5] AS class
        WHERE from_at < until
        UNION ALL
        SELECT level, class, since + toIntervalDay(days) AS from_at, until
        FROM quiet
        ARRAY JOIN [5, 30] AS days, [6, 7] AS class
        WHERE from_at < until
    ),
    deltas AS
    (
        SELECT {{bucket_of greatest(event.1, {from:DateTime64(3, 'UTC')})}} AS bucket, level, class, sum(event.2) AS delta
        FROM steps
        ARRAY JOIN [(from_at, 1), (until_at, -1)] AS event
        WHERE event.1 < {to:DateTime64(3, 'UTC')}
        GROUP BY bucket, level, class
        UNION ALL
        SELECT assumeNotNull({{bucket_of flow.1}}) AS bucket, level, flow.2, toInt64(count())
        FROM meant
        ARRAY JOIN [(flow_in, 8), (flow_out, 9)] AS flow
        WHERE flow.1 IS NOT NULL
        GROUP BY bucket, level, flow.2
    ),
    changes AS
    (
        SELECT assumeNotNull(bucket) AS date, stratum, sumIf(delta, class = 1) AS a0, sumIf(delta, class = 2) AS a1, sumIf(delta, class = 3) AS a6,
            sumIf(delta, class = 4) AS a31, sumIf(delta, class = 5) AS a91, sumIf(delta, class = 6) AS s5, sumIf(delta, class = 7) AS s30,
            sumIf(delta, class = 8) AS opened, sumIf(delta, class = 9) AS resolved
        FROM
        (
            SELECT bucket, stratum, class, delta FROM deltas ARRAY JOIN ['all', level] AS stratum
            UNION ALL
            SELECT bucket, stratum, 0, 0 FROM {{buckets}} ARRAY JOIN ['all', 'P1', 'P2', 'P3', 'P4', 'P5'] AS stratum WHERE bucket IS NOT NULL
        )
        GROUP BY date, stratum
    ),
    levels AS
    (
        SELECT date, stratum, sum(a0) OVER w AS at_least_0, sum(a1) OVER w AS at_least_1, sum(a6) OVER w AS at_least_6, sum(a31) OVER w AS at_least_31,
            sum(a91) OVER w AS at_least_91, sum(s5) OVER w AS stale_5, sum(s30) OVER w AS stale_30, opened, resolved
        FROM changes
        WINDOW w AS (PARTITION BY stratum ORDER BY date ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    )
SELECT bucket, stratum,
    toUInt64(argMax(at_least_0, date)) AS n,
    toUInt64(argMax(at_least_0 - at_least_1, date)) AS under_1_day,
    toUInt64(argMax(at_least_1 - at_least_6, date)) AS days_1_5,
    toUInt64(argMax(at_least_6 - at_least_31, date)) AS days_6_30,
    toUInt64(argMax(at_least_31 - at_least_91, date)) AS days_31_90,
    toUInt64(argMax(at_least_91, date)) AS over_90_days,
    toUInt64(argMax(levels.stale_5, date)) AS stale_5,
    toUInt64(argMax(levels.stale_30, date)) AS stale_30,
    toUInt64(sum(levels.opened)) AS opened,
    toUInt64(sum(levels.resolved)) AS resolved,
    toInt64(opened) - toInt64(resolved) AS net
FROM levels
ARRAY JOIN [toNullable(date), NULL] AS bucket
WHERE bucket IS NULL OR {{bucket_start date}} <= now64(3)
GROUP BY bucket, stratum
ORDER BY bucket NULLS FIRST, stratum != 'all', stratum
-- list
SELECT number, origin, title, priority, team, assignee, opened_at, {{elapsed opened_at, least({to:DateTime64(3, 'UTC')}, now64(3))}} AS age
FROM
(
    SELECT number, origin, title, priority, team, assignee, opened_at,
        arrayConcat([opened_at], reopens) AS starts,
        arrayMap(x -> x.1, resolves) AS ends,
        if(phase IN ('cancelled', 'merged'), ifNull(closed_at, opened_at), ifNull(resolved_at, ifNull(closed_at, toDateTime64('2120-01-01', 3, 'UTC')))) AS over
    FROM incidents FINAL
    WHERE opened_at < {to:DateTime64(3, 'UTC')} AND over >= {to:DateTime64(3, 'UTC')} AND {{tenant_scope tenant}}
        AND ({service:String} = '' OR has(services, {service:String}))
        AND ({team:String} = '' OR team = {team:String})
        AND ({priority:UInt8} = 0 OR priority = {priority:UInt8})
)
WHERE arrayExists(i -> starts[i] < {to:DateTime64(3, 'UTC')} AND if(i <= length(ends), ends[i], over) >= {to:DateTime64(3, 'UTC')}, arrayEnumerate(starts))
ORDER BY opened_at, origin, number
