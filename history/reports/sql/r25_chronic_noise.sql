-- id: R25
-- name: chronic_noise
-- title: Chronic noise
-- question: Which alerts of which items keep talking and flapping, day after day?
-- anchor: arrival of the event
-- population: Events that changed something, by name of the alert and item (else what its labels call it); the 100 that talk most. Exact repeats
--   are none. A filter by service, team or priority keeps the alerts that have been in such an incident.
-- zone: cuts the period into the days that are counted
-- formula: events of the alert on the item / all events. Flaps are entries into flap damping, days those on which it said something. Intervals are Wilson's.
-- columns:
--   rank | count | from the one that talks most
--   name | text | alert
--   item | text | item, else what its labels call it
--   n | count | events of the period (E)
--   events | count | of them of this alert on this item
--   share | ratio | events / n
--   lo | ratio | lower end of the 95 % interval
--   hi | ratio | upper end of it
--   flaps | count | entries into flap damping
--   opened | count | alerts opened
--   days | count | days on which it said something
--   period_days | count | days that the period touches
-- items:
--   name | text | alert
--   item | text | item, else what its labels call it
--   events | count | events
--   flaps | count | entries into flap damping
--   opened | count | alerts opened
--   first_at | time | first event
--   last_at | time | last event
-- chart: bars name, item: events
-- packs: monthly
WITH
    counted AS
    (
        SELECT
            toString(any(transitions.name)) AS name, {{thing_name}} AS item, countIf(event) AS events, countIf(kind = 'alert_damped') AS flaps,
            countIf(kind = 'alert_firing') AS opened, uniqExactIf(toDate(at, {zone:String}), event) AS days
        FROM transitions FINAL
        WHERE (event OR kind = 'alert_damped') AND {{in_period at}} AND {{alert_scope}}
        GROUP BY cityHash64(transitions.name), {{thing}}
    )
SELECT
    row_number() OVER (ORDER BY events DESC, flaps DESC, name, item) AS rank,
    name,
    item,
    sum(events) OVER () AS n,
    events,
    {{share events, n}} AS share,
    {{wilson_lo events, n}} AS lo,
    {{wilson_hi events, n}} AS hi,
    flaps,
    opened,
    days,
    toUInt64(1 + toDate({to:DateTime64(3, 'UTC')} - toIntervalMillisecond(1), {zone:String}) - toDate({from:DateTime64(3, 'UTC')}, {zone:String})) AS period_days
FROM counted
ORDER BY rank
LIMIT 100
-- list
SELECT
    toString(any(transitions.name)) AS name, {{thing_name}} AS item, countIf(event) AS events, countIf(kind = 'alert_damped') AS flaps,
    countIf(kind = 'alert_firing') AS opened, min(at) AS first_at, max(at) AS last_at
FROM transitions FINAL
WHERE (event OR kind = 'alert_damped') AND {{in_period at}} AND {{alert_scope}}
GROUP BY cityHash64(transitions.name), {{thing}}
ORDER BY events DESC, flaps DESC, name, item
