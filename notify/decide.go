package notify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/notify/message"
	"github.com/tocsin-noc/tocsin/notify/receivers"
	"github.com/tocsin-noc/tocsin/notify/settings"
)

// decider turns changes into messages, inside one transaction.
type decider struct {
	n        *Notifier
	tx       *tx
	config   *Config
	now      time.Time
	incident func(event.IncidentID) (*Subject, error) // as it is now
	open     func(tenant string) ([]message.IncidentLine, error)
}

func (n *Notifier) decider(ctx context.Context, t *tx) *decider {
	return &decider{
		n: n, tx: t, config: n.config.Load(), now: n.o.Now(),
		incident: func(id event.IncidentID) (*Subject, error) { return n.o.Source.Incident(ctx, id) },
		open:     func(tenant string) ([]message.IncidentLine, error) { return n.o.Source.Open(ctx, tenant) },
	}
}

// decide carries out what one change means.
func (d *decider) decide(ch *event.Change) error {
	switch {
	case ch.Incident != nil:
		return d.aboutIncident(ch)
	case ch.Storm != nil:
		return d.storm(ch)
	case ch.Kind == event.SilenceEnding && ch.Count > 0:
		s := ch.Silence
		return d.mute(ch, s.Tenant, message.Mute{
			Kind: "silence", ID: s.ID, Comment: s.Comment, CreatedBy: d.n.person(s.CreatedBy), EndsAt: s.EndsAt.Time(), Firing: int(ch.Count),
		})
	case ch.Kind == event.WindowEnding && ch.Count > 0:
		w := ch.Window
		return d.mute(ch, w.Tenant, message.Mute{
			Kind: "window", ID: w.ID, Name: w.Name, Comment: w.Reason, CreatedBy: d.n.person(w.CreatedBy), EndsAt: w.CloseAt.Time(), Firing: int(ch.Count),
		})
	}
	return nil
}

func incidentKey(i *event.IncidentState) string { return i.Tenant + "/" + i.ID.String() }

// heldBack tells whether an opening is told of with the storm it is part of.
func heldBack(i *event.IncidentState) bool { return i.Storm != 0 && i.Priority > 1 }

func (d *decider) aboutIncident(ch *event.Change) error {
	i := ch.Incident
	sub, err := d.tx.subject(incidentKey(i))
	if err != nil {
		return err
	}
	raised := sub.Priority != 0 && i.Priority < sub.Priority
	before := sub.Priority
	if sub.Priority == 0 || i.Priority < sub.Priority {
		sub.Priority = i.Priority
	}
	switch ch.Kind {
	case event.IncidentOpened:
		if !heldBack(i) {
			err = d.ring(ch, &sub, message.Opened, "")
		}
	case event.IncidentUpdated:
		if raised && i.AckedAt == 0 { // what somebody has acknowledged rings as worse
			err = d.ring(ch, &sub, message.Raised, fmt.Sprintf("the priority rose from P%d to P%d", before, i.Priority))
		}
	case event.IncidentWorse:
		err = d.ring(ch, &sub, message.Worse, ch.Text)
	case event.IncidentWoke:
		err = d.ring(ch, &sub, message.Woke, "the snooze is over and it still fires")
	case event.IncidentSignalLost:
		err = d.ring(ch, &sub, message.SignalLost, "its last alerts expired: nobody said that it is over")
	case event.IncidentReopened:
		err = d.reopened(ch, &sub)
	case event.IncidentResolved:
		sub.Escalation, sub.Done, sub.Resolver = nil, d.now, i.ResolvedBy
		err = d.tellThoseWhoKnow(ch, &sub)
	case event.IncidentAcknowledged, event.IncidentSnoozed:
		sub.Escalation = nil
		if err := d.stormAcknowledged(i); err != nil {
			return err
		}
	case event.IncidentUnheld:
		if ch.Text == "due" {
			err = d.ring(ch, &sub, message.HoldDue, "it was on hold; the time has come")
		}
	default: // it concerns those who look, nobody who sleeps
	}
	if err != nil {
		return err
	}
	return d.tx.putSubject(incidentKey(i), sub)
}

