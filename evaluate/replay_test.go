package evaluate

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules"
	"github.com/tocsin-noc/tocsin/simulate/scenario"
)

// made makes a preset up on a small estate.
func made(t testing.TB, name string, seed uint64, faults int) *scenario.Scenario {
	spec, ok := scenario.FindPreset(name)
	require.True(t, ok)
	spec.CIs, spec.Seed, spec.Faults = 600, seed, faults
	s, err := scenario.Generate(spec)
	require.NoError(t, err)
	return s
}

func TestASecondReplayIsTheSameByteForByte(t *testing.T) {
	r, out, err := Evaluate(made(t, "late", 3, 20), Request{Baselines: true})
	require.NoError(t, err)
	require.True(t, *r.ReplayIdentical)
	require.Zero(t, out.Early)
	require.Len(t, r.Baselines, len(Baselines()))
	require.Equal(t, r.Alerts, int(out.Latency.Count()))
	require.Positive(t, r.EventsPerSecond)
	require.Positive(t, r.DecisionP99)
	other, err := Replay(made(t, "late", 4, 20), Options{})
	require.NoError(t, err)
	require.NotEqual(t, out.Digest, other.Digest)
}

func TestEveryLineBelongsToAnOccurrenceAndTimeRunsOn(t *testing.T) {
	s := made(t, "medium", 3, 20)
	var last event.Time
	expired := 0
	out, err := Replay(s, Options{Change: func(c *event.Change) {
		require.GreaterOrEqual(t, c.At, last)
		last = c.At
		if c.Kind == event.AlertExpired {
			expired++
		}
	}})
	require.NoError(t, err)
	require.NotContains(t, out.Occurrence, int32(-1))
	require.Positive(t, expired, "what nobody clears")
	require.Greater(t, last, s.Alerts[len(s.Alerts)-1].At)
}

func TestARepeatIsTheOccurrenceThatFiresAndAFiringAfterItsEndAnother(t *testing.T) {
	s := chain(0, "db", 30, "db", 60, "db", 3600, "db")
	s.Truth = []string{"", "", "", ""}
	for i := range s.Alerts {
		s.Alerts[i].At += event.Hour
		s.Alerts[i].StartsAt = event.Hour
		s.Alerts[i].Labels = append(event.Labels{{Name: "alertname", Value: "Down"}}, append(s.Alerts[i].Labels, event.Label{Name: "severity", Value: "critical"})...)
	}
	s.Alerts[2].EndsAt = s.Alerts[2].At
	s.Alerts[3].StartsAt = s.Alerts[3].At
	out, err := Replay(s, Options{})
	require.NoError(t, err)
	require.Equal(t, []int32{0, 0, 0, 1}, out.Occurrence)
	require.NotZero(t, out.Incidents[0])
	require.NotEqual(t, out.Incidents[0], out.Incidents[3])
}

func TestAFalseRuleATopologyThatIsRefusedAndNoAlertAreErrors(t *testing.T) {
	_, err := Replay(&scenario.Scenario{}, Options{})
	require.ErrorContains(t, err, "no alert")
	s := made(t, "light", 1, 2)
	_, err = Replay(s, Options{Rules: []rules.File{{Name: "x.yml", Text: []byte("nonsense: 1\n")}}})
	require.ErrorContains(t, err, "x.yml:1")
	s.Rules = []byte("nonsense: 1\n")
	_, _, err = Evaluate(s, Request{})
	require.ErrorContains(t, err, "rules.yml:1")
	s.Rules = nil
	s.Topology.CIs = append(s.Topology.CIs, s.Topology.CIs[0])
	_, err = Replay(s, Options{})
	require.ErrorContains(t, err, "topology.json")
}

func TestLinesOutOfOrderAreCountedAndStayWhereTheyAre(t *testing.T) {
	s := made(t, "light", 1, 2)
	s.Alerts[3].At = s.Alerts[0].At - event.Second
	out, err := Replay(s, Options{})
	require.NoError(t, err)
	require.Equal(t, 1, out.Early)
}
