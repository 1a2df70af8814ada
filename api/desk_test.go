package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// sayAt is say of prometheus in main at a time.
func (e *testEngine) sayAt(at time.Time, cleared bool, pairs ...string) {
	b := &event.Batch{Source: event.Source{Name: "prometheus", Tenant: "main", Kind: event.SendOnce}}
	b.Add(event.Event{Labels: labelsOf(e.t, pairs...), Cleared: cleared})
	e.step(event.Input{Kind: event.InputEvents, Batch: b, At: event.FromTime(at)})
}

// doAt lets somebody in main do something at a time.
func (e *testEngine) doAt(at time.Time, c event.Command) event.Result {
	c.Tenant = "main"
	res := e.step(event.Input{Kind: event.InputCommand, Command: &c, At: event.FromTime(at)})
	require.Nil(e.t, res.Err)
	return res
}

func (e *testEngine) tick(at time.Time) {
	e.step(event.Input{Kind: event.InputTick, At: event.FromTime(at)})
}

// post asks for something and expects it to be done.
func (f *fixture) post(path, body string) answer {
	f.t.Helper()
	who := "responder"
	if strings.HasPrefix(path, "windows") {
		who = "manager"
	}
	res := f.call(who, "POST", "/api/v1/"+path, body)
	require.Less(f.t, res.StatusCode, 300, "%s: %s", path, res.text)
	return res
}

func TestASnoozeAndAHoldHaveAnEnd(t *testing.T) {
	f := newFixture(t).storm()
	f.post("incidents/1/snooze", `{"duration":"2h"}`)
	i := get[Incident](f, "viewer", "/api/v1/incidents/1")
	require.Equal(t, []any{"acknowledged", "responder"}, []any{i.Status, i.AcknowledgedBy})
	require.WithinDuration(t, time.Now().Add(2*time.Hour), *i.SnoozedUntil, time.Minute)
	require.Equal(t, "1", ids(get[IncidentList](f, "viewer", "/api/v1/incidents?status=snoozed")))

	until := time.Now().Add(3 * time.Hour).UTC().Truncate(time.Second)
	f.post("incidents/1/hold", `{"until":"`+until.Format(time.RFC3339)+`","reason":"the vendor brings a disk"}`)
	i = get[Incident](f, "viewer", "/api/v1/incidents/1")
	require.Equal(t, []any{until, "the vendor brings a disk"}, []any{*i.HeldUntil, i.HeldFor})
	require.Equal(t, "1", ids(get[IncidentList](f, "viewer", "/api/v1/incidents?status=held")))
	f.post("incidents/1/unhold", "")
	require.Nil(t, get[Incident](f, "viewer", "/api/v1/incidents/1").HeldUntil)

	timeline := get[Timeline](f, "viewer", "/api/v1/incidents/1/timeline").Entries
	last := timeline[len(timeline)-2]
	require.Equal(t, []any{"incident_held", "the vendor brings a disk", until}, []any{last.Kind, last.Text, *last.Incident.HeldUntil})

	for _, c := range []struct {
		path, body string
		status     int
		text       string
	}{
		{"snooze", `{}`, 422, "either until or duration"}, {"snooze", `{"duration":"soon"}`, 422, "such as 90s"},
		{"snooze", `{"duration":"1h","until":"2999-01-01T00:00:00Z"}`, 422, "either until or duration"},
		{"snooze", `{"until":"2020-01-01T00:00:00Z"}`, 422, "must lie ahead"}, {"snooze", `{"duration":"1y"}`, 422, "at most 90 days"},
		{"hold", `{"duration":"1h"}`, 422, "reason"}, {"hold", `{"duration":"1h","reason":" "}`, 422, "needs a reason"},
		{"unhold", "", 409, "not on hold"},
	} {
		res := f.call("responder", "POST", "/api/v1/incidents/1/"+c.path, c.body)
		require.Equal(t, c.status, res.StatusCode, "%s %s", c.path, c.body)
		require.Contains(t, res.text, c.text)
	}
}

