package kafka_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

const webhook = `{"version":"4","receiver":"tocsin","status":"firing","externalURL":"http://am:9093","groupKey":"{}",` +
	`"alerts":[{"status":"firing","labels":{"alertname":"Hook"},"startsAt":"2000-01-01T00:00:00Z","endsAt":"0001-01-01T00:00:00Z"}]}`

func TestEachFormatBecomesAnAlertOfItsSource(t *testing.T) {
	bubble(t, func(w *world) {
		t := w.t
		w.produce("hooks", 0, webhook)
		w.produce("api", 0, `[{"labels":{"alertname":"Api"},"endsAt":"`+time.Now().Add(time.Minute).Format(time.RFC3339)+`"}]`)
		w.produce("native", 0, native("Native"))
		_, stop := w.consume()
		w.await("three alerts", func() bool { return len(w.core.alerts()) == 3 })
		stop()

		type origin struct {
			source event.Source
			phase  event.AlertPhase
		}
		got := map[string]origin{}
		for _, a := range w.core.alerts() {
			for claim := range a.Claims() {
				got[a.Label("alertname")] = origin{event.Source{Name: claim.SourceName, Tenant: a.Tenant(), Kind: claim.SourceKind}, a.Phase()}
			}
		}
		require.Equal(t, map[string]origin{
			"Hook":   {event.Source{Name: "am", Tenant: "main", Kind: event.SendOnce}, event.Firing},
			"Api":    {event.Source{Name: "prom", Tenant: "eu", Kind: event.Resender}, event.Firing},
			"Native": {event.Source{Name: "kafka:test/native", Tenant: "main", Kind: event.SendOnce}, event.Firing},
		}, got)
	})
}
