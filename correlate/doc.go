// Package correlate decides: which events are one alert, what quiets it, which incident it belongs to, and when an incident
// opens, clears, reopens and ends.
//
// There is one door in, [State.Step], and one way out, the changes that it appends. Every decision is made in two halves: the
// step looks at the state and emits a change, and the fold (apply.go) moves the state to what the change says. Nothing else
// moves it, so the state is the fold of its changes, and a log of changes can stand in for the inputs.
//
// It is pure: no clock, goroutine, I/O, randomness, map order or float compare; time is the input's. The engine's goroutine
// owns a State. A [View] is immutable and may be read from anywhere.
package correlate
