// Package event is Tocsin's vocabulary: what comes in (events, commands, ticks: an [Input]) and what comes out (a [Change]),
// with the label sets, fingerprints, severities and the binary codec both are written in.
//
// It is pure: no clock, goroutine, I/O or randomness. It knows no other package of Tocsin; every other package may use it
// from any goroutine, as long as a value has one owner at a time.
package event
