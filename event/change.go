package event

import "strconv"

// AlertID names an alert for as long as it is in memory: the slot it lies in, and in the upper half how often that slot was
// used before. It follows from the journal alone. Zero is no alert.
type AlertID uint64

// NewAlertID returns the id of the alert in slot, used for the generation-th time.
func NewAlertID(slot, generation uint32) AlertID {
	return AlertID(uint64(generation)<<32 | uint64(slot))
}

// Slot returns where the alert lies.
func (id AlertID) Slot() uint32 { return uint32(id) }

// String returns the id as it is shown: hexadecimal.
func (id AlertID) String() string { return strconv.FormatUint(uint64(id), 16) }

// IncidentID is an incident's number within its shard, counted from 1; "INC-" is put in front for people. Zero is none.
type IncidentID uint32

// String returns the id as people write it.
func (id IncidentID) String() string { return "INC-" + strconv.FormatUint(uint64(id), 10) }

// ChangeKind says what happened; the Change's other fields hold the state after it.
type ChangeKind uint8

// Everything the core decides is one of these. Values are part of the wire format: new ones go to the end.
const (
	AlertFiring          ChangeKind = iota + 1 // a new alert, or a new occurrence of one; Alert and Claim
	AlertSeen                                  // a repeat: only the claim's times moved; Claim
	AlertUpdated                               // other annotations, another severity, or one more source; Alert and Claim
	AlertCleared                               // the last live source said it is over; Alert and Claim
	AlertExpired                               // the last live source fell silent; Alert and Claim
	ClaimEnded                                 // one source's claim ended, others still hold the alert up; Alert and Claim
	AlertUnconfirmed                           // a send-once source has been silent for long; Claim
	AlertSuppressed                            // a silence or an inhibition began to quiet a claim of it; Alert and Claim
	AlertReleased                              // a silence or an inhibition let a claim of it go; Alert and Claim
	AlertSeverity                              // the severity fell after its hold; Alert
	AlertJoined                                // entered an incident after waiting; Alert
	AlertDropped                               // left memory; Alert
	IncidentOpened                             // Incident, Ledger
	IncidentUpdated                            // severity or priority moved; Incident
	IncidentAcknowledged                       // Incident
	IncidentAssigned                           // Incident
	IncidentNoted                              // Incident, Text
	IncidentCleared                            // every alert has cleared, the hold runs; Incident
	IncidentRecovered                          // somebody owns it and it has cleared; Incident
	IncidentRelapsed                           // fires again within the hold; Incident
	IncidentSignalLost                         // its last alerts expired; Incident
	IncidentResolved                           // Incident, Text: the reason
	IncidentReopened                           // Incident, Ledger
	SilenceSet                                 // Silence
	SilenceStarted                             // Silence became active
	SilenceEnded                               // Silence expired or was ended
	SilenceDropped                             // Silence left memory
	SourceAdded                                // Source
	SourceOverCap                              // Source, Count: alerts refused
	PositionMoved                              // Position
	RulesLoaded                                // Text: the rule set
	CoreStarted                                // Text: the core's version
	GraceStarted                               // Source, Until: expiries due before wait until then
	AlertDamped                                // entered flap damping; Alert
	AlertSteadied                              // left it; Alert
	IncidentFlapping                           // an alert of it entered damping; Incident, Text: how often it changed
	IncidentWorse                              // somebody acknowledged it, and now there is more to it; Incident, Text: what
	IncidentSnoozed                            // acknowledged until SnoozedUntil; Incident
	IncidentWoke                               // the snooze is over; Incident
	IncidentHeld                               // put on hold until HeldUntil; Incident, Text: what for
	IncidentUnheld                             // the hold is over; Incident, Text: "due" when its time came
	StormBegan                                 // Storm
	StormEnded                                 // Storm
	SilenceEnding                              // 15 min to go; Silence, Count: alerts that still fire under it
	WindowSet                                  // Window: made or changed
	WindowStarted                              // an occurrence of it began; Window
	WindowEnding                               // 15 min to go; Window, Count: alerts that still fire under it
	WindowEnded                                // the occurrence is over; Window, Count: alerts that still fire
	WindowDropped                              // Window left memory
	HeartbeatSet                               // a sender is expected from here on; Heartbeat
	HeartbeatLost                              // it fell silent; Heartbeat, Ledger: what nobody watches now
	HeartbeatBack                              // it is heard again; Heartbeat
	HeartbeatDropped                           // it is no longer expected; Heartbeat
	HandoverNoted                              // Handover: a note for the next shift
	HandoverSigned                             // Handover: the next shift has taken over
	CISet                                      // CI as it is now; made or changed
	CIDropped                                  // CI left memory
	OutageSet                                  // Outage: proposed, reported, confirmed, rejected or changed
	OutageEnded                                // Outage
	AlertMoved                                 // a person moved it to another incident; Alert
	IncidentEdited                             // title, impact, urgency or CI by a person's hand; Incident
	IncidentBegun                              // somebody works on it; Incident
	IncidentCancelled                          // it was none; Incident, Text
	IncidentClosed                             // Incident, Text: how
	IncidentMerged                             // it went into another; Incident
	IncidentAbsorbed                           // another came into it; Incident, Text: which
	IncidentSplit                              // alerts were taken out of it; Incident, Text: into which
	IncidentUnmerged                           // a merge was undone, on either side; Incident, Text
	IncidentProposed                           // a merge is proposed; Incident, Text
	IncidentAnswered                           // a proposal was answered; Incident, Text
	IncidentWatched                            // watchers changed; Incident
	IncidentTasked                             // a task was added or changed; Incident, Text
	IncidentLinked                             // parent, children or relations changed; Incident, Text
	IncidentMajor                              // promoted, changed or ended as a major incident; Incident, Text
	IncidentTold                               // an update for those who are hit; Incident, Text
	IncidentUpdateDue                          // the time for the next update has come; Incident
	IncidentReviewed                           // its review was made or finished; Incident, Text
	IncidentReported                           // one more person is hit; Incident, Text
	IncidentTicket                             // the supplier's ticket changed; Incident, Text
	IncidentChase                              // time to ask the supplier; Incident
	IncidentRated                              // Incident, Text
	IncidentHit                                // services that it hurts changed; Incident
	CIRedacted                                 // an attribute was taken away in every version; CI: its ID alone, Text: the attribute, Count: the key
	IncidentCauses                             // what may be its root cause was weighed anew, or a person judged it; Causes
	ComponentAdded                             // Source: its tenant, Text: what an item shares its faults with
	ItemPlaced                                 // a cluster went into another, or its silent cause was found; Place
	ClusterParted                              // a second fault began inside a cluster: from here on it is another; Place
	ClusterSettled                             // nothing joins it any more, and what it showed is learned; Place
	AlertReviewed                              // other rules read what it says otherwise; Alert and Claim
	TraceNoted                                 // an alert counts for a rule that looks at several; Trace
	TraceDropped                               // nothing that a rule remembered there counts any more; Trace
	AbsenceRaised                              // what a rule expected did not come; Trace
	PairAnswered                               // a learned pair was accepted (Count 1) or rejected; Text: which
	maxChangeKind
)

