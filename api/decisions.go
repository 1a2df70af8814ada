package api

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
)

// Decision is one turn in the incident's life with its ledger.
type Decision struct {
	What string    `json:"what" enum:"incident_opened,incident_reopened,incident_hit,incident_updated,incident_absorbed,incident_merged,incident_split,incident_unmerged,incident_proposed,incident_answered,item_placed,cluster_parted"`
	At   time.Time `json:"at"`
	By   string    `json:"by" doc:"who decided; empty: the machine"`
	Text string    `json:"text" doc:"what was done, where the ledger does not say it"`
	Why  []Reason  `json:"why"`
	Move *Place    `json:"move,omitempty" doc:"of item_placed and cluster_parted: the scores"`
}

// Reason is one step of the reasoning.
type Reason struct {
	Kind      string   `json:"kind"`
	Operands  []string `json:"operands"`
	MilliNats int64    `json:"milli_nats" doc:"weight of the evidence; 0 where the step is no score"`
	Rule      string   `json:"rule" doc:"file:line of the rule; empty for built-in behaviour"`
	Sentence  string   `json:"sentence"`
}

// decisions lists what decided where an incident's alerts are, in the order in which it was decided.
func (d *Desk) decisions(v *correlate.View, p *past, entries, moves []event.Change) []Decision {
	type turn struct {
		ch  *event.Change
		out Decision
	}
	var turns []turn
	for n := range entries {
		if ch := &entries[n]; decides(ch) {
			turns = append(turns, turn{ch, Decision{What: ch.Kind.String(), At: ch.At.Time(), By: d.name(ch.Actor), Text: ch.Text, Why: reasons(ch.Ledger)}})
		}
	}
	for n := range moves {
		ch := &moves[n]
		turns = append(turns, turn{ch, Decision{What: ch.Kind.String(), At: ch.At.Time(), Why: []Reason{}, Move: p.moved(v, ch.Place)}})
	}
	slices.SortStableFunc(turns, func(a, b turn) int {
		if after(cursorOf(a.ch), cursorOf(b.ch)) {
			return 1
		}
		return -1
	})
	out := make([]Decision, len(turns))
	for n := range turns {
		out[n] = turns[n].out
	}
	return out
}

// decides tells whether an entry of a timeline says why an incident holds what it holds.
func decides(ch *event.Change) bool {
	switch ch.Kind {
	case event.IncidentOpened, event.IncidentReopened, event.IncidentHit, event.IncidentAbsorbed, event.IncidentMerged, event.IncidentSplit,
		event.IncidentUnmerged:
		return true
	case event.IncidentUpdated:
		return len(ch.Ledger) > 0
	case event.IncidentProposed, event.IncidentAnswered: // that it be a major one says nothing here
		return strings.Contains(ch.Text, "merge INC-")
	default:
		return false
	}
}

// moved says what became of the group that an item had begun.
func (p *past) moved(v *correlate.View, m *event.Placement) *Place {
	out := p.place(v, m)
	if m.Kind != event.PlaceEdge {
		return out
	}
	if p.silent[m.From] {
		out.Sentence = fmt.Sprintf("%s rests on %s, the silent cause, and went to it with what it had begun.", out.CI, m.FromID)
		return out
	}
	out.Sentence = fmt.Sprintf("%s rests on %s (%s), which alarmed %s: %s; %s needed. What %s had begun went to it.",
		out.CI, m.FromID, hopWords(m.Hops), apart(m.Gap, "later"), likelier(m.Edge, m.Needed), isNeeded(m.Needed), out.CI)
	return out
}

func reasons(ledger []event.LedgerEntry) []Reason {
	out := make([]Reason, len(ledger))
	for i, l := range ledger {
		out[i] = Reason{l.Kind, append([]string{}, l.Operands...), l.MilliNats, l.RuleSource, sentence(l)}
	}
	return out
}

