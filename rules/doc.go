// Package rules is Tocsin's rule language: what one rule-set input of the journal means. Parse reads rule files strictly, with
// all problems at once, and compiles them into a [Set] that tells how an alert's labels are to be read, to which item it may be bound, by
// which key it is grouped, which rules of every other kind it takes part in, and every deadline the core works with. The shipped rules are
// the YAML files beside this one.
//
// A rule takes an alert by Alertmanager's matchers and by a condition in CEL. CEL's own parser and checker read a condition;
// what evaluates it is a small tree of this package (evaluate.go), in whole numbers, within a bound of steps, and without allocating. An
// index finds the rules of an alert by what they ask of single labels, so that most are never looked at.
//
// It keeps no alert state (package correlate does) and reads no file (the caller hands it names and texts). It is pure: no
// clock, goroutine, I/O or randomness. A Set is immutable; any goroutine may use it.
package rules
