package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/alertmanager/matcher/parse"
	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/history/lookup"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// SimilarQuery is how the like of an incident is asked for.
type SimilarQuery struct {
	ID     string `path:"id" maxLength:"64" doc:"42 or INC-42; with origin: the number that the other system gave" example:"INC-42"`
	Origin string `query:"origin" maxLength:"64" doc:"name of the import that brought the incident; without it: Tocsin's own"`
	Days   int    `query:"days" default:"400" minimum:"1" maximum:"3650" doc:"to look back from its opening"`
	Limit  int    `query:"limit" default:"10" minimum:"1" maximum:"100"`
}

// SimilarIncidents are incidents of the past that were like one, the likest first.
type SimilarIncidents struct {
	Incident  string            `json:"incident"`
	Tenant    string            `json:"tenant"`
	Title     string            `json:"title"`
	CI        string            `json:"ci"`
	Alert     string            `json:"alert" doc:"what opened it; of an import what kind of trouble it was"`
	Signature SimilarCount      `json:"same_trouble" doc:"the same trouble on the same item"`
	Item      SimilarCount      `json:"same_item" doc:"anything on the same item"`
	Name      SimilarCount      `json:"same_alert" doc:"the same trouble anywhere"`
	Total     int               `json:"total" doc:"incidents that are like it in any of these"`
	Incidents []SimilarIncident `json:"incidents"`
}

// SimilarCount is how often something happened before an incident.
type SimilarCount struct {
	Days90 int        `json:"in_90_days"`
	All    int        `json:"in_days" doc:"in the days that were asked for"`
	LastAt *time.Time `json:"last_at"`
}

// SimilarIncident is an incident of the past.
type SimilarIncident struct {
	Incident   string     `json:"incident"`
	Origin     string     `json:"origin" doc:"name of the import that brought it; empty: Tocsin's own"`
	Tenant     string     `json:"tenant"`
	Title      string     `json:"title"`
	Phase      string     `json:"phase" enum:"open,resolved,closed"`
	Priority   uint8      `json:"priority"`
	CI         string     `json:"ci"`
	Team       string     `json:"team"`
	OpenedAt   time.Time  `json:"opened_at"`
	ResolvedAt *time.Time `json:"resolved_at"`
	Seconds    *float64   `json:"seconds" doc:"from opening to resolving; null: it is open, or nobody knows"`
	ResolvedBy string     `json:"resolved_by" doc:"empty: it resolved by itself"`
	How        string     `json:"how" doc:"what was said when it was resolved or closed"`
	Same       []string   `json:"same" doc:"trouble: the same on the same item; item; alert: the same trouble elsewhere"`
}

// CITimelineQuery is how the history of an item is asked for.
type CITimelineQuery struct {
	CIPath
	From  time.Time `query:"from" doc:"30 days before to, if not given"`
	To    time.Time `query:"to" doc:"now, if not given"`
	Limit int       `query:"limit" default:"500" minimum:"1" maximum:"5000"`
}

// CITimeline is what happened to an item, oldest first.
type CITimeline struct {
	CI      string            `json:"ci"`
	From    time.Time         `json:"from"`
	To      time.Time         `json:"to"`
	Total   int               `json:"total" doc:"entries in this time; when there are more than the limit, the latest are shown"`
	Entries []CITimelineEntry `json:"entries"`
}

// CITimelineEntry is one thing that happened to an item.
type CITimelineEntry struct {
	Kind     string     `json:"kind" enum:"alert,incident,outage,change,window"`
	Tenant   string     `json:"tenant"`
	At       time.Time  `json:"at"`
	Until    *time.Time `json:"until" doc:"null: it goes on, or has no length"`
	Ref      string     `json:"ref" doc:"of the incident, outage, alert or window" example:"INC-42"`
	Origin   string     `json:"origin" doc:"of imported incidents: name of the import"`
	Title    string     `json:"title"`
	Severity string     `json:"severity" doc:"of alerts"`
	Priority uint8      `json:"priority" doc:"of incidents; 0: it has none"`
	State    string     `json:"state" doc:"as of the end of the time"`
	Incident string     `json:"incident" doc:"that an alert was in"`
	By       string     `json:"by" doc:"who resolved, confirmed or changed it"`
}

// AlertHistoryQuery is which alerts are looked for in the history.
type AlertHistoryQuery struct {
	Match []string  `query:"match,explode" doc:"matchers over labels, as Alertmanager writes them; all must match" example:"{alertname=\"DiskFull\",env=~\"p.*\"}"`
	From  time.Time `query:"from" doc:"began to fire then or later; 7 days before to, if not given"`
	To    time.Time `query:"to" doc:"and before then; now, if not given"`
	CI    string    `query:"ci" maxLength:"512" doc:"bound to this item"`
	Phase string    `query:"phase" enum:"firing,cleared,expired" doc:"how it stood at the end of the time"`
	Limit int       `query:"limit" default:"100" minimum:"1" maximum:"10000"`
}

