package alertmanager

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// The reference decoders do with encoding/json what the real ones do with their scanner, as plainly as can be.

// unlimited keeps the limits, which encoding/json does not have, out of the comparison.
var unlimited = Limits{
	AlertsPerRequest: 1 << 30, LabelsPerAlert: 1 << 30, AnnotationsPerAlert: 1 << 30,
	LabelName: 1 << 30, LabelValue: 1 << 30, AnnotationValue: 1 << 30, GeneratorURL: 1 << 30,
}

type plainTime struct{ time.Time }

func (t *plainTime) UnmarshalJSON(data []byte) error {
	var text *string
	if err := json.Unmarshal(data, &text); err != nil || text == nil {
		return err
	}
	t.Time = time.Time{}
	if *text == "" {
		return nil
	}
	var err error
	for _, layout := range []string{
		"2006-01-02T15:04:05.000000Z07:00", "2006-01-02T15:04:05.000000Z0700", "2006-01-02T15:04:05.000Z07:00",
		"2006-01-02T15:04:05.000Z0700", time.RFC3339, time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04Z",
		"2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02",
	} {
		var at time.Time
		if at, err = time.Parse(layout, *text); err == nil {
			if at.UTC().Year() > 1 {
				t.Time = at
			}
			return nil
		}
	}
	return err
}

type plainURL string

func (u *plainURL) UnmarshalJSON(data []byte) error {
	var text string
	err := json.Unmarshal(data, &text)
	*u = plainURL(text)
	return err
}

