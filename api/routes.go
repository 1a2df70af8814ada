package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

const (
	root        = "/api/v1"
	streamPath  = root + "/stream"
	streamRoute = "GET " + streamPath
)

// route is what an operation has besides its input and output.
type route struct {
	method, path string
	role         auth.Role
	tag          string
	summary      string
	status       int // 0: 200
}

// body is an answer with a JSON body.
type body[T any] struct{ Body *T }

// add registers one operation: OpenAPI, the role check, and the handler.
func add[I, O any](s *spec, r route, handle func(context.Context, *I) (*O, error)) {
	huma.Register(s.api, s.operation(r), func(ctx context.Context, in *I) (*body[O], error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, failure(err)
		}
		return &body[O]{out}, nil
	})
}

// made is the answer to what makes something.
type made struct {
	ID string `json:"id"`
}

// IncidentPath names an incident; huma fills in embedded structs only where their type is exported.
type IncidentPath struct {
	ID string `path:"id" maxLength:"20" doc:"42 or INC-42" example:"INC-42"`
}

func (s *server) routes(mux *http.ServeMux) {
	sp := newSpec(mux, s.Version, s.RoutePrefix)
	s.incidentRoutes(sp)
	s.actionRoutes(sp)
	s.causeRoutes(sp)
	s.pairRoutes(sp)
	s.pauseRoutes(sp)
	s.lifeRoutes(sp)
	s.dossierRoutes(sp)
	s.linkRoutes(sp)
	s.majorRoutes(sp)
	s.alertRoutes(sp)
	s.silenceRoutes(sp)
	s.windowRoutes(sp)
	s.watchRoutes(sp)
	s.handoverRoutes(sp)
	s.cmdbRoutes(sp)
	s.serviceRoutes(sp)
	s.outageRoutes(sp)
	s.notifyRoutes(sp)
	s.peopleRoutes(sp)
	s.systemRoutes(sp)
	s.historyRoutes(sp)
	s.importRoutes(sp)
	s.lookupRoutes(sp)
	s.reportRoutes(sp)
	sp.finish(mux)
}

func (s *server) incidentRoutes(sp *spec) {
	add(sp, route{method: "GET", path: "/incidents", role: auth.Viewer, tag: "incidents", summary: "List incidents"}, s.desk.Incidents)
	add(sp, route{method: "GET", path: "/incidents/{id}", role: auth.Viewer, tag: "incidents", summary: "Show an incident"},
		func(ctx context.Context, in *IncidentPath) (*Incident, error) { return s.desk.Incident(ctx, in.ID) })
	type paged struct {
		IncidentPath
		Paging
	}
	add(sp, route{method: "GET", path: "/incidents/{id}/alerts", role: auth.Viewer, tag: "incidents", summary: "List an incident's alerts, firing first"},
		func(ctx context.Context, in *struct {
			IncidentPath
			Paging
			New bool `query:"new" doc:"only those that began to fire after it was acknowledged"`
		}) (*AlertList, error) {
			if in.New {
				return s.desk.NewMembers(ctx, in.ID, in.Paging)
			}
			return s.desk.Members(ctx, in.ID, in.Paging)
		})
	add(sp, route{method: "GET", path: "/incidents/{id}/timeline", role: auth.Viewer, tag: "incidents", summary: "Show what happened, oldest first"},
		func(ctx context.Context, in *paged) (*Timeline, error) { return s.desk.Timeline(ctx, in.ID, in.Paging) })
	add(sp, route{method: "GET", path: "/incidents/{id}/why", role: auth.Viewer, tag: "incidents", summary: "Explain an incident"},
		func(ctx context.Context, in *IncidentPath) (*Why, error) { return s.desk.Why(ctx, in.ID, true) })
}

func (s *server) actionRoutes(sp *spec) {
	action := func(name, summary string) route {
		return route{method: "POST", path: "/incidents/{id}/" + name, role: auth.Responder, tag: "incidents", summary: summary}
	}
	add(sp, action("acknowledge", "Take notice of an incident; twice is no error, the first name stays"),
		func(ctx context.Context, in *IncidentPath) (*Incident, error) {
			return s.desk.Act(ctx, in.ID, event.Command{Kind: event.Acknowledge})
		})
	add(sp, action("resolve", "Resolve an incident; while alerts fire it takes a reason"), func(ctx context.Context, in *struct {
		IncidentPath
		Body *struct {
			Reason string `json:"reason,omitempty" maxLength:"4096"`
		}
	}) (*Incident, error) {
		c := event.Command{Kind: event.Resolve}
		if in.Body != nil {
			c.Text = strings.TrimSpace(in.Body.Reason)
		}
		return s.desk.Act(ctx, in.ID, c)
	})
	add(sp, action("assign", "Say who works on it, person and team at once; empty takes it back"), func(ctx context.Context, in *struct {
		IncidentPath
		Body struct {
			Assignee string `json:"assignee" maxLength:"200" doc:"login, name or id; must be said, empty for nobody, also where only the team changes"`
			Team     string `json:"team,omitempty" maxLength:"200" doc:"left out or empty: no team"`
		}
	}) (*Incident, error) {
		return s.desk.Act(ctx, in.ID, event.Command{Kind: event.Assign, Assignee: in.Body.Assignee, Team: in.Body.Team})
	})
	add(sp, action("notes", "Add a note"), func(ctx context.Context, in *struct {
		IncidentPath
		Body struct {
			Text string `json:"text" minLength:"1" maxLength:"16384"`
		}
	}) (*Incident, error) {
		return s.desk.Act(ctx, in.ID, event.Command{Kind: event.Note, Text: strings.TrimSpace(in.Body.Text)})
	})
	type silenced struct {
		SilenceIDs []string `json:"silence_ids"`
	}
	add(sp, action("silence", "Silence what is in an incident, by the labels its alerts share"), func(ctx context.Context, in *struct {
		IncidentPath
		Body struct {
			Duration  string `json:"duration" example:"2h"`
			Comment   string `json:"comment,omitempty" maxLength:"4096"`
			CreatedBy string `json:"created_by,omitempty" maxLength:"200" doc:"the principal, if not given"`
		}
	}) (*silenced, error) {
		draft := SilenceDraft{Duration: in.Body.Duration, Comment: in.Body.Comment, CreatedBy: in.Body.CreatedBy}
		ids, err := s.desk.SilenceIncident(ctx, in.ID, draft)
		return &silenced{ids}, err
	})
}

