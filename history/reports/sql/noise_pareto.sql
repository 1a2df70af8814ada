-- id: noise
-- name: noise_pareto
-- title: Pareto of noise
-- question: Which few alerts make most of the noise?
-- anchor: arrival of the event
-- population: Events that changed something, by name of the alert and item (else what its labels call it): the 100 that make most, and the rest
--   in one row. Exact repeats are none. A filter by service, team or priority keeps the alerts that have been in such an incident.
-- zone: not used
-- formula: events / all events, and their sum from the top. Part A goes up to 80 of 100 events, B to 95, C is the rest. Intervals are Wilson's.
-- columns:
--   rank | count | from the one that makes most; 0: the rest
--   name | text | alert
--   item | text | item, else what its labels call it
--   n | count | events of the period (E)
--   events | count | of them of this alert on this item
--   share | ratio | events / n
--   lo | ratio | lower end of the 95 % interval
--   hi | ratio | upper end of it
--   cumulative | ratio | share of this and all above
--   part | text | A, B or C
-- items:
--   name | text | alert
--   item | text | item, else what its labels call it
--   source | text | senders
--   events | count | events
-- chart: bars name, item: events
-- packs: monthly
WITH
    counted AS
    (
        SELECT toString(any(transitions.name)) AS name, {{thing_name}} AS item, count() AS events
        FROM transitions FINAL
        WHERE event AND {{in_period at}} AND {{alert_scope}}
        GROUP BY cityHash64(transitions.name), {{thing}}
    ),
    ranked AS
    (
        SELECT
            name, item, events, row_number() OVER (ORDER BY events DESC, name, item) AS place, sum(events) OVER () AS n,
            sum(events) OVER (ORDER BY events DESC, name, item ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS up_to
        FROM counted
    )
SELECT
    if(place <= 100, place, 0) AS rank,
    if(place <= 100, name, 'all others') AS name,
    if(place <= 100, item, '') AS item,
    any(n) AS n,
    sum(ranked.events) AS events,
    {{share events, n}} AS share,
    {{wilson_lo events, n}} AS lo,
    {{wilson_hi events, n}} AS hi,
    {{share max(up_to), n}} AS cumulative,
    multiIf(min(up_to - ranked.events) < n * 0.8, 'A', min(up_to - ranked.events) < n * 0.95, 'B', 'C') AS part
FROM ranked
GROUP BY rank, name, item
ORDER BY rank = 0, rank
-- list
SELECT toString(any(transitions.name)) AS name, {{thing_name}} AS item, arrayStringConcat(arraySort(groupUniqArray(toString(source))), ', ') AS source, count() AS events
FROM transitions FINAL
WHERE event AND {{in_period at}} AND {{alert_scope}}
GROUP BY cityHash64(transitions.name), {{thing}}
ORDER BY events DESC, name, item