type plainAlert struct {
	Status       string            `json:"status"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     plainTime         `json:"startsAt"`
	EndsAt       plainTime         `json:"endsAt"`
	GeneratorURL plainURL          `json:"generatorURL"`
}

func plainSet(m map[string]string) event.Labels {
	set := event.Labels{}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if m[name] != "" {
			set = append(set, event.Label{Name: name, Value: m[name]})
		}
	}
	return set
}

func (a *plainAlert) event(cleared bool) event.Event {
	return event.Event{
		Labels: plainSet(a.Labels), Annotations: plainSet(a.Annotations), GeneratorURL: string(a.GeneratorURL),
		StartsAt: event.FromTime(a.StartsAt.Time), EndsAt: event.FromTime(a.EndsAt.Time), Cleared: cleared,
	}
}

func (a *plainAlert) fault() error {
	_, unnamed := a.Annotations[""]
	switch {
	case len(plainSet(a.Labels)) == 0:
		return errors.New("at least one label pair required")
	case a.Labels[""] != "":
		return errors.New(`invalid label set: invalid name ""`)
	case unnamed:
		return errors.New(`invalid annotations: invalid name ""`)
	}
	return nil
}

// verdict is what the decoders must agree on.
type verdict struct {
	status, code int
	message      string // "" where the wording is free
	events       []event.Event
}

func plainDecodeAlerts(body []byte) verdict {
	if len(bytes.Trim(body, " \t\r\n")) == 0 {
		return verdict{status: 422, code: 602, message: "alerts in body is required"}
	}
	var alerts []*plainAlert
	if json.Unmarshal(body, &alerts) != nil {
		return verdict{status: 400, code: 400}
	}
	for _, a := range alerts {
		if a != nil && a.GeneratorURL != "" {
			before, _, _ := strings.Cut(string(a.GeneratorURL), "#")
			if _, err := url.ParseRequestURI(before); err != nil {
				return verdict{status: 422, code: 601}
			}
		}
		if a == nil || a.Labels == nil {
			return verdict{status: 422, code: 602}
		}
	}
	var v verdict
	var faults []string
	for _, a := range alerts {
		end := a.EndsAt.Time
		if end.IsZero() {
			end = testNow.Time().Add(5 * time.Minute)
		}
		fault := a.fault()
		if a.StartsAt.After(end) && !a.StartsAt.IsZero() {
			fault = errors.New("start time must be before end time")
		}
		if fault != nil {
			v.status = 400
			faults = append(faults, fault.Error())
			continue
		}
		v.events = append(v.events, a.event(!a.EndsAt.IsZero() && !a.EndsAt.After(testNow.Time())))
	}
	if len(faults) <= 16 {
		v.message = strings.Join(faults, "\n")
	}
	return v
}

func (v verdict) require(t *testing.T, body string, b *event.Batch, r *Rejection) {
	t.Helper()
	if r == nil {
		r = &Rejection{}
	}
	require.Equal(t, v.status, r.Status, "%s: %q", r.Message, body)
	require.Equal(t, v.code, r.Code, "%s: %q", r.Message, body)
	if v.message != "" {
		require.Equal(t, v.message, r.Message, "%q", body)
	}
	require.Len(t, b.Events, len(v.events), "%q", body)
	expected := &event.Batch{Source: b.Source}
	for i, ev := range v.events {
		expected.Add(ev)
		require.True(t, expected.Events[i].Labels.Equal(b.Events[i].Labels), "%v: %q", b.Events[i].Labels, body)
		require.True(t, expected.Events[i].Annotations.Equal(b.Events[i].Annotations), "%v: %q", b.Events[i].Annotations, body)
		got := b.Events[i]
		got.Labels, got.Annotations = expected.Events[i].Labels, expected.Events[i].Annotations
		require.Equal(t, expected.Events[i], got, "%q", body)
	}
}

func FuzzDecodeAlerts(f *testing.F) {
	for _, body := range apiBodies(f) {
		f.Add(body)
	}
	for _, body := range []string{
		`null`, ``, ` `, `[]`, `{}`, `[null]`, `[{}]`, `[[]]`, `[{"labels":{}}] x`,
		`[{"labels":{"a":"b","a":""},"LABELS":{"b":"c"},"annotations":{"":""}},{"labels":{"a":1}}]`,
		`[{"labels":{"\u0061\ud83d\ude00\ud800\"\/":"\b\f\n\r\t"},"startsAt":"2026-11-20T22:23:29.496+01:00","endsAt":null}]`,
		"[{\"labels\":{\"a\xff\":\"\xc3\x28 \xe2\x82 äß\"},\"label\u017f\":null}]",
		`[{"labels":{"a":"b"},"generatorURL":"http://a:9/x?%zz#\u0000","startsAt":"2020-06-01","x":[-0.5e+3,{"y":[true,false,null]}]}]`,
		`[{"labels":{"a":"b"},"startsAt":"2020-06-01T1:00:00,5Z","endsAt":"0001-01-01T00:00:00+01:00"}]`,
		`[{"labels":{"a":"b"},"startsAt":"2024-02-29T23:59:59.999999999-23:59","endsAt":"2024-02-30T00:00:00Z"}]`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		expected := plainDecodeAlerts(body)
		b := batchOf(string(body))
		expected.require(t, string(body), b, DecodeAlerts(b, testNow, unlimited))
	})
}

type plainList struct {
	given  bool
	alerts []json.RawMessage
}

func (l *plainList) UnmarshalJSON(data []byte) error {
	*l = plainList{given: true}
	return json.Unmarshal(data, &l.alerts)
}

type plainMessage struct {
	ExternalURL     string    `json:"externalURL"`
	Receiver        string    `json:"receiver"`
	GroupKey        string    `json:"groupKey"`
	TruncatedAlerts uint64    `json:"truncatedAlerts"`
	Version         string    `json:"version"`
	Alerts          plainList `json:"alerts"`
	OrgID           given     `json:"orgId"`
}

// given notes that a field is there, whatever its value.
type given bool

func (g *given) UnmarshalJSON([]byte) error {
	*g = true
	return nil
}

func plainDecodeWebhook(body []byte) (Message, verdict) {
	var m plainMessage
	known := json.Unmarshal(body, &m) == nil && (m.Version == "4" || m.Version == "1" && bool(m.OrgID))
	if !known || !m.Alerts.given {
		return Message{}, verdict{status: 400, code: 400}
	}
	var v verdict
	for _, raw := range m.Alerts.alerts {
		var a plainAlert
		err := json.Unmarshal(raw, &a)
		if err != nil || a.fault() != nil || a.Status != "firing" && a.Status != "resolved" {
			v.status = 400
			continue
		}
		if a.EndsAt.Before(a.StartsAt.Time) {
			a.EndsAt.Time = time.Time{}
		}
		v.events = append(v.events, a.event(a.Status == "resolved"))
	}
	return Message{
		ExternalURL: m.ExternalURL, Receiver: m.Receiver, GroupKey: m.GroupKey,
		TruncatedAlerts: m.TruncatedAlerts, Grafana: bool(m.OrgID),
	}, v
}

func FuzzDecodeWebhook(f *testing.F) {
	for _, body := range webhookBodies(f) {
		f.Add(body)
	}
	for _, body := range []string{
		`null`, ``, `[]`, `{}`, `{"version":"4"}`, `{"version":"4","alerts":null}`, `{"version":4,"alerts":[]}`,
		`{"version":"1","orgId":1,"alerts":[{"status":"firing","labels":{"a":"b"},"values":{"B":44.2}}],"truncatedAlerts":3}`,
		`{"alerts":[{"status":"resolved","status":null,"labels":{"a":"b"}},null,5],"VERSION":"4","truncatedAlerts":-1}`,
		`{"alerts":[5],"alerts":[{"status":"x"}],"version":"4","groupKey":"\u007b","truncatedAlerts":18446744073709551616}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		message, expected := plainDecodeWebhook(body)
		b := batchOf(string(body))
		got, r := DecodeWebhook(b, unlimited)
		require.Equal(t, message, got)
		expected.require(t, string(body), b, r)
	})
}
