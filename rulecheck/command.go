package rulecheck

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"
	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// asked is what a person asks for: a verb, whom it concerns, and what else belongs to that verb.
type asked struct {
	at       strict.Place
	when     event.Time
	by       string
	verb     verb
	of       []*labels.Matcher // alerts that name the incident, or that are to be quiet
	into     []*labels.Matcher // of a merge: an alert of the incident that stays
	text     string
	title    string // of a split
	verdict  string
	was      string // item that was the cause
	name     string // of a window
	cis      []string
	duration event.Time
}

// verb is one thing that a person may ask for, the keys that say more of it, and how it becomes a command.
type verb struct {
	key  string
	with []string
	fill func(p *player, a *asked, c *event.Command) error
}

func verbs() []verb {
	return []verb{
		{"acknowledge", []string{"reason"}, (*player).acknowledge},
		{"resolve", []string{"reason"}, (*player).resolve},
		{"merge", []string{"into", "reason"}, (*player).merge},
		{"split", []string{"title"}, (*player).split},
		{"judge", []string{"verdict", "was"}, (*player).judge},
		{"silence", []string{"for", "reason"}, (*player).silence},
		{"window", []string{"cis", "for", "name", "reason"}, (*player).window},
	}
}

// value reads a command.
func (a *asked) value(r *strict.Reader, n *yaml.Node) {
	a.at, a.by, a.duration = r.Place(n), "ann", event.Hour
	stand := map[string]*yaml.Node{} // keys besides at and by
	noted := func(key string, v strict.Value) strict.Field {
		return strict.Field{Key: key, Value: func(r *strict.Reader, n *yaml.Node) {
			stand[key] = n
			v(r, n)
		}}
	}
	fields := []strict.Field{
		{Key: "at", Value: span(&a.when, 0), Required: true},
		{Key: "by", Value: strict.Word(&a.by)},
		noted("into", matchers(&a.into)),
		noted("title", strict.Word(&a.title)),
		noted("verdict", strict.OneOf(&a.verdict, event.CauseRight.String(), event.CauseWrong.String())),
		noted("was", strict.Word(&a.was)),
		noted("name", strict.Word(&a.name)),
		noted("cis", strict.List(&a.cis, func(s *string) strict.Value { return strict.Word(s) })),
		noted("for", span(&a.duration, time.Second)),
		noted("reason", strict.Text(&a.text)),
	}
	for _, v := range verbs() {
		fields = append(fields, noted(v.key, matchers(&a.of)))
	}
	strict.Mapping(fields...)(r, n)
	a.check(r, n, stand)
}

// check reports what does not go together, and what is missing.
func (a *asked) check(r *strict.Reader, n *yaml.Node, stand map[string]*yaml.Node) {
	var given, names []string
	for _, v := range verbs() {
		if names = append(names, v.key); stand[v.key] != nil {
			given = append(given, v.key)
			a.verb = v
		}
	}
	if len(given) != 1 {
		last := len(names) - 1
		r.ProblemAt(n, "", "a command is one of "+strings.Join(names[:last], ", ")+" and "+names[last]+", with matchers", `as in acknowledge: ['host="db-1"']`)
		return
	}
	for _, key := range slices.Sorted(maps.Keys(stand)) {
		if key != a.verb.key && !slices.Contains(a.verb.with, key) {
			r.ProblemAt(stand[key], key, "says nothing of "+a.verb.key, a.verb.takes())
		}
	}
	switch {
	case a.verb.key == "merge" && stand["into"] == nil:
		r.ProblemAt(n, "into", "missing", "matchers of an alert in the incident that stays")
	case a.verb.key == "judge" && (stand["verdict"] == nil) == (stand["was"] == nil):
		r.ProblemAt(n, "verdict", "a verdict is right or wrong, or names the item that it was", "as in verdict: right, or was: db-1")
	case a.verb.key == "window" && len(a.cis) > 0: // it needs no matchers
	case len(a.of) == 0 && stand[a.verb.key].Kind == yaml.SequenceNode:
		r.ProblemAt(stand[a.verb.key], a.verb.key, "has no matchers", `as in acknowledge: ['host="db-1"']`)
	}
}

// takes says which keys a verb goes with.
func (v *verb) takes() string { return "it takes at, by, " + strings.Join(v.with, ", ") }