func TestWhatIsNewSinceTheAcknowledgement(t *testing.T) {
	f, now := newFixture(t), time.Now()
	f.engine.sayAt(now.Add(-50*time.Minute), false, "alertname", "Down", "severity", "critical", "service", "shop", "instance", "web-1")
	require.Nil(t, get[Incident](f, "viewer", "/api/v1/incidents/1").New, "nobody acknowledged it")
	f.engine.doAt(now.Add(-45*time.Minute), event.Command{Kind: event.Acknowledge, Incident: 1, Actor: "ann"})
	i := get[Incident](f, "viewer", "/api/v1/incidents/1")
	require.Equal(t, []any{uint32(0), true}, []any{*i.New, i.WorseAt == nil})
	f.engine.sayAt(now.Add(-10*time.Minute), false, "alertname", "Slow", "severity", "critical", "service", "shop", "instance", "web-2")

	i = get[Incident](f, "viewer", "/api/v1/incidents/1")
	require.Equal(t, uint32(1), *i.New)
	require.WithinDuration(t, now.Add(-10*time.Minute), *i.WorseAt, time.Second)
	listed := get[IncidentList](f, "viewer", "/api/v1/incidents?status=worse").Incidents
	require.Len(t, listed, 1)
	require.Equal(t, uint32(1), *listed[0].New)
	news := get[AlertList](f, "viewer", "/api/v1/incidents/1/alerts?new=true")
	require.Equal(t, []any{1, "Slow"}, []any{news.Total, news.Alerts[0].Name})
	require.Equal(t, 2, get[AlertList](f, "viewer", "/api/v1/incidents/1/alerts").Total)
	timeline := get[Timeline](f, "viewer", "/api/v1/incidents/1/timeline").Entries
	worse := timeline[len(timeline)-1]
	require.Equal(t, "incident_worse", worse.Kind)
	require.Contains(t, worse.Text, "a second onset")

	f.post("incidents/1/acknowledge", "")
	require.Empty(t, get[IncidentList](f, "viewer", "/api/v1/incidents?status=worse").Incidents)
	require.Empty(t, get[AlertList](f, "viewer", "/api/v1/incidents/1/alerts?new=true").Alerts)
}

// flap lets an alert of severity warning go up and down every minute, the last time at end.
func (f *fixture) flap(end time.Time) {
	const changes = 14
	for n := range changes {
		f.engine.sayAt(end.Add(time.Duration(n+1-changes)*time.Minute), n%2 == 1, "alertname", "LinkDown", "severity", "warning", "instance", "sw1")
	}
}

func TestFlappingIsToldInWords(t *testing.T) {
	f := newFixture(t)
	f.flap(time.Now())
	list := get[IncidentList](f, "viewer", "/api/v1/incidents?status=flapping").Incidents
	require.Len(t, list, 1)
	require.Equal(t, uint32(1), list[0].Alerts.Flapping)
	a := get[AlertList](f, "viewer", "/api/v1/alerts?state=firing,cleared").Alerts[0]
	require.Equal(t, []any{true, uint32(13)}, []any{a.Flapping.Damped, a.Flapping.Changes})
	require.Regexp(t, `^flapping: 13 changes in 12 min, quiet for (29|30) min more$`, a.Flapping.Sentence)
	require.WithinDuration(t, time.Now().Add(30*time.Minute), *a.Flapping.CalmAt, time.Minute)

	why := get[Why](f, "viewer", "/api/v1/incidents/1/why")
	require.Contains(t, []string{"It goes up and down so often that this alone brought it into INC-1.", "Its group's incident INC-1 was open, so it joined."}, why.Alerts[0].Sentence)
	kinds := map[string]Change{}
	for _, e := range get[Timeline](f, "viewer", "/api/v1/incidents/1/timeline").Entries {
		kinds[e.Kind] = e
	}
	require.True(t, kinds["alert_damped"].Alert.Flapping.Damped)
	require.Contains(t, kinds["incident_flapping"].Text, "flapping: LinkDown changed")
}

func TestEveryReasonIsToldInWords(t *testing.T) {
	f := newFixture(t)
	v, err := f.engine.View(t.Context())
	require.NoError(t, err)
	seen := map[string]bool{}
	for r := event.ReasonOpened; r.String() != "unknown"; r++ {
		said := alertWhy(v, event.AlertState{Reason: r, Incident: 7, Severity: event.Warning})
		require.NotEmpty(t, said, r.String())
		require.False(t, seen[said], said)
		seen[said] = true
	}
	require.Len(t, seen, 19)
}

