package clickhouse

import (
	"regexp"
	"strings"
)

var (
	definition = regexp.MustCompile(`^((?:CREATE (?:TABLE|DATABASE) IF NOT EXISTS|ALTER TABLE|DROP TABLE IF EXISTS|TRUNCATE TABLE|DELETE FROM) +[A-Za-z0-9_]+)`)
	engine     = regexp.MustCompile(`(?m)^ENGINE = (\w*MergeTree)\b`)
)

// onCluster has a definition run on every server of the cluster.
func onCluster(statement, cluster string) string {
	if cluster == "" {
		return statement
	}
	return definition.ReplaceAllString(statement, "$1 ON CLUSTER '"+strings.ReplaceAll(cluster, "$", "$$")+"'")
}

// forCluster makes of a table on one server the same table replicated on every server of the cluster. Its path in the keeper is the
// server's default (default_replica_path), which keeps tables of several shards apart.
func forCluster(statement, cluster string) string {
	if cluster == "" {
		return statement
	}
	return engine.ReplaceAllString(onCluster(statement, cluster), "ENGINE = Replicated$1")
}
