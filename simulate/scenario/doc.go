// Package scenario holds alert streams whose truth is known: which fault each alert is of, and what its root cause was. It reads and
// writes them as folders, and makes them up.
//
// A folder holds topology.json, alerts.ndjson, truth.ndjson, faults.json and, if need be, rules.yml; docs/evaluation.md draws them.
// [Generate] is a function of its [Spec]: the same seed gives the same scenario, and [Scenario.Write] the same bytes.
//
// It knows package event only: what is made of a scenario is for others to say. Everything may be used from any goroutine as long as
// nobody changes the scenario.
package scenario
