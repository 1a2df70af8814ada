package strict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Reader collects the problems of one file while its values are read.
type Reader struct {
	file     string
	text     []byte
	key      string
	left     int // values it may still look at
	problems Errors
}

// Value reads one node of the file into the variable it was made for.
type Value func(r *Reader, n *yaml.Node)

// Field is one key of a mapping.
type Field struct {
	Key      string
	Value    Value
	Required bool
}

// Read reads text, the content of file, as one value and returns the problems found, unsorted. An empty file is no problem
// and leaves every target as it was.
func Read(file string, text []byte, value Value) Errors {
	// Every value takes a byte at least, so that only aliases of aliases, which multiply, come past this bound.
	r := &Reader{file: file, text: text, left: 1000 + 4*len(text)}
	if r.unreadable(); len(r.problems) > 0 {
		return r.problems
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		r.syntax(err)
		return r.problems
	}
	value(r, doc.Content[0])
	var second yaml.Node
	if err := dec.Decode(&second); err == nil {
		r.Problem(&second, "a second YAML document", "write one document per file")
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err)
	}
	return r.problems
}

// unreadable reports the first byte that is no text. UTF-16, as some editors write it, is not read.
func (r *Reader) unreadable() {
	if bytes.HasPrefix(r.text, []byte{0xff, 0xfe}) || bytes.HasPrefix(r.text, []byte{0xfe, 0xff}) {
		r.problems = append(r.problems, Problem{Place: Place{File: r.file}, Message: "is UTF-16", Hint: "write it as UTF-8"})
		return
	}
	line := 1
	for text := range bytes.Lines(r.text) {
		if !utf8.Valid(text) {
			col := 1
			for {
				c, size := utf8.DecodeRune(text)
				if c == utf8.RuneError && size == 1 {
					break
				}
				text, col = text[size:], col+1
			}
			r.problems = append(r.problems, Problem{Place: Place{r.file, line, col}, Message: "is not UTF-8", Hint: "write the file as UTF-8"})
			return
		}
		line++
	}
}

// syntax reports the YAML library's own error; it tells the line in its text only.
func (r *Reader) syntax(err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	place, hint := Place{File: r.file}, ""
	if _, scanErr := fmt.Sscanf(text, "line %d:", &place.Line); scanErr == nil {
		_, text, _ = strings.Cut(text, ": ")
	} else if strings.Contains(text, "did not find expected") || strings.Contains(text, "mapping values are not allowed") {
		place.Line = 1 // the library leaves out the first
	}
	switch {
	case strings.Contains(text, "cannot start any token"):
		if line, col := r.tab(); line > 0 {
			place.Line, place.Col, hint = line, col, "YAML takes no tabs: indent with blanks"
		}
	case strings.Contains(text, "did not find expected"):
		hint = "a text that begins with [, {, !, & or a quotation mark stands in (other) quotes; look at the line above, too"
	case strings.Contains(text, "mapping values are not allowed"):
		hint = "a text with a colon and a blank in it stands in quotes; else look at how far the lines are indented"
	}
	r.problems = append(r.problems, Problem{Place: place, Message: "not YAML: " + text, Hint: hint})
}

// tab finds the first line that is indented with one.
func (r *Reader) tab() (line, col int) {
	for text := range bytes.Lines(r.text) {
		line++
		indent := text[:len(text)-len(bytes.TrimLeft(text, " \t"))]
		if i := bytes.IndexByte(indent, '\t'); i >= 0 && len(bytes.TrimSpace(text)) > 0 {
			return line, i + 1
		}
	}
	return 0, 0
}

// Indent is how far a line of the file is indented, in characters; lines count from 1.
func (r *Reader) Indent(line int) int {
	n := 0
	for text := range bytes.Lines(r.text) {
		if n++; n == line {
			return len(text) - len(bytes.TrimLeft(text, " "))
		}
	}
	return 0
}

// Place returns where n stands.
func (r *Reader) Place(n *yaml.Node) Place { return Place{r.file, n.Line, n.Column} }

