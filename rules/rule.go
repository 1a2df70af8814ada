package rules

import (
	"slices"
	"strings"

	"github.com/prometheus/alertmanager/pkg/labels"
	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Head is what every rule has: by these an explanation names it.
type Head struct {
	Name    string
	Place   strict.Place // where the rule stands, for people
	Shipped bool         // it comes with Tocsin: what operators wrote counts before it
}

func (h *Head) head() *Head { return h }

// Side says which alerts a rule, or one side of it, is about.
type Side struct {
	Match []*labels.Matcher // all must match; none: every alert
	If    *Condition        // and this must hold; nil: it does

	tests []test // of Match, and what If asks of single labels
}

func (s *Side) keys(p *parsing) []key {
	return []key{
		{name: "match", kind: "list of matchers", otherwise: "every alert", help: "matchers that must all match, in Alertmanager's syntax", value: matcherList(&s.Match)},
		{name: "if", kind: "condition", help: "a [condition](#conditions) that must hold, too", value: p.condition(&s.If)},
	}
}

// prepare makes the side ready for the index.
func (s *Side) prepare() {
	s.tests = newTests(s.Match)
	if s.If != nil {
		s.tests = append(s.tests, s.If.equalities()...)
	}
}

func (s *Side) matches(in *Input) bool { return matchAll(s.tests, in.Labels) && s.If.holds(in) }

// Rule is the head of a rule with one side.
type Rule struct {
	Head
	Side
}

func (r *Rule) keys(p *parsing) []key {
	return append([]key{must(word("name", &r.Name, "unique among the rules of its kind; explanations show it with its place"))}, r.Side.keys(p)...)
}

func (r *Rule) sides() []*Side { return []*Side{&r.Side} }

// entry is a rule of any kind, as the parser sees it.
type entry interface {
	head() *Head
	keys(p *parsing) []key // its keys; what they fill has its default afterwards
	sides() []*Side
	check(r *strict.Reader, n *yaml.Node) // what no single key can know
}

// readRule reads a rule into x.
func readRule(p *parsing, x entry) strict.Value {
	return func(r *strict.Reader, n *yaml.Node) {
		h := x.head()
		h.Place, h.Shipped = r.Place(n), p.shipped
		mapping(x.keys(p))(r, n)
		x.check(r, n)
		for _, side := range x.sides() {
			side.prepare()
		}
	}
}

// section is a list of rules of one kind, which follow one another over all files.
func section[T any, P interface {
	*T
	entry
}](p *parsing, name string, dst *[]T, help string) key {
	return key{
		name: name, kind: "list of rules", help: help, keys: P(new(T)).keys(p),
		value: appendList(dst, func(x *T) strict.Value { return readRule(p, P(x)) }),
	}
}

// heads lists the rules of one kind.
func heads[T any, P interface {
	*T
	entry
}](list []T) []*Head {
	out := make([]*Head, len(list))
	for i := range list {
		out[i] = P(&list[i]).head()
	}
	return out
}

// sortedNames brings the labels of a key into order, and reports one that stands twice.
func sortedNames(r *strict.Reader, n *yaml.Node, key string, names []string) []string {
	slices.Sort(names)
	for i := 1; i < len(names); i++ {
		if names[i] != "" && names[i] == names[i-1] {
			r.ProblemAt(n, key, "the label "+quote(names[i])+" stands twice", "")
		}
	}
	return slices.Compact(names)
}

// complete tells whether ls has every one of the labels.
func complete(names []string, ls event.Labels) bool {
	for _, name := range names {
		if ls.Get(name) == "" {
			return false
		}
	}
	return true
}

// appendValues appends ls's values of the labels: two alerts are equal in them iff the appended bytes are. A missing label has the
// value "".
func appendValues(dst []byte, names []string, ls event.Labels) []byte {
	for _, name := range names {
		dst = append(dst, ls.Get(name)...)
		dst = append(dst, 255) // a byte that no valid UTF-8 text holds
	}
	return dst
}

func quote(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }
