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
	require.Nil(t, Acknowledge(&i, "ann", 2000))
	require.True(t, Reassess(&i, event.Major), "it raises at any time")
	require.False(t, Reassess(&i, event.Warning))
	require.EqualValues(t, 3, i.Priority)
}

func TestResolvingWhileAlertsFireNeedsAReason(t *testing.T) {
	i := opened(event.Critical)
	require.Equal(t, event.Conflict, Resolve(&i, "ann", "", 2, 2000).Code)
	require.Nil(t, Resolve(&i, "ann", "known", 2, 2000))
	require.Equal(t, event.IncidentDone, i.Phase)
	require.Equal(t, event.Conflict, Acknowledge(&i, "bob", 3000).Code)
	require.Equal(t, event.Conflict, Assign(&i, "bob", "").Code)
	require.Nil(t, Note(&i, "afterwards"), "a resolved incident takes notes")
	require.Equal(t, event.Invalid, Note(&i, "").Code)
}

func TestReopeningForgetsTheAcknowledgementAndKeepsTheAssignment(t *testing.T) {
	i := opened(event.Critical)
	require.Nil(t, Acknowledge(&i, "ann", 2000))
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
	require.Nil(t, Acknowledge(&i, "ann", 2000))
	i.Notes = 3
	table.Put(&i)
	text.Sweep()
	require.Equal(t, i, table.State(1))
	require.Empty(t, view.State(1, words).AckedBy)
	require.Equal(t, event.IncidentID(2), table.Next())
	require.False(t, table.Has(2))
}
