// Package clickhouse talks to ClickHouse, be it the embedded engine, a server or a cluster: it opens the connection, keeps the schema up to
// date, inserts batches, asks, and recomputes what is derived from facts. It decides neither what a fact is (history/facts) nor when it
// is written (history/projection). All of it is safe for concurrent use.
package clickhouse
