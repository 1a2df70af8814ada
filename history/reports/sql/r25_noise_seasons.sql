-- id: R25
-- name: noise_seasons
-- title: Seasons of noise
-- question: Which alerts come back at the same hour of the week?
-- anchor: opening of the alert
-- population: Names of alerts that began to fire in at least 3 weeks of a period of at least 4, in one and the same hour of the week. A filter by
--   service, team or priority keeps the alerts that have been in such an incident.
-- zone: whose hours, weekdays and weeks they are
-- formula: weeks in which it began to fire in that hour / weeks that the period touches; each week counts once, however often it fired. It is a season
--   from 60 of 100 weeks on, when that is at least 3 times its share over all hours of the week. Intervals are Wilson's.
-- columns:
--   name | text | alert
--   season | text | hour of the week in the zone
--   n | count | weeks
--   weeks | count | of them with it in that hour
--   share | ratio | weeks / n
--   lo | ratio | lower end of the 95 % interval
--   hi | ratio | upper end of it
--   elsewhere | ratio | share over all hours of the week
--   opened | count | alerts opened in that hour
--   items | count | items that it fired on, else things that its labels name
-- items:
--   name | text | alert
--   season | text | hour of the week in the zone
--   week | bucket | Monday of the week
--   opened | count | alerts opened in that hour
--   first_at | time | the first of them
-- chart: bars name, season: weeks
-- packs: monthly
WITH
    toUInt64(1 + intDiv(toMonday(toDate({to:DateTime64(3, 'UTC')} - toIntervalMillisecond(1), {zone:String})) - toMonday(toDate({from:DateTime64(3, 'UTC')}, {zone:String})), 7)) AS all_weeks,
    counted AS
    (
        SELECT
            toString(any(transitions.name)) AS name, toUInt16({{hour_of_week at}}) AS hour_of_week, uniqExact(toMonday(toDate(at, {zone:String}))) AS weeks, count() AS opened,
            uniqExact({{thing}}) AS items
        FROM transitions FINAL
        WHERE kind = 'alert_firing' AND {{in_period at}} AND {{alert_scope}}
        GROUP BY cityHash64(transitions.name), hour_of_week
    ),
    compared AS (SELECT *, sum(weeks) OVER (PARTITION BY name) / (168 * all_weeks) AS overall FROM counted)
SELECT
    name,
    concat(['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'][toUInt8(intDiv(hour_of_week, 24)) + 1], ' ', leftPad(toString(hour_of_week % 24), 2, '0'), ':00') AS season,
    all_weeks AS n,
    weeks,
    {{share weeks, n}} AS share,
    {{wilson_lo weeks, n}} AS lo,
    {{wilson_hi weeks, n}} AS hi,
    overall AS elsewhere,
    opened,
    items
FROM compared
WHERE all_weeks >= 4 AND weeks >= 3 AND weeks * 10 >= all_weeks * 6 AND weeks / all_weeks >= 3 * overall
ORDER BY weeks DESC, opened DESC, name, hour_of_week
LIMIT 200
-- list
WITH
    toUInt64(1 + intDiv(toMonday(toDate({to:DateTime64(3, 'UTC')} - toIntervalMillisecond(1), {zone:String})) - toMonday(toDate({from:DateTime64(3, 'UTC')}, {zone:String})), 7)) AS all_weeks,
    counted AS
    (
        SELECT toString(name) AS name, {{hour_of_week at}} AS hour_of_week, toMonday(toDate(at, {zone:String})) AS week, count() AS opened, min(at) AS first_at
        FROM transitions FINAL
        WHERE kind = 'alert_firing' AND {{in_period at}} AND {{alert_scope}}
        GROUP BY name, hour_of_week, week
    ),
    compared AS (SELECT *, count() OVER (PARTITION BY name, hour_of_week) AS weeks, count() OVER (PARTITION BY name) / (168 * all_weeks) AS overall FROM counted)
SELECT
    name,
    concat(['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'][toUInt8(intDiv(hour_of_week, 24)) + 1], ' ', leftPad(toString(hour_of_week % 24), 2, '0'), ':00') AS season,
    toNullable(week) AS week, opened, first_at
FROM compared
WHERE all_weeks >= 4 AND weeks >= 3 AND weeks * 10 >= all_weeks * 6 AND weeks / all_weeks >= 3 * overall
ORDER BY name, hour_of_week, week
