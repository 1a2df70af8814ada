package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
	"github.com/tocsin-noc/tocsin/notify/message"
	"github.com/tocsin-noc/tocsin/notify/receivers"
)

// decider turns changes into messages, inside one transaction.
type decider struct {
	n        *Notifier
	tx       *tx
	config   *Config
	now      time.Time
	incident func(event.IncidentID) (*Subject, error) // as it is now
	open     func(tenant string) ([]Subject, error)   // incidents, as they are now
	service  func(tenant, id string) (name, team string, err error)
	storms   map[string]*storm // by key: those that this transaction works on
}

func (n *Notifier) decider(ctx context.Context, t *tx) *decider {
	return &decider{
		n: n, tx: t, config: n.config.Load(), now: n.o.Now(),
		incident: lately(func(id event.IncidentID) (*Subject, error) { return n.o.Source.Incident(ctx, id) }),
		open:     lately(func(tenant string) ([]Subject, error) { return n.o.Source.Open(ctx, tenant) }),
		service:  func(tenant, id string) (name, team string, err error) { return n.o.Source.Service(ctx, tenant, id) },
	}
}

// lately remembers the last answer: what one change asks for several times is looked up once.
func lately[K comparable, V any](look func(K) (V, error)) func(K) (V, error) {
	var (
		key   K
		value V
		known bool
	)
	return func(k K) (V, error) {
		if known && k == key {
			return value, nil
		}
		v, err := look(k)
		if known = err == nil; known {
			key, value = k, v
		}
		return v, err
	}
}

// decide carries out what one change means.
func (d *decider) decide(ch *event.Change) error {
	switch {
	case ch.Incident != nil:
		return d.aboutIncident(ch)
	case ch.Storm != nil:
		return d.storm(ch)
	case ch.Outage != nil:
		return d.outage(ch)
	case ch.Kind == event.SilenceEnding && ch.Count > 0:
		s := ch.Silence
		return d.mute(ch, s.Tenant, message.Mute{
			Kind: "silence", ID: s.ID, Comment: s.Comment, Matchers: matcherTexts(s.Matchers), CreatedBy: d.n.person(s.CreatedBy), EndsAt: s.EndsAt.Time(), Firing: int(ch.Count),
		})
	case ch.Kind == event.WindowEnding && ch.Count > 0:
		w := ch.Window
		return d.mute(ch, w.Tenant, message.Mute{
			Kind: "window", ID: w.ID, Name: w.Name, Comment: w.Reason, Matchers: matcherTexts(w.Matchers), CIs: w.CIs, CreatedBy: d.n.person(w.CreatedBy), EndsAt: w.CloseAt.Time(), Firing: int(ch.Count),
		})
	}
	return nil
}

func incidentKey(i *event.IncidentState) string { return i.Tenant + "/" + i.ID.String() }

func (d *decider) aboutIncident(ch *event.Change) error {
	sub, err := d.tx.subject(incidentKey(ch.Incident))
	if err != nil {
		return err
	}
	before := sub.Priority
	if before == 0 || ch.Incident.Priority < before {
		sub.Priority = ch.Incident.Priority
	}
	if err := d.incidentChanged(ch, &sub, before); err != nil {
		return err
	}
	if ch.Incident.Phase != event.IncidentOpen && sub.Done.IsZero() { // it will be forgotten
		sub.Done = d.now
	}
	return d.tx.putSubject(incidentKey(ch.Incident), sub)
}

