package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
	"github.com/tocsin-noc/tocsin/internal/people"
)

// withPeople gives the daemon a table of people, which its guard asks too.
func withPeople(t *testing.T) (*people.Store, func(*Options)) {
	store, err := people.Open(filepath.Join(t.TempDir(), "people.db"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	return store, func(o *Options) { o.People = store }
}

// house is a fixture with people: its guard knows them as well as the fixture's tokens.
func house(t *testing.T, edit ...func(*Options)) (*fixture, *people.Store) {
	store, known := withPeople(t)
	f := newFixture(t, append(edit, known)...)
	creds := auth.Credentials{People: store}
	for name, role := range map[string]auth.Role{"viewer": auth.Viewer, "responder": auth.Responder, "manager": auth.Manager, "admin": auth.Admin} {
		secret, entry, err := auth.NewToken(name, role, "main")
		require.NoError(t, err)
		f.tokens[name], creds.Tokens = secret, append(creds.Tokens, entry)
	}
	secret, entry, err := auth.NewToken("stranger", auth.Admin, "other")
	require.NoError(t, err)
	f.tokens["stranger"], creds.Tokens = secret, append(creds.Tokens, entry)
	f.opts.Guard.Use(creds)
	return f, store
}

// join adds a person with a token, by which calls are made under the login.
func (f *fixture) join(login, grants string) {
	f.t.Helper()
	res := f.call("admin", "POST", "/api/v1/users", `{"login":"`+login+`","name":"`+strings.ToUpper(login)+`","grants":`+grants+`}`)
	require.Equal(f.t, 201, res.StatusCode, res.text)
	res = f.call("admin", "POST", "/api/v1/users/"+login+"/tokens", `{"name":"t"}`)
	require.Equal(f.t, 201, res.StatusCode, res.text)
	var made struct{ Token string }
	require.NoError(f.t, json.Unmarshal([]byte(res.text), &made))
	f.tokens[login] = made.Token
}

func inTenant(tenant string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(auth.TenantHeader, tenant) }
}

func TestTheJournalHoldsAnOpaqueIdAndAnswersShowTheName(t *testing.T) {
	f, store := house(t)
	f.storm()
	f.join("ann", `[{"role":"responder"}]`)
	require.Equal(t, 200, f.call("ann", "POST", "/api/v1/incidents/1/acknowledge", "").StatusCode)
	require.Equal(t, 200, f.call("responder", "POST", "/api/v1/incidents/1/assign", `{"assignee":"ann"}`).StatusCode)
	i := get[Incident](f, "viewer", "/api/v1/incidents/1")
	require.Equal(t, []string{"ANN", "ANN"}, []string{i.AcknowledgedBy, i.Assignee})
	require.Regexp(t, `^u-[a-z2-7]{10}$`, i.AcknowledgedByID)
	require.Equal(t, i.AcknowledgedByID, i.AssigneeID)
	for _, ch := range f.engine.log {
		require.NotContains(t, strings.ToLower(ch.Actor), "ann")
		if ch.Incident != nil {
			require.NotContains(t, strings.ToLower(ch.Incident.AckedBy+ch.Incident.Assignee), "ann")
		}
	}
	require.Equal(t, 200, f.call("admin", "POST", "/api/v1/users/ann/forget", "").StatusCode)
	require.Equal(t, "former user "+i.AcknowledgedByID, get[Incident](f, "viewer", "/api/v1/incidents/1").AcknowledgedBy)
	require.Equal(t, 401, f.call("ann", "GET", "/api/v1/me", "").StatusCode)
	require.Empty(t, store.List())
}

func TestWhoIsNamedAsAPersonIsAnIdInTheJournal(t *testing.T) {
	f, _ := house(t)
	f.storm()
	f.join("ann", `[{"role":"manager"}]`)
	const silence = `{"matchers":[{"name":"instance","value":"x"}],"duration":"1h","comment":"","created_by":"%s"}`
	for _, by := range []string{"ann", "ANN", "Bert Ohm"} { // login, name, somebody unknown
		require.Equal(t, 201, f.call("responder", "POST", "/api/v1/silences", fmt.Sprintf(silence, by)).StatusCode)
	}
	require.Equal(t, 201, f.call("ann", "POST", "/api/v1/windows", `{"name":"x","reason":"x","cis":["x"],"duration":"1h","created_by":"ann"}`).StatusCode)
	require.Equal(t, 200, f.call("responder", "POST", "/api/v1/incidents/1/assign", `{"assignee":"ANN"}`).StatusCode)
	var by []string
	for _, s := range get[SilenceList](f, "viewer", "/api/v1/silences").Silences {
		by = append(by, s.CreatedBy)
	}
	require.ElementsMatch(t, []string{"ANN", "ANN", "Bert Ohm"}, by)
	for _, who := range []string{"ann", "ANN", get[User](f, "admin", "/api/v1/users/ann").ID} {
		require.Equal(t, 1, get[IncidentList](f, "viewer", "/api/v1/incidents?assignee="+who).Total, who)
	}
	require.Zero(t, get[IncidentList](f, "viewer", "/api/v1/incidents?assignee=bob").Total)
	_, made := f.opts.People.Known("bob")
	require.False(t, made, "asking makes nobody")
	for _, ch := range f.engine.log {
		text := event.AppendChanges(nil, []event.Change{ch})
		for _, word := range []string{"ann", "ANN", "Bert"} {
			require.NotContains(t, string(text), word, ch.Kind)
		}
	}
}

func TestAPersonWithGrantsInSeveralTenantsChoosesOne(t *testing.T) {
	f, _ := house(t)
	f.storm()
	f.join("bob", `[{"role":"viewer"},{"role":"responder","tenant":"other"}]`)
	require.Equal(t, "main viewer", who(t, f.call("bob", "GET", "/api/v1/me", "")))
	require.Equal(t, "other responder", who(t, f.call("bob", "GET", "/api/v1/me", "", inTenant("other"))))
	require.Equal(t, 403, f.call("bob", "POST", "/api/v1/incidents/1/acknowledge", "").StatusCode)
	require.Equal(t, 200, f.call("bob", "POST", "/api/v1/incidents/2/acknowledge", "", inTenant("other")).StatusCode)
	p := f.call("bob", "GET", "/api/v1/me", "", inTenant("third")).problem(t)
	require.Equal(t, []any{403, "tenant_not_granted"}, []any{p.Status, p.Code})
}

func who(t *testing.T, a answer) string {
	var me Me
	require.NoError(t, json.Unmarshal([]byte(a.text), &me), a.text)
	return me.Tenant + " " + me.Role
}

func TestAProviderLooksIntoEveryTenantAndActsInNone(t *testing.T) {
	f, _ := house(t)
	f.storm()
	f.join("noc", `[{"role":"provider"}]`)
	tenants := map[string]bool{}
	for _, i := range get[IncidentList](f, "noc", "/api/v1/incidents").Incidents {
		tenants[i.Tenant] = true
	}
	require.Equal(t, map[string]bool{"main": true, "other": true}, tenants)
	require.Len(t, get[AlertList](f, "noc", "/api/v1/alerts").Alerts, 4)
	require.Equal(t, 201, f.call("stranger", "POST", "/api/v1/windows", `{"name":"x","reason":"x","cis":["x"],"duration":"1h"}`).StatusCode)
	require.Equal(t, "other", get[WindowList](f, "noc", "/api/v1/windows").Windows[0].Tenant)
	require.Equal(t, "other", get[Calendar](f, "noc", "/api/v1/calendar").Entries[0].Tenant)
	require.Equal(t, "other viewer", who(t, f.call("noc", "GET", "/api/v1/me", "", inTenant("other"))))
	p := f.call("noc", "POST", "/api/v1/incidents/1/acknowledge", "").problem(t)
	require.Equal(t, []any{400, "tenant_needed"}, []any{p.Status, p.Code})
	require.Equal(t, 403, f.call("noc", "POST", "/api/v1/incidents/1/acknowledge", "", inTenant("main")).StatusCode)
}

func TestAGrantForTeamsReachesTheirIncidentsOnly(t *testing.T) {
	f, _ := house(t)
	f.storm()
	f.join("dba", `[{"role":"responder","teams":["db"]}]`)
	require.Equal(t, 200, f.call("responder", "POST", "/api/v1/incidents/1/assign", `{"assignee":"","team":"web"}`).StatusCode)
	for path, body := range map[string]string{
		"acknowledge": "", "resolve": "", "notes": `{"text":"x"}`, "assign": `{"assignee":"dba","team":"db"}`, "silence": `{"duration":"1h"}`,
		"snooze": `{"duration":"1h"}`, "hold": `{"duration":"1h","reason":"x"}`, "unhold": "",
	} {
		require.Equal(t, 403, f.call("dba", "POST", "/api/v1/incidents/1/"+path, body).StatusCode, path)
	}
	require.Equal(t, 403, f.call("dba", "POST", "/api/v1/handover/sign", `{"team":"web"}`).StatusCode)
	require.Equal(t, 200, f.call("dba", "POST", "/api/v1/handover/sign", `{"team":"db"}`).StatusCode)
	require.Equal(t, 200, f.call("responder", "POST", "/api/v1/incidents/1/assign", `{"assignee":"","team":"db"}`).StatusCode)
	require.Equal(t, 200, f.call("dba", "POST", "/api/v1/incidents/1/acknowledge", "").StatusCode)
}

func TestPeopleAreManagedByAdminsOfMain(t *testing.T) {
	f, _ := house(t)
	for _, c := range []struct {
		who, method, path, body string
		want                    int
	}{
		{"manager", "GET", "/users", "", 403},
		{"stranger", "GET", "/users", "", 403},
		{"stranger", "POST", "/users", `{"login":"x"}`, 403},
		{"admin", "POST", "/users", `{"login":"a b"}`, 422},
		{"admin", "POST", "/users", `{"login":"ann","email":"ann@example.org","zone":"Europe/Berlin","grants":[{"role":"viewer"}]}`, 201},
		{"admin", "POST", "/users", `{"login":"ann"}`, 409},
		{"admin", "PATCH", "/users/ann", `{"phone":"1"}`, 200},
		{"admin", "PATCH", "/users/bert", `{"phone":"1"}`, 404},
		{"admin", "PATCH", "/users/ann", `{"grants":[{"role":"king"}]}`, 422},
		{"admin", "POST", "/users/ann/tokens", `{"name":"laptop","duration":"90d"}`, 201},
		{"admin", "POST", "/users/ann/tokens", `{"name":"laptop"}`, 409},
		{"admin", "DELETE", "/users/ann/tokens/laptop", "", 204},
		{"admin", "DELETE", "/users/ann/tokens/laptop", "", 404},
		{"admin", "POST", "/users/nobody/forget", "", 404},
	} {
		res := f.call(c.who, c.method, "/api/v1"+c.path, c.body)
		require.Equal(t, c.want, res.StatusCode, "%s %s: %s", c.method, c.path, res.text)
	}
	u := get[User](f, "admin", "/api/v1/users/ann")
	require.Equal(t, []string{"ann@example.org", "1", "Europe/Berlin"}, []string{u.Email, u.Phone, u.Zone})
	require.Len(t, get[UserList](f, "admin", "/api/v1/users").Users, 1)
	require.NotContains(t, f.call("admin", "GET", "/api/v1/users/ann", "").text, "digest")
}

func TestPagesAndStreamsChooseTheirTenantInTheQuery(t *testing.T) {
	f, _ := house(t)
	f.storm()
	f.join("bob", `[{"role":"viewer"},{"role":"responder","tenant":"other"}]`)
	f.join("noc", `[{"role":"provider"}]`)
	list := get[IncidentList](f, "bob", "/api/v1/incidents?tenant=other&limit=5")
	require.Equal(t, "other", list.Incidents[0].Tenant)
	require.Equal(t, "/incidents/INC-2?tenant=other", list.Incidents[0].Link)
	require.Equal(t, "/incidents/INC-1", get[Incident](f, "bob", "/api/v1/incidents/1").Link)
	require.Equal(t, "other", f.call("bob", "GET", "/api/v1/alerts?tenant=other", "").Header.Get(auth.TenantHeader))
	require.Equal(t, "*", f.call("noc", "GET", "/api/v1/alerts", "").Header.Get(auth.TenantHeader), "it looks into all")
	require.Equal(t, 403, f.call("bob", "GET", "/api/v1/stream?tenant=third", "").StatusCode)
	require.Equal(t, 422, f.call("bob", "GET", "/api/v1/incidents?tenant=other&colour=blue", "").StatusCode, "a misspelt filter shows nothing")
	l := f.listen(t, "bob", "?tenant=other&after=0.0.0")
	for {
		e := l.next()
		if e["event"] == "incident_opened" {
			require.Contains(t, e["data"], "INC-2", "the other tenant's comes first, for it is the only one")
			return
		}
	}
}

func TestTheLastAdminGoesByForceOnly(t *testing.T) {
	f, store := house(t)
	f.join("root", `[{"role":"admin"}]`)
	f.opts.Guard.Use(auth.Credentials{People: store}) // no token file any more
	for _, c := range [][3]string{{"POST", "/api/v1/users/root/forget"}, {"DELETE", "/api/v1/users/root/tokens/t"}, {"PATCH", "/api/v1/users/root", `{"disabled":true}`}, {"PATCH", "/api/v1/users/root", `{"grants":[]}`}} {
		p := f.call("root", c[0], c[1], c[2]).problem(t)
		require.Equal(t, http.StatusConflict, p.Status, c)
		require.Equal(t, "root is the last who can prove to be an admin of main: then everybody who connects directly from the daemon's own machine is admin, and people elsewhere have none", p.Detail)
		require.Contains(t, p.Hint, "--force")
	}
	require.Equal(t, 200, f.call("root", "PATCH", "/api/v1/users/root", `{"phone":"1"}`).StatusCode, "that takes nothing away")
	f.tokens["admin"] = f.tokens["root"]
	f.join("second", `[{"role":"admin"}]`)
	require.Equal(t, 204, f.call("root", "DELETE", "/api/v1/users/root/tokens/t", "").StatusCode, "there is another")
	require.Equal(t, 409, f.call("second", "POST", "/api/v1/users/second/forget", "").StatusCode)
	require.Equal(t, 200, f.call("second", "POST", "/api/v1/users/second/forget?force=true", "").StatusCode)
}

func TestWhatIsWrongWithATokenSaysToken(t *testing.T) {
	f, _ := house(t)
	f.join("ann", `[{"role":"viewer"}]`)
	for _, c := range []struct{ method, path, body, want string }{
		{"POST", "/api/v1/users/ann/tokens", `{"name":"t"}`, `ann has a token "t" already`},
		{"POST", "/api/v1/users/ann/tokens", `{"name":"u","duration":"0s"}`, "duration: must be a time such as 12h or 90d"},
		{"DELETE", "/api/v1/users/ann/tokens/x", "", `ann has no token "x"`},
		{"POST", "/api/v1/users", `{"login":"bob","email":"foo"}`, `e-mail address "foo": must be one as in ann@example.org`},
		{"POST", "/api/v1/users", `{"login":"anonymous"}`, `login "anonymous": that is who nobody proved to be`},
	} {
		require.Equal(t, c.want, f.call("admin", c.method, c.path, c.body).problem(t).Detail)
	}
}

func TestATenantLearnsNothingOfAnothersPeople(t *testing.T) {
	f, store := house(t)
	f.storm()
	f.join("dora", `[{"role":"responder","tenant":"main"}]`)
	f.join("olga", `[{"role":"responder","tenant":"other"}]`)
	dora, ok := store.Find("dora")
	require.True(t, ok)
	assign := func(who, incident, name string) answer {
		return f.call(who, "POST", "/api/v1/incidents/"+incident+"/assign", `{"assignee":"`+name+`"}`)
	}
	for _, name := range []string{"dora", dora, "nobody"} {
		a := assign("stranger", "2", name)
		require.Equal(t, 422, a.StatusCode, name)
		require.Contains(t, a.text, "nobody called "+name+" has a part in the tenant other", "whether there is such a person or not")
	}
	require.Equal(t, 200, assign("stranger", "2", "olga").StatusCode)
	require.Equal(t, 200, assign("stranger", "2", "").StatusCode)
	require.Equal(t, 200, assign("responder", "1", "dora").StatusCode)
	require.Equal(t, 422, assign("responder", "1", "olga").StatusCode)
}
