package notify

import (
	"fmt"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/notify/message"
	"github.com/tocsin-noc/tocsin/notify/settings"
)

// setOff is how long before a storm the incidents opened that set it off.
const setOff = time.Minute

func stormKey(tenant string, number uint32) string { return fmt.Sprintf("%s/STORM-%d", tenant, number) }

// storm tells of a storm's begin and end.
func (d *decider) storm(ch *event.Change) error {
	s := ch.Storm
	key := stormKey(s.Tenant, s.Number)
	sub, err := d.tx.subject(key)
	if err != nil {
		return err
	}
	sub.Storm = &message.Storm{
		Number: int(s.Number), BeganAt: s.BeganAt.Time(), Openings: int(s.Openings), Held: int(s.Held), Worst: int(s.Worst),
	}
	if ch.Kind == event.StormEnded {
		err = d.stormEnded(ch, key, &sub)
	} else {
		err = d.stormBegan(ch, key, &sub)
	}
	if err != nil {
		return err
	}
	return d.tx.putSubject(key, sub)
}

func (d *decider) stormBegan(ch *event.Change, key string, sub *subject) error {
	if err := d.tx.setActiveStorm(ch.Storm.Tenant, key); err != nil {
		return err
	}
	to, teams := d.everybody(ch.Storm.Tenant, 1, message.StormBegan)
	runs := map[string]run{}
	for _, team := range teams {
		if steps := team.Steps(); len(steps) > 1 {
			runs[team.Name] = run{Began: d.now, Next: 1, Due: d.now.Add(steps[1].After[clamp(ch.Storm.Worst)]), Key: cursor(ch)}
		}
	}
	sub.Escalation = runs
	return d.tellStorm(ch, sub, message.StormBegan, to)
}

// stormEnded tells those who know of the storm, and when nobody does, those who would have been told.
func (d *decider) stormEnded(ch *event.Change, key string, sub *subject) (err error) {
	s := ch.Storm
	if d.tx.activeStorm(s.Tenant) == key {
		if err = d.tx.setActiveStorm(s.Tenant, ""); err != nil {
			return err
		}
	}
	ended := s.EndedAt.Time()
	sub.Escalation, sub.Done, sub.Storm.EndedAt = nil, d.now, &ended
	if sub.Storm.Open, err = d.open(s.Tenant); err != nil {
		return err
	}
	to := join(sub.Told)
	if len(to) == 0 {
		to, _ = d.everybody(s.Tenant, 1, message.StormEnded)
	}
	return d.tellStorm(ch, sub, message.StormEnded, to)
}

func (d *decider) tellStorm(ch *event.Change, sub *subject, e message.Event, to []told) error {
	data := message.Data{Event: e, At: ch.At.Time(), Tenant: ch.Storm.Tenant, Storm: sub.Storm}
	for _, t := range to {
		if err := d.enqueue(data, cursor(ch), t); err != nil {
			return err
		}
		sub.remember(t)
	}
	return nil
}

// everybody returns whom the routes name for what is no single incident, and the teams among them.
func (d *decider) everybody(tenant string, priority int, e message.Event) (to []told, teams []*settings.Team) {
	for _, target := range d.config.Settings.Route(settings.Query{Tenant: tenant, Priority: priority, Event: e}) {
		for _, name := range target.Receivers {
			to = append(to, told{Receiver: name})
		}
		if team := d.config.Settings.Team(target.Team); team != nil {
			to = append(to, d.reachAll(team, team.Steps()[0].Notify)...)
			teams = append(teams, team)
		}
	}
	return join(to), teams
}

// stormAcknowledged ends the escalation of a storm once anybody has taken on an incident of it, or one of those that set it off:
// somebody is awake.
func (d *decider) stormAcknowledged(i *event.IncidentState) error {
	key := d.tx.activeStorm(i.Tenant)
	if key == "" {
		return nil
	}
	sub, err := d.tx.subject(key)
	if err != nil || sub.Storm == nil || len(sub.Escalation) == 0 || i.OpenedAt.Time().Before(sub.Storm.BeganAt.Add(-setOff)) {
		return err
	}
	sub.Escalation = nil
	return d.tx.putSubject(key, sub)
}

// mute tells of what ends a silence or a window soon.
func (d *decider) mute(ch *event.Change, tenant string, m message.Mute) error {
	data := message.Data{Event: message.MuteEnding, At: ch.At.Time(), Tenant: tenant, Mute: &m}
	to, _ := d.everybody(tenant, 2, message.MuteEnding)
	for _, t := range to {
		if err := d.enqueue(data, cursor(ch), t); err != nil {
			return err
		}
	}
	return nil
}