// AlertHistory are the times that alerts fired, the latest first.
type AlertHistory struct {
	From   time.Time         `json:"from"`
	To     time.Time         `json:"to"`
	Total  int               `json:"total"`
	Alerts []AlertOccurrence `json:"alerts"`
}

// AlertOccurrence is one time that an alert fired.
type AlertOccurrence struct {
	ID         string            `json:"id" doc:"of the alert; it may be gone from memory"`
	Tenant     string            `json:"tenant"`
	Source     string            `json:"source"`
	Name       string            `json:"name"`
	Resource   string            `json:"resource"`
	Labels     map[string]string `json:"labels"`
	CI         string            `json:"ci"`
	Severity   string            `json:"severity" doc:"the worst that it had"`
	Phase      string            `json:"phase" enum:"firing,cleared,expired"`
	Occurrence uint32            `json:"occurrence" doc:"how often the alert has fired, this time included"`
	FiringAt   time.Time         `json:"firing_at" doc:"when it arrived"`
	StartedAt  *time.Time        `json:"started_at" doc:"as the sender says"`
	EndedAt    *time.Time        `json:"ended_at"`
	Incident   string            `json:"incident"`
	Quiet      []string          `json:"quiet" doc:"what kept it from ringing when it began"`
}

const (
	timelineDays = 30
	alertDays    = 7
)

// lookupRoutes adds the operator's questions to the history.
func (s *server) lookupRoutes(sp *spec) {
	if s.History == nil {
		return
	}
	add(sp, route{method: "GET", path: "/incidents/{id}/similar", role: auth.Viewer, tag: "incidents", summary: "Find incidents of the past that were like this one"}, s.similar)
	add(sp, route{method: "GET", path: "/cis/{id}/timeline", role: auth.Viewer, tag: "cmdb", summary: "Show what happened to a configuration item, oldest first"}, s.itemTimeline)
	add(sp, route{method: "GET", path: "/history/alerts", role: auth.Viewer, tag: "alerts", summary: "Search the alerts of the past"}, s.alertHistory)
}

