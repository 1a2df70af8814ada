package correlate

import (
	"fmt"
	"slices"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
)

// survivor returns the incident in which another lives on: itself, unless it was merged.
func (s *State) survivor(id event.IncidentID) event.IncidentID {
	for id != 0 && s.incidents.Phase(id) == event.PhaseMerged {
		kept := &s.work.merged[id%mergedKept]
		if kept.id != id {
			kept.id, kept.into = id, s.incidents.Outline(id).MergedInto
		}
		id = kept.into
	}
	return id
}

// mergedKept is of how many merged incidents it is kept at hand where they went: in a storm they are asked for with every alert.
const mergedKept = 256

type mergedInto struct{ id, into event.IncidentID }

// leads returns the latest incident of a group, 0 when it has none. A group's record is not touched by a merge, so undoing one needs
// no undoing here.
func (s *State) leads(group uint32) event.IncidentID { return s.survivor(s.groups.At(group).incident) }

// mergeByHand merges another incident into this one on a person's word, or proposes it when the two are two people's.
func (s *State) mergeByHand(c *event.Command, into event.IncidentState) event.Result {
	other, refusal := s.incidentOf(c.Other, c.Tenant)
	if refusal == nil {
		refusal = s.mergeable(&into, &other)
	}
	if refusal != nil {
		return event.Result{Err: refusal}
	}
	if !itsm.Disputed(&into, &other) {
		s.merge(into.ID, other.ID, c.Text, c.Actor)
		return event.Result{Incident: into.ID}
	}
	number, refusal := s.proposeMerge(into, other.ID, c.Text, c.Actor)
	return event.Result{Incident: into.ID, Number: number, Err: refusal}
}

// mergeable refuses a merge that cannot be.
func (s *State) mergeable(into, other *event.IncidentState) *event.Refusal {
	switch {
	case into.ID == other.ID:
		return &event.Refusal{Code: event.Invalid, Message: into.ID.String() + " cannot go into itself"}
	case other.Phase == event.PhaseMerged:
		return s.wentInto(other)
	case s.descends(into.ID, other.ID):
		return &event.Refusal{
			Code: event.Conflict, Message: fmt.Sprintf("%s is a child of %s, which cannot go into it", into.ID, other.ID),
			Hint: "merge them the other way round",
		}
	}
	if children(into)+children(other) > itsm.MaxChildren {
		return &event.Refusal{Code: event.Conflict, Message: fmt.Sprintf("together they have more than %d children", itsm.MaxChildren)}
	}
	if s.above(into.ID)+s.below(other.ID) >= maxGenerations {
		return &event.Refusal{
			Code: event.Conflict, Message: fmt.Sprintf("the children of %s would make it more than %d generations", other.ID, maxGenerations),
			Hint: "relate them instead",
		}
	}
	kept := *into
	s.prune(&kept, into.ID)
	return itsm.Mergeable(&kept, other, s.members.At(uint32(other.ID)).alerts)
}

// prune forgets, of the alerts that came into an incident by merges, those that are in holder no longer.
func (s *State) prune(i *event.IncidentState, holder event.IncidentID) {
	itsm.Prune(i, func(id event.AlertID) bool { return s.isIn(id, holder) })
}

func children(i *event.IncidentState) int {
	if i.Dossier == nil {
		return 0
	}
	return len(i.Dossier.Children)
}

// proposeMerge asks people whether other belongs into an incident. It returns the proposal's number.
func (s *State) proposeMerge(into event.IncidentState, other event.IncidentID, why, by string) (uint32, *event.Refusal) {
	number, news, refusal := itsm.Propose(&into, other, clip(why), by, s.meta.At)
	if news {
		s.emit(event.Change{Kind: event.IncidentProposed, Incident: &into, Actor: by, Text: said("merge "+other.String(), clip(why))})
	}
	return number, refusal
}

