package settings

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/matcher/parse"
	"github.com/prometheus/alertmanager/timeinterval"
	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/internal/outbound"
	"github.com/tocsin-noc/tocsin/internal/zoneinfo"
	"github.com/tocsin-noc/tocsin/notify/message"
	"github.com/tocsin-noc/tocsin/notify/oncall"
	"github.com/tocsin-noc/tocsin/notify/receivers"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Parse reads the text of file. The error is of type strict.Errors and holds every problem.
func Parse(file string, text []byte) (*Settings, error) {
	rd := &reader{s: &Settings{}, dir: filepath.Dir(file)}
	problems := strict.Read(file, text, rd.file())
	rd.later = append(rd.later, rd.checkRoutes)
	for _, check := range rd.later {
		problems = append(problems, check()...)
	}
	problems.Sort()
	if err := problems.Err(); err != nil {
		return nil, err
	}
	rd.s.Warnings.Sort()
	return rd.s, nil
}

// reader turns one file into Settings.
type reader struct {
	s     *Settings
	dir   string
	later []func() strict.Errors // what can be checked only when all names are known
}

func (rd *reader) file() strict.Value {
	s := rd.s
	return strict.Mapping(
		strict.Field{Key: "templates", Value: strict.List(&s.Templates, func(dst *string) strict.Value {
			return strict.Scalar(func(text string) error {
				*dst = rd.resolve(text)
				return nil
			})
		})},
		strict.Field{Key: "outbound", Value: strict.Mapping(strict.Field{Key: "allow", Value: rd.allow})},
		strict.Field{Key: "receivers", Value: strict.List(&s.Receivers, func(r *Receiver) strict.Value {
			return func(sr *strict.Reader, n *yaml.Node) { rd.receiver(r, sr, n) }
		})},
		strict.Field{Key: "contacts", Value: strict.List(&s.Contacts, func(c *Contact) strict.Value {
			return func(sr *strict.Reader, n *yaml.Node) { rd.contact(c, sr, n) }
		})},
		strict.Field{Key: "teams", Value: strict.List(&s.Teams, func(t *Team) strict.Value {
			return func(sr *strict.Reader, n *yaml.Node) { rd.team(t, sr, n) }
		})},
		strict.Field{Key: "routes", Value: rd.routes(&s.Routes)},
	)
}

func (rd *reader) resolve(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(rd.dir, path)
}

func (rd *reader) allow(sr *strict.Reader, n *yaml.Node) {
	strict.List(&rd.s.Allow, func(dst *string) strict.Value {
		return strict.Scalar(func(text string) error {
			*dst = text
			_, err := outbound.New([]string{text})
			return err
		})
	})(sr, n)
}

func (rd *reader) receiver(r *Receiver, sr *strict.Reader, n *yaml.Node) {
	fields := []strict.Field{
		{Key: "name", Value: strict.Word(&r.Name), Required: true},
		{Key: "rate", Value: rate(r)},
		{Key: "title", Value: strict.Text(&r.Title)},
		{Key: "text", Value: strict.Text(&r.Text)},
	}
	for _, kind := range receivers.Kinds() {
		fields = append(fields, strict.Field{Key: kind, Value: func(sr *strict.Reader, n *yaml.Node) {
			if r.Kind != "" {
				sr.Problem(n, "a receiver has one kind; this one is "+r.Kind+" already", "make a second receiver and name both where they are needed")
				return
			}
			r.Kind, r.Config, r.Dir = kind, n, rd.dir
		}})
	}
	strict.Mapping(fields...)(sr, n)
	switch {
	case r.Name == "": // reported as missing
	case r.Kind == "":
		sr.ProblemAt(n, r.Name, "the receiver has no kind", "give it one of "+strings.Join(receivers.Kinds(), ", "))
	case rd.taken(r.Name) > 1:
		sr.ProblemAt(n, "name", fmt.Sprintf("the name %q is taken by another receiver or contact", r.Name), "")
	default:
		policy, err := outbound.New(nil)
		if err == nil {
			_, err = receivers.New(r.Spec, receivers.Options{Outbound: policy, Logger: slog.New(slog.DiscardHandler)})
		}
		if err != nil {
			sr.ProblemAt(r.Config, r.Kind, strings.TrimPrefix(err.Error(), receivers.ErrConfig.Error()+": "), "")
		}
	}
}

