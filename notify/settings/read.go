package settings

import (
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/prometheus/alertmanager/matcher/parse"
	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/internal/outbound"
	"github.com/tocsin-noc/tocsin/internal/zoneinfo"
	"github.com/tocsin-noc/tocsin/notify/message"
	"github.com/tocsin-noc/tocsin/notify/oncall"
	"github.com/tocsin-noc/tocsin/notify/receivers"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Parse reads the text of file, and the files that it names where mistakes in them would keep the daemon from starting. The error
// is of type strict.Errors and holds every problem.
func Parse(file string, text []byte) (*Settings, error) {
	rd := &reader{s: &Settings{}, file: file, dir: filepath.Dir(file), names: map[string]strict.Place{}}
	problems := strict.Read(file, text, expanded(len(text), rd.whole()))
	rd.later = append(rd.later, rd.checkRoutes)
	for _, check := range rd.later {
		problems = append(problems, check()...)
	}
	problems.Sort()
	problems = slices.Compact(problems) // what stands behind an anchor is read once for each alias
	for i := range problems {
		problems[i].Message, problems[i].Hint = discreet(problems[i].Message), discreet(problems[i].Hint)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	rd.s.Warnings.Sort()
	return rd.s, nil
}

// discreet leaves out what follows a URL's scheme: wherever the file holds a URL, also where it does not belong, it may hold a token.
func discreet(text string) string {
	return regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)[^"]+`).ReplaceAllString(text, "$1…")
}

// reader turns one file into Settings.
type reader struct {
	s     *Settings
	file  string
	dir   string
	names map[string]strict.Place // of receivers and contacts: steps name either
	later []func() strict.Errors  // what can be checked only when all names are known
}

func (rd *reader) whole() strict.Value {
	s := rd.s
	return strict.Mapping(
		strict.Field{Key: "templates", Value: strict.List(&s.Templates, func(dst *string) strict.Value {
			return strict.Scalar(func(path string) error {
				*dst = rd.resolve(path)
				text, err := os.ReadFile(*dst)
				if err != nil {
					return fmt.Errorf("must be the name of a file that can be read: %w", err)
				}
				return parsed(filepath.Base(path), string(text))
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
			if _, err := outbound.New([]string{text}); err != nil {
				return errors.New("must be a host name, *.example.org, an address or a CIDR, without scheme and port")
			}
			return nil
		})
	})(sr, n)
}

func (rd *reader) receiver(r *Receiver, sr *strict.Reader, n *yaml.Node) {
	sound := false
	fields := []strict.Field{
		{Key: "name", Value: rd.ownName(&r.Name), Required: true},
		{Key: "rate", Value: rate(r)},
		{Key: "title", Value: template(&r.Title)},
		{Key: "text", Value: template(&r.Text)},
	}
	for _, kind := range receivers.Kinds() {
		fields = append(fields, strict.Field{Key: kind, Value: func(sr *strict.Reader, n *yaml.Node) {
			if r.Kind != "" {
				sr.Problem(n, "a receiver has one kind; this one is "+r.Kind+" already", "make a second receiver and name both where they are needed")
				return
			}
			if n.Tag == "!!null" { // its fields are commented out
				n = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: n.Line, Column: n.Column}
			}
			r.Kind, r.Config, r.Dir = kind, n, rd.dir
			sound = checkKind(kind, sr, n)
		}})
	}
	strict.Mapping(fields...)(sr, n)
	switch {
	case r.Name == "": // reported as missing
	case r.Kind == "":
		sr.ProblemAt(n, r.Name, "the receiver has no kind", "give it one of "+strings.Join(receivers.Kinds(), ", "))
	case sound:
		policy, err := outbound.New(nil)
		if err == nil {
			_, err = receivers.New(r.Spec, receivers.Options{Outbound: policy, Logger: slog.New(slog.DiscardHandler)})
		}
		if err != nil {
			sr.ProblemAt(r.Config, r.Kind, strings.TrimPrefix(err.Error(), fmt.Sprintf("%s: receiver %s: %s: ", receivers.ErrConfig, r.Name, r.Kind)), "")
		}
	}
}

// template reads a wording of a receiver's own.
func template(dst *string) strict.Value {
	return strict.Scalar(func(text string) error {
		*dst = text
		return parsed("text", text)
	})
}

// parsed tells whether text is a template that the daemon could start with.
func parsed(name, text string) error {
	if _, err := message.New("", []message.Source{{Name: name, Text: text}}, nil); err != nil {
		return errors.New("must be a template: " + strings.TrimPrefix(err.Error(), "message: template: "))
	}
	return nil
}

// name reads the name of something. Names are parts of keys in the outbox, which bounds them.
func name(dst *string) strict.Value {
	return strict.Scalar(func(text string) error {
		switch {
		case strings.TrimSpace(text) == "":
			return errors.New("must not be empty")
		case strings.TrimSpace(text) != text || strings.ContainsFunc(text, unicode.IsControl):
			return errors.New("must be one line without spaces around it")
		case len(text) > 200:
			return errors.New("must be at most 200 bytes long")
		}
		*dst = text
		return nil
	})
}

// ownName reads the name of a receiver or contact, which nothing else may have that a step can name.
func (rd *reader) ownName(dst *string) strict.Value {
	return func(sr *strict.Reader, n *yaml.Node) {
		name(dst)(sr, n)
		first, taken := rd.names[*dst]
		switch {
		case *dst == "": // reported
		case *dst == "oncall" || *dst == "team":
			sr.Problem(n, fmt.Sprintf("%q has a meaning of its own in escalations", *dst), "choose another name")
		case taken:
			sr.Problem(n, fmt.Sprintf("the name %q is taken by another receiver or contact; first on line %d", *dst, first.Line), "choose another name")
		default:
			rd.names[*dst] = sr.Place(n)
		}
	}
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

// filled refuses a list that names nothing: whoever wrote its key meant something by it.
func filled(list strict.Value) strict.Value {
	return func(sr *strict.Reader, n *yaml.Node) {
		if n.Kind == yaml.SequenceNode && len(n.Content) == 0 || n.Tag == "!!null" {
			sr.Problem(n, "must name at least one", "a list that is empty, or a key without a value, would say nothing")
			return
		}
		list(sr, n)
	}
}

func words(dst *[]string) strict.Value {
	return filled(strict.List(dst, func(s *string) strict.Value { return strict.Word(s) }))
}

func (rd *reader) contact(c *Contact, sr *strict.Reader, n *yaml.Node) {
	strict.Mapping(
		strict.Field{Key: "name", Value: rd.ownName(&c.Name), Required: true},
		strict.Field{Key: "user", Value: strict.Word(&c.User)},
		strict.Field{Key: "email", Value: strict.Scalar(func(text string) error {
			c.Email = text
			if _, err := mail.ParseAddressList(text); err != nil {
				return errors.New("must be an e-mail address, as in ann@example.org")
			}
			return nil
		})},
		strict.Field{Key: "receivers", Value: rd.known(&c.Receivers, "receivers", rd.receivers()), Required: true},
	)(sr, n)
	place := sr.Place(n)
	rd.later = append(rd.later, func() (problems strict.Errors) {
		for _, name := range c.Receivers {
			if r := rd.s.Receiver(name); r != nil && receivers.Addressed(r.Kind) == "email" && c.User == "" && c.Email == "" {
				problems = append(problems, strict.Problem{Place: place, Key: "receivers",
					Message: fmt.Sprintf("the contact has no address for %q: nothing would reach it", name), Hint: "give it an email, or the user whose address holds"})
			}
		}
		return problems
	})
}

// defined is what names of one sort stand for.
type defined struct {
	sort string // "contact"
	all  func() []string
}

func (rd *reader) receivers() defined {
	return defined{"receiver", func() []string { return namesOf(rd.s.Receivers, func(r *Receiver) string { return r.Name }) }}
}

func (rd *reader) contacts() defined {
	return defined{"contact", func() []string { return namesOf(rd.s.Contacts, func(c *Contact) string { return c.Name }) }}
}

func (rd *reader) teams() defined {
	return defined{"team", func() []string { return namesOf(rd.s.Teams, func(t *Team) string { return t.Name }) }}
}

func namesOf[T any](list []T, of func(*T) string) []string {
	out := make([]string, len(list))
	for i := range list {
		out[i] = of(&list[i])
	}
	return out
}

// known reads a list of names that the file must define.
func (rd *reader) known(dst *[]string, key string, in defined) strict.Value {
	return filled(strict.List(dst, func(s *string) strict.Value { return rd.knownOne(s, key, in) }))
}

// knownOne reads a name and looks it up when the whole file has been read.
func (rd *reader) knownOne(dst *string, key string, in defined) strict.Value {
	return func(sr *strict.Reader, n *yaml.Node) {
		strict.Word(dst)(sr, n)
		if *dst == "" {
			return // reported
		}
		name, place := *dst, sr.Place(n)
		rd.later = append(rd.later, func() strict.Errors {
			all := in.all()
			if slices.Contains(all, name) {
				return nil
			}
			return strict.Errors{{Place: place, Key: key, Message: fmt.Sprintf("there is no %s %q", in.sort, name), Hint: rd.instead(name, in.sort, all)}}
		})
	}
}

// instead says what could have been meant by a name that is not defined as what it is used for.
func (rd *reader) instead(name, sort string, all []string) string {
	for _, other := range []defined{rd.receivers(), rd.contacts(), rd.teams()} {
		if slices.Contains(other.all(), name) {
			return fmt.Sprintf("%s is a %s; here stands a %s", name, other.sort, sort)
		}
	}
	if len(all) == 0 {
		return fmt.Sprintf("the file defines no %s", sort)
	}
	const few = 8
	list := strings.Join(all[:min(few, len(all))], ", ")
	if len(all) > few {
		list += ", …"
	}
	return "known here: " + list
}

// zone reads the name of a time zone.
func zone(dst **time.Location) strict.Value {
	return strict.Scalar(func(text string) error {
		z, _, err := zoneinfo.Load(text)
		if err != nil || text == "" {
			return errors.New("no such time zone: must be a name of the IANA database, as in Europe/Berlin")
		}
		*dst = z
		return nil
	})
}

func (rd *reader) team(t *Team, sr *strict.Reader, n *yaml.Node) {
	t.Zone = time.UTC
	var before *Step
	strict.Mapping(
		strict.Field{Key: "name", Value: name(&t.Name), Required: true},
		strict.Field{Key: "members", Value: rd.known(&t.Members, "members", rd.contacts())},
		strict.Field{Key: "zone", Value: zone(&t.Zone)},
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
			return func(sr *strict.Reader, n *yaml.Node) {
				rd.step(t, before, s, sr, n)
				before = s
			}
		})},
	)(sr, n)
	t.Quiet.Zone = t.Zone
	if i := slices.IndexFunc(rd.s.Teams, func(o Team) bool { return o.Name == t.Name }); t.Name != "" && i >= 0 && &rd.s.Teams[i] != t {
		sr.ProblemAt(n, "name", fmt.Sprintf("the team %q stands in the file twice", t.Name), "")
	}
	switch {
	case len(t.Members) > 0:
	case len(t.Rotation) == 0 && len(t.Escalation) == 0:
		sr.ProblemAt(n, "members", "the team has no members, no rotation and no escalation: nobody would be told", "")
	case len(t.Escalation) == 0:
		sr.ProblemAt(n, "members", "the team has no members, whom the second step would tell", "name them, or write an escalation")
	}
}

func (rd *reader) layer(r *oncall.Rotation, sr *strict.Reader, n *yaml.Node) {
	r.Days = 7
	strict.Mapping(
		strict.Field{Key: "members", Value: rd.known(&r.Members, "members", rd.contacts()), Required: true},
		strict.Field{Key: "start", Value: strict.Scalar(func(text string) error {
			t, err := time.Parse("2006-01-02 15:04", text)
			if err != nil || t.Year() < 1970 || t.Year() > 2100 { // shifts are counted from it
				return errors.New("must be a date and a time of the team's zone, as in 2026-11-16 09:00")
			}
			r.Start = oncall.Wall{Year: t.Year(), Month: t.Month(), Day: t.Day(), Hour: t.Hour(), Minute: t.Minute()}
			return nil
		}), Required: true},
		strict.Field{Key: "zone", Value: zone(&r.Zone)},
		strict.Field{Key: "length", Value: strict.Scalar(func(text string) error { return length(r, text) })},
		strict.Field{Key: "only", Value: intervals(&r.Only)},
	)(sr, n)
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

func (rd *reader) step(t *Team, before, s *Step, sr *strict.Reader, n *yaml.Node) {
	strict.Mapping(
		strict.Field{Key: "after", Value: func(sr *strict.Reader, n *yaml.Node) {
			after(&s.After)(sr, n)
			if before == nil && slices.Max(s.After[:]) > 0 {
				sr.Problem(n, "the first step is taken at once", "leave after out, or put a step in front that tells somebody at once")
			}
		}},
		strict.Field{Key: "notify", Value: filled(strict.List(&s.Notify, func(w *Whom) strict.Value { return rd.whom(t, w) })), Required: true},
	)(sr, n)
	if before != nil {
		order(before, s, sr, n)
	}
}

// order refuses a step that is not due after the one before it: steps are taken one after the other. A span that was reported as
// wrong is negative.
func order(before, s *Step, sr *strict.Reader, n *yaml.Node) {
	for p := 1; p <= 5 && s.After[1] >= 0; p++ {
		// Those of a lower priority, which most leave out, may be due together.
		if s.After[p] < before.After[p] || s.After[p] == before.After[p] && p <= 2 {
			sr.ProblemAt(n, "after", fmt.Sprintf("at priority %d the step is due after %s, no later than the step before it (%s)",
				p, model.Duration(s.After[p]), model.Duration(before.After[p])), "after counts from the beginning")
			return
		}
	}
}

// whom reads one word of a step.
func (rd *reader) whom(t *Team, w *Whom) strict.Value {
	return func(sr *strict.Reader, n *yaml.Node) {
		strict.Word(&w.Name)(sr, n)
		if w.Name == "" {
			return // reported
		}
		place := sr.Place(n)
		rd.later = append(rd.later, func() strict.Errors {
			problem := strict.Problem{Place: place, Key: "notify"}
			switch {
			case w.Name == "oncall":
				w.Kind = OnCall
			case w.Name == "team":
				w.Kind = Members
			case rd.s.Contact(w.Name) != nil:
				w.Kind = ToContact
			case rd.s.Receiver(w.Name) != nil:
				w.Kind = ToReceivers
			default:
				problem.Message = fmt.Sprintf("there is no contact or receiver %q", w.Name)
				all := slices.Concat([]string{"oncall", "team"}, rd.contacts().all(), rd.receivers().all())
				problem.Hint = rd.instead(w.Name, "contact, a receiver, oncall or team", all)
				return strict.Errors{problem}
			}
			if len(t.Members) == 0 && (w.Kind == Members || w.Kind == OnCall) {
				problem.Message = fmt.Sprintf("%s would reach nobody: the team has no members", w.Name)
				problem.Hint = "give the team members; they are told too when nobody is on call"
				return strict.Errors{problem}
			}
			return nil
		})
	}
}

// after reads one duration for every priority, or a mapping P1: 5m, P2: 15m.
func after(dst *[6]time.Duration) strict.Value {
	return func(sr *strict.Reader, n *yaml.Node) {
		if n.Kind == yaml.ScalarNode {
			d := time.Duration(-1) // none was read
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
		strict.Field{Key: "priorities", Value: filled(strict.List(&r.Priorities, func(p *int) strict.Value { return strict.Int(p, 1, 5) }))},
		strict.Field{Key: "events", Value: filled(strict.List(&r.Events, func(e *message.Event) strict.Value { return strict.OneOf(e, message.Events()...) }))},
		strict.Field{Key: "match", Value: func(sr *strict.Reader, n *yaml.Node) {
			var texts []string
			filled(strict.List(&texts, func(s *string) strict.Value {
				return strict.Scalar(func(text string) error {
					ms, err := parse.Matchers(text)
					if err == nil && len(ms) == 0 {
						err = errors.New("must be a matcher, as in environment=\"staging\"")
					}
					r.Match = append(r.Match, ms...)
					return err
				})
			}))(sr, n)
		}},
		strict.Field{Key: "team", Value: rd.knownOne(&r.Team, "team", rd.teams())},
		strict.Field{Key: "receivers", Value: rd.known(&r.Receivers, "receivers", rd.receivers())},
		strict.Field{Key: "continue", Value: strict.Bool(&r.Continue)},
		strict.Field{Key: "routes", Value: rd.routes(&r.Routes)},
	)(sr, n)
}

// checkRoutes warns of what reads as if somebody were told and nobody is.
func (rd *reader) checkRoutes() strict.Errors {
	s := rd.s
	s.Warnings = append(s.Warnings, idle(s.Routes, false)...)
	if len(s.Route(Query{Tenant: "main", Priority: 1, Event: message.Opened})) == 0 {
		s.Warnings = append(s.Warnings, strict.Problem{Place: strict.Place{File: rd.file}, Key: "routes",
			Message: "an incident of priority 1 without labels is told to nobody", Hint: "end the list with a route that has no conditions"})
	}
	return nil
}

// idle returns a warning for each route that is never asked, and for each that takes incidents and tells nobody. told says that a
// route above tells somebody.
func idle(list []Route, told bool) (warnings strict.Errors) {
	var all *Route // the first that takes everything
	for i := range list {
		r := &list[i]
		if all != nil {
			return append(warnings, strict.Problem{Place: r.Place, Key: "routes",
				Message: fmt.Sprintf("never reached: the route on line %d takes everything", all.Place.Line), Hint: "move that one to the end, or give it continue: true"})
		}
		tells := told || r.Team != "" || len(r.Receivers) > 0
		if !tells && len(r.Routes) == 0 {
			warnings = append(warnings, strict.Problem{Place: r.Place, Key: "routes", Message: "what the route takes is told to nobody", Hint: "name a team or receivers"})
		}
		warnings = append(warnings, idle(r.Routes, tells)...)
		if r.conditions() == 0 && !r.Continue {
			all = r
		}
	}
	return warnings
}

// conditions counts what an incident must fulfil for the route to take it.
func (r *Route) conditions() int {
	return len(r.Tenants) + len(r.Teams) + len(r.Services) + len(r.Match) + len(r.Events)
}