// machineMerge merges two incidents on the machine's own judgement: only while people had a hand in at most one of them, and that one
// stays; else it proposes it. What a person keeps apart it leaves alone. It tells whether they are one now.
func (s *State) machineMerge(intoID, otherID event.IncidentID, why string) bool {
	into, other := s.incidents.State(intoID), s.incidents.State(otherID)
	if itsm.Touched(&other) && !itsm.Touched(&into) {
		into, other = other, into
	}
	if into.Tenant != other.Tenant || itsm.Bound(&into, &other) || s.keptApart(into.ID, other.ID) || s.mergeable(&into, &other) != nil {
		return false
	}
	if itsm.Touched(&other) {
		_, _ = s.proposeMerge(into, other.ID, why, "") // a full list takes no more: then people have enough to answer
		return false
	}
	s.merge(into.ID, other.ID, why, "")
	return true
}

// answer accepts or rejects a proposal, and does what was proposed.
func (s *State) answer(c *event.Command, i event.IncidentState) event.Result {
	proposal, refusal := itsm.Answer(&i, c.Number, c.Accept, c.Actor)
	if refusal != nil {
		return event.Result{Err: refusal}
	}
	what := "a major incident"
	if proposal.Other != 0 {
		what = "merge " + proposal.Other.String()
	}
	answered := event.Change{Kind: event.IncidentAnswered, Incident: &i, Actor: c.Actor, Text: said("rejected: "+what, c.Text)}
	if !c.Accept {
		s.emit(answered)
		return event.Result{Incident: i.ID}
	}
	answered.Text = said("accepted: "+what, c.Text)
	if proposal.Other == 0 {
		return event.Result{Incident: i.ID, Err: s.promote(answered)}
	}
	other := s.incidents.State(s.survivor(proposal.Other))
	if refusal := s.mergeable(&i, &other); refusal != nil {
		return event.Result{Err: refusal}
	}
	s.emit(answered)
	s.merge(i.ID, other.ID, proposal.Why, c.Actor)
	return event.Result{Incident: i.ID}
}

// promote makes an incident a major one whose proposal was accepted; who accepted it leads until somebody else is named. If it has become
// one meanwhile, by a merge, that goes on as it is.
func (s *State) promote(answered event.Change) *event.Refusal {
	state := *answered.Incident
	if itsm.MajorRuns(&state) {
		s.emit(answered)
		return nil
	}
	verb, refusal := itsm.SetMajor(&state, event.MajorIncident{Commander: answered.Actor}, answered.Actor, s.settings().UpdateEvery, s.meta.At)
	if refusal != nil {
		return refusal
	}
	s.emit(answered)
	s.emit(event.Change{Kind: event.IncidentMajor, Incident: &state, Actor: answered.Actor, Text: verb})
	return nil
}

// merge moves everything of one incident into another. What nobody had acknowledged in the other rings in the one that somebody had
// acknowledged, and so does a higher priority.
func (s *State) merge(into, other event.IncidentID, why, actor string) {
	s.inheritChildren(into, other, actor)
	state := s.incidents.State(into)
	s.prune(&state, into) // before that comes back by this merge what had left
	before := state.Priority
	theirs, m := s.incidents.Brief(other), s.members.At(uint32(other))
	unseen := (theirs.AckedAt == 0 || theirs.WorseAt != 0) && m.firing > m.suppressed
	s.mergeClusters(s.clusterOfIncident(into), s.clusterOfIncident(other))
	alerts := s.memberIDs(other)
	for _, id := range alerts {
		s.move(id, into, actor)
	}
	gone := s.incidents.State(other)
	itsm.MergeInto(&gone, into, s.meta.At)
	s.emit(event.Change{Kind: event.IncidentMerged, Incident: &gone, Actor: actor, Text: said("into "+into.String(), why)})
	itsm.Absorb(&state, &gone, alerts, actor, s.meta.At)
	s.emit(event.Change{Kind: event.IncidentAbsorbed, Incident: &state, Actor: actor, Text: said(other.String(), why)})
	switch {
	case state.Priority < before:
		s.worse(into, fmt.Sprintf("the priority rose from P%d to P%d", before, state.Priority), true)
	case unseen:
		s.worse(into, other.String()+" came into it", false)
	}
	s.settle(into)
	if len(alerts) > 0 { // they lie at the end of the list
		s.reviewArrivals(alerts[0].Slot(), func(slot uint32) uint32 { return s.alerts.At(slot).next })
	}
}

