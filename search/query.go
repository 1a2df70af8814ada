package search

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tocsin-noc/tocsin/event"
)

// Query is what to look for. The zero Text finds every incident that the filters let pass, the newest first.
type Query struct {
	Tenant  string // mandatory; event.AllTenants for a provider
	Text    string // see docs/search.md
	Limit   int    // of hits, default 20, at most 200
	Filters Filters
}

// Filters narrow a query beside its text. A zero field narrows nothing; several values of one are alternatives.
type Filters struct {
	Status   []string // open, resolved, closed, cancelled, merged; acknowledged, snoozed, held
	Severity []string
	Teams    []string
	Since    time.Time // changed then or later
	Until    time.Time // changed before
}

const (
	defaultLimit = 20
	maxLimit     = 200
	maxQuery     = 1000 // bytes
	maxClauses   = 32
	maxFilter    = 50 // values of one filter
)

// QueryError says what is wrong with a query, and where.
type QueryError struct {
	Text    string
	Offset  int // in bytes, from 0
	Message string
	Hint    string
}

// Error gives the place in characters from 1, as people count.
func (e *QueryError) Error() string {
	return fmt.Sprintf("search: query:%d: %s", utf8.RuneCountInString(e.Text[:e.Offset])+1, e.Message)
}

// clause is one condition; a hit meets all of them.
type clause struct {
	not    bool
	field  string // "" any text
	label  string // name, of field "label"
	words  []token
	prefix bool             // the last word goes on
	id     event.IncidentID // the clause may also mean this incident; 0: it does not
	exact  string           // folded value of a field that is compared whole
	offset int
}

// parser walks over a query.
type parser struct {
	text string
	at   int
	out  []clause
}

// parse reads a query.
func parse(text string) ([]clause, error) {
	p := &parser{text: text}
	if len(text) > maxQuery {
		return nil, &QueryError{text[:maxQuery], maxQuery, fmt.Sprintf("longer than %d bytes", maxQuery), "leave words out"}
	}
	if !utf8.ValidString(text) {
		return nil, &QueryError{"", 0, "not UTF-8", "send the text as UTF-8"}
	}
	for p.space(); p.at < len(p.text); p.space() {
		if err := p.clause(); err != nil {
			return nil, err
		}
		if len(p.out) > maxClauses {
			return nil, p.fail(p.out[maxClauses].offset, fmt.Sprintf("more than %d conditions", maxClauses), "leave words out")
		}
	}
	if len(p.out) == 0 && strings.TrimSpace(text) != "" {
		return nil, p.fail(0, "no letters or digits to look for", "write a word")
	}
	return p.out, nil
}

func (p *parser) fail(at int, message, hint string) error {
	return &QueryError{p.text, at, message, hint}
}

func (p *parser) space() {
	p.at += len(p.text[p.at:]) - len(strings.TrimLeft(p.text[p.at:], " \t\r\n"))
}

func (p *parser) clause() error {
	c := clause{offset: p.at}
	if p.text[p.at] == '-' && p.at+1 < len(p.text) && !strings.ContainsRune(" \t\r\n-", rune(p.text[p.at+1])) {
		c.not = true
		p.at++
	}
	name := p.fieldName()
	at := p.at
	value, quoted, err := p.value()
	if err != nil {
		return err
	}
	if name != "" {
		return p.field(c, name, value, at)
	}
	c.id = incidentID(value, quoted)
	if err := p.words(&c, value, quoted, at); err != nil {
		return err
	}
	if len(c.words) == 0 {
		if c.not || quoted {
			return p.fail(at, "no letters or digits to look for", "write a word")
		}
		return nil // a dash or an ampersand between words
	}
	p.out = append(p.out, c)
	return nil
}

// fieldName reads "name:" if that is what comes, and no URL.
func (p *parser) fieldName() string {
	rest := p.text[p.at:]
	i := 0
	for i < len(rest) && (letter(rune(rest[i])) && rest[i] < utf8.RuneSelf || rest[i] == '_' || i > 0 && (rest[i] == '.' || rest[i] == '-')) {
		i++
	}
	if i == 0 || i == len(rest) || rest[i] != ':' || '0' <= rest[0] && rest[0] <= '9' {
		return ""
	}
	if after := rest[i+1:]; strings.HasPrefix(after, "//") || strings.HasPrefix(after, ":") {
		return ""
	}
	p.at += i + 1
	return rest[:i]
}

