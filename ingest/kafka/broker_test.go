package kafka_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/ingest/kafka/deadletters"
	"github.com/tocsin-noc/tocsin/internal/config"
	"github.com/tocsin-noc/tocsin/internal/peers"
)

// onBroker returns a world whose cluster is a real broker with the topics "wide", of four partitions, and "dead".
func onBroker(t *testing.T) (*world, *peers.Broker) {
	t.Helper()
	broker := peers.Kafka(t)
	w := &world{t: t, addrs: []string{broker.Addr}, core: newCore()}
	var err error
	w.letters, err = deadletters.Open(t.TempDir(), deadletters.Bounds{})
	require.NoError(t, err)
	w.cfg = config.Kafka{
		Name: "test", Brokers: w.addrs, Group: "tocsin", DeadLetterTopic: "dead",
		Topics: []config.Topic{{Topic: "wide", Format: config.Native, Source: "wide"}, {Topic: "missing", Format: config.Native}},
	}
	res, err := w.client().CreateTopics(context.Background(), &kafkago.CreateTopicsRequest{Topics: []kafkago.TopicConfig{
		{Topic: "wide", NumPartitions: 4, ReplicationFactor: 1}, {Topic: "dead", NumPartitions: 1, ReplicationFactor: 1},
	}})
	require.NoError(t, err)
	for topic, err := range res.Errors {
		require.NoError(t, err, topic)
	}
	return w, broker
}

func TestARealBrokerRestartsAndConsumersChangeWithoutLossOrDoubleEffect(t *testing.T) {
	w, broker := onBroker(t)
	sent := 0
	produce := func() {
		for p := range 4 {
			values := make([]string, 50)
			for i := range values {
				values[i] = native(fmt.Sprintf("Alert-%d-%d-%d", sent, p, i))
			}
			w.produce("wide", p, values...)
		}
		sent += 200
	}
	taken := func() bool { return w.core.count(event.PositionMoved) == sent }

	first, stopFirst := w.consume()
	produce()
	w.await("the first alerts", taken)
	second, stopSecond := w.consume()
	produce()
	w.await("a rebalance", func() bool {
		return len(first.Status().Topics[0].Partitions) == 2 && len(second.Status().Topics[0].Partitions) == 2
	})

	broker.Kill9()
	broker.Start()
	produce()
	w.await("the alerts after the crash", taken)
	stopFirst()
	produce()
	w.await("the alerts after the other left", taken)
	w.core.requireOnceInOrder(t, sent)
	require.Equal(t, sent, w.core.count(event.AlertFiring))
	require.Zero(t, w.core.count(event.AlertSeen))

	w.write(kafkago.Message{Topic: "wide", Value: []byte("poison"), Time: time.Now()})
	require.Equal(t, "poison", string(w.read("dead", 1)[0].Value))
	w.await("good health", func() bool {
		s := second.Status()
		return s.LastError == "" && s.Topics[0].LastError == "" && s.Topics[0].LagMessages == 0 && len(s.Topics[0].Partitions) == 4
	})
	stopSecond()
}
