package engine

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/engine/contrast"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules"
)

func all(string) bool { return true }

// apart puts every host into an incident of its own; the shipped rules put all of an alert's name into one.
func apart() []byte {
	return rules.Bundle([]rules.File{{Name: "apart.yml", Text: []byte("grouping:\n  - {name: by host, group_by: [instance]}\n")}})
}

// shadowed waits until the shadow has stepped everything that was acknowledged.
func shadowed(t *testing.T, e *Engine) (ShadowStatus, []contrast.Difference) {
	t.Helper()
	require.Eventually(t, func() bool { s := e.Shadow(); return !s.Running || s.Behind == 0 }, 10*time.Second, time.Millisecond)
	s, diff, err := e.AskShadow(t.Context(), all)
	require.NoError(t, err, e.Shadow().Ended)
	return s, diff
}

func TestAShadowSaysWhatOtherRulesMakeOfTheSameAlerts(t *testing.T) {
	e := open(t, options(t.TempDir()))
	send(t, e, alert(1, "critical"))
	require.NoError(t, e.StartShadow(t.Context(), ShadowRequest{Rules: apart(), Version: "v2", By: "ann"}))
	require.ErrorIs(t, e.StartShadow(t.Context(), ShadowRequest{Rules: apart()}), ErrShadowRuns)
	for i := 2; i < 6; i++ {
		send(t, e, alert(i, "critical"))
	}
	s, diff := shadowed(t, e)
	require.Equal(t, 4, s.Live.Alerts)
	require.Zero(t, s.Live.Incidents, "all came into the incident that was there")
	require.Equal(t, 4, s.Other.Incidents)
	require.Equal(t, 4, s.Other.Pages)
	require.Len(t, diff, 1)
	require.Equal(t, contrast.Split, diff[0].Kind)
	require.Equal(t, 5, diff[0].Alerts)
	require.Len(t, diff[0].After, 5)

	_, diff, err := e.AskShadow(t.Context(), func(tenant string) bool { return tenant == "other" })
	require.NoError(t, err)
	require.Empty(t, diff, "tenants that are not asked for")

	_, found := view(t, e).Incident(2)
	require.False(t, found, "what the shadow opens is nowhere else")
	require.NoError(t, e.StopShadow("bob"))
	require.ErrorIs(t, e.StopShadow("bob"), ErrNoShadow)
	s = e.Shadow()
	require.False(t, s.Running)
	require.Equal(t, "stopped by bob", s.Ended)
	require.Equal(t, 4, s.Other.Incidents, "its figures stay")
	require.NoFileExists(t, e.shadowMark())
}

func TestAShadowWithTheSameRulesDiffersInNothing(t *testing.T) {
	e := open(t, options(t.TempDir()))
	require.NoError(t, e.StartShadow(t.Context(), ShadowRequest{Rules: rules.Bundle(nil)}))
	for i := range 40 {
		send(t, e, alert(i, []string{"critical", "warning", "info"}[i%3]))
		if i%10 == 9 {
			cleared := alert(i-9, "critical")
			cleared.Cleared = true
			send(t, e, cleared)
		}
	}
	for _, c := range []event.Command{
		{Kind: event.Acknowledge, Incident: 1, Actor: "ann"}, {Kind: event.Note, Incident: 1, Actor: "ann", Text: "looking"},
		{Kind: event.Acknowledge, Incident: 99, Actor: "ann"},
	} {
		c.Tenant = "main"
		_, err := e.Do(t.Context(), c)
		require.NoError(t, err)
	}
	s, diff := shadowed(t, e)
	require.Empty(t, diff)
	require.Equal(t, s.Live, s.Other)
	require.Equal(t, 2, s.Asked.Commands, "what was refused does not count")
	require.Equal(t, 2, s.Asked.Applied)
}

func TestWhatPeopleAskForGoesToTheIncidentThatHoldsTheAlerts(t *testing.T) {
	e := open(t, options(t.TempDir()))
	require.NoError(t, e.StartShadow(t.Context(), ShadowRequest{Rules: apart()}))
	for i := range 3 {
		send(t, e, alert(i, "critical"))
	}
	do := func(c event.Command) {
		c.Tenant, c.Actor = "main", "ann"
		res, err := e.Do(t.Context(), c)
		require.NoError(t, err)
		require.Nil(t, res.Err)
	}
	var ids []event.AlertID
	for a := range view(t, e).Members(1) {
		ids = append(ids, a.ID())
	}
	do(event.Command{Kind: event.Acknowledge, Incident: 1})
	do(event.Command{Kind: event.Split, Incident: 1, Alerts: ids[1:2]})
	do(event.Command{Kind: event.Note, Incident: 2, Text: "of the part"})
	do(event.Command{Kind: event.Merge, Incident: 1, Other: 2})
	s, diff := shadowed(t, e)
	require.Equal(t, 4, s.Asked.Commands)
	require.Equal(t, 1, s.Asked.Already, "they are apart under these rules")
	require.Equal(t, 3, s.Asked.Applied)
	require.Empty(t, s.Asked.Not)
	require.Len(t, diff, 1)
	require.Len(t, diff[0].Before, 1)
	require.Len(t, diff[0].After, 2, "a person has merged two of three")
}

