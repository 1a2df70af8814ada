package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/template"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"tocsin": main}) }

// TestScripts types what a person types. A script's files below answers/ are what the daemon says: answers/GET/api/v1/incidents.json
// to every GET of that path, incidents.2.json to the second one and all after it. A first line "HTTP 409" sets the status;
// {{ago "3m"}} and {{in "3m"}} are times. What was asked stands in the file requests, which the command asked compares.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			d := &cannedDaemon{dir: env.WorkDir, seen: map[string]int{}}
			server := httptest.NewServer(d)
			env.Defer(server.Close)
			env.Values["daemon"] = d
			env.Setenv("TOCSIN_URL", server.URL)
			env.Setenv("TZ", "UTC")
			env.Setenv("USER", "ann")
			env.Setenv("NO_PROXY", "*")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"asked": asked, "code": code, "data": makeData, "damage": damage,
		},
	})
}

// cannedDaemon answers from files. It holds them against the API's own types, so that they cannot drift from it.
type cannedDaemon struct {
	dir string

	mu       sync.Mutex
	seen     map[string]int
	requests []string
	problem  error
}

func (d *cannedDaemon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	text, err := d.answer(w, r)
	if err != nil {
		d.problem = err // asked tells
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	if len(text) > 0 {
		_, _ = w.Write(text)
	}
}

func (d *cannedDaemon) answer(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	payload, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	d.note(r, payload)
	name := filepath.Join(d.dir, "answers", r.Method, filepath.FromSlash(r.URL.Path))
	d.seen[name]++
	text, err := os.ReadFile(fmt.Sprintf("%s.%d.json", name, min(d.seen[name], 2)))
	if err != nil {
		text, err = os.ReadFile(name + ".json")
	}
	if err != nil {
		p := &auth.Problem{Status: http.StatusNotFound, Code: "not_found", Detail: "there is no " + filepath.Base(r.URL.Path)}
		p.Write(w, r)
		return nil, nil // it has been answered
	}
	return fill(w, r, text)
}

func (d *cannedDaemon) note(r *http.Request, payload []byte) {
	line := r.Method + " " + r.URL.Path
	if q := r.URL.Query(); len(q) > 0 {
		line += "?" + q.Encode()
	}
	if token := r.Header.Get("Authorization"); token != "" {
		line += " as " + token
	}
	if len(payload) > 0 {
		line += " " + strings.TrimSpace(string(payload))
	}
	d.requests = append(d.requests, line)
}

// fill makes an answer of a canned text.
func fill(w http.ResponseWriter, r *http.Request, text []byte) ([]byte, error) {
	status := http.StatusOK
	if rest, ok := bytes.CutPrefix(text, []byte("HTTP ")); ok {
		head, rest, _ := bytes.Cut(rest, []byte("\n"))
		number, location, _ := strings.Cut(string(head), " ")
		status, _ = strconv.Atoi(number)
		text = rest
		if location != "" {
			w.Header().Set("Location", location)
		}
	}
	t, err := template.New("").Funcs(template.FuncMap{"ago": func(s string) (string, error) { return shifted(s, -1) }, "in": func(s string) (string, error) { return shifted(s, 1) }}).Parse(string(text))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, nil); err != nil {
		return nil, err
	}
	if status < 299 && b.Len() > 0 { // 299: not an answer of the API
		if err := isOfTheAPI(r.URL.Path, b.Bytes()); err != nil {
			return nil, err
		}
	}
	w.WriteHeader(status)
	return b.Bytes(), nil
}

// shifted returns a time so far from now; half a second more or less keeps what is printed steady.
func shifted(span string, sign time.Duration) (string, error) {
	d, err := time.ParseDuration(span)
	return time.Now().Add(sign*d + 500*time.Millisecond*(sign)).UTC().Format(time.RFC3339Nano), err
}

