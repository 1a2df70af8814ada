package evaluate

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/simulate/scenario"
)

// told hands a follower changes about alerts that are known by the number of their only label.
type told struct {
	f  *follower
	at event.Time
}

func labelled(n string) event.Labels { return event.Labels{{Name: "alertname", Value: n}} }

func (w *told) fires(id event.AlertID, name string, in event.IncidentID) {
	w.f.change(&event.Change{Kind: event.AlertFiring, At: w.at, Alert: event.AlertState{ID: id, Incident: in}, Claim: event.ClaimState{Full: true, Labels: labelled(name)}})
}

func (w *told) moves(kind event.ChangeKind, id event.AlertID, in event.IncidentID) {
	w.f.change(&event.Change{Kind: kind, At: w.at, Alert: event.AlertState{ID: id, Incident: in}})
}

func (w *told) line(i int, name string) {
	identity, _ := labelled(name).Identity(event.DefaultTenant, nil)
	w.f.line(i, identity)
}

func (w *told) ended() *Outcome {
	var out Outcome
	w.f.finish(&out)
	return &out
}

func TestALineIsInTheIncidentInWhichItsOccurrenceEnds(t *testing.T) {
	w := &told{f: newFollower(6), at: event.Second}
	w.line(0, "unknown")
	w.fires(1, "a", 0) // waits
	w.line(1, "a")
	w.moves(event.AlertSeen, 1, 0)
	w.line(2, "a")
	w.moves(event.AlertJoined, 1, 3)
	w.fires(2, "b", 4)
	w.line(3, "b")
	w.moves(event.AlertMoved, 2, 3)
	w.moves(event.AlertCleared, 1, 3)
	w.fires(1, "a", 5)
	w.line(4, "a")
	w.line(5, "b")
	out := w.ended()
	require.Equal(t, []event.IncidentID{0, 3, 3, 3, 5, 3}, out.Incidents)
	require.Equal(t, out.Occurrence[1], out.Occurrence[2], "a repeat")
	require.NotEqual(t, out.Occurrence[1], out.Occurrence[4], "fired again")
	require.Zero(t, out.Churn, "all within a minute")
}

func TestMergedIncidentsAreTheOneThatTheyLiveOnIn(t *testing.T) {
	w := &told{f: newFollower(2), at: event.Second}
	w.fires(1, "a", 1)
	w.line(0, "a")
	w.fires(2, "b", 9)
	w.line(1, "b")
	merge := func(id, into event.IncidentID) {
		w.f.change(&event.Change{Kind: event.IncidentMerged, At: w.at, Incident: &event.IncidentState{ID: id, MergedInto: into}})
	}
	merge(1, 2)
	w.at += 2 * event.Minute
	merge(2, 3)
	out := w.ended()
	require.Equal(t, []event.IncidentID{3, 9}, out.Incidents)
	require.InDelta(t, .5, out.Churn, exact, "one of two got another id after two minutes")

	w.f.change(&event.Change{Kind: event.IncidentUnmerged, Incident: &event.IncidentState{ID: 2}})
	id, _ := w.f.survivor(1)
	require.EqualValues(t, 2, id)
}

func TestTheLastWordOnCausesCountsAndIsJudgedByTheFormat(t *testing.T) {
	causes := func(confident bool, ids ...string) event.Causes {
		c := event.Causes{Confident: confident}
		for _, id := range ids {
			c.Candidates = append(c.Candidates, event.Cause{CI: id})
		}
		return c
	}
	f := newFollower(1)
	for _, id := range []string{"early", "late"} {
		c := causes(true, id)
		c.Incident = 1
		f.change(&event.Change{Kind: event.IncidentCauses, Causes: &c})
	}
	require.Equal(t, "late", f.causes[1].Candidates[0].CI)

	s := &scenario.Scenario{
		Truth: []string{"f1", "f1", "f1", "f2", "f2", "f3", "", "f4"},
		Faults: []scenario.Fault{
			{ID: "f1", Root: []string{"db", "db-0"}}, {ID: "f2", Root: []string{"web"}}, {ID: "f3", Root: []string{"x"}}, {ID: "f4", Root: []string{"y"}},
			{ID: "nobody noticed", Root: []string{"z"}},
		},
	}
	o := &Outcome{
		Incidents: []event.IncidentID{1, 1, 2, 4, 3, 0, 1, 5},
		Causes: map[event.IncidentID]event.Causes{
			1: causes(true, "db-0", "web"), 3: causes(false, "a", "b", "web"), 4: causes(false, "web"), 5: causes(true, "a", "b", "c", "y"),
		},
	}
	// f1 is first; of f2's two the older, 3: third; f3 is in no incident; f4 is fourth, and a wrong name was told.
	require.Equal(t, RootCause{Cases: 4, Top1: .25, Top3: .5, MRR: (1 + 1./3 + .25) / 4, Answered: .5, PrecisionAnswered: .5}, judgeCauses(s, o))
}

func TestLinesAreCountedByFaultAndIncident(t *testing.T) {
	s := &scenario.Scenario{Alerts: make([]scenario.Alert, 8), Truth: []string{"f", "f", "f", "g", "g", "", "", ""}}
	o := &Outcome{
		Incidents: []event.IncidentID{1, 1, 2, 2, 0, 2, 3, 3},
		Identity:  []uint64{1, 2, 3, 4, 5, 6, 7, 7},
	}
	r := Judge(s, o)
	require.Equal(t, 8, r.Alerts)
	require.Equal(t, 3, r.Incidents)
	require.Equal(t, 2, r.Faults)
	require.InDelta(t, 1-4./8, r.Compression, exact, "three incidents and a line by itself")
	require.InDelta(t, 4./2, r.FragmentsPerFault, exact, "f in 1 and 2, g in 2 and by itself")
	require.InDelta(t, 3./2, r.FaultsPerIncident, exact, "f in 1, f and g in 2")
	require.InDelta(t, 1./8, r.NoIncident, exact)
	require.InDelta(t, 1./3, r.FalseJoins, exact, "the two that are one alert are no false join")
}
