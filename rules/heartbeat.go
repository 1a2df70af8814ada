package rules

import (
	"fmt"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"
	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Heartbeat is a rule that expects signs of life: of each alert that matches, or of a source.
type Heartbeat struct {
	Name     string
	Match    []*labels.Matcher // the alerts that are signs of life; none: Source is watched
	Source   string            // any word from it counts
	Tenant   string            // of Source
	Interval event.Time        // how long it may be silent; 0: as long as the sender itself said
	Grace    event.Time        // added to Interval
	Place    strict.Place
}

const defaultGrace = event.Minute

func (h *Heartbeat) read(r *strict.Reader, n *yaml.Node) {
	h.Place, h.Grace, h.Tenant = r.Place(n), defaultGrace, event.DefaultTenant
	strict.Mapping(
		strict.Field{Key: "name", Value: strict.Word(&h.Name), Required: true},
		strict.Field{Key: "match", Value: matcherList(&h.Match)},
		strict.Field{Key: "source", Value: strict.Word(&h.Source)},
		strict.Field{Key: "tenant", Value: strict.Word(&h.Tenant)},
		strict.Field{Key: "interval", Value: orWord("auto", 0, &h.Interval, 10*time.Second, 7*day)},
		strict.Field{Key: "grace", Value: strict.Duration(&h.Grace, time.Millisecond, 0, day)},
	)(r, n)
	switch {
	case (len(h.Match) == 0) == (h.Source == ""):
		r.ProblemAt(n, "match", "a heartbeat needs exactly one of match and source", "match names alerts such as Watchdog, source a sender")
	case h.Source != "" && h.Interval == 0:
		r.ProblemAt(n, "interval", "a source's heartbeat needs an interval", "a little more than the time between two of its messages, such as 5m")
	}
}

// overrideHeartbeats puts rules over the shipped ones: one of the same name takes its place.
func overrideHeartbeats(shipped, user []Heartbeat) []Heartbeat {
	out := make([]Heartbeat, 0, len(shipped)+len(user))
	for _, h := range shipped {
		taken := false
		for i := range user {
			taken = taken || user[i].Name == h.Name
		}
		if !taken {
			out = append(out, h)
		}
	}
	return append(out, user...)
}

// repeatedHeartbeats reports rules that people could not tell apart.
func (s *Set) repeatedHeartbeats() (problems Errors) {
	first := map[string]strict.Place{}
	for _, h := range s.Heartbeats {
		if h.Name == "" {
			continue // reported as missing
		}
		if at, taken := first[h.Name]; taken {
			problems = append(problems, strict.Problem{Place: h.Place, Key: "name",
				Message: fmt.Sprintf("the name %q is taken at %s", h.Name, at), Hint: "give the heartbeat another name"})
			continue
		}
		first[h.Name] = h.Place
	}
	return problems
}

// Heartbeat returns the rule to which an alert with the labels ls is a sign of life, as an index into s.Heartbeats; -1: none.
func (s *Set) Heartbeat(ls event.Labels) int {
	none := len(s.Heartbeats)
	if rule := s.heartbeats.first(ls, none, func(i int) bool { return len(s.Heartbeats[i].Match) > 0 }); rule < none {
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
	g := Grouping{Name: "own", GroupBy: []string{"alertname", "source"}, Optional: []string{"heartbeat"}, Place: strict.Place{File: "built in"}}
	g.keys = []groupKey{{name: "alertname"}, {name: "heartbeat", optional: true}, {name: "source"}}
	return g
}
