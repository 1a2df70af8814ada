-- Incidents before one that are like it: the same trouble on the same item, the same item, or the same trouble elsewhere; the likest first, then the
-- latest. The counts are of all, whatever the limit.
WITH
    same AS
    (
        SELECT DISTINCT origin, shard, incident
        FROM incident_versions
        WHERE tenant = {tenant:String} AND {name:String} != '' AND opened_name = {name:String} AND kind = 'incident_opened'
    ),
    found AS
    (
        SELECT
            origin, shard, incident, number, tenant, title, phase, priority, ci, team, opened_at, resolved_at, resolved_by,
            signature = {signature:UInt64} AS same_signature,
            {ci:String} != '' AND ci = {ci:String} AS same_item,
            (origin, shard, incident) IN (SELECT origin, shard, incident FROM same) AS same_name
        FROM incidents FINAL
        WHERE tenant = {tenant:String} AND merged_into = 0 AND phase != 'cancelled'
            AND opened_at < {before:DateTime64(3, 'UTC')} AND opened_at >= {from:DateTime64(3, 'UTC')}
            AND (same_signature OR same_item OR same_name)
            AND NOT (origin = {origin:String} AND shard = {shard:UInt32} AND incident = {incident:UInt64})
    ),
    counts AS
    (
        SELECT
            count() AS total,
            countIf(same_signature) AS signature_all, countIf(same_signature AND opened_at >= {recent:DateTime64(3, 'UTC')}) AS signature_recent,
            maxIf(opened_at, same_signature) AS signature_last,
            countIf(same_item) AS item_all, countIf(same_item AND opened_at >= {recent:DateTime64(3, 'UTC')}) AS item_recent, maxIf(opened_at, same_item) AS item_last,
            countIf(same_name) AS name_all, countIf(same_name AND opened_at >= {recent:DateTime64(3, 'UTC')}) AS name_recent, maxIf(opened_at, same_name) AS name_last
        FROM found
    ),
    best AS
    (
        SELECT * FROM found
        ORDER BY 4 * same_signature + 2 * same_item + same_name DESC, opened_at DESC, origin, number
        LIMIT {limit:UInt64}
    ),
    said AS
    (
        SELECT origin AS said_origin, shard AS said_shard, incident AS said_incident, argMaxIf(text, (at, seq, n), text != '') AS how
        FROM incident_versions
        WHERE kind IN ('incident_resolved', 'incident_closed') AND (origin, shard, incident) IN (SELECT origin, shard, incident FROM best)
        GROUP BY origin, shard, incident
    )
SELECT best.*, said.how AS how, counts.*
FROM best
CROSS JOIN counts
LEFT JOIN said ON said_origin = best.origin AND said_shard = best.shard AND said_incident = best.incident
ORDER BY 4 * same_signature + 2 * same_item + same_name DESC, opened_at DESC, origin, number
