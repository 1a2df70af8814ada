package rules

import (
	"time"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Heartbeat is a rule that expects signs of life: of each alert that matches, or of a source.
type Heartbeat struct {
	Rule                // the alerts that are signs of life; without matchers Source is watched
	Source   string     // any word from it counts
	Tenant   string     // of Source
	Interval event.Time // how long it may be silent; 0: as long as the sender itself said
	Grace    event.Time // added to Interval
}

const defaultGrace = event.Minute

func (h *Heartbeat) keys(p *parsing) []key {
	h.Grace, h.Tenant = defaultGrace, event.DefaultTenant
	keys := h.Rule.keys(p)
	keys[1].otherwise, keys[1].help = "", "each alert that matches is a heartbeat of its own from its first word on"
	return append(keys,
		word("source", &h.Source, "instead of `match`: any word from the source of that name counts, and it is expected from the moment the rules are loaded"),
		word("tenant", &h.Tenant, "of the source"),
		spanOr("interval", "auto", 0, &h.Interval, 10*time.Second, 7*day, "how long it may be silent. `auto`: until the end that the sender gave (Prometheus), or `unconfirmed_after` from one that speaks on changes only (Alertmanager's webhook). A source needs one"),
		span("grace", &h.Grace, 0, day, "added to it"),
	)
}

func (h *Heartbeat) check(r *strict.Reader, n *yaml.Node) {
	switch {
	case h.watchesAlerts() == (h.Source != ""):
		r.ProblemAt(n, "match", "a heartbeat needs exactly one of match and source", "match names alerts such as Watchdog, source a sender")
	case h.Source != "" && h.Interval == 0:
		r.ProblemAt(n, "interval", "a source's heartbeat needs an interval", "a little more than the time between two of its messages, such as 5m")
	}
}

// watchesAlerts tells whether alerts are the signs of life, not the words of a source.
func (h *Heartbeat) watchesAlerts() bool { return len(h.Match) > 0 || h.If != nil }

// Heartbeat returns the rule to which an alert with the labels ls is a sign of life, as an index into s.Heartbeats; -1: none.
func (s *Set) Heartbeat(ls event.Labels) int {
	in := Input{Labels: ls, Severity: severityOf(ls)}
	none := len(s.Heartbeats)
	if rule := s.heartbeats.first(&in, 0, none, func(i int) bool { return s.Heartbeats[i].watchesAlerts() }); rule < none {
		return rule
	}
	return -1
}

// The names of the alerts that Tocsin raises itself: a heartbeat is lost, a source was held at its cap.
const (
	BlindName   = "TocsinBlind"
	OverCapName = "TocsinSourceOverCap"
)

// own is the rule for those alerts: each heartbeat and each source is an incident of its own, whatever the rules say.
func own() Grouping {
	g := Grouping{Rule: builtIn("own"), GroupBy: []string{"alertname", "source"}, Optional: []string{"heartbeat"}}
	g.Shipped = false // it comes before the topology, as the rules of operators do
	g.parts = []groupKey{{name: "alertname"}, {name: "heartbeat", optional: true}, {name: "source"}}
	return g
}
