package guard

import (
	"slices"
	"strings"

	"github.com/tocsin-noc/tocsin/history/chdb/sqltext"
)

// Text checks a query's tokens. It is there for what the printed tree leaves out: the function of APPLY, the WHERE of SHOW TABLES. Whatever
// stands before a parenthesis has to be open, be it in the tree or not, and so has every table of the system's database.
func Text(text string, functions Functions) error {
	all := sqltext.All(text)
	t := tokens{text: text, all: all, w: walker{functions}}
	if len(all) > 0 && t.word(0, "SHOW") {
		if err := t.show(); err != nil {
			return err
		}
	}
	for n := range all {
		if err := t.check(n); err != nil {
			return err
		}
	}
	return nil
}

type tokens struct {
	text string
	all  []sqltext.Token
	w    walker
}

func (t tokens) at(n int) string {
	if n < 0 || n >= len(t.all) {
		return ""
	}
	return t.text[t.all[n].Start:t.all[n].End]
}

func (t tokens) kind(n int) sqltext.Kind {
	if n < 0 || n >= len(t.all) {
		return 0
	}
	return t.all[n].Kind
}

func (t tokens) word(n int, words ...string) bool {
	return t.kind(n) == sqltext.Word && slices.Contains(words, strings.ToUpper(t.at(n)))
}

func (t tokens) named(n int) bool { return t.kind(n) == sqltext.Word || t.kind(n) == sqltext.Quoted }

// name returns a word, or what a quoted name says.
func (t tokens) name(n int) string {
	s := t.at(n)
	if t.kind(n) != sqltext.Quoted {
		return s
	}
	for _, quotes := range []string{"``", `""`, "“”"} {
		half := len(quotes) / 2
		if rest, ok := strings.CutPrefix(s, quotes[:half]); ok {
			return strings.TrimSuffix(rest, quotes[half:])
		}
	}
	return s
}

func (t tokens) check(n int) error {
	switch {
	case t.kind(n) == sqltext.Quoted && strings.ContainsFunc(t.at(n), func(c rune) bool { return c < ' ' || c == '\\' || c == 0x7f }):
		return refuse("no control characters and backslashes in names") // they could forge lines of the tree
	case t.word(n, "INTO") && t.word(n+1, "OUTFILE"):
		return refuse("no INTO OUTFILE")
	case t.kind(n) == sqltext.String && t.word(n-1, "FROM", "JOIN"):
		return refuse("no table %s", t.at(n))
	case t.named(n) && t.at(n+1) == "(":
		return t.called(n)
	case t.word(n, "APPLY"):
		return t.applied(n+1, n+1)
	case t.named(n) && t.at(n+1) == "." && strings.EqualFold(t.name(n), "system") && t.at(n-1) != ".":
		if !slices.Contains(systemTables(), t.name(n+2)) {
			return refuse("no table system.%s", t.name(n+2))
		}
	}
	return nil
}

// called checks what stands before a parenthesis.
func (t tokens) called(n int) error {
	name := t.name(n)
	if t.word(n, "APPLY") {
		return t.applied(n+2, n+1)
	}
	if t.kind(n) == sqltext.Word && slices.Contains(words(), strings.ToUpper(name)) || t.w.open(name) || tableFunction(name) == nil {
		return nil
	}
	if t.word(n-1, "AS", "WITH", "RECURSIVE") || t.at(n-1) == ")" || t.kind(n-1) == sqltext.Quoted || t.at(n-1) == "," && t.alias(n) {
		return nil // a name that is given, with names of columns
	}
	return refuse("no function %s", name)
}

// alias reports whether a name with a list behind it is given a meaning: name (a, b) AS (SELECT …).
func (t tokens) alias(n int) bool {
	for depth := 0; n < len(t.all); n++ {
		switch t.at(n) {
		case "(":
			depth++
		case ")":
			if depth--; depth == 0 {
				return t.word(n+1, "AS") && t.at(n+2) == "("
			}
		}
	}
	return false
}

// applied checks the function of APPLY: a name that is open, with numbers as its parameters where it has some. A lambda could hold anything.
func (t tokens) applied(n, from int) error {
	if t.kind(n) != sqltext.Word || !t.w.open(t.at(n)) {
		return refuse("no APPLY of %s", t.at(n))
	}
	if from == n {
		return nil
	}
	for n++; n < len(t.all); n++ {
		switch {
		case t.at(n) == ")":
			return nil
		case t.at(n) != "(" && t.at(n) != "," && t.at(n) != "." && t.kind(n) != sqltext.Number:
			return refuse("no APPLY of more than a function's name")
		}
	}
	return refuse("no APPLY of more than a function's name")
}

// show lets the lists of what there is pass; conditions are not in the tree.
func (t tokens) show() error {
	if !t.word(1, "CREATE", "COLUMNS", "DATABASES", "EXTENDED", "FIELDS", "FULL", "FUNCTIONS", "INDEX", "INDEXES", "INDICES", "KEYS", "TABLES", "TABLE") {
		return refuse("no SHOW %s", t.at(1))
	}
	for n := range t.all {
		if t.at(n) == "(" || t.word(n, "WHERE", "OUTFILE", "SETTINGS") {
			return refuse("no SHOW with %s", t.at(n))
		}
	}
	return nil
}

// words may stand before a parenthesis and call nothing.
func words() []string {
	return []string{
		// of the language
		"ALL", "AND", "ANTI", "ANY", "ARRAY", "AS", "ASC", "ASOF", "BETWEEN", "BY", "CASE", "COLUMNS", "CROSS", "CUBE", "DESC", "DESCRIBE", "DISTINCT", "DIV", "ELSE",
		"EXCEPT", "EXISTS", "EXPLAIN", "FILTER", "FROM", "FULL", "GLOBAL", "GROUP", "HAVING", "ILIKE", "IN", "INNER", "INTERPOLATE", "INTERSECT", "INTERVAL", "JOIN",
		"LEFT", "LIKE", "LIMIT", "MATERIALIZED", "MOD", "NOT", "OFFSET", "ON", "OR", "ORDER", "OUTER", "OVER", "PREWHERE", "QUALIFY", "REPLACE", "RIGHT", "ROLLUP", "SELECT", "SEMI",
		"SETS", "SOME", "STRICT", "SYNTAX", "TABLE", "THEN", "TOTALS", "UNION", "USING", "VALUES", "WHEN", "WHERE", "WITH",
		// types
		"AGGREGATEFUNCTION", "DATETIME", "DATETIME64", "DECIMAL", "DECIMAL32", "DECIMAL64", "DECIMAL128", "DECIMAL256", "ENUM", "ENUM8", "ENUM16", "FIXEDSTRING",
		"LOWCARDINALITY", "NULLABLE", "SIMPLEAGGREGATEFUNCTION", "VARIANT", "DYNAMIC", "TIME64", "CHAR", "VARCHAR", "NUMERIC",
	}
}
