package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tocsin-noc/tocsin/internal/auth"
)

// keeper is who may say what configuration items and services there are.
const keeper = auth.Manager

// CIPath names a configuration item; a slash in it is written %2F.
type CIPath struct {
	ID string `path:"id" maxLength:"512" doc:"a slash in it is written %2F" example:"db-3"`
}

func (s *server) cmdbRoutes(sp *spec) {
	show := func(path, summary string) route {
		return route{method: "GET", path: path, role: auth.Viewer, tag: "cmdb", summary: summary}
	}
	then := make(walks, walksAtA)
	add(sp, show("/cis", "List configuration items, by ID"), s.desk.CIs)
	add(sp, show("/cis/unbound", "List the alerts that fire and are bound to no configuration item"), s.desk.Unbound)
	add(sp, show("/cis/{id}", "Show a configuration item, as it is or as it was known to be"), func(ctx context.Context, in *struct {
		CIPath
		CIMoment
	}) (*CIDetail, error) {
		return s.desk.CI(ctx, in.ID, in.CIMoment)
	})
	add(sp, show("/cis/{id}/versions", "List what was said of a configuration item, in that order"),
		func(ctx context.Context, in *CIPath) (*CIVersions, error) { return s.desk.CIVersions(ctx, in.ID) })
	add(sp, show("/cis/{id}/impact", "Show what is down or degraded while a configuration item fails, the nearest first"), func(ctx context.Context, in *struct {
		CIPath
		CIMoment
		Limit int `query:"limit" default:"500" minimum:"1" maximum:"10000" doc:"items to show"`
	}) (*CIWalk, error) {
		return then.impact(ctx, s.desk, in.ID, in.CIMoment, in.Limit)
	})
	add(sp, show("/cis/{id}/deps", "Show what a configuration item rests on, the nearest first"), func(ctx context.Context, in *struct {
		CIPath
		CIMoment
		Hops  int `query:"hops" default:"5" minimum:"1" maximum:"1000" doc:"relations to go, at most"`
		Limit int `query:"limit" default:"500" minimum:"1" maximum:"10000" doc:"items to show"`
	}) (*CIWalk, error) {
		return then.deps(ctx, s.desk, in.ID, in.CIMoment, in.Hops, in.Limit)
	})
	s.cmdbWriteRoutes(sp)
	if s.CIFiles != nil {
		x := &importer{desk: s.desk, files: s.CIFiles, turn: make(chan struct{}, importsAtA)}
		x.routes(sp)
	}
}

func (s *server) cmdbWriteRoutes(sp *spec) {
	add(sp, route{method: "PUT", path: "/cis/{id}", role: keeper, tag: "cmdb", summary: "Make or change a configuration item by hand; imports leave alone what was set"},
		func(ctx context.Context, in *struct {
			CIPath
			Body CIDraft
		}) (*CIDetail, error) {
			return s.desk.SetCI(ctx, in.ID, &in.Body)
		})
	add(sp, route{method: "POST", path: "/cis/{id}/retire", role: keeper, tag: "cmdb", summary: "Say that a configuration item is in use no more"},
		func(ctx context.Context, in *CIPath) (*CIDetail, error) { return s.desk.RetireCI(ctx, in.ID) })
	add(sp, route{method: "POST", path: "/cis/{id}/release", role: keeper, tag: "cmdb", summary: "Hand the fields that people have set back to imports"},
		func(ctx context.Context, in *CIPath) (*CIDetail, error) { return s.desk.ReleaseCI(ctx, in.ID) })
}

