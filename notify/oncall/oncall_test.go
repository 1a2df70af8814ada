package oncall

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
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

// dumb counts the hand-overs before at one by one, and knows nothing else of the schedule.
func dumb(s *Schedule, at time.Time) string {
	for _, o := range slices.Backward(s.Overrides) {
		if !at.Before(o.From) && at.Before(o.Until) {
			return o.Who
		}
	}
	for _, r := range slices.Backward(s.Layers) {
		n := 0
		for w := r.Start; !w.In(s.Zone).Add(time.Duration(n*r.Hours) * time.Hour).After(at); w.Day += r.Days {
			n++
		}
		if n > 0 && (len(r.Only) == 0 || r.Only[0].ContainsTime(at.In(s.Zone))) {
			return r.Members[(n-1)%len(r.Members)]
		}
	}
	return ""
}

// randomSchedule hands over in the hours in which clocks change more often than not.
func randomSchedule(t *testing.T, r *rand.Rand, loc *time.Location, from, until time.Time) *Schedule {
	t.Helper()
	people := []string{"ann", "bob", "carl", "dora", "emil"}
	start := func() Wall {
		first := from.AddDate(0, 0, r.IntN(20)-15)
		return Wall{Year: first.Year(), Month: first.Month(), Day: first.Day(), Hour: 1 + r.IntN(3), Minute: 15 * r.IntN(4)}
	}
	only := []string{
		`[{"weekdays":["monday:friday"],"times":[{"start_time":"09:00","end_time":"17:00"}]}]`,
		`[{"times":[{"start_time":"01:45","end_time":"02:20"},{"start_time":"02:40","end_time":"24:00"}]}]`,
		`[{"days_of_month":["-3:-1"]}]`,
	}
	s := &Schedule{Zone: loc, Layers: []Rotation{
		{Members: people[:1+r.IntN(5)], Start: start(), Days: 1 + r.IntN(7)},
		{Members: people[:1+r.IntN(5)], Start: start(), Hours: 1 + r.IntN(48), Only: intervals(t, only[r.IntN(len(only))])},
	}}
	for range r.IntN(4) {
		begin := from.Add(time.Duration(r.Int64N(int64(until.Sub(from)))))
		s.Overrides = append(s.Overrides, Override{Who: "zoe", From: begin, Until: begin.Add(time.Duration(r.Int64N(int64(30 * time.Hour))))})
	}
	return s
}

// Each run crosses a change of the clock: two weeks before one to two weeks after it.
func TestShiftsCoverAllTimeAndSayWhatAtSays(t *testing.T) {
	const fortnight = 14 * 24 * time.Hour
	r := rand.New(rand.NewPCG(1, 1))
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe"} {
		loc := zone(t, name)
		change := time.Date(2024, 1, 1, 0, 0, 0, 0, loc)
		for change.Year() < 2028 {
			_, change = change.ZoneBounds()
			require.False(t, change.IsZero())
			from, until := change.Add(-fortnight), change.Add(fortnight)
			s := randomSchedule(t, r, loc, from, until)
			shifts := s.Shifts(from, until)
			at, before := from, "nobody at all"
			for _, sh := range shifts {
				require.Equal(t, at, sh.From, "no hole and no overlap")
				require.True(t, sh.From.Before(sh.Until))
				require.NotEqual(t, before, sh.Who, "neighbours are merged")
				require.Equal(t, sh.Who, dumb(s, sh.From))
				require.Equal(t, sh.Who, dumb(s, sh.Until.Add(-1)))
				at, before = sh.Until, sh.Who
			}
			require.Equal(t, until, at)
			for range 300 {
				tm := from.Add(time.Duration(r.Int64N(int64(until.Sub(from)))))
				i := slices.IndexFunc(shifts, func(sh Shift) bool { return tm.Before(sh.Until) })
				require.Equal(t, dumb(s, tm), shifts[i].Who, "%s %s", name, tm)
				require.Equal(t, dumb(s, tm), s.At(tm), "%s %s", name, tm)
			}
		}
	}
}

func TestAnIntervalInTheHourThatComesTwiceHoldsTwice(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	s := Schedule{Zone: berlin, Layers: []Rotation{{
		Members: []string{"ann"}, Start: Wall{2026, 1, 0, 0, 1}, Days: 7, Only: intervals(t, `[{"times":[{"start_time":"02:30","end_time":"02:45"}]}]`),
	}}}
	from := time.Date(2026, 10, 25, 0, 0, 0, 0, berlin)
	var on []string
	for _, sh := range s.Shifts(from, from.Add(6*time.Hour)) {
		if sh.Who != "" {
			on = append(on, sh.From.UTC().Format("15:04")+"–"+sh.Until.UTC().Format("15:04"))
		}
	}
	require.Equal(t, []string{"00:30–00:45", "01:30–01:45"}, on)
	from = time.Date(2026, 3, 29, 0, 0, 0, 0, berlin)
	require.Len(t, s.Shifts(from, from.Add(6*time.Hour)), 1, "and not at all where it is left out")
}

func TestShiftsAreHalfOpenToTheNanosecond(t *testing.T) {
	begin := time.Date(2026, 11, 21, 10, 0, 7, 5, time.UTC)
	s := Schedule{Zone: time.UTC, Overrides: []Override{
		{Who: "ann", From: begin, Until: begin.Add(time.Hour)}, {Who: "bob", From: begin.Add(time.Minute), Until: begin.Add(2 * time.Minute)},
	}}
	require.Equal(t, []Shift{
		{"", begin.Add(-1), begin}, {"ann", begin, begin.Add(time.Minute)}, {"bob", begin.Add(time.Minute), begin.Add(2 * time.Minute)},
		{"ann", begin.Add(2 * time.Minute), begin.Add(time.Hour)}, {"", begin.Add(time.Hour), begin.Add(time.Hour + 1)},
	}, s.Shifts(begin.Add(-1), begin.Add(time.Hour+1)), "a later override wins")
	require.Empty(t, s.Shifts(begin, begin))
}

func BenchmarkAMonthOfShifts(b *testing.B) {
	loc, err := time.LoadLocation("Europe/Berlin")
	require.NoError(b, err)
	var only []timeinterval.TimeInterval
	require.NoError(b, json.Unmarshal([]byte(`[{"weekdays":["monday:friday"],"times":[{"start_time":"09:00","end_time":"17:00"}]}]`), &only))
	s := Schedule{Zone: loc, Layers: []Rotation{
		{Members: []string{"ann", "bob"}, Start: Wall{2024, 1, 9, 0, 1}, Days: 7}, {Members: []string{"carl", "dora"}, Start: Wall{2024, 1, 9, 0, 1}, Days: 1, Only: only},
	}}
	from := time.Date(2026, 11, 1, 0, 0, 0, 0, loc)
	for b.Loop() {
		s.Shifts(from, from.AddDate(0, 0, 30))
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
	require.Equal(t, maxQuiet, always.Ends(night).Sub(night))
	day := night.Add(8 * time.Hour)
	require.Equal(t, day, q.Ends(day), "they are over already")
	require.False(t, (&Quiet{Zone: time.UTC}).Holds(night))
}
