package api

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/event"
)

// ids returns the ids of a list of incidents in their order.
func ids(l IncidentList) string {
	var out []string
	for _, i := range l.Incidents {
		out = append(out, strings.TrimPrefix(i.ID, "INC-"))
	}
	return strings.Join(out, " ")
}

// fleet opens incidents 1 to 4: critical, major, critical, major; 2 is acknowledged, 3 resolved, 4 assigned to team db.
func (f *fixture) fleet() *fixture {
	for i, sev := range []string{"critical", "major", "critical", "major"} {
		f.engine.say("main", "prometheus", false, "alertname", "Down", "severity", sev, "service", fmt.Sprintf("svc-%d", i+1))
	}
	for _, c := range []struct{ path, body string }{
		{"2/acknowledge", ""}, {"3/resolve", `{"reason":"planned"}`}, {"4/assign", `{"assignee":"bob","team":"db"}`},
	} {
		res := f.call("responder", "POST", "/api/v1/incidents/"+c.path, c.body)
		require.Equal(f.t, 200, res.StatusCode, res.text)
	}
	return f
}

func TestIncidentFilters(t *testing.T) {
	f := newFixture(t).fleet()
	for query, want := range map[string]string{
		"status=open&sort=severity":                       "1 4 2",
		"status=acknowledged":                             "2",
		"status=unacknowledged&sort=severity":             "1 4",
		"status=resolved":                                 "3",
		"status=resolved,acknowledged&sort=-priority":     "2 3",
		"severity=major&sort=priority":                    "4 2",
		"":                                                "4 2 1",
		"state=new&sort=severity":                         "1 4",
		"state=new,acknowledged&sort=opened_at":           "1 2 4",
		"state=resolved,new&sort=opened_at":               "1 3 4",
		"state=closed":                                    "",
		"status=all":                                      "4 3 2 1",
		"status=all&state=resolved":                       "3",
		"status=closed,cancelled,merged":                  "",
		"major=true":                                      "",
		"major=false&sort=opened_at":                      "1 2 4",
		"opened_by=machine&status=resolved":               "3",
		"opened_by=me":                                    "",
		"watcher=me":                                      "",
		"priority=P2&status=all&sort=priority":            "3 1",
		"priority=2&status=open":                          "1",
		"q=SVC-4":                                         "4",
		"q=inc-2":                                         "2",
		"filter=service%3D~%22svc-(1|2)%22&sort=severity": "1 2",
		"filter=service%21%3Dsvc-1&filter=service%21%3Dsvc-2&sort=severity&status=all": "3 4",
		"team=db":                    "4",
		"assignee=bob":               "4",
		"assignee=nobody":            "",
		"since=1h&status=resolved":   "3",
		"since=2999-01-01T00:00:00Z": "",
	} {
		list := get[IncidentList](f, "viewer", "/api/v1/incidents?"+query)
		require.Equal(t, want, ids(list), query)
		require.Equal(t, len(list.Incidents), list.Total, query)
	}
}

func TestPagesShowEverythingOnce(t *testing.T) {
	f := newFixture(t)
	for i := range 23 {
		f.engine.say("main", "prometheus", false, "alertname", "Down", "severity", []string{"critical", "major"}[i%2], "service", fmt.Sprint("svc-", i))
	}
	for _, sort := range []string{"opened_at", "-opened_at", "severity", "-priority", "updated"} {
		var seen []string
		cursor := ""
		for {
			page := get[IncidentList](f, "viewer", "/api/v1/incidents?limit=5&sort="+sort+"&cursor="+cursor)
			require.Equal(t, 23, page.Total)
			seen = append(seen, strings.Fields(ids(page))...)
			if cursor = page.NextCursor; cursor == "" {
				break
			}
		}
		require.Equal(t, strings.Fields(ids(get[IncidentList](f, "viewer", "/api/v1/incidents?limit=500&sort="+sort))), seen, sort)
	}
	page := get[IncidentList](f, "viewer", "/api/v1/incidents?limit=5&sort=severity")
	res := f.call("viewer", "GET", "/api/v1/incidents?sort=updated&cursor="+page.NextCursor, "")
	require.Equal(t, 422, res.StatusCode, "a cursor of another sort")
	require.Contains(t, res.problem(t).Detail, "does not belong")
}

