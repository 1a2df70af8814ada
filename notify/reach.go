package notify

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/notify/message"
	"github.com/tocsin-noc/tocsin/notify/receivers"
	"github.com/tocsin-noc/tocsin/notify/settings"
)

// told is a receiver that is told something.
type told struct {
	Receiver string   `json:"receiver"`
	Team     string   `json:"team,omitempty"`    // in whose name; "" when a route names the receiver
	To       []string `json:"to,omitempty"`      // addresses
	Who      []string `json:"who,omitempty"`     // contacts
	Nowhere  bool     `json:"nowhere,omitempty"` // the receiver needs an address of theirs, and they have none
}

// covers tells whether everybody whom o reaches is reached by t too.
func (t told) covers(o told) bool {
	if !t.alike(o) {
		return false
	}
	for _, to := range o.To {
		if !slices.Contains(t.To, to) {
			return false
		}
	}
	return true
}

// alike tells whether one message can be for both: where the receiver's own configuration says where it goes is another place
// than where people have an address, and who has none is reached nowhere.
func (t told) alike(o told) bool {
	return t.Receiver == o.Receiver && t.Nowhere == o.Nowhere && (len(t.To) == 0) == (len(o.To) == 0)
}

// addressee is where a route sends something: a team, or a receiver.
type addressee struct {
	team     *settings.Team
	receiver string
}

// name is the addressee's in the outbox.
func (a addressee) name() string {
	if a.team != nil {
		return "team/" + a.team.Name
	}
	return "receiver/" + a.receiver
}

// teamOf returns the team that an addressee's name names, "" when it is a receiver's.
func teamOf(name string) string {
	team, ok := strings.CutPrefix(name, "team/")
	if !ok {
		return ""
	}
	return team
}

// addressed returns where the routes send something, each addressee once, in the order of the file.
func (d *decider) addressed(q settings.Query) (list []addressee) {
	add := func(a addressee) {
		if !slices.ContainsFunc(list, func(o addressee) bool { return o.name() == a.name() }) {
			list = append(list, a)
		}
	}
	for _, target := range d.config.Settings.Route(q) {
		for _, name := range target.Receivers {
			add(addressee{receiver: name})
		}
		if team := d.config.Settings.Team(target.Team); team != nil {
			add(addressee{team: team})
		}
	}
	return list
}

// addressees returns where an event of an incident goes.
func (d *decider) addressees(i *event.IncidentState, priority uint8, e message.Event) []addressee {
	return d.addressed(d.query(i, d.labelsOf(i), priority, e))
}

// takes tells whether an addressee is told of an event of an incident.
func (d *decider) takes(a addressee, i *event.IncidentState, e message.Event) bool {
	return slices.ContainsFunc(d.addressees(i, i.Priority, e), func(o addressee) bool { return o.name() == a.name() })
}

// everybody returns the first contacts of whom the routes name for what is no single incident.
func (d *decider) everybody(q settings.Query) (to []told) {
	for _, a := range d.addressed(q) {
		to = append(to, d.firstContacts(a)...)
	}
	return join(to)
}

// firstContacts returns by which receivers an addressee is told first.
func (d *decider) firstContacts(a addressee) []told {
	if a.team == nil {
		return []told{{Receiver: a.receiver}}
	}
	return d.reachAll(a.team, a.team.Steps()[0].Notify)
}

// query asks the routes about an event of an incident. They match the labels that its alerts share; where those say nothing of the
// severity, the team or the service, the incident does.
func (d *decider) query(i *event.IncidentState, labels func() map[string]string, priority uint8, e message.Event) settings.Query {
	label := func(name string) string {
		if v := cmp.Or(labels()[name], i.Labels.Get(name)); v != "" {
			return v
		}
		switch name {
		case "severity":
			return i.Severity.String()
		case "team":
			return i.Team
		}
		return ""
	}
	return settings.Query{Tenant: i.Tenant, Team: i.Team, Priority: int(priority), Label: label, Event: e}
}

// labelsOf returns the labels that the alerts of an incident share now. They are looked up when a route asks.
func (d *decider) labelsOf(i *event.IncidentState) func() map[string]string {
	return sync.OnceValue(func() map[string]string {
		now, err := d.incident(i.ID)
		if err != nil { // it is told by what the change says
			return nil
		}
		return now.labels()
	})
}

// reachAll resolves the words of a step, each receiver once.
func (d *decider) reachAll(team *settings.Team, list []settings.Whom) (out []told) {
	for _, w := range list {
		out = append(out, d.reach(team, w)...)
	}
	for i := range out {
		out[i].Team = team.Name
	}
	return join(out)
}

