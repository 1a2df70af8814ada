package rulecheck

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/matcher/parse"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules"
	"github.com/tocsin-noc/tocsin/rules/strict"
	"github.com/tocsin-noc/tocsin/simulate/scenario"
)

// maxSpan bounds the times of a test.
const maxSpan = 365 * 24 * time.Hour

// file is one file of tests.
type file struct {
	name      string
	ruleFiles []string
	topology  topology
	interval  event.Time
	start     event.Time
	tests     []test
}

// topology is what is known of the items, written out or in a file.
type topology struct {
	at   strict.Place
	file string
	scenario.Topology

	places, arrows []strict.Place // of the items, and of the relations
}

// test is one story and what must come of it.
type test struct {
	at       strict.Place
	name     string
	interval event.Time // 0: the file's
	events   []said
	commands []asked
	expect   []moment
	never    []wantIncident
}

// said is what a source says of a label set over some time.
type said struct {
	at          strict.Place
	labels      event.Labels
	annotations event.Labels
	from        event.Time
	span        event.Time // how long it fires
	lasts       bool       // until the test ends
	until       event.Time
	source      string
	kind        event.SourceKind
	clear       string
	times       int
	every       event.Time
}

// moment is what must hold at a time.
type moment struct {
	at        strict.Place
	when      event.Time
	incidents []wantIncident
	alerts    []wantAlert
	open      *int
	openAt    strict.Place
}

// text reads a file of tests. What is wrong with it is all in the problems.
func readFile(name string, text []byte) (*file, strict.Errors) {
	f := &file{name: name, interval: event.Minute, start: event.FromTime(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC))}
	problems := strict.Read(name, text, strict.Mapping(
		strict.Field{Key: "rule_files", Value: strict.List(&f.ruleFiles, func(s *string) strict.Value { return strict.Word(s) })},
		strict.Field{Key: "topology", Value: f.topology.value},
		strict.Field{Key: "interval", Value: span(&f.interval, time.Second)},
		strict.Field{Key: "start", Value: instant(&f.start)},
		strict.Field{Key: "tests", Value: strict.List(&f.tests, func(t *test) strict.Value { return t.value }), Required: true},
	))
	problems = append(problems, f.repeated()...)
	if problems = append(problems, f.topology.problems()...); len(problems) > 0 {
		return nil, problems
	}
	return f, nil
}

// repeated finds tests that people could not tell apart.
func (f *file) repeated() (problems strict.Errors) {
	seen := map[string]strict.Place{}
	for i := range f.tests {
		t := &f.tests[i]
		if t.name == "" {
			continue // reported as missing
		}
		if first, twice := seen[t.name]; twice {
			problems = append(problems, strict.Problem{Place: t.at, Key: "name", Message: fmt.Sprintf("the name %q is taken at %s", t.name, first), Hint: "give the test another name"})
		}
		seen[t.name] = t.at
	}
	return problems
}

// in returns a path as a file of tests means it: from its own folder.
func (f *file) in(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(f.name), path)
}

func (t *topology) value(r *strict.Reader, n *yaml.Node) {
	t.at = r.Place(n)
	strict.Mapping(
		strict.Field{Key: "file", Value: strict.Word(&t.file)},
		strict.Field{Key: "cis", Value: strict.List(&t.CIs, func(c *scenario.CI) strict.Value {
			return noted(&t.places, strict.Mapping(strict.Field{Key: "id", Value: strict.Word(&c.ID), Required: true}, strict.Field{Key: "class", Value: strict.Word(&c.Class), Required: true}))
		})},
		strict.Field{Key: "relations", Value: strict.List(&t.Relations, func(rel *scenario.Relation) strict.Value {
			return noted(&t.arrows, strict.Mapping(
				strict.Field{Key: "from", Value: strict.Word(&rel.From), Required: true},
				strict.Field{Key: "type", Value: relation(&rel.Type), Required: true},
				strict.Field{Key: "to", Value: strict.Word(&rel.To), Required: true}))
		})},
	)(r, n)
	if t.file != "" && len(t.CIs)+len(t.Relations) > 0 {
		r.ProblemAt(n, "file", "a topology is in a file or written out, not both", "")
	}
}

// noted is a value of a list whose place is put down behind those before it.
func noted(places *[]strict.Place, v strict.Value) strict.Value {
	return func(r *strict.Reader, n *yaml.Node) {
		*places = append(*places, r.Place(n))
		v(r, n)
	}
}

