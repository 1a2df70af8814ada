package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/internal/peers"
)

// told is a message as the webhook sink got it.
type told struct {
	Key      string `json:"key"`
	Event    string `json:"event"`
	Incident *struct {
		ID, Title string
		Priority  int
	} `json:"incident"`
	Storm *struct{ Number, Openings, Held int } `json:"storm"`
}

// hook is a webhook's sink on an address that it keeps while it is away.
type hook struct {
	t      *testing.T
	addr   string
	server *http.Server
	mu     sync.Mutex
	got    []told
	fail   int // answers of 500 that are left
}

func newHook(t *testing.T) *hook {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	h := &hook{t: t, addr: l.Addr().String()}
	h.serve(l)
	t.Cleanup(h.down)
	return h
}

func (h *hook) serve(l net.Listener) {
	h.server = &http.Server{Handler: h, ReadHeaderTimeout: patience}
	server := h.server
	go func() { _ = server.Serve(l) }()
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fail > 0 {
		h.fail--
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	var m told
	if err != nil || json.Unmarshal(body, &m) != nil || r.Header.Get("Idempotency-Key") != m.Key {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	h.got = append(h.got, m)
}

func (h *hook) down() { _ = h.server.Close() }

func (h *hook) up() {
	l, err := net.Listen("tcp", h.addr)
	require.NoError(h.t, err)
	h.serve(l)
}

// keys returns how often each message came, by event and incident.
func (h *hook) keys() map[string][]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := map[string][]string{}
	for _, m := range h.got {
		what := m.Event
		if m.Incident != nil {
			what += " " + m.Incident.ID
		}
		out[what] = append(out[what], m.Key)
	}
	return out
}

// mailbox is a mail server's memory.
type mailbox struct {
	mu    sync.Mutex
	mails []string
}

func (m *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return m, nil }

func (m *mailbox) Reset() {}

func (m *mailbox) Logout() error { return nil }

func (m *mailbox) Mail(string, *smtp.MailOptions) error { return nil }

func (m *mailbox) Rcpt(string, *smtp.RcptOptions) error { return nil }

func (m *mailbox) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mails = append(m.mails, string(b))
	return err
}

func (m *mailbox) has(text string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(m.mails, func(mail string) bool { return strings.Contains(mail, text) })
}

func mailServer(t *testing.T) (addr string, box *mailbox) {
	box = &mailbox{}
	server := smtp.NewServer(box)
	server.Domain = "localhost"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return l.Addr().String(), box
}

// telling starts a daemon with a notify file; more is appended to its list of receivers.
func telling(t *testing.T, file string) *peers.Daemon {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notify.yml"), []byte(file), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tocsin.yml"), []byte("notify_file: notify.yml\n"), 0o600))
	return peers.Tocsin(t, "--config", filepath.Join(dir, "tocsin.yml"))
}

func TestTheNightIsToldToRealReceivers(t *testing.T) {
	am := peers.Alertmanager(t, "route: {receiver: none}\nreceivers: [{name: none}]\n")
	second := peers.Tocsin(t)
	sink := newHook(t)
	mail, box := mailServer(t)
	d := telling(t, fmt.Sprintf(`
outbound: {allow: [127.0.0.1, 169.254.169.254]}
receivers:
  - {name: hook, webhook: {url: 'http://%s/'}}
  - {name: v4, webhook: {url: '%s/webhook/alertmanager', format: alertmanager}}
  - {name: am, webhook: {url: '%s/api/v2/alerts', format: alertmanager_api}}
  - {name: mail, email: {smarthost: '%s', from: tocsin@example.org, require_tls: false}}
  - {name: broken, text: '{{ .No.Such.Field }}', webhook: {url: 'http://%s/'}}
  - {name: evil, webhook: {url: 'http://169.254.169.254/latest/meta-data'}}
contacts: [{name: ann, email: ann@example.org, receivers: [mail]}]
teams: [{name: ops, members: [ann]}]
routes: [{team: ops, receivers: [hook, v4, am]}]
`, sink.addr, second.URL, am.URL, mail, sink.addr))

	down := firing("Down", "db-1")
	mustPost(t, d.URL, down)
	await(t, "all receivers are told", func() bool {
		return len(sink.keys()["opened INC-1"]) == 1 && box.has("P2 Down on db-1 (INC-1)") && len(incidents(t, second.URL)) == 1 &&
			slices.ContainsFunc(get[[]alert](t, am.URL+"/api/v2/alerts"), func(a alert) bool { return strings.HasSuffix(a.Labels["subject"], "/main/INC-1") })
	})
	require.Equal(t, "Down", get[[]alert](t, second.URL+"/api/v2/alerts")[0].Labels["alertname"], "the alerts themselves arrive in Alertmanager's format")

	for receiver, want := range map[string]string{"evil": "never reached", "nobody": "no such receiver"} {
		_, answer := send("POST", d.URL+"/api/v1/notify/test", []byte(`{"receiver":"`+receiver+`"}`))
		require.Contains(t, string(answer), want)
	}
	status, answer := send("POST", d.URL+"/api/v1/notify/preview", []byte(`{"incident":"INC-1","receiver":"broken"}`))
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, string(answer), `can't evaluate field No`)
	require.Contains(t, string(answer), "P2 opened: Down on db-1 (INC-1)", "the plain words")

	status, answer = send("POST", d.URL+"/api/v1/incidents/INC-1/resolve", []byte(`{"reason":"known"}`))
	require.Equal(t, http.StatusOK, status, string(answer))
	await(t, "all receivers are told of the end", func() bool {
		return len(sink.keys()["resolved INC-1"]) == 1 && box.has("Resolved: Down on db-1") &&
			!slices.ContainsFunc(get[[]alert](t, am.URL+"/api/v2/alerts"), func(a alert) bool { return strings.HasSuffix(a.Labels["subject"], "/main/INC-1") })
	})
}

