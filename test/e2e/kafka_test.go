package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/internal/peers"
)

const partitions = 4 // of each topic

// topics creates one topic for each format.
func topics(t *testing.T, broker *peers.Broker) {
	t.Helper()
	client := &kafka.Client{Addr: kafka.TCP(broker.Addr), Timeout: patience}
	var want []kafka.TopicConfig
	for _, name := range []string{"webhooks", "api", "native"} {
		want = append(want, kafka.TopicConfig{Topic: name, NumPartitions: partitions, ReplicationFactor: 1})
	}
	res, err := client.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{Topics: want})
	require.NoError(t, err)
	for topic, err := range res.Errors {
		require.NoError(t, err, topic)
	}
}

// member starts a daemon that is a member of the group.
func member(t *testing.T, broker *peers.Broker) *peers.Daemon {
	t.Helper()
	return peers.Tocsin(t, config(t, fmt.Sprintf(`
kafka:
  - name: e2e
    brokers: [%q]
    topics:
      - {topic: webhooks, format: alertmanager_webhook}
      - {topic: api, format: alertmanager_api}
      - {topic: native, format: tocsin}
`, broker.Addr))...)
}

// message wraps an alert in a topic's format.
func message(t *testing.T, topic, instance string) kafka.Message {
	t.Helper()
	a := firing("Kafka", instance)
	var doc any
	switch topic {
	case "webhooks":
		doc = map[string]any{"version": "4", "status": "firing", "receiver": "kafka", "externalURL": "http://am.example", "alerts": []any{
			map[string]any{"status": "firing", "labels": a.Labels, "startsAt": time.Now()},
		}}
	case "api":
		doc = []alert{a}
	default:
		doc = map[string]any{"labels": a.Labels, "status": "firing"}
	}
	value, err := json.Marshal(doc)
	require.NoError(t, err)
	return kafka.Message{Topic: topic, Key: []byte(instance), Value: value}
}

// produce writes n alerts to every topic, and returns the values of their label instance.
func produce(t *testing.T, broker *peers.Broker, round string, n int) (sent []string) {
	t.Helper()
	w := &kafka.Writer{
		Addr: kafka.TCP(broker.Addr), RequiredAcks: kafka.RequireAll, Balancer: &kafka.Hash{}, BatchTimeout: time.Millisecond,
		MaxAttempts: 100, Transport: &kafka.Transport{MetadataTTL: 200 * time.Millisecond},
	}
	defer func() { require.NoError(t, w.Close()) }()
	var messages []kafka.Message
	for _, topic := range []string{"webhooks", "api", "native"} {
		for _, instance := range names(round+"-"+topic, n) {
			sent, messages = append(sent, instance), append(messages, message(t, topic, instance))
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, w.WriteMessages(ctx, messages...))
	return sent
}

// assigned returns how many partitions a daemon reads, of all topics.
func assigned(t *testing.T, d *peers.Daemon) (n int) {
	t.Helper()
	status, text := send(http.MethodGet, d.URL+"/metrics", nil)
	require.Equal(t, http.StatusOK, status)
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "tocsin_kafka_lag_messages{") {
			n++
		}
	}
	return n
}

// union returns what several daemons hold. Offsets that were not committed before a rebalance are read by the new owner again:
// two daemons can hold one alert, as docs/kafka.md says; one daemon never holds it twice.
func union(sets ...map[string]int) map[string]int {
	all := map[string]int{}
	for _, set := range sets {
		for instance := range set {
			all[instance] = 1
		}
	}
	return all
}

// requireNoneTwice reads the occurrences of every alert: more than one is a message that took effect twice.
func requireNoneTwice(t *testing.T, d *peers.Daemon) {
	t.Helper()
	type page struct {
		Alerts []struct {
			Occurrences int               `json:"occurrences"`
			Labels      map[string]string `json:"labels"`
			Claims      []struct{}        `json:"claims"`
		} `json:"alerts"`
		Next string `json:"next_cursor"`
	}
	seen := map[string]bool{}
	for cursor, more := "", true; more; {
		p := get[page](t, d.URL+"/api/v1/alerts?limit=500&cursor="+cursor)
		for _, a := range p.Alerts {
			instance := a.Labels["instance"]
			require.False(t, seen[instance], instance)
			require.Equal(t, 1, a.Occurrences, instance)
			require.Len(t, a.Claims, 1, instance)
			seen[instance] = true
		}
		cursor, more = p.Next, p.Next != ""
	}
	require.Len(t, seen, len(instances(t, d.URL)))
}

func TestKafkaLosesNothingAndNothingTakesEffectTwice(t *testing.T) {
	t.Parallel()
	broker := peers.Kafka(t)
	topics(t, broker)
	first := member(t, broker)
	sent := produce(t, broker, "alone", 50)
	arrived := func(sets ...map[string]int) bool { return len(union(sets...)) == len(sent) }
	await(t, "the first alerts", func() bool { return arrived(instances(t, first.URL)) })

	second := member(t, broker)
	both := func() bool { return arrived(instances(t, first.URL), instances(t, second.URL)) }
	await(t, "the partitions to be shared", func() bool { return assigned(t, first) > 0 && assigned(t, second) > 0 })
	sent = append(sent, produce(t, broker, "shared", 50)...)
	await(t, "the alerts of both", both)

	broker.Kill9()
	broker.Start()
	sent = append(sent, produce(t, broker, "restarted", 50)...)
	await(t, "the alerts after the broker's crash", both)
	requireNoneTwice(t, second)
	left := instances(t, second.URL)
	require.NotEmpty(t, left)

	second.Stop()
	sent = append(sent, produce(t, broker, "left", 50)...)
	await(t, "the alerts after the other left", func() bool { return arrived(instances(t, first.URL), left) })
	first.Kill9()
	sent = append(sent, produce(t, broker, "killed", 50)...)
	first.Restart()
	await(t, "the alerts after the kill", func() bool { return arrived(instances(t, first.URL), left) })

	requireOnce(t, sent, union(instances(t, first.URL), left))
	requireNoneTwice(t, first)
	requireSound(t, first.Data)
	requireSound(t, second.Data)
}
