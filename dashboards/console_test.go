package dashboards

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

const hostile = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>` + "\u202e"

// desk is a daemon without a network: a real engine with the API and the console over it.
type desk struct {
	t      *testing.T
	engine *engine.Engine
	h      http.Handler
}

func newDesk(t *testing.T, prefix string) *desk {
	t.Helper()
	e, err := engine.Open(engine.Options{Dir: t.TempDir(), Version: "test"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	guard, err := auth.NewGuard(auth.Options{Listen: "127.0.0.1:9595"}, auth.Credentials{})
	require.NoError(t, err)
	console, err := New(Options{Desk: api.NewDesk(e, prefix), RoutePrefix: prefix, Version: "1.2.3", Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	require.NoError(t, err)
	h, err := api.New(api.Options{Engine: e, Guard: guard, Mounts: console.Mounts(), RoutePrefix: prefix, Version: "1.2.3"})
	require.NoError(t, err)
	return &desk{t, e, h}
}

// say lets a source speak of one alert; pairs are name, value, name, value …
func (d *desk) say(summary, link string, pairs ...string) {
	b := d.engine.NewBatch()
	b.Source = event.Source{Name: "grafana", Tenant: "main", Kind: event.SendOnce}
	var ls event.Labels
	for i := 0; i < len(pairs); i += 2 {
		ls = append(ls, event.Label{Name: pairs[i], Value: pairs[i+1]})
	}
	ls, _ = event.SortLabels(ls)
	b.Add(event.Event{Labels: ls, Annotations: event.Labels{{Name: "summary", Value: summary}}, GeneratorURL: link})
	require.NoError(d.t, d.engine.Submit(d.t.Context(), b))
}

func (d *desk) do(c event.Command) {
	c.Tenant, c.Actor = "main", "ann"
	res, err := d.engine.Do(d.t.Context(), c)
	require.NoError(d.t, err)
	require.Nil(d.t, res.Err)
}

func (d *desk) sample() {
	d.say("Disk of db-3 is 97 % full", "https://prometheus.example/graph?g0.expr=disk", "alertname", "DiskFull", "severity", "critical", "service", "shop", "instance", "db-3")
	d.say("p99 is 4.1 s", "https://grafana.example/d/1", "alertname", "Latency", "severity", "warning", "service", "shop", "instance", "web-1")
	d.say("Replication lags 40 s", "", "alertname", "ReplicationLag", "severity", "major", "service", "billing", "instance", "db-7")
	d.say(hostile, "javascript:alert(3)", "alertname", hostile, "severity", "critical", "service", hostile, "instance", hostile)
	d.do(event.Command{Kind: event.Acknowledge, Incident: 2})
	d.do(event.Command{Kind: event.Note, Incident: 1, Text: "Asked storage for room.\n" + hostile})
}

func (d *desk) get(path string, edit ...func(*http.Request)) (*httptest.ResponseRecorder, string) {
	d.t.Helper()
	r := httptest.NewRequestWithContext(d.t.Context(), http.MethodGet, "http://localhost:9595"+path, nil)
	r.RemoteAddr = "127.0.0.1:40000"
	for _, e := range edit {
		e(r)
	}
	w := httptest.NewRecorder()
	d.h.ServeHTTP(w, r)
	return w, w.Body.String()
}

func TestEmptyConsoleTellsHowToSendTheFirstAlert(t *testing.T) {
	d := newDesk(t, "")
	res, text := d.get("/")
	require.Equal(t, 200, res.Code)
	require.Contains(t, text, "Nothing has arrived yet")
	require.Contains(t, text, "http://localhost:9595/api/v2/alerts")
	require.Contains(t, text, "curl -H")

	d.say("noise", "", "alertname", "Deploy", "severity", "info")
	_, text = d.get("/")
	require.Contains(t, text, "All quiet: no open incidents", "a source has spoken")
	require.NotContains(t, text, "curl -H")
	require.Contains(t, text, "grafana", "its last word is shown")
}

func TestListShowsWhatIsOpenTheMostUrgentFirst(t *testing.T) {
	d := newDesk(t, "")
	d.sample()
	_, text := d.get("/")
	require.Regexp(t, `(?s)INC-1.*INC-2`, text, "P2 before P3")
	require.Contains(t, text, "DiskFull: service shop")
	require.Contains(t, text, `<span class="prio">P2</span>`)
	require.Contains(t, text, "2 firing")
	_, text = d.get("/?status=unacknowledged")
	require.NotContains(t, text, "/incidents/INC-2", "ann has it")
	_, text = d.get("/?q=billing&status=open")
	require.Contains(t, text, "INC-2")
	require.NotContains(t, text, "INC-1<")
	_, text = d.get("/?status=resolved")
	require.Contains(t, text, "No incidents")
}

func TestIncidentPageExplains(t *testing.T) {
	d := newDesk(t, "")
	d.sample()
	res, text := d.get("/incidents/INC-1")
	require.Equal(t, 200, res.Code)
	for _, want := range []string{
		"The alert was DiskFull on db-3.", "An alert of severity critical opens an incident at once.", "Its group&#39;s incident INC-1 was open, so it joined.",
		"Disk of db-3 is 97 % full", `href="https://prometheus.example/graph?g0.expr=disk"`, "Asked storage for room.", "Note by ann",
		`data-action="acknowledge"`, `data-action="resolve"`, "service=shop",
	} {
		require.Contains(t, text, want)
	}
	res, text = d.get("/incidents/INC-99")
	require.Equal(t, 404, res.Code)
	require.Contains(t, text, "there is no incident INC-99")
}

// TestHostileTextIsShownAsText: no label, annotation, note, query or URL becomes markup.
func TestHostileTextIsShownAsText(t *testing.T) {
	d := newDesk(t, "")
	d.sample()
	query := "/?q=" + "%3Cscript%3Ealert(1)%3C%2Fscript%3E%22%27%3E%3Cimg%20src%3Dx"
	for _, path := range []string{"/", "/incidents/INC-1", "/incidents/INC-3", query, "/incidents/" + "%3Cscript%3Ealert(1)"} {
		_, text := d.get(path)
		require.NotContains(t, text, "<script>alert", path)
		require.NotContains(t, text, "<img src=x", path)
		require.NotContains(t, text, "javascript:", path)
		require.NotContains(t, text, "\u202e", path)
		require.Empty(t, regexp.MustCompile(`<[^>]*\son\w+\s*=`).FindString(text), "%s: an event handler in a tag", path)
		require.Empty(t, regexp.MustCompile(`<script(?: src="[^"]*"[^>]*)?>[^<]`).FindString(text), "%s: inline script", path)
	}
	_, text := d.get("/incidents/INC-3")
	require.Contains(t, text, "&lt;script&gt;alert(1)&lt;/script&gt;")
}

