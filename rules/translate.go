package rules

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// translator turns CEL's checked tree into nodes.
type translator struct {
	tree   *ast.AST
	faults []celFault
	nodes  int // that may still be made
	vars   []variable
}

// variable is what exists or all has bound a name to: one constant of its list.
type variable struct {
	name  string
	value node
}

func (tr *translator) fault(e ast.Expr, message, hint string) node {
	at := tr.tree.SourceInfo().GetStartLocation(e.ID())
	tr.faults = append(tr.faults, celFault{line: max(at.Line(), 1), col: max(at.Column(), 0), message: message, hint: hint})
	return node{op: opFalse}
}

// spend makes sure that the tree stays small; it reports once when it does not.
func (tr *translator) spend(e ast.Expr) bool {
	if tr.nodes--; tr.nodes == -1 {
		tr.fault(e, "the condition is too long", "move what it compares into matchers or tables")
	}
	return tr.nodes >= 0
}

const noDecimals = "there are no decimal numbers in rules: their results differ between machines"

// truth translates what is true or false.
func (tr *translator) truth(e ast.Expr) node {
	if !tr.spend(e) {
		return node{op: opFalse}
	}
	switch e.Kind() {
	case ast.LiteralKind:
		if e.AsLiteral() == types.True {
			return node{op: opTrue}
		}
		return node{op: opFalse}
	case ast.ComprehensionKind:
		return tr.quantifier(e, e.AsComprehension())
	case ast.CallKind:
		return tr.call(e, e.AsCall())
	default:
		return tr.fault(e, "this cannot stand in a condition", "")
	}
}

func (tr *translator) call(e ast.Expr, c ast.CallExpr) node {
	args := c.Args()
	if c.IsMemberFunction() {
		args = append([]ast.Expr{c.Target()}, args...)
	}
	switch name := c.FunctionName(); name {
	case operators.LogicalAnd, operators.LogicalOr:
		n := node{op: opAnd}
		if name == operators.LogicalOr {
			n.op = opOr
		}
		for _, arg := range args {
			if kid := tr.truth(arg); kid.op == n.op {
				n.kids = append(n.kids, kid.kids...)
			} else {
				n.kids = append(n.kids, kid)
			}
		}
		return n
	case operators.LogicalNot:
		return node{op: opNot, kids: []node{tr.truth(args[0])}}
	case operators.Equals, operators.NotEquals:
		n := tr.equal(e, args[0], args[1])
		if name == operators.NotEquals {
			return node{op: opNot, kids: []node{n}}
		}
		return n
	case operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
		ops := map[string]op{operators.Less: opLess, operators.LessEquals: opAtMost, operators.Greater: opMore, operators.GreaterEquals: opAtLeast}
		return node{op: ops[name], kids: []node{tr.number(args[0]), tr.number(args[1])}}
	case operators.In:
		return tr.in(e, args[0], args[1])
	case "startsWith", "endsWith", "contains":
		ops := map[string]op{"startsWith": opStarts, "endsWith": opEnds, "contains": opContains}
		return node{op: ops[name], kids: []node{tr.text(args[0]), tr.text(args[1])}}
	case "matches":
		return tr.matches(args[0], args[1])
	default:
		return tr.fault(e, "this cannot stand in a condition", "")
	}
}

func (tr *translator) kind(e ast.Expr) types.Kind {
	if v, ok := tr.bound(e); ok {
		if v.op == opNumber {
			return types.IntKind
		}
		return types.StringKind
	}
	return tr.tree.GetType(e.ID()).Kind()
}

func (tr *translator) equal(e, a, b ast.Expr) node {
	switch tr.kind(a) {
	case types.StringKind:
		n := node{op: opSame, kids: []node{tr.text(a), tr.text(b)}}
		for i := range n.kids {
			if n.kids[1-i].op == opSeverity && n.kids[i].op == opText {
				tr.severity(e, n.kids[i].text)
			}
		}
		return n
	case types.IntKind:
		return node{op: opEqual, kids: []node{tr.number(a), tr.number(b)}}
	case types.BoolKind:
		x, y := tr.truth(a), tr.truth(b)
		return node{op: opAgree, kids: []node{x, y}}
	case types.DoubleKind:
		return tr.fault(e, noDecimals, "compare whole numbers")
	default:
		return tr.fault(e, "only texts and whole numbers can be compared", "")
	}
}

// severity reports a word that is no severity: it would never be the alert's.
func (tr *translator) severity(e ast.Expr, word string) {
	var words []string
	for s := event.Clear; s <= event.Info; s++ {
		words = append(words, s.String())
	}
	if !slices.Contains(words, word) {
		tr.fault(e, "there is no severity "+quote(word), strict.Suggest(word, words)+"; the sender's own word is labels.severity")
	}
}

// in translates the membership in a list of constants, or a label's being there.
func (tr *translator) in(e, x, set ast.Expr) node {
	if set.Kind() == ast.IdentKind && x.Kind() == ast.LiteralKind {
		label := tr.field(e, set.AsIdent(), tr.text(x).text)
		return node{op: opNot, kids: []node{{op: opSame, kids: []node{label, {op: opText}}}}}
	}
	items := tr.constants(set)
	n := node{op: opOneOf, kids: []node{}}
	if tr.kind(x) == types.IntKind {
		n.op = opOneOfNumbers
		n.kids = append(n.kids, tr.number(x))
	} else {
		n.kids = append(n.kids, tr.text(x))
	}
	for _, item := range items {
		if n.kids[0].op == opSeverity {
			tr.severity(set, item.text)
		}
		n.words, n.numbers = append(n.words, item.text), append(n.numbers, item.number)
	}
	return n
}

