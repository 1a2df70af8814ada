package itsm

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func TestThePriorityIsTheWorseForWhatTheServiceIsWorth(t *testing.T) {
	for _, c := range []struct {
		severity event.Severity
		impact   uint8
		spare    bool
		want     uint8
	}{
		{event.Critical, 1, false, 1}, {event.Critical, 1, true, 2}, {event.Critical, 2, false, 2}, {event.Critical, 3, false, 3}, {event.Critical, 3, true, 4},
		{event.Major, 1, false, 2}, {event.Major, 2, false, 3}, {event.Warning, 1, false, 3}, {event.Warning, 3, false, 5}, {event.Warning, 3, true, 5},
	} {
		i := opened(c.severity)
		fresh, moved := Hurt(&i, []event.Affected{{Service: "shop", Spare: c.spare, Impact: c.impact}})
		require.True(t, moved)
		require.Equal(t, []string{"shop"}, fresh)
		require.Equal(t, c.want, i.Priority, "%+v", c)
		require.False(t, i.Unbound)
	}
}

func TestThePriorityIsThatOfTheServiceThatIsHitTheWorst(t *testing.T) {
	i := opened(event.Critical)
	Hurt(&i, []event.Affected{{Service: "shop", Impact: 1, Spare: true}, {Service: "wiki", Impact: 3}})
	require.EqualValues(t, 2, i.Priority, "the shop runs on")
	require.EqualValues(t, 1, i.Impact)
	Hurt(&i, []event.Affected{{Service: "shop", Impact: 1, Down: true}})
	require.EqualValues(t, 1, i.Priority)
}

func TestTheServicesOfAnIncidentAddUp(t *testing.T) {
	i := opened(event.Major)
	Hurt(&i, []event.Affected{{Service: "b", Impact: 3, Spare: true}, {Service: "d", Impact: 3, Spare: true}})
	fresh, moved := Hurt(&i, []event.Affected{{Service: "a", Impact: 1, Spare: true}, {Service: "b", Impact: 3, Down: true}})
	require.True(t, moved)
	require.Equal(t, []string{"a"}, fresh)
	require.Equal(t, []event.Affected{
		{Service: "a", Impact: 1, Spare: true}, {Service: "b", Impact: 3, Down: true}, {Service: "d", Impact: 3, Spare: true},
	}, i.Services)
	require.EqualValues(t, 3, i.Priority)
	_, moved = Hurt(&i, []event.Affected{{Service: "a", Impact: 1, Spare: true}})
	require.False(t, moved, "nothing new")
	var many []event.Affected
	for n := range 50 {
		many = append(many, event.Affected{Service: fmt.Sprintf("s%02d", n), Impact: 2})
	}
	Hurt(&i, many)
	require.Len(t, i.Services, event.MaxAffected)
	require.EqualValues(t, 50, i.ServiceCount)
	fresh, _ = Hurt(&i, []event.Affected{{Service: "x", Impact: 1}, {Service: "y", Impact: 2}})
	require.Equal(t, []string{"x"}, fresh, "what is worth more takes the place of what is worth less")
	require.True(t, slices.IsSortedFunc(i.Services, func(a, b event.Affected) int { return cmp.Compare(a.Service, b.Service) }))
}

func TestWhatIsKnownOfServicesLowersNothingThatWasAcknowledged(t *testing.T) {
	i := opened(event.Critical)
	acknowledged(t, &i, "ann", 2000)
	Hurt(&i, []event.Affected{{Service: "wiki", Impact: 3}})
	require.EqualValues(t, 2, i.Priority)
	Hurt(&i, []event.Affected{{Service: "shop", Impact: 1}})
	require.EqualValues(t, 1, i.Priority, "it raises at any time")
	i = opened(event.Critical)
	i.Pins, i.Impact = event.PinImpact, 3
	Hurt(&i, []event.Affected{{Service: "shop", Impact: 1}})
	require.EqualValues(t, 3, i.Impact, "a person has said so")
	require.EqualValues(t, 3, i.Priority)
}
