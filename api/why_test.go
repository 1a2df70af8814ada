package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// cluster puts items into main: switches, and the hosts that rest on them.
func (f *fixture) cluster() *fixture {
	f.item("sw-1", "")
	for n := 1; n <= 4; n++ {
		f.item(fmt.Sprintf("web-%d", n), "sw-1")
	}
	f.item("sw-3", "")
	f.item("db-1", "sw-3")
	f.item("sw-2", "")
	for n := 1; n <= 40; n++ {
		f.item(fmt.Sprintf("app-%d", n), "sw-2")
	}
	return f
}

func (f *fixture) item(id, on string) {
	f.t.Helper()
	body := `{"class":"host"}`
	if on != "" {
		body = `{"class":"host","relations":{"depends_on":["` + on + `"]}}`
	}
	res := f.call("manager", "PUT", "/api/v1/cis/"+id, body)
	require.Equal(f.t, 200, res.StatusCode, res.text)
}

// alarm lets an alert of an item begin so long before now, and returns its id.
func (f *fixture) alarm(name, item, severity string, ago time.Duration) string {
	f.t.Helper()
	b := &event.Batch{Source: event.Source{Name: "prometheus", Tenant: "main", Kind: event.Resender}}
	b.Add(event.Event{
		Labels:   labelsOf(f.t, "alertname", name, "ci", item, "severity", severity),
		StartsAt: event.FromTime(time.Now().Add(-ago)), EndsAt: event.FromTime(time.Now().Add(time.Hour)),
	})
	f.engine.step(event.Input{Kind: event.InputEvents, Batch: b})
	for _, a := range get[AlertList](f, "viewer", "/api/v1/alerts?q="+item).Alerts {
		if a.Name == name && a.CI == item {
			return a.ID
		}
	}
	f.t.Fatalf("%s on %s is not there", name, item)
	return ""
}

// tick moves the time of the engine on.
func (f *fixture) tick(by time.Duration) {
	f.engine.step(event.Input{Kind: event.InputTick, At: event.FromTime(time.Now().Add(by))})
}

// shaken is what happened to the cluster: a switch that says nothing, and one that speaks after its symptoms.
func (f *fixture) shaken() *fixture {
	f.alarm("Err", "web-1", "critical", 120*time.Second) // INC-1
	f.alarm("Err", "web-2", "critical", 85*time.Second)  // INC-2, which goes into INC-1
	f.alarm("Err", "web-3", "critical", 72*time.Second)
	f.alarm("Slow", "web-3", "warning", 70*time.Second)
	f.alarm("Err", "app-9", "critical", 63*time.Second) // INC-3
	f.alarm("Slow", "app-10", "warning", 28*time.Second)
	f.alarm("Down", "sw-2", "critical", 4*time.Second) // INC-4, which goes into INC-3
	f.alarm("Late", "app-11", "critical", 0)
	return f
}

func member(t *testing.T, w Why, name string) MemberWhy {
	t.Helper()
	for _, m := range w.Members {
		if m.Name == name {
			return m
		}
	}
	t.Fatalf("no member %s in %v", name, w.Members)
	return MemberWhy{}
}

