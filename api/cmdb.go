package api

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
	"github.com/tocsin-noc/tocsin/itsm"
)

// CI is a configuration item as the API shows it. A service is one of class service.
type CI struct {
	ID         string            `json:"id" example:"db-3"`
	Tenant     string            `json:"tenant"`
	Class      string            `json:"class" example:"host"`
	Name       string            `json:"name" doc:"as people and alerts know it"`
	State      string            `json:"state" enum:"ordered,live,maintenance,retired,discovered"`
	Status     string            `json:"status" enum:"up,degraded,down,none" doc:"none: it is not in use, or the answer is about another time"`
	Failing    int32             `json:"failing" doc:"alerts on it that say that it does not work"`
	Needs      uint16            `json:"needs" doc:"how many of its members must be up for it to be up; 0 counts as 1"`
	Attributes map[string]string `json:"attributes"`
	Source     string            `json:"source" doc:"who told of it first: an import, people, or alerts"`
	Confidence uint8             `json:"confidence" doc:"percent"`
	Pinned     []string          `json:"pinned" doc:"fields that a person set; imports leave them alone"`
	ValidFrom  time.Time         `json:"valid_from" doc:"since when this holds"`
	KnownAt    time.Time         `json:"known_at" doc:"since when Tocsin knows"`
}

// CIRelation is one arrow between two configuration items.
type CIRelation struct {
	Kind   string `json:"kind" enum:"depends_on,hosted_on,part_of,connects_to,backs_up"`
	ID     string `json:"id" doc:"of the other one"`
	Class  string `json:"class" doc:"of the other one; empty: nothing is known of it"`
	Name   string `json:"name"`
	Status string `json:"status" enum:"up,degraded,down,none"`
	Source string `json:"source" doc:"who says so; empty where the other one says it"`
}

// BoundAlert is an alert that fires on a configuration item.
type BoundAlert struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Severity string `json:"severity"`
	Incident string `json:"incident" doc:"empty: in none"`
	Bound    string `json:"bound" enum:"id,label,discovered" doc:"how it was bound"`
	Label    string `json:"label" doc:"whose value names the item"`
}

// IncidentName names an incident.
type IncidentName struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Priority uint8  `json:"priority"`
	Status   string `json:"status"`
}

// HurtService is a service that is degraded or down while a configuration item fails.
type HurtService struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Status      string `json:"status" enum:"degraded,down"`
	Criticality uint8  `json:"criticality" doc:"1 is the greatest"`
	Hops        uint32 `json:"hops" doc:"0: it is the item itself"`
}

// CIDetail is a configuration item with all that hangs on it. Of another time it holds the facts and the relations alone.
type CIDetail struct {
	CI
	Relations    []CIRelation   `json:"relations" doc:"that it has"`
	Incoming     []CIRelation   `json:"incoming" doc:"that others have to it, at most 1,000"`
	IncomingMore bool           `json:"incoming_more" doc:"there are others"`
	Alerts       []BoundAlert   `json:"alerts" doc:"that fire on it, the worst first, at most 100"`
	AlertCount   uint32         `json:"alert_count" doc:"bound to it in memory, of any state"`
	Incidents    []IncidentName `json:"incidents" doc:"open ones that it is in, at most 100"`
	Services     []HurtService  `json:"services" doc:"that are hurt while it fails, the most critical first"`
	Versions     int            `json:"versions" doc:"statements about it in memory"`
}

// CIMoment asks for a configuration item as it was known to be.
type CIMoment struct {
	Valid time.Time `query:"valid" doc:"as it was then, as in 2026-11-21T03:00:00Z; now, if neither is given"`
	Known time.Time `query:"known" doc:"as was known then; now, if not given"`
}

const (
	maxIncoming    = 1000
	maxBoundAlerts = 100
)

// moment returns what the query means at now. What is asked for as known at a time is about that time, unless it says otherwise.
func (m CIMoment) moment(now event.Time) (valid, known event.Time, past bool, err error) {
	if m.Valid.IsZero() && m.Known.IsZero() {
		return now, now, false, nil
	}
	valid, known = event.FromTime(m.Valid), event.FromTime(m.Known)
	if m.Known.IsZero() {
		known = now
	}
	if m.Valid.IsZero() {
		valid = min(known, now)
	}
	if known > now {
		return 0, 0, false, invalid("known: nobody knows yet what will be known then", "give a time that is past; valid may lie ahead")
	}
	return valid, known, true, nil
}

// configuration is a view's CMDB as a tenant sees it.
type configuration struct {
	*itsm.CMDBView
	v      *correlate.View
	tenant string
}

func (d *Desk) configuration(ctx context.Context) (configuration, error) {
	v, err := d.engine.View(ctx)
	if err != nil {
		return configuration{}, failure(err)
	}
	return configuration{v.CMDB(), v, auth.FromContext(ctx).Tenant}, nil
}

