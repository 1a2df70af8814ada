package api

import (
	"context"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
)

// Change is one decision as the stream and timelines show it: what happened, and the state after it.
type Change struct {
	ID       string         `json:"id" doc:"shard.seq.n; resume the stream after it" example:"0.17.3"`
	At       time.Time      `json:"at"`
	Kind     string         `json:"kind" example:"incident_opened"`
	Actor    string         `json:"actor" doc:"who asked for it; empty: the machine"`
	Text     string         `json:"text" doc:"text of a note, reason of a step or a hold, what got worse, how it flaps, what else was done"`
	Incident *IncidentBrief `json:"incident,omitempty" doc:"of incident_* kinds"`
	Alert    *AlertBrief    `json:"alert,omitempty" doc:"of alert_* kinds"`
	Silence  *Silence       `json:"silence,omitempty" doc:"of silence_* kinds"`
	Window   *Window        `json:"window,omitempty" doc:"of window_* kinds"`
	Storm    *Storm         `json:"storm,omitempty" doc:"of storm_* kinds"`
	Beat     *Heartbeat     `json:"heartbeat,omitempty" doc:"of heartbeat_* kinds"`
	Handover *HandoverNote  `json:"handover,omitempty" doc:"of handover_* kinds"`
	CI       *CIBrief       `json:"ci,omitempty" doc:"of ci_* kinds"`
	Outage   *Outage        `json:"outage,omitempty" doc:"of outage_* kinds"`
	Causes   *CauseBrief    `json:"causes,omitempty" doc:"of incident_causes"`
	Source   string         `json:"source" doc:"of source_* kinds"`
	Count    uint64         `json:"count" doc:"of source_over_cap: alerts refused; of silence_ending, window_ending and window_ended: alerts that still fire"`
	Why      []Reason       `json:"why" doc:"of incident_opened, incident_reopened and heartbeat_lost"`
}

// IncidentBrief is an incident's state in a change; its counts of alerts are the incident's own.
type IncidentBrief struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	Title    string `json:"title"`
	Severity string `json:"severity"`
	Priority uint8  `json:"priority"`
	AckedBy  string `json:"acknowledged_by"`
	Assignee string `json:"assignee"`
	Team     string `json:"team"`

	WorseAt      *time.Time `json:"worse_at" doc:"when it rang again after it had been acknowledged"`
	SnoozedUntil *time.Time `json:"snoozed_until"`
	HeldUntil    *time.Time `json:"held_until"`
	HeldFor      string     `json:"held_for"`
	Storm        string     `json:"storm" doc:"in which it opened"`
	Heartbeat    uint32     `json:"heartbeat" doc:"number of the one whose absence it is about; 0: none"`

	State        string     `json:"state" doc:"the station of its life"`
	HeldAs       string     `json:"held_as" doc:"what kind of thing it waits for"`
	MergedInto   string     `json:"merged_into"`
	Parent       string     `json:"parent"`
	CI           string     `json:"ci"`
	Impact       uint8      `json:"impact"`
	Urgency      uint8      `json:"urgency"`
	ServiceCount uint32     `json:"service_count" doc:"services that it hurts"`
	Major        bool       `json:"major" doc:"it is a major incident now"`
	NextUpdateAt *time.Time `json:"next_update_at" doc:"when those whom it hits should hear more"`
	Reported     uint32     `json:"reported" doc:"how many people report it"`
}

func incidentBrief(i *event.IncidentState) *IncidentBrief {
	out := &IncidentBrief{
		ID: i.ID.String(), Status: statusOf(i), Title: i.Title, Severity: i.Severity.String(), Priority: i.Priority,
		AckedBy: i.AckedBy, Assignee: i.Assignee, Team: i.Team, WorseAt: stamp(i.WorseAt), SnoozedUntil: stamp(i.SnoozedUntil),
		HeldUntil: stamp(i.HeldUntil), HeldFor: i.HeldFor, Storm: stormID(i.Storm), Heartbeat: i.Heartbeat,
		State: itsm.StatusOf(i), HeldAs: heldAs(i), MergedInto: incidentID(i.MergedInto), Parent: incidentID(i.Parent), CI: i.CI,
		Impact: i.Impact, Urgency: i.Urgency, ServiceCount: i.ServiceCount, Major: itsm.MajorRuns(i),
	}
	if i.Dossier != nil {
		out.Reported = i.Dossier.Reported
	}
	if out.Major {
		out.NextUpdateAt = stamp(i.Dossier.Major.NextUpdate)
	}
	return out
}

// AlertBrief is an alert's state in a change.
type AlertBrief struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Resource    string     `json:"resource"`
	State       string     `json:"state"`
	Severity    string     `json:"severity"`
	Reason      string     `json:"reason"`
	Suppressed  bool       `json:"suppressed"`
	Flapping    *Flapping  `json:"flapping,omitempty" doc:"left out: it does not change often"`
	Occurrences uint32     `json:"occurrences"`
	Incident    string     `json:"incident"`
	StartsAt    *time.Time `json:"starts_at"`
}

// CauseBrief says that what may be an incident's cause was weighed anew, or that a person judged it; the incident shows the rest.
type CauseBrief struct {
	Incident  string `json:"incident"`
	First     string `json:"first" doc:"id of the best candidate; empty: there is none"`
	Verdict   string `json:"verdict" enum:",right,wrong,other"`
	VerdictOn string `json:"verdict_on"`
}

