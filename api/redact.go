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
	RedactField(ctx context.Context, incident event.IncidentID, field, reason, by string) error
	RedactOutage(ctx context.Context, tenant string, number uint32, reason, by string) error
	RedactAttribute(ctx context.Context, tenant, ci, attribute, reason, by string) error
	RedactEntry(ctx context.Context, incident event.IncidentID, at engine.Cursor, reason, by string) error
	RedactHandover(ctx context.Context, tenant string, at engine.Cursor, reason, by string) error
	RedactSilence(ctx context.Context, tenant, id, reason, by string) error
	RedactWindow(ctx context.Context, tenant, id, reason, by string) error
}

// Redaction names a text to take away: what was said in an entry of an incident's timeline, a field of an incident, a hand-over note, a
// silence's comment, a window's reason, an outage's cause or an attribute of a configuration item.
type Redaction struct {
	Incident  string `json:"incident,omitempty" maxLength:"20" doc:"whose entry or field it is" example:"INC-42"`
	Entry     string `json:"entry,omitempty" maxLength:"64" doc:"id of the change; without an incident that of a hand-over note" example:"0.172.3"`
	Field     string `json:"field,omitempty" maxLength:"32" doc:"of the incident: title, task 3, report 5 (the fifth that is shown), ticket, major (the bridge), review, rating or proposal 2; every version goes"`
	Silence   string `json:"silence,omitempty" maxLength:"64" doc:"id of a silence"`
	Window    string `json:"window,omitempty" maxLength:"64" doc:"id of a maintenance window"`
	Outage    string `json:"outage,omitempty" maxLength:"20" doc:"number of an outage, whose cause goes in every version" example:"OUT-7"`
	CI        string `json:"ci,omitempty" maxLength:"512" doc:"id of a configuration item"`
	Attribute string `json:"attribute,omitempty" maxLength:"128" doc:"of the configuration item; its values go in every version" example:"contact"`
	Reason    string `json:"reason" minLength:"1" maxLength:"1000" doc:"why; kept for good, and shown by tocsin verify"`
}

// Redact takes a text away in the name of ctx's principal. Once begun it is carried through, whether or not the client waits.
func (d *Desk) Redact(ctx context.Context, r *Redaction) error {
	ctx = context.WithoutCancel(ctx)
	reason, tenant := strings.TrimSpace(r.Reason), auth.FromContext(ctx).Tenant
	err := r.check(reason)
	if err == nil {
		err = d.redactHistory(ctx, r, tenant, func() error { return d.redact(ctx, r, reason) })
	}
	if refused, ok := errors.AsType[*event.Refusal](err); ok {
		return refusal(refused)
	}
	if err != nil {
		return failure(err)
	}
	return nil
}

// check tells whether it names one text.
func (r *Redaction) check(reason string) error {
	named := 0
	for _, id := range []string{r.Entry, r.Field, r.Silence, r.Window, r.Outage, r.CI} {
		if id != "" {
			named++
		}
	}
	switch {
	case reason == "":
		return invalid("a redaction needs a reason", "it stands in the journal in place of the text")
	case named != 1 || r.Incident != "" && r.Entry == "" && r.Field == "" || r.Field != "" && r.Incident == "" || (r.CI == "") != (r.Attribute == ""):
		return invalid(
			"name one text: an entry or a field of an incident, a silence, a window, an outage, or an attribute of a configuration item",
			"an entry's id is that of its change, as the timeline shows it",
		)
	}
	return nil
}

func (d *Desk) redact(ctx context.Context, r *Redaction, reason string) error {
	p := auth.FromContext(ctx)
	switch {
	case r.Silence != "":
		return d.engine.RedactSilence(ctx, p.Tenant, r.Silence, reason, p.ID)
	case r.Window != "":
		return d.engine.RedactWindow(ctx, p.Tenant, r.Window, reason, p.ID)
	case r.CI != "":
		return d.engine.RedactAttribute(ctx, p.Tenant, r.CI, r.Attribute, reason, p.ID)
	case r.Outage != "":
		number, err := parseOutage(r.Outage)
		if err != nil {
			return err
		}
		return d.engine.RedactOutage(ctx, p.Tenant, number, reason, p.ID)
	case r.Field != "":
		_, i, err := d.find(ctx, r.Incident)
		if err != nil {
			return err
		}
		return d.engine.RedactField(ctx, i.ID, strings.TrimSpace(r.Field), reason, p.ID)
	}
	return d.redactEntry(ctx, r, reason, p)
}

func (d *Desk) redactEntry(ctx context.Context, r *Redaction, reason string, p auth.Principal) error {
	at, err := r.entry()
	if err != nil {
		return err
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

// entry reads the id of the change that Entry names.
func (r *Redaction) entry() (engine.Cursor, error) {
	at, err := engine.ParseCursor(r.Entry)
	if err != nil {
		hint := "it is written as shard.seq.n, as in 0.172.3"
		if r.Incident != "" {
			hint += "; `tocsin incident show " + r.Incident + " --timeline` shows them"
		}
		return at, invalid("entry "+r.Entry+" is no id of a change", hint)
	}
	return at, nil
}

func (s *server) redactRoute(sp *spec) {
	op := sp.operation(route{
		method: "POST", path: "/admin/redact", role: auth.Admin, tag: "admin", status: http.StatusNoContent,
		summary: "Take a text away: a note, a reason, a title, a cause",
	})
	huma.Register(sp.api, op, func(ctx context.Context, in *struct{ Body Redaction }) (*struct{}, error) {
		if err := s.desk.Redact(ctx, &in.Body); err != nil {
			return nil, err
		}
		if s.Searcher == nil || in.Body.Incident == "" {
			return nil, nil
		}
		if _, i, err := s.desk.find(ctx, in.Body.Incident); err == nil { // else the history alone knew of it
			at, _ := engine.ParseCursor(in.Body.Entry) // of a field there is none
			s.Searcher.Forget(i.ID, at)
		}
		return nil, nil
	})
}
