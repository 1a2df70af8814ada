package alertmanager

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/ingest"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// fixed is a clock that stands still.
func fixed() time.Time { return testNow.Time() }

// ask sends one request as somebody and returns the answer.
func (d *daemon) ask(who auth.Principal, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", jsonType)
	}
	as(who, d.mux()).ServeHTTP(w, r)
	return w
}

func admin() auth.Principal {
	return auth.Principal{ID: "anna", Role: auth.Admin, Tenant: event.DefaultTenant}
}

const oneAlert = `[{"labels":{"alertname":"foo","severity":"critical"},"startsAt":"2026-11-20T22:20:00Z","endsAt":"2026-11-20T22:30:00Z"}]`

func TestTheAPIIsClosedToWhoMayNot(t *testing.T) {
	d := newDaemon(t, fixed)
	viewer := auth.Principal{ID: "vera", Role: auth.Viewer, Tenant: event.DefaultTenant}
	for _, c := range []struct {
		who          auth.Principal
		method, path string
		status       int
	}{
		{auth.Principal{}, "GET", "/api/v2/alerts", 401},
		{auth.Principal{}, "GET", "/api/v2/alerts/groups", 401},
		{auth.Principal{}, "GET", "/api/v2/status", 401},
		{auth.Principal{}, "GET", "/api/v2/receivers", 401},
		{auth.Principal{}, "GET", "/api/v2/silences", 401},
		{auth.Principal{}, "GET", "/api/v2/silence/00000000-58fe-4598-b2f2-54bfe0265e53", 401},
		{auth.Principal{}, "POST", "/api/v2/alerts", 401},
		{auth.Principal{}, "POST", "/webhook/alertmanager", 401},
		{auth.Principal{}, "GET", "/api/v1/receivers", 401},
		{viewer, "GET", "/api/v2/alerts", 200},
		{viewer, "POST", "/api/v2/alerts", 403},
		{viewer, "POST", "/webhook/alertmanager", 403},
		{viewer, "POST", "/api/v2/silences", 403},
		{viewer, "DELETE", "/api/v2/silence/00000000-58fe-4598-b2f2-54bfe0265e53", 403},
	} {
		require.Equal(t, c.status, d.ask(c.who, c.method, c.path, "").Code, "%s %s", c.method, c.path)
	}
}

func TestTenantsSeeTheirOwn(t *testing.T) {
	d := newDaemon(t, fixed)
	other := auth.Principal{ID: "otto", Role: auth.Admin, Tenant: "other"}
	require.Equal(t, 200, d.ask(admin(), "POST", alertsPath, oneAlert).Code)
	made := d.ask(admin(), "POST", silencesPath, silence(matchFoo, "2026-11-20T22:20:00Z", "2026-11-20T22:30:00Z"))
	require.Equal(t, 200, made.Code)
	id := strings.Split(made.Body.String(), `"`)[3]
	require.Contains(t, d.ask(admin(), "GET", alertsPath, "").Body.String(), id)
	for _, path := range []string{alertsPath, groupsPath, silencesPath} {
		require.Equal(t, "[]\n", d.ask(other, "GET", path, "").Body.String())
	}
	require.Equal(t, 404, d.ask(other, "GET", "/api/v2/silence/"+id, "").Code)
	require.Equal(t, 404, d.ask(other, "DELETE", "/api/v2/silence/"+id, "").Code)
}

func TestASilenceRemembersWhoMadeIt(t *testing.T) {
	d := newDaemon(t, fixed)
	require.Equal(t, 200, d.ask(admin(), "POST", silencesPath, silence(matchFoo, "", "2026-11-20T22:30:00Z")).Code)
	v, err := d.engine.View(t.Context())
	require.NoError(t, err)
	for s := range v.Silences(event.DefaultTenant) {
		require.Equal(t, []string{"me", "anna"}, []string{s.CreatedBy, s.Actor})
	}
}