func (s *server) alertRoutes(sp *spec) {
	add(sp, route{method: "GET", path: "/alerts", role: auth.Viewer, tag: "alerts", summary: "List alerts: firing first, the worst first"}, s.desk.Alerts)
	add(sp, route{method: "GET", path: "/alerts/{id}", role: auth.Viewer, tag: "alerts", summary: "Show an alert with what each source says"},
		func(ctx context.Context, in *struct {
			ID string `path:"id" maxLength:"32" doc:"id, or the client's fingerprint"`
		}) (*Alert, error) {
			return s.desk.Alert(ctx, in.ID)
		})
	add(sp, route{method: "GET", path: "/alerts/{id}/why", role: auth.Viewer, tag: "alerts", summary: "Explain an alert: why it is where it is, why not elsewhere, why it is quiet"}, s.desk.AlertReasons)
}

func (s *server) silenceRoutes(sp *spec) {
	add(sp, route{method: "GET", path: "/silences", role: auth.Viewer, tag: "silences", summary: "List silences"}, s.desk.Silences)
	type path struct {
		ID string `path:"id" maxLength:"64"`
	}
	add(sp, route{method: "GET", path: "/silences/{id}", role: auth.Viewer, tag: "silences", summary: "Show a silence"},
		func(ctx context.Context, in *path) (*Silence, error) { return s.desk.Silence(ctx, in.ID) })
	add(sp, route{method: "POST", path: "/silences", role: auth.Responder, tag: "silences", summary: "Make or change a silence", status: http.StatusCreated},
		func(ctx context.Context, in *struct{ Body SilenceDraft }) (*made, error) {
			id, err := s.desk.SetSilence(ctx, &in.Body)
			return &made{id}, err
		})
	huma.Register(sp.api, sp.operation(route{method: "DELETE", path: "/silences/{id}", role: auth.Responder, tag: "silences", summary: "End a silence now", status: http.StatusNoContent}),
		func(ctx context.Context, in *path) (*struct{}, error) { return nil, s.desk.ExpireSilence(ctx, in.ID) })
}

func (s *server) systemRoutes(sp *spec) {
	add(sp, route{method: "GET", path: "/sources", role: auth.Viewer, tag: "system", summary: "List senders and how they do"},
		func(ctx context.Context, _ *struct{}) (*SourceList, error) { return s.desk.Sources(ctx, s.SourceStats) })
	add(sp, route{method: "GET", path: "/status", role: auth.Viewer, tag: "system", summary: "Show the daemon's status"}, s.status)
	s.adminRoute(sp, "snapshot", "Write a snapshot now", s.Engine.Snapshot)
	s.adminRoute(sp, "accept-clock", "Follow the wall clock after it jumped", s.Engine.AcceptClock)
	s.redactRoute(sp)
	s.shadowRoutes(sp)
	stream := sp.operation(route{method: "GET", path: "/stream", role: auth.Viewer, tag: "system", summary: "Follow changes as server-sent events"})
	stream.Description = "One event per change: `id` is shard.seq.n, `event` the change's kind, `data` a Change. Repeats (alert_seen) are left out. " +
		"A comment comes every 15 s. `hello` is the first event; `truncated` says that the place asked for is gone: load everything anew."
	stream.Responses = map[string]*huma.Response{"200": sp.events(), "default": sp.problem()}
	huma.Register(sp.api, stream, func(_ context.Context, in *struct {
		LastEventID string `header:"Last-Event-ID" maxLength:"64" doc:"go on after this event; without it: from now on"`
		After       string `query:"after" maxLength:"64" doc:"the same, for clients that cannot set the header"`
	}) (*huma.StreamResponse, error) {
		after := in.LastEventID
		if after == "" {
			after = in.After
		}
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			r, w := humago.Unwrap(ctx)
			s.streams.serve(w, r, after)
		}}, nil
	})
}

func (s *server) adminRoute(sp *spec, name, summary string, do func(context.Context) error) {
	huma.Register(sp.api, sp.operation(route{method: "POST", path: "/admin/" + name, role: auth.Admin, tag: "admin", summary: summary, status: http.StatusNoContent}),
		ofHouse(func(ctx context.Context, _ *struct{}) (*struct{}, error) {
			if err := do(ctx); err != nil {
				return nil, failure(err)
			}
			return nil, nil
		}))
}
