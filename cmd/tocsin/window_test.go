package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRecurrencesThatAreNone(t *testing.T) {
	for _, text := range []string{
		"", " ", "sun 02:00", "sun 02:00-", "sun 2:00-4:00", "sun 02:00-04:60", "sun 24:00-02:00", "sun 02:00-04:00 utc", "sun,", "-", "sun-", "su 02:00-04:00",
		"02:00-04:00", "sunday monday", "daily,sun",
	} {
		_, err := parseEvery(text)
		require.Error(t, err, text)
	}
}

func TestADayWithoutTimesIsWhole(t *testing.T) {
	got, err := parseEvery("tuesday")
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.Empty(t, got[0].Times)
	require.Equal(t, []string{"tuesday"}, got[0].Weekdays)
}
