package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Grouping is a rule that puts alerts with the same key into one incident.
type Grouping struct {
	Rule
	GroupBy  []string   // labels of the key; an alert that lacks one is not this rule's
	Optional []string   // labels of the key where present; lacking one is a value of its own
	Window   event.Time // an alert joins until this long after the incident's last onset; 0: while it is open

	parts []groupKey // of GroupBy and Optional, sorted by name
	// all: the key is every label but the volatile ones.
	all bool
}

type groupKey struct {
	name     string
	optional bool
}

const defaultWindow = event.Hour

// alone is the rule that takes what no other takes.
func alone() Grouping {
	return Grouping{Rule: builtIn("alone"), Window: defaultWindow, all: true}
}

// builtIn is the head of a rule that no file holds.
func builtIn(name string) Rule {
	return Rule{Head: Head{Name: name, Place: strict.Place{File: "built in"}, Shipped: true}}
}

func (g *Grouping) keys(p *parsing) []key {
	g.Window = defaultWindow
	return append(g.Rule.keys(p),
		must(keyList("group_by", &g.GroupBy, "labels of the key. An alert that lacks one is *not* this rule's: the next rule is tried. `[]`: all matching alerts together")),
		keyList("optional", &g.Optional, "labels of the key where present. Lacking one is a shared bucket, because the rule says so"),
		spanOr("window", "open", 0, &g.Window, time.Second, 30*day, "an alert joins until this long after the incident's last onset; `open`: as long as the incident is open"),
	)
}

func (g *Grouping) check(r *strict.Reader, n *yaml.Node) {
	g.parts = nil
	for _, name := range g.GroupBy {
		g.parts = append(g.parts, groupKey{name: name})
	}
	for _, name := range g.Optional {
		g.parts = append(g.parts, groupKey{name, true})
	}
	slices.SortFunc(g.parts, func(a, b groupKey) int { return strings.Compare(a.name, b.name) })
	for i := 1; i < len(g.parts); i++ {
		if name := g.parts[i].name; name != "" && name == g.parts[i-1].name {
			r.ProblemAt(n, "group_by", fmt.Sprintf("the label %q stands twice in group_by and optional", name), "")
		}
	}
}

// labelName reads the name of a label that can be part of a key.
func labelName(dst *string) strict.Value {
	return strict.Scalar(func(s string) error {
		switch {
		case strings.TrimSpace(s) == "":
			return errors.New("must name a label")
		case s == "...":
			return errors.New("must name a label; to group by all labels leave the alert to the built-in rule alone")
		case event.VolatileLabel(s):
			return errors.New("must not be a label in which reports of one alert differ")
		}
		*dst = s
		return nil
	})
}

// complete tells whether ls has every label that the key needs.
func (g *Grouping) complete(ls event.Labels) bool {
	for _, k := range g.parts {
		if !k.optional && ls.Get(k.name) == "" {
			return false
		}
	}
	return true
}

// appendKey appends the pairs of ls's key, sorted by name. Their strings are those of g and of ls.
func (g *Grouping) appendKey(key, ls event.Labels) event.Labels {
	if g.all {
		for _, l := range ls {
			if !event.VolatileLabel(l.Name) {
				key = append(key, l)
			}
		}
		return key
	}
	for _, k := range g.parts {
		if v := ls.Get(k.name); v != "" {
			key = append(key, event.Label{Name: k.name, Value: v})
		}
	}
	return key
}
