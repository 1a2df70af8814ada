package notify

import (
	"context"
	"errors"
	"fmt"
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
	return d.tx.putSubject(incidentKey(ch.Incident), sub)
}

// incidentChanged carries out one change of an incident whose highest priority before was before, 0 when it is new.
func (d *decider) incidentChanged(ch *event.Change, sub *subject, before uint8) error {
	i := ch.Incident
	switch ch.Kind {
	case event.IncidentOpened:
		if !heldBack(i) {
			return d.ring(ch, sub, message.Opened, "")
		}
	case event.IncidentUpdated:
		if before == 0 || i.Priority >= before || i.AckedAt != 0 { // what somebody has acknowledged rings as worse
			return nil
		}
		return d.ringOutsideStorm(ch, sub, message.Raised, fmt.Sprintf("the priority rose from P%d to P%d", before, i.Priority))
	case event.IncidentWorse:
		return d.ring(ch, sub, message.Worse, ch.Text)
	case event.IncidentWoke:
		return d.ring(ch, sub, message.Woke, "the snooze is over and it still fires")
	case event.IncidentSignalLost:
		return d.ringOutsideStorm(ch, sub, message.SignalLost, "its last alerts expired: nobody said that it is over")
	case event.IncidentReopened:
		return d.reopened(ch, sub)
	case event.IncidentResolved:
		sub.Escalation, sub.Done, sub.Resolver = nil, d.now, i.ResolvedBy
		return d.tellThoseWhoKnow(ch, sub)
	case event.IncidentAcknowledged, event.IncidentSnoozed:
		sub.Escalation = nil
		return d.stormAcknowledged(i)
	case event.IncidentUnheld:
		if ch.Text == "due" {
			return d.holdDue(ch, sub)
		}
	default: // it concerns those who look, nobody who sleeps
	}
	return nil
}

// ringOutsideStorm rings, but for what opened in a storm that still lasts: its end lists what is urgent and open.
func (d *decider) ringOutsideStorm(ch *event.Change, sub *subject, e message.Event, reason string) error {
	if i := ch.Incident; heldBack(i) && i.AckedAt == 0 && d.tx.activeStorm(i.Tenant) == stormKey(i.Tenant, i.Storm) {
		return nil
	}
	return d.ring(ch, sub, e, reason)
}

// reopened rings as an opening does, and tells who had resolved it.
func (d *decider) reopened(ch *event.Change, sub *subject) error {
	resolver := d.n.login(sub.Resolver)
	sub.Done, sub.Resolver, sub.Priority = time.Time{}, "", ch.Incident.Priority
	var rung []told
	if !heldBack(ch.Incident) {
		var err error
		if rung, err = d.first(ch, sub, message.Reopened, "it fires again"); err != nil {
			return err
		}
	}
	if err := d.send(ch, sub, message.Reopened, "it fires again", rung); err != nil {
		return err
	}
	more := slices.DeleteFunc(d.reachPerson(resolver), func(t told) bool {
		return slices.ContainsFunc(rung, func(r told) bool { return r.covers(t) })
	})
	return d.send(ch, sub, message.Reopened, "you had resolved it; it fires again", more)
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
	if e == message.Raised || e == message.Worse || e == message.Woke {
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
	return d.send(ch, sub, e, reason, to)
}

// first returns the first contacts of every route that takes the incident, each receiver once. Escalations begin anew; where no
// route of the event has one, that of an earlier event goes on. What a team wants to be spared of now is put into its digest.
func (d *decider) first(ch *event.Change, sub *subject, e message.Event, reason string) (to []told, err error) {
	i := ch.Incident
	runs := map[string]run{}
	for _, target := range d.config.Settings.Route(query(i, i.Priority, e)) {
		for _, name := range target.Receivers {
			to = append(to, told{Receiver: name})
		}
		team := d.config.Settings.Team(target.Team)
		if team == nil {
			continue
		}
		if d.spared(team, i.Priority) {
			if err := d.wait(ch, e, reason, team); err != nil {
				return nil, err
			}
			continue
		}
		steps := team.Steps()
		to = append(to, d.reachAll(team, steps[0].Notify)...)
		if len(steps) > 1 && e != message.HoldDue {
			runs[team.Name] = run{Began: d.now, Next: 1, Due: d.now.Add(steps[1].After[clamp(i.Priority)]), Key: cursor(ch)}
		}
	}
	if len(runs) > 0 {
		sub.Escalation = runs
	}
	return join(to), nil
}

func query(i *event.IncidentState, priority uint8, e message.Event) settings.Query {
	return settings.Query{Tenant: i.Tenant, Team: i.Team, Service: i.Labels.Get("service"), Priority: int(priority), Labels: i.Labels.Map(), Event: e}
}

func clamp(priority uint8) uint8 { return min(max(priority, 1), 5) }

// send enqueues one message for each receiver.
func (d *decider) send(ch *event.Change, sub *subject, e message.Event, reason string, to []told) error {
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
		sub.remember(t)
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
	if r != nil && receivers.Addressed(r.Kind) != "" && len(t.Who) > 0 && len(t.To) == 0 {
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
	out.Incident = &i
	return out, nil
}

// bare is what a change alone says of its incident.
func bare(i *event.IncidentState) message.Incident {
	return message.Incident{
		ID: i.ID.String(), Status: i.Phase.String(), Rule: i.Rule, Team: i.Team, Labels: i.Labels.Map(), OpenedAt: i.OpenedAt.Time(),
		Unbound: i.Unbound, SignalLost: i.SignalLost,
	}
}

// tellThoseWhoKnow tells of a resolution to whom it was told that there was something, or waits to be.
func (d *decider) tellThoseWhoKnow(ch *event.Change, sub *subject) error {
	if len(d.config.Settings.Route(query(ch.Incident, sub.Priority, message.Resolved))) == 0 {
		return nil
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
			if err := d.wait(ch, message.Resolved, "", team); err != nil {
				return err
			}
		}
	}
	return d.send(ch, sub, message.Resolved, "", join(now))
}
