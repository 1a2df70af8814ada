package message

import (
	"cmp"
	"time"
)

// Event says what a message is about. Its values stand in configuration and in webhook bodies.
type Event string

// The events that are told.
const (
	Opened     Event = "opened"
	Raised     Event = "raised"    // the priority rose
	Worse      Event = "worse"     // there is more to it than what was acknowledged
	Woke       Event = "woke"      // a snooze is over
	Escalated  Event = "escalated" // nobody acknowledged in time
	SignalLost Event = "signal_lost"
	Reopened   Event = "reopened"
	Resolved   Event = "resolved"
	StormBegan Event = "storm_began"
	StormEnded Event = "storm_ended"
	MuteEnding Event = "mute_ending" // alerts still fire under a silence or a window that ends soon
	HoldDue    Event = "hold_due"
	Digest     Event = "digest" // what waited through quiet hours
	Test       Event = "test"
)

// The events that tell those who have a part in an incident.
const (
	Cancelled   Event = "cancelled" // it was none
	Merged      Event = "merged"    // it lives on in another
	Absorbed    Event = "absorbed"  // another came into it
	Split       Event = "split"     // a part of it is an incident of its own now
	Unmerged    Event = "unmerged"  // a merge was undone
	Proposed    Event = "proposed"  // that it be merged, or be made a major one
	Answered    Event = "answered"  // what was proposed was accepted or rejected
	MajorBegan  Event = "major_began"
	MajorEnded  Event = "major_ended"
	Update      Event = "update"     // a word for those who are hit
	UpdateDue   Event = "update_due" // they wait for the next
	Chase       Event = "chase"      // it is time to ask the supplier
	Task        Event = "task"
	OutageBegan Event = "outage" // a service is down, as the machine sees it
	OutageEnded Event = "outage_ended"
)

// Events lists every event, in the order of the constants.
func Events() []Event {
	return []Event{
		Opened, Raised, Worse, Woke, Escalated, SignalLost, Reopened, Resolved, StormBegan, StormEnded, MuteEnding, HoldDue, Digest, Test,
		Cancelled, Merged, Absorbed, Split, Unmerged, Proposed, Answered, MajorBegan, MajorEnded, Update, UpdateDue, Chase, Task, OutageBegan, OutageEnded,
	}
}

// Data is what templates see, and the body of Tocsin's own webhook format.
type Data struct {
	Version     int       `json:"version"` // of this shape
	Event       Event     `json:"event"`
	Reason      string    `json:"reason,omitempty"`   // why it rings, in words
	Key         string    `json:"key"`                // the same for every attempt; begins with Instance
	Instance    string    `json:"instance,omitempty"` // of the data folder that speaks: keys of two daemons never meet
	At          time.Time `json:"at"`                 // when it happened
	Tenant      string    `json:"tenant"`
	Receiver    string    `json:"receiver"`
	Team        string    `json:"team,omitempty"`
	Step        int       `json:"step"`           // of the escalation, 0 is the first contact
	Since       time.Time `json:"since,omitzero"` // of an escalation: since when nobody has acknowledged
	ExternalURL string    `json:"external_url,omitempty"`
	Incident    *Incident `json:"incident,omitempty"`
	Storm       *Storm    `json:"storm,omitempty"`
	Mute        *Mute     `json:"mute,omitempty"`
	Outage      *Outage   `json:"outage,omitempty"`
	Digest      []Data    `json:"digest,omitempty"`  // each incident once, the most urgent first
	Earlier     []Event   `json:"earlier,omitempty"` // in a digest: what had happened to the incident before Event
}

// DataVersion is the version of Data's shape. It moves when a field changes its meaning or goes.
const DataVersion = 1

// Incident is an incident as it was when the message was made.
type Incident struct {
	ID             string            `json:"id"`
	Title          string            `json:"title"`
	Status         string            `json:"status"`
	Severity       string            `json:"severity"`
	Priority       int               `json:"priority"` // 1 is the most urgent
	Rule           string            `json:"rule"`
	Team           string            `json:"team,omitempty"`
	Assignee       string            `json:"assignee,omitempty"`
	AcknowledgedBy string            `json:"acknowledged_by,omitempty"`
	ResolvedBy     string            `json:"resolved_by,omitempty"`
	Labels         map[string]string `json:"labels"`
	OpenedAt       time.Time         `json:"opened_at"`
	AcknowledgedAt *time.Time        `json:"acknowledged_at,omitempty"`
	ResolvedAt     *time.Time        `json:"resolved_at,omitempty"`
	Firing         int               `json:"firing"`
	Total          int               `json:"total"`
	Suppressed     int               `json:"suppressed"`
	Alerts         []Alert           `json:"alerts"`              // the worst first
	Truncated      int               `json:"truncated,omitempty"` // alerts that are not in Alerts
	New            int               `json:"new_since_acknowledged,omitempty"`
	Why            []string          `json:"why,omitempty"`
	Cause          string            `json:"cause,omitempty"` // in one sentence, where the machine is confident of one or a person named it
	Link           string            `json:"link,omitempty"`
	Unbound        bool              `json:"unbound,omitempty"`
	SignalLost     bool              `json:"signal_lost,omitempty"`
	Flapping       bool              `json:"flapping,omitempty"`
	NextUpdate     *time.Time        `json:"next_update,omitempty"` // of a major incident: when the next word is due
}

