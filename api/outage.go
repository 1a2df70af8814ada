package api

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/event"
)

// Outage is a time in which a service was not what it should be.
type Outage struct {
	ID            string     `json:"id" example:"OUT-3"`
	Number        uint32     `json:"number"`
	Tenant        string     `json:"tenant"`
	Service       string     `json:"service"`
	ServiceName   string     `json:"service_name" doc:"empty: nothing is known of the service any more"`
	Kind          string     `json:"kind" enum:"down,degraded,planned" doc:"planned counts apart if it was known before it began"`
	State         string     `json:"state" enum:"proposed,confirmed,rejected"`
	Running       bool       `json:"running"`
	BeganAt       time.Time  `json:"began_at"`
	EndedAt       *time.Time `json:"ended_at" doc:"null while it lasts"`
	Cause         string     `json:"cause"`
	Source        string     `json:"source" enum:"machine,person" doc:"who told of it"`
	KnownAt       time.Time  `json:"known_at"`
	ConfirmedBy   string     `json:"confirmed_by" doc:"who confirmed or rejected it"`
	ConfirmedByID string     `json:"confirmed_by_id"`
	ConfirmedAt   *time.Time `json:"confirmed_at"`
	Incidents     []string   `json:"incidents"`
}

func outageID(number uint32) string { return "OUT-" + strconv.FormatUint(uint64(number), 10) }

