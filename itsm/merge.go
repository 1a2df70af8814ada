package itsm

import (
	"fmt"
	"slices"

	"github.com/tocsin-noc/tocsin/event"
)

// MaxMoved bounds the alerts that one merge or split moves.
const MaxMoved = 2000

// Owner returns the person whose incident it is: who was assigned to it, else who acknowledged it, "" nobody.
func Owner(i *event.IncidentState) string {
	if i.Assignee != "" {
		return i.Assignee
	}
	return i.AckedBy
}

// Disputed tells whether two incidents are two people's: then neither they nor anybody else merges them alone.
func Disputed(a, b *event.IncidentState) bool {
	return Owner(a) != "" && Owner(b) != "" && Owner(a) != Owner(b)
}

// Touched tells whether a person had a hand in the incident, or a ticket hangs on it. The machine merges two only while at most one
// of them was.
func Touched(i *event.IncidentState) bool {
	if Owned(i) || i.Team != "" || i.Notes > 0 || i.BegunAt != 0 || i.HeldUntil != 0 || i.OpenedBy != "" || i.Pins != 0 || i.Parent != 0 {
		return true
	}
	d := read(i)
	if d.Ticket != nil || d.Major != nil || d.Review != nil || d.Reported+uint32(d.Rating) > 0 ||
		len(d.Watchers)+len(d.Tasks)+len(d.Related)+len(d.Children) > 0 {
		return true
	}
	return slices.ContainsFunc(d.Proposals, func(p event.Proposal) bool { return p.By != "" || p.Decided != "" }) ||
		slices.ContainsFunc(d.Absorbed, func(a event.Absorbed) bool { return a.By != "" || a.Undone })
}

// Bound tells whether a person decided that two incidents stay apart: the machine neither merges them nor proposes it.
func Bound(a, b *event.IncidentState) bool { return refused(a, b.ID) || refused(b, a.ID) }

func refused(i *event.IncidentState, other event.IncidentID) bool {
	d := read(i)
	return slices.ContainsFunc(d.Proposals, func(p event.Proposal) bool {
		return p.Other == other && p.Answer == event.ProposalRejected
	}) || slices.ContainsFunc(d.Absorbed, func(a event.Absorbed) bool { return a.Other == other && a.Undone })
}

// Mergeable refuses a merge that cannot be: both must be open, and the lists have room.
func Mergeable(survivor, other *event.IncidentState, alerts uint32) *event.Refusal {
	if r := mustBeOpen(survivor, "merged"); r != nil {
		return r
	}
	if r := mustBeOpen(other, "merged"); r != nil {
		return r
	}
	if alerts > MaxMoved {
		return &event.Refusal{
			Code: event.Conflict, Message: fmt.Sprintf("%s holds %d alerts, more than the %d that one merge moves", other.ID, alerts, MaxMoved),
			Hint: "merge the smaller into the larger, or relate them",
		}
	}
	const hint = "make it a parent of the others"
	for _, a := range read(survivor).Absorbed {
		alerts += uint32(len(a.Alerts))
	}
	if alerts > MaxAbsorbedAlerts {
		return &event.Refusal{
			Code: event.Conflict, Message: fmt.Sprintf("%s would list %d alerts that came into it by merges, more than the %d there can be",
				survivor.ID, alerts, MaxAbsorbedAlerts),
			Hint: hint,
		}
	}
	return full(survivor, len(read(survivor).Absorbed), MaxAbsorbed, "incidents merged into it", hint)
}

// propose adds a proposal and returns its number.
func propose(i *event.IncidentState, p event.Proposal) uint32 {
	d := dossier(i)
	p.Number = 1
	if n := len(d.Proposals); n > 0 {
		p.Number = d.Proposals[n-1].Number + 1
	}
	d.Proposals = append(slices.Clip(d.Proposals), p)
	return p.Number
}

// Propose asks people whether other belongs into the incident. It tells whether that is new: what was proposed and not answered yet
// keeps its number.
func Propose(i *event.IncidentState, other event.IncidentID, why, by string, at event.Time) (number uint32, news bool, r *event.Refusal) {
	d := read(i)
	for _, p := range d.Proposals {
		if p.Other == other && p.Answer == event.ProposalOpen {
			return p.Number, false, nil
		}
	}
	if r := full(i, len(d.Proposals), MaxProposals, "proposals", "answer those there are"); r != nil {
		return 0, false, r
	}
	return propose(i, event.Proposal{Other: other, Why: why, By: by, At: at}), true, nil
}

