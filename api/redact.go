package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// Redactor takes a text that a person wrote out of everything that is kept: *engine.Engine. Asking twice is no error; a
// *event.Refusal says why there is nothing to take, or not yet.
type Redactor interface {
	RedactEntry(ctx context.Context, incident event.IncidentID, at engine.Cursor, reason, by string) error
	RedactHandover(ctx context.Context, tenant string, at engine.Cursor, reason, by string) error
	RedactSilence(ctx context.Context, tenant, id, reason, by string) error
	RedactWindow(ctx context.Context, tenant, id, reason, by string) error
}

// Redaction names a text to take away: an entry of an incident's timeline, an entry that is a hand-over note, a silence's comment or
// a window's reason.
type Redaction struct {
	Incident string `json:"incident,omitempty" maxLength:"20" doc:"whose timeline holds the entry" example:"INC-42"`
	Entry    string `json:"entry,omitempty" maxLength:"64" doc:"id of the change; without an incident that of a hand-over note" example:"0.172.3"`
	Silence  string `json:"silence,omitempty" maxLength:"64" doc:"id of a silence"`
	Window   string `json:"window,omitempty" maxLength:"64" doc:"id of a maintenance window"`
	Reason   string `json:"reason" minLength:"1" maxLength:"1000" doc:"why; kept for good, and shown by tocsin verify"`
}

// Redact takes a text away in the name of ctx's principal. Once begun it is carried through, whether or not the client waits.
func (d *Desk) Redact(ctx context.Context, r *Redaction) error {
	ctx = context.WithoutCancel(ctx)
	err := d.redact(ctx, r, strings.TrimSpace(r.Reason))
	if refused, ok := errors.AsType[*event.Refusal](err); ok {
		return refusal(refused)
	}
	if err != nil {
		return failure(err)
	}
	return nil
}

func (d *Desk) redact(ctx context.Context, r *Redaction, reason string) error {
	p := auth.FromContext(ctx)
	named := 0
	for _, id := range []string{r.Entry, r.Silence, r.Window} {
		if id != "" {
			named++
		}
	}
	switch {
	case reason == "":
		return invalid("a redaction needs a reason", "it stands in the journal in place of the text")
	case named != 1 || r.Incident != "" && r.Entry == "":
		return invalid("name one text: an entry, a silence or a window", "an entry's id is that of its change, as the timeline shows it")
	case r.Silence != "":
		return d.engine.RedactSilence(ctx, p.Tenant, r.Silence, reason, p.ID)
	case r.Window != "":
		return d.engine.RedactWindow(ctx, p.Tenant, r.Window, reason, p.ID)
	}
	at, err := engine.ParseCursor(r.Entry)
	if err != nil {
		return invalid("entry "+r.Entry+" is no id of a change", "it is written as shard.seq.n, as in 0.172.3")
	}
	if r.Incident == "" {
		return d.engine.RedactHandover(ctx, p.Tenant, at, reason, p.ID)
	}
	_, i, err := d.find(ctx, r.Incident)
	if err != nil {
		return err
	}
	return d.engine.RedactEntry(ctx, i.ID, at, reason, p.ID)
}

func (s *server) redactRoute(sp *spec) {
	op := sp.operation(route{
		method: "POST", path: "/admin/redact", role: auth.Admin, tag: "admin", status: http.StatusNoContent,
		summary: "Take a text away: a note, a reason, a comment",
	})
	huma.Register(sp.api, op, func(ctx context.Context, in *struct{ Body Redaction }) (*struct{}, error) {
		return nil, s.desk.Redact(ctx, &in.Body)
	})
}
