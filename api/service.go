package api

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
	"github.com/tocsin-noc/tocsin/itsm"
)

// Service is a configuration item of class service, as the portfolio and the catalogue show it.
type Service struct {
	ID            string       `json:"id" example:"shop"`
	Tenant        string       `json:"tenant"`
	Name          string       `json:"name"`
	State         string       `json:"state" enum:"pipeline,live,maintenance,retired,discovered"`
	Status        string       `json:"status" enum:"up,degraded,down,none" doc:"none: it is not in use"`
	Criticality   uint8        `json:"criticality" minimum:"1" maximum:"4" doc:"1 is the greatest"`
	Owner         string       `json:"owner" doc:"who answers for it"`
	Team          string       `json:"team" doc:"who works on it"`
	Contact       string       `json:"contact"`
	Users         uint64       `json:"users" doc:"0: not given"`
	ValuePerHour  string       `json:"value_per_hour" example:"12000.50" doc:"what an hour of downtime costs; empty: not given"`
	Currency      string       `json:"currency"`
	SLA           string       `json:"sla"`
	Tier          string       `json:"tier" doc:"of recovery"`
	RTO           string       `json:"rto" doc:"how soon it must be back"`
	RPO           string       `json:"rpo" doc:"how much of its data may be lost, as time"`
	Calendar      string       `json:"calendar"`
	Runbook       string       `json:"runbook" doc:"a link; empty: none"`
	PlanTested    string       `json:"plan_tested" doc:"the day; empty: not given"`
	Description   string       `json:"description"`
	OpenIncidents int          `json:"open_incidents" doc:"that hurt it"`
	Outage        string       `json:"outage" doc:"one that runs; empty: none" example:"OUT-3"`
	Availability  Availability `json:"availability" doc:"of the last 30 days"`
	Source        string       `json:"source" doc:"who told of it first"`
	Pinned        []string     `json:"pinned"`
}

// Availability is how a service did in a period. Each moment counts once, with the first of these that holds: planned, down, unconfirmed,
// degraded.
type Availability struct {
	From          time.Time `json:"from"`
	Until         time.Time `json:"until"`
	Percent       *float64  `json:"percent" doc:"100 × (committed − down) / committed; null: nothing was committed"`
	PeriodMS      int64     `json:"period_ms"`
	CommittedMS   int64     `json:"committed_ms" doc:"the period without what was planned before it began"`
	PlannedMS     int64     `json:"planned_ms"`
	DownMS        int64     `json:"down_ms" doc:"confirmed"`
	UnconfirmedMS int64     `json:"unconfirmed_ms" doc:"proposed by the machine, and nobody has said yet; not counted as down"`
	DegradedMS    int64     `json:"degraded_ms" doc:"not counted as down"`
	Outages       int       `json:"outages" doc:"confirmed ones that were not planned"`
	Cost          string    `json:"cost" doc:"of the time it was down, by value_per_hour; empty: that is not given" example:"1250.00"`
}

// ServiceDetail is a service with what hangs on it.
type ServiceDetail struct {
	Service
	Relations []CIRelation   `json:"relations" doc:"that it has"`
	Incidents []IncidentName `json:"incidents" doc:"open ones that hurt it, at most 100"`
	Running   []Outage       `json:"running" doc:"outages that last"`
}

// ServiceQuery is how the list of services is asked for. The order is: the most critical first, then by ID.
type ServiceQuery struct {
	Paging
	State       []string `query:"state,explode" doc:"any of pipeline, live, maintenance, retired, discovered; without it: all but retired"`
	Status      []string `query:"status,explode" doc:"any of up, degraded, down"`
	Criticality []string `query:"criticality,explode" doc:"any of 1, 2, 3, 4"`
	Team        string   `query:"team" maxLength:"200"`
	Owner       string   `query:"owner" maxLength:"200"`
	Q           string   `query:"q" maxLength:"200" doc:"part of the ID, the name, or an attribute's value, in any case"`
}

// ServiceList is one page.
type ServiceList struct {
	Services   []Service `json:"services"`
	Total      int       `json:"total" doc:"how many match, on all pages"`
	NextCursor string    `json:"next_cursor" doc:"empty on the last page"`
}

// liveFigures is how far back the figures of a list go.
const liveFigures = 30 * event.Day

