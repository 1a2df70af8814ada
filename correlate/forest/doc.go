// Package forest groups alarmed configuration items: each newly alarmed one chooses a single explanation, by an edge of the topology or
// by its component, or is a root of its own. So a cluster is a forest whose edges say why each member is in it.
//
// Deciding and doing are apart: Decide looks, Apply moves the state, and what passes between them is in the log of changes.
// All arithmetic is in integers; scores are in milli-nats.
package forest
