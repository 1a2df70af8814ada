package main

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/api"
)

// entryText puts one entry of a timeline into words. A kind that is not known here is shown by its name.
func entryText(ch *api.Change) string {
	text := kindText(ch)
	if ch.Alert != nil {
		text = alertName(ch.Alert.Name, ch.Alert.Resource) + " " + text
	}
	if ch.Actor != "" {
		text += " by " + ch.Actor
	}
	if d := detail(ch); d != "" {
		text += ": " + d
	}
	return text
}

func kindText(ch *api.Change) string {
	words := map[string]string{
		"incident_opened": "opened", "incident_updated": "moved", "incident_acknowledged": "acknowledged",
		"incident_assigned": "assigned", "incident_noted": "noted", "incident_cleared": "every alert has cleared",
		"incident_recovered": "recovered: it has cleared while somebody owns it", "incident_relapsed": "fires again",
		"incident_signal_lost": "signal lost: its last alerts expired, nobody said that it is over",
		"incident_resolved":    "resolved", "incident_reopened": "reopened",
		"incident_flapping": "goes up and down", "incident_worse": "got worse: it rings again", "incident_snoozed": "snoozed",
		"alert_moved":     "moved to another incident",
		"incident_edited": "changed by hand", "incident_begun": "in progress", "incident_cancelled": "cancelled", "incident_closed": "closed",
		"incident_merged": "merged", "incident_absorbed": "took another in", "incident_split": "split", "incident_unmerged": "merge undone",
		"incident_proposed": "proposed", "incident_answered": "proposal answered", "incident_watched": "watchers changed",
		"incident_tasked": "tasks", "incident_linked": "linked", "incident_major": "major incident", "incident_told": "told those who are hit",
		"incident_update_due": "the next update is due", "incident_reviewed": "review", "incident_reported": "reported by one more person",
		"incident_ticket": "supplier", "incident_chase": "time to chase the supplier", "incident_rated": "rated",
		"incident_hit": "services that it hurts changed", "incident_causes": "what may be its cause was weighed",
		"incident_woke": "the snooze is over: it rings again", "incident_held": "put on hold", "incident_unheld": "no longer on hold",
		"alert_firing": "fires", "alert_updated": "changed", "alert_cleared": "cleared", "alert_expired": "expired: its source fell silent",
		"claim_ended": "is over for one of its sources", "alert_unconfirmed": "is unconfirmed: long without word from its source",
		"alert_suppressed": "is kept quiet", "alert_released": "is no longer kept quiet", "alert_severity": "eased",
		"alert_joined": "joined", "alert_reviewed": "was looked at anew", "alert_dropped": "left memory",
		"ci_set": "configuration item changed", "ci_dropped": "configuration item left memory", "outage_set": "outage", "outage_ended": "outage ended",
		"alert_damped": "flaps: what it says now does not count", "alert_steadied": "no longer flaps",
	}
	if w, ok := words[ch.Kind]; ok {
		return w
	}
	return strings.ReplaceAll(ch.Kind, "_", " ")
}

// detail says what the entry came to, "" when its kind says it all. Notes have lines of their own.
func detail(ch *api.Change) string {
	switch ch.Kind {
	case "incident_opened", "incident_updated", "incident_reopened":
		return priority(ch.Incident.Priority) + ", " + ch.Incident.Severity
	case "incident_edited", "incident_begun", "incident_cancelled", "incident_closed", "incident_merged", "incident_absorbed", "incident_split",
		"incident_unmerged", "incident_proposed", "incident_answered", "incident_watched", "incident_tasked", "incident_linked", "incident_major",
		"incident_reviewed", "incident_reported", "incident_ticket", "incident_chase", "incident_rated":
		return ch.Text
	case "incident_hit":
		return plural(int(ch.Incident.ServiceCount), "service", "services")
	case "alert_moved":
		return ch.Alert.Incident
	case "incident_assigned":
		return cmp.Or(owner(&api.Incident{Assignee: ch.Incident.Assignee, Team: ch.Incident.Team}), "nobody")
	case "incident_resolved", "incident_worse":
		return ch.Text
	case "incident_flapping":
		return strings.TrimPrefix(ch.Text, "flapping: ")
	case "incident_snoozed":
		return until(ch.Incident.SnoozedUntil)
	case "incident_held":
		return strings.Join(slices.DeleteFunc([]string{until(ch.Incident.HeldUntil), heldAs(ch.Incident.HeldAs), ch.Text}, func(s string) bool { return s == "" }), ", ")
	case "incident_unheld":
		return unless(ch.Text != "due", "its time has come")
	case "alert_damped":
		if ch.Alert.Flapping != nil {
			return ch.Alert.Flapping.Sentence
		}
	case "alert_firing", "alert_updated", "alert_severity":
		return ch.Alert.Severity
	}
	return ""
}

// heldAs says what kind of thing an incident on hold waits for; other says nothing.
func heldAs(kind string) string {
	if kind == "" || kind == "other" {
		return ""
	}
	return "waits for the " + kind
}

// until says when something ends, in the local zone.
func until(t *time.Time) string {
	if t == nil {
		return "without an end"
	}
	return "until " + dayClock(t.Local())
}
