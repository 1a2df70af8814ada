-- id: R4
-- name: correlation
-- title: Correlation quality
-- question: When people checked what the machine had put together, how often was it right?
-- anchor: opening of the incident; the alerts of it whenever they fired
-- population: Alerts of reviewed incidents, each once in an incident. Reviewed is an incident whose cause a person judged, or that people merged,
--   split, unmerged or moved alerts of. People look where something is wrong, so the reviewed ones are no fair sample; the stratum "sample"
--   holds those of them that are in the weekly sample of 20 (lowest hash of number and ISO week in the zone), which is drawn whether or not
--   anybody looks. Imported incidents are left out; merged ones are in, they are what the machine had made.
-- zone: cuts the period into buckets, and into the weeks of the sample
-- formula: The machine's incident of an alert is where it was before the first person moved it; people's is where it is now. Of all pairs of alerts
--   of a bucket: precision = together for both / together for the machine, recall = together for both / together for people, F1 their harmonic mean.
--   Pairs of one incident depend on each other, so the intervals of precision and recall are Wilson's with n = the reviewed incidents.
-- columns:
--   bucket | bucket | period
--   stratum | text | reviewed: all reviewed; sample: those of the weekly sample
--   n | count | incidents: all, or drawn
--   reviewed | count | of them reviewed
--   share | ratio | reviewed / n
--   lo | ratio | lower end of the 95 % interval
--   hi | ratio | upper end of it
--   alerts | count | alerts in what was reviewed
--   pairs_machine | count | pairs that the machine put together
--   pairs_people | count | pairs that are together now
--   pairs_both | count | pairs that are both
--   precision | ratio | pairs_both / pairs_machine
--   precision_lo | ratio | lower end of the 95 % interval
--   precision_hi | ratio | upper end of it
--   recall | ratio | pairs_both / pairs_people
--   recall_lo | ratio | lower end of the 95 % interval
--   recall_hi | ratio | upper end of it
--   f1 | ratio | 2 × precision × recall / (precision + recall)
-- items:
--   number | text | reviewed incident
--   opened_at | time | opened
--   sampled | flag | in the weekly sample
--   verdict | text | what a person said of its cause
--   regrouped | count | merges, splits and moves by people
--   alerts | count | alerts in it now
--   merged_into | count | number of the incident it went into, 0: none
--   title | text | title
-- chart: line bucket by stratum: f1; line bucket: precision, recall where stratum = reviewed
-- packs: monthly
WITH
    mine AS
    (
        SELECT shard, incident, number, opened_at, verdict != '' OR merges > 0 AS reviewed
        FROM incidents FINAL
        WHERE origin = '' AND {{in_period opened_at}} AND {{tenant_scope tenant}}
            AND ({service:String} = '' OR has(services, {service:String}))
            AND ({team:String} = '' OR team = {team:String})
            AND ({priority:UInt8} = 0 OR priority = {priority:UInt8})
    ),
    checked AS (SELECT shard, incident FROM mine WHERE reviewed),
    sample AS
    (
        SELECT shard, incident, opened_at, reviewed
        FROM mine
        ORDER BY cityHash64(number, toISOYear(opened_at, {zone:String}), toISOWeek(opened_at, {zone:String})), number
        LIMIT 20 BY toISOYear(opened_at, {zone:String}), toISOWeek(opened_at, {zone:String})
    ),
    looked AS
    (
        SELECT bucket, stratum, count() AS n, countIf(reviewed) AS reviewed
        FROM
        (
            SELECT {{both opened_at}} AS bucket, 'reviewed' AS stratum, reviewed FROM mine
            UNION ALL
            SELECT {{both opened_at}}, 'sample', reviewed FROM sample
        )
        GROUP BY bucket, stratum
    ),
    -- When the first person moved an alert, and where the machine had it until then.
    taken AS (SELECT shard, alert, occurrence, min(place) AS place FROM moves WHERE actor != '' GROUP BY shard, alert, occurrence),
    before AS
    (
        SELECT t.shard AS shard, t.alert AS alert, t.occurrence AS occurrence, argMax(t.incident, t.seq * 1048576 + t.n) AS incident
        FROM
        (
            SELECT shard, alert, occurrence, incident, seq, n
            FROM transitions
            WHERE kind IN ('alert_firing', 'alert_joined', 'alert_moved') AND alert IN (SELECT alert FROM taken)
        ) AS t
        INNER JOIN taken AS p ON p.shard = t.shard AND p.alert = t.alert AND p.occurrence = t.occurrence
        WHERE t.seq * 1048576 + t.n < p.place
        GROUP BY shard, alert, occurrence
    ),
    placed AS
    (
        SELECT DISTINCT
            k.shard AS shard, k.alert AS alert, toUInt64(k.incident) AS people,
            -- An alert that the machine had put nowhere is alone there.
            if(b.occurrence != 0, toUInt64(b.incident), people) AS machine
        FROM {{kept_members (shard, toUInt64(incident)) IN checked OR (shard, alert, occurrence) IN (SELECT shard, alert, occurrence FROM taken)}} AS k
        LEFT JOIN before AS b ON b.shard = k.shard AND b.alert = k.alert AND b.occurrence = k.occurrence
    ),
    units AS
    (
        SELECT
            arrayJoin(if(s.incident != 0, ['reviewed', 'sample'], ['reviewed'])) AS stratum,
            {{both i.opened_at}} AS bucket,
            (p.shard, p.people) AS people,
            (p.shard, p.machine, if(p.machine = 0, p.alert, 0)) AS machine
        FROM placed AS p
        INNER JOIN (SELECT shard, incident, opened_at FROM mine) AS i ON i.shard = p.shard AND i.incident = if(p.machine = 0, p.people, p.machine)
        LEFT JOIN (SELECT shard, incident FROM sample) AS s ON s.shard = p.shard AND s.incident = if(p.machine = 0, p.people, p.machine)
        WHERE (p.shard, p.machine) IN checked OR (p.shard, p.people) IN checked
    ),
    pairs AS
    (
        SELECT
            bucket, stratum, sum(c) AS alerts, sum(intDiv(c * (c - 1), 2)) AS both,
            arraySum(c -> intDiv(c * (c - 1), 2), sumMap([machine], [c]).2) AS machine_pairs,
            arraySum(c -> intDiv(c * (c - 1), 2), sumMap([people], [c]).2) AS people_pairs
        FROM (SELECT bucket, stratum, machine, people, count() AS c FROM units GROUP BY bucket, stratum, machine, people)
        GROUP BY bucket, stratum
    )