// reopened rings as an opening does, and tells who had resolved it.
func (d *decider) reopened(ch *event.Change, sub *subject) error {
	resolver := sub.Resolver
	sub.Done, sub.Resolver = time.Time{}, ""
	if !heldBack(ch.Incident) {
		if err := d.ring(ch, sub, message.Reopened, "it fires again"); err != nil {
			return err
		}
	}
	if resolver == "" {
		return nil
	}
	login := d.n.login(resolver)
	for i := range d.config.Settings.Contacts {
		if c := &d.config.Settings.Contacts[i]; c.User == login {
			return d.send(ch, sub, message.Reopened, "you had resolved it; it fires again", "", d.reach(nil, settings.Whom{Kind: settings.ToContact, Name: c.Name}))
		}
	}
	return nil
}

// ring tells the first contacts of every route that takes the incident, and begins their escalations anew.
func (d *decider) ring(ch *event.Change, sub *subject, e message.Event, reason string) error {
	i := ch.Incident
	sub.Escalation = nil
	for _, target := range d.config.Settings.Route(settings.Query{
		Tenant: i.Tenant, Team: i.Team, Service: i.Labels.Get("service"), Priority: int(i.Priority), Labels: i.Labels.Map(), Event: e,
	}) {
		if err := d.target(ch, sub, e, reason, target, i.Priority); err != nil {
			return err
		}
	}
	return nil
}

// target tells one route's receivers and its team's first contacts.
func (d *decider) target(ch *event.Change, sub *subject, e message.Event, reason string, target settings.Target, priority uint8) error {
	var to []told
	for _, name := range target.Receivers {
		to = append(to, told{Receiver: name})
	}
	if err := d.send(ch, sub, e, reason, "", to); err != nil {
		return err
	}
	team := d.config.Settings.Team(target.Team)
	if team == nil {
		return nil
	}
	steps := team.Steps()
	first := d.reachAll(team, steps[0].Notify)
	if team.Quiet.Holds(d.now) && int(priority) > team.Quiet.Rings {
		return d.wait(ch, e, reason, team)
	}
	if err := d.send(ch, sub, e, reason, team.Name, first); err != nil {
		return err
	}
	if len(steps) > 1 && e != message.HoldDue {
		if sub.Escalation == nil {
			sub.Escalation = map[string]run{}
		}
		sub.Escalation[team.Name] = run{Began: d.now, Next: 1, Due: d.now.Add(steps[1].After[clamp(priority)]), Key: cursor(ch)}
	}
	return nil
}

func clamp(priority uint8) uint8 { return min(max(priority, 1), 5) }

