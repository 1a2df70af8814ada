-- Alerts that began to fire in a time, by their labels: one row per occurrence, the latest first.
WITH
    known AS
    (
        SELECT shard, alert, labels
        FROM alerts FINAL
        WHERE ({all:UInt8} = 1 OR tenant = {tenant:String}) /* matchers */
    ),
    began AS
    (
        SELECT shard, alert, occurrence, min(at) AS began_at
        FROM transitions
        WHERE kind = 'alert_firing' AND at >= {from:DateTime64(3, 'UTC')} AND at < {to:DateTime64(3, 'UTC')}
            AND ({all:UInt8} = 1 OR tenant = {tenant:String}) AND (shard, alert) IN (SELECT shard, alert FROM known)
        GROUP BY shard, alert, occurrence
    ),
    found AS
    (
        SELECT
            shard, alert, occurrence,
            argMax(tenant, (at, seq, n)) AS of_tenant, argMax(source, (at, seq, n)) AS of_source, argMax(name, (at, seq, n)) AS of_name,
            argMax(resource, (at, seq, n)) AS of_resource, argMax(ci, (at, seq, n)) AS of_ci, min(severity) AS worst, argMax(phase, (at, seq, n)) AS last_phase,
            min(at) AS first_at, argMin(transitions.started_at, (at, seq, n)) AS said_at, max(transitions.ended_at) AS over_at, max(transitions.incident) AS in_incident,
            argMin(quiet, (at, seq, n)) AS first_quiet
        FROM transitions
        WHERE (shard, alert, occurrence) IN (SELECT shard, alert, occurrence FROM began) AND at >= {from:DateTime64(3, 'UTC')} AND at < {to:DateTime64(3, 'UTC')}
        GROUP BY shard, alert, occurrence
        HAVING ({ci:String} = '' OR of_ci = {ci:String}) AND ({phase:String} = '' OR last_phase = {phase:String})
    ),
    page AS
    (
        SELECT *, count() OVER () AS total FROM found ORDER BY first_at DESC, alert, occurrence LIMIT {limit:UInt64}
    )
SELECT
    page.alert AS alert, of_tenant AS tenant, of_source AS source, of_name AS name, of_resource AS resource, known.labels AS labels, of_ci AS ci,
    worst AS severity, last_phase AS phase, first_at AS firing_at, said_at AS started_at, over_at AS ended_at, in_incident AS incident,
    page.occurrence AS occurrence, first_quiet AS quiet, total
FROM page
INNER JOIN known ON known.shard = page.shard AND known.alert = page.alert
ORDER BY firing_at DESC, alert, occurrence
