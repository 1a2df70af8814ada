-- One row per incident, from all its versions, its alerts and what was said of its causes. Run again it gives the same row. FINAL would cost most
-- of the time where a table has many months: a row that lies there twice is taken once instead, or does no harm.
INSERT INTO incidents
(
    origin, shard, incident, version, number, tenant, phase, severity, priority, first_priority, title, rule, ci, services, team, assignee, signature,
    opened_at, opened_by, automatic, first_event_at, received_at, last_clear_at, first_acked_at, acked_by, resolved_at, resolved_by, resolved_human,
    closed_at, merged_into, parent, recurs, major, touched, resolves, reopens, reopen_count, teams, holds, reassignments, alerts, occurrences, merges,
    verdict, rating, updated_at
)
WITH
    -- The last version of each: what the incident is now.
    last AS
    (
        SELECT *
        FROM incident_versions
        WHERE origin = {origin:String} AND shard = {shard:UInt32} AND incident IN {incidents:Array(UInt64)}
            AND (incident, (at, seq, n)) IN
            (
                SELECT incident, max((at, seq, n))
                FROM incident_versions
                WHERE origin = {origin:String} AND shard = {shard:UInt32} AND incident IN {incidents:Array(UInt64)}
                GROUP BY incident
            )
        LIMIT 1 BY incident
    ),
    -- All versions of each in order, as (at, seq, n, phase, person, team, assignee, hold, kind).
    story AS
    (
        SELECT
            incident,
            arraySort(groupUniqArray((at, seq, n, toString(phase), toString(actor), toString(team), toString(assignee), toString(held_as), toString(kind)))) AS steps,
            max(seq) AS last_seq,
            argMin(priority, (at, seq, n)) AS first_priority,
            argMin(title, (at, seq, n)) AS first_title,
            argMinIf(toString(opened_name), (at, seq, n), opened_name != '') AS opening,
            argMinIf(opened_resource, (at, seq, n), opened_resource != '') AS opening_resource,
            min(acked_at) AS first_ack,
            argMinIf(toString(acked_by), (assumeNotNull(acked_at), at, seq, n), acked_at IS NOT NULL) AS first_ack_by,
            countIf(actor != '') > 0 AS by_people,
            toUInt32(arrayCount(s -> s.5 != '' AND s.9 IN ('incident_merged', 'incident_absorbed', 'incident_split', 'incident_unmerged'), steps)) AS regrouped,
            min(first_event_said) AS said_first,
            max(reopens_said) AS said_reopens,
            max(reassignments_said) AS said_reassignments
        FROM incident_versions
        WHERE origin = {origin:String} AND shard = {shard:UInt32} AND incident IN {incidents:Array(UInt64)}
        GROUP BY incident
    ),
    -- The occurrences of alerts that were in it when they were last heard of, and have not gone elsewhere since.
    evidence AS
    (
        SELECT
            here.incident AS incident,
            uniqExact(here.alert) AS alerts,
            count() AS occurrences,
            min(here.started_at) AS first_event,
            min(here.firing_at) AS first_arrival,
            if(countIf(here.phase = 'firing') > 0, NULL, max(here.ended_at)) AS last_end,
            max(intDiv(here.place, 1048576)) AS last_seq
        FROM
        (
            SELECT *
            FROM members
            WHERE {origin:String} = '' AND shard = {shard:UInt32} AND incident IN {incidents:Array(UInt64)}
            ORDER BY incident, alert, occurrence, place DESC
            LIMIT 1 BY incident, alert, occurrence
        ) AS here
        LEFT JOIN
        (
            SELECT alert, occurrence, max(place) AS moved
            FROM moves
            WHERE shard = {shard:UInt32} AND alert IN
                (SELECT alert FROM members WHERE {origin:String} = '' AND shard = {shard:UInt32} AND incident IN {incidents:Array(UInt64)})
            GROUP BY alert, occurrence
        ) AS away ON away.alert = here.alert AND away.occurrence = here.occurrence
        WHERE away.moved <= here.place
        GROUP BY here.incident
    ),
    said AS
    (
        SELECT
            incident,
            argMaxIf(toString(verdict), (at, seq, n), verdict != '') AS last_verdict,
            countIf(verdict_by != '') > 0 AS judged,
            max(seq) AS last_seq
        FROM causes
        WHERE {origin:String} = '' AND shard = {shard:UInt32} AND incident IN {incidents:Array(UInt64)}
        GROUP BY incident
    ),
    last.phase IN ('resolved', 'closed') AS is_resolved,
    -- Where the time of teams and holds ends.
    multiIf(is_resolved, coalesce(last.resolved_at, last.closed_at, last.at), last.phase IN ('cancelled', 'merged'), coalesce(last.closed_at, last.at), NULL) AS done_at,
    -- Being merged for a while is no step of its own life.
    arrayFilter(s -> s.4 != 'merged', story.steps) AS life,
    arrayResize(arrayPushFront(arrayMap(s -> s.4, life), 'open'), length(life)) AS phase_before,
    arrayFilter((s, before) -> before = 'open' AND s.4 IN ('resolved', 'closed'), life, phase_before) AS ends,
    arrayFilter((s, before) -> before IN ('resolved', 'closed') AND s.4 = 'open', life, phase_before) AS returns,
    -- Of several versions in one instant the last counts.
    arrayFilter((s, i) -> i = length(story.steps) OR story.steps[i + 1].1 != s.1, story.steps, arrayEnumerate(story.steps)) AS instants,
    arrayFilter((s, i) -> i = 1 OR instants[i - 1].6 != s.6, instants, arrayEnumerate(instants)) AS team_steps,
    arrayFilter((s, i) -> i = 1 OR instants[i - 1].8 != s.8, instants, arrayEnumerate(instants)) AS hold_steps,
    -- Who has it: a team stays until another has it, a person until another of the same team has it.
    arrayFill(t -> t != '', arrayMap(s -> s.6, instants)) AS in_team,
    arrayFill((p, i) -> p != '' OR i = 1 OR in_team[i] != in_team[i - 1], arrayMap(s -> s.7, instants), arrayEnumerate(instants)) AS in_hand
