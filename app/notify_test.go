package app

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
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
