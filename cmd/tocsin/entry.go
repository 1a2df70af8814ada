package main

import (
	"cmp"
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
		"incident_woke": "the snooze is over: it rings again", "incident_held": "put on hold", "incident_unheld": "no longer on hold",
		"alert_firing": "fires", "alert_updated": "changed", "alert_cleared": "cleared", "alert_expired": "expired: its source fell silent",
		"claim_ended": "is over for one of its sources", "alert_unconfirmed": "is unconfirmed: long without word from its source",
		"alert_suppressed": "is kept quiet", "alert_released": "is no longer kept quiet", "alert_severity": "eased",
		"alert_joined": "joined", "alert_dropped": "left memory",
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
	case "incident_assigned":
		return cmp.Or(owner(&api.Incident{Assignee: ch.Incident.Assignee, Team: ch.Incident.Team}), "nobody")
	case "incident_resolved", "incident_worse":
		return ch.Text
	case "incident_flapping":
		return strings.TrimPrefix(ch.Text, "flapping: ")
	case "incident_snoozed":
		return until(ch.Incident.SnoozedUntil)
	case "incident_held":
		return until(ch.Incident.HeldUntil) + ", " + ch.Text
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

// until says when something ends, in the local zone.
func until(t *time.Time) string {
	if t == nil {
		return "without an end"
	}
	return "until " + dayClock(t.Local())
}
