package rules

import "github.com/tocsin-noc/tocsin/event"

// Input is what rules see of an alert.
type Input struct {
	Labels      event.Labels // as they are after Normalise, sorted by name
	Annotations event.Labels
	Severity    event.Severity
	CI, Class   string // ID and class of the configuration item that the alert is bound to, "" when to none

	// Overruns counts how often the condition of each rule was given up for its cost, in the order of Set.Rules; nil: nobody counts.
	Overruns []uint64
}

// Scratch is memory that Normalise uses again. One goroutine may use it at a time.
type Scratch struct {
	labels event.Labels
	bytes  []byte
}

// severityOf is an alert's severity as its label says it.
func severityOf(ls event.Labels) event.Severity {
	severity, _ := event.ParseSeverity(ls.Get("severity"))
	return severity
}
