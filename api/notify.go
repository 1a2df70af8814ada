package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// Outbox is what tells people, as the API shows it.
type Outbox interface {
	Receivers() []ReceiverStatus
	Stalled() string
	History(limit int) ([]SentMessage, error)
	Teams() ([]OnCall, error)
	Overrides() ([]Override, error)
	SetOverride(o Override) (id string, err error)
	DropOverride(id string) error
	Preview(ctx context.Context, id event.IncidentID, receiver, about string) (*Preview, error)
	Test(ctx context.Context, receiver string, to []string) (*Preview, error)
}

// OutboxError is an Outbox's refusal.
type OutboxError struct {
	NotFound bool
	Invalid  bool   // what was asked for cannot be; else the receiver did not take it
	Hint     string // may be empty
	Err      error
}

func (e *OutboxError) Error() string { return strings.TrimPrefix(e.Err.Error(), "notify: ") }

func (e *OutboxError) Unwrap() error { return e.Err }

// ReceiverStatus is how a receiver does.
type ReceiverStatus struct {
	Name        string     `json:"name"`
	Kind        string     `json:"kind" doc:"slack, email, webhook, …; empty: it is no longer configured and messages wait for it"`
	Pending     int        `json:"pending" doc:"messages that wait"`
	Oldest      *time.Time `json:"oldest" doc:"since when the first of these waits"`
	LastSuccess *time.Time `json:"last_success" doc:"since the daemon started"`
	LastFailure *time.Time `json:"last_failure"`
	LastError   string     `json:"last_error"`
	Failures    int        `json:"failures" doc:"in a row"`
	RetryAt     *time.Time `json:"retry_at"`
	Aside       int        `json:"aside" doc:"of those that wait: set aside, because the receiver fails at them while it takes others"`
}

// Receivers is the answer about the outbox.
type Receivers struct {
	Stalled   string           `json:"stalled" doc:"why the outbox cannot be written; empty: it can"`
	Receivers []ReceiverStatus `json:"receivers"`
}

// SentMessage is one outcome.
type SentMessage struct {
	At            time.Time `json:"at"`
	Receiver      string    `json:"receiver"`
	Who           []string  `json:"who,omitempty" doc:"contacts it was for"`
	Key           string    `json:"key" doc:"idempotency key: the same on every attempt"`
	Event         string    `json:"event"`
	Subject       string    `json:"subject" example:"main/INC-42"`
	Title         string    `json:"title"`
	Attempts      int       `json:"attempts"`
	Outcome       string    `json:"outcome" enum:"sent,failed,expired,dropped"`
	Error         string    `json:"error,omitempty"`
	TemplateError string    `json:"template_error,omitempty" doc:"why the plain wording was used"`
}

// SentList holds the latest outcomes, the newest first.
type SentList struct {
	Messages []SentMessage `json:"messages"`
}

// Shift is a stretch of time with one person on call.
type Shift struct {
	Who   string    `json:"who,omitempty"`
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
}

// OnCall is a team's on-call for the next two weeks.
type OnCall struct {
	Team   string     `json:"team"`
	Zone   string     `json:"zone"`
	OnCall string     `json:"on_call" doc:"contact; empty: nobody is, and the whole team is told"`
	Until  *time.Time `json:"until"`
	Shifts []Shift    `json:"shifts"`
	Gaps   []Shift    `json:"gaps" doc:"when nobody is on call"`
}

// Override is somebody on call out of turn.
type Override struct {
	ID    string    `json:"id"`
	Team  string    `json:"team"`
	Who   string    `json:"who" doc:"contact"`
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
	By    string    `json:"by" doc:"who asked for it"`
}

// OnCallList is who is on call, and who is out of turn.
type OnCallList struct {
	Teams     []OnCall   `json:"teams"`
	Overrides []Override `json:"overrides"`
}

// Preview is a message as a receiver would get it.
type Preview struct {
	Receiver      string `json:"receiver"`
	Event         string `json:"event"`
	Subject       string `json:"subject"`
	Title         string `json:"title"`
	Text          string `json:"text"`
	HTML          string `json:"html"`
	Link          string `json:"link"`
	TemplateError string `json:"template_error" doc:"why the plain wording is used; empty: the template is well"`
}

