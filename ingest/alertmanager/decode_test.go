package alertmanager

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// testNow is when the tests' requests arrive.
var testNow = event.FromTime(time.Date(2026, 11, 20, 22, 25, 0, 0, time.UTC))

func batchOf(body string) *event.Batch {
	return &event.Batch{Source: event.Source{Tenant: event.DefaultTenant}, Body: []byte(body)}
}

// alert returns an array of one alert with a label and the fields given.
func alert(fields string) string {
	return `[{"labels":{"alertname":"x"},` + fields + `}]`
}

// parseError stands for Alertmanager's words about a body it cannot read; the reason behind them is in our own words.
const parseError = `parsing alerts body from "" failed, because `

// The verdicts are those of Alertmanager 0.34.2's own handler.
func TestAlertsAreJudgedAsByAlertmanager(t *testing.T) {
	for name, c := range map[string]struct {
		body         string
		status, code int // 0: fine
		message      string
		kept         int
		place        string
	}{
		"null is an empty batch":             {body: `null`},
		"an empty array is an empty batch":   {body: ` [ ] `},
		"no body":                            {body: ``, status: 422, code: 602, message: "alerts in body is required"},
		"white space alone is no body":       {body: " \n", status: 422, code: 602, message: "alerts in body is required"},
		"an object":                          {body: `{}`, status: 400, code: 400, message: parseError + "json: cannot unmarshal object into alerts, which is an array of alerts"},
		"a string":                           {body: `"x"`, status: 400, code: 400, message: parseError},
		"a number":                           {body: `5`, status: 400, code: 400, message: parseError},
		"an array in place of an alert":      {body: `[[]]`, status: 400, code: 400, message: parseError, place: "alerts[0]"},
		"cut short":                          {body: `[{"labels":{"a":"b"}}`, status: 400, code: 400, message: parseError + "unexpected end of JSON input at byte 21"},
		"a comma too many":                   {body: `[{"labels":{"a":"b"},}]`, status: 400, code: 400, message: parseError + "invalid character '}' looking for beginning of object key string at byte 21"},
		"a leading zero":                     {body: alert(`"foo":01`), status: 400, code: 400, message: parseError},
		"a NUL":                              {body: "\x00[]", status: 400, code: 400, message: parseError},
		"a byte order mark":                  {body: "\ufeff[]", status: 400, code: 400, message: parseError},
		"bytes after the array":              {body: `[{"labels":{"a":"b"}}] x`, status: 400, code: 400, message: parseError + "invalid character 'x' after top-level value at byte 23"},
		"null in place of an alert":          {body: `[null]`, status: 422, code: 602, message: "0.labels in body is required", place: "alerts[0].labels"},
		"labels missing":                     {body: `[{}]`, status: 422, code: 602, message: "0.labels in body is required", place: "alerts[0].labels"},
		"labels null":                        {body: `[{"labels":null}]`, status: 422, code: 602, message: "0.labels in body is required", place: "alerts[0].labels"},
		"labels null in the end":             {body: `[{"labels":{"a":"b"},"labels":null}]`, status: 422, code: 602, message: "0.labels in body is required", place: "alerts[0].labels"},
		"no label":                           {body: `[{"labels":{}}]`, status: 400, message: "at least one label pair required", place: "alerts[0].labels"},
		"only empty labels":                  {body: `[{"labels":{"a":"","b":null}}]`, status: 400, message: "at least one label pair required", place: "alerts[0].labels"},
		"the later value counts":             {body: `[{"labels":{"a":"b","a":""}}]`, status: 400, message: "at least one label pair required", place: "alerts[0].labels"},
		"a number as a label":                {body: `[{"labels":{"a":1}}]`, status: 400, code: 400, message: parseError, place: "alerts[0].labels.a"},
		"a list of labels":                   {body: `[{"labels":[]}]`, status: 400, code: 400, message: parseError, place: "alerts[0].labels"},
		"a list of annotations":              {body: alert(`"annotations":[]`), status: 400, code: 400, message: parseError, place: "alerts[0].annotations"},
		"no annotations":                     {body: alert(`"annotations":null`), kept: 1},
		"a label without name":               {body: `[{"labels":{"":"x"}}]`, status: 400, message: `invalid label set: invalid name ""`, place: "alerts[0].labels"},
		"an empty label without name":        {body: `[{"labels":{"a":"1","":""}}]`, kept: 1},
		"an annotation without name":         {body: alert(`"annotations":{"":"x"}`), status: 400, message: `invalid annotations: invalid name ""`, place: "alerts[0].annotations"},
		"an empty annotation without name":   {body: alert(`"annotations":{"":""}`), status: 400, message: `invalid annotations: invalid name ""`, place: "alerts[0].annotations"},
		"label before annotation":            {body: `[{"labels":{"":"x"},"annotations":{"":"y"}}]`, status: 400, message: `invalid label set: invalid name ""`, place: "alerts[0].labels"},
		"UTF-8 in a label's name":            {body: `[{"labels":{"café au lait":"x"}}]`, kept: 1},
		"names match in any case":            {body: `[{"Labels":{"a":"b"},"STARTSAT":"2020-01-01T00:00:00Z"}]`, kept: 1},
		"names match as Unicode folds":       {body: "[{\"label\u017f\":{\"a\":\"b\"}}]", kept: 1},
		"unknown fields":                     {body: alert(`"foo":[1e999,{"x":[null,true,false]}]`), kept: 1},
		"an unset start":                     {body: alert(`"startsAt":""`), kept: 1},
		"an unset end":                       {body: alert(`"startsAt":"2026-11-20T22:00:00Z","endsAt":""`), kept: 1},
		"a time that is a number":            {body: alert(`"startsAt":5`), status: 400, code: 400, message: parseError, place: "alerts[0].startsAt"},
		"a time that is none":                {body: alert(`"endsAt":"x"`), status: 400, code: 400, message: parseError, place: "alerts[0].endsAt"},
		"a leap second":                      {body: alert(`"startsAt":"2020-06-01T10:00:60Z"`), status: 400, code: 400, message: parseError, place: "alerts[0].startsAt"},
		"small letters in a time":            {body: alert(`"startsAt":"2020-06-01t10:00:00z"`), status: 400, code: 400, message: parseError, place: "alerts[0].startsAt"},
		"a start after the end":              {body: alert(`"startsAt":"2020-06-01T00:00:00Z","endsAt":"2019-06-01T00:00:00Z"`), status: 400, message: "start time must be before end time", place: "alerts[0].startsAt"},
		"a start a nanosecond after the end": {body: alert(`"startsAt":"2020-06-01T00:00:00.000000001Z","endsAt":"2020-06-01T00:00:00Z"`), status: 400, message: "start time must be before end time", place: "alerts[0].startsAt"},
		"a start that is the end":            {body: alert(`"startsAt":"2020-06-01T00:00:00Z","endsAt":"2020-06-01T00:00:00Z"`), kept: 1},
		"a far start without an end":         {body: alert(`"startsAt":"2026-11-20T22:30:00.001Z"`), status: 400, message: "start time must be before end time", place: "alerts[0].startsAt"},
		"a near start without an end":        {body: alert(`"startsAt":"2026-11-20T22:30:00Z"`), kept: 1},
		"the clock before the label":         {body: `[{"labels":{"":"x"},"startsAt":"2100-01-01T00:00:00Z"}]`, status: 400, message: "start time must be before end time", place: "alerts[0].startsAt"},
		"no URL":                             {body: alert(`"generatorURL":""`), kept: 1},
		"null as URL":                        {body: alert(`"generatorURL":null`), kept: 1},
		"a path as URL":                      {body: alert(`"generatorURL":"/foo"`), kept: 1},
		"a word as URL":                      {body: alert(`"generatorURL":"foo"`), status: 422, code: 601, message: `0.generatorURL in body must be of type uri: "foo"`, place: "alerts[0].generatorURL"},
		"a number as URL":                    {body: alert(`"generatorURL":3`), status: 400, code: 400, message: parseError, place: "alerts[0].generatorURL"},
		"the URL before the labels":          {body: `[{"generatorURL":"foo"}]`, status: 422, code: 601, message: `0.generatorURL in body must be of type uri: "foo"`, place: "alerts[0].generatorURL"},
		"the first grave fault of a batch": {
			body:   `[{"labels":{"a":"b"}},{},{"labels":{"a":"b"},"generatorURL":"foo"}]`,
			status: 422, code: 602, message: "1.labels in body is required", place: "alerts[1].labels",
		},
		"a wrong type before any other fault": {
			body:   `[{},{"labels":{"a":["b"]}},5]`,
			status: 400, code: 400, message: parseError + "json: cannot unmarshal array into labels.a, which is a string", place: "alerts[1].labels.a",
		},
		"valid alerts are kept": {
			body:   `[{"labels":{"a":"b"}},{"labels":{}},{"labels":{"":"x"}},{"labels":{"c":"d"}}]`,
			status: 400, message: "at least one label pair required\n" + `invalid label set: invalid name ""`, kept: 2, place: "alerts[1].labels",
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := batchOf(c.body)
			r := DecodeAlerts(b, testNow, Limits{})
			require.Len(t, b.Events, c.kept)
			if c.status == 0 {
				require.Nil(t, r)
				return
			}
			require.NotNil(t, r)
			require.Equal(t, c.status, r.Status)
			require.Equal(t, c.code, r.Code)
			require.Equal(t, c.place, r.Place)
			require.Equal(t, c.kept, r.Kept)
			if c.message == parseError {
				require.True(t, strings.HasPrefix(r.Message, parseError), r.Message)
			} else {
				require.Equal(t, c.message, r.Message)
			}
		})
	}
}

