package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// whole is a fixture with every route and with things of both tenants.
func whole(t *testing.T) *fixture {
	d := &drawer{
		messages:  []SentMessage{{Subject: "main/INC-1", Title: "DiskFull", Outcome: "sent"}, {Subject: "other/INC-2", Title: "SecretAlert", Outcome: "sent"}},
		overrides: []Override{{ID: "override-1", Team: "ops", Who: "house-contact"}},
	}
	f, _ := house(t, withOutbox(d), withFiles)
	f.join("house-person", `[{"role":"viewer"}]`)
	return f.storm()
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
	service := both(func(who string) string {
		id := "secret-" + who
		require.Equal(f.t, 200, f.call(who, "PUT", "/api/v1/services/"+id, `{"name":"`+id+`","owner":"`+id+`"}`).StatusCode)
		return id
	})
	outage := both(func(who string) string {
		var made struct{ ID string }
		require.NoError(f.t, json.Unmarshal([]byte(f.call(who, "POST", "/api/v1/outages", `{"service":"secret-`+who+`","cause":"secret-`+who+`"}`).text), &made))
		return made.ID
	})
	alert := both(func(who string) string { return get[AlertList](f, who, "/api/v1/alerts").Alerts[0].ID })
	return map[string][2]string{
		"/api/v1/incidents/": {"INC-1", "INC-2"}, "/api/v1/alerts/": alert, "/api/v1/silences/": silence, "/api/v1/windows/": window,
		"/api/v1/cis/": service, "/api/v1/services/": service, "/api/v1/outages/": outage, "/api/v1/pairs/": {"a-b", "c-d"},
	}
}

// fill puts an object of main (0) or other (1) into a path; people and overrides are the house's.
func fill(path string, objects map[string][2]string, whose int) string {
	if path == root+"/incidents/offer" {
		return path + "?text=disk+full+secretalert&service=shop"
	}
	path = strings.Replace(path, "{n}", "1", 1)
	for prefix, ids := range objects {
		if strings.HasPrefix(path, prefix) {
			return strings.Replace(path, "{id}", ids[whose], 1)
		}
	}
	return strings.NewReplacer("{login}", "house-person", "{name}", "t", "{id}", "override-1").Replace(path)
}

// bodies are valid ones for the routes that want one; their incident is main's.
func bodies(method, path string) string {
	rest, ofIncident := strings.CutPrefix(path, root+"/incidents")
	switch {
	case ofIncident && (method == "patch" || method == "put" || rest == ""):
		return map[string]string{
			"": `{"title":"x","severity":"minor"}`, "/{id}": `{"title":"x"}`, "/{id}/tasks/{n}": `{"done":true}`,
			"/{id}/ticket": `{"supplier":"x","reference":"x"}`, "/{id}/parent": `{"parent":"INC-1"}`, "/{id}/major": `{"bridge":"x"}`, "/{id}/review": `{"summary":"x"}`,
		}[rest]
	case strings.HasPrefix(path, root+"/pairs"):
		return `{"accept":true}`
	case strings.HasPrefix(path, root+"/outages"):
		return map[string]string{"post": `{"service":"secret-manager"}`, "patch": `{"cause":"x"}`}[method]
	case makesOwn(method, path):
		return map[bool]string{true: `{"class":"service"}`, false: `{"owner":"x"}`}[strings.HasPrefix(path, root+"/cis")]
	case method == "patch":
		return `{"phone":"1"}`
	}
	return map[string]string{
		"assign": `{"assignee":"x"}`, "notes": `{"text":"x"}`, "silence": `{"duration":"1h"}`,
		"snooze": `{"duration":"1h"}`, "hold": `{"duration":"1h","reason":"x"}`, "sign": `{}`,
		"tasks": `{"title":"x"}`, "relate": `{"other":"INC-1"}`, "unrelate": `{"other":"INC-1"}`, "merge": `{"other":"INC-1"}`,
		"split": `{"alerts":["1"]}`, "{n}": `{"answer":"reject"}`, "update": `{"text":"x"}`, "reports": `{"text":"x"}`, "rate": `{"rating":5}`,
		"cause": `{"verdict":"right"}`, "cancel": `{"reason":"x"}`, "close": `{"reason":"x"}`, "reopen": `{"reason":"x"}`,
		"windows":   `{"name":"x","reason":"x","cis":["x"],"duration":"1h"}`,
		"silences":  `{"matchers":[{"name":"a","value":"b"}],"duration":"1h","comment":""}`,
		"import":    `{"cis":[{"id":"x","class":"host"}]}`,
		"redact":    `{"incident":"INC-1","entry":"0.1.0","reason":"x"}`,
		"preview":   `{"incident":"INC-1","receiver":"hook"}`,
		"test":      `{"receiver":"hook"}`,
		"overrides": `{"team":"ops","who":"x","duration":"1h"}`,
		"users":     `{"login":"x"}`,
		"tokens":    `{"name":"x"}`,
		"shadow":    `{"files":[{"name":"x.yml","text":""}]}`,
	}[path[strings.LastIndex(path, "/")+1:]]
}

