-- The incident of which the like is looked for, with what opened it.
SELECT
    origin, shard, incident, number, tenant, title, ci, signature, opened_at,
    (
        SELECT max(opened_name) FROM incident_versions AS v
        WHERE v.origin = {origin:String} AND v.number = {number:String} AND v.kind = 'incident_opened'
    ) AS opening
FROM incidents FINAL
WHERE origin = {origin:String} AND number = {number:String} AND ({all:UInt8} = 1 OR tenant = {tenant:String})
ORDER BY tenant
LIMIT 1