// ask carries out what a person asks for.
func (p *player) ask(a *asked) error {
	c := event.Command{Tenant: event.DefaultTenant, Actor: a.by, Text: a.text}
	if err := a.verb.fill(p, a, &c); err != nil {
		return err
	}
	res, err := p.step(&event.Input{Kind: event.InputCommand, Command: &c})
	switch {
	case err != nil:
		return err
	case res.Err != nil:
		return a.fails(res.Err.Error())
	case c.Kind == event.Merge && res.Number != 0:
		return a.fails(fmt.Sprintf("the merge is only proposed: both incidents are somebody's, and %s is not who has both", a.by))
	}
	return nil
}

func (p *player) acknowledge(a *asked, c *event.Command) error {
	c.Kind = event.Acknowledge
	return p.ofIncident(a, c)
}

func (p *player) resolve(a *asked, c *event.Command) error {
	c.Kind = event.Resolve
	return p.ofIncident(a, c)
}

// ofIncident puts down which open incident a command concerns.
func (p *player) ofIncident(a *asked, c *event.Command) error {
	id, err := p.open(a, a.of)
	c.Incident = uint64(id)
	return err
}

func (p *player) merge(a *asked, c *event.Command) error {
	goes, err := p.open(a, a.of)
	if err != nil {
		return err
	}
	stays, err := p.open(a, a.into)
	c.Kind, c.Incident, c.Other = event.Merge, uint64(stays), uint64(goes)
	return err
}

// split takes all matching alerts out of the incident that holds them.
func (p *player) split(a *asked, c *event.Command) error {
	c.Kind, c.Text = event.Split, a.title
	if err := p.ofIncident(a, c); err != nil {
		return err
	}
	for alert := range p.state.View().Members(event.IncidentID(c.Incident)) {
		if matches(a.of, alert.Labels()) {
			c.Alerts = append(c.Alerts, alert.State().ID)
		}
	}
	return nil
}

// judge says what the cause was; of an incident that is over, too.
func (p *player) judge(a *asked, c *event.Command) error {
	id := p.holds(a.of, event.IncidentOpen)
	if id == 0 {
		id = p.holds(a.of, event.IncidentDone)
	}
	if id == 0 {
		return a.fails("no incident that is open or resolved holds an alert " + matcherWords(a.of))
	}
	c.Kind, c.Incident = event.JudgeCause, uint64(id)
	verdict := event.CauseOther
	switch a.verdict {
	case event.CauseRight.String():
		verdict = event.CauseRight
	case event.CauseWrong.String():
		verdict = event.CauseWrong
	}
	c.Number, c.Text = uint32(verdict), a.was
	return nil
}

func (p *player) silence(a *asked, c *event.Command) error {
	c.Kind = event.SetSilence
	c.Silence = &event.Silence{StartsAt: p.now, EndsAt: p.now + a.duration, CreatedBy: a.by, Comment: a.text, Matchers: asEvents(a.of)}
	return nil
}

func (p *player) window(a *asked, c *event.Command) error {
	c.Kind = event.SetWindow
	c.Window = &event.Window{
		Name: cmp.Or(a.name, "maintenance"), Reason: cmp.Or(a.text, "planned"), CreatedBy: a.by,
		StartsAt: p.now, EndsAt: p.now + a.duration, Matchers: asEvents(a.of), CIs: a.cis,
	}
	return nil
}

func (a *asked) fails(why string) error {
	return strict.Errors{{Place: a.at, Message: fmt.Sprintf("at %s: %s", spanWords(a.when), why)}}
}

// open returns the open incident that holds a matching alert, the newest of several.
func (p *player) open(a *asked, ms []*labels.Matcher) (event.IncidentID, error) {
	if id := p.holds(ms, event.IncidentOpen); id != 0 {
		return id, nil
	}
	return 0, a.fails("no open incident holds an alert " + matcherWords(ms))
}

// holds returns the newest incident in a phase that holds a matching alert, 0 when there is none.
func (p *player) holds(ms []*labels.Matcher, phase event.IncidentPhase) event.IncidentID {
	v := p.state.View()
	for i := range v.Incidents() {
		if i.Phase != phase {
			continue
		}
		for a := range v.Members(i.ID) {
			if matches(ms, a.Labels()) {
				return i.ID
			}
		}
	}
	return 0
}

func asEvents(ms []*labels.Matcher) (out []event.Matcher) {
	for _, m := range ms {
		out = append(out, event.Matcher{
			Name: m.Name, Value: m.Value,
			IsRegex: m.Type == labels.MatchRegexp || m.Type == labels.MatchNotRegexp, IsEqual: m.Type == labels.MatchEqual || m.Type == labels.MatchRegexp,
		})
	}
	return out
}