var changeNames = [...]string{
	AlertFiring: "alert_firing", AlertSeen: "alert_seen", AlertUpdated: "alert_updated", AlertCleared: "alert_cleared",
	AlertExpired: "alert_expired", ClaimEnded: "claim_ended", AlertUnconfirmed: "alert_unconfirmed",
	AlertSuppressed: "alert_suppressed", AlertReleased: "alert_released", AlertSeverity: "alert_severity",
	AlertJoined: "alert_joined", AlertDropped: "alert_dropped",
	IncidentOpened: "incident_opened", IncidentUpdated: "incident_updated", IncidentAcknowledged: "incident_acknowledged",
	IncidentAssigned: "incident_assigned", IncidentNoted: "incident_noted", IncidentCleared: "incident_cleared",
	IncidentRecovered: "incident_recovered", IncidentRelapsed: "incident_relapsed",
	IncidentSignalLost: "incident_signal_lost", IncidentResolved: "incident_resolved", IncidentReopened: "incident_reopened",
	SilenceSet: "silence_set", SilenceStarted: "silence_started", SilenceEnded: "silence_ended", SilenceDropped: "silence_dropped",
	SourceAdded: "source_added", SourceOverCap: "source_over_cap", PositionMoved: "position_moved",
	RulesLoaded: "rules_loaded", CoreStarted: "core_started", GraceStarted: "grace_started",
	AlertDamped: "alert_damped", AlertSteadied: "alert_steadied", IncidentFlapping: "incident_flapping",
	IncidentWorse: "incident_worse", IncidentSnoozed: "incident_snoozed", IncidentWoke: "incident_woke",
	IncidentHeld: "incident_held", IncidentUnheld: "incident_unheld", StormBegan: "storm_began", StormEnded: "storm_ended",
	SilenceEnding: "silence_ending", WindowSet: "window_set", WindowStarted: "window_started", WindowEnding: "window_ending",
	WindowEnded: "window_ended", WindowDropped: "window_dropped", HeartbeatSet: "heartbeat_set",
	HeartbeatLost: "heartbeat_lost", HeartbeatBack: "heartbeat_back", HeartbeatDropped: "heartbeat_dropped",
	HandoverNoted: "handover_noted", HandoverSigned: "handover_signed",
	CISet: "ci_set", CIDropped: "ci_dropped", OutageSet: "outage_set", OutageEnded: "outage_ended", AlertMoved: "alert_moved",
	IncidentEdited: "incident_edited", IncidentBegun: "incident_begun", IncidentCancelled: "incident_cancelled", IncidentClosed: "incident_closed",
	IncidentMerged: "incident_merged", IncidentAbsorbed: "incident_absorbed", IncidentSplit: "incident_split",
	IncidentUnmerged: "incident_unmerged", IncidentProposed: "incident_proposed", IncidentAnswered: "incident_answered",
	IncidentWatched: "incident_watched", IncidentTasked: "incident_tasked", IncidentLinked: "incident_linked", IncidentMajor: "incident_major",
	IncidentTold: "incident_told", IncidentUpdateDue: "incident_update_due", IncidentReviewed: "incident_reviewed",
	IncidentReported: "incident_reported", IncidentTicket: "incident_ticket", IncidentChase: "incident_chase", IncidentRated: "incident_rated",
	IncidentHit: "incident_hit", CIRedacted: "ci_redacted", IncidentCauses: "incident_causes", ComponentAdded: "component_added", ItemPlaced: "item_placed",
	ClusterParted: "cluster_parted", ClusterSettled: "cluster_settled", PairAnswered: "pair_answered", AlertReviewed: "alert_reviewed",
	TraceNoted: "trace_noted", TraceDropped: "trace_dropped", AbsenceRaised: "absence_raised",
}