func (s *server) notifyRoutes(sp *spec) {
	if s.Outbox == nil {
		return
	}
	add(sp, route{method: "GET", path: "/notify/receivers", role: auth.Admin, tag: "notify", summary: "Show how receivers do"},
		ofHouse(func(context.Context, *struct{}) (*Receivers, error) {
			return &Receivers{s.Outbox.Stalled(), append([]ReceiverStatus{}, s.Outbox.Receivers()...)}, nil
		}))
	add(sp, route{method: "GET", path: "/notify/messages", role: auth.Viewer, tag: "notify", summary: "List what was told to whom, the newest first"},
		func(ctx context.Context, in *struct {
			Limit int `query:"limit" minimum:"1" maximum:"2000" default:"100"`
		}) (*SentList, error) {
			return s.sentMessages(ctx, in.Limit)
		})
	add(sp, route{method: "POST", path: "/notify/preview", role: auth.Viewer, tag: "notify", summary: "Render what a receiver would be told of an incident; nothing is sent"},
		func(ctx context.Context, in *struct {
			Body struct {
				Incident string `json:"incident" example:"INC-42"`
				Receiver string `json:"receiver" maxLength:"200"`
				Event    string `json:"event,omitempty" enum:"opened,raised,worse,woke,escalated,signal_lost,reopened,resolved,hold_due,cancelled,merged,absorbed,split,unmerged,proposed,answered,major_began,major_ended,update,update_due,chase,task" default:"opened"`
			}
		}) (*Preview, error) {
			_, i, err := s.desk.find(ctx, in.Body.Incident)
			if err != nil {
				return nil, err
			}
			p, err := s.Outbox.Preview(ctx, i.ID, in.Body.Receiver, cmp.Or(in.Body.Event, "opened"))
			return p, outboxProblem(err)
		})
	add(sp, route{method: "POST", path: "/notify/test", role: auth.Admin, tag: "notify", summary: "Send a test message now and wait for the outcome"},
		ofHouse(func(ctx context.Context, in *struct {
			Body struct {
				Receiver string   `json:"receiver" maxLength:"200"`
				To       []string `json:"to,omitempty" maxItems:"20" doc:"addresses, for a receiver that reaches people"`
			}
		}) (*Preview, error) {
			p, err := s.Outbox.Test(ctx, in.Body.Receiver, in.Body.To)
			return p, outboxProblem(err)
		}))
	s.onCallRoutes(sp)
}

// sentMessages returns what was told of ctx's tenant.
func (s *server) sentMessages(ctx context.Context, limit int) (*SentList, error) {
	list, err := s.Outbox.History(limit)
	if err != nil {
		return nil, err
	}
	scope, out := auth.FromContext(ctx).Tenant, &SentList{Messages: []SentMessage{}}
	for _, m := range list {
		if tenant, _, _ := strings.Cut(m.Subject, "/"); event.InTenant(scope, tenant) {
			out.Messages = append(out.Messages, m)
		}
	}
	return out, nil
}

func (s *server) onCallRoutes(sp *spec) {
	add(sp, route{method: "GET", path: "/oncall", role: auth.Viewer, tag: "notify", summary: "Show who is on call, and when nobody is"},
		ofHouse(func(context.Context, *struct{}) (*OnCallList, error) {
			teams, err := s.Outbox.Teams()
			if err != nil {
				return nil, err
			}
			overrides, err := s.overrides()
			return &OnCallList{append([]OnCall{}, teams...), overrides}, err
		}))
	add(sp, route{method: "POST", path: "/oncall/overrides", role: planner, tag: "notify", summary: "Put somebody on call out of turn", status: http.StatusCreated},
		ofHouse(func(ctx context.Context, in *struct {
			Body struct {
				Team     string    `json:"team" maxLength:"200"`
				Who      string    `json:"who" maxLength:"200" doc:"contact"`
				From     time.Time `json:"from,omitzero" doc:"now, if not given"`
				Until    time.Time `json:"until,omitzero" doc:"this or duration"`
				Duration string    `json:"duration,omitempty" example:"8h"`
			}
		}) (*made, error) {
			b := in.Body
			if b.From.IsZero() {
				b.From = s.desk.now().Time()
			}
			p := Pause{Until: b.Until, Duration: b.Duration}
			until, err := p.end(event.FromTime(b.From))
			if err != nil {
				return nil, err
			}
			if err := mayActFor(ctx, b.Team, "the rota"); err != nil {
				return nil, err
			}
			id, err := s.Outbox.SetOverride(Override{Team: b.Team, Who: b.Who, From: b.From, Until: until.Time(), By: auth.FromContext(ctx).ID})
			return &made{id}, outboxProblem(err)
		}))
	huma.Register(sp.api, sp.operation(route{method: "DELETE", path: "/oncall/overrides/{id}", role: planner, tag: "notify", summary: "End an override", status: http.StatusNoContent}),
		ofHouse(func(ctx context.Context, in *struct {
			ID string `path:"id" maxLength:"64"`
		}) (*struct{}, error) {
			if err := s.dropOverride(ctx, in.ID); err != nil {
				return nil, failure(err)
			}
			return nil, nil
		}))
}

// overrides are the outbox's, with names in place of ids.
func (s *server) overrides() ([]Override, error) {
	list, err := s.Outbox.Overrides()
	out := append([]Override{}, list...)
	for i := range out {
		out[i].By = s.desk.name(out[i].By)
	}
	return out, err
}

func (s *server) dropOverride(ctx context.Context, id string) error {
	list, err := s.Outbox.Overrides()
	if err != nil {
		return err
	}
	for i := range list {
		if list[i].ID == id {
			if err := mayActFor(ctx, list[i].Team, "the rota"); err != nil {
				return err
			}
		}
	}
	return outboxProblem(s.Outbox.DropOverride(id))
}

// outboxProblem puts an outbox's refusal into a problem.
func outboxProblem(err error) error {
	refused, ok := errors.AsType[*OutboxError](err)
	if !ok {
		return err
	}
	switch {
	case refused.NotFound:
		return &auth.Problem{Status: http.StatusNotFound, Code: "not_found", Detail: refused.Error(), Hint: refused.Hint}
	case refused.Invalid:
		return invalid(refused.Error(), refused.Hint)
	}
	return &auth.Problem{Status: http.StatusBadGateway, Code: "not_delivered", Detail: refused.Error()}
}
