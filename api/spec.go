package api

import (
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tocsin-noc/tocsin/internal/auth"
)

// spec builds the API and its OpenAPI 3.1 document.
type spec struct{ api huma.API }

func newSpec(mux *http.ServeMux, version, prefix string) *spec {
	c := huma.DefaultConfig("Tocsin", version)
	c.Info.Description = "Incidents, alerts, silences and sources of one tenant: the one that the token belongs to. Lists are paged by cursor. " +
		"Errors are application/problem+json (RFC 9457) with a code for machines and a hint for people."
	c.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", "" // the document is served below; huma's page needs the internet
	c.CreateHooks = nil                                   // no $schema in every answer
	c.RejectUnknownQueryParameters = true                 // a misspelt filter must not show everything
	c.Transformers = append(c.Transformers, problems)
	if prefix != "" {
		c.Servers = []*huma.Server{{URL: prefix}}
	}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", Description: "a token of the token file"},
		"basic":  {Type: "http", Scheme: "basic", Description: "a user of the web configuration, or a token with its name"},
	}
	c.Tags = []*huma.Tag{
		{Name: "incidents", Description: "What happened, and what people do about it."},
		{Name: "alerts", Description: "What sources say."},
		{Name: "silences", Description: "What is kept quiet, and until when."},
		{Name: "windows", Description: "Maintenance: what is quiet because it was planned."},
		{Name: "watch", Description: "Signs of life that are expected, and storms."},
		{Name: "handover", Description: "What one shift hands to the next."},
		{Name: "cmdb", Description: "Configuration items, how they stand to each other, and what was known of them when. IDs with slashes are escaped: /cis/shop%2Fpod%2Fweb-1."},
		{Name: "services", Description: "Services, their availability, and outages."},
		{Name: "reports", Description: "What longer times teach: figures with their intervals, what is behind them, and the SQL that counted them."},
		{Name: "system", Description: "The daemon and its senders."},
		{Name: "admin", Description: "What only admins do."},
	}
	return &spec{humago.New(mux, c)}
}

// operation returns r for huma: described, with its role checked before anything else, and with problems as its errors.
func (s *spec) operation(r route) huma.Operation {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	var params []*huma.Param
	if r.method == http.MethodGet {
		params = append(params, &huma.Param{
			Name: "tenant", In: "query", Schema: &huma.Schema{Type: huma.TypeString},
			Description: "the same as the header " + auth.TenantHeader + ", for pages and streams that cannot set it",
		})
	}
	return huma.Operation{
		Parameters: params,
		Method:     r.method, Path: root + r.path, OperationID: operationID(r), Summary: r.summary, Tags: []string{r.tag},
		Description: "Needs the role " + r.role.String() + ".", DefaultStatus: r.status, MaxBodyBytes: 1 << 20,
		Security:    []map[string][]string{{"bearer": {}}, {"basic": {}}},
		Responses:   map[string]*huma.Response{strconv.Itoa(r.status): {Description: http.StatusText(r.status)}, "default": s.problem()},
		Middlewares: huma.Middlewares{s.require(r.role)},
	}
}

// operationID is the method and the path's words, as in get-incidents-id-alerts.
func operationID(r route) string {
	words := strings.FieldsFunc(r.path, func(c rune) bool { return strings.ContainsRune("/{}", c) })
	return strings.ToLower(r.method) + "-" + strings.Join(words, "-")
}

func (s *spec) require(role auth.Role) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if p := auth.Check(ctx.Context(), role); p != nil {
			r, w := humago.Unwrap(ctx)
			p.Write(w, r)
			return
		}
		ctx.SetHeader("Cache-Control", "no-store")
		ctx.SetHeader(auth.TenantHeader, auth.FromContext(ctx.Context()).Tenant) // whose data it is, "*" for all
		withoutTenant(ctx)
		next(ctx)
	}
}

// withoutTenant takes the query's tenant away, which every GET may have: the guard has read it, and no operation knows it.
func withoutTenant(ctx huma.Context) {
	r, _ := humago.Unwrap(ctx)
	if !auth.Safe(r.Method) || !strings.Contains(r.URL.RawQuery, "tenant=") {
		return
	}
	u, q := *r.URL, r.URL.Query()
	q.Del("tenant")
	u.RawQuery = q.Encode()
	r.URL = &u
}

func (s *spec) schema(of reflect.Type) *huma.Schema {
	return s.api.OpenAPI().Components.Schemas.Schema(of, true, of.Name())
}

func (s *spec) problem() *huma.Response {
	return &huma.Response{Description: "Problem", Content: map[string]*huma.MediaType{
		"application/problem+json": {Schema: s.schema(reflect.TypeFor[auth.Problem]())},
	}}
}

func (s *spec) events() *huma.Response {
	s.schema(reflect.TypeFor[Change]())
	return &huma.Response{Description: "Events, without end", Content: map[string]*huma.MediaType{
		"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}},
	}}
}

// finish serves the document, which is written when it is first asked for. It shows what there is, not what there is in it, so it needs
// no more than a viewer.
func (s *spec) finish(mux *http.ServeMux) {
	doc := s.api.OpenAPI()
	for _, unused := range []string{"ErrorModel", "ErrorDetail"} { // huma's own shape, which is never sent
		delete(doc.Components.Schemas.Map(), unused)
	}
	serve := func(path, contentType string, write func() ([]byte, error)) {
		text := sync.OnceValue(func() []byte {
			text, err := write()
			if err != nil {
				panic("api: the OpenAPI document cannot be written: " + err.Error())
			}
			return text
		})
		mux.Handle("GET "+path, auth.Require(auth.Viewer, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			_, _ = w.Write(text()) // the client is gone when this fails
		})))
	}
	serve(root+"/openapi.json", "application/openapi+json", doc.MarshalJSON)
	serve(root+"/openapi.yaml", "application/openapi+yaml", doc.YAML)
}
