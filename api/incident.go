package api

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
)

// Incident is an incident as the API shows it.
type Incident struct {
	ID               string            `json:"id" example:"INC-42"`
	Number           uint32            `json:"number"`
	Tenant           string            `json:"tenant"`
	Status           string            `json:"status" enum:"open,acknowledged,signal_lost,resolved,closed,cancelled,merged" doc:"the word that says most: how it ended, else signal_lost, else acknowledged, else open"`
	Title            string            `json:"title"`
	Severity         string            `json:"severity" enum:"critical,major,minor,warning,info,clear"`
	Priority         uint8             `json:"priority" minimum:"1" maximum:"5" doc:"1 is the most urgent"`
	Unbound          bool              `json:"unbound" doc:"no service is known to be affected: the priority rests on the severity alone"`
	SignalLost       bool              `json:"signal_lost" doc:"its last alerts expired: nobody said that it is over"`
	Recovered        bool              `json:"recovered" doc:"somebody owns it and it has cleared"`
	Rule             string            `json:"rule" doc:"grouping rule"`
	Labels           map[string]string `json:"labels" doc:"what its alerts share"`
	Alerts           Counts            `json:"alerts"`
	OpenedAt         time.Time         `json:"opened_at"`
	LastOnsetAt      *time.Time        `json:"last_onset_at" doc:"when an alert of it began to fire last"`
	ClearSince       *time.Time        `json:"clear_since" doc:"when its last alert cleared; null while one fires"`
	AcknowledgedAt   *time.Time        `json:"acknowledged_at"`
	AcknowledgedBy   string            `json:"acknowledged_by"`
	AcknowledgedByID string            `json:"acknowledged_by_id" doc:"opaque: all that the journal knows of the person"`
	AssigneeID       string            `json:"assignee_id"`
	ResolvedByID     string            `json:"resolved_by_id"`
	Assignee         string            `json:"assignee"`
	Team             string            `json:"team"`
	ResolvedAt       *time.Time        `json:"resolved_at"`
	ResolvedBy       string            `json:"resolved_by" doc:"empty: it resolved by itself"`
	Reopened         uint32            `json:"reopened" doc:"how often"`
	Recurs           string            `json:"recurs" doc:"the incident of the same group before this one"`
	Notes            uint32            `json:"notes" doc:"how many"`
	WorseAt          *time.Time        `json:"worse_at" doc:"when it rang again after it had been acknowledged; null: what is acknowledged is all there is"`
	New              *uint32           `json:"new_since_acknowledged" doc:"alerts that began to fire after the acknowledgement; null: nobody acknowledged, or a list did not count"`
	SnoozedUntil     *time.Time        `json:"snoozed_until"`
	HeldUntil        *time.Time        `json:"held_until" doc:"on hold until then"`
	HeldFor          string            `json:"held_for" doc:"what it waits for"`
	Storm            string            `json:"storm" doc:"the storm in which it opened, and so was not told of by itself" example:"STORM-3"`
	Heartbeat        uint32            `json:"heartbeat" doc:"number of the heartbeat whose absence it is about; 0: none"`
	Quiet            bool              `json:"quiet" doc:"alerts fire, and every one of them is kept quiet"`
	UpdatedAt        time.Time         `json:"updated_at" doc:"the latest of its times"`
	Link             string            `json:"link" doc:"page in the console"`
	Cause            *Cause            `json:"cause,omitempty" doc:"its root cause as far as is known; left out: no cause is sought"`
	IncidentLife
	IncidentDossier
}

// IncidentLife is where an incident is in its life, and what it is about.
type IncidentLife struct {
	State        string            `json:"state" enum:"new,acknowledged,in_progress,on_hold,resolved,closed,cancelled,merged" doc:"the station of its life"`
	Next         []string          `json:"next" doc:"steps that it can take from here; each is an action of that name"`
	OpenedBy     string            `json:"opened_by" doc:"empty: the machine"`
	OpenedByID   string            `json:"opened_by_id"`
	BegunAt      *time.Time        `json:"begun_at" doc:"since when somebody works on it"`
	HeldAs       string            `json:"held_as" doc:"what kind of thing it waits for: caller, vendor, change, problem or other; empty: it is not on hold"`
	ClosedAt     *time.Time        `json:"closed_at" doc:"when it was closed, cancelled or merged"`
	MergedInto   string            `json:"merged_into" doc:"the incident it lives on in; empty: it was not merged"`
	Parent       string            `json:"parent"`
	Impact       uint8             `json:"impact" maximum:"3" doc:"1 is the greatest; 0: no service is known to be affected"`
	Urgency      uint8             `json:"urgency" maximum:"3" doc:"1 is the greatest; 0: it follows from the severity"`
	Pinned       []string          `json:"pinned" doc:"fields that a person has set; the machine leaves them alone"`
	CI           string            `json:"ci" doc:"id of the configuration item it is about first of all"`
	Services     []AffectedService `json:"services" doc:"services it hurts: the most critical, at most 20"`
	ServiceCount uint32            `json:"service_count" doc:"all that it hurts"`
}