// String returns the kind's name in the API.
func (k ChangeKind) String() string {
	if k > 0 && k < maxChangeKind {
		return changeNames[k]
	}
	return "unknown"
}

// Change is one decision and the state after it. The state is the fold of all changes, nothing else moves it.
type Change struct {
	Shard uint32
	Seq   uint64 // of the input that caused it
	N     uint32 // counts the input's changes from 0
	At    Time   // of the input
	Kind  ChangeKind

	Alert    AlertState     // kinds Alert* and ClaimEnded; ID alone for AlertSeen and AlertUnconfirmed
	Claim    ClaimState     // kinds that say so
	Incident *IncidentState // kinds Incident*
	Silence  *Silence       // kinds Silence*
	Window   *Window        // kinds Window*
	Storm    *Storm         // kinds Storm*
	Beat     *Heartbeat     // kinds Heartbeat*
	Handover *Handover      // kinds Handover*
	CI       *CI            // kinds CI*
	Outage   *Outage        // kinds Outage*
	Causes   *Causes        // IncidentCauses
	Place    *Placement     // AlertFiring, nil where rules group the alert; ItemPlaced, Cluster*
	Trace    *Trace         // kinds Trace* and AbsenceRaised
	Source   Source
	Position Position
	Until    Time
	Count    uint64
	Limit    uint64
	Actor    string // who asked for it; "" is the machine
	Text     string
	Ledger   []LedgerEntry
}

// IncidentID returns the incident the change belongs to, 0 when to none.
func (c *Change) IncidentID() IncidentID {
	if c.Incident != nil {
		return c.Incident.ID
	}
	return c.Alert.Incident
}

// LedgerEntry is one step of a decision's reasoning, in the order it was taken.
type LedgerEntry struct {
	Kind       string   // as in "rule", "window", "severity"
	Operands   []string // what was compared
	MilliNats  int64    // weight of the evidence, 0 where the step is no score
	RuleSource string   // file:line of the rule, "" for built-in behaviour
	Rules      string   // version of the rule set that it stands in
}

// AlertPhase is whether an alert is up.
type AlertPhase uint8

// Phases of an alert. Cleared is an explicit "it is over"; expired is silence where word was due.
const (
	Firing AlertPhase = iota + 1
	Cleared
	Expired
)

// String returns the phase's name.
func (p AlertPhase) String() string {
	switch p {
	case Firing:
		return "firing"
	case Cleared:
		return "cleared"
	case Expired:
		return "expired"
	}
	return "unknown"
}

// Reason says why an alert is where it is: in an incident, or not yet, or not at all.
type Reason uint8