// incidentChanged carries out one change of an incident whose highest priority before was before, 0 when it is new.
func (d *decider) incidentChanged(ch *event.Change, sub *subject, before uint8) error {
	i := ch.Incident
	switch ch.Kind {
	case event.IncidentOpened:
		if ch.Actor != "" && i.AckedAt != 0 { // a person made it, and has it
			return nil
		}
		return d.ring(ch, sub, message.Opened, "")
	case event.IncidentUpdated, event.IncidentHit, event.IncidentEdited:
		return d.raised(ch, sub, before)
	case event.IncidentWorse:
		return d.ring(ch, sub, message.Worse, ch.Text)
	case event.IncidentWoke:
		return d.ring(ch, sub, message.Woke, "the snooze is over and it still fires")
	case event.IncidentSignalLost:
		return d.ring(ch, sub, message.SignalLost, "its last alerts expired: nobody said that it is over")
	case event.IncidentReopened:
		return d.reopened(ch, sub)
	case event.IncidentAcknowledged, event.IncidentSnoozed, event.IncidentBegun:
		sub.Escalation, sub.Owed = nil, nil
		return d.stormAcknowledged(i)
	case event.IncidentResolved:
		d.over(sub)
		sub.Resolver = i.ResolvedBy
		return d.tellThoseWhoKnow(ch, sub, message.Resolved, "", d.persons(ch.Actor, hit(i)...))
	case event.IncidentCancelled:
		d.over(sub)
		return d.tellThoseWhoKnow(ch, sub, message.Cancelled, joined(d.n.person(ch.Actor), ch.Text), nil)
	case event.IncidentUnheld:
		if ch.Text == "due" {
			return d.holdDue(ch, sub)
		}
		return nil
	default:
		return d.partChanged(ch, sub, before)
	}
}

// over notes that nothing of an incident rings any more.
func (d *decider) over(sub *subject) { sub.Escalation, sub.Owed, sub.Done = nil, nil, d.now }

// raised rings when the priority rose above what it ever was. What somebody has acknowledged rings as worse.
func (d *decider) raised(ch *event.Change, sub *subject, before uint8) error {
	i := ch.Incident
	if before == 0 || i.Priority >= before || i.AckedAt != 0 || i.Phase != event.IncidentOpen {
		return nil
	}
	return d.ring(ch, sub, message.Raised, fmt.Sprintf("the priority rose from P%d to P%d", before, i.Priority))
}

// reopened rings as an opening does, and tells who had resolved it. When a person took it back it rings nobody: they have it.
func (d *decider) reopened(ch *event.Change, sub *subject) error {
	resolver := sub.Resolver
	sub.Done, sub.Resolver, sub.Priority, sub.Owed = time.Time{}, "", ch.Incident.Priority, nil
	if ch.Actor != "" {
		reason := joined(d.n.person(ch.Actor)+" reopened it", ch.Text)
		return d.inform(ch, message.Reopened, reason, d.persons(ch.Actor, itsm.Owner(ch.Incident), resolver))
	}
	rung, err := d.first(ch, sub, message.Reopened, "it fires again")
	if err != nil {
		return err
	}
	if err := d.send(ch, sub, message.Reopened, "it fires again", rung); err != nil {
		return err
	}
	return d.send(ch, sub, message.Reopened, "you had resolved it; it fires again", others(rung, d.reachPerson(d.n.login(resolver))))
}

// holdDue reminds who has the incident, and when that is nobody who can be reached, whoever is told of it.
func (d *decider) holdDue(ch *event.Change, sub *subject) error {
	const reason = "it was on hold; the time has come"
	for _, id := range []string{ch.Incident.Assignee, ch.Incident.AckedBy} {
		if to := d.reachPerson(d.n.login(id)); len(to) > 0 {
			return d.send(ch, sub, message.HoldDue, reason, to)
		}
	}
	return d.ring(ch, sub, message.HoldDue, reason)
}

// ring tells the first contacts of every route that takes the incident, and begins their escalations anew. While every alert that
// fires is kept quiet it waits: whoever silenced them wants to sleep, and has to hear of it when the silence ends.
func (d *decider) ring(ch *event.Change, sub *subject, e message.Event, reason string) error {
	if e == message.Raised || e == message.Worse || e == message.Woke || e == message.SignalLost || e == message.Unmerged {
		now, err := d.incident(ch.Incident.ID)
		if err != nil && !errors.Is(err, ErrNoIncident) {
			return err
		}
		if err == nil && now.Quiet {
			sub.Owed = &owed{Event: e, Reason: reason, Shard: ch.Shard, Seq: ch.Seq, N: ch.N, Due: d.now.Add(again)}
			return nil
		}
	}
	to, err := d.first(ch, sub, e, reason)
	if err != nil {
		return err
	}
	if len(to) > 0 && (begins(e) || e == message.HoldDue) {
		sub.Owed = nil // they learn how it is now
	}
	return d.send(ch, sub, e, reason, to)
}

