package api

import (
	"context"
	"time"

	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/event"
)

// Change is one decision as the stream and timelines show it: what happened, and the state after it.
type Change struct {
	ID       string         `json:"id" doc:"shard.seq.n; resume the stream after it" example:"0.17.3"`
	At       time.Time      `json:"at"`
	Kind     string         `json:"kind" example:"incident_opened"`
	Actor    string         `json:"actor" doc:"who asked for it; empty: the machine"`
	Text     string         `json:"text" doc:"text of a note, reason of a resolution"`
	Incident *IncidentBrief `json:"incident,omitempty" doc:"of incident_* kinds"`
	Alert    *AlertBrief    `json:"alert,omitempty" doc:"of alert_* kinds"`
	Silence  *Silence       `json:"silence,omitempty" doc:"of silence_* kinds"`
	Source   string         `json:"source" doc:"of source_* kinds"`
	Count    uint64         `json:"count" doc:"of source_over_cap: alerts refused"`
	Why      []Reason       `json:"why" doc:"of incident_opened and incident_reopened"`
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
	Occurrences uint32     `json:"occurrences"`
	Incident    string     `json:"incident"`
	StartsAt    *time.Time `json:"starts_at"`
}

// change shapes ch for people. All it returns is its own memory or immutable.
func (d *Desk) change(ch *event.Change) Change {
	out := Change{ID: cursorOf(ch).String(), At: ch.At.Time(), Kind: ch.Kind.String(), Actor: ch.Actor, Count: ch.Count, Source: ch.Source.Name, Why: reasons(ch.Ledger)}
	if ch.Kind != event.RulesLoaded && ch.Kind != event.CoreStarted { // no news for people, and long
		out.Text = ch.Text
	}
	if i := ch.Incident; i != nil {
		out.Incident = &IncidentBrief{i.ID.String(), statusOf(i), i.Title, i.Severity.String(), i.Priority, i.AckedBy, i.Assignee, i.Team}
	}
	if a := &ch.Alert; a.ID != 0 {
		out.Alert = &AlertBrief{
			ID: a.ID.String(), Name: a.Name, Resource: a.Resource, State: a.Phase.String(), Severity: a.Severity.String(),
			Reason: a.Reason.String(), Suppressed: a.Suppressed, Occurrences: a.Occurrences, StartsAt: stamp(a.StartsAt),
		}
		if a.Incident != 0 {
			out.Alert.Incident = a.Incident.String()
		}
	}
	if ch.Silence != nil {
		out.Silence = new(silence(ch.Silence, ch.At))
	}
	return out
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
