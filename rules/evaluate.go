package rules

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/alertmanager/pkg/labels"
)

// op is what a node does.
type op uint8

const (
	opFalse op = iota + 1
	opTrue
	opAnd
	opOr
	opNot
	opAgree        // of two truths
	opSame         // of two texts
	opEqual        // of two numbers
	opLess         // …
	opAtMost       //
	opMore         //
	opAtLeast      //
	opOneOf        // of words
	opOneOfNumbers // of numbers
	opStarts
	opEnds
	opContains
	opMatches

	opText // the text itself
	opLabel
	opAnnotation
	opSeverity
	opCI
	opClass

	opNumber // the number itself
	opSize
	opInt
)

// node is one operation of a condition.
type node struct {
	op      op
	kids    []node
	text    string // a constant, a label, a regular expression
	number  int64
	words   []string
	numbers []int64
	re      *regexp.Regexp
	length  int // of re
}

// outcome is what a truth came to. As in CEL, a fault (a text that is no number) is absorbed by what decides without it.
type outcome uint8

const (
	no outcome = iota + 1
	yes
	fault
)

func decided(b bool) outcome {
	if b {
		return yes
	}
	return no
}

// costLimit is how many steps a condition may take for one alert: one for each operation, one more for each ten bytes of a text that
// is looked through, and for a regular expression as many times a quarter of its length, with its repetitions written out.
const costLimit = 10_000

// What a check assumes of texts, in bytes; longer ones are stopped by the limit when they come.
const (
	assumedLabel      = 256
	assumedAnnotation = 2048
)

// textCost is the cost of looking through so many bytes.
func textCost(bytes int) int { return 1 + bytes/10 }

func patternCost(length, bytes int) int { return textCost(bytes) * (1 + length/4) }

// patternLength is how long a regular expression is with its repetitions written out: a{500} is 500 letters to whoever matches it.
func patternLength(re *syntax.Regexp) int {
	length := 1 + len(re.Rune)
	if re.Op == syntax.OpCharClass {
		length = 1
	}
	for _, sub := range re.Sub {
		length += patternLength(sub)
	}
	if re.Op == syntax.OpRepeat {
		length *= max(re.Min, re.Max, 1)
	}
	return length
}

// meter counts steps down.
type meter struct{ left int }

// holds tells whether the condition is true of an alert. One that costs too much is counted and false; no condition is true.
func (c *Condition) holds(in *Input) bool {
	if c == nil {
		return true
	}
	m := meter{left: costLimit}
	result := c.root.truth(in, &m)
	if m.left < 0 {
		if c.rule < len(in.Overruns) {
			in.Overruns[c.rule]++
		}
		return false
	}
	return result == yes
}

func (n *node) truth(in *Input, m *meter) outcome {
	if m.left--; m.left < 0 {
		return no
	}
	switch n.op {
	case opTrue:
		return yes
	case opAnd, opOr:
		return n.junction(in, m)
	case opNot:
		switch n.kids[0].truth(in, m) {
		case yes:
			return no
		case no:
			return yes
		default:
			return fault
		}
	case opAgree:
		a, b := n.kids[0].truth(in, m), n.kids[1].truth(in, m)
		if a == fault || b == fault {
			return fault
		}
		return decided(a == b)
	case opSame:
		return decided(n.kids[0].value(in, m) == n.kids[1].value(in, m))
	case opOneOf:
		m.left -= len(n.words)
		return decided(slices.Contains(n.words, n.kids[0].value(in, m)))
	case opStarts:
		return decided(strings.HasPrefix(n.kids[0].value(in, m), n.kids[1].value(in, m)))
	case opEnds:
		return decided(strings.HasSuffix(n.kids[0].value(in, m), n.kids[1].value(in, m)))
	case opContains:
		text := n.kids[0].value(in, m)
		if m.left -= textCost(len(text)); m.left < 0 {
			return no
		}
		return decided(strings.Contains(text, n.kids[1].value(in, m)))
	case opMatches:
		text := n.kids[0].value(in, m)
		if m.left -= patternCost(n.length, len(text)); m.left < 0 {
			return no
		}
		return decided(n.re.MatchString(text))
	case opEqual, opLess, opAtMost, opMore, opAtLeast, opOneOfNumbers:
		return n.order(in, m)
	default:
		return no
	}
}

