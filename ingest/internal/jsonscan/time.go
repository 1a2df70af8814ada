package jsonscan

import "time"

// yearTwo is the beginning of year 2 in Unix seconds, the first instant that ParseTime takes at its word.
const yearTwo = -62104060800

// ParseTime reads a point in time as Alertmanager's API does: RFC 3339 with any fraction of a second, and the shorter forms
// of ISO 8601 it knows, in UTC when they name no zone. The zero time comes out for "" and for year 1, by which senders mean
// "not set".
func ParseTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, ok := parseRFC3339(text); ok {
		return orUnset(t), nil
	}
	return parseExactly(text)
}

func orUnset(t time.Time) time.Time {
	if t.Unix() < yearTwo {
		return time.Time{}
	}
	return t
}

// parseExactly is the slow path and decides about whatever the fast one does not know.
func parseExactly(text string) (t time.Time, err error) {
	for _, layout := range [...]string{
		"2006-01-02T15:04:05.000000Z07:00",
		"2006-01-02T15:04:05.000000Z0700",
		"2006-01-02T15:04:05.000Z07:00",
		"2006-01-02T15:04:05.000Z0700",
		time.RFC3339,
		"2006-01-02T15:04:05",
		"2006-01-02T15:04Z",
		"2006-01-02T15:04",
		"2006-01-02 15:04:05",
		"2006-01-02",
	} {
		if t, err = time.Parse(layout, text); err == nil {
			return orUnset(t), nil
		}
	}
	return time.Time{}, err
}

// parseRFC3339 knows YYYY-MM-DDThh:mm:ss, a fraction of up to nine digits, and Z or ±hh:mm. It says ok only for times that
// time.Parse accepts with the same result.
func parseRFC3339(s string) (t time.Time, ok bool) {
	if len(s) < 20 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return t, false
	}
	century, year2 := pair(s, 0), pair(s, 2)
	month, day := pair(s, 5), pair(s, 8)
	hour, minute, second := pair(s, 11), pair(s, 14), pair(s, 17)
	if century > 99 || year2 > 99 || month-1 > 11 || hour > 23 || minute > 59 || second > 59 {
		return t, false
	}
	year := century*100 + year2
	if day == 0 || day > daysIn(month, year) {
		return t, false
	}
	nanos, rest, ok := fraction(s[19:])
	if !ok {
		return t, false
	}
	offset, ok := zone(rest)
	if !ok {
		return t, false
	}
	clock := int64(hour*3600 + minute*60 + second)
	return time.Unix(daysSinceEpoch(year, month, day)*86400+clock-offset, nanos), true
}

// pair reads two digits; anything else gives more than 99.
func pair(s string, i int) uint32 {
	tens, units := uint32(s[i]-'0'), uint32(s[i+1]-'0')
	if tens > 9 || units > 9 {
		return 1 << 16
	}
	return tens*10 + units
}

func fraction(s string) (nanos int64, rest string, ok bool) {
	if s[0] != '.' {
		return 0, s, true
	}
	i, scale := 1, int64(1e9)
	for ; i < len(s) && s[i]-'0' <= 9; i++ {
		nanos = nanos*10 + int64(s[i]-'0')
		scale /= 10
		if scale == 0 {
			return 0, "", false
		}
	}
	return nanos * scale, s[i:], i > 1
}

// zone reads Z or ±hh:mm in seconds east of UTC.
func zone(s string) (offset int64, ok bool) {
	if s == "Z" {
		return 0, true
	}
	if len(s) != 6 || s[3] != ':' {
		return 0, false
	}
	hours, minutes := pair(s, 1), pair(s, 4)
	if hours > 23 || minutes > 59 {
		return 0, false
	}
	offset = int64(hours*3600 + minutes*60)
	switch s[0] {
	case '+':
		return offset, true
	case '-':
		return -offset, true
	}
	return 0, false
}

func daysIn(month, year uint32) uint32 {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysSinceEpoch counts from 1970-01-01 in the proleptic Gregorian calendar. Years begin in March here, so that the day
// that comes and goes is a year's last (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
func daysSinceEpoch(year, month, day uint32) int64 {
	y, m := int64(year), int64(month)
	if m <= 2 {
		y--
		m += 12
	}
	const marchToEpoch = 719468 // days from 0000-03-01 to 1970-01-01
	leaps := floorDiv(y, 4) - floorDiv(y, 100) + floorDiv(y, 400)
	return 365*y + leaps + (153*(m-3)+2)/5 + int64(day) - 1 - marchToEpoch
}

// floorDiv divides by b > 0 and rounds down: the months before March of year 0 belong to year −1.
func floorDiv(a, b int64) int64 {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}
