package itsm

import (
	"fmt"
	"slices"

	"github.com/tocsin-noc/tocsin/event"
)

// Bounds of a dossier's lists. What would exceed one is refused by name, but for reports, of which the latest are kept.
const (
	MaxWatchers  = 100
	MaxTasks     = 100
	MaxRelated   = 100
	MaxChildren  = 200
	MaxProposals = 50
	MaxAbsorbed  = 50
	KeptReports  = 50

	// MaxAbsorbedAlerts bounds the alerts that all of these list together, so that each merge can be undone.
	MaxAbsorbedAlerts = 4000
)

// dossier returns the incident's dossier to write to: a copy, because changes that were emitted show the one before. Its lists are
// replaced, never written.
func dossier(i *event.IncidentState) *event.Dossier {
	d := event.Dossier{}
	if i.Dossier != nil {
		d = *i.Dossier
	}
	i.Dossier = &d
	return &d
}

// read returns the dossier to read; an empty one where there is none.
func read(i *event.IncidentState) *event.Dossier {
	if i.Dossier == nil {
		return &event.Dossier{}
	}
	return i.Dossier
}

// trim takes the dossier away when nothing is left in it.
func trim(i *event.IncidentState) {
	d := i.Dossier
	if d == nil {
		return
	}
	lists := len(d.Watchers) + len(d.Tasks) + len(d.Related) + len(d.Children) + len(d.Reports) + len(d.Proposals) + len(d.Absorbed)
	if lists == 0 && d.Ticket == nil && d.Major == nil && d.Review == nil && d.Reported == 0 && d.Rating == 0 {
		i.Dossier = nil
	}
}

func full(i *event.IncidentState, n, most int, what, hint string) *event.Refusal {
	if n < most {
		return nil
	}
	return &event.Refusal{Code: event.Conflict, Message: fmt.Sprintf("%s has %d %s, the most there can be", i.ID, most, what), Hint: hint}
}

// included returns a copy of a sorted list with item in it.
func included[T ~uint32 | ~string](list []T, item T) []T {
	at, found := slices.BinarySearch(list, item)
	if found {
		return list
	}
	return slices.Insert(slices.Clone(list), at, item)
}

// excluded returns a copy of a sorted list without item.
func excluded[T ~uint32 | ~string](list []T, item T) []T {
	at, found := slices.BinarySearch(list, item)
	if !found {
		return list
	}
	if len(list) == 1 {
		return nil
	}
	return slices.Concat(list[:at], list[at+1:])
}

// Watch adds a person who is told what becomes of the incident. It tells whether they are new.
func Watch(i *event.IncidentState, who string) (bool, *event.Refusal) {
	if who == "" {
		return false, invalid("who should watch?", "")
	}
	d := read(i)
	if _, found := slices.BinarySearch(d.Watchers, who); found {
		return false, nil
	}
	if r := full(i, len(d.Watchers), MaxWatchers, "watchers", "a team's channel reaches more"); r != nil {
		return false, r
	}
	if r := tooLong(MaxName, "the watcher", who); r != nil {
		return false, r
	}
	dossier(i).Watchers = included(d.Watchers, who)
	return true, nil
}

// Unwatch takes a watcher away. It tells whether there was one.
func Unwatch(i *event.IncidentState, who string) bool {
	if _, found := slices.BinarySearch(read(i).Watchers, who); !found {
		return false
	}
	d := dossier(i)
	d.Watchers = excluded(d.Watchers, who)
	trim(i)
	return true
}

// SetTask adds a task, or puts t in the place of the one of its number. It returns the number, and what was done in words.
func SetTask(i *event.IncidentState, t event.Task, actor string, at event.Time) (uint32, string, *event.Refusal) {
	if i.Phase == event.PhaseCancelled {
		return 0, "", illegal(i, "given tasks")
	}
	if t.Title == "" {
		return 0, "", invalid("a task needs a title", "")
	}
	if r := named("the title", t.Title, "the assignee", t.Assignee, "the team", t.Team); r != nil {
		return 0, "", r
	}
	t.DoneBy, t.DoneAt = "", 0
	if t.Done {
		t.DoneBy, t.DoneAt = actor, at
	}
	if t.Number == 0 {
		return addTask(i, t)
	}
	n := slices.IndexFunc(read(i).Tasks, func(o event.Task) bool { return o.Number == t.Number })
	if n < 0 {
		return 0, "", &event.Refusal{Code: event.NotFound, Message: fmt.Sprintf("%s has no task %d", i.ID, t.Number)}
	}
	d := dossier(i)
	before, verb := d.Tasks[n], "changed"
	switch {
	case t.Done && before.Done:
		t.DoneBy, t.DoneAt = before.DoneBy, before.DoneAt
	case t.Done:
		verb = "done"
	case before.Done:
		verb = "open again"
	}
	d.Tasks = slices.Clone(d.Tasks)
	d.Tasks[n] = t
	return t.Number, fmt.Sprintf("task %d %s: %s", t.Number, verb, t.Title), nil
}

func addTask(i *event.IncidentState, t event.Task) (uint32, string, *event.Refusal) {
	d := read(i)
	if r := full(i, len(d.Tasks), MaxTasks, "tasks", "relate a second incident for more"); r != nil {
		return 0, "", r
	}
	t.Number = 1
	if n := len(d.Tasks); n > 0 {
		t.Number = d.Tasks[n-1].Number + 1
	}
	dossier(i).Tasks = append(slices.Clip(d.Tasks), t)
	return t.Number, fmt.Sprintf("task %d added: %s", t.Number, t.Title), nil
}

