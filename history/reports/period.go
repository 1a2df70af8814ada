package reports

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// ParsePeriod reads a period as people write it, at the time now, whose zone is meant: instants (RFC 3339), local dates and times
// (2026-11-01, 2026-11-01 08:00), distances before now (-30d, -12h, -8w, -45m), now, and stretches: today, yesterday, this or last week, month or
// year. A date as the end is the end of that day. Without an end a stretch ends where it ends, and everything else now; without a begin a stretch
// as the end is all of it, and everything else begins 30 days before.
func ParsePeriod(from, to string, now time.Time) (start, end time.Time, err error) {
	from, to = flow(strings.ToLower(from)), flow(strings.ToLower(to))
	end = now
	if from == "" && to == "" {
		return now.AddDate(0, 0, -30), now, nil
	}
	if from != "" {
		var until time.Time
		if start, until, err = moment("from", from, now); err != nil {
			return start, end, err
		}
		if to == "" && until != start && isStretch(from) {
			return start, until, nil
		}
	}
	if to != "" {
		begin, until, err := moment("to", to, now)
		if err != nil {
			return start, end, err
		}
		end = until
		if from == "" {
			start = end.AddDate(0, 0, -30)
			if isStretch(to) {
				start = begin
			}
		}
	}
	return start, end, nil
}

// isStretch tells a stretch from a date, which is one as well, but as the begin of a period means no more than its begin.
func isStretch(text string) bool { return text[0] < '0' || text[0] > '9' }

// moment reads one end: where it begins and ends, the same for an instant.
func moment(field, text string, now time.Time) (start, end time.Time, err error) {
	loc := now.Location()
	if start, end, ok := stretch(text, now); ok {
		return start, end, nil
	}
	if m := regexp.MustCompile(`^-(\d{1,5})([smhdwy])$`).FindStringSubmatch(text); m != nil {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return start, end, err
		}
		at := back(now, n, m[2])
		return at, at, nil
	}
	if text == "now" {
		return now, now, nil
	}
	if at, err := time.Parse(time.RFC3339Nano, strings.ToUpper(text)); err == nil {
		return at, at, nil
	}
	if at, err := time.ParseInLocation(time.DateOnly, text, loc); err == nil {
		return at, at.AddDate(0, 0, 1), nil
	}
	for _, form := range []string{"2006-01-02 15:04", "2006-01-02t15:04", "2006-01-02 15:04:05", "2006-01-02t15:04:05"} {
		if at, err := time.ParseInLocation(form, text, loc); err == nil {
			return at, at, nil
		}
	}
	if at, err := time.ParseInLocation("2006-01", text, loc); err == nil {
		return at, at.AddDate(0, 1, 0), nil
	}
	return start, end, &Problem{
		field, "must be a time", fmt.Sprintf("as in 2026-11-01, 2026-11-01T08:00:00Z, -30d, last month or this week; got %q", text),
	}
}

func back(now time.Time, n int, unit string) time.Time {
	switch unit {
	case "s":
		return now.Add(-time.Duration(n) * time.Second)
	case "m":
		return now.Add(-time.Duration(n) * time.Minute)
	case "h":
		return now.Add(-time.Duration(n) * time.Hour)
	case "w":
		return now.AddDate(0, 0, -7*n)
	case "y":
		return now.AddDate(-n, 0, 0)
	}
	return now.AddDate(0, 0, -n)
}

// stretch reads today, yesterday, this week, last month and their like; weeks begin on Mondays.
func stretch(text string, now time.Time) (start, end time.Time, ok bool) {
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	switch text {
	case "today":
		return today, today.AddDate(0, 0, 1), true
	case "yesterday":
		return today.AddDate(0, 0, -1), today, true
	}
	which, unit, found := strings.Cut(text, " ")
	shift := map[string]int{"this": 0, "last": -1}
	n, known := shift[which]
	if !found || !known {
		return start, end, false
	}
	switch unit {
	case "day":
		return today.AddDate(0, 0, n), today.AddDate(0, 0, n+1), true
	case "week":
		monday := today.AddDate(0, 0, -(int(today.Weekday())+6)%7)
		return monday.AddDate(0, 0, 7*n), monday.AddDate(0, 0, 7*n+7), true
	case "month":
		first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, now.Location())
		return first.AddDate(0, n, 0), first.AddDate(0, n+1, 0), true
	case "year":
		first := time.Date(now.Year(), 1, 1, 0, 0, 0, 0, now.Location())
		return first.AddDate(n, 0, 0), first.AddDate(n+1, 0, 0), true
	}
	return start, end, false
}
