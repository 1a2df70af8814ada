package kafka_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/ingest/kafka/deadletters"
	"github.com/tocsin-noc/tocsin/internal/config"
)

// onTCP returns a world whose cluster listens on loopback and has the topic "native".
func onTCP(t testing.TB) *world {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "native"))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	letters, err := deadletters.Open(t.TempDir(), deadletters.Bounds{})
	require.NoError(t, err)
	return &world{t: t, cluster: cluster, addrs: cluster.ListenAddrs(), letters: letters, cfg: config.Kafka{
		Name: "test", Brokers: cluster.ListenAddrs(), Group: "tocsin", Topics: []config.Topic{{Topic: "native", Format: config.Native}},
	}}
}

// kinds counts the engine's changes up to a mark of its own.
func kinds(t *testing.T, e *engine.Engine) map[event.ChangeKind]int {
	t.Helper()
	mark := event.Source{Name: "mark", Tenant: event.DefaultTenant, Kind: event.SendOnce}
	require.NoError(t, e.Resumed(t.Context(), mark, event.Second))
	found := map[event.ChangeKind]int{}
	for ch, err := range e.Follow(t.Context(), engine.Cursor{}) {
		require.NoError(t, err)
		if ch.Kind == event.GraceStarted && ch.Source.Name == mark.Name {
			break
		}
		found[ch.Kind]++
	}
	return found
}

func TestTheEngineKnowsAfterARestartWhatItHasReadBefore(t *testing.T) {
	w := onTCP(t)
	dir := t.TempDir()
	open := func() *engine.Engine {
		e, err := engine.Open(engine.Options{Dir: dir, Version: "test"})
		require.NoError(t, err)
		return e
	}
	alerts := func(e *engine.Engine) (n int) {
		view, err := e.View(context.Background())
		require.NoError(t, err)
		for range view.Alerts() {
			n++
		}
		return n
	}
	lost := w.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.CoordinatorNotAvailable, Count: -1})
	w.produce("native", 0, natives(0, 100)...)

	e := open()
	w.sink = e
	_, stop := w.consume()
	w.await("the alerts", func() bool { return alerts(e) == 100 })
	stop()
	require.NoError(t, e.Close())
	lost.Remove()

	e = open()
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	require.Equal(t, 100, alerts(e), "what was taken is durable")
	w.sink = e
	_, stop = w.consume()
	w.await("the commit", func() bool { return w.committed("native", 0) == 100 })
	stop()
	found := kinds(t, e)
	require.Equal(t, 100, found[event.AlertFiring])
	require.Equal(t, 100, found[event.PositionMoved])
	require.Zero(t, found[event.AlertSeen])
}
