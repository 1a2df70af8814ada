package dashboards

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/tocsin-noc/tocsin/api"
)

const (
	pageSize     = 100 // incidents
	alertsShown  = 200
	entriesShown = 100
)

// tab is one way to look at the list.
type tab struct{ Name, Status, Sort string }

func tabs() []tab {
	return []tab{{"Open", "open", "priority"}, {"Unacknowledged", "unacknowledged", "priority"}, {"Resolved", "resolved", "-updated"}, {"All", "all", "-opened_at"}}
}

// listPage is the list of incidents.
type listPage struct {
	page
	*api.IncidentList
	Tabs    []tab
	Tab     tab
	Q       string
	Next    string // query of the next page, "" on the last
	Sources []api.Source
	Blind   []api.Heartbeat // that are lost
	Storms  []api.Storm     // that last
	Curl    string          // how to send the first alert; "" when alerts have come
}

func (c *Console) serveList(w http.ResponseWriter, r *http.Request) {
	ctx, params := r.Context(), r.URL.Query()
	p := listPage{page: c.page(r, "Incidents"), Tabs: tabs(), Q: params.Get("q")}
	p.Tab = p.Tabs[0]
	for _, t := range p.Tabs {
		if params.Has("status") && t.Status == params.Get("status") {
			p.Tab = t
		}
	}
	q := &api.IncidentQuery{Q: p.Q, Sort: p.Tab.Sort, Paging: api.Paging{Limit: pageSize, Cursor: params.Get("cursor")}}
	q.Status = []string{p.Tab.Status}
	var err error
	if p.IncidentList, err = c.Desk.Incidents(ctx, q); err != nil {
		c.fail(w, r, err)
		return
	}
	sources, err := c.Desk.Sources(ctx, nil)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	p.Sources = sources.Sources
	if p.Blind, p.Storms, err = c.banners(r); err != nil {
		c.fail(w, r, err)
		return
	}
	if p.NextCursor != "" {
		next := url.Values{"status": {p.Tab.Status}, "q": {p.Q}, "cursor": {p.NextCursor}}
		if p.Asked != "" {
			next.Set("tenant", p.Asked)
		}
		p.Next = next.Encode()
	}
	if len(p.Sources) == 0 {
		p.Curl = c.curl(r)
	}
	c.render(w, http.StatusOK, c.list, p)
}

// banners returns what everybody must know: which senders are silent, and the storm that lasts.
func (c *Console) banners(r *http.Request) (blind []api.Heartbeat, storms []api.Storm, err error) {
	beats, err := c.Desk.Heartbeats(r.Context())
	if err != nil {
		return nil, nil, err
	}
	for _, b := range beats.Heartbeats {
		if b.LostAt != nil {
			blind = append(blind, b)
		}
	}
	all, err := c.Desk.Storms(r.Context())
	if err != nil {
		return nil, nil, err
	}
	for _, s := range all.Storms {
		if s.EndedAt == nil {
			storms = append(storms, s)
		}
	}
	return blind, storms, nil
}

// curl returns the line that sends a first alert. The address is the one the reader uses; the guard has checked its host.
func (c *Console) curl(r *http.Request) string {
	base := strings.TrimRight(c.ExternalURL, "/")
	if base == "" {
		base = "http://" + r.Host + c.RoutePrefix
		if r.TLS != nil {
			base = "https://" + r.Host + c.RoutePrefix
		}
	}
	return `curl -H 'Content-Type: application/json' -d '[{"labels":{"alertname":"FirstAlert","severity":"critical","instance":"db-3"},` +
		`"annotations":{"summary":"the disk is full"}}]' ` + base + `/api/v2/alerts`
}

// incidentPage is one incident.
type incidentPage struct {
	page
	*api.Incident
	Why      *api.Why
	Alerts   *api.AlertList
	Timeline []api.Change
	Earlier  int    // entries of the timeline that are not shown
	From     string // the incident that was asked for, where it went into this one
}

// maxHops bounds how far a page goes after an incident that was merged, and the one it went into was merged …
const maxHops = 10

func (c *Console) serveIncident(w http.ResponseWriter, r *http.Request) {
	ctx, id := r.Context(), r.PathValue("id")
	p := incidentPage{page: c.page(r, "")}
	var err error
	if p.Incident, err = c.Desk.Incident(ctx, id); err != nil {
		c.fail(w, r, err)
		return
	}
	for hops := 0; p.MergedInto != "" && !r.URL.Query().Has("itself") && hops < maxHops; hops++ {
		p.From, id = r.PathValue("id"), p.MergedInto
		if p.Incident, err = c.Desk.Incident(ctx, id); err != nil {
			c.fail(w, r, err)
			return
		}
	}
	p.Heading = p.ID + " " + p.Title
	if p.Why, err = c.Desk.Why(ctx, id, false); err != nil {
		c.fail(w, r, err)
		return
	}
	if p.Alerts, err = c.Desk.Members(ctx, id, api.Paging{Limit: alertsShown}); err != nil {
		c.fail(w, r, err)
		return
	}
	if p.Timeline, p.Earlier, err = c.Desk.Latest(ctx, id, entriesShown); err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, http.StatusOK, c.incident, p)
}