// junction is and, or or: what decides ends it, and outweighs a fault.
func (n *node) junction(in *Input, m *meter) outcome {
	result, decides := yes, no
	if n.op == opOr {
		result, decides = no, yes
	}
	for i := range n.kids {
		switch o := n.kids[i].truth(in, m); o {
		case decides:
			return o
		case fault:
			result = fault
		default:
		}
	}
	return result
}

// order compares numbers.
func (n *node) order(in *Input, m *meter) outcome {
	a, ok := n.kids[0].amount(in, m)
	if !ok {
		return fault
	}
	if n.op == opOneOfNumbers {
		m.left -= len(n.numbers)
		return decided(slices.Contains(n.numbers, a))
	}
	b, ok := n.kids[1].amount(in, m)
	if !ok {
		return fault
	}
	switch n.op {
	case opEqual:
		return decided(a == b)
	case opLess:
		return decided(a < b)
	case opAtMost:
		return decided(a <= b)
	case opMore:
		return decided(a > b)
	default:
		return decided(a >= b)
	}
}

// value is the text that the node stands for; a label that is missing is "".
func (n *node) value(in *Input, m *meter) string {
	m.left--
	switch n.op {
	case opText:
		return n.text
	case opLabel:
		return in.Labels.Get(n.text)
	case opAnnotation:
		return in.Annotations.Get(n.text)
	case opSeverity:
		return in.Severity.String()
	case opCI:
		return in.CI
	case opClass:
		return in.Class
	default:
		return ""
	}
}

// amount is the number that the node stands for; false when a text is none.
func (n *node) amount(in *Input, m *meter) (int64, bool) {
	m.left--
	switch n.op {
	case opNumber:
		return n.number, true
	case opSize:
		text := n.kids[0].value(in, m)
		if m.left -= textCost(len(text)); m.left < 0 {
			return 0, false
		}
		return int64(utf8.RuneCountInString(text)), true
	default:
		v, err := strconv.ParseInt(n.kids[0].value(in, m), 10, 64)
		return v, err == nil
	}
}

// estimate is the most that the node costs while texts are as long as is assumed.
func (n *node) estimate() int {
	cost := 1 + len(n.words)
	for i := range n.kids {
		cost += n.kids[i].estimate()
	}
	switch n.op {
	case opContains, opSize:
		cost += textCost(n.kids[0].assumed())
	case opMatches:
		cost += patternCost(n.length, n.kids[0].assumed())
	default:
	}
	return cost
}

// assumed is how long the node's text is taken to be.
func (n *node) assumed() int {
	switch n.op {
	case opText:
		return len(n.text)
	case opAnnotation:
		return assumedAnnotation
	default:
		return assumedLabel
	}
}

// equalities returns the labels that must have one of a few values for the condition to hold, as tests for the index.
func (c *Condition) equalities() (tests []test) {
	conjuncts := []node{c.root}
	if c.root.op == opAnd {
		conjuncts = c.root.kids
	}
	for i := range conjuncts {
		if label, words := conjuncts[i].wanted(); label != "" {
			tests = append(tests, test{&labels.Matcher{Type: labels.MatchEqual, Name: label}, words})
		}
	}
	return tests
}

// wanted returns the label that must have one of some values for the node to be true, "" when it does not ask for one.
func (n *node) wanted() (label string, words []string) {
	switch n.op {
	case opSame:
		for i := range 2 {
			if a, b := &n.kids[i], &n.kids[1-i]; a.op == opLabel && b.op == opText {
				return a.text, []string{b.text}
			}
		}
	case opOneOf:
		if n.kids[0].op == opLabel {
			return n.kids[0].text, n.words
		}
	case opOr:
		for i := range n.kids {
			name, some := n.kids[i].wanted()
			if name == "" || label != "" && name != label {
				return "", nil
			}
			label, words = name, append(slices.Clip(words), some...)
		}
		return label, words
	default:
	}
	return "", nil
}
