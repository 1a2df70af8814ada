package kafka_test

import (
	"context"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
)

func message(topic, value string) kafkago.Message {
	return kafkago.Message{Topic: topic, Value: []byte(value), Time: time.Now()}
}

func TestABrokerThatIsAwayForMinutesIsWaitedFor(t *testing.T) {
	bubble(t, func(w *world) {
		t := w.t
		c, _ := w.consume()
		w.produce("native", 0, natives(0, 5)...)
		w.await("the commit", func() bool { return w.committed("native", 0) == 5 })

		w.cluster.Close()
		time.Sleep(5 * time.Minute)
		status := c.Status()
		require.Contains(t, status.LastError, "cannot reach the cluster")
		require.InDelta(t, 300, time.Since(status.LastContact).Seconds(), 25)
		require.InDelta(t, 4, len(w.core.gapsOf("prom")), 1, "what is not read must not expire")

		w.start()
		w.produce("native", 0, natives(5, 10)...)
		w.await("the rest", func() bool { return len(w.core.alerts()) == 10 })
		w.await("good health", func() bool {
			status := c.Status()
			return status.LastError == "" && !status.Topics[1].Lagging && status.Topics[2].LastError == ""
		})
		w.await("the commit", func() bool { return w.committed("native", 0) == 10 })
		w.core.requireOnceInOrder(t, 10)
	})
}

func TestATopicThatIsMissingKeepsNoOtherFromBeingRead(t *testing.T) {
	bubble(t, func(w *world) {
		t := w.t
		late := w.cfg.Topics[2]
		late.Topic, late.Source = "late", "late"
		w.cfg.Topics = append(w.cfg.Topics, late)
		c, _ := w.consume()
		w.produce("native", 0, native("Here"))
		w.await("the alert", func() bool { return len(w.core.alerts()) == 1 })
		require.NotEmpty(t, c.Status().Topics[4].LastError)

		require.NoError(t, w.cluster.CreateTopic("late", 1, nil))
		w.produce("late", 0, native("There"))
		w.await("the other alert", func() bool { return len(w.core.alerts()) == 2 })
		require.Empty(t, c.Status().Topics[4].LastError)
	})
}

func TestPartitionsThatAreAddedAreRead(t *testing.T) {
	bubble(t, func(w *world) {
		t := w.t
		w.consume()
		w.produce("native", 0, native("Old"))
		w.await("the alert", func() bool { return len(w.core.alerts()) == 1 })

		res, err := w.client().CreatePartitions(context.Background(), &kafkago.CreatePartitionsRequest{
			Topics: []kafkago.TopicPartitionsConfig{{Name: "native", Count: 3}},
		})
		require.NoError(t, err)
		require.NoError(t, res.Errors["native"])
		w.produce("native", 2, native("New"))
		w.await("the other alert", func() bool { return len(w.core.alerts()) == 2 })
	})
}

func TestRecordsThatWereDeletedUnreadAreCounted(t *testing.T) {
	bubble(t, func(w *world) {
		t := w.t
		w.produce("native", 0, natives(0, 2)...)
		_, stop := w.consume()
		w.await("the commit", func() bool { return w.committed("native", 0) == 2 })
		stop()
		w.produce("native", 0, natives(2, 10)...)
		require.NoError(t, w.cluster.DeleteRecords("native", 0, 7))
		w.consume()
		w.await("the rest", func() bool { return len(w.core.alerts()) == 5 })
		require.Equal(t, 5, w.metric("tocsin_kafka_deleted_unread_messages_total", "topic", "native"))
	})
}

func TestALogThatEndsBeforeTheGroupsOffsetIsSeen(t *testing.T) {
	bubble(t, func(w *world) {
		t := w.t
		w.produce("native", 0, native("Anew"))
		res, err := w.client().OffsetCommit(context.Background(), &kafkago.OffsetCommitRequest{
			GroupID: "tocsin", GenerationID: -1, Topics: map[string][]kafkago.OffsetCommit{"native": {{Partition: 0, Offset: 5}}},
		})
		require.NoError(t, err)
		require.NoError(t, res.Topics["native"][0].Error)
		c, _ := w.consume()
		w.await("the reason", func() bool { return strings.Contains(c.Status().Topics[2].LastError, "another name and group") })
		require.Equal(t, int64(5), w.committed("native", 0))
	})
}

func TestTheGroupThatCannotBeJoinedIsSeen(t *testing.T) {
	bubble(t, func(w *world) {
		t := w.t
		w.cfg.Topics = w.cfg.Topics[:1]
		c, _ := w.consume()
		w.await("the reason", func() bool { return c.Status().LastError != "" })
		require.Contains(t, c.Status().LastError, "cannot join the consumer group")
	}, kfake.GroupMinSessionTimeout(time.Minute))
}
