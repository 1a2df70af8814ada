package scenario

import "github.com/tocsin-noc/tocsin/event"

// Scenario is an alert stream with its truth.
type Scenario struct {
	Topology Topology
	Alerts   []Alert  // in the order of their arrival
	Truth    []string // of each alert the ID of its fault, "" for noise
	Faults   []Fault
	Rules    []byte // text of rules.yml, nil when there is none
}

// Topology is what is known of the items and of how they rest on each other; it need not be all that is true.
type Topology struct {
	CIs       []CI       `json:"cis"`
	Relations []Relation `json:"relations"`
}

// CI is a configuration item.
type CI struct {
	ID    string `json:"id"`
	Class string `json:"class"`
}

// Relation is an arrow from an item to what it rests on, or is part of.
type Relation struct {
	From string             `json:"from"`
	Type event.RelationKind `json:"type"`
	To   string             `json:"to"`
}

// Alert is one line: what a sender said of one label set, and when that arrived.
type Alert struct {
	At          event.Time
	Labels      event.Labels
	Annotations event.Labels
	StartsAt    event.Time // 0: not said
	EndsAt      event.Time // 0: not said
}

// Labels with a meaning.
const (
	CILabel     = "ci"     // the item that is alarmed
	PeerLabel   = "peer"   // the item that was called, to which the alert is charged
	SystemLabel = "system" // the environment
)

// Charged returns the item that the alert is charged to, "" when it names none.
func (a *Alert) Charged() string {
	if peer := a.Labels.Get(PeerLabel); peer != "" {
		return peer
	}
	return a.Labels.Get(CILabel)
}

// Fault is something that broke.
type Fault struct {
	ID    string
	Root  []string // IDs of the items that are its root cause; any of them is right
	Level string   // what kind of item it hit, as in "node"
	Kind  string   // what happened to it
	Start event.Time
	End   event.Time
}
