-- id: R6
-- name: binding
-- title: Binding of alerts to items
-- question: Do we know what each alert is about?
-- anchor: opening of the alert
-- population: Alerts by each time that they began to fire, as they were bound then. A filter by service, team or priority keeps the alerts that
--   have been in such an incident.
-- zone: cuts the period into days, weeks or months
-- formula: alerts opened that were bound in this way / alerts opened; the shares of a period sum to 1. Bound are id, label, rule and discovered; ambiguous
--   ones could be several items. Intervals are Wilson's.
-- columns:
--   bucket | bucket | period
--   binding | text | bound (id, label, rule or discovered), and each of these apart; ambiguous; unbound
--   n | count | alerts opened (A)
--   alerts | count | of them bound in this way
--   share | ratio | alerts / n
--   lo | ratio | lower end of the 95 % interval
--   hi | ratio | upper end of it
-- items:
--   binding | text | how they were bound
--   name | text | alert
--   source | text | sender
--   alerts | count | alerts opened
--   resources | count | distinct things that their labels name
--   example | text | one of these
-- chart: line bucket: share where binding = bound; bars binding: share
-- packs: monthly
WITH
    (
        SELECT groupArray((day, way, alerts))
        FROM
        (
            SELECT {{bucket_of at}} AS day, if(bound = '', 'unbound', toString(bound)) AS way, count() AS alerts
            FROM transitions FINAL
            WHERE kind = 'alert_firing' AND {{in_period at}} AND {{alert_scope}}
            GROUP BY day, way
        )
    ) AS found,
    counted AS
    (
        SELECT
            arrayJoin([NULL, toNullable(f.1)]) AS bucket,
            arrayJoin(if(f.2 IN ('id', 'label', 'rule', 'discovered'), ['bound', f.2], [f.2])) AS binding,
            sum(f.3) AS alerts
        FROM (SELECT arrayJoin(found) AS f)
        GROUP BY bucket, binding
    ),
    cells AS
    (
        SELECT b.bucket AS bucket, arrayJoin(['bound', 'id', 'label', 'rule', 'discovered', 'ambiguous', 'unbound']) AS binding
        FROM {{buckets}} AS b
    )
SELECT
    c.bucket AS bucket,
    c.binding AS binding,
    sumIf(x.alerts, c.binding IN ('bound', 'ambiguous', 'unbound')) OVER (PARTITION BY c.bucket) AS n,
    x.alerts AS alerts,
    {{share x.alerts, n}} AS share,
    {{wilson_lo x.alerts, n}} AS lo,
    {{wilson_hi x.alerts, n}} AS hi
FROM cells AS c
LEFT JOIN counted AS x ON x.bucket IS NOT DISTINCT FROM c.bucket AND x.binding = c.binding
ORDER BY bucket NULLS FIRST, indexOf(['bound', 'id', 'label', 'rule', 'discovered', 'ambiguous', 'unbound'], binding)
-- list
SELECT if(bound = '', 'unbound', toString(bound)) AS binding, toString(name) AS name, toString(source) AS source, count() AS alerts, uniqExact(resource) AS resources, any(resource) AS example
FROM transitions FINAL
WHERE kind = 'alert_firing' AND {{in_period at}} AND {{alert_scope}}
GROUP BY binding, name, source
ORDER BY alerts DESC, binding, name, source
