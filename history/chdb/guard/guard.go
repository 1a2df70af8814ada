// Package guard decides what the reader's credential may ask. It reads the tree that the engine's own parser made of a query (EXPLAIN AST),
// never the query's text, and lets through what it knows: kinds of nodes, functions, table functions and system tables that are on a list.
// Everything else is refused, also what a later version of the engine may bring. Functions of their input.
//
// The printed tree leaves a few parts out; for these the tokens are looked at too (Text). It is the first of several walls: behind it the session is read-only in the engine, and the process can reach no file but its own.
package guard

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A Refusal says what of a query is not open to the reader.
type Refusal struct{ What string }

func (r *Refusal) Error() string { return "the reader may only read the history: " + r.What }

func refuse(format string, args ...any) error { return &Refusal{fmt.Sprintf(format, args...)} }

// Functions are the engine's functions that may be called, by name in lower case.
type Functions map[string]Function

// Function is what matters of one.
type Function struct {
	Aggregate bool // its name takes combinators
	Open      bool
}

// node is a line of the tree.
type node struct {
	kind     string
	name     string
	children []*node
}

var line = regexp.MustCompile(`^( *)([A-Za-z0-9_:]+)(.*)$`)

// parse reads the tree. Every line is a node, one more blank in front makes it a child; a line that does not fit is refused.
func parse(tree string) (*node, error) {
	var path []*node
	for text := range strings.Lines(tree) {
		m := line.FindStringSubmatch(strings.TrimRight(text, "\n"))
		if m == nil {
			return nil, refuse("a part that is not understood")
		}
		n, depth := &node{kind: m[2], name: bare(m[3])}, len(m[1])
		switch {
		case depth == 0 && path == nil:
		case depth >= 1 && depth <= len(path):
			path[depth-1].children = append(path[depth-1].children, n)
		default:
			return nil, refuse("a part that is not understood")
		}
		path = append(path[:depth], n)
	}
	if path == nil {
		return nil, refuse("nothing that is understood")
	}
	return path[0], nil
}

var trimmings = regexp.MustCompile(` \((alias .*|children \d+)\)$`)

// bare returns a node's name without what is told behind it.
func bare(s string) string {
	for {
		cut := trimmings.ReplaceAllString(s, "")
		if cut == s {
			return strings.TrimSpace(s)
		}
		s = cut
	}
}

// Check returns nil when the query whose tree it is may run, and else a Refusal.
func Check(tree string, functions Functions) error {
	root, err := parse(tree)
	if err != nil {
		return err
	}
	return walker{functions}.statement(root)
}

type walker struct{ functions Functions }

// statement checks what a query begins with.
func (w walker) statement(n *node) error {
	switch n.kind {
	case "SelectWithUnionQuery", "SelectIntersectExceptQuery":
		return w.output(n)
	case "Explain":
		return w.explain(n)
	case "DescribeQuery":
		return w.all(n.children, n)
	case "ShowTables", "ShowColumns", "ShowFunctions": // Text looks at what they list
		return w.names(n)
	case "ShowCreateTableQuery", "ShowCreateViewQuery", "ExistsTableQuery", "ExistsDatabaseQuery", "ExistsViewQuery", "ShowCreateDatabaseQuery":
		return w.names(n)
	}
	return refuse("no %s", n.kind)
}

// names lets a statement pass that holds names and words only.
func (w walker) names(n *node) error {
	for _, c := range n.children {
		if c.kind != "Identifier" && c.kind != "Literal" || len(c.children) > 0 {
			return refuse("no %s in %s", c.kind, n.kind)
		}
	}
	return nil
}

// explain lets the plans of what may run pass; its own settings are no settings of the query.
func (w walker) explain(n *node) error {
	kind := strings.TrimPrefix(n.name, "EXPLAIN")
	if !slices.Contains([]string{"", "AST", "SYNTAX", "PLAN", "PIPELINE", "ESTIMATE", "QUERY TREE"}, strings.TrimSpace(kind)) {
		return refuse("no %s", n.name)
	}
	asked := 0
	for _, c := range n.children {
		switch c.kind {
		case "Set":
		case "Identifier": // FORMAT
			if err := format(c.name); err != nil {
				return err
			}
		case "SelectWithUnionQuery", "SelectIntersectExceptQuery":
			asked++
			if err := w.output(c); err != nil {
				return err
			}
		default:
			return refuse("no %s in %s", c.kind, n.name)
		}
	}
	if asked != 1 {
		return refuse("no %s of this", n.name)
	}
	return nil
}

// output checks a SELECT with what stands behind it: FORMAT is a name, INTO OUTFILE would be a literal, SETTINGS a set.
func (w walker) output(n *node) error {
	for _, c := range n.children {
		switch c.kind {
		case "Identifier":
			if err := format(c.name); err != nil {
				return err
			}
		case "Literal":
			return refuse("no INTO OUTFILE")
		default:
			if err := w.node(c, n); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w walker) all(nodes []*node, parent *node) error {
	for _, c := range nodes {
		if err := w.node(c, parent); err != nil {
			return err
		}
	}
	return nil
}

// node checks one node and what is below it.
func (w walker) node(n, parent *node) error {
	switch n.kind {
	case "Set":
		return refuse("no SETTINGS")
	case "TableIdentifier":
		if err := table(n.name); err != nil {
			return err
		}
	case "Function":
		var err error
		if parent.kind == "TableExpression" {
			err = tableFunction(n.name)
		} else {
			err = w.function(n)
		}
		if err != nil {
			return err
		}
	default:
		if !slices.Contains(harmless(), n.kind) {
			return refuse("no %s", n.kind)
		}
	}
	return w.all(n.children, n)
}
