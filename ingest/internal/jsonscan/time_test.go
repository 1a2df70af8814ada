package jsonscan

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTimesAreReadAsByAlertmanager(t *testing.T) {
	for text, expected := range map[string]string{
		"2026-11-20T22:23:29.496Z":              "2026-11-20T22:23:29.496Z",
		"2026-11-20T22:23:29.123456789-05:30":   "2026-11-21T03:53:29.123456789Z",
		"2026-11-20T22:23:29.1234567890123456Z": "2026-11-20T22:23:29.123456789Z",
		"2024-02-29T00:00:00Z":                  "2024-02-29T00:00:00Z",
		"1969-12-31T23:59:59.5Z":                "1969-12-31T23:59:59.5Z",
		"2020-06-01T10:00:00.123+0200":          "2020-06-01T08:00:00.123Z",
		"2020-06-01T10:00:00,5Z":                "2020-06-01T10:00:00.5Z",
		"2020-06-01T10:00:00.5":                 "2020-06-01T10:00:00.5Z",
		"2020-06-01T1:00:00Z":                   "2020-06-01T01:00:00Z",
		"2020-06-01T10:00Z":                     "2020-06-01T10:00:00Z",
		"2020-06-01T10:00":                      "2020-06-01T10:00:00Z",
		"2020-06-01 10:00:00":                   "2020-06-01T10:00:00Z",
		"2020-06-01":                            "2020-06-01T00:00:00Z",
		"0002-01-01T00:00:00Z":                  "0002-01-01T00:00:00Z",
		"":                                      "0001-01-01T00:00:00Z",
		"0001-01-01T00:00:00Z":                  "0001-01-01T00:00:00Z",
		"0001-12-31T23:59:59Z":                  "0001-01-01T00:00:00Z",
		"0001-01-01T00:00:00+14:00":             "0001-01-01T00:00:00Z",
	} {
		at, err := ParseTime(text)
		require.NoError(t, err, text)
		require.Equal(t, expected, at.UTC().Format(time.RFC3339Nano), text)
	}
	for _, text := range []string{
		"x", " ", "2020-06-01T10:00:00+0200", "2020-06-01T24:00:00Z", "2020-06-01t10:00:00z", "2020-06-01T10:00:60Z", "2020-06-01T10:00:00+25:00",
		"2020-6-1T1:00:00Z", "2023-02-29T00:00:00Z", "2020-06-01T10:00:00.Z", "2020-13-01T00:00:00Z", "2020-00-01T00:00:00Z", "2020-06-00T00:00:00Z",
	} {
		_, err := ParseTime(text)
		require.Error(t, err, text)
	}
}

func TestTheFastPathKnowsEveryUsualTime(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		at := time.Unix(rng.Int64N(253402300800+62167219200)-62167219200, rng.Int64N(1e9))
		at = at.In(time.FixedZone("", 60*(rng.IntN(2*1439)-1439)))
		if at.Year() < 0 || at.Year() > 9999 {
			continue
		}
		text := at.Format(time.RFC3339Nano)
		got, ok := parseRFC3339(text)
		require.True(t, ok, text)
		require.True(t, at.Equal(got), "%s: %s", text, got)
	}
}

func FuzzParseTime(f *testing.F) {
	for _, text := range []string{"2026-11-20T22:23:29.496Z", "2026-11-20T22:23:29+01:00", "2020-02-30T00:00:00Z", "2020-06-01T10:00:00.Z", "0000-01-01T00:00:00-23:59"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got, ok := parseRFC3339(text); ok {
			expected, err := time.Parse(time.RFC3339, text)
			require.NoError(t, err)
			require.True(t, expected.Equal(got), "%s: %s", text, got)
		}
	})
}
