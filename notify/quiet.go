package notify

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/notify/message"
	"github.com/tocsin-noc/tocsin/notify/settings"
)

// digest is what waits for the end of a team's quiet hours.
type digest struct {
	Due   time.Time      `json:"due"`
	Key   string         `json:"key"` // of the first change in it
	Items []message.Data `json:"items"`
	More  int            `json:"more"` // that were not kept
}

// maxDigest bounds a digest; what is over it is counted.
const maxDigest = 200

// spared tells whether a team wants to hear of that priority only when its quiet hours are over.
func (d *decider) spared(team *settings.Team, priority uint8) bool {
	return int(priority) > team.Quiet.Rings && team.Quiet.Holds(d.now)
}

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

// waitingTeams lists the teams in whose digest an incident is.
func (d *decider) waitingTeams(i *event.IncidentState) (teams []string, err error) {
	err = each(d.tx.Bucket([]byte("digests")), func(team []byte, g digest) error {
		if slices.ContainsFunc(g.Items, func(it message.Data) bool { return it.Tenant == i.Tenant && it.Incident.ID == i.ID.String() }) {
			teams = append(teams, string(team))
		}
		return nil
	})
	return teams, err
}

// digest sends what waited through a team's quiet hours.
func (d *decider) digest(name string) error {
	b := d.tx.Bucket([]byte("digests"))
	g, ok, err := get[digest](b, []byte(name))
	if err != nil || !ok {
		return err
	}
	if err := b.Delete([]byte(name)); err != nil {
		return err
	}
	var to []told
	if team := d.config.Settings.Team(name); team != nil {
		to = d.reachAll(team, team.Steps()[0].Notify)
	}
	if len(to) == 0 {
		d.n.log.Error("nobody is left to be told what waited through quiet hours", "team", name, "messages", len(g.Items)+g.More)
		return nil
	}
	tenants := map[string][]message.Data{}
	for _, it := range g.Items {
		tenants[it.Tenant] = append(tenants[it.Tenant], it)
	}
	for _, tenant := range slices.Sorted(maps.Keys(tenants)) {
		data := message.Data{Event: message.Digest, At: d.now, Tenant: tenant, Digest: tenants[tenant]}
		if g.More > 0 {
			data.Reason = fmt.Sprintf("and %d more", g.More)
		}
		for _, t := range to {
			if err := d.enqueue(data, g.Key+".digest."+tenant, t); err != nil {
				return err
			}
		}
	}
	return d.nowTheyKnow(g.Items, to)
}

// nowTheyKnow notes who has learned of the incidents of a digest, so that they hear when these are over.
func (d *decider) nowTheyKnow(items []message.Data, to []told) error {
	for _, it := range items {
		key := it.Tenant + "/" + it.Incident.ID
		sub, err := d.tx.subject(key)
		if err != nil {
			return err
		}
		if !sub.Done.IsZero() {
			continue
		}
		for _, t := range to {
			sub.remember(t)
		}
		if err := d.tx.putSubject(key, sub); err != nil {
			return err
		}
	}
	return nil
}
