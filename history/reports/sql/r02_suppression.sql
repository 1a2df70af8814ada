-- id: R2
-- name: suppression
-- title: Suppression ledger
-- question: What became of each event, and what kept the quiet ones quiet?
-- anchor: arrival of the event
-- population: Events that changed something; exact repeats are none. Each counts once, under the first reason that decided about its alert:
--   what kept it quiet, else why it is where it is. A filter by service, team or priority keeps the alerts that have been in such an incident.
-- zone: cuts the period into days, weeks or months
-- formula: events with the reason / events; the shares of a period sum to 1. Intervals are Wilson's.
-- columns:
--   bucket | bucket | period
--   effect | text | what the reason comes to: rings, joins, waits, quiet, over
--   reason | text | first deciding reason
--   n | count | events of the period
--   events | count | of them with this reason
--   share | ratio | events / n
--   lo | ratio | lower end of the 95 % interval
--   hi | ratio | upper end of it
-- items:
--   reason | text | first deciding reason
--   name | text | alert
--   source | text | sender
--   events | count | events
--   first_at | time | the first of them
--   last_at | time | the last of them
-- chart: bars reason: share; line bucket by reason: share
-- packs: monthly
WITH
    -- Counted once: events by bucket (NULL: the whole period) and reason.
    (
        SELECT groupArray((bucket, reason, events))
        FROM
        (
            SELECT arrayJoin([NULL, toNullable(day)]) AS bucket, reason, sum(events) AS events
            FROM
            (
                SELECT {{bucket_of at}} AS day, if(decided = '', 'none', toString(decided)) AS reason, count() AS events
                FROM transitions FINAL
                WHERE event AND {{in_period at}} AND {{alert_scope}}
                GROUP BY day, reason
            )
            GROUP BY bucket, reason
        )
    ) AS found,
    -- Every bucket has a row for every reason of the period, and one where there is none.
    arrayDistinct(arrayMap(f -> f.2, found)) AS reasons,
    cells AS
    (
        SELECT b.bucket AS bucket, r.reason AS reason, e.events AS events
        FROM {{buckets}} AS b
        CROSS JOIN (SELECT arrayJoin(if(empty(reasons), ['none'], reasons)) AS reason) AS r
        LEFT JOIN (SELECT f.1 AS bucket, f.2 AS reason, f.3 AS events FROM (SELECT arrayJoin(found) AS f)) AS e
            ON e.bucket IS NOT DISTINCT FROM b.bucket AND e.reason = r.reason
    )
SELECT
    bucket,
    multiIf
    (
        reason IN ('opened', 'held', 'reopened', 'flapped'), 'rings',
        reason IN ('joined', 'evidence', 'paired'), 'joins',
        reason IN ('waiting', 'late', 'below_threshold'), 'waits',
        reason IN ('over', 'none'), reason,
        'quiet'
    ) AS effect,
    reason,
    sum(events) OVER (PARTITION BY bucket) AS n,
    events,
    {{share events, n}} AS share,
    {{wilson_lo events, n}} AS lo,
    {{wilson_hi events, n}} AS hi
FROM cells
ORDER BY bucket NULLS FIRST, effect, reason
-- list
SELECT
    if(decided = '', 'none', toString(decided)) AS reason, toString(name) AS name, toString(source) AS source, count() AS events,
    min(at) AS first_at, max(at) AS last_at
FROM transitions FINAL
WHERE event AND {{in_period at}} AND {{alert_scope}}
GROUP BY reason, name, source
ORDER BY events DESC, reason, name, source
