package event

// Window is a maintenance window: what begins in one of its occurrences rings nobody, for as long as the occurrence runs.
//
// Without Intervals it occurs once, from StartsAt to EndsAt (half-open). With them it recurs whenever a time interval holds in
// its zone, between StartsAt and EndsAt; an EndsAt of 0 is "until somebody ends it".
type Window struct {
	ID        string // a UUID that follows from the journal
	Tenant    string
	Name      string
	Matchers  []Matcher // all must match
	CIs       []string  // the alert's configuration item must be one of them; none: any
	StartsAt  Time
	EndsAt    Time
	Intervals string // JSON of Alertmanager's time intervals
	Zone      string // IANA name; "" is UTC
	ZoneData  []byte // the zone's rules as they were known when the window was set, in TZif
	Reason    string
	CreatedBy string // what the client said
	Actor     string // who the client was
	UpdatedAt Time

	OpenAt  Time // begin of the occurrence that runs, 0 when none does
	CloseAt Time // its end
}

// Runs tells whether an occurrence runs.
func (w *Window) Runs() bool { return w.OpenAt != 0 }

// Storm is a time in which so many incidents opened that they were told of together.
type Storm struct {
	Number   uint32 // counted from 1
	Tenant   string
	BeganAt  Time
	EndedAt  Time   // 0 while it lasts
	Openings uint32 // incidents that opened in it, the ones that set it off among them
	Held     uint32 // of these, those that nobody was told of singly
	Worst    uint8  // the highest priority among them, 1–5
}

// Heartbeat is a sign of life that is expected: of a source, or of the alerts that a matcher of the rules picks.
type Heartbeat struct {
	Number   uint32 // counted from 1
	Tenant   string
	Rule     string // name of the rule that expects it
	Name     string // for people, as in "Watchdog of prometheus eu-1"
	Source   string // of a rule that watches a source: its name
	Labels   Labels // of a rule that watches alerts: what tells this one from others of the rule
	Alert    AlertID
	Since    Time // expected from here on
	LastWord Time // as of the change
	LostAt   Time // 0 while it is heard
}

// Handover is one entry of the book that shifts hand to each other.
type Handover struct {
	Tenant string
	Team   string
	At     Time
	Actor  string
	Text   string
}
