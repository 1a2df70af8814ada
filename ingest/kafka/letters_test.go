package kafka_test

import (
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tocsin-noc/tocsin/ingest/kafka/deadletters"
)

func headers(m kafkago.Message) map[string]string {
	found := map[string]string{}
	for _, h := range m.Headers {
		found[h.Key] = string(h.Value)
	}
	return found
}

func (w *world) onDisk() (letters []deadletters.Letter) {
	w.t.Helper()
	for l, err := range w.letters.All() {
		require.NoError(w.t, err)
		letters = append(letters, l)
	}
	return letters
}

func TestABadMessageGoesToTheDeadLetterTopicAndBlocksNobody(t *testing.T) {
	bubble(t, func(w *world) {
		t := w.t
		w.cfg.DeadLetterTopic = "dead"
		sent := time.Now().Truncate(time.Millisecond)
		w.write(kafkago.Message{
			Topic: "native", Key: []byte("k1"), Value: []byte(`{"labels":`), Time: sent,
			Headers: []kafkago.Header{{Key: "trace", Value: []byte("7")}, {Key: "Authorization", Value: []byte("Bearer x")}},
		})
		w.produce("native", 0, `[`+native("Good")+`,{"labels":{}}]`, native("Next"))
		_, stop := w.consume()
		w.await("the good alerts", func() bool { return len(w.core.alerts()) == 2 })
		stop()
		require.Equal(t, int64(3), w.committed("native", 0))

		dead := w.read("dead", 2)
		require.Equal(t, `{"labels":`, string(dead[0].Value))
		require.Equal(t, "k1", string(dead[0].Key))
		h := headers(dead[0])
		require.Contains(t, h["tocsin-reason"], "not JSON")
		require.NotEmpty(t, h["tocsin-time"])
		delete(h, "tocsin-reason")
		delete(h, "tocsin-time")
		require.Equal(t, map[string]string{
			"trace": "7", "tocsin-place": "", "tocsin-hint": "", "tocsin-kept": "0", "tocsin-refused": "0",
			"tocsin-source-cluster": "test", "tocsin-source-topic": "native", "tocsin-source-partition": "0",
			"tocsin-source-offset": "0", "tocsin-source-time": sent.UTC().Format(time.RFC3339Nano),
		}, h)

		h = headers(dead[1])
		require.Equal(t, "alerts[1].labels", h["tocsin-place"])
		require.Equal(t, []string{"1", "1"}, []string{h["tocsin-kept"], h["tocsin-refused"]})
		require.Empty(t, w.onDisk())
		require.Equal(t, 2, w.metric("tocsin_kafka_dead_letters_total", "where", "topic"))
	}, kfake.SeedTopics(1, "dead"))
}

func TestDeadLettersGoToDiskWhereThereIsNoTopicForThem(t *testing.T) {
	for name, topic := range map[string]string{"none is configured": "", "it does not exist": "gone"} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(w *world) {
				t := w.t
				w.cfg.DeadLetterTopic = topic
				w.write(kafkago.Message{
					Topic: "hooks", Value: []byte("custom payload"), Headers: []kafkago.Header{{Key: "Authorization", Value: []byte("Bearer x")}},
				})
				w.produce("hooks", 0, webhook)
				_, stop := w.consume()
				w.await("the good alert", func() bool { return len(w.core.alerts()) == 1 })
				stop()
				require.Equal(t, int64(2), w.committed("hooks", 0))

				letters := w.onDisk()
				require.Len(t, letters, 1)
				l := letters[0]
				require.Contains(t, l.Reason, "not a webhook of Alertmanager")
				require.Contains(t, l.Hint, "payload:")
				require.Empty(t, l.Headers)
				require.Equal(t, []any{"test", "hooks", 0, int64(0), "am", "main", "alertmanager_webhook", "custom payload"},
					[]any{l.Cluster, l.Topic, l.Partition, l.Offset, l.Source, l.Tenant, l.Format, string(l.Value)})
				require.Equal(t, 1, w.metric("tocsin_kafka_dead_letters_total", "where", "disk"))
			})
		})
	}
}

func TestALetterTheTopicRefusesGoesToDisk(t *testing.T) {
	bubble(t, func(w *world) {
		t := w.t
		w.cfg.DeadLetterTopic = "dead"
		w.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "dead", Err: kerr.MessageTooLarge, Count: 1})
		w.produce("native", 0, "first")
		_, stop := w.consume()
		w.await("a letter", func() bool { return len(w.onDisk()) == 1 })
		w.produce("native", 0, "second")
		require.Equal(t, "second", string(w.read("dead", 1)[0].Value), "one that is too large says nothing about the next")
		stop()
	}, kfake.SeedTopics(1, "dead"))
}

func TestAMessageBeyondTheLimitIsADeadLetter(t *testing.T) {
	bubble(t, func(w *world) {
		t := w.t
		w.produce("native", 0, `{"labels":{"alertname":"`+strings.Repeat("x", 64<<10)+`"}}`, native("Next"))
		_, stop := w.consume()
		w.await("the next alert", func() bool { return len(w.core.alerts()) == 1 })
		stop()
		letters := w.onDisk()
		require.Len(t, letters, 1)
		require.Contains(t, letters[0].Reason, "limits.body_bytes")
		require.Greater(t, len(letters[0].Value), 64<<10)
	})
}

func TestTombstonesAndEmptyListsAreNoDeadLetters(t *testing.T) {
	bubble(t, func(w *world) {
		t := w.t
		w.write(kafkago.Message{Topic: "native", Key: []byte("k")})
		w.produce("native", 0, "[]", native("Next"))
		_, stop := w.consume()
		w.await("the alert", func() bool { return len(w.core.alerts()) == 1 })
		stop()
		require.Equal(t, int64(3), w.committed("native", 0))
		require.Empty(t, w.onDisk())
	})
}