// Answer accepts or rejects a proposal and returns it. Who proposed a thing can take it back, not accept it.
func Answer(i *event.IncidentState, number uint32, accept bool, actor string) (event.Proposal, *event.Refusal) {
	n := slices.IndexFunc(read(i).Proposals, func(p event.Proposal) bool { return p.Number == number })
	if n < 0 {
		return event.Proposal{}, &event.Refusal{Code: event.NotFound, Message: fmt.Sprintf("%s has no proposal %d", i.ID, number)}
	}
	p := i.Dossier.Proposals[n]
	switch {
	case p.Answer != event.ProposalOpen:
		return p, &event.Refusal{Code: event.Conflict, Message: fmt.Sprintf("proposal %d of %s is %s already", number, i.ID, p.Answer)}
	case accept && p.By == actor:
		return p, &event.Refusal{
			Code: event.Conflict, Message: fmt.Sprintf("proposal %d of %s is your own", number, i.ID), Hint: "somebody else accepts it; you can reject it",
		}
	}
	p.Answer, p.Decided = event.ProposalRejected, actor
	if accept {
		p.Answer = event.ProposalAccepted
	}
	d := dossier(i)
	d.Proposals = slices.Clone(d.Proposals)
	d.Proposals[n] = p
	return p, nil
}

// Refuse writes down, on this side, that a person wants two incidents apart. A full list is no obstacle: the other side has it too.
func Refuse(i *event.IncidentState, other event.IncidentID, why, actor string, at event.Time) {
	if !refused(i, other) && len(read(i).Proposals) < MaxProposals {
		propose(i, event.Proposal{Other: other, Why: why, At: at, Answer: event.ProposalRejected, Decided: actor})
	}
}

// MergeInto ends an incident's life of its own. All that is in it stays, so that the merge can be undone.
func MergeInto(i *event.IncidentState, survivor event.IncidentID, at event.Time) {
	i.Phase, i.MergedInto, i.ClosedAt = event.PhaseMerged, survivor, at
}

// Absorb takes over what people have put into another incident, and the worse of the two: nobody has to look in two places.
// alerts are those that come with it.
func Absorb(i, other *event.IncidentState, alerts []event.AlertID, actor string, at event.Time) {
	d, from := dossier(i), read(other)
	d.Absorbed = append(slices.Clip(d.Absorbed), event.Absorbed{Other: other.ID, At: at, By: actor, Alerts: alerts})
	for _, who := range append(slices.Clip(from.Watchers), Owner(other)) { // whose it was hears of it from here on
		if who != "" && who != Owner(i) && len(d.Watchers) < MaxWatchers {
			d.Watchers = included(d.Watchers, who)
		}
	}
	if d.Major == nil || !majorRuns(i) && majorRuns(other) {
		d.Major = from.Major
	}
	d.Reported += from.Reported
	d.Reports = mergedReports(d.Reports, from.Reports)
	answered(d, other.ID, actor)
	if majorRuns(i) {
		answered(d, 0, actor)
	}
	inheritRefusals(i, from)
	inheritTasks(i, other)
	i.Notes += other.Notes
	inherit(i, other)
}

// Prune forgets, in the records of earlier merges, the alerts that have left: there is nothing of them to give back.
func Prune(i *event.IncidentState, stays func(event.AlertID) bool) {
	if len(read(i).Absorbed) == 0 {
		return
	}
	d := dossier(i)
	d.Absorbed = slices.Clone(d.Absorbed)
	for n := range d.Absorbed {
		left := slices.Clone(d.Absorbed[n].Alerts)
		d.Absorbed[n].Alerts = slices.DeleteFunc(left, func(id event.AlertID) bool { return !stays(id) })
	}
}

// inherit takes over the fields in which the other was worse, or was somebody's where this one is nobody's. An acknowledgement is not
// taken over: it covers what was seen, and that was the other.
func inherit(i, other *event.IncidentState) {
	i.Bounds = widest(i.Bounds, other.Bounds)
	Hurt(i, other.Services)
	i.ServiceCount = max(i.ServiceCount, other.ServiceCount)
	i.Severity, i.Priority = min(i.Severity, other.Severity), min(i.Priority, other.Priority)
	i.LastOnset = max(i.LastOnset, other.LastOnset)
	if Owner(i) == "" {
		i.Assignee = Owner(other)
	}
	if i.Team == "" {
		i.Team = other.Team
	}
	urgent := event.PinImpact | event.PinUrgency
	if i.Pins&urgent == 0 && other.Pins&urgent != 0 && other.Priority == i.Priority {
		i.Impact, i.Urgency, i.Unbound = other.Impact, other.Urgency, other.Unbound
		i.Pins |= other.Pins & urgent
	}
}

// mergedReports returns the latest reports of both, oldest first.
func mergedReports(a, b []event.Report) []event.Report {
	if len(b) == 0 {
		return a
	}
	all := slices.Concat(a, b)
	slices.SortStableFunc(all, func(x, y event.Report) int { return int(min(max(x.At-y.At, -1), 1)) })
	return slices.Clone(latest(all, KeptReports))
}

// answered marks that what was proposed has come about.
func answered(d *event.Dossier, other event.IncidentID, actor string) {
	d.Proposals = slices.Clone(d.Proposals)
	for n := range d.Proposals {
		if p := &d.Proposals[n]; p.Other == other && p.Answer == event.ProposalOpen {
			p.Answer, p.Decided = event.ProposalAccepted, actor
		}
	}
}

// inheritRefusals keeps apart from the survivor what people kept apart from the one that went into it.
func inheritRefusals(i *event.IncidentState, from *event.Dossier) {
	for _, p := range from.Proposals {
		if p.Other != 0 && p.Other != i.ID && p.Answer == event.ProposalRejected && !refused(i, p.Other) {
			Refuse(i, p.Other, p.Why, p.Decided, p.At)
		}
	}
}

