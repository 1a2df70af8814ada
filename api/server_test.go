package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// fixture is a daemon's HTTP side over a testEngine, with tokens for each role of tenant main and a viewer of tenant other.
type fixture struct {
	t      *testing.T
	engine *testEngine
	h      http.Handler
	tokens map[string]string
	opts   Options
}

func figures(tenant string) []SourceFigures {
	if tenant != "main" {
		return nil
	}
	return []SourceFigures{
		{Name: "prometheus", Events: 7, Rate1m: 1.5, Errors: map[string]uint64{"decode": 1}, LastError: "bad body", LastErrorAt: time.Unix(1, 0)},
		{Name: "broken", Kind: event.SendOnce, Configured: true, OverCap: 3},
	}
}

func newFixture(t *testing.T, edit ...func(*Options)) *fixture {
	t.Helper()
	f := &fixture{t: t, engine: newTestEngine(t), tokens: map[string]string{}}
	var creds auth.Credentials
	for _, u := range []struct {
		name, tenant string
		role         auth.Role
	}{{"viewer", "main", auth.Viewer}, {"responder", "main", auth.Responder}, {"manager", "main", auth.Manager}, {"admin", "main", auth.Admin}, {"stranger", "other", auth.Admin}} {
		secret, entry, err := auth.NewToken(u.name, u.role, u.tenant)
		require.NoError(t, err)
		f.tokens[u.name], creds.Tokens = secret, append(creds.Tokens, entry)
	}
	guard, err := auth.NewGuard(auth.Options{Listen: "127.0.0.1:9595"}, creds)
	require.NoError(t, err)
	reg := prometheus.NewRegistry()
	f.opts = Options{
		Engine: f.engine, Guard: guard, Registry: reg, Registerer: reg, SourceStats: figures, Version: "1.2.3",
		Config: map[string]string{"listen": "127.0.0.1:9595"},
		Reload: func(context.Context) error { return f.engine.act("reload") },
	}
	for _, e := range edit {
		e(&f.opts)
	}
	f.h, err = New(f.opts)
	require.NoError(t, err)
	return f
}

// storm puts an incident with two alerts and one waiting alert into main, and an incident into other.
func (f *fixture) storm() *fixture {
	f.engine.say("main", "prometheus", false, "alertname", "DiskFull", "severity", "critical", "service", "shop", "instance", "db-3")
	f.engine.say("main", "grafana", false, "alertname", "Latency", "severity", "warning", "service", "shop", "instance", "web-1")
	f.engine.say("main", "prometheus", false, "alertname", "Slow", "severity", "warning", "instance", "web-2")
	f.engine.say("other", "secret-source", false, "alertname", "SecretAlert", "severity", "critical", "service", "secret-service")
	return f
}

type answer struct {
	StatusCode int
	Header     http.Header
	text       string
}

