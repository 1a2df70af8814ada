package notify

import (
	"slices"

	"github.com/tocsin-noc/tocsin/notify/receivers"
	"github.com/tocsin-noc/tocsin/notify/settings"
)

// told is a receiver that is told something.
type told struct {
	Receiver string   `json:"receiver"`
	Team     string   `json:"team,omitempty"` // in whose name; "" when a route names the receiver
	To       []string `json:"to,omitempty"`   // addresses
	Who      []string `json:"who,omitempty"`  // contacts
}

// covers tells whether everybody whom o reaches is reached by t too.
func (t told) covers(o told) bool {
	if t.Receiver != o.Receiver {
		return false
	}
	for _, to := range o.To {
		if !slices.Contains(t.To, to) {
			return false
		}
	}
	return true
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
		out = append(out, told{Receiver: receiver, To: d.addresses(c, receiver), Who: []string{c.Name}})
	}
	return out
}

// reachPerson returns the ways to whoever has a login, none when no contact stands for it.
func (d *decider) reachPerson(login string) []told {
	if login == "" {
		return nil
	}
	for i := range d.config.Settings.Contacts {
		if c := &d.config.Settings.Contacts[i]; c.User == login {
			return d.contact(c)
		}
	}
	return nil
}

// addresses returns where a contact gets the messages of a receiver, nothing when the receiver alone says where they go.
func (d *decider) addresses(c *settings.Contact, receiver string) []string {
	r := d.config.Settings.Receiver(receiver)
	if r == nil {
		return nil
	}
	kind := receivers.Addressed(r.Kind)
	if kind == "" {
		return nil
	}
	if c.Email != "" {
		return []string{c.Email}
	}
	if d.n.o.People != nil && c.User != "" {
		if p, ok := d.n.o.People.Person(c.User); ok && p.Addresses[kind] != "" {
			return []string{p.Addresses[kind]}
		}
	}
	return nil
}

// join merges what goes to one receiver: one message for several people. Those without an address stay apart, so that what is
// sent to the others does not hide that they were not reached.
func join(list []told) (out []told) {
	for _, t := range list {
		i := slices.IndexFunc(out, func(o told) bool {
			return o.Receiver == t.Receiver && (len(o.To) == 0) == (len(t.To) == 0)
		})
		if i < 0 {
			out = append(out, told{t.Receiver, t.Team, slices.Clone(t.To), slices.Clone(t.Who)})
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
