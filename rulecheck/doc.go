// Package rulecheck tries rules before they are in force: on alerts that a test file makes up, and on those of a journal.
//
// [Run] plays tests of rules: alerts and what people do, in virtual time, through the journal codec into a real correlate.State; then
// it holds what came out against what was expected. [Backtest] steps a journal's inputs twice, under the rules that were in force and
// under others, and says in what the incidents differ and which of the two fits better what people did.
//
// Both only read, and neither is part of the daemon: only commands and tests use them. One goroutine owns a run.
package rulecheck