// serviceState is a state in the words of a portfolio.
func serviceState(s event.CIState) string {
	if s == event.CIOrdered {
		return "pipeline"
	}
	return s.String()
}

// Services returns a page of the services of ctx's tenant.
func (d *Desk) Services(ctx context.Context, q *ServiceQuery) (*ServiceList, error) {
	test := &CITest{Class: []string{event.ServiceClass}, State: q.State, Status: q.Status, Team: q.Team, Owner: q.Owner, Q: q.Q}
	if err := test.check(); err != nil {
		return nil, err
	}
	levels := words(q.Criticality)
	if err := oneOf("criticality", levels, "1", "2", "3", "4"); err != nil {
		return nil, err
	}
	c, err := d.configuration(ctx)
	if err != nil {
		return nil, err
	}
	s, err := newShelf[event.CI](q.Paging, "services")
	if err != nil {
		return nil, err
	}
	for slot, ci := range c.ours {
		if ci.Class != event.ServiceClass || !test.match(c, slot, &ci) {
			continue
		}
		level := strconv.Itoa(int(itsm.ServiceOf(&ci).Criticality))
		if len(levels) == 0 || slices.Contains(levels, level) {
			s.add(level+ci.ID+"\x00"+ci.Tenant, ci)
		}
	}
	page, next := s.page()
	out := &ServiceList{Services: make([]Service, len(page)), Total: s.total, NextCursor: next}
	h := d.hardship(c)
	for i := range page {
		out.Services[i] = d.service(c, &page[i].item, h)
	}
	return out, nil
}

// hardship is what is known of the services of a tenant, by tenant and ID.
type hardship struct {
	outages map[[2]string][]*event.Outage
	open    map[[2]string]int // incidents
}

func (d *Desk) hardship(c configuration) hardship {
	h := hardship{map[[2]string][]*event.Outage{}, map[[2]string]int{}}
	for o := range c.v.Outages(c.tenant) {
		key := [2]string{o.Tenant, o.Service}
		h.outages[key] = append(h.outages[key], o)
	}
	for i := range c.v.Incidents() {
		if i.Phase != event.IncidentOpen || !event.InTenant(c.tenant, i.Tenant) {
			continue
		}
		for _, a := range i.Services {
			h.open[[2]string{i.Tenant, a.Service}]++
		}
	}
	return h
}

func (d *Desk) service(c configuration, ci *event.CI, h hardship) Service {
	s, key, now := itsm.ServiceOf(ci), [2]string{ci.Tenant, ci.ID}, d.now()
	out := Service{
		ID: ci.ID, Tenant: ci.Tenant, Name: ci.Name, State: serviceState(ci.State), Status: c.status(c.Find(ci.Tenant, ci.ID), ci.State),
		Criticality: s.Criticality, Owner: s.Owner, Team: s.Team, Contact: s.Contact, Users: s.Users, ValuePerHour: ci.Attributes.Get("value_per_hour"),
		Currency: s.Currency, SLA: s.SLA, Tier: s.Tier, RTO: ci.Attributes.Get("rto"), RPO: ci.Attributes.Get("rpo"), Calendar: s.Calendar,
		Runbook: safeURL(s.Runbook), PlanTested: ci.Attributes.Get("plan_tested"), Description: s.Description, OpenIncidents: h.open[key],
		Availability: availability(&s, h.outages[key], now-liveFigures, now), Source: ci.Source, Pinned: append([]string{}, ci.Pinned...),
	}
	for _, o := range h.outages[key] {
		if lasts(o, now) {
			out.Outage = outageID(o.Number)
			break
		}
	}
	return out
}

func availability(s *itsm.Service, outages []*event.Outage, from, until event.Time) Availability {
	a := itsm.AvailabilityOf(outages, from, until)
	out := Availability{
		From: from.Time(), Until: until.Time(), PeriodMS: int64(a.Period), CommittedMS: int64(a.Committed()), PlannedMS: int64(a.Planned),
		DownMS: int64(a.Down), UnconfirmedMS: int64(a.Unconfirmed), DegradedMS: int64(a.Degraded), Outages: a.Outages,
	}
	if committed := a.Committed(); committed > 0 {
		out.Percent = new(100 * float64(committed-a.Down) / float64(committed))
	}
	if s.ValuePerHour > 0 {
		out.Cost = cost(s.ValuePerHour, a.Down)
	}
	return out
}

