-- id: R3
-- name: grouping
-- title: Grouping coverage
-- question: How much of what fires is folded into groups, and how large are they?
-- anchor: opening of the alert
-- population: Alerts by each time that they began to fire. Each belongs to the incident that it is in for good; people's merges, splits and
--   moves are in that, however much later. A filter by service, team or priority keeps the alerts that have been in such an incident.
-- zone: cuts the period into days, weeks or months
-- formula: alerts opened that went into a group / alerts opened. A group is an incident into which two or more of the alerts opened in the period
--   went; its size is their number. Quantiles are values that occurred (nearest rank), the interval of the share is Wilson's. An overflow
--   is an incident that was opened because the one before it was full or too old.
-- columns:
--   bucket | bucket | period
--   n | count | alerts opened (A)
--   in_groups | count | of them in a group
--   share | ratio | in_groups / n
--   lo | ratio | lower end of the 95 % interval
--   hi | ratio | upper end of it
--   groups | count | groups (G)
--   same_alert | count | of the groups: nothing but one alert that came again
--   size_p50 | count | alerts opened in a group: median
--   size_p95 | count | 95 of 100 groups are not larger
--   size_max | count | the largest
--   overflows | count | incidents that went on for one that was full or too old
-- items:
--   number | text | incident
--   size | count | alerts opened that went into it
--   distinct | count | distinct alerts
--   first_at | time | the first of them
--   last_at | time | the last of them
--   title | text | title
--   ci | text | item
-- chart: line bucket: share; line bucket: size_p50, size_p95
-- packs: monthly
WITH
    opened AS
    (
        SELECT {{bucket_of at}} AS day, count() AS alerts
        FROM transitions FINAL
        WHERE kind = 'alert_firing' AND {{in_period at}} AND {{alert_scope}}
        GROUP BY day
    ),
    opened_in AS (SELECT arrayJoin([NULL, toNullable(day)]) AS bucket, sum(alerts) AS alerts FROM opened GROUP BY bucket),
    -- How many of the alerts opened went into which incident: in each bucket, and in all (NULL).
    parts AS
    (
        SELECT if(grouping(day) = 1, NULL, day) AS bucket, count() AS openings, min(alert) = max(alert) AS same
        FROM (SELECT shard, incident, alert, {{bucket_of opened_at}} AS day FROM {{grouped_openings}})
        GROUP BY GROUPING SETS ((shard, incident), (shard, incident, day))
        HAVING openings >= 2
    ),
    grouped AS
    (
        SELECT bucket, count() AS groups, sum(parts.openings) AS openings, countIf(same) AS same_alert, {{sorted parts.openings}} AS sizes
        FROM parts
        GROUP BY bucket
    ),
    over AS
    (
        SELECT arrayJoin([NULL, toNullable({{bucket_of at}})]) AS bucket, count() AS overflows
        FROM incident_versions FINAL
        WHERE kind = 'incident_opened' AND origin = '' AND continues != 0 AND {{in_period at}} AND {{tenant_scope tenant}}
            AND (NOT {{narrowed}} OR (shard, incident) IN (SELECT shard, incident FROM incidents FINAL WHERE origin = '' AND {{incident_scope}}))
        GROUP BY bucket
    )
SELECT
    b.bucket AS bucket,
    o.alerts AS n,
    g.openings AS in_groups,
    {{share in_groups, n}} AS share,
    {{wilson_lo in_groups, n}} AS lo,
    {{wilson_hi in_groups, n}} AS hi,
    g.groups AS groups,
    g.same_alert AS same_alert,
    {{quantile g.sizes, 1, 2}} AS size_p50,
    {{quantile g.sizes, 95, 100}} AS size_p95,
    {{quantile g.sizes, 1, 1}} AS size_max,
    v.overflows AS overflows
FROM {{buckets}} AS b
LEFT JOIN opened_in AS o ON o.bucket IS NOT DISTINCT FROM b.bucket
LEFT JOIN grouped AS g ON g.bucket IS NOT DISTINCT FROM b.bucket
LEFT JOIN over AS v ON v.bucket IS NOT DISTINCT FROM b.bucket
ORDER BY bucket NULLS FIRST
-- list
WITH
    -- The sizes first: titles are looked up for groups alone.
    groups AS
    (
        SELECT shard, incident, count() AS size, uniqExact(alert) AS distinct, min(opened_at) AS first_at, max(opened_at) AS last_at
        FROM {{grouped_openings}}
        GROUP BY shard, incident
        HAVING size >= 2
    )
SELECT
    if(i.number = '', concat('INC-', toString(g.incident)), i.number) AS number, g.size AS size, g.distinct AS distinct, g.first_at AS first_at,
    g.last_at AS last_at, i.title AS title, i.ci AS ci
FROM groups AS g
LEFT JOIN (SELECT shard, incident, number, title, ci FROM incidents FINAL WHERE origin = '') AS i
    ON i.shard = g.shard AND i.incident = toUInt64(g.incident)
ORDER BY size DESC, first_at, g.shard, g.incident
