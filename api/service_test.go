package api

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func TestServicesAreListedWithHowTheyDo(t *testing.T) {
	f := stocked(t)
	f.load("source=more", `services: [{id: mail, criticality: 2, owner: Bob, state: pipeline}, {id: old, state: retired}]`)
	ids := func(query string) string {
		var out []string
		for _, s := range get[ServiceList](f, "viewer", "/api/v1/services?"+query).Services {
			out = append(out, s.ID)
		}
		return strings.Join(out, " ")
	}
	for query, want := range map[string]string{
		"": "shop mail", "state=pipeline": "mail", "state=retired": "old", "criticality=2,3": "mail", "owner=Ada": "shop", "team=web": "shop", "q=WEB": "shop",
		"status=up": "shop", "status=down": "", "limit=1": "shop",
	} {
		require.Equal(t, want, ids(query), query)
	}
	require.Equal(t, "mail", ids("limit=1&cursor="+get[ServiceList](f, "viewer", "/api/v1/services?limit=1").NextCursor))
	for _, bad := range []string{"state=broken", "criticality=5", "status=x"} {
		require.Equal(t, 422, f.call("viewer", "GET", "/api/v1/services?"+bad, "").StatusCode, bad)
	}
	f.engine.say("main", "prometheus", false, "alertname", "Down", "severity", "critical", "instance", "web-1")
	f.engine.say("main", "prometheus", false, "alertname", "Down", "severity", "critical", "instance", "web-2")
	s := get[ServiceDetail](f, "viewer", "/api/v1/services/shop")
	require.Equal(t, []any{"down", "Ada", uint8(1), "OUT-1"}, []any{s.Status, s.Owner, s.Criticality, s.Outage})
	require.Equal(t, []any{s.OpenIncidents, "OUT-1", "Web shop"}, []any{len(s.Incidents), s.Running[0].ID, s.Running[0].ServiceName})
	require.Equal(t, "web", s.Relations[0].ID)
	require.Equal(t, 404, f.call("viewer", "GET", "/api/v1/services/web", "").StatusCode, "it is no service")
	require.Equal(t, 404, f.call("viewer", "GET", "/api/v1/services/nobody/ready", "").StatusCode)
}

func TestAServiceIsKeptByHand(t *testing.T) {
	f := newFixture(t, withFiles)
	res := f.call("manager", "PUT", "/api/v1/services/shop", `{"name":"Web shop","criticality":"1","owner":"Ada","value_per_hour":"1200.50","currency":"EUR","rto":"4h","state":"pipeline"}`)
	require.Equal(t, 200, res.StatusCode, res.text)
	var s ServiceDetail
	require.NoError(t, json.Unmarshal([]byte(res.text), &s))
	require.Equal(t, []any{"pipeline", "none", "1200.50", "EUR", "4h", "people"}, []any{s.State, s.Status, s.ValuePerHour, s.Currency, s.RTO, s.Source})
	require.Equal(t, 200, f.call("manager", "PUT", "/api/v1/services/shop", `{"state":"live","owner":""}`).StatusCode)
	s = get[ServiceDetail](f, "viewer", "/api/v1/services/shop")
	require.Equal(t, []any{"live", "", "1200.50"}, []any{s.State, s.Owner, s.ValuePerHour})
	require.Equal(t, 200, f.call("manager", "PUT", "/api/v1/cis/db", `{"class":"database"}`).StatusCode)
	f.fails("manager", "PUT", "services/db", `{}`, 409, "of class database")
	f.fails("manager", "PUT", "services/shop", `{"criticality":"9"}`, 422, "1, 2, 3 or 4")
	f.fails("manager", "PUT", "services/shop", `{"runbook":"javascript:alert(1)"}`, 422, "https")
	f.fails("responder", "PUT", "services/shop", `{}`, 403)

	ready := func() (missing string) {
		r := get[ServiceReady](f, "viewer", "/api/v1/services/shop/ready")
		for _, c := range r.Checks {
			if !c.OK {
				missing += " " + c.Name
			}
		}
		require.Equal(t, missing == "", r.Ready)
		return missing
	}
	require.Equal(t, " owner sla contact runbook monitored plan", ready())
	today := time.Now().UTC().Format(time.DateOnly)
	f.call("manager", "PUT", "/api/v1/services/shop", `{"owner":"Ada","sla":"gold","contact":"a@example.org","runbook":"https://wiki.example.org/shop","plan_tested":"`+today+`","relations":{"depends_on":["db"]}}`)
	require.Empty(t, ready())
}

