package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// do asks for something on an incident and reads it as it is then.
func (f *fixture) do(method, path, body string) (out Incident) {
	f.t.Helper()
	return f.doAs("responder", method, path, body)
}

func (f *fixture) doAs(who, method, path, body string) (out Incident) {
	f.t.Helper()
	res := f.call(who, method, "/api/v1/incidents"+path, body)
	require.Less(f.t, res.StatusCode, 300, "%s %s: %s", method, path, res.text)
	require.NoError(f.t, json.Unmarshal([]byte(res.text), &out), res.text)
	return out
}

// refused asks for something that is refused, and returns why.
func (f *fixture) refused(status int, method, path, body string) string {
	f.t.Helper()
	res := f.call("responder", method, "/api/v1/incidents"+path, body)
	require.Equal(f.t, status, res.StatusCode, "%s %s: %s", method, path, res.text)
	p := res.problem(f.t)
	return strings.TrimSpace(p.Detail + " " + p.Hint)
}

func TestALifeFromItsOpeningToItsClosing(t *testing.T) {
	f := newFixture(t)
	i := f.do("POST", "", `{"title":"Mail is slow","description":"since nine","impact":2,"urgency":2,"service":"mail","team":"apps","assignee":"bob"}`)
	require.Equal(t, []any{"INC-1", "new", "responder", "mail", "apps", "bob", uint8(2), uint8(2), uint8(3), uint32(1)},
		[]any{i.ID, i.State, i.OpenedBy, i.CI, i.Team, i.Assignee, i.Impact, i.Urgency, i.Priority, i.Notes})
	require.Equal(t, []string{"title", "impact", "urgency", "ci"}, i.Pinned)
	require.Equal(t, []string{"acknowledge", "begin", "hold", "resolve", "cancel"}, i.Next)

	i = f.do("PATCH", "/1", `{"title":"Mail is down","impact":1,"release":["urgency"]}`)
	require.Equal(t, []any{"Mail is down", uint8(1), []string{"title", "impact", "ci"}}, []any{i.Title, i.Impact, i.Pinned})
	i = f.do("POST", "/1/begin", "")
	require.Equal(t, []any{"in_progress", "acknowledged", "responder"}, []any{i.State, i.Status, i.AcknowledgedBy})
	require.NotNil(t, i.BegunAt)
	i = f.do("POST", "/1/hold", `{"duration":"2h","reason_kind":"vendor"}`)
	require.Equal(t, []any{"on_hold", "vendor"}, []any{i.State, i.HeldAs})
	require.Equal(t, "1", ids(get[IncidentList](f, "viewer", "/api/v1/incidents?state=on_hold")))
	require.Contains(t, f.refused(422, "POST", "/1/hold", `{"duration":"2h"}`), "needs a reason")
	require.Contains(t, f.refused(409, "POST", "/1/close", ""), "it can be begun, taken off hold, resolved or cancelled")
	require.Equal(t, "in_progress", f.do("POST", "/1/unhold", "").State)
	require.Equal(t, []string{"close", "reopen"}, f.do("POST", "/1/resolve", `{"reason":"restarted"}`).Next)
	require.Contains(t, f.refused(409, "POST", "/1/begin", ""), "INC-1 is resolved and cannot be begun")
	require.Contains(t, f.refused(422, "POST", "/1/reopen", ""), "reopening needs a reason")
	i = f.do("POST", "/1/reopen", `{"reason":"slow again"}`)
	require.Equal(t, []any{"acknowledged", uint32(1)}, []any{i.State, i.Reopened})
	f.do("POST", "/1/tasks", `{"title":"write it down"}`)
	f.do("POST", "/1/resolve", "")
	require.Contains(t, f.refused(409, "POST", "/1/close", ""), "1 write it down")
	i = f.do("POST", "/1/close", `{"reason":"later"}`)
	require.Equal(t, []any{"closed", "closed", []string{"reopen"}}, []any{i.State, i.Status, i.Next})
	require.NotNil(t, i.ClosedAt)
	i = f.do("POST", "/1/rate", `{"rating":4,"comment":"quick"}`)
	require.Equal(t, []any{uint8(4), "quick"}, []any{i.Rating, i.RatedWith})
	require.Equal(t, "1", ids(get[IncidentList](f, "viewer", "/api/v1/incidents?status=resolved&opened_by=responder")))
	require.Empty(t, get[IncidentList](f, "viewer", "/api/v1/incidents").Incidents, "what is over is not on the list unless it is asked for")

	f.do("POST", "", `{"title":"A test","severity":"minor"}`)
	require.Contains(t, f.refused(422, "POST", "/2/cancel", ""), "cancelling needs a reason")
	require.Equal(t, "cancelled", f.do("POST", "/2/cancel", `{"reason":"it was a drill"}`).State)
	require.Contains(t, f.refused(422, "POST", "", `{"title":"x"}`), "how bad is it?")
	require.Contains(t, f.refused(422, "POST", "", `{"title":"x","severity":"minor","ci":"a","service":"b"}`), "either ci or service")
	require.Contains(t, f.refused(422, "PATCH", "/1", `{"impact":4}`), "impact")
}