func TestPagesLetNothingElseRun(t *testing.T) {
	d := newDesk(t, "")
	for _, path := range []string{"/", "/incidents/INC-9", "/static/console.js", "/static/console.css"} {
		res, text := d.get(path)
		csp := res.Header().Get("Content-Security-Policy")
		require.Contains(t, csp, "default-src 'none'", path)
		require.Contains(t, csp, "frame-ancestors 'none'", path)
		require.NotContains(t, csp, "unsafe", path)
		require.Equal(t, "nosniff", res.Header().Get("X-Content-Type-Options"), path)
		require.NotContains(t, text, " style=", "the policy would drop it")
	}
	res, _ := d.get("/static/console.go")
	require.Equal(t, 404, res.Code)
}

func TestEveryLinkCarriesThePrefix(t *testing.T) {
	d := newDesk(t, "/tocsin")
	d.sample()
	for _, path := range []string{"/tocsin/", "/tocsin/incidents/INC-1"} {
		res, text := d.get(path)
		require.Equal(t, 200, res.Code)
		for _, m := range regexp.MustCompile(` (?:href|src|action)="([^"]*)"`).FindAllStringSubmatch(text, -1) {
			require.True(t, strings.HasPrefix(m[1], "/tocsin/") || strings.HasPrefix(m[1], "https://"), "%s: %s", path, m[1])
		}
		require.Contains(t, text, `data-prefix="/tocsin"`)
	}
	res, _ := d.get("/tocsin/static/console.js")
	require.Equal(t, 200, res.Code)
}

// TestIncidentPageShowsItsLife puts everything on an incident that people keep on one.
func TestIncidentPageShowsItsLife(t *testing.T) {
	d := newDesk(t, "")
	d.sample()
	d.life()
	res, text := d.get("/incidents/INC-1")
	require.Equal(t, 200, res.Code)
	for _, want := range []string{
		`<span class="pill">in progress</span>`, "Major incident since", "led by <bdi>ann</bdi>", "next update", "2 people report", "Acme 4711",
		"swap the disk", `data-action="tasks/1" data-method="PATCH"`, `href="/incidents/INC-3"`, "Watchers",
		"&lt;script&gt;alert(1)&lt;/script&gt;", "1 open", "set by hand: impact, urgency",
	} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "<script>alert")
	_, text = d.get("/incidents/INC-2")
	require.Contains(t, text, `<a href="/incidents/INC-2?itself=1"><bdi>INC-2</bdi></a> was merged into INC-1, which you see here`)
	require.Contains(t, text, "INC-1</span>")
	_, text = d.get("/incidents/INC-2?itself=1")
	require.Contains(t, text, `INC-2 was merged into <a href="/incidents/INC-1">INC-1</a>`)
	require.Contains(t, text, `data-steps="unmerge watch "`)
	_, text = d.get("/")
	require.Contains(t, text, "<strong>major</strong> · in progress")
	require.Contains(t, text, "2 reports")
	_, text = d.get("/?status=all")
	require.Contains(t, text, "INC-2")
}