func TestEachMemberSaysWhyItIsInAnIncident(t *testing.T) {
	f := newFixture(t).cluster().shaken()
	w := get[Why](f, "viewer", "/api/v1/incidents/INC-1/why")
	require.Equal(t, "INC-1", w.Incident)
	require.Len(t, w.Members, 3)
	require.Contains(t, member(t, w, "web-1").Sentence, "nor anything in its component, so it began something of its own.")
	web2 := member(t, w, "web-2")
	require.Equal(t, "root", web2.Place.Kind)
	require.Equal(t, "INC-1", web2.Place.Near.Incident)
	require.Less(t, web2.Place.Near.MilliNats, web2.Place.Needed)
	require.Contains(t, web2.Sentence, "It came with INC-2, which was merged into INC-1.")
	require.Contains(t, web2.Sentence, "Then: web-2 rests on sw-1, the silent cause")
	require.Regexp(t, `^INC-1 alarmed in the same component \(around sw-1\) within 3\d s of it: \d\.\d times likelier than chance; 10 is needed\.$`, web2.Place.Others[0])
	web3 := member(t, w, "web-3")
	require.Equal(t, []string{"Err", "Slow"}, web3.Names)
	require.Equal(t, uint32(2), web3.Alerts)
	require.Equal(t, "edge", web3.Place.Kind, "what placed the item, not the alert that came when it was placed")
	require.Equal(t, "sw-1", web3.Place.Edge.CI)
	require.Regexp(t, `^It rests on sw-1 \(1 hop\), the silent cause, found within 1\d s of it: \d+ times likelier than chance; 10 is needed\.$`, web3.Sentence)

	kinds := map[string]int{}
	for _, d := range w.Decisions {
		kinds[d.What]++
	}
	require.Equal(t, map[string]int{"incident_opened": 1, "incident_absorbed": 1, "item_placed": 3}, kinds)
	require.Equal(t, "silent_root", w.Decisions[1].Move.Kind)
	require.Contains(t, w.Decisions[1].Move.Sentence, "sw-1 says nothing itself, but 2 items that rest on it began to alarm almost at once")
	require.Equal(t, "Grouped by topology: what rests on what alarmed, or shakes with it, belongs together.", w.Decisions[0].Why[0].Sentence)
}

func TestSymptomsSayWhichCauseFoundThem(t *testing.T) {
	f := newFixture(t).cluster().shaken()
	w := get[Why](f, "viewer", "/api/v1/incidents/3/why")
	require.Regexp(t, `Then: app-9 rests on sw-2 \(1 hop\), which alarmed (59|60) s later: \d+ times likelier than chance; 10 is needed\.`, member(t, w, "app-9").Sentence)
	app10 := member(t, w, "app-10")
	require.Equal(t, "root", app10.Place.Kind, "it waited when it was placed, and the timeline has nothing of that")
	require.NotNil(t, app10.Moved)
	require.Equal(t, uint8(1), app10.Moved.Edge.Hops)
	require.InDelta(t, 24, app10.Moved.Edge.Gap, .5)
	require.Regexp(t, `^It rests on sw-2 \(1 hop\), which alarmed [34] s before: \d+ times likelier`, member(t, w, "app-11").Sentence)
	require.False(t, w.Cut)
}

func TestAnAlertSaysWhyItIsNotElsewhere(t *testing.T) {
	f := newFixture(t).cluster().shaken()
	waits := f.alarm("Slow", "db-1", "warning", 0)
	alone := f.alarm("Full", "mail-1", "critical", 0) // INC-5, by its name
	not := func(alert, incident string) *WhyNot {
		return get[AlertReasons](f, "viewer", "/api/v1/alerts/"+alert+"/why?not="+incident).Not
	}
	app9 := f.alarm("Err", "app-9", "critical", 63*time.Second)
	require.Equal(t, []string{"It is in INC-3."}, not(app9, "3").Why)
	require.Equal(t, []string{"It is: INC-4 went into INC-3, in which the alert is."}, not(app9, "INC-4").Why)
	far := not(app9, "INC-1")
	require.True(t, far.Sure)
	require.Equal(t, []string{"app-9 rests on none of the items of INC-1, within 2 hops and as the topology is now.", "INC-1 is of another component than app-9 (around sw-2)."}, far.Why)
	require.Equal(t, []string{"Rule alertname groups it by {alertname=\"Full\"}. INC-1 holds what topology groups."}, not(alone, "1").Why)
	require.Regexp(t, `^INC-5 opened only \S+ after it began to fire\.`, not(f.alarm("Err", "web-1", "critical", time.Minute), "5").Why[0])

	r := get[AlertReasons](f, "viewer", "/api/v1/alerts/"+waits+"/why?not=INC-1")
	require.Empty(t, r.Incident)
	require.Equal(t, "Topology, component and time group it.", r.Grouped)
	require.NotNil(t, r.Place, "it waits, and the log has how it was placed")
	require.Equal(t, "waiting", r.Quiet[0].Kind)
	require.WithinDuration(t, time.Now().Add(2*time.Minute), *r.Quiet[0].Until, 5*time.Second)
	require.Equal(t, 404, f.call("viewer", "GET", "/api/v1/alerts/"+waits+"/why?not=INC-99", "").StatusCode)
	require.Equal(t, 404, f.call("viewer", "GET", "/api/v1/alerts/ffff/why", "").StatusCode)
}

