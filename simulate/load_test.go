package simulate

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// sink is a server that remembers what it accepted.
type sink struct {
	mu       sync.Mutex
	alerts   []postable
	requests int
	answer   func(request int) int // status of the n-th request; nil: always 200
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	status := http.StatusOK
	if s.answer != nil {
		status = s.answer(s.requests)
	}
	var batch []postable
	if r.Method != http.MethodPost || r.URL.Path != "/am/api/v2/alerts" || json.NewDecoder(r.Body).Decode(&batch) != nil {
		status = http.StatusTeapot
	}
	if status == http.StatusOK {
		s.alerts = append(s.alerts, batch...)
	}
	w.WriteHeader(status)
}

func (s *sink) load(t *testing.T) Load {
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return Load{URL: server.URL + "/am", Alerts: NewAlerts(1, start), Batch: 64, Connections: 4, Count: 1000}
}

func (s *sink) times() map[string]int {
	times := map[string]int{}
	for _, alert := range s.alerts {
		times[alert.Labels["instance"]]++
	}
	return times
}

func TestNewAlertsAreSentOnceEach(t *testing.T) {
	var s sink
	result, err := s.load(t).Run(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1000, result.Offered)
	require.EqualValues(t, 1000, result.Acknowledged)
	require.EqualValues(t, 16, result.Requests, "15 batches of 64 and one of 40")
	require.EqualValues(t, 16, result.Latency.Count())
	require.Positive(t, result.PerSecond())
	require.Zero(t, result.Refusals())
	require.Len(t, s.times(), 1000)
}

func TestRepeatsWrapAroundAndResolvedOnesHaveEnded(t *testing.T) {
	var s sink
	load := s.load(t)
	load.First, load.Active, load.Resolved = 500, 100, true
	_, err := load.Run(t.Context())
	require.NoError(t, err)
	times := s.times()
	require.Len(t, times, 100)
	require.Equal(t, 10, times[load.Alerts.Instance(599)])
	for _, alert := range s.alerts {
		ends, err := time.Parse(time.RFC3339, alert.EndsAt)
		require.NoError(t, err)
		require.False(t, ends.After(time.Now()))
	}
}

func TestOnlyAcknowledgedAlertsCountAndTheRestByReason(t *testing.T) {
	statuses := []int{200, 503, 429, 400}
	s := sink{answer: func(n int) int { return statuses[n%4] }}
	load := s.load(t)
	load.Batch, load.Count = 10, 400
	result, err := load.Run(t.Context())
	require.NoError(t, err)
	for name, got := range map[string]uint64{
		"2xx": result.Acknowledged, "503": result.Unavailable, "429": result.Throttled, "400": result.Rejected,
	} {
		require.EqualValues(t, 100, got, name)
	}
	require.InDelta(t, .75, result.Refusals(), 1e-9)
	require.Len(t, s.alerts, 100)
}

func TestRetryFillsExactlyAndStopsAtWhatNoRetryCures(t *testing.T) {
	s := sink{answer: func(n int) int { return []int{200, 503}[n%2] }}
	load := s.load(t)
	load.Retry = true
	result, err := load.Run(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1000, result.Acknowledged)
	require.Len(t, s.times(), 1000)

	refusing := sink{answer: func(int) int { return http.StatusBadRequest }}
	load = refusing.load(t)
	load.Retry = true
	_, err = load.Run(t.Context())
	require.ErrorContains(t, err, "400")
}

func TestARateIsNotExceeded(t *testing.T) {
	var s sink
	load := s.load(t)
	load.Batch, load.Count, load.Rate = 10, 100, 1000
	result, err := load.Run(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 100, result.Acknowledged)
	require.GreaterOrEqual(t, result.Elapsed, 90*time.Millisecond, "the tenth batch is due after 90 ms")
}

func TestBatchesAreDueEvenlyUntilTheDurationHasPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &run{Load: Load{Batch: 10, Rate: 2000, Duration: 200 * time.Millisecond}, start: time.Now()}
		for i := range 40 {
			from, n, due := r.take()
			require.EqualValues(t, 10*i, from)
			require.Equal(t, 10, n)
			require.Equal(t, time.Duration(i)*5*time.Millisecond, due.Sub(r.start))
		}
		_, n, _ := r.take()
		require.Zero(t, n, "the next would be due at the end")

		late := &run{Load: r.Load, start: time.Now()}
		time.Sleep(200 * time.Millisecond)
		_, n, _ = late.take()
		require.Zero(t, n, "a sender that fell behind stops all the same")
	})
}

func TestADeadServerIsCountedNotAnError(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	load := Load{URL: server.URL, Alerts: NewAlerts(1, start), Batch: 5, Connections: 1, Count: 10}
	result, err := load.Run(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 10, result.Failed)
	load.Retry = true
	_, err = load.Run(t.Context())
	require.Error(t, err)
}

func TestEndingTheContextEndsABlockedRequest(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		cancel()
		<-hang
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(hang) })
	load := Load{URL: server.URL, Alerts: NewAlerts(1, start), Batch: 1, Connections: 1, Count: 10}
	_, err := load.Run(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

func TestALoadThatMakesNoSenseIsRefused(t *testing.T) {
	good := Load{URL: "http://127.0.0.1:1", Alerts: NewAlerts(1, start), Batch: 1, Connections: 1, Count: 1}
	for name, spoil := range map[string]func(*Load){
		"https":       func(l *Load) { l.URL = "https://127.0.0.1:1" },
		"bad url":     func(l *Load) { l.URL = "http://%zz" },
		"no alerts":   func(l *Load) { l.Alerts = nil },
		"no batch":    func(l *Load) { l.Batch = 0 },
		"no senders":  func(l *Load) { l.Connections = 0 },
		"endless":     func(l *Load) { l.Count = 0 },
		"rate is < 0": func(l *Load) { l.Rate = -1 },
	} {
		load := good
		spoil(&load)
		_, err := load.Run(t.Context())
		require.ErrorContains(t, err, "simulate: ", name)
	}
}
