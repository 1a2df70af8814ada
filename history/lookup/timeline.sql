-- What happened to an item in a time: alerts bound to it, incidents about it, outages of it, changes of it, maintenance windows over it. What began
-- before and was still going on is there, too.
WITH
    alerts_of AS
    (
        SELECT
            'alert' AS kind, argMax(tenant, (t.at, seq, n)) AS of_tenant, coalesce(min(t.firing_at), min(t.at)) AS begin, max(t.ended_at) AS end,
            trim(LEADING '0' FROM lower(hex(alert))) AS ref, '' AS from_origin, concat(argMax(name, (t.at, seq, n)), if(argMax(resource, (t.at, seq, n)) = '', '', concat(' on ', argMax(resource, (t.at, seq, n))))) AS words,
            min(severity) AS level, toString(argMax(phase, (t.at, seq, n))) AS now, toUInt64(max(t.incident)) AS number, '' AS who
        FROM transitions AS t
        WHERE t.ci = {ci:String} AND ({all:UInt8} = 1 OR tenant = {tenant:String}) AND t.at >= {from:DateTime64(3, 'UTC')} AND t.at < {to:DateTime64(3, 'UTC')}
            AND t.kind IN ('alert_firing', 'alert_updated', 'alert_cleared', 'alert_expired', 'alert_joined', 'alert_severity')
        GROUP BY shard, alert, occurrence
    ),
    incidents_of AS
    (
        SELECT
            'incident' AS kind, tenant AS of_tenant, opened_at AS begin, coalesce(resolved_at, closed_at) AS end, i.number AS ref, toString(origin) AS from_origin, title AS words,
            priority AS level, toString(phase) AS now, toUInt64(0) AS number, toString(resolved_by) AS who
        FROM incidents AS i FINAL
        WHERE (i.ci = {ci:String} OR has(services, {ci:String})) AND ({all:UInt8} = 1 OR tenant = {tenant:String})
            AND opened_at < {to:DateTime64(3, 'UTC')} AND coalesce(resolved_at, closed_at, {to:DateTime64(3, 'UTC')}) >= {from:DateTime64(3, 'UTC')}
    ),
    outages_of AS
    (
        SELECT
            'outage' AS kind, tenant AS of_tenant, began_at AS begin, ended_at AS end, concat('OUT-', toString(outage)) AS ref, '' AS from_origin,
            if(cause = '', toString(o.kind), concat(toString(o.kind), ': ', cause)) AS words, toUInt8(0) AS level, toString(state) AS now, toUInt64(0) AS number, toString(confirmed_by) AS who
        FROM outages AS o FINAL
        WHERE service = {ci:String} AND ({all:UInt8} = 1 OR tenant = {tenant:String})
            AND began_at < {to:DateTime64(3, 'UTC')} AND ifNull(ended_at, {to:DateTime64(3, 'UTC')}) >= {from:DateTime64(3, 'UTC')}
    ),
    changes_of AS
    (
        SELECT
            'change' AS kind, tenant AS of_tenant, known_at AS begin, CAST(NULL, 'Nullable(DateTime64(3, \'UTC\'))') AS end, '' AS ref, '' AS from_origin,
            concat(toString(class), ' ', if(gone, 'gone', toString(state)), if(source = '', '', concat(', said by ', toString(source)))) AS words,
            toUInt8(0) AS level, toString(state) AS now, toUInt64(0) AS number, toString(c.actor) AS who
        FROM cis AS c FINAL
        WHERE id = {ci:String} AND ({all:UInt8} = 1 OR tenant = {tenant:String}) AND known_at >= {from:DateTime64(3, 'UTC')} AND known_at < {to:DateTime64(3, 'UTC')}
    ),
    windows_of AS
    (
        SELECT
            'window' AS kind, any(tenant) AS of_tenant, coalesce(l.since, min(l.at)) AS begin, max(l.until) AS end, id AS ref, '' AS from_origin, any(name) AS words,
            toUInt8(0) AS level, if(max(l.kind = 'window_ended'), 'over', 'running') AS now, toUInt64(0) AS number, '' AS who
        FROM log AS l FINAL
        WHERE l.kind IN ('window_started', 'window_ended') AND has({windows:Array(String)}, id) AND ({all:UInt8} = 1 OR tenant = {tenant:String})
            AND l.at >= {from:DateTime64(3, 'UTC')} AND l.at < {to:DateTime64(3, 'UTC')}
        GROUP BY id, l.since
    ),
    everything AS
    (
        SELECT * FROM alerts_of UNION ALL SELECT * FROM incidents_of UNION ALL SELECT * FROM outages_of UNION ALL SELECT * FROM changes_of
        UNION ALL SELECT * FROM windows_of
    ),
    latest AS
    (
        SELECT *, count() OVER () AS total FROM everything ORDER BY begin DESC, kind, ref LIMIT {limit:UInt64}
    )
SELECT
    kind, of_tenant AS tenant, begin AS at, end AS until, ref, from_origin AS origin, words AS title, level AS severity, now AS state, number AS incident,
    who AS actor, total
FROM latest
ORDER BY at, kind, ref