func TestTheTimelineTellsOfEachStep(t *testing.T) {
	f := newFixture(t).storm()
	f.do("POST", "/1/begin", "")
	f.do("PATCH", "/1", `{"urgency":3}`)
	f.do("POST", "/1/watch", `{"who":"bob"}`)
	timeline := get[Timeline](f, "viewer", "/api/v1/incidents/1/timeline?limit=500").Entries
	last := timeline[len(timeline)-3:]
	require.Equal(t, []string{"incident_begun", "incident_edited", "incident_watched"}, []string{last[0].Kind, last[1].Kind, last[2].Kind})
	require.Equal(t, []any{"in_progress", uint8(3)}, []any{last[0].Incident.State, last[1].Incident.Urgency})
	require.Contains(t, last[1].Text, "urgency")
	require.Equal(t, "bob watches it", last[2].Text)
}

func TestPeopleWatchAndHaveTasks(t *testing.T) {
	f := newFixture(t).storm()
	i := f.do("POST", "/1/watch", "")
	require.Equal(t, []any{true, []string{"responder"}}, []any{i.Watching, i.Watchers})
	i = f.do("POST", "/1/watch", `{"who":"bob"}`)
	require.Equal(t, []string{"bob", "responder"}, i.Watchers)
	require.False(t, get[Incident](f, "viewer", "/api/v1/incidents/1").Watching)
	require.Equal(t, "1", ids(get[IncidentList](f, "responder", "/api/v1/incidents?watcher=me")))
	require.Equal(t, []string{"bob"}, f.do("POST", "/1/unwatch", "").Watchers)

	i = f.do("POST", "/1/tasks", `{"title":"swap the disk","assignee":"responder","due":"2h"}`)
	require.Equal(t, []any{uint32(1), "swap the disk", "responder", false, 1}, []any{i.Tasks[0].Number, i.Tasks[0].Title, i.Tasks[0].Assignee, i.Tasks[0].Done, i.OpenTasks})
	require.WithinDuration(t, time.Now().Add(2*time.Hour), *i.Tasks[0].DueAt, time.Minute)
	require.Equal(t, "1", ids(get[IncidentList](f, "responder", "/api/v1/incidents?tasks=me")))
	require.Empty(t, ids(get[IncidentList](f, "viewer", "/api/v1/incidents?tasks=me")))
	i = f.do("PATCH", "/1/tasks/1", `{"done":true}`)
	require.Equal(t, []any{"swap the disk", true, "responder", 0}, []any{i.Tasks[0].Title, i.Tasks[0].Done, i.Tasks[0].DoneBy, i.OpenTasks})
	require.NotNil(t, i.Tasks[0].DueAt, "what is left out stays")
	i = f.do("PATCH", "/1/tasks/1", `{"due":"","assignee":"","done":false}`)
	require.Equal(t, []any{true, "", false}, []any{i.Tasks[0].DueAt == nil, i.Tasks[0].Assignee, i.Tasks[0].Done})
	require.Contains(t, f.refused(404, "PATCH", "/1/tasks/7", `{"done":true}`), "task 7 of INC-1")
	require.Contains(t, f.refused(422, "POST", "/1/tasks", `{"title":"x","due":"soon"}`), "due: soon is no time")
}

