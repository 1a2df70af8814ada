package api

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// SourceStats returns what a tenant's senders did since the start; package ingest keeps it.
type SourceStats func(tenant string) []SourceFigures

// SourceFigures are one sender's since the start.
type SourceFigures struct {
	Name        string
	Kind        event.SourceKind
	Configured  bool              // has a key of its own
	Events      uint64            // taken
	Rate1m      float64           // events per second
	Rate5m      float64           // events per second
	OverCap     uint64            // alerts refused at the cap
	Errors      map[string]uint64 // by class
	LastError   string            // "" when there was none
	LastErrorAt time.Time         // zero when there was none
}

// Source is a sender as the API shows it.
type Source struct {
	Name        string            `json:"name"`
	Kind        string            `json:"kind" enum:"resender,send_once,unknown" doc:"resender: silence ends its alerts; send_once: only an explicit clear does"`
	Tenant      string            `json:"tenant"`
	Configured  bool              `json:"configured" doc:"has an ingest key of its own"`
	LastWord    *time.Time        `json:"last_word" doc:"null: nothing was ever taken from it"`
	Active      uint32            `json:"active" doc:"alerts that fire by its word"`
	Events      uint64            `json:"events" doc:"since the start"`
	Rate1m      float64           `json:"rate_1m" doc:"events per second"`
	Rate5m      float64           `json:"rate_5m" doc:"events per second"`
	OverCap     uint64            `json:"over_cap" doc:"alerts refused at the source's cap since the start"`
	Errors      map[string]uint64 `json:"errors" doc:"since the start, by class"`
	LastError   string            `json:"last_error"`
	LastErrorAt *time.Time        `json:"last_error_at"`
}

// SourceList holds every sender that was ever heard, by name.
type SourceList struct {
	Sources []Source `json:"sources"`
}

// Sources returns the senders of ctx's tenant: those that the core knows, and those that have only made errors so far.
func (d *Desk) Sources(ctx context.Context, stats SourceStats) (*SourceList, error) {
	v, err := d.engine.View(ctx)
	if err != nil {
		return nil, failure(err)
	}
	tenant, byName := auth.FromContext(ctx).Tenant, map[string]Source{}
	tenants := map[string]bool{}
	if tenant != event.AllTenants {
		tenants[tenant] = true
	}
	for s := range v.Sources() {
		if event.InTenant(tenant, s.Tenant) {
			tenants[s.Tenant] = true
			byName[s.Tenant+"/"+s.Name] = Source{
				Name: s.Name, Kind: s.Kind.String(), Tenant: s.Tenant, LastWord: stamp(s.LastWord), Active: s.Active, Errors: map[string]uint64{},
			}
		}
	}
	for _, tenant := range slices.Sorted(maps.Keys(tenants)) {
		if stats == nil {
			break
		}
		for _, f := range stats(tenant) {
			key := tenant + "/" + f.Name
			byName[key] = f.merge(byName[key], tenant)
		}
	}
	list := slices.AppendSeq([]Source{}, maps.Values(byName))
	slices.SortFunc(list, func(a, b Source) int { return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Name, b.Name)) })
	return &SourceList{list}, nil
}

func (f *SourceFigures) merge(s Source, tenant string) Source {
	if s.Name == "" {
		s.Name, s.Kind, s.Tenant = f.Name, f.Kind.String(), tenant
	}
	s.Configured, s.Events, s.Rate1m, s.Rate5m, s.OverCap = f.Configured, f.Events, f.Rate1m, f.Rate5m, f.OverCap
	s.LastError, s.LastErrorAt, s.Errors = f.LastError, stamp(event.FromTime(f.LastErrorAt)), f.Errors
	if s.Errors == nil {
		s.Errors = map[string]uint64{}
	}
	return s
}
