package app

import (
	"cmp"
	"slices"
	"time"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/event"
)

// sourceStats joins what the doors know of a tenant's senders.
func (a *App) sourceStats(tenant string) []api.SourceFigures {
	var out []api.SourceFigures
	for _, s := range a.sources.Stats(tenant, time.Now()) {
		out = append(out, api.SourceFigures{
			Name: s.Name, Kind: s.Kind, Configured: s.Configured, Events: s.Events, Rate1m: s.PerSecond1m, Rate5m: s.PerSecond5m,
			OverCap: s.OverCap, Errors: s.Errors, LastError: s.LastError, LastErrorAt: s.LastErrorAt,
		})
	}
	for _, c := range a.kafka {
		for _, t := range c.Status().Topics {
			out = append(out, api.SourceFigures{
				Name: t.Source.Name, Kind: kindOr(t.Source.Kind), Configured: true, LastError: t.LastError, LastErrorAt: t.LastErrorAt,
			})
		}
	}
	slices.SortFunc(out, func(x, y api.SourceFigures) int { return cmp.Compare(x.Name, y.Name) })
	return out
}

func kindOr(k event.SourceKind) event.SourceKind { return cmp.Or(k, event.SendOnce) }
