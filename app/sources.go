package app

import (
	"time"

	"github.com/tocsin-noc/tocsin/api"
)

// sourceStats returns what the doors know of a tenant's senders.
func (a *App) sourceStats(tenant string) []api.SourceFigures {
	var out []api.SourceFigures
	for _, s := range a.sources.Stats(tenant, time.Now()) {
		out = append(out, api.SourceFigures{
			Name: s.Name, Kind: s.Kind, Configured: s.Configured, Events: s.Events, Rate1m: s.PerSecond1m, Rate5m: s.PerSecond5m,
			OverCap: s.OverCap, Errors: s.Errors, LastError: s.LastError, LastErrorAt: s.LastErrorAt,
		})
	}
	return out
}
