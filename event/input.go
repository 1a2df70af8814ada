package event

// InputKind tells which field of an Input is set.
type InputKind uint8

// Everything that can move the core. Only these are journaled.
const (
	InputEvents  InputKind = iota + 1 // Batch: alerts from a source
	InputCommand                      // Command: what a person or a client asked for
	InputTick                         // deadlines up to At are due
	InputResumed                      // Gap: the daemon was away, or refused or lagged behind Source, for that long
	InputCore                         // Version: this version of the core steps what follows
	InputRules                        // Rules: the rule set in force from here on
	InputOverCap                      // Source, Refused: a source was held at its cap
)

// Input is one journal record: the only thing the core reacts to.
type Input struct {
	Kind  InputKind
	Shard uint32
	Seq   uint64 // position in the shard's order; increases, need not be dense
	At    Time   // monotone: never before the previous input's

	// Writer identifies the appending process and its record, so that a record appended twice is stepped once.
	Writer Writer

	Batch   *Batch
	Command *Command
	Gap     Time
	Version string
	Rules   []byte // the rule set's source text (rules.Bundle)
	Source  Source // of InputOverCap; of InputResumed, where an empty name means every source
	Refused uint64
	Limit   uint64
}

// Writer names a journal record by who wrote it.
type Writer struct {
	ID    uint64 // of the data directory or replica
	Epoch uint64 // increases at every start
	N     uint64 // increases with every record of the epoch
}

// CommandKind says what a Command asks for.
type CommandKind uint8

// What a person can ask for.
const (
	Acknowledge    CommandKind = iota + 1 // Incident
	Resolve                               // Incident; Text is the reason, needed while alerts fire
	Assign                                // Incident, Assignee and/or Team ("" takes it back)
	Note                                  // Incident, Text
	SetSilence                            // Silence; its ID names the one to replace, or is empty
	ExpireSilence                         // SilenceID
	Snooze                                // Incident, Until: acknowledges it until then
	Hold                                  // Incident, Until, Text: what for; Until 0 ends the hold
	SetWindow                             // Window; its ID names the one to replace, or is empty
	EndWindow                             // WindowID: no more of it, and what runs ends now
	NoteHandover                          // Team, Text
	SignHandover                          // Team
	EditCIs                               // CIs
	SetOutage                             // Outage; Number 0 makes one
	OpenIncident                          // Edit, Text
	EditIncident                          // Incident, Edit
	Begin                                 // Incident: somebody works on it
	Cancel                                // Incident, Text: why
	CloseIncident                         // Incident, Text
	ReopenIncident                        // Incident, Text
	Watch                                 // Incident, Assignee: the person
	Unwatch                               // Incident, Assignee
	SetTask                               // Incident, Task; Number 0 adds one
	SetParent                             // Incident, Other; 0 takes it back
	Relate                                // Incident, Other
	Unrelate                              // Incident, Other
	Merge                                 // Incident, the one that stays; Other goes into it; Text: why
	Split                                 // Incident, Alerts, Text: the new one's title
	Unmerge                               // Incident, the one that had gone into another
	AnswerProposal                        // Incident, Number, Accept
	SetMajor                              // Incident, Major; EndedAt set ends it
	TellUpdate                            // Incident, Text, Until: when the next is due
	SetReview                             // Incident, Review
	TakeReport                            // Incident, Report
	SetTicket                             // Incident, Ticket; nil takes it back
	Rate                                  // Incident, Number: 1–5, Text
	Redact                                // Redaction; Incident, when it is of one
	JudgeCause                            // Incident, Number: the Verdict, Text: the ID of the item, where the verdict does not say which
	AnswerPair                            // Text: the pair, Accept
)

// Command is what somebody asked for. Actor is an opaque id; names and addresses are kept elsewhere.
type Command struct {
	Kind      CommandKind
	Actor     string
	Tenant    string
	Incident  uint64
	Text      string
	Assignee  string
	Team      string
	SilenceID string
	Silence   *Silence
	Until     Time
	WindowID  string
	Window    *Window
	CIs       *CIEdit
	Outage    *Outage
	Edit      *IncidentEdit
	HeldAs    HoldReason // of Hold
	Other     uint64     // incident
	Alerts    []AlertID
	Task      *Task
	Ticket    *Ticket
	Major     *MajorIncident
	Review    *Review
	Report    *Report
	Number    uint32
	Accept    bool
	Redaction *Redaction
}

// Result is the core's answer to a Command.
type Result struct {
	Err       *Refusal
	SilenceID string
	WindowID  string
	Incident  IncidentID // made, or that stays
	Number    uint32     // of the outage or the task
	Changed   uint32     // CIs
}

// RefusalCode classifies why a command was not carried out.
type RefusalCode uint8

// Reasons for refusing a command.
const (
	NotFound RefusalCode = iota + 1
	Conflict
	Invalid
)

// Refusal is a command's error: a code for machines, a message and a hint for people.
type Refusal struct {
	Code    RefusalCode
	Message string
	Hint    string
}

// Error returns the message and the hint.
func (r *Refusal) Error() string {
	if r.Hint == "" {
		return r.Message
	}
	return r.Message + " (" + r.Hint + ")"
}