// cost is what a span costs at a price per hour, in 1/10,000 of the currency, rounded to a hundredth; "" where that is no number any more.
func cost(perHour int64, span event.Time) string {
	whole, rest := int64(span/event.Hour), int64(span%event.Hour)
	if perHour > math.MaxInt64/(whole+2) {
		return ""
	}
	cents := (perHour*whole + perHour/int64(event.Hour)*rest + perHour%int64(event.Hour)*rest/int64(event.Hour) + 50) / 100
	return fmt.Sprintf("%d.%02d", cents/100, cents%100)
}

// serviceSlot finds a service of ctx's tenant.
func (d *Desk) serviceSlot(ctx context.Context, id string) (configuration, uint32, event.CI, error) {
	c, err := d.configuration(ctx)
	if err != nil {
		return c, 0, event.CI{}, err
	}
	slot, err := c.slot(id)
	if err != nil || c.State(slot).Class != event.ServiceClass {
		return c, 0, event.CI{}, notFound("service " + strconv.Quote(id))
	}
	return c, slot, c.State(slot), nil
}

// Service returns a service of ctx's tenant.
func (d *Desk) Service(ctx context.Context, id string) (*ServiceDetail, error) {
	c, _, ci, err := d.serviceSlot(ctx, id)
	if err != nil {
		return nil, err
	}
	out := &ServiceDetail{Service: d.service(c, &ci, d.hardship(c)), Relations: c.relations(&ci), Running: []Outage{}}
	out.Incidents = c.incidents(&ci, nil)
	for o := range c.v.Outages(ci.Tenant) {
		if o.Service == id && lasts(o, d.now()) {
			out.Running = append(out.Running, d.outage(c, o))
		}
	}
	return out, nil
}

// ServiceReady says whether a service is fit to be relied on.
type ServiceReady struct {
	ID     string       `json:"id"`
	Name   string       `json:"name"`
	Ready  bool         `json:"ready"`
	Checks []ReadyCheck `json:"checks"`
}

// ReadyCheck is one thing that a service needs before people rely on it.
type ReadyCheck struct {
	Name    string `json:"name" enum:"owner,sla,contact,runbook,monitored,plan"`
	OK      bool   `json:"ok"`
	Missing string `json:"missing" doc:"what to do; empty: it is there"`
}

// maxReadyItems bounds the items that are looked at for a service's readiness.
const maxReadyItems = 10_000

// ServiceReady checks a service of ctx's tenant.
func (d *Desk) ServiceReady(ctx context.Context, id string) (*ServiceReady, error) {
	c, slot, ci, err := d.serviceSlot(ctx, id)
	if err != nil {
		return nil, err
	}
	facts := c.FactsOf(slot)
	hits, _ := c.Deps(slot, maxReadyItems, maxReadyItems)
	for i := range hits {
		if c.v.AlertsOf(hits[i].Slot) > 0 {
			facts.Bound++
		}
	}
	s := itsm.ServiceOf(&ci)
	out := &ServiceReady{ID: ci.ID, Name: ci.Name, Ready: true}
	for _, check := range itsm.Ready(&s, facts, d.now()) {
		out.Checks = append(out.Checks, ReadyCheck(check))
		out.Ready = out.Ready && check.OK
	}
	return out, nil
}

// ServiceAvailability is how a service did in a period, and what it rests on.
type ServiceAvailability struct {
	ID       string       `json:"id"`
	Name     string       `json:"name"`
	Currency string       `json:"currency" doc:"of the cost"`
	Figures  Availability `json:"figures"`
	Outages  []Outage     `json:"outages" doc:"all that overlap the period, the latest first"`
}

// maxPeriod is how far back outages are kept.
const maxPeriod = 400 * event.Day