func TestActions(t *testing.T) {
	f := newFixture(t).storm()
	act := func(name, body string) answer {
		return f.call("responder", "POST", "/api/v1/incidents/INC-1/"+name, body)
	}
	require.Equal(t, 200, act("acknowledge", "").StatusCode)
	require.Equal(t, 200, act("acknowledge", "").StatusCode, "twice is no error")
	require.Equal(t, 200, act("assign", `{"assignee":"bob","team":"db"}`).StatusCode)
	require.Equal(t, 200, act("notes", `{"text":" asked storage "}`).StatusCode)
	i := get[Incident](f, "viewer", "/api/v1/incidents/1")
	require.Equal(t, []any{"acknowledged", "responder", "bob", "db", uint32(1)}, []any{i.Status, i.AcknowledgedBy, i.Assignee, i.Team, i.Notes})

	res := act("resolve", "")
	require.Equal(t, 409, res.StatusCode)
	p := res.problem(t)
	require.Equal(t, "conflict", p.Code)
	require.Equal(t, "INC-1 still has 2 firing alerts", p.Detail)
	require.Contains(t, p.Hint, "with a reason")
	require.Equal(t, "/api/v1/incidents/INC-1/resolve", p.Instance)
	require.Equal(t, 200, act("resolve", `{"reason":"moved"}`).StatusCode)
	require.Equal(t, "resolved", get[Incident](f, "viewer", "/api/v1/incidents/1").Status)

	timeline := get[Timeline](f, "viewer", "/api/v1/incidents/1/timeline?limit=500")
	var kinds []string
	for _, e := range timeline.Entries {
		kinds = append(kinds, e.Kind)
	}
	require.Equal(t, "incident_opened alert_firing alert_firing incident_acknowledged incident_assigned incident_noted incident_resolved", strings.Join(kinds, " "))
	require.Equal(t, "asked storage", timeline.Entries[5].Text)
	require.Equal(t, "responder", timeline.Entries[5].Actor)
	first := get[Timeline](f, "viewer", "/api/v1/incidents/1/timeline?limit=3")
	rest := get[Timeline](f, "viewer", "/api/v1/incidents/1/timeline?limit=500&cursor="+first.NextCursor)
	require.Equal(t, timeline.Entries, append(first.Entries, rest.Entries...))
	require.Equal(t, 7, rest.Total)
}

func TestWhyIsToldInSentences(t *testing.T) {
	f := newFixture(t).storm()
	f.call("responder", "POST", "/api/v1/silences", `{"matchers":[{"name":"instance","value":"web-1"}],"duration":"2h","comment":"known","created_by":"ann"}`)
	why := get[Why](f, "viewer", "/api/v1/incidents/1/why")
	require.Len(t, why.Decisions, 1)
	var said []string
	for _, r := range why.Decisions[0].Why {
		said = append(said, r.Sentence)
	}
	require.Equal(t, []string{
		`Rule service (rules/default.yml:60:5) groups alerts with {service="shop"}.`,
		"An alert of severity critical opens an incident at once.", "The alert was DiskFull on db-3.",
		"Its label instance names db-3, of which nobody has told: an item was made for it.",
	}, said)
	require.Equal(t, "rule", why.Decisions[0].Why[0].Kind)
	require.Equal(t, "It opened INC-1.", why.Alerts[0].Sentence)
	require.Equal(t, "Its group's incident INC-1 was open, so it joined.", why.Alerts[1].Sentence)
	require.Len(t, why.Quiet, 1)
	require.Regexp(t, `^Latency on web-1 is kept quiet by silence \S+ of ann until \d{4}-`, why.Quiet[0].Sentence)
}

