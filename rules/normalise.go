package rules

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Normalise is a rule that brings labels into the form that all other rules expect. What it does, it does in the order of its
// fields.
type Normalise struct {
	Rule
	Rename []Pair // label, and its new name
	Map    *Map
	Derive *Derive
	LookUp *LookUp
	Set    []Pair
	Drop   []string
}

func (x *Normalise) keys(p *parsing) []key {
	x.Map, x.Derive, x.LookUp = &Map{}, &Derive{}, &LookUp{}
	return append(x.Rule.keys(p),
		pairList("rename", "label: label", &x.Rename, anyLabel, "the new name of a label; what stood under that name goes"),
		nested("map", x.Map.keys(), "a label's values to others"),
		nested("derive", x.Derive.keys(), "labels from templates, or from the groups of a regular expression"),
		nested("look_up", x.LookUp.keys(), "labels from a table"),
		pairList("set", "label: text", &x.Set, wordValue, "labels to fixed values"),
		labelList("drop", &x.Drop, "labels that go"),
	)
}

func (x *Normalise) check(r *strict.Reader, n *yaml.Node) {
	for name, forget := range map[string]func(){ // order-free: each forgets something else
		"map": func() { x.Map = nil }, "derive": func() { x.Derive = nil }, "look_up": func() { x.LookUp = nil },
	} {
		if !given(n, name) {
			forget()
		}
	}
	if x.Derive != nil {
		x.Derive.check(r, n)
	}
	if x.Map == nil && x.Derive == nil && x.LookUp == nil && len(x.Rename)+len(x.Set)+len(x.Drop) == 0 {
		r.ProblemAt(n, "normalise", "this rule does nothing", "give it rename, map, derive, look_up, set or drop")
	}
}

// Map turns the values of a label into others.
type Map struct {
	Label   string
	Into    string // "": Label
	Values  []Pair // the old value and the new one
	Default string // of a value that is not listed; "": it stays

	byValue map[string]string
}

func (m *Map) keys() []key {
	return []key{
		must(key{name: "label", kind: "label", help: "whose values are listed; nothing happens to an alert without it", value: anyLabel(&m.Label)}),
		{name: "into", kind: "label", otherwise: "the same", help: "the label that gets the new value", value: anyLabel(&m.Into)},
		must(key{name: "values", kind: "value: value", help: "the old values and the new", value: strict.Pairs(func(old string) strict.Value {
			return strict.Scalar(func(text string) error {
				if m.byValue == nil {
					m.byValue = map[string]string{}
				}
				m.Values, m.byValue[old] = append(m.Values, Pair{old, text}), text
				return nil
			})
		})}),
		{name: "default", kind: "text", otherwise: "it stays", help: "the new value of one that is not listed", value: strict.Word(&m.Default)},
	}
}

func (m *Map) apply(ls event.Labels) event.Labels {
	old := ls.Get(m.Label)
	if old == "" {
		return ls
	}
	value, listed := m.byValue[old]
	if !listed {
		value = m.Default
		if value == "" {
			value = old
		}
	}
	into := m.Into
	if into == "" {
		into = m.Label
	}
	return setLabel(ls, into, value)
}

// Derive makes labels of others.
type Derive struct {
	From     string // the label whose groups are $1 and so on; "": none
	Matching *regexp.Regexp
	Labels   []Derived

	written []written // until it is checked
	broken  bool      // what is wrong with Matching has been said
}

// Derived is a label and the text it gets. Where the text asks for something that is not there, the label stays as it is.
type Derived struct {
	Label string
	Text  *Template
}

type written struct {
	label, text string
	node        *yaml.Node
}

func (d *Derive) keys() []key {
	return []key{
		{name: "from", kind: "label", help: "whose value `matching` is about", value: anyLabel(&d.From)},
		{name: "matching", kind: "regular expression", help: "anchored; where it does not match, nothing is derived. Its groups are `$1`, `$2`, …", value: strict.Scalar(func(text string) error {
			re, err := regexp.Compile("^(?:" + text + ")$")
			if d.broken = err != nil; d.broken {
				return errors.New("must be a regular expression: " + err.Error())
			}
			d.Matching = re
			return nil
		})},
		must(key{name: "labels", kind: "label: template", help: "what is derived; a label whose template asks for something that is not there stays as it is", value: strict.Pairs(func(label string) strict.Value {
			return func(r *strict.Reader, n *yaml.Node) {
				w := written{label: label, node: n}
				strict.Word(&w.text)(r, n)
				d.written = append(d.written, w)
			}
		})}),
	}
}

