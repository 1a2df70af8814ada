package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tocsin-noc/tocsin/internal/auth"
)

// planner is who may plan maintenance, and who is on call.
const planner = auth.Manager

func (s *server) pauseRoutes(sp *spec) {
	action := func(name, summary string) route {
		return route{method: "POST", path: "/incidents/{id}/" + name, role: auth.Responder, tag: "incidents", summary: summary}
	}
	add(sp, action("snooze", "Acknowledge it until a time; then, or when it gets worse, it rings again"), func(ctx context.Context, in *struct {
		IncidentPath
		Body Pause
	}) (*Incident, error) {
		return s.desk.Snooze(ctx, in.ID, in.Body)
	})
	add(sp, action("hold", "Put it on hold until a time: it waits for something"), func(ctx context.Context, in *struct {
		IncidentPath
		Body struct {
			Pause
			ReasonKind string `json:"reason_kind,omitempty" enum:"caller,vendor,change,problem,other" doc:"what kind of thing it waits for; other, if not given"`
			Reason     string `json:"reason,omitempty" maxLength:"4096" doc:"what it waits for; needed when the kind is other"`
		}
	}) (*Incident, error) {
		return s.desk.Hold(ctx, in.ID, in.Body.Pause, in.Body.ReasonKind, strings.TrimSpace(in.Body.Reason))
	})
	add(sp, action("unhold", "End its hold"), func(ctx context.Context, in *IncidentPath) (*Incident, error) {
		return s.desk.Unhold(ctx, in.ID)
	})
}

func (s *server) windowRoutes(sp *spec) {
	add(sp, route{method: "GET", path: "/windows", role: auth.Viewer, tag: "windows", summary: "List maintenance windows"}, s.desk.Windows)
	add(sp, route{method: "GET", path: "/calendar", role: auth.Viewer, tag: "windows", summary: "List when something is quiet: windows' occurrences and silences"}, s.desk.Calendar)
	type path struct {
		ID string `path:"id" maxLength:"64"`
	}
	add(sp, route{method: "GET", path: "/windows/{id}", role: auth.Viewer, tag: "windows", summary: "Show a maintenance window"},
		func(ctx context.Context, in *path) (*Window, error) { return s.desk.Window(ctx, in.ID) })
	add(sp, route{method: "POST", path: "/windows", role: planner, tag: "windows", summary: "Make or change a maintenance window", status: http.StatusCreated},
		func(ctx context.Context, in *struct{ Body WindowDraft }) (*made, error) {
			id, err := s.desk.SetWindow(ctx, &in.Body)
			return &made{id}, err
		})
	huma.Register(sp.api, sp.operation(route{method: "DELETE", path: "/windows/{id}", role: planner, tag: "windows", summary: "End a maintenance window for good", status: http.StatusNoContent}),
		func(ctx context.Context, in *path) (*struct{}, error) { return nil, s.desk.EndWindow(ctx, in.ID) })
}

func (s *server) watchRoutes(sp *spec) {
	add(sp, route{method: "GET", path: "/heartbeats", role: auth.Viewer, tag: "watch", summary: "List heartbeats: lost ones first, then by when they are due"},
		func(ctx context.Context, _ *struct{}) (*HeartbeatList, error) { return s.desk.Heartbeats(ctx) })
	if s.Searcher != nil {
		add(sp, route{method: "GET", path: "/search", role: auth.Viewer, tag: "watch", summary: "Find incidents by the words in them"}, s.search)
	}
	add(sp, route{method: "GET", path: "/storms", role: auth.Viewer, tag: "watch", summary: "List storms, the latest first"},
		func(ctx context.Context, _ *struct{}) (*StormList, error) { return s.desk.Storms(ctx) })
}

func (s *server) handoverRoutes(sp *spec) {
	add(sp, route{method: "GET", path: "/handover", role: auth.Viewer, tag: "handover", summary: "Put a shift's hand-over together"}, s.handover)
	add(sp, route{method: "POST", path: "/handover/notes", role: auth.Responder, tag: "handover", summary: "Leave a note for the next shift"}, func(ctx context.Context, in *struct {
		Body struct {
			Team string `json:"team,omitempty" maxLength:"200" doc:"empty: the tenant's book"`
			Text string `json:"text" minLength:"1" maxLength:"16384"`
		}
	}) (*HandoverBook, error) {
		return s.desk.NoteHandover(ctx, in.Body.Team, strings.TrimSpace(in.Body.Text))
	})
	add(sp, route{method: "POST", path: "/handover/sign", role: auth.Responder, tag: "handover", summary: "Take a shift over"}, func(ctx context.Context, in *struct {
		Body struct {
			Team string `json:"team,omitempty" maxLength:"200" doc:"empty: the tenant's book"`
		}
	}) (*HandoverBook, error) {
		return s.desk.SignHandover(ctx, in.Body.Team)
	})
}
