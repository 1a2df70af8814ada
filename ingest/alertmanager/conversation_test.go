package alertmanager

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/internal/peers"
)

// The conversation is one long talk with an Alertmanager. Its answers were recorded from the real 0.34.2 by
//
//	go test ./ingest/alertmanager -run TheConversation -record http://127.0.0.1:9093
//
// after that was started, empty, with conversationConfig.
var record = flag.String("record", "", "URL of an empty Alertmanager whose answers become the golden ones")

const (
	conversationFile = "testdata/conversation_0.34.2.json"
	oldDifferences   = "testdata/conversation_0.25_differs.json"
	ourDifferences   = "testdata/conversation_tocsin_differs.json"
)

const conversationConfig = `
route:
  receiver: tocsin
  group_by: [alertname]
  group_wait: 1s
  group_interval: 1s
receivers: [{name: tocsin}]
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity="warning"]
    equal: [cluster]
`

// said is one answer, with what changes from day to day taken out.
type said struct {
	Name   string          `json:"name"`
	Asked  string          `json:"asked"`
	Status int             `json:"status"`
	Type   string          `json:"type,omitempty"`  // Content-Type
	Cache  string          `json:"cache,omitempty"` // Cache-Control
	Allow  string          `json:"allow,omitempty"`
	Body   json.RawMessage `json:"body,omitempty"`
}

// talk holds a conversation with the Alertmanager at url.
type talk struct {
	t     *testing.T
	url   string
	start time.Time

	patient bool              // the other side groups in the background
	ids     map[string]string // silences by their real id: the name they have in golden files
	names   map[string]string // and the other way round; also the start of each that was shown
	times   map[string]string // instants that we sent: their text in the script
}

func newTalk(t *testing.T, url string) *talk {
	return &talk{
		t: t, url: url, start: time.Now().UTC().Truncate(time.Millisecond),
		ids: map[string]string{}, names: map[string]string{}, times: map[string]string{},
	}
}

var (
	offsetMark = regexp.MustCompile(`\{now([+-][0-9hms]+)?\}`)
	idMark     = regexp.MustCompile(`<(silence|start) [0-9]+>`)
	uuidText   = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	timeText   = regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z`)
	allowed    = regexp.MustCompile(`but \[(.*)\] are`)
	reason     = regexp.MustCompile(`(parsing (?:alerts|silence) body from .* failed, because ).*"`)
)

// fill puts instants and ids into a script's text.
func (k *talk) fill(text string) string {
	text = offsetMark.ReplaceAllStringFunc(text, func(mark string) string {
		d, err := time.ParseDuration(cmp.Or(strings.TrimPrefix(strings.Trim(mark, "{}"), "now"), "0s"))
		require.NoError(k.t, err)
		at := k.start.Add(d).Format("2006-01-02T15:04:05.000Z07:00")
		k.times[at] = mark
		return at
	})
	return idMark.ReplaceAllStringFunc(text, func(name string) string { return k.names[name] })
}

// plain takes out of an answer what is not the same every time.
func (k *talk) plain(body string) string {
	body = uuidText.ReplaceAllStringFunc(body, func(id string) string {
		if _, known := k.ids[id]; !known && !strings.HasPrefix(id, "00000000") {
			name := fmt.Sprintf("<silence %d>", len(k.ids)+1)
			k.ids[id], k.names[name] = name, id
		}
		return cmp.Or(k.ids[id], id)
	})
	body = timeText.ReplaceAllStringFunc(body, func(at string) string { return cmp.Or(k.times[at], "<time>") })
	body = reason.ReplaceAllString(body, `$1…"`)
	return allowed.ReplaceAllStringFunc(body, func(list string) string { return "but [" + sorted(allowed.FindStringSubmatch(list)[1]) + "] are" })
}

func sorted(list string) string {
	parts := strings.Split(list, ",")
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

// gettableStart is what the conversation remembers of a silence.
type gettableStart struct{ ID, StartsAt string }

func patient(k *talk) *talk {
	k.patient = true
	return k
}

// say sends one request and returns the plain answer.
func (k *talk) say(l line) said {
	req, err := http.NewRequestWithContext(k.t.Context(), l.method, k.url+k.fill(l.path), strings.NewReader(k.fill(l.body)))
	require.NoError(k.t, err)
	if l.body != "" {
		req.Header.Set("Content-Type", jsonType)
	}
	for name, value := range l.header {
		req.Header.Set(name, value)
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}).Do(req)
	require.NoError(k.t, err, l.name)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(k.t, err, l.name)
	out := said{
		Name: l.name, Asked: l.method + " " + l.path, Status: resp.StatusCode, Type: resp.Header.Get("Content-Type"),
		Cache: resp.Header.Get("Cache-Control"),
	}
	if allow := resp.Header.Get("Allow"); allow != "" {
		out.Allow = sorted(allow)
	}
	var shown gettableStart
	if json.Unmarshal(body, &shown) == nil && shown.ID != "" {
		k.names[strings.Replace(k.plain(shown.ID), "silence", "start", 1)] = shown.StartsAt
	}
	if text := k.plain(strings.TrimSpace(string(body))); text != "" {
		out.Body = json.RawMessage(text)
		if !json.Valid(out.Body) {
			out.Body, err = json.Marshal(text)
			require.NoError(k.t, err)
		}
	}
	return out
}