// taken counts the receivers and contacts of a name: steps name either.
func (rd *reader) taken(name string) (n int) {
	for i := range rd.s.Receivers {
		if rd.s.Receivers[i].Name == name {
			n++
		}
	}
	for i := range rd.s.Contacts {
		if rd.s.Contacts[i].Name == name {
			n++
		}
	}
	return n
}

// rate reads a number of messages in a time, as in 30/1m.
func rate(r *Receiver) strict.Value {
	return strict.Scalar(func(text string) error {
		count, per, ok := strings.Cut(text, "/")
		n, err := strconv.Atoi(count)
		d, spanErr := strict.ParseDuration(per, time.Second, 24*time.Hour)
		if !ok || err != nil || n < 1 || spanErr != nil {
			return errors.New("must be a number of messages in a time, as in 30/1m")
		}
		r.RateN, r.RatePer = n, d
		return nil
	})
}

func words(dst *[]string) strict.Value {
	return strict.List(dst, func(s *string) strict.Value { return strict.Word(s) })
}

func (rd *reader) contact(c *Contact, sr *strict.Reader, n *yaml.Node) {
	strict.Mapping(
		strict.Field{Key: "name", Value: strict.Word(&c.Name), Required: true},
		strict.Field{Key: "user", Value: strict.Word(&c.User)},
		strict.Field{Key: "email", Value: strict.Word(&c.Email)},
		strict.Field{Key: "receivers", Value: words(&c.Receivers), Required: true},
	)(sr, n)
	if rd.taken(c.Name) > 1 && c.Name != "" {
		sr.ProblemAt(n, "name", fmt.Sprintf("the name %q is taken by another receiver or contact", c.Name), "")
	}
	if slices.Contains([]string{"oncall", "team"}, c.Name) {
		sr.ProblemAt(n, "name", fmt.Sprintf("%q has a meaning of its own in escalations", c.Name), "choose another name")
	}
	rd.known(sr, n, "receivers", c.Receivers, "receiver", func(name string) bool { return rd.s.Receiver(name) != nil })
}

// known checks names when the whole file has been read.
func (rd *reader) known(sr *strict.Reader, n *yaml.Node, key string, names []string, what string, is func(string) bool) {
	place := sr.Place(n)
	rd.later = append(rd.later, func() (problems strict.Errors) {
		for _, name := range names {
			if !is(name) {
				problems = append(problems, strict.Problem{Place: place, Key: key, Message: fmt.Sprintf("there is no %s %q", what, name)})
			}
		}
		return problems
	})
}

func (rd *reader) isContact(name string) bool { return rd.s.Contact(name) != nil }

