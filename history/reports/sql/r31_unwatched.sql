-- id: R31
-- name: unwatched
-- title: Unwatched items
-- question: Of what runs, what would break without a word?
-- anchor: what was known of items at the end of the period; alerts by arrival in the period
-- population: Live configuration items. Silence is no proof that nobody watches an item; it says where to look. Service, team and priority narrow nothing.
-- zone: not used
-- formula: live items to which no alert that said something in the period was bound / live items. Intervals are Wilson's.
-- columns:
--   class | text | class of items; all: all of them
--   n | count | live items
--   unwatched | count | of them without a word in the period
--   share | ratio | unwatched / n
--   lo | ratio | lower end of the 95 % interval
--   hi | ratio | upper end of it
-- items:
--   id | text | item
--   name | text | its name
--   class | text | class
--   source | text | where it came from
--   changed_at | time | last change of it
-- chart: bars class: share
-- packs: monthly
WITH
    (
        SELECT groupArray((class, n, unwatched))
        FROM
        (
            SELECT toString(class) AS class, count() AS n, countIf((tenant, id) NOT IN {{alarming_items}}) AS unwatched
            FROM {{known_items}}
            WHERE state = 'live'
            GROUP BY class
        )
    ) AS found
SELECT
    class,
    n,
    unwatched,
    {{share unwatched, n}} AS share,
    {{wilson_lo unwatched, n}} AS lo,
    {{wilson_hi unwatched, n}} AS hi
FROM
(
    SELECT 'all' AS class, arraySum(f -> f.2, found) AS n, arraySum(f -> f.3, found) AS unwatched, 0 AS place
    UNION ALL
    SELECT f.1, f.2, f.3, 1 FROM (SELECT arrayJoin(found) AS f)
)
ORDER BY place, n DESC, class
-- list
SELECT id, name, toString(class) AS class, toString(source) AS source, changed_at
FROM {{known_items}}
WHERE state = 'live' AND (tenant, id) NOT IN {{alarming_items}}
ORDER BY class, id
