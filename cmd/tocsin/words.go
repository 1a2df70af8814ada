package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tocsin-noc/tocsin/api"
)

// labelText writes labels as a Prometheus selector.
func labelText(ls map[string]string) string {
	parts := make([]string, 0, len(ls))
	for _, name := range sortedKeys(ls) {
		parts = append(parts, name+"="+quote(ls[name]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// labelsOrNone is labelText, empty where there are none.
func labelsOrNone(ls map[string]string) string {
	if len(ls) == 0 {
		return ""
	}
	return labelText(ls)
}

func matcherText(ms []api.Matcher) string {
	parts := make([]string, len(ms))
	for i, m := range ms {
		parts[i] = m.Name + m.Op + quote(m.Value)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// alertName says which alert it is, as the daemon's sentences do.
func alertName(name, resource string) string {
	switch {
	case name == "":
		return "an alert without a name"
	case resource != "":
		return name + " on " + resource
	}
	return name
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// owner says who works on an incident.
func owner(i *api.Incident) string {
	switch {
	case i.Assignee != "" && i.Team != "":
		return i.Assignee + " (" + i.Team + ")"
	case i.Assignee != "":
		return i.Assignee
	case i.Team != "":
		return "(" + i.Team + ")"
	}
	return i.AcknowledgedBy
}

func priority(p uint8) string { return fmt.Sprintf("P%d", p) }

// counts shows an incident's alerts: firing of all.
func counts(c api.Counts) string {
	text := fmt.Sprintf("%d/%d", c.Firing, c.Total)
	if c.Suppressed > 0 {
		text += fmt.Sprintf(" (%d quiet)", c.Suppressed)
	}
	return text
}

// statusText is an incident's status with what else somebody who looks must know.
func statusText(i *api.Incident) string {
	words := []string{strings.ReplaceAll(cmp.Or(i.State, i.Status), "_", " ")}
	for _, w := range []struct {
		holds bool
		word  string
	}{
		{i.State != "" && i.Status == "signal_lost", "signal lost"}, {majorRuns(i), "major"}, {i.WorseAt != nil, "worse"},
		{i.SnoozedUntil != nil, "snoozed"}, {i.HeldUntil != nil && i.State != "on_hold", "on hold"},
		{i.Alerts.Flapping > 0, "flapping"}, {i.Quiet, "quiet"},
	} {
		if w.holds {
			words = append(words, w.word)
		}
	}
	return strings.Join(words, ", ")
}

// sameIncident tells whether two ids name one incident: 42 or INC-42.
func sameIncident(a, b string) bool {
	number := func(id string) string {
		if len(id) > 4 && strings.EqualFold(id[:4], "INC-") {
			id = id[4:]
		}
		return strings.TrimLeft(id, "0")
	}
	return number(a) == number(b)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
