package chdbtest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/history/chdb"
	"github.com/tocsin-noc/tocsin/history/chdb/chdbtest"
)

func TestAKilledEngineComesBackAtItsAddressAndLosesNoAcknowledgedBatch(t *testing.T) {
	registry := prometheus.NewRegistry()
	e := chdbtest.New(t, chdb.Options{Dir: t.TempDir(), Registerer: registry})
	url := e.URL()
	chdbtest.Exec(t, e, "CREATE DATABASE kept", "CREATE TABLE kept.facts (batch UInt64, n UInt64) ENGINE = ReplacingMergeTree ORDER BY (batch, n)")

	const rounds, rows = 5, 1000
	var acknowledged atomic.Uint64
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() {
		defer close(over)
		c, err := clickhouse.Open(&clickhouse.Options{
			Protocol: clickhouse.HTTP, Addr: []string{e.Addr()}, Auth: clickhouse.Auth{Database: "kept", Username: e.Writer().User, Password: e.Writer().Password},
			Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4},
		})
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		for batch := uint64(0); ctx.Err() == nil; {
			if err := func() error {
				b, err := c.PrepareBatch(ctx, "INSERT INTO facts")
				if err != nil {
					return err
				}
				for n := range uint64(rows) {
					if err := b.Append(batch, n); err != nil {
						return err
					}
				}
				return b.Send()
			}(); err != nil {
				time.Sleep(10 * time.Millisecond) // and again the same one
				continue
			}
			batch++
			acknowledged.Store(batch)
		}
	}()
	for round := range rounds {
		before := acknowledged.Load()
		require.Eventually(t, func() bool { return acknowledged.Load() > before+2 && e.PID() != 0 }, time.Minute, time.Millisecond, "round %d", round)
		require.NoError(t, syscall.Kill(e.PID(), syscall.SIGKILL))
		require.Eventually(t, func() bool { return e.Restarts() > round && e.Healthy() == nil }, time.Minute, 10*time.Millisecond)
	}
	before := acknowledged.Load()
	require.Eventually(t, func() bool { return acknowledged.Load() > before }, time.Minute, time.Millisecond)
	stop()
	<-over
	require.Equal(t, url, e.URL())
	answer, err := chdbtest.Ask(t.Context(), e, e.Writer(), fmt.Sprintf("SELECT count() FROM kept.facts FINAL WHERE batch < %d", acknowledged.Load()))
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("%d\n", acknowledged.Load()*rows), answer)
	t.Logf("%d batches of %d rows over %d kills", acknowledged.Load(), rows, rounds)

	values := map[string]float64{}
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, f := range families {
		values[f.GetName()] = f.GetMetric()[0].GetGauge().GetValue() + f.GetMetric()[0].GetCounter().GetValue()
	}
	require.InDelta(t, 1, values["tocsin_history_engine_up"], 0)
	require.GreaterOrEqual(t, values["tocsin_history_engine_restarts_total"], float64(rounds))
	require.Contains(t, values, "tocsin_history_engine_rss_bytes")
	t.Logf("resident: %.0f MB", values["tocsin_history_engine_rss_bytes"]/1e6)
}

func TestAHungEngineIsReplaced(t *testing.T) {
	e := chdbtest.New(t, chdb.Options{Dir: t.TempDir(), HealthEvery: 200 * time.Millisecond, HealthTime: 3 * time.Second})
	pid := e.PID()
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	require.Eventually(t, func() bool { return e.Restarts() >= 1 && e.Healthy() == nil && e.PID() != pid }, time.Minute, 10*time.Millisecond)
	_, err := chdbtest.Ask(t.Context(), e, e.Writer(), "SELECT 1")
	require.NoError(t, err)
}

func TestASecondDaemonOnTheFolderIsRefused(t *testing.T) {
	dir := t.TempDir()
	e := chdbtest.New(t, chdb.Options{Dir: dir})
	_, err := chdb.Start(t.Context(), chdb.Options{Dir: dir, Command: chdbtest.Command(t)})
	require.ErrorIs(t, err, chdb.ErrInUse)
	require.NoError(t, e.Healthy())
}

func TestTheDataAndTheReaderOutliveTheDaemonAndTheWriterDoesNot(t *testing.T) {
	o := chdb.Options{Dir: t.TempDir(), Command: chdbtest.Command(t)}
	chdbtest.Library(t)
	first, err := chdb.Start(t.Context(), o)
	require.NoError(t, err)
	chdbtest.Exec(t, first, "CREATE TABLE default.kept (x UInt64) ENGINE = MergeTree ORDER BY x", "INSERT INTO default.kept VALUES (1), (2)")
	reader, writer, url := first.Reader(), first.Writer(), first.URL()
	require.NoError(t, first.Close())
	_, err = http.Get(url + "/ping") //nolint:noctx,bodyclose // nothing answers
	require.Error(t, err)

	second := chdbtest.New(t, o)
	answer, err := chdbtest.Ask(t.Context(), second, reader, "SELECT sum(x) FROM default.kept")
	require.NoError(t, err)
	require.Equal(t, "3\n", answer)
	_, err = chdbtest.Ask(t.Context(), second, writer, "SELECT 1")
	require.ErrorContains(t, err, "AUTHENTICATION_FAILED")
}

func TestAnEngineThatCannotStartSaysWhy(t *testing.T) {
	chdbtest.Library(t)
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken.so")
	require.NoError(t, os.WriteFile(broken, []byte("no library"), 0o600))
	_, err := chdb.Start(t.Context(), chdb.Options{Dir: filepath.Join(dir, "history"), Library: broken, Command: chdbtest.Command(t)})
	require.ErrorContains(t, err, "the engine ended at its start")
	require.ErrorContains(t, err, "load the library")

	_, err = chdb.Start(t.Context(), chdb.Options{Dir: filepath.Join(dir, "history"), Listen: "0.0.0.0:0", Command: chdbtest.Command(t)})
	require.ErrorContains(t, err, "listens on loopback only")
}

func TestTheEngineEndsWithItsDaemon(t *testing.T) {
	o := chdb.Options{Dir: t.TempDir(), Command: chdbtest.Command(t)}
	chdbtest.Library(t)
	e, err := chdb.Start(t.Context(), o)
	require.NoError(t, err)
	pid := e.PID()
	require.NoError(t, e.Close())
	require.Eventually(t, func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }, time.Minute, 10*time.Millisecond)
}
