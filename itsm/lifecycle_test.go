package itsm

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func TestThePriorityIsImpactTimesUrgency(t *testing.T) {
	want := [3][3]uint8{{1, 2, 3}, {2, 3, 4}, {3, 4, 5}}
	for impact := range want {
		for urgency, priority := range want[impact] {
			require.Equal(t, priority, PriorityOf(uint8(impact+1), uint8(urgency+1)), "%d × %d", impact+1, urgency+1)
		}
	}
	for s := event.Critical; s <= event.Info; s++ {
		require.Equal(t, Priority(s), PriorityOf(unknownImpact, UrgencyOf(s)), "without a service it is as on a fresh install: %s", s)
	}
}

func TestTheStatusFollowsFromTheStateAndNamesItsNextSteps(t *testing.T) {
	i := opened(event.Critical)
	statuses := []string{StatusOf(&i)}
	step := func(r *event.Refusal) {
		require.Nil(t, r)
		statuses = append(statuses, StatusOf(&i))
	}
	acknowledged(t, &i, "ann", 2000)
	step(nil)
	news, r := Begin(&i, "ann", 3000)
	require.True(t, news)
	step(r)
	step(Hold(&i, 9000, event.HoldVendor, "", 4000))
	step(Resolve(&i, "ann", "", 0, 5000))
	step(CloseByHand(&i, "", 6000))
	require.Equal(t, Statuses()[:6], statuses)
	require.Equal(t, []string{"reopen"}, Next(&i, 1000, 7000))
	require.Empty(t, Next(&i, 1000, 7001))
	require.Nil(t, ReopenByHand(&i, "bob", "again", 1000, 7000))
	require.Equal(t, StatusAcknowledged, StatusOf(&i), "who takes it back has it")
	require.Zero(t, i.BegunAt)
}

func TestASnoozeThatEndsTakesTheWorkBackToo(t *testing.T) {
	i := opened(event.Critical)
	_, r := Begin(&i, "ann", 2000)
	require.Nil(t, r)
	require.Nil(t, Snooze(&i, "ann", 9000, 3000))
	Wake(&i)
	require.Equal(t, StatusNew, StatusOf(&i))
}

func TestEveryListHasABoundThatItsRefusalNames(t *testing.T) {
	i := opened(event.Critical)
	refusedAt := func(most int, add func(n int) *event.Refusal) {
		t.Helper()
		for n := range most {
			require.Nil(t, add(n+1))
		}
		r := add(most + 1)
		require.NotNil(t, r)
		require.Contains(t, r.Message, fmt.Sprint(most))
	}
	refusedAt(MaxWatchers, func(n int) *event.Refusal { _, r := Watch(&i, fmt.Sprint("u", n)); return r })
	refusedAt(MaxTasks, func(n int) *event.Refusal { _, _, r := SetTask(&i, event.Task{Title: "t"}, "ann", 1); return r })
	refusedAt(MaxRelated, func(n int) *event.Refusal { _, r := Relate(&i, event.IncidentID(n+1)); return r })
	refusedAt(MaxChildren, func(n int) *event.Refusal {
		child := event.IncidentState{ID: event.IncidentID(n + 1)}
		return Adopt(&i, &child)
	})
	refusedAt(MaxProposals, func(n int) *event.Refusal {
		_, _, r := Propose(&i, event.IncidentID(n+1), "why", "ann", 1)
		return r
	})
	refusedAt(MaxAbsorbed, func(n int) *event.Refusal {
		other := event.IncidentState{ID: event.IncidentID(n + 1), Phase: event.IncidentOpen, Severity: event.Minor, Priority: 4}
		r := Mergeable(&i, &other, 1)
		if r == nil {
			Absorb(&i, &other, nil, "", 1)
		}
		return r
	})
	other := opened(event.Critical)
	require.Contains(t, Mergeable(&other, &other, MaxMoved+1).Message, fmt.Sprint(MaxMoved))
	for n := range 2 * KeptReports {
		require.Nil(t, TakeReport(&i, event.Report{Caller: fmt.Sprint("c", n)}, "desk", 1))
	}
	require.Len(t, i.Dossier.Reports, KeptReports)
	require.EqualValues(t, 2*KeptReports, i.Dossier.Reported)
}

func TestTextsAreNoLongerThanTheirBound(t *testing.T) {
	i, long := opened(event.Critical), strings.Repeat("ä", MaxNote+1)
	for what, r := range map[string]*event.Refusal{
		"watcher": second(Watch(&i, long)),
		"ticket":  second(SetTicket(&i, &event.Ticket{Supplier: long, Reference: "1"}, 1)),
		"word":    second(SetTicket(&i, &event.Ticket{Supplier: "a", Reference: "1", LastWord: long}, 1)),
		"report":  TakeReport(&i, event.Report{Text: long}, "ann", 1),
		"caller":  TakeReport(&i, event.Report{Caller: long}, "ann", 1),
		"title":   second(Edit(&i, &event.IncidentEdit{Fields: event.PinTitle, Title: long})),
		"bridge":  second(SetMajor(&i, event.MajorIncident{Bridge: long}, "ann", 1, 1)),
		"leader":  second(SetMajor(&i, event.MajorIncident{Commander: long}, "ann", 1, 1)),
	} {
		require.NotNil(t, r, what)
		require.Equal(t, event.Invalid, r.Code, what)
	}
	_, _, r := SetTask(&i, event.Task{Title: long}, "ann", 1)
	require.NotNil(t, r)
	require.Nil(t, i.Dossier)
}

