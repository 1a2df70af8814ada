-- id: R7
-- name: detection
-- title: Detection
-- question: How long does trouble last before we know of it, and do our monitors tell us first?
-- formula: Outage begin to first event, first event to its arrival, arrival to the opening of the incident, opening to the first
--   message that a receiver took, each with its own n; a step below zero (a sender's clock is ahead) counts as zero. Monitoring
--   first: opened by the machine, or its first alert had arrived when a person opened it; divided by all.
-- anchor: the opening of the incident
-- population: incidents without those that were merged into another, and without cancelled ones. A step counts where both its ends
--   are known; outages: confirmed ones that are not planned, the earliest of an incident
-- zone: cuts the buckets
-- columns:
--   bucket | bucket | when the incident was opened
--   step | text | from where to where
--   n | count | incidents with both ends known; of monitoring first: all
--   p50 | seconds | half were not slower
--   p90 | seconds | nine of ten were not slower
--   gmean | seconds | geometric mean
--   p50_lo | seconds | lower end of the interval of p50
--   p50_hi | seconds | upper end
--   share | ratio | of monitoring first
--   lo | ratio | lower end of the interval of share
--   hi | ratio | upper end
-- items:
--   number | text | incident
--   origin | text | import that it came from; empty: own
--   title | text | its title
--   priority | count | 1 to 5
--   opened_at | time | opening
--   monitoring_first | flag | a monitor told of it before a person did
--   outage_to_event | seconds | outage begin to first event
--   event_to_arrival | seconds | first event to its arrival
--   arrival_to_incident | seconds | arrival to the opening
--   incident_to_message | seconds | opening to the first message
-- chart: line bucket by step: p90; line bucket: share where step = monitoring first
-- packs: monthly
WITH
    told AS {{first_messages}},
    broken AS {{outages_of_incidents}},
    counted AS
    (
        SELECT shard, if(origin = '', incident, 0) AS own, opened_at, first_event_at, received_at,
            automatic OR ifNull(received_at <= opened_at, false) AS monitored
        FROM incidents FINAL
        WHERE {{incident_scope}} AND phase != 'cancelled' AND {{in_period opened_at}}
    ),
    steps AS
    (
        SELECT opened_at, monitored,
            if(first_event_at < broken_at, 0, {{elapsed broken_at, first_event_at}}) AS a,
            if(received_at < first_event_at, 0, {{elapsed first_event_at, received_at}}) AS b,
            if(opened_at < received_at, 0, {{elapsed received_at, opened_at}}) AS c,
            if(told_at < opened_at, 0, {{elapsed opened_at, told_at}}) AS d
        FROM counted
        LEFT JOIN told ON told.shard = counted.shard AND told.incident = counted.own
        LEFT JOIN broken ON broken.shard = counted.shard AND broken.incident = counted.own
    ),
    grouped AS
    (
        SELECT bucket, countIf(monitored = 1) AS first, countIf(monitored IS NOT NULL) AS total,
            [{{sorted a}}, {{sorted b}}, {{sorted c}}, {{sorted d}}, []] AS all_steps
        FROM
        (
            SELECT {{both opened_at}} AS bucket, toNullable(monitored) AS monitored, a, b, c, d FROM steps
            UNION ALL
            SELECT bucket, NULL, NULL, NULL, NULL, NULL FROM {{buckets}}
        )
        GROUP BY bucket
    )
SELECT
    bucket,
    ['outage to event', 'event to arrival', 'arrival to incident', 'incident to message', 'monitoring first'][i] AS step,
    if(i = 5, total, length(xs)) AS n,
    {{p50 xs}} AS p50,
    {{p90 xs}} AS p90,
    {{gmean xs}} AS gmean,
    {{p50_lo xs}} AS p50_lo,
    {{p50_hi xs}} AS p50_hi,
    if(i = 5, {{share first, total}}, NULL) AS share,
    if(i = 5, {{wilson_lo first, total}}, NULL) AS lo,
    if(i = 5, {{wilson_hi first, total}}, NULL) AS hi
FROM grouped
ARRAY JOIN all_steps AS xs, arrayEnumerate(all_steps) AS i
ORDER BY bucket NULLS FIRST, i
-- list
WITH
    told AS {{first_messages}},
    broken AS {{outages_of_incidents}},
    counted AS
    (
        SELECT shard, if(origin = '', incident, 0) AS own, number, origin, title, priority, opened_at, first_event_at, received_at,
            automatic OR ifNull(received_at <= opened_at, false) AS monitored
        FROM incidents FINAL
        WHERE {{incident_scope}} AND phase != 'cancelled' AND {{in_period opened_at}}
    )
SELECT number, origin, title, priority, opened_at, monitored AS monitoring_first,
    if(first_event_at < broken_at, 0, {{elapsed broken_at, first_event_at}}) AS outage_to_event,
    if(received_at < first_event_at, 0, {{elapsed first_event_at, received_at}}) AS event_to_arrival,
    if(opened_at < received_at, 0, {{elapsed received_at, opened_at}}) AS arrival_to_incident,
    if(told_at < opened_at, 0, {{elapsed opened_at, told_at}}) AS incident_to_message
FROM counted
LEFT JOIN told ON told.shard = counted.shard AND told.incident = counted.own
LEFT JOIN broken ON broken.shard = counted.shard AND broken.incident = counted.own
ORDER BY opened_at, origin, number
