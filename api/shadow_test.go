package api

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/engine/contrast"
	"github.com/tocsin-noc/tocsin/event"
)

// The shadow of a testEngine runs from the beginning, and differs in an incident of each tenant.

func (e *testEngine) StartShadow(_ context.Context, q engine.ShadowRequest) error {
	if e.shadowEnded == "" {
		return engine.ErrShadowRuns
	}
	e.shadowEnded = ""
	return e.act("shadow of " + q.Version + " by " + q.By)
}

func (e *testEngine) StopShadow(by string) error {
	if e.shadowEnded != "" {
		return engine.ErrNoShadow
	}
	e.shadowEnded = "stopped by " + by
	return nil
}

func (e *testEngine) Shadow() engine.ShadowStatus {
	st := engine.ShadowStatus{Running: e.shadowEnded == "", Version: "v2", By: "ann", StartedAt: time.Unix(1, 0), Seq: 7, Behind: 2, Ended: e.shadowEnded}
	if !st.Running {
		st.EndedAt = time.Unix(2, 0)
	}
	return st
}

func (e *testEngine) AskShadow(_ context.Context, want func(string) bool) (engine.ShadowStatus, []contrast.Difference, error) {
	st := e.Shadow()
	if !st.Running {
		return st, nil, engine.ErrNoShadow
	}
	st.Live, st.Other = contrast.Figures{Alerts: 3, Incidents: 1, Pages: 1}, contrast.Figures{Alerts: 3, Incidents: 2, Quiet: map[string]int{"waiting": 1}}
	st.Asked = contrast.Asked{Commands: 1, Not: map[string]int{"acknowledge": 1}}
	var list []contrast.Difference
	for tenant, title := range map[string]string{"main": "DiskFull", "other": "SecretAlert"} {
		i := contrast.Incident{ID: 1, Tenant: tenant, Title: title, Priority: 2, OpenedAt: event.Hour, Alerts: 3}
		if want != nil && want(tenant) {
			list = append(list, contrast.Difference{Kind: contrast.Split, Alerts: 3, Moved: 1, Before: []contrast.Incident{i}, After: many(i, 30)})
		}
	}
	return st, list, nil
}

func many(i contrast.Incident, n int) (list []contrast.Incident) {
	for range n {
		list = append(list, i)
	}
	return list
}

func TestAShadowIsStartedAskedAndStopped(t *testing.T) {
	f := newFixture(t)
	s := get[Shadow](f, "admin", "/api/v1/admin/shadow")
	require.True(t, s.Running)
	require.Equal(t, 2, s.Shadow.Incidents)
	require.Equal(t, map[string]int{"acknowledge": 1}, s.Asked.Not)
	diff := get[ShadowDiff](f, "admin", "/api/v1/admin/shadow/diff")
	require.Equal(t, 1, diff.Total, "of the own tenant")
	require.Equal(t, map[string]int{"joined": 0, "split": 1, "regrouped": 0, "new": 0, "gone": 0, "changed": 0}, diff.Counts)
	require.Len(t, diff.Differences[0].Shadow, 20)
	require.Equal(t, 10, diff.Differences[0].More)
	require.Equal(t, "INC-1", diff.Differences[0].Live[0].ID)

	start := func(text string) answer {
		return f.call("admin", "POST", "/api/v1/admin/shadow", `{"files":[{"name":"db.yml","text":"`+text+`"}]}`)
	}
	require.Equal(t, "shadow_runs", start("").problem(t).Code)
	require.Equal(t, 200, f.call("admin", "DELETE", "/api/v1/admin/shadow", "").StatusCode)
	require.Equal(t, "no_shadow", f.call("admin", "DELETE", "/api/v1/admin/shadow", "").problem(t).Code)
	require.Equal(t, "no_shadow", f.call("admin", "GET", "/api/v1/admin/shadow/diff", "").problem(t).Code)
	s = get[Shadow](f, "admin", "/api/v1/admin/shadow")
	require.False(t, s.Running)
	require.Equal(t, "stopped by admin", s.Ended)

	wrong := start("nonsense: 1").problem(t)
	require.Equal(t, 422, wrong.Status)
	require.Len(t, wrong.Errors, 1)
	require.True(t, strings.HasPrefix(wrong.Errors[0], "db.yml:1:1: nonsense: "), wrong.Errors[0])
	require.Equal(t, 201, start(`grouping: [{name: a, group_by: [a]}]`).StatusCode)
	require.Regexp(t, "^shadow of [0-9a-f]{12} by admin$", f.engine.actions[0])
}

func TestOnlyTheHousesAdminsSeeAShadow(t *testing.T) {
	f := newFixture(t)
	for _, path := range []string{"/api/v1/admin/shadow", "/api/v1/admin/shadow/diff"} {
		require.Equal(t, 403, f.call("manager", "GET", path, "").StatusCode)
		require.Equal(t, 403, f.call("stranger", "GET", path, "").StatusCode)
	}
}