func TestAlerts(t *testing.T) {
	f := newFixture(t).storm()
	list := get[AlertList](f, "viewer", "/api/v1/alerts")
	require.Equal(t, 3, list.Total)
	a := list.Alerts[0]
	require.Equal(t, []string{"DiskFull", "db-3", "firing", "critical", "INC-1", "service"}, []string{a.Name, a.Resource, a.State, a.Severity, a.Incident, a.Rule})
	require.Empty(t, a.URL, "javascript: is no link")
	require.Equal(t, "prometheus", a.Claims[0].Source)
	require.Contains(t, get[AlertList](f, "viewer", "/api/v1/alerts?incident=none").Alerts[0].Why, "opens an incident only after firing for 2m")
	require.Equal(t, a, get[Alert](f, "viewer", "/api/v1/alerts/"+a.ID))
	require.Equal(t, a, get[Alert](f, "viewer", "/api/v1/alerts/"+a.Claims[0].Fingerprint), "by the client's fingerprint")
	for query, want := range map[string]int{
		"severity=warning": 2, "incident=INC-1": 2, "incident=1": 2, "source=grafana": 1, "q=WEB": 2, "filter=instance%3D~%22web-.%2B%22": 2,
		"state=cleared": 0, "state=firing,cleared,expired": 3, "suppressed=true": 0, "suppressed=false": 3, "limit=1": 3,
	} {
		require.Equal(t, want, get[AlertList](f, "viewer", "/api/v1/alerts?"+query).Total, query)
	}
	members := get[AlertList](f, "viewer", "/api/v1/incidents/1/alerts?limit=1")
	require.Equal(t, 2, members.Total)
	next := get[AlertList](f, "viewer", "/api/v1/incidents/1/alerts?limit=1&cursor="+members.NextCursor)
	require.Equal(t, "Latency", next.Alerts[0].Name)
	require.Empty(t, next.NextCursor)
}

func TestSilences(t *testing.T) {
	f := newFixture(t).storm()
	res := f.call("responder", "POST", "/api/v1/incidents/1/silence", `{"duration":"2h","comment":"known"}`)
	require.Equal(t, 200, res.StatusCode, res.text)
	list := get[SilenceList](f, "viewer", "/api/v1/silences")
	require.Len(t, list.Silences, 1)
	s := list.Silences[0]
	require.Contains(t, res.text, s.ID)
	require.Equal(t, []Matcher{{"service", "=", "shop"}}, s.Matchers)
	require.Equal(t, []string{"active", "responder", "responder", "known"}, []string{s.State, s.CreatedBy, s.Actor, s.Comment})
	require.Equal(t, uint32(2), get[Incident](f, "viewer", "/api/v1/incidents/1").Alerts.Suppressed)
	require.Equal(t, []string{s.ID}, get[AlertList](f, "viewer", "/api/v1/alerts?suppressed=true").Alerts[0].SilencedBy)

	require.Equal(t, 204, f.call("responder", "DELETE", "/api/v1/silences/"+s.ID, "").StatusCode)
	require.Empty(t, get[SilenceList](f, "viewer", "/api/v1/silences").Silences)
	require.Equal(t, "expired", get[Silence](f, "viewer", "/api/v1/silences/"+s.ID).State)
	require.Len(t, get[SilenceList](f, "viewer", "/api/v1/silences?state=expired").Silences, 1)

	made := f.call("responder", "POST", "/api/v1/silences", `{"matchers":[{"name":"instance","op":"=~","value":"web-.*"},{"name":"job","op":"!=","value":"x"}],"duration":"1d","comment":""}`)
	require.Equal(t, 201, made.StatusCode, made.text)
	for body, want := range map[string]string{
		`{"matchers":[],"duration":"1h","comment":""}`:                                                            "minItems",
		`{"matchers":[{"name":"a","value":"b"}],"comment":""}`:                                                    "needs an end",
		`{"matchers":[{"name":"a","value":"b"}],"duration":"soon","comment":""}`:                                  "duration: must be a time",
		`{"matchers":[{"name":"a","value":"b"}],"ends_at":"2020-01-01T00:00:00Z","comment":""}`:                   "would be over already",
		`{"matchers":[{"name":"a","value":"b"}],"starts_at":"2020-01-01T00:00:00Z","duration":"1h","comment":""}`: "it would have ended at 2020-01-01 01:00:00 UTC",
		`{"matchers":[{"name":"a","op":"=~","value":".*"}],"duration":"1h","comment":""}`:                         "match every alert",
		`{"matchers":[{"name":"a","op":"!=","value":"b"}],"duration":"1h","comment":""}`:                          "match every alert",
		`{"matchers":[{"name":"a","op":"=~","value":"("}],"duration":"1h","comment":""}`:                          "matchers[0]",
		`{"matchers":[{"name":"a","value":"b"}],"duration":"1h","comment":"","colour":"blue"}`:                    "colour",
		`{"matchers":[{"name":"a","value":"b"}],"duration":"1h","comment":"","id":"no-such-one"}`:                 "no-such-one not found",
	} {
		res := f.call("responder", "POST", "/api/v1/silences", body)
		require.GreaterOrEqual(t, res.StatusCode, 400, body)
		if want != "minItems" {
			require.Contains(t, res.text, want, body)
		}
		res.problem(t)
	}
}