// reach returns by which receivers one word of a step is told.
func (d *decider) reach(team *settings.Team, w settings.Whom) (out []told) {
	var names []string
	switch w.Kind {
	case settings.ToReceivers:
		return []told{{Receiver: w.Name}}
	case settings.ToContact:
		names = []string{w.Name}
	case settings.Members:
		names = team.Members
	case settings.OnCall:
		names = d.onCall(team)
	}
	for _, name := range names {
		if c := d.config.Settings.Contact(name); c != nil {
			out = append(out, d.contact(c)...)
		}
	}
	return out
}

// onCall returns who is on call in a team. A gap in the rotation must not swallow a page: then it is everybody.
func (d *decider) onCall(team *settings.Team) []string {
	overrides, err := d.tx.overrides(team.Name)
	if err != nil {
		d.n.log.Error("overrides cannot be read", "error", err)
	}
	if who := team.Schedule(overrides).At(d.now); who != "" {
		return []string{who}
	}
	d.tx.OnCommit(func() {
		d.n.log.Warn("nobody is on call, the whole team is told", "team", team.Name)
		d.n.metrics.uncovered.Inc()
	})
	return team.Members
}

// contact returns the ways to a contact.
func (d *decider) contact(c *settings.Contact) (out []told) {
	for _, receiver := range c.Receivers {
		to, known := d.addresses(c, receiver)
		out = append(out, told{Receiver: receiver, To: to, Who: []string{c.Name}, Nowhere: !known})
	}
	return out
}

// reachPerson returns the ways to whoever has a login: those of their contact, else a mail to their own address.
func (d *decider) reachPerson(login string) []told {
	if login == "" {
		return nil
	}
	for i := range d.config.Settings.Contacts {
		if c := &d.config.Settings.Contacts[i]; c.User == login {
			return d.contact(c)
		}
	}
	if d.n.o.People == nil {
		return nil
	}
	p, _ := d.n.o.People.Person(login)
	for i := range d.config.Settings.Receivers {
		r := &d.config.Settings.Receivers[i]
		if address := p.Addresses[receivers.Addressed(r.Kind)]; address != "" {
			return []told{{Receiver: r.Name, To: []string{address}, Who: []string{login}}}
		}
	}
	return nil
}

// persons returns the ways to people, each apart: they do not see each other's addresses. Who did what is told of is left out.
func (d *decider) persons(actor string, ids ...string) (out []told) {
	for n, id := range ids {
		if id == "" || id == actor || slices.Contains(ids[:n], id) {
			continue
		}
		out = append(out, d.reachPerson(d.n.login(id))...)
	}
	return out
}

// others returns those of more whom list does not reach.
func others(list, more []told) []told {
	return slices.DeleteFunc(slices.Clone(more), func(t told) bool {
		return slices.ContainsFunc(list, func(o told) bool { return o.covers(t) })
	})
}

// addresses returns where a contact gets the messages of a receiver, nothing when the receiver alone says where they go. It is
// false when the receiver needs an address and there is none.
func (d *decider) addresses(c *settings.Contact, receiver string) (to []string, known bool) {
	r := d.config.Settings.Receiver(receiver)
	if r == nil {
		return nil, true
	}
	kind := receivers.Addressed(r.Kind)
	if kind == "" {
		return nil, true
	}
	if c.Email != "" {
		return []string{c.Email}, true
	}
	if d.n.o.People != nil && c.User != "" {
		if p, ok := d.n.o.People.Person(c.User); ok && p.Addresses[kind] != "" {
			return []string{p.Addresses[kind]}, true
		}
	}
	return nil, false
}

// join merges what goes to one receiver: one message for several people. Those without an address stay apart, so that what is
// sent to the others does not hide that they were not reached; and so does what a route sends to the receiver's own address.
func join(list []told) (out []told) {
	for _, t := range list {
		i := slices.IndexFunc(out, t.alike)
		if i < 0 {
			t.To, t.Who = slices.Clone(t.To), slices.Clone(t.Who)
			out = append(out, t)
			continue
		}
		o := &out[i]
		o.To, o.Who = append(o.To, t.To...), append(o.Who, t.Who...)
		slices.Sort(o.To)
		slices.Sort(o.Who)
		o.To, o.Who = slices.Compact(o.To), slices.Compact(o.Who)
	}
	return out
}

// login returns the login of an id that the core knows.
func (n *Notifier) login(id string) string {
	if n.o.People == nil || id == "" {
		return id
	}
	return n.o.People.Login(id)
}

// person returns the name by which people know an id.
func (n *Notifier) person(id string) string {
	login := n.login(id)
	if n.o.People != nil {
		if p, ok := n.o.People.Person(login); ok && p.Name != "" {
			return p.Name
		}
	}
	return login
}
