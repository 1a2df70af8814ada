package notify

import (
	"fmt"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/notify/message"
	"github.com/tocsin-noc/tocsin/notify/settings"
)

// outage tells whoever is on call for a service, for their information, that the machine takes it to be down; and the same people when
// it is up again. What people report or reject they know already.
func (d *decider) outage(ch *event.Change) error {
	o := ch.Outage
	key := fmt.Sprintf("%s/OUT-%d", o.Tenant, o.Number)
	sub, err := d.tx.subject(key)
	if err != nil {
		return err
	}
	known := len(sub.Told) > 0
	switch {
	case !known && o.ByMachine && o.State == event.OutageProposed && o.Known == ch.At && o.EndedAt == 0:
		err = d.tellOutage(ch, &sub, message.OutageBegan)
	case known && sub.Done.IsZero() && o.State == event.OutageRejected:
		sub.Done = d.now
	case known && sub.Done.IsZero() && o.EndedAt != 0:
		sub.Done = d.now
		if ch.Text == "" { // else it is not up again: the service is there no more
			err = d.tellOutage(ch, &sub, message.OutageEnded)
		}
	default:
		return nil
	}
	if err != nil {
		return err
	}
	return d.tx.putSubject(key, sub)
}

func (d *decider) tellOutage(ch *event.Change, sub *subject, e message.Event) error {
	o := ch.Outage
	name, team, err := d.service(o.Tenant, o.Service)
	if err != nil {
		return err
	}
	data := message.Data{Event: e, At: ch.At.Time(), Tenant: o.Tenant, Outage: &message.Outage{
		Number: int(o.Number), Service: name, Kind: o.Kind.String(), State: o.State.String(), BeganAt: o.BeganAt.Time(), Cause: o.Cause,
	}}
	if o.EndedAt != 0 {
		ended := o.EndedAt.Time()
		data.Outage.EndedAt = &ended
	}
	for _, id := range o.Incidents {
		data.Outage.Incidents = append(data.Outage.Incidents, id.String())
	}
	to := join(sub.Told)
	if e == message.OutageBegan {
		to = d.onCallFor(o.Tenant, name, team)
	}
	for _, t := range to {
		if err := d.enqueue(data, cursor(ch), t); err != nil {
			return err
		}
		sub.remember(t)
	}
	return nil
}

// onCallFor returns who is on call in the team of a service, and where it has none that the settings know, whom the routes name for it.
func (d *decider) onCallFor(tenant, service, name string) []told {
	team := d.config.Settings.Team(name)
	switch {
	case team == nil:
		return d.everybody(settings.Query{Tenant: tenant, Team: name, Service: service, Priority: 2, Event: message.OutageBegan})
	case len(team.Rotation) == 0:
		return join(d.firstContacts(addressee{team: team}))
	}
	return d.reachAll(team, []settings.Whom{{Kind: settings.OnCall}})
}
