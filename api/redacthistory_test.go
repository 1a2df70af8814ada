package api

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/history"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
)

// archive is a history that notes what is taken out of it, among what the engine does.
type archive struct {
	engine    *testEngine
	down      error // it cannot be reached
	lost      error // it was lost in between
	found     bool
	forgotten []string
}

func (a *archive) Redactable(context.Context) error { return a.down }

func (a *archive) Redact(_ context.Context, r *clickhouse.Redaction) (bool, error) {
	if a.lost != nil {
		return false, a.lost
	}
	what := fmt.Sprintf("history %s %v %q %v %d %s%s %s%s %v", r.Tenant, r.Incident, r.Field, r.Entry, r.Outage, r.CI, r.Attribute, r.Silence, r.Window, r.Handover)
	return a.found, a.engine.act(what)
}

func (a *archive) ForgetLogin(_ context.Context, login string) error {
	a.forgotten = append(a.forgotten, login)
	return a.lost
}

func TestAnAdminsRedactionReachesTheHistoryAfterAllElse(t *testing.T) {
	h := &archive{}
	f := newFixture(t, func(o *Options) { o.Redactions = h }).storm()
	h.engine = f.engine
	const path = "/api/v1/admin/redact"
	for _, body := range []string{
		`{"incident":"INC-1","entry":"0.172.3","reason":"r"}`, `{"entry":"0.9.0","reason":"r"}`, `{"silence":"1d3c","reason":"r"}`, `{"window":"7f","reason":"r"}`,
		`{"incident":"INC-1","field":"task 3","reason":"r"}`, `{"outage":"OUT-7","reason":"r"}`, `{"ci":"mail","attribute":"contact","reason":"r"}`,
	} {
		require.Equal(t, 204, f.call("admin", "POST", path, body).StatusCode, body)
	}
	require.Equal(t, []string{
		"redact INC-1 0.172.3 r admin", `history main INC-1 "" {172 3} 0   {0 0}`,
		"redact hand-over main 0.9.0 r admin", `history main INC-0 "" {0 0} 0   {9 0}`,
		"redact silence main 1d3c r admin", `history main INC-0 "" {0 0} 0  1d3c {0 0}`,
		"redact window main 7f r admin", `history main INC-0 "" {0 0} 0  7f {0 0}`,
		"redact INC-1 task 3: r admin", `history main INC-1 "task 3" {0 0} 0   {0 0}`,
		"redact outage main 7 r admin", `history main INC-0 "" {0 0} 7   {0 0}`,
		"redact attribute main mail contact r admin", `history main INC-0 "" {0 0} 0 mailcontact  {0 0}`,
	}, f.engine.actions)
}

func TestWithoutTheHistoryNothingIsRedacted(t *testing.T) {
	h := &archive{down: fmt.Errorf("%w: it is being opened", history.ErrDown)}
	f := newFixture(t, func(o *Options) { o.Redactions = h }).storm()
	h.engine = f.engine
	const path, body = "/api/v1/admin/redact", `{"silence":"1d3c","reason":"r"}`
	answer := f.call("admin", "POST", path, body)
	require.Equal(t, 503, answer.StatusCode)
	require.Equal(t, "unavailable", answer.problem(t).Code)
	require.Contains(t, answer.text, "the text would stay in it")
	require.Contains(t, answer.text, "tocsin history status")
	require.Empty(t, f.engine.actions)
	require.Equal(t, 422, f.call("admin", "POST", path, `{"silence":"1d3c"}`).StatusCode, "what makes no sense is told first")

	h.down, h.lost = nil, fmt.Errorf("%w: lost", history.ErrDown)
	answer = f.call("admin", "POST", path, body)
	require.Equal(t, 503, answer.StatusCode)
	require.Contains(t, answer.text, "the text has left everything but the history")
	require.Len(t, f.engine.actions, 1)
	h.lost = nil
	require.Equal(t, 204, f.call("admin", "POST", path, body).StatusCode, "asked again")
	require.Len(t, f.engine.actions, 3)
}

func TestATextThatTheHistoryAloneStillHoldsIsRedactedToo(t *testing.T) {
	h := &archive{found: true}
	f := newFixture(t, func(o *Options) { o.Redactions = h }).storm()
	h.engine = f.engine
	const path = "/api/v1/admin/redact"
	gone := []string{`{"incident":"INC-1","entry":"0.404.0","reason":"r"}`, `{"incident":"INC-900","field":"title","reason":"r"}`}
	for _, body := range gone {
		require.Equal(t, 204, f.call("admin", "POST", path, body).StatusCode, body)
	}
	h.found = false
	for _, body := range gone {
		require.Equal(t, 404, f.call("admin", "POST", path, body).StatusCode, body)
	}
	f.engine.fails = &event.Refusal{Code: event.Conflict, Message: "the window runs"}
	f.engine.actions = nil
	require.Equal(t, 409, f.call("admin", "POST", path, `{"window":"7f","reason":"r"}`).StatusCode)
	require.Len(t, f.engine.actions, 1, "the history waits for the rest")
}

func TestAForgottenPersonLeavesTheHistoryBeforeAndAfter(t *testing.T) {
	h := &archive{down: history.ErrDown}
	f, _ := house(t, func(o *Options) { o.Redactions = h })
	f.join("ann", `[{"role":"responder"}]`)
	require.Equal(t, 503, f.call("admin", "POST", "/api/v1/users/ann/forget", "").StatusCode)
	require.Empty(t, h.forgotten)
	h.down = nil
	require.Equal(t, 200, f.call("admin", "POST", "/api/v1/users/ann/forget", "").StatusCode)
	require.Equal(t, []string{"ann", "ann"}, h.forgotten)
	require.Equal(t, 404, f.call("admin", "POST", "/api/v1/users/ann/forget", "").StatusCode)
	require.Len(t, h.forgotten, 3, "asked again, what is left of them goes all the same")
}
