package notify

import (
	"cmp"
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
	Began time.Time      `json:"began"` // when the first came
	Key   string         `json:"key"`   // of the first change in it
	Items []message.Data `json:"items"`
	More  int            `json:"more"` // that were not kept
}

// folded puts what happened to one incident into one entry: the last, with what was before it. The most urgent are first, and what
// is over by now comes last.
func folded(items []message.Data) (out []message.Data) {
	for _, it := range items {
		n := slices.IndexFunc(out, func(o message.Data) bool { return o.Tenant == it.Tenant && o.Incident.ID == it.Incident.ID })
		if n < 0 {
			out = append(out, it)
			continue
		}
		it.Earlier = append(append(slices.Clone(out[n].Earlier), out[n].Event), it.Earlier...)
		if most := len(it.Earlier) - maxEarlier; most > 0 {
			it.Earlier = it.Earlier[most:]
		}
		out[n] = it
	}
	slices.SortStableFunc(out, func(a, b message.Data) int {
		return cmp.Or(cmp.Compare(over01(a), over01(b)), cmp.Compare(a.Incident.Priority, b.Incident.Priority))
	})
	return out
}

// over01 is 1 for what is over.
func over01(d message.Data) int {
	switch d.Event {
	case message.Resolved, message.Cancelled, message.Merged:
		return 1
	default:
		return 0
	}
}

// maxEarlier bounds what is told of an incident that went up and down all night.
const maxEarlier = 10

// maxDigest bounds the incidents of a digest; what is told of others is counted.
const maxDigest = 200

// spared tells whether a team wants to hear of that priority only when its quiet hours are over.
func (d *decider) spared(team *settings.Team, priority uint8) bool {
	return int(priority) > team.Quiet.Rings && team.Quiet.Holds(d.now)
}

// longestQuiet bounds how long anything waits for the end of quiet hours.
const longestQuiet = 7 * 24 * time.Hour

// digestDue returns when a team's digest is to be sent: when its quiet hours end, as the settings have them now.
func (n *Notifier) digestDue(team string, g *digest) time.Time {
	due := n.o.Now()
	if t := n.config.Load().Settings.Team(team); t != nil {
		due = t.Quiet.Ends(due) // due itself, outside of them
	}
	if last := g.Began.Add(longestQuiet); !g.Began.IsZero() && last.Before(due) {
		return last
	}
	return due
}

// wait keeps a message for the end of quiet hours.
func (d *decider) wait(ch *event.Change, e message.Event, reason string, team *settings.Team) error {
	b := d.tx.Bucket([]byte("digests"))
	g, ok, err := get[digest](b, []byte(team.Name))
	if err != nil {
		return err
	}
	if !ok {
		g.Began, g.Key = d.now, cursor(ch)
	}
	data, err := d.data(ch, e, reason)
	if err != nil {
		return err
	}
	data.Incident.Alerts, data.Incident.Why = nil, nil
	if items := folded(append(g.Items, data)); len(items) <= maxDigest {
		g.Items = items
	} else {
		g.More++
	}
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
	g.Items = folded(g.Items) // an older version kept every message
	for _, it := range g.Items {
		tenants[it.Tenant] = append(tenants[it.Tenant], it)
	}
	for _, tenant := range slices.Sorted(maps.Keys(tenants)) {
		data := message.Data{Event: message.Digest, At: d.now, Tenant: tenant, Digest: tenants[tenant]}
		if g.More > 0 {
			data.Reason = fmt.Sprintf("and %d more that were not kept", g.More)
		}
		for _, t := range to {
			if err := d.enqueue(data, g.Key+".digest."+tenant, t); err != nil {
				return err
			}
		}
	}
	return d.nowTheyKnow(name, g, to)
}

// nowTheyKnow notes who has learned of the incidents of a digest, so that they hear when these are over. What is open, and nobody
// has, goes on from here as if it had opened now.
func (d *decider) nowTheyKnow(team string, g digest, to []told) error {
	for _, it := range g.Items {
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
		if err := d.goOn(key, team, g.Key+".digest", &sub); err != nil {
			return err
		}
		if err := d.tx.putSubject(key, sub); err != nil {
			return err
		}
	}
	return nil
}

// goOn begins a team's escalation of an incident of its digest, unless one is under way or somebody has the incident.
func (d *decider) goOn(key, name, change string, sub *subject) error {
	steps := d.config.Settings.Team(name).Steps()
	if _, runs := sub.Escalation[name]; runs || len(steps) < 2 {
		return nil
	}
	_, priority, state, err := d.present(key, name, sub)
	if err != nil || state == over {
		return err
	}
	if sub.Escalation == nil {
		sub.Escalation = map[string]run{}
	}
	sub.Escalation[name] = run{
		Began: d.now, Next: 1, Due: d.now.Add(steps[1].After[clamp(priority)]), Key: change + "." + incidentOf(key).String(),
	}
	return nil
}