func TestAnAlertIsReadWhole(t *testing.T) {
	b := batchOf(`[{
		"annotations": {"summary": "disk \"full\"\n\ud83d\ude00 \ud800", "empty": "", "b": "äß"},
		"endsAt": "2026-11-20T23:27:29.4969Z",
		"startsAt": "2026-11-20T23:23:29.496+01:00",
		"generatorURL": "http://vm:39105/graph?g0.expr=up\u0026g0.tab=1#x",
		"labels": {"severity": "critical", "alertname": "DiskFull", "none": ""}
	}]`)
	require.Nil(t, DecodeAlerts(b, testNow, Limits{}))
	require.Len(t, b.Events, 1)
	ev := b.Events[0]
	require.Equal(t, event.Labels{{Name: "alertname", Value: "DiskFull"}, {Name: "severity", Value: "critical"}}, ev.Labels)
	require.Equal(t, event.Labels{{Name: "b", Value: "äß"}, {Name: "summary", Value: "disk \"full\"\n😀 \ufffd"}}, ev.Annotations)
	require.Equal(t, "http://vm:39105/graph?g0.expr=up&g0.tab=1#x", ev.GeneratorURL)
	require.Equal(t, "2026-11-20T22:23:29.496Z", ev.StartsAt.String())
	require.Equal(t, "2026-11-20T23:27:29.496Z", ev.EndsAt.String())
	require.False(t, ev.Cleared)
	require.Equal(t, event.Critical, ev.Severity)
	identity, _ := ev.Labels.Identity(event.DefaultTenant, nil)
	require.Equal(t, identity, ev.Identity)
}