// first returns the first contacts of every route that takes the incident, each receiver once. Escalations begin anew; where no
// route of the event has one, that of an earlier event goes on. What a team wants to be spared of now is put into its digest, and
// what a storm holds back is told with the storm.
func (d *decider) first(ch *event.Change, sub *subject, e message.Event, reason string) (to []told, err error) {
	i := ch.Incident
	storm, err := d.stormOf(i, e, ch.At.Time())
	if err != nil {
		return nil, err
	}
	runs, rung := map[string]run{}, []string(nil)
	for _, a := range d.ringing(i, sub, e) {
		if a.team != nil && d.spared(a.team, i.Priority) {
			if err := d.wait(ch, e, reason, a.team); err != nil {
				return nil, err
			}
			continue
		}
		if storm != nil && d.holdsBack(storm, a, ch, e) {
			continue
		}
		to, rung = append(to, d.firstContacts(a)...), append(rung, a.name())
		if a.team != nil && len(a.team.Steps()) > 1 && begins(e) {
			runs[a.team.Name] = run{Began: d.now, Next: 1, Due: d.now.Add(a.team.Steps()[1].After[clamp(i.Priority)]), Key: cursor(ch)}
		}
	}
	if len(runs) > 0 {
		sub.Escalation = runs
	}
	if e == message.Opened && i.Storm == 0 && len(rung) > 0 {
		err = d.tx.noteOpening(i.Tenant, opening{At: ch.At.Time(), Priority: i.Priority, To: rung})
	}
	return join(to), err
}

// begins tells whether an event waits for an acknowledgement.
func begins(e message.Event) bool {
	switch e {
	case message.Opened, message.Raised, message.Worse, message.Woke, message.SignalLost, message.Reopened, message.Unmerged:
		return true
	default:
		return false
	}
}

// ringing returns where an event of an incident goes that rings. By which labels is remembered: an end is told by the same.
func (d *decider) ringing(i *event.IncidentState, sub *subject, e message.Event) []addressee {
	labels, asked := d.labelsOf(i), false
	list := d.addressed(d.query(i, func() map[string]string { asked = true; return labels() }, i.Priority, e))
	if asked {
		sub.Labels = labels()
	}
	return list
}

func clamp(priority uint8) uint8 { return min(max(priority, 1), 5) }

// send enqueues one message for each receiver, which from then on knows of the incident.
func (d *decider) send(ch *event.Change, sub *subject, e message.Event, reason string, to []told) error {
	for _, t := range to {
		sub.remember(t)
	}
	return d.inform(ch, e, reason, to)
}

// inform enqueues one message for each receiver.
func (d *decider) inform(ch *event.Change, e message.Event, reason string, to []told) error {
	if len(to) == 0 {
		return nil
	}
	data, err := d.data(ch, e, reason)
	if err != nil {
		return err
	}
	for _, t := range to {
		if err := d.enqueue(data, cursor(ch), t); err != nil {
			return err
		}
	}
	return nil
}

