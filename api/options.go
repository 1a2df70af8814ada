package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tocsin-noc/tocsin/history"
	"github.com/tocsin-noc/tocsin/internal/auth"
	"github.com/tocsin-noc/tocsin/internal/people"
)

// Access says who may call a mounted handler.
type Access uint8

// The zero Access is the careful one.
const (
	ByMethod Access = iota // viewers read, responders write
	Send                   // ingest keys, and responders
	Admins                 // admins of the first tenant only
	Checked                // the handler checks by itself (auth.Check)
)

// Mount is a handler of another package under a pattern of http.ServeMux, without the route prefix.
type Mount struct {
	Pattern string
	Handler http.Handler
	Access  Access
}

// Options are what New needs. Engine and Guard must be set.
type Options struct {
	Engine      Engine
	Guard       *auth.Guard
	Registry    prometheus.Gatherer   // what /metrics shows; nil: no such route
	Registerer  prometheus.Registerer // nil: requests are not counted
	Logger      *slog.Logger
	Mounts      []Mount
	People      *people.Store                   // nil: ids are names, and there are no routes about people
	Outbox      Outbox                          // nil: there are no routes about telling people
	CIFiles     CIFiles                         // nil: configuration items are not imported and exported
	Searcher    Searcher                        // nil: there is no search
	History     history.Querier                 // nil: there are no routes that ask it
	Redactions  HistoryRedactor                 // nil: what is redacted is in no history
	Keeper      HistoryKeeper                   // nil: there is no history to keep, and there are no routes about that
	Reports     Reports                         // nil: there are no reports
	Imports     IncidentImports                 // nil: incidents of other systems are not imported
	MaxImport   int64                           // bytes of such an import; 0: 4 GiB
	SourceStats SourceStats                     // nil: sources have no figures
	Ready       func() error                    // why the daemon is not ready besides what the engine says; nil: the engine alone decides
	Config      any                             // for /api/v1/status, as JSON; secrets are already taken out
	Reload      func(ctx context.Context) error // nil: /-/reload is not there
	ExternalURL string                          // in front of links; empty: the route prefix
	RoutePrefix string                          // "" or "/" for none; as in /tocsin
	Version     string
	MaxStreams  int // clients of the stream at a time; 0: 256
}

func (o Options) check() (Options, error) {
	if o.Engine == nil || o.Guard == nil {
		return o, errors.New("api: Options.Engine and Options.Guard must be set")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.MaxStreams <= 0 {
		o.MaxStreams = 256
	}
	prefix, err := cleanPrefix(o.RoutePrefix)
	o.RoutePrefix = prefix
	if o.ExternalURL == "" {
		o.ExternalURL = prefix
	}
	return o, err
}