func TestOnlyAPastEndClears(t *testing.T) {
	for fields, cleared := range map[string]bool{
		`"endsAt":"2026-11-20T22:25:00Z"`:                               true,
		`"endsAt":"2026-11-20T22:25:00.001Z"`:                           false,
		`"endsAt":"1999-01-01T00:00:00Z"`:                               true,
		`"endsAt":"0001-01-01T00:00:00Z"`:                               false,
		`"endsAt":"0001-01-01T00:00:00+01:00"`:                          false,
		`"endsAt":""`:                                                   false,
		`"endsAt":null`:                                                 false,
		`"endsAt":"2020-01-01T00:00:00Z","endsAt":null`:                 true,
		`"startsAt":"2020-01-01T00:00:00Z"`:                             false,
		`"status":"resolved","endsAt":"2100-01-01T00:00:00Z","foo":"x"`: false,
	} {
		b := batchOf(alert(fields))
		require.Nil(t, DecodeAlerts(b, testNow, Limits{}), fields)
		require.Equal(t, cleared, b.Events[0].Cleared, fields)
	}
}

func TestSetsThatComeTwiceMerge(t *testing.T) {
	b := batchOf(`[{"labels":{"c":"1","a":"1"},"labels":{"b":"2","a":"2"},"annotations":{"x":"y"},"annotations":null}]`)
	require.Nil(t, DecodeAlerts(b, testNow, Limits{}))
	require.Equal(t, `{a="2", b="2", c="1"}`, b.Events[0].Labels.String())
	require.Empty(t, b.Events[0].Annotations)
}

