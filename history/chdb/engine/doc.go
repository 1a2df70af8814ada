// Package engine is the process that holds the embedded ClickHouse: libchdb, and in front of it as much of ClickHouse's HTTP interface as
// clickhouse-go, curl, Grafana's data source and the official clients use. Run is the whole process; package chdb starts and watches it.
//
// The library runs one statement at a time per connection and keeps SET and USE, so every request gets a connection of its own; one stays
// open for the process's life and keeps the engine up. The library is loaded in this process only: what it breaks, it breaks alone.
package engine