// parseOutage reads an outage's number, with or without OUT- in front.
func parseOutage(text string) (uint32, error) {
	digits := text
	if len(text) > 4 && strings.EqualFold(text[:4], "OUT-") {
		digits = text[4:]
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || n == 0 {
		return 0, notFound("outage " + strconv.Quote(text))
	}
	return uint32(n), nil
}

// outageFacts shapes an outage by itself.
func (d *Desk) outageFacts(o *event.Outage) Outage {
	out := Outage{
		ID: outageID(o.Number), Number: o.Number, Tenant: o.Tenant, Service: o.Service, Kind: o.Kind.String(), State: o.State.String(),
		BeganAt: o.BeganAt.Time(), EndedAt: stamp(o.EndedAt), Cause: o.Cause, Source: "person", KnownAt: o.Known.Time(),
		ConfirmedBy: d.name(o.ConfirmedBy), ConfirmedByID: o.ConfirmedBy, ConfirmedAt: stamp(o.ConfirmedAt), Incidents: incidentIDs(o.Incidents),
	}
	if o.ByMachine {
		out.Source = "machine"
	}
	return out
}

// outage shapes an outage with its service's name.
func (d *Desk) outage(c configuration, o *event.Outage) Outage {
	out := d.outageFacts(o)
	out.Running = lasts(o, d.now())
	if slot := c.Find(o.Tenant, o.Service); slot != 0 {
		out.ServiceName = c.State(slot).Name
	}
	return out
}

// lasts tells whether an outage runs: it has begun and not ended, and nobody said that it was none.
func lasts(o *event.Outage, now event.Time) bool {
	return o.State != event.OutageRejected && o.BeganAt <= now && (o.EndedAt == 0 || o.EndedAt > now)
}

func overlaps(o *event.Outage, from, until event.Time) bool {
	return o.BeganAt < until && (o.EndedAt == 0 || o.EndedAt > from)
}

// OutageQuery is how the list of outages is asked for. All conditions must hold; the latest comes first.
type OutageQuery struct {
	Paging
	Service string    `query:"service" maxLength:"512" doc:"ID of the service"`
	State   []string  `query:"state,explode" doc:"any of proposed, confirmed, rejected"`
	Kind    []string  `query:"kind,explode" doc:"any of down, degraded, planned"`
	Running string    `query:"running" enum:"true,false"`
	From    time.Time `query:"from" doc:"those that last then or later"`
	To      time.Time `query:"to" doc:"those that began before"`
}

// OutageList is one page.
type OutageList struct {
	Outages    []Outage `json:"outages"`
	Total      int      `json:"total" doc:"how many match, on all pages"`
	NextCursor string   `json:"next_cursor" doc:"empty on the last page"`
}

// Outages returns a page of the outages of ctx's tenant.
func (d *Desk) Outages(ctx context.Context, q *OutageQuery) (*OutageList, error) {
	states, kinds := words(q.State), words(q.Kind)
	if err := oneOf("state", states, "proposed", "confirmed", "rejected"); err != nil {
		return nil, err
	}
	if err := oneOf("kind", kinds, "down", "degraded", "planned"); err != nil {
		return nil, err
	}
	c, err := d.configuration(ctx)
	if err != nil {
		return nil, err
	}
	s, err := newSieve[*event.Outage](q.Paging, "outages")
	if err != nil {
		return nil, err
	}
	from, until, now := event.Time(0), event.Never, d.now()
	if !q.From.IsZero() {
		from = event.FromTime(q.From)
	}
	if !q.To.IsZero() {
		until = event.FromTime(q.To)
	}
	for o := range c.v.Outages(c.tenant) {
		switch {
		case q.Service != "" && o.Service != q.Service,
			len(states) > 0 && !slices.Contains(states, o.State.String()),
			len(kinds) > 0 && !slices.Contains(kinds, o.Kind.String()),
			q.Running != "" && strconv.FormatBool(lasts(o, now)) != q.Running,
			!overlaps(o, from, until):
		default:
			s.add(rank{key: -int64(o.BeganAt), id: uint64(^o.Number)}, o)
		}
	}
	return &OutageList{items(s, func(o *event.Outage) Outage { return d.outage(c, o) }), s.total, s.next()}, nil
}

// findOutage returns an outage of ctx's tenant.
func (d *Desk) findOutage(ctx context.Context, text string) (configuration, *event.Outage, error) {
	c, err := d.configuration(ctx)
	if err != nil {
		return c, nil, err
	}
	number, err := parseOutage(text)
	if err != nil {
		return c, nil, err
	}
	for o := range c.v.Outages(c.tenant) {
		if o.Number == number {
			return c, o, nil
		}
	}
	return c, nil, notFound("outage " + outageID(number))
}

// Outage returns one outage of ctx's tenant.
func (d *Desk) Outage(ctx context.Context, text string) (*Outage, error) {
	c, o, err := d.findOutage(ctx, text)
	if err != nil {
		return nil, err
	}
	return new(d.outage(c, o)), nil
}

// OutageFacts are what a person says of an outage; what is left out stays.
type OutageFacts struct {
	Kind      string    `json:"kind,omitempty" enum:"down,degraded,planned"`
	BeganAt   time.Time `json:"began_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	Cause     string    `json:"cause,omitempty" maxLength:"2000" doc:"in words"`
	Incidents []string  `json:"incidents,omitempty" maxItems:"100" doc:"are linked to it, besides those that are"`
}

func (f *OutageFacts) outage() (*event.Outage, error) {
	out := &event.Outage{Kind: event.ParseOutageKind(f.Kind), BeganAt: event.FromTime(f.BeganAt), EndedAt: event.FromTime(f.EndedAt), Cause: strings.TrimSpace(f.Cause)}
	for _, text := range f.Incidents {
		id, err := parseIncident(text)
		if err != nil {
			return nil, err
		}
		out.Incidents = append(out.Incidents, id)
	}
	return out, nil
}

// OutageDraft is an outage that a person tells of.
type OutageDraft struct {
	Service string `json:"service" minLength:"1" maxLength:"512" doc:"ID of the service"`
	OutageFacts
}

// OutageChanges are what a person says of an outage that is known. Who changes its facts without a word on its state confirms it.
type OutageChanges struct {
	State string `json:"state,omitempty" enum:"confirmed,rejected"`
	OutageFacts
}

// ReportOutage takes an outage from ctx's principal, who thereby confirms it.
func (d *Desk) ReportOutage(ctx context.Context, draft *OutageDraft) (*Outage, error) {
	o, err := draft.outage()
	if err != nil {
		return nil, err
	}
	o.Service = draft.Service
	if o.Kind == 0 {
		o.Kind = event.OutageDown
	}
	c, err := d.configuration(ctx)
	if err != nil {
		return nil, err
	}
	return d.setOutage(ctx, c, o, draft.Service)
}

// ChangeOutage confirms, rejects or corrects an outage.
func (d *Desk) ChangeOutage(ctx context.Context, text string, changes *OutageChanges) (*Outage, error) {
	c, before, err := d.findOutage(ctx, text)
	if err != nil {
		return nil, err
	}
	o, err := changes.outage()
	if err != nil {
		return nil, err
	}
	o.Number, o.State = before.Number, event.ParseOutageState(changes.State)
	if o.State == 0 && o.Kind == 0 && o.BeganAt == 0 && o.EndedAt == 0 && o.Cause == "" && len(o.Incidents) == 0 {
		return nil, invalid("there is nothing to change", "give state, kind, began_at, ended_at, cause or incidents")
	}
	return d.setOutage(ctx, c, o, before.Service)
}

// setOutage carries out what a person says of an outage of a service, which may be another team's.
func (d *Desk) setOutage(ctx context.Context, c configuration, o *event.Outage, service string) (*Outage, error) {
	if slot := c.Find(c.tenant, service); slot != 0 {
		if err := mayActFor(ctx, c.State(slot).Attributes.Get("team"), service); err != nil {
			return nil, err
		}
	}
	res, err := d.do(ctx, event.Command{Kind: event.SetOutage, Outage: o})
	if err != nil {
		return nil, err
	}
	return d.Outage(ctx, outageID(res.Number))
}