func TestAWindowQuietsWhatBeginsInIt(t *testing.T) {
	f := newFixture(t)
	var m made
	require.NoError(t, json.Unmarshal([]byte(f.post("windows", `{"name":"disk swap","reason":"CHG-7","cis":["db-3"],"duration":"2h"}`).text), &m))
	f.engine.say("main", "prometheus", false, "alertname", "DiskFull", "severity", "critical", "instance", "db-3")
	f.engine.say("main", "prometheus", false, "alertname", "Down", "severity", "critical", "instance", "db-4")
	require.Equal(t, 1, get[IncidentList](f, "viewer", "/api/v1/incidents").Total, "db-4 alone")
	a := get[AlertList](f, "viewer", "/api/v1/alerts?suppressed=true").Alerts[0]
	require.Equal(t, []any{"maintenance", true, "disk swap", m.ID}, []any{a.Reason, a.Claims[0].Maintenance, a.Maintenance[0].Name, a.Maintenance[0].ID})
	require.Contains(t, a.Why, "began inside a maintenance window")

	w := get[Window](f, "viewer", "/api/v1/windows/"+m.ID)
	require.Equal(t, []any{"running", "manager", "manager", "CHG-7"}, []any{w.State, w.CreatedBy, w.Actor, w.Reason})
	require.Equal(t, w.EndsAt, w.CloseAt)
	require.Equal(t, []string{"db-3"}, w.CIs)
	require.Equal(t, 204, f.call("manager", "DELETE", "/api/v1/windows/"+m.ID, "").StatusCode)
	require.Equal(t, 2, get[IncidentList](f, "viewer", "/api/v1/incidents").Total, "what it quieted rings")
	require.Empty(t, get[WindowList](f, "viewer", "/api/v1/windows").Windows)
	require.Equal(t, "over", get[WindowList](f, "viewer", "/api/v1/windows?state=over").Windows[0].State)
	require.Equal(t, 404, f.call("manager", "DELETE", "/api/v1/windows/no-such-one", "").StatusCode)
	require.Equal(t, 404, f.call("viewer", "GET", "/api/v1/windows/no-such-one", "").StatusCode)
}

func TestAnAlertInMaintenanceIsExplained(t *testing.T) {
	f := newFixture(t)
	f.engine.say("main", "prometheus", false, "alertname", "Down", "severity", "critical", "service", "shop", "instance", "web-1")
	f.post("windows", `{"name":"disk swap","reason":"CHG-7","matchers":[{"name":"instance","value":"db-3"}],"duration":"2h"}`)
	f.engine.say("main", "prometheus", false, "alertname", "DiskFull", "severity", "critical", "service", "shop", "instance", "db-3")
	why := get[Why](f, "viewer", "/api/v1/incidents/1/why")
	require.Len(t, why.Quiet, 1)
	require.Regexp(t, `^DiskFull on db-3 is kept quiet by the maintenance window disk swap until \d{4}-\S+ \S+ UTC\.$`, why.Quiet[0].Sentence)
	require.False(t, get[Incident](f, "viewer", "/api/v1/incidents/1").Quiet, "the other alert rings")
}

func TestARecurringWindowKeepsItsZone(t *testing.T) {
	f := newFixture(t)
	f.post("windows", `{"name":"backup","reason":"every night","cis":["db-3"],"zone":"Europe/Berlin",
		"intervals":[{"weekdays":["sunday"],"times":[{"start_time":"02:00","end_time":"04:00"}],"months":["1:12"]}]}`)
	w := get[WindowList](f, "viewer", "/api/v1/windows").Windows[0]
	require.Equal(t, []any{"Europe/Berlin", true, []string{"sunday"}, "04:00"}, []any{w.Zone, w.EndsAt == nil, w.Intervals[0].Weekdays, w.Intervals[0].Times[0].EndTime})
	f.post("silences", `{"matchers":[{"name":"instance","value":"web-1"}],"duration":"1h","comment":"known"}`)

	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	cal := get[Calendar](f, "viewer", "/api/v1/calendar?from=2027-03-20T00:00:00Z&until=2027-04-06T00:00:00Z")
	var at []string
	for _, e := range cal.Entries {
		at = append(at, e.StartsAt.In(berlin).Format("0102 15:04")+"–"+e.EndsAt.In(berlin).Format("15:04"))
	}
	require.Equal(t, []string{"0321 02:00–04:00", "0328 03:00–04:00", "0404 02:00–04:00"}, at, "on 28 March there is no 02:00")
	week := get[Calendar](f, "viewer", "/api/v1/calendar")
	require.Equal(t, "silence", week.Entries[0].Kind)
	require.GreaterOrEqual(t, len(week.Entries), 2)
	require.Equal(t, 422, f.call("viewer", "GET", "/api/v1/calendar?from=2027-01-01T00:00:00Z&until=2028-01-01T00:00:00Z", "").StatusCode)
}

