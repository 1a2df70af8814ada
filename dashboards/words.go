package dashboards

import (
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/event"
)

func (c *Console) funcs() template.FuncMap {
	return template.FuncMap{
		"ago":      func(t time.Time) string { return ago(c.now().Sub(t)) },
		"labels":   labels,
		"sentence": sentence,
		"status":   func(s string) string { return strings.ReplaceAll(s, "_", " ") },
		"clock":    func(t time.Time) string { return t.UTC().Format("15:04:05") },
		"day":      func(t time.Time) string { return t.UTC().Format("2006-01-02") },
		"rfc":      func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"isNew":    isNew,
		"count":    count,
		"late":     func(t time.Time) bool { return t.Before(c.now()) },
		"open":     openProposals,
		"place":    func(n int) int { return n + 1 },
		"share":    share,
		"nats":     func(milli int64) string { return fmt.Sprintf("%+.1f nats", float64(milli)/1000) },
		"turn":     turn,
		"spans":    func() []string { return []string{"15m", "30m", "1h", "2h", "4h", "8h", "1d", "7d"} },
	}
}

// ago returns a span in its greatest unit, and in two from an hour on: 41 s, 7 min, 3 h 12 min, 2 d 4 h.
func ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(0, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
}

// labels returns a set in the order of its names.
func labels(m map[string]string) []event.Label {
	out := make([]event.Label, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, event.Label{Name: name, Value: m[name]})
	}
	return out
}

// isNew tells whether an alert began to fire after its incident was acknowledged.
func isNew(a api.Alert, acknowledged *time.Time) bool {
	return acknowledged != nil && a.FiringAt != nil && a.FiringAt.After(*acknowledged)
}

// count returns what was counted, 0 when nothing was.
func count(n *uint32) uint32 {
	if n == nil {
		return 0
	}
	return *n
}

// openProposals are those that wait for an answer.
func openProposals(all []api.Proposal) (open []api.Proposal) {
	for _, p := range all {
		if p.Answer == event.ProposalOpen.String() {
			open = append(open, p)
		}
	}
	return open
}

// share writes a part of a whole in percent.
func share(thousandths uint16) string {
	if thousandths < 5 {
		return "under 1 %"
	}
	return fmt.Sprintf("%d %%", (thousandths+5)/10)
}

// turn names a decision about what an incident holds.
func turn(d api.Decision) string {
	switch d.What {
	case event.IncidentOpened.String():
		return "Opened"
	case event.IncidentHit.String():
		return "Tied to more"
	case event.IncidentReopened.String():
		return "Reopened"
	case event.IncidentUpdated.String():
		return "A rule had a say"
	case event.ClusterParted.String():
		return "A second fault was seen"
	case event.ItemPlaced.String():
		return "A symptom found its cause"
	}
	return incidentSentence(api.Change{Kind: d.What, Incident: &api.IncidentBrief{}})
}

// liveKinds are the changes after which a page looks different.
func liveKinds() string {
	var kinds []string
	for k := event.AlertFiring; k.String() != "unknown"; k++ {
		switch k {
		case event.AlertSeen, event.SourceOverCap, event.PositionMoved, event.RulesLoaded, event.CoreStarted, event.GraceStarted,
			event.ComponentAdded, event.ItemPlaced, event.ClusterParted, event.ClusterSettled, // what follows from them is told
			event.CISet, event.CIDropped, event.CIRedacted: // an import tells of thousands, and no page shows them
		default:
			kinds = append(kinds, k.String())
		}
	}
	return strings.Join(kinds, " ")
}

// sentence tells one entry of a timeline.
func sentence(ch api.Change) string {
	switch {
	case ch.Incident != nil:
		return by(incidentSentence(ch), ch.Actor)
	case ch.Alert != nil:
		return alertSentence(ch)
	case ch.CI != nil:
		return by(ciSentence(ch), ch.Actor)
	case ch.Outage != nil:
		return by(outageSentence(ch), ch.Actor)
	case ch.Causes != nil:
		return by(causeSentence(ch.Causes), ch.Actor)
	}
	return strings.ReplaceAll(ch.Kind, "_", " ")
}

func ciSentence(ch api.Change) string {
	what := ch.CI.Class + " " + ch.CI.ID
	if ch.Kind == event.CIDropped.String() {
		return what + " left memory"
	}
	return what + " is " + ch.CI.State + " now"
}

// causeSentence tells what was found of an incident's cause.
func causeSentence(c *api.CauseBrief) string {
	switch {
	case c.Verdict == event.CauseWrong.String():
		return "The cause was not " + c.VerdictOn
	case c.Verdict != "":
		return "The cause was " + c.VerdictOn
	case c.First == "":
		return "No candidate for the cause"
	}
	return "Cause weighed anew, first " + c.First
}

