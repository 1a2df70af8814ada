package app

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/config"
)

func TestASignalThatIsLostIsQuietWhileASilenceCoversWhatItWasAbout(t *testing.T) {
	s, now := correlate.New(), event.Time(1_000_000_000_000)
	seq := uint64(0)
	step := func(in event.Input) {
		seq++
		in.Seq, in.At, in.Writer = seq, now, event.Writer{ID: 1, Epoch: 1, N: seq}
		_, res := s.Step(&in, nil)
		require.Nil(t, res.Err)
	}
	b := &event.Batch{Source: event.Source{Name: "p", Tenant: "main", Kind: event.Resender}}
	for _, instance := range []string{"a", "b"} {
		b.Add(event.Event{EndsAt: now + event.Minute, Labels: event.Labels{
			{Name: "alertname", Value: "Down"}, {Name: "instance", Value: instance}, {Name: "severity", Value: "critical"},
		}})
	}
	step(event.Input{Kind: event.InputEvents, Batch: b})
	silence := func(instance string) {
		step(event.Input{Kind: event.InputCommand, Command: &event.Command{Kind: event.SetSilence, Tenant: "main", Actor: "ann", Silence: &event.Silence{
			Matchers: []event.Matcher{{Name: "instance", Value: instance, IsEqual: true}}, StartsAt: now, EndsAt: now + event.Hour,
		}}})
	}
	silence("a")
	now += 2 * event.Minute
	step(event.Input{Kind: event.InputTick})
	quiet := func() bool {
		v := s.View()
		i, ok := v.Incident(1)
		require.True(t, ok)
		require.True(t, i.SignalLost)
		return hushed(v, &i)
	}
	require.False(t, quiet(), "b is covered by none")
	silence("b")
	require.True(t, quiet())
	now += 2 * event.Hour
	step(event.Input{Kind: event.InputTick})
	require.False(t, quiet())
}

func TestAnIncidentSharesTheLabelsThatAllOfItsAlertsHaveWhichFire(t *testing.T) {
	s, now := correlate.New(), event.Time(1_000_000_000_000)
	seq := uint64(0)
	fire := func(instance, environment string, until event.Time) {
		seq++
		b := &event.Batch{Source: event.Source{Name: "p", Tenant: "main", Kind: event.Resender}}
		b.Add(event.Event{StartsAt: 1_000_000_000_000, EndsAt: until, Cleared: until < now, Labels: event.Labels{
			{Name: "alertname", Value: "Down"}, {Name: "stage", Value: environment}, {Name: "instance", Value: instance}, {Name: "severity", Value: "critical"},
		}})
		_, res := s.Step(&event.Input{Seq: seq, At: now, Writer: event.Writer{ID: 1, Epoch: 1, N: seq}, Kind: event.InputEvents, Batch: b}, nil)
		require.Nil(t, res.Err)
	}
	labels := func() map[string]string {
		v := s.View()
		i, ok := v.Incident(1)
		require.True(t, ok)
		return shared(v, &i)
	}
	fire("a", "staging", now+event.Hour)
	fire("b", "staging", now+event.Hour)
	require.Equal(t, map[string]string{"alertname": "Down", "stage": "staging", "severity": "critical"}, labels())
	fire("c", "live", now+event.Hour)
	require.Equal(t, map[string]string{"alertname": "Down", "severity": "critical"}, labels())
	now += event.Second
	fire("c", "live", now-1) // it has cleared
	require.Equal(t, "staging", labels()["stage"])
	fire("a", "staging", now-1)
	fire("b", "staging", now-1)
	require.NotContains(t, labels(), "stage", "none fires: it is told of as all of it was")
}

func TestTheOwnHeartbeatIsCountedByWhatBecameOfIt(t *testing.T) {
	status := http.StatusNoContent
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	defer s.Close()
	a := &App{settings: &loaded{config: &config.Config{Heartbeat: config.Beat{URL: s.URL}}}}
	r := prometheus.NewRegistry()
	a.metrics = newOwnMetrics(r, a)
	last := func() float64 { return values(t, r, "tocsin_app_heartbeat_taken_timestamp_seconds")[""] }

	require.NoError(t, a.beatOnce(t.Context(), s.Client(), "the state is recovered"))
	require.Zero(t, last())
	require.NoError(t, a.beatOnce(t.Context(), s.Client(), ""))
	require.InDelta(t, time.Now().Unix(), last(), 60)
	status = http.StatusForbidden
	require.ErrorContains(t, a.beatOnce(t.Context(), s.Client(), ""), "403")
	require.Equal(t, map[string]float64{beatTaken: 1, beatFailed: 1, beatWithheld: 1}, values(t, r, "tocsin_app_heartbeat_total"))
}

// values are those of a metric, by its label.
func values(t *testing.T, r *prometheus.Registry, name string) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	require.NoError(t, err)
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name {
				label := ""
				for _, pair := range m.GetLabel() {
					label = pair.GetValue()
				}
				out[label] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return out
}