func TestAvailabilityComesFromOutages(t *testing.T) {
	f := stocked(t)
	f.call("manager", "PUT", "/api/v1/services/shop", `{"value_per_hour":"1200","currency":"EUR"}`)
	at := func(back time.Duration) string {
		return time.Now().Add(-back).UTC().Truncate(time.Second).Format(time.RFC3339)
	}
	report := func(body string) Outage {
		res := f.call("responder", "POST", "/api/v1/outages", body)
		require.Equal(t, 201, res.StatusCode, res.text)
		var o Outage
		require.NoError(t, json.Unmarshal([]byte(res.text), &o))
		return o
	}
	o := report(`{"service":"shop","began_at":"` + at(10*time.Hour) + `","ended_at":"` + at(7*time.Hour) + `","cause":"expired certificate"}`)
	require.Equal(t, []any{"OUT-1", "down", "confirmed", "person", "responder", false}, []any{o.ID, o.Kind, o.State, o.Source, o.ConfirmedBy, o.Running})
	report(`{"service":"shop","kind":"degraded","began_at":"` + at(8*time.Hour) + `","ended_at":"` + at(6*time.Hour) + `"}`)
	a := get[ServiceAvailability](f, "viewer", "/api/v1/services/shop/availability?from="+url.QueryEscape(at(100*time.Hour))+"&to="+url.QueryEscape(at(0)))
	hour := int64(event.Hour)
	require.Equal(t, []any{100 * hour, 3 * hour, hour, 2, "3600.00", "EUR"}, []any{a.Figures.PeriodMS, a.Figures.DownMS, a.Figures.DegradedMS, a.Figures.Outages, a.Figures.Cost, a.Currency})
	require.InDelta(t, 97, *a.Figures.Percent, 1e-9)
	require.Equal(t, []string{"OUT-2", "OUT-1"}, []string{a.Outages[0].ID, a.Outages[1].ID})
	require.Empty(t, get[ServiceAvailability](f, "viewer", "/api/v1/services/shop/availability?to="+url.QueryEscape(at(11*time.Hour))).Outages)
	s := get[ServiceList](f, "viewer", "/api/v1/services").Services[0]
	require.Equal(t, 3*hour, s.Availability.DownMS)
	for _, bad := range []string{"from=2999-01-01T00:00:00Z", "to=2999-01-01T00:00:00Z", "from=2001-01-01T00:00:00Z", "from=x"} {
		require.Equal(t, 422, f.call("viewer", "GET", "/api/v1/services/shop/availability?"+bad, "").StatusCode, bad)
	}
	require.Empty(t, cost(1<<62, 400*event.Day), "no number any more")
	require.Equal(t, "0.33", cost(10_000, 20*event.Minute))
}

func TestOutagesAreConfirmedRejectedAndCorrected(t *testing.T) {
	f := stocked(t)
	f.engine.say("main", "prometheus", false, "alertname", "Down", "severity", "critical", "instance", "web-1")
	f.engine.say("main", "prometheus", false, "alertname", "Down", "severity", "critical", "instance", "web-2")
	o := get[Outage](f, "viewer", "/api/v1/outages/OUT-1")
	require.Equal(t, []any{"shop", "down", "proposed", "machine", true}, []any{o.Service, o.Kind, o.State, o.Source, o.Running})
	require.NotEmpty(t, o.Incidents)
	patch := func(id, body string) Outage {
		res := f.call("responder", "PATCH", "/api/v1/outages/"+id, body)
		require.Equal(t, 200, res.StatusCode, res.text)
		var o Outage
		require.NoError(t, json.Unmarshal([]byte(res.text), &o))
		return o
	}
	o = patch("1", `{"state":"confirmed"}`)
	require.Equal(t, []any{"confirmed", "responder", "down"}, []any{o.State, o.ConfirmedBy, o.Kind})
	began := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	o = patch("OUT-1", `{"kind":"degraded","began_at":"`+began.Format(time.RFC3339)+`","cause":"disk"}`)
	require.Equal(t, []any{"degraded", began, "disk", "confirmed"}, []any{o.Kind, o.BeganAt, o.Cause, o.State})
	require.Equal(t, "rejected", patch("out-1", `{"state":"rejected"}`).State)
	planned := f.call("responder", "POST", "/api/v1/outages", `{"service":"shop","kind":"planned","began_at":"`+time.Now().Add(time.Hour).UTC().Format(time.RFC3339)+`","ended_at":"`+time.Now().Add(2*time.Hour).UTC().Format(time.RFC3339)+`"}`)
	require.Equal(t, 201, planned.StatusCode, planned.text)

	for query, want := range map[string]string{
		"": "OUT-2 OUT-1", "state=rejected": "OUT-1", "kind=planned": "OUT-2", "running=true": "", "running=false": "OUT-2 OUT-1", "service=shop": "OUT-2 OUT-1", "service=x": "",
		"to=" + url.QueryEscape(time.Now().UTC().Format(time.RFC3339)): "OUT-1", "limit=1": "OUT-2",
	} {
		var got []string
		for _, o := range get[OutageList](f, "viewer", "/api/v1/outages?"+query).Outages {
			got = append(got, o.ID)
		}
		require.Equal(t, want, strings.Join(got, " "), query)
	}
	require.Equal(t, "OUT-1", get[OutageList](f, "viewer", "/api/v1/outages?limit=1&cursor="+get[OutageList](f, "viewer", "/api/v1/outages?limit=1").NextCursor).Outages[0].ID)

	f.fails("viewer", "GET", "outages/OUT-9", "", 404)
	f.fails("viewer", "GET", "outages/x", "", 404)
	f.fails("viewer", "GET", "outages?state=x", "", 422)
	f.fails("viewer", "GET", "outages?kind=x", "", 422)
	f.fails("responder", "PATCH", "outages/9", `{"state":"confirmed"}`, 404)
	f.fails("responder", "PATCH", "outages/1", `{}`, 422, "nothing to change")
	f.fails("responder", "PATCH", "outages/1", `{"state":"proposed"}`, 422)
	f.fails("responder", "PATCH", "outages/1", `{"ended_at":"2020-01-01T00:00:00Z"}`, 422, "end after it began")
	f.fails("responder", "PATCH", "outages/1", `{"incidents":["INC-99"]}`, 404, "INC-99")
	f.fails("responder", "PATCH", "outages/1", `{"incidents":["x"]}`, 404)
	f.fails("responder", "POST", "outages", `{"service":"web"}`, 404, "no service web")
	f.fails("responder", "POST", "outages", `{"service":"shop","kind":"planned"}`, 422, "needs an end")
	f.fails("viewer", "POST", "outages", `{"service":"shop"}`, 403)
}

