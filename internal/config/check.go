package config

import (
	"errors"
	"slices"

	"github.com/tocsin-noc/tocsin/rules"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Problem is one finding of Check.
type Problem struct {
	strict.Problem
	Warning bool // the daemon would start nevertheless
}

// String returns the finding in one line.
func (p Problem) String() string {
	if p.Warning {
		return "warning: " + p.Problem.String()
	}
	return p.Problem.String()
}

// Check reads the file at path and all rule files it names, as a start would, and returns everything that is wrong or looks
// wrong: the configuration first, then the rules, each sorted by place.
func Check(path string) []Problem {
	c, broken, err := load(path)
	if err != nil {
		return []Problem{{Problem: strict.Problem{Message: err.Error()}}}
	}
	broken.Sort()
	found := slices.Concat(list(broken, false), list(c.Warnings, true))
	if err := c.Exposed(); errors.Is(err, ErrExposed) {
		found = append(found, Problem{Problem: strict.Problem{Place: strict.Place{File: path}, Message: err.Error()}})
	}
	return append(found, c.checkRules()...)
}

func (c *Config) checkRules() []Problem {
	files, warnings, err := c.ReadRules()
	if err != nil {
		return []Problem{{Problem: strict.Problem{Message: err.Error()}}}
	}
	found := list(warnings, true)
	set, err := rules.Parse(files)
	if broken := (strict.Errors)(nil); errors.As(err, &broken) {
		return append(found, list(broken, false)...)
	}
	return append(found, list(set.Warnings, true)...)
}

func list(problems strict.Errors, warning bool) []Problem {
	found := make([]Problem, len(problems))
	for i, p := range problems {
		found[i] = Problem{p, warning}
	}
	return found
}