func (d *Derive) check(r *strict.Reader, n *yaml.Node) {
	if d.broken {
		return
	}
	if (d.From == "") != (d.Matching == nil) {
		r.ProblemAt(n, "derive", "from and matching belong together", "from names the label that matching is about")
	}
	groups := 0
	if d.Matching != nil {
		groups = d.Matching.NumSubexp()
	}
	for _, w := range d.written {
		if w.text == "" {
			continue // reported
		}
		t, err := parseTemplate(w.text, groups)
		if err == nil {
			err = checkLabel(w.label)
		}
		if err != nil {
			r.ProblemAt(w.node, w.label, fmt.Sprintf("%s (got %q)", err, w.text), "")
			continue
		}
		d.Labels = append(d.Labels, Derived{w.label, t})
	}
	d.written = nil
}

func (d *Derive) apply(ls event.Labels, scratch *Scratch) event.Labels {
	var groups []string
	if d.Matching != nil {
		if groups = d.Matching.FindStringSubmatch(ls.Get(d.From)); groups == nil {
			return ls
		}
	}
	for i := range d.Labels {
		text, all := d.Labels[i].Text.append(scratch.bytes[:0], ls, groups)
		if scratch.bytes = text; all {
			ls = setLabel(ls, d.Labels[i].Label, string(text))
		}
	}
	return ls
}

// LookUp fills labels from a table.
type LookUp struct {
	Table string
	Key   string // label
	Into  []Pair // label, and the column that fills it

	table   *Table
	columns []int // of Into, in the table
	place   strict.Place
}

func (l *LookUp) keys() []key {
	return []key{
		must(key{name: "table", kind: "text", help: "the table's name", value: func(r *strict.Reader, n *yaml.Node) {
			l.place = r.Place(n)
			strict.Word(&l.Table)(r, n)
		}}),
		must(key{name: "key", kind: "label", help: "whose value is looked up; what is not in the table changes nothing", value: anyLabel(&l.Key)}),
		must(pairList("into", "label: column", &l.Into, wordValue, "the labels that are filled, each from a column")),
	}
}

// resolve finds the table, and reports what is not there.
func (l *LookUp) resolve(tables []Table) (problems Errors) {
	names := make([]string, len(tables))
	for i := range tables {
		if names[i] = tables[i].Name; names[i] == l.Table {
			l.table = &tables[i]
		}
	}
	if l.table == nil {
		return Errors{{Place: l.place, Key: "table", Message: "there is no table " + quote(l.Table), Hint: strict.Suggest(l.Table, names)}}
	}
	for _, p := range l.Into {
		at := slices.Index(l.table.Columns, p.Value)
		if at < 0 {
			problems = append(problems, strict.Problem{Place: l.place, Key: p.Label,
				Message: fmt.Sprintf("the table %q has no column %q", l.Table, p.Value), Hint: strict.Suggest(p.Value, l.table.Columns)})
		}
		l.columns = append(l.columns, at)
	}
	return problems
}

func (l *LookUp) apply(ls event.Labels) event.Labels {
	row := l.table.Get(ls.Get(l.Key))
	if row == nil {
		return ls
	}
	for i, p := range l.Into {
		if value := row[l.columns[i]]; value != "" {
			ls = setLabel(ls, p.Label, value)
		}
	}
	return ls
}

func (x *Normalise) apply(ls event.Labels, scratch *Scratch) event.Labels {
	for _, p := range x.Rename {
		if value := ls.Get(p.Label); value != "" {
			ls = setLabel(setLabel(ls, p.Label, ""), p.Value, value)
		}
	}
	if x.Map != nil {
		ls = x.Map.apply(ls)
	}
	if x.Derive != nil {
		ls = x.Derive.apply(ls, scratch)
	}
	if x.LookUp != nil {
		ls = x.LookUp.apply(ls)
	}
	for _, p := range x.Set {
		ls = setLabel(ls, p.Label, p.Value)
	}
	for _, name := range x.Drop {
		ls = setLabel(ls, name, "")
	}
	return ls
}

// setLabel gives a label of a set a value, in place; "" takes the label away.
func setLabel(ls event.Labels, name, value string) event.Labels {
	at, found := slices.BinarySearchFunc(ls, name, func(l event.Label, name string) int {
		switch {
		case l.Name < name:
			return -1
		case l.Name > name:
			return 1
		}
		return 0
	})
	switch {
	case found && value == "":
		return slices.Delete(ls, at, at+1)
	case found:
		ls[at].Value = value
		return ls
	case value == "":
		return ls
	}
	return slices.Insert(ls, at, event.Label{Name: name, Value: value})
}
