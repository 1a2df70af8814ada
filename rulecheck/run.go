package rulecheck

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules"
	"github.com/tocsin-noc/tocsin/rules/strict"
	"github.com/tocsin-noc/tocsin/simulate/scenario"
)

// Options of a run.
type Options struct {
	Only  *regexp.Regexp // tests whose name it finds; nil: all
	Story bool           // tell what happened in each test
}

// Result is what came of one test.
type Result struct {
	File     string    `json:"file"`
	Name     string    `json:"name"`
	Line     int       `json:"line"`
	Passed   bool      `json:"passed"`
	Failures []Failure `json:"failures"`
	Story    []string  `json:"story,omitempty"`
	Took     float64   `json:"seconds"`
}

// Failure is one expectation that was not met.
type Failure struct {
	File    string   `json:"file"`
	Line    int      `json:"line"`
	Col     int      `json:"col"`
	Message string   `json:"message"`
	Detail  []string `json:"detail,omitempty"` // lines that begin with - (expected) or + (got)
}

// Place returns where the expectation stands.
func (f *Failure) Place() string {
	return strict.Place{File: f.File, Line: f.Line, Col: f.Col}.String()
}

// Run reads files of tests and runs them, all of them whatever fails. Problems are what is wrong with the files themselves, or with
// the rules that they name; then nothing runs.
func Run(names []string, o Options) (results []Result, problems strict.Errors, err error) {
	type prepared struct {
		*file
		rules []rules.File
	}
	var files []prepared
	for _, name := range names {
		f, files2, err := prepare(name)
		if several, ok := errors.AsType[strict.Errors](err); ok {
			problems = append(problems, several...)
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		files = append(files, prepared{f, files2})
	}
	if len(problems) > 0 {
		problems.Sort()
		return nil, problems, nil
	}
	for _, f := range files {
		for i := range f.tests {
			t := &f.tests[i]
			if o.Only != nil && !o.Only.MatchString(t.name) {
				continue
			}
			results = append(results, f.play(t, f.rules, o.Story))
		}
	}
	return results, nil, nil
}

// prepare reads a file of tests and what it names.
func prepare(name string) (*file, []rules.File, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, err
	}
	f, problems := readFile(name, text)
	if err := problems.Err(); err != nil {
		return nil, nil, err
	}
	if f.topology.file != "" {
		problems = append(problems, f.readTopology()...)
	}
	ruleFiles, err := f.readRules(os.ReadFile, filepath.Glob)
	if several, ok := errors.AsType[strict.Errors](err); ok {
		problems, err = append(problems, several...), nil
	}
	return f, ruleFiles, cmp.Or(err, problems.Err())
}

func (f *file) readTopology() strict.Errors {
	const hint = "a topology is written as in docs/evaluation.md"
	name := f.in(f.topology.file)
	text, err := os.ReadFile(name)
	if err != nil {
		return strict.Errors{{Place: f.topology.at, Key: "topology", Message: err.Error(), Hint: hint}}
	}
	read, err := scenario.ReadTopology(name, text)
	if several, ok := errors.AsType[scenario.Errors](err); ok {
		var found strict.Errors
		for _, p := range several {
			found = append(found, strict.Problem{Place: strict.Place{File: p.File, Line: p.Line}, Message: p.Message, Hint: cmp.Or(p.Hint, hint)})
		}
		return found
	}
	f.topology.Topology = *read
	return nil
}

// play runs one test.
func (f *file) play(t *test, files []rules.File, tell bool) Result {
	began := time.Now()
	r := Result{File: f.name, Name: t.name, Line: t.at.Line, Failures: []Failure{}}
	var s *story
	if tell {
		s = newStory()
	}
	found, err := f.perform(t, files, s)
	found = append(found, faults(t.at, err)...)
	slices.SortStableFunc(found, func(a, b Failure) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col)) })
	r.Failures = append(r.Failures, found...)
	r.Passed, r.Took = len(found) == 0, time.Since(began).Seconds()
	if s != nil {
		r.Story = s.lines
	}
	return r
}

// faults are failures of the test itself, which may have places of their own.
func faults(at strict.Place, err error) (list []Failure) {
	if err == nil {
		return nil
	}
	several, ok := errors.AsType[strict.Errors](err)
	if !ok {
		several = strict.Errors{{Place: at, Message: err.Error()}}
	}
	for _, p := range several {
		list = append(list, Failure{File: p.Place.File, Line: p.Place.Line, Col: p.Place.Col, Message: p.Message})
	}
	return list
}

// maxActs bounds how much may happen in a test.
const maxActs = 1_000_000

// tooMuch refuses a test in which sources would have to speak too often.
func (t *test) tooMuch(interval, end event.Time) error {
	sum := 0
	for i := range t.events {
		if sum += t.events[i].times * int(end/interval+2); sum > maxActs {
			return strict.Errors{{Place: t.events[i].at, Message: fmt.Sprintf("the sources would have to speak more than %d times; make the interval longer", maxActs)}}
		}
	}
	return nil
}

// perform plays the test to the last time at which something is expected.
func (f *file) perform(t *test, files []rules.File, s *story) (found []Failure, err error) {
	p, err := newPlayer(f.start, files, &f.topology, s)
	if err != nil {
		return nil, err
	}
	watch := newWatch(t.never)
	p.watch = func(changes []event.Change) { watch.look(p, changes) }
	end := event.Time(0)
	for i := range t.expect {
		end = max(end, t.expect[i].when)
	}
	if len(t.expect) == 0 {
		end = t.last()
	}
	moments := make([]*moment, len(t.expect))
	for i := range t.expect {
		moments[i] = &t.expect[i]
	}
	slices.SortStableFunc(moments, func(a, b *moment) int { return cmp.Compare(a.when, b.when) })
	interval := cmp.Or(t.interval, f.interval)
	if err := t.tooMuch(interval, end); err != nil {
		return nil, err
	}
	acts := p.script(t, interval, end)
	for _, m := range moments {
		if acts, err = p.until(acts, p.start+m.when); err != nil {
			return append(found, watch.found...), err
		}
		found = append(found, m.check(p.state.View())...)
	}
	_, err = p.until(acts, p.start+end)
	return append(found, watch.found...), err
}

