package notify

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
	"github.com/tocsin-noc/tocsin/notify/message"
)

// partChanged tells those who have a part in an incident: whose it is, who watches it, who reported it, who leads it.
func (d *decider) partChanged(ch *event.Change, sub *subject, before uint8) error {
	i := ch.Incident
	switch ch.Kind {
	case event.IncidentMerged:
		d.over(sub)
		return d.tellThoseWhoKnow(ch, sub, message.Merged, "it lives on in "+i.MergedInto.String(), nil)
	case event.IncidentAbsorbed:
		return d.absorbed(ch, sub, before)
	case event.IncidentSplit:
		return d.inform(ch, message.Split, d.n.person(ch.Actor)+" took alerts out of it: "+ch.Text, d.persons(ch.Actor, itsm.Owner(i)))
	case event.IncidentUnmerged:
		return d.unmerged(ch, sub, before)
	case event.IncidentProposed:
		return d.proposed(ch)
	case event.IncidentAnswered:
		return d.answered(ch, sub)
	case event.IncidentMajor:
		return d.major(ch, sub)
	case event.IncidentTold:
		return d.tellThoseWhoKnow(ch, sub, message.Update, ch.Text, d.persons(ch.Actor, hit(i)...))
	case event.IncidentUpdateDue:
		return d.updateDue(ch, sub)
	case event.IncidentChase:
		return d.chase(ch, sub)
	case event.IncidentTasked:
		return d.tasked(ch, sub)
	default: // it concerns those who look, nobody who sleeps
	}
	return nil
}

// kept returns what people keep on an incident.
func kept(i *event.IncidentState) *event.Dossier {
	if i.Dossier == nil {
		return &event.Dossier{}
	}
	return i.Dossier
}

// hit returns the persons who watch an incident, and those who reported that it hits them.
func hit(i *event.IncidentState) (ids []string) {
	ids = slices.Clone(kept(i).Watchers)
	for _, r := range kept(i).Reports {
		ids = append(ids, r.Caller)
	}
	return ids
}

// absorbed tells both owners. Whoever knows of the incident that came into it knows of this one from now on, and a priority that
// rose with it rings.
func (d *decider) absorbed(ch *event.Change, sub *subject, before uint8) error {
	i, owners := ch.Incident, []string{itsm.Owner(ch.Incident)}
	if list := kept(i).Absorbed; len(list) > 0 {
		other := list[len(list)-1].Other
		gone, err := d.tx.subject(i.Tenant + "/" + other.String())
		if err != nil {
			return err
		}
		for _, t := range gone.Told {
			sub.remember(t)
		}
		owner, err := d.ownerOf(other)
		if err != nil {
			return err
		}
		owners = append(owners, owner)
	}
	if err := d.inform(ch, message.Absorbed, "it took in "+ch.Text, d.persons(ch.Actor, owners...)); err != nil {
		return err
	}
	return d.raised(ch, sub, before)
}