func TestWindowsThatAreRefused(t *testing.T) {
	f := newFixture(t)
	for body, want := range map[string]string{
		`"cis":["a"]`:                "needs an end",
		`"duration":"1h"`:            "needs matchers or configuration items",
		`"cis":[""],"duration":"1h"`: "a name is empty",
		`"cis":["a"],"ends_at":"2020-01-01T00:00:00Z"`:                                    "would be over already",
		`"cis":["a"],"starts_at":"2020-01-01T00:00:00Z","duration":"2h"`:                  "it would have ended at 2020-01-01 02:00:00 UTC",
		`"cis":["a"],"starts_at":"2030-01-01T00:00:00Z","ends_at":"2029-01-01T00:00:00Z"`: "must end after it starts",
		`"cis":["a"],"duration":"0s"`:                                                     "duration: must be a time",
		`"cis":["a"],"duration":"soon"`:                                                   "duration: must be a time",
		`"cis":["a"],"duration":"1h","zone":"Mars/Olympus"`:                               "no such time zone",
		`"cis":["a"],"duration":"1h","intervals":[{"years":["2027"]}]`:                    "leave duration out",
		`"cis":["a"],"intervals":[{}]`:                                                    "would hold always",
		`"cis":["a"],"intervals":[{"weekdays":[]}]`:                                       "intervals",
		`"cis":["a"],"intervals":[{"weekdays":["funday"]}]`:                               "funday is not a valid weekday",
		`"cis":["a"],"intervals":[{"weekdays":["sunday"],"location":"Europe/Berlin"}]`:    "give it as zone",
		`"cis":["a"],"intervals":[{"times":[{"start_time":"22:00","end_time":"02:00"}]}]`: "an end after midnight is an interval of its own",
		`"matchers":[{"name":"a","op":"=~","value":".*"}],"duration":"1h"`:                "match every alert",
		`"cis":["a"],"duration":"1h","id":"no-such-one"`:                                  "no-such-one not found",
	} {
		res := f.call("manager", "POST", "/api/v1/windows", `{"name":"x","reason":"y",`+body+`}`)
		require.GreaterOrEqual(t, res.StatusCode, 400, body)
		require.Contains(t, res.text, want, body)
	}
	require.Equal(t, 422, f.call("manager", "POST", "/api/v1/windows", `{"name":"x","reason":"","cis":["a"],"duration":"1h"}`).StatusCode)
	require.Equal(t, 422, f.call("viewer", "GET", "/api/v1/windows?state=open", "").StatusCode)
	require.Empty(t, get[WindowList](f, "viewer", "/api/v1/windows").Windows)
}

// blind lets a Watchdog be heard, and not be heard for more than a day, up to an hour ago; another one is heard now.
func (f *fixture) blind() *fixture {
	now := time.Now()
	f.engine.sayAt(now.Add(-30*time.Hour), false, "alertname", "Watchdog", "severity", "none", "cluster", "eu-1")
	f.engine.tick(now.Add(-time.Hour))
	f.engine.sayAt(now.Add(-time.Minute), false, "alertname", "Watchdog", "severity", "none", "cluster", "eu-2")
	return f
}

