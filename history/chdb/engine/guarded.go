package engine

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/tocsin-noc/tocsin/history/chdb/guard"
	"github.com/tocsin-noc/tocsin/history/chdb/sqltext"
)

// guarded is what the reader's questions have to pass: the engine's parser takes them apart, package guard decides.
type guarded struct {
	core      *core
	functions func() (guard.Functions, error)
}

func newGuarded(c *core) *guarded {
	return &guarded{core: c, functions: sync.OnceValues(func() (guard.Functions, error) { return listFunctions(c) })}
}

// listFunctions asks the engine what it has.
func listFunctions(c *core) (guard.Functions, error) {
	out, err := c.ask("SELECT name, categories, alias_to, is_aggregate FROM system.functions", "TabSeparatedRaw")
	if err != nil {
		return nil, err
	}
	var listed []guard.Listed
	for row := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSuffix(row, "\n"), "\t")
		if len(f) != 4 {
			return nil, fmt.Errorf("chdb: system.functions: unknown shape %q", row)
		}
		listed = append(listed, guard.Listed{Name: f[0], Categories: f[1], AliasTo: f[2], Aggregate: f[3] == "1"})
	}
	return guard.NewFunctions(listed), nil
}

// check returns nil when the reader's query may run.
func (g *guarded) check(text string, q *request) error {
	err := g.allowed(text, q)
	if refusal, ok := errors.AsType[*guard.Refusal](err); ok {
		return &Exception{Code: codeAccessDenied, Name: "ACCESS_DENIED", Text: refusal.Error()}
	}
	return err
}

func (g *guarded) allowed(text string, q *request) error {
	functions, err := g.functions()
	if err != nil {
		return err
	}
	if err := guard.Database(q.database); err != nil {
		return err
	}
	if err := guard.Format(q.format); err != nil {
		return err
	}
	if err := whole(text); err != nil {
		return err
	}
	if err := guard.Text(text, functions); err != nil {
		return err
	}
	analysis, err := g.core.classify(text)
	switch {
	case err != nil:
		return err
	case analysis.Statements > 1:
		return &guard.Refusal{What: "one statement at a time"}
	case analysis.Statements == 1 && analysis.Class != classReadOnly:
		return &guard.Refusal{What: "no statement that changes something"}
	}
	tree, err := g.core.ask("EXPLAIN AST "+text, "TabSeparatedRaw", q.params...)
	switch {
	case err != nil:
		return err // a mistake in it is told by the parser
	case analysis.Statements == 0:
		return &guard.Refusal{What: "no query that is one only behind EXPLAIN"}
	}
	return guard.Check(string(tree), functions)
}

// whole refuses a text whose last quote or comment does not end.
func whole(text string) error {
	all := sqltext.All(text)
	if len(all) > 0 && all[len(all)-1].Kind == sqltext.Unfinished {
		return &Exception{
			Code: codeSyntax, Name: "SYNTAX_ERROR", Text: "Syntax error: a quote or a comment does not end at position " + strconv.Itoa(all[len(all)-1].Start+1),
		}
	}
	return nil
}