func TestIncidentsAreLinkedMergedAndSplit(t *testing.T) {
	f := newFixture(t).storm()
	f.engine.say("main", "prometheus", false, "alertname", "Down", "severity", "critical", "service", "billing", "instance", "db-9")
	i := f.do("POST", "/3/relate", `{"other":"INC-1"}`)
	require.Equal(t, []string{"INC-1"}, i.Related)
	require.Equal(t, []string{"INC-3"}, get[Incident](f, "viewer", "/api/v1/incidents/1").Related)
	require.Empty(t, f.do("POST", "/3/unrelate", `{"other":"1"}`).Related)
	require.Equal(t, "INC-1", f.do("PUT", "/3/parent", `{"parent":"INC-1"}`).Parent)
	require.Equal(t, []string{"INC-3"}, get[Incident](f, "viewer", "/api/v1/incidents/1").Children)
	require.Equal(t, "3", ids(get[IncidentList](f, "viewer", "/api/v1/incidents?parent=INC-1")))
	require.Empty(t, f.do("DELETE", "/3/parent", "").Parent)
	require.Contains(t, f.refused(404, "POST", "/3/relate", `{"other":"INC-2"}`), "there is no incident INC-2", "it is another tenant's")

	i = f.do("POST", "/3/merge", `{"into":"INC-1","why":"the same disk"}`)
	require.Equal(t, []any{"INC-1", uint32(3), "INC-3"}, []any{i.ID, i.Alerts.Total, i.Absorbed[0].Other})
	why := func(incident string) (out []string) {
		for _, a := range get[Why](f, "viewer", "/api/v1/incidents/"+incident+"/why").Alerts {
			out = append(out, a.Sentence)
		}
		return out
	}
	require.Contains(t, why("1"), "It came with INC-3, which was merged into INC-1.")
	gone := get[Incident](f, "viewer", "/api/v1/incidents/3")
	require.Equal(t, []any{"merged", "merged", "INC-1", []string{"unmerge"}}, []any{gone.State, gone.Status, gone.MergedInto, gone.Next})
	require.Contains(t, f.refused(409, "POST", "/3/begin", ""), "INC-3 went into INC-1")
	i = f.do("POST", "/3/unmerge", `{"reason":"another disk"}`)
	require.Equal(t, []any{"INC-3", "new", uint32(1)}, []any{i.ID, i.State, i.Alerts.Total})
	require.Contains(t, f.refused(422, "POST", "/3/merge", `{}`), "either into or other")

	alerts := get[AlertList](f, "viewer", "/api/v1/incidents/1/alerts").Alerts
	i = f.do("POST", "/1/split", `{"alerts":["`+alerts[1].ID+`"],"title":"Only slow"}`)
	require.Equal(t, []any{"INC-4", "Only slow", uint32(1), []string{"INC-1"}}, []any{i.ID, i.Title, i.Alerts.Total, i.Related})
	require.Equal(t, []string{"A person moved it to INC-4."}, why("4"))
	require.Contains(t, f.refused(404, "POST", "/1/split", `{"alerts":["nine"]}`), "nine")
}

func TestAMergeOfTwoPeoplesIncidentsIsProposed(t *testing.T) {
	f := newFixture(t).storm()
	f.engine.say("main", "prometheus", false, "alertname", "Down", "severity", "critical", "service", "billing", "instance", "db-9")
	f.do("POST", "/1/acknowledge", "")
	f.doAs("manager", "POST", "/3/acknowledge", "")
	i := f.do("POST", "/1/merge", `{"other":"INC-3","why":"the same disk"}`)
	p := i.Proposals[0]
	require.Equal(t, []any{"INC-1", uint32(1), "merge", "INC-3", "responder", "open"}, []any{i.ID, p.Number, p.Kind, p.Other, p.By, p.Answer})
	require.Contains(t, f.refused(409, "POST", "/1/proposals/1", `{"answer":"accept"}`), "your own")
	i = f.doAs("manager", "POST", "/1/proposals/1", `{"answer":"accept"}`)
	require.Equal(t, []any{"accepted", "manager", "INC-3"}, []any{i.Proposals[0].Answer, i.Proposals[0].Who, i.Absorbed[0].Other})
	require.Contains(t, f.refused(404, "POST", "/1/proposals/9", `{"answer":"reject"}`), "no proposal 9")
	require.Contains(t, f.refused(422, "POST", "/1/proposals/1", `{"answer":"perhaps"}`), "answer")
}

