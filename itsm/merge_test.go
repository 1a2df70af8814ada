package itsm

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func TestTheAlertsThatCameByMergesAreBoundedTogether(t *testing.T) {
	i := opened(event.Critical)
	for n := range 2 {
		other := event.IncidentState{ID: event.IncidentID(n + 2), Phase: event.IncidentOpen, Severity: event.Minor, Priority: 4}
		require.Nil(t, Mergeable(&i, &other, MaxMoved))
		Absorb(&i, &other, make([]event.AlertID, MaxMoved), "", 1)
	}
	third := event.IncidentState{ID: 4, Phase: event.IncidentOpen, Severity: event.Minor, Priority: 4}
	require.Nil(t, Mergeable(&i, &third, 0))
	refusal := Mergeable(&i, &third, 1)
	require.NotNil(t, refusal)
	require.Contains(t, refusal.Message, fmt.Sprint(MaxAbsorbedAlerts))
	require.NotEmpty(t, refusal.Hint)
	gone := event.IncidentState{ID: 2}
	LetGo(&i, &gone, "", "ann", 2)
	require.Nil(t, Mergeable(&i, &third, 1), "what left lists nothing any more")
}

func TestAMajorIncidentIsTakenOverOnlyWhereNoneRuns(t *testing.T) {
	major := func(id event.IncidentID, by string, ended event.Time) *event.IncidentState {
		i := opened(event.Critical)
		i.ID = id
		dossier(&i).Major = &event.MajorIncident{Since: 1, By: by, Commander: by, EndedAt: ended}
		return &i
	}
	for _, c := range []struct {
		ours, theirs event.Time // when they ended
		leads        string
	}{{0, 0, "ann"}, {0, 5, "ann"}, {5, 0, "bob"}, {5, 5, "ann"}} {
		a, b := major(1, "ann", c.ours), major(2, "bob", c.theirs)
		Absorb(a, b, nil, "ann", 6)
		require.Equal(t, c.leads, a.Dossier.Major.Commander, "%+v", c)
		KeepMajor(b, a)
		Uncount(a, b)
		require.Equal(t, "bob", b.Dossier.Major.Commander, "%+v", c)
		require.Equal(t, c.leads == "bob", a.Dossier.Major == nil, "%+v", c)
	}
}

func TestAPartIsAcknowledgedOnlyAsFarAsItWasSeen(t *testing.T) {
	whole := opened(event.Critical)
	require.Nil(t, Snooze(&whole, "ann", 9000, 2000))
	require.Nil(t, Assign(&whole, "bob", "dba"))
	split := func(lastFiring event.Time) event.IncidentState {
		w, part := whole, opened(event.Critical)
		part.ID = 2
		SplitOff(&w, &part, lastFiring, "carl", 3000)
		require.Equal(t, []string{"bob", "dba", "carl"}, []string{part.Assignee, part.Team, part.OpenedBy})
		return part
	}
	part := split(2000)
	require.Equal(t, "ann", part.AckedBy)
	require.EqualValues(t, 9000, part.SnoozedUntil)
	part = split(2001)
	require.Zero(t, part.AckedAt)
	require.Zero(t, part.SnoozedUntil)
	whole.WorseAt = 2500
	require.Empty(t, split(1000).AckedBy)
}

func TestWhatAPersonSetOutlivesTheServicesThatLeave(t *testing.T) {
	i := opened(event.Critical)
	Hurt(&i, []event.Affected{{Service: "shop", Impact: 1}})
	require.EqualValues(t, 1, i.Priority)
	pinned, acked, merged := i, i, i
	require.True(t, Unhurt(&i))
	require.EqualValues(t, 2, i.Priority)
	require.True(t, i.Unbound)
	require.Zero(t, i.ServiceCount)
	_, refusal := Edit(&pinned, &event.IncidentEdit{Fields: event.PinImpact, Impact: 3})
	require.Nil(t, refusal)
	require.True(t, Unhurt(&pinned))
	require.EqualValues(t, 3, pinned.Impact)
	require.False(t, pinned.Unbound)
	acknowledged(t, &acked, "ann", 2000)
	require.False(t, Unhurt(&acked))
	MergeInto(&merged, 2, 2000)
	require.False(t, Unhurt(&merged))
}
