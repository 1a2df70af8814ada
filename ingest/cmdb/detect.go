package cmdb

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/rules/strict"
)

// detect finds the format of the call, unless the caller knows it. It returns false when that cannot be told. One text is enough to
// tell: the others are of the same format, or wrong.
func (c *call) detect(texts []Text) bool {
	if c.format != "" {
		return c.known()
	}
	told, same := "", true
	var untold strict.Errors
	for _, t := range texts {
		format, problems := formatOf(t)
		switch {
		case format == "":
			untold = append(untold, problems...)
		case c.format == "":
			c.format, told = format, t.Name
		case c.format != format:
			c.problem(strict.Problem{Place: strict.Place{File: t.Name},
				Message: fmt.Sprintf("this is %s, but %s is %s", format, told, c.format), Hint: "import them apart"})
			same = false
		}
	}
	if c.format == "" {
		for _, p := range untold {
			c.problem(p)
		}
		if c.problems.Total == 0 {
			c.problem(strict.Problem{Message: "there is nothing in what is to be imported"})
		}
	}
	return same && c.format != ""
}

func (c *call) known() bool {
	if slices.Contains(Formats(), c.format) {
		return true
	}
	c.problem(strict.Problem{Message: "no format " + string(c.format), Hint: "known here: " + formatNames()})
	return false
}

func formatNames() string {
	names := make([]string, 0, len(Formats()))
	for _, f := range Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

// formatOf tells what a text is written in by its first document that tells, or why none does. A text that holds nothing is no
// problem.
func formatOf(t Text) (format Format, problems strict.Errors) {
	if !isJSON(t.Data) && isTable(t.Data) {
		return CSV, nil
	}
	something := false
	for doc := range documents(t, []string{cisKey, servicesKey, itemsKey}) {
		if f := formatOfDocument(doc); f != "" {
			return f, nil
		}
		something = true
		if len(problems) < MaxProblems {
			problems = append(problems, doc.problems...)
		}
	}
	if something && len(problems) == 0 {
		problems = strict.Errors{{Place: strict.Place{File: t.Name}, Message: "cannot tell the format", Hint: "name it: " + formatNames()}}
	}
	return "", problems
}

func formatOfDocument(doc document) Format {
	if doc.head.node != nil {
		if f := formatOfKeys(doc.head.node); f != "" {
			return f
		}
	}
	const most = 100 // items that cannot be read before one that tells
	for _, l := range doc.lists {
		tried := 0
		for p := range l.items {
			if f := formatOfKeys(p.parsed()); f != "" {
				return f
			}
			if tried++; tried == most {
				break
			}
		}
	}
	return ""
}

// formatOfKeys tells the format by the keys of a document, or of an item of one that is a list.
func formatOfKeys(n *yaml.Node) Format {
	switch api := scalarAt(n, "apiVersion"); {
	case strings.HasPrefix(api, "backstage.io/"):
		return Backstage
	case api != "":
		return Kubernetes
	case valueAt(n, cisKey) != nil, valueAt(n, servicesKey) != nil, valueAt(n, "id") != nil, valueAt(n, "class") != nil:
		return Native
	case valueAt(n, "targets") != nil:
		return FileSD
	}
	return ""
}

// parsed returns the part's tree, nil when it has none.
func (p part) parsed() (root *yaml.Node) {
	if p.node != nil || p.text == nil {
		return p.node
	}
	if strict.Read("", p.text, only(func(_ *strict.Reader, n *yaml.Node) { root = n })) != nil {
		return nil
	}
	return root
}
