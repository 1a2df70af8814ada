-- id: R16
-- name: first_time_fix
-- title: Fixed the first time
-- question: Does it stay fixed?
-- formula: Incidents that were never reopened and whose signature (what happened where) opened no other incident within 14 days of the last
--   resolve, divided by all whose 14 days are over (matured); by who resolved them.
-- anchor: the last resolve of the incident
-- population: incidents resolved in the period, without those that were merged into another, and without cancelled ones, which are no
--   recurrence either. Those whose 14 days are not over count as immature, in no rate
-- zone: cuts the buckets
-- columns:
--   bucket | bucket | when the incident was resolved
--   resolver | text | all, person, machine
--   n | count | matured incidents
--   fixed | count | of these, fixed the first time
--   share | ratio | fixed of n
--   lo | ratio | lower end of the interval of share
--   hi | ratio | upper end
--   reopened | count | of n: reopened
--   came_back | count | of n: not reopened, and the same again within 14 days
--   immature | count | too fresh to tell
-- items:
--   number | text | incident
--   origin | text | import that it came from; empty: own
--   title | text | its title
--   priority | count | 1 to 5
--   team | text | who had it last
--   resolved_at | time | last resolve
--   resolver | text | person, machine
--   reopens | count | times it was reopened
--   same_again_at | time | when the same opened another incident within 14 days; empty: not
--   matured | flag | its 14 days are over
--   fixed | flag | the first time, as far as its days tell
-- chart: line bucket by resolver: share
-- packs: monthly
WITH
    meant AS
    (
        SELECT tenant, signature, opened_at
        FROM incidents FINAL
        WHERE merged_into = 0 AND phase != 'cancelled' AND signature != 0 AND {{tenant_scope tenant}}
            AND opened_at >= {from:DateTime64(3, 'UTC')} AND opened_at <= {to:DateTime64(3, 'UTC')} + toIntervalDay(14)
    ),
    counted AS
    (
        SELECT tenant, signature, assumeNotNull(resolved_at) AS at, resolved_human, reopen_count
        FROM incidents FINAL
        WHERE {{incident_scope}} AND phase != 'cancelled' AND {{resolved_in_period}}
    ),
    followed AS
    (
        SELECT counted.at AS at, counted.resolved_human AS human, counted.reopen_count > 0 AS again,
            meant.opened_at > counted.at AND meant.opened_at <= counted.at + toIntervalDay(14) AS same,
            counted.at + toIntervalDay(14) <= now64(3) AS matured
        FROM counted
        ASOF LEFT JOIN meant ON counted.tenant = meant.tenant AND counted.signature = meant.signature AND counted.at < meant.opened_at
    ),
    grouped AS
    (
        SELECT bucket, resolver, countIf(real AND matured) AS n, countIf(real AND matured AND again) AS reopened,
            countIf(real AND matured AND NOT again AND same) AS came_back, countIf(real AND NOT matured) AS immature
        FROM
        (
            SELECT bucket, resolver, true AS real, matured, again, same
            FROM followed
            ARRAY JOIN
                [NULL, NULL, {{bucket_of at}}, {{bucket_of at}}] AS bucket,
                ['all', if(human, 'person', 'machine'), 'all', if(human, 'person', 'machine')] AS resolver
            UNION ALL
            SELECT bucket, resolver, false, false, false, false FROM {{buckets}} ARRAY JOIN ['all', 'person', 'machine'] AS resolver
        )
        GROUP BY bucket, resolver
    )
SELECT
    bucket,
    resolver,
    n,
    n - reopened - came_back AS fixed,
    {{share (n - reopened - came_back), n}} AS share,
    {{wilson_lo (n - reopened - came_back), n}} AS lo,
    {{wilson_hi (n - reopened - came_back), n}} AS hi,
    reopened,
    came_back,
    immature
FROM grouped
ORDER BY bucket NULLS FIRST, indexOf(['all', 'person', 'machine'], resolver)
-- list
WITH
    meant AS
    (
        SELECT tenant, signature, opened_at
        FROM incidents FINAL
        WHERE merged_into = 0 AND phase != 'cancelled' AND signature != 0 AND {{tenant_scope tenant}}
            AND opened_at >= {from:DateTime64(3, 'UTC')} AND opened_at <= {to:DateTime64(3, 'UTC')} + toIntervalDay(14)
    ),
    counted AS
    (
        SELECT tenant, signature, number, origin, title, priority, team, assumeNotNull(resolved_at) AS at, resolved_human, reopen_count
        FROM incidents FINAL
        WHERE {{incident_scope}} AND phase != 'cancelled' AND {{resolved_in_period}}
    )
SELECT counted.number AS number, counted.origin AS origin, counted.title AS title, counted.priority AS priority, counted.team AS team,
    counted.at AS resolved_at,
    if(counted.resolved_human, 'person', 'machine') AS resolver,
    counted.reopen_count AS reopens,
    if(meant.opened_at > counted.at AND meant.opened_at <= counted.at + toIntervalDay(14), meant.opened_at, NULL) AS same_again_at,
    counted.at + toIntervalDay(14) <= now64(3) AS matured,
    reopens = 0 AND isNull(same_again_at) AS fixed
FROM counted
ASOF LEFT JOIN meant ON counted.tenant = meant.tenant AND counted.signature = meant.signature AND counted.at < meant.opened_at
ORDER BY fixed, resolved_at, origin, number