func second[T any](_ T, r *event.Refusal) *event.Refusal { return r }

func TestADossierThatHoldsNothingIsNone(t *testing.T) {
	i := opened(event.Critical)
	_, r := Watch(&i, "ann")
	require.Nil(t, r)
	_, r = Relate(&i, 7)
	require.Nil(t, r)
	_, r = SetTicket(&i, &event.Ticket{Supplier: "Acme", Reference: "1"}, 1)
	require.Nil(t, r)
	require.True(t, Unwatch(&i, "ann"))
	require.True(t, Unrelate(&i, 7))
	_, r = SetTicket(&i, nil, 1)
	require.Nil(t, r)
	require.Nil(t, i.Dossier)
}

func TestWhatWasEmittedStaysAsItWas(t *testing.T) {
	i := opened(event.Critical)
	_, r := Watch(&i, "bob")
	require.Nil(t, r)
	before := i
	_, r = Watch(&i, "ann")
	require.Nil(t, r)
	require.Equal(t, []string{"bob"}, before.Dossier.Watchers)
	_, _, r = SetTask(&i, event.Task{Title: "a"}, "ann", 1)
	require.Nil(t, r)
	before = i
	_, _, r = SetTask(&i, event.Task{Number: 1, Title: "b", Done: true}, "ann", 1)
	require.Nil(t, r)
	require.Equal(t, "a", before.Dossier.Tasks[0].Title)
}

func TestWhatAPersonKeepsApartTheMachineLeavesAlone(t *testing.T) {
	a, b := opened(event.Critical), opened(event.Major)
	b.ID = 2
	require.False(t, Bound(&a, &b))
	Absorb(&a, &b, []event.AlertID{5}, "", 2000)
	MergeInto(&b, a.ID, 2000)
	LetGo(&a, &b, "undone", "ann", 3000)
	require.True(t, Bound(&a, &b))
	require.True(t, Bound(&b, &a), "whichever way round")
	c := opened(event.Critical)
	c.ID = 3
	Absorb(&c, &a, nil, "", 4000)
	require.True(t, Bound(&c, &b), "and the one that takes a's place")
	full := opened(event.Critical)
	for n := range MaxProposals {
		propose(&full, event.Proposal{Other: event.IncidentID(100 + n)})
	}
	Refuse(&full, 2, "", "ann", 1)
	require.Len(t, full.Dossier.Proposals, MaxProposals)
}

func TestOnlyWhatNobodyTouchedIsTheMachinesToMerge(t *testing.T) {
	i := opened(event.Critical)
	require.False(t, Touched(&i))
	ProposeMajor(&i, 1)
	propose(&i, event.Proposal{Other: 9})
	require.False(t, Touched(&i), "the machine's own proposals are nobody's hand")
	for what, touch := range map[string]func(*event.IncidentState){
		"acknowledged": func(i *event.IncidentState) { _, _ = Acknowledge(i, "ann", 2000) },
		"team":         func(i *event.IncidentState) { i.Team = "dba" },
		"note":         func(i *event.IncidentState) { _ = Note(i, "hm") },
		"pinned":       func(i *event.IncidentState) { i.Pins = event.PinTitle },
		"ticket":       func(i *event.IncidentState) { _, _ = SetTicket(i, &event.Ticket{Supplier: "a", Reference: "1"}, 1) },
		"watched":      func(i *event.IncidentState) { _, _ = Watch(i, "ann") },
		"reported":     func(i *event.IncidentState) { _ = TakeReport(i, event.Report{}, "ann", 1) },
		"answered":     func(i *event.IncidentState) { _, _ = Answer(i, 1, false, "ann") },
		"proposed":     func(i *event.IncidentState) { propose(i, event.Proposal{Other: 8, By: "ann"}) },
		"merged":       func(i *event.IncidentState) { Absorb(i, &event.IncidentState{ID: 7}, nil, "ann", 1) },
	} {
		touched := i
		touch(&touched)
		require.True(t, Touched(&touched), what)
	}
}

func TestTheSurvivorTakesOverWhatWouldBeLost(t *testing.T) {
	a, b := opened(event.Major), opened(event.Critical)
	b.ID, b.Assignee, b.Notes = 2, "carl", 3
	for _, i := range []*event.IncidentState{&a, &b} {
		_, r := SetTicket(i, &event.Ticket{Supplier: "Acme", Reference: i.ID.String()}, 1)
		require.Nil(t, r)
		require.Nil(t, TakeReport(i, event.Report{Caller: "zoe"}, "desk", event.Time(i.ID)))
	}
	acknowledged(t, &a, "ann", 2000)
	Absorb(&a, &b, nil, "ann", 3000)
	require.Equal(t, "INC-1", a.Dossier.Ticket.Reference)
	require.Equal(t, "tell Acme that ticket INC-2 is about the same trouble", a.Dossier.Tasks[0].Title)
	require.Equal(t, []string{"carl"}, a.Dossier.Watchers, "whose it was hears of it from here on")
	require.EqualValues(t, 2, a.Priority)
	require.EqualValues(t, 3, a.Notes)
	require.EqualValues(t, 2, a.Dossier.Reported)
	require.Len(t, a.Dossier.Reports, 2)
	require.Equal(t, "ann", Owner(&a))
	LetGo(&a, &b, "", "ann", 4000)
	Uncount(&a, &b)
	require.Zero(t, a.Notes)
	require.EqualValues(t, 1, a.Dossier.Reported)
	require.Equal(t, "INC-1", a.Dossier.Ticket.Reference)
}
