-- id: R15
-- name: reassignment
-- title: First assignment and ping-pong
-- question: Does trouble reach the right team at once, or is it passed around?
-- formula: Incidents that were never passed on after they were first assigned, divided by all. Ping-pong: a team gets back what it gave away
--   to one other team (A, B, A); each counts once per return, without the times in which nobody had it.
-- anchor: the last resolve of the incident
-- population: incidents resolved in the period, without those that were merged into another, and without cancelled ones. The team of a
--   stratum is the first that had it; the parameter team picks by the last
-- zone: cuts the buckets
-- columns:
--   bucket | bucket | when the incident was resolved
--   by | text | all, first team, pair
--   stratum | text | all, the first team (nobody: never assigned), or the two teams of a ping-pong
--   n | count | incidents; pair: those in which it happened
--   first_right | count | never passed on
--   share | ratio | first_right of n
--   lo | ratio | lower end of the interval of share
--   hi | ratio | upper end
--   passes | count | times they were passed on, in all
--   ping_pong | count | incidents with ping-pong
--   returns | count | A, B, A, in all
-- items:
--   number | text | incident
--   origin | text | import that it came from; empty: own
--   title | text | its title
--   priority | count | 1 to 5
--   resolved_at | time | last resolve
--   passes | count | times it was passed on
--   returns | count | A, B, A
--   path | text | the teams that had it, in order
-- chart: line bucket: share where by = all; bars stratum: returns where by = pair
-- packs: monthly
WITH
    counted AS
    (
        SELECT assumeNotNull(resolved_at) AS at, reassignments,
            arrayCompact(arrayFilter(x -> x != '', teams.team)) AS path,
            arrayFilter(i -> path[i] = path[i + 2], range(1, greatest(2, length(path)) - 1)) AS back,
            arrayMap(i -> concat(least(path[i], path[i + 1]), ' ⇄ ', greatest(path[i], path[i + 1])), back) AS pairs
        FROM incidents FINAL
        WHERE {{incident_scope}} AND phase != 'cancelled' AND {{resolved_in_period}}
    ),
    grouped AS
    (
        SELECT bucket, by, stratum, countIf(real) AS n, countIf(real AND reassignments = 0) AS first_right, sum(reassignments) AS passes,
            countIf(times > 0) AS ping_pong, sum(times) AS returns
        FROM
        (
            SELECT bucket, by, stratum, true AS real, reassignments, times
            FROM
            (
                SELECT at, reassignments, path, pairs, length(pairs) AS times FROM counted
            )
            ARRAY JOIN
                [NULL, {{bucket_of at}}, NULL] AS bucket,
                ['all', 'all', 'first team'] AS by,
                ['all', 'all', if(empty(path), 'nobody', path[1])] AS stratum
            UNION ALL
            SELECT NULL, 'pair', pair, true, reassignments, countEqual(pairs, pair)
            FROM counted
            ARRAY JOIN arrayDistinct(pairs) AS pair
            UNION ALL
            SELECT bucket, 'all', 'all', false, 0, 0 FROM {{buckets}}
        )
        GROUP BY bucket, by, stratum
    )
SELECT
    bucket,
    by,
    stratum,
    n,
    first_right,
    {{share first_right, n}} AS share,
    {{wilson_lo first_right, n}} AS lo,
    {{wilson_hi first_right, n}} AS hi,
    passes,
    ping_pong,
    returns
FROM grouped
ORDER BY bucket NULLS FIRST, indexOf(['all', 'first team', 'pair'], by), if(by = 'pair', returns, n) DESC, stratum
-- list
SELECT number, origin, title, priority, resolved_at,
    reassignments AS passes,
    toUInt64(arrayCount(i -> steps[i] = steps[i + 2], range(1, greatest(2, length(arrayCompact(arrayFilter(x -> x != '', teams.team)) AS steps)) - 1))) AS returns,
    arrayStringConcat(steps, ' → ') AS path
FROM incidents FINAL
WHERE {{incident_scope}} AND phase != 'cancelled' AND {{resolved_in_period}}
ORDER BY returns DESC, passes DESC, resolved_at, origin, number
