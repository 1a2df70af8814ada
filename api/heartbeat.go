package api

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// Heartbeat is a sign of life that is expected: of a source, or of alerts that a rule picks.
type Heartbeat struct {
	Number   uint32            `json:"number"`
	Tenant   string            `json:"tenant"`
	Name     string            `json:"name"`
	State    string            `json:"state" enum:"heard,lost"`
	Rule     string            `json:"rule" doc:"the rule that expects it"`
	Source   string            `json:"source"`
	Labels   map[string]string `json:"labels" doc:"of a rule that watches alerts: what tells this one from others"`
	Alert    string            `json:"alert" doc:"the alert that is the sign of life; empty: any word from the source"`
	Since    *time.Time        `json:"since" doc:"expected from here on"`
	LastWord *time.Time        `json:"last_word"`
	DueAt    *time.Time        `json:"due_at" doc:"when it counts as lost if nothing is heard; later after downtime; null: lost, or nobody said until when"`
	LostAt   *time.Time        `json:"lost_at" doc:"null: it is heard"`
	Incident string            `json:"incident" doc:"the open incident about its absence"`
}

// HeartbeatList holds every heartbeat: the lost ones first, then by when they are due.
type HeartbeatList struct {
	Heartbeats []Heartbeat `json:"heartbeats"`
}

func heartbeat(b *event.Heartbeat) Heartbeat {
	out := Heartbeat{
		Tenant: b.Tenant, Number: b.Number, Name: b.Name, State: "heard", Rule: b.Rule, Source: b.Source, Labels: b.Labels.Map(),
		Since: stamp(b.Since), LastWord: stamp(b.LastWord), LostAt: stamp(b.LostAt),
	}
	if b.Alert != 0 {
		out.Alert = b.Alert.String()
	}
	if b.LostAt != 0 {
		out.State = "lost"
	}
	return out
}

// Heartbeats returns the heartbeats of ctx's tenant.
func (d *Desk) Heartbeats(ctx context.Context) (*HeartbeatList, error) {
	v, err := d.engine.View(ctx)
	if err != nil {
		return nil, failure(err)
	}
	return &HeartbeatList{heartbeats(v, auth.FromContext(ctx).Tenant)}, nil
}

func heartbeats(v *correlate.View, tenant string) []Heartbeat {
	out, blind := []Heartbeat{}, blindIncidents(v, tenant)
	for b := range v.Heartbeats(tenant) {
		h := heartbeat(&b)
		h.Incident = blind[b.Number]
		if b.LostAt == 0 {
			h.DueAt = stamp(dueAt(v, &b))
		}
		out = append(out, h)
	}
	slices.SortStableFunc(out, func(a, b Heartbeat) int {
		return cmp.Or(-cmp.Compare(a.State, b.State), compareTimes(a.LostAt, b.LostAt), compareTimes(a.DueAt, b.DueAt), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// compareTimes puts a time that never comes last.
func compareTimes(a, b *time.Time) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return a.Compare(*b)
}

// blindIncidents returns the open incidents about lost heartbeats, by the heartbeat's number. It looks at every incident only
// when one is lost.
func blindIncidents(v *correlate.View, tenant string) map[uint32]string {
	out := map[uint32]string{}
	for b := range v.Heartbeats(tenant) {
		if b.LostAt != 0 {
			out[b.Number] = ""
		}
	}
	if len(out) == 0 {
		return out
	}
	for i := range v.Incidents() {
		if i.Heartbeat != 0 && event.InTenant(tenant, i.Tenant) && i.Phase == event.IncidentOpen && out[i.Heartbeat] == "" {
			out[i.Heartbeat] = i.ID.String()
		}
	}
	return out
}

// dueAt returns when a heartbeat that is heard counts as lost, as its rule or its sender says; 0 when neither does.
func dueAt(v *correlate.View, b *event.Heartbeat) event.Time {
	for i := range v.Rules.Heartbeats {
		rule := &v.Rules.Heartbeats[i]
		switch {
		case rule.Name != b.Rule:
		case rule.Interval != 0:
			return b.LastWord + rule.Interval + rule.Grace
		default:
			return validUntil(v, b.Alert, rule.Grace)
		}
	}
	return 0
}

// validUntil returns until when the senders of an alert said that it fires, and grace more.
func validUntil(v *correlate.View, id event.AlertID, grace event.Time) (due event.Time) {
	a, known := v.Alert(id)
	if !known {
		return 0
	}
	for c := range a.Claims() {
		if c.Phase != event.Firing {
			continue
		}
		if c.EndsAt == event.Never {
			due = max(due, c.SeenAt+v.Rules.Settings.UnconfirmedAfter+grace)
			continue
		}
		due = max(due, c.EndsAt+grace)
	}
	return due
}
