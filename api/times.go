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