// inheritChildren hands an incident's children on, and takes it from its own parent. Undoing a merge does not undo that.
func (s *State) inheritChildren(into, other event.IncidentID, actor string) {
	if s.incidents.State(other).Parent != 0 {
		s.orphan(other, actor)
	}
	state := s.incidents.State(other)
	if state.Dossier == nil {
		return
	}
	for _, child := range slices.Clone(state.Dossier.Children) {
		s.orphan(child, actor)
		s.adoptChild(into, child, actor)
	}
}

// memberIDs lists the alerts of an incident in the order they joined.
func (s *State) memberIDs(id event.IncidentID) (ids []event.AlertID) {
	for slot := s.members.At(uint32(id)).head; slot != 0; slot = s.alerts.At(slot).next {
		ids = append(ids, event.NewAlertID(slot, s.alerts.At(slot).number))
	}
	return ids
}

// isIn tells whether an alert is in memory, and in that incident.
func (s *State) isIn(id event.AlertID, incident event.IncidentID) bool {
	slot := id.Slot()
	if slot == 0 || slot >= s.alerts.Len() {
		return false
	}
	a := s.alerts.At(slot)
	return a.firstAt != 0 && event.NewAlertID(slot, a.number) == id && a.incident == incident
}

func (s *State) move(id event.AlertID, to event.IncidentID, actor string) {
	a := s.alertState(id.Slot())
	a.Incident = to
	s.emit(event.Change{Kind: event.AlertMoved, Alert: a, Actor: actor})
}

// comesBack lists the alerts that leave again with an incident: those that came with it, and are where it lives on by no other way since.
func (s *State) comesBack(i *event.IncidentState, last event.IncidentID) (back []event.AlertID) {
	for from, up := i.ID, i.MergedInto; up != 0; from, up = up, s.incidents.State(up).MergedInto {
		state := s.incidents.State(up)
		record, _ := itsm.AbsorbedBy(&state, from)
		if from == i.ID {
			back = slices.DeleteFunc(slices.Clone(record.Alerts), func(id event.AlertID) bool { return !s.isIn(id, last) })
			continue
		}
		came := map[event.AlertID]bool{}
		for _, id := range record.Alerts {
			came[id] = true
		}
		back = slices.DeleteFunc(back, func(id event.AlertID) bool { return !came[id] })
	}
	return back
}

// unmerge takes an incident out again of the one it had gone into. It is open from then on, as it was; if nothing fires of what comes
// back to it, the hold before it resolves begins now.
func (s *State) unmerge(c *event.Command, i event.IncidentState) *event.Refusal {
	if i.Phase != event.PhaseMerged {
		return &event.Refusal{Code: event.Conflict, Message: i.ID.String() + " went into no other incident"}
	}
	last, direct := s.survivor(i.ID), i.MergedInto
	survivor, back := s.incidents.State(last), s.comesBack(&i, last)
	itsm.KeepMajor(&i, &survivor)
	itsm.Revive(&i, said("the merge was undone", clip(c.Text)), c.Actor, s.meta.At)
	s.emit(event.Change{Kind: event.IncidentUnmerged, Incident: &i, Actor: c.Actor, Text: said("out of "+last.String(), c.Text)})
	for _, id := range back {
		s.move(id, i.ID, c.Actor)
	}
	for up := direct; up != 0; up = s.incidents.State(up).MergedInto {
		state := s.incidents.State(up)
		if up == direct {
			itsm.LetGo(&state, &i, said("the merge was undone", clip(c.Text)), c.Actor, s.meta.At)
		}
		itsm.Uncount(&state, &i)
		s.prune(&state, last)
		if up == last {
			s.hurtAnew(&state)
		}
		s.emit(event.Change{Kind: event.IncidentUnmerged, Incident: &state, Actor: c.Actor, Text: said(i.ID.String()+" left it", c.Text)})
	}
	s.settle(i.ID)
	s.settle(last)
	s.reviewMembers(i.ID)
	s.reviewMembers(last)
	s.endUnheard(i.ID)
	if survivor = s.incidents.State(last); !itsm.Owned(&survivor) {
		s.endUnheard(last)
	}
	return nil
}