// Alert is one alert of an incident.
type Alert struct {
	Status       string            `json:"status"`                // firing or resolved
	SignalLost   bool              `json:"signal_lost,omitempty"` // nobody said that it is over: its sender fell silent
	Severity     string            `json:"severity"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"starts_at"`
	EndsAt       time.Time         `json:"ends_at,omitzero"`
	GeneratorURL string            `json:"generator_url,omitempty"`
	Fingerprint  string            `json:"fingerprint"` // Alertmanager's
}

// Name returns how people call the alert, in one line: its name and what is ill.
func (a Alert) Name() string {
	name := cmp.Or(line(a.Labels["alertname"]), "Alert")
	for _, label := range []string{"ci", "node", "pod", "instance", "host", "hostname", "device", "service", "job"} {
		if v := line(a.Labels[label]); v != "" {
			return name + " on " + v
		}
	}
	return name
}

// Storm is a time in which so many incidents opened that they are told of together. Its counts are of those that concern whom the
// message is for.
type Storm struct {
	Number   int            `json:"number"`
	BeganAt  time.Time      `json:"began_at"`
	EndedAt  *time.Time     `json:"ended_at,omitempty"`
	Openings int            `json:"openings"`
	Held     int            `json:"held"` // of these, not told singly
	Worst    int            `json:"worst"`
	Open     []IncidentLine `json:"open,omitempty"` // the most urgent that are open
	More     int            `json:"more,omitempty"` // that are open too
	Link     string         `json:"link,omitempty"`
}

// List puts the incidents that are open into the storm, the first of them by name.
func (s *Storm) List(open []IncidentLine, most int) {
	n := min(len(open), most)
	s.Open, s.More = open[:n:n], len(open)-n
}

// OpenCount returns how many incidents are open.
func (s *Storm) OpenCount() int { return len(s.Open) + s.More }

// IncidentLine is an incident in a list.
type IncidentLine struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Priority int    `json:"priority"`
	Link     string `json:"link,omitempty"`

	Acknowledged bool `json:"acknowledged,omitempty"`
}

// Outage is a time in which a service is down.
type Outage struct {
	Number    int        `json:"number"`
	Service   string     `json:"service"`
	Kind      string     `json:"kind"`
	State     string     `json:"state"` // proposed, confirmed or rejected
	BeganAt   time.Time  `json:"began_at"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
	Cause     string     `json:"cause,omitempty"`
	Incidents []string   `json:"incidents,omitempty"`
	Link      string     `json:"link,omitempty"`
}

// Mute is a silence or a maintenance window that ends soon.
type Mute struct {
	Kind      string    `json:"kind"` // silence or window
	ID        string    `json:"id"`
	Name      string    `json:"name,omitempty"`
	Matchers  []string  `json:"matchers,omitempty"` // all must match, as in instance=~"db-.*"
	CIs       []string  `json:"cis,omitempty"`      // of a window: the configuration items it is about
	Comment   string    `json:"comment,omitempty"`
	CreatedBy string    `json:"created_by,omitempty"`
	EndsAt    time.Time `json:"ends_at"`
	Firing    int       `json:"firing"` // alerts that still fire under it
	Link      string    `json:"link,omitempty"`
}

// Message is rendered and ready to go.
type Message struct {
	Key           string    `json:"key"`              // idempotency key: the change's id, the receiver, the step
	Event         Event     `json:"event"`            //
	Subject       string    `json:"subject"`          // what it is about: main/INC-42
	Thread        string    `json:"thread,omitempty"` // what receivers deduplicate by: the subject behind the instance
	Resolved      bool      `json:"resolved"`
	Priority      int       `json:"priority"`
	Severity      string    `json:"severity"`
	Title         string    `json:"title"`
	Text          string    `json:"text"`
	HTML          string    `json:"html,omitempty"`
	Link          string    `json:"link,omitempty"`
	TemplateError string    `json:"template_error,omitempty"` // why the plain wording was used
	At            time.Time `json:"at"`
	Data          Data      `json:"data"`
}

// Group returns what receivers deduplicate by. Messages that an older version left in the outbox have no thread.
func (m *Message) Group() string { return cmp.Or(m.Thread, m.Subject) }

// Sample is an incident that nobody had, to try templates on.
func Sample(now time.Time) *Incident {
	labels := map[string]string{"alertname": "Sample", "instance": "db-3", "service": "sample", "severity": "critical"}
	return &Incident{
		ID: "INC-1", Title: "Sample: service sample", Status: "open", Severity: "critical", Priority: 2, Rule: "sample", OpenedAt: now,
		Labels: map[string]string{"service": "sample"}, Firing: 1, Total: 1,
		Alerts: []Alert{{
			Status: "firing", Severity: "critical", Labels: labels, Annotations: map[string]string{"summary": "nothing is wrong"}, StartsAt: now,
			Fingerprint: "0000000000000000",
		}},
	}
}
