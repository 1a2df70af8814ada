package api

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// drawer is an outbox that a test fills.
type drawer struct {
	messages  []SentMessage
	overrides []Override
	asked     []string
}

func (d *drawer) Receivers() []ReceiverStatus {
	return []ReceiverStatus{{Name: "hook", Kind: "webhook", Pending: 3, LastError: "refused", Failures: 7}}
}

func (d *drawer) Stalled() string { return "" }

func (d *drawer) History(int) ([]SentMessage, error) { return d.messages, nil }

func (d *drawer) Teams() ([]OnCall, error) {
	return []OnCall{{Team: "ops", Zone: "UTC", OnCall: "ann", Shifts: []Shift{{Who: "ann"}}, Gaps: []Shift{}}}, nil
}

func (d *drawer) Overrides() ([]Override, error) { return d.overrides, nil }

func (d *drawer) SetOverride(o Override) (string, error) {
	if o.Team != "ops" {
		return "", &OutboxError{NotFound: true, Err: errors.New("notify: there is no such team")}
	}
	d.overrides = append(d.overrides, o)
	return "override-1", nil
}

func (d *drawer) DropOverride(id string) error {
	if id != "override-1" {
		return &OutboxError{NotFound: true, Err: errors.New("notify: there is no such override")}
	}
	d.overrides = nil
	return nil
}

func (d *drawer) Preview(_ context.Context, id event.IncidentID, receiver, about string) (*Preview, error) {
	d.asked = append(d.asked, id.String()+" "+receiver+" "+about)
	return &Preview{Title: "P2"}, nil
}

func (d *drawer) Test(_ context.Context, receiver string, to []string) (*Preview, error) {
	if receiver == "dead" {
		return nil, &OutboxError{Err: errors.New("notify: connection refused")}
	}
	d.asked = append(d.asked, receiver)
	return &Preview{Receiver: receiver}, nil
}

func withOutbox(d *drawer) func(*Options) { return func(o *Options) { o.Outbox = d } }

func TestWhatWasToldIsShownToItsTenantOnly(t *testing.T) {
	d := &drawer{messages: []SentMessage{{Subject: "main/INC-1", Title: "ours"}, {Subject: "other/INC-2", Title: "theirs"}}}
	f := newFixture(t, withOutbox(d))
	list := get[SentList](f, "viewer", "/api/v1/notify/messages")
	require.Len(t, list.Messages, 1)
	require.Equal(t, "ours", list.Messages[0].Title)
	require.NotContains(t, f.call("stranger", "GET", "/api/v1/notify/messages", "").text, "ours")
}

func TestReceiversAndTestsAreForAdmins(t *testing.T) {
	d := &drawer{}
	f := newFixture(t, withOutbox(d))
	require.Equal(t, 403, f.call("responder", "GET", "/api/v1/notify/receivers", "").StatusCode)
	require.Equal(t, 3, get[Receivers](f, "admin", "/api/v1/notify/receivers").Receivers[0].Pending)
	require.Equal(t, 403, f.call("responder", "POST", "/api/v1/notify/test", `{"receiver":"hook"}`).StatusCode)
	require.Equal(t, 200, f.call("admin", "POST", "/api/v1/notify/test", `{"receiver":"hook"}`).StatusCode)
	p := f.call("admin", "POST", "/api/v1/notify/test", `{"receiver":"dead"}`).problem(t)
	require.Equal(t, http.StatusBadGateway, p.Status)
	require.Equal(t, "connection refused", p.Detail)
}

func TestAPreviewIsOfAnIncidentThatOneMaySee(t *testing.T) {
	d := &drawer{}
	f := newFixture(t, withOutbox(d)).storm()
	require.Equal(t, 200, f.call("viewer", "POST", "/api/v1/notify/preview", `{"incident":"INC-1","receiver":"hook"}`).StatusCode)
	require.Equal(t, []string{"INC-1 hook opened"}, d.asked)
	require.Equal(t, 404, f.call("viewer", "POST", "/api/v1/notify/preview", `{"incident":"INC-2","receiver":"hook"}`).StatusCode)
}

func TestOverridesOfOnCall(t *testing.T) {
	d := &drawer{}
	f := newFixture(t, withOutbox(d))
	require.Equal(t, "ann", get[OnCallList](f, "viewer", "/api/v1/oncall").Teams[0].OnCall)
	require.Equal(t, 403, f.call("viewer", "POST", "/api/v1/oncall/overrides", `{"team":"ops","who":"bob","duration":"8h"}`).StatusCode)
	require.Equal(t, 404, f.call("admin", "POST", "/api/v1/oncall/overrides", `{"team":"no","who":"bob","duration":"8h"}`).StatusCode)
	require.Equal(t, 422, f.call("admin", "POST", "/api/v1/oncall/overrides", `{"team":"ops","who":"bob"}`).StatusCode)
	require.Equal(t, 201, f.call("admin", "POST", "/api/v1/oncall/overrides", `{"team":"ops","who":"bob","duration":"8h"}`).StatusCode)
	require.Equal(t, "admin", d.overrides[0].By)
	require.Equal(t, 8*time.Hour, d.overrides[0].Until.Sub(d.overrides[0].From))
	require.Equal(t, 404, f.call("admin", "DELETE", "/api/v1/oncall/overrides/x", "").StatusCode)
	require.Equal(t, 204, f.call("admin", "DELETE", "/api/v1/oncall/overrides/override-1", "").StatusCode)
}

func TestAnOutboxSaysWhatIsWrongWithWhatItIsAskedFor(t *testing.T) {
	p := outboxProblem(&OutboxError{Invalid: true, Hint: "contacts: ann", Err: errors.New("notify: there is no contact")}).(*auth.Problem)
	require.Equal(t, http.StatusUnprocessableEntity, p.Status)
	require.Equal(t, "there is no contact", p.Detail)
	require.Equal(t, "contacts: ann", p.Hint)
	p = outboxProblem(&OutboxError{NotFound: true, Hint: "`tocsin oncall` lists them", Err: errors.New("notify: there is no such override")}).(*auth.Problem)
	require.Equal(t, "`tocsin oncall` lists them", p.Hint)
}
