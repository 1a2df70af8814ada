-- id: R31
-- name: blindness
-- title: Blindness
-- question: For how long did we not hear from those who watch?
-- anchor: the time between the last word of a heartbeat and the next
-- population: Heartbeats that were expected in the period, of all senders. Only the part of their times that lies in the period counts, and nothing after now.
--   Service, team and priority narrow nothing.
-- zone: not used
-- formula: time without heartbeat / time in which it was expected, from when it was made (or the begin of the period) until it was dropped (or the end). A
--   heartbeat that was missed is silent from its last word until it is heard again or dropped. A share of time has no interval: its seconds depend on each other.
-- columns:
--   source | text | sender; all: sum over all
--   name | text | heartbeat
--   n | count | times that it fell silent
--   blind | seconds | time without it
--   expected | seconds | time in which it was expected
--   share | ratio | blind / expected
--   longest | seconds | longest silence
-- items:
--   source | text | sender
--   name | text | heartbeat
--   silent_from | time | last word
--   silent_to | time | heard again; the end of the period where it was not
--   blind | seconds | of it in the period
--   over | flag | it was heard again
-- chart: bars source, name: blind
-- packs: monthly
WITH
    least({to:DateTime64(3, 'UTC')}, now64(3, 'UTC')) AS end_at,
    beats AS {{heartbeats}},
    timed AS
    (
        SELECT
            source, name,
            arrayFilter(s -> s.1 < s.2, arrayMap
            (
                l -> (greatest(ifNull(l.2, l.1), made_at), least(if(arrayExists(r -> r > l.1, returns), arrayFirst(r -> r > l.1, returns), end_at), end_at)),
                losses
            )) AS silences,
            greatest(0, dateDiff('millisecond', made_at, dropped_at)) / 1000 AS expected
        FROM beats
    ),
    counted AS
    (
        SELECT
            source, name, length(silences) AS n, arraySum(s -> dateDiff('millisecond', s.1, s.2), silences) / 1000 AS blind, expected,
            arrayMax(arrayMap(s -> dateDiff('millisecond', s.1, s.2), silences)) / 1000 AS longest
        FROM timed
        WHERE expected > 0
    )
SELECT source, name, n, blind, expected, {{share blind, expected}} AS share, if(n = 0, NULL, longest) AS longest
FROM
(
    SELECT 'all' AS source, '' AS name, sum(n) AS n, sum(blind) AS blind, sum(expected) AS expected, max(longest) AS longest, 0 AS place FROM counted
    UNION ALL
    SELECT source, name, n, blind, expected, longest, 1 FROM counted
)
ORDER BY place, blind DESC, source, name
-- list
WITH
    least({to:DateTime64(3, 'UTC')}, now64(3, 'UTC')) AS end_at,
    beats AS {{heartbeats}}
SELECT
    source, name, greatest(ifNull(l.2, l.1), made_at) AS silent_from,
    least(if(over, arrayFirst(r -> r > l.1, returns), end_at), end_at) AS silent_to,
    {{elapsed silent_from, silent_to}} AS blind,
    arrayExists(r -> r > l.1, returns) AS over
FROM (SELECT *, arrayJoin(losses) AS l FROM beats WHERE made_at < dropped_at)
WHERE silent_from < silent_to
ORDER BY silent_from, source, name
