package native

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// plainAlert is an alert as encoding/json reads it, with RFC 3339 times only.
type plainAlert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	Status      string            `json:"status"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
	URL         string            `json:"url"`
	CI          string            `json:"ci"`
}

// plainly reads what it can of body: the alerts, and whether it is one or an array.
func plainly(body []byte) (alerts []json.RawMessage, isJSON bool) {
	if !json.Valid(body) {
		return nil, false
	}
	if json.Unmarshal(body, &alerts) == nil && alerts != nil {
		return alerts, true
	}
	return []json.RawMessage{body}, true
}

func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		``, `null`, `[]`, `{}`, `[null,5]`, `{"labels":{"a":"b"}} x`,
		`{"labels":{"a":"b","a":""},"labels":{"c":"\ud83d\ude00"},"ci":"x","status":"resolved","url":"http://a/b?c#d"}`,
		`[{"labels":{"ci":"x"},"startsAt":"2026-11-20T22:23:29.496+01:00","endsAt":null},{"unknown":[1,{}]}]`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		raw, isJSON := plainly(body)
		b := batchOf(string(body))
		unlimited := Limits{
			AlertsPerRequest: 1 << 30, LabelsPerAlert: 1 << 30, AnnotationsPerAlert: 1 << 30,
			LabelName: 1 << 30, LabelValue: 1 << 30, AnnotationValue: 1 << 30, GeneratorURL: 1 << 30,
		}
		r := Decode(b, testNow, unlimited)
		if !isJSON {
			require.Equal(t, 400, r.Code)
			require.Empty(t, b.Events)
			return
		}
		refused := 0
		if r != nil {
			require.Zero(t, r.Code)
			require.Equal(t, len(b.Events), r.Kept)
			refused = r.Refused
		}
		require.Equal(t, len(raw), len(b.Events)+refused)
		if refused == 0 {
			for i, text := range raw {
				requireSame(t, text, b.Events[i])
			}
		}
	})
}

// requireSame compares an accepted alert with what encoding/json makes of it.
func requireSame(t *testing.T, text []byte, ev event.Event) {
	var fields map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(text, &fields))
	for name := range fields {
		require.Contains(t, []string{"labels", "annotations", "status", "startsAt", "endsAt", "url", "ci"}, name)
	}
	var a plainAlert
	if json.Unmarshal(text, &a) != nil {
		return // a time in one of the forms that only Tocsin reads
	}
	if a.CI != "" {
		if a.Labels == nil {
			a.Labels = make(map[string]string)
		}
		a.Labels["ci"] = a.CI
	}
	require.True(t, plainSet(a.Labels).Equal(ev.Labels), "%v", ev.Labels)
	require.True(t, plainSet(a.Annotations).Equal(ev.Annotations), "%v", ev.Annotations)
	require.Equal(t, event.FromTime(a.StartsAt), ev.StartsAt)
	require.Equal(t, event.FromTime(a.EndsAt), ev.EndsAt)
	over := a.Status == "" && !a.EndsAt.IsZero() && !a.EndsAt.After(testNow.Time())
	require.Equal(t, a.Status == "resolved" || over, ev.Cleared)
}

func plainSet(m map[string]string) (set event.Labels) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if m[name] != "" {
			set = append(set, event.Label{Name: name, Value: m[name]})
		}
	}
	return set
}
