package alertmanager

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/ingest"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

const (
	webhookPath  = "/webhook/alertmanager"
	webhookAlert = `{"status":"firing","labels":{"alertname":"x","unit":"1"},"startsAt":"2026-11-20T22:23:29.496Z","endsAt":"0001-01-01T00:00:00Z"}`
	badAlert     = `{"status":"firing","labels":{}}`
)

func TestAWebhooksAlertsAreThere(t *testing.T) {
	d := newDaemon(t, fixed)
	w := d.ask(admin(), "POST", webhookPath, message(webhookAlert))
	require.Equal(t, []any{200, ""}, []any{w.Code, w.Body.String()})
	body := d.ask(admin(), "GET", alertsPath, "").Body.String()
	require.Contains(t, body, `"labels":{"alertname":"x","unit":"1"}`)
	require.Contains(t, body, `"endsAt":"2026-11-20T22:30:00.000Z"`, "no end was named: as if it were repeated now")
	require.Equal(t, 200, d.ask(admin(), "POST", webhookPath, message(strings.Replace(webhookAlert, "firing", "resolved", 1))).Code)
	require.Equal(t, "[]\n", d.ask(admin(), "GET", alertsPath, "").Body.String())
}

func TestAWebhooksSourceIsWhoseURLItNames(t *testing.T) {
	for url, name := range map[string]string{
		"http://AM:9093":                   "webhook:am:9093",
		"https://user:pw@am.example/am-1/": "webhook:am.example/am-1",
		"am":                               "webhook:am",
		"http://[::1]:9093/#/alerts":       "webhook:[::1]:9093",
		"%":                                "webhook:%",
		"":                                 "webhook",
	} {
		require.Equal(t, name, sourceName(url))
	}
	d := newDaemon(t, fixed)
	d.ask(admin(), "POST", webhookPath, message(webhookAlert))
	v, err := d.engine.View(t.Context())
	require.NoError(t, err)
	for s := range v.Sources() {
		require.Equal(t, event.Source{Name: "webhook:am:9093", Tenant: event.DefaultTenant, Kind: event.SendOnce}, s.Source)
	}
}

func TestAWebhookWithAKeyIsTheKeysSource(t *testing.T) {
	d := newDaemon(t, fixed)
	key := auth.Source{Source: event.Source{Name: "am-eu", Tenant: "acme"}}
	ctx := auth.NewSourceContext(t.Context(), key)
	w := d.ask(auth.FromContext(ctx), "POST", webhookPath, message(webhookAlert))
	require.Equal(t, 403, w.Code, "the principal alone is no key")
	w = httptest.NewRecorder()
	d.mux().ServeHTTP(w, httptest.NewRequestWithContext(ctx, "POST", webhookPath, strings.NewReader(message(webhookAlert))))
	require.Equal(t, 200, w.Code)
	require.Equal(t, "am-eu", d.sources.Stats("acme", fixed())[0].Name)
	acme := auth.Principal{ID: "x", Role: auth.Viewer, Tenant: "acme"}
	require.Contains(t, d.ask(acme, "GET", alertsPath, "").Body.String(), `"unit":"1"`)
}

func TestABadAlertOfAWebhookIsCountedAndItsNeighboursAreKept(t *testing.T) {
	d := newDaemon(t, fixed)
	require.Equal(t, 200, d.ask(admin(), "POST", webhookPath, message(badAlert+","+webhookAlert)).Code)
	stats := d.sources.Stats(event.DefaultTenant, fixed())[0]
	require.Equal(t, map[string]uint64{"invalid": 1, "truncated": 1}, stats.Errors)
	require.EqualValues(t, 1, stats.Events)
	require.Contains(t, stats.LastError, "alerts[0].labels")
}

func TestAWebhookOfBadAlertsOnlyIsRefusedForGood(t *testing.T) {
	w := newDaemon(t, fixed).ask(admin(), "POST", webhookPath, message(badAlert))
	require.Equal(t, 400, w.Code)
	require.Contains(t, w.Body.String(), `"code":"invalid_alerts"`)
	require.Contains(t, w.Body.String(), `"errors":["alerts[0].labels: at least one label pair required"]`)
}

func TestWhatIsNoWebhookIsRefusedWithItsHint(t *testing.T) {
	d := newDaemon(t, fixed)
	w := d.ask(admin(), "POST", webhookPath, `{"text":"firing"}`)
	require.Equal(t, 400, w.Code)
	require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	require.Contains(t, w.Body.String(), "remove payload:")
	require.Equal(t, map[string]uint64{"malformed": 1}, d.sources.Stats(event.DefaultTenant, fixed())[0].Errors)
}

func TestAWebhookAtItsSourcesCapIsRefusedByName(t *testing.T) {
	d := newDaemon(t, fixed, func(_ *Options, l *ingest.Limits) { l.AlertsPerSource = 1 })
	w := d.ask(admin(), "POST", webhookPath, message(webhookAlert+","+strings.Replace(webhookAlert, `"1"`, `"2"`, 1)))
	require.Equal(t, 400, w.Code)
	require.Contains(t, w.Body.String(), `"code":"over_cap"`)
	require.Contains(t, w.Body.String(), "1 new alerts refused: source webhook:am:9093 is at its limit of 1 active alerts (limits.alerts_per_source)")
}
