package native

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

var testNow = event.FromTime(time.Date(2026, 11, 20, 22, 25, 0, 0, time.UTC))

func batchOf(body string) *event.Batch {
	return &event.Batch{Source: event.Source{Tenant: event.DefaultTenant}, Body: []byte(body)}
}

func TestOneAlertIsReadWhole(t *testing.T) {
	b := batchOf(`{
		"labels": {"severity": "major", "alertname": "LinkDown"}, "annotations": {"summary": "ge-0/0\u002f1 is down"},
		"status": "firing", "startsAt": "2026-11-20T22:23:29.496Z", "endsAt": "2026-11-21T00:00:00+01:00",
		"url": "https://nms.example.org/links/7", "ci": "router-7"
	}`)
	require.Nil(t, Decode(b, testNow, Limits{}))
	require.Len(t, b.Events, 1)
	ev := b.Events[0]
	require.Equal(t, `{alertname="LinkDown", ci="router-7", severity="major"}`, ev.Labels.String())
	require.Equal(t, event.CIRef{Name: "router-7", Label: "ci"}, ev.Labels.CI())
	require.Equal(t, "ge-0/0/1 is down", ev.Annotations.Get("summary"))
	require.Equal(t, "2026-11-20T22:23:29.496Z", ev.StartsAt.String())
	require.Equal(t, "2026-11-20T23:00:00.000Z", ev.EndsAt.String())
	require.Equal(t, "https://nms.example.org/links/7", ev.GeneratorURL)
	require.Equal(t, event.Major, ev.Severity)
	require.False(t, ev.Cleared)
}

func TestTheStatusTellsWhetherItIsOver(t *testing.T) {
	for fields, cleared := range map[string]bool{
		`"status":"resolved"`: true,
		`"status":"resolved","endsAt":"2100-01-01T00:00:00Z"`: true,
		`"status":"firing","endsAt":"2020-01-01T00:00:00Z"`:   false,
		`"endsAt":"2020-01-01T00:00:00Z"`:                     true,
		`"endsAt":"2100-01-01T00:00:00Z"`:                     false,
		`"startsAt":"2020-01-01T00:00:00Z"`:                   false,
	} {
		b := batchOf(`{"labels":{"a":"b"},` + fields + `}`)
		require.Nil(t, Decode(b, testNow, Limits{}), fields)
		require.Equal(t, cleared, b.Events[0].Cleared, fields)
	}
}

func TestAFaultRefusesItsAlertOnly(t *testing.T) {
	for bad, c := range map[string]struct{ place, message string }{
		`{"labels":{"a":"b"},"state":"firing"}`:        {"alerts[1].state", `unknown field "state"`},
		`{"Labels":{"a":"b"}}`:                         {"alerts[1].Labels", `unknown field "Labels"`},
		`{"labels":{"a":"b"},"status":"Firing"}`:       {"alerts[1].status", `status must be "firing" or "resolved" (got "Firing")`},
		`{"labels":{"a":"b"},"url":"nowhere"}`:         {"alerts[1].url", `url must be a URL (got "nowhere")`},
		`{"labels":{"a":"b"},"url":5}`:                 {"alerts[1].url", `json: cannot unmarshal number into url, which is a string`},
		`{"labels":{"ci":"b"},"ci":"c"}`:               {"alerts[1].ci", `ci is "c", but the label ci is "b"`},
		`{"labels":{"a":"b"},"startsAt":"2100-01-01"}`: {"alerts[1].startsAt", `start time must be before end time`},
		`{"labels":{"a":"b"},"endsAt":"soon"}`:         {"alerts[1].endsAt", `parsing time "soon" as "2006-01-02": cannot parse "soon" as "2006"`},
		`{}`:                                           {"alerts[1].labels", "at least one label pair required"},
		`null`:                                         {"alerts[1].labels", "at least one label pair required"},
		`"x"`:                                          {"alerts[1]", "json: cannot unmarshal string into an alert, which is an object"},
		`{"labels":{"a":"b"},"url":"http://a/` + strings.Repeat("x", 99) + `"}`: {"alerts[1].url", "URL longer than 64 bytes (limits.generator_url_bytes)"},
	} {
		b := batchOf(`[{"labels":{"a":"first"}},` + bad + `,{"labels":{"a":"last"}}]`)
		r := Decode(b, testNow, Limits{GeneratorURL: 64})
		require.NotNil(t, r, bad)
		require.Equal(t, 400, r.Status)
		require.Zero(t, r.Code)
		require.Equal(t, c.place, r.Place, bad)
		require.Equal(t, c.message, r.Message, bad)
		require.Equal(t, 2, r.Kept)
		require.Equal(t, 1, r.Refused)
		require.Len(t, b.Events, 2)
	}
}

func TestAnUnknownFieldNamesTheKnownOnes(t *testing.T) {
	r := Decode(batchOf(`{"label":{}}`), testNow, Limits{})
	require.Equal(t, "known fields are labels, annotations, status, startsAt, endsAt, url, ci", r.Hint)
}

func TestWhatIsNoJSONIsRefusedWhole(t *testing.T) {
	for _, body := range []string{``, `[{"labels":{"a":"b"}},{]`, `{"labels":{"a":"b"}} {}`, `[{"labels":{"a":"b"}}`} {
		b := batchOf(body)
		r := Decode(b, testNow, Limits{})
		require.Equal(t, 400, r.Code, body)
		require.Contains(t, r.Message, "not JSON: ")
		require.Empty(t, b.Events)
	}
}

func TestTooManyAlertsAreRefusedWhole(t *testing.T) {
	b := batchOf(`[{"labels":{"a":"b"}},{"labels":{"a":"b"}}]`)
	require.Equal(t, 413, Decode(b, testNow, Limits{AlertsPerRequest: 1}).Status)
	require.Empty(t, b.Events)
}