// slot finds an item. A provider, who looks into all tenants, gets the first of that ID.
func (c configuration) slot(id string) (uint32, error) {
	if slot := c.Find(c.tenant, id); slot != 0 {
		return slot, nil
	}
	if c.tenant == event.AllTenants {
		for slot := range c.Slots() {
			if c.ID(slot) == id {
				return slot, nil
			}
		}
	}
	return 0, notFound("configuration item " + strconv.Quote(id))
}

// ours yields the tenant's items.
func (c configuration) ours(yield func(slot uint32, ci event.CI) bool) {
	for slot := range c.Slots() {
		if ci := c.State(slot); event.InTenant(c.tenant, ci.Tenant) && !yield(slot, ci) {
			return
		}
	}
}

func inUse(s event.CIState) bool {
	return s == event.CILive || s == event.CIMaintenance || s == event.CIDiscovered
}

func (c configuration) status(slot uint32, s event.CIState) string {
	if !inUse(s) {
		return "none"
	}
	return c.Status(slot).String()
}

// now shapes an item as it is now.
func (c configuration) now(slot uint32, ci *event.CI) CI {
	out := ciFacts(ci)
	out.Status, out.Failing = c.status(slot, ci.State), c.Failing(slot)
	return out
}

// ciFacts shapes what was said of an item.
func ciFacts(ci *event.CI) CI {
	return CI{
		ID: ci.ID, Tenant: ci.Tenant, Class: ci.Class, Name: ci.Name, State: ci.State.String(), Status: "none", Needs: ci.Needs,
		Attributes: ci.Attributes.Map(), Source: ci.Source, Confidence: ci.Confidence, Pinned: append([]string{}, ci.Pinned...),
		ValidFrom: ci.ValidFrom.Time(), KnownAt: ci.KnownAt.Time(),
	}
}

// other shapes a relation by its other end, which may be known by its ID alone.
func (c configuration) other(kind event.RelationKind, tenant, id, source string) CIRelation {
	out := CIRelation{Kind: kind.String(), ID: id, Status: "none", Source: source}
	if slot := c.Find(tenant, id); slot != 0 {
		ci := c.State(slot)
		out.Class, out.Name, out.Status = ci.Class, ci.Name, c.status(slot, ci.State)
	}
	return out
}

// relations shapes those that an item has.
func (c configuration) relations(ci *event.CI) []CIRelation {
	out := make([]CIRelation, 0, len(ci.Relations))
	for _, r := range ci.Relations {
		out = append(out, c.other(r.Kind, ci.Tenant, r.To, r.Source))
	}
	return out
}

// CI returns a configuration item of ctx's tenant, as it is now or was known to be.
func (d *Desk) CI(ctx context.Context, id string, m CIMoment) (*CIDetail, error) {
	c, err := d.configuration(ctx)
	if err != nil {
		return nil, err
	}
	slot, err := c.slot(id)
	if err != nil {
		return nil, err
	}
	ci := c.State(slot)
	valid, known, past, err := m.moment(d.now())
	if err != nil {
		return nil, err
	}
	out := &CIDetail{Alerts: []BoundAlert{}, Incidents: []IncidentName{}, Services: []HurtService{}, Versions: c.Said(slot)}
	if past {
		return out, c.fillThen(out, &ci, valid, known)
	}
	out.CI, out.Relations, out.AlertCount = c.now(slot, &ci), c.relations(&ci), c.v.AlertsOf(slot)
	from, more := c.Into(slot, maxIncoming)
	out.Incoming, out.IncomingMore = make([]CIRelation, 0, len(from)), more
	for _, n := range from {
		out.Incoming = append(out.Incoming, c.other(n.Kind, ci.Tenant, c.ID(n.Slot), ""))
	}
	in := map[event.IncidentID]bool{}
	if out.AlertCount > 0 {
		out.Alerts = c.alerts(&ci, in)
	}
	out.Incidents = c.incidents(&ci, in)
	out.Services = c.hurt(slot)
	return out, nil
}

// fillThen fills in an item as it was known to be at another time.
func (c configuration) fillThen(out *CIDetail, ci *event.CI, valid, known event.Time) error {
	then, ok := c.AsOf(ci.Tenant, ci.ID, valid, known)
	if !ok {
		return nothingThen(ci.ID)
	}
	out.CI, out.Relations, out.Incoming = ciFacts(&then), make([]CIRelation, 0, len(then.Relations)), []CIRelation{}
	side := func(kind event.RelationKind, id, source string) CIRelation {
		r := CIRelation{Kind: kind.String(), ID: id, Status: "none", Source: source}
		if was, ok := c.AsOf(ci.Tenant, id, valid, known); ok {
			r.Class, r.Name = was.Class, was.Name
		}
		return r
	}
	for _, r := range then.Relations {
		out.Relations = append(out.Relations, side(r.Kind, r.To, r.Source))
	}
	for other := range c.All(ci.Tenant) {
		was, ok := c.AsOf(ci.Tenant, other.ID, valid, known)
		if !ok {
			continue
		}
		for _, r := range was.Relations {
			if out.IncomingMore = len(out.Incoming) == maxIncoming; r.To == ci.ID && !out.IncomingMore {
				out.Incoming = append(out.Incoming, side(r.Kind, other.ID, r.Source))
			}
		}
		if out.IncomingMore {
			break
		}
	}
	return nil
}

