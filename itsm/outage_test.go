package itsm

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

const hour = event.Hour

func confirmed(kind event.OutageKind, began, ended event.Time) *event.Outage {
	return &event.Outage{Kind: kind, State: event.OutageConfirmed, BeganAt: began, EndedAt: ended, Known: began + 1}
}

func TestOverlappingOutagesCountOnce(t *testing.T) {
	a := AvailabilityOf([]*event.Outage{
		confirmed(event.OutageDown, 1*hour, 3*hour), confirmed(event.OutageDown, 2*hour, 4*hour), confirmed(event.OutageDegraded, 3*hour, 6*hour),
	}, 0, 10*hour)
	require.Equal(t, Availability{Period: 10 * hour, Down: 3 * hour, Degraded: 2 * hour, Outages: 3}, a)
}

func TestOnlyWhatWasPlannedBeforeItBeganIsOutsideTheCommitment(t *testing.T) {
	before := confirmed(event.OutagePlanned, 2*hour, 4*hour)
	before.Known = hour
	after := confirmed(event.OutagePlanned, 6*hour, 7*hour)
	a := AvailabilityOf([]*event.Outage{before, after, confirmed(event.OutageDown, 3*hour, 5*hour)}, 0, 10*hour)
	require.Equal(t, 2*hour, a.Planned)
	require.Equal(t, 2*hour, a.Down, "the hour outside the plan, and the plan that came too late")
	require.Equal(t, 8*hour, a.Committed())
}

func TestWhatNobodyConfirmedIsAColumnOfItsOwnAndWhatIsRejectedIsNone(t *testing.T) {
	proposed := confirmed(event.OutageDown, 1*hour, 0)
	proposed.State = event.OutageProposed
	rejected := confirmed(event.OutageDown, 0, 9*hour)
	rejected.State = event.OutageRejected
	a := AvailabilityOf([]*event.Outage{proposed, rejected}, 0, 3*hour)
	require.Equal(t, Availability{Period: 3 * hour, Unconfirmed: 2 * hour}, a, "it lasts until the end of the period")
	require.Zero(t, AvailabilityOf(nil, 5, 5).Period)
}

// Each hour is looked at by itself.
func TestAvailabilityIsTheSumOfItsHours(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		var outages []*event.Outage
		for range r.IntN(8) {
			o := confirmed(event.OutageKind(1+r.IntN(3)), event.Time(r.IntN(40))*hour, 0)
			if r.IntN(4) > 0 {
				o.EndedAt = o.BeganAt + event.Time(1+r.IntN(10))*hour
			}
			o.State = event.OutageState(1 + r.IntN(3))
			o.Known = o.BeganAt + event.Time(r.IntN(3)-1)*hour
			outages = append(outages, o)
		}
		from, until := 10*hour, 30*hour
		want := Availability{Period: until - from, Outages: AvailabilityOf(outages, from, until).Outages}
		for at := from; at < until; at += hour {
			best := notCounted
			for _, o := range outages {
				if o.BeganAt <= at && (o.EndedAt == 0 || at < o.EndedAt) {
					best = min(best, classOf(o))
				}
			}
			if best != notCounted {
				*[...]*event.Time{&want.Planned, &want.Down, &want.Unconfirmed, &want.Degraded}[best] += hour
			}
		}
		require.Equal(t, want, AvailabilityOf(outages, from, until))
	}
}

func TestAPersonReportsConfirmsCorrectsAndRejects(t *testing.T) {
	o, refusal := ReportOutage(3, &event.Outage{Service: "shop", Kind: event.OutageDown, BeganAt: hour, Incidents: []event.IncidentID{4, 2, 4}}, "ann", 2*hour)
	require.Nil(t, refusal)
	require.Equal(t, event.OutageConfirmed, o.State)
	require.Equal(t, []event.IncidentID{2, 4}, o.Incidents)
	p := ProposeOutage(4, "main", "shop", "db-1 is down", hour, 2*hour, 7)
	o, refusal = ChangeOutage(&p, &event.Outage{State: event.OutageConfirmed}, "ann", 3*hour)
	require.Nil(t, refusal)
	require.Equal(t, "ann", o.ConfirmedBy)
	require.True(t, o.ByMachine)
	o, refusal = ChangeOutage(&p, &event.Outage{EndedAt: 2 * hour, Kind: event.OutageDegraded}, "bob", 3*hour)
	require.Nil(t, refusal)
	require.Equal(t, event.OutageConfirmed, o.State, "who corrects it has confirmed it")
	o, refusal = ChangeOutage(&o, &event.Outage{State: event.OutageRejected}, "ann", 4*hour)
	require.Nil(t, refusal)
	require.Equal(t, event.OutageRejected, o.State)
	EndOutage(&p, 30*event.Minute)
	require.Equal(t, hour, p.EndedAt, "it cannot end before it began")
}

func TestAnOutageThatCannotBeIsRefused(t *testing.T) {
	for _, o := range []event.Outage{
		{BeganAt: hour}, {Kind: event.OutageDown, BeganAt: 3 * hour}, {Kind: event.OutageDown, BeganAt: hour, EndedAt: hour},
		{Kind: event.OutageDown, BeganAt: hour, EndedAt: 9 * hour}, {Kind: event.OutagePlanned, BeganAt: 5 * hour},
		{Kind: event.OutageDown, BeganAt: hour, Cause: string(make([]byte, maxCause+1))},
		{Kind: event.OutagePlanned, BeganAt: 3 * hour * 24 * 366, EndedAt: 4 * hour * 24 * 366},
	} {
		_, refusal := ReportOutage(1, &o, "ann", 2*hour)
		require.NotNil(t, refusal, "%+v", o)
		require.Equal(t, event.Invalid, refusal.Code)
	}
	_, refusal := ChangeOutage(&event.Outage{Kind: event.OutageDown}, &event.Outage{State: event.OutageProposed}, "ann", hour)
	require.NotNil(t, refusal)
	_, refusal = ReportOutage(1, &event.Outage{Kind: event.OutagePlanned, BeganAt: 5 * hour, EndedAt: 6 * hour}, "ann", 2*hour)
	require.Nil(t, refusal)
}