// enqueue renders one message. Its key follows from the change, the receiver, the people and the step: the same on every attempt.
func (d *decider) enqueue(data message.Data, change string, t told) error {
	data.Receiver, data.Team = t.Receiver, t.Team
	data.Key = fmt.Sprintf("%s/%s/%s%d", change, t.Receiver, strings.Join(append(slices.Clone(t.Who), ""), "/"), data.Step)
	e := envelope{Message: d.config.Templates.Render(data), To: t.To, Who: t.Who, Queued: d.now}
	d.tx.OnCommit(func() { d.n.metrics.enqueued.WithLabelValues(string(data.Event)).Inc() })
	r := d.config.Settings.Receiver(t.Receiver)
	if t.Nowhere || r != nil && receivers.Addressed(r.Kind) != "" && len(t.Who) > 0 && len(t.To) == 0 {
		return d.lost(sent(t.Receiver, &e, "failed", "there is no address of "+strings.Join(t.Who, ", ")+"; give one with `tocsin user set`", d.now))
	}
	fits, err := d.tx.enqueue(t.Receiver, e)
	if err != nil || fits {
		return err
	}
	return d.lost(sent(t.Receiver, &e, "dropped", "the receiver's queue is full", d.now))
}

// lost remembers a message that never came into the queue, and says so.
func (d *decider) lost(s Sent) error {
	d.tx.OnCommit(func() {
		d.n.metrics.sent.WithLabelValues(s.Receiver, s.Outcome).Inc()
		d.n.log.Error("a message was not delivered", "receiver", s.Receiver, "subject", s.Subject, "event", s.Event, "outcome", s.Outcome, "error", s.Error)
	})
	return d.tx.remember(s)
}

// data is what a message about a change's incident is made of.
func (d *decider) data(ch *event.Change, e message.Event, reason string) (message.Data, error) {
	out := message.Data{Event: e, Reason: reason, At: ch.At.Time(), Tenant: ch.Incident.Tenant}
	i := bare(ch.Incident)
	now, err := d.incident(ch.Incident.ID)
	switch {
	case err == nil:
		i = now.Data
	case !errors.Is(err, ErrNoIncident):
		return out, err
	}
	// The change says what it was about; what has happened since is another message's.
	i.Priority, i.Severity, i.Title = int(ch.Incident.Priority), ch.Incident.Severity.String(), ch.Incident.Title
	i.AcknowledgedBy, i.Assignee, i.ResolvedBy = d.n.person(ch.Incident.AckedBy), d.n.person(ch.Incident.Assignee), d.n.person(ch.Incident.ResolvedBy)
	i.Status = ch.Incident.Phase.String()
	if m := kept(ch.Incident).Major; m != nil && m.NextUpdate != 0 {
		next := m.NextUpdate.Time()
		i.NextUpdate = &next
	}
	out.Incident = &i
	return out, nil
}

// bare is what a change alone says of its incident.
func bare(i *event.IncidentState) message.Incident {
	return message.Incident{
		ID: i.ID.String(), Status: i.Phase.String(), Rule: i.Rule, Team: i.Team, Labels: event.SharedLabels(i.Rule, i.Labels).Map(), OpenedAt: i.OpenedAt.Time(),
		Unbound: i.Unbound, SignalLost: i.SignalLost,
	}
}

// tellThoseWhoKnow tells something to whom it was told that there was an incident, or waits to be, as far as routes want the event;
// and to more, whom no route names.
func (d *decider) tellThoseWhoKnow(ch *event.Change, sub *subject, e message.Event, reason string, more []told) error {
	labels := d.labelsOf(ch.Incident)
	if sub.Labels != nil {
		labels = func() map[string]string { return sub.Labels }
	}
	if len(d.config.Settings.Route(d.query(ch.Incident, labels, sub.Priority, e))) == 0 {
		return d.inform(ch, e, reason, more)
	}
	waiting, err := d.waitingTeams(ch.Incident)
	if err != nil {
		return err
	}
	var now []told
	for _, t := range sub.Told {
		team := d.config.Settings.Team(t.Team)
		if team == nil || !d.spared(team, sub.Priority) {
			now = append(now, t)
		} else if !slices.Contains(waiting, team.Name) {
			waiting = append(waiting, team.Name)
		}
	}
	for _, name := range waiting {
		if team := d.config.Settings.Team(name); team != nil {
			if err := d.wait(ch, e, reason, team); err != nil {
				return err
			}
		}
	}
	now = join(now)
	return d.inform(ch, e, reason, append(now, others(now, more)...))
}