// Reasons, each shown by `tocsin explain`. Values are part of the wire format.
const (
	ReasonOpened         Reason = iota + 1 // opened the incident it is in
	ReasonHeld                             // opened it after firing for its severity's open_after
	ReasonJoined                           // its group had an open incident
	ReasonEvidence                         // waited, and was taken in when its group's incident opened
	ReasonReopened                         // fired again within reopen_within
	ReasonWaiting                          // fires, not yet for its severity's open_after
	ReasonNeverOpens                       // its severity opens no incident
	ReasonSilenced                         // a silence quiets it
	ReasonInhibited                        // another alert inhibits it
	ReasonOver                             // cleared or expired before it opened one
	ReasonLate                             // read late; waits in case its end is next in the queue
	ReasonMaintenance                      // began inside a maintenance window
	ReasonFlapping                         // damped: waits until it has fired without a break
	ReasonFlapped                          // opened its incident, or entered it, because it flaps
	ReasonHeartbeat                        // a sign of life: only its absence means something
	ReasonSymptom                          // what its item rests on is down: it is quiet evidence of that
	ReasonFiltered                         // a rule keeps it quiet
	ReasonBelowThreshold                   // a rule waits for more of its kind
	ReasonPaired                           // a rule ties it to an alert that is in an incident
)

// String returns the reason's name in the API.
func (r Reason) String() string {
	names := [...]string{"", "opened", "held", "joined", "evidence", "reopened", "waiting", "never_opens", "silenced", "inhibited", "over", "late",
		"maintenance", "flapping", "flapped", "heartbeat", "symptom", "filtered", "below_threshold", "paired"}
	if int(r) < len(names) {
		return names[r]
	}
	return "unknown"
}

// AlertState is what the core keeps of an alert besides its claims.
type AlertState struct {
	ID          AlertID
	Phase       AlertPhase
	Severity    Severity
	Reason      Reason
	Ghost       bool   // cleared before it was ever seen firing: kept only so that a late firing is recognised
	Suppressed  bool   // every live claim of it is quiet
	Occurrences uint32 // firings that did not overlap, from 1
	Incident    IncidentID
	StartsAt    Time   // of the current occurrence, earliest claim
	FiringAt    Time   // arrival of the current occurrence
	EndedAt     Time   // arrival of its end, 0 while firing
	EasesAt     Time   // when the severity falls to that of its live claims, 0 when it is theirs
	FirstAt     Time   // arrival of the first occurrence
	Flap        Flap   // how restless it is; zero when it never changed
	CI          uint32 // slot of the configuration item it is bound to, 0 when to none
	Bound       Bound  // how
	Kind        AlertKind
	BoundBy     uint8  // the place in BindLabels of the label that said so, from 1; 0 when none did
	Quiet       Quiet  // all that keeps it from ringing, while it fires
	Name        string // alertname label, for people; not kept
	Resource    string // CI reference, for people; not kept
	Item        string // ID of the configuration item, for who reads changes alone; not kept
	Source      uint32 // slot of the source that was heard of first, from 1 in the order of the SourceAdded; not kept
}

// AlertKind is what an alert says of its item, as far as that tells a cause from its symptoms.
type AlertKind uint8

// Kinds of alert. Those of the last two may be mere symptoms of one of the first.
const (
	KindOther       AlertKind = iota
	KindDown                  // the item does not work at all
	KindUnreachable           // it cannot be reached
	KindNoData                // nothing is heard from it
)

// KindLabel is the label whose value names the kind; rules set it.
const KindLabel = "alert_kind"

// ParseAlertKind returns the kind of that name, KindOther when there is none.
func ParseAlertKind(name string) AlertKind {
	switch name {
	case "down":
		return KindDown
	case "unreachable":
		return KindUnreachable
	case "no_data":
		return KindNoData
	default:
		return KindOther
	}
}

// String returns the kind's name in rules and in the API.
func (k AlertKind) String() string {
	return [...]string{"other", "down", "unreachable", "no_data"}[min(k, KindNoData)]
}

// Bound is how an alert was bound to its configuration item, or why to none.
type Bound uint8

// Ways to bind an alert. An ambiguous one names several and is bound to none.
const (
	Unbound      Bound = iota // no label names one
	BoundByID                 // the label ci or ci_id holds its ID
	BoundByLabel              // a label of the convention holds its name; event.Labels.CI says which
	BoundFound                // as BoundByLabel, and the item was made for it
	Ambiguous                 // its name is that of several
	BoundByRule               // a rule made its ID or name of the labels
)

