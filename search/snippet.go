package search

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tocsin-noc/tocsin/event"
)

// Snippet is a piece of a text as it was written: hostile. Marks are its bytes [from, to) that matched, in order, without overlap.
type Snippet struct {
	Text   string
	Marks  [][2]int
	Before bool // the text began earlier
	After  bool // the text goes on
}

// Match is one text in which words of a query stand.
type Match struct {
	Field   string
	Label   string // name, of field label
	Snippet Snippet
	At      event.Time // when it was written, 0 for a title or a label
	By      string     // opaque id of who wrote it
	Seq     uint64     // of the timeline's entry, 0 when it is none
	N       uint32
}

const (
	snippetBytes = 240
	snippetLead  = 60 // of them before the first mark
	maxMatches   = 3
)

// matches returns the texts of a record that show best why it was found.
func matches(r *record, clauses []clause) []Match {
	type candidate struct {
		Match
		hits int
	}
	var list []candidate
	try := func(m Match, words string) {
		marks, hits := mark(words, m.Field, m.Label, clauses)
		if hits > 0 {
			m.Snippet = snip(words, marks)
			list = append(list, candidate{m, hits})
		}
	}
	try(Match{Field: FieldTitle}, r.Title)
	for _, texts := range [][]text{r.Texts, r.Dossier} {
		for _, t := range slices.Backward(texts) { // the latest first
			try(Match{Field: t.Field, At: t.Time, By: t.By, Seq: t.At.Seq, N: t.At.N}, t.Text)
		}
	}
	for _, l := range r.Labels {
		try(Match{Field: FieldLabel, Label: l.Name}, l.Value)
	}
	slices.SortStableFunc(list, func(a, b candidate) int { return b.hits - a.hits })
	var out []Match
	for _, c := range list[:min(len(list), maxMatches)] {
		out = append(out, c.Match)
	}
	if out == nil {
		out = []Match{{Field: FieldID, Snippet: snip(r.Title, nil)}}
	}
	return out
}

// meets tells whether the words of a condition follow each other in one of the record's texts, or the condition means its number.
func (r *record) meets(c *clause) bool {
	if c.id == r.ID {
		return true
	}
	one := []clause{*c}
	in := func(words, field, label string) bool {
		_, hits := mark(words, field, label, one)
		return hits > 0
	}
	if in(r.Title, FieldTitle, "") {
		return true
	}
	for _, l := range r.Labels {
		if in(l.Value, FieldLabel, l.Name) {
			return true
		}
	}
	for _, texts := range [][]text{r.Texts, r.Dossier} {
		for i := range texts {
			if in(texts[i].Text, texts[i].Field, "") {
				return true
			}
		}
	}
	return false
}

// mark finds what of a text the conditions mean, and how many of them are met.
func mark(words, field, label string, clauses []clause) (marks [][2]int, hits int) {
	var list []token
	for i := range clauses {
		c := &clauses[i]
		if c.not || len(c.words) == 0 || c.field != "" && c.field != field || c.field == FieldLabel && c.label != label {
			continue
		}
		if list == nil {
			if list = tokens(words); len(list) == 0 {
				return nil, 0
			}
		}
		before := len(marks)
		for at := range list {
			if end, ok := c.matches(list, at); ok {
				marks = append(marks, [2]int{list[at].start, end})
			}
		}
		if len(marks) > before {
			hits++
		}
	}
	return join(marks), hits
}

// matches tells whether the condition's words stand in a text from one token on, and where they end.
func (c *clause) matches(list []token, at int) (end int, ok bool) {
	position := list[at].position
	for i, w := range c.words {
		ok = false
		for ; at < len(list) && list[at].position <= position+i; at++ {
			if list[at].position == position+i && (list[at].word == w.word || c.prefix && i == len(c.words)-1 && strings.HasPrefix(list[at].word, w.word)) {
				end, ok = list[at].end, true
				break
			}
			if i == 0 {
				break // the first word is that of the token asked for
			}
		}
		if !ok {
			return 0, false
		}
	}
	return end, true
}

// join sorts marks and makes one of those that overlap.
func join(marks [][2]int) (out [][2]int) {
	slices.SortFunc(marks, func(a, b [2]int) int { return a[0] - b[0] })
	for _, m := range marks {
		if n := len(out); n > 0 && m[0] <= out[n-1][1] {
			out[n-1][1] = max(out[n-1][1], m[1])
			continue
		}
		out = append(out, m)
	}
	return out
}

// snip cuts a text around its first mark, between words where it can.
func snip(text string, marks [][2]int) Snippet {
	from, to := 0, len(text)
	if len(text) > snippetBytes {
		if len(marks) > 0 {
			from = max(0, min(marks[0][0]-snippetLead, len(text)-snippetBytes))
		}
		to = min(len(text), from+snippetBytes)
		if len(marks) > 0 {
			to = min(len(text), max(to, min(marks[0][1], from+4*snippetBytes)+24))
		}
		from, to = wordStart(text, from), wordStop(text, to)
	}
	s := Snippet{Text: text[from:to], Before: from > 0, After: to < len(text)}
	for _, m := range marks {
		if m[0] >= from && m[1] <= to {
			s.Marks = append(s.Marks, [2]int{m[0] - from, m[1] - from})
		}
	}
	return s
}

// wordStart moves a cut on to behind the next space, if one is near.
func wordStart(text string, at int) int {
	if at == 0 {
		return 0
	}
	if i := strings.IndexByte(text[at:min(len(text), at+24)], ' '); i >= 0 {
		return at + i + 1
	}
	for at < len(text) && !utf8.RuneStart(text[at]) {
		at++
	}
	return at
}

func wordStop(text string, at int) int {
	if at == len(text) {
		return at
	}
	if i := strings.LastIndexByte(text[max(0, at-24):at], ' '); i > 0 {
		return max(0, at-24) + i
	}
	for at > 0 && !utf8.RuneStart(text[at]) {
		at--
	}
	return at
}
