package app

import (
	"testing"

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