// endUnheard begins the hold of an incident that the machine opened and in which no alert is left that could clear: all were forgotten, or
// are elsewhere by now. What a person opened a person ends.
func (s *State) endUnheard(id event.IncidentID) {
	i := s.incidents.State(id)
	if i.Phase != event.IncidentOpen || i.OpenedBy != "" || i.ClearSince != 0 || s.members.At(uint32(id)).alerts > 0 {
		return
	}
	i.ClearSince = s.meta.At
	s.emit(event.Change{Kind: event.IncidentCleared, Incident: &i})
}

// hurtAnew looks anew what an incident hurts after alerts have left it, unless somebody acknowledged it: all its alerts but those that are
// quiet, and what people said that it is about.
func (s *State) hurtAnew(i *event.IncidentState) {
	if !itsm.Unhurt(i) {
		return
	}
	walked := map[[2]uint32]bool{} // item, and the service that the alert names
	for slot := s.members.At(uint32(i.ID)).head; slot != 0; slot = s.alerts.At(slot).next {
		a := s.alerts.At(slot)
		if a.phase == event.Firing && a.flags&flagSuppressed != 0 {
			continue
		}
		ls := s.seenLabels(a.claims)
		if seen := [2]uint32{a.ci, s.saidService(i.Tenant, ls)}; !walked[seen] {
			walked[seen] = true
			if hits := s.services(i.Tenant, a.ci, ls); len(hits) > 0 {
				itsm.Hurt(i, affected(hits, s.isDown))
			}
		}
	}
	s.aboutAll(i, *i)
}

// aboutAll takes in what a person said that one is about, and those that came into it.
func (s *State) aboutAll(i *event.IncidentState, one event.IncidentState) {
	if one.Pins&event.PinCI != 0 {
		s.about(i, &event.IncidentEdit{Fields: event.PinCI, CI: one.CI})
	}
	if one.Dossier == nil {
		return
	}
	for _, a := range one.Dossier.Absorbed {
		if !a.Undone {
			s.aboutAll(i, s.incidents.State(a.Other))
		}
	}
}

// split takes alerts out of an incident into one of their own.
func (s *State) split(c *event.Command, whole event.IncidentState) event.Result {
	chosen := slices.Clone(c.Alerts)
	slices.Sort(chosen)
	chosen = slices.Compact(chosen)
	for _, id := range chosen {
		if !s.isIn(id, whole.ID) {
			return refuse(event.NotFound, fmt.Sprintf("alert %s is not in %s", id, whole.ID), "`tocsin incident show "+whole.ID.String()+"` lists those that are")
		}
	}
	if refusal := itsm.Splittable(&whole, len(chosen), int(s.members.At(uint32(whole.ID)).alerts)); refusal != nil {
		return event.Result{Err: refusal}
	}
	worst, firing, lastFiring := event.Info, 0, event.Time(0)
	for _, id := range chosen {
		a := s.alerts.At(id.Slot())
		lastFiring = max(lastFiring, a.firingAt)
		if a.phase == event.Firing {
			worst, firing = min(worst, a.severity), firing+1
		}
	}
	if firing == 0 {
		worst = whole.Severity
	}
	words := clip(c.Text)
	if words == "" {
		first := s.alertState(chosen[0].Slot())
		words = title(&first, nil)
	}
	part := itsm.Open(itsm.Opening{ID: s.incidents.Next(), Tenant: c.Tenant, Title: words, Severity: worst, At: s.meta.At})
	for _, id := range slices.Backward(chosen) { // the first says last what it is about
		a := s.alertState(id.Slot())
		s.hurtFirst(&part, &a, s.seenLabels(s.alerts.At(id.Slot()).claims).Clone())
	}
	itsm.SplitOff(&whole, &part, lastFiring, c.Actor, s.meta.At)
	s.emit(event.Change{Kind: event.IncidentOpened, Incident: &part, Actor: c.Actor})
	for _, id := range chosen {
		s.move(id, part.ID, c.Actor)
	}
	s.separate(whole.ID, part.ID)
	s.prune(&whole, whole.ID)
	s.hurtAnew(&whole)
	s.emit(event.Change{Kind: event.IncidentSplit, Incident: &whole, Actor: c.Actor, Text: fmt.Sprintf("into %s: %d of its alerts", part.ID, len(chosen))})
	s.settle(part.ID)
	s.settle(whole.ID)
	s.reviewMembers(part.ID)
	s.reviewMembers(whole.ID)
	return event.Result{Incident: part.ID}
}
