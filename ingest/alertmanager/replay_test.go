package alertmanager

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// captured is one exchange of a recorded conversation with Alertmanager 0.34.2.
type captured struct {
	T           time.Time       `json:"t"`
	Method      string          `json:"method"`
	URL         string          `json:"url"`
	Body        json.RawMessage `json:"body"`
	ReplyStatus int             `json:"reply_status"`
	ReplyBody   json.RawMessage `json:"reply_body"`
}

func readCapture(t *testing.T, client string) (list []captured) {
	text, err := os.ReadFile(captures + "/" + client + "_to_alertmanager.json")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("SKIPPED: no recorded traffic at %s: what %s asks is not checked here", captures, client)
	}
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &list))
	return list
}

// replay asks a daemon what was recorded, at the recorded times.
type replay struct {
	t   *testing.T
	d   *daemon
	at  time.Time
	ids map[string]string // silences: recorded id to ours
}

func TestRecordedClientsGetWhatAlertmanagerToldThem(t *testing.T) {
	for _, client := range []string{"amtool", "karma", "prometheus"} {
		t.Run(client, func(t *testing.T) {
			list := readCapture(t, client)
			r := &replay{t: t, at: list[0].T.Add(-time.Second), ids: map[string]string{}}
			r.d = newDaemon(t, func() time.Time { return r.at })
			r.restore(list)
			for i, c := range list {
				if c.ReplyStatus < 500 { // the recording proxy lost its Alertmanager for a while
					r.ask(i, c)
				}
			}
		})
	}
}

// restore makes what the recorded Alertmanager held before the recording began: all that it shows and nobody sent.
func (r *replay) restore(list []captured) {
	made := map[string]bool{}
	var alerts []json.RawMessage
	for _, c := range list {
		var reply struct{ SilenceID string }
		if json.Unmarshal(c.ReplyBody, &reply) == nil && reply.SilenceID != "" {
			made[reply.SilenceID] = true
		}
		for _, shown := range shownIn(c) {
			var item struct{ ID, Fingerprint string }
			require.NoError(r.t, json.Unmarshal(shown, &item))
			if item.Fingerprint != "" {
				alerts = append(alerts, shown)
			}
			if item.ID == "" || made[item.ID] || r.ids[item.ID] != "" {
				continue
			}
			made[item.ID] = true
			w := r.d.ask(admin(), "POST", silencesPath, strings.Replace(string(shown), item.ID, "", 1))
			if w.Code == http.StatusOK { // what had expired before stays away
				require.NoError(r.t, json.Unmarshal(w.Body.Bytes(), &reply))
				r.ids[item.ID] = reply.SilenceID
			}
		}
	}
	body, err := json.Marshal(alerts)
	require.NoError(r.t, err)
	require.Equal(r.t, 200, r.d.ask(admin(), "POST", alertsPath, string(body)).Code)
}

// shownIn returns the alerts and silences in an answer.
func shownIn(c captured) (items []json.RawMessage) {
	var list []json.RawMessage
	if json.Unmarshal(c.ReplyBody, &list) != nil {
		return nil
	}
	for _, item := range list {
		var group struct{ Alerts []json.RawMessage }
		if json.Unmarshal(item, &group) == nil && group.Alerts != nil {
			items = append(items, group.Alerts...)
		} else {
			items = append(items, item)
		}
	}
	return items
}

func (r *replay) ask(i int, c captured) {
	r.at = c.T
	_, path, _ := strings.Cut(c.URL, "/api/v2/")
	path, body := r.translate("/api/v2/"+path), r.translate(string(c.Body))
	w := r.d.ask(admin(), c.Method, path, body)
	where := fmt.Sprintf("%d: %s %s", i, c.Method, c.URL)
	require.Equal(r.t, c.ReplyStatus, w.Code, "%s: %s", where, w.Body)
	if c.ReplyBody == nil {
		require.Empty(r.t, w.Body.String(), where)
		return
	}
	var want, got any
	require.NoError(r.t, json.Unmarshal(c.ReplyBody, &want))
	require.NoError(r.t, json.Unmarshal(w.Body.Bytes(), &got), where)
	sameShape(r.t, want, got, where)
	var theirs, ours struct{ SilenceID string }
	if json.Unmarshal(c.ReplyBody, &theirs) == nil && theirs.SilenceID != "" {
		require.NoError(r.t, json.Unmarshal(w.Body.Bytes(), &ours))
		r.ids[theirs.SilenceID] = ours.SilenceID
	}
}

func (r *replay) translate(text string) string {
	for theirs, ours := range r.ids {
		text = strings.ReplaceAll(text, theirs, ours)
	}
	return text
}

// sameShape requires that got has everything that want has, of the same kind; times and ids may differ, and a set of labels may
// hold others.
func sameShape(t *testing.T, want, got any, where string) {
	require.IsType(t, want, got, where)
	switch want := want.(type) {
	case map[string]any:
		for key, value := range want {
			require.Contains(t, got, key, where)
			if key != "labels" && key != "annotations" {
				sameShape(t, value, got.(map[string]any)[key], where+"."+key)
			}
		}
	case []any:
		if got := got.([]any); len(want) > 0 {
			require.NotEmpty(t, got, where)
			sameShape(t, want[0], got[0], where+"[0]")
		}
	}
}
