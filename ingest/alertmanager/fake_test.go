package alertmanager

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/ingest"
	"github.com/tocsin-noc/tocsin/internal/auth"
	"github.com/tocsin-noc/tocsin/rules"
)

// coreEngine is the real core behind the engine's methods, without a journal.
type coreEngine struct {
	now func() time.Time

	mu      sync.Mutex
	state   *correlate.State
	seq     uint64
	refuses error // what Submit and Do answer, when set
	reports []uint64
}

func newCoreEngine(now func() time.Time) *coreEngine {
	return &coreEngine{now: now, state: correlate.New()}
}

func (e *coreEngine) NewBatch() *event.Batch { return &event.Batch{} }

func (e *coreEngine) Recycle(*event.Batch) {}

func (e *coreEngine) Submit(_ context.Context, b *event.Batch) error {
	_, err := e.step(&event.Input{Kind: event.InputEvents, Batch: b})
	return err
}

func (e *coreEngine) Do(_ context.Context, cmd event.Command) (event.Result, error) {
	return e.step(&event.Input{Kind: event.InputCommand, Command: &cmd})
}

func (e *coreEngine) ReportOverCap(_ context.Context, src event.Source, refused, limit uint64) error {
	_, err := e.step(&event.Input{Kind: event.InputOverCap, Source: src, Refused: refused, Limit: limit})
	e.reports = append(e.reports, refused)
	return err
}

func (e *coreEngine) View(context.Context) (*correlate.View, error) {
	_, err := e.step(&event.Input{Kind: event.InputTick})
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.state.View(), err
}

func (e *coreEngine) step(in *event.Input) (event.Result, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.refuses != nil {
		return event.Result{}, e.refuses
	}
	e.seq++
	in.Seq, in.At, in.Writer = e.seq, event.FromTime(e.now()), event.Writer{ID: 1, Epoch: 1, N: e.seq}
	_, res := e.state.Step(in, nil)
	return res, nil
}

// daemon is an API over a core, served as by the daemon but for the Guard.
type daemon struct {
	*API
	engine  *coreEngine
	sources *ingest.Sources
	url     string
}

// asAdmin lets everybody act for the default tenant, as on a fresh daemon on loopback.
func asAdmin(next http.Handler) http.Handler {
	return as(auth.Principal{ID: "anonymous", Role: auth.Admin, Tenant: event.DefaultTenant, Anonymous: true}, next)
}

func as(p auth.Principal, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(auth.NewContext(r.Context(), p)))
	})
}

func (d *daemon) mux() *http.ServeMux {
	mux := http.NewServeMux()
	for pattern, h := range d.Handlers() {
		mux.Handle(pattern, h)
	}
	return mux
}

// newDaemon returns an API over an empty core with the clock and changed by the functions.
func newDaemon(tb testing.TB, now func() time.Time, change ...func(*Options, *ingest.Limits)) *daemon {
	tb.Helper()
	d := &daemon{engine: newCoreEngine(now)}
	var err error
	log := slog.New(slog.DiscardHandler)
	d.sources, err = ingest.NewSources(log, prometheus.NewRegistry())
	require.NoError(tb, err)
	o := Options{Engine: d.engine, Logger: log, Version: "1.2.3", Address: "127.0.0.1:9595", Started: now()}
	var limits ingest.Limits
	for _, c := range change {
		c(&o, &limits)
	}
	o.Admission = ingest.NewAdmission(d.engine, d.sources, limits, now)
	d.API = New(o)
	return d
}

// serve puts the API on a port of its own, for everybody as admin.
func (d *daemon) serve(tb testing.TB) *daemon {
	tb.Helper()
	server := httptest.NewServer(asAdmin(d.mux()))
	tb.Cleanup(server.Close)
	d.url = server.URL
	return d
}

// useRules takes a rule set into force.
func (d *daemon) useRules(tb testing.TB, files ...rules.File) {
	tb.Helper()
	_, err := rules.Parse(files)
	require.NoError(tb, err)
	_, err = d.engine.step(&event.Input{Kind: event.InputRules, Rules: rules.Bundle(files)})
	require.NoError(tb, err)
}