// reachAll resolves the words of a step, each receiver once.
func (d *decider) reachAll(team *settings.Team, list []settings.Whom) (out []told) {
	for _, w := range list {
		out = append(out, d.reach(team, w)...)
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
		overrides, err := d.tx.overrides(team.Name)
		if err != nil {
			d.n.log.Error("overrides cannot be read", "error", err)
		}
		if who := team.Schedule(overrides).At(d.now); who != "" {
			names = []string{who}
		} else { // a gap in the rotation must not swallow a page
			d.n.log.Warn("nobody is on call, the whole team is told", "team", team.Name)
			d.n.metrics.uncovered.Inc()
			names = team.Members
		}
	}
	for _, name := range names {
		c := d.config.Settings.Contact(name)
		if c == nil {
			continue
		}
		for _, receiver := range c.Receivers {
			out = append(out, told{Receiver: receiver, To: d.addresses(c, receiver), Who: []string{name}})
		}
	}
	return out
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

// join merges what goes to one receiver: one message for several people.
func join(list []told) (out []told) {
	for _, t := range list {
		i := slices.IndexFunc(out, func(o told) bool { return o.Receiver == t.Receiver })
		if i < 0 {
			out = append(out, told{t.Receiver, slices.Clone(t.To), slices.Clone(t.Who)})
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

// send enqueues one message for each receiver.
func (d *decider) send(ch *event.Change, sub *subject, e message.Event, reason, team string, to []told) error {
	if len(to) == 0 {
		return nil
	}
	data, err := d.data(ch, e, reason)
	if err != nil {
		return err
	}
	data.Team = team
	for _, t := range to {
		if err := d.enqueue(data, cursor(ch), t); err != nil {
			return err
		}
		if !slices.ContainsFunc(sub.Told, func(o told) bool { return o.Receiver == t.Receiver && slices.Equal(o.Who, t.Who) }) {
			sub.Told = append(sub.Told, t)
		}
	}
	return nil
}

// enqueue renders one message. Its key follows from the change, the receiver, the people and the step: the same on every attempt.
func (d *decider) enqueue(data message.Data, change string, t told) error {
	data.Receiver = t.Receiver
	data.Key = fmt.Sprintf("%s/%s/%s%d", change, t.Receiver, strings.Join(append(slices.Clone(t.Who), ""), "/"), data.Step)
	e := envelope{Message: d.config.Templates.Render(data), To: t.To, Who: t.Who, Queued: d.now}
	d.n.metrics.enqueued.WithLabelValues(string(data.Event)).Inc()
	r := d.config.Settings.Receiver(t.Receiver)
	if r != nil && receivers.Addressed(r.Kind) != "" && len(t.Who) > 0 && len(t.To) == 0 {
		return d.tx.remember(sent(t.Receiver, &e, "failed", "there is no address of "+strings.Join(t.Who, ", ")+"; give one with `tocsin user set`", d.now))
	}
	return d.tx.enqueue(t.Receiver, e)
}

// data is what a message about a change's incident is made of.
func (d *decider) data(ch *event.Change, e message.Event, reason string) (message.Data, error) {
	out := message.Data{Event: e, Reason: reason, At: ch.At.Time()}
	if ch.Incident == nil {
		return out, nil
	}
	out.Tenant = ch.Incident.Tenant
	now, err := d.incident(ch.Incident.ID)
	if err != nil {
		return out, err
	}
	i := now.Data
	// The change says what it was about; what has happened since is another message's.
	i.Priority, i.Severity, i.Title = int(ch.Incident.Priority), ch.Incident.Severity.String(), ch.Incident.Title
	i.AcknowledgedBy, i.Assignee, i.ResolvedBy = d.n.person(ch.Incident.AckedBy), d.n.person(ch.Incident.Assignee), d.n.person(ch.Incident.ResolvedBy)
	out.Incident = &i
	return out, nil
}

// tellThoseWhoKnow tells of a resolution to whom it was told that there was something.
func (d *decider) tellThoseWhoKnow(ch *event.Change, sub *subject) error {
	i := ch.Incident
	wanted := d.config.Settings.Route(settings.Query{
		Tenant: i.Tenant, Team: i.Team, Service: i.Labels.Get("service"), Priority: int(sub.Priority), Labels: i.Labels.Map(), Event: message.Resolved,
	})
	if len(wanted) == 0 {
		return nil
	}
	return d.send(ch, sub, message.Resolved, "", "", join(slices.Clone(sub.Told)))
}

func (d *decider) storm(ch *event.Change) error {
	s := ch.Storm
	key := fmt.Sprintf("%s/STORM-%d", s.Tenant, s.Number)
	sub, err := d.tx.subject(key)
	if err != nil {
		return err
	}
	data := message.Data{Event: message.StormBegan, At: ch.At.Time(), Tenant: s.Tenant, Storm: &message.Storm{
		Number: int(s.Number), BeganAt: s.BeganAt.Time(), Openings: int(s.Openings), Held: int(s.Held), Worst: int(s.Worst),
	}}
	if ch.Kind == event.StormEnded {
		ended := s.EndedAt.Time()
		data.Event, data.Storm.EndedAt = message.StormEnded, &ended
		if data.Storm.Open, err = d.open(s.Tenant); err != nil {
			return err
		}
		sub.Escalation, sub.Done = nil, d.now
		return d.toTargets(ch, &sub, key, data, join(slices.Clone(sub.Told)), nil)
	}
	targets := d.config.Settings.Route(settings.Query{Tenant: s.Tenant, Priority: 1, Event: message.StormBegan})
	var to []told
	for _, target := range targets {
		for _, name := range target.Receivers {
			to = append(to, told{Receiver: name})
		}
		if team := d.config.Settings.Team(target.Team); team != nil {
			to = append(to, d.reachAll(team, team.Steps()[0].Notify)...)
		}
	}
	return d.toTargets(ch, &sub, key, data, join(to), targets)
}

// toTargets tells of what is no incident, and begins the escalations of the targets' teams.
func (d *decider) toTargets(ch *event.Change, sub *subject, key string, data message.Data, to []told, targets []settings.Target) error {
	for _, t := range to {
		if err := d.enqueue(data, cursor(ch), t); err != nil {
			return err
		}
	}
	sub.Told, sub.Priority = to, 1
	for _, target := range targets {
		team := d.config.Settings.Team(target.Team)
		if team == nil || len(team.Steps()) < 2 {
			continue
		}
		if sub.Escalation == nil {
			sub.Escalation = map[string]run{}
		}
		sub.Escalation[team.Name] = run{Began: d.now, Next: 1, Due: d.now.Add(team.Steps()[1].After[clamp(uint8(data.Storm.Worst))]), Key: cursor(ch)}
	}
	return d.tx.putSubject(key, *sub)
}

// stormAcknowledged ends a storm's escalation once anybody has taken on an incident of it: somebody is awake.
func (d *decider) stormAcknowledged(i *event.IncidentState) error {
	if i.Storm == 0 {
		return nil
	}
	key := fmt.Sprintf("%s/STORM-%d", i.Tenant, i.Storm)
	sub, err := d.tx.subject(key)
	if err != nil || sub.Escalation == nil {
		return err
	}
	sub.Escalation = nil
	return d.tx.putSubject(key, sub)
}

func (d *decider) mute(ch *event.Change, tenant string, m message.Mute) error {
	data := message.Data{Event: message.MuteEnding, At: ch.At.Time(), Tenant: tenant, Mute: &m}
	var to []told
	for _, target := range d.config.Settings.Route(settings.Query{Tenant: tenant, Priority: 2, Event: message.MuteEnding}) {
		for _, name := range target.Receivers {
			to = append(to, told{Receiver: name})
		}
		if team := d.config.Settings.Team(target.Team); team != nil {
			to = append(to, d.reachAll(team, team.Steps()[0].Notify)...)
		}
	}
	for _, t := range join(to) {
		if err := d.enqueue(data, cursor(ch), t); err != nil {
			return err
		}
	}
	return nil
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

// digest is what waits for the end of a team's quiet hours.
type digest struct {
	Due   time.Time      `json:"due"`
	Key   string         `json:"key"` // of the first change in it
	Items []message.Data `json:"items"`
	More  int            `json:"more"` // that were not kept
}

// maxDigest bounds a digest; what is over it is counted.
const maxDigest = 200

// wait keeps a message for the end of quiet hours.
func (d *decider) wait(ch *event.Change, e message.Event, reason string, team *settings.Team) error {
	b := d.tx.Bucket([]byte("digests"))
	g, ok, err := get[digest](b, []byte(team.Name))
	if err != nil {
		return err
	}
	if !ok {
		g = digest{Due: team.Quiet.Ends(d.now), Key: cursor(ch)}
	}
	if len(g.Items) >= maxDigest {
		g.More++
		return put(b, []byte(team.Name), g)
	}
	data, err := d.data(ch, e, reason)
	if err != nil {
		return err
	}
	data.Incident.Alerts, data.Incident.Why = nil, nil
	g.Items = append(g.Items, data)
	return put(b, []byte(team.Name), g)
}

// teamsOf lists a subject's escalations in a fixed order.
func teamsOf(m map[string]run) []string { return slices.Sorted(maps.Keys(m)) }
