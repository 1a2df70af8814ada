-- id: R25
-- name: noise_hours
-- title: Noise by hour of the week
-- question: At which hours of the week does it fire?
-- anchor: arrival of the event
-- population: Alerts by each time that they began to fire, and events that changed something. A filter by service, team or priority keeps the
--   alerts that have been in such an incident.
-- zone: whose hours and weekdays they are
-- formula: counts by weekday and hour; share = alerts opened in the hour / alerts opened. Intervals are Wilson's. When clocks are put back an hour counts what two held.
-- columns:
--   weekday | text | Mon to Sun
--   hour | count | 0 to 23
--   n | count | alerts opened in the period (A)
--   opened | count | of them in this hour of the week
--   share | ratio | opened / n
--   lo | ratio | lower end of the 95 % interval
--   hi | ratio | upper end of it
--   events | count | events in this hour of the week
-- items:
--   weekday | text | Mon to Sun
--   hour | count | 0 to 23
--   name | text | alert
--   opened | count | alerts opened
-- chart: heat hour, weekday: opened
-- packs: monthly
WITH
    counted AS
    (
        SELECT toUInt16({{hour_of_week at}}) AS hour_of_week, countIf(kind = 'alert_firing') AS opened, countIf(event) AS events
        FROM transitions FINAL
        WHERE (event OR kind = 'alert_firing') AND {{in_period at}} AND {{alert_scope}}
        GROUP BY hour_of_week
    )
SELECT
    ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'][intDiv(h.hour_of_week, 24) + 1] AS weekday,
    toUInt8(h.hour_of_week % 24) AS hour,
    sum(c.opened) OVER () AS n,
    c.opened AS opened,
    {{share c.opened, n}} AS share,
    {{wilson_lo c.opened, n}} AS lo,
    {{wilson_hi c.opened, n}} AS hi,
    c.events AS events
FROM (SELECT toUInt16(number) AS hour_of_week FROM numbers(168)) AS h
LEFT JOIN counted AS c ON c.hour_of_week = h.hour_of_week
ORDER BY h.hour_of_week
-- list
SELECT
    ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'][toDayOfWeek(at, 0, {zone:String})] AS weekday, toHour(at, {zone:String}) AS hour, toString(name) AS name,
    count() AS opened
FROM transitions FINAL
WHERE kind = 'alert_firing' AND {{in_period at}} AND {{alert_scope}}
GROUP BY weekday, hour, name
ORDER BY opened DESC, weekday, hour, name
