package terminal

// Style is a way to set text off. Its zero value is plain.
type Style uint8

// The styles, by what they look like.
const (
	Plain Style = iota
	Bold
	Dim
	Red
	BoldRed
	Yellow
	Green
	Cyan
)

// Paint returns s in this style; colour false returns it as it is.
func (st Style) Paint(s string, colour bool) string {
	codes := [...]string{"", "1", "2", "31", "1;31", "33", "32", "36"}
	if !colour || st == Plain || s == "" {
		return s
	}
	return "\x1b[" + codes[st] + "m" + s + "\x1b[0m"
}

// SeverityStyle returns how a severity's name is shown.
func SeverityStyle(severity string) Style {
	switch severity {
	case "critical":
		return BoldRed
	case "major":
		return Red
	case "minor", "warning":
		return Yellow
	case "info":
		return Cyan
	}
	return Plain
}

// StatusStyle returns how the status of an incident or alert is shown.
func StatusStyle(status string) Style {
	switch status {
	case "open", "firing":
		return Bold
	case "signal_lost", "expired":
		return Yellow
	case "resolved", "cleared":
		return Green
	}
	return Plain
}
