// Package evaluate measures how well alerts are put into incidents, and how well root causes are found, on scenarios whose truth is
// known.
//
// [Replay] leads a scenario through what the daemon does - decode, journal codec, correlate - in virtual time and in the caller's
// goroutine, and [Judge] holds what came out against the truth. [Compare] and the baselines stand on their own: both are functions
// over clusterings of the same lines. Floats are fine here: nothing of this decides anything.
//
// It is no part of the daemon: only commands and tests use it.
package evaluate