func TestAMajorIncidentIsPromotedByAManager(t *testing.T) {
	f := newFixture(t).storm()
	require.Contains(t, f.refused(403, "PUT", "/1/major", `{"commander":"bob"}`), "needs the role manager")
	require.Contains(t, f.refused(409, "POST", "/1/update", `{"text":"we look"}`), "is no major incident")
	i := f.doAs("manager", "PUT", "/1/major", `{"commander":"bob","bridge":"https://meet.example/1","next_update":"20m","why":"the shop is down"}`)
	require.Equal(t, []any{"manager", "bob", "https://meet.example/1"}, []any{i.Major.By, i.Major.Commander, i.Major.Bridge})
	require.WithinDuration(t, time.Now().Add(20*time.Minute), *i.Major.NextUpdateAt, time.Minute)
	i = f.do("PUT", "/1/major", `{"scribe":"ann"}`)
	require.Equal(t, []any{"bob", "ann", "https://meet.example/1"}, []any{i.Major.Commander, i.Major.Scribe, i.Major.Bridge}, "what is left out stays")
	require.WithinDuration(t, time.Now().Add(20*time.Minute), *i.Major.NextUpdateAt, time.Minute)
	i = f.do("POST", "/1/update", `{"text":"We swap the disk.","next":"1h"}`)
	require.Equal(t, uint32(1), i.Major.Updates)
	require.WithinDuration(t, time.Now().Add(time.Hour), *i.Major.NextUpdateAt, time.Minute)
	require.Equal(t, "1", ids(get[IncidentList](f, "viewer", "/api/v1/incidents?major=true")))
	require.Contains(t, f.refused(409, "POST", "/1/cancel", `{"reason":"x"}`), "major incident")
	i = f.do("DELETE", "/1/major", "")
	require.NotNil(t, i.Major.EndedAt)
	f.do("POST", "/1/resolve", `{"reason":"disk swapped"}`)
	i = f.do("PUT", "/1/review", `{"summary":"The disk filled up.","due":"5d"}`)
	require.Equal(t, "The disk filled up.", i.Review.Summary)
	i = f.do("PUT", "/1/review", `{"done":true}`)
	require.Equal(t, []any{"responder", "The disk filled up."}, []any{i.Review.DoneBy, i.Review.Summary})
}

// TestAProposedMajorIncidentTakesAManager lets an incident become P1, of which the machine makes a proposal.
func TestAProposedMajorIncidentTakesAManager(t *testing.T) {
	f := newFixture(t)
	i := f.do("POST", "", `{"title":"Everything is down","impact":1,"urgency":1}`)
	require.Equal(t, uint8(1), i.Priority)
	require.Equal(t, []any{"major", "", "open"}, []any{i.Proposals[0].Kind, i.Proposals[0].By, i.Proposals[0].Answer})
	require.Contains(t, f.refused(403, "POST", "/1/proposals/1", `{"answer":"accept"}`), "needs the role manager")
	i = f.doAs("manager", "POST", "/1/proposals/1", `{"answer":"accept"}`)
	require.Equal(t, "manager", i.Major.Commander)
}

func TestASupplierHasATicket(t *testing.T) {
	f := newFixture(t).storm()
	require.Contains(t, f.refused(422, "PUT", "/1/ticket", `{"supplier":"Acme"}`), "reference")
	i := f.do("PUT", "/1/ticket", `{"supplier":"Acme","reference":"4711","promised":"4h","chase":"2h"}`)
	require.Equal(t, []string{"Acme", "4711"}, []string{i.Ticket.Supplier, i.Ticket.Reference})
	i = f.do("PUT", "/1/ticket", `{"last_word":"a technician is on the way","chase":""}`)
	require.Equal(t, []any{"4711", "a technician is on the way", true, true}, []any{i.Ticket.Reference, i.Ticket.LastWord, i.Ticket.LastWordAt != nil, i.Ticket.ChaseAt == nil})
	require.Nil(t, f.do("DELETE", "/1/ticket", "").Ticket)
	require.Contains(t, f.refused(409, "DELETE", "/1/ticket", ""), "has no ticket")
}

