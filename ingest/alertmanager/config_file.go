package alertmanager

import "gopkg.in/yaml.v3"

// amConfig is Alertmanager's configuration file as far as it is read here.
type amConfig struct {
	Global            map[string]yaml.Node `yaml:"global"`
	Route             *amRoute             `yaml:"route"`
	InhibitRules      []amInhibitRule      `yaml:"inhibit_rules"`
	Receivers         []amReceiver         `yaml:"receivers"`
	Templates         yaml.Node            `yaml:"templates"`
	TimeIntervals     yaml.Node            `yaml:"time_intervals"`
	MuteTimeIntervals yaml.Node            `yaml:"mute_time_intervals"`
	Rest              map[string]yaml.Node `yaml:",inline"`
}

type amRoute struct {
	Receiver            string               `yaml:"receiver,omitempty"`
	GroupBy             []string             `yaml:"group_by,omitempty"`
	Match               map[string]string    `yaml:"match,omitempty"`
	MatchRE             map[string]string    `yaml:"match_re,omitempty"`
	Matchers            []string             `yaml:"matchers,omitempty"`
	MuteTimeIntervals   []string             `yaml:"mute_time_intervals,omitempty"`
	ActiveTimeIntervals []string             `yaml:"active_time_intervals,omitempty"`
	Continue            bool                 `yaml:"continue"`
	Routes              []*amRoute           `yaml:"routes,omitempty"`
	GroupWait           string               `yaml:"group_wait,omitempty"`
	GroupInterval       string               `yaml:"group_interval,omitempty"`
	RepeatInterval      string               `yaml:"repeat_interval,omitempty"`
	Labels              map[string]string    `yaml:"labels,omitempty"`
	Rest                map[string]yaml.Node `yaml:",inline"`

	line int
}

// UnmarshalYAML reads a route and remembers where it stands.
func (r *amRoute) UnmarshalYAML(n *yaml.Node) error {
	type plain amRoute
	r.line = n.Line
	return n.Decode((*plain)(r))
}

type amInhibitRule struct {
	Name           string               `yaml:"name,omitempty"`
	SourceMatch    map[string]string    `yaml:"source_match,omitempty"`
	SourceMatchRE  map[string]string    `yaml:"source_match_re,omitempty"`
	SourceMatchers []string             `yaml:"source_matchers,omitempty"`
	TargetMatch    map[string]string    `yaml:"target_match,omitempty"`
	TargetMatchRE  map[string]string    `yaml:"target_match_re,omitempty"`
	TargetMatchers []string             `yaml:"target_matchers,omitempty"`
	Equal          []string             `yaml:"equal,omitempty"`
	Rest           map[string]yaml.Node `yaml:",inline"`
}

// amReceiver is a name and what is told to whom; the latter holds secrets and is never shown.
type amReceiver struct {
	Name string               `yaml:"name"`
	Rest map[string]yaml.Node `yaml:",inline"`
}

// shownConfig is what may be shown: it leaves out by construction all that can hold a secret or is unknown.
type shownConfig struct {
	Global       map[string]string   `yaml:"global,omitempty"`
	Route        *amRoute            `yaml:"route"`
	InhibitRules []amInhibitRule     `yaml:"inhibit_rules,omitempty"`
	Receivers    []map[string]string `yaml:"receivers"`
}

func (am *amConfig) shown() shownConfig {
	out := shownConfig{Route: am.Route.shown(), Receivers: []map[string]string{}}
	if timeout, ok := am.Global["resolve_timeout"]; ok {
		out.Global = map[string]string{"resolve_timeout": timeout.Value}
	}
	for _, in := range am.InhibitRules {
		in.Rest = nil
		out.InhibitRules = append(out.InhibitRules, in)
	}
	for _, r := range am.Receivers {
		out.Receivers = append(out.Receivers, map[string]string{"name": r.Name})
	}
	return out
}

// shown returns the route without unknown keys and without time intervals, whose definitions are not shown either.
func (r *amRoute) shown() *amRoute {
	out := *r
	out.Rest, out.MuteTimeIntervals, out.ActiveTimeIntervals, out.Routes = nil, nil, nil, nil
	for _, child := range r.Routes {
		out.Routes = append(out.Routes, child.shown())
	}
	return &out
}