func (f *fixture) call(who, method, path, body string, edit ...func(*http.Request)) answer {
	f.t.Helper()
	r := httptest.NewRequestWithContext(f.t.Context(), method, "http://localhost:9595"+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:40000"
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token := f.tokens[who]; token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for _, e := range edit {
		e(r)
	}
	w := httptest.NewRecorder()
	f.h.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

// get reads a JSON answer of 200.
func get[T any](f *fixture, who, path string) (out T) {
	f.t.Helper()
	res := f.call(who, "GET", path, "")
	require.Equal(f.t, 200, res.StatusCode, res.text)
	require.NoError(f.t, json.Unmarshal([]byte(res.text), &out), res.text)
	return out
}

func (a answer) problem(t *testing.T) (p auth.Problem) {
	t.Helper()
	require.Equal(t, "application/problem+json", a.Header.Get("Content-Type"), a.text)
	require.NoError(t, json.Unmarshal([]byte(a.text), &p), a.text)
	require.Equal(t, a.StatusCode, p.Status)
	require.Equal(t, "about:blank", p.Type)
	require.NotEmpty(t, p.Code)
	require.NotEmpty(t, p.Title)
	return p
}

func TestIncidentsAreListedAndShown(t *testing.T) {
	f := newFixture(t).storm()
	list := get[IncidentList](f, "viewer", "/api/v1/incidents")
	require.Equal(t, 1, list.Total)
	i := list.Incidents[0]
	require.Equal(t, "INC-1", i.ID)
	require.Equal(t, "open", i.Status)
	require.Equal(t, Counts{Total: 2, Firing: 2}, i.Alerts)
	require.Equal(t, uint8(2), i.Priority)
	require.Equal(t, map[string]string{"service": "shop"}, i.Labels)
	require.Equal(t, "/incidents/INC-1", i.Link)
	for _, id := range []string{"1", "INC-1", "inc-1"} {
		require.Equal(t, i, get[Incident](f, "viewer", "/api/v1/incidents/"+id))
	}
}

func TestHealthReadinessAndReload(t *testing.T) {
	var other error
	f := newFixture(t, func(o *Options) { o.Ready = func() error { return other } })
	require.Equal(t, 200, f.call("", "GET", "/-/healthy", "").StatusCode)
	require.Equal(t, 200, f.call("", "GET", "/-/ready", "").StatusCode)
	other = errors.New("kafka main: no broker answers")
	require.Contains(t, f.call("", "GET", "/-/ready", "").text, "no broker answers")
	f.engine.notReady = "the wall clock jumped by 3h"
	res := f.call("", "GET", "/-/ready", "", func(r *http.Request) { r.Host = "10.1.2.3:9595" })
	require.Equal(t, 503, res.StatusCode, "whatever the host: kubelets ask by address")
	require.Contains(t, res.text, "the wall clock jumped by 3h")

	require.Equal(t, 401, f.call("", "POST", "/-/reload", "").StatusCode)
	require.Equal(t, 403, f.call("responder", "POST", "/-/reload", "").StatusCode)
	require.Equal(t, 200, f.call("admin", "POST", "/-/reload", "").StatusCode)
	require.Equal(t, 200, f.call("admin", "PUT", "/-/reload", "").StatusCode)
	require.Equal(t, []string{"reload", "reload"}, f.engine.actions)
	get := f.call("admin", "GET", "/-/reload", "")
	require.Equal(t, 405, get.StatusCode)
	require.Equal(t, "POST, PUT", get.Header.Get("Allow"))
	require.Equal(t, "method_not_allowed", get.problem(t).Code)

	without := newFixture(t, func(o *Options) { o.Reload = nil })
	require.Equal(t, 404, without.call("admin", "POST", "/-/reload", "").StatusCode)
	f.engine.fails = errors.New("rules/db.yml:12:7: window: must be at least 1s")
	require.Contains(t, f.call("admin", "POST", "/-/reload", "").problem(t).Detail, "rules/db.yml:12:7")
}

func TestMetricsCountByRouteAndNeverByPath(t *testing.T) {
	f := newFixture(t).storm()
	f.call("viewer", "GET", "/api/v1/incidents/INC-1", "")
	f.call("viewer", "GET", "/api/v1/incidents/INC-77", "")
	f.call("viewer", "GET", "/no/such/path", "")
	f.call("", "GET", "/", "", func(r *http.Request) { r.Host = "evil.example" })
	require.Equal(t, 401, f.call("", "GET", "/metrics", "").StatusCode)
	text := f.call("viewer", "GET", "/metrics", "").text
	for _, want := range []string{
		`tocsin_api_requests_total{code="2xx",route="GET /api/v1/incidents/{id}"} 1`,
		`tocsin_api_requests_total{code="4xx",route="GET /api/v1/incidents/{id}"} 1`,
		`tocsin_api_requests_total{code="4xx",route="none"} 2`,
		`tocsin_auth_refused_total{reason="host_not_allowed"} 1`,
		`tocsin_api_streams_max 256`,
	} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "INC-77")
	families, err := f.opts.Registry.Gather()
	require.NoError(t, err)
	lint, err := promlint.NewWithMetricFamilies(families).Lint()
	require.NoError(t, err)
	require.Empty(t, lint)
}

func TestPanicIsAnAnswer(t *testing.T) {
	boom := Mount{Pattern: "GET /boom", Access: Checked, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })}
	f := newFixture(t, func(o *Options) { o.Mounts = []Mount{boom} })
	res := f.call("viewer", "GET", "/boom", "")
	require.Equal(t, 500, res.StatusCode)
	require.Equal(t, "internal", res.problem(t).Code)
	require.NotContains(t, res.problem(t).Detail, "boom", "what went wrong stays in the log")
	require.Contains(t, f.call("viewer", "GET", "/metrics", "").text, "tocsin_api_panics_total 1")
}