// causeBrief shapes what was found of a cause, nil where nothing was.
func causeBrief(c *event.Causes) *CauseBrief {
	if c == nil {
		return nil
	}
	out := &CauseBrief{Incident: c.Incident.String(), Verdict: c.Verdict.String(), VerdictOn: c.VerdictOn}
	if len(c.Candidates) > 0 {
		out.First = c.Candidates[0].CI
	}
	return out
}

// change shapes ch for people. All it returns is its own memory or immutable.
func (d *Desk) change(ch *event.Change) Change {
	out := Change{ID: cursorOf(ch).String(), At: ch.At.Time(), Kind: ch.Kind.String(), Actor: d.name(ch.Actor), Count: ch.Count, Source: ch.Source.Name, Why: reasons(ch.Ledger)}
	if ch.Kind != event.RulesLoaded && ch.Kind != event.CoreStarted { // no news for people, and long
		out.Text = ch.Text
	}
	out.Text = d.namedIn(ch, out.Text)
	if i := ch.Incident; i != nil {
		out.Incident = incidentBrief(i)
		out.Incident.AckedBy, out.Incident.Assignee = d.name(i.AckedBy), d.name(i.Assignee)
	}
	if a := &ch.Alert; a.ID != 0 {
		out.Alert = &AlertBrief{
			ID: a.ID.String(), Name: a.Name, Resource: a.Resource, State: a.Phase.String(), Severity: a.Severity.String(),
			Reason: a.Reason.String(), Suppressed: a.Suppressed, Flapping: flapping(a.Flap, ch.At), Occurrences: a.Occurrences, StartsAt: stamp(a.StartsAt),
		}
		if a.Incident != 0 {
			out.Alert.Incident = a.Incident.String()
		}
	}
	if ch.Silence != nil {
		out.Silence = d.named(silence(ch.Silence, ch.At))
	}
	out.Causes = causeBrief(ch.Causes)
	ofDesk(ch, &out)
	if out.Window != nil {
		out.Window.CreatedBy, out.Window.Actor = d.name(out.Window.CreatedBy), d.name(out.Window.Actor)
	}
	if out.Handover != nil {
		out.Handover.Author = d.name(out.Handover.Author)
	}
	d.ofConfiguration(ch, &out)
	return out
}

// namedIn puts the name of the person with whom a text of the core begins in place of the id: the core knows no names.
func (d *Desk) namedIn(ch *event.Change, text string) string {
	switch ch.Kind {
	case event.IncidentWatched:
		if who, rest, ok := strings.Cut(text, " watches it"); ok {
			return d.name(who) + " watches it" + rest
		}
	case event.IncidentReported:
		if rest, ok := strings.CutPrefix(text, latestCaller(ch.Incident)); ok {
			return d.name(latestCaller(ch.Incident)) + rest
		}
	default:
	}
	return text
}

// latestCaller returns whom the latest report of an incident is of.
func latestCaller(i *event.IncidentState) string {
	if i == nil || i.Dossier == nil || len(i.Dossier.Reports) == 0 {
		return ""
	}
	return i.Dossier.Reports[len(i.Dossier.Reports)-1].Caller
}

// ofDesk adds what is neither an incident's nor an alert's.
func ofDesk(ch *event.Change, out *Change) {
	if ch.Window != nil {
		out.Window = new(windowOf(ch.Window, ch.At))
	}
	if ch.Storm != nil {
		out.Storm = new(storm(ch.Storm))
	}
	if ch.Beat != nil {
		out.Beat = new(heartbeat(ch.Beat))
	}
	if ch.Handover != nil {
		out.Handover = new(handoverNote(ch.Handover))
	}
}

// Timeline is one page of an incident's history, oldest first.
type Timeline struct {
	Entries    []Change `json:"entries"`
	Total      int      `json:"total" doc:"on all pages"`
	NextCursor string   `json:"next_cursor" doc:"empty on the last page"`
}

// Timeline returns an incident's changes and its alerts'.
func (d *Desk) Timeline(ctx context.Context, incident string, p Paging) (*Timeline, error) {
	_, i, err := d.find(ctx, incident)
	if err != nil {
		return nil, err
	}
	var after engine.Cursor
	if p.Cursor != "" {
		if after, err = engine.ParseCursor(p.Cursor); err != nil {
			return nil, invalid("the cursor does not belong to this list", "start without one")
		}
	}
	entries, total, more, err := d.engine.Timeline(ctx, i.ID, after, p.Limit)
	if err != nil {
		return nil, failure(err)
	}
	out := &Timeline{Entries: make([]Change, len(entries)), Total: total}
	for n := range entries {
		out.Entries[n] = d.change(&entries[n])
	}
	if more && len(entries) > 0 {
		out.NextCursor = cursorOf(&entries[len(entries)-1]).String()
	}
	return out, nil
}

// Latest returns the last n entries of an incident's timeline, newest first, and how many came before them.
func (d *Desk) Latest(ctx context.Context, incident string, n int) (entries []Change, earlier int, err error) {
	_, i, err := d.find(ctx, incident)
	if err != nil {
		return nil, 0, err
	}
	all, total, _, err := d.engine.Timeline(ctx, i.ID, engine.Cursor{}, maxDecisions)
	if err != nil {
		return nil, 0, failure(err)
	}
	all = all[max(0, len(all)-n):]
	for k := len(all) - 1; k >= 0; k-- {
		entries = append(entries, d.change(&all[k]))
	}
	return entries, total - len(all), nil
}
