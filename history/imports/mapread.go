package imports

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/internal/zoneinfo"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Override replaces what a map says of the export's times.
type Override struct {
	Zone  string   // name of a time zone; empty: the map's
	Dates []string // formats; none: the map's
}

// mapReader is the state of reading one map.
type mapReader struct {
	m        *Map
	problems strict.Errors
	empty    []string
	machine  []string
	ignored  []string
	labels   []pair
	places   map[string]strict.Place // of the keys that later checks are about
}

type pair struct{ key, value string }

// Parse reads a map. All that is wrong with it comes at once, as strict.Errors.
func Parse(file string, text []byte, over Override) (*Map, error) {
	r := &mapReader{m: &Map{File: file, Rows: RowIncident}, places: map[string]strict.Place{}}
	r.problems = strict.Read(file, text, strict.Mapping(r.fields()...))
	r.override(over)
	r.check()
	if err := r.problems.Err(); err != nil {
		return nil, err
	}
	r.finish()
	return r.m, nil
}

func (r *mapReader) fields() []strict.Field {
	m := r.m
	return []strict.Field{
		{Key: "rows", Value: strict.OneOf(&m.Rows, RowIncident, RowEvent)},
		{Key: "format", Value: strict.OneOf(&m.Format, "csv", "json")},
		{Key: "encoding", Value: strict.OneOf(&m.Encoding, "utf-8", "utf-16le", "utf-16be", "windows-1252")},
		{Key: "delimiter", Value: strict.Scalar(func(s string) error {
			if d := []rune(s); len(d) == 1 && d[0] != '"' && d[0] != '\n' && d[0] != '\r' {
				m.Delimiter = d[0]
				return nil
			}
			return errors.New(`must be one character, such as ";" or "\t"`)
		})},
		{Key: "lax_quotes", Value: strict.Bool(&m.LaxQuotes)},
		{Key: "zone", Value: r.noting("zone", strict.Scalar(func(s string) (err error) {
			m.Zone, err = loadZone(s)
			return err
		}))},
		{Key: "dates", Value: r.noting("dates", strict.List(&m.Dates, func(d *DateFormat) strict.Value {
			return strict.Scalar(func(s string) (err error) {
				*d, err = ParseDateFormat(s)
				return err
			})
		}))},
		{Key: "empty", Value: strict.List(&r.empty, strict.Text[string])},
		{Key: "machine", Value: strict.List(&r.machine, strict.Word[string])},
		{Key: "closed_resolves", Value: strict.Bool(&m.ClosedResolves)},
		{Key: "facts", Value: r.noting("facts", strict.Mapping(r.facts()...)), Required: true},
		{Key: "signature", Value: strict.List(&m.signature, strict.Word[string])},
		{Key: "labels", Value: strict.Pairs(func(key string) strict.Value {
			return strict.Scalar(func(s string) error {
				if strings.TrimSpace(s) == "" {
					return errors.New("must name a column")
				}
				r.labels = append(r.labels, pair{key, s})
				return nil
			})
		})},
		{Key: "ignored", Value: strict.List(&r.ignored, strict.Word[string])},
	}
}

// noting remembers where a key's value stands.
func (r *mapReader) noting(key string, value strict.Value) strict.Value {
	return func(sr *strict.Reader, n *yaml.Node) {
		r.places[key] = sr.Place(n)
		value(sr, n)
	}
}

func (r *mapReader) facts() []strict.Field {
	fields := make([]strict.Field, 0, factCount)
	for f := range factCount {
		fields = append(fields, strict.Field{Key: factNames[f].name, Value: r.source(f), Required: f == factNumber})
	}
	return fields
}