SELECT
    last.origin,
    last.shard,
    last.incident,
    greatest(story.last_seq, evidence.last_seq, said.last_seq) AS version,
    last.number,
    last.tenant,
    last.phase,
    last.severity,
    last.priority,
    story.first_priority,
    last.title,
    last.rule,
    last.ci,
    last.services,
    last.team,
    last.assignee,
    cityHash64
    (
        toString(last.tenant),
        if(story.opening != '', story.opening, replaceRegexpAll(lowerUTF8(story.first_title), '[0-9]+', '#')),
        if(last.ci != '', last.ci, story.opening_resource)
    ) AS signature,
    last.opened_at,
    last.opened_by,
    last.origin = '' AND last.opened_by = '' AS automatic,
    if(last.origin = '', evidence.first_event, story.said_first) AS first_event_at,
    evidence.first_arrival,
    evidence.last_end,
    story.first_ack,
    story.first_ack_by,
    if(is_resolved, last.resolved_at, NULL) AS resolved_at,
    if(is_resolved, last.resolved_by, '') AS resolved_by,
    is_resolved AND (last.origin != '' OR last.resolved_by != '') AS resolved_human,
    last.closed_at,
    last.merged_into,
    last.parent,
    last.recurs,
    last.major,
    story.by_people OR said.judged AS touched,
    arrayMap(s -> (s.1, last.origin != '' OR s.5 != ''), ends) AS resolves,
    arrayMap(s -> s.1, returns) AS reopens,
    greatest(toUInt32(length(returns)), ifNull(story.said_reopens, 0)) AS reopen_count,
    arrayFilter(t -> done_at IS NULL OR t.2 < done_at, arrayMap
    (
        (s, i) -> (s.6, if(i = 1, last.opened_at, s.1), if(i = length(team_steps), done_at, least(team_steps[i + 1].1, ifNull(done_at, team_steps[i + 1].1)))),
        team_steps, arrayEnumerate(team_steps)
    )) AS teams,
    arrayFilter(h -> h.1 != '' AND (done_at IS NULL OR h.2 < done_at), arrayMap
    (
        (s, i) -> (s.8, s.1, if(i = length(hold_steps), done_at, least(hold_steps[i + 1].1, ifNull(done_at, hold_steps[i + 1].1)))),
        hold_steps, arrayEnumerate(hold_steps)
    )) AS holds,
    greatest
    (
        toUInt32(arrayCount
        (
            i -> i > 1 AND if(in_team[i] != in_team[i - 1], in_team[i - 1] != '', in_hand[i] != in_hand[i - 1] AND in_hand[i - 1] != ''),
            arrayEnumerate(instants)
        )),
        ifNull(story.said_reassignments, 0)
    ) AS reassignments,
    evidence.alerts,
    evidence.occurrences,
    story.regrouped,
    said.last_verdict,
    last.rating,
    last.at
FROM last
INNER JOIN story ON story.incident = last.incident
LEFT JOIN evidence ON evidence.incident = last.incident
LEFT JOIN said ON said.incident = last.incident
