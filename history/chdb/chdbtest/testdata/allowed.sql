SELECT 1

SELECT count() FROM open.facts

SELECT ci, count() AS n, quantile(0.5)(severity), quantilesTDigest(0.5, 0.9)(severity), uniqCombined(ci) FROM open.facts GROUP BY ci ORDER BY n DESC LIMIT 10 FORMAT JSONEachRow

SELECT toStartOfInterval(at, INTERVAL 1 HOUR) AS hour, countIf(severity = 1), sumIf(seq, severity > 2), avgOrNull(seq) FROM open.facts GROUP BY hour ORDER BY hour WITH FILL STEP 3600

WITH recent AS (SELECT * FROM open.facts WHERE at > now() - INTERVAL 90 DAY) SELECT r.ci, max(r.seq) FROM recent AS r GROUP BY r.ci

SELECT a.ci, b.n FROM open.facts AS a INNER JOIN (SELECT ci, count() AS n FROM open.facts GROUP BY ci) AS b ON a.ci = b.ci LIMIT 5

SELECT ci, row_number() OVER (PARTITION BY ci ORDER BY seq ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS r, lagInFrame(seq) OVER (PARTITION BY ci ORDER BY seq) FROM open.facts LIMIT 5

SELECT arrayMap(x -> x + 1, [1, 2]), arrayJoin([1, 2]), labels['a'], mapKeys(labels), tuple(1, 'a').2 FROM open.facts LIMIT 1

SELECT CASE WHEN severity = 1 THEN 'a' ELSE 'b' END, if(severity > 1, 1, 0), multiIf(severity = 1, 'x', severity = 2, 'y', 'z'), coalesce(NULL, 1), severity IN (1, 2), severity BETWEEN 1 AND 3, ci LIKE 'ci%', CAST(seq AS String), seq::String FROM open.facts LIMIT 1

SELECT ci FROM open.facts WHERE seq IN (SELECT max(seq) FROM open.facts GROUP BY ci) UNION ALL SELECT 'x' UNION DISTINCT SELECT 'y'

SELECT number FROM numbers(10) WHERE number % 2 = 0

SELECT * FROM generate_series(1, 10)

SELECT * FROM values('a UInt8, b String', (1, 'x'), (2, 'y'))

SELECT * FROM view(SELECT 1 AS x)

SHOW TABLES FROM open

SHOW DATABASES

SHOW CREATE TABLE open.facts

DESCRIBE TABLE open.facts

DESCRIBE (SELECT 1 AS x)

EXISTS TABLE open.facts

EXPLAIN SELECT count() FROM open.facts

EXPLAIN indexes = 1 SELECT count() FROM open.facts WHERE seq > 5

EXPLAIN SYNTAX SELECT 1 + 1

SELECT name, engine, total_rows FROM system.tables WHERE database = 'open'

SELECT name, type, comment FROM system.columns WHERE database = 'open' AND table = 'facts'

SELECT name FROM system.databases

SELECT name FROM system.functions LIMIT 10

SELECT table_name FROM information_schema.tables WHERE table_schema = 'open'

SELECT version(), timezone(), currentDatabase(), now(), today()

SELECT sum(bytes_on_disk) FROM system.parts WHERE database = 'open' AND active

-- A comment; with a semicolon
SELECT 'a;b', "ci", `ci` FROM open.facts /* and ' another */ LIMIT 1 FORMAT Vertical

SELECT * EXCEPT (labels), COLUMNS('s.*'), facts.* FROM open.facts LIMIT 1 FORMAT CSVWithNames

SELECT * APPLY(toString) FROM open.facts LIMIT 1

SELECT ci, count() FROM open.facts GROUP BY GROUPING SETS ((ci), ()) HAVING count() > 1 ORDER BY ci ASC NULLS LAST LIMIT 1 BY ci LIMIT 2 OFFSET 1

SELECT toStartOfHour(at) AS time, ci, count() AS value FROM open.facts WHERE at >= toDateTime64(1761955200, 3) AND at <= toDateTime64(1793491200, 3) GROUP BY time, ci WITH TOTALS ORDER BY time

SELECT dateDiff('minute', min(at), max(at)), formatDateTime(max(at), '%Y-%m'), toTimeZone(max(at), 'Europe/Vienna'), toDate('2026-01-01') + INTERVAL 1 MONTH FROM open.facts

SELECT JSONExtractString('{"a":"b"}', 'a'), extract('abc', 'b.'), replaceRegexpAll('abc', 'b', 'x'), splitByChar(',', 'a,b'), domain('http://a.b/c'), cityHash64(1), hex('a'), round(1.5), toIPv4('1.2.3.4')

SELECT groupArray(ci), groupUniqArray(3)(ci), topK(3)(ci), argMax(ci, seq), countState(), uniqMerge(s) FROM (SELECT uniqState(ci) AS s, ci, seq FROM open.facts GROUP BY ci, seq)

SELECT x, y FROM open.facts ARRAY JOIN [1, 2] AS x, [3, 4] AS y LIMIT 3

SELECT 1 WHERE EXISTS (SELECT 1 FROM open.facts)

(SELECT 1) INTERSECT (SELECT 1)

SELECT ci FROM open.facts GROUP BY ci WITH ROLLUP QUALIFY count() OVER () > 0

SELECT quantileExactWeighted(0.9)(severity, seq), corr(severity, seq), stddevPop(seq), sumMap(map('a', 1)), maxIntersections(1, 2), simpleLinearRegression(severity, seq) FROM open.facts

WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT * FROM t

WITH 5 AS k, (SELECT max(seq) FROM open.facts) AS top SELECT k + top

SELECT 1 FORMAT JSON