func TestAMatcherThatIsNullIsIncomplete(t *testing.T) { // Alertmanager breaks the connection
	w := newDaemon(t, fixed).ask(admin(), "POST", silencesPath, silence("null", "", "2026-11-20T22:30:00Z"))
	require.Equal(t, 422, w.Code)
	require.JSONEq(t, `{"code":602,"message":"matchers.0.isRegex in body is required"}`, w.Body.String())
}

func TestASilenceHasALimitOfBytes(t *testing.T) {
	body := silence(`{"name":"a","isRegex":false,"value":"`+strings.Repeat("x", maxSilenceBytes)+`"}`, "", "2026-11-20T22:30:00Z")
	w := newDaemon(t, fixed).ask(admin(), "POST", silencesPath, body)
	require.Equal(t, 413, w.Code)
	require.JSONEq(t, `{"code":413,"message":"the silence is larger than 65536 bytes"}`, w.Body.String())
}

func TestWhatCannotBeTakenNowIsToComeAgain(t *testing.T) {
	d := newDaemon(t, fixed)
	d.engine.refuses = errors.New("engine: the disk is full")
	for _, c := range []struct{ method, path, body string }{
		{"POST", alertsPath, oneAlert},
		{"POST", "/webhook/alertmanager", message(webhookAlert)},
		{"POST", silencesPath, silence(matchFoo, "", "2026-11-20T22:30:00Z")},
		{"DELETE", "/api/v2/silence/00000000-58fe-4598-b2f2-54bfe0265e53", ""},
		{"GET", alertsPath, ""}, {"GET", groupsPath, ""}, {"GET", silencesPath, ""},
	} {
		w := d.ask(admin(), c.method, c.path, c.body)
		require.Equal(t, 503, w.Code, "%s %s", c.method, c.path)
		require.Equal(t, "5", w.Header().Get("Retry-After"))
		require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
		require.Contains(t, w.Body.String(), "the disk is full")
	}
}

func TestABodyOverTheLimitNamesIt(t *testing.T) {
	d := newDaemon(t, fixed, func(_ *Options, l *ingest.Limits) { l.BodyBytes = 10 })
	w := d.ask(admin(), "POST", alertsPath, oneAlert)
	require.Equal(t, 413, w.Code)
	require.JSONEq(t, `{"code":413,"message":"the body is larger than 10 bytes (limits.body_bytes) (send smaller batches or raise limits.body_bytes)"}`, w.Body.String())
	require.Equal(t, map[string]uint64{"too_large": 1}, d.sources.Stats(event.DefaultTenant, fixed())[0].Errors)
	w = d.ask(admin(), "POST", "/webhook/alertmanager", oneAlert)
	require.Equal(t, 413, w.Code)
	require.Contains(t, w.Body.String(), "limits.body_bytes")
}

func TestASourceAtItsCapIsToldWhichAndHowMany(t *testing.T) {
	d := newDaemon(t, fixed, func(_ *Options, l *ingest.Limits) { l.AlertsPerSource = 1 })
	w := d.ask(admin(), "POST", alertsPath, `[{"labels":{"a":"1"}},{"labels":{"a":"2"}},{"labels":{}}]`)
	require.Equal(t, 400, w.Code)
	require.Equal(t, `"at least one label pair required\n1 new alerts refused: source api-v2 is at its limit of 1 active alerts`+
		` (limits.alerts_per_source); known alerts were taken"`+"\n", w.Body.String())
	require.Len(t, d.engine.reports, 1)
	require.Contains(t, d.ask(admin(), "GET", alertsPath, "").Body.String(), `"labels":{"a":"1"}`)
}