func (rd *reader) team(t *Team, sr *strict.Reader, n *yaml.Node) {
	t.Zone = time.UTC
	strict.Mapping(
		strict.Field{Key: "name", Value: strict.Word(&t.Name), Required: true},
		strict.Field{Key: "members", Value: words(&t.Members)},
		strict.Field{Key: "zone", Value: strict.Scalar(func(text string) (err error) {
			t.Zone, _, err = zoneinfo.Load(text)
			if err != nil {
				t.Zone = time.UTC
			}
			return err
		})},
		strict.Field{Key: "rotation", Value: strict.List(&t.Rotation, func(r *oncall.Rotation) strict.Value {
			return func(sr *strict.Reader, n *yaml.Node) { rd.layer(r, sr, n) }
		})},
		strict.Field{Key: "quiet_hours", Value: func(sr *strict.Reader, n *yaml.Node) {
			t.Quiet.Rings = 2
			strict.Mapping(
				strict.Field{Key: "only", Value: intervals(&t.Quiet.Hours), Required: true},
				strict.Field{Key: "rings", Value: strict.Int(&t.Quiet.Rings, 0, 5)},
			)(sr, n)
		}},
		strict.Field{Key: "escalation", Value: strict.List(&t.Escalation, func(s *Step) strict.Value {
			return func(sr *strict.Reader, n *yaml.Node) { rd.step(s, sr, n) }
		})},
	)(sr, n)
	t.Quiet.Zone = t.Zone
	if i := slices.IndexFunc(rd.s.Teams, func(o Team) bool { return o.Name == t.Name }); t.Name != "" && i >= 0 && &rd.s.Teams[i] != t {
		sr.ProblemAt(n, "name", fmt.Sprintf("the team %q stands in the file twice", t.Name), "")
	}
	rd.known(sr, n, "members", t.Members, "contact", rd.isContact)
	if len(t.Members) == 0 && len(t.Rotation) == 0 && len(t.Escalation) == 0 {
		sr.ProblemAt(n, "members", "the team has no members, no rotation and no escalation: nobody would be told", "")
	}
	for i := 1; i < len(t.Escalation); i++ {
		if t.Escalation[i].After[1] <= t.Escalation[i-1].After[1] {
			sr.ProblemAt(n, "escalation", fmt.Sprintf("step %d is due no later than the step before it", i+1), "after counts from the beginning")
		}
	}
}

func (rd *reader) layer(r *oncall.Rotation, sr *strict.Reader, n *yaml.Node) {
	r.Days = 7
	strict.Mapping(
		strict.Field{Key: "members", Value: words(&r.Members), Required: true},
		strict.Field{Key: "start", Value: strict.Scalar(func(text string) error {
			t, err := time.Parse("2006-01-02 15:04", text)
			if err != nil {
				return errors.New("must be a date and a time of the team's zone, as in 2026-11-16 09:00")
			}
			r.Start = oncall.Wall{Year: t.Year(), Month: t.Month(), Day: t.Day(), Hour: t.Hour(), Minute: t.Minute()}
			return nil
		}), Required: true},
		strict.Field{Key: "zone", Value: strict.Scalar(func(text string) (err error) {
			r.Zone, _, err = zoneinfo.Load(text)
			return err
		})},
		strict.Field{Key: "length", Value: strict.Scalar(func(text string) error { return length(r, text) })},
		strict.Field{Key: "only", Value: intervals(&r.Only)},
	)(sr, n)
	rd.known(sr, n, "rotation", r.Members, "contact", rd.isContact)
}

// length reads 12h, 1d or 1w: days and weeks end at the same hour of the wall clock.
func length(r *oncall.Rotation, text string) error {
	d, err := model.ParseDuration(text)
	whole := time.Duration(d)
	switch {
	case err != nil || whole < time.Hour || whole > 366*24*time.Hour || whole%time.Hour != 0:
		return errors.New("must be a number of hours, days or weeks, as in 12h, 1d or 1w")
	case whole%(24*time.Hour) == 0 && !strings.HasSuffix(text, "h"):
		r.Days, r.Hours = int(whole/(24*time.Hour)), 0
	default:
		r.Days, r.Hours = 0, int(whole/time.Hour)
	}
	return nil
}

// intervals reads Alertmanager's time intervals.
func intervals(dst *[]timeinterval.TimeInterval) strict.Value {
	return func(sr *strict.Reader, n *yaml.Node) {
		if err := n.Decode(dst); err != nil {
			sr.Problem(n, "must be a list of Alertmanager's time intervals: "+err.Error(), "as in [{weekdays: ['monday:friday'], times: [{start_time: '09:00', end_time: '17:00'}]}]")
			return
		}
		for i := range *dst {
			if (*dst)[i].Location != nil {
				sr.Problem(n, "location has no place here", "the zone of the team holds")
			}
		}
	}
}

