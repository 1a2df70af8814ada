package rulecheck

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/alertmanager/pkg/labels"
	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// wantIncident is an incident as it must be, or must never be. What is not said may be anything.
type wantIncident struct {
	at, titleAt, membersAt, priorityAt, teamAt, severityAt, phaseAt, ackAt, alertsAt strict.Place

	title    string
	pattern  *regexp.Regexp      // of the title
	match    []*labels.Matcher   // some alert of it is so
	members  [][]*labels.Matcher // every alert of it matches one of these, and each of these some alert
	cause    wantCause
	priority string
	team     *string
	severity string
	phase    string
	acked    *bool
	alerts   int // in it, -1: any number
}

func (w *wantIncident) value(r *strict.Reader, n *yaml.Node) {
	w.at, w.alerts = r.Place(n), -1
	pattern, team, acked := "", "", false
	var teamSaid, ackSaid strict.Place
	strict.Mapping(append(w.cause.fields(),
		strict.Field{Key: "title", Value: placed(&w.titleAt, strict.Word(&w.title))},
		strict.Field{Key: "title_matches", Value: placed(&w.titleAt, strict.Scalar(func(s string) (err error) {
			pattern = s
			if _, err = regexp.Compile(s); err != nil {
				return fmt.Errorf("must be a regular expression: %w", err)
			}
			w.pattern, err = regexp.Compile("^(?:" + s + ")$")
			return err
		}))},
		strict.Field{Key: "match", Value: matchers(&w.match)},
		strict.Field{Key: "members", Value: placed(&w.membersAt, strict.List(&w.members, func(ms *[]*labels.Matcher) strict.Value { return matchers(ms) }))},
		strict.Field{Key: "alerts", Value: placed(&w.alertsAt, strict.Int(&w.alerts, 0, 1_000_000))},
		strict.Field{Key: "priority", Value: placed(&w.priorityAt, strict.OneOf(&w.priority, "P1", "P2", "P3", "P4", "P5"))},
		strict.Field{Key: "team", Value: placed(&teamSaid, strict.Text(&team))},
		strict.Field{Key: "severity", Value: placed(&w.severityAt, strict.OneOf(&w.severity, severities()...))},
		strict.Field{Key: "phase", Value: placed(&w.phaseAt, strict.OneOf(&w.phase, phases()...))},
		strict.Field{Key: "acknowledged", Value: placed(&ackSaid, strict.Bool(&acked))},
	)...)(r, n)
	if teamSaid.Line > 0 {
		w.team, w.teamAt = &team, teamSaid
	}
	if ackSaid.Line > 0 {
		w.acked, w.ackAt = &acked, ackSaid
	}
	if w.title != "" && pattern != "" {
		r.ProblemAt(n, "title_matches", "title and title_matches say the same", "keep one of the two")
	}
}

func severities() (names []string) {
	for s := event.Critical; s <= event.Info; s++ {
		names = append(names, s.String())
	}
	return names
}

func phases() (names []string) {
	for p := event.IncidentOpen; p <= event.PhaseMerged; p++ {
		names = append(names, p.String())
	}
	return names
}

// named are the incidents that an expectation means: by title, and by an alert that is in them.
func (w *wantIncident) means(v *correlate.View, i *correlate.Incident) bool {
	switch {
	case w.title != "" && i.Title != w.title, w.pattern != nil && !w.pattern.MatchString(i.Title):
		return false
	case len(w.match) == 0:
		return true
	}
	for a := range v.Members(i.ID) {
		if matches(w.match, a.Labels()) {
			return true
		}
	}
	return false
}

// words say which incident is meant.
func (w *wantIncident) words() string {
	var parts []string
	if w.title != "" {
		parts = append(parts, fmt.Sprintf("with the title %q", w.title))
	}
	if w.pattern != nil {
		parts = append(parts, fmt.Sprintf("with a title like %q", strings.TrimSuffix(strings.TrimPrefix(w.pattern.String(), "^(?:"), ")$")))
	}
	if len(w.match) > 0 {
		parts = append(parts, "with an alert "+matcherWords(w.match))
	}
	return strings.Join(parts, " and ")
}

// miss is one thing that is not as expected.
type miss struct {
	at     strict.Place
	what   string
	detail []string // members that are missing (-) and those that are too many (+)
}

