package imports

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// maxLine bounds a line of NDJSON.
const maxLine = 16 << 20

// jsonRows reads objects: of an array, of an array inside an object ({"result": […]}), or one after the other.
type jsonRows struct {
	m      *Map
	dec    *json.Decoder
	lines  *newlines
	array  bool // the objects are elements of an array
	ndjson *bufio.Reader
	line   int // of NDJSON, the last one read
	known  map[string]bool
	others []string
}

func newJSONRows(m *Map, in *bufio.Reader) (*jsonRows, error) {
	r := &jsonRows{m: m, known: map[string]bool{}}
	head, _ := in.Peek(peekBytes) // an error comes again when it is read
	if first, _, ok := bytes.Cut(head, []byte("\n")); ok && json.Valid(first) && bytes.HasPrefix(bytes.TrimSpace(first), []byte("{")) && !envelope().Match(head) {
		r.ndjson = in
		return r, nil
	}
	r.lines = &newlines{r: in}
	r.dec = json.NewDecoder(r.lines)
	r.dec.UseNumber()
	tokens := 0
	switch {
	case envelope().Match(head):
		tokens = 3 // {, the key, [
	case bytes.HasPrefix(bytes.TrimSpace(head), []byte("[")):
		tokens = 1
	}
	for range tokens {
		if _, err := r.dec.Token(); err != nil {
			return nil, &FileError{Line: 1, Reason: "not JSON: " + err.Error()}
		}
	}
	r.array = tokens > 0
	return r, nil
}

// envelope is how answers of ServiceNow's and others' APIs begin.
func envelope() *regexp.Regexp {
	return regexp.MustCompile(`^\s*\{\s*"(result|records|incidents|value|data)"\s*:\s*\[`)
}

func (r *jsonRows) unmapped() []string { return slices.Sorted(slices.Values(r.others)) }

func (r *jsonRows) next() (*row, error) {
	if r.ndjson != nil {
		return r.nextLine()
	}
	if r.array && !r.dec.More() {
		if _, err := r.dec.Token(); err != nil {
			return nil, r.broken(err)
		}
		return nil, nil
	}
	var raw json.RawMessage
	if err := r.dec.Decode(&raw); err != nil {
		if errors.Is(err, io.EOF) && !r.array {
			return nil, nil
		}
		return nil, r.broken(err)
	}
	end := r.dec.InputOffset()
	return r.object(raw, r.lines.at(end-int64(len(raw)))), nil
}

// broken says where a file stops being JSON. What follows cannot be told apart.
func (r *jsonRows) broken(err error) error {
	reason := "not JSON: " + err.Error()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &FileError{Line: r.lines.at(r.lines.read), Reason: "the file breaks off: it is cut, or was not sent to its end"}
	} else if _, syntax := errors.AsType[*json.SyntaxError](err); !syntax {
		reason = err.Error()
	}
	return &FileError{Line: r.lines.at(r.dec.InputOffset()), Reason: reason}
}

func (r *jsonRows) nextLine() (*row, error) {
	for {
		text, err := readLine(r.ndjson)
		if len(text) == 0 && errors.Is(err, io.EOF) {
			return nil, nil
		}
		r.line++
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, &FileError{Line: r.line, Reason: err.Error()}
		}
		if text = bytes.TrimSpace(text); len(text) > 0 {
			return r.object(text, r.line), nil
		}
	}
}

func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLine:
			return nil, fmt.Errorf("longer than %d MiB", maxLine>>20)
		case !errors.Is(err, bufio.ErrBufferFull):
			return line, err
		}
	}
}

// object takes the cells out of one object.
func (r *jsonRows) object(raw []byte, line int) *row {
	out := &row{line: line, cells: make([]string, len(r.m.columns))}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var fields map[string]any
	if err := dec.Decode(&fields); err != nil || fields == nil {
		out.fault = &Reject{Line: line, Value: clip(utf8Text(string(raw))), Reason: "no JSON object"}
		return out
	}
	r.take(out, fields, "")
	return out
}

// take puts the fields that the map names into the row, those of objects inside as name.field. An object itself is what it shows
// ({"display_value": …, "value": …}).
func (r *jsonRows) take(out *row, fields map[string]any, prefix string) {
	for key, value := range fields {
		name := prefix + key
		text := ""
		switch v := value.(type) {
		case map[string]any:
			if prefix == "" {
				r.take(out, v, key+".")
			}
			text = shown(v)
		default:
			text = plain(v)
		}
		if at, ok := r.m.at[name]; ok {
			out.cells[at] = strings.TrimSpace(text)
			continue
		}
		if prefix == "" && !r.known[name] {
			r.known[name] = true
			if !r.m.ignored[name] && !r.inside(name) {
				r.others = append(r.others, name)
			}
		}
	}
}

// inside tells whether the map names a field of the object called name.
func (r *jsonRows) inside(name string) bool {
	return slices.ContainsFunc(r.m.columns, func(c string) bool { return strings.HasPrefix(c, name+".") })
}

// shown is what people see of an object.
func shown(v map[string]any) string {
	for _, key := range []string{"display_value", "name", "value"} {
		if text := plain(v[key]); text != "" {
			return text
		}
	}
	return ""
}

// plain is a value as text; several are separated by |.
func plain(value any) string {
	switch v := value.(type) {
	case string:
		return strings.ToValidUTF8(v, "\uFFFD")
	case json.Number:
		return v.String()
	case bool:
		return map[bool]string{true: "true", false: "false"}[v]
	case []any:
		parts := make([]string, 0, len(v))
		for _, one := range v {
			if o, ok := one.(map[string]any); ok {
				parts = append(parts, shown(o))
				continue
			}
			parts = append(parts, plain(one))
		}
		return strings.Join(parts, "|")
	}
	return ""
}

// newlines counts the lines of what passes through it.
type newlines struct {
	r     io.Reader
	read  int64   // bytes
	marks []int64 // offsets of the newlines that were not counted yet
	line  int     // newlines that were
}

// Read passes text on.
func (n *newlines) Read(b []byte) (int, error) {
	got, err := n.r.Read(b)
	for i, c := range b[:got] {
		if c == '\n' {
			n.marks = append(n.marks, n.read+int64(i))
		}
	}
	n.read += int64(got)
	return got, err
}

// at returns the line of an offset, from 1. Offsets must not fall.
func (n *newlines) at(offset int64) int {
	passed := 0
	for passed < len(n.marks) && n.marks[passed] < offset {
		passed++
	}
	n.line += passed
	n.marks = n.marks[:copy(n.marks, n.marks[passed:])]
	return n.line + 1
}
