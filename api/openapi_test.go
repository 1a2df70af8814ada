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
	for path, ops := range get[document](newFixture(t), "viewer", "/api/v1/openapi.json").Paths {
		for method := range ops {
			got = append(got, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(got)
	require.Equal(t, []string{
		"DELETE /api/v1/silences/{id}", "DELETE /api/v1/windows/{id}",
		"GET /api/v1/alerts", "GET /api/v1/alerts/{id}", "GET /api/v1/calendar", "GET /api/v1/handover", "GET /api/v1/heartbeats",
		"GET /api/v1/incidents", "GET /api/v1/incidents/{id}",
		"GET /api/v1/incidents/{id}/alerts", "GET /api/v1/incidents/{id}/timeline", "GET /api/v1/incidents/{id}/why",
		"GET /api/v1/me",
		"GET /api/v1/silences", "GET /api/v1/silences/{id}", "GET /api/v1/sources", "GET /api/v1/status", "GET /api/v1/storms", "GET /api/v1/stream",
		"GET /api/v1/windows", "GET /api/v1/windows/{id}",
		"POST /api/v1/admin/accept-clock", "POST /api/v1/admin/redact", "POST /api/v1/admin/snapshot", "POST /api/v1/handover/notes", "POST /api/v1/handover/sign",
		"POST /api/v1/incidents/{id}/acknowledge", "POST /api/v1/incidents/{id}/assign", "POST /api/v1/incidents/{id}/hold",
		"POST /api/v1/incidents/{id}/notes", "POST /api/v1/incidents/{id}/resolve", "POST /api/v1/incidents/{id}/silence",
		"POST /api/v1/incidents/{id}/snooze", "POST /api/v1/incidents/{id}/unhold", "POST /api/v1/silences", "POST /api/v1/windows",
	}, got)
}

// objects are ids of main's and other's things, by the path that shows them.
func (f *fixture) objects() map[string][2]string {
	both := func(of func(who string) string) [2]string { return [2]string{of("manager"), of("stranger")} }
	make := func(what, body string) [2]string {
		return both(func(who string) string {
			var made struct{ ID string }
			require.NoError(f.t, json.Unmarshal([]byte(f.call(who, "POST", "/api/v1/"+what, strings.ReplaceAll(body, "NAME", "secret-"+who)).text), &made))
			return made.ID
		})
	}
	silence := make("silences", `{"matchers":[{"name":"instance","value":"NAME"}],"duration":"1h","comment":"NAME"}`)
	window := make("windows", `{"name":"NAME","reason":"NAME","cis":["NAME"],"duration":"1h"}`)
	for _, who := range []string{"manager", "stranger"} {
		require.Equal(f.t, 200, f.call(who, "POST", "/api/v1/handover/notes", `{"text":"secret-`+who+`"}`).StatusCode)
	}
	alert := both(func(who string) string { return get[AlertList](f, who, "/api/v1/alerts").Alerts[0].ID })
	return map[string][2]string{"/api/v1/incidents/": {"INC-1", "INC-2"}, "/api/v1/alerts/": alert, "/api/v1/silences/": silence, "/api/v1/windows/": window}
}

// fill puts an object of main (0) or other (1) into a path.
func fill(path string, objects map[string][2]string, whose int) string {
	for prefix, ids := range objects {
		if strings.HasPrefix(path, prefix) {
			return strings.Replace(path, "{id}", ids[whose], 1)
		}
	}
	return path
}

// TestNoTenantSeesAnother asks every GET route of the document as both tenants, for their own things and for the other's.
func TestNoTenantSeesAnother(t *testing.T) {
	f := newFixture(t).storm()
	objects := f.objects()
	mains := []string{"shop", "DiskFull", "db-3", "grafana", "prometheus", "secret-manager", objects["/api/v1/silences/"][0], objects["/api/v1/windows/"][0]}
	others := []string{"SecretAlert", "secret-service", "secret-source", "secret-stranger", objects["/api/v1/silences/"][1], objects["/api/v1/windows/"][1]}
	tried := 0
	for path, ops := range get[document](f, "viewer", "/api/v1/openapi.json").Paths {
		if _, ok := ops["get"]; !ok || path == streamPath {
			continue // TestStreamShowsOneTenant
		}
		for whose, who := range []string{"viewer", "stranger"} {
			own, foreign := fill(path, objects, whose), fill(path, objects, 1-whose)
			forbidden := [][]string{others, mains}[whose]
			res := f.call(who, "GET", own, "")
			require.Equal(t, 200, res.StatusCode, "%s as %s: %s", own, who, res.text)
			for _, word := range forbidden {
				require.NotContains(t, res.text, word, "%s as %s", own, who)
			}
			if foreign != own {
				res = f.call(who, "GET", foreign, "")
				require.Equal(t, 404, res.StatusCode, "%s as %s", foreign, who)
				for _, word := range forbidden {
					require.NotContains(t, strings.ReplaceAll(res.text, foreign[strings.LastIndex(foreign, "/")+1:], ""), word, "%s as %s", foreign, who)
				}
			}
			tried++
		}
	}
	require.Equal(t, 36, tried)
	fp := get[AlertList](f, "viewer", "/api/v1/alerts").Alerts[0].Claims[0].Fingerprint
	require.Equal(t, 404, f.call("stranger", "GET", "/api/v1/alerts/"+fp, "").StatusCode, "nor by fingerprint")
}

// bodies are valid ones for the routes that want one.
func bodies(path string) string {
	return map[string]string{
		"assign": `{"assignee":"x"}`, "notes": `{"text":"x"}`, "silence": `{"duration":"1h"}`,
		"snooze": `{"duration":"1h"}`, "hold": `{"duration":"1h","reason":"x"}`, "sign": `{}`,
		"windows":  `{"name":"x","reason":"x","cis":["x"],"duration":"1h"}`,
		"silences": `{"matchers":[{"name":"a","value":"b"}],"duration":"1h","comment":""}`,
	}[path[strings.LastIndex(path, "/")+1:]]
}

func TestNoTenantTouchesAnother(t *testing.T) {
	f := newFixture(t).storm()
	objects := f.objects()
	tried := 0
	for path, ops := range get[document](f, "viewer", "/api/v1/openapi.json").Paths {
		for method := range ops {
			foreign := fill(path, objects, 0)
			if method == "get" || foreign == path {
				continue
			}
			before := f.engine.Head()
			require.Equal(t, 404, f.call("stranger", strings.ToUpper(method), foreign, bodies(path)).StatusCode, foreign)
			require.Equal(t, before, f.engine.Head(), "%s changed something", foreign)
			tried++
		}
	}
	require.Equal(t, 10, tried)
}

// TestRolesHoldOnEveryRoute: viewers read, responders act, admin routes take an admin, and nobody comes without a token.
func TestRolesHoldOnEveryRoute(t *testing.T) {
	f := newFixture(t).storm()
	objects := f.objects()
	for path, ops := range get[document](f, "viewer", "/api/v1/openapi.json").Paths {
		for method := range ops {
			admins := strings.Contains(path, "/admin/")
			plans := method != "get" && strings.HasPrefix(path, "/api/v1/windows")
			allowed := map[string]bool{"viewer": method == "get" && !admins, "responder": !admins && !plans, "manager": !admins, "admin": true}
			for _, who := range []string{"", "viewer", "responder", "manager", "admin"} {
				if path == streamPath && allowed[who] {
					continue // it does not end
				}
				got := f.call(who, strings.ToUpper(method), fill(path, objects, 0), bodies(path)).StatusCode
				switch {
				case who == "":
					require.Equal(t, 401, got, "%s %s", method, path)
				case !allowed[who]:
					require.Equal(t, 403, got, "%s %s as %s", method, path, who)
				default:
					require.NotContains(t, []int{401, 403}, got, "%s %s as %s", method, path, who)
				}
			}
		}
	}
}

// TestAnswersAreAsDescribed holds every GET's answer against the document's schema.
func TestAnswersAreAsDescribed(t *testing.T) {
	f := newFixture(t).storm()
	objects := f.objects()
	sp := newSpec(http.NewServeMux(), "1", "")
	s := &server{Options: f.opts, desk: NewDesk(f.engine, ""), streams: &streams{}}
	for _, routes := range []func(*spec){s.incidentRoutes, s.alertRoutes, s.silenceRoutes, s.windowRoutes, s.watchRoutes, s.handoverRoutes, s.systemRoutes} {
		routes(sp)
	}
	doc, checked := sp.api.OpenAPI(), 0
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		op := doc.Paths[path].Get
		if op == nil || path == streamPath {
			continue
		}
		var body any
		require.NoError(t, json.Unmarshal([]byte(f.call("admin", "GET", fill(path, objects, 0), "").text), &body))
		var res huma.ValidateResult
		huma.Validate(doc.Components.Schemas, op.Responses["200"].Content["application/json"].Schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, body, &res)
		require.Empty(t, res.Errors, path)
		checked++
	}
	require.Equal(t, 17, checked)
}