// routes calls do with every operation of the document but the stream, which does not end (TestStreamShowsOneTenant).
func (f *fixture) routes(do func(method, path string)) (all int) {
	for path, ops := range get[document](f, "viewer", "/api/v1/openapi.json").Paths {
		for method := range ops {
			if path != streamPath {
				do(method, path)
				all++
			}
		}
	}
	return all
}

// ofHouseOnly are the routes about what serves all tenants.
func ofHouseOnly(path string) bool {
	for _, prefix := range []string{"/users", "/oncall", "/notify/receivers", "/notify/test", "/admin/snapshot", "/admin/accept-clock", "/admin/shadow"} {
		if strings.HasPrefix(path, root+prefix) {
			return true
		}
	}
	return false
}

// makesOwn tells whether a route makes a tenant's own thing, under a name that another tenant may use too.
func makesOwn(method, path string) bool {
	return method == "put" && (strings.HasPrefix(path, root+"/cis/") || strings.HasPrefix(path, root+"/services/"))
}

// TestNoTenantSeesAnother asks every GET route of the document as both tenants, for their own things and for the other's.
func TestNoTenantSeesAnother(t *testing.T) {
	f := whole(t)
	objects := f.objects()
	mains := []string{
		"shop", "DiskFull", "db-3", "grafana", "prometheus", "secret-manager", "house-person", "HOUSE-PERSON", "house-contact", `"ann"`, "hook",
		objects["/api/v1/silences/"][0], objects["/api/v1/windows/"][0],
	}
	others := []string{"SecretAlert", "secret-service", "secret-source", "secret-stranger", objects["/api/v1/silences/"][1], objects["/api/v1/windows/"][1]}
	tried := 0
	f.routes(func(method, path string) {
		if method != "get" {
			return
		}
		for whose, who := range []string{"admin", "stranger"} {
			own, foreign := fill(path, objects, whose), fill(path, objects, 1-whose)
			forbidden, want := [][]string{others, mains}[whose], 200
			if whose == 1 && ofHouseOnly(path) {
				want = 403
			}
			f.holdsNone(who, own, want, forbidden)
			if foreign != own {
				f.holdsNone(who, foreign, 404, forbidden)
			}
			tried++
		}
	})
	require.Equal(t, 84, tried)
	fp := get[AlertList](f, "viewer", "/api/v1/alerts").Alerts[0].Claims[0].Fingerprint
	require.Equal(t, 404, f.call("stranger", "GET", "/api/v1/alerts/"+fp, "").StatusCode, "nor by fingerprint")
	f.holdsNone("stranger", "/metrics", 403, mains)
	f.holdsNone("stranger", "/api/v1/alerts/"+objects["/api/v1/alerts/"][1]+"/why?not=INC-1", 404, mains)
}

// holdsNone gets a path and looks for words that its answer must not hold. A refusal may repeat what was asked for.
func (f *fixture) holdsNone(who, path string, status int, words []string) {
	res := f.call(who, "GET", path, "")
	require.Equal(f.t, status, res.StatusCode, "%s as %s: %s", path, who, res.text)
	if status != 200 {
		for part := range strings.FieldsFuncSeq(strings.TrimPrefix(path, root), func(r rune) bool { return r == '/' }) {
			res.text = strings.ReplaceAll(res.text, part, "")
		}
	}
	for _, word := range words {
		require.NotContains(f.t, res.text, word, "%s as %s", path, who)
	}
}

