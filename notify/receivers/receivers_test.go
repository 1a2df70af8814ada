package receivers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/internal/outbound"
	"github.com/tocsin-noc/tocsin/notify/message"
)

var at = time.Date(2026, 11, 21, 3, 12, 0, 0, time.UTC)

func rendered(t *testing.T, e message.Event, title string) message.Message {
	t.Helper()
	tmpl, err := message.New("https://tocsin.example.org", nil, nil)
	require.NoError(t, err)
	return tmpl.Render(message.Data{
		Event: e, Key: "0.17.3/ops/0", At: at, Tenant: "main", Receiver: "ops",
		Incident: &message.Incident{
			ID: "INC-42", Title: title, Status: "open", Severity: "critical", Priority: 2, OpenedAt: at.Add(-time.Minute), Firing: 2, Total: 40, Truncated: 38,
			Labels: map[string]string{"service": "shop"},
			Alerts: []message.Alert{
				{Status: "firing", Severity: "critical", Labels: map[string]string{"alertname": "Down", "instance": "a"}, Annotations: map[string]string{"summary": "a is down"}, StartsAt: at, Fingerprint: "0011"},
				{Status: "firing", Severity: "critical", Labels: map[string]string{"alertname": "Down", "instance": "b"}, StartsAt: at, Fingerprint: "0012"},
			},
		},
	})
}

func options(t *testing.T, allow ...string) Options {
	t.Helper()
	p, err := outbound.New(allow)
	require.NoError(t, err)
	return Options{Outbound: p, Version: "1", Timeout: 5 * time.Second}
}

func spec(t *testing.T, kind, text string) Spec {
	t.Helper()
	var doc yaml.Node
	require.NoError(t, yaml.Unmarshal([]byte(text), &doc))
	return Spec{Name: "ops", Kind: kind, Config: doc.Content[0], Dir: t.TempDir()}
}

// sink keeps what it is sent.
type sink struct {
	*httptest.Server
	mu     sync.Mutex
	paths  []string
	bodies []string
	heads  []http.Header
	answer func(w http.ResponseWriter)
}

