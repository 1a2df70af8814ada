// Package settings reads the file that says who is told: receivers, contacts, teams with rotations, quiet hours and escalation, and
// routes. Every mistake is found at once, with its place. A Settings does not change after Parse; any goroutine may use it.
package settings

import (
	"cmp"
	"slices"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/tocsin-noc/tocsin/notify/message"
	"github.com/tocsin-noc/tocsin/notify/oncall"
	"github.com/tocsin-noc/tocsin/notify/receivers"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Settings is the whole file.
type Settings struct {
	Templates []string // files, resolved against the file's own directory
	Allow     []string // of package outbound
	Receivers []Receiver
	Contacts  []Contact
	Teams     []Team
	Routes    []Route
	Warnings  strict.Errors
}

// Receiver is one way out.
type Receiver struct {
	receivers.Spec
	message.Override
	RateN   int           // messages in RatePer; 0: no bound
	RatePer time.Duration // 0 without a rate
}

// Contact is a person, or a group with a mailbox of its own.
type Contact struct {
	Name      string
	User      string   // login of a person: where addresses and zone come from; "" for a group
	Receivers []string // by which it is reached
	Email     string   // of a group
}

// Team is who looks after something.
type Team struct {
	Name       string
	Members    []string // contacts
	Zone       *time.Location
	Rotation   []oncall.Rotation // by contact
	Quiet      oncall.Quiet
	Escalation []Step
}

// Step is one stage of an escalation. It is due After the beginning, by priority.
type Step struct {
	After  [6]time.Duration // by priority 1–5
	Notify []Whom
}

// Whom is whom a step tells.
type Whom struct {
	Kind WhomKind
	Name string // of a contact or a receiver
}

// WhomKind is what a step's word names.
type WhomKind uint8

// Kinds of address.
const (
	OnCall      WhomKind = iota + 1 // who is on call in the team
	Members                         // everybody in it
	ToContact                       // Name
	ToReceivers                     // the receiver Name
)

// Route sends what matches somewhere. The first that matches is taken, in the order of the file, the deepest first.
type Route struct {
	Tenants, Teams, Services []string
	Priorities               []int // none: those of the route above, at the top 1 and 2
	Match                    labels.Matchers
	Events                   []message.Event // none: all
	Team                     string
	Receivers                []string
	Continue                 bool
	Routes                   []Route
	Place                    strict.Place
}

// Query is what routes are asked about.
type Query struct {
	Tenant, Team string
	Service      string // "": that of the label
	Priority     int
	Label        func(name string) string // asked only where a route wants to know; nil: none
	Event        message.Event
}

func (q *Query) label(name string) string {
	if q.Label == nil {
		return ""
	}
	return q.Label(name)
}

// Target is where a route sends something: to a team's escalation, and to receivers at once.
type Target struct {
	Team      string
	Receivers []string
	Route     strict.Place // for people
}

// defaultPriorities are told when no route says otherwise.
func defaultPriorities() []int { return []int{1, 2} }

// Route returns where something goes, in the order of the file; nothing when no route takes it.
func (s *Settings) Route(q Query) (out []Target) {
	routes(s.Routes, defaultPriorities(), Target{}, q, &out)
	return out
}

// routes appends the targets of the first route of a list that takes q, and of those after it as long as they say continue. It
// tells whether one took it.
func routes(list []Route, priorities []int, above Target, q Query, out *[]Target) (taken bool) {
	for i := range list {
		r := &list[i]
		mine := priorities
		if len(r.Priorities) > 0 {
			mine = r.Priorities
		}
		if !r.matches(q) {
			continue
		}
		target := Target{r.Team, r.Receivers, r.Place}
		if target.Team == "" {
			target.Team = above.Team
		}
		if len(target.Receivers) == 0 {
			target.Receivers = above.Receivers
		}
		if !routes(r.Routes, mine, target, q, out) && slices.Contains(mine, q.Priority) && (target.Team != "" || len(target.Receivers) > 0) {
			*out = append(*out, target)
		}
		taken = true
		if !r.Continue {
			return true
		}
	}
	return taken
}

func (r *Route) matches(q Query) bool {
	in := func(list []string, v string) bool { return len(list) == 0 || slices.Contains(list, v) }
	if !in(r.Tenants, q.Tenant) || !in(r.Teams, q.Team) {
		return false
	}
	if len(r.Events) > 0 && !slices.Contains(r.Events, q.Event) {
		return false
	}
	if len(r.Services) > 0 && !slices.Contains(r.Services, cmp.Or(q.Service, q.label("service"))) {
		return false
	}
	for _, m := range r.Match {
		if !m.Matches(q.label(m.Name)) {
			return false
		}
	}
	return true
}

// Receiver returns the receiver of that name, nil when there is none.
func (s *Settings) Receiver(name string) *Receiver {
	return named(s.Receivers, func(r *Receiver) bool { return r.Name == name })
}

// Contact returns the contact of that name, nil when there is none.
func (s *Settings) Contact(name string) *Contact {
	return named(s.Contacts, func(c *Contact) bool { return c.Name == name })
}

// Team returns the team of that name, nil when there is none.
func (s *Settings) Team(name string) *Team {
	return named(s.Teams, func(t *Team) bool { return t.Name == name })
}

func named[T any](list []T, is func(*T) bool) *T {
	for i := range list {
		if is(&list[i]) {
			return &list[i]
		}
	}
	return nil
}

// Schedule returns a team's on-call with these overrides.
func (t *Team) Schedule(overrides []oncall.Override) *oncall.Schedule {
	return &oncall.Schedule{Zone: t.Zone, Layers: t.Rotation, Overrides: overrides}
}

// Steps returns the team's escalation: the one of the file, else by default who is on call (or everybody) at once, and everybody
// after 5 min at priority 1 and 15 min at priority 2.
func (t *Team) Steps() []Step {
	if len(t.Escalation) > 0 {
		return t.Escalation
	}
	first := Step{Notify: []Whom{{Kind: Members}}}
	if len(t.Rotation) > 0 {
		first.Notify[0].Kind = OnCall
	}
	if len(t.Rotation) == 0 {
		return []Step{first}
	}
	return []Step{first, {After: DefaultAfter(), Notify: []Whom{{Kind: Members}}}}
}

// DefaultAfter is how long the machine waits for an acknowledgement before the next contact is told.
func DefaultAfter() [6]time.Duration {
	return [6]time.Duration{0, 5 * time.Minute, 15 * time.Minute, time.Hour, time.Hour, time.Hour}
}