// Counts are an incident's alerts in memory.
type Counts struct {
	Total      uint32 `json:"total"`
	Firing     uint32 `json:"firing"`
	Expired    uint32 `json:"expired"`
	Suppressed uint32 `json:"suppressed" doc:"firing, and quieted by a silence, a maintenance window or another alert"`
	Flapping   uint32 `json:"flapping" doc:"they go up and down so often that what they say now does not count"`
}

// incident shapes i for people; most bounds what newSince looks at, and with a bound what is long is left out: it is for a list.
func (d *Desk) incident(v *correlate.View, i correlate.Incident, most uint32) Incident {
	out := Incident{
		ID: i.ID.String(), Number: uint32(i.ID), Tenant: i.Tenant, Status: statusOf(&i.IncidentState), Title: i.Title, Severity: i.Severity.String(),
		Priority: i.Priority, Unbound: i.Unbound, SignalLost: i.SignalLost, Recovered: i.Recovered,
		Rule: i.Rule, Labels: shared(&i.IncidentState).Map(), Alerts: Counts{i.Alerts, i.Firing, i.Expired, i.Suppressed, i.Damped},
		OpenedAt: i.OpenedAt.Time(), LastOnsetAt: stamp(i.LastOnset), ClearSince: stamp(i.ClearSince),
		AcknowledgedAt: stamp(i.AckedAt), AcknowledgedBy: d.name(i.AckedBy), Assignee: d.name(i.Assignee), AcknowledgedByID: i.AckedBy, AssigneeID: i.Assignee, ResolvedByID: i.ResolvedBy, Team: i.Team,
		ResolvedAt: stamp(i.ResolvedAt), ResolvedBy: d.name(i.ResolvedBy), Reopened: i.Reopened, Notes: i.Notes,
		WorseAt: stamp(i.WorseAt), SnoozedUntil: stamp(i.SnoozedUntil), HeldUntil: stamp(i.HeldUntil), HeldFor: i.HeldFor,
		Storm: stormID(i.Storm), Heartbeat: i.Heartbeat, Quiet: i.Firing > 0 && i.Suppressed == i.Firing,
		New:       newSince(v, &i, most),
		Recurs:    incidentID(i.Recurs),
		UpdatedAt: itsm.UpdatedAt(&i.IncidentState).Time(), Link: d.link(i.Tenant, i.ID), Cause: d.cause(v, &i.IncidentState),
		IncidentLife: d.life(v, &i.IncidentState), IncidentDossier: d.dossier(i.Dossier, most == 0),
	}
	return out
}

// shared returns the labels that all alerts of an incident have, as far as its rule asks for them. The key of topology means nothing.
func shared(i *event.IncidentState) event.Labels {
	if correlate.ByTopology(i.Rule, i.Labels) {
		return nil
	}
	return i.Labels
}

func (d *Desk) life(v *correlate.View, i *event.IncidentState) IncidentLife {
	out := IncidentLife{
		State: itsm.StatusOf(i), Next: itsm.Next(i, v.Rules.Settings.ReopenClosed, d.now()), OpenedBy: d.name(i.OpenedBy), OpenedByID: i.OpenedBy,
		BegunAt: stamp(i.BegunAt), HeldAs: heldAs(i), ClosedAt: stamp(i.ClosedAt), MergedInto: incidentID(i.MergedInto), Parent: incidentID(i.Parent),
		Impact: i.Impact, Urgency: i.Urgency, Pinned: pins(i.Pins), CI: i.CI, Services: services(i.Services), ServiceCount: i.ServiceCount,
	}
	if out.Next == nil {
		out.Next = []string{}
	}
	return out
}

func heldAs(i *event.IncidentState) string {
	if i.HeldAs == 0 {
		return ""
	}
	return i.HeldAs.String()
}

// newSince counts the alerts of an incident that began to fire after it was acknowledged, nil when nobody did. Looking at up to
// most alerts is cheap enough; of an incident with more it says nothing (0: no bound).
func newSince(v *correlate.View, i *correlate.Incident, most uint32) *uint32 {
	switch {
	case i.AckedAt == 0:
		return nil
	case i.LastOnset <= i.AckedAt:
		return new(uint32)
	case most > 0 && i.Alerts > most:
		return nil
	}
	n := uint32(0)
	for a := range v.Members(i.ID) {
		if unseen(i, a) {
			n++
		}
	}
	return &n
}

// unseen tells whether an alert began to fire after its incident was acknowledged.
func unseen(i *correlate.Incident, a correlate.Alert) bool { return a.State().FiringAt > i.AckedAt }

// link returns where people read about an incident.
func (d *Desk) link(tenant string, id event.IncidentID) string {
	link := d.base + "/incidents/" + id.String()
	if tenant != event.DefaultTenant {
		link += "?tenant=" + url.QueryEscape(tenant)
	}
	return link
}

func statusOf(i *event.IncidentState) string {
	switch {
	case i.Phase == event.IncidentDone:
		return "resolved"
	case i.Phase != event.IncidentOpen:
		return i.Phase.String()
	case i.SignalLost:
		return "signal_lost"
	case i.AckedAt != 0:
		return "acknowledged"
	}
	return "open"
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