func newSink(t *testing.T) *sink {
	s := &sink{answer: func(w http.ResponseWriter) {
		_, _ = io.WriteString(w, `{"ok":true,"success":true,"result":{"message_id":1,"chat":{"id":7}}}`)
	}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.paths, s.bodies, s.heads = append(s.paths, r.URL.Path), append(s.bodies, string(b)), append(s.heads, r.Header)
		s.answer(w)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestEveryKindTellsTitleTextAndLink(t *testing.T) {
	for kind, c := range map[string]struct {
		config string
		want   []string // in the body
	}{
		"slack":      {"{api_url: %s, channel: '#ops'}", []string{`"channel":"#ops"`, `"title":"P2 Down: &lt;!channel&gt; @` + "\u200b" + `all (INC-42)"`, `"title_link":"https://tocsin.example.org/incidents/INC-42"`, "2 alerts fire", `"color":"danger"`, `"username":"Tocsin"`}},
		"pagerduty":  {"{routing_key: r, url: %s}", []string{`"event_action":"trigger"`, `"severity":"critical"`, `"summary":"P2 Down`, `"client":"Tocsin"`}},
		"opsgenie":   {"{api_key: k, api_url: %s/}", []string{`"message":"P2 Down`, `"priority":"P2"`, `"alias":`, "2 alerts fire"}},
		"telegram":   {"{bot_token: b, chat_id: 7, api_url: %s}", []string{`&lt;!channel&gt;`, "INC-42", "2 alerts fire"}},
		"msteamsv2":  {"{webhook_url: %s}", []string{"INC-42", "2 alerts fire", "‹!channel›"}},
		"discord":    {"{webhook_url: %s}", []string{"INC-42", "2 alerts fire", "‹!channel›"}},
		"mattermost": {"{webhook_url: %s}", []string{"INC-42", "2 alerts fire", `"username":"Tocsin"`}},
		"rocketchat": {"{api_url: %s, token: t, token_id: i}", []string{"INC-42", "2 alerts fire"}},
		"webex":      {"{api_url: %s, room_id: r, http_config: {authorization: {credentials: x}}}", []string{"INC-42", "2 alerts fire"}},
		"victorops":  {"{api_key: k, routing_key: r, api_url: %s/}", []string{`"message_type":"CRITICAL"`, "INC-42", "2 alerts fire"}},
		"webhook":    {"{url: %s}", []string{`"event":"opened"`, `"key":"0.17.3/ops/0"`, `"id":"INC-42"`, `"version":1`}},
	} {
		t.Run(kind, func(t *testing.T) {
			s := newSink(t)
			if kind == "slack" {
				s.answer = func(w http.ResponseWriter) { _, _ = io.WriteString(w, "ok") }
			}
			r, err := New(spec(t, kind, fmt.Sprintf(c.config, s.URL)), options(t, "127.0.0.1"))
			require.NoError(t, err)
			require.Equal(t, "ops", r.Name())
			retry, err := r.Send(t.Context(), rendered(t, message.Opened, "Down: <!channel> @all"), nil)
			require.NoError(t, err)
			require.False(t, retry)
			require.Len(t, s.bodies, 1)
			body := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(s.bodies[0])
			for _, want := range c.want {
				require.Contains(t, body, want)
			}
		})
	}
}

func TestAPagerSeesOneAlertFromOpeningToResolution(t *testing.T) {
	s := newSink(t)
	r, err := New(spec(t, "pagerduty", "{routing_key: r, url: "+s.URL+"}"), options(t, "127.0.0.1"))
	require.NoError(t, err)
	for _, e := range []message.Event{message.Opened, message.Worse, message.Resolved} {
		_, err := r.Send(t.Context(), rendered(t, e, "Down"), nil)
		require.NoError(t, err)
	}
	keys := map[string]bool{}
	for i, action := range []string{"trigger", "trigger", "resolve"} {
		var body struct {
			Action string `json:"event_action"`
			Key    string `json:"dedup_key"`
		}
		require.NoError(t, json.Unmarshal([]byte(s.bodies[i]), &body))
		require.Equal(t, action, body.Action)
		keys[body.Key] = true
	}
	require.Len(t, keys, 1)
}

func TestAWebhookSpeaksAlertmanagersFormat(t *testing.T) {
	s := newSink(t)
	r, err := New(spec(t, "webhook", "{url: "+s.URL+"/hook, format: alertmanager}"), options(t, "127.0.0.1"))
	require.NoError(t, err)
	_, err = r.Send(t.Context(), rendered(t, message.Opened, "Down"), nil)
	require.NoError(t, err)
	var body map[string]any
	require.NoError(t, json.Unmarshal([]byte(s.bodies[0]), &body))
	require.Equal(t, "4", body["version"])
	require.Equal(t, "main/INC-42", body["groupKey"])
	require.Equal(t, "firing", body["status"])
	require.InDelta(t, 38, body["truncatedAlerts"], 0)
	require.Equal(t, map[string]any{"alertname": "Down"}, body["commonLabels"])
	require.Len(t, body["alerts"], 2)
	require.Equal(t, "INC-42", body["commonAnnotations"].(map[string]any)["incident"])
	require.Equal(t, "0.17.3/ops/0", s.heads[0].Get("Idempotency-Key"))
	require.Equal(t, "Tocsin/1", s.heads[0].Get("User-Agent"))
}

func TestAWebhooksAnswerDecidesWhatComesNext(t *testing.T) {
	s := newSink(t)
	r, err := New(spec(t, "webhook", "{url: "+s.URL+"/secret-path}"), options(t, "127.0.0.1"))
	require.NoError(t, err)
	for code, wantRetry := range map[int]bool{400: false, 404: false, 302: false, 408: true, 429: true, 500: true, 503: true} {
		s.answer = func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "7")
			w.Header().Set("Location", "http://169.254.169.254/")
			w.WriteHeader(code)
			_, _ = io.WriteString(w, "no thanks")
		}
		retry, err := r.Send(t.Context(), rendered(t, message.Opened, "Down"), nil)
		require.ErrorContains(t, err, "no thanks", code)
		require.Equal(t, wantRetry, retry, code)
		if later, ok := errors.AsType[*RetryLater](err); ok {
			require.Equal(t, 7*time.Second, later.After)
		} else {
			require.False(t, wantRetry)
		}
	}
	s.Close()
	retry, err := r.Send(t.Context(), rendered(t, message.Opened, "Down"), nil)
	require.True(t, retry)
	require.NotContains(t, err.Error(), "secret-path", "a webhook's URL is a secret")
}

