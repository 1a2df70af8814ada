package correlate

import (
	"fmt"
	"slices"

	"github.com/tocsin-noc/tocsin/event"
)

// A dependency never hides. But while what an item rests on is down, and there is no other way to it, an alert that only says that the item
// cannot be reached says nothing new: it joins as a quiet symptom. When its cause is over it gets a while to end; then it rings by itself.

// symptomHold is how long symptoms stay quiet after their cause is over.
const symptomHold = 3 * event.Minute

// maxSymptomsAtOnce bounds the alerts of an incident that are looked at when what their items rest on goes down, or up.
const maxSymptomsAtOnce = 4096

// downRec is how many alerts say that an item is down, and which. Where there are more than it has room for, or were, they are looked for
// among all.
type downRec struct {
	count uint32
	known [downsKept]uint32 // slots; 0: free
}

const downsKept = 3

func (d *downRec) add(slot uint32) {
	d.count++
	if i := slices.Index(d.known[:], 0); i >= 0 {
		d.known[i] = slot
	}
}

func (d *downRec) remove(slot uint32) {
	d.count--
	if i := slices.Index(d.known[:], slot); i >= 0 {
		d.known[i] = 0
	}
}

// all lists the alerts; ok is false when it does not know all of them.
func (d *downRec) all() (list [downsKept]uint32, ok bool) {
	n := uint32(0)
	for _, slot := range d.known {
		if slot != 0 {
			n++
		}
	}
	return d.known, n == d.count
}

// recountDowns takes in whether an alert says that an item is down. One that a silence quiets says it all the same.
func (s *State) recountDowns(slot uint32, before, after *alertRec) {
	was, is := saysDown(before), saysDown(after)
	if was == is && before.ci == after.ci {
		return
	}
	if was {
		s.down(before.ci).remove(slot)
	}
	if is {
		s.down(after.ci).add(slot)
	}
}

func saysDown(a *alertRec) bool {
	return a.kind == event.KindDown && a.ci != 0 && a.phase == event.Firing
}

func (s *State) down(ci uint32) *downRec {
	for s.downs.Len() <= ci {
		s.downs.Alloc()
	}
	return s.downs.Mut(ci)
}

// restoreDowns finds anew what a snapshot does not hold.
func (s *State) restoreDowns() {
	for slot := uint32(1); slot < s.alerts.Len(); slot++ {
		if a := s.alerts.At(slot); saysDown(a) {
			s.down(a.ci).add(slot)
		}
	}
}

func (s *State) isCut(ci uint32) bool { return ci < s.downs.Len() && s.downs.At(ci).count > 0 }

// causeOfSymptom returns the item that explains an alert as a mere symptom, 0 when none does.
func (s *State) causeOfSymptom(a *event.AlertState) uint32 {
	if a.CI == 0 || a.Kind != event.KindUnreachable && a.Kind != event.KindNoData {
		return 0
	}
	return s.cmdb.CutBy(a.CI, s.isCut)
}

// incidentOfDown returns the open incident in which an item is said to be down.
func (s *State) incidentOfDown(ci uint32) event.IncidentID {
	if c := s.forest.ClusterOf(ci); c != 0 {
		if id := s.incidentOfCluster(c); id != 0 && s.incidents.Phase(id) == event.IncidentOpen {
			return id
		}
	}
	return s.latestDown(ci)
}

// latestDown finds the incident of an item that has been down for longer than its cluster lasted.
func (s *State) latestDown(ci uint32) (found event.IncidentID) {
	if ci >= s.downs.Len() {
		return 0
	}
	look := func(slot uint32) {
		if a := s.alerts.At(slot); a.ci == ci && saysDown(a) && a.incident > found && s.incidents.Phase(a.incident) == event.IncidentOpen {
			found = a.incident
		}
	}
	known, all := s.downs.At(ci).all()
	for _, slot := range known {
		look(slot)
	}
	for slot := uint32(1); !all && slot < s.alerts.Len(); slot++ {
		look(slot)
	}
	return found
}

// reviewSymptoms looks at the alerts of an incident after an item went down, or is up again: what is a mere symptom gets quiet, and what was
// one gets a while to end.
func (s *State) reviewSymptoms(id event.IncidentID) {
	var slots []uint32
	for slot := s.members.At(uint32(id)).head; slot != 0 && len(slots) < maxSymptomsAtOnce; slot = s.alerts.At(slot).next {
		if a := s.alerts.At(slot); a.phase == event.Firing && (a.kind == event.KindUnreachable || a.kind == event.KindNoData) {
			slots = append(slots, slot)
		}
	}
	for _, slot := range slots {
		s.reviewSymptom(slot)
	}
}

