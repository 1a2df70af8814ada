package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Template is a text with labels in it: $name or ${name}, and $$ for a dollar. In a derivation $1 is a group of the regular expression.
type Template struct {
	Text  string
	parts []part
}

// part is some text, and then a label or a group; the last part may be text only.
type part struct {
	text  string
	label string
	group int // counted from 1, 0: none
}

// parseTemplate reads a template in which there may be groups up to the given number.
func parseTemplate(text string, groups int) (*Template, error) {
	t := &Template{Text: text}
	var literal strings.Builder
	for rest := text; rest != ""; {
		before, after, found := strings.Cut(rest, "$")
		literal.WriteString(before)
		if !found {
			break
		}
		if strings.HasPrefix(after, "$") {
			literal.WriteByte('$')
			rest = after[1:]
			continue
		}
		name, tail, err := cutName(after)
		if err != nil {
			return nil, err
		}
		rest = tail
		p := part{text: literal.String(), label: name}
		literal.Reset()
		if strings.Trim(name, "0123456789") == "" {
			p.label = ""
			if _, err := fmt.Sscanf(name, "%d", &p.group); err != nil || p.group < 1 || p.group > groups {
				return nil, fmt.Errorf("must not ask for $%s: %s", name, groupCount(groups))
			}
		}
		t.parts = append(t.parts, p)
	}
	if literal.Len() > 0 {
		t.parts = append(t.parts, part{text: literal.String()})
	}
	return t, nil
}

func groupCount(groups int) string {
	switch groups {
	case 0:
		return "there is no regular expression with groups here"
	case 1:
		return "the regular expression has one group, $1"
	}
	return fmt.Sprintf("the regular expression has the groups $1 to $%d", groups)
}

// cutName cuts the name behind a dollar.
func cutName(after string) (name, tail string, err error) {
	if inner, braced := strings.CutPrefix(after, "{"); braced {
		name, tail, found := strings.Cut(inner, "}")
		if !found || checkLabel(name) != nil {
			return "", "", errors.New("must close each ${label}")
		}
		return name, tail, nil
	}
	end := strings.IndexFunc(after, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '_'
	})
	if end < 0 {
		end = len(after)
	}
	if end == 0 {
		return "", "", errors.New("must have a label behind each $, as in $namespace or ${namespace}; a dollar is $$")
	}
	return after[:end], after[end:], nil
}

// templateValue reads a template that must not be empty; groups tells how many it may use.
func templateValue(dst **Template, groups func() int) strict.Value {
	return strict.Scalar(func(text string) (err error) {
		if strings.TrimSpace(text) == "" {
			return errors.New("must not be empty")
		}
		*dst, err = parseTemplate(text, groups())
		return err
	})
}

func template(name string, dst **Template, help string) key {
	return key{name: name, kind: "template", help: help, value: templateValue(dst, func() int { return 0 })}
}

// Labels returns the labels that t names, sorted.
func (t *Template) Labels() []string {
	var names []string
	for _, p := range t.parts {
		if p.label != "" {
			names = append(names, p.label)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// append appends t with the labels filled in; all tells whether ls has every one of them.
func (t *Template) append(dst []byte, ls event.Labels, groups []string) (text []byte, all bool) {
	all = true
	for i := range t.parts {
		p := &t.parts[i]
		dst = append(dst, p.text...)
		value := ""
		switch {
		case p.group > 0 && p.group < len(groups):
			value = groups[p.group]
		case p.label != "":
			value = ls.Get(p.label)
		default:
			continue
		}
		all = all && value != ""
		dst = append(dst, value...)
	}
	return dst, all
}

// Fill returns t with the labels filled in, "" for one that ls lacks. A nil template is "".
func (t *Template) Fill(ls event.Labels) string {
	if t == nil {
		return ""
	}
	text, _ := t.append(nil, ls, nil)
	return string(text)
}

// alien warns of labels in t that stand in none of the keys: each alert may have another value of them, or none.
func (t *Template) alien(at strict.Place, name string, known ...string) (found Errors) {
	if t == nil {
		return nil
	}
	for _, label := range t.Labels() {
		if !slices.Contains(known, label) {
			found = append(found, strict.Problem{Place: at, Key: name, Message: fmt.Sprintf("$%s is not among the labels that all alerts of the rule share: it is that of one of them, or empty", label),
				Hint: "name it in the rule's list of labels"})
		}
	}
	return found
}

// nodeOf returns what n stands for when it is an alias.
func nodeOf(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}
