package kafka_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/tocsin-noc/tocsin/internal/config"
)

func TestTheGuidesConfigurationsAreAccepted(t *testing.T) {
	certFile, keyFile := certificate(t)
	guide, err := os.ReadFile("../../docs/kafka.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(guide), -1)
	require.Len(t, blocks, 2)
	for _, block := range blocks {
		path := filepath.Join(t.TempDir(), "tocsin.yml")
		text := strings.NewReplacer("secrets/kafka-ca.pem", certFile, "secrets/kafka.pem", certFile,
			"secrets/kafka-key.pem", keyFile, "secrets/kafka.password", keyFile).Replace(block[1])
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := config.Load(path)
		require.NoError(t, err)
	}
}

func TestTheGuideNamesTheMetrics(t *testing.T) {
	guide, err := os.ReadFile("../../docs/kafka.md")
	require.NoError(t, err)
	bubble(t, func(w *world) {
		t := w.t
		_, stop := w.consume()
		w.await("an answer", func() bool { return w.committed("native", 0) >= 0 })
		families, err := w.metrics.Gather()
		require.NoError(t, err)
		stop()
		exported := map[string]bool{}
		for _, f := range families {
			exported[f.GetName()] = true
		}
		stated := map[string]bool{}
		for _, name := range regexp.MustCompile("tocsin_kafka_[a-z_]+").FindAllString(string(guide), -1) {
			stated[name] = true
		}
		require.Equal(t, exported, stated)
	})
}

func TestTheExampleIsReadAndItsBrokenLineIsADeadLetter(t *testing.T) {
	const dir = "../../examples/kafka"
	loaded, err := config.Load(filepath.Join(dir, "tocsin.yml"))
	require.NoError(t, err)
	cfg := loaded.Kafka[0]
	topics := []string{cfg.DeadLetterTopic}
	for _, topic := range cfg.Topics {
		topics = append(topics, topic.Topic)
	}
	bubble(t, func(w *world) {
		t := w.t
		cfg.Brokers = w.addrs
		w.cfg = cfg
		for _, topic := range cfg.Topics {
			text, err := os.ReadFile(filepath.Join(dir, topic.Topic+".jsonl"))
			require.NoError(t, err)
			w.produce(topic.Topic, 0, strings.Split(strings.TrimSpace(string(text)), "\n")...)
		}
		_, stop := w.consume()
		w.await("four alerts", func() bool { return len(w.core.alerts()) == 4 })
		stop()
		require.Equal(t, "alerts[0].status", headers(w.read(cfg.DeadLetterTopic, 1)[0])["tocsin-place"])
	}, kfake.SeedTopics(3, topics...))
}
