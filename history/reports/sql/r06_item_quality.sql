-- id: R6
-- name: item_quality
-- title: Quality of configuration items
-- question: Can the list of what we run be trusted?
-- anchor: what was known at the end of the period; alerts by arrival in the period
-- population: Configuration items that were there at the end of the period. Service, team and priority narrow nothing.
-- zone: not used
-- formula: items of the kind / items. Stale: live, and nothing of it changed for 180 days before the end of the period. Duplicate: live, and another live item of its tenant
--   has the same class and name. Retired alarming: retired, and an alert bound to it said something in the period. Unconfirmed: discovered,
--   and confirmed by nobody. Intervals are Wilson's.
-- columns:
--   finding | text | live, stale, duplicate, retired, retired_alarming, unconfirmed
--   n | count | items
--   items | count | of them of this kind
--   share | ratio | items / n
--   lo | ratio | lower end of the 95 % interval
--   hi | ratio | upper end of it
-- items:
--   finding | text | stale, duplicate, retired_alarming, unconfirmed
--   id | text | item
--   name | text | its name
--   class | text | class
--   state | text | state
--   source | text | where it came from
--   changed_at | time | last change of it
-- chart: bars finding: share
-- packs: monthly
WITH
    judged AS
    (
        SELECT
            state = 'live' AS live,
            state = 'live' AND changed_at < {to:DateTime64(3, 'UTC')} - toIntervalDay(180) AS stale,
            state = 'live' AND countIf(state = 'live') OVER (PARTITION BY tenant, class, name) > 1 AS duplicate,
            state = 'retired' AS retired,
            state = 'retired' AND (tenant, id) IN {{alarming_items}} AS retired_alarming,
            state = 'discovered' AS unconfirmed
        FROM {{known_items}}
    )
SELECT
    t.1 AS finding,
    n,
    t.2 AS items,
    {{share items, n}} AS share,
    {{wilson_lo items, n}} AS lo,
    {{wilson_hi items, n}} AS hi
FROM
(
    SELECT
        count() AS n,
        arrayJoin
        ([
            ('live', countIf(live)), ('stale', countIf(stale)), ('duplicate', countIf(duplicate)), ('retired', countIf(retired)),
            ('retired_alarming', countIf(retired_alarming)), ('unconfirmed', countIf(unconfirmed))
        ]) AS t
    FROM judged
)
ORDER BY indexOf(['live', 'stale', 'duplicate', 'retired', 'retired_alarming', 'unconfirmed'], finding)
-- list
SELECT finding, id, name, toString(class) AS class, toString(state) AS state, toString(source) AS source, changed_at
FROM
(
    SELECT
        *,
        arrayJoin(arrayFilter(f -> f != '',
        [
            if(state = 'live' AND changed_at < {to:DateTime64(3, 'UTC')} - toIntervalDay(180), 'stale', ''),
            if(state = 'live' AND twins > 1, 'duplicate', ''),
            if(state = 'retired' AND (tenant, id) IN {{alarming_items}}, 'retired_alarming', ''),
            if(state = 'discovered', 'unconfirmed', '')
        ])) AS finding
    FROM (SELECT *, countIf(state = 'live') OVER (PARTITION BY tenant, class, name) AS twins FROM {{known_items}})
)
ORDER BY finding, id