func TestTheStatusSaysWhatItIsCompatibleWithAndWhatItIs(t *testing.T) {
	d := newDaemon(t, fixed)
	body := d.ask(admin(), "GET", "/api/v2/status", "").Body.String()
	for _, part := range []string{
		`"version":"0.34.2"`, `"branch":"tocsin 1.2.3"`, `"buildUser":"tocsin 1.2.3"`, `"uptime":"2026-11-20T22:25:00.000Z"`,
		`"cluster":{"name":"tocsin","peers":[{"address":"127.0.0.1:9595","name":"tocsin"}],"status":"ready"}`, `receiver: tocsin`,
	} {
		require.Contains(t, body, part)
	}
	d.SetConfig("route: {receiver: other}")
	require.Contains(t, d.ask(admin(), "GET", "/api/v2/status", "").Body.String(), `{"original":"route: {receiver: other}"}`)
}

func TestTheShortestConfigIsOneThatAlertmanagerReads(t *testing.T) {
	c, err := ReadConfig("shown", []byte(shortestConfig))
	require.NoError(t, err)
	require.Empty(t, c.Warnings)
}

func TestOfAlertmanagersAPIV1OnlyWhatTocsinsOwnLeavesFreeIsGone(t *testing.T) {
	d := newDaemon(t, fixed)
	for _, asked := range []string{
		"POST /api/v1/alerts", "GET /api/v1/receivers", "GET /api/v1/silence/x", "DELETE /api/v1/silence/x",
	} {
		method, path, _ := strings.Cut(asked, " ")
		w := d.ask(admin(), method, path, "")
		require.Equal(t, http.StatusGone, w.Code, asked)
		require.Contains(t, w.Body.String(), `"status":"deprecated"`)
	}
	for _, path := range []string{"/api/v1/alerts", "/api/v1/silences", "/api/v1/status", "/api/v1/incidents"} {
		_, pattern := d.mux().Handler(httptest.NewRequest("GET", path, nil))
		require.Empty(t, pattern, path)
	}
	_, pattern := d.mux().Handler(httptest.NewRequest("GET", "/alertmanager/api/v2/status", nil))
	require.Empty(t, pattern, "Grafana would take us for Mimir")
}

func TestClassicMatchersAreAskedForByOption(t *testing.T) {
	classic := newDaemon(t, fixed, func(o *Options, _ *ingest.Limits) { o.ClassicMatchers = true })
	const utf8 = `{"name":"café au lait","value":"b","isRegex":false}`
	w := classic.ask(admin(), "POST", silencesPath, silence(utf8, "", "2026-11-20T22:30:00Z"))
	require.Equal(t, 400, w.Code)
	require.Contains(t, w.Body.String(), `invalid label name \"café au lait\"`)
	require.Equal(t, 400, classic.ask(admin(), "GET", alertsPath+"?filter=%22caf%C3%A9%22=x", "").Code)
	require.Equal(t, 200, newDaemon(t, fixed).ask(admin(), "POST", silencesPath, silence(utf8, "", "2026-11-20T22:30:00Z")).Code)
}

func TestSeveralSourcesOfOneLabelSetAreOneAlert(t *testing.T) {
	at := testNow.Time()
	d := newDaemon(t, func() time.Time { return at })
	send := func(source, start, end, text string) {
		at = at.Add(time.Second)
		ctx := auth.NewSourceContext(t.Context(), auth.Source{Source: event.Source{Name: source, Tenant: event.DefaultTenant}})
		r := httptest.NewRequestWithContext(ctx, "POST", alertsPath, strings.NewReader(
			`[{"labels":{"alertname":"foo"},"startsAt":"`+start+`","endsAt":"`+end+`","annotations":{"text":"`+text+`"},"generatorURL":"http://`+text+`"}]`))
		r.Header.Set("Content-Type", jsonType)
		w := httptest.NewRecorder()
		d.mux().ServeHTTP(w, r)
		require.Equal(t, 200, w.Code)
	}
	send("eu", "2026-11-20T22:10:00Z", "2026-11-20T22:40:00Z", "first")
	send("us", "2026-11-20T22:20:00Z", "2026-11-20T22:50:00Z", "second")
	send("eu", "2026-11-20T22:10:00Z", "2026-11-20T22:45:00Z", "third")
	body := d.ask(admin(), "GET", alertsPath, "").Body.String()
	require.Equal(t, 1, strings.Count(body, `"fingerprint"`))
	require.Contains(t, body, `"annotations":{"text":"third"},"endsAt":"2026-11-20T22:50:00.000Z"`)
	require.Contains(t, body, `"startsAt":"2026-11-20T22:10:00.000Z"`)
	require.Contains(t, body, `"updatedAt":"2026-11-20T22:25:03.000Z","generatorURL":"http://third"`)
}

