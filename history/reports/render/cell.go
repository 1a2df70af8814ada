package render

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/history/reports"
)

// none is shown where there is no value.
const none = "–"

// Cell returns a value as people read it, in the column's unit; times in loc. It may be hostile text.
func Cell(value any, c reports.Column, loc *time.Location) string {
	if c.Unit == reports.Bucket {
		return bucket(value)
	}
	if value == nil {
		return none
	}
	if t, ok := value.(time.Time); ok {
		return t.In(loc).Format("2006-01-02 15:04:05")
	}
	if b, ok := value.(bool); ok {
		return map[bool]string{true: "yes", false: "no"}[b]
	}
	f, ok := number(value)
	if !ok {
		return fmt.Sprint(value)
	}
	return figure(f, c.Unit)
}

// bucket shows the local date at which a bucket begins.
func bucket(value any) string {
	if t, ok := value.(time.Time); ok {
		return t.Format(time.DateOnly)
	}
	return "all"
}

// figure returns a number in a unit.
func figure(f float64, unit reports.Unit) string {
	switch unit {
	case reports.Ratio:
		return percent(f)
	case reports.Seconds:
		return span(f)
	case reports.Flag:
		return map[bool]string{true: "yes", false: "no"}[f != 0]
	case reports.Count:
		return grouped(strconv.FormatFloat(f, 'f', -1, 64))
	default:
		return digits(f, 4)
	}
}

// percent keeps one decimal, or three digits of what is smaller than that.
func percent(share float64) string {
	p := share * 100
	if p != 0 && math.Abs(p) < 0.1 {
		return digits(p, 2) + " %"
	}
	return grouped(strconv.FormatFloat(p, 'f', 1, 64)) + " %"
}

// digits returns a number with about so many digits that count.
func digits(f float64, n int) string {
	if math.Abs(f) >= 1000 {
		return grouped(strconv.FormatFloat(f, 'f', 0, 64))
	}
	return strconv.FormatFloat(f, 'g', n, 64)
}

// grouped puts commas between thousands.
func grouped(text string) string {
	whole, rest, _ := strings.Cut(text, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		whole += "." + rest
	}
	return sign + whole
}

// span returns a duration in its two greatest units.
func span(seconds float64) string {
	sign := ""
	if seconds < 0 {
		sign, seconds = "-", -seconds
	}
	if seconds < 10 && seconds != math.Trunc(seconds) {
		return sign + strconv.FormatFloat(seconds, 'f', 1, 64) + "s"
	}
	s := int64(math.Round(seconds))
	two := func(a int64, unitA string, b int64, unitB string) string {
		if b == 0 {
			return fmt.Sprintf("%s%d%s", sign, a, unitA)
		}
		return fmt.Sprintf("%s%d%s %d%s", sign, a, unitA, b, unitB)
	}
	switch {
	case s < 60:
		return fmt.Sprintf("%s%ds", sign, s)
	case s < 3600:
		return two(s/60, "m", s%60, "s")
	case s < 86400:
		return two(s/3600, "h", s%3600/60, "m")
	}
	return two(s/86400, "d", s%86400/3600, "h")
}

// number returns a value that is one.
func number(value any) (float64, bool) {
	switch v := value.(type) {
	case float64:
		return v, true
	case float32:
		return float64(v), true
	case int:
		return float64(v), true
	case int8:
		return float64(v), true
	case int16:
		return float64(v), true
	case int32:
		return float64(v), true
	case int64:
		return float64(v), true
	case uint8:
		return float64(v), true
	case uint16:
		return float64(v), true
	case uint32:
		return float64(v), true
	case uint64:
		return float64(v), true
	}
	return 0, false
}

// location is the zone that a result's times are shown in.
func location(r *reports.Result) *time.Location {
	loc, err := time.LoadLocation(r.Params.Zone)
	if err != nil {
		return time.UTC
	}
	return loc
}

// Interval returns the names of the columns that hold the ends of a figure's 95 % interval, whether or not there are such.
func Interval(name string) (lo, hi string) {
	if name == "share" {
		return "lo", "hi"
	}
	return name + "_lo", name + "_hi"
}

// isEnd tells whether a column is an end of the interval of another one of the result.
func isEnd(columns []reports.Column, name string) bool {
	for _, c := range columns {
		if lo, hi := Interval(c.Name); name == lo || name == hi {
			return true
		}
	}
	return false
}

// index returns the place of a column, -1 when there is none.
func index(columns []reports.Column, name string) int {
	for i, c := range columns {
		if c.Name == name {
			return i
		}
	}
	return -1
}

// Span says which period a result is about, in its zone.
func Span(r *reports.Result) string {
	loc := location(r)
	show := func(t time.Time) string {
		if t = t.In(loc); t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 {
			return t.Format(time.DateOnly)
		}
		return t.Format("2006-01-02 15:04")
	}
	return show(r.Params.From) + " to " + show(r.Params.To) + ", " + r.Params.Zone
}

// Filters says what a result was narrowed to; empty when to nothing.
func Filters(p reports.Params) string {
	var parts []string
	for _, f := range [][2]string{{"tenant", p.Tenant}, {"service", p.Service}, {"team", p.Team}, {"person", p.Person}} {
		if f[1] != "" {
			parts = append(parts, f[0]+" "+f[1])
		}
	}
	if p.Priority != 0 {
		parts = append(parts, fmt.Sprintf("priority %d", p.Priority))
	}
	return strings.Join(parts, ", ")
}
