package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// lifeRoutes are what people do about an incident from its opening to its closing.
func (s *server) lifeRoutes(sp *spec) {
	add(sp, route{method: "POST", path: "/incidents", role: auth.Responder, tag: "incidents", summary: "Open an incident by hand", status: http.StatusCreated},
		func(ctx context.Context, in *struct{ Body IncidentDraft }) (*Incident, error) {
			return s.desk.OpenIncident(ctx, &in.Body)
		})
	add(sp, route{method: "PATCH", path: "/incidents/{id}", role: auth.Responder, tag: "incidents", summary: "Set fields of an incident, or hand them back to the machine"},
		func(ctx context.Context, in *struct {
			IncidentPath
			Body IncidentChanges
		}) (*Incident, error) {
			return s.desk.EditIncident(ctx, in.ID, &in.Body)
		})
	add(sp, onIncident("POST", "begin", "Say that somebody works on it; that acknowledges it and ends a hold"),
		func(ctx context.Context, in *IncidentPath) (*Incident, error) {
			return s.desk.on(ctx, in.ID, event.Command{Kind: event.Begin})
		})
	for _, step := range []struct {
		name, summary string
		kind          event.CommandKind
	}{
		{"cancel", "End it because it was none; takes a reason", event.Cancel},
		{"close", "Close a resolved incident for good; with open tasks it takes a reason", event.CloseIncident},
		{"reopen", "Take a resolved incident back, or one that was closed not long ago; takes a reason", event.ReopenIncident},
		{"unmerge", "Take an incident out again of the one it went into", event.Unmerge},
	} {
		add(sp, onIncident("POST", step.name, step.summary), func(ctx context.Context, in *struct {
			IncidentPath
			Body *struct {
				Reason string `json:"reason,omitempty" maxLength:"4096"`
			}
		}) (*Incident, error) {
			c := event.Command{Kind: step.kind}
			if in.Body != nil {
				c.Text = strings.TrimSpace(in.Body.Reason)
			}
			return s.desk.on(ctx, in.ID, c)
		})
	}
	add(sp, onIncident("POST", "rate", "Say how content people are with how it was solved"), func(ctx context.Context, in *struct {
		IncidentPath
		Body struct {
			Rating  uint32 `json:"rating" minimum:"1" maximum:"5"`
			Comment string `json:"comment,omitempty" maxLength:"1000"`
		}
	}) (*Incident, error) {
		return s.desk.on(ctx, in.ID, event.Command{Kind: event.Rate, Number: in.Body.Rating, Text: strings.TrimSpace(in.Body.Comment)})
	})
}

// onIncident is the route of an action on an incident.
func onIncident(method, name, summary string) route {
	return route{method: method, path: "/incidents/{id}/" + name, role: auth.Responder, tag: "incidents", summary: summary}
}

// dossierRoutes are about what people keep on an incident.
func (s *server) dossierRoutes(sp *spec) {
	for name, watch := range map[string]bool{"watch": true, "unwatch": false} {
		summary := map[bool]string{true: "Be told what becomes of it, or let somebody be told", false: "Be told no longer"}[watch]
		add(sp, onIncident("POST", name, summary), func(ctx context.Context, in *struct {
			IncidentPath
			Body *struct {
				Who string `json:"who,omitempty" maxLength:"200" doc:"login, name or id; who asks, if not given"`
			}
		}) (*Incident, error) {
			who := ""
			if in.Body != nil {
				who = strings.TrimSpace(in.Body.Who)
			}
			return s.desk.Watch(ctx, in.ID, who, watch)
		})
	}
	add(sp, onIncident("POST", "tasks", "Add a task"), func(ctx context.Context, in *struct {
		IncidentPath
		Body struct {
			Title    string `json:"title" minLength:"1" maxLength:"200"`
			Assignee string `json:"assignee,omitempty" maxLength:"200" doc:"login, name or id"`
			Team     string `json:"team,omitempty" maxLength:"200"`
			Due      string `json:"due,omitempty" maxLength:"40" doc:"a time, or a span from now such as 2h"`
		}
	}) (*Incident, error) {
		b := &in.Body
		return s.desk.SetTask(ctx, in.ID, 0, &TaskChanges{Title: &b.Title, Assignee: &b.Assignee, Team: &b.Team, Due: &b.Due})
	})
	add(sp, onIncident("PATCH", "tasks/{n}", "Change a task, or tick it off"), func(ctx context.Context, in *struct {
		IncidentPath
		NumberPath
		Body TaskChanges
	}) (*Incident, error) {
		return s.desk.SetTask(ctx, in.ID, in.N, &in.Body)
	})
	add(sp, onIncident("PUT", "ticket", "Set its ticket at a supplier"), func(ctx context.Context, in *struct {
		IncidentPath
		Body TicketChanges
	}) (*Incident, error) {
		return s.desk.SetTicket(ctx, in.ID, &in.Body)
	})
	add(sp, onIncident("DELETE", "ticket", "Take its ticket at a supplier back"), func(ctx context.Context, in *IncidentPath) (*Incident, error) {
		return s.desk.on(ctx, in.ID, event.Command{Kind: event.SetTicket})
	})
	add(sp, onIncident("POST", "reports", "Take down that it hits one more person"), func(ctx context.Context, in *struct {
		IncidentPath
		Body ReportDraft
	}) (*Incident, error) {
		return s.desk.TakeReport(ctx, in.ID, &in.Body)
	})
	add(sp, route{method: "GET", path: "/incidents/offer", role: auth.Viewer, tag: "incidents", summary: "List running incidents that a caller may mean, the likeliest first"}, s.desk.Offer)
}

