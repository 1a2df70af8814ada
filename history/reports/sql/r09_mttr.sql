-- id: R9
-- name: mttr
-- title: Time to restore
-- question: How long until it works again, and is that getting better?
-- formula: Three clocks, each elapsed and in business seconds (Mondays to Fridays, 09:00 to 17:00 in the zone). Resolve: last resolve
--   minus opening. Repair: last clear of its alerts minus their first event. Restore: end of an outage minus its begin, of confirmed
--   outages of kind down. Strata: resolved by a person or by the machine; priority; service; hour of the week in which it was opened.
--   An incident that hurts two services counts in both.
-- anchor: the last resolve of the incident; restore: the end of the outage
-- population: incidents resolved in the period, without those that were merged into another, and without cancelled ones. Repair counts
--   where both ends are known. Restore knows tenant and service; team and priority leave it as it is
-- zone: cuts the buckets, says when business hours are, and the hour of the week
-- columns:
--   bucket | bucket | when the incident was resolved, or the outage ended
--   clock | text | resolve, repair, restore
--   hours | text | elapsed, business
--   by | text | what the stratum is: all, resolver, priority, service, weekday
--   stratum | text | person or machine, P1 to P5, the service, or the day of the week
--   hour | text | by weekday: the hour of the day, 00 to 23
--   n | count | incidents, or outages
--   p50 | seconds | half were not slower
--   p90 | seconds | nine of ten were not slower
--   gmean | seconds | geometric mean
--   p50_lo | seconds | lower end of the interval of p50
--   p50_hi | seconds | upper end
-- items:
--   kind | text | incident, outage
--   number | text | of the incident or of the outage
--   origin | text | import that it came from; empty: own
--   title | text | its title; of an outage the cause
--   priority | count | 1 to 5; 0: an outage
--   hurts | text | the services it hurts
--   opened_at | time | opening of the incident, begin of the outage
--   resolved_at | time | last resolve, end of the outage
--   resolver | text | person, machine
--   resolve | seconds | opening to last resolve
--   resolve_business | seconds | of these, in business hours
--   repair | seconds | first event to last clear
--   repair_business | seconds | of these, in business hours
--   restore | seconds | begin to end of the outage
--   restore_business | seconds | of these, in business hours
-- chart: line bucket: p50, p90 where clock = resolve, hours = elapsed, by = all; line bucket by stratum: p50 where clock = resolve, hours = elapsed, by = resolver;
--   bars stratum: p50 where clock = resolve, hours = elapsed, by = priority; heat hour, stratum: p50 where by = weekday
-- packs: monthly
WITH
    counted AS
    (
        SELECT assumeNotNull(resolved_at) AS at, opened_at, priority, services, if(resolved_human, 'person', 'machine') AS resolver,
            {{elapsed opened_at, resolved_at}} AS resolve,
            {{business_seconds opened_at, assumeNotNull(resolved_at)}} AS resolve_business,
            {{elapsed first_event_at, last_clear_at}} AS repair,
            if(isNull(repair), NULL, {{business_seconds assumeNotNull(first_event_at), assumeNotNull(last_clear_at)}}) AS repair_business
        FROM incidents FINAL
        WHERE {{incident_scope}} AND phase != 'cancelled' AND {{resolved_in_period}}
    ),
    restored AS
    (
        SELECT assumeNotNull(ended_at) AS at, service,
            {{elapsed began_at, ended_at}} AS restore,
            {{business_seconds began_at, assumeNotNull(ended_at)}} AS restore_business
        FROM outages FINAL
        WHERE state = 'confirmed' AND kind = 'down' AND {{in_period ended_at}} AND {{tenant_scope tenant}} AND ({service:String} = '' OR service = {service:String})
    ),
    grouped AS
    (
        SELECT 0 AS first_clock, bucket, if(grouping(resolver) = 1, 'all', 'resolver') AS by, if(by = 'all', 'all', resolver) AS stratum, '' AS hour,
            [{{sorted resolve}}, {{sorted resolve_business}}, {{sorted repair}}, {{sorted repair_business}}] AS clocks
        FROM
        (
            SELECT toNullable({{bucket_of at}}) AS bucket, resolver, resolve, resolve_business, repair, repair_business FROM counted
            UNION ALL
            SELECT bucket, resolver, NULL, NULL, NULL, NULL FROM {{buckets}} ARRAY JOIN ['machine', 'person'] AS resolver WHERE bucket IS NOT NULL
        )
        GROUP BY GROUPING SETS ((), (bucket), (resolver), (bucket, resolver))
        UNION ALL
        SELECT 0, NULL, 'priority', concat('P', toString(priority)), '', [{{sorted resolve}}] FROM counted GROUP BY priority
        UNION ALL
        SELECT 0, NULL, 'service', service, '', [{{sorted resolve}}] FROM counted ARRAY JOIN services AS service GROUP BY service
        UNION ALL
        SELECT 0, NULL, 'weekday', ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'][intDiv(hours, 24) + 1], leftPad(toString(hours % 24), 2, '0'), [{{sorted resolve}}]
        FROM counted
        GROUP BY {{hour_of_week opened_at}} AS hours
        UNION ALL
        SELECT 4, bucket, if(grouping(service) = 1, 'all', 'service'), if(grouping(service) = 1, 'all', assumeNotNull(service)), '', [{{sorted restore}}, {{sorted restore_business}}]
        FROM
        (
            SELECT toNullable({{bucket_of at}}) AS bucket, toNullable(service) AS service, restore, restore_business FROM restored
            UNION ALL
            SELECT bucket, NULL, NULL, NULL FROM {{buckets}} WHERE bucket IS NOT NULL
        )
        GROUP BY GROUPING SETS ((), (bucket), (service))
    )
