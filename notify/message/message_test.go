package message

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden messages anew")

var at = time.Date(2026, 11, 21, 3, 12, 0, 0, time.UTC)

// example is what a message of one event is made of.
func example(e Event) Data {
	d := Data{Event: e, Key: "0.17.3/ops/0", At: at, Tenant: "main", Receiver: "ops"}
	switch e {
	case StormBegan, StormEnded:
		d.Storm = &Storm{Number: 3, BeganAt: at.Add(-10 * time.Minute), Openings: 1000, Held: 980, Worst: 2, Open: []IncidentLine{{ID: "INC-7", Title: "Down: service pay", Priority: 2}}}
	case MuteEnding:
		d.Mute = &Mute{Kind: "silence", ID: "5f", Comment: "disk is on its way", CreatedBy: "Ann", EndsAt: at.Add(15 * time.Minute), Firing: 2}
	case Digest:
		d.Digest = []Data{example(Opened), example(Resolved)}
	case Test:
	default:
		d.Incident = incident()
		d.Reason = map[Event]string{Worse: "the priority rose from P3 to P2", Escalated: "step 2 of 3: Ann did not acknowledge within 5 min"}[e]
	}
	return d
}

func incident() *Incident {
	return &Incident{
		ID: "INC-42", Title: "DiskFull: service shop", Status: "open", Severity: "critical", Priority: 2, Labels: map[string]string{"service": "shop"},
		OpenedAt: at.Add(-7 * time.Minute), Firing: 3, Total: 3, New: 1,
		Alerts: []Alert{
			{Status: "firing", Severity: "critical", Labels: map[string]string{"alertname": "DiskFull", "instance": "db-3"}, Annotations: map[string]string{"summary": "3 % left\nof /var"}, GeneratorURL: "javascript:alert(1)"},
			{Status: "firing", Severity: "major", Labels: map[string]string{"alertname": "DiskFull", "instance": "db-4"}},
		},
	}
}

func TestEveryMessageReadsWellAtThree(t *testing.T) {
	tmpl, err := New("https://tocsin.example.org/", nil, nil)
	require.NoError(t, err)
	var b strings.Builder
	for _, e := range Events() {
		m := tmpl.Render(example(e))
		require.Empty(t, m.TemplateError, e)
		require.NotContains(t, m.Text, "<no value>")
		b.WriteString("== " + string(e) + "\n" + m.Title + "\n--\n" + m.Text + "\n\n")
	}
	if *update {
		require.NoError(t, os.WriteFile("testdata/messages.txt", []byte(b.String()), 0o644))
	}
	want, err := os.ReadFile("testdata/messages.txt")
	require.NoError(t, err)
	require.Equal(t, string(want), b.String(), "run with -update when the new words are right")
}

func TestATemplateThatFailsLeavesPlainWordsAndSaysWhy(t *testing.T) {
	for name, text := range map[string]string{
		"no such field":   "{{ .Nothing.At.All }}",
		"writes for ever": `{{ range first 9999 .Incident.Alerts }}{{ printf "%099999d" 1 }}{{ end }}`,
		"says nothing":    "{{ if false }}x{{ end }}",
		"index of none":   "{{ index .Incident.Alerts 99 }}",
	} {
		t.Run(name, func(t *testing.T) {
			tmpl, err := New("", nil, map[string]Override{"ops": {Text: text}})
			require.NoError(t, err)
			m := tmpl.Render(example(Opened))
			require.NotEmpty(t, m.TemplateError)
			require.Equal(t, "P2 opened: DiskFull: service shop (INC-42)\n3 alerts firing\n/incidents/INC-42", m.Text)
			require.Equal(t, "P2 DiskFull: service shop (INC-42)", m.Title, "the title's template is well")
		})
	}
	_, err := New("", []Source{{"a.tmpl", "{{"}}, map[string]Override{"ops": {Title: "{{ nofunc }}"}})
	require.ErrorContains(t, err, "a.tmpl")
	require.ErrorContains(t, err, "receiver ops: title")
}

func TestFilesAndReceiversHaveTheirOwnWords(t *testing.T) {
	tmpl, err := New("", []Source{{"a.tmpl", `{{ define "title" }}ours: {{ .Incident.ID }}{{ end }}`}}, map[string]Override{"ops": {Text: `{{ template "title" . }} {{ .Incident.Title | toUpper }}`}})
	require.NoError(t, err)
	m := tmpl.Render(example(Opened))
	require.Equal(t, "ours: INC-42", m.Title)
	require.Equal(t, "ours: INC-42 DISKFULL: SERVICE SHOP", m.Text)
	other := example(Opened)
	other.Receiver = "else"
	require.Contains(t, tmpl.Render(other).Text, "3 alerts fire")
}

func TestHostileTextDoesNothing(t *testing.T) {
	d := example(Opened)
	d.Incident.Title = "<script>alert(1)</script> {{ .Key }} \u202etxt.exe \x1b[31m @channel\r\nBcc: x@example.org"
	tmpl, err := New("https://tocsin.example.org", nil, nil)
	require.NoError(t, err)
	m := tmpl.Render(d)
	require.NotContains(t, m.HTML, "<script>")
	require.Contains(t, m.Title, "{{ .Key }}", "text is data, never a template")
	for _, part := range []string{m.Title, m.Text, m.HTML} {
		require.NotContains(t, part, "\x1b")
		require.NotContains(t, part, "\u202e")
	}
	require.NotContains(t, m.Title, "\n")
	require.Empty(t, m.Data.Incident.Alerts[0].GeneratorURL, "only http and https are links")
	require.Equal(t, "javascript:alert(1)", d.Incident.Alerts[0].GeneratorURL, "what was handed in stays as it was")
}

func TestTheSubjectStaysTheSameFromOpeningToResolution(t *testing.T) {
	tmpl, err := New("", nil, nil)
	require.NoError(t, err)
	opened, resolved := tmpl.Render(example(Opened)), tmpl.Render(example(Resolved))
	require.Equal(t, "main/INC-42", opened.Subject)
	require.Equal(t, opened.Subject, resolved.Subject)
	require.False(t, opened.Resolved)
	require.True(t, resolved.Resolved)
	require.Equal(t, "main/STORM-3", tmpl.Render(example(StormBegan)).Subject)
}