func TestACallerIsOfferedARunningIncident(t *testing.T) {
	f := newFixture(t).storm()
	f.engine.say("main", "prometheus", false, "alertname", "Down", "severity", "critical", "service", "billing", "instance", "db-9")
	f.do("POST", "", `{"title":"Mail is slow","severity":"minor","ci":"mail"}`)
	f.do("POST", "/1/reports", `{"caller":"kim","text":"I cannot pay in the webshop"}`)
	i := f.do("POST", "/1/reports", `{"caller":"lee","text":"checkout hangs","service":"shop"}`)
	require.Equal(t, []any{uint32(2), "kim", "responder", "shop"}, []any{i.Reported, i.Reports[0].Caller, i.Reports[0].By, i.Reports[1].Service})
	require.Empty(t, get[IncidentList](f, "viewer", "/api/v1/incidents").Incidents[2].Reports, "a list leaves them out")

	offered := func(query string) (out []string) {
		for _, o := range get[OfferList](f, "viewer", "/api/v1/incidents/offer?"+query).Offers {
			out = append(out, o.Incident.ID+" "+o.Sentence)
		}
		return out
	}
	require.Equal(t, []string{"INC-1 2 others report this."}, offered("service=shop"))
	require.Equal(t, []string{"INC-1 2 others report this."}, offered("text=Checkout+is+hanging,+CHECKOUT!"))
	require.Equal(t, []string{"INC-3 Nobody else has reported this yet.", "INC-1 2 others report this."}, offered("service=billing&text=webshop"))
	require.Equal(t, []string{"INC-4 Nobody else has reported this yet."}, offered("ci=mail"))
	require.Empty(t, offered("text=printer"))
	before := len(f.engine.log)
	require.Contains(t, f.refused(422, "GET", "/offer?text=it+is", ""), "say what the trouble is")
	require.Len(t, f.engine.log, before, "it only reads")
	f.do("POST", "/1/resolve", `{"reason":"done"}`)
	require.Empty(t, offered("service=shop"), "only what runs")
}

// TestPeopleInADossierAreIdsInTheJournal names people in every field that holds one.
func TestPeopleInADossierAreIdsInTheJournal(t *testing.T) {
	f, _ := house(t)
	f.storm()
	f.join("ann", `[{"role":"manager"}]`)
	for _, c := range [][3]string{
		{"POST", "/1/watch", `{"who":"ann"}`}, {"POST", "/1/watch", `{"who":"Bert Ohm"}`}, {"POST", "/1/unwatch", `{"who":"Bert Ohm"}`},
		{"POST", "/1/tasks", `{"title":"x","assignee":"ann"}`}, {"POST", "/1/reports", `{"caller":"Bert Ohm","text":"x"}`},
		{"PUT", "/1/major", `{"commander":"ann","comms":"Bert Ohm","scribe":"ANN"}`}, {"POST", "/1/watch", ""},
	} {
		f.doAs("manager", c[0], c[1], c[2])
	}
	i := get[Incident](f, "ann", "/api/v1/incidents/1")
	require.Contains(t, i.Watchers, "ANN")
	require.True(t, i.Watching)
	require.Equal(t, []string{"ANN", "Bert Ohm", "ANN", "Bert Ohm", "ANN"}, []string{i.Tasks[0].Assignee, i.Reports[0].Caller, i.Major.Commander, i.Major.Comms, i.Major.Scribe})
	require.Equal(t, "1", ids(get[IncidentList](f, "viewer", "/api/v1/incidents?watcher=ann&tasks=ANN")))
	texts := ""
	for _, e := range get[Timeline](f, "viewer", "/api/v1/incidents/1/timeline?limit=500").Entries {
		texts += e.Text + "\n"
	}
	require.Contains(t, texts, "ANN watches it\nBert Ohm watches it\nBert Ohm watches it no longer\n")
	require.Contains(t, texts, "Bert Ohm: x\n")
	require.NotContains(t, texts, "u-")
	for _, ch := range f.engine.log {
		text := string(event.AppendChanges(nil, []event.Change{ch}))
		for _, word := range []string{"ann", "ANN", "Bert"} {
			require.NotContains(t, text, word, ch.Kind)
		}
	}
}