SELECT
    bucket,
    ['resolve', 'resolve', 'repair', 'repair', 'restore', 'restore'][first_clock + i] AS clock,
    if(i % 2 = 1, 'elapsed', 'business') AS hours,
    by,
    stratum,
    hour,
    length(xs) AS n,
    {{p50 xs}} AS p50,
    {{p90 xs}} AS p90,
    {{gmean xs}} AS gmean,
    {{p50_lo xs}} AS p50_lo,
    {{p50_hi xs}} AS p50_hi
FROM grouped
ARRAY JOIN clocks AS xs, arrayEnumerate(clocks) AS i
WHERE by IN ('all', 'resolver') OR n > 0
ORDER BY bucket NULLS FIRST, indexOf(['all', 'resolver', 'priority', 'service', 'weekday'], by), first_clock + i,
    if(by = 'service', -toInt64(n), 0), indexOf(['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'], stratum), stratum, hour
-- list
SELECT * FROM
(
    SELECT 'incident' AS kind, number, origin, title, priority, arrayStringConcat(services, ', ') AS hurts, opened_at, resolved_at,
        if(resolved_human, 'person', 'machine') AS resolver,
        {{elapsed opened_at, resolved_at}} AS resolve,
        {{business_seconds opened_at, assumeNotNull(resolved_at)}} AS resolve_business,
        {{elapsed first_event_at, last_clear_at}} AS repair,
        if(isNull(repair), NULL, {{business_seconds assumeNotNull(first_event_at), assumeNotNull(last_clear_at)}}) AS repair_business,
        CAST(NULL, 'Nullable(Float64)') AS restore,
        CAST(NULL, 'Nullable(Float64)') AS restore_business
    FROM incidents FINAL
    WHERE {{incident_scope}} AND phase != 'cancelled' AND {{resolved_in_period}}
    UNION ALL
    SELECT 'outage', toString(outage), '', cause, 0, service, began_at, ended_at,
        if(by_machine, 'machine', 'person'), NULL, NULL, NULL, NULL,
        {{elapsed began_at, ended_at}},
        {{business_seconds began_at, assumeNotNull(ended_at)}}
    FROM outages FINAL
    WHERE state = 'confirmed' AND kind = 'down' AND {{in_period ended_at}} AND {{tenant_scope tenant}} AND ({service:String} = '' OR service = {service:String})
)
ORDER BY kind, resolved_at, origin, number
