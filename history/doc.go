// Package history is what the packages below it share: the history of alerts, incidents and items in ClickHouse, how it is asked and what
// it answers. It decides nothing and knows no server: history/chdb runs the embedded engine, history/clickhouse talks to any of them,
// history/projection fills the tables from the changes log, history/reports asks.
package history
