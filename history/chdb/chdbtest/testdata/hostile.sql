INSERT INTO open.kept VALUES (2)

INSERT INTO open.kept SELECT 2

INSERT INTO FUNCTION file('x.csv') SELECT 1

INSERT INTO FUNCTION url('http://127.0.0.1:1/', 'CSV', 'x UInt8') VALUES (1)

CREATE TABLE open.mine (x UInt8) ENGINE = Memory

CREATE TEMPORARY TABLE mine (x UInt8)

CREATE TABLE open.mine ENGINE = Memory AS SELECT 1

CREATE VIEW open.mine AS SELECT * FROM file('/etc/passwd')

CREATE MATERIALIZED VIEW open.mine ENGINE = Memory AS SELECT 1

CREATE DICTIONARY open.mine (k UInt64, v String) PRIMARY KEY k SOURCE(FILE(PATH '/etc/passwd' FORMAT 'CSV')) LAYOUT(FLAT()) LIFETIME(0)

CREATE FUNCTION mine AS (x) -> x

CREATE DATABASE mine

CREATE NAMED COLLECTION mine AS a = 1

CREATE USER mine

GRANT ALL ON *.* TO default

DROP TABLE open.kept

DROP DATABASE open

TRUNCATE TABLE open.kept

ALTER TABLE open.kept DELETE WHERE 1

ALTER TABLE open.kept ADD COLUMN y UInt8

DELETE FROM open.kept WHERE 1

UPDATE open.kept SET x = 2 WHERE 1

RENAME TABLE open.kept TO open.gone

EXCHANGE TABLES open.kept AND open.facts

OPTIMIZE TABLE open.kept FINAL

DETACH TABLE open.kept

ATTACH TABLE open.kept

UNDROP TABLE open.kept

BACKUP TABLE open.kept TO File('/tmp/x')

RESTORE TABLE open.kept FROM File('/tmp/x')

SYSTEM SHUTDOWN

SYSTEM STOP MERGES

SYSTEM FLUSH LOGS

KILL QUERY WHERE 1

KILL MUTATION WHERE 1

SET max_threads = 1

SET readonly = 0

USE system

BEGIN TRANSACTION

SHOW PROCESSLIST

SHOW GRANTS

SHOW USERS

SHOW ACCESS

SHOW SETTINGS LIKE '%'

CHECK TABLE open.kept

WATCH open.kept

SELECT 1; DROP TABLE open.kept

SELECT 1; SELECT 2

SELECT 1 /* */ ; /* */ DROP TABLE open.kept -- the end

SELECT 1 SETTINGS readonly = 0

SELECT 1 SETTINGS max_execution_time = 0

SELECT * FROM (SELECT 1 SETTINGS max_threads = 1)

SELECT 1 INTO OUTFILE '/tmp/tocsin-hostile'

SELECT 1 INTO OUTFILE '/tmp/tocsin-hostile' TRUNCATE FORMAT CSV

(SELECT 1) UNION ALL (SELECT 2) INTO OUTFILE 'x'

SELECT * FROM file('/etc/passwd', 'LineAsString')

SELECT * FROM `file`('/etc/passwd', 'LineAsString')

SELECT * FROM "file"('/etc/passwd', 'LineAsString')

SELECT * FROM FILE('/etc/passwd')

SELECT * FROM/**/file/**/('/etc/passwd', LineAsString)

SELECT * FROM $$x$$, file('/etc/passwd', 'LineAsString')

SELECT * FROM '/etc/passwd'

SELECT * FROM `/etc/passwd`

SELECT * FROM "../../reader.json"

SELECT * FROM `reader.json`

SELECT * FROM default.`../reader.json`

SELECT * FROM filesystem('/etc')

SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'x String')

SELECT * FROM s3('http://127.0.0.1:1/x', 'CSV', 'x String')

SELECT * FROM remote('127.0.0.1:9000', system.one)

SELECT * FROM remoteSecure('127.0.0.1:9440', system.one)

SELECT * FROM mysql('127.0.0.1:3306', 'a', 'b', 'c', 'd')

SELECT * FROM postgresql('127.0.0.1:5432', 'a', 'b', 'c', 'd')

SELECT * FROM sqlite('/tmp/x.db', 't')

SELECT * FROM executable('x.sh', 'CSV', 'x String')

SELECT * FROM cluster('default', system.one)

SELECT * FROM clusterAllReplicas('default', system.processes)

SELECT * FROM merge('system', '.*')

SELECT * FROM merge('.*', 'processes')

SELECT * FROM dictionary('x')

SELECT * FROM input('x UInt8')

SELECT * FROM eval('SELECT * FROM file(''/etc/passwd'')')

SELECT * FROM fuzzQuery('SELECT 1')

SELECT * FROM viewIfPermitted(SELECT 1 ELSE null('x UInt8'))

SELECT * FROM loop(system.processes)

SELECT * FROM mergeTreeIndex('open', 'kept')

SELECT * FROM view(SELECT * FROM file('/etc/passwd', 'LineAsString'))

SELECT * FROM (SELECT * FROM (SELECT * FROM url('http://127.0.0.1:1/', CSV, 'x String')))

SELECT 1 WHERE 1 IN (SELECT * FROM file('/etc/passwd', 'LineAsString'))

SELECT 1 IN file('/etc/passwd')

WITH x AS (SELECT * FROM file('/etc/passwd', 'LineAsString')) SELECT * FROM x

WITH file('/etc/passwd') AS x SELECT x

SELECT (SELECT * FROM file('/etc/passwd', 'LineAsString') LIMIT 1)