// ownerOf returns whose another incident is, "" when it is nobody's.
func (d *decider) ownerOf(id event.IncidentID) (string, error) {
	now, err := d.incident(id)
	if errors.Is(err, ErrNoIncident) || err == nil && now == nil {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return itsm.Owner(&now.State), nil
}

// unmerged tells the owners on both sides. What is an incident of its own again, and nobody has, rings as it did at first.
func (d *decider) unmerged(ch *event.Change, sub *subject, before uint8) error {
	i, reason := ch.Incident, "the merge was undone: "+ch.Text
	owners := d.persons(ch.Actor, itsm.Owner(i))
	if i.Phase != event.IncidentOpen || before != 0 && sub.Done.IsZero() { // the other side
		return d.inform(ch, message.Unmerged, reason, owners)
	}
	sub.Done, sub.Priority = time.Time{}, i.Priority
	if i.AckedAt != 0 {
		return d.inform(ch, message.Unmerged, reason, owners)
	}
	if err := d.ring(ch, sub, message.Unmerged, reason); err != nil {
		return err
	}
	return d.inform(ch, message.Unmerged, reason, others(sub.Told, owners))
}

// proposed asks both owners whether their incidents are one. That the machine would call one a major incident rings nothing: the
// priority that says so has just rung.
func (d *decider) proposed(ch *event.Change) error {
	i := ch.Incident
	list := kept(i).Proposals
	if len(list) == 0 || list[len(list)-1].Other == 0 {
		return nil
	}
	p, reason := list[len(list)-1], "proposed: "+ch.Text
	owner, err := d.ownerOf(p.Other)
	if err != nil {
		return err
	}
	return d.inform(ch, message.Proposed, reason, d.persons(p.By, itsm.Owner(i), owner))
}

// answered tells who proposed something what became of it.
func (d *decider) answered(ch *event.Change, sub *subject) error {
	var news words
	for _, p := range kept(ch.Incident).Proposals {
		if p.Answer == event.ProposalOpen || slices.Contains(sub.Answered, p.Number) {
			continue
		}
		sub.Answered = append(sub.Answered, p.Number)
		what := "that it be a major incident"
		if p.Other != 0 {
			what = "that " + p.Other.String() + " be merged into it"
		}
		news.add(p.By, p.Decided, fmt.Sprintf("%s %s %s", d.n.person(p.Decided), p.Answer, what))
	}
	return d.each(ch, message.Answered, &news)
}

// words are what persons are told, each all of theirs in one message.
type words struct {
	who   []string
	lines map[string][]string
}

// add notes what a person is told, unless it was they who did it.
func (w *words) add(who, actor, line string) {
	if who == "" || who == actor {
		return
	}
	if w.lines == nil {
		w.lines = map[string][]string{}
	}
	if w.lines[who] == nil {
		w.who = append(w.who, who)
	}
	w.lines[who] = append(w.lines[who], line)
}

// each tells every person theirs.
func (d *decider) each(ch *event.Change, e message.Event, w *words) error {
	for _, who := range w.who {
		if err := d.inform(ch, e, strings.Join(w.lines[who], "; "), d.persons("", who)); err != nil {
			return err
		}
	}
	return nil
}

// major tells of a major incident's begin and end those who know of the incident, who watch it, and who lead it.
func (d *decider) major(ch *event.Change, sub *subject) error {
	m := kept(ch.Incident).Major
	if m == nil {
		return nil
	}
	e, reason := message.MajorBegan, d.n.person(m.By)+" made it a major incident"
	switch {
	case m.EndedAt == ch.At:
		e, reason = message.MajorEnded, ch.Text
	case m.EndedAt != 0 || m.Since != ch.At:
		return nil // who does what in it changed
	case m.Commander != "":
		reason += "; " + d.n.person(m.Commander) + " leads"
	}
	people := append([]string{m.Commander, m.Comms, m.Scribe}, kept(ch.Incident).Watchers...)
	return d.tellThoseWhoKnow(ch, sub, e, reason, d.persons(ch.Actor, people...))
}

// updateDue rings who speaks for a major incident, and where they cannot be reached the next who could.
func (d *decider) updateDue(ch *event.Change, sub *subject) error {
	const reason = "those who are hit wait for the next update"
	m := kept(ch.Incident).Major
	if m == nil {
		return nil
	}
	return d.oneOf(ch, sub, message.UpdateDue, reason, m.Comms, m.Commander, itsm.Owner(ch.Incident))
}

// oneOf tells the first of these persons who can be reached, and where none can, the first contacts of the routes.
func (d *decider) oneOf(ch *event.Change, sub *subject, e message.Event, reason string, ids ...string) error {
	for _, id := range ids {
		if to := d.persons("", id); len(to) > 0 {
			return d.inform(ch, e, reason, to)
		}
	}
	return d.ring(ch, sub, e, reason)
}

// chase reminds whose incident it is to ask the supplier, else the team it was given to, else whoever is told of it.
func (d *decider) chase(ch *event.Change, sub *subject) error {
	i := ch.Incident
	if to := d.persons("", itsm.Owner(i)); len(to) > 0 {
		return d.inform(ch, message.Chase, ch.Text, to)
	}
	if team := d.config.Settings.Team(i.Team); team != nil {
		return d.inform(ch, message.Chase, ch.Text, join(d.firstContacts(addressee{team: team})))
	}
	return d.ring(ch, sub, message.Chase, ch.Text)
}

// tasked tells those whose open task is new to them, or is another than it was.
func (d *decider) tasked(ch *event.Change, sub *subject) error {
	var news words
	before := sub.Tasks
	sub.Tasks = map[uint32]string{}
	for _, t := range kept(ch.Incident).Tasks {
		if t.Done || t.Assignee == "" {
			continue
		}
		title := t.Title
		if t.DueAt != 0 {
			title += fmt.Sprintf(" (due %s UTC)", t.DueAt.Time().Format("2006-01-02 15:04"))
		}
		sub.Tasks[t.Number] = t.Assignee + ": " + title
		if before[t.Number] == sub.Tasks[t.Number] {
			continue
		}
		news.add(t.Assignee, ch.Actor, fmt.Sprintf("task %d is yours: %s", t.Number, title))
	}
	return d.each(ch, message.Task, &news)
}