// similar finds the like of an incident that the caller may see.
func (s *server) similar(ctx context.Context, in *SimilarQuery) (*SimilarIncidents, error) {
	ask := lookup.SimilarAsk{Tenant: auth.FromContext(ctx).Tenant, Origin: in.Origin, Number: in.ID, Days: in.Days, Limit: in.Limit}
	if in.Origin == "" {
		_, i, err := s.desk.find(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		ask.Number, ask.Tenant = i.ID.String(), i.Tenant
	}
	found, err := lookup.FindSimilar(ctx, s.History, ask)
	switch {
	case errors.Is(err, lookup.ErrUnknown) && in.Origin != "":
		return nil, notFound("incident " + in.ID + " of the import " + in.Origin)
	case errors.Is(err, lookup.ErrUnknown):
		return nil, &auth.Problem{Status: http.StatusServiceUnavailable, Code: "not_yet", Detail: ask.Number + " is not in the history yet", Hint: "try again in a moment; `tocsin history status` shows how far the history is", RetryAfter: 2 * time.Second}
	case err != nil:
		return nil, historyFailure(err)
	}
	out := &SimilarIncidents{
		Incident: found.Number, Tenant: found.Tenant, Title: found.Title, CI: found.CI, Alert: found.Alert, Total: found.Total,
		Signature: SimilarCount(found.Signature), Item: SimilarCount(found.Item), Name: SimilarCount(found.Name), Incidents: []SimilarIncident{},
	}
	for i := range found.Incidents {
		out.Incidents = append(out.Incidents, s.similarIncident(&found.Incidents[i]))
	}
	return out, nil
}

func (s *server) similarIncident(p *lookup.Past) SimilarIncident {
	out := SimilarIncident{
		Incident: p.Number, Origin: p.Origin, Tenant: p.Tenant, Title: p.Title, Phase: p.Phase, Priority: p.Priority, CI: p.CI, Team: p.Team, OpenedAt: p.OpenedAt,
		ResolvedAt: p.ResolvedAt, ResolvedBy: s.desk.name(p.ResolvedBy), How: p.How, Same: []string{},
	}
	if p.ResolvedAt != nil {
		out.Seconds = new(p.ResolvedAt.Sub(p.OpenedAt).Seconds())
	}
	for word, same := range map[string]bool{"trouble": p.SameSignature, "item": p.SameItem, "alert": p.SameName} {
		if same {
			out.Same = append(out.Same, word)
		}
	}
	slices.Sort(out.Same)
	return out
}

// period fills in what was left out of a time, and refuses one that is none.
func (s *server) period(from, to time.Time, days int) (time.Time, time.Time, error) {
	if to.IsZero() {
		to = s.desk.now().Time()
	}
	if from.IsZero() {
		from = to.AddDate(0, 0, -days)
	}
	if !from.Before(to) {
		return from, to, invalid("from: must be before to", "leave to out for now")
	}
	return from.UTC(), to.UTC(), nil
}

// itemTimeline tells what happened to an item that the caller may see, also to one that is gone from memory.
func (s *server) itemTimeline(ctx context.Context, in *CITimelineQuery) (*CITimeline, error) {
	from, to, err := s.period(in.From, in.To, timelineDays)
	if err != nil {
		return nil, err
	}
	c, err := s.desk.configuration(ctx)
	if err != nil {
		return nil, err
	}
	tenant := auth.FromContext(ctx).Tenant
	slot, unknown := c.slot(in.ID)
	if unknown == nil {
		ci := c.State(slot)
		tenant = ci.Tenant
	}
	found, err := lookup.ItemHistory(ctx, s.History, lookup.TimelineAsk{Tenant: tenant, CI: in.ID, From: from, To: to, Windows: windowsOver(c, tenant, in.ID), Limit: in.Limit})
	switch {
	case err != nil:
		return nil, historyFailure(err)
	case unknown != nil && found.Total == 0:
		return nil, unknown
	}
	out := &CITimeline{CI: in.ID, From: from, To: to, Total: found.Total, Entries: []CITimelineEntry{}}
	for i := range found.Entries {
		out.Entries = append(out.Entries, s.timelineEntry(&found.Entries[i]))
	}
	return out, nil
}

// windowsOver lists the maintenance windows that name an item.
func windowsOver(c configuration, tenant, ci string) (ids []string) {
	for w := range c.v.Windows(tenant) {
		if slices.Contains(w.CIs, ci) {
			ids = append(ids, w.ID)
		}
	}
	return ids
}

func (s *server) timelineEntry(e *lookup.Entry) CITimelineEntry {
	out := CITimelineEntry{
		Kind: e.Kind, Tenant: e.Tenant, At: e.At, Until: e.Until, Ref: e.Ref, Origin: e.Origin, Title: e.Title, State: e.State, By: s.desk.name(e.Actor), Incident: incidentNumber(e.Incident),
	}
	switch e.Kind {
	case "alert":
		out.Severity = event.Severity(e.Severity).String()
	case "incident":
		out.Priority = e.Severity
	}
	return out
}

func incidentNumber(n uint64) string {
	if n == 0 {
		return ""
	}
	return event.IncidentID(n).String()
}

// alertHistory looks for alerts of the past.
func (s *server) alertHistory(ctx context.Context, in *AlertHistoryQuery) (*AlertHistory, error) {
	from, to, err := s.period(in.From, in.To, alertDays)
	if err != nil {
		return nil, err
	}
	ms, err := parseMatch(in.Match)
	if err != nil {
		return nil, err
	}
	found, err := lookup.FindAlerts(ctx, s.History, lookup.AlertsAsk{
		Tenant: auth.FromContext(ctx).Tenant, Matchers: ms, From: from, To: to, CI: in.CI, Phase: in.Phase, Limit: in.Limit,
	})
	if err != nil {
		return nil, historyFailure(err)
	}
	out := &AlertHistory{From: from, To: to, Total: found.Total, Alerts: []AlertOccurrence{}}
	for _, o := range found.List {
		out.Alerts = append(out.Alerts, AlertOccurrence{
			ID: event.AlertID(o.Alert).String(), Tenant: o.Tenant, Source: o.Source, Name: o.Name, Resource: o.Resource, Labels: o.Labels, CI: o.CI,
			Severity: event.Severity(o.Severity).String(), Phase: o.Phase, Occurrence: o.Occurrence, FiringAt: o.FiringAt, StartedAt: o.StartedAt, EndedAt: o.EndedAt,
			Incident: incidentNumber(o.Incident), Quiet: append([]string{}, o.Quiet...),
		})
	}
	return out, nil
}

// parseMatch reads match= parameters, each one matcher or several in braces.
func parseMatch(texts []string) (labels.Matchers, error) {
	var all labels.Matchers
	for _, text := range texts {
		ms, err := parse.Matchers(text)
		if err != nil {
			return nil, invalid("match: "+err.Error(), `as in {alertname="DiskFull",env=~"p.*"}`)
		}
		all = append(all, ms...)
	}
	if len(all) > lookup.MaxMatchers {
		return nil, invalid("match: too many matchers", "ask for less at a time")
	}
	return all, nil
}
