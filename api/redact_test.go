package api

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/event"
)

func (e *testEngine) RedactEntry(_ context.Context, incident event.IncidentID, at engine.Cursor, reason, by string) error {
	if at.Seq == 404 {
		return &event.Refusal{Code: event.NotFound, Message: "no such entry"}
	}
	return e.act(fmt.Sprintf("redact %v %v %s %s", incident, at, reason, by))
}

func (e *testEngine) RedactHandover(_ context.Context, tenant string, at engine.Cursor, reason, by string) error {
	return e.act(fmt.Sprintf("redact hand-over %s %v %s %s", tenant, at, reason, by))
}

func (e *testEngine) RedactSilence(_ context.Context, tenant, id, reason, by string) error {
	return e.act(fmt.Sprintf("redact silence %s %s %s %s", tenant, id, reason, by))
}

func (e *testEngine) RedactWindow(_ context.Context, tenant, id, reason, by string) error {
	return e.act(fmt.Sprintf("redact window %s %s %s %s", tenant, id, reason, by))
}

func (e *testEngine) RedactField(_ context.Context, incident event.IncidentID, field, reason, by string) error {
	return e.act(fmt.Sprintf("redact %v %s: %s %s", incident, field, reason, by))
}

func (e *testEngine) RedactOutage(_ context.Context, tenant string, number uint32, reason, by string) error {
	return e.act(fmt.Sprintf("redact outage %s %d %s %s", tenant, number, reason, by))
}

func (e *testEngine) RedactAttribute(_ context.Context, tenant, ci, attribute, reason, by string) error {
	return e.act(fmt.Sprintf("redact attribute %s %s %s %s %s", tenant, ci, attribute, reason, by))
}

func TestAdminsRedact(t *testing.T) {
	f := newFixture(t).storm()
	const path = "/api/v1/admin/redact"
	for _, body := range []string{
		`{"incident":"INC-1","entry":"0.172.3","reason":" personal data "}`, `{"entry":"0.9.0","reason":"r"}`,
		`{"silence":"1d3c","reason":"r"}`, `{"window":"7f","reason":"r"}`,
		`{"incident":"INC-1","field":"task 3","reason":"r"}`, `{"outage":"OUT-7","reason":"r"}`, `{"ci":"mail","attribute":"contact","reason":"r"}`,
	} {
		require.Equal(t, 204, f.call("admin", "POST", path, body).StatusCode, body)
	}
	require.Equal(t, []string{
		"redact INC-1 0.172.3 personal data admin", "redact hand-over main 0.9.0 r admin", "redact silence main 1d3c r admin", "redact window main 7f r admin",
		"redact INC-1 task 3: r admin", "redact outage main 7 r admin", "redact attribute main mail contact r admin",
	}, f.engine.actions)

	for _, c := range []struct {
		who, body string
		status    int
	}{
		{"responder", `{"silence":"1d3c","reason":"r"}`, 403},
		{"stranger", `{"incident":"INC-1","entry":"0.172.3","reason":"r"}`, 404},
		{"admin", `{"incident":"INC-1","entry":"0.404.0","reason":"r"}`, 404},
		{"admin", `{"incident":"INC-1","entry":"172","reason":"r"}`, 422},
		{"admin", `{"incident":"INC-1","reason":"r"}`, 422},
		{"admin", `{"silence":"a","window":"b","reason":"r"}`, 422},
		{"admin", `{"incident":"INC-1","silence":"a","reason":"r"}`, 422},
		{"stranger", `{"incident":"INC-1","field":"title","reason":"r"}`, 404},
		{"admin", `{"outage":"x","reason":"r"}`, 404},
		{"admin", `{"field":"title","reason":"r"}`, 422},
		{"admin", `{"incident":"INC-1","field":"title","entry":"0.172.3","reason":"r"}`, 422},
		{"admin", `{"ci":"mail","reason":"r"}`, 422},
		{"admin", `{"silence":"a","attribute":"contact","reason":"r"}`, 422},
		{"admin", `{"silence":"a","reason":"  "}`, 422},
		{"admin", `{"silence":"a"}`, 422},
	} {
		res := f.call(c.who, "POST", path, c.body)
		require.Equal(t, c.status, res.StatusCode, "%s: %s", c.body, res.text)
	}
	require.Len(t, f.engine.actions, 7)
	f.engine.fails = engine.ErrFull
	require.Equal(t, "disk_full", f.call("admin", "POST", path, `{"window":"7f","reason":"r"}`).problem(t).Code)
}