// isOfTheAPI fails on a field that the API does not have.
func isOfTheAPI(path string, text []byte) error {
	var v any
	parts := strings.Split(strings.Trim(path, "/"), "/")
	last := parts[len(parts)-1]
	switch {
	case last == "incidents" && !bytes.Contains(text, []byte(`"incidents"`)):
		v = &api.Incident{} // the answer to a POST
	case last == "incidents":
		v = &api.IncidentList{}
	case last == "shadow":
		v = &api.Shadow{}
	case last == "diff":
		v = &api.ShadowDiff{}
	case last == "offer":
		v = &api.OfferList{}
	case last == "me":
		v = &api.Me{}
	case last == "alerts":
		v = &api.AlertList{}
	case last == "similar":
		v = &api.SimilarIncidents{}
	case last == "timeline":
		v = &api.Timeline{}
	case last == "why" && parts[2] == "alerts":
		v = &api.AlertReasons{}
	case last == "why":
		v = &api.Why{}
	case last == "correlation":
		v = &api.Correlation{}
	case last == "pairs":
		v = &api.LearnedPairs{}
	case last == "silences" || last == "silence":
		return nil // GET and POST answer differently; both are short
	case last == "windows" && strings.HasPrefix(string(bytes.TrimSpace(text)), `{"id"`):
		return nil // the answer to a POST
	case last == "windows":
		v = &api.WindowList{}
	case last == "calendar":
		v = &api.Calendar{}
	case last == "heartbeats":
		v = &api.HeartbeatList{}
	case last == "storms":
		v = &api.StormList{}
	case last == "handover":
		v = &api.Handover{}
	case parts[len(parts)-2] == "handover":
		v = &api.HandoverBook{}
	case parts[len(parts)-2] == "windows":
		v = &api.Window{}
	case last == "receivers":
		v = &api.Receivers{}
	case last == "messages":
		v = &api.SentList{}
	case last == "oncall":
		v = &api.OnCallList{}
	case last == "overrides":
		return nil // the answer to a POST
	case parts[len(parts)-2] == "notify":
		v = &api.Preview{}
	case last == "sources":
		v = &api.SourceList{}
	case last == "status":
		v = &api.Status{}
	case parts[len(parts)-2] == "alerts":
		v = &api.Alert{}
	case last == "export" || last == "outages":
		return nil // YAML; and GET and POST answer differently
	case cmdbAnswer(parts) != nil:
		v = cmdbAnswer(parts)
	default:
		v = &api.Incident{}
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("canned answer to %s: %w", path, err)
	}
	return nil
}

// cmdbAnswer is what the API answers below cis, services and outages; nil elsewhere.
func cmdbAnswer(parts []string) any {
	last := parts[len(parts)-1]
	switch what := parts[2]; {
	case what == "cmdb":
		return &api.Import{}
	case what == "cis" && len(parts) == 3:
		return &api.CIList{}
	case last == "unbound":
		return &api.UnboundList{}
	case last == "versions":
		return &api.CIVersions{}
	case last == "impact" || last == "deps":
		return &api.CIWalk{}
	case what == "cis":
		return &api.CIDetail{}
	case what == "services" && len(parts) == 3:
		return &api.ServiceList{}
	case last == "ready":
		return &api.ServiceReady{}
	case last == "availability":
		return &api.ServiceAvailability{}
	case what == "services":
		return &api.ServiceDetail{}
	case what == "outages":
		return &api.Outage{}
	}
	return nil
}

// asked compares the requests so far with a file and forgets them.
func asked(ts *testscript.TestScript, neg bool, args []string) {
	d := ts.Value("daemon").(*cannedDaemon)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.problem != nil {
		ts.Fatalf("%v", d.problem)
	}
	want := ""
	if len(args) == 1 {
		want = ts.ReadFile(args[0])
	}
	got := strings.Join(d.requests, "\n")
	if neg == (strings.TrimSpace(want) == got) {
		ts.Fatalf("asked:\n%s\nwant:\n%s", got, want)
	}
	d.requests = nil
}

// code runs tocsin and compares its exit code.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N tocsin …")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

// makeData makes a data directory by a real engine: one alert that fires, and a note.
func makeData(ts *testscript.TestScript, _ bool, args []string) {
	e, err := engine.Open(engine.Options{Dir: ts.MkAbs(args[0]), Version: version})
	ts.Check(err)
	b := e.NewBatch()
	b.Source = event.Source{Name: "prometheus", Tenant: event.DefaultTenant, Kind: event.Resender}
	b.Add(event.Event{Labels: event.Labels{{Name: "alertname", Value: "Down"}, {Name: "severity", Value: "critical"}}})
	ctx := context.Background() // the script has none
	ts.Check(e.Submit(ctx, b))
	_, err = e.Do(ctx, event.Command{Kind: event.Note, Tenant: event.DefaultTenant, Incident: 1, Text: "seen"})
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("head"), []byte(e.Status().JournalHead), 0o600))
	ts.Check(e.Close())
}

// damage turns one byte in the middle of what the only file below a directory holds before its zeros.
func damage(ts *testscript.TestScript, _ bool, args []string) {
	files, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*"))
	ts.Check(err)
	for _, name := range files {
		text, err := os.ReadFile(name)
		ts.Check(err)
		if used := bytes.TrimRight(text, "\x00"); len(used) > 100 {
			text[len(used)/2] ^= 1
			ts.Check(os.WriteFile(name, text, 0o600))
			return
		}
	}
	ts.Fatalf("nothing to damage in %s", args[0])
}
