package dashboards

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/event"
)

// cascade lets a database fail, and then what rests on it. Its incident has candidates for the cause once they were weighed.
func (d *desk) cascade() {
	rests := []event.Relation{{Kind: event.DependsOn, To: "db-1"}}
	d.do(event.Command{Kind: event.EditCIs, CIs: &event.CIEdit{Source: "cmdb.yml", Set: []event.CI{
		{ID: "db-1", Class: "host", State: event.CILive}, {ID: "web-1", Class: "host", State: event.CILive, Relations: rests},
		{ID: "web-2", Class: "host", State: event.CILive, Relations: rests},
	}}})
	d.say("it is down", "", "alertname", "Down", "severity", "critical", "ci", "db-1")
	d.say("5xx", "", "alertname", "Errors", "severity", "critical", "ci", "web-1")
	d.say(hostile, "", "alertname", hostile, "severity", "critical", "ci", "web-2")
	require.Eventually(d.t, func() bool {
		v, err := d.engine.View(d.t.Context())
		require.NoError(d.t, err)
		_, weighed := v.Causes(1)
		return weighed
	}, 20*time.Second, 50*time.Millisecond)
}

func TestTheCauseIsTheFirstThingOnTheIncidentPage(t *testing.T) {
	d := newDesk(t, "")
	d.cascade()
	_, text := d.get("/")
	require.Contains(t, text, "Cause: <bdi>still learning (0)</bdi>")
	_, text = d.get("/incidents/INC-1")
	require.Regexp(t, `(?s)Root cause <span class="dim"><bdi>still learning \(0\)</bdi>.*<h2>Why</h2>`, text)
	require.Contains(t, text, "It says Down on db-1, first of all, which it said in no earlier incident.")
	require.Contains(t, text, `value="right" data-key="r"`)
	require.Contains(t, text, "Grouped by topology")
	require.NotContains(t, text, "tree=")
	require.NotContains(t, text, "<script>alert")
	d.do(event.Command{Kind: event.JudgeCause, Incident: 1, Number: uint32(event.CauseOther), Text: "web-1"})
	_, text = d.get("/incidents/INC-1")
	require.Contains(t, text, `<span class="likely"><bdi>it was web-1, says ann</bdi>`)
	require.NotContains(t, text, `data-action="cause"`, "a verdict counts once")
}

func TestBrowserJudgesTheCause(t *testing.T) {
	d := newDesk(t, "")
	d.cascade()
	dom := browse(t, d.h, "/incidents/INC-1", `
		document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "r", bubbles: true }));
		if (document.activeElement.value === "right") document.activeElement.click();`, "it was db-1, says")
	require.Contains(t, dom, `<span class="likely"><bdi>it was db-1, says anonymous</bdi>`)
}

func TestBrowserTellsWhyAnAlertIsHere(t *testing.T) {
	d := newDesk(t, "")
	d.cascade()
	dom := browse(t, d.h, "/incidents/INC-1", `document.querySelectorAll("details[data-why]").forEach((e) => { e.open = true; });`, "It rests on db-1 (1 hop)")
	require.Regexp(t, `<p>It rests on db-1 \(1 hop\), which alarmed [^<]* likelier than chance; 10 is needed\.</p>`, dom)
	require.NotContains(t, dom, "<img src=\"x\"")
}

func TestWhatIsThoughtOfACauseIsToldInWords(t *testing.T) {
	for want, c := range map[string]*api.CauseBrief{
		"Cause weighed anew, first db-1": {First: "db-1"}, "No candidate for the cause": {},
		"The cause was db-3 by ann": {First: "db-1", Verdict: "other", VerdictOn: "db-3"}, "The cause was not db-1 by ann": {First: "db-1", Verdict: "wrong", VerdictOn: "db-1"},
	} {
		actor := ""
		if c.Verdict != "" {
			actor = "ann"
		}
		require.Equal(t, want, sentence(api.Change{Kind: "incident_causes", Actor: actor, Causes: c}))
	}
	require.Contains(t, liveKinds(), "incident_causes")
	require.NotContains(t, liveKinds(), "item_placed")
}
