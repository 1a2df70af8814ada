package alertmanager

import (
	"context"
	"iter"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/ingest"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// CompatibleVersion is the Alertmanager that the API answers as. amtool warns about any other than its own.
const CompatibleVersion = "0.34.2"

// Engine is what the API reads from and sends commands to, besides the alerts that go through an [ingest.Admission].
type Engine interface {
	// View returns the state with everything acknowledged before the call.
	View(ctx context.Context) (*correlate.View, error)
	// Do carries out a command; Result.Err is why it was not.
	Do(ctx context.Context, cmd event.Command) (event.Result, error)
}

// Options are what an API is made of.
type Options struct {
	Engine    Engine
	Admission *ingest.Admission
	Limits    Limits       // of the decoders
	Logger    *slog.Logger // nil: nothing is logged

	PersonName func(id string) string // of whom the journal knows by an id; what is no id comes back as it is. nil: ids are shown

	Version  string // Tocsin's
	Revision string
	Name     string // of this daemon in the cluster status; "" is tocsin
	Address  string // host:port of this daemon in the cluster status
	Started  time.Time
	Config   string // shown as config.original; "" is a configuration that says as little as possible
	// ClassicMatchers parses filters and judges label names as Alertmanager did before 0.27 (--enable-feature=classic-mode).
	ClassicMatchers bool
}

// API answers as Alertmanager's API v2, and takes in its webhooks. Its handlers may be called from any goroutine; they expect
// internal/auth's Guard in front, which puts the principal into the context.
type API struct {
	opts   Options
	config atomic.Pointer[string]
	v2     http.Handler
}

// New returns the API.
func New(o Options) *API {
	if o.Name == "" {
		o.Name = "tocsin"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	a := &API{opts: o}
	a.SetConfig(o.Config)
	a.v2 = a.router()
	return a
}

// SetConfig changes what is shown as config.original; "" is the shortest configuration there is.
func (a *API) SetConfig(original string) {
	if original == "" {
		original = shortestConfig
	}
	a.config.Store(&original)
}

// Handlers yields what to mount, by http.ServeMux's patterns:
//
//	/api/v2/                     the API; it answers 404, 405 and the rest itself
//	POST /webhook/alertmanager   webhooks of Alertmanager, version 4, and of Grafana
//	POST /api/v1/alerts          410, like everything of Alertmanager's API v1 whose path and method Tocsin's own API
//	GET  /api/v1/receivers       does not use: that lives under /api/v1 too, and its GET alerts, silences and status
//	     /api/v1/silence/        are answered by it
func (a *API) Handlers() iter.Seq2[string, http.Handler] {
	return func(yield func(string, http.Handler) bool) {
		gone := auth.Require(auth.Viewer, http.HandlerFunc(answerGone))
		_ = yield("/api/v2/", a.v2) &&
			yield("POST /webhook/alertmanager", http.HandlerFunc(a.postWebhook)) &&
			yield("POST /api/v1/alerts", auth.RequireSend(http.HandlerFunc(answerGone))) &&
			yield("GET /api/v1/receivers", gone) &&
			yield("/api/v1/silence/", gone)
	}
}

func (a *API) now() time.Time { return a.opts.Admission.Now().Time() }

// tenant returns the tenant whose alerts and silences r may see.
func tenant(r *http.Request) string { return auth.FromContext(r.Context()).Tenant }

// view returns the state, or answers that there is none.
func (a *API) view(w http.ResponseWriter, r *http.Request) *correlate.View {
	v, err := a.opts.Engine.View(r.Context())
	if err != nil {
		ingest.Unavailable(err, http.StatusServiceUnavailable).Write(w, r)
		return nil
	}
	return v
}
