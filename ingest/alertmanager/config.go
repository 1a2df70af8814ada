package alertmanager

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Config is what Tocsin carries over from an Alertmanager configuration file.
type Config struct {
	Original string        // the file without notification settings, and so without secrets; to be shown as config.original
	Rules    rules.File    // group_by of every route as grouping rules, inhibit_rules as they are, global.resolve_timeout
	Warnings strict.Errors // everything else in the file: nothing of it has an effect
}

// ReadConfig converts an Alertmanager configuration file. name is the file's, for people.
//
// Each route with its own or an inherited group_by becomes a grouping rule, children before their parents, as Alertmanager
// matches them. A label of group_by that an alert lacks is a value of its own, as it is there.
func ReadConfig(name string, text []byte) (*Config, error) {
	var am amConfig
	if err := yaml.Unmarshal(text, &am); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if am.Route == nil {
		return nil, fmt.Errorf("%s: %w", name, errNoRoute)
	}
	c := converter{file: name, counts: map[string]int{}}
	c.config(&am)
	converted, err := yaml.Marshal(c.rules)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	original, err := yaml.Marshal(am.shown())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	out := &Config{Original: string(original), Rules: rules.File{Name: name + " (converted)", Text: converted}, Warnings: c.found()}
	if _, err := rules.Parse([]rules.File{out.Rules}); err != nil {
		return nil, err
	}
	return out, nil
}

var errNoRoute = errors.New("no route provided in configuration")

// converter collects rules and warnings.
type converter struct {
	file     string
	rules    ruleFile
	warnings strict.Errors
	counts   map[string]int // warnings by text; each is listed once
}

// ruleFile is a rule file as it is written.
type ruleFile struct {
	Settings map[string]string `yaml:"settings,omitempty"`
	Grouping *[]groupingRule   `yaml:"grouping,omitempty"` // nil leaves the shipped rules in force
	Inhibit  []amInhibitRule   `yaml:"inhibit_rules"`      // written even when empty: the shipped rules mute nothing that Alertmanager would not
}

type groupingRule struct {
	Name     string   `yaml:"name"`
	Match    []string `yaml:"match,omitempty,flow"`
	GroupBy  []string `yaml:"group_by,flow"`
	Optional []string `yaml:"optional,omitempty,flow"`
	Window   string   `yaml:"window,omitempty"`
}

func (c *converter) config(am *amConfig) {
	c.global(am.Global)
	for _, in := range am.InhibitRules {
		c.unknown(in.Rest)
		in.Rest = nil
		c.rules.Inhibit = append(c.rules.Inhibit, in)
	}
	var list []groupingRule
	c.route(&list, am.Route, routeContext{name: firstRoute})
	switch {
	case slices.Contains(am.Route.GroupBy, groupByAll):
		c.rules.Grouping = &list // what no rule takes is grouped by all its labels
	case len(list) > 0 && list[len(list)-1].Name == firstRoute:
		c.rules.Grouping = &list
	default:
		c.warn(am.Route.line, "route.group_by", "Alertmanager would put all alerts into one group; they are grouped by the shipped rules")
		if len(list) > 0 {
			list = append(list, shippedGrouping()...)
			c.rules.Grouping = &list
		}
	}
	for _, r := range am.Receivers {
		c.receiver(r)
	}
	c.lists(am)
	c.unknown(am.Rest)
}

func (c *converter) lists(am *amConfig) {
	for key, n := range map[string]*yaml.Node{
		"templates": &am.Templates, "time_intervals": &am.TimeIntervals, "mute_time_intervals": &am.MuteTimeIntervals,
	} {
		if len(n.Content) > 0 {
			c.warn(n.Line, key, "not carried over")
		}
	}
}

// resolveTimeout bounds, as package rules takes them.
const (
	shortestResolveTimeout = 10 * time.Second
	longestResolveTimeout  = 24 * time.Hour
)

func (c *converter) global(global map[string]yaml.Node) {
	for key, n := range global {
		if key != "resolve_timeout" {
			c.warn(n.Line, "global."+key, "not carried over: Tocsin's notifications have a configuration of their own")
			continue
		}
		d, err := model.ParseDuration(n.Value)
		if err != nil {
			c.warn(n.Line, "global."+key, err.Error())
			continue
		}
		bounded := min(max(time.Duration(d), shortestResolveTimeout), longestResolveTimeout)
		if bounded != time.Duration(d) {
			c.warn(n.Line, "global."+key, fmt.Sprintf("%s is taken as %s", d, model.Duration(bounded)))
		}
		c.rules.Settings = map[string]string{key: model.Duration(bounded).String()}
	}
}

