-- id: R8
-- name: mtta
-- title: Time to acknowledge
-- question: How soon does somebody take an incident up?
-- formula: First acknowledgement minus opening, and minus the first event. What was split off from an incident that had been acknowledged
--   before was taken up when it came to be: 0. Incidents that nobody acknowledged are in no quantile; they are counted beside it (censored),
--   and share is the part that somebody acknowledged.
-- anchor: the last resolve of the incident
-- population: incidents resolved in the period, without those that were merged into another, and without cancelled ones
-- zone: cuts the buckets
-- columns:
--   bucket | bucket | when the incident was resolved
--   clock | text | since what it runs: opened, first event
--   stratum | text | all, or the priority
--   n | count | acknowledged incidents whose clock has a beginning
--   p50 | seconds | half were not slower
--   p90 | seconds | nine of ten were not slower
--   gmean | seconds | geometric mean
--   p50_lo | seconds | lower end of the interval of p50
--   p50_hi | seconds | upper end
--   censored | count | resolved without an acknowledgement
--   share | ratio | acknowledged of all
--   lo | ratio | lower end of the interval of share
--   hi | ratio | upper end
-- items:
--   number | text | incident
--   origin | text | import that it came from; empty: own
--   title | text | its title
--   priority | count | 1 to 5
--   team | text | who had it last
--   opened_at | time | opening
--   first_acked_at | time | first acknowledgement; empty: never
--   resolved_at | time | last resolve
--   since_opened | seconds | opening to acknowledgement
--   since_event | seconds | first event to acknowledgement
-- chart: line bucket: p50, p90 where clock = opened, stratum = all
-- packs: monthly
WITH
    counted AS
    (
        SELECT resolved_at, priority, first_acked_at IS NOT NULL AS acked,
            {{elapsed opened_at, greatest(opened_at, assumeNotNull(first_acked_at))}} + if(first_acked_at IS NULL, NULL, 0) AS since_opened,
            {{elapsed first_event_at, greatest(assumeNotNull(first_event_at), assumeNotNull(first_acked_at))}} + if(first_acked_at IS NULL, NULL, 0) AS since_event
        FROM incidents FINAL
        WHERE {{incident_scope}} AND phase != 'cancelled' AND {{resolved_in_period}}
    ),
    grouped AS
    (
        SELECT bucket, stratum, countIf(acked = 1) AS taken, countIf(acked IS NOT NULL) AS total,
            [{{sorted since_opened}}, {{sorted since_event}}] AS clocks
        FROM
        (
            SELECT s.1 AS bucket, s.2 AS stratum, toNullable(acked) AS acked, since_opened, since_event
            FROM counted
            ARRAY JOIN [(NULL, 'all'), ({{bucket_of assumeNotNull(resolved_at)}}, 'all'), (NULL, concat('P', toString(priority)))] AS s
            UNION ALL
            SELECT bucket, stratum, NULL, NULL, NULL
            FROM {{buckets}}
            ARRAY JOIN if(bucket IS NULL, ['all', 'P1', 'P2', 'P3', 'P4', 'P5'], ['all']) AS stratum
        )
        GROUP BY bucket, stratum
    )
SELECT
    bucket,
    ['opened', 'first event'][i] AS clock,
    stratum,
    length(xs) AS n,
    {{p50 xs}} AS p50,
    {{p90 xs}} AS p90,
    {{gmean xs}} AS gmean,
    {{p50_lo xs}} AS p50_lo,
    {{p50_hi xs}} AS p50_hi,
    total - taken AS censored,
    {{share taken, total}} AS share,
    {{wilson_lo taken, total}} AS lo,
    {{wilson_hi taken, total}} AS hi
FROM grouped
ARRAY JOIN clocks AS xs, arrayEnumerate(clocks) AS i
ORDER BY bucket NULLS FIRST, i, stratum != 'all', stratum
-- list
SELECT number, origin, title, priority, team, opened_at, first_acked_at, resolved_at,
    {{elapsed opened_at, greatest(opened_at, assumeNotNull(first_acked_at))}} + if(first_acked_at IS NULL, NULL, 0) AS since_opened,
    {{elapsed first_event_at, greatest(assumeNotNull(first_event_at), assumeNotNull(first_acked_at))}} + if(first_acked_at IS NULL, NULL, 0) AS since_event
FROM incidents FINAL
WHERE {{incident_scope}} AND phase != 'cancelled' AND {{resolved_in_period}}
ORDER BY since_opened DESC NULLS FIRST, origin, number
