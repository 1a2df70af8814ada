package api

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// document is what the tests read of the OpenAPI.
type document struct {
	OpenAPI string `json:"openapi"`
	Paths   map[string]map[string]struct {
		OperationID string                `json:"operationId"`
		Summary     string                `json:"summary"`
		Description string                `json:"description"`
		Tags        []string              `json:"tags"`
		Security    []map[string][]string `json:"security"`
		Parameters  []struct {
			Name, In string
			Required bool
		} `json:"parameters"`
		Responses map[string]struct {
			Content map[string]json.RawMessage `json:"content"`
		} `json:"responses"`
	} `json:"paths"`
	Components struct {
		Schemas map[string]any `json:"schemas"`
	} `json:"components"`
}

func TestOpenAPIIsWhole(t *testing.T) {
	f := newFixture(t)
	doc := get[document](f, "viewer", "/api/v1/openapi.json")
	require.Equal(t, "3.1.0", doc.OpenAPI)
	ids := map[string]bool{}
	for path, ops := range doc.Paths {
		for method, op := range ops {
			name := method + " " + path
			require.NotEmpty(t, op.Summary, name)
			require.NotEmpty(t, op.Description, name)
			require.Len(t, op.Tags, 1, name)
			require.Len(t, op.Security, 2, name)
			require.False(t, ids[op.OperationID], "%s twice", op.OperationID)
			ids[op.OperationID] = true
			require.Contains(t, op.Responses["default"].Content, "application/problem+json", name)
			require.Equal(t, strings.Contains(path, "{id}"), slices.ContainsFunc(op.Parameters, func(p struct {
				Name, In string
				Required bool
			}) bool {
				return p.Name == "id" && p.In == "path" && p.Required
			}), "%s: the path's parameter", name)
		}
	}
	require.NotContains(t, doc.Components.Schemas, "ErrorModel")
	text := f.call("viewer", "GET", "/api/v1/openapi.json", "").text
	for _, part := range strings.Split(text, `"$ref":"`)[1:] {
		ref := part[:strings.Index(part, `"`)]
		require.Contains(t, doc.Components.Schemas, strings.TrimPrefix(ref, "#/components/schemas/"), "a reference to nothing")
	}
	var fromYAML, fromJSON any
	require.NoError(t, yaml.Unmarshal([]byte(f.call("viewer", "GET", "/api/v1/openapi.yaml", "").text), &fromYAML))
	require.NoError(t, yaml.Unmarshal([]byte(text), &fromJSON))
	require.Equal(t, fromJSON, fromYAML)
	require.Equal(t, 401, f.call("", "GET", "/api/v1/openapi.json", "").StatusCode)
}

