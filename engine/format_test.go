package engine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func TestALogOfAnOlderFormatSaysTheSame(t *testing.T) {
	in := &event.Input{Seq: 7, At: 1000}
	now := event.AppendChanges(nil, []event.Change{{Kind: event.CoreStarted, Seq: 7, At: 1000, Text: "v1"}})
	// Format 4 did not say how long a change is: two bytes after its kind.
	old := append([]byte{4, now[1], now[2]}, now[5:]...)
	require.True(t, sameChanges(now, now, in))
	require.True(t, sameChanges(old, now, in))
	other := append([]byte(nil), old...)
	other[len(other)-1]++
	require.False(t, sameChanges(other, now, in), "another version of the core")
	require.False(t, sameChanges(old[:len(old)-1], now, in), "cut short")
	require.False(t, sameChanges(nil, now, in))
	require.True(t, sameChanges(nil, nil, in))
}