// NumberPath is the number of a task or a proposal.
type NumberPath struct {
	N uint32 `path:"n" minimum:"1" doc:"its number"`
}

// linkRoutes are about two incidents.
func (s *server) linkRoutes(sp *spec) {
	type second struct {
		IncidentPath
		Body struct {
			Other string `json:"other" minLength:"1" maxLength:"20" example:"INC-2"`
		}
	}
	add(sp, onIncident("POST", "relate", "Say that another incident has to do with it"),
		func(ctx context.Context, in *second) (*Incident, error) {
			return s.desk.pair(ctx, event.Relate, in.ID, in.Body.Other)
		})
	add(sp, onIncident("POST", "unrelate", "Take that back"), func(ctx context.Context, in *second) (*Incident, error) {
		return s.desk.pair(ctx, event.Unrelate, in.ID, in.Body.Other)
	})
	add(sp, onIncident("PUT", "parent", "Make it a child of another: it resolves with its parent"), func(ctx context.Context, in *struct {
		IncidentPath
		Body struct {
			Parent string `json:"parent" minLength:"1" maxLength:"20" example:"INC-1"`
		}
	}) (*Incident, error) {
		return s.desk.pair(ctx, event.SetParent, in.ID, in.Body.Parent)
	})
	add(sp, onIncident("DELETE", "parent", "Take it from its parent"), func(ctx context.Context, in *IncidentPath) (*Incident, error) {
		return s.desk.on(ctx, in.ID, event.Command{Kind: event.SetParent})
	})
	add(sp, onIncident("POST", "merge", "Put one incident into another; answers the one that stays"), func(ctx context.Context, in *struct {
		IncidentPath
		Body Merger
	}) (*Incident, error) {
		return s.desk.Merge(ctx, in.ID, &in.Body)
	})
	split := onIncident("POST", "split", "Take alerts out into an incident of their own; answers that one")
	split.status = http.StatusCreated
	add(sp, split, func(ctx context.Context, in *struct {
		IncidentPath
		Body struct {
			Alerts []string `json:"alerts" minItems:"1" maxItems:"2000" doc:"ids"`
			Title  string   `json:"title,omitempty" maxLength:"200" doc:"of the new one; made of its first alert, if not given"`
		}
	}) (*Incident, error) {
		return s.desk.Split(ctx, in.ID, in.Body.Alerts, in.Body.Title)
	})
	add(sp, onIncident("POST", "proposals/{n}", "Answer a proposal; to make it a major incident takes the role "+planner.String()), func(ctx context.Context, in *struct {
		IncidentPath
		NumberPath
		Body struct {
			Answer string `json:"answer" enum:"accept,reject" doc:"a refusal binds the machine"`
		}
	}) (*Incident, error) {
		return s.desk.Answer(ctx, in.ID, in.N, in.Body.Answer == "accept")
	})
}

// majorRoutes are about major incidents.
func (s *server) majorRoutes(sp *spec) {
	add(sp, onIncident("PUT", "major", "Say who does what in a major incident; to make it one takes the role "+planner.String()), func(ctx context.Context, in *struct {
		IncidentPath
		Body MajorChanges
	}) (*Incident, error) {
		return s.desk.SetMajor(ctx, in.ID, &in.Body)
	})
	add(sp, onIncident("DELETE", "major", "End the major incident; the incident itself goes on"), func(ctx context.Context, in *IncidentPath) (*Incident, error) {
		return s.desk.EndMajor(ctx, in.ID)
	})
	add(sp, onIncident("POST", "update", "Post an update for those whom a major incident hits"), func(ctx context.Context, in *struct {
		IncidentPath
		Body struct {
			Text string `json:"text" minLength:"1" maxLength:"16384"`
			Next string `json:"next,omitempty" maxLength:"40" doc:"when they hear more: a time, or a span from now such as 30m; the setting update_every, if not given"`
		}
	}) (*Incident, error) {
		return s.desk.TellUpdate(ctx, in.ID, in.Body.Text, in.Body.Next)
	})
	add(sp, onIncident("PUT", "review", "Begin, change or finish its review"), func(ctx context.Context, in *struct {
		IncidentPath
		Body ReviewChanges
	}) (*Incident, error) {
		return s.desk.SetReview(ctx, in.ID, &in.Body)
	})
}