// source reads a column's name, a list of names of which one is there, or a mapping that says more.
func (r *mapReader) source(f fact) strict.Value {
	s := &r.m.facts[f]
	column := func(sr *strict.Reader, n *yaml.Node) {
		kind := n.Kind
		if kind == yaml.AliasNode {
			kind = n.Alias.Kind
		}
		if kind == yaml.SequenceNode {
			strict.List(&s.columns, strict.Word[string])(sr, n)
			return
		}
		s.columns = make([]string, 1)
		strict.Word(&s.columns[0])(sr, n)
	}
	word := func(dst *string) strict.Value {
		return strict.Scalar(func(text string) (err error) {
			*dst, err = r.meaning(f, text)
			return err
		})
	}
	whole := strict.Mapping(
		strict.Field{Key: "column", Value: column},
		strict.Field{Key: "constant", Value: word(&s.constant)},
		strict.Field{Key: "otherwise", Value: word(&s.otherwise)},
		strict.Field{Key: "separator", Value: strict.Text(&s.separator)},
		strict.Field{Key: "values", Value: strict.Pairs(func(key string) strict.Value {
			return strict.Scalar(func(text string) error {
				value, err := r.meaning(f, text)
				if err != nil {
					return err
				}
				if s.values == nil {
					s.values = map[string]string{}
				}
				s.values[fold(key)] = value
				return nil
			})
		})},
	)
	return func(sr *strict.Reader, n *yaml.Node) {
		s.place = sr.Place(n)
		kind := n.Kind
		if kind == yaml.AliasNode {
			kind = n.Alias.Kind
		}
		if kind == yaml.MappingNode {
			whole(sr, n)
			return
		}
		column(sr, n)
	}
}

// meaning checks what a value of the map stands for.
func (r *mapReader) meaning(f fact, text string) (string, error) {
	switch factNames[f].shape {
	case asWord:
		words := states
		if f == factActivity {
			words = activities
		}
		word, reason, held := strings.Cut(text, ":")
		if !slices.Contains(words, word) {
			return "", errors.New("must be one of " + strings.Join(words, ", "))
		}
		if held && (word != "on_hold" && word != "held" || !slices.Contains(reasons, reason)) {
			return "", errors.New("after the colon of on_hold or held must stand one of " + strings.Join(reasons, ", "))
		}
	case asLevel:
		if n, err := strconv.Atoi(text); err != nil || n < 1 || n > 5 {
			return "", errors.New("must be a whole number between 1 and 5")
		}
	case asCount:
		if n, err := strconv.Atoi(text); err != nil || n < 0 {
			return "", errors.New("must be a whole number, 0 or more")
		}
	case asTime:
		return "", errors.New("a time comes from a column, by the map's dates")
	case asText:
	}
	return text, nil
}

func (r *mapReader) problem(key, of, message, hint string) {
	place, ok := r.places[key]
	if !ok {
		place = strict.Place{File: r.m.File}
	}
	r.problems = append(r.problems, strict.Problem{Place: place, Key: cmp.Or(of, key), Message: message, Hint: hint})
}

func (r *mapReader) override(over Override) {
	if over.Zone != "" {
		zone, err := loadZone(over.Zone)
		if err != nil {
			r.problems = append(r.problems, strict.Problem{Key: "zone", Message: err.Error() + fmt.Sprintf(" (got %q)", over.Zone)})
		}
		r.m.Zone = zone
	}
	if len(over.Dates) > 0 {
		r.m.Dates = nil
		delete(r.places, "dates")
	}
	for _, text := range over.Dates {
		d, err := ParseDateFormat(text)
		if err != nil {
			r.problems = append(r.problems, strict.Problem{Key: "dates", Message: err.Error() + fmt.Sprintf(" (got %q)", text)})
			continue
		}
		r.m.Dates = append(r.m.Dates, d)
	}
}

