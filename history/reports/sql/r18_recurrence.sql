-- id: R18
-- name: recurrence
-- title: What keeps coming back
-- question: How much of our trouble have we seen before, and which trouble costs the most time?
-- formula: Recurring: the same signature (what happened where) had opened an incident in the 30 days before. By signature: the time lost is
--   opening to last resolve, of open ones to the end of the period or now; sorted by it, with the part of all and the running sum
--   (Pareto). Frequent: 20 % of all incidents or more; rare: 5 % or less; else regular. The 50 signatures that cost most, and the rest as one.
-- anchor: the opening of the incident
-- population: incidents opened in the period, without those that were merged into another, and without cancelled ones, which were not seen
--   before either. What was seen before counts whatever its service, team and priority
-- zone: cuts the buckets
-- columns:
--   bucket | bucket | when the incident was opened
--   by | text | all, signature, rest
--   title | text | of the newest with the signature; all; rest
--   ci | text | item of the newest
--   n | count | incidents
--   recurring | count | of these, seen in the 30 days before
--   share | ratio | recurring of n
--   lo | ratio | lower end of the interval of share
--   hi | ratio | upper end
--   lost | seconds | time lost, summed
--   lost_share | ratio | of the time that all lost
--   running | ratio | of this signature and those above it
--   of_all | ratio | n of all incidents
--   class | text | frequent, regular, rare
-- items:
--   number | text | incident
--   origin | text | import that it came from; empty: own
--   title | text | its title
--   ci | text | its item
--   priority | count | 1 to 5
--   opened_at | time | opening
--   resolved_at | time | last resolve; empty: open
--   seen_at | time | when the same was last opened before; empty: not in the 30 days before
--   lost | seconds | time lost
-- chart: line bucket: share where by = all; bars title: lost where by = signature
-- packs: monthly
WITH
    least({to:DateTime64(3, 'UTC')}, now64(3)) AS until,
    seen AS
    (
        SELECT signature, opened_at, lost, signature != 0 AND before >= opened_at - toIntervalDay(30) AS again
        FROM
        (
            SELECT signature, opened_at, {{incident_scope}} AS in_scope,
                {{elapsed opened_at, greatest(opened_at, ifNull(resolved_at, ifNull(closed_at, until)))}} AS lost,
                lagInFrame(opened_at, 1, toDateTime64(0, 3, 'UTC')) OVER (PARTITION BY signature ORDER BY opened_at, incident
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before
            FROM incidents FINAL
            WHERE merged_into = 0 AND phase != 'cancelled' AND {{tenant_scope tenant}}
                AND opened_at >= {from:DateTime64(3, 'UTC')} - toIntervalDay(30) AND opened_at < {to:DateTime64(3, 'UTC')}
        )
        WHERE in_scope AND {{in_period opened_at}}
    ),
    grouped AS
    (
        SELECT bucket, signature, grouping(signature) = 1 AS is_trend, countIf(real) AS n, countIf(real AND again) AS recurring, sum(lost) AS seconds
        FROM
        (
            SELECT toNullable({{bucket_of opened_at}}) AS bucket, signature, true AS real, again, lost FROM seen
            UNION ALL
            SELECT bucket, 0, false, false, 0 FROM {{buckets}} WHERE bucket IS NOT NULL
        )
        GROUP BY GROUPING SETS ((), (bucket), (signature))
    ),
    ranked AS
    (
        SELECT bucket, signature, is_trend, n, recurring, seconds,
            row_number() OVER w AS place, sum(seconds) OVER w AS running, sum(seconds) OVER (PARTITION BY is_trend) AS all_seconds, sum(n) OVER (PARTITION BY is_trend) AS total
        FROM grouped
        WHERE is_trend OR n > 0
        WINDOW w AS (PARTITION BY is_trend ORDER BY seconds DESC, n DESC, signature ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    ),
    folded AS
    (
        SELECT bucket, level, shown, sum(n) AS n, sum(recurring) AS recurring, sum(seconds) AS lost, any(all_seconds) AS all_lost, max(running) AS running_lost,
            any(total) AS total, min(place) AS place
        FROM
        (
            SELECT bucket, multiIf(is_trend, 'all', place <= 50, 'signature', 'rest') AS level, if(level = 'signature', signature, 0) AS shown, n, recurring, seconds,
                if(is_trend, seconds, all_seconds) AS all_seconds, if(is_trend, seconds, running) AS running, if(is_trend, n, total) AS total, if(is_trend, 0, place) AS place
            FROM ranked
        )
        GROUP BY bucket, level, shown
    ),
    newest AS
    (
        SELECT signature, argMax(title, (opened_at, incident)) AS title, argMax(ci, (opened_at, incident)) AS ci
        FROM incidents FINAL
        WHERE {{incident_scope}} AND phase != 'cancelled' AND {{in_period opened_at}}
        GROUP BY signature
    )
SELECT
    folded.bucket AS bucket,
    level AS by,
    if(level = 'signature', newest.title, level) AS title,
    if(level = 'signature', newest.ci, '') AS ci,
    folded.n AS n,
    folded.recurring AS recurring,
    {{share recurring, n}} AS share,
    {{wilson_lo recurring, n}} AS lo,
    {{wilson_hi recurring, n}} AS hi,
    if(n = 0, NULL, folded.lost) AS lost,
    {{share folded.lost, all_lost}} AS lost_share,
    {{share running_lost, all_lost}} AS running,
    {{share n, total}} AS of_all,
    multiIf(level != 'signature', '', n >= 0.2 * total, 'frequent', n <= 0.05 * total, 'rare', 'regular') AS class
FROM folded
LEFT JOIN newest ON newest.signature = folded.shown AND folded.level = 'signature'
ORDER BY bucket NULLS FIRST, place
-- list
SELECT number, origin, title, ci, priority, opened_at, resolved_at,
    if(signature != 0 AND before >= opened_at - toIntervalDay(30), before, NULL) AS seen_at,
    {{elapsed opened_at, greatest(opened_at, ifNull(resolved_at, ifNull(closed_at, least({to:DateTime64(3, 'UTC')}, now64(3)))))}} AS lost
FROM
(
    SELECT number, origin, signature, opened_at, title, ci, priority, resolved_at, closed_at, {{incident_scope}} AS in_scope,
        lagInFrame(opened_at, 1, toDateTime64(0, 3, 'UTC')) OVER (PARTITION BY signature ORDER BY opened_at, incident
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before
    FROM incidents FINAL
    WHERE merged_into = 0 AND phase != 'cancelled' AND {{tenant_scope tenant}}
        AND opened_at >= {from:DateTime64(3, 'UTC')} - toIntervalDay(30) AND opened_at < {to:DateTime64(3, 'UTC')}
)
WHERE in_scope AND {{in_period opened_at}}
ORDER BY lost DESC, origin, number
