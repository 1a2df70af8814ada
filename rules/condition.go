package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Condition is a condition in CEL, compiled. CEL's own parser and type checker read it; what they found is turned into a tree
// of the few operations that conditions have, which is evaluated without allocating and in whole numbers only.
type Condition struct {
	Text string

	root node
	rule int // of the rule it belongs to, in Set.Rules
}

// Bounds of a condition as it is written; that of its cost is costLimit.
const (
	maxConditionText  = 4096
	maxConditionDepth = 60
	maxConditionNodes = 2000
)

// conditionWords are the names that conditions know.
func conditionWords() []string {
	return []string{"labels", "annotations", "severity", "ci", "startsWith", "endsWith", "contains", "matches", "size", "int", "has", "exists", "all"}
}

// environment declares what conditions can name. There are no decimal numbers, no maps but the three, and no time.
func environment() (*cel.Env, error) {
	texts := cel.MapType(cel.StringType, cel.StringType)
	a := cel.TypeParamType("A")
	binary := func(name, id string, x, y, result *cel.Type) cel.EnvOption {
		return cel.Function(name, cel.Overload(id, []*cel.Type{x, y}, result))
	}
	method := func(name string) cel.EnvOption {
		return cel.Function(name, cel.MemberOverload("text_"+name, []*cel.Type{cel.StringType, cel.StringType}, cel.BoolType))
	}
	options := []cel.EnvOption{
		cel.Variable("labels", texts), cel.Variable("annotations", texts), cel.Variable("ci", texts), cel.Variable("severity", cel.StringType),
		cel.Macros(cel.GlobalMacro("has", 1, expandHas), cel.ExistsMacro, cel.AllMacro),
		cel.ParserExpressionSizeLimit(maxConditionText), cel.ParserRecursionLimit(maxConditionDepth),
		binary(operators.LogicalAnd, "and", cel.BoolType, cel.BoolType, cel.BoolType),
		binary(operators.LogicalOr, "or", cel.BoolType, cel.BoolType, cel.BoolType),
		cel.Function(operators.LogicalNot, cel.Overload("not", []*cel.Type{cel.BoolType}, cel.BoolType)),
		cel.Function(operators.NotStrictlyFalse, cel.Overload("not_strictly_false", []*cel.Type{cel.BoolType}, cel.BoolType)),
		binary(operators.Equals, "equals", a, a, cel.BoolType),
		binary(operators.NotEquals, "not_equals", a, a, cel.BoolType),
		cel.Function(operators.In, cel.Overload("in_list", []*cel.Type{a, cel.ListType(a)}, cel.BoolType),
			cel.Overload("in_map", []*cel.Type{cel.StringType, texts}, cel.BoolType)),
		binary(operators.Index, "index", texts, cel.StringType, cel.StringType),
		cel.Function("size", cel.Overload("size_text", []*cel.Type{cel.StringType}, cel.IntType),
			cel.MemberOverload("text_size", []*cel.Type{cel.StringType}, cel.IntType)),
		cel.Function("int", cel.Overload("int_text", []*cel.Type{cel.StringType}, cel.IntType)),
		method("startsWith"), method("endsWith"), method("contains"), method("matches"),
	}
	for _, name := range []string{operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals} {
		options = append(options, binary(name, "order"+name, cel.IntType, cel.IntType, cel.BoolType))
	}
	return cel.NewCustomEnv(options...)
}

// expandHas makes has(labels.x) a comparison with the empty text: a label that is missing reads as that.
func expandHas(f cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
	if args[0].Kind() != ast.SelectKind {
		return nil, f.NewError(args[0].ID(), "has takes a label, as in has(labels.team)")
	}
	return f.NewCall(operators.NotEquals, args[0], f.NewLiteral(types.String(""))), nil
}

// condition reads a condition.
func (p *parsing) condition(dst **Condition) strict.Value {
	return func(r *strict.Reader, n *yaml.Node) {
		if tag := nodeOf(n).Tag; strings.HasPrefix(tag, "!") && !strings.HasPrefix(tag, "!!") {
			r.Problem(n, "begins with !, which YAML takes for something else", "put the condition in quotes")
			return
		}
		text := ""
		strict.Word(&text)(r, n)
		if text == "" {
			return
		}
		c, faults := p.compile(text)
		for _, f := range faults {
			r.ProblemAt(f.at(r, nodeOf(n), text), "if", f.message, f.hint)
		}
		if len(faults) == 0 {
			*dst = c
		}
	}
}

