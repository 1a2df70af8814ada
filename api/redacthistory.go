package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/history"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// HistoryRedactor takes out of the history what has left everything else. Asking twice is no error.
type HistoryRedactor interface {
	Redactable(ctx context.Context) error // history.ErrDown: what would be redacted now would stay in it
	// Redact returns once all that happened before is in the history, and the text is out of it. found: there was one.
	Redact(ctx context.Context, r *clickhouse.Redaction) (found bool, err error)
	ForgetLogin(ctx context.Context, login string) error // who was told: that somebody was stays
}

// redactHistory goes first to see that the history is there, and comes after all else: a text that it alone still holds goes as well. When it
// is cut short, asking again goes on.
func (d *Desk) redactHistory(ctx context.Context, r *Redaction, tenant string, redact func() error) error {
	if d.history == nil {
		return redact()
	}
	what, err := r.inHistory(tenant)
	if err != nil {
		return err
	}
	if err := d.history.Redactable(ctx); err != nil {
		return away(err, "the history cannot be reached: the text would stay in it", "`tocsin history status` says why; ask again when it is there")
	}
	gone := redact()
	if gone != nil && !isNotFound(gone) {
		return gone
	}
	found, err := d.history.Redact(ctx, what)
	switch {
	case err != nil:
		return away(err, "the text has left everything but the history", "ask again when `tocsin history status` shows that it is even with what happens")
	case found:
		return nil
	}
	return gone
}

// isNotFound tells whether nobody but the history can know of a text.
func isNotFound(err error) bool {
	if refused, ok := errors.AsType[*event.Refusal](err); ok {
		return refused.Code == event.NotFound
	}
	problem, ok := errors.AsType[*auth.Problem](err)
	return ok && problem.Status == http.StatusNotFound
}

// inHistory says where the history has the text.
func (r *Redaction) inHistory(tenant string) (*clickhouse.Redaction, error) {
	out := &clickhouse.Redaction{Tenant: tenant, Silence: r.Silence, Window: r.Window, CI: r.CI, Attribute: r.Attribute, Field: r.Field}
	var err error
	if r.Outage != "" {
		out.Outage, err = parseOutage(r.Outage)
	}
	if r.Incident != "" {
		out.Incident, err = parseIncident(r.Incident)
	}
	if err != nil || r.Entry == "" {
		return out, err
	}
	at, err := r.entry()
	out.Shard = at.Shard
	if r.Incident != "" {
		out.Entry = clickhouse.Place{Seq: at.Seq, N: at.N}
	} else {
		out.Handover = clickhouse.Place{Seq: at.Seq, N: at.N}
	}
	return out, err
}

// away says what it means that the history is not there.
func away(err error, detail, hint string) error {
	if !errors.Is(err, history.ErrDown) {
		return failure(err)
	}
	return &auth.Problem{Status: http.StatusServiceUnavailable, Code: "unavailable", Detail: detail, Hint: hint, RetryAfter: 5 * time.Second}
}

// forget takes a person out of the history too, before and after: what was on its way in the meantime goes with the second time.
func (s *server) forget(ctx context.Context, login string) (id string, err error) {
	if s.Redactions == nil {
		id, err = s.People.Forget(login)
		return id, peopleProblem(err)
	}
	ctx = context.WithoutCancel(ctx)
	if err := s.Redactions.Redactable(ctx); err != nil {
		return "", away(err, "the history cannot be reached: the login would stay in it", "`tocsin history status` says why; ask again when it is there")
	}
	if err := s.Redactions.ForgetLogin(ctx, login); err != nil {
		return "", away(err, "the history could not forget the login", "ask again when `tocsin history status` shows that it is even with what happens")
	}
	if id, err = s.People.Forget(login); err != nil {
		return id, peopleProblem(err)
	}
	if err := s.Redactions.ForgetLogin(ctx, login); err != nil {
		return id, away(err, "the person is forgotten, but messages to them that came in meanwhile may be in the history with the login", "ask again when `tocsin history status` shows that it is even with what happens: the answer is then that nobody has that login")
	}
	return id, nil
}
