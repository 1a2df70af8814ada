-- id: R5
-- name: actionability
-- title: Actionability
-- question: Of the incidents that the machine opened, how many needed anybody?
-- anchor: opening of the incident; what became of it is read as of now
-- population: Incidents that the machine opened here. Merged ones are left out, their survivor stands for them; imported ones are left out, a machine
--   did not open them. Each has one outcome.
-- zone: cuts the period into days, weeks or months
-- formula: incidents with the outcome / incidents; the shares of a period sum to 1. Outcomes, the first that holds: not_an_incident (cancelled),
--   acted_on (a person did anything to it), transient (it resolved by itself, untouched), open (still open, untouched). Intervals are Wilson's.
-- columns:
--   bucket | bucket | period
--   outcome | text | acted_on, transient, not_an_incident, open
--   n | count | incidents that the machine opened (I)
--   incidents | count | of them with this outcome
--   share | ratio | incidents / n
--   lo | ratio | lower end of the 95 % interval
--   hi | ratio | upper end of it
-- items:
--   outcome | text | acted_on, transient, not_an_incident, open
--   number | text | incident
--   opened_at | time | opened
--   over_at | time | resolved or cancelled
--   title | text | title
--   ci | text | item
--   priority | count | priority
--   team | text | team
-- chart: line bucket by outcome: share; bars outcome: share
-- packs: monthly
WITH
    counted AS
    (
        SELECT {{both opened_at}} AS bucket, multiIf(phase = 'cancelled', 'not_an_incident', touched, 'acted_on', phase IN ('resolved', 'closed'), 'transient', 'open') AS outcome, count() AS incidents
        FROM incidents FINAL
        WHERE {{in_period opened_at}} AND {{incident_scope}} AND origin = '' AND automatic
        GROUP BY bucket, outcome
    ),
    whole AS (SELECT bucket, sum(incidents) AS incidents FROM counted GROUP BY bucket),
    cells AS (SELECT b.bucket AS bucket, arrayJoin(['acted_on', 'transient', 'not_an_incident', 'open']) AS outcome FROM {{buckets}} AS b)
SELECT
    c.bucket AS bucket,
    c.outcome AS outcome,
    w.incidents AS n,
    o.incidents AS incidents,
    {{share o.incidents, w.incidents}} AS share,
    {{wilson_lo o.incidents, w.incidents}} AS lo,
    {{wilson_hi o.incidents, w.incidents}} AS hi
FROM cells AS c
LEFT JOIN counted AS o ON o.bucket IS NOT DISTINCT FROM c.bucket AND o.outcome = c.outcome
LEFT JOIN whole AS w ON w.bucket IS NOT DISTINCT FROM c.bucket
ORDER BY bucket NULLS FIRST, indexOf(['acted_on', 'transient', 'not_an_incident', 'open'], outcome)
-- list
SELECT
    multiIf(phase = 'cancelled', 'not_an_incident', touched, 'acted_on', phase IN ('resolved', 'closed'), 'transient', 'open') AS outcome,
    number, opened_at, coalesce(resolved_at, closed_at) AS over_at, title, ci, priority, toString(team) AS team
FROM incidents FINAL
WHERE {{in_period opened_at}} AND {{incident_scope}} AND origin = '' AND automatic
ORDER BY opened_at, number