// openTasks names the tasks that are not done, those of the review apart.
func openTasks(i *event.IncidentState) (open []string) {
	for _, t := range read(i).Tasks {
		if !t.Done && !t.Review {
			open = append(open, fmt.Sprintf("%d %s", t.Number, t.Title))
		}
	}
	return open
}

// Relate adds another incident that has to do with this one, on this side. It tells whether that is new.
func Relate(i *event.IncidentState, other event.IncidentID) (bool, *event.Refusal) {
	d := read(i)
	if _, found := slices.BinarySearch(d.Related, other); found {
		return false, nil
	}
	if r := full(i, len(d.Related), MaxRelated, "related incidents", "a parent holds more together"); r != nil {
		return false, r
	}
	dossier(i).Related = included(d.Related, other)
	return true, nil
}

// Unrelate takes a relation back, on this side. It tells whether there was one.
func Unrelate(i *event.IncidentState, other event.IncidentID) bool {
	if _, found := slices.BinarySearch(read(i).Related, other); !found {
		return false
	}
	d := dossier(i)
	d.Related = excluded(d.Related, other)
	trim(i)
	return true
}

// Adopt makes child a child of parent, on both sides; no parent but this one may hold it.
func Adopt(parent, child *event.IncidentState) *event.Refusal {
	d := read(parent)
	if r := full(parent, len(d.Children), MaxChildren, "children", "merge those that are the same trouble"); r != nil {
		return r
	}
	dossier(parent).Children = included(d.Children, child.ID)
	child.Parent = parent.ID
	return nil
}

// Disown takes a child from its parent, on both sides.
func Disown(parent, child *event.IncidentState) {
	d := dossier(parent)
	d.Children = excluded(d.Children, child.ID)
	trim(parent)
	child.Parent = 0
}

// SetTicket sets the supplier's ticket; nil takes it back. It returns what was done, in words.
func SetTicket(i *event.IncidentState, t *event.Ticket, at event.Time) (string, *event.Refusal) {
	if r := mustLive(i, "given a ticket"); r != nil {
		return "", r
	}
	before := read(i).Ticket
	if t == nil {
		if before == nil {
			return "", &event.Refusal{Code: event.Conflict, Message: i.ID.String() + " has no ticket"}
		}
		dossier(i).Ticket = nil
		trim(i)
		return "ticket " + before.Reference + " of " + before.Supplier + " taken back", nil
	}
	if t.Supplier == "" || t.Reference == "" {
		return "", invalid("a ticket needs its supplier and their reference", "")
	}
	if r := named("the supplier", t.Supplier, "the reference", t.Reference); r != nil {
		return "", r
	}
	if r := tooLong(MaxText, "their last word", t.LastWord); r != nil {
		return "", r
	}
	if t.ChaseAt != 0 {
		if r := mustLieAhead("wait for a supplier", t.ChaseAt, at); r != nil {
			return "", r
		}
	}
	set := *t
	switch {
	case set.LastWord == "":
		set.LastWordAt = 0
	case before != nil && before.LastWord == set.LastWord:
		set.LastWordAt = before.LastWordAt
	default:
		set.LastWordAt = at
	}
	dossier(i).Ticket = &set
	return "ticket " + set.Reference + " of " + set.Supplier, nil
}

// ChaseAt is when to ask the supplier, Never when not at all.
func ChaseAt(i *event.IncidentState) event.Time {
	if t := read(i).Ticket; t != nil && t.ChaseAt != 0 && i.Phase == event.IncidentOpen {
		return t.ChaseAt
	}
	return event.Never
}

// Chase says, once, that the supplier should be asked. It returns of what.
func Chase(i *event.IncidentState) string {
	d := dossier(i)
	t := *d.Ticket
	t.ChaseAt = 0
	d.Ticket = &t
	return "ask " + t.Supplier + " about ticket " + t.Reference
}

// TakeReport counts one more person who is hit. Whom it hits counts once while their report is kept.
func TakeReport(i *event.IncidentState, r event.Report, actor string, at event.Time) *event.Refusal {
	if refusal := mustLive(i, "reported"); refusal != nil {
		return refusal
	}
	if refusal := named("the caller", r.Caller, "the service", r.Service); refusal != nil {
		return refusal
	}
	if refusal := tooLong(MaxText, "the report", r.Text); refusal != nil {
		return refusal
	}
	r.At, r.By = at, actor
	if r.Caller == "" {
		r.Caller = actor
	}
	d := dossier(i)
	known := slices.IndexFunc(d.Reports, func(o event.Report) bool { return o.Caller == r.Caller })
	if known < 0 {
		d.Reported++
		d.Reports = append(slices.Clone(latest(d.Reports, KeptReports-1)), r)
		return nil
	}
	d.Reports = append(slices.Concat(d.Reports[:known], d.Reports[known+1:]), r)
	return nil
}

func latest(list []event.Report, n int) []event.Report { return list[max(0, len(list)-n):] }

// Rate takes down how content somebody is with how it was solved, 1 to 5.
func Rate(i *event.IncidentState, stars uint32, text string) *event.Refusal {
	if i.Phase != event.IncidentDone && i.Phase != event.PhaseClosed {
		return illegal(i, "rated")
	}
	if stars < 1 || stars > 5 {
		return invalid("a rating is 1 to 5", "")
	}
	if r := tooLong(MaxText, "the comment", text); r != nil {
		return r
	}
	d := dossier(i)
	d.Rating, d.RatedWith = uint8(stars), text
	return nil
}
