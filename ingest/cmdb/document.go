package cmdb

import (
	"bytes"
	"iter"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/rules/strict"
)

// document is one document of a YAML or JSON text, with its long lists apart.
type document struct {
	head     part // the document without the items of its lists: those are null there; empty when it is a list itself
	lists    []list
	problems strict.Errors // why it cannot be read
}

// list is a long list of a document.
type list struct {
	key   string // its key in the document, "" when it is the document
	items iter.Seq[part]
}

// part is what is read at a time: an item of a list, or the head of a document. It is YAML that is not parsed yet, or a tree.
type part struct {
	text []byte
	line int // lines of the file before text

	node   *yaml.Node // valid until the next part is asked for
	weight int        // values in it
	fault  string     // why it cannot be read
}

func (p part) empty() bool { return p.text == nil && p.node == nil }

// documents cuts a text; keys name the lists whose items are to be parts of their own.
func documents(t Text, keys []string) iter.Seq[document] {
	if isJSON(t.Data) {
		return jsonDocuments(t, keys)
	}
	return yamlDocuments(t, keys)
}

// isJSON tells JSON from YAML in flow style: behind its first brackets there is a quote, or nothing.
func isJSON(text []byte) bool {
	opened := false
	for _, b := range text {
		switch b {
		case ' ', '\t', '\r', '\n':
		case '{', '[':
			opened = true
		case '"', '}', ']':
			return opened
		default:
			return false
		}
	}
	return opened
}

// read lets value read one part and reports what is wrong with it. ok is false then, and for a part that holds nothing.
func (c *call) read(file string, p part, value strict.Value) (at strict.Place, ok bool) {
	if p.fault != "" {
		c.problem(strict.Problem{Place: strict.Place{File: file, Line: p.line + 1}, Message: p.fault})
		return at, false
	}
	called := false
	place := func(r *strict.Reader, n *yaml.Node) {
		called, at = true, r.Place(n)
		value(r, n)
	}
	var problems strict.Errors
	if p.node != nil {
		problems = readTree(file, p.node, p.weight, place)
	} else {
		problems = strict.Read(file, p.text, only(place))
	}
	if len(problems) > 0 && p.line > 0 && c.problems.Total < MaxProblems {
		// Messages name lines as well. Reading it where it stands makes them true; it is slow, but few problems are kept.
		problems = strict.Read(file, append(bytes.Repeat([]byte("\n"), p.line), p.text...), only(place))
	}
	for _, problem := range problems {
		c.problem(problem)
	}
	at.Line += p.line
	return at, called && len(problems) == 0
}

// readTree is strict.Read for what is parsed already. A strict.Reader grants as many values as its text may hold, and a tree has no
// text: blanks stand for it.
func readTree(file string, n *yaml.Node, weight int, value strict.Value) strict.Errors {
	text := make([]byte, 1+weight/4)
	for i := range text {
		text[i] = ' '
	}
	text[0] = '~'
	return strict.Read(file, text, func(r *strict.Reader, _ *yaml.Node) { value(r, n) })
}

// only reads the one item of a list that was cut out together with its dash.
func only(value strict.Value) strict.Value {
	return func(r *strict.Reader, n *yaml.Node) {
		if n.Kind != yaml.SequenceNode {
			r.Problem(n, "must be an item of the list", "indent it as the items before")
			return
		}
		for _, item := range n.Content {
			value(r, item)
		}
	}
}

// cutTree takes the lists out of a document that was parsed whole. allowed is how many values it may stand for once its aliases are
// followed.
func cutTree(root *yaml.Node, keys []string, allowed int) (doc document) {
	w := weigher{left: allowed}
	if root.Kind == yaml.SequenceNode {
		doc.lists = []list{{items: w.items(root)}}
		return doc
	}
	head := *root
	head.Content = slices.Clone(root.Content)
	for i := 0; root.Kind == yaml.MappingNode && i+1 < len(head.Content); i += 2 {
		key, value := head.Content[i], resolve(head.Content[i+1])
		if value.Kind == yaml.SequenceNode && slices.Contains(keys, key.Value) {
			doc.lists = append(doc.lists, list{key.Value, w.items(value)})
			head.Content[i+1] = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: value.Line, Column: value.Column}
		}
	}
	doc.head = w.part(&head)
	return doc
}

// resolve follows an alias.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// weigher counts values as readers see them, with aliases followed, and stops where a few lines stand for millions.
type weigher struct{ left int }

func (w *weigher) items(n *yaml.Node) iter.Seq[part] {
	return func(yield func(part) bool) {
		for _, item := range n.Content {
			p := w.part(item)
			if !yield(p) || p.fault != "" {
				return
			}
		}
	}
}

func (w *weigher) part(n *yaml.Node) part {
	before := w.left
	w.weigh(n, 0)
	if w.left < 0 {
		return part{line: n.Line - 1, fault: "aliases multiply this file's values too often; write some of them out"}
	}
	return part{node: n, weight: before - w.left}
}

func (w *weigher) weigh(n *yaml.Node, depth int) {
	const deepest = 10_000 // as the parser has it; only an alias inside of what it stands for is deeper
	if w.left--; depth > deepest {
		w.left = -1
	}
	for _, child := range resolve(n).Content {
		if w.left < 0 {
			return
		}
		w.weigh(child, depth+1)
	}
}