func TestTargetsAreReachedByPolicyOnly(t *testing.T) {
	for kind, config := range map[string]string{
		"webhook": "{url: 'http://169.254.169.254/latest/meta-data'}", "slack": "{api_url: 'http://169.254.169.254/x'}",
		"email": "{smarthost: '169.254.169.254:25', from: a@example.org, to: b@example.org, require_tls: false}",
	} {
		r, err := New(spec(t, kind, config), options(t, "169.254.169.254"))
		require.NoError(t, err)
		_, err = r.Send(t.Context(), rendered(t, message.Opened, "Down"), nil)
		require.ErrorContains(t, err, "never reached", kind)
	}
}

func TestAConfigurationThatCannotWorkIsRefused(t *testing.T) {
	for _, c := range []struct{ kind, config, want string }{
		{"slack", "{chanel: x}", "field chanel not found"},
		{"slack", "{channel: x}", "needs api_url"},
		{"carrier-pigeon", "{}", "there is no kind"},
		{"webhook", "{url: ftp://x}", "http or https"},
		{"webhook", "{}", "exactly one of url and url_file"},
		{"webhook", "{url: 'http://x', format: morse}", "format must be"},
		{"webhook", "{url: 'http://x', http_config: {proxy_url: 'http://p'}}", "a proxy would hide"},
		{"email", "{to: a@b}", "needs from and smarthost"},
		{"telegram", "{chat_id: 1}", "needs bot_token_file"},
		{"opsgenie", "{}", "needs api_key_file"},
	} {
		_, err := New(spec(t, c.kind, c.config), options(t))
		require.ErrorIs(t, err, ErrConfig)
		require.ErrorContains(t, err, c.want)
	}
}

func TestAWebhooksURLMayStandInAFile(t *testing.T) {
	s := newSink(t)
	sp := spec(t, "webhook", "{url_file: hook.url}")
	require.NoError(t, os.WriteFile(filepath.Join(sp.Dir, "hook.url"), []byte(s.URL+"\n"), 0o600))
	r, err := New(sp, options(t, "127.0.0.1"))
	require.NoError(t, err)
	_, err = r.Send(t.Context(), rendered(t, message.Opened, "Down"), nil)
	require.NoError(t, err)
	require.Len(t, s.bodies, 1)
}

// mailbox is a mail server that keeps what it gets.
type mailbox struct {
	mu    sync.Mutex
	mails []string
	to    []string
}

func (m *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return m, nil }

func (m *mailbox) Reset() {}

func (m *mailbox) Logout() error { return nil }

func (m *mailbox) Mail(string, *smtp.MailOptions) error { return nil }

func (m *mailbox) Rcpt(to string, _ *smtp.RcptOptions) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.to = append(m.to, to)
	return nil
}

func (m *mailbox) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mails = append(m.mails, string(b))
	return err
}

func TestMailGoesToThePeopleItIsFor(t *testing.T) {
	box := &mailbox{}
	server := smtp.NewServer(box)
	server.Domain, server.AllowInsecureAuth = "localhost", true
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	config := fmt.Sprintf("{smarthost: '%s', from: tocsin@example.org, require_tls: false}", l.Addr())
	r, err := New(spec(t, "email", config), options(t, "127.0.0.1"))
	require.NoError(t, err)
	m := rendered(t, message.Opened, "Down\r\nBcc: evil@example.org <script>")
	for range 2 {
		_, err = r.Send(context.Background(), m, []string{"ann@example.org", "bob@example.org"})
		require.NoError(t, err)
	}
	require.Equal(t, []string{"ann@example.org", "bob@example.org"}, box.to[:2])
	first := box.mails[0]
	require.Contains(t, first, "Message-Id: <0.17.3.ops.0@tocsin>")
	require.Contains(t, box.mails[1], "Message-Id: <0.17.3.ops.0@tocsin>", "a repeat can be recognised")
	require.Contains(t, first, "References: <main.INC-42@tocsin>")
	require.NotContains(t, first, "\nBcc:")
	_, html, ok := strings.Cut(first, "text/html")
	require.True(t, ok)
	require.NotContains(t, html, "<script>")
	require.Contains(t, first, "2 alerts fire")
}

