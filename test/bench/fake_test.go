package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeVariable makes this test binary play Tocsin; its value names the
// behaviour: "good", "forgetful" (a kill loses everything) or "broken" (it
// refuses all alerts).
const fakeVariable = "TOCSIN_BENCH_FAKE"

func TestMain(m *testing.M) {
	if mode := os.Getenv(fakeVariable); mode != "" {
		if err := playTocsin(mode, os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		return
	}
	os.Exit(m.Run())
}

// playTocsin serves until it is killed, as a child of the benchmark would.
func playTocsin(mode string, args []string) error {
	if len(args) == 1 && args[0] == "--version" {
		fmt.Println("fake 1.0")
		return nil
	}
	if len(args) != 7 || args[0] != "serve" || args[1] != "--data" || args[3] != "--listen" || args[5] != "--config" {
		return fmt.Errorf("unexpected arguments %q", args)
	}
	config, err := os.ReadFile(args[6])
	if err != nil || !strings.Contains(string(config), "alerts_per_source: 5000000") {
		return fmt.Errorf("unexpected config %q: %w", config, err)
	}
	f, err := openFake(mode, args[2])
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", args[4])
	if err != nil {
		return err
	}
	server := &http.Server{Handler: f.routes(), ReadHeaderTimeout: time.Minute}
	return server.Serve(listener)
}

// fake keeps the instances it was sent in a file, one per line.
type fake struct {
	mode string
	mu   sync.Mutex
	log  *os.File
	has  map[string]bool
}

func openFake(mode, dir string) (*fake, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "instances")
	if mode == "forgetful" {
		_ = os.Remove(path)
	}
	old, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	f := &fake{mode: mode, has: map[string]bool{}}
	for instance := range strings.FieldsSeq(string(old)) {
		f.has[instance] = true
	}
	f.log, err = os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return f, err
}

func (f *fake) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /-/ready", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /api/v1/admin/snapshot", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	mux.HandleFunc("POST /api/v2/alerts", f.post)
	mux.HandleFunc("GET /api/v2/alerts", f.list)
	return mux
}

func (f *fake) post(w http.ResponseWriter, r *http.Request) {
	var batch []struct {
		Labels struct{ Instance string }
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(body, &batch) != nil || f.mode == "broken" {
		http.Error(w, "no", http.StatusServiceUnavailable)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var added strings.Builder
	for _, alert := range batch {
		if !f.has[alert.Labels.Instance] {
			f.has[alert.Labels.Instance] = true
			added.WriteString(alert.Labels.Instance + "\n")
		}
	}
	if _, err := f.log.WriteString(added.String()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (f *fake) list(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	instance := strings.Trim(strings.TrimPrefix(r.FormValue("filter"), "instance="), `"`)
	if f.has[instance] {
		fmt.Fprint(w, "[{}]")
		return
	}
	fmt.Fprint(w, "[]")
}