SELECT
    c.bucket AS bucket,
    c.stratum AS stratum,
    l.n AS n,
    l.reviewed AS reviewed,
    {{share l.reviewed, l.n}} AS share,
    {{wilson_lo l.reviewed, l.n}} AS lo,
    {{wilson_hi l.reviewed, l.n}} AS hi,
    q.alerts AS alerts,
    q.machine_pairs AS pairs_machine,
    q.people_pairs AS pairs_people,
    q.both AS pairs_both,
    {{share q.both, q.machine_pairs}} AS precision,
    if(precision IS NULL, NULL, {{wilson_lo assumeNotNull(precision) * l.reviewed, l.reviewed}}) AS precision_lo,
    if(precision IS NULL, NULL, {{wilson_hi assumeNotNull(precision) * l.reviewed, l.reviewed}}) AS precision_hi,
    {{share q.both, q.people_pairs}} AS recall,
    if(recall IS NULL, NULL, {{wilson_lo assumeNotNull(recall) * l.reviewed, l.reviewed}}) AS recall_lo,
    if(recall IS NULL, NULL, {{wilson_hi assumeNotNull(recall) * l.reviewed, l.reviewed}}) AS recall_hi,
    if(q.machine_pairs = 0 OR q.people_pairs = 0, NULL, 2 * q.both / (q.machine_pairs + q.people_pairs)) AS f1
FROM (SELECT b.bucket AS bucket, arrayJoin(['reviewed', 'sample']) AS stratum FROM {{buckets}} AS b) AS c
LEFT JOIN looked AS l ON l.bucket IS NOT DISTINCT FROM c.bucket AND l.stratum = c.stratum
LEFT JOIN pairs AS q ON q.bucket IS NOT DISTINCT FROM c.bucket AND q.stratum = c.stratum
ORDER BY bucket NULLS FIRST, stratum
-- list
SELECT number, opened_at, drawn AS sampled, toString(verdict) AS verdict, merges AS regrouped, alerts, merged_into, title
FROM
(
    SELECT
        number, opened_at, verdict, merges, alerts, merged_into, title,
        row_number() OVER
        (
            PARTITION BY toISOYear(opened_at, {zone:String}), toISOWeek(opened_at, {zone:String})
            ORDER BY cityHash64(number, toISOYear(opened_at, {zone:String}), toISOWeek(opened_at, {zone:String})), number
        ) <= 20 AS drawn
    FROM incidents FINAL
    WHERE origin = '' AND {{in_period opened_at}} AND {{tenant_scope tenant}}
        AND ({service:String} = '' OR has(services, {service:String}))
        AND ({team:String} = '' OR team = {team:String})
        AND ({priority:UInt8} = 0 OR priority = {priority:UInt8})
)
WHERE verdict != '' OR merges > 0
ORDER BY opened_at, number