func TestAnAnswerThatANotifierDidNotExpectIsAFailureOfThatMessage(t *testing.T) {
	s := newSink(t)
	s.answer = func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"ok":true,"result":{"message_id":1}}`) }
	r, err := New(spec(t, "telegram", "{bot_token: b, chat_id: 7, api_url: "+s.URL+"}"), options(t, "127.0.0.1"))
	require.NoError(t, err)
	_, err = r.Send(t.Context(), rendered(t, message.Opened, "Down"), nil)
	require.ErrorContains(t, err, "the notifier failed")
}

func TestAReceiverThatFallsSilentIsGivenUp(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // accepts and says nothing
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	o := options(t, "127.0.0.1")
	o.Timeout = 50 * time.Millisecond
	r, err := New(spec(t, "email", fmt.Sprintf("{smarthost: '%s', from: a@example.org, to: b@example.org}", l.Addr())), o)
	require.NoError(t, err)
	retry, err := r.Send(t.Context(), rendered(t, message.Opened, "Down"), nil)
	require.ErrorContains(t, err, "no answer within 50ms")
	require.True(t, retry)
}

func TestTwoDaemonsNeverMeetAtAReceiver(t *testing.T) {
	tmpl, err := message.New("", nil, nil)
	require.NoError(t, err)
	data := rendered(t, message.Opened, "Down").Data
	data.Key = "0.17.3/ops/0"
	for _, format := range []string{FormatAlertmanager, FormatAlertmanagerAPI} {
		s := newSink(t)
		r, err := New(spec(t, "webhook", "{url: "+s.URL+", format: "+format+"}"), options(t, "127.0.0.1"))
		require.NoError(t, err)
		for _, instance := range []string{"aaaa", "bbbb"} {
			_, err = r.Send(t.Context(), tmpl.In(instance).Render(data), nil)
			require.NoError(t, err)
		}
		for n, instance := range []string{"aaaa", "bbbb"} {
			require.Equal(t, instance+"/0.17.3/ops/0", s.heads[n].Get("Idempotency-Key"))
			require.Contains(t, s.bodies[n], instance+"/main/INC-42")
		}
	}
	a := alert(new(tmpl.In("aaaa").Render(data)), "email", nil)
	require.Equal(t, "<aaaa.0.17.3.ops.0@tocsin>", string(a.Annotations["message_id"]))
	require.Equal(t, "<aaaa.main.INC-42@tocsin>", string(a.Annotations["thread"]))
}

func TestAnIncidentResolvedByHandIsResolvedAsAlertmanagerUnderstandsIt(t *testing.T) {
	m := rendered(t, message.Resolved, "Down")
	body := v4("ops", &m)
	require.Equal(t, "resolved", body.Status)
	for _, a := range body.Alerts {
		require.Equal(t, "resolved", a.Status)
		require.Equal(t, at, a.EndsAt)
	}
	require.Equal(t, "firing", m.Data.Incident.Alerts[0].Status, "what Tocsin says itself is how it is")
}

func TestAMailWithoutAnAddressIsNotSent(t *testing.T) {
	r, err := New(spec(t, "email", "{smarthost: '127.0.0.1:1', from: a@example.org, require_tls: false}"), options(t, "127.0.0.1"))
	require.NoError(t, err)
	retry, err := r.Send(t.Context(), rendered(t, message.Opened, "Down"), nil)
	require.ErrorIs(t, err, ErrNoAddress)
	require.False(t, retry)
	own, none := spec(t, "email", "{to: b@example.org}"), spec(t, "email", "{from: a@example.org}")
	require.False(t, NeedsPeople(&own))
	require.True(t, NeedsPeople(&none))
}
