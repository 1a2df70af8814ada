package event

import "time"

// Time is an instant in milliseconds since the Unix epoch, UTC. Zero means "not set".
type Time int64

// Units of a difference between two Times.
const (
	Millisecond Time = 1
	Second           = 1000 * Millisecond
	Minute           = 60 * Second
	Hour             = 60 * Minute
	Day              = 24 * Hour
)

// Never is later than any deadline.
const Never Time = 1<<63 - 1

// FromTime converts t, rounding down to the millisecond; the zero time and every instant before 1970 become 0
// (Alertmanager's clients write year 1 for "not set").
func FromTime(t time.Time) Time {
	if ms := t.UnixMilli(); ms > 0 {
		return Time(ms)
	}
	return 0
}

// FromDuration converts d, rounding down to the millisecond.
func FromDuration(d time.Duration) Time { return Time(d.Milliseconds()) }

// Time returns t as a time.Time in UTC; 0 becomes the zero time.
func (t Time) Time() time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(t)).UTC()
}

// Duration returns t, taken as a difference, as a time.Duration.
func (t Time) Duration() time.Duration { return time.Duration(t) * time.Millisecond }

// String returns t in RFC 3339 with milliseconds, or "-" when not set.
func (t Time) String() string {
	if t == 0 {
		return "-"
	}
	return t.Time().Format("2006-01-02T15:04:05.000Z07:00")
}