// Availability computes how a service of ctx's tenant did between two times.
func (d *Desk) Availability(ctx context.Context, id string, from, until time.Time) (*ServiceAvailability, error) {
	c, _, ci, err := d.serviceSlot(ctx, id)
	if err != nil {
		return nil, err
	}
	begin, end := event.FromTime(from), d.now()
	if !until.IsZero() {
		end = event.FromTime(until)
	}
	if from.IsZero() {
		begin = end - liveFigures
	}
	switch {
	case end > d.now():
		return nil, invalid("to: nobody knows yet how it will do", "leave it out for now")
	case begin >= end || begin < 0:
		return nil, invalid("from must lie before to", "")
	case begin < d.now()-maxPeriod:
		return nil, invalid("from: outages are kept for 400 days", "")
	}
	s := itsm.ServiceOf(&ci)
	var all []*event.Outage
	out := &ServiceAvailability{ID: ci.ID, Name: ci.Name, Currency: s.Currency, Outages: []Outage{}}
	for o := range c.v.Outages(ci.Tenant) {
		if o.Service != ci.ID {
			continue
		}
		all = append(all, o)
		if overlaps(o, begin, end) {
			out.Outages = append(out.Outages, d.outage(c, o))
		}
	}
	slices.SortStableFunc(out.Outages, func(a, b Outage) int { return b.BeganAt.Compare(a.BeganAt) })
	out.Figures = availability(&s, all, begin, end)
	return out, nil
}

// ServiceDraft is what a person says of a service: what is left out stays, an empty text takes away, what is new is pinned.
type ServiceDraft struct {
	Name         string    `json:"name,omitempty" maxLength:"512"`
	State        string    `json:"state,omitempty" enum:"pipeline,live,maintenance,retired" doc:"live, for a new one"`
	Criticality  *string   `json:"criticality,omitempty" doc:"1, the greatest, to 4"`
	Owner        *string   `json:"owner,omitempty"`
	Team         *string   `json:"team,omitempty"`
	Contact      *string   `json:"contact,omitempty"`
	Users        *string   `json:"users,omitempty" doc:"a whole number"`
	ValuePerHour *string   `json:"value_per_hour,omitempty" example:"12000.50"`
	Currency     *string   `json:"currency,omitempty" example:"EUR"`
	SLA          *string   `json:"sla,omitempty"`
	Tier         *string   `json:"tier,omitempty"`
	RTO          *string   `json:"rto,omitempty" example:"4h"`
	RPO          *string   `json:"rpo,omitempty" example:"5m"`
	Calendar     *string   `json:"calendar,omitempty"`
	Runbook      *string   `json:"runbook,omitempty" doc:"a link"`
	PlanTested   *string   `json:"plan_tested,omitempty" example:"2026-11-21"`
	Description  *string   `json:"description,omitempty"`
	Needs        uint16    `json:"needs,omitempty" doc:"how many of its members must be up"`
	Relations    *CIArrows `json:"relations,omitempty" doc:"replace all that it has, whoever told of them"`
	ValidFrom    time.Time `json:"valid_from,omitzero" doc:"since when this holds, or will; now, if not given"`
}

// attributes are those that the draft names.
func (s *ServiceDraft) attributes() map[string]string {
	out := map[string]string{}
	for name, text := range map[string]*string{
		"criticality": s.Criticality, "owner": s.Owner, "team": s.Team, "contact": s.Contact, "users": s.Users, "value_per_hour": s.ValuePerHour,
		"currency": s.Currency, "sla": s.SLA, "tier": s.Tier, "rto": s.RTO, "rpo": s.RPO, "calendar": s.Calendar, "runbook": s.Runbook,
		"plan_tested": s.PlanTested, "description": s.Description,
	} {
		if text != nil {
			out[name] = strings.TrimSpace(*text)
		}
	}
	return out
}

// SetService makes or changes a service in the name of ctx's principal.
func (d *Desk) SetService(ctx context.Context, id string, draft *ServiceDraft) (*ServiceDetail, error) {
	c, err := d.configuration(ctx)
	if err != nil {
		return nil, err
	}
	if slot := c.Find(c.tenant, id); slot != 0 && c.State(slot).Class != event.ServiceClass {
		return nil, &auth.Problem{
			Status: http.StatusConflict, Code: "conflict", Detail: fmt.Sprintf("%q is a configuration item of class %s", id, c.State(slot).Class),
			Hint: "PUT /api/v1/cis/{id} changes its class",
		}
	}
	_, err = d.SetCI(ctx, id, &CIDraft{
		Class: event.ServiceClass, Name: strings.TrimSpace(draft.Name), State: draft.State, Needs: draft.Needs, Attributes: draft.attributes(),
		Relations: draft.Relations, ValidFrom: draft.ValidFrom,
	})
	if err != nil {
		return nil, err
	}
	return d.Service(ctx, id)
}
