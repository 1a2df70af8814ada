package rules

import (
	"time"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// SideMatch is a rule with two sides of which an alert is on one. An alert that is on both is listed twice.
type SideMatch struct {
	Rule   int
	Second bool // it is on the second side: b of a link, then of a sequence, expect of an absence
}

// What Set's methods list of rules with two sides.
type (
	LinkSide     = SideMatch
	SequenceSide = SideMatch
	AbsenceSide  = SideMatch
)

// Link says of pairs of alerts that they belong together, or that they do not.
type Link struct {
	Head
	KeepApart bool
	A, B      Side
	Equal     []string // sorted; an alert that lacks one is on neither side
	Within    event.Time
}

const defaultWithin = 5 * event.Minute

// maxWithin is the longest time over which rules look from one alert to another.
const maxWithin = day

func nameKey(h *Head) key {
	return must(word("name", &h.Name, "unique among the rules of its kind; explanations show it with its place"))
}

func sideKey(p *parsing, name string, side *Side, help string) key {
	return must(nested(name, side.keys(p), help))
}

func equalKey(dst *[]string) key {
	return keyList("equal", dst, "labels that must have the same value on both sides; an alert that lacks one is on neither")
}

func (l *Link) keys(p *parsing) []key {
	l.Within = defaultWithin
	return []key{
		nameKey(&l.Head),
		must(choice("effect", &l.KeepApart, []string{"join", "keep_apart"}, []bool{false, true}, "whether the two are one incident, or never are")),
		sideKey(p, "a", &l.A, "the alerts on one side: `match`, `if` or both"),
		sideKey(p, "b", &l.B, "those on the other"),
		equalKey(&l.Equal),
		span("within", &l.Within, time.Second, maxWithin, "so far apart the two may begin"),
	}
}

func (l *Link) sides() []*Side { return []*Side{&l.A, &l.B} }

func (l *Link) check(r *strict.Reader, n *yaml.Node) { l.Equal = sortedNames(r, n, "equal", l.Equal) }

// AppendKey appends ls's values of the labels Equal: two alerts are equal in them iff the appended bytes are.
func (l *Link) AppendKey(dst []byte, ls event.Labels) []byte { return appendValues(dst, l.Equal, ls) }

// Sequence says that alerts which follow on others are part of what those began.
type Sequence struct {
	Head
	First, Then Side
	Equal       []string // sorted; an alert that lacks one is on neither side
	Within      event.Time
	Severity    event.Severity // of the incident when both have come; event.Clear: as it is
	Priority    uint8          // of the incident; 0: as it is
	Title       *Template      // of the incident; nil: as it is
}

func (q *Sequence) keys(p *parsing) []key {
	q.Within = defaultWithin
	return append([]key{
		nameKey(&q.Head),
		sideKey(p, "first", &q.First, "the alerts that come first: `match`, `if` or both"),
		sideKey(p, "then", &q.Then, "those that follow; they join the incident of the first"),
		equalKey(&q.Equal),
		span("within", &q.Within, time.Second, maxWithin, "so long after the first one the other may begin"),
	}, outcomeKeys(&q.Severity, &q.Priority, &q.Title)...)
}

// outcomeKeys are those of what a rule makes of an incident.
func outcomeKeys(severity *event.Severity, priority *uint8, title **Template) []key {
	return []key{
		severityKey("severity", severity, "of the incident; without it that of its alerts"),
		priorityKey("priority", priority, "of the incident; without it as for any other"),
		template("title", title, "of the incident, with labels of the key as `$label`"),
	}
}

func (q *Sequence) sides() []*Side { return []*Side{&q.First, &q.Then} }

func (q *Sequence) check(r *strict.Reader, n *yaml.Node) {
	q.Equal = sortedNames(r, n, "equal", q.Equal)
}

// AppendKey appends ls's values of the labels Equal: two alerts are equal in them iff the appended bytes are.
func (q *Sequence) AppendKey(dst []byte, ls event.Labels) []byte {
	return appendValues(dst, q.Equal, ls)
}

// Absence expects that some alerts are followed by others, and opens an incident when they are not.
type Absence struct {
	Head
	After, Expect Side
	Equal         []string // sorted; an alert that lacks one is on neither side
	Within        event.Time
	Severity      event.Severity // of the incident
	Priority      uint8          // of the incident; 0: as its severity says
	Title         *Template      // of the incident; nil: the rule's name
}

func (a *Absence) keys(p *parsing) []key {
	a.Within, a.Severity = defaultWithin, event.Major
	outcome := outcomeKeys(&a.Severity, &a.Priority, &a.Title)
	outcome[0].help = "of the incident"
	return append([]key{
		nameKey(&a.Head),
		sideKey(p, "after", &a.After, "the alerts after which others are expected: `match`, `if` or both"),
		sideKey(p, "expect", &a.Expect, "those that are expected"),
		equalKey(&a.Equal),
		span("within", &a.Within, time.Second, maxWithin, "so long after the first one the other is waited for; then an incident opens"),
	}, outcome...)
}

func (a *Absence) sides() []*Side { return []*Side{&a.After, &a.Expect} }

func (a *Absence) check(r *strict.Reader, n *yaml.Node) {
	a.Equal = sortedNames(r, n, "equal", a.Equal)
}

// AppendKey appends ls's values of the labels Equal: two alerts are equal in them iff the appended bytes are.
func (a *Absence) AppendKey(dst []byte, ls event.Labels) []byte {
	return appendValues(dst, a.Equal, ls)
}