// inheritTasks takes over the open tasks, and the ticket. Where both have a ticket the survivor's stays, and closing the other is a task.
func inheritTasks(i, other *event.IncidentState) {
	for _, t := range read(other).Tasks {
		if !t.Done {
			_, _, _ = addTask(i, t) // a full list takes no more; the other keeps its own
		}
	}
	theirs := read(other).Ticket
	switch {
	case theirs == nil:
	case i.Dossier.Ticket == nil:
		i.Dossier.Ticket = theirs
	default:
		_, _, _ = addTask(i, event.Task{Title: TellSupplier(theirs.Supplier, theirs.Reference), Team: i.Team})
	}
}

func clipTitle(s string) string {
	if r := []rune(s); len(r) > MaxTitle {
		return string(r[:MaxTitle-1]) + "…"
	}
	return s
}

// AbsorbedBy returns the record of a merge that can be undone, false when there is none.
func AbsorbedBy(i *event.IncidentState, other event.IncidentID) (event.Absorbed, bool) {
	for _, a := range slices.Backward(read(i).Absorbed) {
		if a.Other == other && !a.Undone {
			return a, true
		}
	}
	return event.Absorbed{}, false
}

// LetGo takes an incident out again on the side of the one that it had gone into, and binds the machine. A ticket that came with it
// leaves with it; watchers, tasks and links stay with both, because nobody can tell any more whose they are.
func LetGo(i, other *event.IncidentState, why, actor string, at event.Time) {
	Refuse(i, other.ID, why, actor, at)
	d, theirs := dossier(i), read(other).Ticket
	d.Absorbed = slices.Clone(d.Absorbed)
	for n := range d.Absorbed {
		if d.Absorbed[n].Other == other.ID {
			d.Absorbed[n].Undone, d.Absorbed[n].Alerts = true, nil
		}
	}
	if d.Ticket != nil && theirs != nil && d.Ticket.Supplier == theirs.Supplier && d.Ticket.Reference == theirs.Reference {
		d.Ticket = nil
	}
}

// Uncount takes back what an incident that leaves had added to the counts, and the major incident that came with it.
func Uncount(i, other *event.IncidentState) {
	i.Notes -= min(i.Notes, other.Notes)
	d := dossier(i)
	d.Reported -= min(d.Reported, read(other).Reported)
	if sameMajor(i, other) {
		d.Major = nil
	}
}

// Unhurt takes away what an incident hurts, before that is counted anew because alerts have left it. It tells whether it did: after an
// acknowledgement the machine lowers nothing.
func Unhurt(i *event.IncidentState) bool {
	if i.Phase != event.IncidentOpen || i.AckedAt != 0 {
		return false
	}
	i.Services, i.ServiceCount = nil, 0
	if i.Pins&event.PinImpact == 0 {
		i.Impact, i.Unbound = 0, true
	}
	prioritise(i)
	return true
}

// Revive opens an incident again that had gone into another, as it was, and binds the machine.
func Revive(i *event.IncidentState, why, actor string, at event.Time) {
	Refuse(i, i.MergedInto, why, actor, at)
	i.Phase, i.MergedInto, i.ClosedAt = event.IncidentOpen, 0, 0
	i.ClearSince, i.SignalLost, i.Recovered = 0, false, false
}

// Splittable refuses a split that cannot be.
func Splittable(i *event.IncidentState, chosen, all int) *event.Refusal {
	if r := mustBeOpen(i, "split"); r != nil {
		return r
	}
	switch {
	case chosen == 0:
		return invalid("which alerts should leave?", "")
	case chosen > MaxMoved:
		return invalid(fmt.Sprintf("one split moves at most %d alerts", MaxMoved), "")
	case chosen >= all:
		return &event.Refusal{Code: event.Conflict, Message: "all alerts of " + i.ID.String() + " would leave it", Hint: "one at least stays"}
	}
	return full(i, len(read(i).Proposals), MaxProposals, "proposals and refusals", "")
}

// SplitOff writes down, on both sides, that part left whole into an incident of its own, which is its assignee's too, and binds the
// machine. An acknowledgement, with what hangs on it, covers the part if it covers all of whole, and nothing of the part fires since
// later; lastFiring is when the last of it began.
func SplitOff(whole, part *event.IncidentState, lastFiring event.Time, actor string, at event.Time) {
	part.OpenedBy, part.Team, part.Assignee = actor, whole.Team, whole.Assignee
	if whole.WorseAt == 0 && lastFiring <= whole.AckedAt {
		part.AckedAt, part.AckedBy, part.SnoozedUntil, part.BegunAt = whole.AckedAt, whole.AckedBy, whole.SnoozedUntil, whole.BegunAt
	}
	part.LastOnset = whole.LastOnset
	Refuse(whole, part.ID, "split", actor, at)
	Refuse(part, whole.ID, "split", actor, at)
	_, _ = Relate(part, whole.ID)
	_, _ = Relate(whole, part.ID) // a full list: the part names the whole
}
