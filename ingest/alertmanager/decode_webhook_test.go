package alertmanager

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// message returns a webhook's body around alerts.
func message(alerts string) string {
	return `{"receiver":"ok","status":"resolved","alerts":[` + alerts + `],"groupLabels":{},"commonLabels":{"a":"b"},` +
		`"externalURL":"http://am:9093","version":"4","groupKey":"{}/{}:{alertname=\"x\"}","truncatedAlerts":256}`
}

func TestWorkIsPerAlertWhateverTheGroupSays(t *testing.T) {
	b := batchOf(message(`
		{"status":"firing","labels":{"alertname":"x","unit":"1"},"annotations":{"s":"down"},"startsAt":"2026-11-20T22:23:29.496Z",
		 "endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://vm:9/graph?g0.expr=up\u0026g0.tab=1","fingerprint":"380b8e07d3ee02c6"},
		{"status":"resolved","labels":{"alertname":"x","unit":"2"},"startsAt":"2026-11-20T22:23:29.496Z","endsAt":"2026-11-20T22:25:54.496Z"}`))
	m, r := DecodeWebhook(b, Limits{})
	require.Nil(t, r)
	require.Equal(t, Message{ExternalURL: "http://am:9093", Receiver: "ok", GroupKey: `{}/{}:{alertname="x"}`, TruncatedAlerts: 256}, m)
	require.Len(t, b.Events, 2)
	require.False(t, b.Events[0].Cleared)
	require.Zero(t, b.Events[0].EndsAt)
	require.Equal(t, "down", b.Events[0].Annotations.Get("s"))
	require.Equal(t, "http://vm:9/graph?g0.expr=up&g0.tab=1", b.Events[0].GeneratorURL)
	require.True(t, b.Events[1].Cleared)
	require.Equal(t, "2026-11-20T22:25:54.496Z", b.Events[1].EndsAt.String())
	require.Equal(t, `{alertname="x", unit="2"}`, b.Events[1].Labels.String())
}

func TestGrafanasSupersetIsRead(t *testing.T) {
	b := batchOf(`{"receiver":"My Super Webhook","status":"firing","orgId":1,"alerts":[{"status":"firing",
		"labels":{"alertname":"High memory usage","team":"blue"},"annotations":{"summary":"zone us-1"},
		"startsAt":"2021-10-12T09:51:03.157076+02:00","endsAt":"0001-01-01T00:00:00Z","generatorURL":"https://g.example.org/edit",
		"fingerprint":"c6eadffa33fcdf37","silenceURL":"https://g.example.org/silence","dashboardURL":"","panelURL":"",
		"values":{"B":44.23943737541908,"C":1},"valueString":"[ metric='' ]"}],
		"groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":"https://g.example.org/","version":"1",
		"groupKey":"{}:{}","truncatedAlerts":0,"title":"[FIRING:1]","state":"alerting","message":"**Firing**"}`)
	m, r := DecodeWebhook(b, Limits{})
	require.Nil(t, r)
	require.True(t, m.Grafana)
	require.Equal(t, "https://g.example.org/", m.ExternalURL)
	require.Len(t, b.Events, 1)
	require.Equal(t, "2021-10-12T07:51:03.157Z", b.Events[0].StartsAt.String())
	require.False(t, b.Events[0].Cleared)
}

