package event

import "strings"

// Severity is the normalised severity of an alert: 1 is the worst. The source's own word stays in its labels.
type Severity uint8

// The normal form, as ServiceNow's em_event numbers it.
const (
	Clear    Severity = 0
	Critical Severity = 1
	Major    Severity = 2
	Minor    Severity = 3
	Warning  Severity = 4
	Info     Severity = 5
)

// ParseSeverity normalises the value of a severity label. An unknown or missing word is Minor with known false, so that the
// alert can be marked: a typo must not silence it.
func ParseSeverity(word string) (s Severity, known bool) {
	switch strings.ToLower(word) {
	case "critical", "page", "fatal", "emergency":
		return Critical, true
	case "error", "high", "major":
		return Major, true
	case "minor", "average":
		return Minor, true
	case "warning", "warn":
		return Warning, true
	case "info", "none", "notice":
		return Info, true
	}
	return Minor, false
}

// String returns the severity's name.
func (s Severity) String() string {
	switch s {
	case Clear:
		return "clear"
	case Critical:
		return "critical"
	case Major:
		return "major"
	case Minor:
		return "minor"
	case Warning:
		return "warning"
	case Info:
		return "info"
	}
	return "unknown"
}