// sentence puts one ledger entry into words. An entry of a kind that is not known here is shown as it is.
func sentence(l event.LedgerEntry) string {
	op := append(append([]string{}, l.Operands...), "", "", "", "")
	switch l.Kind {
	case "rule":
		if byTopology(op) {
			return "Grouped by topology: what rests on what alarmed, or shakes with it, belongs together."
		}
		where := ""
		if l.RuleSource != "" {
			where = " (" + l.RuleSource + ")"
		}
		return fmt.Sprintf("Rule %s%s groups alerts with %s.", op[0], where, op[1])
	case "severity":
		if op[1] == "0s" {
			return fmt.Sprintf("An alert of severity %s opens an incident at once.", op[0])
		}
		return fmt.Sprintf("An alert of severity %s opens an incident after firing for %s.", op[0], op[1])
	case "alert":
		return fmt.Sprintf("The alert was %s.", alertName(op[1], op[2]))
	case "bound":
		return boundWords(op)
	case "service":
		return fmt.Sprintf("It hurts the service %s, of impact %s%s.", op[0], op[1], map[string]string{
			"down": ", which is down", "redundant": ", which runs on: its redundancy holds",
		}[op[2]])
	case "priority":
		return fmt.Sprintf("With urgency %s from the severity, the service that is hit the worst makes it P%s.", op[1], op[0])
	case "recurrence":
		return fmt.Sprintf("The same group had an incident before: %s.", op[0])
	case "window_passed":
		return fmt.Sprintf("%s of the same group was not taken: its last onset was %s ago, and the rule's window is %s.", op[0], op[1], op[2])
	case "full":
		return fmt.Sprintf("%s of the same group took no more: it holds %s alerts, and an incident may hold %s.", op[0], op[1], op[2])
	case "too_old":
		return fmt.Sprintf("%s of the same group took no more: it opened %s ago, and what topology groups goes on for %s at most.", op[0], op[1], op[2])
	case "reopen_within":
		return fmt.Sprintf("It fired again %s after the incident was resolved; within %s that reopens it.", op[0], op[1])
	case "priority_rule":
		if op[0] == "" {
			return fmt.Sprintf("Because of %s the priority went from %s to %s.", op[1], op[2], op[3])
		}
		return fmt.Sprintf("The rule %s moved the priority from %s to %s, because of %s.", op[0], op[2], op[3], op[1])
	case "team":
		return fmt.Sprintf("The rule %s gives it to the team %s.", op[1], op[0])
	case "keep_apart":
		return fmt.Sprintf("The rule %s keeps it apart from %s.", op[0], op[1])
	case event.TraceJoin.String(), event.TraceSequence.String():
		return fmt.Sprintf("The rule %s ties %s and %s together.", op[0], op[1], op[2])
	case "second_onset":
		return fmt.Sprintf("It came out of %s: %s.", op[0], op[1])
	case "last_word":
		return fmt.Sprintf("The last word came at %s.", op[0])
	case "unwatched":
		return unwatched(l.Operands)
	}
	return strings.TrimSpace(l.Kind + " " + strings.Join(l.Operands, ", "))
}

// unwatched names what nobody watches any more: the first operand is how many there are, the others are the first of them.
func unwatched(operands []string) string {
	if len(operands) < 2 {
		return "It had reported no configuration item so far."
	}
	return fmt.Sprintf("Nobody watches now (%s): %s.", operands[0], strings.Join(operands[1:], ", "))
}

func alertName(name, resource string) string {
	switch {
	case name == "":
		name = "an alert without a name"
	case resource != "":
		return name + " on " + resource
	}
	return name
}

// byTopology tells whether the operands of a rule are those of topology, whose key means nothing to people.
func byTopology(op []string) bool { return op[0] == "topology" && strings.HasPrefix(op[1], `{tree="`) }

// boundWords says how an alert found its configuration item.
func boundWords(op []string) string {
	if op[2] == event.BoundFound.String() {
		return fmt.Sprintf("Its label %s names %s, of which nobody has told: an item was made for it.", op[1], op[0])
	}
	if op[2] == event.BoundByRule.String() {
		return fmt.Sprintf("The rule %s names the configuration item %s.", op[1], op[0])
	}
	return fmt.Sprintf("Its label %s names the configuration item %s.", op[1], op[0])
}
