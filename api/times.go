package api

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"

	"github.com/tocsin-noc/tocsin/event"
)

// stamp returns t for JSON: null where it is not set or never comes.
func stamp(t event.Time) *time.Time {
	if t == 0 || t == event.Never {
		return nil
	}
	return new(t.Time())
}

// parseSpan reads a duration as Prometheus writes it: 90s, 2h, 1d.
func parseSpan(text string) (time.Duration, error) {
	d, err := model.ParseDuration(text)
	return time.Duration(d), err
}

// parseAhead reads an instant, or a span from now; empty is none.
func parseAhead(field, text string, now event.Time) (event.Time, error) {
	if text == "" {
		return 0, nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return event.FromTime(t), nil
	}
	if d, err := parseSpan(text); err == nil {
		return now + event.FromDuration(d), nil
	}
	return 0, invalid(field+": "+text+" is no time", "write 2026-11-21T03:00:00Z, or a span from now such as 30m")
}

// lasting returns from when and until when something lasts that was asked for at now: until ends, or for a span from the start that
// was given. A start in the past is no mistake, an end in the past is. The end is 0 where none was given.
func lasting(now event.Time, starts, ends time.Time, span, what string) (from, until event.Time, err error) {
	given := now
	if !starts.IsZero() {
		given = event.FromTime(starts)
	}
	if !ends.IsZero() {
		until = event.FromTime(ends)
	}
	if span != "" {
		d, err := parseSpan(span)
		if err != nil || d <= 0 || until != 0 {
			return 0, 0, invalid("duration: must be a time such as 90s, 2h or 1d, and the only end that is given", "")
		}
		until = given + event.FromDuration(d)
	}
	switch {
	case until == 0:
	case until <= given && !starts.IsZero():
		return 0, 0, invalid("the "+what+" must end after it starts", "give another end, or a duration")
	case until <= now:
		return 0, 0, invalid("the "+what+" would be over already: it would have ended at "+until.Time().UTC().Format("2006-01-02 15:04:05 MST"),
			"a duration counts from the start that is given; without one it starts now")
	}
	return max(now, given), until, nil
}

// span returns a difference between two times for people, in its two greatest units.
func span(d event.Time) string {
	if d < 0 {
		d = 0
	}
	step := event.Second
	switch {
	case d >= event.Day:
		step = event.Hour
	case d >= event.Hour:
		step = event.Minute
	}
	return model.Duration((d - d%step).Duration()).String()
}

// minutes returns a span as people say it: whole minutes, and seconds below one.
func minutes(d event.Time) string {
	if d < event.Minute {
		return fmt.Sprintf("%d s", max(d, 0)/event.Second)
	}
	if d >= 2*event.Hour {
		return span(d)
	}
	return fmt.Sprintf("%d min", (d+event.Minute/2)/event.Minute)
}