// TestEveryRouteIsDescribed asks the mux what it would do with each method on each path that the document and the tests know.
func TestEveryRouteIsDescribed(t *testing.T) {
	var got []string
	for path, ops := range get[document](whole(t), "viewer", "/api/v1/openapi.json").Paths {
		for method := range ops {
			got = append(got, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(got)
	require.Equal(t, []string{
		"DELETE /api/v1/admin/shadow", "DELETE /api/v1/incidents/{id}/major", "DELETE /api/v1/incidents/{id}/parent", "DELETE /api/v1/incidents/{id}/ticket",
		"DELETE /api/v1/oncall/overrides/{id}", "DELETE /api/v1/silences/{id}", "DELETE /api/v1/users/{login}/tokens/{name}",
		"DELETE /api/v1/windows/{id}", "GET /api/v1/admin/shadow", "GET /api/v1/admin/shadow/diff", "GET /api/v1/alerts", "GET /api/v1/alerts/{id}", "GET /api/v1/alerts/{id}/why", "GET /api/v1/calendar", "GET /api/v1/cis",
		"GET /api/v1/cis/unbound", "GET /api/v1/cis/{id}", "GET /api/v1/cis/{id}/deps", "GET /api/v1/cis/{id}/impact",
		"GET /api/v1/cis/{id}/versions", "GET /api/v1/cmdb/export", "GET /api/v1/correlation", "GET /api/v1/handover", "GET /api/v1/heartbeats", "GET /api/v1/incidents",
		"GET /api/v1/incidents/offer", "GET /api/v1/incidents/{id}", "GET /api/v1/incidents/{id}/alerts", "GET /api/v1/incidents/{id}/timeline",
		"GET /api/v1/incidents/{id}/why", "GET /api/v1/me", "GET /api/v1/notify/messages", "GET /api/v1/notify/receivers", "GET /api/v1/oncall",
		"GET /api/v1/outages", "GET /api/v1/outages/{id}", "GET /api/v1/pairs", "GET /api/v1/services", "GET /api/v1/services/{id}",
		"GET /api/v1/services/{id}/availability", "GET /api/v1/services/{id}/ready", "GET /api/v1/silences", "GET /api/v1/silences/{id}",
		"GET /api/v1/sources", "GET /api/v1/status", "GET /api/v1/storms", "GET /api/v1/stream", "GET /api/v1/users",
		"GET /api/v1/users/{login}", "GET /api/v1/windows", "GET /api/v1/windows/{id}", "PATCH /api/v1/incidents/{id}",
		"PATCH /api/v1/incidents/{id}/tasks/{n}", "PATCH /api/v1/outages/{id}", "PATCH /api/v1/users/{login}", "POST /api/v1/admin/accept-clock",
		"POST /api/v1/admin/redact", "POST /api/v1/admin/shadow", "POST /api/v1/admin/snapshot", "POST /api/v1/cis/{id}/release", "POST /api/v1/cis/{id}/retire",
		"POST /api/v1/cmdb/import", "POST /api/v1/handover/notes", "POST /api/v1/handover/sign", "POST /api/v1/incidents",
		"POST /api/v1/incidents/{id}/acknowledge", "POST /api/v1/incidents/{id}/assign", "POST /api/v1/incidents/{id}/begin",
		"POST /api/v1/incidents/{id}/cancel", "POST /api/v1/incidents/{id}/cause", "POST /api/v1/incidents/{id}/close", "POST /api/v1/incidents/{id}/hold",
		"POST /api/v1/incidents/{id}/merge", "POST /api/v1/incidents/{id}/notes", "POST /api/v1/incidents/{id}/proposals/{n}",
		"POST /api/v1/incidents/{id}/rate", "POST /api/v1/incidents/{id}/relate", "POST /api/v1/incidents/{id}/reopen",
		"POST /api/v1/incidents/{id}/reports", "POST /api/v1/incidents/{id}/resolve", "POST /api/v1/incidents/{id}/silence",
		"POST /api/v1/incidents/{id}/snooze", "POST /api/v1/incidents/{id}/split", "POST /api/v1/incidents/{id}/tasks",
		"POST /api/v1/incidents/{id}/unhold", "POST /api/v1/incidents/{id}/unmerge", "POST /api/v1/incidents/{id}/unrelate",
		"POST /api/v1/incidents/{id}/unwatch", "POST /api/v1/incidents/{id}/update", "POST /api/v1/incidents/{id}/watch",
		"POST /api/v1/notify/preview", "POST /api/v1/notify/test", "POST /api/v1/oncall/overrides", "POST /api/v1/outages",
		"POST /api/v1/pairs/{id}", "POST /api/v1/silences", "POST /api/v1/users", "POST /api/v1/users/{login}/forget", "POST /api/v1/users/{login}/tokens",
		"POST /api/v1/windows", "PUT /api/v1/cis/{id}", "PUT /api/v1/incidents/{id}/major", "PUT /api/v1/incidents/{id}/parent",
		"PUT /api/v1/incidents/{id}/review", "PUT /api/v1/incidents/{id}/ticket", "PUT /api/v1/services/{id}",
	}, got)
}

// TestAnswersAreAsDescribed holds every GET's answer against the document's schema.
func TestAnswersAreAsDescribed(t *testing.T) {
	f := whole(t)
	objects := f.objects()
	sp := newSpec(http.NewServeMux(), "1", "")
	s := &server{Options: f.opts, desk: NewDesk(f.engine, ""), streams: &streams{}}
	for _, routes := range []func(*spec){s.incidentRoutes, s.causeRoutes, s.lifeRoutes, s.dossierRoutes, s.linkRoutes, s.majorRoutes, s.alertRoutes, s.silenceRoutes, s.windowRoutes, s.watchRoutes, s.handoverRoutes, s.cmdbRoutes, s.serviceRoutes, s.outageRoutes, s.notifyRoutes, s.peopleRoutes, s.systemRoutes} {
		routes(sp)
	}
	doc, checked := sp.api.OpenAPI(), 0
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		op := doc.Paths[path].Get
		if op == nil || path == streamPath || path == exportPath {
			continue
		}
		var body any
		require.NoError(t, json.Unmarshal([]byte(f.call("admin", "GET", fill(path, objects, 0), "").text), &body))
		var res huma.ValidateResult
		huma.Validate(doc.Components.Schemas, op.Responses["200"].Content["application/json"].Schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, body, &res)
		require.Empty(t, res.Errors, path)
		checked++
	}
	require.Equal(t, 40, checked)
}
