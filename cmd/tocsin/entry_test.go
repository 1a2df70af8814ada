package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/event"
)

func TestATimelineTellsEveryKindInWords(t *testing.T) {
	seen := map[string]string{}
	for k := event.AlertFiring; k.String() != "unknown"; k++ {
		name := k.String()
		ofAlert := strings.HasPrefix(name, "alert_") || name == "claim_ended"
		if !ofAlert && !strings.HasPrefix(name, "incident_") || k == event.AlertSeen {
			continue // it stands on no timeline
		}
		ch := &api.Change{Kind: name, Incident: &api.IncidentBrief{Severity: "critical"}}
		if ofAlert {
			ch.Incident, ch.Alert = nil, &api.AlertBrief{Name: "Down"}
		}
		said := entryText(ch)
		require.NotContains(t, said, strings.ReplaceAll(name, "_", " "), "%s has no words of its own", name)
		require.Empty(t, seen[said], "%s and %s sound the same", name, seen[said])
		seen[said] = name
	}
	require.Greater(t, len(seen), 25)
}