func TestABadAlertTakesNoNeighbourDown(t *testing.T) {
	const good = `{"status":"firing","labels":{"a":"b"}}`
	for bad, c := range map[string]struct{ place, message string }{
		`null`:                             {"alerts[1].status", `status must be "firing" or "resolved" (got "")`},
		`5`:                                {"alerts[1]", "json: cannot unmarshal number into an alert, which is an object"},
		`{"labels":{"a":"b"}}`:             {"alerts[1].status", `status must be "firing" or "resolved" (got "")`},
		`{"status":"FIRING","labels":{}}`:  {"alerts[1].status", `status must be "firing" or "resolved" (got "FIRING")`},
		`{"status":"firing"}`:              {"alerts[1].labels", "at least one label pair required"},
		`{"status":"firing","labels":[1]}`: {"alerts[1].labels", "json: cannot unmarshal array into labels, which is an object of strings"},
		`{"status":"firing","labels":{"a":"b"},"startsAt":true}`:                 {"alerts[1].startsAt", "json: cannot unmarshal bool into startsAt, which is a string"},
		`{"status":"firing","labels":{"a":"` + strings.Repeat("x", 4097) + `"}}`: {"alerts[1].labels.a", `invalid label set: value of "a" longer than 4096 bytes (limits.label_value_bytes)`},
	} {
		b := batchOf(message(good + "," + bad + "," + good))
		m, r := DecodeWebhook(b, Limits{})
		require.NotNil(t, r, bad)
		require.Equal(t, 400, r.Status)
		require.Zero(t, r.Code)
		require.Equal(t, c.place, r.Place)
		require.Equal(t, c.message, r.Message)
		require.Equal(t, 2, r.Kept)
		require.Equal(t, 1, r.Refused)
		require.Len(t, b.Events, 2)
		require.Equal(t, "ok", m.Receiver, "the source must be known for what was kept")
	}
}

func TestAnEndBeforeTheStartDoesNotLoseAResolve(t *testing.T) {
	b := batchOf(message(`{"status":"resolved","labels":{"a":"b"},"startsAt":"2026-11-20T22:23:00Z","endsAt":"2026-11-20T22:22:00Z"}`))
	_, r := DecodeWebhook(b, Limits{})
	require.Nil(t, r)
	require.True(t, b.Events[0].Cleared)
	require.Zero(t, b.Events[0].EndsAt)
}

func TestWhatIsNoWebhookIsRefusedWithAHint(t *testing.T) {
	for body, reason := range map[string]string{
		`{"list":[5,"x"],"text":"firing UnitDown"}`: "the field version is missing",
		`[]`:                             "the field version is missing",
		`null`:                           "the field version is missing",
		`{"version":"4","receiver":"x"}`: "the field alerts is missing",
		`{"version":"3","alerts":[]}`:    `version is "3"`,
		`{"version":"1","alerts":[]}`:    `version is "1"`,
		`{"version":4,"alerts":[]}`:      "json: cannot unmarshal number into version, which is a string",
		`{"version":"4","alerts":{}}`:    "json: cannot unmarshal object into alerts, which is an array",
		`{"version":"4","alerts":[],"truncatedAlerts":-1}`:        "json: cannot unmarshal number into truncatedAlerts, which is an unsigned integer",
		`{"version":"4","alerts":[],"truncatedAlerts":"1"}`:       "json: cannot unmarshal string into truncatedAlerts, which is an unsigned integer",
		`{"alerts":[{"status":"firing","labels":{"a":"b"}}],"ver`: "unexpected end of JSON input at byte 55",
		``: "unexpected end of JSON input at byte 0",
		`{"alerts":[{"status":"firing","labels":{"a":"b"}}]}`: "the field version is missing",
		`firing UnitDown`: "invalid character 'i' in literal false at byte 1",
	} {
		b := batchOf(body)
		m, r := DecodeWebhook(b, Limits{})
		require.NotNil(t, r, body)
		require.Equal(t, 400, r.Status)
		require.Equal(t, 400, r.Code)
		require.Equal(t, "not a webhook of Alertmanager, version 4: "+reason, r.Message)
		require.NotEmpty(t, r.Hint)
		require.Empty(t, b.Events)
		require.Zero(t, m)
	}
}

func TestTheLastListOfAlertsCounts(t *testing.T) {
	b := batchOf(`{"alerts":[{"status":"firing","labels":{"a":"1"}},{}],"version":"4","alerts":[{"status":"firing","labels":{"a":"2"}}]}`)
	_, r := DecodeWebhook(b, Limits{})
	require.Nil(t, r)
	require.Len(t, b.Events, 1)
	require.Equal(t, "2", b.Events[0].Labels.Get("a"))
}

func TestAWebhookHasALimitOfAlerts(t *testing.T) {
	b := batchOf(message(strings.Repeat(`{"status":"firing","labels":{"a":"b"}},`, 3) + `{}`))
	b.Events = []event.Event{{Cleared: true}}
	_, r := DecodeWebhook(b, Limits{AlertsPerRequest: 3})
	require.Equal(t, 413, r.Status)
	require.Equal(t, []event.Event{{Cleared: true}}, b.Events)
}
