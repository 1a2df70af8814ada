// Package e2e_test runs the binary as it is shipped against everything that can happen to it: crashes, full disks, hostile
// requests, and the real programs around it. What a single package can prove stands in that package's own tests.
//
// Conditions are polled, never slept for. SOAK=1 makes the random tests longer.
package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/internal/peers"
)

const patience = 40 * time.Second // for a condition, on a busy machine of two cores

// alert is what POST /api/v2/alerts takes and GET gives.
type alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations,omitempty"`
	StartsAt    *time.Time        `json:"startsAt,omitempty"`
	EndsAt      *time.Time        `json:"endsAt,omitempty"`
	Status      *struct {
		State      string   `json:"state"`
		SilencedBy []string `json:"silencedBy"`
	} `json:"status,omitempty"`
}

// incident is the part of GET /api/v1/incidents that these tests read.
type incident struct {
	ID             string            `json:"id"`
	Status         string            `json:"status"`
	Title          string            `json:"title"`
	Severity       string            `json:"severity"`
	Labels         map[string]string `json:"labels"`
	SignalLost     bool              `json:"signal_lost"`
	AcknowledgedBy string            `json:"acknowledged_by"`
	AcknowledgedAt *time.Time        `json:"acknowledged_at"`
	OpenedAt       time.Time         `json:"opened_at"`
	ResolvedAt     *time.Time        `json:"resolved_at"`
	Alerts         struct {
		Total   int `json:"total"`
		Firing  int `json:"firing"`
		Expired int `json:"expired"`
	} `json:"alerts"`
}

// firing is a critical alert, valid for an hour; it opens an incident at once.
func firing(name, instance string) alert {
	starts, ends := time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	return alert{
		Labels: map[string]string{"alertname": name, "instance": instance, "severity": "critical"}, StartsAt: &starts, EndsAt: &ends,
	}
}

// over is the same alert's end.
func over(a alert) alert {
	ends := time.Now().Add(-time.Second)
	a.EndsAt = &ends
	return a
}

// send makes a request. status 0: there was no answer.
func send(method, url string, body []byte, headers ...string) (status int, answer []byte) {
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return 0, []byte(err.Error())
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := (&http.Client{Timeout: patience}).Do(req)
	if err != nil {
		return 0, []byte(err.Error())
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body)
	if err != nil {
		return 0, []byte(err.Error())
	}
	return res.StatusCode, answer
}

// post sends alerts as Prometheus does.
func post(base string, alerts ...alert) (status int, answer []byte) {
	body, err := json.Marshal(alerts)
	if err != nil {
		return 0, []byte(err.Error())
	}
	return send(http.MethodPost, base+"/api/v2/alerts", body)
}

// mustPost sends alerts that must be acknowledged.
func mustPost(t *testing.T, base string, alerts ...alert) {
	t.Helper()
	status, answer := post(base, alerts...)
	require.Equal(t, http.StatusOK, status, string(answer))
}

// get reads JSON.
func get[T any](t *testing.T, url string) T {
	t.Helper()
	status, answer := send(http.MethodGet, url, nil)
	require.Equal(t, http.StatusOK, status, string(answer))
	var v T
	require.NoError(t, json.Unmarshal(answer, &v), string(answer))
	return v
}

// instances returns the label instance of the alerts that fire, each with how often it is listed.
func instances(t *testing.T, base string) map[string]int {
	t.Helper()
	found := map[string]int{}
	for _, a := range get[[]alert](t, base+"/api/v2/alerts") {
		found[a.Labels["instance"]]++
	}
	return found
}

// incidents lists incidents, resolved ones too, by id.
func incidents(t *testing.T, base string) []incident {
	t.Helper()
	var all []incident
	for _, status := range []string{"open", "resolved"} {
		list := get[struct {
			Incidents []incident `json:"incidents"`
		}](t, base+"/api/v1/incidents?limit=500&status="+status)
		all = append(all, list.Incidents...)
	}
	slices.SortFunc(all, func(a, b incident) int { return a.OpenedAt.Compare(b.OpenedAt) })
	return all
}

// await polls until ok.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, patience, 25*time.Millisecond, what)
}

// tool runs a command of the binary and returns its output and exit code.
func tool(t *testing.T, args ...string) (out string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), peers.TocsinBinary(t), args...)
	text, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		require.NoError(t, err)
	}
	return string(text), cmd.ProcessState.ExitCode()
}

// requireSound checks what a data folder says of itself: every decision comes out again as logged, every checksum is right.
func requireSound(t *testing.T, data string) {
	t.Helper()
	for _, command := range []string{"replay", "verify"} {
		out, code := tool(t, command, "--data", data)
		require.Zero(t, code, "%s: %s", command, out)
	}
}

// config writes a configuration file and returns the flags that name it.
func config(t *testing.T, text string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tocsin.yml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return []string{"--config", path}
}

// names returns prefix-0 to prefix-(n-1).
func names(prefix string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s-%d", prefix, i)
	}
	return out
}

// requireOnce checks that each wanted instance is listed, and listed once.
func requireOnce(t *testing.T, want []string, found map[string]int) {
	t.Helper()
	missing := slices.DeleteFunc(slices.Clone(want), func(name string) bool { return found[name] == 1 })
	require.Empty(t, missing, "acknowledged and not there, or there twice; %d are there", len(slices.Collect(maps.Keys(found))))
}
