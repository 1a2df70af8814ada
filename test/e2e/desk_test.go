package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/internal/peers"
)

// record is what these tests read of an incident.
type record struct {
	ID         string   `json:"id"`
	State      string   `json:"state"`
	Status     string   `json:"status"`
	Priority   any      `json:"priority"`
	CI         string   `json:"ci"`
	MergedInto string   `json:"merged_into"`
	Next       []string `json:"next"`
	Services   []struct {
		Service string `json:"service"`
		Down    bool   `json:"down"`
	} `json:"services"`
	Alerts struct{ Total, Firing int } `json:"alerts"`
	Major  *struct{ Commander string } `json:"major"`
}

type outage struct {
	ID, Service, Kind, State, Source, Cause string
	Running                                 bool
	Incidents                               []string
}

// desk speaks to a daemon as a client of its API.
type desk struct {
	t    *testing.T
	base string
}

func (d *desk) try(method, path, body string, headers ...string) (int, string) {
	d.t.Helper()
	status, answer := send(method, d.base+"/api/v1"+path, []byte(body), append([]string{"Content-Type", "application/json"}, headers...)...)
	return status, string(answer)
}

func (d *desk) do(method, path, body string, into any) {
	d.t.Helper()
	status, answer := d.try(method, path, body)
	require.Less(d.t, status, 300, "%s %s: %s", method, path, answer)
	if into != nil {
		require.NoError(d.t, json.Unmarshal([]byte(answer), into), answer)
	}
}

func (d *desk) incident(id string) (r record) {
	d.t.Helper()
	d.do("GET", "/incidents/"+id, "", &r)
	return r
}

func (d *desk) act(id, step, body string) (r record) {
	d.t.Helper()
	d.do("POST", "/incidents/"+id+"/"+step, body, &r)
	return r
}

// what stands before the story: three replicas under a shop.
const estate = `
services:
  - {id: shop, criticality: 1, owner: ann, team: web, depends_on: db}
cis:
  - {id: db, class: cluster}
  - {id: db-1, class: host, part_of: db}
  - {id: db-2, class: host, part_of: db}
`

