-- What alerts did in the hours from {from} to {to}, counted anew.
INSERT INTO alert_hours
SELECT
    toStartOfHour(at) AS hour,
    shard,
    tenant,
    source,
    name,
    if(transitions.ci != '', transitions.ci, resource) AS ci,
    countIf(event) AS events,
    countIf(kind = 'alert_firing') AS opened,
    countIf(kind = 'alert_cleared') AS cleared,
    countIf(kind = 'alert_expired') AS expired,
    countIf(kind = 'alert_damped') AS flaps,
    countIf(kind = 'alert_firing' AND notEmpty(quiet)) AS quiet,
    countIf(kind = 'alert_firing' AND incident != 0) AS joined,
    countIf(kind IN ('alert_firing', 'alert_joined') AND reason IN ('opened', 'held')) AS incidents,
    {version:UInt64} AS version
FROM transitions FINAL
WHERE shard = {shard:UInt32} AND at >= {from:DateTime64(3, 'UTC')} AND at < {to:DateTime64(3, 'UTC')}
GROUP BY hour, shard, tenant, source, name, ci
SETTINGS do_not_merge_across_partitions_select_final = 1
