package api

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/event"
)

// Why is the reasoning behind an incident: for people in sentences, for machines in operands.
type Why struct {
	Incident  string     `json:"incident"`
	Decisions []Decision `json:"decisions" doc:"why it opened, and why it reopened each time, oldest first"`
	Alerts    []AlertWhy `json:"alerts" doc:"why each alert is in it; firing first, at most 500"`
	More      int        `json:"more" doc:"alerts that are left out"`
	Quiet     []Quiet    `json:"quiet" doc:"what is quieting what now"`
}

// Decision is one turn in the incident's life with its ledger.
type Decision struct {
	What string    `json:"what" enum:"incident_opened,incident_reopened,incident_hit"`
	At   time.Time `json:"at"`
	Why  []Reason  `json:"why"`
}

// Reason is one step of the reasoning.
type Reason struct {
	Kind      string   `json:"kind"`
	Operands  []string `json:"operands"`
	MilliNats int64    `json:"milli_nats" doc:"weight of the evidence; 0 where the step is no score"`
	Rule      string   `json:"rule" doc:"file:line of the rule; empty for built-in behaviour"`
	Sentence  string   `json:"sentence"`
}

// AlertWhy says why an alert is in the incident.
type AlertWhy struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Resource string `json:"resource"`
	State    string `json:"state"`
	Reason   string `json:"reason"`
	Sentence string `json:"sentence"`
}

// Quiet is one alert that fires and is kept quiet.
type Quiet struct {
	Alert       string            `json:"alert"`
	SilencedBy  []string          `json:"silenced_by"`
	InhibitedBy map[string]string `json:"inhibited_by"`
	Maintenance []WindowBrief     `json:"maintenance" doc:"maintenance windows that quiet it"`
	Sentence    string            `json:"sentence"`
}

const (
	maxDecisions = 10_000 // entries of a timeline that are searched for them
	maxReasons   = 500    // alerts in one answer
)

// Why explains an incident.
func (d *Desk) Why(ctx context.Context, incident string) (*Why, error) {
	v, i, err := d.find(ctx, incident)
	if err != nil {
		return nil, err
	}
	out := &Why{Incident: i.ID.String(), Decisions: []Decision{}, Alerts: []AlertWhy{}, Quiet: []Quiet{}}
	entries, _, _, err := d.engine.Timeline(ctx, i.ID, engine.Cursor{}, maxDecisions)
	if err != nil {
		return nil, failure(err)
	}
	for _, ch := range entries {
		if ch.Kind == event.IncidentOpened || ch.Kind == event.IncidentReopened || ch.Kind == event.IncidentHit {
			out.Decisions = append(out.Decisions, Decision{ch.Kind.String(), ch.At.Time(), reasons(ch.Ledger)})
		}
	}
	s := &sieve[correlate.Alert]{limit: maxReasons}
	for a := range v.Members(i.ID) {
		s.add(alertRank(a), a)
	}
	page := s.page()
	for _, k := range page {
		d.explain(v, k.item, out)
	}
	out.More = s.total - len(page)
	return out, nil
}

