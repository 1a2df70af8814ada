-- id: R23
-- name: availability
-- title: Availability
-- question: How much of the time that we promised was each service there?
-- formula: (committed − down) / committed. Committed is the whole period (24×7, up to now) in which the service existed, without confirmed
--   planned outages that were known before they began. Down is the union of confirmed outages in it, of kind down and of planned ones
--   that were known too late; overlapping ones count once. Degraded is apart, and only while not down; so are outages that are only
--   proposed. An interruption is one stretch of down time. MTBF is uptime by interruption that began in the period; time to restore is
--   that of stretches that ended in it. A target is met when a stretch is no longer than the service's rto.
-- anchor: every outage counts with what of it lies in the period
-- population: services of the catalogue that were in use in the period, and those that an outage names. Rejected outages are left out. Priority leaves it as it is; team
--   is that of the service
-- zone: cuts the buckets
-- columns:
--   bucket | bucket | the part of the period
--   by | text | all, service
--   service | text | its id; all
--   title | text | its name
--   n | count | interruptions with any time in it
--   committed | seconds | time promised
--   down | seconds | of this, down
--   share | ratio | availability
--   degraded | seconds | of this, degraded
--   proposed | seconds | down or degraded as far as nobody has confirmed it yet
--   planned | seconds | taken out of what was promised
--   mtbf | seconds | uptime by interruption that began in it
--   restored | count | interruptions that ended in it
--   p50 | seconds | time to restore: half were not slower
--   p90 | seconds | nine of ten were not slower
--   gmean | seconds | geometric mean
--   p50_lo | seconds | lower end of the interval of p50
--   p50_hi | seconds | upper end
--   rto_n | count | restored, of a service with a target
--   rto_met | ratio | of these, in time
--   rto_met_lo | ratio | lower end of the interval of rto_met
--   rto_met_hi | ratio | upper end
-- items:
--   service | text | its id
--   title | text | its name
--   began_at | time | begin of the interruption
--   ended_at | time | its end; empty: it lasts
--   lasted | seconds | its whole length, up to now
--   counted | seconds | what of it lies in the period
--   outages | text | numbers of the outages that it is made of
--   cause | text | of these
-- chart: line bucket: down, degraded where by = all; bars service: down where by = service
-- packs: monthly
WITH
    {{outage_states}},
    cuts AS
    (
        SELECT toNullable(date) AS bucket, greatest({{bucket_start date}}, {from:DateTime64(3, 'UTC')}) AS since,
            least({{bucket_end date}}, {to:DateTime64(3, 'UTC')}) AS until
        FROM (SELECT assumeNotNull(bucket) AS date FROM {{buckets}} WHERE bucket IS NOT NULL)
        UNION ALL
        SELECT NULL, {from:DateTime64(3, 'UTC')}, {to:DateTime64(3, 'UTC')}
    ),
    parts AS
    (
        SELECT bucket, tenant, service, title, rto, committed, is_planned, is_down, is_degraded, is_proposed, stretch,
            {{elapsed greatest(at, since), least(till, until, now64(3))}} AS part,
            is_down AND at = began_at AND at >= since AS begun,
            if(is_down AND till = over_at AND over_at < until AND over_at <= now64(3), {{elapsed began_at, over_at}}, NULL) AS restored
        FROM states
        CROSS JOIN cuts
        WHERE at < least(until, now64(3)) AND till > since
        UNION ALL
        SELECT bucket, '', '', '', 0, false, false, false, false, false, 0, 0, false, NULL FROM {{buckets}}
    ),
    grouped AS
    (
        SELECT bucket, grouping(service) = 1 AS is_all, service, max(title) AS title, uniqExactIf((tenant, service, stretch), is_down) AS n,
            sumIf(part, committed) AS promised, sumIf(part, is_down) AS lost, sumIf(part, is_degraded) AS degraded, sumIf(part, is_proposed) AS proposed,
            sumIf(part, is_planned) AS planned, countIf(begun) AS failures, {{sorted restored}} AS xs,
            countIf(rto > 0 AND restored IS NOT NULL) AS targets, countIf(rto > 0 AND restored <= rto) AS in_time
        FROM parts
        GROUP BY GROUPING SETS ((bucket), (bucket, service))
        HAVING is_all OR bucket IS NULL AND promised + planned > 0
    )
SELECT
    bucket,
    if(is_all, 'all', 'service') AS by,
    if(is_all, 'all', grouped.service) AS service,
    if(is_all, '', grouped.title) AS title,
    n,
    promised AS committed,
    lost AS down,
    {{share (promised - lost), promised}} AS share,
    degraded,
    proposed,
    planned,
    {{share (promised - lost), failures}} AS mtbf,
    length(xs) AS restored,
    {{p50 xs}} AS p50,
    {{p90 xs}} AS p90,
    {{gmean xs}} AS gmean,
    {{p50_lo xs}} AS p50_lo,
    {{p50_hi xs}} AS p50_hi,
    targets AS rto_n,
    {{share in_time, targets}} AS rto_met,
    {{wilson_lo in_time, targets}} AS rto_met_lo,
    {{wilson_hi in_time, targets}} AS rto_met_hi
FROM grouped
ORDER BY bucket NULLS FIRST, is_all DESC, share, service
-- list
WITH
    {{outage_states}}
SELECT stretches.service AS service, any(stretches.title) AS title, stretches.began_at AS began_at,
    if(any(over_at) > now64(3), NULL, any(over_at)) AS ended_at,
    {{elapsed began_at, least(any(over_at), now64(3))}} AS lasted,
    {{elapsed greatest(began_at, {from:DateTime64(3, 'UTC')}), least(any(over_at), {to:DateTime64(3, 'UTC')}, now64(3))}} AS counted,
    arrayStringConcat(arraySort(groupUniqArray(toString(made.outage))), ', ') AS outages,
    arrayStringConcat(arraySort(groupUniqArrayIf(made.cause, made.cause != '')), '; ') AS cause
FROM (SELECT DISTINCT tenant, service, title, began_at, over_at FROM states WHERE is_down) AS stretches
INNER JOIN (SELECT tenant, service, one.1 AS since, one.2 AS until, one.7 AS outage, one.8 AS cause FROM lives ARRAY JOIN outages AS one WHERE one.4 = 1) AS made
    ON made.tenant = stretches.tenant AND made.service = stretches.service
WHERE began_at < {to:DateTime64(3, 'UTC')} AND over_at > {from:DateTime64(3, 'UTC')} AND since < over_at AND until > began_at
GROUP BY stretches.tenant, service, began_at
ORDER BY began_at, service
