package zoneinfo

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAPinnedZoneTellsTheSameTime(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata", "Africa/Casablanca", "Etc/GMT+5"} {
		loc, data, err := Load(name)
		require.NoError(t, err)
		pinned, err := time.LoadLocationFromTZData(name, data)
		require.NoError(t, err)
		require.Less(t, len(data), 8<<10, "small enough for the journal")
		for range 2000 {
			at := time.Unix(r.Int64N(4_100_000_000), 0)
			require.Equal(t, at.In(loc).Format(time.RFC3339+" MST"), at.In(pinned).Format(time.RFC3339+" MST"), name)
		}
	}
}

func TestUTCNeedsNoDataAndUnknownZonesAreNamed(t *testing.T) {
	loc, data, err := Load("")
	require.NoError(t, err)
	require.Equal(t, time.UTC, loc)
	require.Empty(t, data)
	for _, name := range []string{"Mars/Olympus", "Local", "/etc/passwd", "../x"} {
		_, _, err = Load(name)
		require.ErrorIs(t, err, ErrUnknown, name)
	}
}
