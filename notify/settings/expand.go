package settings

import (
	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/rules/strict"
)

// expanded reads a value after aliases were replaced by what they stand for and merge keys by what they bring along: who comes
// from Alertmanager writes them, and its notifiers' configurations are handed on as nodes, which must then be whole. size is that
// of the file: aliases of aliases multiply, and only they come past a bound of it.
func expanded(size int, value strict.Value) strict.Value {
	return func(sr *strict.Reader, n *yaml.Node) {
		e := &expander{sr: sr, left: 1000 + 4*size, within: map[*yaml.Node]bool{}}
		if whole := e.node(n); !e.failed {
			value(sr, whole)
		}
	}
}

type expander struct {
	sr     *strict.Reader
	left   int                 // nodes it may still make
	within map[*yaml.Node]bool // anchors that are being written out
	failed bool
}

func (e *expander) fail(n *yaml.Node, message, hint string) {
	if !e.failed { // what comes after it is a consequence
		e.sr.Problem(n, message, hint)
	}
	e.failed = true
}

// node returns a copy of n without aliases. Its nodes have the places at which they are written.
func (e *expander) node(n *yaml.Node) *yaml.Node {
	if e.left--; e.left < 0 {
		e.fail(n, "aliases multiply this file's values too often", "write some of them out")
	}
	if e.failed {
		return n
	}
	if n.Kind == yaml.AliasNode {
		if e.within[n.Alias] {
			e.fail(n, "the alias *"+n.Value+" stands inside of what it stands for", "write it out")
			return n
		}
		e.within[n.Alias] = true
		defer delete(e.within, n.Alias)
		return e.node(n.Alias)
	}
	whole := *n
	whole.Anchor, whole.Content = "", nil
	var merged []*yaml.Node
	for i, c := range n.Content {
		switch {
		case n.Kind != yaml.MappingNode:
			whole.Content = append(whole.Content, e.node(c))
		case i%2 == 1: // a value was taken with its key
		case c.Tag == "!!merge":
			merged = append(merged, e.merged(n.Content[i+1])...)
		default:
			whole.Content = append(whole.Content, e.node(c), e.node(n.Content[i+1]))
		}
	}
	for _, from := range merged {
		merge(&whole, from)
	}
	return &whole
}

// merged returns the mappings that a merge key names.
func (e *expander) merged(n *yaml.Node) []*yaml.Node {
	list := []*yaml.Node{e.node(n)}
	if list[0].Kind == yaml.SequenceNode {
		list = list[0].Content
	}
	for _, m := range list {
		if m.Kind != yaml.MappingNode && !e.failed {
			e.sr.Problem(n, "<< takes a mapping or a list of mappings", "as in <<: *name")
			return nil
		}
	}
	return list
}

// merge adds the keys of from that are not in to: what is written out wins, then what is merged first.
func merge(to, from *yaml.Node) {
	has := make(map[string]bool, len(to.Content)/2)
	for i := 0; i < len(to.Content); i += 2 {
		has[to.Content[i].Value] = true
	}
	for i := 0; i < len(from.Content); i += 2 {
		if key := from.Content[i]; !has[key.Value] {
			to.Content = append(to.Content, key, from.Content[i+1])
		}
	}
}
