package alertmanager

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// alertsOfUsualSize returns the body of n alerts of some 860 bytes: ten labels, three annotations, as Prometheus sends them.
func alertsOfUsualSize(tb testing.TB, n int) []byte {
	tb.Helper()
	alerts := make([]map[string]any, n)
	for i := range alerts {
		instance := fmt.Sprintf("10.20.%d.%d:9100", i/256, i%256)
		alerts[i] = map[string]any{
			"labels": map[string]string{
				"alertname": "NodeFilesystemAlmostOutOfSpace", "cluster": "eu-central-1-prod", "device": "/dev/nvme0n1p1",
				"fstype": "ext4", "instance": instance, "job": "node-exporter", "mountpoint": "/var/lib/containers",
				"namespace": "monitoring", "prometheus": "monitoring/k8s", "severity": "warning",
			},
			"annotations": map[string]string{
				"description": "Filesystem on /dev/nvme0n1p1 at " + instance + " has only 2.73% available space left, and is filling up.",
				"runbook_url": "https://runbooks.example.org/runbooks/node/nodefilesystemalmostoutofspace",
				"summary":     "Filesystem of " + instance + " has less than 3% space left.",
			},
			"startsAt":     "2026-11-20T22:23:29.496Z",
			"endsAt":       "2026-11-20T22:27:29.496Z",
			"generatorURL": "http://prometheus.example.org:9090/graph?g0.expr=node_filesystem_avail_bytes+%2F+node_filesystem_size_bytes+%2A+100+%3C+3&g0.tab=1",
		}
	}
	body, err := json.Marshal(alerts)
	require.NoError(tb, err)
	return body
}

func BenchmarkDecodeAlerts(b *testing.B) {
	for _, n := range []int{1, 64} {
		body := alertsOfUsualSize(b, n)
		b.Run(fmt.Sprintf("%d alerts of %d bytes", n, len(body)/n), func(b *testing.B) {
			b.Run("Tocsin", func(b *testing.B) { benchmarkDecoder(b, body, n) })
			b.Run("encoding json", func(b *testing.B) { benchmarkEncodingJSON(b, body, n) })
		})
	}
}

func benchmarkDecoder(b *testing.B, body []byte, n int) {
	now := event.FromTime(time.Date(2026, 11, 20, 22, 25, 0, 0, time.UTC))
	batch := &event.Batch{Source: event.Source{Tenant: event.DefaultTenant}}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		batch.Reset()
		batch.Source.Tenant = event.DefaultTenant
		batch.Body = append(batch.Body, body...)
		if r := DecodeAlerts(batch, now, Limits{}); r != nil {
			b.Fatal(r)
		}
	}
	require.Len(b, batch.Events, n)
	perAlert(b, n)
}

func benchmarkEncodingJSON(b *testing.B, body []byte, n int) {
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var alerts []struct {
			Labels, Annotations map[string]string
			StartsAt, EndsAt    time.Time
			GeneratorURL        string
		}
		if err := json.Unmarshal(body, &alerts); err != nil || len(alerts) != n {
			b.Fatal(err)
		}
	}
	perAlert(b, n)
}

func perAlert(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/alert")
}
