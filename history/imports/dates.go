package imports

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// DateFormat is how an export writes times: letters as ServiceNow has them (yyyy-MM-dd HH:mm:ss), or unix, unix_ms.
type DateFormat struct {
	Text   string
	layout string // Go's; empty: a count since 1970
	unit   time.Duration
	offset bool // it tells its own offset from UTC
	order  string
	shape  string
}

// plainDates are those that nobody can mistake, for maps that state none.
func plainDates() []DateFormat {
	var list []DateFormat
	for _, text := range []string{"yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ssZ", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd HH:mm"} {
		d, err := ParseDateFormat(text)
		if err == nil {
			list = append(list, d)
		}
	}
	return list
}

// letters are the parts of a format: what stands in the text, what Go's layout has for it, and which part of a date it is.
var letters = []struct {
	text, layout string
	part         byte // y, M, d, or 0
}{
	{"yyyy", "2006", 'y'}, {"yy", "06", 'y'}, {"MMMM", "January", 'm'}, {"MMM", "Jan", 'm'}, {"MM", "01", 'M'}, {"M", "1", 'M'},
	{"dd", "02", 'd'}, {"d", "2", 'd'}, {"EEEE", "Monday", 0}, {"EEE", "Mon", 0}, {"HH", "15", 0}, {"H", "15", 0}, {"hh", "03", 0}, {"h", "3", 0},
	{"mm", "04", 0}, {"m", "4", 0}, {"ss", "05", 0}, {"s", "5", 0}, {"SSSSSS", "000000", 0}, {"SSS", "000", 0}, {"a", "PM", 0},
	{"ZZ", "-0700", 'z'}, {"Z", "Z07:00", 'z'},
}

// ParseDateFormat reads a format.
func ParseDateFormat(text string) (DateFormat, error) {
	d := DateFormat{Text: text}
	switch text {
	case "unix":
		d.unit, d.offset = time.Second, true
		return d, nil
	case "unix_ms":
		d.unit, d.offset = time.Millisecond, true
		return d, nil
	}
	var layout, shape strings.Builder
	// Days and years are also written DD and YYYY; as they stand nowhere else in a time, both are the same.
	for rest := strings.NewReplacer("YYYY", "yyyy", "YY", "yy", "DD", "dd", "D", "d", "A", "a").Replace(text); rest != ""; {
		if literal, after, ok := quoted(rest); ok {
			layout.WriteString(literal)
			shape.WriteString(literal)
			rest = after
			continue
		}
		n := 0
		for _, l := range letters {
			if !strings.HasPrefix(rest, l.text) {
				continue
			}
			n = len(l.text)
			layout.WriteString(l.layout)
			switch l.part {
			case 'd', 'M':
				shape.WriteByte('#')
				d.order += string(l.part)
			case 'z':
				d.offset = true
				shape.WriteString(l.text)
			case 'y', 'm':
				d.order += string(l.part)
				shape.WriteString(l.text)
			default:
				shape.WriteString(l.text[:1])
			}
			break
		}
		if n == 0 {
			if c := rest[0]; c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
				return d, fmt.Errorf("must consist of yyyy, yy, MM, M, MMM, dd, d, HH, H, hh, h, mm, ss, SSS, a, Z (+02:00) and ZZ (+0200), or be unix or unix_ms; %q is none", string(c))
			}
			layout.WriteByte(rest[0])
			shape.WriteByte(rest[0])
			n = 1
		}
		rest = rest[n:]
	}
	if d.layout, d.shape = layout.String(), shape.String(); strings.Count(strings.ToLower(d.order), "m") != 1 || strings.Count(d.order, "d") != 1 || strings.Count(d.order, "y") != 1 {
		return d, errors.New("must hold one year, one month and one day, as in dd/MM/yyyy HH:mm")
	}
	return d, nil
}

// quoted takes text in single quotes off the front.
func quoted(s string) (literal, rest string, ok bool) {
	if s[0] != '\'' {
		return "", s, false
	}
	literal, rest, ok = strings.Cut(s[1:], "'")
	return literal, rest, ok
}

// mistakable tells whether a text may fit both and mean two days.
func (d DateFormat) mistakable(other DateFormat) bool {
	return d.layout != "" && other.layout != "" && d.order != other.order && strings.ReplaceAll(d.shape, "yyyy", "yy") == strings.ReplaceAll(other.shape, "yyyy", "yy")
}

// read returns the instant that a text names, false when it does not fit.
func (d *DateFormat) read(text string, zone *time.Location) (time.Time, bool) {
	if d.layout != "" {
		at, err := time.ParseInLocation(d.layout, text, zone)
		return at, err == nil
	}
	n := int64(0)
	if len(text) == 0 || len(text) > 15 {
		return time.Time{}, false
	}
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return time.Time{}, false
		}
		n = 10*n + int64(c-'0')
	}
	return time.UnixMilli(n * int64(d.unit/time.Millisecond)), true
}

// time reads a cell by the formats of the map, the first that fits.
func (m *Map) time(text string) (time.Time, bool) {
	zone := m.Zone
	if zone == nil {
		zone = time.UTC // every format tells its offset
	}
	for i := range m.Dates {
		if at, ok := m.Dates[i].read(text, zone); ok {
			return at, true
		}
	}
	return time.Time{}, false
}
