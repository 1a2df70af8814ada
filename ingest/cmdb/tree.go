package cmdb

import (
	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/rules/strict"
)

// shape is a dialect of YAML and JSON.
type shape interface {
	// lists names the keys of a document under which its long lists stand.
	lists() []string
	// document reads what a document is without those lists.
	document() unit
	// item reads an item of the list under key, of a document with that head, which is nil for a document that is a list itself.
	item(head *yaml.Node, key string) unit
	finish()
}

// unit is how one part is read.
type unit struct {
	value strict.Value
	done  func(at strict.Place) // takes it over when it was read without a problem; nil: nothing to do
}

// tree reads the texts of a shape.
type tree struct {
	c *call
	shape
}

func (t *tree) read(text Text) {
	for doc := range documents(text, t.lists()) {
		if t.c.full() {
			return
		}
		for _, p := range doc.problems {
			t.c.problem(p)
		}
		if !doc.head.empty() {
			t.part(text.Name, doc.head, t.document())
		}
		for _, l := range doc.lists {
			for p := range l.items {
				if t.c.full() {
					return
				}
				t.part(text.Name, p, t.item(doc.head.node, l.key))
			}
		}
	}
}

func (t *tree) part(file string, p part, u unit) {
	if at, ok := t.c.read(file, p, u.value); ok && u.done != nil {
		u.done(at)
	}
}

// scalarAt returns what the document n says under key, "" when that is no single value.
func scalarAt(n *yaml.Node, key string) string {
	if v := valueAt(n, key); v != nil && v.Kind == yaml.ScalarNode {
		return v.Value
	}
	return ""
}

// valueAt returns the value under key in the mapping n, nil when there is none.
func valueAt(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return resolve(n.Content[i+1])
		}
	}
	return nil
}
