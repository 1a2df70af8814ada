package itsm

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/labelset"
)

func opened(s event.Severity) event.IncidentState {
	return Open(Opening{ID: 1, Tenant: "main", Title: "t", Rule: "r", Severity: s, At: 1000})
}

func acknowledged(t *testing.T, i *event.IncidentState, actor string, at event.Time) {
	news, refusal := Acknowledge(i, actor, at)
	require.Nil(t, refusal)
	require.True(t, news)
}

func TestTheFirstNameStaysUntilTheIncidentGetsWorse(t *testing.T) {
	i := opened(event.Critical)
	acknowledged(t, &i, "ann", 2000)
	news, refusal := Acknowledge(&i, "bob", 2000)
	require.Nil(t, refusal)
	require.False(t, news, "two at once: the second says nothing new")
	i.LastOnset = 2500
	acknowledged(t, &i, "bob", 3000)
	require.Equal(t, "ann", i.AckedBy, "it covers more, the name stays")
	require.True(t, Worsen(&i, 4000))
	acknowledged(t, &i, "bob", 5000)
	require.Equal(t, "bob", i.AckedBy)
	require.Zero(t, i.WorseAt)
}

func TestASnoozeAndAHoldHaveAnEndThatPeopleLiveToSee(t *testing.T) {
	i := opened(event.Critical)
	require.Equal(t, event.Invalid, Snooze(&i, "ann", 1000, 2000).Code)
	require.Equal(t, event.Invalid, Snooze(&i, "ann", 2000+MaxPause+1, 2000).Code)
	require.Nil(t, Snooze(&i, "ann", 9000, 2000))
	require.Equal(t, "ann", i.AckedBy, "a snooze acknowledges")
	require.True(t, Worsen(&i, 3000))
	require.Zero(t, i.SnoozedUntil, "what gets worse breaks it")
	require.Nil(t, Snooze(&i, "ann", 9000, 4000))
	Wake(&i)
	require.False(t, Owned(&i), "nobody has it any more")
	require.Equal(t, event.Conflict, Hold(&i, 0, 0, "", 4000).Code)
	require.Equal(t, event.Invalid, Hold(&i, 9000, 0, "", 4000).Code)
	require.Nil(t, Hold(&i, 9000, event.HoldVendor, "", 4000))
	require.Nil(t, Hold(&i, 0, 0, "", 5000))
	require.Empty(t, i.HeldFor)
	Finish(&i, "", 6000)
	require.Equal(t, event.Conflict, Snooze(&i, "ann", 9000, 7000).Code)
}

func TestPriorityRestsOnTheSeverityWhileNoServiceIsKnown(t *testing.T) {
	for severity, want := range map[event.Severity]uint8{event.Critical: 2, event.Major: 3, event.Minor: 4, event.Warning: 4, event.Info: 4} {
		i := opened(severity)
		require.Equal(t, want, i.Priority, severity.String())
		require.True(t, i.Unbound)
	}
}

func TestTheMachineLowersOnlyBeforeSomebodyAcknowledged(t *testing.T) {
	i := opened(event.Critical)
	require.True(t, Reassess(&i, event.Warning))
	require.EqualValues(t, 4, i.Priority)
	acknowledged(t, &i, "ann", 2000)
	require.True(t, Reassess(&i, event.Major), "it raises at any time")
	require.False(t, Reassess(&i, event.Warning))
	require.EqualValues(t, 3, i.Priority)
}

func TestResolvingWhileAlertsFireNeedsAReason(t *testing.T) {
	i := opened(event.Critical)
	require.Equal(t, event.Conflict, Resolve(&i, "ann", "", 2, 2000).Code)
	require.Nil(t, Resolve(&i, "ann", "known", 2, 2000))
	require.Equal(t, event.IncidentDone, i.Phase)
	_, refusal := Acknowledge(&i, "bob", 3000)
	require.Equal(t, event.Conflict, refusal.Code)
	require.Equal(t, event.Conflict, Assign(&i, "bob", "").Code)
	require.Nil(t, Note(&i, "afterwards"), "a resolved incident takes notes")
	require.Equal(t, event.Invalid, Note(&i, "").Code)
}

func TestReopeningForgetsTheAcknowledgementAndKeepsTheAssignment(t *testing.T) {
	i := opened(event.Critical)
	acknowledged(t, &i, "ann", 2000)
	require.Nil(t, Assign(&i, "carl", "dba"))
	require.True(t, Owned(&i))
	Finish(&i, "", 3000)
	Reopen(&i, 4000)
	require.Equal(t, event.IncidentOpen, i.Phase)
	require.Empty(t, i.AckedBy)
	require.Equal(t, "carl", i.Assignee)
	require.EqualValues(t, 1, i.Reopened)
}

func TestTheTableGivesBackWhatWasPutAlsoFromAnOldView(t *testing.T) {
	text := labelset.New()
	table := NewTable(text)
	i := opened(event.Critical)
	i.Labels = event.Labels{{Name: "service", Value: "shop"}}
	table.Put(&i)
	view, words := table.View(), text.View()
	acknowledged(t, &i, "ann", 2000)
	i.Notes = 3
	table.Put(&i)
	text.Sweep()
	require.Equal(t, i, table.State(1))
	require.Empty(t, view.State(1, words).AckedBy)
	require.Equal(t, event.IncidentID(2), table.Next())
	require.False(t, table.Has(2))
}