func TestTheStreamTellsOfItemsAndOutagesToTheirTenantOnly(t *testing.T) {
	f := newFixture(t, withFiles)
	main, other := f.listen(t, "viewer", ""), f.listen(t, "stranger", "")
	main.hello()
	other.hello()
	f.load("source=files", shop)
	require.Equal(t, 201, f.call("responder", "POST", "/api/v1/outages", `{"service":"shop"}`).StatusCode)
	require.Equal(t, 200, f.call("stranger", "PUT", "/api/v1/cis/mine", `{"class":"host"}`).StatusCode)
	var ch Change
	require.NoError(t, json.Unmarshal([]byte(other.next()["data"]), &ch))
	require.Equal(t, []any{"ci_set", "mine", "host"}, []any{ch.Kind, ch.CI.ID, ch.CI.Class}, "the first thing that is other's")
	for range 7 {
		e := main.next()
		ch = Change{}
		require.NoError(t, json.Unmarshal([]byte(e["data"]), &ch))
		require.Equal(t, strings.HasPrefix(ch.Kind, "ci_"), ch.CI != nil, ch.Kind)
	}
	require.Equal(t, []any{"outage_set", "OUT-1", "responder", true}, []any{ch.Kind, ch.Outage.ID, ch.Outage.ConfirmedBy, ch.Outage.Running})
}

func TestWhoActsForATeamKeepsItsItemsOnly(t *testing.T) {
	f, _ := house(t, withFiles)
	f.load("source=files", shop)
	f.join("webber", `[{"role":"manager","teams":["web"]}]`)
	f.join("mailer", `[{"role":"manager","teams":["mail"]}]`)
	require.Equal(t, 200, f.call("webber", "PUT", "/api/v1/services/shop", `{"owner":"x"}`).StatusCode)
	require.Equal(t, 201, f.call("webber", "POST", "/api/v1/outages", `{"service":"shop"}`).StatusCode)
	f.fails("mailer", "PUT", "services/shop", `{"owner":"y"}`, 403, "may act for mail")
	f.fails("mailer", "POST", "cis/shop/retire", "", 403)
	f.fails("mailer", "POST", "outages", `{"service":"shop"}`, 403)
	f.fails("mailer", "PATCH", "outages/1", `{"state":"rejected"}`, 403)
	f.fails("mailer", "PUT", "cis/new", `{"class":"host","attributes":{"team":"web"}}`, 403)
	require.Equal(t, 200, f.call("mailer", "PUT", "/api/v1/cis/new", `{"class":"host","attributes":{"team":"mail"}}`).StatusCode)
	require.Equal(t, 403, f.call("webber", "POST", "/api/v1/cmdb/import", shop, asYAML).StatusCode, "an import touches everybody's")
}
