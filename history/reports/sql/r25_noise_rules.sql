-- id: R25
-- name: noise_rules
-- title: Candidate rules, with what they would have saved
-- question: Which waiting time would have spared us which incidents?
-- anchor: opening of the incident
-- population: Incidents that the machine opened here in the period and that hold alerts of a single name. Merged ones are left out. For each rule they are counted
--   anew from what fired: an alert counts from its arrival to the arrival of its end. The 20 names with most to save.
-- zone: not used
-- formula: An incident is saved by "hold NAME for N min before it opens" when none of its alerts fired for N minutes without a break; every firing waits
--   anew. Saved ones that a person had acted on are counted besides: there the rule would have hidden work. Those not saved would have opened N minutes later.
--   Share = saved / n, its interval is Wilson's.
-- columns:
--   rule | text | candidate rule
--   name | text | alert
--   minutes | count | how long it waits
--   n | count | incidents of this name alone
--   saved | count | of them that would not have been opened
--   share | ratio | saved / n
--   lo | ratio | lower end of the 95 % interval
--   hi | ratio | upper end of it
--   acted_on | count | saved ones that a person had acted on
--   later | count | incidents that would have opened that much later
--   alerts | count | alerts opened in what is saved
-- items:
--   name | text | alert
--   number | text | incident
--   saved_from | count | least minutes of holding that save it
--   longest | seconds | how long its longest alert fired
--   alerts | count | alerts opened in it
--   acted_on | flag | a person acted on it
--   opened_at | time | opened
--   title | text | title
-- chart: bars rule: saved
-- packs: monthly
WITH
    mine AS
    (
        SELECT shard, toUInt32(incident) AS incident, touched
        FROM incidents FINAL
        WHERE origin = '' AND automatic AND {{in_period opened_at}} AND {{incident_scope}}
    ),
    called AS {{names_of_kinds}},
    lived AS {{lives_of_one_name (shard, incident) IN (SELECT shard, incident FROM mine), true}},
    tried AS
    (
        SELECT
            any(c.name) AS name, arrayJoin([2, 5, 10, 15, 30]) AS minutes, count() AS n, countIf(l.longest < minutes * 60) AS saved,
            countIf(l.longest < minutes * 60 AND m.touched) AS acted_on, sumIf(l.alerts, l.longest < minutes * 60) AS alerts
        FROM lived AS l
        INNER JOIN mine AS m ON m.shard = l.shard AND m.incident = l.incident
        INNER JOIN called AS c ON c.kind = l.kind
        GROUP BY l.kind, minutes
    )
SELECT
    concat('hold ', name, ' for ', toString(minutes), ' min before it opens') AS rule,
    name,
    minutes,
    n,
    saved,
    {{share saved, n}} AS share,
    {{wilson_lo saved, n}} AS lo,
    {{wilson_hi saved, n}} AS hi,
    acted_on,
    n - saved AS later,
    alerts
FROM (SELECT *, dense_rank() OVER (ORDER BY best DESC, name) AS place FROM (SELECT *, max(saved) OVER (PARTITION BY name) AS best FROM tried))
WHERE saved > 0 AND place <= 20
ORDER BY best DESC, name, minutes
-- list
WITH
    mine AS
    (
        SELECT shard, toUInt32(incident) AS incident, number, touched, opened_at, title
        FROM incidents FINAL
        WHERE origin = '' AND automatic AND {{in_period opened_at}} AND {{incident_scope}}
    ),
    called AS {{names_of_kinds}},
    lived AS {{lives_of_one_name (shard, incident) IN (SELECT shard, incident FROM mine), longest < 1800}}
SELECT
    c.name AS name, m.number AS number, arrayFirst(minutes -> l.longest < minutes * 60, [2, 5, 10, 15, 30]) AS saved_from, l.longest AS longest, l.alerts AS alerts,
    m.touched AS acted_on, m.opened_at AS opened_at, m.title AS title
FROM lived AS l
INNER JOIN mine AS m ON m.shard = l.shard AND m.incident = l.incident
INNER JOIN called AS c ON c.kind = l.kind
ORDER BY name, opened_at, number
