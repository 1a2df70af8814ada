package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/history/chdb"
	"github.com/tocsin-noc/tocsin/history/chdb/chdbtest"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
	"github.com/tocsin-noc/tocsin/internal/config"
)

// withHistory starts a daemon over a data folder, whose history lies in an engine.
func withHistory(t *testing.T, e *chdb.Engine, data string) *daemon {
	t.Helper()
	dir := t.TempDir()
	password := filepath.Join(dir, "password")
	require.NoError(t, os.WriteFile(password, []byte(e.Writer().Password), 0o600))
	file := filepath.Join(dir, "tocsin.yml")
	require.NoError(t, os.WriteFile(file, []byte(fmt.Sprintf("history: {url: '%s/tocsin', username: %s, password_file: %s}\n", e.URL(), e.Writer().User, password)), 0o600))
	a, err := New(Options{ConfigFile: file, Data: data, Listen: "127.0.0.1:0", Version: "test", Stdout: io.Discard, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	return &daemon{t, a, func() {
		cancel()
		require.NoError(t, <-done)
	}}
}

// post sends JSON and returns what the answer holds; wrong statuses end the test.
func (d *daemon) post(method, path, body string, want int) map[string]any {
	d.tb.Helper()
	status, text := d.call(method, path, "application/json", []byte(body))
	require.Equal(d.tb, want, status, "%s %s %s: %s", method, path, body, text)
	var out map[string]any
	if len(text) > 0 {
		require.NoError(d.tb, json.Unmarshal(text, &out))
	}
	return out
}

func (d *daemon) redact(body string, want int) map[string]any {
	d.tb.Helper()
	return d.post("POST", "admin/redact", body, want)
}

// texts is all that people may have written that the history holds.
func (d *daemon) texts() string {
	d.tb.Helper()
	answer, err := d.app.history.Query(context.Background(), `
		SELECT line FROM (SELECT concat('version ', toString(seq), '.', toString(n), ' ', toString(kind), ': ', title, ' | ', text) AS line FROM incident_versions FINAL
		UNION ALL SELECT concat('incident ', toString(incident), ': ', title) FROM incidents FINAL
		UNION ALL SELECT concat('log ', toString(seq), ' ', toString(kind), ': ', text) FROM log FINAL
		UNION ALL SELECT concat('outage ', toString(outage), ': ', cause) FROM outages FINAL
		UNION ALL SELECT concat('item ', id, ' ', toString(seq), ': ', toString(mapSort(attributes))) FROM cis FINAL)
		ORDER BY line`, nil)
	require.NoError(d.tb, err)
	var b strings.Builder
	for _, row := range answer.Rows {
		fmt.Fprintln(&b, row[0])
	}
	return b.String()
}

// even waits until the history has all that has happened.
func (d *daemon) even() {
	d.tb.Helper()
	require.NoError(d.tb, redactor{d.app}.even(context.Background()))
}

// entryOf returns the id of an incident's latest entry of a kind.
func (d *daemon) entryOf(incident, kind string) (id string) {
	d.tb.Helper()
	type entry struct{ ID, Kind string }
	for _, e := range read[struct{ Entries []entry }](d, "incidents/"+incident+"/timeline?limit=200").Entries {
		if e.Kind == kind {
			id = e.ID
		}
	}
	require.NotEmpty(d.tb, id, "%s of %s", kind, incident)
	return id
}

func TestWhatPeopleRedactLeavesTheHistoryAsIfItHadNeverBeenThere(t *testing.T) {
	const secret = "Ann 0170 5550199"
	e := chdbtest.New(t, chdb.Options{Dir: t.TempDir()})
	d := withHistory(t, e, t.TempDir())
	defer func() { d.stop() }()
	d.post("POST", "incidents", `{"title":"mail is down","severity":"major"}`, 201)
	d.post("PATCH", "incidents/INC-1", `{"title":"mail of `+secret+`"}`, 200)
	d.post("PATCH", "incidents/INC-1", `{"title":"mail is slow"}`, 200)
	d.post("POST", "incidents/INC-1/notes", `{"text":"call `+secret+`"}`, 200)
	d.post("POST", "incidents/INC-1/notes", `{"text":"it stays"}`, 200)
	d.post("POST", "incidents/INC-1/tasks", `{"title":"ring `+secret+`"}`, 200)
	d.post("POST", "incidents/INC-1/reports", `{"caller":"`+secret+`","text":"no mail"}`, 200)
	d.post("POST", "incidents", `{"title":"web is down","severity":"major"}`, 201)
	d.post("POST", "incidents/INC-2/merge", `{"into":"INC-1","why":"both of `+secret+`"}`, 200)
	silence := d.post("POST", "silences", `{"matchers":[{"name":"a","value":"b"}],"duration":"1h","comment":"says `+secret+`"}`, 201)["id"].(string)
	d.post("PUT", "cis/mail", `{"class":"service","attributes":{"contact":"`+secret+`"}}`, 200)
	d.post("POST", "outages", `{"service":"mail","kind":"down","began_at":"`+time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)+`","cause":"so says `+secret+`"}`, 201)
	d.even()
	require.GreaterOrEqual(t, strings.Count(d.texts(), secret), 10, d.texts())

	all := []string{
		`{"incident":"INC-1","field":"title","reason":"r"}`, `{"incident":"INC-1","field":"task 1","reason":"r"}`, `{"incident":"INC-1","field":"report 1","reason":"r"}`,
		`{"incident":"INC-1","entry":"` + d.noteOf("INC-1", secret) + `","reason":"r"}`,
		`{"incident":"INC-2","entry":"` + d.entryOf("INC-2", "incident_merged") + `","reason":"r"}`,
		`{"silence":"` + silence + `","reason":"r"}`, `{"ci":"mail","attribute":"contact","reason":"r"}`, `{"outage":"OUT-1","reason":"r"}`,
	}
	for _, body := range append(all, all[0], all[3], all[7]) { // asked again: nothing is left to do, and that is no error
		d.redact(body, 204)
	}
	require.NotContains(t, d.texts(), secret)
	require.Contains(t, d.texts(), "it stays")
	left := d.texts()
	d.post("POST", "history/rebuild", "", 202)
	require.Eventually(t, func() bool { r := d.app.history.Status().Rebuild; return r != nil && !r.Ended.IsZero() }, time.Minute, 20*time.Millisecond)
	d.even()
	require.Equal(t, d.texts(), left, "what is left is what a history has that is filled from what is left elsewhere")
}

// noteOf returns the id of the entry that says a text.
func (d *daemon) noteOf(incident, text string) (id string) {
	d.tb.Helper()
	type entry struct{ ID, Text string }
	for _, e := range read[struct{ Entries []entry }](d, "incidents/"+incident+"/timeline?limit=200").Entries {
		if e.Text == "call "+text {
			id = e.ID
		}
	}
	return id
}

func TestARedactionThatLeftTheHistoryOutIsFinishedByAskingAgain(t *testing.T) {
	const secret = "Ann 0170 5550199"
	e := chdbtest.New(t, chdb.Options{Dir: t.TempDir()})
	d := withHistory(t, e, t.TempDir())
	defer func() { d.stop() }()
	d.post("POST", "incidents", `{"title":"mail is down","severity":"major"}`, 201)
	d.post("POST", "incidents/INC-1/notes", `{"text":"call `+secret+`"}`, 200)
	d.even()
	at := d.noteOf("INC-1", secret)
	body := `{"incident":"INC-1","entry":"` + at + `","reason":"r"}`

	// The engine has done its part when the daemon dies.
	cursor, err := engine.ParseCursor(at)
	require.NoError(t, err)
	require.NoError(t, d.app.engine.RedactEntry(context.Background(), 1, cursor, "r", "ann"))
	require.Contains(t, d.texts(), secret)
	d.redact(body, 204)
	require.NotContains(t, d.texts(), secret)

	// What the engine knows nothing of goes as well: here a silence that it has long forgotten, and an incident's title.
	db, err := d.app.history.opened()
	require.NoError(t, err)
	require.NoError(t, db.Exec(t.Context(), "INSERT INTO log (at, kind, tenant, id, text) VALUES (now(), 'silence_set', 'main', 'old', '"+secret+"')", nil))
	require.NoError(t, db.Exec(t.Context(), "INSERT INTO incident_versions (at, opened_at, incident, seq, kind, actor, opened_by, tenant, title) VALUES (now(), now(), 900, 1, 'incident_opened', 'ann', 'ann', 'main', '"+secret+"')", nil))
	require.NoError(t, db.Recompute(t.Context(), "", 0, []uint64{900}))
	d.redact(`{"silence":"old","reason":"r"}`, 204)
	d.redact(`{"incident":"INC-900","field":"title","reason":"r"}`, 204)
	require.NotContains(t, d.texts(), secret)
	d.redact(`{"silence":"older","reason":"r"}`, 404)
	d.redact(`{"incident":"INC-901","field":"title","reason":"r"}`, 404)

	// Without the history the text stays where it is.
	d.post("POST", "incidents/INC-1/notes", `{"text":"call `+secret+`"}`, 200)
	d.even()
	require.NoError(t, e.Close())
	body = `{"incident":"INC-1","entry":"` + d.noteOf("INC-1", secret) + `","reason":"r"}`
	problem := d.redact(body, 503)
	require.Contains(t, problem["hint"], "tocsin history status")
	require.NotEmpty(t, d.noteOf("INC-1", secret))
}

func TestAHistoryThatNeverWasHoldsNoText(t *testing.T) {
	// Nothing runs: what these settings have no history for must be answered without one.
	for name, c := range map[string]config.Config{
		"switched off":      {History: config.History{URL: config.HistoryNone}},
		"has never run yet": {Data: t.TempDir(), History: config.History{URL: config.HistoryEmbedded}},
	} {
		t.Run(name, func(t *testing.T) {
			r := redactor{&App{settings: &loaded{config: &c}}}
			require.NoError(t, r.Redactable(t.Context()))
			found, err := r.Redact(t.Context(), &clickhouse.Redaction{Silence: "s"})
			require.NoError(t, err)
			require.False(t, found)
		})
	}
}
