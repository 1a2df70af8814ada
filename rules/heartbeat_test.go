package rules

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func TestWatchdogIsASignOfLifeOnAFreshInstall(t *testing.T) {
	s := mustParse(t)
	require.Equal(t, 0, s.Heartbeat(event.Labels{{Name: "alertname", Value: "Watchdog"}}))
	require.Equal(t, -1, s.Heartbeat(event.Labels{{Name: "alertname", Value: "DiskFull"}}))
	require.Zero(t, s.Heartbeats[0].Interval, "as long as the sender says")
}

func TestAHeartbeatOfAShippedNameTakesItsPlaceAndOthersAddUp(t *testing.T) {
	s := mustParse(t, `heartbeats: [{name: watchdog, match: ['alertname="Alive"'], interval: 10m}, {name: eu, source: prometheus-eu, interval: 5m, grace: 0s}]`)
	require.Len(t, s.Heartbeats, 2)
	require.Equal(t, -1, s.Heartbeat(event.Labels{{Name: "alertname", Value: "Watchdog"}}))
	require.Equal(t, 0, s.Heartbeat(event.Labels{{Name: "alertname", Value: "Alive"}}))
	require.Equal(t, event.DefaultTenant, s.Heartbeats[1].Tenant)
	require.Zero(t, s.Heartbeats[1].Grace)
}

func TestHeartbeatsThatCannotWorkAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		`heartbeats: [{name: a}]`:                                                "needs exactly one of match and source",
		`heartbeats: [{name: a, source: b}]`:                                     "needs an interval",
		`heartbeats: [{name: a, source: b, match: ['x="y"'], interval: 5m}]`:     "needs exactly one of match and source",
		`heartbeats: [{name: a, match: ['x="y"']}, {name: a, match: ['x="z"']}]`: `the name "a" is taken`,
	} {
		_, err := Parse([]File{{Name: "a.yml", Text: []byte(text)}})
		require.ErrorContains(t, err, want, text)
	}
}

func TestALostHeartbeatIsAnIncidentOfItsOwnWhateverTheRulesSay(t *testing.T) {
	s := mustParse(t, "grouping: [{name: all, group_by: []}]")
	rule, key := s.Group(event.Labels{{Name: "alertname", Value: BlindName}, {Name: "heartbeat", Value: "eu"}, {Name: "severity", Value: "critical"}, {Name: "source", Value: "p"}}, nil)
	require.Equal(t, "own", s.Grouping[rule].Name)
	require.Equal(t, event.Labels{{Name: "alertname", Value: BlindName}, {Name: "heartbeat", Value: "eu"}, {Name: "source", Value: "p"}}, key)
}