// last returns when a test without expectations in time is over: ten minutes after the last that happens.
func (t *test) last() (end event.Time) {
	for i := range t.events {
		e := &t.events[i]
		end = max(end, e.from+e.span+event.Time(e.times)*e.every)
	}
	for i := range t.commands {
		end = max(end, t.commands[i].when)
	}
	return end + 10*event.Minute
}

// until lets everything happen up to a time, and returns what is left.
func (p *player) until(acts []act, to event.Time) ([]act, error) {
	for len(acts) > 0 && acts[0].when <= to {
		if err := p.advance(acts[0].when); err != nil {
			return nil, err
		}
		if err := acts[0].do(); err != nil {
			return nil, err
		}
		acts = acts[1:]
	}
	return acts, p.advance(to)
}

// check holds a moment against the state.
func (m *moment) check(v *correlate.View) (found []Failure) {
	add := func(who string, list ...miss) {
		for _, one := range list {
			found = append(found, Failure{File: one.at.File, Line: one.at.Line, Col: one.at.Col,
				Message: fmt.Sprintf("at %s: %s%s", spanWords(m.when), who, one.what), Detail: one.detail})
		}
	}
	taken := map[event.IncidentID]bool{}
	for n := range m.incidents {
		w := &m.incidents[n]
		i, list := w.best(v, taken)
		if i == nil {
			add("", miss{at: w.at, what: "there is no incident " + cmp.Or(w.words(), "left for this") + "; there are:", detail: listed(v)})
			continue
		}
		taken[i.ID] = true
		add(fmt.Sprintf("%s %q: ", i.ID, i.Title), list...)
	}
	for n := range m.alerts {
		w, some := &m.alerts[n], false
		for a := range v.Alerts() {
			if ls := a.Labels(); matches(w.match, ls) {
				some = true
				add(ls.String()+": ", w.misses(a)...)
			}
		}
		if !some {
			add("", miss{at: w.at, what: "there is no alert " + matcherWords(w.match)})
		}
	}
	if m.open != nil {
		if open := openIncidents(v); len(open) != *m.open {
			add("", miss{at: m.openAt, what: fmt.Sprintf("open incidents: expected %d, got %d", *m.open, len(open)), detail: open})
		}
	}
	return found
}

// best returns the incident that an expectation means, the one that fits best of several, and in what it does not.
func (w *wantIncident) best(v *correlate.View, taken map[event.IncidentID]bool) (best *correlate.Incident, fewest []miss) {
	for i := range v.Incidents() {
		if taken[i.ID] || i.Phase == event.PhaseMerged && w.phase != event.PhaseMerged.String() || !w.means(v, &i) {
			continue
		}
		if list := w.misses(v, &i); best == nil || len(list) <= len(fewest) { // the oldest of those that fit as well
			best, fewest = &i, list
		}
	}
	return best, fewest
}

// maxListed bounds how many incidents a failure names.
const maxListed = 10

func listed(v *correlate.View) (lines []string) {
	n := 0
	for i := range v.Incidents() {
		if n++; n <= maxListed {
			lines = append(lines, incidentLine(&i))
		}
	}
	switch {
	case n == 0:
		lines = append(lines, "none")
	case n > maxListed:
		lines = append(lines, fmt.Sprintf("and %d more", n-maxListed))
	}
	return lines
}

func openIncidents(v *correlate.View) (lines []string) {
	for i := range v.Incidents() {
		if i.Phase == event.IncidentOpen {
			lines = append(lines, "+ "+incidentLine(&i))
		}
	}
	return lines
}

func incidentLine(i *correlate.Incident) string {
	return fmt.Sprintf("%s %q %s P%d, alerts: %d", i.ID, i.Title, i.Phase, i.Priority, i.Alerts)
}

// watch looks out for incidents that must never be.
type watch struct {
	never []wantIncident
	seen  []bool
	found []Failure
}

func newWatch(never []wantIncident) *watch {
	return &watch{never: never, seen: make([]bool, len(never))}
}

// look looks at the state after an input that moved an incident, or an alert into one.
func (w *watch) look(p *player, changes []event.Change) {
	moved := map[event.IncidentID]bool{}
	for i := range changes {
		if id := changes[i].IncidentID(); id != 0 {
			moved[id] = true
		}
		if changes[i].Causes != nil {
			moved[changes[i].Causes.Incident] = true
		}
	}
	if len(moved) == 0 || len(w.never) == 0 {
		return
	}
	v := p.state.View()
	for n := range w.never {
		for _, id := range slices.Sorted(maps.Keys(moved)) {
			if !w.seen[n] {
				w.lookAt(p, v, n, id)
			}
		}
	}
}

func (w *watch) lookAt(p *player, v *correlate.View, n int, id event.IncidentID) {
	never := &w.never[n]
	i, ok := v.Incident(id)
	if !ok || i.Phase == event.PhaseMerged || !never.means(v, &i) || len(never.misses(v, &i)) > 0 {
		return
	}
	w.seen[n] = true
	w.found = append(w.found, Failure{File: never.at.File, Line: never.at.Line, Col: never.at.Col,
		Message: fmt.Sprintf("at %s: there is %s, which must never be", spanWords(p.now-p.start), incidentLine(&i))})
}
