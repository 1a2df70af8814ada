package alertmanager

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// captures is where recorded traffic lies, outside of the repository.
const captures = "../../../shared/data/captures"

// exchange is one recorded request and its answer.
type exchange struct {
	Method      string          `json:"method"`
	URL         string          `json:"url"`
	Body        json.RawMessage `json:"body"`
	ReplyStatus int             `json:"reply_status"`
}

// recorded returns the exchanges of all captures, nothing when there are none here.
func recorded(tb testing.TB) (all []exchange) {
	tb.Helper()
	files, err := filepath.Glob(captures + "/*.json")
	require.NoError(tb, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(tb, err)
		var list []exchange
		if json.Unmarshal(text, &list) == nil {
			all = append(all, list...)
			continue
		}
		var named map[string]exchange
		if json.Unmarshal(text, &named) == nil {
			all = append(all, slices.Collect(maps.Values(named))...)
		}
	}
	return all
}

func isAPI(e exchange) bool {
	return e.Method == "POST" && strings.HasSuffix(e.URL, "/api/v2/alerts") && len(e.Body) > 0
}

func isWebhook(e exchange) bool {
	var m struct {
		GroupKey string `json:"groupKey"`
	}
	return e.Method == "POST" && json.Unmarshal(e.Body, &m) == nil && m.GroupKey != ""
}

func bodies(tb testing.TB, of func(exchange) bool) (out [][]byte) {
	for _, e := range recorded(tb) {
		if of(e) {
			out = append(out, e.Body)
		}
	}
	return out
}

func apiBodies(tb testing.TB) [][]byte     { return bodies(tb, isAPI) }
func webhookBodies(tb testing.TB) [][]byte { return bodies(tb, isWebhook) }

func TestRecordedAlertsGetTheRecordedAnswer(t *testing.T) {
	n := 0
	for _, e := range recorded(t) {
		if !isAPI(e) || e.ReplyStatus >= 500 { // 502: the recorder's peer was away, no verdict on the body
			continue
		}
		n++
		body, b := string(e.Body), batchOf(string(e.Body))
		r := DecodeAlerts(b, testNow, Limits{})
		status := 200
		if r != nil {
			status = r.Status
		}
		require.Equal(t, e.ReplyStatus, status, body)
		plainDecodeAlerts([]byte(body)).require(t, body, b, r)
	}
	if n == 0 {
		t.Skipf("SKIPPED: no recorded traffic in %s; the drop-in's answers are not compared with Alertmanager's", captures)
	}
	t.Logf("%d recorded requests", n)
}

func TestRecordedWebhooksAreRead(t *testing.T) {
	list := webhookBodies(t)
	if len(list) == 0 {
		t.Skipf("SKIPPED: no recorded traffic in %s; webhooks as Alertmanager writes them are not read", captures)
	}
	for _, body := range list {
		b := batchOf(string(body))
		m, r := DecodeWebhook(b, Limits{})
		require.Nil(t, r)
		require.NotEmpty(t, b.Events)
		require.Equal(t, "http://vm:39104", m.ExternalURL)
		_, expected := plainDecodeWebhook(body)
		expected.require(t, string(body), b, r)
	}
}
