package correlate

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func TestThePenaltyHalvesEveryTenMinutes(t *testing.T) {
	for dt := event.Time(0); dt < 40*event.Minute; dt += 777 {
		want := 8e6 * math.Exp2(-float64(dt)/float64(flapHalfLife))
		require.InDelta(t, want, decayed(flapMost, dt), 120, dt.Duration()) // 0.12 of a penalty that counts in thousands
	}
	require.EqualValues(t, flapMost/2, decayed(flapMost, flapHalfLife))
	require.Zero(t, decayed(flapMost, event.Day))
	require.EqualValues(t, 5, decayed(5, -1))
}

// steadily returns whether an alert that changes every dt is damped sooner or later.
func steadily(dt event.Time) bool {
	var f event.Flap
	for now := event.Hour; now < 30*event.Hour; now += dt {
		if f = flapped(f, now); f.Penalty >= flapDamp {
			return true
		}
	}
	return false
}

func TestSteadyFlappingIsDampedIffChangesComeCloserThanFiveMinutesFiftyOne(t *testing.T) {
	border := event.Time(10 * math.Log2(1.5) * float64(event.Minute)) // 5.85 min
	require.True(t, steadily(border-event.Second))
	require.False(t, steadily(border+event.Second))
}

func TestTheQuietTimeFollowsFromThePenaltyAndIsAtMostThirtyMinutes(t *testing.T) {
	for _, penalty := range []uint32{flapDamp, 4_000_000, 5_432_100, flapMost} {
		f := event.Flap{Penalty: penalty, At: event.Hour, Damped: true}
		want := 10 * math.Log2(float64(penalty)/flapRelease) * float64(event.Minute)
		require.InDelta(t, want, float64(CalmAt(f)-f.At), 100, penalty)
	}
	require.Equal(t, 30*event.Minute, calmAt(&event.Flap{Penalty: flapMost}))
	require.Zero(t, CalmAt(event.Flap{Penalty: 1}))
}

func TestOfChangesWithinTenSecondsOneCounts(t *testing.T) {
	f := flapped(flapped(event.Flap{}, event.Hour), event.Hour+flapApart-1)
	require.EqualValues(t, 1, f.Changes)
	require.EqualValues(t, 2, flapped(f, event.Hour+flapApart).Changes)
	require.EqualValues(t, 1, flapped(f, event.Day).Changes, "a new bout")
}