func TestALimitIsNamedWithItsKey(t *testing.T) {
	lim := Limits{LabelsPerAlert: 2, AnnotationsPerAlert: 1, LabelName: 5, LabelValue: 4, AnnotationValue: 6, GeneratorURL: 9}
	for body, key := range map[string]string{
		`{"labels":{"c":"1","a":"2","b":"3"}}`:               "limits.labels_per_alert",
		`{"labels":{"a":"1"},"annotations":{"a":"","b":""}}`: "limits.annotations_per_alert",
		`{"labels":{"abcdef":"1"}}`:                          "limits.label_name_bytes",
		`{"labels":{"a":"12345"}}`:                           "limits.label_value_bytes",
		`{"labels":{"a":"1"},"annotations":{"a":"1234567"}}`: "limits.annotation_value_bytes",
		`{"labels":{"a":"1"},"generatorURL":"http://abc"}`:   "limits.generator_url_bytes",
	} {
		b := batchOf(`[{"labels":{"good":"1"}},` + body + `]`)
		r := DecodeAlerts(b, testNow, lim)
		require.NotNil(t, r, body)
		require.Equal(t, 400, r.Status)
		require.Zero(t, r.Code)
		require.Contains(t, r.Message, key)
		require.Contains(t, r.Hint, key)
		require.Equal(t, 1, r.Kept)
		require.Equal(t, 1, r.Refused)
		require.Len(t, b.Events, 1)
	}
}

func TestTooManyAlertsRefuseTheRequest(t *testing.T) {
	three := "[" + strings.Repeat(`{"labels":{"a":"1"}},`, 2) + `{"labels":{"a":"1"}}]`
	require.Nil(t, DecodeAlerts(batchOf(three), testNow, Limits{AlertsPerRequest: 3}))
	b := batchOf(three)
	r := DecodeAlerts(b, testNow, Limits{AlertsPerRequest: 2})
	require.Equal(t, 413, r.Status)
	require.Contains(t, r.Message, "limits.alerts_per_request")
	require.Empty(t, b.Events)
}

func TestTheListOfRefusedAlertsIsCut(t *testing.T) {
	r := DecodeAlerts(batchOf("["+strings.Repeat(`{"labels":{}},`, 99)+`{"labels":{"a":"b"}}]`), testNow, Limits{})
	require.Equal(t, 99, r.Refused)
	require.Equal(t, 1, r.Kept)
	require.Len(t, r.Alerts, 16)
	require.Equal(t, "alerts[15].labels", r.Alerts[15].Place)
	require.Equal(t, 17, strings.Count(r.Message, "\n")+1)
	require.Contains(t, r.Message, "and 83 more")
}

func TestAFaultHasAPlace(t *testing.T) {
	body := `[{"labels":{"a":"b"}}, {"labels":{"a":"b"}, "startsAt": "yesterday"}]`
	r := DecodeAlerts(batchOf(body), testNow, Limits{})
	require.Equal(t, "alerts[1].startsAt", r.Place)
	require.Equal(t, `"yesterday"`, body[r.Offset:r.Offset+11])
	require.Contains(t, r.Error(), "alerts[1].startsAt: parsing alerts body")
	require.Contains(t, r.Error(), "RFC 3339")
}

func TestEarlierEventsOfTheBatchStay(t *testing.T) {
	b := batchOf(`[{"labels":{"a":"first"}}]`)
	require.Nil(t, DecodeAlerts(b, testNow, Limits{}))
	b.Body = []byte(`[{"labels":{"a":"second"}},{}]`)
	require.Equal(t, 602, DecodeAlerts(b, testNow, Limits{}).Code)
	require.Len(t, b.Events, 1)
	require.Equal(t, "first", b.Events[0].Labels.Get("a"))
}

func TestManyLabelsOutOfOrder(t *testing.T) {
	labels := make(map[string]string)
	var parts []string
	for i := range 60 {
		name := fmt.Sprintf("l%02d", i*37%60)
		labels[name] = "v"
		parts = append(parts, `"`+name+`":"v"`)
	}
	b := batchOf(`[{"labels":{` + strings.Join(parts, ",") + `}}]`)
	require.Nil(t, DecodeAlerts(b, testNow, Limits{}))
	require.Equal(t, labels, b.Events[0].Labels.Map())
	require.IsIncreasing(t, names(b.Events[0].Labels))
}

func names(ls event.Labels) (out []string) {
	for _, l := range ls {
		out = append(out, l.Name)
	}
	return out
}

func TestSteadyStateNeedsNoAllocation(t *testing.T) {
	body := alertsOfUsualSize(t, 64)
	require.True(t, json.Valid(body))
	b := &event.Batch{}
	decode := func() {
		b.Reset()
		b.Source.Tenant = event.DefaultTenant
		b.Body = append(b.Body, body...)
		if DecodeAlerts(b, testNow, Limits{}) != nil {
			t.Fail()
		}
	}
	decode()
	require.Zero(t, testing.AllocsPerRun(20, decode))
}