func TestSourcesAndStatus(t *testing.T) {
	f := newFixture(t).storm()
	sources := get[SourceList](f, "viewer", "/api/v1/sources").Sources
	require.Len(t, sources, 3)
	require.Equal(t, []any{"broken", true, uint64(3)}, []any{sources[0].Name, sources[0].Configured, sources[0].OverCap}, "it has never said anything that could be taken")
	require.Nil(t, sources[0].LastWord)
	require.Equal(t, []any{"prometheus", uint32(2), uint64(7), 1.5, uint64(1), "bad body"},
		[]any{sources[2].Name, sources[2].Active, sources[2].Events, sources[2].Rate1m, sources[2].Errors["decode"], sources[2].LastError})

	st := get[Status](f, "admin", "/api/v1/status")
	require.True(t, st.Ready)
	require.Equal(t, 100_000, st.Engine.QueueLimit)
	require.NotNil(t, st.Config)
	for _, who := range []string{"viewer", "stranger"} {
		st = get[Status](f, who, "/api/v1/status")
		require.Nil(t, st.Engine, who)
		require.Nil(t, st.Config, "%s: it names other tenants' sources", who)
	}
	require.Equal(t, 204, f.call("admin", "POST", "/api/v1/admin/snapshot", "").StatusCode)
	require.Equal(t, 204, f.call("admin", "POST", "/api/v1/admin/accept-clock", "").StatusCode)
	require.Equal(t, []string{"snapshot", "accept-clock"}, f.engine.actions)
}