func nothingThen(id string) error {
	p := notFound("statement about " + strconv.Quote(id) + " that was known and held then")
	p.Hint = "what was replaced leaves memory after 30 days; GET /api/v1/cis/{id}/versions lists what is there"
	return p
}

// alerts returns those that fire on an item, and notes in which incidents.
func (c configuration) alerts(ci *event.CI, in map[event.IncidentID]bool) []BoundAlert {
	type bound struct {
		rank rank
		BoundAlert
	}
	var all []bound
	for a := range c.v.Alerts() {
		id, how, label := a.CI()
		if id != ci.ID || a.Phase() != event.Firing || a.Tenant() != ci.Tenant {
			continue
		}
		if a.Incident() != 0 {
			in[a.Incident()] = true
		}
		all = append(all, bound{alertRank(a), BoundAlert{
			ID: a.ID().String(), Name: a.Label("alertname"), Severity: a.Severity().String(), Incident: incidentID(a.Incident()), Bound: how.String(), Label: label,
		}})
	}
	slices.SortFunc(all, func(a, b bound) int { return a.rank.compare(b.rank) })
	out := make([]BoundAlert, 0, len(all))
	for _, a := range all[:min(len(all), maxBoundAlerts)] {
		out = append(out, a.BoundAlert)
	}
	return out
}

// incidents returns the open ones that an item is in: by its alerts, because they are about it, or as a service that is hurt.
func (c configuration) incidents(ci *event.CI, in map[event.IncidentID]bool) []IncidentName {
	out := []IncidentName{}
	for i := range c.v.Incidents() {
		if i.Phase != event.IncidentOpen || i.Tenant != ci.Tenant || len(out) == maxBoundAlerts {
			continue
		}
		if in[i.ID] || i.CI == ci.ID || hurts(&i.IncidentState, ci.ID) {
			out = append(out, IncidentName{i.ID.String(), i.Title, i.Priority, statusOf(&i.IncidentState)})
		}
	}
	slices.SortStableFunc(out, func(a, b IncidentName) int { return cmp.Compare(a.Priority, b.Priority) })
	return out
}

func hurts(i *event.IncidentState, service string) bool {
	return slices.ContainsFunc(i.Services, func(a event.Affected) bool { return a.Service == service })
}

func (c configuration) hurt(slot uint32) []HurtService {
	hits := c.ServicesOver([]uint32{slot})
	out := make([]HurtService, 0, len(hits))
	for _, h := range hits {
		out = append(out, HurtService{h.ID, c.State(h.Slot).Name, h.Status.String(), h.Criticality, h.Hops})
	}
	return out
}

// CIVersion is what was said of a configuration item at one time.
type CIVersion struct {
	CI
	Relations []CIRelation `json:"relations"`
	Holds     bool         `json:"holds" doc:"this is what holds now"`
	Planned   bool         `json:"planned" doc:"its time has not come"`
	Changes   []CIField    `json:"changes" doc:"in which fields it differs from the version before it in the list"`
}

// CIField is one field in which two statements about a configuration item differ.
type CIField struct {
	Field string `json:"field" example:"attributes.owner" doc:"of a relation: relations.KIND.ID"`
	From  string `json:"from" doc:"empty: nothing"`
	To    string `json:"to" doc:"empty: nothing; of a relation: who says so"`
}

// CIVersions is all that is in memory of what was said of a configuration item, in that order.
type CIVersions struct {
	Versions []CIVersion `json:"versions"`
}

// CIVersions returns what was said of a configuration item of ctx's tenant.
func (d *Desk) CIVersions(ctx context.Context, id string) (*CIVersions, error) {
	c, err := d.configuration(ctx)
	if err != nil {
		return nil, err
	}
	slot, err := c.slot(id)
	if err != nil {
		return nil, err
	}
	now := c.State(slot)
	all := c.CMDBView.Versions(now.Tenant, id)
	out := &CIVersions{make([]CIVersion, len(all))}
	for i := range all {
		before := &event.CI{}
		if i > 0 {
			before = &all[i-1]
		}
		version := CIVersion{CI: ciFacts(&all[i]), Relations: []CIRelation{}, Changes: ciFields(itsm.Diff(before, &all[i]))}
		for _, r := range all[i].Relations {
			version.Relations = append(version.Relations, CIRelation{Kind: r.Kind.String(), ID: r.To, Status: "none", Source: r.Source})
		}
		version.Planned = all[i].ValidFrom > d.now()
		version.Holds = all[i].ValidFrom == now.ValidFrom && all[i].KnownAt == now.KnownAt && !version.Planned
		out.Versions[i] = version
	}
	return out, nil
}

func ciFields(diff []itsm.FieldDiff) []CIField {
	out := make([]CIField, len(diff))
	for i, f := range diff {
		out[i] = CIField(f)
	}
	return out
}