func TestHeartbeatsListTheLostOnesFirst(t *testing.T) {
	f := newFixture(t).blind()
	list := get[HeartbeatList](f, "viewer", "/api/v1/heartbeats").Heartbeats
	require.Len(t, list, 2)
	lost, heard := list[0], list[1]
	require.Equal(t, []any{"lost", "INC-1", "prometheus eu-1", true}, []any{lost.State, lost.Incident, lost.Name, lost.DueAt == nil})
	require.WithinDuration(t, time.Now().Add(-30*time.Hour), *lost.LastWord, time.Minute)
	require.Equal(t, []any{"heard", "", "prometheus eu-2"}, []any{heard.State, heard.Incident, heard.Name})
	require.WithinDuration(t, time.Now().Add(24*time.Hour), *heard.DueAt, 5*time.Minute)
	i := get[Incident](f, "viewer", "/api/v1/incidents/1")
	require.Equal(t, []any{"Blind: prometheus eu-1", lost.Number}, []any{i.Title, i.Heartbeat})
	require.Contains(t, get[Alert](f, "viewer", "/api/v1/alerts/"+heard.Alert).Why, "a sign of life")
	require.Empty(t, get[HeartbeatList](f, "stranger", "/api/v1/heartbeats").Heartbeats)

	for _, ch := range f.engine.log {
		if ch.Kind == event.HeartbeatLost {
			why := (&Desk{}).change(&ch).Why
			require.Regexp(t, `^The last word came at \d{4}-`, why[0].Sentence)
			require.Equal(t, "It had reported no configuration item so far.", why[1].Sentence)
		}
	}
	require.Equal(t, "Nobody watches now (2): db-1, db-2.", unwatched([]string{"2", "db-1", "db-2"}))
}

func TestStormsAreCounted(t *testing.T) {
	f := newFixture(t)
	for i := range 25 {
		f.engine.say("main", "prometheus", false, "alertname", "Down", "severity", "critical", "service", fmt.Sprint("svc-", i))
	}
	list := get[StormList](f, "viewer", "/api/v1/storms").Storms
	require.Len(t, list, 1)
	require.Equal(t, []any{"STORM-1", uint32(25), uint8(2), true}, []any{list[0].ID, list[0].Openings, list[0].Worst, list[0].EndedAt == nil})
	require.Equal(t, "STORM-1", get[Incident](f, "viewer", "/api/v1/incidents/25").Storm)
	require.Empty(t, get[Incident](f, "viewer", "/api/v1/incidents/1").Storm)
	require.Empty(t, get[StormList](f, "stranger", "/api/v1/storms").Storms)
}

func TestStreamTellsOfTheDeskToItsTenantOnly(t *testing.T) {
	f := newFixture(t)
	main, other := f.listen(t, "viewer", ""), f.listen(t, "stranger", "")
	main.hello()
	other.hello()
	f.post("windows", `{"name":"secret-window","reason":"y","cis":["a"],"duration":"1h"}`)
	f.post("handover/notes", `{"text":"secret-note"}`)
	f.blind()
	for range 25 {
		f.engine.say("main", "prometheus", false, "alertname", "Down", "severity", "critical", "service", fmt.Sprint("secret-", f.engine.seq))
	}
	f.call("stranger", "POST", "/api/v1/handover/sign", `{}`)
	e := other.next()
	require.Equal(t, "handover_signed", e["event"], "the first thing that is other's")
	var kinds []string
	for len(kinds) == 0 || kinds[len(kinds)-1] != "storm_began" {
		e := main.next()
		kinds = append(kinds, e["event"])
		var ch Change
		require.NoError(t, json.Unmarshal([]byte(e["data"]), &ch))
		require.Equal(t, strings.HasPrefix(ch.Kind, "window_"), ch.Window != nil, ch.Kind)
		require.Equal(t, strings.HasPrefix(ch.Kind, "storm_"), ch.Storm != nil, ch.Kind)
		require.Equal(t, strings.HasPrefix(ch.Kind, "heartbeat_"), ch.Beat != nil, ch.Kind)
		require.Equal(t, strings.HasPrefix(ch.Kind, "handover_"), ch.Handover != nil, ch.Kind)
	}
	for _, want := range []string{"window_set", "window_started", "handover_noted", "heartbeat_set", "heartbeat_lost", "storm_began"} {
		require.Contains(t, kinds, want)
	}
}
