package app

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/history"
	"github.com/tocsin-noc/tocsin/history/projection"
	"github.com/tocsin-noc/tocsin/internal/config"
)

func TestAHistoryThatIsOffSaysSo(t *testing.T) {
	a := &App{settings: &loaded{config: &config.Config{History: config.History{URL: config.HistoryNone}}}}
	a.runHistory(t.Context()) // returns at once
	require.Equal(t, projection.Status{Off: true, Fault: "history.url is none"}, a.history.Status())
	_, err := a.history.Query(t.Context(), "SELECT 1", nil)
	require.ErrorIs(t, err, history.ErrOff)
	require.ErrorIs(t, err, history.ErrDown, "what waits for it waits")
}

func TestAHistoryThatIsWantedAndWasNeverOpenedIsMissing(t *testing.T) {
	c := &config.Config{History: config.History{URL: config.HistoryEmbedded}}
	a, r := &App{settings: &loaded{config: c}}, prometheus.NewRegistry()
	newOwnMetrics(r, a)
	is := func() float64 { return values(t, r, "tocsin_history_missing")[""] }
	require.Equal(t, 1.0, is())
	a.history.once.Store(true)
	require.Zero(t, is(), "one that is lost again is another matter")
	a.history.once.Store(false)
	c.History.URL = config.HistoryNone
	require.Zero(t, is())
}