func TestLabelSetsOfOneAlertAreShownApart(t *testing.T) { // Alertmanager's clients know nothing of our identity
	d := newDaemon(t, fixed)
	require.Equal(t, 200, d.ask(admin(), "POST", alertsPath, `[{"labels":{"alertname":"foo","replica":"a"}},{"labels":{"alertname":"foo","replica":"b"}}]`).Code)
	require.Equal(t, 2, strings.Count(d.ask(admin(), "GET", alertsPath, "").Body.String(), `"fingerprint"`))
	groups := d.ask(admin(), "GET", groupsPath, "").Body.String()
	require.Equal(t, []int{2, 1}, []int{strings.Count(groups, `"fingerprint"`), strings.Count(groups, `"routeLabels"`)})
}

func TestUUIDsAreJudgedInEveryForm(t *testing.T) {
	const plain = "00000000-58fe-4598-b2f2-54bfe0265e53"
	for _, id := range []string{plain, strings.ToUpper(plain), "{" + plain + "}", "urn:uuid:" + plain, strings.ReplaceAll(plain, "-", "")} {
		require.True(t, isUUID(id), id)
	}
	for _, id := range []string{"", "x", plain[1:], plain + "0", "urn:uuie:" + plain, strings.Replace(plain, "-", "0", 1), strings.Replace(plain, "e", "g", 1)} {
		require.False(t, isUUID(id), id)
	}
}

func TestASilenceIsShownForAsLongAsItHolds(t *testing.T) {
	at := testNow.Time()
	d := newDaemon(t, func() time.Time { return at })
	require.Equal(t, 200, d.ask(admin(), "POST", alertsPath, strings.Replace(oneAlert, "22:30", "23:30", 1)).Code)
	require.Equal(t, 200, d.ask(admin(), "POST", silencesPath, silence(matchFoo, "2026-11-20T22:27:00Z", "2026-11-20T22:37:00Z")).Code)
	for _, c := range []struct {
		after time.Duration
		state string
	}{{0, "active"}, {2 * time.Minute, "suppressed"}, {5 * time.Minute, "suppressed"}, {12 * time.Minute, "active"}} {
		at = testNow.Time().Add(c.after)
		require.Contains(t, d.ask(admin(), "GET", alertsPath, "").Body.String(), `"state":"`+c.state+`"`, c.after)
	}
}

func TestAMaintenanceWindowIsShownAsWhatMutesAnAlert(t *testing.T) {
	d := newDaemon(t, fixed)
	_, err := d.engine.Do(t.Context(), event.Command{Kind: event.SetWindow, Actor: "anna", Tenant: event.DefaultTenant, Window: &event.Window{
		Name: "backup night", Reason: "backup", EndsAt: testNow + event.Hour,
		Matchers: []event.Matcher{{Name: "alertname", Value: "foo", IsEqual: true}},
	}})
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, d.ask(admin(), "POST", "/api/v2/alerts", oneAlert).Code)
	shown := d.ask(admin(), "GET", "/api/v2/alerts", "").Body.String()
	require.Contains(t, shown, `"mutedBy":["backup night"]`)
	require.Contains(t, shown, `"state":"suppressed"`)
}
