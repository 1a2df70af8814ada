package kafka_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestTheEndOfATransactionIsNoMessage(t *testing.T) {
	bubble(t, func(w *world) {
		t := w.t
		producer, err := kgo.NewClient(kgo.SeedBrokers(w.addrs...), kgo.Dialer(w.dial), kgo.TransactionalID("sender"))
		require.NoError(t, err)
		defer producer.Close()
		ctx := context.Background()
		for _, name := range []string{"First", "Second"} {
			require.NoError(t, producer.BeginTransaction())
			record := &kgo.Record{Topic: "native", Value: []byte(native(name))}
			require.NoError(t, producer.ProduceSync(ctx, record).FirstErr())
			require.NoError(t, producer.EndTransaction(ctx, kgo.TryCommit))
		}
		_, stop := w.consume()
		w.await("both alerts", func() bool { return len(w.core.alerts()) == 2 })
		w.await("the commit past the last mark", func() bool { return w.committed("native", 0) == 4 })
		stop()
		require.Empty(t, w.onDisk())
	})
}