func TestWhatFellShortSaysByHowMuch(t *testing.T) {
	f := newFixture(t).cluster()
	f.alarm("Err", "app-1", "critical", 60*time.Second)
	late := f.alarm("Err", "app-2", "critical", 20*time.Second) // too late for the component; no relation leads from one to the other
	w := get[AlertReasons](f, "viewer", "/api/v1/alerts/"+late+"/why?not=1").Not
	require.Len(t, w.Why, 1)
	require.Regexp(t, `^INC-1 alarmed in the same component \(around sw-2\) within 40 s of it: .*; 10 is needed\. It lacked a factor of [\d.]+\.$`, w.Why[0])
	require.Positive(t, w.Missing)
}

func TestWhatIsQuietSaysByWhomAndUntilWhen(t *testing.T) {
	f := newFixture(t).storm()
	f.call("responder", "POST", "/api/v1/silences", `{"matchers":[{"name":"instance","value":"db-3"}],"duration":"2h","comment":"disk swap"}`)
	disk := get[AlertList](f, "viewer", "/api/v1/alerts?q=db-3").Alerts[0].ID
	r := get[AlertReasons](f, "viewer", "/api/v1/alerts/"+disk+"/why")
	require.Len(t, r.Quiet, 1)
	require.Equal(t, "silence", r.Quiet[0].Kind)
	require.Equal(t, "responder", r.Quiet[0].By)
	require.WithinDuration(t, time.Now().Add(2*time.Hour), *r.Quiet[0].Until, 5*time.Second)
	require.Regexp(t, `^The silence \S+ of responder quiets it until .*: disk swap\.$`, r.Quiet[0].Sentence)
	require.Nil(t, r.Place)
	require.False(t, r.Unknown)

	f.call("responder", "POST", "/api/v1/incidents/1/snooze", `{"duration":"1h"}`)
	latency := get[AlertList](f, "viewer", "/api/v1/alerts?q=web-1").Alerts[0].ID
	r = get[AlertReasons](f, "viewer", "/api/v1/alerts/"+latency+"/why")
	require.Equal(t, "snooze", r.Quiet[len(r.Quiet)-1].Kind)
}

func TestTheKeyOfTopologyIsShownToNobody(t *testing.T) {
	f := newFixture(t).cluster().shaken()
	for _, path := range []string{"/incidents/INC-1", "/incidents", "/incidents/INC-1/alerts", "/alerts"} {
		require.NotContains(t, f.call("viewer", "GET", "/api/v1"+path, "").text, `"tree"`, path)
	}
	for _, path := range []string{"/incidents/INC-1/why", "/incidents/INC-1/timeline"} {
		require.NotContains(t, f.call("viewer", "GET", "/api/v1"+path, "").text, `with {tree`, path)
	}
	require.Equal(t, 0, get[IncidentList](f, "viewer", "/api/v1/incidents?filter=tree%3D1").Total)
	res := f.call("responder", "POST", "/api/v1/incidents/INC-1/silence", `{"duration":"1h","comment":"x"}`)
	require.Equal(t, 200, res.StatusCode, res.text)
	for _, sil := range get[SilenceList](f, "viewer", "/api/v1/silences").Silences {
		for _, m := range sil.Matchers {
			require.NotEqual(t, "tree", m.Name, "it would quiet nothing")
		}
	}
}

