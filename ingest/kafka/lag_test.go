package kafka_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func TestALaggingTopicIsToldOfUntilItHasCaughtUp(t *testing.T) {
	bubble(t, func(w *world) {
		t := w.t
		c, _ := w.consume()
		w.produce("api", 0, `[]`)
		w.await("the commit", func() bool { return w.committed("api", 0) == 1 })
		w.core.answer(errBusy)
		w.produce("api", 0, `[{"labels":{"alertname":"Api"}}]`)
		time.Sleep(50 * time.Second)
		require.Empty(t, w.core.gapsOf("prom"), "less than a minute is no lag")

		time.Sleep(9 * time.Minute)
		told := len(w.core.gapsOf("prom"))
		require.InDelta(t, 9, told, 1, "once a minute")
		status := c.Status().Topics[1]
		require.True(t, status.Lagging)
		require.InDelta(t, 590, status.LagSeconds, 15)
		require.InDelta(t, 590, w.metric("tocsin_kafka_lag_seconds", "topic", "api"), 15)

		w.core.answer(nil)
		w.await("the last word", func() bool { return !c.Status().Topics[1].Lagging })
		gaps := w.core.gapsOf("prom")
		require.Len(t, gaps, told+1)
		require.InDelta(t, float64(10*event.Minute), float64(gaps[told]), float64(30*event.Second))
		require.Len(t, w.core.alerts(), 1)

		time.Sleep(10 * time.Minute)
		require.Len(t, w.core.gapsOf("prom"), told+1, "nothing more")
		require.Empty(t, w.core.gapsOf("am"), "the other topics never lagged")
	})
}

func TestABacklogFromBeforeTheStartIsAGap(t *testing.T) {
	bubble(t, func(w *world) {
		t := w.t
		w.produce("api", 0, `[{"labels":{"alertname":"Api"}}]`)
		time.Sleep(30 * time.Minute)
		w.consume()
		w.await("one word", func() bool { return len(w.core.gapsOf("prom")) == 1 })
		require.InDelta(t, float64(30*event.Minute), float64(w.core.gapsOf("prom")[0]), float64(10*event.Second))
	})
}

func TestAProducerWhoseRecordsAreAlwaysOldIsNoStreamOfGaps(t *testing.T) {
	bubble(t, func(w *world) {
		t := w.t
		w.consume()
		for range 60 {
			m := message("native", native("Old"))
			m.Time = time.Now().Add(-time.Hour)
			w.write(m)
			time.Sleep(5 * time.Second)
		}
		require.LessOrEqual(t, len(w.core.gapsOf("kafka:test/native")), 6, "in five minutes")
	})
}

func TestTheRecordsTimeDecidesWhetherAnEndIsPast(t *testing.T) {
	bubble(t, func(w *world) {
		t := w.t
		end := time.Now().Add(2 * time.Minute).UTC().Format(time.RFC3339)
		w.produce("api", 0, `[{"labels":{"alertname":"Held"},"endsAt":"`+end+`"}]`)
		time.Sleep(30 * time.Minute)
		w.consume()
		w.await("the alert", func() bool { return len(w.core.alerts()) == 1 })
		require.Equal(t, event.Firing, w.core.alerts()[0].Phase(), "it held when it was sent")
	})
}
