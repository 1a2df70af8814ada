package dashboards

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// browse opens a path in a real browser, runs script on the page, and returns what the page is once it shows the text until.
func browse(t *testing.T, h http.Handler, path, script, until string) string {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("chromium is not installed: run `make deps`")
		}
		t.Skip("SKIPPED: chromium is not installed: run `make deps`")
	}
	s := httptest.NewServer(instrument(h, script, until))
	t.Cleanup(s.CloseClientConnections)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
		"--user-data-dir="+t.TempDir(), "--dump-dom", s.URL+path)
	cmd.WaitDelay = time.Second
	var dom, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &dom, &log
	require.NoError(t, cmd.Run(), log.String())
	return dom.String()
}

// instrument adds two scripts to every page, from our own origin as the policy demands: the test's, which also tells us when the
// page shows the text, and one that we hold back until then, because the browser prints the page when everything has loaded.
func instrument(h http.Handler, script, until string) http.Handler {
	var once sync.Once
	shown := make(chan struct{})
	text, _ := json.Marshal(until)
	script += `
		const check = () => { if (document.body.innerHTML.includes(` + string(text) + `)) fetch("/test/shown"); };
		new MutationObserver(check).observe(document.body, { subtree: true, childList: true, attributes: true });
		check();`
	mux := http.NewServeMux()
	mux.Handle("/api/", h)
	mux.Handle("/static/", h)
	mux.HandleFunc("/test/script.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = io.WriteString(w, script)
	})
	mux.HandleFunc("/test/shown", func(http.ResponseWriter, *http.Request) { once.Do(func() { close(shown) }) })
	mux.HandleFunc("/test/hold.js", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-shown:
		case <-time.After(20 * time.Second): // the page is printed as it is, and the test says what is missing
		case <-r.Context().Done():
		}
		w.Header().Set("Content-Type", "text/javascript")
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		maps.Copy(w.Header(), rec.Header())
		w.WriteHeader(rec.Code)
		_, _ = io.WriteString(w, strings.Replace(rec.Body.String(), "</head>",
			`<script src="/test/script.js" defer></script><script src="/test/hold.js" defer></script></head>`, 1))
	})
	return mux
}

func TestBrowserFollowsTheStream(t *testing.T) {
	d := newDesk(t, "")
	late := make(chan struct{})
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/stream" {
			go func() { d.sample(); close(late) }() // what arrives once the page is there
		}
		d.h.ServeHTTP(w, r)
	})
	dom := browse(t, h, "/", "", "ReplicationLag: service billing")
	<-late
	require.Contains(t, dom, "DiskFull: service shop", "the page brought itself up to date")
	require.Contains(t, dom, `class="live on"`)
	require.NotContains(t, dom, "Nothing has arrived yet")
}

func TestBrowserAcknowledges(t *testing.T) {
	d := newDesk(t, "")
	d.sample()
	dom := browse(t, d.h, "/incidents/INC-1", `document.querySelector("[data-action=acknowledge] button").click()`,
		`<span class="pill">acknowledged</span>`)
	require.Contains(t, dom, `<span class="pill">acknowledged</span>`)
	_, text := d.get("/incidents/INC-1")
	require.Contains(t, text, "Acknowledged by anonymous")
}

func TestBrowserShowsWhyAnActionWasRefused(t *testing.T) {
	d := newDesk(t, "")
	d.sample()
	refused := "INC-1 still has 2 firing alerts – resolve it with a reason, or wait until they clear"
	dom := browse(t, d.h, "/incidents/INC-1", `document.querySelector("[data-action=resolve] button").click()`, refused)
	require.Contains(t, dom, refused)
	dom = browse(t, d.h, "/incidents/INC-1", `
		document.querySelector("[name=reason]").value = "moved to a new disk";
		document.querySelector("[data-action=resolve] button").click()`, `<span class="pill">resolved</span>`)
	require.Contains(t, dom, `<span class="pill">resolved</span>`)
}

// TestBrowserTakesAnIncidentThroughItsLife presses the buttons that its state offers, and finds the others gone.
func TestBrowserTakesAnIncidentThroughItsLife(t *testing.T) {
	d := newDesk(t, "")
	d.sample()
	dom := browse(t, d.h, "/incidents/INC-1", `document.querySelector("[data-action=begin] button").click()`, `<span class="pill">in progress</span>`)
	require.Regexp(t, `data-step="close" hidden=""`, dom)
	require.NotRegexp(t, `data-step="resolve" hidden=""`, dom)
	browse(t, d.h, "/incidents/INC-1", `
		document.querySelector("[data-action=tasks] [name=title]").value = "swap the disk";
		document.querySelector("[data-action=tasks] button").click()`, `data-action="tasks/1"`)
	dom = browse(t, d.h, "/incidents/INC-1", `document.querySelector("[data-action='tasks/1'] button").click()`, `done by`)
	require.Contains(t, dom, "0 open")
	dom = browse(t, d.h, "/incidents/INC-1", `document.querySelector("[data-action=watch] button").click()`, `<dt>Watchers</dt>`)
	require.Contains(t, dom, "anonymous")
	browse(t, d.h, "/incidents/INC-1", `document.querySelector("[data-action=hold] button").click()`, `waits for the vendor</span>`)
	browse(t, d.h, "/incidents/INC-3", `
		document.querySelector("[data-action=merge] [name=into]").value = "INC-1";
		document.querySelector("[data-action=merge] button").click()`, `was merged into INC-1, which you see here`)
}

func TestBrowserTellsOfTheLastTimeIfTheHistoryAnswers(t *testing.T) {
	d := newDesk(t, "")
	d.sample()
	answer, asked := "", make(chan string, 10)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/incidents/INC-1/similar" {
			d.h.ServeHTTP(w, r)
			return
		}
		asked <- r.URL.RawQuery
		if answer == "" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = io.WriteString(w, answer)
	})
	answer = `{"ci": "db-3", "same_trouble": {"in_90_days": 2}, "same_item": {"in_90_days": 5}, "same_alert": {"in_90_days": 6}, "incidents": [{"incident": "INC-3",
		"origin": "", "opened_at": "2025-10-02T10:00:00Z", "seconds": 570, "resolved_by": "ann", "how": "<b>disk</b> replaced", "same": ["alert", "item", "trouble"]}]}`
	const want = "Last time: 2025-10-02, 9m, resolved by ann: &lt;b&gt;disk&lt;/b&gt; replaced (INC-3, the same trouble; 2 in 90 days)"
	require.Contains(t, browse(t, h, "/incidents/INC-1", "", want), want)
	require.Equal(t, "limit=1", <-asked)

	answer = ""
	dom := browse(t, h, "/incidents/INC-1", "", `class="live on"`)
	require.Contains(t, dom, `data-past="INC-1" hidden`)
	require.NotContains(t, dom, "Last time")
}

func TestBrowserAnswersAProposal(t *testing.T) {
	d := newDesk(t, "")
	d.sample()
	d.do(event.Command{Kind: event.EditIncident, Incident: 1, Edit: &event.IncidentEdit{Fields: event.PinImpact | event.PinUrgency, Impact: 1, Urgency: 1}})
	dom := browse(t, d.h, "/incidents/INC-1", `document.querySelector("[data-action='proposals/1'] [value=accept]").click()`, "Major incident since")
	require.Contains(t, dom, "led by <bdi>anonymous</bdi>")
}
