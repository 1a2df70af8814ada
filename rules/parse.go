package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Errors are all problems of a rule set, sorted by place; see [strict.Problem] for one of them.
type Errors = strict.Errors

//go:embed default.yml
var defaultRules []byte

const defaultName = "rules/default.yml"

// Default returns the shipped rules as they are written.
func Default() File { return File{Name: defaultName, Text: slices.Clone(defaultRules)} }

// Parse reads rule files, in the order of their names, over the shipped ones: a file sets single settings (each in one file
// only), its grouping rules take the place of the shipped ones as soon as any file has the key `grouping`, its inhibition
// rules add up, and so do its heartbeats, of which one takes the place of a shipped one of its name. No files give the shipped rules. The error is of type Errors and holds every problem of every file.
func Parse(files []File) (*Set, error) {
	base, problems := parseOver([]File{Default()}, Settings{})
	if len(files) > 0 {
		user, more := parseOver(files, base.Settings)
		if user.Grouping == nil {
			user.Grouping = base.Grouping
		}
		user.Heartbeats = overrideHeartbeats(base.Heartbeats, user.Heartbeats)
		base, problems = user, append(problems, more...)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	base.Warnings = base.warnings()
	base.Grouping = append(slices.Clip(base.Grouping), own(), alone())
	base.compile()
	return base, nil
}

// parseOver reads files over the settings start; Grouping stays nil when no file has the key.
func parseOver(files []File, start Settings) (*Set, Errors) {
	files = slices.SortedFunc(slices.Values(files), func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	s := &Set{Settings: start}
	s.Settings.OpenAfter[0] = event.Never
	settings := strict.Mapping(s.Settings.fields(onlyOnce())...)
	var problems Errors
	for _, f := range files {
		problems = append(problems, strict.Read(f.Name, f.Text, strict.Mapping(
			strict.Field{Key: "settings", Value: settings},
			strict.Field{Key: "grouping", Value: appendList(&s.Grouping, func(g *Grouping) strict.Value { return g.read })},
			strict.Field{Key: "inhibit_rules", Value: appendList(&s.Inhibit, func(in *Inhibit) strict.Value { return in.read })},
			strict.Field{Key: "heartbeats", Value: appendList(&s.Heartbeats, func(h *Heartbeat) strict.Value { return h.read })},
		))...)
	}
	return s, append(append(problems, s.repeatedNames()...), s.repeatedHeartbeats()...)
}

// appendList reads a list and appends it to what dst holds from other files.
func appendList[T any](dst *[]T, item func(*T) strict.Value) strict.Value {
	return func(r *strict.Reader, n *yaml.Node) {
		var list []T
		strict.List(&list, item)(r, n)
		*dst = append(*dst, list...)
		if *dst == nil {
			*dst = []T{}
		}
	}
}

// repeatedNames reports grouping rules that people could not tell apart.
func (s *Set) repeatedNames() (problems Errors) {
	first := map[string]strict.Place{"alone": alone().Place, "own": own().Place}
	for _, g := range s.Grouping {
		if g.Name == "" {
			continue // reported as missing
		}
		if at, taken := first[g.Name]; taken {
			problems = append(problems, strict.Problem{Place: g.Place, Key: "name",
				Message: fmt.Sprintf("the name %q is taken at %s", g.Name, at), Hint: "give the rule another name"})
			continue
		}
		first[g.Name] = g.Place
	}
	return problems
}

// warnings reports rules that can have no effect or too much of it.
func (s *Set) warnings() (found Errors) {
	for i, g := range s.Grouping {
		if len(g.Match) == 0 && len(g.GroupBy) == 0 && i < len(s.Grouping)-1 {
			found = append(found, strict.Problem{Place: g.Place, Key: "grouping",
				Message: "this rule takes every alert; the rules after it are never tried", Hint: "move it to the end"})
		}
	}
	for _, in := range s.Inhibit {
		if len(in.Source) == 0 || len(in.Target) == 0 {
			found = append(found, strict.Problem{Place: in.Place, Key: "inhibit_rules",
				Message: "an inhibition rule without source or target matchers matches every alert on that side"})
		}
	}
	found.Sort()
	return found
}
