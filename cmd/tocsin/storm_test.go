package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// receiver is an API v2 that remembers what it took.
type receiver struct {
	mu       sync.Mutex
	alerts   []map[string]any
	paths    map[string]int
	requests int
	answer   func(n int, w http.ResponseWriter) bool // answers the n-th request itself; nil: takes all
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paths[req.URL.Path]++
	if !strings.HasSuffix(req.URL.Path, "/api/v2/alerts") {
		_, _ = w.Write([]byte(`{"would": {}}`))
		return
	}
	r.requests++
	if r.answer != nil && r.answer(r.requests, w) {
		return
	}
	var batch []map[string]any
	if err := json.NewDecoder(req.Body).Decode(&batch); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.alerts = append(r.alerts, batch...)
}

// storms runs tocsin storm against r and returns its exit code and what it says.
func storms(t *testing.T, r *receiver, args ...string) (code int, out, errs string) {
	r.paths = map[string]int{}
	server := httptest.NewServer(r)
	defer server.Close()
	var o, e bytes.Buffer
	code = run(append([]string{"storm", "--to", server.URL, "--preset", "light", "--cis", "300"}, args...), strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}

func TestAStormIsSentOnceAsOfNow(t *testing.T) {
	r := &receiver{}
	before := time.Now().Add(-time.Second)
	code, out, errs := storms(t, r, "--faults", "3", "--rate", "100000/s", "--topology")
	require.Zero(t, code, errs)
	require.NotEmpty(t, r.alerts)
	require.Contains(t, out, number(len(r.alerts))+" alerts sent in ")
	require.Contains(t, errs, "imported 300 items")
	require.Contains(t, errs, "of 3 faults to http://127.0.0.1:")
	require.Equal(t, 1, r.paths["/api/v1/cmdb/import"])
	for _, a := range r.alerts {
		starts, err := time.Parse(time.RFC3339, a["startsAt"].(string))
		require.NoError(t, err)
		require.WithinRange(t, starts, before, time.Now())
		if ends, ok := a["endsAt"]; ok {
			at, err := time.Parse(time.RFC3339, ends.(string))
			require.NoError(t, err)
			require.True(t, at.After(starts) && !at.After(time.Now()))
		}
		require.NotEmpty(t, a["labels"].(map[string]any)["ci"])
	}
}

func TestAStormKeepsItsRateAndItsTime(t *testing.T) {
	r := &receiver{}
	began := time.Now()
	code, out, _ := storms(t, r, "--faults", "1", "--rate", "400/s", "--duration", "500ms", "--json")
	require.Zero(t, code)
	require.GreaterOrEqual(t, time.Since(began), 500*time.Millisecond)
	var sum stormSummary
	require.NoError(t, json.Unmarshal([]byte(out), &sum))
	require.Equal(t, len(r.alerts), sum.Sent)
	require.InDelta(t, 200, sum.Sent, 45, "when one scenario is over, the next is made up")
	require.Equal(t, r.requests, sum.Requests)
}

func TestAStormLeavesAReceiverAloneForAsLongAsItAsks(t *testing.T) {
	r := &receiver{answer: func(n int, w http.ResponseWriter) bool {
		switch n {
		case 1:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
		case 2:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			return false
		}
		return true
	}}
	began := time.Now()
	code, out, _ := storms(t, r, "--faults", "1", "--rate", "100000/s")
	require.Zero(t, code)
	require.GreaterOrEqual(t, time.Since(began), time.Second)
	require.Contains(t, out, "held up 2 times by 429 or 503")
	require.Contains(t, out, number(len(r.alerts))+" alerts sent")
}

func TestWhatAReceiverRefusesIsCountedAndSaid(t *testing.T) {
	r := &receiver{answer: func(_ int, w http.ResponseWriter) bool {
		http.Error(w, "no such tenant", http.StatusForbidden)
		return true
	}}
	code, out, _ := storms(t, r, "--faults", "1", "--rate", "100000/s")
	require.Equal(t, exitFailed, code)
	require.Regexp(t, `alerts? w(as|ere) refused: 403 Forbidden: no such tenant`, out)
}

func TestAStormThatMakesNoSenseIsRefused(t *testing.T) {
	for line, want := range map[string]string{
		"storm":           "missing: --to",
		"storm --to here": `--to: "here" is no address of a daemon`,
		"storm --to http://127.0.0.1:1 --rate fast":         `--rate: "fast" is no rate`,
		"storm --to http://127.0.0.1:1 --rate 5/d":          `--rate: "5/d" is no rate`,
		"storm --to http://127.0.0.1:1 --rate 0":            `--rate: "0" is no rate`,
		"storm --to http://127.0.0.1:1 --preset calm":       `--preset: there is no "calm"`,
		"storm --to http://127.0.0.1:1 --duration whenever": `--duration: "whenever" is no span`,
	} {
		var out, errs bytes.Buffer
		require.Equal(t, exitUsage, run(strings.Fields(line), strings.NewReader(""), &out, &errs), line)
		require.Contains(t, errs.String(), want, line)
		require.Contains(t, errs.String(), "hint: ", line)
	}
}

func TestRatesAndPausesAreReadAsTheyAreWritten(t *testing.T) {
	for text, want := range map[string]float64{"1000/s": 1000, "90/m": 1.5, "7200/h": 2, "2.5": 2.5} {
		got, err := parseRate(text)
		require.NoError(t, err)
		require.InDelta(t, want, got, 1e-9)
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": stormPause, "3": 3 * time.Second, "99999999": longestPause, "soon": stormPause, now.Add(4 * time.Second).Format(http.TimeFormat): 4 * time.Second,
		now.Add(-time.Hour).Format(http.TimeFormat): 0,
	} {
		require.Equal(t, want, retryAfter(text, now), text)
	}
}