func TestPeopleJudgeCausesOnce(t *testing.T) {
	f := newFixture(t).cluster().shaken()
	f.tick(10 * time.Second)
	i := get[Incident](f, "viewer", "/api/v1/incidents/INC-1")
	require.NotNil(t, i.Cause)
	require.Equal(t, "learning", i.Cause.State)
	require.Equal(t, "still learning (0)", i.Cause.Sentence)
	require.NotEmpty(t, i.Cause.Candidates)
	require.NotEmpty(t, i.Cause.Candidates[0].Evidence[0].Sentence)
	require.Equal(t, i.Cause.Sentence, get[IncidentList](f, "viewer", "/api/v1/incidents?q=INC-1").Incidents[0].Cause.Sentence)

	judge := func(who, body string) answer { return f.call(who, "POST", "/api/v1/incidents/INC-1/cause", body) }
	require.Equal(t, 403, judge("viewer", `{"verdict":"right"}`).StatusCode)
	require.Equal(t, 422, judge("responder", `{}`).StatusCode)
	require.Equal(t, 422, judge("responder", `{"verdict":"right","ci":"sw-1"}`).StatusCode)
	require.Equal(t, 404, judge("responder", `{"ci":"no-such-item"}`).StatusCode)
	res := judge("responder", `{"ci":"sw-1"}`)
	require.Equal(t, 200, res.StatusCode, res.text)
	i = get[Incident](f, "viewer", "/api/v1/incidents/INC-1")
	require.Equal(t, "sw-1", i.Cause.CI)
	require.Equal(t, "responder", i.Cause.VerdictBy)
	require.True(t, strings.HasPrefix(i.Cause.Sentence, "it was sw-1, says "), i.Cause.Sentence)
	require.Equal(t, 409, judge("responder", `{"verdict":"right"}`).StatusCode)
	require.Equal(t, 409, f.call("responder", "POST", "/api/v1/incidents/INC-4/cause", `{"verdict":"right"}`).StatusCode, "it lives on in another")

	f.call("responder", "POST", "/api/v1/incidents/INC-3/cause", `{"verdict":"wrong"}`)
	c := get[Correlation](f, "viewer", "/api/v1/correlation")
	require.True(t, c.Topology)
	require.GreaterOrEqual(t, c.Record.Judged, uint32(1))
	names := map[string]ComponentState{}
	for _, x := range c.Components {
		names[x.Name] = x
	}
	require.Equal(t, uint32(3), names["around sw-1"].Items-1, "three hosts, and the switch that is silent")
	require.Equal(t, uint32(1), names["around sw-1"].Open)
	around := names["around sw-1"]
	require.Equal(t, Placements{SameItem: 1, Edge: 3, Root: 2, SilentRoot: 1}, around.Placements)
	require.EqualValues(t, 1_000_000, *around.Coverage)
	require.GreaterOrEqual(t, c.Placements.Edge, uint64(3))
	require.NotNil(t, c.Coverage)
	require.Equal(t, &RuleMemory{Limit: 500_000, PerKey: 64}, c.RuleMemory)
	stranger := get[Correlation](f, "stranger", "/api/v1/correlation")
	require.Empty(t, stranger.Components, "what is main's is main's")
	require.Nil(t, stranger.RuleMemory, "and what is all tenants' is no other's")
	require.Zero(t, stranger.Placements)
	require.Nil(t, stranger.Coverage)

	require.Positive(t, i.Cause.Of)
	require.Equal(t, i.Cause.Of, i.Cause.Looked)
	pairs := get[LearnedPairs](f, "viewer", "/api/v1/pairs")
	require.Positive(t, pairs.Onsets)
	require.Contains(t, pairs.PassedOver, PassedOver{"storm", 0, "alerts began in storms: of what begins beyond 1000 in 10 seconds, one in 8 is learned from"})
	pairs = get[LearnedPairs](f, "stranger", "/api/v1/pairs")
	require.Zero(t, pairs.Onsets)
	require.Empty(t, pairs.PassedOver)
}
