package peers_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/internal/peers"
)

const routeToNobody = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"

func TestPrometheusDeliversAFiringRuleToAReceiver(t *testing.T) {
	t.Parallel()
	posts := make(chan string, 16)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			posts <- r.URL.Path + " " + string(body)
		}
	}))
	t.Cleanup(receiver.Close)

	p := peers.Prometheus(t, fmt.Sprintf(`
global: {evaluation_interval: 200ms}
rule_files: [rules.yml]
alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}
`, strings.TrimPrefix(receiver.URL, "http://")), `
groups: [{name: g, rules: [{alert: Always, expr: vector(1), for: 6s}]}]
`)
	select {
	case got := <-posts:
		require.Contains(t, got, "/api/v2/alerts ")
		require.Contains(t, got, `"alertname":"Always"`)
		require.Contains(t, got, "/graph?g0.expr", "generatorURL names the real port")
	case <-time.After(30 * time.Second):
		require.Fail(t, "no alert within 30 s")
	}
	require.Contains(t, p.Log(), "Server is ready to receive web requests")
}

func TestAmtoolAddsAnAlertToAlertmanager(t *testing.T) {
	t.Parallel()
	am := peers.Alertmanager(t, routeToNobody)
	tool := peers.Amtool(t)
	out, err := exec.Command(tool, "--alertmanager.url="+am.URL, "alert", "add", "DiskFull", "host=db1").CombinedOutput()
	require.NoError(t, err, string(out))
	out, err = exec.Command(tool, "--alertmanager.url="+am.URL, "-o", "json", "alert").Output()
	require.NoError(t, err)
	var alerts []struct{ Labels map[string]string }
	require.NoError(t, json.Unmarshal(out, &alerts))
	require.Len(t, alerts, 1)
	require.Equal(t, map[string]string{"alertname": "DiskFull", "host": "db1"}, alerts[0].Labels)
}

func TestAStoppedPeerIsGoneAndStoppingAgainIsFine(t *testing.T) {
	t.Parallel()
	am := peers.Alertmanager(t, routeToNobody)
	am.Stop()
	select {
	case <-am.Gone():
	default:
		require.Fail(t, "still there")
	}
	am.Stop()
	_, err := net.Dial("tcp", strings.TrimPrefix(am.URL, "http://"))
	require.Error(t, err)
}

func TestKafkaKeepsAMessageOverStopAndCrash(t *testing.T) {
	t.Parallel()
	b := peers.Kafka(t)
	produce(t, b.Addr, "before")
	b.Stop()
	b.Start()
	produce(t, b.Addr, "between")
	b.Kill9()
	b.Start()
	require.Equal(t, []string{"before", "between"}, consume(t, b.Addr, 2))
}

// produce creates the topic where needed, which a broker answers with "leader not available" at first.
func produce(t *testing.T, addr, value string) {
	t.Helper()
	w := &kafka.Writer{
		Addr: kafka.TCP(addr), Topic: "alerts", RequiredAcks: kafka.RequireAll,
		BatchTimeout: time.Millisecond, AllowAutoTopicCreation: true, MaxAttempts: 50,
		Transport: &kafka.Transport{MetadataTTL: 200 * time.Millisecond},
	}
	defer func() { require.NoError(t, w.Close()) }()
	require.Eventually(t, func() bool {
		return w.WriteMessages(t.Context(), kafka.Message{Value: []byte(value)}) == nil
	}, 30*time.Second, 50*time.Millisecond)
}

func consume(t *testing.T, addr string, n int) []string {
	t.Helper()
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{addr}, Topic: "alerts", MaxWait: 100 * time.Millisecond})
	defer func() { require.NoError(t, r.Close()) }()
	var got []string
	for range n {
		m, err := r.ReadMessage(t.Context())
		require.NoError(t, err)
		got = append(got, string(m.Value))
	}
	return got
}

func TestChromiumAnswersOnItsDevToolsAddress(t *testing.T) {
	t.Parallel()
	c := peers.Chromium(t)
	host, _, _ := strings.Cut(strings.TrimPrefix(c.URL, "ws://"), "/")
	res, err := http.Get("http://" + host + "/json/version")
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Contains(t, string(body), "Chrome/")
}
