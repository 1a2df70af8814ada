package simulate

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var start = time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC)

func TestAlertsAreJSONWithTenLabelsAndThreeAnnotations(t *testing.T) {
	alerts := NewAlerts(1, start)
	ends := Stamp(start.Add(time.Hour))
	for i := range uint64(2 * shapes) {
		var alert postable
		require.NoError(t, json.Unmarshal(alerts.Append(nil, i, ends), &alert))
		require.Len(t, alert.Labels, 10)
		require.Len(t, alert.Annotations, 3)
		require.Equal(t, "2026-03-29T02:30:00.000Z", alert.EndsAt)
		starts, err := time.Parse(time.RFC3339, alert.StartsAt)
		require.NoError(t, err)
		require.WithinRange(t, starts, start.Add(-90*time.Second), start)
		require.Equal(t, alert.Labels["instance"], alerts.Instance(i))
		require.NotContains(t, string(alerts.Append(nil, i, ends)), "{{", "a hole was left open")
	}
}

func TestEveryAlertHasItsOwnInstanceAndALongDescription(t *testing.T) {
	alerts := NewAlerts(1, start)
	instances, descriptions := map[string]bool{}, map[string]bool{}
	indices := []uint64{999_999_998, 999_999_999}
	for i := range uint64(5000) {
		indices = append(indices, i)
	}
	for _, i := range indices {
		var alert postable
		require.NoError(t, json.Unmarshal(alerts.Append(nil, i, Stamp(start)), &alert))
		instances[alert.Labels["instance"]] = true
		descriptions[alert.Annotations["description"]] = true
		require.GreaterOrEqual(t, len(alert.Annotations["description"]), 60)
	}
	require.Len(t, instances, len(indices))
	require.Len(t, descriptions, len(indices))
}

func TestAlertsAreAbout860Bytes(t *testing.T) {
	alerts := NewAlerts(1, start)
	var text []byte
	for i := range uint64(shapes) {
		text = alerts.Append(text, i, Stamp(start))
	}
	require.InDelta(t, 860, float64(len(text))/shapes, 20)
}

func TestTheSameSeedMakesTheSameBytes(t *testing.T) {
	render := func(seed uint64) string {
		var text []byte
		alerts := NewAlerts(seed, start)
		for i := range uint64(1000) {
			text = alerts.Append(text, i, Stamp(start))
		}
		return string(text)
	}
	require.Equal(t, render(7), render(7))
	require.NotEqual(t, render(7), render(8))
}

func TestAppendAllocatesNothing(t *testing.T) {
	alerts, ends, buffer := NewAlerts(1, start), Stamp(start), make([]byte, 0, 4096)
	require.Zero(t, testing.AllocsPerRun(100, func() { buffer = alerts.Append(buffer[:0], 42, ends) }))
}

func BenchmarkRenderOneAlert(b *testing.B) {
	alerts, ends, buffer := NewAlerts(1, start), Stamp(start), make([]byte, 0, 64*1024)
	var i uint64
	for b.Loop() {
		if i%64 == 0 {
			buffer = buffer[:0]
		}
		buffer = alerts.Append(buffer, i, ends)
		i++
	}
}
