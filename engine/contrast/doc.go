// Package contrast says how two sets of rules put the same alerts into incidents: what would be joined, split, new or gone.
//
// A [World] learns from changes alone, as any reader of the changes log can, where alerts are under one set of rules. A [Pair] holds
// two of them side by side, and a [Rival] steps a journal's inputs under other rules than those that were in force, with what people
// asked for translated to its own incidents. The backtest of rules and the engine's shadow both stand on it.
//
// Nothing here decides anything for the daemon. One goroutine owns a Pair with its worlds and its rival.
package contrast