// problems are those of a topology that is written out. In a file it may be a part of what there is; here all of it is in sight.
func (t *topology) problems() (found strict.Errors) {
	at, ids := map[string]strict.Place{}, []string{}
	add := func(place strict.Place, key, message, hint string) {
		found = append(found, strict.Problem{Place: place, Key: key, Message: message, Hint: hint})
	}
	for i, ci := range t.CIs {
		if first, twice := at[ci.ID]; twice && ci.ID != "" {
			add(t.places[i], "id", fmt.Sprintf("the item %q is given at %s", ci.ID, first), "")
			continue
		}
		at[ci.ID] = t.places[i]
		ids = append(ids, ci.ID)
	}
	for i, r := range t.Relations {
		if r.From == r.To && r.From != "" {
			add(t.arrows[i], "to", fmt.Sprintf("the item %q cannot have a relation to itself", r.From), "")
		}
		for _, end := range []struct{ key, id string }{{"from", r.From}, {"to", r.To}} {
			if _, known := at[end.id]; !known && end.id != "" {
				add(t.arrows[i], end.key, fmt.Sprintf("there is no item %q", end.id), strict.Suggest(end.id, ids))
			}
		}
	}
	return found
}

func relation(dst *event.RelationKind) strict.Value {
	word := ""
	return func(r *strict.Reader, n *yaml.Node) {
		strict.OneOf(&word, event.RelationKinds()...)(r, n)
		*dst = event.ParseRelationKind(word)
	}
}

func (t *test) value(r *strict.Reader, n *yaml.Node) {
	t.at = r.Place(n)
	strict.Mapping(
		strict.Field{Key: "name", Value: strict.Word(&t.name), Required: true},
		strict.Field{Key: "interval", Value: span(&t.interval, time.Second)},
		strict.Field{Key: "events", Value: strict.List(&t.events, func(s *said) strict.Value { return s.value }), Required: true},
		strict.Field{Key: "commands", Value: strict.List(&t.commands, func(a *asked) strict.Value { return a.value })},
		strict.Field{Key: "expect", Value: strict.List(&t.expect, func(m *moment) strict.Value { return m.value })},
		strict.Field{Key: "never", Value: strict.List(&t.never, func(w *wantIncident) strict.Value { return w.value })},
	)(r, n)
	if len(t.expect)+len(t.never) == 0 {
		r.ProblemAt(n, "expect", "the test expects nothing", "say what must hold under expect, or what must never be under never")
	}
}

// Words for clear.
const (
	clearAtEnd = "at_end"
	clearNever = "never"
	clearOnly  = "only"
)

func (s *said) value(r *strict.Reader, n *yaml.Node) {
	s.at, s.source, s.clear, s.times = r.Place(n), "prometheus", clearAtEnd, 1
	kind := event.Resender.String()
	strict.Mapping(
		strict.Field{Key: "labels", Value: labelSet(&s.labels), Required: true},
		strict.Field{Key: "annotations", Value: labelSet(&s.annotations)},
		strict.Field{Key: "at", Value: span(&s.from, 0)},
		strict.Field{Key: "for", Value: span(&s.span, time.Second)},
		strict.Field{Key: "until", Value: span(&s.until, time.Second)},
		strict.Field{Key: "source", Value: strict.Word(&s.source)},
		strict.Field{Key: "kind", Value: strict.OneOf(&kind, event.Resender.String(), event.SendOnce.String())},
		strict.Field{Key: "clear", Value: strict.OneOf(&s.clear, clearAtEnd, clearNever, clearOnly)},
		strict.Field{Key: "times", Value: strict.Int(&s.times, 1, 10_000)},
		strict.Field{Key: "every", Value: span(&s.every, 0)},
	)(r, n)
	if s.kind = event.Resender; kind == event.SendOnce.String() {
		s.kind = event.SendOnce
	}
	switch {
	case s.span != 0 && s.until != 0:
		r.ProblemAt(n, "until", "for and until say the same", "keep one of the two")
	case s.until != 0 && s.until <= s.from:
		r.ProblemAt(n, "until", "must be later than at", "")
	case s.until != 0:
		s.span = s.until - s.from
	}
	s.lasts = s.span == 0
}