func outageSentence(ch api.Change) string {
	o := ch.Outage
	what := fmt.Sprintf("%s: %s is %s", o.ID, o.Service, o.Kind)
	switch {
	case ch.Kind == event.OutageEnded.String():
		return what + " no more"
	case o.State == event.OutageProposed.String():
		return what + ", not confirmed"
	}
	return what + ", " + o.State
}

func by(text, actor string) string {
	if actor == "" {
		return text
	}
	return text + " by " + actor
}

func incidentSentence(ch api.Change) string {
	i := ch.Incident
	switch ch.Kind {
	case event.IncidentOpened.String():
		if i.Storm != "" {
			return fmt.Sprintf("Opened: P%d, %s, in %s; it was told together with others", i.Priority, i.Severity, i.Storm)
		}
		return fmt.Sprintf("Opened: P%d, %s", i.Priority, i.Severity)
	case event.IncidentUpdated.String():
		return fmt.Sprintf("Now P%d, %s", i.Priority, i.Severity)
	case event.IncidentAcknowledged.String():
		return "Acknowledged"
	case event.IncidentAssigned.String():
		return "Assigned to " + strings.Join(slices.DeleteFunc([]string{i.Assignee, i.Team}, func(s string) bool { return s == "" }), ", ")
	case event.IncidentNoted.String():
		return "Note"
	case event.IncidentCleared.String():
		return "Every alert has cleared; the hold runs"
	case event.IncidentRecovered.String():
		return "Recovered: somebody owns it, and it has cleared"
	case event.IncidentRelapsed.String():
		return "Fires again"
	case event.IncidentSignalLost.String():
		return "Signal lost: its last alerts expired"
	case event.IncidentResolved.String():
		return "Resolved"
	case event.IncidentReopened.String():
		return "Reopened"
	case event.IncidentFlapping.String():
		return "Flapping"
	case event.IncidentWorse.String():
		return "Worse than what was acknowledged: it rings again"
	case event.IncidentSnoozed.String():
		return "Snoozed"
	case event.IncidentWoke.String():
		return "The snooze is over: it rings again"
	case event.IncidentHeld.String():
		if i.HeldAs != "" && i.HeldAs != event.HoldOther.String() {
			return "On hold, waits for the " + i.HeldAs
		}
		return "On hold"
	case event.IncidentUnheld.String():
		return "The hold is over"
	case event.IncidentHit.String():
		return fmt.Sprintf("It hurts %d services now", i.ServiceCount)
	case event.IncidentReported.String():
		return fmt.Sprintf("Reported, now %d in all", i.Reported)
	}
	return lifeSentence(ch)
}

// lifeSentence tells what people do about an incident; the entry's text says the rest.
func lifeSentence(ch api.Change) string {
	switch ch.Kind {
	case event.IncidentEdited.String():
		return "Changed by hand"
	case event.IncidentBegun.String():
		return "In progress"
	case event.IncidentCancelled.String():
		return "Cancelled"
	case event.IncidentClosed.String():
		return "Closed"
	case event.IncidentMerged.String():
		return "Merged into another"
	case event.IncidentAbsorbed.String():
		return "Another was merged into it"
	case event.IncidentSplit.String():
		return "Split"
	case event.IncidentUnmerged.String():
		return "Merge undone"
	case event.IncidentProposed.String():
		return "Proposed"
	case event.IncidentAnswered.String():
		return "Proposal answered"
	case event.IncidentWatched.String():
		return "Watchers changed"
	case event.IncidentTasked.String():
		return "Tasks"
	case event.IncidentLinked.String():
		return "Linked"
	case event.IncidentMajor.String():
		return "As a major incident"
	case event.IncidentTold.String():
		return "Told those who are hit"
	case event.IncidentUpdateDue.String():
		return "The next update is due"
	case event.IncidentReviewed.String():
		return "Review"
	case event.IncidentTicket.String():
		return "Supplier"
	case event.IncidentChase.String():
		return "Time to ask the supplier"
	case event.IncidentRated.String():
		return "Rated"
	case event.IncidentCauses.String():
		return "What may be its cause was weighed"
	}
	return strings.ReplaceAll(ch.Kind, "_", " ")
}

func alertSentence(ch api.Change) string {
	a, what := ch.Alert, strings.ReplaceAll(strings.TrimPrefix(ch.Kind, "alert_"), "_", " ")
	name := a.Name
	if a.Resource != "" {
		name += " on " + a.Resource
	}
	switch ch.Kind {
	case event.AlertFiring.String():
		what = fmt.Sprintf("firing (%s), %s", a.Severity, strings.ReplaceAll(a.Reason, "_", " "))
	case event.AlertJoined.String():
		what = "taken in as " + a.Reason
	case event.AlertMoved.String():
		return by(name+" moved to "+a.Incident, ch.Actor)
	case event.AlertDamped.String():
		what = "changes so often that it is damped"
	case event.AlertSteadied.String():
		what = "is steady again"
	case event.AlertSeverity.String(), event.AlertUpdated.String():
		what += " (" + a.Severity + ")"
	}
	return strings.TrimSpace(name + " " + what)
}
