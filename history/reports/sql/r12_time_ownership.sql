-- id: R12
-- name: time_ownership
-- title: Who had the time
-- question: With which team, and waiting for what, did the time of our incidents go?
-- formula: An incident's time from opening to last resolve is cut by who had it; the parts of all teams sum to the whole. A pause is the
--   part in which it was on hold, by reason. Share is of elapsed, business share of business seconds (Mondays to Fridays, 09:00 to
--   17:00 in the zone). These are the incident's own clocks; those of agreements come with R10.
-- anchor: the last resolve of the incident
-- population: incidents resolved in the period, without those that were merged into another, and without cancelled ones. The parameter
--   team picks the incidents that it had last; all who had them are shown
-- zone: cuts the buckets, and says when business hours are
-- columns:
--   bucket | bucket | when the incident was resolved
--   what | text | all, team or pause
--   name | text | of the team (nobody: without one) or the reason of the pause
--   n | count | incidents that it had
--   elapsed | seconds | their time with it, summed
--   business | seconds | of these, in business hours
--   share | ratio | part of the elapsed time of all
--   business_share | ratio | part of the business seconds of all
--   p50 | seconds | elapsed per incident: half were not longer
--   p90 | seconds | nine of ten were not longer
--   gmean | seconds | geometric mean
--   p50_lo | seconds | lower end of the interval of p50
--   p50_hi | seconds | upper end
-- items:
--   number | text | incident
--   origin | text | import that it came from; empty: own
--   title | text | its title
--   priority | count | 1 to 5
--   opened_at | time | opening
--   resolved_at | time | last resolve
--   elapsed | seconds | opening to last resolve
--   teams | text | who had it, in order
--   paused | seconds | on hold
-- chart: bars name: elapsed where what = team; bars name: elapsed where what = pause
-- packs: monthly
WITH
    counted AS
    (
        SELECT opened_at, assumeNotNull(resolved_at) AS at,
            arrayConcat(
                arrayMap(x -> ('team', if(x.1 = '', 'nobody', x.1), x.2, least(ifNull(x.3, at), at)), if(empty(teams), [('', opened_at, NULL)], teams)),
                arrayMap(x -> ('pause', x.1, x.2, least(ifNull(x.3, at), at)), holds)) AS spans
        FROM incidents FINAL
        WHERE {{incident_scope}} AND phase != 'cancelled' AND {{resolved_in_period}}
    ),
    pieces AS
    (
        SELECT at, opened_at, arrayMap(x -> (x.1, x.2, {{elapsed x.3, x.4}}, {{business_seconds x.3, x.4}}), arrayFilter(x -> x.3 <= x.4, spans)) AS pieces
        FROM counted
    ),
    parts AS
    (
        SELECT at, part.1 AS what, part.2 AS name, part.3 AS elapsed, part.4 AS business
        FROM pieces
        ARRAY JOIN arrayMap(k -> (k.1, k.2, arraySum(x -> if((x.1, x.2) = k, x.3, 0), pieces), arraySum(x -> if((x.1, x.2) = k, x.4, 0), pieces)),
            arrayDistinct(arrayMap(x -> (x.1, x.2), pieces))) AS part
        UNION ALL
        SELECT at, 'all', 'all', {{elapsed opened_at, at}}, {{business_seconds opened_at, at}} FROM counted
    ),
    grouped AS
    (
        SELECT bucket, what, name, {{sorted elapsed}} AS xs, sum(elapsed) AS seconds, sum(business) AS business_sum
        FROM
        (
            SELECT {{both at}} AS bucket, what, name, toNullable(elapsed) AS elapsed, toNullable(business) AS business FROM parts
            UNION ALL
            SELECT bucket, 'all', 'all', NULL, NULL FROM {{buckets}}
        )
        GROUP BY bucket, what, name
    )
SELECT
    bucket,
    what,
    name,
    length(xs) AS n,
    if(empty(xs), NULL, seconds) AS elapsed,
    if(empty(xs), NULL, business_sum) AS business,
    seconds / nullIf(maxIf(seconds, what = 'all') OVER (PARTITION BY bucket), 0) AS share,
    business_sum / nullIf(maxIf(business_sum, what = 'all') OVER (PARTITION BY bucket), 0) AS business_share,
    {{p50 xs}} AS p50,
    {{p90 xs}} AS p90,
    {{gmean xs}} AS gmean,
    {{p50_lo xs}} AS p50_lo,
    {{p50_hi xs}} AS p50_hi
FROM grouped
ORDER BY bucket NULLS FIRST, indexOf(['all', 'team', 'pause'], what), seconds DESC, name
-- list
SELECT number, origin, title, priority, opened_at, resolved_at,
    {{elapsed opened_at, resolved_at}} AS elapsed,
    arrayStringConcat(arrayMap(x -> if(x.1 = '', 'nobody', x.1), teams), ' → ') AS teams,
    arraySum(arrayMap(x -> greatest(0, {{elapsed x.2, least(ifNull(x.3, assumeNotNull(resolved_at)), assumeNotNull(resolved_at))}}), holds)) AS paused
FROM incidents FINAL
WHERE {{incident_scope}} AND phase != 'cancelled' AND {{resolved_in_period}}
ORDER BY elapsed DESC, origin, number
