-- id: R14
-- name: reopen_rate
-- title: Reopened
-- question: How often do we call something solved that is not?
-- formula: Resolves that a reopening followed within 1, 7 and 30 days, divided by all resolves whose days are over (matured); by whom it
--   was resolved. Ever: incidents with any reopening, divided by all: it also knows those of which an import tells only that there were some.
-- anchor: the resolve (each of them: an incident that was resolved twice counts twice); ever: the last resolve
-- population: resolves of incidents that were not merged into another and not cancelled. Resolves whose days are not over count as
--   immature, in no rate. Where an import tells of reopenings and not when they were, its resolves count as immature
--   too, and in "ever"
-- zone: cuts the buckets
-- columns:
--   bucket | bucket | when it was resolved
--   resolver | text | person, machine
--   within | text | 1 day, 7 days, 30 days, ever
--   n | count | matured resolves; ever: incidents
--   reopened | count | of these, reopened in time
--   share | ratio | reopened of n
--   lo | ratio | lower end of the interval of share
--   hi | ratio | upper end
--   immature | count | resolves that are too fresh to tell, or of which an import does not tell
-- items:
--   number | text | incident
--   origin | text | import that it came from; empty: own
--   title | text | its title
--   priority | count | 1 to 5
--   team | text | who had it last
--   resolved | time | the resolve
--   resolver | text | person, machine
--   reopened_at | time | the reopening after it; empty: none
--   open_again_after | seconds | from the resolve to it
-- chart: line bucket by within: share where resolver = person; bars within: share where resolver = machine
-- packs: monthly
WITH
    -- Imports that know how often, and of nothing when.
    timeless AS
    (
        SELECT tenant, origin
        FROM incidents FINAL
        WHERE origin != '' AND {{tenant_scope tenant}}
        GROUP BY tenant, origin
        HAVING sum(reopen_count) > 0 AND sum(length(reopens)) = 0
    ),
    counted AS
    (
        SELECT if(empty(resolves) AND resolved_at IS NOT NULL, [(assumeNotNull(resolved_at), resolved_human)], resolves) AS ends, reopens, resolved_at,
            resolved_human, reopen_count, reopen_count <= length(reopens) AND (tenant, origin) NOT IN timeless AS told
        FROM incidents FINAL
        WHERE {{incident_scope}} AND phase != 'cancelled'
    ),
    resolved AS
    (
        SELECT told, end.1 AS at, end.2 AS human, arrayFirstOrNull(x -> x >= end.1, reopens) AS again
        FROM counted
        ARRAY JOIN ends AS end
        WHERE {{in_period at}}
    ),
    grouped AS
    (
        SELECT bucket, human, days, countIf(real AND (days = 0 OR matured)) AS n, countIf(real AND days != 0 AND NOT matured) AS immature,
            countIf(real AND (days = 0 OR matured) AND back) AS reopened
        FROM
        (
            SELECT {{both at}} AS bucket, human, days, true AS real, told AND at + toIntervalDay(days) <= now64(3) AS matured, ifNull(again <= at + toIntervalDay(days), false) AS back
            FROM resolved
            ARRAY JOIN [1, 7, 30] AS days
            UNION ALL
            SELECT {{both assumeNotNull(resolved_at)}} AS bucket, resolved_human, 0, true, true, reopen_count > 0
            FROM counted
            WHERE {{in_period resolved_at}}
            UNION ALL
            SELECT bucket, human, days, false, false, false
            FROM {{buckets}}
            ARRAY JOIN [true, true, true, true, false, false, false, false] AS human, [1, 7, 30, 0, 1, 7, 30, 0] AS days
        )
        GROUP BY bucket, human, days
    )
SELECT
    bucket,
    if(human, 'person', 'machine') AS resolver,
    transform(days, [1, 7, 30], ['1 day', '7 days', '30 days'], 'ever') AS within,
    n,
    reopened,
    {{share reopened, n}} AS share,
    {{wilson_lo reopened, n}} AS lo,
    {{wilson_hi reopened, n}} AS hi,
    immature
FROM grouped
ORDER BY bucket NULLS FIRST, human DESC, if(days = 0, 99, days)
-- list
SELECT number, origin, title, priority, team, end.1 AS resolved, if(end.2, 'person', 'machine') AS resolver,
    arrayFirstOrNull(x -> x >= end.1, reopens) AS reopened_at,
    {{elapsed end.1, reopened_at}} AS open_again_after
FROM incidents FINAL
ARRAY JOIN if(empty(resolves) AND resolved_at IS NOT NULL, [(assumeNotNull(resolved_at), resolved_human)], resolves) AS end
WHERE {{incident_scope}} AND phase != 'cancelled' AND {{in_period end.1}}
ORDER BY reopened_at IS NULL, resolved, origin, number