func (s *State) reviewSymptom(slot uint32) {
	state := s.alertState(slot)
	cut := s.causeOfSymptom(&state) != 0
	for c := s.alerts.At(slot).claims; c != 0; c = s.claims.At(c).next {
		rec := s.claims.At(c)
		if rec.phase != event.Firing {
			continue
		}
		claim := rec.state(c)
		switch {
		case cut && (!claim.Symptom || claim.SymptomUntil != 0):
			claim.Symptom, claim.SymptomUntil = true, 0
		case !cut && claim.Symptom && claim.SymptomUntil == 0:
			claim.SymptomUntil = s.meta.At + symptomHold
		default:
			continue
		}
		s.requieted(slot, claim)
	}
}

// symptomDue lets go of an alert whose cause has been over for long enough; it rings by itself.
func (s *State) symptomDue(slot uint32) {
	s.reviewSymptom(slot)
	due := false
	for c := s.alerts.At(slot).claims; c != 0; c = s.claims.At(c).next {
		rec := s.claims.At(c)
		if rec.flags&flagSymptom == 0 || rec.staleAt == 0 || rec.staleAt > s.meta.At || rec.phase != event.Firing {
			continue
		}
		due = true
		claim := rec.state(c)
		state := s.alertState(slot)
		claim.Symptom, claim.SymptomUntil = s.causeOfSymptom(&state) != 0, 0
		s.requieted(slot, claim)
	}
	if a := s.alerts.At(slot); due && a.incident != 0 && a.flags&flagSuppressed == 0 && a.phase == event.Firing {
		s.worse(a.incident, fmt.Sprintf("%s fires on, though what it rests on is up again", s.alertState(slot).Name), false)
	}
}

// symptomUntil is when an alert is looked at that is a symptom, or was; Never when there is nothing to look at. What is in no incident is
// asked now and then whether its cause is over.
func (s *State) symptomUntil(a *alertRec) event.Time {
	until := event.Never
	if a.kind != event.KindUnreachable && a.kind != event.KindNoData {
		return until
	}
	for c := a.claims; c != 0; c = s.claims.At(c).next {
		switch rec := s.claims.At(c); {
		case rec.flags&flagSymptom == 0 || rec.phase != event.Firing:
		case rec.staleAt != 0:
			until = min(until, rec.staleAt)
		default:
			until = min(until, s.meta.At+event.Minute)
		}
	}
	return until
}

// inherit makes one more claim of an alert as quiet as the alert is as a symptom.
func (s *State) inherit(c *event.ClaimState, alert uint32) {
	if first := s.firstLive(alert); first.Symptom {
		c.Symptom, c.SymptomUntil = true, first.SymptomUntil
	}
}

// bindSymptom says what an alert that begins says of its item, and returns the item of which it is a mere symptom, 0 when of none.
func (s *State) bindSymptom(a *event.AlertState, c *event.ClaimState, ls event.Labels) uint32 {
	a.Kind = event.ParseAlertKind(ls.Get(event.KindLabel))
	cut := s.causeOfSymptom(a)
	if c.Symptom, c.SymptomUntil = cut != 0, 0; c.Symptom {
		a.Suppressed = true
	}
	return cut
}

// placeSymptom puts a mere symptom into the incident of its cause.
func (s *State) placeSymptom(cut uint32, p *place) {
	if cut == 0 || p.incident != 0 {
		return
	}
	if id := s.incidentOfDown(cut); id != 0 {
		p.reason, p.incident = event.ReasonSymptom, id
	}
}

// placeBelow puts the item of a mere symptom below its cause, as long as the cluster of that takes items in.
func (s *State) placeBelow(a *event.AlertState, cut uint32) *event.Placement {
	c := s.forest.ClusterOf(cut)
	if cut == 0 || c == 0 {
		return nil
	}
	d := event.Placement{
		Kind: event.PlaceEdge, Cluster: c, Item: a.CI, Component: s.forest.ComponentOf(c), At: s.eventTime(a.StartsAt), From: cut, Hops: 1,
		Edge: event.NoScore, Near: event.NoScore,
	}
	s.cite(&d)
	return &d
}
