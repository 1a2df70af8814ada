package api

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
)

// Incident is an incident as the API shows it.
type Incident struct {
	ID             string            `json:"id" example:"INC-42"`
	Number         uint32            `json:"number"`
	Status         string            `json:"status" enum:"open,acknowledged,signal_lost,resolved" doc:"the word that says most: resolved, else signal_lost, else acknowledged, else open"`
	Title          string            `json:"title"`
	Severity       string            `json:"severity" enum:"critical,major,minor,warning,info,clear"`
	Priority       uint8             `json:"priority" minimum:"1" maximum:"5" doc:"1 is the most urgent"`
	Unbound        bool              `json:"unbound" doc:"no service is known to be affected: the priority rests on the severity alone"`
	SignalLost     bool              `json:"signal_lost" doc:"its last alerts expired: nobody said that it is over"`
	Recovered      bool              `json:"recovered" doc:"somebody owns it and it has cleared"`
	Rule           string            `json:"rule" doc:"grouping rule"`
	Labels         map[string]string `json:"labels" doc:"what its alerts share"`
	Alerts         Counts            `json:"alerts"`
	OpenedAt       time.Time         `json:"opened_at"`
	LastOnsetAt    *time.Time        `json:"last_onset_at" doc:"when an alert of it began to fire last"`
	ClearSince     *time.Time        `json:"clear_since" doc:"when its last alert cleared; null while one fires"`
	AcknowledgedAt *time.Time        `json:"acknowledged_at"`
	AcknowledgedBy string            `json:"acknowledged_by"`
	Assignee       string            `json:"assignee"`
	Team           string            `json:"team"`
	ResolvedAt     *time.Time        `json:"resolved_at"`
	ResolvedBy     string            `json:"resolved_by" doc:"empty: it resolved by itself"`
	Reopened       uint32            `json:"reopened" doc:"how often"`
	Recurs         string            `json:"recurs" doc:"the incident of the same group before this one"`
	Notes          uint32            `json:"notes" doc:"how many"`
	UpdatedAt      time.Time         `json:"updated_at" doc:"the latest of its times"`
	Link           string            `json:"link" doc:"page in the console"`
}

// Counts are an incident's alerts in memory.
type Counts struct {
	Total      uint32 `json:"total"`
	Firing     uint32 `json:"firing"`
	Expired    uint32 `json:"expired"`
	Suppressed uint32 `json:"suppressed" doc:"firing, and quieted by a silence or another alert"`
}

func (d *Desk) incident(i correlate.Incident) Incident {
	out := Incident{
		ID: i.ID.String(), Number: uint32(i.ID), Status: statusOf(&i.IncidentState), Title: i.Title, Severity: i.Severity.String(),
		Priority: i.Priority, Unbound: i.Unbound, SignalLost: i.SignalLost, Recovered: i.Recovered,
		Rule: i.Rule, Labels: i.Labels.Map(), Alerts: Counts{i.Alerts, i.Firing, i.Expired, i.Suppressed},
		OpenedAt: i.OpenedAt.Time(), LastOnsetAt: stamp(i.LastOnset), ClearSince: stamp(i.ClearSince),
		AcknowledgedAt: stamp(i.AckedAt), AcknowledgedBy: i.AckedBy, Assignee: i.Assignee, Team: i.Team,
		ResolvedAt: stamp(i.ResolvedAt), ResolvedBy: i.ResolvedBy, Reopened: i.Reopened, Notes: i.Notes,
		UpdatedAt: updatedAt(&i.IncidentState).Time(), Link: d.link(i.ID),
	}
	if i.Recurs != 0 {
		out.Recurs = i.Recurs.String()
	}
	return out
}

// link returns where people read about an incident.
func (d *Desk) link(id event.IncidentID) string {
	return d.base + "/incidents/" + id.String()
}

func statusOf(i *event.IncidentState) string {
	switch {
	case i.Phase == event.IncidentDone:
		return "resolved"
	case i.SignalLost:
		return "signal_lost"
	case i.AckedAt != 0:
		return "acknowledged"
	}
	return "open"
}

// hasStatus is the filter: open is everything not resolved, and an acknowledged incident whose signal was lost is both.
func hasStatus(i *event.IncidentState, status string) bool {
	open := i.Phase == event.IncidentOpen
	switch status {
	case "open":
		return open
	case "acknowledged":
		return open && i.AckedAt != 0
	case "unacknowledged":
		return open && i.AckedAt == 0
	case "signal_lost":
		return open && i.SignalLost
	}
	return !open
}

func updatedAt(i *event.IncidentState) event.Time {
	return max(i.OpenedAt, i.LastOnset, i.ClearSince, i.AckedAt, i.ResolvedAt)
}

// parseIncident reads an incident's number, with or without INC- in front.
func parseIncident(text string) (event.IncidentID, error) {
	digits := text
	if len(text) > 4 && strings.EqualFold(text[:4], "INC-") {
		digits = text[4:]
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || n == 0 {
		return 0, notFound(fmt.Sprintf("incident %q", text))
	}
	return event.IncidentID(n), nil
}