// Problem reports that the value n of the key being read is wrong.
func (r *Reader) Problem(n *yaml.Node, message, hint string) { r.ProblemAt(n, r.key, message, hint) }

// ProblemAt reports a problem of another key than the one being read.
func (r *Reader) ProblemAt(n *yaml.Node, key, message, hint string) {
	r.problems = append(r.problems, Problem{Place: r.Place(n), Key: key, Message: message, Hint: hint})
}

// follow returns what n stands for when it is an alias, and false once the file has asked for too much.
func (r *Reader) follow(n *yaml.Node) (*yaml.Node, bool) {
	if r.left--; r.left < 0 {
		if r.left == -1 {
			r.Problem(n, "aliases multiply this file's values too often", "write some of them out")
		}
		return n, false
	}
	if n.Kind == yaml.AliasNode {
		return n.Alias, true
	}
	return n, true
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// Mapping reads a mapping with these keys and no others. No value at all (a key whose content is commented out) is an empty
// mapping.
func Mapping(fields ...Field) Value {
	return func(r *Reader, n *yaml.Node) {
		n, ok := r.follow(n)
		if !ok {
			return
		}
		if n.Kind != yaml.MappingNode && !isNull(n) {
			r.Problem(n, "must be a mapping of keys and values", got(n))
			return
		}
		seen := r.pairs(n, func(key, value *yaml.Node) {
			if f := find(fields, key.Value); f != nil {
				f.Value(r, value)
				return
			}
			r.Problem(key, "unknown key", suggest(key.Value, fields))
		})
		for _, f := range fields {
			if _, ok := seen[f.Key]; f.Required && !ok {
				r.ProblemAt(n, f.Key, "missing", "")
			}
		}
	}
}

// pairs calls read for each key of n, with the key as the one being read, and returns where each key stands.
func (r *Reader) pairs(n *yaml.Node, read func(key, value *yaml.Node)) map[string]int {
	outer := r.key
	defer func() { r.key = outer }()
	seen := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		r.key = key.Value
		switch line, twice := seen[key.Value]; {
		case key.Kind != yaml.ScalarNode:
			r.Problem(key, "a key must be a word", "")
		case key.Tag == "!!merge":
			r.Problem(key, "merge keys are not read", "write the keys out")
		case twice:
			r.Problem(key, fmt.Sprintf("given twice; first on line %d", line), "")
		default:
			seen[key.Value] = key.Line
			read(key, n.Content[i+1])
		}
	}
	return seen
}

func find(fields []Field, key string) *Field {
	for i := range fields {
		if fields[i].Key == key {
			return &fields[i]
		}
	}
	return nil
}

// Pairs reads a mapping whose keys are free, in the order they are written.
func Pairs(each func(key string) Value) Value {
	return func(r *Reader, n *yaml.Node) {
		n, ok := r.follow(n)
		if !ok || isNull(n) {
			return
		}
		if n.Kind != yaml.MappingNode {
			r.Problem(n, "must be a mapping of keys and values", got(n))
			return
		}
		r.pairs(n, func(key, value *yaml.Node) { each(key.Value)(r, value) })
	}
}

// List reads a list into dst, replacing what it held; item gives the reader of one element.
func List[T any](dst *[]T, item func(*T) Value) Value {
	return func(r *Reader, n *yaml.Node) {
		n, ok := r.follow(n)
		if !ok {
			return
		}
		if n.Kind != yaml.SequenceNode && !isNull(n) {
			r.Problem(n, "must be a list", got(n))
			return
		}
		*dst = make([]T, len(n.Content))
		outer := r.key
		for i, c := range n.Content {
			r.key = fmt.Sprintf("%s[%d]", outer, i)
			item(&(*dst)[i])(r, c)
		}
		r.key = outer
	}
}

// got describes n for a message about its shape.
func got(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "this is a mapping"
	case yaml.SequenceNode:
		return "this is a list"
	default:
		return fmt.Sprintf("this is the word %q", clip(n.Value))
	}
}

// clip keeps a quoted value short enough for one line.
func clip(s string) string {
	const limit = 80
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return s
}