// life is what people keep on the sample's first incident; the second goes into it.
func (d *desk) life() {
	d.do(event.Command{Kind: event.Begin, Incident: 1})
	d.do(event.Command{Kind: event.EditIncident, Incident: 1, Edit: &event.IncidentEdit{Fields: event.PinImpact | event.PinUrgency, Impact: 1, Urgency: 1}})
	d.do(event.Command{Kind: event.SetMajor, Incident: 1, Major: &event.MajorIncident{Commander: "ann", Bridge: "https://meet.example/1"}})
	for _, caller := range []string{"kim", hostile} {
		d.do(event.Command{Kind: event.TakeReport, Incident: 1, Report: &event.Report{Caller: caller, Text: hostile}})
	}
	d.do(event.Command{Kind: event.SetTicket, Incident: 1, Ticket: &event.Ticket{Supplier: "Acme", Reference: "4711", LastWord: hostile}})
	d.do(event.Command{Kind: event.SetTask, Incident: 1, Task: &event.Task{Title: "swap the disk", Assignee: "bob"}})
	d.do(event.Command{Kind: event.Relate, Incident: 1, Other: 3})
	d.do(event.Command{Kind: event.Watch, Incident: 1, Assignee: "kim"})
	d.do(event.Command{Kind: event.Merge, Incident: 1, Other: 2, Text: "the same disk"})
}

func TestViewersGetNoButtons(t *testing.T) {
	d := newDesk(t, "")
	d.sample()
	e, _ := New(Options{Desk: api.NewDesk(d.engine, "")})
	r := httptest.NewRequestWithContext(auth.NewContext(t.Context(), auth.Principal{ID: "vic", Role: auth.Viewer, Tenant: "main"}), "GET", "/incidents/INC-1", nil)
	r.SetPathValue("id", "INC-1")
	w := httptest.NewRecorder()
	e.serveIncident(w, r)
	require.Contains(t, w.Body.String(), "<bdi>vic</bdi> · viewer")
	require.NotContains(t, w.Body.String(), "data-action")
}

// TestEveryChangeHasASentence: a kind that is added later must not show up as its bare name here.
func TestEveryChangeHasASentence(t *testing.T) {
	for k := event.IncidentOpened; k.String() != "unknown"; k++ {
		if !strings.HasPrefix(k.String(), "incident_") {
			continue
		}
		got := sentence(api.Change{Kind: k.String(), Actor: "ann", Incident: &api.IncidentBrief{Priority: 2, Severity: "critical", Assignee: "bob"}})
		require.NotContains(t, got, strings.ReplaceAll(k.String(), "_", " "), k.String())
		require.Contains(t, got, "by ann")
	}
	moved := sentence(api.Change{Kind: "alert_moved", Actor: "ann", Alert: &api.AlertBrief{Name: "DiskFull", Resource: "db-3", Incident: "INC-7"}})
	require.Equal(t, "DiskFull on db-3 moved to INC-7 by ann", moved)
	got := sentence(api.Change{Kind: "alert_firing", Alert: &api.AlertBrief{Name: "DiskFull", Resource: "db-3", Severity: "critical", Reason: "never_opens"}})
	require.Equal(t, "DiskFull on db-3 firing (critical), never opens", got)
}

func TestAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 41 * time.Second: "41 s", 7 * time.Minute: "7 min", 3*time.Hour + 12*time.Minute: "3 h 12 min", 52 * time.Hour: "2 d 4 h",
	} {
		require.Equal(t, want, ago(d))
	}
}

func TestConsoleNeedsTheEngine(t *testing.T) {
	d := newDesk(t, "")
	require.NoError(t, d.engine.Snapshot(context.Background()))
	res, text := d.get("/?cursor=nonsense")
	require.Equal(t, 422, res.Code)
	require.Contains(t, text, "the cursor does not belong to this list")
}

func TestEveryLinkAndRequestKeepsTheTenantThatWasAskedFor(t *testing.T) {
	d := newDesk(t, "")
	d.sample()
	for _, path := range []string{"/?tenant=main", "/?tenant=main&status=resolved", "/incidents/INC-1?tenant=main", "/incidents/INC-99?tenant=main"} {
		_, text := d.get(path)
		require.Contains(t, text, `data-tenant="main"`)
		for _, m := range regexp.MustCompile(` href="(/[^"]*)"`).FindAllStringSubmatch(text, -1) {
			if !strings.HasPrefix(m[1], "/static/") {
				require.Regexp(t, `(\?|&amp;)tenant=main$`, m[1], path)
			}
		}
	}
	_, text := d.get("/?tenant=main")
	require.Contains(t, text, `<input type="hidden" name="tenant" value="main">`)
	_, text = d.get("/")
	require.NotContains(t, text, "tenant=main")
	_, script := d.get("/static/console.js")
	require.Contains(t, script, `"&tenant=" + encodeURIComponent(tenant)`)
	require.Contains(t, script, `init.headers["Tocsin-Tenant"] = tenant`)
}
