// Package rules is Tocsin's rule language: what one rule-set input of the journal means. Parse reads rule files strictly, with
// all problems at once, and compiles them into a [Set] that tells by which key an alert is grouped, which inhibition rules it
// takes part in, and every deadline the core works with. The shipped rules are default.yml.
//
// It keeps no alert state (package correlate does) and reads no file (the caller hands it names and texts). It is pure: no
// clock, goroutine, I/O or randomness. A Set is immutable; any goroutine may use it.
package rules
