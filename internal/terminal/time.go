package terminal

import (
	"fmt"
	"time"
)

// Ago returns t as a distance from now in its two greatest units, as in "3m ago", "2d4h ago" or "in 1h30m"; "-" for the zero time.
func Ago(t, now time.Time) string {
	switch d := now.Sub(t); {
	case t.IsZero():
		return "-"
	case d < 0:
		return "in " + Span(-d)
	case d < time.Second:
		return "now"
	default:
		return Span(d) + " ago"
	}
}

// Span returns a length of time in its two greatest units, as in 45s, 3m, 1h30m or 12d.
func Span(d time.Duration) string {
	s := int64(d / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 10*60:
		return two(s/60, "m", s%60, "s")
	case s < 3600:
		return fmt.Sprintf("%dm", s/60)
	case s < 86400:
		return two(s/3600, "h", s%3600/60, "m")
	case s < 10*86400:
		return two(s/86400, "d", s%86400/3600, "h")
	}
	return fmt.Sprintf("%dd", s/86400)
}

func two(a int64, unitA string, b int64, unitB string) string {
	if b == 0 {
		return fmt.Sprintf("%d%s", a, unitA)
	}
	return fmt.Sprintf("%d%s%d%s", a, unitA, b, unitB)
}

// Clock returns t to the second in its own zone, "-" for the zero time.
func Clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format("2006-01-02 15:04:05 MST")
}