func TestProblems(t *testing.T) {
	f := newFixture(t).storm()
	for _, c := range []struct {
		who, method, path, body string
		status                  int
		code, text              string
	}{
		{"", "GET", "/api/v1/incidents", "", 401, "unauthenticated", "tocsin token new"},
		{"viewer", "POST", "/api/v1/incidents/1/acknowledge", "", 403, "forbidden", "needs the role responder, viewer is viewer"},
		{"viewer", "GET", "/api/v1/incidents/INC-77", "", 404, "not_found", "there is no incident INC-77"},
		{"viewer", "GET", "/api/v1/incidents/eleven", "", 404, "not_found", "eleven"},
		{"viewer", "GET", "/api/v1/incidents/99999999999", "", 404, "not_found", "99999999999"},
		{"responder", "POST", "/api/v1/incidents/77/acknowledge", "", 404, "not_found", "INC-77"},
		{"viewer", "GET", "/api/v1/alerts/xyz", "", 404, "not_found", "xyz"},
		{"viewer", "GET", "/api/v1/alerts/ffffffffffffffff", "", 404, "not_found", "ffff"},
		{"viewer", "GET", "/api/v1/silences/x", "", 404, "not_found", "silence"},
		{"viewer", "GET", "/api/v1/incidents?status=new", "", 422, "invalid", "not one of open"},
		{"viewer", "GET", "/api/v1/incidents?staus=open", "", 422, "invalid", "staus"},
		{"viewer", "GET", "/api/v1/incidents?limit=501", "", 422, "invalid", "limit"},
		{"viewer", "GET", "/api/v1/incidents?sort=name", "", 422, "invalid", "sort"},
		{"viewer", "GET", "/api/v1/incidents?since=yesterday", "", 422, "invalid", "8h"},
		{"viewer", "GET", "/api/v1/incidents?cursor=%21", "", 422, "invalid", "cursor"},
		{"viewer", "GET", "/api/v1/alerts?filter=a", "", 422, "invalid", "filter"},
		{"viewer", "GET", "/api/v1/alerts?state=up", "", 422, "invalid", "state"},
		{"responder", "POST", "/api/v1/incidents/1/notes", `{"text":""}`, 422, "invalid", "text"},
		{"responder", "POST", "/api/v1/incidents/1/notes", `{"text":`, 400, "bad_request", ""},
		{"responder", "POST", "/api/v1/incidents/1/notes", "", 400, "bad_request", "body"},
		{"responder", "POST", "/api/v1/admin/snapshot", "", 403, "forbidden", "admin"},
		{"viewer", "GET", "/api/v1/stream?after=x", "", 422, "invalid", "Last-Event-ID"},
		{"viewer", "PUT", "/api/v1/incidents/1", "", 405, "method_not_allowed", "GET"},
	} {
		name := c.method + " " + c.path
		res := f.call(c.who, c.method, c.path, c.body)
		require.Equal(t, c.status, res.StatusCode, "%s: %s", name, res.text)
		p := res.problem(t)
		require.Equal(t, c.code, p.Code, name)
		require.Contains(t, res.text, c.text, name)
		require.Equal(t, strings.Split(c.path, "?")[0], p.Instance, name)
		require.Equal(t, c.status == 401, res.Header.Get("WWW-Authenticate") != "", name)
	}
}

func TestEngineTroubleIsToldApart(t *testing.T) {
	f := newFixture(t).storm()
	for _, c := range []struct {
		err    error
		status int
		code   string
		retry  string
	}{
		{fmt.Errorf("x: %w", engine.ErrBusy), 503, "busy", "1"}, {engine.ErrFull, 503, "disk_full", "10"}, {engine.ErrClosed, 503, "closed", ""},
		{errors.New("odd"), 500, "internal", ""}, {http.ErrHandlerTimeout, 500, "internal", ""},
	} {
		f.engine.fails = c.err
		for _, call := range []answer{f.call("responder", "POST", "/api/v1/incidents/1/acknowledge", ""), f.call("viewer", "GET", "/api/v1/incidents", "")} {
			require.Equal(t, c.status, call.StatusCode)
			require.Equal(t, c.code, call.problem(t).Code)
			require.Equal(t, c.retry, call.Header.Get("Retry-After"))
		}
	}
}

func TestASpanCountsFromTheStartThatIsGiven(t *testing.T) {
	now := event.FromTime(time.Now())
	began := now.Time().Add(-time.Hour)
	from, until, err := lasting(now, began, time.Time{}, "90m", "silence")
	require.NoError(t, err)
	require.Equal(t, now, from)
	require.Equal(t, now+30*event.Minute, until)
	from, until, err = lasting(now, time.Time{}, time.Time{}, "90m", "silence")
	require.NoError(t, err)
	require.Equal(t, []event.Time{now, now + 90*event.Minute}, []event.Time{from, until})
}

func TestAnIncidentThatIsOverIsNotSilenced(t *testing.T) {
	f := newFixture(t).storm()
	require.Equal(t, 200, f.call("responder", "POST", "/api/v1/incidents/1/resolve", `{"reason":"done"}`).StatusCode)
	p := f.call("responder", "POST", "/api/v1/incidents/1/silence", `{"duration":"1h"}`).problem(t)
	require.Equal(t, http.StatusConflict, p.Status)
	require.Equal(t, "INC-1 is resolved: nothing in it is to be silenced", p.Detail)
}