func (m *miss) differs(what, want, got string) {
	m.what = fmt.Sprintf("%s: expected %s, got %s", what, orNone(want), orNone(got))
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// misses lists in what an incident is not as it must be.
func (w *wantIncident) misses(v *correlate.View, i *correlate.Incident) (list []miss) {
	check := func(said bool, at strict.Place, what, want, got string) {
		if said && want != got {
			m := miss{at: at}
			m.differs(what, want, got)
			list = append(list, m)
		}
	}
	check(w.priority != "", w.priorityAt, "priority", w.priority, fmt.Sprintf("P%d", i.Priority))
	check(w.severity != "", w.severityAt, "severity", w.severity, i.Severity.String())
	check(w.phase != "", w.phaseAt, "phase", w.phase, i.Phase.String())
	if w.team != nil {
		check(true, w.teamAt, "team", *w.team, i.Team)
	}
	if w.acked != nil {
		check(true, w.ackAt, "acknowledged", fmt.Sprint(*w.acked), fmt.Sprint(i.AckedAt != 0))
	}
	causes, _ := v.Causes(i.ID)
	list = append(list, w.cause.misses(&causes)...)
	check(w.alerts >= 0, w.alertsAt, "alerts", fmt.Sprint(w.alerts), fmt.Sprint(i.Alerts))
	if m := w.missesMembers(v, i); m != nil {
		list = append(list, *m)
	}
	return list
}

func (w *wantIncident) missesMembers(v *correlate.View, i *correlate.Incident) *miss {
	if w.membersAt.Line == 0 {
		return nil
	}
	found := make([]bool, len(w.members))
	var tooMany []string
	for a := range v.Members(i.ID) {
		ls, wanted := a.Labels(), false
		for n, ms := range w.members {
			if matches(ms, ls) {
				found[n], wanted = true, true
			}
		}
		if !wanted {
			tooMany = append(tooMany, "+ "+ls.String())
		}
	}
	var missing []string
	for n, ms := range w.members {
		if !found[n] {
			missing = append(missing, "- "+matcherWords(ms))
		}
	}
	if len(missing)+len(tooMany) == 0 {
		return nil
	}
	slices.Sort(tooMany)
	return &miss{at: w.membersAt, what: "members: - expected and not in it, + in it and not expected", detail: append(missing, tooMany...)}
}

// wantAlert says how every alert that matches must be; there must be one.
type wantAlert struct {
	at, reasonAt, phaseAt, quietAt, incidentAt, ciAt, severityAt strict.Place

	match    []*labels.Matcher
	reason   string
	phase    string
	severity string
	quiet    *bool
	incident *bool // it is in one
	ci       string
}

func (w *wantAlert) value(r *strict.Reader, n *yaml.Node) {
	w.at = r.Place(n)
	quiet, inIncident := false, false
	strict.Mapping(
		strict.Field{Key: "match", Value: matchers(&w.match), Required: true},
		strict.Field{Key: "reason", Value: placed(&w.reasonAt, strict.OneOf(&w.reason, reasons()...))},
		strict.Field{Key: "phase", Value: placed(&w.phaseAt, strict.OneOf(&w.phase, event.Firing.String(), event.Cleared.String(), event.Expired.String()))},
		strict.Field{Key: "severity", Value: placed(&w.severityAt, strict.OneOf(&w.severity, severities()...))},
		strict.Field{Key: "quiet", Value: placed(&w.quietAt, strict.Bool(&quiet))},
		strict.Field{Key: "in_incident", Value: placed(&w.incidentAt, strict.Bool(&inIncident))},
		strict.Field{Key: "ci", Value: placed(&w.ciAt, strict.Word(&w.ci))},
	)(r, n)
	if w.quietAt.Line > 0 {
		w.quiet = &quiet
	}
	if w.incidentAt.Line > 0 {
		w.incident = &inIncident
	}
}

// reasons lists the names of all reasons why an alert is where it is.
func reasons() (names []string) {
	for r := event.ReasonOpened; r.String() != "unknown"; r++ {
		names = append(names, r.String())
	}
	return names
}

// misses lists what is not as expected of an alert.
func (w *wantAlert) misses(a correlate.Alert) (list []miss) {
	st := a.State()
	check := func(said bool, at strict.Place, what, want, got string) {
		if said && want != got {
			m := miss{at: at}
			m.differs(what, want, got)
			list = append(list, m)
		}
	}
	check(w.reason != "", w.reasonAt, "reason", w.reason, st.Reason.String())
	check(w.phase != "", w.phaseAt, "phase", w.phase, st.Phase.String())
	check(w.severity != "", w.severityAt, "severity", w.severity, st.Severity.String())
	if w.quiet != nil {
		check(true, w.quietAt, "quiet", fmt.Sprint(*w.quiet), fmt.Sprint(st.Suppressed))
	}
	if w.incident != nil {
		check(true, w.incidentAt, "in_incident", fmt.Sprint(*w.incident), fmt.Sprint(st.Incident != 0))
	}
	if w.ci != "" {
		id, _, _ := a.CI()
		check(true, w.ciAt, "ci", w.ci, id)
	}
	return list
}