// labelSet reads labels.
func labelSet(dst *event.Labels) strict.Value {
	return func(r *strict.Reader, n *yaml.Node) {
		strict.Pairs(func(name string) strict.Value {
			return strict.Scalar(func(s string) error {
				if !model.UTF8Validation.IsValidLabelName(name) {
					return errors.New("must stand under a label name")
				}
				if s != "" {
					*dst = append(*dst, event.Label{Name: name, Value: s})
				}
				return nil
			})
		})(r, n)
		*dst, _ = event.SortLabels(*dst) // the reader has reported what stands twice
	}
}

func (m *moment) value(r *strict.Reader, n *yaml.Node) {
	m.at = r.Place(n)
	open := -1
	strict.Mapping(
		strict.Field{Key: "at", Value: span(&m.when, 0), Required: true},
		strict.Field{Key: "incidents", Value: strict.List(&m.incidents, func(w *wantIncident) strict.Value { return w.value })},
		strict.Field{Key: "alerts", Value: strict.List(&m.alerts, func(w *wantAlert) strict.Value { return w.value })},
		strict.Field{Key: "open", Value: placed(&m.openAt, strict.Int(&open, 0, 1_000_000))},
	)(r, n)
	if open >= 0 {
		m.open = &open
	}
	if len(m.incidents)+len(m.alerts) == 0 && m.open == nil {
		r.ProblemAt(n, "", "nothing is expected here", "name incidents, alerts, or how many incidents are open")
	}
}

// placed is a value whose place is remembered.
func placed(at *strict.Place, v strict.Value) strict.Value {
	return func(r *strict.Reader, n *yaml.Node) {
		*at = r.Place(n)
		v(r, n)
	}
}

// span reads a time from the start of the test, or a duration.
func span(dst *event.Time, low time.Duration) strict.Value {
	return strict.Duration(dst, time.Millisecond, low, maxSpan)
}

func instant(dst *event.Time) strict.Value {
	return strict.Scalar(func(s string) error {
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return errors.New("must be a time such as 2026-01-05T08:00:00Z")
		}
		*dst = event.FromTime(t)
		return nil
	})
}

// matchers reads a list of matchers, or a single one.
func matchers(dst *[]*labels.Matcher) strict.Value {
	return func(r *strict.Reader, n *yaml.Node) {
		if n.Kind == yaml.ScalarNode {
			strict.Scalar(matcherText(dst))(r, n)
			return
		}
		var each [][]*labels.Matcher
		strict.List(&each, func(ms *[]*labels.Matcher) strict.Value { return strict.Scalar(matcherText(ms)) })(r, n)
		*dst = slices.Concat(each...)
	}
}

func matcherText(dst *[]*labels.Matcher) func(string) error {
	return func(s string) error {
		ms, err := parse.Matchers(s)
		if err != nil {
			classic, classicErr := labels.ParseMatchers(s)
			if classicErr != nil {
				return errors.New(`must be matchers such as team="db", severity=~"warning|info": ` + classicErr.Error())
			}
			ms = classic
		}
		*dst = ms
		return nil
	}
}

// matches tells whether a label set is one that matchers mean.
func matches(ms []*labels.Matcher, ls event.Labels) bool {
	for _, m := range ms {
		if !m.Matches(ls.Get(m.Name)) {
			return false
		}
	}
	return true
}

func matcherWords(ms []*labels.Matcher) string {
	words := make([]string, len(ms))
	for i, m := range ms {
		words[i] = m.String()
	}
	return "{" + strings.Join(words, ", ") + "}"
}

// readRules reads the rule files that a file of tests names; none of them: the shipped rules.
func (f *file) readRules(read func(string) ([]byte, error), glob func(string) ([]string, error)) ([]rules.File, error) {
	var out []rules.File
	for _, pattern := range f.ruleFiles {
		names, err := glob(f.in(pattern))
		if err != nil || len(names) == 0 {
			return nil, strict.Errors{{Place: strict.Place{File: f.name}, Key: "rule_files", Message: "no file is called " + pattern, Hint: "paths are those from the folder of this file"}}
		}
		for _, name := range names {
			text, err := read(name)
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(out, func(have rules.File) bool { return have.Name == name }) {
				out = append(out, rules.File{Name: name, Text: text})
			}
		}
	}
	if _, err := rules.Parse(out); err != nil {
		return nil, err
	}
	return out, nil
}
