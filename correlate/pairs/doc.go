// Package pairs learns which types of alert follow which: "A, then B within two minutes, on the same or a connected configuration
// item". One pass over the alerts, bounded memory, integers only.
//
//	Observe(B on x at t)
//	   first B on x after ten quiet minutes?  ── no ──▶ only remembered
//	        │ yes: a trial
//	        ├─▶ each A that x has known:     expected += how likely A is to lie in the last two minutes anyway
//	        ├─▶ each A in the last two minutes, on x or a neighbour: credited with its share of having caused B
//	        └─▶ the same again a day later: a decoy, in which nothing can have caused anything
//
// A pair is a candidate until its credit stands out from what was expected; then it is suggested, with its evidence, and a person makes
// it active or rejects it. Nothing becomes active by itself.
//
// It is not a miner of rules over a history, and it decides nothing about incidents: grouping asks for Factor. A Table is owned by one
// goroutine and is a function of the calls made to it, in their order: the same calls give the same table and the same snapshot.
// Its View may be read by any goroutine.
package pairs
