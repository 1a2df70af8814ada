package rules

import (
	"time"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Suppress keeps alerts quiet: they are kept and can be asked for, and open nothing.
type Suppress struct {
	Rule
	Reason string     // for people
	For    event.Time // from the alert's begin; 0: as long as it fires
}

func (s *Suppress) keys(p *parsing) []key {
	return append(s.Rule.keys(p),
		must(word("reason", &s.Reason, "why, for those who look for the alert")),
		spanOr("for", "always", 0, &s.For, time.Second, 30*day, "so long from its begin an alert is quiet; one that still fires then is treated as if it began"),
	)
}

func (s *Suppress) check(*strict.Reader, *yaml.Node) {}

// Priority sets or bounds how urgent alerts are.
type Priority struct {
	Rule
	MinSeverity, MaxSeverity event.Severity // the most and the least severe; event.Clear: no bound
	MinPriority, MaxPriority uint8          // the most and the least urgent; 0: no bound
}

func (x *Priority) keys(p *parsing) []key {
	return append(x.Rule.keys(p),
		bounds("severity", "severity", func(name string, dst *event.Severity, help string) key { return severityKey(name, dst, help) }, &x.MinSeverity, &x.MaxSeverity),
		bounds("priority", "priority", func(name string, dst *uint8, help string) key { return priorityKey(name, dst, help) }, &x.MinPriority, &x.MaxPriority),
	)
}

// bounds is a value, or a mapping with the bounds of one. The most urgent has the lowest number.
func bounds[V comparable](name, of string, one func(name string, dst *V, help string) key, low, high *V) key {
	limits := []key{one("at_least", high, "no less urgent than this"), one("at_most", low, "no more urgent than this")}
	exact := one(name, low, "")
	return key{
		name: name, kind: "word or mapping", values: exact.values, keys: limits,
		help: "the " + of + " itself, or `at_least` and `at_most`: a value that it is raised or lowered to",
		value: func(r *strict.Reader, n *yaml.Node) {
			if nodeOf(n).Kind == yaml.MappingNode {
				mapping(limits)(r, n)
				return
			}
			exact.value(r, n)
			*high = *low
		},
	}
}

func (x *Priority) check(r *strict.Reader, n *yaml.Node) {
	if !given(n, "severity") && !given(n, "priority") {
		r.ProblemAt(n, "severity", "the rule needs a severity, a priority or both", "")
	}
	if x.MaxSeverity != 0 && x.MinSeverity > x.MaxSeverity || x.MaxPriority != 0 && x.MinPriority > x.MaxPriority {
		r.ProblemAt(n, "at_least", "at_least is more urgent than at_most: nothing lies between", "")
	}
}

// Severity returns the severity of an alert that has s by itself; what is clear stays so.
func (x *Priority) Severity(s event.Severity) event.Severity {
	if s == event.Clear {
		return s
	}
	if x.MaxSeverity != 0 {
		s = min(s, x.MaxSeverity)
	}
	return max(s, x.MinSeverity)
}

// Priority returns the priority of an incident that has p by itself.
func (x *Priority) Priority(p uint8) uint8 {
	if x.MaxPriority != 0 {
		p = min(p, x.MaxPriority)
	}
	return max(p, x.MinPriority)
}

// Team says whose alerts are.
type Team struct {
	Rule
	Team string
}

func (t *Team) keys(p *parsing) []key {
	return append(t.Rule.keys(p), must(word("team", &t.Team, "the team, as in [who is told](notifications.md)")))
}

func (t *Team) check(*strict.Reader, *yaml.Node) {}

// Binding names the configuration item that alerts are about.
type Binding struct {
	Rule
	CI *Template
}

func (b *Binding) keys(p *parsing) []key {
	return append(b.Rule.keys(p), must(template("ci", &b.CI, "ID or name of a configuration item; the first rule whose item exists wins")))
}

func (b *Binding) check(*strict.Reader, *yaml.Node) {}

// Bind is what a binding makes of an alert: its index, and the ID or name of a configuration item that may exist.
type Bind struct {
	Rule int
	Ref  string
}
