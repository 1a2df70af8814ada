package event

// Matcher compares one label with a value or, anchored, a regular expression, as Alertmanager does.
type Matcher struct {
	Name    string
	Value   string
	IsRegex bool
	IsEqual bool
}

// Silence quiets the alerts that all its matchers match, from StartsAt until EndsAt (half-open).
type Silence struct {
	ID          string // a UUID that follows from the journal
	Tenant      string
	Matchers    []Matcher
	StartsAt    Time
	EndsAt      Time
	UpdatedAt   Time
	CreatedBy   string // what the client said
	Actor       string // who the client was
	Comment     string
	Annotations Labels
}

// SilenceState is where in its life a silence is.
type SilenceState uint8

// The states in the order Alertmanager lists them.
const (
	SilenceActive SilenceState = iota + 1
	SilencePending
	SilenceExpired
)

// State returns the silence's state at now.
func (s *Silence) State(now Time) SilenceState {
	switch {
	case now >= s.EndsAt:
		return SilenceExpired
	case now < s.StartsAt:
		return SilencePending
	}
	return SilenceActive
}

// String returns Alertmanager's word.
func (s SilenceState) String() string {
	switch s {
	case SilenceActive:
		return "active"
	case SilencePending:
		return "pending"
	case SilenceExpired:
		return "expired"
	}
	return "unknown"
}
