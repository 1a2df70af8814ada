package rules

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// File is one rule file: its name as people know it, and its content.
type File struct {
	Name string
	Text []byte
}

// ErrBundle says that bytes are not what Bundle writes.
var ErrBundle = errors.New("rules: malformed bundle")

const bundleHead = "tocsin rules 1\n"

// Bundle writes files into one text, in the order of their names; it is what the journal keeps of a rule set. Each file is
//
//	<bytes of the name> <bytes of the text>\n<name>\n<text>\n
func Bundle(files []File) []byte {
	files = slices.SortedFunc(slices.Values(files), func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	b := []byte(bundleHead)
	for _, f := range files {
		b = fmt.Appendf(b, "%d %d\n%s\n%s\n", len(f.Name), len(f.Text), f.Name, f.Text)
	}
	return b
}

// Unbundle reads what Bundle wrote. The files share b's memory.
func Unbundle(b []byte) ([]File, error) {
	rest, ok := bytes.CutPrefix(b, []byte(bundleHead))
	if !ok {
		return nil, fmt.Errorf("%w: unknown head", ErrBundle)
	}
	var files []File
	for len(rest) > 0 {
		var name, text int
		head, body, ok := bytes.Cut(rest, []byte("\n"))
		if _, err := fmt.Sscanf(string(head), "%d %d", &name, &text); err != nil || !ok {
			return nil, fmt.Errorf("%w: file %d has no lengths", ErrBundle, len(files))
		}
		if name < 0 || text < 0 || name > len(body) || text > len(body) || len(body) < name+text+2 {
			return nil, fmt.Errorf("%w: file %d is cut short", ErrBundle, len(files))
		}
		files = append(files, File{Name: string(body[:name]), Text: body[name+1 : name+1+text : name+1+text]})
		rest = body[name+text+2:]
	}
	return files, nil
}