// TestAGrantForTeamsReachesBothIncidents: nobody moves another team's alerts by merging them into their own.
func TestAGrantForTeamsReachesBothIncidents(t *testing.T) {
	f, _ := house(t)
	f.storm()
	f.engine.say("main", "prometheus", false, "alertname", "Down", "severity", "critical", "service", "billing")
	f.join("dba", `[{"role":"responder","teams":["db"]}]`)
	f.do("POST", "/1/assign", `{"assignee":"","team":"web"}`)
	f.do("POST", "/3/assign", `{"assignee":"","team":"db"}`)
	for path, body := range map[string]string{"merge": `{"other":"INC-1"}`, "merge ": `{"into":"INC-1"}`, "relate": `{"other":"INC-1"}`} {
		require.Equal(t, 403, f.call("dba", "POST", "/api/v1/incidents/3/"+strings.TrimSpace(path), body).StatusCode, path)
	}
	require.Equal(t, 403, f.call("dba", "PUT", "/api/v1/incidents/3/parent", `{"parent":"INC-1"}`).StatusCode)
	for path, body := range map[string]string{"begin": "", "watch": "", "tasks": `{"title":"x"}`, "cancel": `{"reason":"x"}`, "reports": `{}`} {
		require.Equal(t, 403, f.call("dba", "POST", "/api/v1/incidents/1/"+path, body).StatusCode, path)
	}
	require.Equal(t, 403, f.call("dba", "PATCH", "/api/v1/incidents/1", `{"title":"x"}`).StatusCode)
	require.Equal(t, 403, f.call("dba", "POST", "/api/v1/incidents", `{"title":"x","severity":"minor","team":"web"}`).StatusCode)
	require.Equal(t, 201, f.call("dba", "POST", "/api/v1/incidents", `{"title":"x","severity":"minor","team":"db"}`).StatusCode)
	require.Equal(t, 200, f.call("dba", "POST", "/api/v1/incidents/3/begin", "").StatusCode)
}

// TestAnAssignmentSaysBothPersonAndTeam: what stands in docs/api.md.
func TestAnAssignmentSaysBothPersonAndTeam(t *testing.T) {
	f := newFixture(t).storm()
	require.Equal(t, 422, f.call("responder", "POST", "/api/v1/incidents/1/assign", `{"team":"db"}`).StatusCode)
	for _, c := range []struct{ body, person, team string }{
		{`{"assignee":"ann","team":"db"}`, "ann", "db"}, {`{"assignee":"ann"}`, "ann", ""}, {`{"assignee":"","team":"web"}`, "", "web"},
	} {
		require.Equal(t, 200, f.call("responder", "POST", "/api/v1/incidents/1/assign", c.body).StatusCode, c.body)
		is := get[Incident](f, "viewer", "/api/v1/incidents/1")
		require.Equal(t, []string{c.person, c.team}, []string{is.Assignee, is.Team}, c.body)
	}
}

func asAnn(ctx context.Context) context.Context {
	return auth.NewContext(ctx, auth.Principal{ID: "ann", Role: auth.Responder, Tenant: event.DefaultTenant})
}

// BenchmarkTheListOfIncidents: the first page, with many open incidents and ten times as many that are over.
func BenchmarkTheListOfIncidents(b *testing.B) {
	e := &testEngine{state: correlate.New(), more: make(chan struct{})}
	const open, over = 100_000, 1_000_000
	at := event.FromTime(time.Now().Add(-time.Hour))
	for n := range open + over {
		do := func(c event.Command) {
			c.Tenant, c.Actor = "main", "ann"
			e.seq++
			_, _ = e.state.Step(&event.Input{Kind: event.InputCommand, Command: &c, Seq: e.seq, At: at, Writer: event.Writer{ID: 1, Epoch: 1, N: e.seq}}, nil)
		}
		do(event.Command{Kind: event.OpenIncident, Edit: &event.IncidentEdit{Fields: event.PinTitle, Title: fmt.Sprintf("Trouble %d with the shop", n), Severity: event.Major}})
		if n%11 != 0 {
			do(event.Command{Kind: event.Cancel, Incident: uint64(n + 1), Text: "x"})
		}
	}
	d := NewDesk(e, "")
	for name, q := range map[string]IncidentQuery{
		"default": {Sort: "-opened_at"}, "by priority": {Sort: "priority"}, "oldest first": {Sort: "opened_at"}, "everything": {Status: []string{"all"}, Sort: "-opened_at"},
		"search": {Q: "9999", Sort: "-opened_at"}, "over, the latest first": {Status: []string{"cancelled"}, Sort: "-updated"},
	} {
		b.Run(name, func(b *testing.B) {
			q.Limit = 50
			for b.Loop() {
				if _, err := d.Incidents(asAnn(b.Context()), &q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("offer", func(b *testing.B) {
		for b.Loop() {
			if _, err := d.Offer(asAnn(b.Context()), &OfferQuery{Text: "the shop is closed 77"}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