// check finds what single keys cannot tell.
func (r *mapReader) check() {
	m := r.m
	if len(r.problems) > 0 {
		return // what follows would repeat it
	}
	if len(m.Dates) == 0 {
		m.Dates = plainDates()
	}
	for i, a := range m.Dates {
		for _, b := range m.Dates[:i] {
			if a.mistakable(b) {
				r.problem("dates", "", fmt.Sprintf("03/04 could be read by %q and by %q as two days", b.Text, a.Text), "state the one that the export has")
			}
		}
	}
	if m.Zone == nil && slices.ContainsFunc(m.Dates, func(d DateFormat) bool { return !d.offset }) {
		r.problem("zone", "", "missing, and times without an offset need it", "write zone: Europe/Berlin, or give --zone")
	}
	for f := range factCount {
		s := &m.facts[f]
		name := factNames[f].name
		switch {
		case !s.stated():
			if s.values != nil || s.otherwise != "" || s.separator != "" {
				r.add(s, name, "has neither a column nor a constant", "")
			}
		case len(s.columns) > 0 && s.constant != "":
			r.add(s, name, "has both a column and a constant", "leave one out")
		case factNames[f].shape == asWord && s.values == nil && s.constant == "":
			r.add(s, name, "needs values", "say what the export's words mean, as in values: {Closed: closed}")
		case s.otherwise != "" && s.values == nil:
			r.add(s, name, "otherwise means nothing without values", "")
		}
		if s.separator != "" && f != factServices {
			r.add(s, name, "only services may be several in one cell", "leave separator out")
		}
	}
	r.checkRows()
}

// checkRows finds facts that are missing for the kind of rows, or mean nothing there.
func (r *mapReader) checkRows() {
	m := r.m
	missing := func(facts ...fact) {
		for _, f := range facts {
			if !m.facts[f].stated() {
				r.problem("facts", factNames[f].name, "missing, and a row per "+string(m.Rows)+" needs it", "")
			}
		}
	}
	useless := func(facts ...fact) {
		for _, f := range facts {
			if s := &m.facts[f]; s.stated() {
				r.add(s, factNames[f].name, "means nothing where a row is "+map[RowKind]string{RowIncident: "an incident", RowEvent: "an event"}[m.Rows], "")
			}
		}
	}
	if m.Rows == RowIncident {
		missing(factOpenedAt)
		useless(factAt, factOrder, factActivity, factBy)
		return
	}
	missing(factAt)
	useless(factAssignedAt)
	if !m.facts[factState].stated() && !m.facts[factActivity].stated() {
		r.problem("facts", "", "a row per event needs state (what holds after it) or activity (what happened)", "")
	}
	if m.facts[factState].stated() && m.facts[factActivity].stated() {
		r.add(&m.facts[factActivity], "activity", "stands beside state, and one of them must tell what happened", "leave one out")
	}
}

func (r *mapReader) add(s *source, key, message, hint string) {
	r.problems = append(r.problems, strict.Problem{Place: s.place, Key: key, Message: message, Hint: hint})
}

// finish gives each column that the map names its place in a row.
func (r *mapReader) finish() {
	m := r.m
	m.at = map[string]int{}
	place := func(column string) int {
		at, ok := m.at[column]
		if !ok {
			at = len(m.columns)
			m.at[column], m.columns = at, append(m.columns, column)
		}
		return at
	}
	for f := range factCount {
		for _, c := range m.facts[f].columns {
			m.facts[f].cells = append(m.facts[f].cells, place(c))
		}
	}
	for _, c := range m.signature {
		place(c)
	}
	for _, l := range r.labels {
		m.labels = append(m.labels, label{l.key, place(l.value)})
	}
	slices.SortFunc(m.labels, func(a, b label) int { return strings.Compare(a.name, b.name) })
	set := func(words []string, shape func(string) string) map[string]bool {
		out := map[string]bool{}
		for _, w := range words {
			out[shape(w)] = true
		}
		return out
	}
	m.empty, m.machine = set(r.empty, strings.TrimSpace), set(r.machine, fold)
	m.ignored = set(r.ignored, func(s string) string { return s })
}

func loadZone(name string) (*time.Location, error) {
	zone, _, err := zoneinfo.Load(name)
	if err != nil {
		return nil, errors.New("must be a time zone such as Europe/Berlin or UTC")
	}
	return zone, nil
}

// fold makes words that differ in case or in spaces around them the same.
func fold(s string) string { return strings.ToLower(strings.TrimSpace(s)) }