SELECT 1 UNION ALL SELECT * FROM file('/etc/passwd', 'LineAsString')

SELECT count() FROM open.kept AS a JOIN file('/etc/passwd', 'LineAsString') AS b ON 1 = 1

SELECT file('/etc/passwd')

SELECT FILE('/etc/passwd')

SELECT `file`('/etc/passwd')

SELECT arrayMap(x -> file(x), ['/etc/passwd'])

SELECT * APPLY(file) FROM (SELECT '/etc/passwd')

SELECT * APPLY(x -> file(x)) FROM (SELECT '/etc/passwd')

SELECT arrayReduce('sum', [toUInt64(length(file('/etc/passwd')))])

SELECT getSetting('max_threads')

SELECT getServerSetting('max_server_memory_usage')

SELECT getMacro('x')

SELECT hostName(), FQDN()

SELECT hostname()

SELECT sleep(3)

SELECT sleepEachRow(1) FROM numbers(10)

SELECT dictGet('x', 'y', 1)

SELECT joinGet('open.x', 'y', 1)

SELECT addressToLine(1)

SELECT aiGenerate('x')

SELECT AIGenerate('x')

SELECT reverseDNSQuery('x')

SELECT catboostEvaluate('/etc/passwd', 1)

SELECT evalMLMethod(1)

SELECT regionToName(1)

SELECT logTrace('x')

SELECT showCertificate()

SELECT filesystemAvailable()

SELECT serverUUID()

SELECT * FROM system.processes

SELECT * FROM `system`.`processes`

SELECT query FROM "system"."processes"

SELECT * FROM SYSTEM.PROCESSES

SELECT * FROM system.settings

SELECT * FROM system.server_settings

SELECT * FROM system.users

SELECT * FROM system.disks

SELECT * FROM system.query_log

SELECT * FROM system.named_collections

SELECT * FROM system.stack_trace

SELECT * FROM system.`one` UNION ALL SELECT length(query) FROM system.processes

SELECT 1 IN system.processes

EXPLAIN INSERT INTO open.kept VALUES (1)

EXPLAIN AST DROP TABLE open.kept

EXPLAIN SELECT * FROM file('/etc/passwd', 'LineAsString')

EXPLAIN ESTIMATE SELECT * FROM url('http://127.0.0.1:1/', CSV, 'x String')

EXPLAIN TABLE OVERRIDE mysql('127.0.0.1:3306', 'a', 'b', 'c', 'd') PARTITION BY x

EXPLAIN CURRENT TRANSACTION

DESCRIBE TABLE file('/etc/passwd')

DESCRIBE url('http://127.0.0.1:1/')

DESCRIBE TABLE system.processes

SHOW CREATE TABLE system.processes

SHOW TABLES FROM system INTO OUTFILE '/tmp/tocsin-hostile'

SELECT 1 FORMAT Template

SELECT 1 FORMAT Protobuf

SELECT 1 FORMAT CapnProto

SELECT 1 FORMAT SQLInsert

FROM file('/etc/passwd', 'LineAsString') SELECT *

SELECT 'unfinished

SELECT 1 /* unfinished

SELECT `a
 TableIdentifier x`

1 + file('/etc/passwd')

PARALLEL WITH

SELECT 1 PARALLEL WITH SELECT 2

EXECUTE AS default SELECT 1

TCL

SELECT * FROM ‘/etc/passwd’

SELECT * FROM “/etc/passwd”

SELECT sum(number) OVER (PARTITION BY file('/etc/passwd')) FROM numbers(3)

SELECT sum(number) OVER w FROM numbers(3) WINDOW w AS (ORDER BY file('/etc/passwd'))

SELECT sum(number) FILTER (WHERE file('/etc/passwd') != '') FROM numbers(3)

SELECT quantile(length(file('/etc/passwd')))(number) FROM numbers(3)

SELECT number FROM numbers(3) LIMIT length(file('/etc/passwd'))

SELECT number FROM numbers(3) ORDER BY number WITH FILL FROM length(file('/etc/passwd'))

SELECT x FROM open.kept ARRAY JOIN [file('/etc/passwd')] AS y

SELECT x FROM open.kept ORDER BY x INTERPOLATE (x AS file('/etc/passwd'))

SELECT * APPLY(x -> x IN (SELECT query FROM system.processes)) FROM open.kept

SELECT * REPLACE (file('/etc/passwd') AS x) FROM open.kept

SHOW TABLES WHERE file('/etc/passwd') != ''

SHOW TABLES FROM open WHERE name IN (SELECT query FROM system.processes)

SHOW COLUMNS FROM kept FROM open WHERE file('/etc/passwd') != ''

SHOW CLUSTERS

SHOW MERGES

SELECT ('a', 'b') IN system.processes

SELECT 'a' IN (SELECT query FROM `system` . `processes`)

SELECT number IN "system".processes FROM numbers(1)

SELECT * FROM numbers(file('/etc/passwd'))

SELECT extract(YEAR FROM (SELECT file('/etc/passwd')))

SELECT * FROM open.kept, '/etc/passwd'

SELECT * FROM open.kept JOIN '/etc/passwd' ON 1

SELECT url('x') FROM open.kept WHERE toString(file(concat('/etc', '/passwd'))) LIKE 'r%'

VALUES (1)

SELECT @@version, globalVariable('x')

optimize = 1 SELECT * FROM open.kept

graph = 1 SELECT 1

SYNTAX SELECT 1

SELECT 1 into /* */ outfile 'x'
