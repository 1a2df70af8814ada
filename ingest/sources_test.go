package ingest

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func seen(name string) event.Source {
	return event.Source{Name: name, Tenant: event.DefaultTenant, Kind: event.SendOnce}
}

func TestSourcesBeyondTheThousandthAreOne(t *testing.T) {
	d := newDoor(t, Limits{})
	for i := range maxSeen {
		require.Equal(t, fmt.Sprint("webhook:", i), d.sources.Seen(seen(fmt.Sprint("webhook:", i)), d.at).Name)
	}
	over := d.sources.Seen(seen("webhook:x"), d.at)
	require.Equal(t, "overflow:send_once", over.Name)
	require.Same(t, over, d.sources.Seen(seen("webhook:y"), d.at))
	require.Equal(t, "webhook:7", d.sources.Seen(seen("webhook:7"), d.at).Name, "who was seen before stays told apart")
	require.Contains(t, over.Stats(d.at).LastError, `more than 1000 sources without a key: "webhook:y"`)
	require.Equal(t, "named", d.sources.Configured(seen("named")).Name, "configured sources have room")
}

func TestASourcesNameIsBoundedAndIsNoViewOfTheRequest(t *testing.T) {
	d := newDoor(t, Limits{})
	name := "x" + strings.Repeat("ä", 100)
	s := d.sources.Seen(seen(name), d.at)
	require.Equal(t, "x"+strings.Repeat("ä", 63), s.Name)
	require.NotSame(t, unsafe.StringData(name), unsafe.StringData(s.Name))
	require.Same(t, s, d.sources.Seen(seen(name), d.at))
}

func TestTenantsDoNotShareSources(t *testing.T) {
	d := newDoor(t, Limits{})
	a, b := seen("same"), seen("same")
	b.Tenant = "other"
	require.NotSame(t, d.sources.Seen(a, d.at), d.sources.Seen(b, d.at))
	require.Len(t, d.sources.Stats("other", d.at), 1)
}

func TestStatsTellWhatASourceDid(t *testing.T) {
	d := newDoor(t, Limits{})
	for range 30 {
		d.submit(1, 2)
		d.at = d.at.Add(10 * time.Second)
	}
	d.prometheus().Failed(Malformed, "no JSON", d.at)
	d.prometheus().Refused(3, "alerts[0]: no labels", d.at.Add(time.Second))
	stats := d.sources.Stats(event.DefaultTenant, d.at)
	require.Len(t, stats, 1)
	s := stats[0]
	require.Equal(t, "prometheus", s.Name)
	require.EqualValues(t, 60, s.Events)
	require.Equal(t, map[string]uint64{"malformed": 1, "invalid": 3}, s.Errors)
	require.Equal(t, "alerts[0]: no labels", s.LastError)
	require.Equal(t, d.at.Add(time.Second), s.LastErrorAt)
	require.Equal(t, d.at.Add(-10*time.Second), s.LastWord)
	require.InDelta(t, 0.2, s.PerSecond1m, 0.04, "the slot that fills counts in full")
	require.InDelta(t, 0.2, s.PerSecond5m, 0.01)
}

func TestARateFollowsTheLastMinutes(t *testing.T) {
	var r ring
	at := time.Unix(1_800_000_000, 0)
	require.Zero(t, r.perSecond(at, time.Minute))
	r.add(at, 50)
	require.InDelta(t, 10, r.perSecond(at, time.Minute), 1e-9, "a young source is not measured by minutes it did not live")
	r.add(at.Add(10*time.Minute), 600)
	require.InDelta(t, 10, r.perSecond(at.Add(10*time.Minute), time.Minute), 1e-9)
	require.InDelta(t, 2, r.perSecond(at.Add(10*time.Minute), 5*time.Minute), 1e-9)
	require.Zero(t, r.perSecond(at.Add(time.Hour), 5*time.Minute))
	r.add(at, 5) // the clock was set back
	require.Zero(t, r.perSecond(at, time.Minute)-5.0/60)
}

func TestMetricsNameConfiguredSourcesOnly(t *testing.T) {
	d := newDoor(t, Limits{})
	s := d.sources.Configured(seen("eu"))
	_, p := d.Submit(t.Context(), s, d.batch(1, 2), 503)
	require.Nil(t, p)
	d.submit(3)
	got := map[string]float64{}
	families, err := d.reg.Gather()
	require.NoError(t, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "tocsin_ingest_events_total" {
				got[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
			}
		}
	}
	require.Equal(t, map[string]float64{"eu": 2, "without_key": 1}, got)
}