// String returns the way's name in the API.
func (b Bound) String() string {
	return [...]string{"unbound", "id", "label", "discovered", "ambiguous", "rule"}[min(b, BoundByRule)]
}

// Flap is an alert's record of going up and down, after RFC 2439.
type Flap struct {
	Penalty uint32 // in thousandths, as of At; it halves every 10 min
	At      Time   // of the last change that counted
	Since   Time   // when this bout of changes began
	Changes uint32 // counted since then
	Damped  bool
}

// ClaimState is what one source says about one label set.
type ClaimState struct {
	ID           uint32 // slot; 0: the change carries no claim
	Full         bool   // the label sets, URL, source and content are given, not only the times
	Source       uint32 // slot of the source
	Labels       Labels
	Annotations  Labels
	GeneratorURL string
	Content      uint64

	Phase           AlertPhase
	Severity        Severity
	SeverityUnknown bool
	Timeout         bool // EndsAt is ours: arrival + resolve_timeout
	Unconfirmed     bool
	Inhibited       bool
	Maintenance     bool   // began inside a maintenance window that still runs
	Filtered        bool   // a rule keeps it quiet
	Symptom         bool   // what its item rests on is down, and it says no more than that
	Silences        uint16 // active silences that match
	StartsAt        Time
	EndsAt          Time // firing: valid until (Never for send-once sources); else when it ended
	LastStart       Time // the latest start that was said of this occurrence
	ClearedAt       Time // the latest explicit end, 0 when none
	StaleAt         Time // when a firing older than ClearedAt was first heard, 0 when none
	SymptomUntil    Time // of a symptom whose cause is over: until when it stays quiet
}

// IncidentPhase is where an incident is in its life.
type IncidentPhase uint8

// Phases of an incident. Acknowledged is a fact of its own, not a phase: an acknowledged incident is still open.
const (
	IncidentOpen   IncidentPhase = iota + 1
	IncidentDone                 // resolved
	PhaseClosed                  // resolved for good: it does not reopen
	PhaseCancelled               // it was none
	PhaseMerged                  // it lives on in MergedInto
)

// String returns the phase's name in the API.
func (p IncidentPhase) String() string {
	switch p {
	case IncidentOpen:
		return "open"
	case IncidentDone:
		return "resolved"
	case PhaseClosed:
		return "closed"
	case PhaseCancelled:
		return "cancelled"
	case PhaseMerged:
		return "merged"
	}
	return "unknown"
}

// MaxAffected bounds the services that an incident lists.
const MaxAffected = 20

// IncidentState is what the core keeps of an incident; its counts of alerts follow from the alerts.
type IncidentState struct {
	ID         IncidentID
	Tenant     string
	Phase      IncidentPhase
	Severity   Severity
	Priority   uint8 // 1–5
	Unbound    bool  // no service is known to be affected: the priority rests on the severity alone
	SignalLost bool
	Recovered  bool
	Title      string
	Rule       string // name of the grouping rule
	Labels     Labels // what its alerts share: the group's key
	OpenedAt   Time
	LastOnset  Time
	ClearSince Time // when its last alert cleared, 0 while one fires
	AckedAt    Time
	AckedBy    string
	Assignee   string
	Team       string
	ResolvedAt Time
	ResolvedBy string
	Reopened   uint32
	Recurs     IncidentID // the incident of the same group before this one, 0 when none
	Notes      uint32

	WorseAt      Time   // when it rang again after it had been acknowledged, 0 when what is acknowledged is all there is
	SnoozedUntil Time   // 0 when it is not
	HeldUntil    Time   // on hold until then, 0 when it is not
	HeldFor      string // what for
	Storm        uint32 // number of the storm in which it opened, and so was not told of by itself; 0 when in none
	Heartbeat    uint32 // number of the heartbeat whose absence it is about, 0 when none

	OpenedBy     string     // person, "" the machine
	BegunAt      Time       // since when somebody works on it, 0: nobody
	HeldAs       HoldReason // while it is on hold
	ClosedAt     Time       // closed, cancelled or merged
	MergedInto   IncidentID
	Parent       IncidentID
	Impact       uint8      // 1–3, 0 while no service is known to be affected
	Urgency      uint8      // 1–3
	Pins         Pin        // fields that a person has set
	CI           string     // ID of the item it is about first of all
	Services     []Affected // the most critical, at most MaxAffected, in the order of their IDs
	ServiceCount uint32     // of all that it hurts
	Bounds       Bounds     // what rules make of its severity and priority
	Dossier      *Dossier   // nil when there is nothing in it
}
