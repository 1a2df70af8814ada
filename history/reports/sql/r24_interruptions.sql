-- id: R24
-- name: interruptions
-- title: Interruption load
-- question: How often do we wake people up, and whom does it hit?
-- formula: Messages that interrupt (a page, a call, a direct message) by team: in business hours (Mondays to Fridays, 09:00 to 17:00), asleep
--   (22:00 to 08:00), and the other off hours. Share: asleep of all. By person: interruptions of each one in the period. A team of fewer
--   than 5 people who were interrupted shows no figures, and counts in no sum: too few people. A team has rows by bucket only where each
--   bucket with an interruption of it has 5 people. Whoever asks for their own sees their own, and nobody else's.
-- anchor: the time at which the receiver took the message
-- population: messages that interrupt, whatever became of their incident. Service and priority leave it as it is. A message that names no
--   person counts as one more interruption and no more people
-- zone: cuts the buckets, and says when it is night and when business hours are
-- columns:
--   bucket | bucket | when the message was taken
--   team | text | its team; all: those that are shown; you: one's own
--   note | text | too few people, or empty
--   n | count | interruptions
--   people | count | who were interrupted
--   business | count | in business hours
--   off_hours | count | neither in business hours nor at night
--   asleep | count | at night
--   share | ratio | asleep of n
--   lo | ratio | lower end of the interval of share
--   hi | ratio | upper end
--   p50 | number | interruptions by person: half had no more
--   p90 | number | nine of ten had no more
-- items:
--   at | time | when it was taken
--   team | text | its team
--   hours | text | business, off hours, asleep
--   kind | text | what it told of
--   subject | text | about what
--   step | count | of the escalation, from 0
-- chart: line bucket by team: asleep; bars team: asleep
-- packs: monthly
WITH
    {{interruptions}},
    teams AS
    (
        SELECT team, bucket, count() AS n, uniqExactIf(person, person != '') AS people, {person:String} != '' OR people >= 5 AS enough
        FROM (SELECT team, {{both at}} AS bucket, person FROM interruptions)
        GROUP BY team, bucket
    ),
    shown AS
    (
        SELECT team, anyIf(enough, bucket IS NULL) AS whole, min(enough) AS each
        FROM teams
        GROUP BY team
    ),
    persons AS
    (
        SELECT bucket, stratum, person, count() AS n, countIf(hours = 'business') AS business, countIf(hours = 'off hours') AS off_hours, countIf(hours = 'asleep') AS asleep
        FROM
        (
            SELECT {{both at}} AS bucket, arrayJoin([team, 'all']) AS stratum, person, hours, whole, each
            FROM interruptions
            INNER JOIN shown USING (team)
        )
        WHERE {person:String} = '' AND whole AND (bucket IS NULL OR each) OR {person:String} != '' AND stratum = 'all'
        GROUP BY bucket, stratum, person
    ),
    grouped AS
    (
        SELECT bucket, stratum, sum(n) AS total, countIf(person != '') AS people, sum(business) AS business_n, sum(off_hours) AS off_n, sum(asleep) AS asleep_n,
            arraySort(groupArrayIf(n, person != '')) AS xs
        FROM
        (
            SELECT bucket, stratum, person, n, business, off_hours, asleep FROM persons
            UNION ALL
            SELECT bucket, 'all', '', 0, 0, 0, 0 FROM {{buckets}}
        )
        GROUP BY bucket, stratum
    )
SELECT bucket, team, note, n, people, business, off_hours, asleep, share, lo, hi, p50, p90
FROM
(
    SELECT bucket, if(stratum != 'all', stratum, if({person:String} = '', 'all', 'you')) AS team, '' AS note, toNullable(total) AS n, toNullable(people) AS people,
        toNullable(business_n) AS business, toNullable(off_n) AS off_hours, toNullable(asleep_n) AS asleep,
        {{share asleep_n, total}} AS share,
        {{wilson_lo asleep_n, total}} AS lo,
        {{wilson_hi asleep_n, total}} AS hi,
        {{p50 xs}} AS p50,
        {{p90 xs}} AS p90,
        multiIf(stratum = 'all', 0, 1) AS place
    FROM grouped
    UNION ALL
    SELECT NULL, team, 'too few people', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 2 FROM shown WHERE NOT whole
)
ORDER BY bucket NULLS FIRST, place, n DESC, team
-- list
WITH
    {{interruptions}}
SELECT at, team, hours, kind, subject, step
FROM interruptions
WHERE {person:String} != '' OR team IN (SELECT team FROM interruptions GROUP BY team HAVING uniqExactIf(person, person != '') >= 5)
ORDER BY at, team, subject, kind
