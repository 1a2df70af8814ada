package api

import (
	"context"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
)

// Why is the reasoning behind an incident: for people in sentences, for machines in operands.
type Why struct {
	Incident  string      `json:"incident"`
	Decisions []Decision  `json:"decisions" doc:"why it opened, why it reopened each time, and what went into it or out of it, oldest first"`
	Members   []MemberWhy `json:"members" doc:"why each configuration item is in it, and each alert that is bound to none, in the order in which they came; at most 500"`
	Left      int         `json:"members_left_out"`
	Alerts    []AlertWhy  `json:"alerts" doc:"why each alert is in it; firing first, at most 500"`
	More      int         `json:"more" doc:"alerts that are left out"`
	Quiet     []Quiet     `json:"quiet" doc:"what is quieting what now"`
	Cut       bool        `json:"cut" doc:"not all that was decided is kept, or it is too much for one answer"`
}

// AlertWhy says why an alert is in the incident.
type AlertWhy struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Resource string `json:"resource"`
	State    string `json:"state"`
	Reason   string `json:"reason"`
	Sentence string `json:"sentence"`
	Place    *Place `json:"place,omitempty" doc:"left out: rules group it, or how it was placed is no longer kept"`
}

const (
	maxDecisions = 10_000 // entries of a timeline that are searched for them
	maxReasons   = 500    // alerts in one answer
)

// Why explains an incident. deep looks through the log of changes too, for what the timelines lack.
func (d *Desk) Why(ctx context.Context, incident string, deep bool) (*Why, error) {
	v, i, err := d.find(ctx, incident)
	if err != nil {
		return nil, err
	}
	out := &Why{Incident: i.ID.String(), Decisions: []Decision{}, Alerts: []AlertWhy{}, Members: []MemberWhy{}, Quiet: []Quiet{}}
	p := newPast()
	entries, err := d.timeline(ctx, p, &i.IncidentState)
	if err != nil {
		return nil, err
	}
	items, from, to := spanOf(v, &i, entries)
	if deep && to != 0 {
		if err := d.log(ctx, p, lastSeq(entries, to), from, to); err != nil {
			return nil, err
		}
	}
	moves := p.about(items, append(absorbed(&i.IncidentState), i.ID))
	out.Decisions, out.Cut = d.decisions(v, p, entries, moves), p.cut
	s := &sieve[correlate.Alert]{limit: maxReasons}
	for a := range v.Members(i.ID) {
		s.add(alertRank(a), a)
	}
	page := s.page()
	for _, k := range page {
		d.explain(v, p, k.item, out)
	}
	out.More = s.total - len(page)
	out.Members, out.Left = membersWhy(v, p, i.ID, moves)
	return out, nil
}

// spanOf returns the items of an incident's alerts, and the time in which they were placed; to is 0 when topology placed none of them.
func spanOf(v *correlate.View, i *correlate.Incident, entries []event.Change) (items map[uint32]bool, from, to event.Time) {
	items, from = map[uint32]bool{}, i.OpenedAt
	for a := range v.Members(i.ID) {
		st := a.State()
		rule, key := a.Group()
		if a.Item() == 0 || !correlate.ByTopology(rule, key) {
			continue
		}
		items[a.Item()] = true
		from, to = min(from, st.FiringAt), max(to, st.FiringAt)
	}
	for n := range entries { // the items of alerts that were forgotten
		if ch := &entries[n]; ch.Kind == event.AlertFiring && ch.Place != nil {
			items[ch.Place.Item] = true
			from, to = min(from, ch.At), max(to, ch.At)
		}
	}
	return items, from, to
}

// lastSeq returns the number of the first input of a timeline that came after an instant, 0 when none did.
func lastSeq(entries []event.Change, at event.Time) uint64 {
	for n := range entries {
		if entries[n].At > at {
			return entries[n].Seq
		}
	}
	return 0
}

func (d *Desk) explain(v *correlate.View, p *past, a correlate.Alert, out *Why) {
	al, st := d.alert(v, a), a.State()
	why := AlertWhy{al.ID, al.Name, al.Resource, al.State, al.Reason, al.Why, nil}
	if at, ok := p.placement(&st); ok {
		if why.Place = p.place(v, at); why.Place != nil {
			why.Sentence += " " + why.Place.Sentence
		}
	}
	out.Alerts = append(out.Alerts, why)
	if len(al.SilencedBy)+len(al.InhibitedBy)+len(al.Maintenance) > 0 {
		out.Quiet = append(out.Quiet, Quiet{al.ID, al.SilencedBy, al.InhibitedBy, al.Maintenance, d.quietSentence(v, &al, a.Tenant())})
	}
}
