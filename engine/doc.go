// Package engine runs the core: it makes inputs durable, steps them one by one, makes the resulting changes durable, and
// answers queries from immutable views.
//
//	Submit, Do ─▶ queue ─▶ committer ─▶ stepper ─▶ changes writer ─▶ followers, replies to commands
//	                        journal      State       changes log
//	                        (ack)        records
//
// Three goroutines, each the only owner of what is below it. Everything else (snapshots, queries, followers) reads views and
// logs. What Submit has acknowledged is in the journal; what a command's reply or a follower has shown is in the changes log.
package engine