func TestTheLifeOfAnIncidentByTheAPIAlone(t *testing.T) {
	d := peers.Tocsin(t)
	k := &desk{t, d.URL}
	var imported struct{ Changed, Unchanged int }
	imports := func() {
		status, answer := send(http.MethodPost, k.base+"/api/v1/cmdb/import?source=estate.yml", []byte(estate), "Content-Type", "text/yaml")
		require.Equal(t, http.StatusOK, status, string(answer))
		require.NoError(t, json.Unmarshal(answer, &imported))
	}
	imports()
	require.Equal(t, 4, imported.Changed)
	imports()
	require.Equal(t, 0, imported.Changed, "the same import changes nothing")

	status, answer := k.try("POST", "/incidents", `{"title":"slow","service":"shpo","severity":"minor"}`)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, answer, "there is no service shpo")

	mustPost(t, k.base, firing("Down", "db-1:9100"))
	one := k.incident("INC-1")
	require.Equal(t, "db-1", one.CI)
	require.Equal(t, "new", one.State)
	require.Equal(t, "shop", one.Services[0].Service)
	require.False(t, one.Services[0].Down, "the other replica runs")
	require.Equal(t, "in_progress", k.act("INC-1", "begin", "{}").State)
	require.Equal(t, "on_hold", k.act("INC-1", "hold", `{"duration":"1h","reason_kind":"vendor","reason":"the disk is on its way"}`).State)

	mustPost(t, k.base, firing("Broken", "db-2:9100"))
	// takeOut makes an incident of its own of what broke in one with the other.
	takeOut := func(title string) (id string) {
		alerts := get[struct {
			Alerts []struct {
				ID     string
				Labels map[string]string
			}
		}](t, k.base+"/api/v1/incidents/INC-1/alerts")
		require.Len(t, alerts.Alerts, 2, "the replicas are parts of one cluster and broke together")
		for _, a := range alerts.Alerts {
			if a.Labels["alertname"] == "Broken" {
				id = k.act("INC-1", "split", fmt.Sprintf(`{"alerts":[%q],"title":%q}`, a.ID, title)).ID
			}
		}
		return id
	}
	require.Equal(t, "INC-2", takeOut("another fault"))
	two := k.incident("INC-2")
	require.True(t, two.Services[0].Down, "redundancy is exhausted")
	var list struct{ Outages []outage }
	k.do("GET", "/outages", "", &list)
	require.Len(t, list.Outages, 1)
	require.Equal(t, []string{"shop", "down", "proposed", "machine"}, []string{list.Outages[0].Service, list.Outages[0].Kind, list.Outages[0].State, list.Outages[0].Source})

	stays := k.act("INC-1", "merge", `{"other":"INC-2","why":"one rack"}`)
	require.Equal(t, 2, stays.Alerts.Total)
	require.Equal(t, "INC-1", k.incident("INC-2").MergedInto)
	status, answer = k.try("POST", "/incidents/INC-2/acknowledge", "")
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, answer, "INC-1", "it names the one that stays")
	k.act("INC-2", "unmerge", `{"reason":"two racks after all"}`)
	require.Equal(t, 1, k.incident("INC-1").Alerts.Total)
	require.Empty(t, k.incident("INC-2").MergedInto)
	k.act("INC-1", "merge", `{"other":"INC-2","why":"one power feed"}`)
	require.Equal(t, "INC-3", takeOut("db-2 broke by itself"))
	k.do("PUT", "/incidents/INC-3/major", `{"commander":"ann","bridge":"https://meet.example.org/1","why":"the shop is down"}`, nil)
	require.NotNil(t, k.incident("INC-3").Major)
	k.act("INC-3", "update", `{"text":"We are replacing the machine."}`)
	k.do("PATCH", "/outages/"+list.Outages[0].ID, `{"state":"confirmed","cause":"power feed B"}`, nil)

	mustPost(t, k.base, over(firing("Down", "db-1:9100")), over(firing("Broken", "db-2:9100")))
	k.do("GET", "/outages", "", &list)
	require.False(t, list.Outages[0].Running, "it ended with the first clear")
	require.Equal(t, "resolved", k.act("INC-3", "resolve", `{}`).State)
	require.Equal(t, "resolved", k.act("INC-1", "resolve", `{}`).State)
	require.Equal(t, "closed", k.act("INC-1", "close", `{}`).State)
	status, answer = k.try("POST", "/incidents/INC-1/begin", "{}")
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, answer, "closed")
	require.NotEqual(t, "closed", k.act("INC-1", "reopen", `{"reason":"closed too early"}`).State)

	for args, words := range map[string]string{
		"incident show INC-3": "We are replacing the machine.", "cmdb impact db-1": "shop", "service show shop": "ann", "outage list": "power feed B",
		"incident show INC-1": "one power feed",
	} {
		out, code := tool(t, append(strings.Fields(args), "--url", k.base)...)
		require.Zero(t, code, "%s: %s", args, out)
		require.Contains(t, out, words, args)
	}
	await(t, "the search finds the note", func() bool {
		out, code := tool(t, "search", "replacing", "machine", "--url", k.base)
		return code == 0 && strings.Contains(out, "INC-3")
	})
	before := k.incident("INC-1")
	d.Kill9()
	d.Restart()
	k.base = d.URL
	require.Equal(t, before, k.incident("INC-1"), "a restart changes nothing")
	d.Stop()
	requireSound(t, d.Data)
}

func TestWhatIsAnothersIsNotThere(t *testing.T) {
	d := peers.Tocsin(t)
	k := &desk{t, d.URL}
	status, answer := send(http.MethodPost, k.base+"/api/v1/cmdb/import?source=x.yml", []byte(estate), "Content-Type", "text/yaml")
	require.Equal(t, http.StatusOK, status, string(answer))
	k.do("POST", "/users", `{"login":"eve","grants":[{"role":"admin","tenant":"other"}]}`, nil)
	var token struct{ Token, Secret string }
	k.do("POST", "/users/eve/tokens", `{"name":"t"}`, &token)
	bearer := []string{"Authorization", "Bearer " + token.Token + token.Secret}
	for _, path := range []string{"/cis/db-1", "/services/shop", "/cis/db-1/impact", "/cis/db-1/versions"} {
		status, answer := k.try("GET", path, "", bearer...)
		require.Equal(t, http.StatusNotFound, status, "%s: %s", path, answer)
	}
	status, text := k.try("GET", "/cis", "", bearer...)
	require.Equal(t, http.StatusOK, status)
	require.NotContains(t, text, "db-1")
}
