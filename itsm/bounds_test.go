package itsm

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/labelset"
)

func TestARuleBoundsThePriorityUntilAPersonSetsIt(t *testing.T) {
	i := Open(Opening{ID: 1, Severity: event.Critical, At: 1})
	require.True(t, Govern(&i, event.Bounds{Most: 4, Least: 5}))
	require.EqualValues(t, 4, i.Priority)
	_, refusal := Edit(&i, &event.IncidentEdit{Fields: event.PinImpact | event.PinUrgency, Impact: 1, Urgency: 1})
	require.Nil(t, refusal)
	require.EqualValues(t, 1, i.Priority)
	_, refusal = Edit(&i, &event.IncidentEdit{Release: event.PinImpact | event.PinUrgency})
	require.Nil(t, refusal)
	require.EqualValues(t, 4, i.Priority)
}

func TestARuleLowersNothingThatWasAcknowledged(t *testing.T) {
	i := Open(Opening{ID: 1, Severity: event.Critical, At: 1})
	_, refusal := Acknowledge(&i, "ann", 2)
	require.Nil(t, refusal)
	Govern(&i, event.Bounds{Severity: event.Minor, Seen: event.Critical, Most: 5, Least: 5})
	require.Equal(t, event.Critical, i.Severity)
	require.EqualValues(t, 2, i.Priority)
	Govern(&i, event.Bounds{Most: 1, Least: 1})
	require.EqualValues(t, 1, i.Priority, "it raises")
}

func TestWhatIsWorseThanTheRuleHadSeenCounts(t *testing.T) {
	i := Open(Opening{ID: 1, Severity: event.Warning, At: 1})
	Govern(&i, event.Bounds{Severity: event.Major, Seen: event.Warning})
	require.Equal(t, event.Major, i.Severity)
	require.False(t, Reassess(&i, event.Minor), "the rule's own is worse")
	require.True(t, Reassess(&i, event.Critical))
	require.Equal(t, event.Critical, i.Severity)
	require.True(t, Reassess(&i, event.Warning))
	require.Equal(t, event.Major, i.Severity)
}

func TestOfSeveralAlertsTheMostUrgentBoundCounts(t *testing.T) {
	b := event.Bounds{Most: 4, Least: 5}
	require.Equal(t, event.Bounds{Most: 3, Least: 5}, Widen(b, 3, 0))
	require.Equal(t, event.Bounds{Least: 5}, Widen(b, 0, 0), "one that no rule holds down")
	require.Equal(t, event.Bounds{Most: 2, Least: 2}, Widen(b, 4, 2), "none is less urgent than the most urgent lower bound")
	require.Equal(t, event.Bounds{Severity: event.Major, Seen: event.Info}, widest(event.Bounds{Severity: event.Minor}, event.Bounds{Severity: event.Major, Seen: event.Info}))
}

func TestBoundsAreKeptBesideADossier(t *testing.T) {
	table := NewTable(labelset.New())
	for n, d := range []*event.Dossier{nil, {Rating: 4}} {
		i := Open(Opening{ID: event.IncidentID(n + 1), Tenant: "main", Title: "t", Severity: event.Critical, At: 1})
		i.Dossier = d
		Govern(&i, event.Bounds{Severity: event.Minor, Seen: event.Critical, Most: 3, Least: 4})
		for _, phase := range []event.IncidentPhase{event.IncidentOpen, event.PhaseClosed} {
			i.Phase = phase
			table.Put(&i)
			got := table.State(i.ID)
			require.Equal(t, i.Bounds, got.Bounds)
			require.Equal(t, i.Dossier, got.Dossier)
		}
	}
}