func TestMountsAreGuarded(t *testing.T) {
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	f := newFixture(t, func(o *Options) {
		o.Mounts = []Mount{{"/plain", ok, ByMethod}, {"/send", ok, Send}, {"/admins", ok, Admins}, {"/own", ok, Checked}}
	})
	for _, c := range []struct {
		method, path string
		want         map[string]int
	}{
		{"GET", "/plain", map[string]int{"": 401, "viewer": 204, "responder": 204, "admin": 204}},
		{"POST", "/plain", map[string]int{"": 401, "viewer": 403, "responder": 204, "admin": 204}},
		{"POST", "/send", map[string]int{"": 401, "viewer": 403, "responder": 204}},
		{"GET", "/admins", map[string]int{"": 401, "viewer": 403, "responder": 403, "admin": 204}},
		{"GET", "/own", map[string]int{"": 204, "viewer": 204}},
	} {
		for who, want := range c.want {
			require.Equal(t, want, f.call(who, c.method, c.path, "").StatusCode, "%s %s as %q", c.method, c.path, who)
		}
	}
	f.opts.Registerer = nil
	f.opts.Mounts = []Mount{{"/x", ok, Checked}, {"/x", ok, Checked}}
	_, err := New(f.opts)
	require.ErrorContains(t, err, "api: mount /x")
}

func TestRoutePrefix(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.RoutePrefix = "/tocsin/" }).storm()
	require.Equal(t, 1, get[IncidentList](f, "viewer", "/tocsin/api/v1/incidents").Total)
	require.Equal(t, "/tocsin/incidents/INC-1", get[Incident](f, "viewer", "/tocsin/api/v1/incidents/1").Link)
	require.Equal(t, 200, f.call("", "GET", "/tocsin/-/ready", "").StatusCode)
	require.Equal(t, 404, f.call("viewer", "GET", "/api/v1/incidents", "").StatusCode)
	require.Equal(t, 404, f.call("viewer", "GET", "/tocsinx/api/v1/incidents", "").StatusCode)
	redirect := f.call("", "GET", "/tocsin", "")
	require.Equal(t, 301, redirect.StatusCode)
	require.Equal(t, "/tocsin/", redirect.Header.Get("Location"))
	require.Contains(t, f.call("viewer", "GET", "/tocsin/metrics", "").text, `route="GET /api/v1/incidents"`)
	f.opts.Registerer, f.opts.RoutePrefix = nil, "tocsin"
	_, err := New(f.opts)
	require.ErrorContains(t, err, "must be a path such as /tocsin")
}

// TestNothingAnswersWhereNothingIs: Grafana takes a server that answers on /alertmanager/api/v2/status for another product.
func TestNothingAnswersWhereNothingIs(t *testing.T) {
	f := newFixture(t)
	for _, path := range []string{"/alertmanager/api/v2/status", "/api/v2/status", "/", "/api/v1", "/api/v1/", "/docs", "/favicon.ico"} {
		res := f.call("admin", "GET", path, "")
		require.Equal(t, 404, res.StatusCode, path)
		require.Equal(t, path, res.problem(t).Instance)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	var _ Engine = (*engine.Engine)(nil)
	_, err := New(Options{})
	require.ErrorContains(t, err, "must be set")
}