func (rd *reader) step(s *Step, sr *strict.Reader, n *yaml.Node) {
	var names []string
	strict.Mapping(
		strict.Field{Key: "after", Value: after(&s.After)},
		strict.Field{Key: "notify", Value: words(&names), Required: true},
	)(sr, n)
	place := sr.Place(n)
	rd.later = append(rd.later, func() (problems strict.Errors) {
		for _, name := range names {
			w := Whom{Name: name}
			switch {
			case name == "oncall":
				w.Kind = OnCall
			case name == "team":
				w.Kind = Members
			case rd.isContact(name):
				w.Kind = ToContact
			case rd.s.Receiver(name) != nil:
				w.Kind = ToReceivers
			default:
				problems = append(problems, strict.Problem{Place: place, Key: "notify",
					Message: fmt.Sprintf("there is no contact or receiver %q", name), Hint: "or write oncall or team"})
				continue
			}
			s.Notify = append(s.Notify, w)
		}
		return problems
	})
}

// after reads one duration for every priority, or a mapping P1: 5m, P2: 15m.
func after(dst *[6]time.Duration) strict.Value {
	return func(sr *strict.Reader, n *yaml.Node) {
		if n.Kind == yaml.ScalarNode {
			var d time.Duration
			strict.Duration(&d, 1, 0, 24*time.Hour)(sr, n)
			for p := range dst {
				dst[p] = d
			}
			return
		}
		*dst = DefaultAfter()
		var fields []strict.Field
		for p := 1; p <= 5; p++ {
			fields = append(fields, strict.Field{Key: fmt.Sprintf("P%d", p), Value: strict.Duration(&dst[p], 1, 0, 24*time.Hour)})
		}
		strict.Mapping(fields...)(sr, n)
	}
}

func (rd *reader) routes(dst *[]Route) strict.Value {
	return strict.List(dst, func(r *Route) strict.Value {
		return func(sr *strict.Reader, n *yaml.Node) { rd.route(r, sr, n) }
	})
}

func (rd *reader) route(r *Route, sr *strict.Reader, n *yaml.Node) {
	r.Place = sr.Place(n)
	strict.Mapping(
		strict.Field{Key: "tenants", Value: words(&r.Tenants)},
		strict.Field{Key: "teams", Value: words(&r.Teams)},
		strict.Field{Key: "services", Value: words(&r.Services)},
		strict.Field{Key: "priorities", Value: strict.List(&r.Priorities, func(p *int) strict.Value { return strict.Int(p, 1, 5) })},
		strict.Field{Key: "events", Value: strict.List(&r.Events, func(e *message.Event) strict.Value { return strict.OneOf(e, message.Events()...) })},
		strict.Field{Key: "match", Value: func(sr *strict.Reader, n *yaml.Node) {
			var texts []string
			strict.List(&texts, func(s *string) strict.Value {
				return strict.Scalar(func(text string) error {
					ms, err := parse.Matchers(text)
					r.Match = append(r.Match, ms...)
					return err
				})
			})(sr, n)
		}},
		strict.Field{Key: "team", Value: strict.Word(&r.Team)},
		strict.Field{Key: "receivers", Value: words(&r.Receivers)},
		strict.Field{Key: "continue", Value: strict.Bool(&r.Continue)},
		strict.Field{Key: "routes", Value: rd.routes(&r.Routes)},
	)(sr, n)
	if r.Team != "" {
		rd.known(sr, n, "team", []string{r.Team}, "team", func(name string) bool { return rd.s.Team(name) != nil })
	}
	rd.known(sr, n, "receivers", r.Receivers, "receiver", func(name string) bool { return rd.s.Receiver(name) != nil })
}

// checkRoutes warns when an incident of priority 1 could reach nobody.
func (rd *reader) checkRoutes() strict.Errors {
	s := rd.s
	if len(s.Route(Query{Tenant: "main", Priority: 1, Event: message.Opened})) == 0 {
		s.Warnings = append(s.Warnings, strict.Problem{Key: "routes",
			Message: "an incident of priority 1 without labels is told to nobody", Hint: "end the list with a route that has no conditions"})
	}
	return nil
}
