package oncall

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/timeinterval"
	"github.com/stretchr/testify/require"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	require.NoError(t, err)
	return loc
}

func intervals(t *testing.T, text string) (out []timeinterval.TimeInterval) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &out))
	return out
}

func TestTurnsAreTakenAtTheSameHourOfTheWallClock(t *testing.T) {
	s := Schedule{Zone: zone(t, "Europe/Berlin"), Layers: []Rotation{{Members: []string{"ann", "bob", "carl"}, Start: Wall{2026, 19, 9, 0, 10}, Days: 7}}}
	for at, want := range map[string]string{
		"2026-10-19T06:59:59Z": "", "2026-10-19T07:00:00Z": "ann", // 09:00 summer time
		"2026-10-26T07:59:00Z": "ann", "2026-10-26T08:00:00Z": "bob", // 09:00 winter time: this shift had 169 h
		"2026-11-02T08:00:00Z": "carl", "2026-11-09T08:00:00Z": "ann",
	} {
		tm, err := time.Parse(time.RFC3339, at)
		require.NoError(t, err)
		require.Equal(t, want, s.At(tm), at)
	}
}

func TestAHandoverInTheNightOfTheClockChange(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	require.Equal(t, "2026-03-29T01:00:00Z", Wall{2026, 29, 2, 30, 3}.In(berlin).UTC().Format(time.RFC3339), "02:30 is left out: at the jump")
	require.Equal(t, "2026-10-25T00:30:00Z", Wall{2026, 25, 2, 30, 10}.In(berlin).UTC().Format(time.RFC3339), "02:30 comes twice: the first")
	howe := zone(t, "Australia/Lord_Howe") // changes by half an hour
	require.Equal(t, "2026-10-03T15:30:00Z", Wall{2026, 4, 2, 15, 10}.In(howe).UTC().Format(time.RFC3339))
	s := Schedule{Zone: berlin, Layers: []Rotation{{Members: []string{"ann", "bob"}, Start: Wall{2026, 28, 2, 30, 3}, Days: 1}}}
	shifts := s.Shifts(Wall{2026, 28, 2, 30, 3}.In(berlin), Wall{2026, 31, 2, 30, 3}.In(berlin))
	require.Len(t, shifts, 3)
	require.Equal(t, 23*time.Hour+30*time.Minute, shifts[0].Until.Sub(shifts[0].From))
	require.Equal(t, 23*time.Hour+30*time.Minute, shifts[1].Until.Sub(shifts[1].From))
	require.Equal(t, []string{"ann", "bob", "ann"}, []string{shifts[0].Who, shifts[1].Who, shifts[2].Who})
}

func TestShiftsCoverAllTimeAndSayWhatAtSays(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe"} {
		loc := zone(t, name)
		s := Schedule{Zone: loc, Layers: []Rotation{
			{Members: []string{"ann", "bob", "carl"}, Start: Wall{2026, 1, 2, 30, 1}, Days: 1},
			{Members: []string{"dora", "emil"}, Start: Wall{2026, 5, 9, 0, 1}, Hours: 12, Only: intervals(t, `[{"weekdays":["monday:friday"],"times":[{"start_time":"09:00","end_time":"17:00"}]}]`)},
		}}
		from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		from = from.AddDate(0, r.IntN(8), 0)
		until := from.AddDate(0, 0, 45)
		s.Overrides = []Override{{Who: "zoe", From: from.Add(48 * time.Hour), Until: from.Add(50 * time.Hour)}}
		shifts := s.Shifts(from, until)
		at := from
		for _, sh := range shifts {
			require.Equal(t, at, sh.From)
			require.True(t, sh.From.Before(sh.Until))
			at = sh.Until
		}
		require.Equal(t, until, at)
		for range 500 {
			tm := from.Add(time.Duration(r.Int64N(int64(until.Sub(from))))).Truncate(time.Minute)
			for _, sh := range shifts {
				if !tm.Before(sh.From) && tm.Before(sh.Until) {
					require.Equal(t, s.At(tm), sh.Who)
				}
			}
		}
	}
}

func TestGapsAreWhenNobodyIsOnCall(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	s := Schedule{Zone: berlin, Layers: []Rotation{{
		Members: []string{"ann"}, Start: Wall{2026, 1, 0, 0, 1}, Days: 7,
		Only: intervals(t, `[{"weekdays":["sunday:friday"]},{"weekdays":["saturday"],"times":[{"start_time":"00:00","end_time":"02:00"},{"start_time":"06:00","end_time":"24:00"}]}]`),
	}}}
	from := time.Date(2026, 11, 16, 0, 0, 0, 0, berlin)
	gaps := s.Gaps(from, from.AddDate(0, 0, 7))
	require.Len(t, gaps, 1)
	require.Equal(t, "Sat 02:00–06:00", gaps[0].From.In(berlin).Format("Mon 15:04")+"–"+gaps[0].Until.In(berlin).Format("15:04"))
	s.Overrides = []Override{{Who: "bob", From: gaps[0].From, Until: gaps[0].Until}}
	require.Empty(t, s.Gaps(from, from.AddDate(0, 0, 7)))
}

func TestALayerMayHandOverInAZoneOfItsOwn(t *testing.T) {
	s := Schedule{Zone: zone(t, "Europe/Berlin"), Layers: []Rotation{
		{Members: []string{"ann"}, Start: Wall{2026, 1, 0, 0, 1}, Days: 7},
		{Members: []string{"kim"}, Zone: zone(t, "Asia/Tokyo"), Start: Wall{2026, 1, 0, 0, 1}, Days: 7, Only: intervals(t, `[{"times":[{"start_time":"09:00","end_time":"17:00"}]}]`)},
	}}
	require.Equal(t, "kim", s.At(time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)), "09:00 in Tokyo")
	require.Equal(t, "ann", s.At(time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)), "17:00 in Tokyo")
}

func TestQuietHoursEnd(t *testing.T) {
	q := Quiet{Zone: zone(t, "Europe/Berlin"), Hours: intervals(t, `[{"times":[{"start_time":"22:00","end_time":"24:00"},{"start_time":"00:00","end_time":"07:00"}]}]`)}
	night := time.Date(2026, 11, 21, 2, 0, 30, 0, time.UTC)
	require.True(t, q.Holds(night))
	require.Equal(t, "2026-11-21T06:00:00Z", q.Ends(night).UTC().Format(time.RFC3339))
	require.False(t, q.Holds(night.Add(8*time.Hour)))
	always := Quiet{Zone: time.UTC, Hours: intervals(t, `[{"weekdays":["sunday:saturday"]}]`)}
	require.LessOrEqual(t, always.Ends(night).Sub(night), maxQuiet+time.Minute)
	require.False(t, (&Quiet{Zone: time.UTC}).Holds(night))
}
