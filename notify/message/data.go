package message

import "time"

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

// Events lists every event, in the order of the constants.
func Events() []Event {
	return []Event{Opened, Raised, Worse, Woke, Escalated, SignalLost, Reopened, Resolved, StormBegan, StormEnded, MuteEnding, HoldDue, Digest, Test}
}

// Data is what templates see, and the body of Tocsin's own webhook format.
type Data struct {
	Version     int       `json:"version"` // of this shape
	Event       Event     `json:"event"`
	Reason      string    `json:"reason,omitempty"` // why it rings, in words
	Key         string    `json:"key"`              // the same for every attempt
	At          time.Time `json:"at"`               // when it happened
	Tenant      string    `json:"tenant"`
	Receiver    string    `json:"receiver"`
	Team        string    `json:"team,omitempty"`
	Step        int       `json:"step"` // of the escalation, 0 is the first contact
	ExternalURL string    `json:"external_url,omitempty"`
	Incident    *Incident `json:"incident,omitempty"`
	Storm       *Storm    `json:"storm,omitempty"`
	Mute        *Mute     `json:"mute,omitempty"`
	Digest      []Data    `json:"digest,omitempty"`
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
	Link           string            `json:"link"`
	Unbound        bool              `json:"unbound,omitempty"`
	SignalLost     bool              `json:"signal_lost,omitempty"`
	Flapping       bool              `json:"flapping,omitempty"`
}

// Alert is one alert of an incident.
type Alert struct {
	Status       string            `json:"status"` // firing or resolved
	Severity     string            `json:"severity"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"starts_at"`
	EndsAt       time.Time         `json:"ends_at,omitzero"`
	GeneratorURL string            `json:"generator_url,omitempty"`
	Fingerprint  string            `json:"fingerprint"` // Alertmanager's
}

// Name returns how people call the alert: its name and what is ill.
func (a Alert) Name() string {
	name := a.Labels["alertname"]
	for _, label := range []string{"ci", "node", "pod", "instance", "host", "hostname", "device", "service", "job"} {
		if v := a.Labels[label]; v != "" {
			return name + " on " + v
		}
	}
	return name
}

// Storm is a time in which so many incidents opened that they are told of together.
type Storm struct {
	Number   int            `json:"number"`
	BeganAt  time.Time      `json:"began_at"`
	EndedAt  *time.Time     `json:"ended_at,omitempty"`
	Openings int            `json:"openings"`
	Held     int            `json:"held"` // of these, told by nobody singly
	Worst    int            `json:"worst"`
	Open     []IncidentLine `json:"open,omitempty"` // the most urgent that are open
	Link     string         `json:"link"`
}

// IncidentLine is an incident in a list.
type IncidentLine struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Priority int    `json:"priority"`
	Link     string `json:"link"`
}

// Mute is a silence or a maintenance window that ends soon.
type Mute struct {
	Kind      string    `json:"kind"` // silence or window
	ID        string    `json:"id"`
	Name      string    `json:"name,omitempty"`
	Comment   string    `json:"comment,omitempty"`
	CreatedBy string    `json:"created_by,omitempty"`
	EndsAt    time.Time `json:"ends_at"`
	Firing    int       `json:"firing"` // alerts that still fire under it
}

// Message is rendered and ready to go.
type Message struct {
	Key           string    `json:"key"`     // idempotency key: the change's id, the receiver, the step
	Event         Event     `json:"event"`   //
	Subject       string    `json:"subject"` // what receivers deduplicate by: main/INC-42
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