func TestKillsAndADeadReceiverLoseAndDoubleNothing(t *testing.T) {
	sink := newHook(t)
	d := telling(t, fmt.Sprintf("outbound: {allow: [127.0.0.1]}\nreceivers: [{name: hook, webhook: {url: 'http://%s/'}}]\nroutes: [{receivers: [hook]}]\n", sink.addr))
	mustPost(t, d.URL, firing("First", "a"))
	await(t, "the first is told", func() bool { return len(sink.keys()["opened INC-1"]) == 1 })
	sink.down()
	for i := range 9 {
		mustPost(t, d.URL, firing(fmt.Sprintf("Down%d", i), "a"))
		if i%3 == 2 {
			d.Kill9()
			d.Restart()
		}
	}
	sink.mu.Lock()
	sink.fail = 2 // and when it is back it stumbles
	sink.mu.Unlock()
	sink.up()
	await(t, "the rest is told", func() bool { return len(sink.keys()) == 10 })
	for what, keys := range sink.keys() {
		require.Len(t, slices.Compact(slices.Sorted(slices.Values(keys))), 1, "%s was told under several keys", what)
	}
}

func TestAThousandIncidentsInAMinuteAreOneMessage(t *testing.T) {
	sink := newHook(t)
	d := telling(t, fmt.Sprintf("outbound: {allow: [127.0.0.1]}\nreceivers: [{name: hook, webhook: {url: 'http://%s/'}}]\nroutes: [{receivers: [hook]}]\n", sink.addr))
	var all []alert
	for i := range 1000 {
		a := firing("Down", "x")
		a.Labels["service"] = fmt.Sprintf("s%d", i)
		all = append(all, a)
	}
	mustPost(t, d.URL, all[:500]...)
	d.Kill9() // in mid-storm
	d.Restart()
	mustPost(t, d.URL, all...)
	type storms struct {
		Storms []struct{ Openings, Held int } `json:"storms"`
	}
	await(t, "all of them are open", func() bool {
		s := get[storms](t, d.URL+"/api/v1/storms").Storms
		return len(s) == 1 && s[0].Openings == 1000
	})
	require.Equal(t, 980, get[storms](t, d.URL+"/api/v1/storms").Storms[0].Held)
	await(t, "what is told has been told", func() bool { return len(sink.keys()) == 21 })
	require.Len(t, sink.keys()["storm_began"], 1)
	for what, keys := range sink.keys() {
		require.Len(t, slices.Compact(keys), 1, what)
	}
}

func TestTocsinsOwnHeartbeatReachesOutside(t *testing.T) {
	beats := make(chan struct{}, 10)
	outside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		select {
		case beats <- struct{}{}:
		default:
		}
	}))
	defer outside.Close()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"notify.yml": "outbound: {allow: [127.0.0.1]}\n", "url": outside.URL + "/ping\n",
		"tocsin.yml": "notify_file: notify.yml\nheartbeat: {url_file: url, interval: 5s}\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	peers.Tocsin(t, "--config", filepath.Join(dir, "tocsin.yml"))
	for range 2 {
		select {
		case <-beats:
		case <-time.After(patience):
			t.Fatal("no heartbeat came")
		}
	}
}