// constants translates a list that is written out.
func (tr *translator) constants(e ast.Expr) (items []node) {
	if e.Kind() != ast.ListKind {
		tr.fault(e, "only a list that is written out can be searched", `as in labels.team in ["db", "web"]`)
		return nil
	}
	for _, item := range e.AsList().Elements() {
		if !tr.spend(item) {
			return nil
		}
		if item.Kind() != ast.LiteralKind {
			tr.fault(item, "a list holds constants only", "")
			continue
		}
		switch tr.kind(item) {
		case types.StringKind:
			items = append(items, tr.text(item))
		case types.IntKind:
			items = append(items, tr.number(item))
		case types.DoubleKind:
			tr.fault(item, noDecimals, "compare whole numbers")
		default:
			tr.fault(item, "a list holds texts or whole numbers", "")
		}
	}
	return items
}

func (tr *translator) matches(text, pattern ast.Expr) node {
	n := node{op: opMatches, kids: []node{tr.text(text)}}
	if pattern.Kind() != ast.LiteralKind {
		return tr.fault(pattern, "a regular expression must be written out", "")
	}
	n.text = tr.text(pattern).text
	re, err := regexp.Compile(n.text)
	if err != nil {
		return tr.fault(pattern, "must be a regular expression: "+err.Error(), "")
	}
	n.re, n.length = re, len(n.text)
	if tree, err := syntax.Parse(n.text, syntax.Perl); err == nil {
		n.length = max(n.length, patternLength(tree))
	}
	return n
}

// quantifier writes exists and all over a list of constants out.
func (tr *translator) quantifier(e ast.Expr, c ast.ComprehensionExpr) node {
	n := node{op: opOr}
	step := c.LoopStep()
	if step.Kind() != ast.CallKind || len(step.AsCall().Args()) != 2 {
		return tr.fault(e, "this cannot stand in a condition", "")
	}
	if step.AsCall().FunctionName() == operators.LogicalAnd {
		n.op = opAnd
	}
	for _, item := range tr.constants(c.IterRange()) {
		tr.vars = append(tr.vars, variable{c.IterVar(), item})
		n.kids = append(n.kids, tr.truth(step.AsCall().Args()[1]))
		tr.vars = tr.vars[:len(tr.vars)-1]
		if len(tr.faults) > 0 {
			break // each item would say the same
		}
	}
	return n
}

// bound returns what the name e is bound to.
func (tr *translator) bound(e ast.Expr) (node, bool) {
	if e.Kind() == ast.IdentKind {
		for _, v := range slices.Backward(tr.vars) {
			if v.name == e.AsIdent() {
				return v.value, true
			}
		}
	}
	return node{}, false
}

// text translates a text.
func (tr *translator) text(e ast.Expr) node {
	if !tr.spend(e) {
		return node{op: opText}
	}
	if v, ok := tr.bound(e); ok {
		return v
	}
	switch e.Kind() {
	case ast.LiteralKind:
		if s, ok := e.AsLiteral().(types.String); ok {
			return node{op: opText, text: string(s)}
		}
	case ast.IdentKind:
		if e.AsIdent() == "severity" {
			return node{op: opSeverity}
		}
	case ast.SelectKind:
		if from := e.AsSelect().Operand(); from.Kind() == ast.IdentKind {
			return tr.field(e, from.AsIdent(), e.AsSelect().FieldName())
		}
	case ast.CallKind:
		if c := e.AsCall(); c.FunctionName() == operators.Index && c.Args()[0].Kind() == ast.IdentKind {
			if c.Args()[1].Kind() != ast.LiteralKind {
				return tr.fault(c.Args()[1], "a label's name must be written out", "")
			}
			return tr.field(e, c.Args()[0].AsIdent(), tr.text(c.Args()[1]).text)
		}
	default:
	}
	return tr.fault(e, "this cannot stand for a text in a condition", "")
}

// field translates what stands under a name in labels, annotations or ci.
func (tr *translator) field(e ast.Expr, from, name string) node {
	switch {
	case from == "labels":
		return node{op: opLabel, text: name}
	case from == "annotations":
		return node{op: opAnnotation, text: name}
	case from == "ci" && name == "id":
		return node{op: opCI}
	case from == "ci" && name == "class":
		return node{op: opClass}
	}
	return tr.fault(e, fmt.Sprintf("%s has no %s", from, quote(name)), strict.Suggest(name, []string{"id", "class"}))
}

// number translates a whole number.
func (tr *translator) number(e ast.Expr) node {
	if !tr.spend(e) {
		return node{op: opNumber}
	}
	if v, ok := tr.bound(e); ok {
		return v
	}
	if e.Kind() == ast.LiteralKind {
		if v, ok := e.AsLiteral().(types.Int); ok {
			return node{op: opNumber, number: int64(v)}
		}
	}
	if e.Kind() == ast.CallKind {
		c := e.AsCall()
		args := c.Args()
		if c.IsMemberFunction() {
			args = []ast.Expr{c.Target()}
		}
		switch c.FunctionName() {
		case "size":
			return node{op: opSize, kids: []node{tr.text(args[0])}}
		case "int":
			return node{op: opInt, kids: []node{tr.text(args[0])}}
		}
	}
	return tr.fault(e, "this cannot stand for a number in a condition", "")
}