// celFault is something wrong with a condition, with its place in the text; line counts from 1, col from 0.
type celFault struct {
	line, col     int
	message, hint string
}

// at returns a node that stands where the fault is in the file.
func (f *celFault) at(r *strict.Reader, n *yaml.Node, text string) *yaml.Node {
	switch {
	case n.Style&yaml.LiteralStyle != 0:
		// The first line of the block says how far it is indented, so that a condition that is indented further is.
		return &yaml.Node{Line: n.Line + f.line, Column: r.Indent(n.Line+1) + 1 + f.col}
	case n.Style&yaml.FoldedStyle != 0 || f.line > 1 || strings.Contains(text, "\n"):
		return n
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		return &yaml.Node{Line: n.Line, Column: n.Column + 1 + f.col}
	}
	return &yaml.Node{Line: n.Line, Column: n.Column + f.col}
}

// compile reads a condition. The environment is made for the first one: most rule sets have none.
func (p *parsing) compile(text string) (*Condition, []celFault) {
	if p.env == nil {
		env, err := environment()
		if err != nil {
			panic("rules: the environment of conditions: " + err.Error()) // it is the same every time
		}
		p.env = env
	}
	checked, issues := p.env.Compile(text)
	if issues.Err() != nil {
		return nil, foundFaults(issues.Errors())
	}
	tr := translator{tree: checked.NativeRep(), nodes: maxConditionNodes}
	if checked.OutputType() != cel.BoolType {
		tr.fault(tr.tree.Expr(), "must be true or false, this is a "+typeName(checked.OutputType()), "")
		return nil, tr.faults
	}
	c := &Condition{Text: text, root: tr.truth(tr.tree.Expr())}
	if cost := c.root.estimate(); len(tr.faults) == 0 && cost > costLimit {
		tr.fault(tr.tree.Expr(), fmt.Sprintf("may cost %d steps for one alert, more than %d", cost, costLimit), "shorten it, or move what it compares into matchers")
	}
	return c, tr.faults
}

// foundFaults puts what CEL found into words; of one place and message, one.
func foundFaults(found []*common.Error) (faults []celFault) {
	for _, e := range found {
		f := celFault{line: 1}
		if e.Location != nil {
			f.line, f.col = max(e.Location.Line(), 1), max(e.Location.Column(), 0)
		}
		f.message, f.hint = plainWords(e.Message)
		if !slices.Contains(faults, f) {
			faults = append(faults, f)
		}
	}
	return faults
}

var (
	undeclared = regexp.MustCompile(`^undeclared reference to '([^']*)'`)
	noOverload = regexp.MustCompile(`^found no matching overload for '([^']*)' applied to '([^']*)'`)
)

// plainWords turns a message of CEL into one for people who never read its specification.
func plainWords(message string) (text, hint string) {
	if m := undeclared.FindStringSubmatch(message); m != nil {
		return "there is no " + quote(m[1]) + " in conditions", strict.Suggest(m[1], conditionWords())
	}
	if m := noOverload.FindStringSubmatch(message); m != nil {
		text = fmt.Sprintf("%s cannot be applied to %s", strings.Trim(strings.TrimPrefix(m[1], "@"), "_"), m[2])
		if strings.Contains(m[2], "string") && strings.Contains(m[2], "int") {
			hint = `labels are texts: compare with "500", or read a number as in int(labels.code)`
		}
		switch {
		case strings.Contains(m[2], "double"):
			hint = noDecimals
		case m[1] == "!_":
			hint = `a label is a text: compare it, as in labels.team == "", or ask whether it is there, as in !has(labels.team)`
		}
		return text, hint
	}
	message, _, _ = strings.Cut(message, ", expecting")
	message, _, _ = strings.Cut(message, " expecting")
	message = strings.TrimPrefix(message, "Syntax error: ")
	return "not a condition: " + strings.ReplaceAll(message, "\n", " "), `conditions are written in CEL, as in labels.team == "db" && severity != "info"`
}

func typeName(t *types.Type) string {
	switch t.Kind() {
	case types.StringKind:
		return "text"
	case types.IntKind:
		return "number"
	default:
		return t.String()
	}
}
