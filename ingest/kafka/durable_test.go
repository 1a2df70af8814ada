package kafka_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tocsin-noc/tocsin/event"
)

func natives(from, to int) (values []string) {
	for i := from; i < to; i++ {
		values = append(values, native(fmt.Sprintf("Alert%d", i)))
	}
	return values
}

func TestAnOffsetMovesOnlyWhenTheMessageIsDurable(t *testing.T) {
	bubble(t, func(w *world) {
		t := w.t
		w.core.answer(errBusy)
		w.produce("native", 0, natives(0, 10)...)
		c, stop := w.consume()
		w.await("several tries", func() bool { return w.core.tries() > 30 })
		time.Sleep(5 * time.Second) // of the bubble: commits are due every second

		require.Equal(t, int64(0), max(0, w.committed("native", 0)))
		status := c.Status().Topics[2]
		require.Contains(t, status.LastError, errBusy.Error())
		require.Equal(t, int64(10), status.LagMessages)
		require.Greater(t, status.LagSeconds, 4.0)
		require.Greater(t, w.metric("tocsin_kafka_retries_total", "topic", "native"), 2)
		require.Equal(t, 10, w.metric("tocsin_kafka_lag_messages", "topic", "native"))
		require.Equal(t, 1, w.metric("tocsin_kafka_partition_failing", "topic", "native", "partition", "0"))

		w.core.answer(nil)
		w.await("the commit", func() bool { return w.committed("native", 0) == 10 })
		w.core.requireOnceInOrder(t, 10)
		require.Len(t, w.core.alerts(), 10, "decoded anew for the last try")
		status = c.Status().Topics[2]
		require.Empty(t, status.LastError)
		require.Zero(t, status.LagMessages)
		stop()
	})
}

func TestAStoppedConsumerHasCommittedWhatIsDurable(t *testing.T) {
	bubble(t, func(w *world) {
		t := w.t
		w.produce("native", 0, natives(0, 3)...)
		_, stop := w.consume()
		w.await("three alerts", func() bool { return len(w.core.alerts()) == 3 })
		stop()
		require.Equal(t, int64(3), w.committed("native", 0))
		require.Empty(t, w.cluster.GroupInfo("tocsin").Members, "the group was left")

		w.produce("native", 0, natives(3, 5)...)
		w.consume()
		w.await("five alerts", func() bool { return len(w.core.alerts()) == 5 })
		w.core.requireOnceInOrder(t, 5)
	})
}

func TestWhatIsReadAgainAfterLostCommitsHasNoSecondEffect(t *testing.T) {
	bubble(t, func(w *world) {
		t := w.t
		lost := w.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.CoordinatorNotAvailable, Count: -1})
		w.produce("native", 0, natives(0, 20)...)
		_, stop := w.consume()
		w.await("twenty alerts", func() bool { return len(w.core.alerts()) == 20 })
		stop()
		require.Positive(t, w.metric("tocsin_kafka_commit_errors_total"))
		require.Equal(t, int64(-1), w.committed("native", 0))
		lost.Remove()

		w.consume()
		w.await("the commit", func() bool { return w.committed("native", 0) == 20 })
		require.Equal(t, 40, w.core.tries(), "all was read again")
		w.core.requireOnceInOrder(t, 20)
		require.Equal(t, 20, w.core.count(event.AlertFiring))
		require.Zero(t, w.core.count(event.AlertSeen))
	})
}

func TestConsumersComeAndGoWithoutLossOrDoubleEffect(t *testing.T) {
	bubble(t, func(w *world) {
		t := w.t
		const rounds, perPartition = 6, 20
		first, stopFirst := w.consume()
		var stopSecond func()
		for round := range rounds {
			for p := range 6 {
				values := make([]string, perPartition)
				for i := range values {
					values[i] = native(fmt.Sprintf("Alert-%d-%d-%d", round, p, i))
				}
				w.produce("wide", p, values...)
			}
			switch round {
			case 1:
				_, stopSecond = w.consume()
				w.await("a rebalance", func() bool { return len(first.Status().Topics[3].Partitions) == 3 })
			case 3:
				stopFirst()
			case 4:
				w.consume()
			}
		}
		all := rounds * 6 * perPartition
		w.await("all alerts", func() bool { return w.core.count(event.PositionMoved) == all })
		stopSecond()
		w.core.requireOnceInOrder(t, all)
		require.Equal(t, all, w.core.count(event.AlertFiring))
		require.Zero(t, w.core.count(event.AlertSeen))
	})
}
