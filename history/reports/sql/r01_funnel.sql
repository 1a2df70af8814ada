-- id: R1
-- name: funnel
-- title: Noise funnel
-- question: How many of the events that reach us become an incident that somebody has to look at?
-- anchor: arrival of the event; opening of the alert; opening of the incident
-- population: Events that changed something (exact repeats have a column of their own and are in no quotient), alerts by each time that they
--   began to fire, incidents that the machine opened here. Merged incidents are left out, their survivor stands for them. Repeats are kept by
--   hours of UTC: an hour counts where it begins. A filter by service, team or priority keeps the alerts that have been in such an incident, and no repeats.
-- zone: cuts the period into days, weeks or months
-- formula: incidents / events = (opened / events) × ((groups + ungrouped) / opened) × (incidents / (groups + ungrouped)). A group is an
--   incident into which two or more of the alerts opened went; every other alert is ungrouped. The interval is Wilson's, of incidents / events.
-- columns:
--   bucket | bucket | period
--   n | count | events that changed something (E)
--   repeats | count | exact repeats, besides
--   opened | count | alerts opened (A)
--   groups | count | groups of two alerts or more (G)
--   ungrouped | count | alerts in no group (U)
--   incidents | count | incidents that the machine opened (I)
--   opened_per_event | ratio | A / E: what folding duplicates left
--   grouped | ratio | (G + U) / A: what grouping left
--   incident_per_group | ratio | I / (G + U): what suppression left
--   share | ratio | I / E: what was left of all
--   lo | ratio | lower end of the 95 % interval of that
--   hi | ratio | upper end of it
-- items:
--   number | text | incident
--   opened_at | time | opened
--   title | text | title
--   ci | text | item
--   priority | count | priority
--   alerts | count | alerts in it
-- chart: line bucket: share; line bucket: n, opened, incidents
-- packs: monthly
WITH
    said AS
    (
        SELECT {{bucket_of at}} AS day, countIf(event) AS events, countIf(kind = 'alert_firing') AS opened
        FROM transitions FINAL
        WHERE {{in_period at}} AND (event OR kind = 'alert_firing') AND {{alert_scope}}
        GROUP BY day
    ),
    again AS
    (
        SELECT {{bucket_of hour}} AS day, sum(repeats) AS repeats
        FROM repeats FINAL
        WHERE {{in_period hour}} AND {{tenant_scope tenant}} AND {service:String} = '' AND {team:String} = '' AND {priority:UInt8} = 0
        GROUP BY day
    ),
    made AS
    (
        SELECT {{bucket_of opened_at}} AS day, count() AS incidents
        FROM incidents FINAL
        WHERE {{in_period opened_at}} AND {{incident_scope}} AND origin = '' AND automatic
        GROUP BY day
    ),
    -- How many of the alerts opened went into which incident: in each bucket, and in all (NULL).
    parts AS
    (
        SELECT if(grouping(day) = 1, NULL, day) AS bucket, count() AS alerts
        FROM (SELECT shard, incident, {{bucket_of opened_at}} AS day FROM {{grouped_openings}})
        GROUP BY GROUPING SETS ((shard, incident), (shard, incident, day))
        HAVING alerts >= 2
    ),
    grouped AS (SELECT bucket, count() AS groups, sum(alerts) AS alerts FROM parts GROUP BY bucket),
    counted AS
    (
        SELECT arrayJoin([NULL, toNullable(day)]) AS bucket, sum(events) AS events, sum(opened) AS opened, sum(repeats) AS repeats, sum(incidents) AS incidents
        FROM
        (
            SELECT day, events, opened, 0 AS repeats, 0 AS incidents FROM said
            UNION ALL
            SELECT day, 0, 0, repeats, 0 FROM again
            UNION ALL
            SELECT day, 0, 0, 0, incidents FROM made
        )
        GROUP BY bucket
    )
SELECT
    b.bucket AS bucket,
    c.events AS n,
    c.repeats AS repeats,
    c.opened AS opened,
    g.groups AS groups,
    greatest(c.opened - g.alerts, 0) AS ungrouped, -- an insert under way may have brought one and not yet the other
    c.incidents AS incidents,
    {{share c.opened, c.events}} AS opened_per_event,
    {{share (g.groups + ungrouped), c.opened}} AS grouped,
    {{share c.incidents, (g.groups + ungrouped)}} AS incident_per_group,
    {{share c.incidents, c.events}} AS share,
    {{wilson_lo c.incidents, c.events}} AS lo,
    {{wilson_hi c.incidents, c.events}} AS hi
FROM {{buckets}} AS b
LEFT JOIN counted AS c ON c.bucket IS NOT DISTINCT FROM b.bucket
LEFT JOIN grouped AS g ON g.bucket IS NOT DISTINCT FROM b.bucket
ORDER BY bucket NULLS FIRST
-- list
SELECT number, opened_at, title, ci, priority, alerts
FROM incidents FINAL
WHERE {{in_period opened_at}} AND {{incident_scope}} AND origin = '' AND automatic
ORDER BY opened_at, number
