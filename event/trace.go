package event

// Trace is what a rule that looks at several alerts remembers of one: which rule, under which key, when it began.
type Trace struct {
	Kind   TraceKind
	Tenant string
	Rule   string // name of the rule among those of its kind
	Second bool   // the alert is on the rule's second side
	Key    string // the values of the labels in which alerts must agree, each with a byte behind it that no text holds
	Alert  AlertID
	At     Time // event time by which it counts
	Due    Time // when what is expected must have come, 0: nothing is expected
}

// TraceKind is the kind of rule that remembers.
type TraceKind uint8

// Kinds of rules that look at several alerts. Values are part of the wire format.
const (
	TraceThreshold TraceKind = iota + 1
	TraceSequence
	TraceAbsence
	TraceJoin  // a link that joins
	TraceApart // a link that keeps apart
)

// String returns the kind's name.
func (k TraceKind) String() string {
	return [...]string{"unknown", "threshold", "sequence", "absence", "join", "keep_apart"}[min(k, TraceApart)]
}

// Quiet is a set of what keeps an alert from ringing. They count in the order of their values: the first is that under which the alert is
// booked, all of them are kept.
type Quiet uint8

// What keeps alerts quiet. Values are part of the wire format.
const (
	QuietFilter      Quiet = 1 << iota // a rule of the section suppress
	QuietMaintenance                   // a maintenance or change window
	QuietSilence
	QuietInhibition
	QuietFlap       // it goes up and down
	QuietDependency // what its item rests on is down
)

// QuietReasons is the number of them.
const QuietReasons = 6

// First returns the one that counts, 0 when nothing keeps the alert quiet.
func (q Quiet) First() Quiet { return q & -q }

// Names lists all of them in their order.
func (q Quiet) Names() (names []string) {
	for i, name := range [QuietReasons]string{"filter", "maintenance", "silence", "inhibition", "flap", "dependency"} {
		if q&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// Bounds is what rules make of an incident's severity and priority. Zero leaves all to its alerts.
type Bounds struct {
	Severity Severity // the rule's own; Clear: that of the alerts
	Seen     Severity // of the worst alert when the rule set it: one that is worse still counts
	Most     uint8    // the most urgent priority, 0: any
	Least    uint8    // the least urgent one, 0: any
}

// Pack returns the bounds as one number, 0 for none.
func (b Bounds) Pack() uint32 {
	return uint32(b.Severity) | uint32(b.Seen)<<8 | uint32(b.Most)<<16 | uint32(b.Least)<<24
}

// UnpackBounds is the inverse of Pack.
func UnpackBounds(v uint32) Bounds {
	return Bounds{Severity(v), Severity(v >> 8), uint8(v >> 16), uint8(v >> 24)}
}
