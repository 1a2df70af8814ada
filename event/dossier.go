package event

// Dossier is what people keep on an incident besides its state. Most incidents have none.
type Dossier struct {
	Watchers  []string // persons who are told; sorted
	Tasks     []Task
	Related   []IncidentID // sorted
	Children  []IncidentID // sorted; each has this incident as its Parent
	Ticket    *Ticket
	Major     *MajorIncident
	Review    *Review
	Reports   []Report // the latest of them, oldest first
	Reported  uint32   // how many there were
	Proposals []Proposal
	Absorbed  []Absorbed
	Rating    uint8 // 1–5, 0: none
	RatedWith string
}

// Task is a piece of work on an incident.
type Task struct {
	Number   uint32 // within the incident, from 1
	Title    string
	Assignee string
	Team     string
	DueAt    Time // 0: none
	Done     bool
	DoneBy   string
	DoneAt   Time
	Review   bool // an action of the review
}

// Ticket is the incident's counterpart at a supplier.
type Ticket struct {
	Supplier   string
	Reference  string
	PromisedAt Time // when they said it would be done, 0: nothing said
	LastWord   string
	LastWordAt Time
	ChaseAt    Time // when to ask them again, 0: never
}

// MajorIncident is what a major incident has besides.
type MajorIncident struct {
	Since      Time
	By         string
	Commander  string
	Comms      string
	Scribe     string
	Bridge     string // URL or number
	NextUpdate Time   // when the next word is due, 0: none
	Updates    uint32 // told so far
	EndedAt    Time
}

// Review is the look back at a major incident.
type Review struct {
	DueAt   Time
	Summary string
	DoneBy  string
	DoneAt  Time
}

// Report is one person's word that they are hit.
type Report struct {
	At      Time
	By      string // who took it down
	Caller  string // whom it hits
	Text    string
	Service string // ID of its CI, "" unknown
}

// Proposal asks people whether another incident belongs into this one.
type Proposal struct {
	Number  uint32
	Other   IncidentID
	Why     string
	By      string // "" the machine
	At      Time
	Answer  ProposalAnswer
	Decided string // who answered
}

// ProposalAnswer is what people made of a proposal.
type ProposalAnswer uint8

// Answers to a proposal. A refusal binds the machine.
const (
	ProposalOpen ProposalAnswer = iota
	ProposalAccepted
	ProposalRejected
)

// String returns the answer's name in the API.
func (a ProposalAnswer) String() string {
	return [...]string{"open", "accepted", "rejected"}[min(a, ProposalRejected)]
}

// Absorbed is an incident that was merged into this one, with what it takes to undo that.
type Absorbed struct {
	Other  IncidentID
	At     Time
	By     string
	Alerts []AlertID // that came with it
	Undone bool
}

// HoldReason is what an incident on hold waits for.
type HoldReason uint8

// Reasons for a hold.
const (
	HoldOther HoldReason = iota + 1
	HoldCaller
	HoldVendor
	HoldChange
	HoldProblem
)

var holdReasons = [...]string{HoldOther: "other", HoldCaller: "caller", HoldVendor: "vendor", HoldChange: "change", HoldProblem: "problem"}

// String returns the reason's name in the API.
func (r HoldReason) String() string { return nameOf(holdReasons[:], int(r)) }

// ParseHoldReason is the inverse of String, 0 for what is none.
func ParseHoldReason(name string) HoldReason { return HoldReason(numberOf(holdReasons[:], name)) }

// Affected is a service that an incident hurts.
type Affected struct {
	Service string // ID of its CI
	Impact  uint8  // 1–3, from its criticality
	Down    bool   // it is; false: it rests on what is ill, and still runs
	Spare   bool   // it would run on without what is ill: redundancy holds
}

// Pin is a field of an incident that a person has set, and that the machine leaves alone until it is handed back.
type Pin uint8

// Fields that can be pinned.
const (
	PinTitle Pin = 1 << iota
	PinImpact
	PinUrgency
	PinCI
)

// IncidentEdit is what a person wants an incident's fields to be.
type IncidentEdit struct {
	Fields   Pin // which of the following are meant
	Release  Pin // handed back to the machine
	Title    string
	Impact   uint8 // 1–3
	Urgency  uint8 // 1–3
	CI       string
	Severity Severity // of an incident that a person opens
}