func (d *Desk) explain(v *correlate.View, a correlate.Alert, out *Why) {
	al := d.alert(v, a)
	out.Alerts = append(out.Alerts, AlertWhy{al.ID, al.Name, al.Resource, al.State, al.Reason, al.Why})
	if len(al.SilencedBy)+len(al.InhibitedBy)+len(al.Maintenance) > 0 {
		out.Quiet = append(out.Quiet, Quiet{al.ID, al.SilencedBy, al.InhibitedBy, al.Maintenance, d.quietSentence(v, &al, a.Tenant())})
	}
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
	op := append(append([]string{}, l.Operands...), "", "", "")
	switch l.Kind {
	case "rule":
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
	case "reopen_within":
		return fmt.Sprintf("It fired again %s after the incident was resolved; within %s that reopens it.", op[0], op[1])
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

// movedWhy says how an alert came to its incident when people, or a merge, moved it there; "" when it came by itself.
func movedWhy(v *correlate.View, st *event.AlertState) string {
	i, ok := v.Incident(st.Incident)
	if !ok {
		return ""
	}
	if i.Dossier != nil {
		for _, a := range i.Dossier.Absorbed {
			if !a.Undone && slices.Contains(a.Alerts, st.ID) {
				return fmt.Sprintf("It came with %s, which was merged into %s.", a.Other, i.ID)
			}
		}
	}
	if i.OpenedBy != "" { // no alert finds its way into one that a person opened
		return fmt.Sprintf("A person moved it to %s.", i.ID)
	}
	return ""
}

// alertWhy says in a sentence why an alert is where it is.
func alertWhy(v *correlate.View, st event.AlertState) string {
	if moved := movedWhy(v, &st); moved != "" {
		return moved
	}
	in, after := st.Incident.String(), v.Rules.Settings.OpenAfter[st.Severity]
	switch st.Reason {
	case event.ReasonOpened:
		return "It opened " + in + "."
	case event.ReasonHeld:
		return fmt.Sprintf("It opened %s after firing for its severity's waiting time.", in)
	case event.ReasonJoined:
		return fmt.Sprintf("Its group's incident %s was open, so it joined.", in)
	case event.ReasonEvidence:
		return fmt.Sprintf("It was waiting when its group's incident %s opened, and was taken in.", in)
	case event.ReasonReopened:
		return fmt.Sprintf("It fired again soon after %s was resolved, and reopened it.", in)
	case event.ReasonWaiting:
		return fmt.Sprintf("It fires, but opens an incident only after firing for %s (severity %s).", span(after), st.Severity)
	case event.ReasonNeverOpens:
		return fmt.Sprintf("Severity %s opens no incident; it joins as evidence when another alert of its group opens one.", st.Severity)
	case event.ReasonSilenced:
		return "A silence quiets it."
	case event.ReasonInhibited:
		return "Another alert inhibits it."
	case event.ReasonOver:
		return "It was over before it opened an incident."
	case event.ReasonLate:
		return "It was read late; it waits in case its end is next in the queue."
	case event.ReasonMaintenance:
		return "It began inside a maintenance window, which quiets it until the window ends."
	case event.ReasonFlapping:
		return fmt.Sprintf("It goes up and down; it counts as firing once it has fired for %s without a break.", span(v.Rules.Settings.FlapSteady))
	case event.ReasonFlapped:
		return fmt.Sprintf("It goes up and down so often that this alone brought it into %s.", in)
	case event.ReasonHeartbeat:
		return "It is a sign of life and opens nothing; only its absence does."
	}
	return ""
}

func (d *Desk) quietSentence(v *correlate.View, a *Alert, tenant string) string {
	var parts []string
	for sil := range v.Silences(tenant) {
		for _, id := range a.SilencedBy {
			if sil.ID == id {
				parts = append(parts, fmt.Sprintf("silence %s of %s until %s", id, d.name(sil.CreatedBy), sil.EndsAt.Time().Format("2006-01-02 15:04 MST")))
			}
		}
	}
	if len(a.InhibitedBy) > 0 {
		parts = append(parts, "the alert "+alertName(a.InhibitedBy["alertname"], a.InhibitedBy["instance"]))
	}
	for _, w := range a.Maintenance {
		text := "the maintenance window " + w.Name
		if w.Until != nil {
			text += " until " + w.Until.Format("2006-01-02 15:04 MST")
		}
		parts = append(parts, text)
	}
	return alertName(a.Name, a.Resource) + " is kept quiet by " + strings.Join(parts, " and ") + "."
}

// boundWords says how an alert found its configuration item.
func boundWords(op []string) string {
	if op[2] == event.BoundFound.String() {
		return fmt.Sprintf("Its label %s names %s, of which nobody has told: an item was made for it.", op[1], op[0])
	}
	return fmt.Sprintf("Its label %s names the configuration item %s.", op[1], op[0])
}