// routeContext is what a route has from those above it.
type routeContext struct {
	name    string
	match   []string
	groupBy []string
}

const (
	firstRoute = "alertmanager" // the rule of the route that all alerts enter by; the others' names begin with it
	groupByAll = "..."
)

// route appends the rules of a route's children and then its own.
func (c *converter) route(list *[]groupingRule, r *amRoute, in routeContext) {
	c.unused(r)
	in.match = slices.Concat(in.match, r.matchersAsText())
	all := slices.Contains(r.GroupBy, groupByAll)
	if own := c.groupBy(r); len(own) > 0 || all {
		in.groupBy = own
	}
	for i, child := range r.Routes {
		below := in
		below.name = fmt.Sprintf("%s/%d", in.name, i)
		c.route(list, child, below)
	}
	switch {
	case all && len(in.match) > 0:
		c.warn(r.line, "group_by", "[...] is carried over on the first route only; these alerts are grouped by the rules after it")
	case len(in.groupBy) > 0:
		*list = append(*list, groupingRule{Name: in.name, Match: in.match, GroupBy: []string{}, Optional: in.groupBy})
	}
}

// groupBy returns the labels that can be part of a key.
func (c *converter) groupBy(r *amRoute) (names []string) {
	for _, name := range r.GroupBy {
		switch {
		case name == groupByAll:
		case event.VolatileLabel(name):
			c.warn(r.line, "group_by", fmt.Sprintf("%s is left out: reports of one alert differ in it", name))
		default:
			names = append(names, name)
		}
	}
	return names
}

// unused warns of what a route says besides how to group.
func (c *converter) unused(r *amRoute) {
	for key, set := range map[string]bool{
		"group_wait": r.GroupWait != "", "group_interval": r.GroupInterval != "", "repeat_interval": r.RepeatInterval != "",
		"mute_time_intervals": len(r.MuteTimeIntervals) > 0, "active_time_intervals": len(r.ActiveTimeIntervals) > 0,
		"labels": len(r.Labels) > 0,
	} {
		if set {
			c.warn(r.line, key, "not carried over: it says when and how to notify")
		}
	}
	if r.Continue {
		c.warn(r.line, "continue", "not carried over: an alert is in one incident, that of the first rule that takes it")
	}
	c.unknown(r.Rest)
}

func (c *converter) receiver(r amReceiver) {
	for key, n := range r.Rest {
		c.warn(n.Line, "receivers."+key, "not carried over: Tocsin's notifications have a configuration of their own")
	}
}

func (c *converter) unknown(rest map[string]yaml.Node) {
	for key, n := range rest {
		c.warn(n.Line, key, "unknown, without effect")
	}
}

func (c *converter) warn(line int, key, message string) {
	text := key + ": " + message
	c.counts[text]++
	i := slices.IndexFunc(c.warnings, func(p strict.Problem) bool { return p.Key == key && p.Message == message })
	if i < 0 {
		c.warnings = append(c.warnings, strict.Problem{Place: strict.Place{File: c.file, Line: line}, Key: key, Message: message})
		return
	}
	c.warnings[i].Place.Line = min(c.warnings[i].Place.Line, line)
}

// found returns the warnings in the order of the file; one that was given often is listed where it came first.
func (c *converter) found() strict.Errors {
	for i := range c.warnings {
		p := &c.warnings[i]
		if n := c.counts[p.Key+": "+p.Message]; n > 1 {
			p.Message += fmt.Sprintf(" (%d times)", n)
		}
	}
	c.warnings.Sort()
	return c.warnings
}

// shippedGrouping returns the grouping rules that are in force without a rule file.
func shippedGrouping() []groupingRule {
	var f struct{ Grouping []groupingRule }
	if err := yaml.Unmarshal(rules.Default().Text, &f); err != nil {
		panic("alertmanager: the shipped rules do not parse: " + err.Error())
	}
	return f.Grouping
}

// matchersAsText returns a route's matchers as they are written in a matchers list.
func (r *amRoute) matchersAsText() []string {
	out := append(pairs(labels.MatchEqual, r.Match), pairs(labels.MatchRegexp, r.MatchRE)...)
	return append(out, r.Matchers...)
}

func pairs(kind labels.MatchType, set map[string]string) (out []string) {
	for name, value := range set {
		out = append(out, (&labels.Matcher{Type: kind, Name: name, Value: value}).String())
	}
	slices.SortFunc(out, strings.Compare)
	return out
}
