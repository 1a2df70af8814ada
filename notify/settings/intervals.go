package settings

import (
	"errors"
	"strconv"
	"time"

	"github.com/prometheus/alertmanager/timeinterval"
	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/rules/strict"
)

// intervals reads Alertmanager's time intervals. An interval without a constraint holds always, which as quiet hours would mean
// that nobody is told: a key that is misspelt must not come to that.
func intervals(dst *[]timeinterval.TimeInterval) strict.Value {
	return filled(strict.List(dst, func(ti *timeinterval.TimeInterval) strict.Value {
		return func(sr *strict.Reader, n *yaml.Node) {
			strict.Mapping(
				strict.Field{Key: "times", Value: ranges(&ti.Times, timeRange)},
				strict.Field{Key: "weekdays", Value: ranges(&ti.Weekdays, decoded[timeinterval.WeekdayRange]("as in 'monday:friday', from the earlier to the later; a week begins on sunday"))},
				strict.Field{Key: "days_of_month", Value: ranges(&ti.DaysOfMonth, decoded[timeinterval.DayOfMonthRange]("as in '1:5' or '-3:-1'"))},
				strict.Field{Key: "months", Value: ranges(&ti.Months, month)},
				strict.Field{Key: "years", Value: ranges(&ti.Years, decoded[timeinterval.YearRange]("as in '2026:2028'"))},
				strict.Field{Key: "location", Value: func(sr *strict.Reader, n *yaml.Node) {
					sr.Problem(n, "has no place here", "the zone of the team, or of the layer, holds")
				}},
			)(sr, n)
			if n.Kind == yaml.MappingNode && len(n.Content) == 0 || n.Tag == "!!null" {
				sr.Problem(n, "the interval names no time: it would hold always", "give it times, weekdays, days_of_month, months or years")
			}
		}
	}))
}

// rangeReader reads one range.
type rangeReader[T any] func(sr *strict.Reader, n *yaml.Node, r *T)

// ranges reads a list of ranges. An empty one would never hold.
func ranges[T any](dst *[]T, read rangeReader[T]) strict.Value {
	return filled(strict.List(dst, func(r *T) strict.Value {
		return func(sr *strict.Reader, n *yaml.Node) { read(sr, n, r) }
	}))
}

// decoded reads a range as Alertmanager does.
func decoded[T any](hint string) rangeReader[T] {
	return func(sr *strict.Reader, n *yaml.Node, r *T) {
		err := n.Decode(r)
		if _, ok := errors.AsType[*strconv.NumError](err); ok {
			err = errors.New("must be a whole number or a range of them")
		}
		if err != nil {
			sr.Problem(n, err.Error(), hint)
		}
	}
}

func month(sr *strict.Reader, n *yaml.Node, r *timeinterval.MonthRange) {
	const hint = "as in 'november:december' or '11:12'"
	switch err := n.Decode(r); {
	case err != nil:
		sr.Problem(n, err.Error(), hint)
	case r.Begin < 1 || r.End > 12: // Alertmanager takes it, and it would never hold
		sr.Problem(n, "a month is between 1 and 12", hint)
	}
}

func timeRange(sr *strict.Reader, n *yaml.Node, r *timeinterval.TimeRange) {
	start, end := -1, -1
	strict.Mapping(
		strict.Field{Key: "start_time", Value: minute(&start), Required: true},
		strict.Field{Key: "end_time", Value: minute(&end), Required: true},
	)(sr, n)
	if start >= end && end >= 0 {
		sr.Problem(n, "start_time must be before end_time", "over midnight write two: one that ends at 24:00 and one that starts at 00:00")
	}
	r.StartMinute, r.EndMinute = start, end
}

// minute reads a time of day as minutes since midnight.
func minute(dst *int) strict.Value {
	return strict.Scalar(func(text string) error {
		t, err := time.Parse("15:04", text)
		switch {
		case text == "24:00":
			*dst = 24 * 60
		case err != nil:
			return errors.New("must be a time of day, as in 09:00 or 24:00")
		default:
			*dst = t.Hour()*60 + t.Minute()
		}
		return nil
	})
}