// routes adds those that take and give files.
func (x *importer) routes(sp *spec) {
	imports := sp.operation(route{method: "POST", path: "/cmdb/import", role: keeper, tag: "cmdb", summary: "Import configuration items and services from a file, or several as multipart/form-data"})
	imports.MaxBodyBytes, imports.BodyReadTimeout = maxMessage, importRead
	imports.Description += " All of it is carried out at once, or nothing. What says nothing new changes nothing."
	huma.Register(sp.api, imports, func(ctx context.Context, in *struct {
		ImportQuery
		ContentType string `header:"Content-Type"`
		RawBody     []byte `contentType:"text/yaml"`
	}) (*body[Import], error) {
		out, err := x.run(ctx, &in.ImportQuery, in.ContentType, in.RawBody)
		if err != nil {
			return nil, failure(err)
		}
		return &body[Import]{out}, nil
	})
	export := sp.operation(route{method: "GET", path: "/cmdb/export", role: auth.Viewer, tag: "cmdb", summary: "Write configuration items and services as a file that can be imported"})
	export.Responses = map[string]*huma.Response{
		"200":     {Description: "Tocsin's own YAML", Content: map[string]*huma.MediaType{"text/yaml": {Schema: &huma.Schema{Type: huma.TypeString}}}},
		"default": sp.problem(),
	}
	huma.Register(sp.api, export, func(_ context.Context, in *CITest) (*huma.StreamResponse, error) {
		if err := in.check(); err != nil {
			return nil, failure(err)
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			r, w := humago.Unwrap(hc)
			w.Header().Set("Content-Type", "text/yaml; charset=utf-8")
			_ = x.export(r.Context(), in, &patient{w: w}) // the client is gone when this fails
		}}, nil
	})
}

// patient gives each piece of a long answer its own time to be read.
type patient struct{ w http.ResponseWriter }

// Write sends a piece.
func (p *patient) Write(b []byte) (int, error) {
	_ = http.NewResponseController(p.w).SetWriteDeadline(time.Now().Add(writeWithin)) // not every writer can
	return p.w.Write(b)
}

func (s *server) serviceRoutes(sp *spec) {
	show := func(path, summary string) route {
		return route{method: "GET", path: path, role: auth.Viewer, tag: "services", summary: summary}
	}
	add(sp, show("/services", "List services: the most critical first"), s.desk.Services)
	add(sp, show("/services/{id}", "Show a service"), func(ctx context.Context, in *CIPath) (*ServiceDetail, error) { return s.desk.Service(ctx, in.ID) })
	add(sp, show("/services/{id}/ready", "Check whether a service is fit to be relied on"),
		func(ctx context.Context, in *CIPath) (*ServiceReady, error) { return s.desk.ServiceReady(ctx, in.ID) })
	add(sp, show("/services/{id}/availability", "Show how a service did in a period, and its outages"), func(ctx context.Context, in *struct {
		CIPath
		From time.Time `query:"from" doc:"30 days before to, if not given"`
		To   time.Time `query:"to" doc:"now, if not given"`
	}) (*ServiceAvailability, error) {
		return s.desk.Availability(ctx, in.ID, in.From, in.To)
	})
	add(sp, route{method: "PUT", path: "/services/{id}", role: keeper, tag: "services", summary: "Make or change a service by hand; imports leave alone what was set"},
		func(ctx context.Context, in *struct {
			CIPath
			Body ServiceDraft
		}) (*ServiceDetail, error) {
			return s.desk.SetService(ctx, in.ID, &in.Body)
		})
}

func (s *server) outageRoutes(sp *spec) {
	type path struct {
		ID string `path:"id" maxLength:"20" doc:"3 or OUT-3" example:"OUT-3"`
	}
	add(sp, route{method: "GET", path: "/outages", role: auth.Viewer, tag: "services", summary: "List outages, the latest first"}, s.desk.Outages)
	add(sp, route{method: "GET", path: "/outages/{id}", role: auth.Viewer, tag: "services", summary: "Show an outage"},
		func(ctx context.Context, in *path) (*Outage, error) { return s.desk.Outage(ctx, in.ID) })
	add(sp, route{method: "POST", path: "/outages", role: auth.Responder, tag: "services", summary: "Report an outage", status: http.StatusCreated},
		func(ctx context.Context, in *struct{ Body OutageDraft }) (*Outage, error) {
			return s.desk.ReportOutage(ctx, &in.Body)
		})
	add(sp, route{method: "PATCH", path: "/outages/{id}", role: auth.Responder, tag: "services", summary: "Confirm, reject or correct an outage"},
		func(ctx context.Context, in *struct {
			ID   string `path:"id" maxLength:"20" doc:"3 or OUT-3" example:"OUT-3"`
			Body OutageChanges
		}) (*Outage, error) {
			return s.desk.ChangeOutage(ctx, in.ID, &in.Body)
		})
}