// hold holds the whole conversation.
func (k *talk) hold() (answers []said) {
	for _, l := range script() {
		if l.wait && k.patient {
			time.Sleep(2 * time.Second)
		}
		answers = append(answers, k.say(l))
	}
	return answers
}

func readAnswers(t *testing.T, file string) (answers []said) {
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &answers))
	for i := range answers {
		answers[i].Body = compacted(t, answers[i].Body)
	}
	return answers
}

func compacted(t *testing.T, body json.RawMessage) json.RawMessage {
	if body == nil {
		return nil
	}
	var b bytes.Buffer
	require.NoError(t, json.Compact(&b, body))
	body = b.Bytes()
	for escaped, char := range map[string]string{`\u003c`: "<", `\u003e`: ">", `\u0026`: "&"} { // Alertmanager escapes in some places
		body = bytes.ReplaceAll(body, []byte(escaped), []byte(char))
	}
	return body
}

func writeAnswers(t *testing.T, file string, answers []said) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	require.NoError(t, enc.Encode(answers))
	require.NoError(t, os.MkdirAll("testdata", 0o755))
	require.NoError(t, os.WriteFile(file, b.Bytes(), 0o644))
}

// ticking returns the time, and never the same millisecond twice.
func ticking() func() time.Time {
	var mu sync.Mutex
	var last time.Time
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now().Truncate(time.Millisecond); now.After(last) {
			last = now
		} else {
			last = last.Add(time.Millisecond)
		}
		return last
	}
}

func conversationDaemon(t *testing.T) *daemon {
	d := newDaemon(t, ticking()).serve(t)
	c, err := ReadConfig("alertmanager.yml", []byte(conversationConfig))
	require.NoError(t, err)
	d.useRules(t, c.Rules)
	return d
}

// TestTheConversationIsThatOfAlertmanager holds the conversation with us. Where we differ on purpose is written down in a
// file of its own, which -record ours writes, and in docs/alertmanager.md.
func TestTheConversationIsThatOfAlertmanager(t *testing.T) {
	if strings.HasPrefix(*record, "http") {
		writeAnswers(t, conversationFile, patient(newTalk(t, *record)).hold())
		return
	}
	checkDifferences(t, readAnswers(t, conversationFile), newTalk(t, conversationDaemon(t).url).hold(), ourDifferences, *record == "ours")
}

// checkDifferences compares answers with the recorded ones: they must differ in the listed ones only, and as listed.
func checkDifferences(t *testing.T, want, got []said, file string, write bool) {
	require.Len(t, got, len(want))
	var differs []said
	for i := range got {
		got[i].Body = compacted(t, got[i].Body)
		if show(want[i]) != show(got[i]) {
			differs = append(differs, got[i])
		}
	}
	if write {
		writeAnswers(t, file, differs)
		return
	}
	known := readAnswers(t, file)
	for i := range differs {
		require.Less(t, i, len(known), "a new difference:\n%s", show(differs[i]))
		require.Equal(t, show(known[i]), show(differs[i]))
	}
	for _, s := range known[len(differs):] {
		require.Fail(t, "a listed difference is gone", s.Name)
	}
}

// show is the form in which answers are compared, and read when they differ.
func show(s said) string {
	return fmt.Sprintf("%s\n%s\n%d %s %s %s\n%s", s.Name, s.Asked, s.Status, s.Type, s.Cache, s.Allow, s.Body)
}

// TestAnOlderAlertmanagerDiffersWhereItIsKnownTo talks to the Alertmanager of this system, if it has one, and compares with
// the written list of what changed since then. -record=old writes that list.
func TestAnOlderAlertmanagerDiffersWhereItIsKnownTo(t *testing.T) {
	am := peers.Alertmanager(t, conversationConfig)
	if version := versionOf(t, am.URL); !strings.HasPrefix(version, "0.25.") {
		t.Skipf("SKIPPED: the list of differences is that of 0.25, this is %s", version)
	}
	want, got := readAnswers(t, conversationFile), patient(newTalk(t, am.URL)).hold()
	checkDifferences(t, sinceOld(want), sinceOld(got), oldDifferences, *record == "old")
}

// sinceOld takes out of answers what came after 0.25 wherever it stands: Cache-Control, mutedBy (0.28), a receiver's labels
// and a group's routeLabels (0.31 and later).
func sinceOld(answers []said) []said {
	for i := range answers {
		a := &answers[i]
		a.Cache = ""
		for _, added := range []string{`"mutedBy":[],`, `"labels":{"name":"tocsin"},`, `,"routeLabels":{}`} {
			a.Body = bytes.ReplaceAll(a.Body, []byte(added), nil)
		}
	}
	return answers
}

func versionOf(t *testing.T, url string) string {
	resp, err := http.Get(url + "/api/v2/status")
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	var s struct{ VersionInfo versionInfo }
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&s))
	return s.VersionInfo.Version
}
