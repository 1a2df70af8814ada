package cmdb

import (
	"bytes"
	"fmt"
	"iter"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/rules/strict"
)

// chunk is whole lines of a text.
type chunk struct {
	text []byte
	line int // lines of the file before it
}

// yamlDocuments cuts a YAML text by its lines. A list in block style, which is what is long, is cut into its items unparsed;
// whatever else a document is, it is parsed whole.
func yamlDocuments(t Text, keys []string) iter.Seq[document] {
	return func(yield func(document) bool) {
		for c := range yamlChunks(t.Data) {
			if !yield(yamlDocument(t.Name, c, keys)) {
				return
			}
		}
	}
}

func yamlDocument(file string, c chunk, keys []string) (doc document) {
	head := c.text
	var blocks []block
	if !sharesNodes(c.text) {
		head, blocks = cutLists(c, keys)
	}
	doc, doc.problems = parseHead(file, chunk{head, c.line}, keys)
	for _, b := range blocks {
		doc.lists = append(doc.lists, list{b.key, b.items()})
	}
	return doc
}

// parseHead parses what cutLists left of a document.
func parseHead(file string, c chunk, keys []string) (doc document, problems strict.Errors) {
	if len(bytes.TrimSpace(c.text)) > maxPart {
		return doc, strict.Errors{{Place: strict.Place{File: file, Line: c.line + 1},
			Message: fmt.Sprintf("a document that is no list must be at most %s", strict.FormatSize(maxPart)),
			Hint:    "write its list one item below the other, without anchors, or write JSON"}}
	}
	var root *yaml.Node
	problems = strict.Read(file, c.text, func(_ *strict.Reader, n *yaml.Node) { root = n })
	for i := range problems {
		if problems[i].Place.Line > 0 {
			problems[i].Place.Line += c.line
		}
	}
	if root == nil || len(problems) > 0 {
		return doc, problems
	}
	moveDown(root, c.line)
	return cutTree(root, keys, 1000+4*len(c.text)), nil
}

// moveDown makes the lines of a tree those of the file.
func moveDown(n *yaml.Node, lines int) {
	if lines == 0 {
		return
	}
	n.Line += lines
	for _, child := range n.Content {
		moveDown(child, lines)
	}
}

// yamlChunks cuts a stream into its documents; what holds only comments and directives is none.
func yamlChunks(text []byte) iter.Seq[chunk] {
	return func(yield func(chunk) bool) {
		at, start, line, startLine, something := 0, 0, 0, 0, false
		for l := range bytes.Lines(text) {
			end := isMark(l, "...")
			if begin := isMark(l, "---"); begin || end {
				if something && !yield(chunk{text[start:at], startLine}) {
					return
				}
				start, startLine, something = at, line, begin && !isBlank(l[3:])
				if end {
					start, startLine = at+len(l), line+1
				}
			} else if !isBlank(l) && l[0] != '%' {
				something = true
			}
			at += len(l)
			line++
		}
		if something {
			yield(chunk{text[start:], startLine})
		}
	}
}

func isMark(line []byte, mark string) bool {
	return bytes.HasPrefix(line, []byte(mark)) && (len(line) == len(mark) || bytes.IndexByte([]byte(" \t\r\n"), line[len(mark)]) >= 0)
}

// isBlank tells whether a line, or the rest of one, holds nothing or a comment.
func isBlank(line []byte) bool {
	line = bytes.TrimLeft(line, " \t\r\n")
	return len(line) == 0 || line[0] == '#'
}

// sharesNodes tells whether a document has an anchor that something refers to: its parts cannot be parsed by themselves. It errs
// on the side of yes.
func sharesNodes(text []byte) bool {
	const most = 10_000
	if bytes.IndexByte(text, '&') < 0 {
		return false
	}
	aliases := map[string]bool{}
	for name := range references(text, '*') {
		aliases[string(name)] = true
		if len(aliases) > most {
			return true
		}
	}
	if len(aliases) == 0 {
		return false
	}
	for name := range references(text, '&') {
		if aliases[string(name)] {
			return true
		}
	}
	return false
}

// references yields what may be names of anchors (sign &) or aliases (sign *).
func references(text []byte, sign byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for at := 0; ; at++ {
			next := bytes.IndexByte(text[at:], sign)
			if next < 0 {
				return
			}
			at += next
			if at > 0 && !slices.Contains([]byte(" \t\n[{,"), text[at-1]) {
				continue
			}
			name := text[at+1:]
			name = name[:min(len(name), 256)] // of a longer one its beginning
			if end := bytes.IndexAny(name, " \t\r\n,[]{}"); end >= 0 {
				name = name[:end]
			}
			if len(name) > 0 && !yield(name) {
				return
			}
		}
	}
}
