package cmdb

import (
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// open reads a mapping of another tool: what is not asked for is not looked at, and null is as good as nothing.
func open(fields ...strict.Field) strict.Value {
	return strict.Pairs(func(key string) strict.Value {
		i := slices.IndexFunc(fields, func(f strict.Field) bool { return f.Key == key })
		if i < 0 {
			return ignore
		}
		return given(fields[i].Value)
	})
}

func ignore(*strict.Reader, *yaml.Node) {}

// given reads a value unless it is null.
func given(value strict.Value) strict.Value {
	return func(r *strict.Reader, n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || n.Tag != "!!null" {
			value(r, n)
		}
	}
}

// texts reads a mapping of free keys to single values.
func texts(dst *event.Labels) strict.Value {
	const most = 1000
	return strict.Pairs(func(key string) strict.Value {
		return given(strict.Scalar(func(s string) error {
			if len(*dst) == most {
				return fmt.Errorf("must be one of at most %d", most)
			}
			*dst = append(*dst, event.Label{Name: key, Value: s})
			return nil
		}))
	})
}

// words reads a list of texts.
func words(dst *[]string) strict.Value {
	return strict.List(dst, func(s *string) strict.Value { return strict.Word(s) })
}

// set is a set of attributes in the making; the first to say something of a name keeps it.
type set struct {
	labels event.Labels
	names  map[string]bool
}

func (s *set) put(name, value string) {
	if value == "" || s.names[name] {
		return
	}
	if s.names == nil {
		s.names = map[string]bool{}
	}
	s.names[name] = true
	s.labels = append(s.labels, event.Label{Name: name, Value: value})
}