// value reads a quoted text, or up to the next space. A * behind the closing quote is part of it.
func (p *parser) value() (value string, quoted bool, err error) {
	if p.at == len(p.text) || p.text[p.at] != '"' {
		start := p.at
		for p.at < len(p.text) && !strings.ContainsRune(" \t\r\n", rune(p.text[p.at])) {
			p.at++
		}
		return p.text[start:p.at], false, nil
	}
	start := p.at
	var b strings.Builder
	for p.at++; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '\\' && p.at+1 < len(p.text):
			p.at++
			b.WriteByte(p.text[p.at])
		case c == '"':
			p.at++
			if p.at < len(p.text) && p.text[p.at] == '*' {
				return "", true, p.fail(p.at, `a * stands behind a word, not behind a quotation`, `write it before the quotation mark, as in "disk ful*"`)
			}
			return b.String(), true, nil
		default:
			b.WriteByte(c)
		}
	}
	return "", true, p.fail(start, "the quotation does not end", `write a " behind it`)
}

// words breaks a value up. A * may end it, and stand nowhere else.
func (p *parser) words(c *clause, value string, quoted bool, at int) error {
	if quoted {
		at++
	}
	if star := strings.IndexByte(value, '*'); star >= 0 {
		if star != len(value)-1 || star == 0 {
			return p.fail(min(at+star, len(p.text)), "a * stands at the end of a word", "write the word's beginning, as in postgr*")
		}
		value, c.prefix = value[:star], true
	}
	c.words = whole(tokens(value))
	if c.prefix && (len(c.words) == 0 || c.words[len(c.words)-1].end != len(value)) {
		return p.fail(min(at+len(value), len(p.text)), "a * stands at the end of a word", "write the word's beginning, as in postgr*")
	}
	if c.prefix && len(c.words) == 1 && utf8.RuneCountInString(c.words[len(c.words)-1].word) < 2 {
		return p.fail(min(at+len(value), len(p.text)), "too short before the *", "write at least two letters")
	}
	return nil
}

// whole leaves the parts of words in CamelCase out: a query means the words as they are.
func whole(list []token) []token {
	out := list[:0]
	for _, t := range list {
		if len(out) == 0 || out[len(out)-1].position != t.position {
			out = append(out, t)
		}
	}
	return out
}

// field reads the condition on a field. A name that is none of ours is a label's.
func (p *parser) field(c clause, name, value string, at int) error {
	quoted := at < len(p.text) && p.text[at] == '"'
	if value == "" {
		return p.fail(at, name+": has no value", "write it behind the colon, without a space")
	}
	c.field = strings.ToLower(name)
	switch c.field {
	case FieldTitle, FieldNote, FieldReason, FieldUpdate, FieldReport, FieldTask, FieldTicket, FieldReview, FieldOther:
	case "status", "severity", "priority", "team", "rule", "assignee", "ci":
		if strings.Contains(value, "*") {
			return p.fail(at+strings.Index(value, "*"), name+": takes whole values", "leave the * out")
		}
		c.exact = foldValue(value)
		p.out = append(p.out, c)
		return nil
	case "id":
		if c.id = incidentID(value, false); c.id == 0 {
			return p.fail(at, "no number of an incident", "write it as in id:42 or id:INC-42")
		}
		p.out = append(p.out, c)
		return nil
	default:
		c.field, c.label = FieldLabel, strings.TrimPrefix(name, "label.")
	}
	if err := p.words(&c, value, quoted, at); err != nil {
		return err
	}
	if len(c.words) == 0 {
		return p.fail(at, "no letters or digits to look for", "write a word")
	}
	p.out = append(p.out, c)
	return nil
}

// foldValue folds a value that is compared whole.
func foldValue(s string) string { return foldSlow(strings.TrimSpace(s)) }

// incidentID reads 42, #42, INC-42; 0 when it is none.
func incidentID(s string, quoted bool) event.IncidentID {
	if quoted {
		return 0
	}
	if len(s) > 4 && strings.EqualFold(s[:4], "inc-") {
		s = s[4:]
	} else {
		s = strings.TrimPrefix(s, "#")
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || s[0] == '+' {
		return 0
	}
	return event.IncidentID(n)
}
