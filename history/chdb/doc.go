// Package chdb runs ClickHouse embedded: libchdb in a child process of the same binary, which this package starts, watches and starts again.
// It finds and installs the library too. Everybody talks to the engine as to any ClickHouse server, by HTTP on a loopback address that stays
// the same while the process behind it comes and goes; package engine is that process.
//
// There are two credentials. The writer's is random, new with every start and in the memory of the two processes only. The reader's may be
// given to Grafana or an analyst: it is kept in the folder, and reads only.
//
// Start, Close and the methods of Engine may be called from any goroutine. One daemon runs on a folder: a second one gets ErrInUse.
package chdb
