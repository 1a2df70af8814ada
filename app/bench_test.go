package app

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/simulate"
)

// serving starts a daemon on loopback that ends with the test.
func serving(tb testing.TB) *App {
	tb.Helper()
	config := filepath.Join(tb.TempDir(), "tocsin.yml")
	require.NoError(tb, os.WriteFile(config, []byte("limits: {alerts_per_source: 10000000}\n"), 0o600))
	a, err := New(Options{
		ConfigFile: config, Data: tb.TempDir(), Listen: "127.0.0.1:0", Version: "bench", Stdout: io.Discard, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(tb, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	tb.Cleanup(func() {
		stop()
		require.NoError(tb, <-done)
	})
	return a
}

// offer sends a load and checks that all of it was acknowledged.
func offer(b *testing.B, a *App, l simulate.Load) {
	b.Helper()
	l.URL = a.URL()
	res, err := l.Run(b.Context())
	require.NoError(b, err)
	require.Equal(b, l.Count, res.Acknowledged)
}

// These show where the time goes (-cpuprofile), the load's own included; the figures to publish are those of test/bench,
// where the load has a process of its own.

func BenchmarkTenThousandNewAlertsOverHTTP(b *testing.B) {
	alerts := simulate.NewAlerts(1, time.Now())
	a, n := serving(b), uint64(0)
	for b.Loop() {
		offer(b, a, simulate.Load{Alerts: alerts, First: n, Batch: 64, Connections: 4, Count: 10_000})
		n += 10_000
	}
}

func BenchmarkTenThousandRepeatsOverHTTP(b *testing.B) {
	alerts := simulate.NewAlerts(1, time.Now())
	a := serving(b)
	for b.Loop() {
		offer(b, a, simulate.Load{Alerts: alerts, Active: 10_000, Batch: 64, Connections: 4, Count: 10_000})
	}
}

func BenchmarkTenThousandRepeatsOneByOneOverHTTP(b *testing.B) {
	alerts := simulate.NewAlerts(1, time.Now())
	a := serving(b)
	for b.Loop() {
		offer(b, a, simulate.Load{Alerts: alerts, Active: 10_000, Batch: 1, Connections: 64, Count: 10_000})
	}
}