func TestAShadowThatFallsBehindEnds(t *testing.T) {
	e := open(t, options(t.TempDir()))
	require.NoError(t, e.StartShadow(t.Context(), ShadowRequest{Rules: apart(), MaxBehind: 1}))
	for i := 0; e.Shadow().Running; i++ {
		reqs := make([]*event.Batch, 0, 100)
		for range cap(reqs) {
			reqs = append(reqs, batch(e, alert(i%1000, "critical")))
		}
		require.NoError(t, e.SubmitAll(t.Context(), reqs))
	}
	require.Regexp(t, `^it fell \d+ inputs behind, and at most 1 may be$`, e.Shadow().Ended)
	send(t, e, alert(5000, "critical"))
	_, found := view(t, e).Incident(1)
	require.True(t, found, "the daemon does not care")
}

func TestAShadowThatRemembersTooMuchEnds(t *testing.T) {
	e := open(t, options(t.TempDir()))
	require.NoError(t, e.StartShadow(t.Context(), ShadowRequest{Rules: apart(), MaxAlerts: 5}))
	for i := range 10 {
		send(t, e, alert(i, "critical"))
	}
	require.Eventually(t, func() bool { return !e.Shadow().Running }, 10*time.Second, time.Millisecond)
	require.Contains(t, e.Shadow().Ended, "remembers no more")
}

func TestARestartEndsTheShadowAndSaysSo(t *testing.T) {
	dir := t.TempDir()
	e := open(t, options(dir))
	require.NoError(t, e.StartShadow(t.Context(), ShadowRequest{Rules: apart(), Version: "v2", By: "ann"}))
	send(t, e, alert(1, "critical"))
	shadowed(t, e)
	require.NoError(t, e.Close())
	again := open(t, options(dir))
	s := again.Shadow()
	require.False(t, s.Running)
	require.Equal(t, "the daemon was started again", s.Ended)
	require.Equal(t, "v2", s.Version)
	require.Equal(t, "ann", s.By)
	require.NoError(t, again.Close())
	require.Empty(t, open(t, options(dir)).Shadow().Ended, "it is said once")
}

func TestAShadowChangesNothingInTheData(t *testing.T) {
	dir := t.TempDir()
	e := open(t, options(dir))
	require.NoError(t, e.StartShadow(t.Context(), ShadowRequest{Rules: apart()}))
	for i := range 30 {
		send(t, e, alert(i, "critical"))
	}
	require.NoError(t, e.Reload(t.Context(), apart()))
	_, diff := shadowed(t, e)
	require.NotEmpty(t, diff)
	require.NoError(t, e.Close())
	r, err := Replay(dir, ReplayOptions{Version: "test-1"})
	require.NoError(t, err)
	require.Zero(t, r.Differing)
}

// BenchmarkLiveWithAShadow submits alerts as fast as they are taken, with and without a shadow beside: the same 50,000 again and again,
// and always others.
func BenchmarkLiveWithAShadow(b *testing.B) {
	for _, known := range []int{50_000, 1 << 40} {
		for _, shadow := range []bool{false, true} {
			name := map[bool]string{true: "repeats", false: "onsets"}[known == 50_000] + map[bool]string{false: "/without", true: "/with"}[shadow]
			b.Run(name, func(b *testing.B) { benchmarkLive(b, known, shadow) })
		}
	}
}

func benchmarkLive(b *testing.B, known int, shadow bool) {
	e, err := Open(options(b.TempDir()))
	require.NoError(b, err)
	defer func() { require.NoError(b, e.Close()) }()
	if shadow {
		require.NoError(b, e.StartShadow(b.Context(), ShadowRequest{Rules: apart(), MaxBehind: 1 << 40, MaxAlerts: 1 << 30}))
	}
	n := 0
	submit := func() {
		batch := e.NewBatch()
		batch.Source = event.Source{Name: "prometheus", Tenant: "main", Kind: event.Resender}
		for range 100 {
			ev := alert(n%known, "critical")
			ev.Labels[0].Value = fmt.Sprintf("Down%d", n%known/100)
			batch.Add(ev)
			n++
		}
		require.NoError(b, e.Submit(context.Background(), batch))
	}
	for n < 50_000 {
		submit()
	}
	for shadow && e.Shadow().Behind > 0 {
		time.Sleep(time.Millisecond)
	}
	for b.Loop() {
		submit()
	}
	b.ReportMetric(float64(n-50_000)/b.Elapsed().Seconds(), "alerts/s")
	if shadow {
		b.ReportMetric(float64(e.Shadow().Behind), "behind")
	}
}
