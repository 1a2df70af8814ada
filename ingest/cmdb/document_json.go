package cmdb

import (
	"bytes"
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/ingest/internal/jsonscan"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// jsonDocuments reads a JSON text, or several behind each other, into trees as YAML's parser would make them. A list is walked
// over first, which is cheap, and its items are read one by one, into the same memory.
func jsonDocuments(t Text, keys []string) iter.Seq[document] {
	return func(yield func(document) bool) {
		data := bytes.Clone(t.Data) // the scanner resolves escapes in place
		b := &treeBuilder{Scanner: jsonscan.New(data), data: data, at: position{text: t.Data}, words: map[string]string{}}
		for b.Peek() != 0 {
			doc := b.document(keys)
			if b.Err() == nil && !yield(doc) {
				return
			}
		}
		if err := b.Err(); err != nil {
			at := position{text: t.Data} // the builder's has gone to the end
			at.move(err.Offset)
			place := strict.Place{File: t.Name, Line: at.line + 1, Col: at.column + 1}
			yield(document{problems: strict.Errors{{Place: place, Message: "not JSON: " + err.Message}}})
		}
	}
}

// treeBuilder makes trees of what the scanner reads.
type treeBuilder struct {
	jsonscan.Scanner
	data  []byte // what the scanner reads
	from  int    // where in the text data begins
	at    position
	words map[string]string // texts that were seen, so that each takes room once
	nodes []*yaml.Node      // used again for each item
	used  int
}

func (b *treeBuilder) document(keys []string) (doc document) {
	b.used = 0
	if b.Peek() == '[' {
		doc.lists = []list{b.list("")}
		return doc
	}
	root := b.place(yaml.MappingNode)
	if b.Peek() != '{' {
		doc.head = b.part(b.value())
		return doc
	}
	b.Enter()
	for first := true; ; first = false {
		key, ok := b.key(root, first)
		if !ok {
			break
		}
		if b.Peek() != '[' || !slices.Contains(keys, key) {
			b.add(root, b.value())
			continue
		}
		null := b.place(yaml.ScalarNode)
		null.Tag = "!!null"
		b.add(root, null)
		doc.lists = append(doc.lists, b.list(key))
	}
	doc.head = b.part(root)
	return doc
}

// list walks over the list that Peek found; its items are read, by a builder of their own, when they are asked for.
func (b *treeBuilder) list(key string) list {
	start := b.Offset()
	b.at.move(b.from + start)
	sub := &treeBuilder{from: b.from + start, at: b.at, words: b.words}
	b.Skip()
	sub.data = b.data[start:b.Offset()]
	return list{key, sub.items}
}

func (b *treeBuilder) items(yield func(part) bool) {
	b.Scanner = jsonscan.New(b.data)
	if b.Peek() == 0 {
		return
	}
	b.Enter()
	for first := true; b.Element(first); first = false {
		b.used = 0
		if !yield(b.part(b.value())) {
			return
		}
	}
}

func (b *treeBuilder) part(n *yaml.Node) part {
	if b.used > maxValues {
		return part{line: n.Line - 1, fault: fmt.Sprintf("an item must hold at most %d values", maxValues)}
	}
	return part{node: n, weight: b.used}
}

// value reads the next value. Of one that holds too much the rest is walked over.
func (b *treeBuilder) value() *yaml.Node {
	switch c := b.Peek(); {
	case c == '{' && b.used <= maxValues:
		return b.mapping()
	case c == '[' && b.used <= maxValues:
		n := b.place(yaml.SequenceNode)
		b.Enter()
		for first := true; b.Element(first); first = false {
			b.add(n, b.value())
		}
		return n
	case c == '"':
		n := b.place(yaml.ScalarNode)
		n.Tag, n.Value = "!!str", b.keep(b.Text())
		return n
	default:
		n := b.place(yaml.ScalarNode)
		start := b.Offset()
		b.Skip()
		n.Value = b.keep(string(b.data[start:b.Offset()]))
		if n.Value == "null" {
			n.Tag = "!!null"
		}
		return n
	}
}

func (b *treeBuilder) mapping() *yaml.Node {
	n := b.place(yaml.MappingNode)
	b.Enter()
	for first := true; ; first = false {
		if _, ok := b.key(n, first); !ok {
			return n
		}
		b.add(n, b.value())
	}
}

// key reads a key of n and puts it there. Its place is only known by its end, so the quote before it is looked for.
func (b *treeBuilder) key(n *yaml.Node, first bool) (string, bool) {
	start := b.Offset()
	text, ok := b.Member(first)
	if !ok {
		return "", false
	}
	quote := bytes.IndexByte(b.at.text[b.from+start:], '"')
	key := b.node(yaml.ScalarNode, b.from+start+quote)
	key.Tag, key.Value = "!!str", b.keep(text)
	b.add(n, key)
	return key.Value, true
}

func (b *treeBuilder) add(parent, child *yaml.Node) {
	if b.used <= maxValues {
		parent.Content = append(parent.Content, child)
	}
}

// place returns an empty node for the value that Peek found.
func (b *treeBuilder) place(kind yaml.Kind) *yaml.Node {
	b.Peek()
	return b.node(kind, b.from+b.Offset())
}

func (b *treeBuilder) node(kind yaml.Kind, offset int) *yaml.Node {
	if b.used == len(b.nodes) {
		b.nodes = append(b.nodes, new(yaml.Node))
	}
	n := b.nodes[b.used]
	b.used = min(b.used+1, maxValues+1)
	b.at.move(offset)
	*n = yaml.Node{Kind: kind, Content: n.Content[:0], Line: b.at.line + 1, Column: b.at.column + 1}
	return n
}

// keep returns a copy of s that does not hold on to the text.
func (b *treeBuilder) keep(s string) string {
	const most = 1 << 17
	if w, ok := b.words[s]; ok {
		return w
	}
	s = strings.Clone(s)
	if len(b.words) < most {
		b.words[s] = s
	}
	return s
}

// position turns offsets, which must not go back, into lines and columns.
type position struct {
	text         []byte
	offset       int
	line, column int
}

func (p *position) move(offset int) {
	offset = max(p.offset, min(offset, len(p.text)))
	run := p.text[p.offset:offset]
	p.offset = offset
	if n := bytes.Count(run, []byte("\n")); n > 0 {
		p.line += n
		p.column = 0
		run = run[bytes.LastIndexByte(run, '\n')+1:]
	}
	p.column += utf8.RuneCount(run)
}