// TestNoTenantTouchesAnother lets other's admin write to every route, about main's things where the path or the body names one.
func TestNoTenantTouchesAnother(t *testing.T) {
	f := whole(t)
	objects := f.objects()
	desk := NewDesk(f.engine, "").Knowing(f.opts.People)
	main := &client{desk: desk, tenant: event.DefaultTenant}
	tried := 0
	f.routes(func(method, path string) {
		if method == "get" {
			return
		}
		before, actions := len(f.engine.log), len(f.engine.actions)
		target := fill(path, objects, 0)
		if makesOwn(method, path) {
			target = fill(path, objects, 1)
		}
		res := f.call("stranger", strings.ToUpper(method), target, bodies(method, path))
		switch own := makesOwn(method, path) || path == importPath || strings.HasPrefix(path, root+"/handover") || path == root+"/silences" || path == root+"/windows" || path == root+"/incidents"; {
		case ofHouseOnly(path):
			require.Equal(t, 403, res.StatusCode, "%s %s: %s", method, target, res.text)
		case own:
			require.Less(t, res.StatusCode, 300, "%s %s: %s", method, target, res.text)
		default:
			require.Equal(t, 404, res.StatusCode, "%s %s: %s", method, target, res.text)
			require.Len(t, f.engine.log, before, "%s changed something", target)
		}
		for _, ch := range f.engine.log[before:] {
			require.False(t, main.mine(context.Background(), &ch), "%s %s: %v is main's", method, target, ch.Kind)
		}
		require.Len(t, f.engine.actions, actions, target)
		tried++
	})
	require.Equal(t, 63, tried)
	require.Len(t, f.opts.People.List(), 1)
	require.Len(t, f.opts.Outbox.(*drawer).overrides, 1)
	require.Equal(t, 403, f.call("stranger", "POST", "/-/reload", "").StatusCode)

	for path, body := range map[string]string{ // changes of what main has, by id
		"silences": `{"id":"%s","matchers":[{"name":"a","value":"b"}],"duration":"1h","comment":""}`,
		"windows":  `{"id":"%s","name":"x","reason":"x","cis":["x"],"duration":"1h"}`,
	} {
		res := f.call("stranger", "POST", root+"/"+path, fmt.Sprintf(body, objects[root+"/"+path+"/"][0]))
		require.Equal(t, 404, res.StatusCode, res.text)
	}
}

// TestTenantsMayUseTheSameNames lets other say something of an item that is called as main's is.
func TestTenantsMayUseTheSameNames(t *testing.T) {
	f := whole(t)
	f.objects()
	require.Equal(t, 200, f.call("stranger", "PUT", "/api/v1/services/secret-manager", `{"owner":"somebody"}`).StatusCode)
	require.Equal(t, "secret-manager", get[ServiceDetail](f, "viewer", "/api/v1/services/secret-manager").Owner)
	require.Equal(t, "somebody", get[ServiceDetail](f, "stranger", "/api/v1/services/secret-manager").Owner)
	res := f.call("stranger", "PUT", "/api/v1/cis/mine", `{"class":"host","relations":{"depends_on":["db-3"]}}`)
	require.Equal(t, 422, res.StatusCode, "main's items are none of other's: %s", res.text)
	require.Equal(t, 404, f.call("stranger", "POST", "/api/v1/outages", `{"service":"secret-stranger","incidents":["INC-1"]}`).StatusCode)
}

// TestNothingIsLinkedAcrossTenants names main's incident as the second one of other's own.
func TestNothingIsLinkedAcrossTenants(t *testing.T) {
	f := whole(t)
	for path, c := range map[string][2]string{
		"relate": {"POST", `{"other":"%s"}`}, "unrelate": {"POST", `{"other":"%s"}`}, "merge": {"POST", `{"other":"%s"}`}, "merge?": {"POST", `{"into":"%s"}`},
		"parent": {"PUT", `{"parent":"%s"}`},
	} {
		before := len(f.engine.log)
		target := "/api/v1/incidents/INC-2/" + strings.TrimSuffix(path, "?")
		foreign, nobodys := f.call("stranger", c[0], target, fmt.Sprintf(c[1], "INC-1")), f.call("stranger", c[0], target, fmt.Sprintf(c[1], "INC-999"))
		require.Equal(t, 404, foreign.StatusCode, foreign.text)
		require.Equal(t, strings.ReplaceAll(nobodys.text, "INC-999", "INC-1"), foreign.text)
		require.Len(t, f.engine.log, before, path)
	}
	mine := get[AlertList](f, "viewer", "/api/v1/incidents/INC-1/alerts").Alerts[0].ID
	split := func(alert string) answer {
		f.engine.say("other", "secret-source", false, "alertname", "SecretLatency", "severity", "critical", "service", "secret-service")
		return f.call("stranger", "POST", "/api/v1/incidents/INC-2/split", `{"alerts":["`+alert+`"]}`)
	}
	foreign, nobodys := split(mine), split("ffff")
	require.Equal(t, 404, foreign.StatusCode, foreign.text)
	require.Equal(t, strings.ReplaceAll(nobodys.text, "ffff", mine), foreign.text)
}

// TestWhatIsAnothersIsAsIfItWereNot: an answer about what belongs to another tenant is the one about what nobody has.
func TestWhatIsAnothersIsAsIfItWereNot(t *testing.T) {
	f := whole(t)
	objects := f.objects()
	none := map[string][2]string{"/api/v1/incidents/": {"INC-999"}, "/api/v1/alerts/": {"ffffffffffffffff"}, "/api/v1/silences/": {"no-such-silence"}, "/api/v1/windows/": {"no-such-window"},
		"/api/v1/cis/": {"no-such-item"}, "/api/v1/services/": {"no-such-service"}, "/api/v1/outages/": {"OUT-99"}}
	tried := 0
	f.routes(func(method, path string) {
		foreign, nobodys := fill(path, objects, 0), fill(path, none, 0)
		if foreign == nobodys || makesOwn(method, path) {
			return
		}
		plain := func(target string) string {
			text := f.call("stranger", strings.ToUpper(method), target, bodies(method, path)).text
			id, _, _ := strings.Cut(strings.TrimPrefix(target, path[:strings.Index(path, "{")]), "/")
			return strings.ReplaceAll(text, id, "ID")
		}
		require.Equal(t, plain(nobodys), plain(foreign), "%s %s", method, path)
		tried++
	})
	require.Equal(t, 56, tried)
	require.Equal(t,
		strings.ReplaceAll(f.call("house-person", "GET", "/api/v1/me", "", inTenant("other")).text, "other", "T"),
		strings.ReplaceAll(f.call("house-person", "GET", "/api/v1/me", "", inTenant("nowhere")).text, "nowhere", "T"), "nor whether a tenant is there")
}

// TestRolesHoldOnEveryRoute: viewers read, responders act, managers plan, the rest takes an admin, and nobody comes without a token.
func TestRolesHoldOnEveryRoute(t *testing.T) {
	f := whole(t)
	objects := f.objects()
	roles := []string{"viewer", "responder", "manager", "admin"}
	f.routes(func(method, path string) {
		least := leastRole(method, strings.TrimPrefix(path, root))
		f.opts.Outbox.(*drawer).overrides = []Override{{ID: "override-1", Team: "ops"}}
		target := fill(path, objects, 0)
		require.Equal(t, 401, f.call("", strings.ToUpper(method), target, bodies(method, path)).StatusCode, "%s %s", method, path)
		for n, who := range roles {
			got := f.call(who, strings.ToUpper(method), target, bodies(method, path)).StatusCode
			if n < least {
				require.Equal(t, 403, got, "%s %s as %s", method, path, who)
			} else {
				require.NotContains(t, []int{401, 403}, got, "%s %s as %s", method, path, who)
			}
		}
	})
}

// leastRole returns the place among viewer, responder, manager, admin from which a route is allowed.
func leastRole(method, path string) int {
	switch {
	case strings.HasPrefix(path, "/users"), strings.HasPrefix(path, "/admin/"), path == "/notify/receivers", path == "/notify/test":
		return 3
	case method != "get" && (strings.HasPrefix(path, "/windows") || strings.HasPrefix(path, "/oncall") ||
		strings.HasPrefix(path, "/cis") || strings.HasPrefix(path, "/pairs") || strings.HasPrefix(path, "/cmdb") || strings.HasPrefix(path, "/services")), method == "put" && strings.HasSuffix(path, "/major"):
		return 2
	case method != "get" && path != "/notify/preview":
		return 1
	}
	return 0
}
